//! DeleteObjects.

use s3s::S3Response;
use s3s::dto::{DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error, ObjectIdentifier};

use super::{Reply, object};
use crate::call::{Call, Store};
use crate::checksums::Announced;
use crate::error::{Result, from_engine, invalid_request, malformed_xml, precondition_failed};
use crate::notifications::message;
use boathouse_aws::AwsError;
use boathouse_aws::protocol::rest_xml;
use boathouse_objects::{ChangeKind, DeleteItem, Deletion};

const MAX_KEYS: usize = 1000;

pub(crate) async fn delete(store: &Store, call: &Call, input: DeleteObjectsInput) -> Reply<DeleteObjectsOutput> {
    if !Announced::of(&call.headers, &call.trailers)?.is_checkable() {
        return Err(invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*"));
    }
    let wanted = input.delete.objects;
    if wanted.is_empty() || wanted.len() > MAX_KEYS || wanted.iter().any(|object| object.key.is_empty()) {
        return Err(malformed_xml());
    }
    // Without a bucket nothing can be said of its keys.
    store.objects.bucket(&input.bucket).map_err(from_engine)?;
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for object in wanted {
        let named = (object.key.clone(), object.version_id.clone());
        match item(store, call, &input.bucket, object) {
            Ok(item) => items.push(item),
            Err(error) => errors.push(failure(named, &error)),
        }
    }
    let origin = Some(message::origin(&call.ctx));
    let outcomes = store.objects.delete_items(&input.bucket, items.clone(), ChangeKind::Delete, origin).await;
    let mut deleted = Vec::new();
    for (item, outcome) in items.into_iter().zip(outcomes.map_err(from_engine)?) {
        match outcome {
            Ok(deletion) => deleted.push(told(item, deletion)),
            Err(error) => errors.push(failure((item.key, item.version), &failed(error))),
        }
    }
    if input.delete.quiet.unwrap_or_default() {
        deleted.clear();
    }
    let output = DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), request_charged: None };
    Ok(S3Response::new(output))
}

fn failed(error: boathouse_objects::Error) -> AwsError {
    match error {
        boathouse_objects::Error::PreconditionFailed => precondition_failed("If-Match"),
        // Among many, a name that no version can have is one that no version has.
        boathouse_objects::Error::InvalidVersion(id) => from_engine(boathouse_objects::Error::NoSuchVersion(id)),
        other => from_engine(other),
    }
}

fn told(item: DeleteItem, deletion: Deletion) -> DeletedObject {
    let marker = deletion.version.clone().filter(|_| deletion.delete_marker);
    DeletedObject {
        key: Some(item.key),
        version_id: item.version,
        delete_marker: deletion.delete_marker.then_some(true),
        delete_marker_version_id: marker,
    }
}

fn item(store: &Store, call: &Call, bucket: &str, object: ObjectIdentifier) -> Result<DeleteItem> {
    if object.size.is_some() || object.last_modified_time.is_some() {
        return Err(AwsError::not_implemented(
            "Size and LastModifiedTime in DeleteObjects, which directory buckets have",
        ));
    }
    let version = object.version_id.filter(|version| !version.is_empty());
    let etag = object.e_tag.map(s3s::dto::ETag::into_value);
    object::deletion(store, call, bucket, object.key, version, etag.as_deref())
}

fn failure((key, version_id): (String, Option<String>), error: &AwsError) -> Error {
    Error {
        code: Some(rest_xml::code(error).to_owned()),
        key: Some(key),
        message: Some(error.message.clone()),
        version_id,
    }
}
