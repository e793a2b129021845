//! Objects: PUT, HEAD, DELETE, COPY, tags, lists.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use crate::buckets;
use crate::error::{Error, Result};
use crate::hashing::{ChecksumAlgorithm, Expectations};
use crate::index::{Change, Table};
use crate::outbox::{Cause, ChangeKind};
use crate::reader::OpenObject;
use crate::record::{Location, Metadata, ObjectInfo, Record};
use crate::references::{current, remove, replace, share};
use crate::sealing::{DataKey, Encryption};
use crate::{ListRequest, Listing, Objects, blocking, key_of};

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
}

/// What to copy where.
#[derive(Debug, Clone, Default)]
pub struct CopyRequest {
    /// Bucket of the source.
    pub source_bucket: String,
    /// Key of the source.
    pub source_key: String,
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
        self.write(request, body, expect, ChangeKind::Put).await
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
        };
        let publish = move |change: &mut Change<'_>| {
            let record = Record { info, location: Location::Whole(received.extent.clone()) };
            let cause = Cause { kind, at_ms: record.info.modified_ms, origin: request.origin };
            replace(change, &request.bucket, &request.key, &request.condition, &record, cause)?;
            received.keep(change)?;
            Ok(record.info)
        };
        self.inner.writer.change(publish).await
    }

    pub(crate) fn record(&self, bucket: &str, key: &str) -> Result<Record> {
        match self.inner.index.get(Table::Current, &key_of(bucket, key))? {
            Some(raw) => Record::decode(&raw),
            None => self.bucket(bucket).and_then(|_| Err(Error::NoSuchKey(key.to_owned()))),
        }
    }

    /// An object without its bytes. A point read of the index, made on the calling thread.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn head(&self, bucket: &str, key: &str) -> Result<ObjectInfo> {
        Ok(self.record(bucket, key)?.info)
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
        let at_ms = self.now_ms();
        let delete = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let mut had = Vec::with_capacity(keys.len());
            for key in &keys {
                let old = current(change, &bucket, key)?;
                had.push(old.is_some());
                if let Some(old) = old {
                    let cause = Cause { kind: ChangeKind::Delete, at_ms, origin: origin.clone() };
                    remove(change, &bucket, key, &old, cause)?;
                }
            }
            Ok(had)
        };
        self.inner.writer.change(delete).await
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
            let source = self.get(&request.source_bucket, &request.source_key)?;
            if source.info().encryption.is_none() {
                return self.copy_bytes(request, &source).await;
            }
        }
        let modified_ms = self.now_ms();
        let copy = move |change: &mut Change<'_>| {
            buckets::require(change, &request.source_bucket)?;
            let source = current(change, &request.source_bucket, &request.source_key)?;
            let mut record = source.ok_or(Error::NoSuchKey(request.source_key))?;
            // Shared first: the copy may replace its own source.
            share(change, &record.location)?;
            record.info.modified_ms = modified_ms;
            if let Some(metadata) = request.metadata {
                record.info.metadata = metadata;
            }
            let cause = Cause { kind: ChangeKind::Copy, at_ms: modified_ms, origin: request.origin };
            replace(change, &request.bucket, &request.key, &request.condition, &record, cause)?;
            Ok(record.info)
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
            replace(change, &bucket, &to, &condition, &record, cause(ChangeKind::Copy))?;
            match from == to {
                true => Ok(()),
                false => remove(change, &bucket, &from, &record, cause(ChangeKind::Delete)),
            }
        };
        self.inner.writer.change(rename).await
    }

    /// Replaces the tags of an object (none: removes them).
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub async fn put_tags(&self, bucket: &str, key: &str, tags: BTreeMap<String, String>) -> Result<()> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let put = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let mut record = current(change, &bucket, &key)?.ok_or_else(|| Error::NoSuchKey(key.clone()))?;
            record.info.metadata.tags = tags;
            change.insert(Table::Current, &key_of(&bucket, &key), record.encode());
            Ok(())
        };
        self.inner.writer.change(put).await
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
