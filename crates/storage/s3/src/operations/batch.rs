//! DeleteObjects.

use s3s::S3Response;
use s3s::dto::{DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error, ObjectIdentifier};

use super::Reply;
use crate::call::{Call, Store};
use crate::checksums::Announced;
use crate::error::{Result, from_engine, invalid_request};
use crate::notifications::message;
use boathouse_aws::AwsError;
use boathouse_aws::protocol::rest_xml;
use boathouse_objects::DeleteRequest;

const MAX_KEYS: usize = 1000;

pub(crate) async fn delete(store: &Store, call: &Call, input: DeleteObjectsInput) -> Reply<DeleteObjectsOutput> {
    if !Announced::of(&call.headers, &call.trailers)?.is_checkable() {
        return Err(invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*"));
    }
    let wanted = input.delete.objects;
    if wanted.is_empty() || wanted.len() > MAX_KEYS {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(AwsError::bad_request("MalformedXML", message));
    }
    // Without a bucket nothing can be said of its keys.
    store.objects.bucket(&input.bucket).map_err(from_engine)?;
    let (mut keys, mut errors) = (Vec::new(), Vec::new());
    for object in wanted {
        match check(store, call, &input.bucket, &object) {
            Ok(()) => keys.push(object.key),
            Err(error) => errors.push(failure(object.key, &error)),
        }
    }
    let origin = Some(message::origin(&call.ctx));
    let request = DeleteRequest { bucket: input.bucket.clone(), keys: keys.clone(), origin };
    store.objects.delete_all(request).await.map_err(from_engine)?;
    let deleted = keys.into_iter().map(|key| DeletedObject { key: Some(key), ..DeletedObject::default() });
    let deleted = if input.delete.quiet.unwrap_or_default() { Vec::new() } else { deleted.collect() };
    let output = DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), request_charged: None };
    Ok(S3Response::new(output))
}

fn check(store: &Store, call: &Call, bucket: &str, object: &ObjectIdentifier) -> Result<()> {
    store.allow(&call.ctx, "s3:DeleteObject", bucket, Some(&object.key))?;
    let version = object.version_id.as_deref().unwrap_or("null");
    if version != "null" && !version.is_empty() {
        return Err(AwsError::bad_request("NoSuchVersion", "The specified version does not exist."));
    }
    if object.e_tag.is_some() || object.size.is_some() || object.last_modified_time.is_some() {
        return Err(AwsError::not_implemented("conditional deletes (ETag, Size, LastModifiedTime in DeleteObjects)"));
    }
    Ok(())
}

fn failure(key: String, error: &AwsError) -> Error {
    Error {
        code: Some(rest_xml::code(error).to_owned()),
        key: Some(key),
        message: Some(error.message.clone()),
        version_id: None,
    }
}
