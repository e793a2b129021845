//! Tags of objects and buckets, and GetObjectAttributes.

use std::collections::BTreeMap;

use boathouse_aws::http_service::full;
use boathouse_objects::ObjectInfo;
use http::StatusCode;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, PutBucketTaggingInput, PutBucketTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};

use super::{Reply, object, timestamp};
use crate::call::{Call, Store};
use crate::error::{from_engine, not_found};
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
    let info = object::head_info(store, call, &input.bucket, &input.key)?;
    let wants = |name: &str| {
        let listed = input.object_attributes.iter().flat_map(|it| it.as_str().split(','));
        listed.map(str::trim).any(|it| it.eq_ignore_ascii_case(name))
    };
    call.set_reply(StatusCode::OK, full(attributes_document(&info, &wants)));
    let last_modified = Some(timestamp(info.modified_ms));
    Ok(S3Response::new(GetObjectAttributesOutput { last_modified, ..GetObjectAttributesOutput::default() }))
}

/// Written by hand: this one document has its entity tag without quotes, which the codec cannot write.
fn attributes_document(info: &ObjectInfo, wants: &dyn Fn(&str) -> bool) -> String {
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
        members.extend(["<Checksum>", &sums, "<ChecksumType>FULL_OBJECT</ChecksumType></Checksum>"]);
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
