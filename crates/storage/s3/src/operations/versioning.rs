//! Versioning of buckets: what is asked for, and how answers name versions.

use boathouse_aws::AwsError;
use boathouse_objects::{ObjectInfo, Versioning};
use http::HeaderMap;
use s3s::S3Response;
use s3s::dto::{
    BucketVersioningStatus, GetBucketVersioningInput, GetBucketVersioningOutput, MFADelete, PutBucketVersioningInput,
    PutBucketVersioningOutput,
};

use super::{Reply, lock};
use crate::call::{Call, Store};
use crate::error::{Result, from_engine, malformed_xml};
use crate::metadata;

/// The header that names a version.
pub(crate) const HEADER: &str = "x-amz-version-id";
/// The header that says that a key, or a version, is a delete marker.
pub(crate) const MARKER_HEADER: &str = "x-amz-delete-marker";

pub(crate) async fn put(
    store: &Store,
    call: &Call,
    input: PutBucketVersioningInput,
) -> Reply<PutBucketVersioningOutput> {
    store.allow(&call.ctx, "s3:PutBucketVersioning", &input.bucket, None)?;
    let wanted = input.versioning_configuration;
    if wanted.mfa_delete.is_some_and(|it| it.as_str() != MFADelete::DISABLED) {
        return Err(AwsError::not_implemented("MFA delete"));
    }
    let versioning = match wanted.status.as_ref().map(|it| it.as_str()) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => return Err(malformed_xml()),
    };
    if versioning == Versioning::Suspended && lock::is_enabled(store, &input.bucket)? {
        let message =
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
        return Err(AwsError::new("InvalidBucketState", http::StatusCode::CONFLICT, message));
    }
    store.objects.set_versioning(&input.bucket, versioning).await.map_err(from_engine)?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

pub(crate) async fn get(
    store: &Store,
    call: &Call,
    input: GetBucketVersioningInput,
) -> Reply<GetBucketVersioningOutput> {
    store.allow(&call.ctx, "s3:GetBucketVersioning", &input.bucket, None)?;
    let status = match store.objects.bucket(&input.bucket).map_err(from_engine)?.versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED)),
        Versioning::Suspended => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED)),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

/// The name of a version, where its bucket has versions.
pub(crate) fn shown(store: &Store, bucket: &str, info: &ObjectInfo) -> Option<String> {
    // What was written before there were versions can't tell by itself.
    let told = info.order > 0 || store.objects.bucket(bucket).is_ok_and(|it| it.versioning != Versioning::Off);
    told.then(|| info.version_id().to_owned())
}

/// As [`shown`], in an answer's headers.
pub(crate) fn tell(store: &Store, bucket: &str, info: &ObjectInfo, headers: &mut HeaderMap) {
    if let Some(version) = shown(store, bucket, info) {
        metadata::set(headers, HEADER, &version);
    }
}

/// The version that a request names.
///
/// # Errors
/// `InvalidArgument` for an empty name.
pub(crate) fn named(version: Option<String>) -> Result<Option<String>> {
    match version {
        Some(empty) if empty.is_empty() => Err(crate::error::invalid_argument("Version id cannot be the empty string")),
        other => Ok(other),
    }
}

/// The action that a request needs: that of the current object, or of any version.
pub(crate) fn action(version: Option<&String>, current: &'static str, of_version: &'static str) -> &'static str {
    if version.is_some() { of_version } else { current }
}

/// Says that a missing key is hidden by a delete marker, if it is.
pub(crate) fn with_marker(store: &Store, bucket: &str, key: &str, error: AwsError) -> AwsError {
    match store.objects.delete_marker(bucket, key) {
        Ok(Some(marker)) => error.with_detail(MARKER_HEADER, "true").with_detail(HEADER, marker.version_id()),
        _ => error,
    }
}
