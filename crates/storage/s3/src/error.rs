//! Errors in S3's words ("List of error codes" in the S3 API reference).

use std::io::ErrorKind;

use boathouse_aws::AwsError;
use boathouse_aws::http_service::body_error;
use boathouse_objects::{Digest, Error, RemoteFailure};
use http::StatusCode;

use crate::checksums;
use crate::view::http_date;

pub(crate) type Result<T> = std::result::Result<T, AwsError>;

pub(crate) fn invalid_argument(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidArgument", message)
}

pub(crate) fn invalid_request(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidRequest", message)
}

pub(crate) fn malformed_xml() -> AwsError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    AwsError::bad_request("MalformedXML", message)
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
        Error::NoSuchVersion(version) => {
            not_found("NoSuchVersion", "The specified version does not exist.").with_detail("VersionId", version)
        }
        Error::InvalidVersion(version) => invalid_argument("Invalid version id specified")
            .with_detail("ArgumentName", "versionId")
            .with_detail("ArgumentValue", version),
        Error::DeleteMarker { version, modified_ms } => {
            let message = "The specified method is not allowed against this resource.";
            AwsError::new("MethodNotAllowed", StatusCode::METHOD_NOT_ALLOWED, message)
                .with_detail("Method", "GET")
                .with_detail("ResourceType", "DeleteMarker")
                .with_detail("allow", "DELETE")
                .with_detail("last-modified", http_date(modified_ms))
                .with_detail("x-amz-delete-marker", "true")
                .with_detail("x-amz-version-id", version)
        }
        Error::ClientKeyMissing => invalid_request(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
             retrieve the object.",
        ),
        Error::ClientKeyUnwanted => invalid_request("The encryption parameters are not applicable to this object."),
        Error::ClientKeyWrong => AwsError::new("AccessDenied", StatusCode::FORBIDDEN, "Access Denied"),
        Error::Locked => {
            let message = "Access Denied because object protected by object lock.";
            AwsError::new("AccessDenied", StatusCode::FORBIDDEN, message)
        }
        Error::PreconditionFailed => precondition_failed("If-None-Match"),
        Error::DigestMismatch(Digest::Md5) => checksums::bad_digest("Content-MD5"),
        Error::DigestMismatch(Digest::Checksum(algorithm)) => checksums::bad_digest(checksums::wire_name(algorithm)),
        Error::IncompleteBody { .. } => incomplete_body(),
        Error::Body(error) => body_error(&error).cloned().unwrap_or_else(incomplete_body),
        Error::InvalidRange { .. } => invalid_range(),
        Error::NoSuchUpload(id) => no_such_upload(&id),
        Error::InvalidPart(number) => {
            let message = "One or more of the specified parts could not be found. The part may not have been uploaded, or \
                           the specified entity tag may not match the part's entity tag.";
            AwsError::bad_request("InvalidPart", message).with_detail("PartNumber", number.to_string())
        }
        Error::InvalidPartOrder => {
            let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            AwsError::bad_request("InvalidPartOrder", message)
        }
        Error::InvalidPartNumber(_) => {
            invalid_argument("Part number must be an integer between 1 and 10000, inclusive")
        }
        Error::PartTooSmall { number, size, minimum } => {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            AwsError::bad_request("EntityTooSmall", message)
                .with_detail("PartNumber", number.to_string())
                .with_detail("ProposedSize", size.to_string())
                .with_detail("MinSizeAllowed", minimum.to_string())
        }
        error @ (Error::Full { .. } | Error::ReadOnly) => unavailable(&error),
        Error::Io(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::ReadOnlyFilesystem) => {
            unavailable(&Error::Io(error))
        }
        Error::Remote { failure: RemoteFailure::Busy, .. } => {
            AwsError::new("SlowDown", StatusCode::SERVICE_UNAVAILABLE, "Please reduce your request rate.")
        }
        Error::Remote { failure: RemoteFailure::Unavailable, .. } => {
            let message = "Service is unable to handle request.";
            AwsError::new("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE, message)
        }
        other => internal(&other),
    }
}

/// The disk takes nothing new. Clients try again later, which helps once somebody has made room.
fn unavailable(error: &Error) -> AwsError {
    tracing::warn!(%error, "a write is refused");
    let message = format!("The service is unable to take writes: {error}. Reads and deletions go on where they can.");
    AwsError::new("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE, message)
}

fn no_such_upload(id: &str) -> AwsError {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
                   or completed.";
    not_found("NoSuchUpload", message).with_detail("UploadId", id)
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
