//! Objects: PUT, HEAD, DELETE, COPY, tags, lists.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use serde::Deserialize;

use crate::buckets;
use crate::error::{Error, Result};
use crate::hashing::{ChecksumAlgorithm, Expectations, Hasher};
use crate::index::Change;
use crate::locks::Lock;
use crate::outbox::{Cause, ChangeKind};
use crate::reader::OpenObject;
use crate::record::{Location, Metadata, ObjectInfo, Record};
use crate::references::{current, replace, share};
use crate::sealing::{ClientKey, DataKey, Encryption, KeyHolder, Seal};
use crate::versions::{self, DeleteItem};
use crate::{ListRequest, Listing, Objects, blocking};

/// The document of buckets whose new objects are all encrypted at rest: JSON, whose member `kms_key_id` may name a key. What
/// else it says is the front's business.
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
    /// Whether its MD5 is needed: the client names it, or looks for it in the entity tag.
    pub needs_md5: bool,
    /// What must hold when the object becomes visible.
    pub condition: WriteCondition,
    /// What is to be kept with the change, where the bucket is watched.
    pub origin: Option<String>,
    /// Whether the bytes are encrypted at rest, and how.
    pub seal: Seal,
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
    /// Whether the copy is encrypted at rest, and how. Where neither this nor the bucket says so, that of an encrypted object
    /// is too.
    pub seal: Seal,
    /// The client's key of the source.
    pub source_key_of_client: Option<ClientKey>,
    /// The checksum that the copy must have.
    pub checksum: Option<ChecksumAlgorithm>,
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
        let (encryption, key) = self.new_key(&request.bucket, &request.seal)?.unzip();
        let received =
            self.receive(body, Hasher::new(&request.checksums, request.needs_md5), expect, key.as_ref()).await?;
        let digests = received.digests.clone();
        let info = ObjectInfo {
            size: digests.length,
            etag: digests.object_tag(),
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

    /// Deletes objects. Keys without an object are no error; returns which keys had one.
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

    /// How new objects of a bucket are encrypted, if they all are: it has the document [`ENCRYPT`].
    fn bucket_holder(&self, bucket: &str) -> Result<Option<KeyHolder>> {
        #[derive(Deserialize)]
        struct Wanted {
            #[serde(default)]
            kms_key_id: Option<String>,
        }
        let Some(text) = self.document(bucket, ENCRYPT)? else { return Ok(None) };
        let wanted: Wanted =
            serde_json::from_str(&text).map_err(|error| Error::Corrupt(format!("the document {ENCRYPT}: {error}")))?;
        Ok(Some(wanted.kms_key_id.map_or(KeyHolder::Store, |key_id| KeyHolder::Named { key_id, context: None })))
    }

    fn holder(&self, bucket: &str, seal: &Seal) -> Result<Option<KeyHolder>> {
        Ok(match seal {
            Seal::AsBucket => self.bucket_holder(bucket)?,
            Seal::Store => Some(KeyHolder::Store),
            Seal::Named { key_id, context } => {
                Some(KeyHolder::Named { key_id: key_id.clone(), context: context.clone() })
            }
            Seal::Client(_) => Some(KeyHolder::Client),
        })
    }

    /// A key for a new object, if it is to be encrypted.
    pub(crate) fn new_key(&self, bucket: &str, seal: &Seal) -> Result<Option<(Encryption, DataKey)>> {
        let client = if let Seal::Client(key) = seal { Some(key) } else { None };
        let holder = self.holder(bucket, seal)?;
        holder.map(|holder| self.inner.keys.new_key(holder, client)).transpose()
    }

    /// Whether the client's key opens an object, where one is needed.
    ///
    /// # Errors
    /// [`Error::ClientKeyMissing`], [`Error::ClientKeyWrong`], [`Error::ClientKeyUnwanted`].
    pub fn check_client_key(&self, info: &ObjectInfo, client: Option<&ClientKey>) -> Result<()> {
        match &info.encryption {
            Some(encryption) if encryption.holder == KeyHolder::Client => {
                self.inner.keys.unwrap(encryption, client).map(drop)
            }
            _ if client.is_some() => Err(Error::ClientKeyUnwanted),
            _ => Ok(()),
        }
    }

    /// Copies an object without copying its bytes, unless they have to be encrypted in another way or to be read for a
    /// checksum.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`], [`Error::PreconditionFailed`]; those of the client's keys.
    pub async fn copy(&self, request: CopyRequest) -> Result<ObjectInfo> {
        let source =
            self.head_version(&request.source_bucket, &request.source_key, request.source_version.as_deref())?;
        self.check_client_key(&source, request.source_key_of_client.as_ref())?;
        let present = source.encryption.as_ref().map(|encryption| &encryption.holder);
        let wanted = self.holder(&request.bucket, &request.seal)?.or(present.map(|_| KeyHolder::Store));
        let same = present == wanted.as_ref() && present != Some(&KeyHolder::Client);
        let summed = request.checksum.is_none_or(|wanted| {
            source.checksums.iter().any(|sum| sum.algorithm == wanted && !sum.value.contains('-'))
        });
        if !same || !summed {
            let client = request.source_key_of_client.as_ref();
            let version = request.source_version.as_deref();
            let open = self.get_sealed(&request.source_bucket, &request.source_key, version, client)?;
            return self.copy_bytes(request, wanted, &open).await;
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

    async fn copy_bytes(
        &self,
        request: CopyRequest,
        holder: Option<KeyHolder>,
        source: &OpenObject,
    ) -> Result<ObjectInfo> {
        let info = source.info();
        let checksums = match request.checksum {
            Some(checksum) => vec![checksum],
            None => info.checksums.iter().map(|checksum| checksum.algorithm).collect(),
        };
        let seal = match (request.seal, holder) {
            (Seal::AsBucket, Some(holder)) => holder.into(),
            (seal, _) => seal,
        };
        let put = PutRequest {
            bucket: request.bucket,
            key: request.key,
            metadata: request.metadata.unwrap_or_else(|| info.metadata.clone()),
            checksums,
            needs_md5: true,
            condition: request.condition,
            origin: request.origin,
            seal,
            posted: false,
            lock: request.lock,
        };
        let length = Some(info.size);
        let body = source.read(0..info.size)?.map(|piece| piece.map_err(std::io::Error::other));
        self.write(put, body, || Expectations { length, ..Expectations::default() }, ChangeKind::Copy).await
    }

    /// Grows with each rename. An object that was renamed is as old as before, unlike all others that are new at their keys.
    pub fn renames(&self) -> u64 {
        self.inner.renames.load(Ordering::SeqCst)
    }

    /// Moves an object to another key of its bucket, at once: no one sees both or neither.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub async fn rename(&self, bucket: &str, from: &str, to: &str, condition: WriteCondition) -> Result<()> {
        let (bucket, from, to, at_ms) = (bucket.to_owned(), from.to_owned(), to.to_owned(), self.now_ms());
        // Before and after: whoever has seen all keys in between knows that something may have escaped.
        self.inner.renames.fetch_add(1, Ordering::SeqCst);
        let rename = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let record = current(change, &bucket, &from)?.ok_or_else(|| Error::NoSuchKey(from.clone()))?;
            // For a moment both keys hold it.
            share(change, &record.location)?;
            let cause = |kind| Cause { kind, at_ms, origin: None };
            replace(change, &bucket, &to, &condition, record, cause(ChangeKind::Copy))?;
            if from != to {
                let item = DeleteItem { key: from, ..DeleteItem::default() };
                let known = buckets::find(change, &bucket)?;
                versions::delete(change, &known, &item, cause(ChangeKind::Delete))?;
            }
            Ok(())
        };
        let renamed = self.inner.writer.change(rename).await;
        self.inner.renames.fetch_add(1, Ordering::SeqCst);
        renamed
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
