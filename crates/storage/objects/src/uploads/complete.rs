//! Completion: the parts become one object.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Place, Row, end};
use crate::error::{Digest, Error, Result};
use crate::hashing::{self, Checksum};
use crate::index::{Change, Table};
use crate::manifest::{self, Part};
use crate::objects::WriteCondition;
use crate::outbox::{Cause, ChangeKind};
use crate::record::{Location, ObjectInfo, Record};
use crate::references::{current, replace};
use crate::{Objects, buckets};

/// The least size of a part that is not the last one.
const LEAST_PART: u64 = 5 << 20;

/// A part that the object is to be made of.
#[derive(Debug, Clone, Default)]
pub struct CompletedPart {
    /// Its number.
    pub number: u32,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Checksums that it must have.
    pub checksums: Vec<Checksum>,
}

/// An upload that is to become an object.
#[derive(Debug, Clone, Default)]
pub struct CompleteUpload {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The upload.
    pub upload_id: String,
    /// The parts, in ascending order. Others are removed.
    pub parts: Vec<CompletedPart>,
    /// The checksum that the object must have.
    pub checksum: Option<Checksum>,
    /// The size that the object must have.
    pub size: Option<u64>,
    /// What must hold when the object becomes visible.
    pub condition: WriteCondition,
    /// What is to be kept with the change, where the bucket is watched.
    pub origin: Option<String>,
}

impl Objects {
    /// Makes the parts of an upload one object. Repeating it after it succeeded is no error, as long as its object is there.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchUpload`], [`Error::InvalidPart`], [`Error::InvalidPartOrder`],
    /// [`Error::PartTooSmall`], [`Error::DigestMismatch`], [`Error::IncompleteBody`], [`Error::PreconditionFailed`],
    /// [`Error::NoSuchKey`] (conditional on a missing object).
    pub async fn complete_upload(&self, request: CompleteUpload) -> Result<ObjectInfo> {
        self.complete_with(request, LEAST_PART).await
    }

    /// As [`complete_upload`](Self::complete_upload), with another least size of parts.
    pub(crate) async fn complete_with(&self, request: CompleteUpload, least: u64) -> Result<ObjectInfo> {
        let place = Place::find(&request.bucket, &request.key, &request.upload_id)?;
        let modified_ms = self.now_ms();
        let complete = move |change: &mut Change<'_>| {
            buckets::require(change, &request.bucket)?;
            let upload = match place.require(change) {
                Ok(upload) => upload,
                Err(error) => return already(change, &request, place.id)?.ok_or(error),
            };
            let parts = chosen(change, &place, &request.parts, least)?;
            let info = describe(upload, &parts, modified_ms)?;
            verify(&request, &info)?;
            let record = Record { info, location: Location::Parts(place.id) };
            let origin = request.origin.clone();
            let cause = Cause { kind: ChangeKind::CompleteUpload, at_ms: modified_ms, origin };
            let info = replace(change, &request.bucket, &request.key, &request.condition, record, cause)?;
            change.insert(Table::Manifest, place.id.as_bytes(), manifest::encode(parts.values()));
            end(change, &place, |number| parts.contains_key(&number))?;
            Ok(info)
        };
        self.inner.writer.change(complete).await
    }
}

/// The object that this upload has become, if it is still there.
fn already(change: &Change<'_>, request: &CompleteUpload, id: Uuid) -> Result<Option<ObjectInfo>> {
    let record = current(change, &request.bucket, &request.key)?;
    Ok(record.filter(|record| record.location == Location::Parts(id)).map(|record| record.info))
}

/// The listed parts, all of which must be there and as announced.
fn chosen(change: &Change<'_>, place: &Place, listed: &[CompletedPart], least: u64) -> Result<BTreeMap<u32, Part>> {
    if listed.is_empty() || !listed.is_sorted_by(|a, b| a.number < b.number) {
        return Err(Error::InvalidPartOrder);
    }
    let mut parts = BTreeMap::new();
    for (at, announced) in listed.iter().enumerate() {
        let number = announced.number;
        let raw = change.get(Table::Part, &place.part(number))?.ok_or(Error::InvalidPart(number))?;
        let part = manifest::decode_one(&raw)?;
        let known = announced.checksums.iter().all(|checksum| part.info.checksums.contains(checksum));
        if part.info.etag != announced.etag || !known {
            return Err(Error::InvalidPart(number));
        }
        if part.info.size < least && at + 1 < listed.len() {
            return Err(Error::PartTooSmall { number, size: part.info.size, minimum: least });
        }
        parts.insert(number, part);
    }
    Ok(parts)
}

fn describe(upload: Row, parts: &BTreeMap<u32, Part>, modified_ms: u64) -> Result<ObjectInfo> {
    let checksum = match upload.checksum {
        Some((algorithm, kind)) => {
            let of_part = |part: &'_ Part| -> Option<String> {
                part.info.checksums.iter().find(|sum| sum.algorithm == algorithm).map(|sum| sum.value.clone())
            };
            let sums = parts.values().map(|part| of_part(part).map(|sum| (part.info.size, sum)));
            let sums =
                sums.collect::<Option<Vec<_>>>().ok_or_else(|| Error::Corrupt("a part has no checksum".into()))?;
            hashing::of_parts(algorithm, kind, &sums)?
        }
        None => None,
    };
    Ok(ObjectInfo {
        size: parts.values().map(|part| part.info.size).sum(),
        etag: hashing::etag_of_parts(parts.values().map(|part| &part.info.etag[..]))?,
        modified_ms,
        checksums: checksum.into_iter().collect(),
        metadata: upload.metadata,
        encryption: upload.encryption,
        lock: upload.lock,
        ..ObjectInfo::default()
    })
}

fn verify(request: &CompleteUpload, info: &ObjectInfo) -> Result<()> {
    if let Some(expected) = request.size.filter(|size| *size != info.size) {
        return Err(Error::IncompleteBody { expected, actual: info.size });
    }
    match request.checksum.as_ref().filter(|checksum| !info.checksums.contains(checksum)) {
        Some(wrong) => Err(Error::DigestMismatch(Digest::Checksum(wrong.algorithm))),
        None => Ok(()),
    }
}
