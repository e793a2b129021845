//! The index record of an object: everything but the bytes, and where the bytes are.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::hashing::Checksum;
use crate::locks::Lock;
use crate::sealing::{self, Encryption};

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
    /// What else the front keeps with an object, such as its storage class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub system: BTreeMap<String, String>,
}

/// An object as HEAD shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Size in bytes.
    pub size: u64,
    /// Entity tag without quotes: the MD5 of the bytes in hexadecimal; of an object that was uploaded in parts the MD5 of
    /// their MD5s, a dash and their number.
    pub etag: String,
    /// When the object was written: milliseconds since the Unix epoch.
    pub modified_ms: u64,
    /// Checksums that the writer asked for.
    #[serde(default)]
    pub checksums: Vec<Checksum>,
    /// What the caller stored beside the bytes.
    #[serde(default)]
    pub metadata: Metadata,
    /// How the bytes are encrypted at rest, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The id of its version; none if it was written without versioning: the version `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its place among the versions of its key, greater than that of every version before; zero without versioning.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub order: u64,
    /// Whether this is no object but says that it was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_marker: bool,
    /// What keeps it from being deleted.
    #[serde(default, skip_serializing_if = "Lock::is_none")]
    pub lock: Lock,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl ObjectInfo {
    /// How many parts the object was uploaded in; `None` if it was written whole.
    pub fn part_count(&self) -> Option<u32> {
        self.etag.split_once('-').and_then(|(_, count)| count.parse().ok())
    }
}

/// Bytes in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// In the row itself.
    Inline(Bytes),
    /// In a content file of their own.
    Blob(Uuid),
    /// In the pack that the slot of this id names.
    Packed(Uuid),
}

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// In one place.
    Whole(Extent),
    /// In the parts that the manifest row of this id lists: the upload the object came from.
    Parts(Uuid),
    /// In an object of the remote store that is not the store's own.
    Attached(Attached),
}

/// An object of the remote store's bucket that somebody else wrote. It is read, and neither changed nor removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attached {
    pub(crate) key: String,
    /// What it must have to be what it was, as HTTP writes it.
    pub(crate) etag: Option<String>,
}

impl Location {
    /// What several records can share.
    pub(crate) fn id(&self) -> Option<Uuid> {
        match self {
            Self::Whole(Extent::Inline(_)) | Self::Attached(_) => None,
            Self::Whole(Extent::Blob(id) | Extent::Packed(id)) | Self::Parts(id) => Some(*id),
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
const PACKED: u8 = 2;
const PARTS: u8 = 3;
const ATTACHED: u8 = 4;

impl Record {
    /// `kind (1) | length of info (4, big endian) | info as JSON | inline bytes, id (16), or JSON of what is attached`.
    /// The information is JSON so that later versions can add fields without a migration.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let info = serde_json::to_vec(&self.info).expect("invariant: maps with string keys serialise");
        let attached;
        let (kind, tail): (u8, &[u8]) = match &self.location {
            Location::Whole(Extent::Inline(bytes)) => (INLINE, bytes),
            Location::Whole(Extent::Blob(id)) => (BLOB, id.as_bytes()),
            Location::Whole(Extent::Packed(id)) => (PACKED, id.as_bytes()),
            Location::Parts(id) => (PARTS, id.as_bytes()),
            Location::Attached(there) => {
                attached = serde_json::to_vec(there).expect("invariant: texts serialise");
                (ATTACHED, &attached)
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
        let id = || Uuid::from_slice(tail).map_err(|_| corrupt("id"));
        let location = match head[0] {
            INLINE if tail.len() as u64 == inline_bytes(&info) => {
                Location::Whole(Extent::Inline(Bytes::copy_from_slice(tail)))
            }
            BLOB => Location::Whole(Extent::Blob(id()?)),
            PACKED => Location::Whole(Extent::Packed(id()?)),
            PARTS => Location::Parts(id()?),
            ATTACHED => Location::Attached(serde_json::from_slice(tail).map_err(|error| corrupt(&error.to_string()))?),
            _ => return Err(corrupt("location")),
        };
        Ok(Self { info, location })
    }
}

/// How long the bytes of an object are in its row: with their run's id before them, if they are encrypted.
fn inline_bytes(info: &ObjectInfo) -> u64 {
    match info.encryption {
        None => info.size,
        Some(_) => size_of::<Uuid>() as u64 + sealing::sealed_bytes(info.size),
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
                ..ObjectInfo::default()
            };
            let id = Uuid::from_u128(7);
            let extents = [Extent::Inline(body.clone().into()), Extent::Blob(id), Extent::Packed(id)].map(Location::Whole);
            let attached = Location::Attached(Attached { key: "a \"b\"".into(), etag: None });
            for location in extents.into_iter().chain([Location::Parts(id), attached]) {
                let record = Record { info: info.clone(), location };
                prop_assert_eq!(Record::decode(&record.encode()).unwrap(), record);
            }
        }

        #[test]
        fn garbage_is_refused_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Record::decode(&raw).is_err());
        }
    }

    #[test]
    fn records_from_before_there_were_versions_are_read() {
        let info =
            br#"{"size":3,"etag":"e","modified_ms":7,"checksums":[],"metadata":{"headers":{},"user":{},"tags":{}}}"#;
        let raw = [&[INLINE][..], &(info.len() as u32).to_be_bytes(), info, b"abc"].concat();
        let Record { info, location } = Record::decode(&raw).unwrap();
        assert_eq!(location, Location::Whole(Extent::Inline(Bytes::from_static(b"abc"))));
        assert_eq!((info.version_id(), info.delete_marker, info.lock), ("null", false, Lock::default()));
        assert_eq!(info.place(), 7_000_000, "what was written then is older than any version");
        // Without versions, records are as they were.
        assert_eq!(Record { info, location }.encode(), raw);
    }
}
