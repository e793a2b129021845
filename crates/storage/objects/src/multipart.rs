//! Uploads in parts: begin, parts, list, complete, abort.
//!
//! Each part is a content file with a record of its own. Completion writes one object record that names the parts' files:
//! no byte is copied.

use std::ops::Bound;

use bytes::Bytes;
use futures::Stream;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::buckets;
use crate::error::{Digest, Error, Result};
use crate::hashing::{Checksum, ChecksumAlgorithm, Expectations, combine, md5_of};
use crate::index::{Change, Table};
use crate::objects::{Received, keep, release, replace};
use crate::record::{Location, Metadata, ObjectInfo, PartRecord, Record};
use crate::{Objects, WriteCondition, key_of, now_ms};

/// The least size of every part but the last.
const MIN_PART: u64 = 5 << 20;
/// The greatest part number.
const MAX_NUMBER: u32 = 10_000;

/// How the checksum of an object in parts is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// The checksum of the parts' checksums, with `-N` behind it.
    Composite,
    /// The checksum of all bytes; only CRCs can be put together so.
    FullObject,
}

/// What to upload in parts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UploadRequest {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// What is stored beside the bytes.
    pub metadata: Metadata,
    /// The checksum of each part, and how the object's is made of them.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
}

/// An upload that is going on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadInfo {
    /// Its id.
    pub id: String,
    /// When it began: milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// What it was begun with.
    pub request: UploadRequest,
}

/// An uploaded part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartInfo {
    /// Its number.
    pub number: u32,
    /// Its size, entity tag, checksum and time.
    pub info: ObjectInfo,
}

/// A part as the completion names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompletePart {
    /// Its number.
    pub number: u32,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its checksum, if the caller names it.
    pub checksum: Option<Checksum>,
}

/// One page of the uploads of a bucket, by key and then by id.
#[derive(Debug, Clone, Default)]
pub struct UploadPage {
    /// The uploads.
    pub uploads: Vec<UploadInfo>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

fn upload_key(bucket: &str, key: &str, id: &str) -> Vec<u8> {
    [&key_of(bucket, key)[..], &[0], id.as_bytes()].concat()
}

fn part_key(id: &str, number: u32) -> Vec<u8> {
    [id.as_bytes(), &number.to_be_bytes()].concat()
}

fn decode_upload(raw: &[u8]) -> Result<UploadInfo> {
    serde_json::from_slice(raw).map_err(|error| Error::Corrupt(format!("upload record: {error}")))
}

fn decode_part(key: &[u8], raw: &[u8]) -> Result<(u32, Record)> {
    let number = key.last_chunk().map(|number| u32::from_be_bytes(*number));
    Ok((number.ok_or_else(|| Error::Corrupt("part key".into()))?, Record::decode(raw)?))
}

fn require(change: &Change<'_>, bucket: &str, key: &str, id: &str) -> Result<UploadInfo> {
    buckets::require(change, bucket)?;
    let raw = change.get(Table::Upload, &upload_key(bucket, key, id))?;
    decode_upload(&raw.ok_or_else(|| Error::NoSuchUpload(id.to_owned()))?)
}

impl Objects {
    /// Begins an upload and answers its id.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn begin_upload(&self, request: UploadRequest) -> Result<UploadInfo> {
        let upload = UploadInfo { id: Uuid::new_v4().simple().to_string(), created_ms: now_ms(), request };
        let begin = move |change: &mut Change<'_>| {
            let UploadRequest { bucket, key, .. } = &upload.request;
            buckets::require(change, bucket)?;
            let raw = serde_json::to_vec(&upload).expect("invariant: maps with string keys serialise");
            change.insert(Table::Upload, &upload_key(bucket, key, &upload.id), raw);
            Ok(upload)
        };
        self.inner.writer.change(begin).await
    }

    /// An upload by its id.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`].
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<UploadInfo> {
        self.bucket(bucket)?;
        let raw = self.inner.index.get(Table::Upload, &upload_key(bucket, key, id))?;
        decode_upload(&raw.ok_or_else(|| Error::NoSuchUpload(id.to_owned()))?)
    }

    /// Writes one part (number 1 to 10,000); a part of the same number is replaced. Parts may come in any order and side
    /// by side. `expect` is called after the stream ended.
    ///
    /// # Errors
    /// As [`put`](Self::put), [`Error::NoSuchUpload`], [`Error::InvalidPart`] for a number out of range.
    pub async fn put_part<B, E>(&self, upload: &UploadInfo, number: u32, body: B, expect: E) -> Result<PartInfo>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
        E: FnOnce() -> Expectations + Send,
    {
        if !(1..=MAX_NUMBER).contains(&number) {
            return Err(Error::InvalidPart(number));
        }
        let algorithms: Vec<ChecksumAlgorithm> =
            upload.request.checksum.iter().map(|(algorithm, _)| *algorithm).collect();
        let Received { digests, location, pending } = self.receive(body, &algorithms, 0).await?;
        digests.verify(&expect())?;
        let info = ObjectInfo {
            size: digests.length,
            etag: hex::encode(digests.md5),
            modified_ms: now_ms(),
            checksums: digests.checksums,
            metadata: Metadata::default(),
            upload_id: None,
        };
        let (bucket, key, id) = (upload.request.bucket.clone(), upload.request.key.clone(), upload.id.clone());
        let publish = move |change: &mut Change<'_>| {
            require(change, &bucket, &key, &id)?;
            let row = part_key(&id, number);
            if let Some(old) = change.get(Table::Part, &row)? {
                release(change, &Record::decode(&old)?.location)?;
            }
            let record = Record { info, location };
            change.insert(Table::Part, &row, record.encode());
            if let Some(pending) = pending {
                keep(change, pending);
            }
            Ok(PartInfo { number, info: record.info })
        };
        self.inner.writer.change(publish).await
    }

    /// Up to `limit` parts of an upload behind the number `after`, and whether there are more.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`].
    pub fn parts(&self, upload: &UploadInfo, after: u32, limit: usize) -> Result<(Vec<PartInfo>, bool)> {
        let start = part_key(&upload.id, after);
        let mut rows = self.inner.index.scan(Table::Part, upload.id.as_bytes(), Bound::Excluded(&start));
        let mut parts = Vec::new();
        for row in rows.by_ref().take(limit) {
            let (key, raw) = row?;
            let (number, record) = decode_part(&key, &raw)?;
            parts.push(PartInfo { number, info: record.info });
        }
        Ok((parts, rows.next().transpose()?.is_some()))
    }

    /// Up to `limit` uploads of keys that begin with `prefix`, behind `after` (a key, and an id of that key or all of them).
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<(&str, Option<&str>)>,
        limit: usize,
    ) -> Result<UploadPage> {
        self.bucket(bucket)?;
        let start = after.map(|(key, id)| match id {
            Some(id) => upload_key(bucket, key, id),
            // Behind every id of the key: ids are ASCII.
            None => upload_key(bucket, key, "\u{7f}"),
        });
        let bound = start.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = self.inner.index.scan(Table::Upload, &key_of(bucket, prefix), bound);
        let uploads = rows.by_ref().take(limit).map(|row| decode_upload(&row?.1)).collect::<Result<_>>()?;
        Ok(UploadPage { uploads, more: rows.next().transpose()?.is_some() })
    }

    /// Makes the object of the named parts, in one durable step. Repeating a completion that succeeded answers the same.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`], [`Error::InvalidPart`], [`Error::InvalidPartOrder`], [`Error::PartTooSmall`],
    /// [`Error::DigestMismatch`] and [`Error::IncompleteBody`] against `expected`, [`Error::PreconditionFailed`].
    pub async fn complete_upload(
        &self,
        (bucket, key, id): (&str, &str, &str),
        named: Vec<CompletePart>,
        condition: WriteCondition,
        expected: Expectations,
    ) -> Result<ObjectInfo> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        if let Ok(info) = self.head(&bucket, &key)
            && info.upload_id.as_ref() == Some(&id)
        {
            return Ok(info);
        }
        let complete = move |change: &mut Change<'_>| {
            let upload = require(change, &bucket, &key, &id)?;
            let mut parts = Vec::with_capacity(named.len());
            for part in &named {
                let raw = change.get(Table::Part, &part_key(&id, part.number))?;
                parts.push((part.number, Record::decode(&raw.ok_or(Error::InvalidPart(part.number))?)?));
            }
            check(&named, &parts)?;
            let info = assemble(&upload, &parts, &expected)?;
            let location =
                Location::Parts(parts.iter().filter_map(|(number, record)| placed(*number, record)).collect());
            named.iter().for_each(|part| change.remove(Table::Part, &part_key(&id, part.number)));
            // Uploaded parts that the completion leaves out are freed.
            remove(change, &bucket, &key, &id)?;
            let record = Record { info, location };
            replace(change, &bucket, &key, &condition, &record)?;
            Ok(record.info)
        };
        self.inner.writer.change(complete).await
    }

    /// Ends an upload and frees its parts.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`].
    pub async fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<()> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let abort = move |change: &mut Change<'_>| {
            require(change, &bucket, &key, &id)?;
            remove(change, &bucket, &key, &id)
        };
        self.inner.writer.change(abort).await
    }
}

/// Forgets an upload with the parts that it still has.
fn remove(change: &mut Change<'_>, bucket: &str, key: &str, id: &str) -> Result<()> {
    for (row, raw) in change.scan(Table::Part, id.as_bytes())? {
        release(change, &Record::decode(&raw)?.location)?;
        change.remove(Table::Part, &row);
    }
    change.remove(Table::Upload, &upload_key(bucket, key, id));
    Ok(())
}

/// Forgets all uploads of a bucket that is being deleted: as on AWS, they do not hold it.
pub(crate) fn remove_all(change: &mut Change<'_>, bucket: &str) -> Result<()> {
    for raw in change.scan(Table::Upload, &key_of(bucket, ""))?.values() {
        let upload = decode_upload(raw)?;
        remove(change, bucket, &upload.request.key, &upload.id)?;
    }
    Ok(())
}

/// An empty part has no content file.
fn placed(number: u32, record: &Record) -> Option<PartRecord> {
    match record.location {
        Location::Blob(blob) => Some(PartRecord { number, size: record.info.size, blob }),
        _ => None,
    }
}

fn check(named: &[CompletePart], parts: &[(u32, Record)]) -> Result<()> {
    if named.is_empty() || !named.is_sorted_by(|a, b| a.number < b.number) {
        return Err(Error::InvalidPartOrder);
    }
    for (named, (number, record)) in named.iter().zip(parts) {
        let same_sum = named.checksum.as_ref().is_none_or(|checksum| record.info.checksums.contains(checksum));
        if named.etag != record.info.etag || !same_sum {
            return Err(Error::InvalidPart(*number));
        }
    }
    let all_but_last = &parts[..parts.len() - 1];
    match all_but_last.iter().find(|(_, record)| record.info.size < MIN_PART) {
        Some((number, record)) => Err(Error::PartTooSmall { number: *number, size: record.info.size }),
        None => Ok(()),
    }
}

fn assemble(upload: &UploadInfo, parts: &[(u32, Record)], expected: &Expectations) -> Result<ObjectInfo> {
    let infos: Vec<&ObjectInfo> = parts.iter().map(|(_, record)| &record.info).collect();
    let size = infos.iter().map(|info| info.size).sum();
    if let Some(length) = expected.length
        && length != size
    {
        return Err(Error::IncompleteBody { expected: length, actual: size });
    }
    let checksum = match upload.request.checksum {
        Some((algorithm, kind)) => Some(combine(algorithm, kind, &infos)?),
        None => None,
    };
    for wanted in &expected.checksums {
        // A composite checksum may be named without the number of parts.
        let same = checksum.as_ref().is_some_and(|sum| {
            sum == wanted || sum.value.split_once('-').is_some_and(|(value, _)| value == wanted.value)
        });
        if !same {
            return Err(Error::DigestMismatch(Digest::Checksum(wanted.algorithm)));
        }
    }
    let digests: Vec<u8> = infos.iter().filter_map(|info| hex::decode(&info.etag).ok()).flatten().collect();
    Ok(ObjectInfo {
        size,
        etag: format!("{}-{}", hex::encode(md5_of(&digests)), infos.len()),
        modified_ms: now_ms(),
        checksums: checksum.into_iter().collect(),
        metadata: upload.request.metadata.clone(),
        upload_id: Some(upload.id.clone()),
    })
}
