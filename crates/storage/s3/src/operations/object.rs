//! PutObject, GetObject, HeadObject, DeleteObject.

use boathouse_aws::AwsError;
use boathouse_aws::http_service::full;
use boathouse_objects::{Checksum, ChecksumAlgorithm, DeleteRequest, Metadata, ObjectInfo, OpenObject, PutRequest};
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use s3s::S3Response;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    PutObjectInput, PutObjectOutput,
};

use super::multipart::{kind_of, wire_kind};
use super::{Reply, encryption};
use crate::call::{Call, Store};
use crate::checksums::{self, Announced};
use crate::conditions;
use crate::error::{Result, from_engine, invalid_argument, precondition_failed};
use crate::notifications::message;
use crate::view::{Part, View};
use crate::{metadata, tags};

pub(crate) async fn put(store: &Store, call: &Call, input: PutObjectInput) -> Reply<PutObjectOutput> {
    store.allow_write(call, &input.bucket, &input.key)?;
    let tags = tags::from_header(call.header("x-amz-tagging"))?;
    if !tags.is_empty() {
        store.allow(&call.ctx, "s3:PutObjectTagging", &input.bucket, Some(&input.key))?;
    }
    let metadata = Metadata {
        headers: metadata::content_headers(&call.headers),
        user: metadata::user(input.metadata.unwrap_or_default())?,
        tags,
    };
    let announced = require_length(call)?;
    let condition = conditions::of_write(&call.headers)?;
    let request = PutRequest {
        bucket: input.bucket,
        key: input.key,
        metadata,
        checksums: vec![announced.algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme)],
        condition,
        origin: Some(message::origin(&call.ctx)),
        encrypted: encryption::is_wanted(call),
    };
    let trailers = call.trailers.clone();
    let put = store.objects.put(request, call.take_body(), move || announced.expectations(&trailers)).await;
    let info = put.map_err(|error| conditional(call, error))?;
    let mut headers = HeaderMap::new();
    metadata::set(&mut headers, "etag", &format!("\"{}\"", info.etag));
    checksum_headers(&info.checksums, &mut headers);
    encryption::tell(info.encryption.as_ref(), &mut headers);
    Ok(S3Response::with_headers(PutObjectOutput::default(), headers))
}

/// What the request says of its body; it must say how long that is.
pub(crate) fn require_length(call: &Call) -> Result<Announced> {
    let announced = Announced::of(&call.headers, &call.trailers)?;
    if call.headers.contains_key("content-length") {
        return Ok(announced);
    }
    let message = "You must provide the Content-Length HTTP header.";
    Err(AwsError::new("MissingContentLength", StatusCode::LENGTH_REQUIRED, message))
}

/// An engine's error of a conditional write, with the condition that failed.
pub(crate) fn conditional(call: &Call, error: boathouse_objects::Error) -> AwsError {
    match error {
        boathouse_objects::Error::PreconditionFailed if call.header("if-match").is_some() => {
            precondition_failed("If-Match")
        }
        other => from_engine(other),
    }
}

pub(crate) fn checksum_headers(sums: &[Checksum], headers: &mut HeaderMap) {
    for sum in sums {
        let name = checksums::wire_name(sum.algorithm).to_ascii_lowercase();
        metadata::set(headers, &format!("x-amz-checksum-{name}"), &sum.value);
        metadata::set(headers, "x-amz-checksum-type", wire_kind(kind_of(sum)).as_str());
    }
}

pub(crate) async fn get(store: &Store, call: &Call, input: GetObjectInput) -> Reply<GetObjectOutput> {
    let open = readable(store, call, &input.bucket, &input.key, store.objects.get(&input.bucket, &input.key))?;
    let view = View::of(call, open.info(), part_of(&open, input.part_number)?)?;
    let body = open.read(view.range.clone()).map_err(from_engine)?;
    let frames = body.map(|piece| piece.map(Frame::data).map_err(std::io::Error::other));
    call.set_reply(view.status, StreamBody::new(frames).boxed_unsync());
    let output =
        GetObjectOutput { metadata: metadata::user_output(&open.info().metadata), ..GetObjectOutput::default() };
    Ok(S3Response::with_headers(output, view.headers))
}

pub(crate) async fn head(store: &Store, call: &Call, input: HeadObjectInput) -> Reply<HeadObjectOutput> {
    let (info, part) = match input.part_number {
        None => (head_info(store, call, &input.bucket, &input.key)?, None),
        number => {
            let open = readable(store, call, &input.bucket, &input.key, store.objects.get(&input.bucket, &input.key))?;
            (open.info().clone(), part_of(&open, number)?)
        }
    };
    let view = View::of(call, &info, part)?;
    call.set_reply(view.status, full(""));
    let output = HeadObjectOutput { metadata: metadata::user_output(&info.metadata), ..HeadObjectOutput::default() };
    Ok(S3Response::with_headers(output, view.headers))
}

/// Where a part lies, by its place in the object. An object that was written whole has one part.
fn part_of(open: &OpenObject, number: Option<i32>) -> Result<Option<Part>> {
    let Some(number) = number else { return Ok(None) };
    let parts = open.parts();
    let Some(at) = u32::try_from(number).ok().filter(|number| (1..=10_000).contains(number)) else {
        return Err(invalid_argument("Part number must be an integer between 1 and 10000, inclusive"));
    };
    let range = match (parts.is_empty(), at) {
        (true, 1) => Some(0..open.info().size),
        (true, _) => None,
        (false, _) => open.part_range(at),
    };
    let range = range.ok_or_else(|| {
        let message = "The requested partnumber is not satisfiable";
        AwsError::new("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE, message)
    })?;
    Ok(Some(Part { range, count: (!parts.is_empty()).then_some(parts.len()) }))
}

/// What was found, if the caller may read it. Who may not list the bucket does not learn that a key is missing.
pub(crate) fn readable<T>(
    store: &Store,
    call: &Call,
    bucket: &str,
    key: &str,
    found: boathouse_objects::Result<T>,
) -> Result<T> {
    store.allow(&call.ctx, "s3:GetObject", bucket, Some(key))?;
    if matches!(found, Err(boathouse_objects::Error::NoSuchKey(_))) {
        store.allow(&call.ctx, "s3:ListBucket", bucket, None)?;
    }
    found.map_err(from_engine)
}

/// Object information under the caller's right to read it.
pub(crate) fn head_info(store: &Store, call: &Call, bucket: &str, key: &str) -> Result<ObjectInfo> {
    readable(store, call, bucket, key, store.objects.head(bucket, key))
}

pub(crate) async fn delete(store: &Store, call: &Call, input: DeleteObjectInput) -> Reply<DeleteObjectOutput> {
    store.allow(&call.ctx, "s3:DeleteObject", &input.bucket, Some(&input.key))?;
    if call.header("if-match").is_some() {
        return Err(AwsError::not_implemented("conditional deletes (If-Match in DeleteObject)"));
    }
    let origin = Some(message::origin(&call.ctx));
    let request = DeleteRequest { bucket: input.bucket, keys: vec![input.key], origin };
    store.objects.delete_all(request).await.map_err(from_engine)?;
    Ok(S3Response::with_status(DeleteObjectOutput::default(), StatusCode::NO_CONTENT))
}
