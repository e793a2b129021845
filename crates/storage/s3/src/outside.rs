//! What reads bytes that anybody may send, for the targets in `fuzz/`: whatever they are, nothing panics, and what is accepted
//! keeps its promises. Requests' signatures and chunked bodies are `boathouse_aws::sigv4`'s.

use std::ops::Range;

use boathouse_aws::http_service::RequestBody;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt};
use s3s::dto::{
    AccessControlPolicy, BucketLifecycleConfiguration, BucketLoggingStatus, CORSConfiguration,
    CompletedMultipartUpload, CopySource, CreateBucketConfiguration, Delete, InventoryConfiguration,
    NotificationConfiguration, ObjectLockConfiguration, ObjectLockLegalHold, ObjectLockRetention, OwnershipControls,
    PublicAccessBlockConfiguration, RequestPaymentConfiguration, RestoreRequest, ServerSideEncryptionConfiguration,
    Tagging, VersioningConfiguration,
};

use crate::acl::Acl;
use crate::inventory::configuration::Inventory;
use crate::lifecycle::rules::Rules;
use crate::notifications::configuration::Configuration;
use crate::operations::{copy, multipart};
use crate::{forms, host, policy, tags, token, view, xml};

/// A browser's form: its boundary, its fields, its policy and its file, in pieces of `piece` bytes.
pub fn form(content_type: &str, body: &[u8], piece: usize) {
    let Some(boundary) = forms::multipart::boundary(content_type) else { return };
    let pieces: Vec<_> = body.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body: RequestBody = futures::stream::iter(pieces).boxed();
    let mut reader = forms::multipart::Reader::new(body, boundary);
    // The pieces are there already, so nothing waits.
    let Some(Ok(fields)) = reader.fields().now_or_never() else { return };
    let _ = boathouse_aws::sigv4::FormClaim::of(|name| fields.get(name), "us-east-1");
    if let Some(Ok(policy)) = fields.get("policy").map(forms::policy::Policy::parse) {
        let _ = policy.check("bucket", fields.get("key").unwrap_or_default(), &fields, DateTime::<Utc>::default());
    }
    let _ = fields.get("tagging").map(forms::tags);
    let limit = 1000;
    let read = reader.file(0..=limit).try_fold(0, |length, piece| async move { Ok(length + piece.len() as u64) });
    if let Some(Ok(length)) = read.now_or_never() {
        assert!(length <= limit, "a file of {length} bytes");
    }
}

/// Every document that configures something, and those that name many objects or parts.
pub fn document(bytes: &[u8]) {
    let Ok(document) = xml::plain(Bytes::copy_from_slice(bytes)) else { return };
    let bytes = &document[..];
    if let Some(wire) = xml::parsed::<AccessControlPolicy>(bytes) {
        let _ = Acl::from_wire(wire);
    }
    if let Some(wire) = xml::parsed::<BucketLifecycleConfiguration>(bytes) {
        let _ = Rules::from_wire(wire.rules, None);
    }
    if let Some(wire) = xml::parsed::<InventoryConfiguration>(bytes) {
        let _ = Inventory::from_wire("id", wire, 0);
    }
    if let Some(wire) = xml::parsed::<NotificationConfiguration>(bytes) {
        let _ = Configuration::from_wire(wire);
    }
    if let Some(wire) = xml::parsed::<Tagging>(bytes) {
        let _ = tags::from_set(wire.tag_set, tags::MAX_BUCKET);
    }
    let _ = xml::parsed::<BucketLoggingStatus>(bytes);
    let _ = xml::parsed::<CORSConfiguration>(bytes);
    let _ = xml::parsed::<CompletedMultipartUpload>(bytes);
    let _ = xml::parsed::<CreateBucketConfiguration>(bytes);
    let _ = xml::parsed::<Delete>(bytes);
    let _ = xml::parsed::<ObjectLockConfiguration>(bytes);
    let _ = xml::parsed::<ObjectLockLegalHold>(bytes);
    let _ = xml::parsed::<ObjectLockRetention>(bytes);
    let _ = xml::parsed::<OwnershipControls>(bytes);
    let _ = xml::parsed::<PublicAccessBlockConfiguration>(bytes);
    let _ = xml::parsed::<RequestPaymentConfiguration>(bytes);
    let _ = xml::parsed::<RestoreRequest>(bytes);
    let _ = xml::parsed::<ServerSideEncryptionConfiguration>(bytes);
    let _ = xml::parsed::<VersioningConfiguration>(bytes);
}

/// A text in a header or in the query: a range, a token, tags, a host, the source of a copy, a bucket policy.
pub fn parameter(text: &str, size: u64) {
    let lies_within = |range: &Range<u64>| assert!(range.start < range.end && range.end <= size, "{range:?} of {size}");
    if let Ok(Some(range)) = view::requested(text, size) {
        lies_within(&range);
    }
    if let Ok(range) = multipart::copied_range(text, size) {
        lies_within(&range);
    }
    if let Ok(last) = token::read(text) {
        assert_eq!(token::read(&token::write(&last)).ok(), Some(last));
    }
    if let Ok(tags) = tags::from_header(Some(text)) {
        assert!(tags.len() <= tags::MAX_OBJECT && tags.keys().all(|key| !key.is_empty()));
    }
    if let Some(bucket) = host::bucket(text, "us-east-1") {
        assert!(!bucket.is_empty() && text.starts_with(bucket));
    }
    if let Ok(source) = CopySource::parse(text) {
        let _ = copy::source(&source);
    }
    if policy::check(text, "bucket").is_ok() {
        let _ = policy::is_public(text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that come near to what the readers know.
    const WORDS: &str =
        "(bytes=|-|[0-9]{1,20}|,|%|%2F|%ff|/|\\?versionId=|localhost|:|\\[|\\.|\"|\\{|\\}|Statement|&|=|é|[ -~]){0,12}";
    const ELEMENTS: &str = "(</?(Tagging|TagSet|Tag|Key|Value|Delete|Object|LifecycleConfiguration|Rule|Days|Expiration|Filter|And|Prefix|\
        Status|AccessControlPolicy|Grant|Grantee|Owner|ID|CORSConfiguration|CORSRule|a)>|<!DOCTYPE a>|<!\\[CDATA\\[|\\]\\]>|&#x|12;|&amp;|&#0;|&x;|<!--|-->|1|Enabled| ){0,24}";

    proptest! {
        #[test]
        fn parameters_never_panic(text in WORDS, size in prop_oneof![Just(0), 0..20_u64, Just(u64::MAX)]) {
            parameter(&text, size);
        }

        #[test]
        fn documents_never_panic(text in ELEMENTS) {
            document(text.as_bytes());
            document(format!("<Tagging>{text}</Tagging>").as_bytes());
            document(format!("<LifecycleConfiguration><Rule>{text}</Rule></LifecycleConfiguration>").as_bytes());
        }

        #[test]
        fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            document(&bytes);
            form("multipart/form-data; boundary=x", &bytes, 3);
            parameter(&String::from_utf8_lossy(&bytes), 100);
        }

        #[test]
        fn forms_never_panic(
            head in "(Content-Disposition|: |form-data|; |name=|\"|key|file|filename|policy|tagging|\\\\|\r\n|[ -~]){0,20}",
            value in "[ -~]{0,40}",
            piece in 1..9_usize,
        ) {
            let part = |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            let fields: String = ["key", "policy", "tagging", "x-amz-credential"].iter().map(|name| part(name, &value)).collect();
            let text = format!("{fields}--x\r\n{head}\r\n\r\n{value}\r\n{}--x--\r\n", part("file", &value));
            form("multipart/form-data; boundary=x", text.as_bytes(), piece);
        }
    }

    #[test]
    fn depth_has_a_limit() {
        let deep = format!("<Tagging>{}{}</Tagging>", "<a>".repeat(200_000), "</a>".repeat(200_000));
        document(deep.as_bytes());
        document("<LifecycleConfiguration>".repeat(200_000).as_bytes());
    }
}
