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
use super::object::{At, READ};
use super::{Reply, timestamp, versioning};
use crate::call::{Call, Store};
use crate::error::{Result, from_engine, invalid_argument, not_found};
use crate::{checksums, condition_keys, documents, storage_class, tags};

/// What GetObjectAttributes knows.
const ATTRIBUTES: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

pub(crate) async fn put(store: &Store, call: &Call, input: PutObjectTaggingInput) -> Reply<PutObjectTaggingOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let tags = tags::from_set(input.tagging.tag_set, tags::MAX_OBJECT)?;
    let actions = ("s3:PutObjectTagging", "s3:PutObjectVersionTagging");
    at.info_if(store, call, actions, &condition_keys::of_tags(&tags))?;
    let info = store.objects.put_tags(&at.bucket, &at.key, at.version.as_deref(), tags).await.map_err(from_engine)?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: versioning::shown(store, &at.bucket, &info) }))
}

pub(crate) async fn get(store: &Store, call: &Call, input: GetObjectTaggingInput) -> Reply<GetObjectTaggingOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let info = at.info(store, call, ("s3:GetObjectTagging", "s3:GetObjectVersionTagging"))?;
    let tag_set = tags::to_set(&info.metadata.tags);
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: versioning::shown(store, &at.bucket, &info) }))
}

pub(crate) async fn delete(
    store: &Store,
    call: &Call,
    input: DeleteObjectTaggingInput,
) -> Reply<DeleteObjectTaggingOutput> {
    let at = At::new(input.bucket, input.key, input.version_id)?;
    at.info(store, call, ("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"))?;
    let removed = store.objects.put_tags(&at.bucket, &at.key, at.version.as_deref(), BTreeMap::new()).await;
    let version_id = versioning::shown(store, &at.bucket, &removed.map_err(from_engine)?);
    Ok(S3Response::with_status(DeleteObjectTaggingOutput { version_id }, StatusCode::NO_CONTENT))
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
    let at = At::new(input.bucket.clone(), input.key.clone(), input.version_id.clone())?;
    let named = || input.object_attributes.iter().flat_map(|it| it.as_str().split(',')).map(str::trim);
    if let Some(unknown) = named().find(|name| !ATTRIBUTES.iter().any(|it| it.eq_ignore_ascii_case(name))) {
        let error = invalid_argument("Invalid attribute name specified.");
        let error = error.with_detail("ArgumentName", "x-amz-object-attributes");
        return Err(error.with_detail("ArgumentValue", unknown));
    }
    let actions = ("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes");
    store.allow(&call.ctx, versioning::action(at.version.as_ref(), actions.0, actions.1), &at.bucket, Some(&at.key))?;
    let open = at.open(store, call, READ)?;
    let info = open.info();
    let parts = parts_element(open.parts(), &input)?;
    let wants = |name: &str| named().any(|it| it.eq_ignore_ascii_case(name));
    call.set_reply(StatusCode::OK, full(attributes_document(info, &parts, &wants)));
    let last_modified = Some(timestamp(info.modified_ms));
    let version_id = versioning::shown(store, &at.bucket, info);
    Ok(S3Response::new(GetObjectAttributesOutput { last_modified, version_id, ..GetObjectAttributesOutput::default() }))
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
        members.extend(["<StorageClass>", storage_class::of(&info.metadata), "</StorageClass>"]);
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
