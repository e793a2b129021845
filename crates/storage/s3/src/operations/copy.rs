//! CopyObject.

use boathouse_aws::AwsError;
use boathouse_objects::{CopyRequest, Metadata, ObjectInfo};
use s3s::S3Response;
use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource};

use super::object::{self, At};
use super::{Reply, encryption, etag, lock, system, timestamp, versioning};
use crate::call::{Call, Store};
use crate::conditions::{self, Conditions};
use crate::error::{Result, from_engine, invalid_argument, invalid_request};
use crate::notifications::message;
use crate::{acl, checksums, metadata, storage_class, tags};

/// A copy in one request is at most 5 GiB.
const MAX_BYTES: u64 = 5 << 30;

/// What `x-amz-copy-source` names.
pub(crate) fn source(source: &CopySource) -> Result<At> {
    match source {
        CopySource::Bucket { key, .. } if key.is_empty() => {
            let error = invalid_argument("Invalid copy source object key");
            Err(error.with_detail("ArgumentName", "x-amz-copy-source"))
        }
        CopySource::Bucket { bucket, key, version_id } => {
            At::new(bucket.to_string(), key.to_string(), version_id.as_ref().map(ToString::to_string))
        }
        _ => Err(AwsError::not_implemented("access points as the source of a copy")),
    }
}

/// The source as the caller may read it, if the request's conditions on it hold.
pub(crate) fn readable_source(store: &Store, call: &Call, source: &At) -> Result<ObjectInfo> {
    let info = source.info(store, call, object::READ).map_err(|error| match &*error.code {
        "MethodNotAllowed" => {
            invalid_request("The source of a copy request may not specifically refer to a delete marker by version id.")
        }
        _ => error,
    })?;
    let key = encryption::source_client_key(call)?;
    store.objects.check_client_key(&info, key.as_ref()).map_err(from_engine)?;
    encryption::allow_read(store, &call.ctx, info.encryption.as_ref())?;
    Conditions::of_source(&call.headers).check_source(&info)?;
    Ok(info)
}

pub(crate) async fn copy(store: &Store, call: &Call, input: CopyObjectInput) -> Reply<CopyObjectOutput> {
    let source = source(&input.copy_source)?;
    store.allow_write(call, &input.bucket, &input.key)?;
    let info = readable_source(store, call, &source)?;
    if info.size > MAX_BYTES {
        return Err(invalid_request(
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        ));
    }
    let replaces = directive(input.metadata_directive.as_ref().map(|it| it.as_str()), "metadata")?;
    let retags = directive(input.tagging_directive.as_ref().map(|it| it.as_str()), "tagging")?;
    if (&source.bucket, &source.key, &source.version) == (&input.bucket, &input.key, &None)
        && !replaces
        && !retags
        && !encryption::is_wanted(call)
        && call.header(storage_class::HEADER).is_none()
    {
        return Err(invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
             metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let mut stored = info.metadata.clone();
    stored.system = system(call);
    acl::of_write(store, call, &input.bucket, &input.key)?.unwrap_or_default().keep(&mut stored);
    if replaces {
        stored.headers = metadata::content_headers(&call.headers);
        stored.user = metadata::user(input.metadata.unwrap_or_default())?;
    }
    if retags {
        stored.tags = tags::from_header(call.header("x-amz-tagging"))?;
    }
    store.allow_tags(call, &input.bucket, &input.key, &stored.tags)?;
    let lock = lock::of_write(store, call, &input.bucket, &input.key)?;
    let request = CopyRequest {
        source_bucket: source.bucket.clone(),
        source_key: source.key,
        source_version: Some(info.version_id().to_owned()),
        bucket: input.bucket.clone(),
        key: input.key,
        metadata: Some(Metadata { ..stored }),
        condition: conditions::of_write(&call.headers)?,
        origin: Some(message::origin(&call.ctx)),
        seal: encryption::wanted(store, call, &input.bucket)?,
        source_key_of_client: encryption::source_client_key(call)?,
        checksum: input.checksum_algorithm.map(|name| checksums::by_wire_name(name.as_str())).transpose()?,
        lock,
    };
    let copied = store.objects.copy(request).await.map_err(|error| object::conditional(call, error))?;
    let mut result = CopyObjectResult {
        e_tag: Some(etag(&copied.etag)),
        last_modified: Some(timestamp(copied.modified_ms)),
        ..CopyObjectResult::default()
    };
    super::fill_checksums!(result, &copied);
    let output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: versioning::shown(store, &source.bucket, &info),
        version_id: versioning::shown(store, &input.bucket, &copied),
        ..CopyObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, encryption::headers(call, copied.encryption.as_ref())))
}

fn directive(text: Option<&str>, what: &str) -> Result<bool> {
    match text {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(invalid_argument(format!("Unknown {what} directive."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_directives() {
        let parsed = CopySource::parse("/raw/a%20b%2Fc?versionId=null").unwrap();
        let At { bucket, key, version } = source(&parsed).unwrap();
        assert_eq!((bucket.as_str(), key.as_str(), version.as_deref()), ("raw", "a b/c", Some("null")));
        assert!(directive(Some("REPLACE"), "metadata").unwrap());
        assert_eq!(directive(Some("replace"), "metadata").unwrap_err().code, "InvalidArgument");
    }
}
