//! Uploads in parts: parts are written one by one and become an object all at once, without a copy.

mod complete;
mod listing;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use std::ops::{Bound, Range};
use uuid::Uuid;

pub use self::complete::{CompleteUpload, CompletedPart};
pub(crate) use self::listing::key_of_row;
pub use self::listing::{ListUploads, PartPage, UploadPage};

use crate::error::{Error, Result};
use crate::hashing::{ChecksumAlgorithm, ChecksumKind, Expectations, Hasher};
use crate::index::{Change, Index, Table, Writer};
use crate::locks::Lock;
use crate::manifest::{self, Part, PartInfo};
use crate::reader::OpenObject;
use crate::record::Metadata;
use crate::references::free_extent;
use crate::sealing::{ClientKey, Encryption, Seal};
use crate::{Objects, buckets, key_of};

/// An upload that is to begin.
#[derive(Debug, Clone, Default)]
pub struct NewUpload {
    /// The bucket.
    pub bucket: String,
    /// The key of the object to be.
    pub key: String,
    /// What is stored beside the bytes.
    pub metadata: Metadata,
    /// The checksum to compute of each part and of the object.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
    /// Whether only this process can complete it: when a store is opened, such uploads of an earlier process are aborted.
    pub transient: bool,
    /// Whether the bytes are encrypted at rest, and how.
    pub seal: Seal,
    /// What keeps the object from being deleted.
    pub lock: Lock,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadInfo {
    /// The key of the object to be.
    pub key: String,
    /// The name of the upload.
    pub upload_id: String,
    /// When it began: milliseconds since the Unix epoch.
    pub initiated_ms: u64,
    /// What is stored beside the bytes.
    pub metadata: Metadata,
    /// The checksum that is computed of each part and of the object.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
    /// How the bytes are encrypted at rest, if they are.
    pub encryption: Option<Encryption>,
}

/// A part that is to be written.
#[derive(Debug, Clone, Default)]
pub struct UploadPart {
    /// The bucket.
    pub bucket: String,
    /// The key of the object to be.
    pub key: String,
    /// The upload.
    pub upload_id: String,
    /// Which part, 1 to 10,000; a part of this number is replaced.
    pub number: u32,
    /// Checksums to compute besides that of the upload.
    pub checksums: Vec<ChecksumAlgorithm>,
    /// Whether its MD5 is needed: the client names it, or looks for it in the entity tag.
    pub needs_md5: bool,
    /// The client's key, if the upload is encrypted with one.
    pub key_of_client: Option<ClientKey>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    initiated_ms: u64,
    metadata: Metadata,
    checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
    #[serde(default)]
    transient: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption: Option<Encryption>,
    #[serde(default, skip_serializing_if = "Lock::is_none")]
    lock: Lock,
}

/// Where an upload's row is.
struct Place {
    id: Uuid,
    row: Vec<u8>,
}

impl Place {
    fn new(bucket: &str, key: &str, id: Uuid) -> Self {
        let row = [&key_of(bucket, key)[..], &[0], id.as_bytes()].concat();
        Self { id, row }
    }

    fn find(bucket: &str, key: &str, upload_id: &str) -> Result<Self> {
        let id = Uuid::try_parse(upload_id).map_err(|_| Error::NoSuchUpload(upload_id.to_owned()))?;
        Ok(Self::new(bucket, key, id))
    }

    fn missing(&self) -> Error {
        Error::NoSuchUpload(name(self.id))
    }

    fn require(&self, change: &Change<'_>) -> Result<Row> {
        decode(&change.get(Table::Upload, &self.row)?.ok_or_else(|| self.missing())?)
    }

    fn part(&self, number: u32) -> Vec<u8> {
        [&self.id.as_bytes()[..], &number.to_be_bytes()].concat()
    }
}

fn name(id: Uuid) -> String {
    id.simple().to_string()
}

fn decode(raw: &[u8]) -> Result<Row> {
    serde_json::from_slice(raw).map_err(|_| Error::Corrupt("upload record".into()))
}

impl Row {
    fn info(self, key: String, id: Uuid) -> UploadInfo {
        let Self { initiated_ms, metadata, checksum, encryption, .. } = self;
        UploadInfo { key, upload_id: name(id), initiated_ms, metadata, checksum, encryption }
    }
}

/// Removes an upload's row and frees its parts, but for those that `keep` accepts.
fn end(change: &mut Change<'_>, place: &Place, keep: impl Fn(u32) -> bool) -> Result<()> {
    change.remove(Table::Upload, &place.row);
    for (row, raw) in change.scan(Table::Part, place.id.as_bytes())? {
        let part = manifest::decode_one(&raw)?;
        change.remove(Table::Part, &row);
        if !keep(part.info.number) {
            free_extent(change, &part.extent)?;
        }
    }
    Ok(())
}

/// Aborts the uploads of a bucket that is being deleted.
pub(crate) fn abort_all(change: &mut Change<'_>, bucket: &str) -> Result<()> {
    for (row, _) in change.scan(Table::Upload, &key_of(bucket, ""))? {
        let id = listing::id_of_row(&row)?;
        end(change, &Place { id, row }, |_| false)?;
    }
    Ok(())
}

/// Aborts the uploads that an earlier process can't complete any more.
pub(crate) fn recover(index: &Index, writer: &Writer) -> Result<()> {
    let mut lost = Vec::new();
    for row in index.scan(Table::Upload, &[], Bound::Unbounded) {
        let (row, raw) = row?;
        if decode(&raw)?.transient {
            lost.push(Place { id: listing::id_of_row(&row)?, row });
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    tracing::info!(uploads = lost.len(), "uploads of an earlier process are aborted");
    let abort = move |change: &mut Change<'_>| lost.iter().try_for_each(|place| end(change, place, |_| false));
    // On a thread of its own: the caller's may be one that must not block.
    std::thread::scope(|scope| scope.spawn(|| writer.change_blocking(abort)).join()).unwrap_or(Err(Error::Closed))
}

impl Objects {
    /// Begins an upload in parts.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::UnsupportedChecksum`].
    pub async fn create_upload(&self, new: NewUpload) -> Result<UploadInfo> {
        let NewUpload { bucket, key, metadata, checksum, transient, seal, lock } = new;
        if let Some((algorithm, kind)) = checksum.filter(|(algorithm, kind)| !algorithm.supports(*kind)) {
            return Err(Error::UnsupportedChecksum { algorithm, kind });
        }
        // Ordered by time, so that the uploads of a key are listed in the order they began.
        let place = Place::new(&bucket, &key, Uuid::now_v7());
        let encryption = self.new_key(&bucket, &seal)?.map(|(encryption, _)| encryption);
        let row = Row { initiated_ms: self.now_ms(), metadata, checksum, transient, encryption, lock };
        let create = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let raw = serde_json::to_vec(&row).expect("invariant: maps with string keys serialise");
            change.insert(Table::Upload, &place.row, raw);
            Ok(row.info(key, place.id))
        };
        self.inner.writer.change(create).await
    }

    /// An upload under way.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`].
    pub fn upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<UploadInfo> {
        let place = Place::find(bucket, key, upload_id);
        let found = place.and_then(|place| match self.inner.index.get(Table::Upload, &place.row)? {
            Some(raw) => Ok(decode(&raw)?.info(key.to_owned(), place.id)),
            None => Err(place.missing()),
        });
        found.or_else(|error| self.bucket(bucket).and(Err(error)))
    }

    /// Writes a part from a stream. `expect` is called after the stream ended, when trailers are known.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`], [`Error::InvalidPartNumber`], [`Error::IncompleteBody`],
    /// [`Error::DigestMismatch`], [`Error::Body`], [`Error::Io`].
    pub async fn upload_part<B, E>(&self, request: UploadPart, body: B, expect: E) -> Result<PartInfo>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
        E: FnOnce() -> Expectations + Send,
    {
        let UploadPart { bucket, key, upload_id, number, mut checksums, needs_md5, key_of_client } = request;
        if !(1..=10_000).contains(&number) {
            return Err(Error::InvalidPartNumber(number));
        }
        let upload = self.upload(&bucket, &key, &upload_id)?;
        let place = Place::find(&bucket, &key, &upload_id)?;
        if let Some((algorithm, _)) = upload.checksum.filter(|(algorithm, _)| !checksums.contains(algorithm)) {
            checksums.push(algorithm);
        }
        let key = self.inner.keys.open_for(upload.encryption.as_ref(), key_of_client.as_ref())?;
        let received = self.receive(body, Hasher::new(&checksums, needs_md5), expect, key.as_ref()).await?;
        let digests = received.digests.clone();
        let info = PartInfo {
            number,
            size: digests.length,
            etag: digests.part_tag(),
            modified_ms: self.now_ms(),
            checksums: digests.checksums,
        };
        let publish = move |change: &mut Change<'_>| {
            place.require(change)?;
            let row = place.part(number);
            if let Some(old) = change.get(Table::Part, &row)? {
                free_extent(change, &manifest::decode_one(&old)?.extent)?;
            }
            let part = Part { info, extent: received.keep(change)? };
            change.insert(Table::Part, &row, manifest::encode([&part]));
            Ok(part.info)
        };
        self.inner.writer.change(publish).await
    }

    /// Writes a part from a range of an object.
    ///
    /// # Errors
    /// As [`upload_part`](Self::upload_part), [`Error::InvalidRange`].
    pub async fn copy_part(&self, request: UploadPart, source: &OpenObject, range: Range<u64>) -> Result<PartInfo> {
        let length = Some(range.end.saturating_sub(range.start));
        let body = source.read(range)?.map(|item| item.map_err(std::io::Error::other));
        self.upload_part(request, body, || Expectations { length, ..Expectations::default() }).await
    }

    /// Ends an upload and frees its parts.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`].
    pub async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<()> {
        self.bucket(bucket)?;
        let place = Place::find(bucket, key, upload_id)?;
        let abort = move |change: &mut Change<'_>| {
            place.require(change)?;
            end(change, &place, |_| false)
        };
        self.inner.writer.change(abort).await
    }
}
