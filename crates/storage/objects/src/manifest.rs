//! The parts of an object that was uploaded in parts: one row that lists where the bytes of each are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::hashing::{Checksum, ChecksumAlgorithm};
use crate::record::Extent;

/// One part of an object or of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartInfo {
    /// Its number in the upload, 1 to 10,000.
    pub number: u32,
    /// Size in bytes.
    pub size: u64,
    /// Entity tag without quotes: the MD5 of the bytes in hexadecimal.
    pub etag: String,
    /// When the part was written: milliseconds since the Unix epoch.
    pub modified_ms: u64,
    /// The checksums that were computed of it.
    pub checksums: Vec<Checksum>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) info: PartInfo,
    pub(crate) extent: Extent,
}

const ALGORITHMS: [ChecksumAlgorithm; 5] = [
    ChecksumAlgorithm::Crc32,
    ChecksumAlgorithm::Crc32C,
    ChecksumAlgorithm::Crc64Nvme,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha256,
];

pub(crate) fn missing() -> Error {
    Error::Corrupt("the part list of an object is missing".into())
}

/// Parts one after the other, all numbers big endian:
/// `number (4) | size (8) | modified (8) | MD5 (16) | checksums (1) | (algorithm (1) | length (1) | value)… | extent`.
/// An extent is `kind (1) | id (16)`, or `0 | length (4) | bytes`.
/// Binary, because an object of 10,000 parts reads its list on every GET.
pub(crate) fn encode<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Vec<u8> {
    let mut out = Vec::new();
    for Part { info, extent } in parts {
        out.extend_from_slice(&info.number.to_be_bytes());
        out.extend_from_slice(&info.size.to_be_bytes());
        out.extend_from_slice(&info.modified_ms.to_be_bytes());
        out.extend_from_slice(&hex::decode(&info.etag).expect("invariant: the tag of a part is an MD5 in hexadecimal"));
        out.push(info.checksums.len() as u8);
        for Checksum { algorithm, value } in &info.checksums {
            let raw = STANDARD.decode(value).expect("invariant: the value of a computed checksum is base64");
            out.extend_from_slice(&[*algorithm as u8, raw.len() as u8]);
            out.extend_from_slice(&raw);
        }
        match extent {
            Extent::Inline(bytes) => {
                out.push(0);
                out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
                out.extend_from_slice(bytes);
            }
            Extent::Blob(id) => {
                out.push(1);
                out.extend_from_slice(id.as_bytes());
            }
            Extent::Packed(id) => {
                out.push(2);
                out.extend_from_slice(id.as_bytes());
            }
        }
    }
    out
}

pub(crate) fn decode(mut raw: &[u8]) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    while !raw.is_empty() {
        parts.push(part(&mut raw).ok_or_else(|| Error::Corrupt("part record".into()))?);
    }
    Ok(parts)
}

/// A row that holds exactly one part.
pub(crate) fn decode_one(raw: &[u8]) -> Result<Part> {
    let mut rest = raw;
    part(&mut rest).filter(|_| rest.is_empty()).ok_or_else(|| Error::Corrupt("part record".into()))
}

fn part(raw: &mut &[u8]) -> Option<Part> {
    let number = u32::from_be_bytes(fixed(raw)?);
    let size = u64::from_be_bytes(fixed(raw)?);
    let modified_ms = u64::from_be_bytes(fixed(raw)?);
    let etag = hex::encode(fixed::<16>(raw)?);
    let [count] = fixed(raw)?;
    let checksums = (0..count).map(|_| checksum(raw)).collect::<Option<_>>()?;
    let extent = match fixed(raw)? {
        [0] => {
            let length = u32::from_be_bytes(fixed(raw)?) as usize;
            Extent::Inline(Bytes::copy_from_slice(raw.split_off(..length)?))
        }
        [1] => Extent::Blob(Uuid::from_bytes(fixed(raw)?)),
        [2] => Extent::Packed(Uuid::from_bytes(fixed(raw)?)),
        _ => return None,
    };
    Some(Part { info: PartInfo { number, size, etag, modified_ms, checksums }, extent })
}

fn checksum(raw: &mut &[u8]) -> Option<Checksum> {
    let [algorithm, length] = fixed(raw)?;
    let value = STANDARD.encode(raw.split_off(..length as usize)?);
    Some(Checksum { algorithm: *ALGORITHMS.get(algorithm as usize)?, value })
}

fn fixed<const N: usize>(raw: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = raw.split_first_chunk()?;
    *raw = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_part() -> impl Strategy<Value = Part> {
        let checksum = (0_usize..5, prop::collection::vec(any::<u8>(), 0..40));
        let checksums = prop::collection::vec(checksum, 0..3);
        let extent = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..50).prop_map(|bytes| Extent::Inline(bytes.into())),
            any::<u128>().prop_map(|id| Extent::Blob(Uuid::from_u128(id))),
            any::<u128>().prop_map(|id| Extent::Packed(Uuid::from_u128(id))),
        ];
        let numbers = (any::<u32>(), any::<u64>(), any::<u64>(), any::<[u8; 16]>());
        (numbers, checksums, extent).prop_map(|((number, size, modified_ms, md5), checksums, extent)| {
            let checksums = checksums
                .into_iter()
                .map(|(at, value)| Checksum { algorithm: ALGORITHMS[at], value: STANDARD.encode(value) })
                .collect();
            Part { info: PartInfo { number, size, etag: hex::encode(md5), modified_ms, checksums }, extent }
        })
    }

    proptest! {
        #[test]
        fn parts_survive_their_codec(parts in prop::collection::vec(any_part(), 0..5)) {
            let raw = encode(&parts);
            prop_assert_eq!(decode(&raw).unwrap(), parts.clone());
            prop_assert_eq!(decode_one(&raw).is_ok(), parts.len() == 1);
        }

        #[test]
        fn a_cut_list_is_refused(part in any_part(), cut in any::<prop::sample::Index>()) {
            let raw = encode([&part]);
            let cut = cut.index(raw.len());
            prop_assert_eq!(decode(&raw[..cut]).is_ok(), cut == 0);
        }
    }
}
