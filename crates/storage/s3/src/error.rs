//! Errors in S3's words ("List of error codes" in the S3 API reference).

use boathouse_aws::AwsError;
use boathouse_aws::http_service::body_error;
use boathouse_objects::{Digest, Error};
use http::StatusCode;

use crate::checksums;

pub(crate) type Result<T> = std::result::Result<T, AwsError>;

pub(crate) fn invalid_argument(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidArgument", message)
}

pub(crate) fn invalid_request(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidRequest", message)
}

pub(crate) fn not_found(code: &'static str, message: &'static str) -> AwsError {
    AwsError::new(code, StatusCode::NOT_FOUND, message)
}

pub(crate) fn precondition_failed(condition: &'static str) -> AwsError {
    let message = "At least one of the pre-conditions you specified did not hold";
    AwsError::new("PreconditionFailed", StatusCode::PRECONDITION_FAILED, message).with_detail("Condition", condition)
}

pub(crate) fn not_modified() -> AwsError {
    AwsError::new("NotModified", StatusCode::NOT_MODIFIED, "Not Modified")
}

pub(crate) fn invalid_range() -> AwsError {
    let message = "The requested range is not satisfiable";
    AwsError::new("InvalidRange", StatusCode::RANGE_NOT_SATISFIABLE, message)
}

pub(crate) fn no_such_bucket(bucket: &str) -> AwsError {
    not_found("NoSuchBucket", "The specified bucket does not exist").with_detail("BucketName", bucket)
}

pub(crate) fn no_such_key(key: &str) -> AwsError {
    not_found("NoSuchKey", "The specified key does not exist.").with_detail("Key", key)
}

/// What the engine could not do, as S3 says it.
pub(crate) fn from_engine(error: Error) -> AwsError {
    match error {
        Error::NoSuchBucket(name) => no_such_bucket(&name),
        Error::NoSuchKey(key) => no_such_key(&key),
        Error::BucketNotEmpty(name) => {
            let message = "The bucket you tried to delete is not empty";
            AwsError::new("BucketNotEmpty", StatusCode::CONFLICT, message).with_detail("BucketName", name)
        }
        Error::BucketExists(name) => {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            AwsError::new("BucketAlreadyOwnedByYou", StatusCode::CONFLICT, message).with_detail("BucketName", name)
        }
        Error::InvalidBucketName(name) => invalid_bucket_name(&name),
        Error::PreconditionFailed => precondition_failed("If-None-Match"),
        Error::DigestMismatch(Digest::Md5) => checksums::bad_digest("Content-MD5"),
        Error::DigestMismatch(Digest::Checksum(algorithm)) => checksums::bad_digest(checksums::wire_name(algorithm)),
        Error::IncompleteBody { .. } => incomplete_body(),
        Error::Body(error) => body_error(&error).cloned().unwrap_or_else(incomplete_body),
        Error::InvalidRange { .. } => invalid_range(),
        other => internal(&other),
    }
}

pub(crate) fn invalid_bucket_name(name: &str) -> AwsError {
    AwsError::bad_request("InvalidBucketName", "The specified bucket is not valid.").with_detail("BucketName", name)
}

fn incomplete_body() -> AwsError {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    AwsError::bad_request("IncompleteBody", message)
}

/// The cause stays in the log.
pub(crate) fn internal(cause: &dyn std::fmt::Display) -> AwsError {
    tracing::error!(%cause, "object engine failed");
    AwsError::internal("We encountered an internal error. Please try again.")
}
