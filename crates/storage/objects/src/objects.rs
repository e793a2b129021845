//! Objects: PUT, GET, HEAD, DELETE, COPY, tags, lists.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use uuid::Uuid;

use crate::blobs::{BlobWriter, Pending, Pin};
use crate::buckets;
use crate::error::{Error, Result};
use crate::hashing::{ChecksumAlgorithm, Digests, Expectations, Hasher};
use crate::index::{Change, Table};
use crate::reader::{Content, OpenObject};
use crate::record::{Location, Metadata, ObjectInfo, Record};
use crate::{ListRequest, Listing, Objects, blocking, key_of, now_ms};

/// Objects up to this size live in their index record.
const INLINE_BYTES: usize = 4 << 10;
/// How much of a body is hashed and written in one step.
const STEP_BYTES: usize = 1 << 20;

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
}

/// A received body, not yet an object.
pub(crate) struct Received {
    pub(crate) digests: Digests,
    pub(crate) location: Location,
    pub(crate) pending: Option<Pending>,
}

fn current(change: &Change<'_>, bucket: &str, key: &str) -> Result<Option<Record>> {
    change.get(Table::Current, &key_of(bucket, key))?.map(|raw| Record::decode(&raw)).transpose()
}

fn references(change: &Change<'_>, blob: Uuid) -> Result<u64> {
    let Some(raw) = change.get(Table::Shared, blob.as_bytes())? else { return Ok(1) };
    let count = raw.try_into().map_err(|_| Error::Corrupt("reference count".into()))?;
    Ok(u64::from_be_bytes(count))
}

fn share(change: &mut Change<'_>, record: &Record) -> Result<()> {
    for id in record.location.blobs() {
        let count = references(change, id)? + 1;
        change.insert(Table::Shared, id.as_bytes(), count.to_be_bytes().to_vec());
    }
    Ok(())
}

pub(crate) fn release(change: &mut Change<'_>, location: &Location) -> Result<()> {
    for id in location.blobs() {
        match references(change, id)? {
            1 => change.insert(Table::Garbage, id.as_bytes(), Vec::new()),
            2 => change.remove(Table::Shared, id.as_bytes()),
            count => change.insert(Table::Shared, id.as_bytes(), (count - 1).to_be_bytes().to_vec()),
        }
    }
    Ok(())
}

/// Puts a record in the place of the present one, if the condition holds of that.
pub(crate) fn replace(
    change: &mut Change<'_>,
    bucket: &str,
    key: &str,
    condition: &WriteCondition,
    record: &Record,
) -> Result<()> {
    buckets::require(change, bucket)?;
    let old = current(change, bucket, key)?;
    check(condition, old.as_ref(), key)?;
    if let Some(old) = old {
        release(change, &old.location)?;
    }
    change.insert(Table::Current, &key_of(bucket, key), record.encode());
    Ok(())
}

fn check(condition: &WriteCondition, old: Option<&Record>, key: &str) -> Result<()> {
    match (condition, old) {
        (WriteCondition::Always, _) | (WriteCondition::Absent, None) => Ok(()),
        (WriteCondition::Matches(etag), Some(old)) if *etag == old.info.etag => Ok(()),
        (WriteCondition::Matches(_), None) => Err(Error::NoSuchKey(key.to_owned())),
        _ => Err(Error::PreconditionFailed),
    }
}

/// From here on only the index decides: if the commit fails, the intent row removes the file at the next start.
pub(crate) fn keep(change: &mut Change<'_>, mut pending: Pending) {
    pending.kept = true;
    change.remove(Table::Intent, pending.id.as_bytes());
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
        self.bucket(&request.bucket)?;
        let Received { digests, location, pending } = self.receive(body, &request.checksums, INLINE_BYTES).await?;
        digests.verify(&expect())?;
        let info = ObjectInfo {
            size: digests.length,
            etag: hex::encode(digests.md5),
            modified_ms: now_ms(),
            checksums: digests.checksums,
            metadata: request.metadata,
            upload_id: None,
        };
        let publish = move |change: &mut Change<'_>| {
            let record = Record { info, location };
            replace(change, &request.bucket, &request.key, &request.condition, &record)?;
            if let Some(pending) = pending {
                keep(change, pending);
            }
            Ok(record.info)
        };
        self.inner.writer.change(publish).await
    }

    /// Takes a body in: up to `inline` bytes stay in memory, more go to a blob.
    pub(crate) async fn receive<B>(
        &self,
        mut body: B,
        checksums: &[ChecksumAlgorithm],
        inline: usize,
    ) -> Result<Received>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let (chunks, ended) = take(&mut body, inline + 1).await?;
        let mut hasher = Hasher::new(checksums);
        let length: usize = chunks.iter().map(Bytes::len).sum();
        if ended && length <= inline {
            let bytes = Bytes::from(chunks.concat());
            hasher.update(&bytes);
            return Ok(Received { digests: hasher.finish(), location: Location::Inline(bytes), pending: None });
        }
        let (pending, writer) = self.begin_blob(hasher).await?;
        let digests = self.write_blob(writer, chunks, ended, body).await?;
        Ok(Received { digests, location: Location::Blob(pending.id), pending: Some(pending) })
    }

    async fn begin_blob(&self, hasher: Hasher) -> Result<(Pending, BlobWriter)> {
        let id = Uuid::new_v4();
        let intend = move |change: &mut Change<'_>| {
            change.insert(Table::Intent, id.as_bytes(), Vec::new());
            Ok(())
        };
        self.inner.writer.change(intend).await?;
        let blobs = Arc::clone(&self.inner.blobs);
        let pending = Pending { blobs: Arc::clone(&blobs), id, kept: false };
        let writer = blocking(move || blobs.create(id, hasher)).await?;
        Ok((pending, writer))
    }

    /// Hashes and writes one step on a blocking thread while the next one is received.
    async fn write_blob<B>(
        &self,
        writer: BlobWriter,
        first: Vec<Bytes>,
        mut ended: bool,
        mut body: B,
    ) -> Result<Digests>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let step = |mut writer: BlobWriter, chunks: Vec<Bytes>| {
            tokio::task::spawn_blocking(move || writer.write(&chunks).map(|()| writer))
        };
        let mut writing = step(writer, first);
        while !ended {
            let chunks;
            (chunks, ended) = take(&mut body, STEP_BYTES).await?;
            let writer = writing.await.map_err(|_| Error::Closed)??;
            writing = step(writer, chunks);
        }
        let writer = writing.await.map_err(|_| Error::Closed)??;
        let blobs = Arc::clone(&self.inner.blobs);
        blocking(move || blobs.seal(writer)).await
    }

    fn record(&self, bucket: &str, key: &str) -> Result<Record> {
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

    /// Opens an object for reading.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn get(&self, bucket: &str, key: &str) -> Result<OpenObject> {
        loop {
            let Record { info, location } = self.record(bucket, key)?;
            let pins: Vec<Pin> = location.blobs().into_iter().map(|id| self.inner.blobs.pin(id)).collect();
            // A blob may have been collected before the pin; if a record still names it now, it was not.
            if !pins.is_empty() && self.record(bucket, key)?.location != location {
                continue;
            }
            let content = Content::new(location, info.size, pins);
            return Ok(OpenObject { info: Arc::new(info), content: Arc::new(content) });
        }
    }

    /// Deletes objects in one durable batch. Keys without an object are no error; returns which keys had one.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn delete(&self, bucket: &str, keys: Vec<String>) -> Result<Vec<bool>> {
        let bucket = bucket.to_owned();
        let delete = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let mut had = Vec::with_capacity(keys.len());
            for key in &keys {
                let old = current(change, &bucket, key)?;
                had.push(old.is_some());
                if let Some(old) = old {
                    release(change, &old.location)?;
                    change.remove(Table::Current, &key_of(&bucket, key));
                }
            }
            Ok(had)
        };
        self.inner.writer.change(delete).await
    }

    /// Copies an object without copying its bytes.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`], [`Error::PreconditionFailed`].
    pub async fn copy(&self, request: CopyRequest) -> Result<ObjectInfo> {
        let copy = move |change: &mut Change<'_>| {
            buckets::require(change, &request.source_bucket)?;
            let source = current(change, &request.source_bucket, &request.source_key)?;
            let mut record = source.ok_or(Error::NoSuchKey(request.source_key))?;
            // Shared first: the copy may replace its own source.
            share(change, &record)?;
            record.info.modified_ms = now_ms();
            if let Some(metadata) = request.metadata {
                record.info.metadata = metadata;
            }
            replace(change, &request.bucket, &request.key, &request.condition, &record)?;
            Ok(record.info)
        };
        self.inner.writer.change(copy).await
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

/// Receives until at least `bytes` are there or the body ended.
async fn take<B>(body: &mut B, bytes: usize) -> Result<(Vec<Bytes>, bool)>
where
    B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let (mut chunks, mut length) = (Vec::new(), 0);
    while length < bytes {
        let Some(chunk) = body.next().await else { return Ok((chunks, true)) };
        let chunk = chunk.map_err(|error| Error::Body(Arc::new(error)))?;
        length += chunk.len();
        chunks.push(chunk);
    }
    Ok((chunks, false))
}
