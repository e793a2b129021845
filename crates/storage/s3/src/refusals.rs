//! What would change a request's meaning and is not implemented: refused by name before anything else happens.

use boathouse_aws::{ACCOUNT_ID, AwsError};
use http::{HeaderMap, Method};

use crate::call::find;
use crate::error::Result;
use crate::storage_class;

/// Query members that operations know, beside `X-Amz-…` of presigned URLs and `response-…`.
const QUERY: [&str; 54] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "bucket-region",
    "continuation-token",
    "cors",
    "delete",
    "delimiter",
    "encoding-type",
    "encryption",
    "fetch-owner",
    "id",
    "intelligent-tiering",
    "inventory",
    "key-marker",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "part-number-marker",
    "partNumber",
    "policy",
    "policyStatus",
    "prefix",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "start-after",
    "tagging",
    "upload-id-marker",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "version-id-marker",
    "website",
    "x-id",
    "allow-reordered",
    "optional-object-attributes",
    "x-amz-expected-bucket-owner",
];

/// Headers that ask for something not implemented, with what they ask for.
const HEADERS: [(&str, &str); 6] = [
    ("x-amz-website-redirect-location", "website redirects"),
    ("x-amz-write-offset-bytes", "appending to objects"),
    ("x-amz-mfa", "MFA delete"),
    ("x-amz-if-match-size", "the condition x-amz-if-match-size"),
    ("x-amz-if-match-last-modified-time", "the condition x-amz-if-match-last-modified-time"),
    ("x-amz-rename-source", "RenameObject"),
];

/// Subresources of operations that are not implemented, with the operations' names.
const OPERATIONS: [(&str, &str); 14] = [
    ("abac", "GetBucketAbac and PutBucketAbac"),
    ("annotation", "annotations of objects"),
    ("annotations", "annotations of objects"),
    ("append", "appending to objects"),
    ("encryption-configuration", "UpdateObjectEncryption"),
    ("metadataConfiguration", "metadata configurations of buckets (S3 Metadata)"),
    ("metadataInventoryTable", "metadata configurations of buckets (S3 Metadata)"),
    ("metadataJournalTable", "metadata configurations of buckets (S3 Metadata)"),
    ("metadataTable", "metadata configurations of buckets (S3 Metadata)"),
    ("renameObject", "RenameObject, which directory buckets have"),
    ("select", "SelectObjectContent, which AWS has closed to new customers"),
    ("select-type", "SelectObjectContent, which AWS has closed to new customers"),
    ("session", "CreateSession, which directory buckets have"),
    ("torrent", "GetObjectTorrent"),
];

/// Refuses a request that this front would misunderstand.
///
/// # Errors
/// `NotImplemented` naming the feature; `InvalidStorageClass`, `AccessDenied` for a wrong
/// expected owner.
pub(crate) fn check(method: &Method, query: &str, headers: &HeaderMap) -> Result<()> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        check_query(name)?;
    }
    if let Some((_, what)) = HEADERS.iter().find(|(name, _)| find(headers, name).is_some()) {
        return Err(AwsError::not_implemented(what));
    }
    let text = |name: &str| find(headers, name).map(|value| value.to_str().unwrap_or_default());
    if method == Method::POST && text("content-type").is_some_and(|it| it.starts_with("multipart/form-data")) {
        return Err(AwsError::not_implemented("a browser's form (PostObject) with a query"));
    }
    text(storage_class::HEADER).map(storage_class::checked).transpose()?;
    for owner in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        if text(owner).is_some_and(|account| account != ACCOUNT_ID) {
            return Err(AwsError::access_denied("Access Denied"));
        }
    }
    Ok(())
}

fn check_query(name: &str) -> Result<()> {
    let known = name.starts_with("X-Amz-") || name.starts_with("response-") || QUERY.contains(&name);
    if let Some((_, operation)) = OPERATIONS.iter().find(|(subresource, _)| *subresource == name) {
        return Err(AwsError::not_implemented(operation));
    }
    if !known {
        return Err(AwsError::not_implemented(format!("the S3 subresource or parameter {name}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn code(query: &str, name: &'static str, value: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
        check(&Method::PUT, query, &headers).err().map(|error| error.code.into_owned())
    }

    #[test]
    fn plain_requests_pass() {
        assert_eq!(code("list-type=2&prefix=a%2F&X-Amz-Expires=1&response-expires=x", "x-amz-acl", "private"), None);
        assert_eq!(code("versionId=null", "x-amz-storage-class", "STANDARD"), None);
        assert_eq!(code("", "x-amz-expected-bucket-owner", ACCOUNT_ID), None);
    }

    #[test]
    fn what_changes_the_meaning_is_refused() {
        assert_eq!(code("renameObject", "a", "b").as_deref(), Some("NotImplemented"));
        assert_eq!(code("", "x-amz-storage-class", "GLACIER").as_deref(), Some("NotImplemented"));
        assert_eq!(code("", "x-amz-storage-class", "LUKEWARM").as_deref(), Some("InvalidStorageClass"));
        assert_eq!(code("", "x-amz-expected-bucket-owner", "1").as_deref(), Some("AccessDeniedException"));
    }
}
