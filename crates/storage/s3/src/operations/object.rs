//! PutObject, GetObject, HeadObject, DeleteObject.

use std::future::ready;
use std::ops::Range;

use boathouse_aws::AwsError;
use boathouse_aws::access::ConditionKeys;
use boathouse_aws::http_service::{ResponseBody, full};
use boathouse_objects::{
    ChangeKind, Checksum, ChecksumAlgorithm, DeleteItem, Metadata, ObjectInfo, OpenObject, PutRequest, WriteCondition,
};
use futures::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use s3s::S3Response;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    PutObjectInput, PutObjectOutput,
};

use super::multipart::{kind_of, wire_kind};
use super::{Reply, encryption, lock, system, versioning};
use crate::call::{Call, Store};
use crate::checksums::{self, Announced};
use crate::condition_keys;
use crate::conditions;
use crate::error::{Result, from_engine, invalid_argument, precondition_failed};
use crate::notifications::message;
use crate::view::{Part, View};
use crate::{acl, lifecycle, metadata, tags};

pub(crate) async fn put(store: &Store, call: &Call, input: PutObjectInput) -> Reply<PutObjectOutput> {
    store.allow_write(call, &input.bucket, &input.key)?;
    let tags = tags::from_header(call.header("x-amz-tagging"))?;
    store.allow_tags(call, &input.bucket, &input.key, &tags)?;
    let acl = acl::of_write(store, call, &input.bucket, &input.key)?;
    let mut metadata = Metadata {
        headers: metadata::content_headers(&call.headers),
        user: metadata::user(input.metadata.unwrap_or_default())?,
        tags,
        system: system(call),
    };
    acl.unwrap_or_default().keep(&mut metadata);
    let announced = require_length(call)?;
    let condition = conditions::of_write(&call.headers)?;
    let seal = encryption::wanted(store, call, &input.bucket)?;
    let lock = lock::of_write(store, call, &input.bucket, &input.key)?;
    lock::require_checkable(lock, &announced)?;
    let request = PutRequest {
        bucket: input.bucket,
        key: input.key,
        metadata,
        checksums: vec![announced.algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme)],
        needs_md5: store.entity_tags.need_md5_of_object(&announced),
        condition,
        origin: Some(message::origin(&call.ctx)),
        seal,
        posted: call.posted,
        lock,
    };
    let trailers = call.trailers.clone();
    let (bucket, key) = (request.bucket.clone(), request.key.clone());
    let put = store.objects.put(request, call.take_body(), move || announced.expectations(&trailers)).await;
    let info = put.map_err(|error| conditional(call, error))?;
    let mut headers = HeaderMap::new();
    metadata::set(&mut headers, "etag", &format!("\"{}\"", info.etag));
    checksum_headers(&info.checksums, &mut headers);
    encryption::tell(call, info.encryption.as_ref(), &mut headers);
    versioning::tell(store, &bucket, &info, &mut headers);
    lifecycle::tell(store, &bucket, &key, &info, &mut headers);
    Ok(S3Response::with_headers(PutObjectOutput::default(), headers))
}

/// What the request says of its body; it must say how long that is.
pub(crate) fn require_length(call: &Call) -> Result<Announced> {
    let announced = Announced::of(&call.headers, &call.trailers)?;
    if call.posted || call.headers.contains_key("content-length") {
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
    encryption::refuse_on_read(call)?;
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let open = at.open(store, call, READ)?;
    let mut view = View::of(call, open.info(), part_of(&open, input.part_number)?)?;
    versioning::tell(store, &at.bucket, open.info(), &mut view.headers);
    lock::tell(store, call, &at, open.info(), &mut view.headers);
    at.tell_expiry(store, open.info(), &mut view.headers);
    let body = body_of(&open, view.range.clone()).await.map_err(from_engine)?;
    call.set_reply(view.status, body);
    let output =
        GetObjectOutput { metadata: metadata::user_output(&open.info().metadata), ..GetObjectOutput::default() };
    Ok(S3Response::with_headers(output, view.headers))
}

/// The bytes of a range. The first piece is read and verified before anything is answered: damage in it is an error that the
/// client can read. What is damaged behind it breaks the answer off.
async fn body_of(open: &OpenObject, range: Range<u64>) -> boathouse_objects::Result<ResponseBody> {
    let length = range.end - range.start;
    let mut rest = open.read(range)?;
    let first = rest.next().await.transpose()?.unwrap_or_default();
    if first.len() as u64 == length {
        return Ok(full(first));
    }
    let pieces = stream::once(ready(Ok(first))).chain(rest);
    let frames = pieces.map(|piece| piece.map(Frame::data).map_err(std::io::Error::other));
    Ok(StreamBody::new(frames).boxed_unsync())
}

pub(crate) async fn head(store: &Store, call: &Call, input: HeadObjectInput) -> Reply<HeadObjectOutput> {
    encryption::refuse_on_read(call)?;
    let at = At::new(input.bucket, input.key, input.version_id)?;
    let (info, part) = match input.part_number {
        None => {
            let info = at.info(store, call, READ)?;
            encryption::check_key(store, call, &info)?;
            (info, None)
        }
        number => {
            let open = at.open(store, call, READ)?;
            (open.info().clone(), part_of(&open, number)?)
        }
    };
    let mut view = View::of(call, &info, part)?;
    versioning::tell(store, &at.bucket, &info, &mut view.headers);
    lock::tell(store, call, &at, &info, &mut view.headers);
    at.tell_expiry(store, &info, &mut view.headers);
    call.set_reply(view.status, full(""));
    let output = HeadObjectOutput { metadata: metadata::user_output(&info.metadata), ..HeadObjectOutput::default() };
    Ok(S3Response::with_headers(output, view.headers))
}

/// The actions that reading the current object and reading a version need.
pub(crate) type Actions = (&'static str, &'static str);
pub(crate) const READ: Actions = ("s3:GetObject", "s3:GetObjectVersion");

/// An object that is read, or one version of it.
pub(crate) struct At {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

impl At {
    pub(crate) fn new(bucket: String, key: String, version: Option<String>) -> Result<Self> {
        Ok(Self { bucket, key, version: versioning::named(version)? })
    }

    /// Versions by name don't say when they expire, as that depends on later ones.
    fn tell_expiry(&self, store: &Store, info: &ObjectInfo, headers: &mut HeaderMap) {
        if self.version.is_none() {
            lifecycle::tell(store, &self.bucket, &self.key, info, headers);
        }
    }

    /// The object's bytes and what is stored beside them, if the caller may read it.
    pub(crate) fn open(&self, store: &Store, call: &Call, actions: Actions) -> Result<OpenObject> {
        let key = encryption::client_key(call)?;
        let found = store.objects.get_sealed(&self.bucket, &self.key, self.version.as_deref(), key.as_ref());
        let open = self.allowed(store, call, actions, &ConditionKeys::new(), found, OpenObject::info)?;
        encryption::allow_read(store, &call.ctx, open.info().encryption.as_ref()).map(|()| open)
    }

    /// What is stored beside the object's bytes, if the caller may read it.
    pub(crate) fn info(&self, store: &Store, call: &Call, actions: Actions) -> Result<ObjectInfo> {
        self.info_if(store, call, actions, &ConditionKeys::new())
    }

    /// As [`At::info`], with condition keys of the request.
    pub(crate) fn info_if(
        &self,
        store: &Store,
        call: &Call,
        actions: Actions,
        keys: &ConditionKeys,
    ) -> Result<ObjectInfo> {
        let found = store.objects.head_version(&self.bucket, &self.key, self.version.as_deref());
        self.allowed(store, call, actions, keys, found, |info| info)
    }

    /// What was found. Who may not list the bucket does not learn that a key is missing; who may learns it also where
    /// only lists of objects could let them read: there is none.
    fn allowed<T>(
        &self,
        store: &Store,
        call: &Call,
        (current, of_version): Actions,
        keys: &ConditionKeys,
        found: boathouse_objects::Result<T>,
        info: impl FnOnce(&T) -> &ObjectInfo,
    ) -> Result<T> {
        let action = versioning::action(self.version.as_ref(), current, of_version);
        let metadata = found.as_ref().ok().map(|found| &info(found).metadata);
        let about = (self.bucket.as_str(), self.key.as_str(), self.version.as_deref());
        let allowed = store.allow_object((call, action), about, keys, metadata);
        match found {
            Err(error @ boathouse_objects::Error::NoSuchKey(_)) => {
                let listed = store.allow(&call.ctx, "s3:ListBucket", &self.bucket, None);
                if let Err(refusal) = allowed
                    && (listed.is_err() || is_denied(&refusal))
                {
                    return Err(refusal);
                }
                listed?;
                Err(versioning::with_marker(store, &self.bucket, &self.key, from_engine(error)))
            }
            Err(error @ boathouse_objects::Error::NoSuchVersion(_)) => {
                allowed?;
                store.allow(&call.ctx, "s3:ListBucketVersions", &self.bucket, None)?;
                Err(from_engine(error).with_detail("Key", self.key.as_str()))
            }
            found => allowed.and_then(|()| found.map_err(from_engine)),
        }
    }
}

/// Whether a policy forbids it, and it is not just that none allows it.
fn is_denied(refusal: &AwsError) -> bool {
    refusal.status != StatusCode::FORBIDDEN || refusal.message.contains("explicit deny")
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

pub(crate) async fn delete(store: &Store, call: &Call, input: DeleteObjectInput) -> Reply<DeleteObjectOutput> {
    let version = versioning::named(input.version_id)?;
    let bucket = input.bucket;
    let item = deletion(store, call, &bucket, input.key, version, call.header("if-match"))?;
    let origin = Some(message::origin(&call.ctx));
    let outcomes = store.objects.delete_items(&bucket, vec![item], ChangeKind::Delete, origin).await;
    let outcome = outcomes.map_err(from_engine)?.into_iter().next().unwrap_or(Err(boathouse_objects::Error::Closed));
    let deletion = outcome.map_err(|error| conditional(call, error))?;
    let output = DeleteObjectOutput {
        delete_marker: deletion.delete_marker.then_some(true),
        version_id: deletion.version,
        request_charged: None,
    };
    Ok(S3Response::with_status(output, StatusCode::NO_CONTENT))
}

/// What is to be deleted, if the caller may delete it and knows what a condition says.
pub(crate) fn deletion(
    store: &Store,
    call: &Call,
    bucket: &str,
    key: String,
    version: Option<String>,
    if_match: Option<&str>,
) -> Result<DeleteItem> {
    let action = versioning::action(version.as_ref(), "s3:DeleteObject", "s3:DeleteObjectVersion");
    let keys = condition_keys::of_object(None, version.as_deref());
    store.allow_if(&call.ctx, action, bucket, Some(&key), &keys)?;
    let condition = conditions::of_deletion(if_match);
    if matches!(condition, WriteCondition::Matches(_)) {
        store.allow(&call.ctx, "s3:GetObject", bucket, Some(&key))?;
    }
    let bypass_governance = version.is_some() && lock::bypasses(store, call, bucket, &key)?;
    Ok(DeleteItem { key, version, condition, bypass_governance })
}
