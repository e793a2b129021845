//! The index record of an object: everything but the bytes, and where the bytes are.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::hashing::Checksum;

/// What a caller stores beside the bytes. The engine keeps it and does not interpret it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Content headers, lower-case name to value (`content-type`, `cache-control`, `expires` …).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// User metadata, name to value.
    #[serde(default)]
    pub user: BTreeMap<String, String>,
    /// Object tags, name to value.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// An object as HEAD shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Size in bytes.
    pub size: u64,
    /// Entity tag without quotes: the MD5 of the bytes in hexadecimal; of an object uploaded in N parts the MD5 of the
    /// parts' MD5s and `-N`.
    pub etag: String,
    /// When the object was written: milliseconds since the Unix epoch.
    pub modified_ms: u64,
    /// Checksums that the writer asked for.
    #[serde(default)]
    pub checksums: Vec<Checksum>,
    /// What the caller stored beside the bytes.
    #[serde(default)]
    pub metadata: Metadata,
    /// The multipart upload that made the object, so that its completion can be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
}

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// In the record itself.
    Inline(Bytes),
    /// In a content file of their own.
    Blob(Uuid),
    /// In the content files of the parts that were uploaded one by one.
    Parts(Vec<PartRecord>),
}

/// One part of an object that was uploaded in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartRecord {
    /// Its number, 1 to 10,000.
    pub(crate) number: u32,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Its content file.
    pub(crate) blob: Uuid,
}

impl Location {
    /// The content files that hold the bytes.
    pub(crate) fn blobs(&self) -> Vec<Uuid> {
        match self {
            Self::Inline(_) => Vec::new(),
            Self::Blob(id) => vec![*id],
            Self::Parts(parts) => parts.iter().map(|part| part.blob).collect(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) info: ObjectInfo,
    pub(crate) location: Location,
}

const INLINE: u8 = 0;
const BLOB: u8 = 1;
const PARTS: u8 = 2;
/// Number, size and blob id of a part.
const PART_BYTES: usize = 4 + 8 + 16;

impl PartRecord {
    fn encode(&self) -> [u8; PART_BYTES] {
        let mut out = [0; PART_BYTES];
        out[..4].copy_from_slice(&self.number.to_be_bytes());
        out[4..12].copy_from_slice(&self.size.to_be_bytes());
        out[12..].copy_from_slice(self.blob.as_bytes());
        out
    }

    fn decode(raw: &[u8; PART_BYTES]) -> Self {
        let [a, b, c, d, size @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = raw;
        let mut blob = [0; 16];
        blob.copy_from_slice(&raw[12..]);
        let number = u32::from_be_bytes([*a, *b, *c, *d]);
        Self { number, size: u64::from_be_bytes(*size), blob: Uuid::from_bytes(blob) }
    }
}

impl Record {
    /// `kind (1) | length of info (4, big endian) | info as JSON | inline bytes, blob id (16) or parts (28 each)`.
    /// The information is JSON so that later versions can add fields without a migration.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let info = serde_json::to_vec(&self.info).expect("invariant: maps with string keys serialise");
        let parts: Vec<u8>;
        let (kind, tail): (u8, &[u8]) = match &self.location {
            Location::Inline(bytes) => (INLINE, bytes),
            Location::Blob(id) => (BLOB, id.as_bytes()),
            Location::Parts(list) => {
                parts = list.iter().flat_map(PartRecord::encode).collect();
                (PARTS, &parts)
            }
        };
        let mut out = Vec::with_capacity(5 + info.len() + tail.len());
        out.push(kind);
        out.extend_from_slice(&(info.len() as u32).to_be_bytes());
        out.extend_from_slice(&info);
        out.extend_from_slice(tail);
        out
    }

    pub(crate) fn decode(raw: &[u8]) -> Result<Self> {
        let corrupt = |what: &str| Error::Corrupt(format!("object record: {what}"));
        let (head, rest) = raw.split_first_chunk::<5>().ok_or_else(|| corrupt("too short"))?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let (info, tail) = rest.split_at_checked(length).ok_or_else(|| corrupt("cut off"))?;
        let info: ObjectInfo = serde_json::from_slice(info).map_err(|error| corrupt(&error.to_string()))?;
        let location = match head[0] {
            INLINE if tail.len() as u64 == info.size => Location::Inline(Bytes::copy_from_slice(tail)),
            BLOB => Location::Blob(Uuid::from_slice(tail).map_err(|_| corrupt("blob id"))?),
            PARTS => match tail.as_chunks() {
                (parts, []) => Location::Parts(parts.iter().map(PartRecord::decode).collect()),
                _ => return Err(corrupt("parts")),
            },
            _ => return Err(corrupt("location")),
        };
        Ok(Self { info, location })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_survives_its_codec(
            body in prop::collection::vec(any::<u8>(), 0..200),
            user in prop::collection::btree_map(".*", ".*", 0..4),
            modified_ms in any::<u64>(),
        ) {
            let info = ObjectInfo {
                size: body.len() as u64,
                etag: "e".into(),
                modified_ms,
                checksums: Vec::new(),
                metadata: Metadata { user, ..Metadata::default() },
                upload_id: None,
            };
            let part = PartRecord { number: 10_000, size: u64::MAX, blob: Uuid::from_u128(u128::MAX - 7) };
            let parts = Location::Parts(vec![part; body.len() % 5]);
            for location in [Location::Inline(body.clone().into()), Location::Blob(Uuid::from_u128(7)), parts] {
                let record = Record { info: info.clone(), location };
                prop_assert_eq!(Record::decode(&record.encode()).unwrap(), record);
            }
        }

        #[test]
        fn garbage_is_refused_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Record::decode(&raw).is_err());
        }
    }
}
