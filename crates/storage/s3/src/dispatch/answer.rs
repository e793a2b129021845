//! From an answer to an operation's JSON.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::AwsError;
use boathouse_aws::http_service::{ResponseBody, body_error};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value, json};

use super::operations::{Operation, Output};
use super::shape::Element;
use crate::error::{Result, internal};

/// The largest object that is handed on as JSON: what a state of Step Functions may hold, 256 KiB.
pub(super) const MAX_OBJECT: usize = 256 * 1024;
/// Documents of S3 itself are smaller: a listing of a thousand keys of 1,024 bytes, each escaped, with room to spare.
const MAX_DOCUMENT: usize = 16 << 20;
const USER_METADATA: &str = "x-amz-meta-";

const TEXTS: [(&str, &str); 23] = [
    ("accept-ranges", "AcceptRanges"),
    ("cache-control", "CacheControl"),
    ("content-disposition", "ContentDisposition"),
    ("content-encoding", "ContentEncoding"),
    ("content-language", "ContentLanguage"),
    ("content-range", "ContentRange"),
    ("content-type", "ContentType"),
    ("etag", "ETag"),
    ("expires", "Expires"),
    ("location", "Location"),
    ("x-amz-bucket-region", "BucketRegion"),
    ("x-amz-checksum-crc32", "ChecksumCRC32"),
    ("x-amz-checksum-crc32c", "ChecksumCRC32C"),
    ("x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"),
    ("x-amz-checksum-sha1", "ChecksumSHA1"),
    ("x-amz-checksum-sha256", "ChecksumSHA256"),
    ("x-amz-checksum-type", "ChecksumType"),
    ("x-amz-copy-source-version-id", "CopySourceVersionId"),
    ("x-amz-expiration", "Expiration"),
    ("x-amz-server-side-encryption", "ServerSideEncryption"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "SSEKMSKeyId"),
    ("x-amz-storage-class", "StorageClass"),
    ("x-amz-version-id", "VersionId"),
];
const NUMBERS: [(&str, &str); 3] =
    [("content-length", "ContentLength"), ("x-amz-mp-parts-count", "PartsCount"), ("x-amz-tagging-count", "TagCount")];
/// Headers of an answer whose body is a document speak of that document, not of an object.
const OF_THE_DOCUMENT: [&str; 3] = ["AcceptRanges", "ContentType", "ContentLength"];

/// The output of `operation`.
///
/// # Errors
/// `EntityTooLarge` for an object of more than 256 KiB; what broke off the reading of a body.
pub(super) async fn of(operation: &Operation, response: Response<ResponseBody>) -> Result<Value> {
    let (parts, body) = response.into_parts();
    let mut output = members_of(&parts.headers);
    let is_object = matches!(operation.output, Output::Object);
    if !is_object && operation.name != "HeadObject" {
        output.retain(|name, _| !OF_THE_DOCUMENT.contains(&name.as_str()));
    }
    let limit = if is_object { MAX_OBJECT } else { MAX_DOCUMENT };
    let body = collected(body, limit).await?;
    match &operation.output {
        Output::Nothing => {}
        Output::Members(members) => output.extend(Element::parse(&body)?.to_json(members)?),
        Output::Payload(name, members) => {
            output.insert((*name).to_owned(), Value::Object(Element::parse(&body)?.to_json(members)?));
        }
        Output::Root(name) => {
            let text = Element::parse(&body)?.text;
            if !text.is_empty() {
                output.insert((*name).to_owned(), json!(text));
            }
        }
        Output::Text(name) => {
            output.insert((*name).to_owned(), text_or_base64(&body));
        }
        Output::Object => {
            output.insert("Body".to_owned(), text_or_base64(&body));
        }
    }
    Ok(Value::Object(output))
}

/// Text as it is; bytes that are none in base64.
fn text_or_base64(body: &Bytes) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => json!(text),
        Err(_) => json!(STANDARD.encode(body)),
    }
}

fn members_of(headers: &HeaderMap) -> Map<String, Value> {
    let mut members = Map::new();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    for (header, member) in TEXTS {
        if let Some(value) = text(header) {
            members.insert(member.to_owned(), json!(value));
        }
    }
    for (header, member) in NUMBERS {
        if let Some(value) = text(header).and_then(|value| value.parse::<u64>().ok()) {
            members.insert(member.to_owned(), json!(value));
        }
    }
    if let Some(time) = text("last-modified").and_then(|value| DateTime::parse_from_rfc2822(value).ok()) {
        let time = time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Secs, true);
        members.insert("LastModified".to_owned(), json!(time));
    }
    let user = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(USER_METADATA)?;
        Some((name.to_owned(), json!(value.to_str().ok()?)))
    });
    let user: Map<String, Value> = user.collect();
    if !user.is_empty() {
        members.insert("Metadata".to_owned(), Value::Object(user));
    }
    members
}

async fn collected(body: ResponseBody, limit: usize) -> Result<Bytes> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message =
                format!("The object is larger than {limit} bytes, which is the most that can be handed on as JSON");
            Err(AwsError::new("EntityTooLarge", StatusCode::BAD_REQUEST, message))
        }
        Err(error) => {
            let known = error.downcast_ref::<io::Error>().and_then(body_error).cloned();
            Err(known.unwrap_or_else(|| internal(&error)))
        }
    }
}
