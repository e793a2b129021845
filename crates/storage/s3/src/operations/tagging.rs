//! Tags of objects and buckets, and GetObjectAttributes.

use std::collections::BTreeMap;

use boathouse_aws::http_service::full;
use boathouse_objects::{ObjectInfo, PartInfo};
use http::StatusCode;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, PutBucketTaggingInput, PutBucketTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};

use super::multipart::{kind_of, part_element, wire_kind};
use super::{Reply, object, timestamp};
use crate::call::{Call, Store};
use crate::error::{Result, from_engine, invalid_argument, not_found};
use crate::{checksums, documents, tags};

pub(crate) async fn put(store: &Store, call: &Call, input: PutObjectTaggingInput) -> Reply<PutObjectTaggingOutput> {
    store.allow(&call.ctx, "s3:PutObjectTagging", &input.bucket, Some(&input.key))?;
    let tags = tags::from_set(input.tagging.tag_set, tags::MAX_OBJECT)?;
    store.objects.put_tags(&input.bucket, &input.key, tags).await.map_err(from_engine)?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub(crate) async fn get(store: &Store, call: &Call, input: GetObjectTaggingInput) -> Reply<GetObjectTaggingOutput> {
    store.allow(&call.ctx, "s3:GetObjectTagging", &input.bucket, Some(&input.key))?;
    let info = store.objects.head(&input.bucket, &input.key).map_err(from_engine)?;
    let tag_set = tags::to_set(&info.metadata.tags);
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
}

pub(crate) async fn delete(
    store: &Store,
    call: &Call,
    input: DeleteObjectTaggingInput,
) -> Reply<DeleteObjectTaggingOutput> {
    store.allow(&call.ctx, "s3:DeleteObjectTagging", &input.bucket, Some(&input.key))?;
    store.objects.put_tags(&input.bucket, &input.key, Default::default()).await.map_err(from_engine)?;
    Ok(S3Response::with_status(DeleteObjectTaggingOutput::default(), StatusCode::NO_CONTENT))
}

pub(crate) async fn put_bucket(
    store: &Store,
    call: &Call,
    input: PutBucketTaggingInput,
) -> Reply<PutBucketTaggingOutput> {
    store.allow(&call.ctx, "s3:PutBucketTagging", &input.bucket, None)?;
    let tags = tags::from_set(input.tagging.tag_set, tags::MAX_BUCKET)?;
    store.put_document(&input.bucket, documents::TAGS, &tags).await?;
    Ok(S3Response::with_status(PutBucketTaggingOutput {}, StatusCode::NO_CONTENT))
}

pub(crate) async fn get_bucket(
    store: &Store,
    call: &Call,
    input: GetBucketTaggingInput,
) -> Reply<GetBucketTaggingOutput> {
    store.allow(&call.ctx, "s3:GetBucketTagging", &input.bucket, None)?;
    let tags: Option<BTreeMap<String, String>> = store.document(&input.bucket, documents::TAGS)?;
    let tags = tags.ok_or_else(|| {
        not_found("NoSuchTagSet", "The TagSet does not exist").with_detail("BucketName", input.bucket.as_str())
    })?;
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tags::to_set(&tags) }))
}

pub(crate) async fn delete_bucket(
    store: &Store,
    call: &Call,
    input: DeleteBucketTaggingInput,
) -> Reply<DeleteBucketTaggingOutput> {
    store.allow(&call.ctx, "s3:PutBucketTagging", &input.bucket, None)?;
    store.delete_document(&input.bucket, documents::TAGS).await?;
    Ok(S3Response::with_status(DeleteBucketTaggingOutput {}, StatusCode::NO_CONTENT))
}

pub(crate) async fn attributes(
    store: &Store,
    call: &Call,
    input: GetObjectAttributesInput,
) -> Reply<GetObjectAttributesOutput> {
    store.allow(&call.ctx, "s3:GetObjectAttributes", &input.bucket, Some(&input.key))?;
    let found = store.objects.get(&input.bucket, &input.key);
    let open = object::readable(store, call, &input.bucket, &input.key, found)?;
    let info = open.info();
    let parts = parts_element(open.parts(), &input)?;
    let wants = |name: &str| {
        let listed = input.object_attributes.iter().flat_map(|it| it.as_str().split(','));
        listed.map(str::trim).any(|it| it.eq_ignore_ascii_case(name))
    };
    call.set_reply(StatusCode::OK, full(attributes_document(info, &parts, &wants)));
    let last_modified = Some(timestamp(info.modified_ms));
    Ok(S3Response::new(GetObjectAttributesOutput { last_modified, ..GetObjectAttributesOutput::default() }))
}

/// Written by hand: this one document has its entity tag without quotes, which the codec cannot write.
fn attributes_document(info: &ObjectInfo, parts: &str, wants: &dyn Fn(&str) -> bool) -> String {
    let mut members = String::new();
    if wants("ETag") {
        members.extend(["<ETag>", &info.etag, "</ETag>"]);
    }
    if wants("Checksum") && !info.checksums.is_empty() {
        let sums = info.checksums.iter().map(|sum| {
            let name = checksums::wire_name(sum.algorithm);
            format!("<Checksum{name}>{}</Checksum{name}>", sum.value)
        });
        let sums: String = sums.collect();
        let kind = info.checksums.first().map(|sum| wire_kind(kind_of(sum)));
        let kind = kind.as_ref().map_or("FULL_OBJECT", |kind| kind.as_str());
        members.extend(["<Checksum>", &sums, "<ChecksumType>", kind, "</ChecksumType></Checksum>"]);
    }
    if wants("ObjectParts") {
        members.push_str(parts);
    }
    if wants("StorageClass") {
        members.push_str("<StorageClass>STANDARD</StorageClass>");
    }
    if wants("ObjectSize") {
        members.push_str(&format!("<ObjectSize>{}</ObjectSize>", info.size));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<GetObjectAttributesOutput \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{members}</GetObjectAttributesOutput>"
    )
}

/// One page of the parts that the object was uploaded in; nothing for an object that was written whole.
fn parts_element(parts: &[PartInfo], input: &GetObjectAttributesInput) -> Result<String> {
    if parts.is_empty() {
        return Ok(String::new());
    }
    let after = input.part_number_marker.unwrap_or_default();
    let max = match input.max_parts.unwrap_or(1000) {
        ..0 => return Err(invalid_argument("max-parts must not be negative")),
        max => max.min(1000) as usize,
    };
    let rest: Vec<&PartInfo> = parts.iter().filter(|part| i64::from(part.number) > i64::from(after)).collect();
    let page = &rest[..max.min(rest.len())];
    let next = page.last().map_or(after, |last| last.number as i32);
    let elements: String = page.iter().map(|part| part_element(part)).collect();
    Ok(format!(
        "<ObjectParts><PartsCount>{}</PartsCount><PartNumberMarker>{after}</PartNumberMarker><NextPartNumberMarker>{next}\
         </NextPartNumberMarker><MaxParts>{max}</MaxParts><IsTruncated>{}</IsTruncated>{elements}</ObjectParts>",
        parts.len(),
        rest.len() > page.len(),
    ))
}
