//! Objects: PUT, HEAD, DELETE, COPY, tags, lists.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use crate::buckets;
use crate::error::{Error, Result};
use crate::hashing::{ChecksumAlgorithm, Expectations};
use crate::locks::Lock;
use crate::index::Change;
use crate::outbox::{Cause, ChangeKind};
use crate::reader::OpenObject;
use crate::record::{Location, Metadata, ObjectInfo, Record};
use crate::references::{current, replace, share};
use crate::sealing::{DataKey, Encryption};
use crate::versions::{self, DeleteItem};
use crate::{ListRequest, Listing, Objects, blocking};

/// The document of buckets whose new objects are all encrypted at rest; what it says is the front's business.
pub const ENCRYPT: &str = "encryption";

/// What must hold of the present object for a write to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Nothing.
    #[default]
    Always,
    /// There is no object under the key.
    Absent,
    /// There is one.
    Present,
    /// There is one, with this entity tag, that was written at this time.
    Unchanged {
        /// Without quotes.
        etag: String,
        /// Milliseconds since the Unix epoch.
        modified_ms: u64,
    },
    /// There is one, with this entity tag (without quotes); [`Error::NoSuchKey`] if there is none.
    Matches(String),
}

/// Where and what to write.
#[derive(Debug, Clone, Default)]
pub struct PutRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// What is stored beside the bytes.
    pub metadata: Metadata,
    /// The checksums to compute and store.
    pub checksums: Vec<ChecksumAlgorithm>,
    /// What must hold when the object becomes visible.
    pub condition: WriteCondition,
    /// What is to be kept with the change, where the bucket is watched.
    pub origin: Option<String>,
    /// Whether the bytes are encrypted at rest even if the bucket does not want that by itself.
    pub encrypted: bool,
    /// Whether a browser's form sent them: the change is told as such.
    pub posted: bool,
    /// What keeps the version from being deleted.
    pub lock: Lock,
}

/// What to copy where.
#[derive(Debug, Clone, Default)]
pub struct CopyRequest {
    /// Bucket of the source.
    pub source_bucket: String,
    /// Key of the source.
    pub source_key: String,
    /// The version of the source, if not the current object.
    pub source_version: Option<String>,
    /// Bucket of the copy.
    pub bucket: String,
    /// Key of the copy.
    pub key: String,
    /// Replaces what is stored beside the bytes; kept when `None`.
    pub metadata: Option<Metadata>,
    /// What must hold of the object that the copy replaces.
    pub condition: WriteCondition,
    /// What is to be kept with the change, where the bucket is watched.
    pub origin: Option<String>,
    /// Whether the copy is encrypted at rest even if neither its source is nor the bucket wants that by itself.
    pub encrypted: bool,
    /// What keeps the copy from being deleted.
    pub lock: Lock,
}

/// What to delete.
#[derive(Debug, Clone, Default)]
pub struct DeleteRequest {
    /// The bucket.
    pub bucket: String,
    /// The keys.
    pub keys: Vec<String>,
    /// What is to be kept with the changes, where the bucket is watched.
    pub origin: Option<String>,
}

impl Objects {
    /// Writes an object from a stream. `expect` is called after the stream ended, when trailers are known.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::PreconditionFailed`], [`Error::NoSuchKey`] (conditional on a missing object),
    /// [`Error::IncompleteBody`], [`Error::DigestMismatch`], [`Error::Body`], [`Error::Io`].
    pub async fn put<B, E>(&self, request: PutRequest, body: B, expect: E) -> Result<ObjectInfo>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
        E: FnOnce() -> Expectations + Send,
    {
        let kind = if request.posted { ChangeKind::Post } else { ChangeKind::Put };
        self.write(request, body, expect, kind).await
    }

    async fn write<B, E>(&self, request: PutRequest, body: B, expect: E, kind: ChangeKind) -> Result<ObjectInfo>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
        E: FnOnce() -> Expectations + Send,
    {
        self.bucket(&request.bucket)?;
        let (encryption, key) = self.new_key(&request.bucket, request.encrypted)?.unzip();
        let received = self.receive(body, &request.checksums, expect, key.as_ref()).await?;
        let digests = received.digests.clone();
        let info = ObjectInfo {
            size: digests.length,
            etag: hex::encode(digests.md5),
            modified_ms: self.now_ms(),
            checksums: digests.checksums,
            metadata: request.metadata,
            encryption,
            lock: request.lock,
            ..ObjectInfo::default()
        };
        let publish = move |change: &mut Change<'_>| {
            let record = Record { info, location: Location::Whole(received.extent.clone()) };
            let cause = Cause { kind, at_ms: record.info.modified_ms, origin: request.origin };
            let info = replace(change, &request.bucket, &request.key, &request.condition, record, cause)?;
            received.keep(change)?;
            Ok(info)
        };
        self.inner.writer.change(publish).await
    }

    /// An object without its bytes. A point read of the index, made on the calling thread.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn head(&self, bucket: &str, key: &str) -> Result<ObjectInfo> {
        self.head_version(bucket, key, None)
    }

    /// Deletes objects in one durable batch. Keys without an object are no error; returns which keys had one.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn delete(&self, bucket: &str, keys: Vec<String>) -> Result<Vec<bool>> {
        self.delete_all(DeleteRequest { bucket: bucket.to_owned(), keys, origin: None }).await
    }

    /// As [`delete`](Self::delete), with an origin.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn delete_all(&self, request: DeleteRequest) -> Result<Vec<bool>> {
        let DeleteRequest { bucket, keys, origin } = request;
        let items = keys.into_iter().map(|key| DeleteItem { key, ..DeleteItem::default() }).collect();
        let deletions = self.delete_items(&bucket, items, ChangeKind::Delete, origin).await?;
        deletions.into_iter().map(|deletion| deletion.map(|deletion| deletion.found)).collect()
    }

    /// Whether every new object of a bucket is encrypted: it has the document [`ENCRYPT`].
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub fn encrypts(&self, bucket: &str) -> Result<bool> {
        Ok(self.document(bucket, ENCRYPT)?.is_some())
    }

    /// A key for a new object, if it is to be encrypted.
    pub(crate) fn new_key(&self, bucket: &str, wanted: bool) -> Result<Option<(Encryption, DataKey)>> {
        match wanted || self.encrypts(bucket)? {
            true => self.inner.keys.new_key().map(Some),
            false => Ok(None),
        }
    }

    /// Copies an object without copying its bytes, unless they have to be encrypted. An encrypted object's copy is encrypted.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`], [`Error::PreconditionFailed`].
    pub async fn copy(&self, request: CopyRequest) -> Result<ObjectInfo> {
        if request.encrypted || self.encrypts(&request.bucket)? {
            let source =
                self.get_version(&request.source_bucket, &request.source_key, request.source_version.as_deref())?;
            if source.info().encryption.is_none() {
                return self.copy_bytes(request, &source).await;
            }
        }
        let modified_ms = self.now_ms();
        let copy = move |change: &mut Change<'_>| {
            buckets::require(change, &request.source_bucket)?;
            let version = request.source_version.as_deref();
            let mut record = versions::required(change, &request.source_bucket, &request.source_key, version)?.record;
            // Shared first: the copy may replace its own source.
            share(change, &record.location)?;
            record.info.modified_ms = modified_ms;
            record.info.lock = request.lock;
            if let Some(metadata) = request.metadata {
                record.info.metadata = metadata;
            }
            let cause = Cause { kind: ChangeKind::Copy, at_ms: modified_ms, origin: request.origin };
            replace(change, &request.bucket, &request.key, &request.condition, record, cause)
        };
        self.inner.writer.change(copy).await
    }

    async fn copy_bytes(&self, request: CopyRequest, source: &OpenObject) -> Result<ObjectInfo> {
        let info = source.info();
        let put = PutRequest {
            bucket: request.bucket,
            key: request.key,
            metadata: request.metadata.unwrap_or_else(|| info.metadata.clone()),
            checksums: info.checksums.iter().map(|checksum| checksum.algorithm).collect(),
            condition: request.condition,
            origin: request.origin,
            encrypted: true,
            posted: false,
            lock: request.lock,
        };
        let length = Some(info.size);
        let body = source.read(0..info.size)?.map(|piece| piece.map_err(std::io::Error::other));
        self.write(put, body, || Expectations { length, ..Expectations::default() }, ChangeKind::Copy).await
    }

    /// Moves an object to another key of its bucket, at once: no one sees both or neither.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub async fn rename(&self, bucket: &str, from: &str, to: &str, condition: WriteCondition) -> Result<()> {
        let (bucket, from, to, at_ms) = (bucket.to_owned(), from.to_owned(), to.to_owned(), self.now_ms());
        let rename = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let record = current(change, &bucket, &from)?.ok_or_else(|| Error::NoSuchKey(from.clone()))?;
            // For a moment both keys hold it.
            share(change, &record.location)?;
            let cause = |kind| Cause { kind, at_ms, origin: None };
            replace(change, &bucket, &to, &condition, record, cause(ChangeKind::Copy))?;
            if from != to {
                let item = DeleteItem { key: from, ..DeleteItem::default() };
                versions::delete(change, &buckets::find(change, &bucket)?, &item, cause(ChangeKind::Delete))?;
            }
            Ok(())
        };
        self.inner.writer.change(rename).await
    }

    /// Replaces the tags of an object, or of one version of it (none: removes them).
    ///
    /// # Errors
    /// As [`amend`](Self::amend).
    pub async fn put_tags(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<ObjectInfo> {
        let put = move |info: &mut ObjectInfo| {
            info.metadata.tags = tags;
            Ok(())
        };
        self.amend(bucket, key, version, put).await
    }

    /// One page of a bucket's keys.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn list(&self, bucket: &str, request: ListRequest) -> Result<Listing> {
        self.bucket(bucket)?;
        let (index, bucket) = (self.inner.index.clone(), bucket.to_owned());
        blocking(move || crate::listing::list(&index, &bucket, &request)).await
    }
}
