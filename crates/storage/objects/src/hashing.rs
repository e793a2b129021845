//! Digests of bodies while they stream: MD5 for the entity tag, and the checksums that were asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use crate::error::{Digest, Error, Result};
use crate::multipart::ChecksumKind;
use crate::record::ObjectInfo;

/// A checksum that can be computed, verified and stored with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32C,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// The value of one checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: ChecksumAlgorithm,
    /// The value, big endian, in base64.
    pub value: String,
}

/// What a caller knows of a body and wants to be held to. Asked for only after the body ended, because trailers come last.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// Decoded length in bytes.
    pub length: Option<u64>,
    /// MD5 of the body.
    pub md5: Option<[u8; 16]>,
    /// Checksums; an algorithm that was not among the requested ones counts as a mismatch.
    pub checksums: Vec<Checksum>,
}

enum State {
    Crc(crc_fast::Digest),
    Sha(ring::digest::Context),
}

pub(crate) struct Hasher {
    length: u64,
    md5: Md5,
    checksums: Vec<(ChecksumAlgorithm, State)>,
}

/// The digests of a whole body.
#[derive(Debug, Clone)]
pub(crate) struct Digests {
    pub(crate) length: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: Vec<Checksum>,
}

impl Hasher {
    pub(crate) fn new(algorithms: &[ChecksumAlgorithm]) -> Self {
        let checksums = algorithms.iter().map(|&algorithm| (algorithm, State::new(algorithm))).collect();
        Self { length: 0, md5: Md5::new(), checksums }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        self.md5.update(data);
        self.checksums.iter_mut().for_each(|(_, state)| state.update(data));
    }

    pub(crate) fn finish(self) -> Digests {
        let checksums =
            self.checksums.into_iter().map(|(algorithm, state)| Checksum { algorithm, value: state.value(algorithm) });
        Digests { length: self.length, md5: self.md5.finalize().into(), checksums: checksums.collect() }
    }
}

impl State {
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        match (crc_of(algorithm), algorithm) {
            (Some(crc), _) => Self::Crc(crc_fast::Digest::new(crc)),
            (None, ChecksumAlgorithm::Sha1) => {
                Self::Sha(ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY))
            }
            (None, _) => Self::Sha(ring::digest::Context::new(&ring::digest::SHA256)),
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc(crc) => crc.update(data),
            Self::Sha(sha) => sha.update(data),
        }
    }

    fn value(self, algorithm: ChecksumAlgorithm) -> String {
        match self {
            Self::Crc(crc) => encode_crc(algorithm, crc.finalize()),
            Self::Sha(sha) => STANDARD.encode(sha.finish()),
        }
    }
}

impl Digests {
    pub(crate) fn verify(&self, expected: &Expectations) -> Result<()> {
        if let Some(length) = expected.length
            && length != self.length
        {
            return Err(Error::IncompleteBody { expected: length, actual: self.length });
        }
        if expected.md5.is_some_and(|md5| md5 != self.md5) {
            return Err(Error::DigestMismatch(Digest::Md5));
        }
        match expected.checksums.iter().find(|checksum| !self.checksums.contains(checksum)) {
            Some(wrong) => Err(Error::DigestMismatch(Digest::Checksum(wrong.algorithm))),
            None => Ok(()),
        }
    }
}

pub(crate) fn md5_of(data: &[u8]) -> [u8; 16] {
    Md5::digest(data).into()
}

/// The checksum of an object made of these parts, each of which has the checksum of this algorithm.
pub(crate) fn combine(algorithm: ChecksumAlgorithm, kind: ChecksumKind, parts: &[&ObjectInfo]) -> Result<Checksum> {
    let missing = || Error::Corrupt("a part has no checksum".into());
    let value_of = |part: &&ObjectInfo| {
        let checksum = part.checksums.iter().find(|checksum| checksum.algorithm == algorithm);
        checksum.and_then(|checksum| STANDARD.decode(&checksum.value).ok()).ok_or_else(missing)
    };
    let values = parts.iter().map(value_of).collect::<Result<Vec<_>>>()?;
    let value = match (kind, crc_of(algorithm)) {
        (ChecksumKind::FullObject, Some(crc)) => {
            let whole = values.iter().zip(parts).fold(0, |whole, (value, part)| {
                let value = value.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
                crc_fast::checksum_combine(crc, whole, value, part.size)
            });
            encode_crc(algorithm, whole)
        }
        _ => {
            let mut state = State::new(algorithm);
            values.iter().for_each(|value| state.update(value));
            format!("{}-{}", state.value(algorithm), values.len())
        }
    };
    Ok(Checksum { algorithm, value })
}

fn crc_of(algorithm: ChecksumAlgorithm) -> Option<CrcAlgorithm> {
    match algorithm {
        ChecksumAlgorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        ChecksumAlgorithm::Crc32C => Some(CrcAlgorithm::Crc32Iscsi),
        ChecksumAlgorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => None,
    }
}

fn encode_crc(algorithm: ChecksumAlgorithm, value: u64) -> String {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => STANDARD.encode(value.to_be_bytes()),
        _ => STANDARD.encode((value as u32).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms and of FIPS 180 test strings for "123456789".
    #[test]
    fn known_values() {
        let algorithms = [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Crc64Nvme];
        let mut hasher = Hasher::new(&algorithms);
        hasher.update(b"1234");
        hasher.update(b"56789");
        let digests = hasher.finish();
        let raw = |i: usize| hex::encode(STANDARD.decode(&digests.checksums[i].value).unwrap());
        assert_eq!(raw(0), "cbf43926");
        assert_eq!(raw(1), "e3069283");
        assert_eq!(raw(2), "ae8b14860a799888");
        assert_eq!(hex::encode(digests.md5), "25f9e794323b453885f5181f1b624d0b");
    }

    #[test]
    fn a_wrong_announcement_is_named() {
        let mut hasher = Hasher::new(&[ChecksumAlgorithm::Sha256]);
        hasher.update(b"body");
        let digests = hasher.finish();
        let good = Expectations { length: Some(4), md5: Some(digests.md5), checksums: digests.checksums.clone() };
        assert!(digests.verify(&good).is_ok());
        let short = Expectations { length: Some(5), ..good.clone() };
        assert!(matches!(digests.verify(&short), Err(Error::IncompleteBody { expected: 5, actual: 4 })));
        let other = Expectations { md5: Some([0; 16]), ..good.clone() };
        assert!(matches!(digests.verify(&other), Err(Error::DigestMismatch(Digest::Md5))));
        let never_computed = Checksum { algorithm: ChecksumAlgorithm::Sha1, value: String::new() };
        let sum = Expectations { checksums: vec![never_computed], ..good };
        assert!(matches!(digests.verify(&sum), Err(Error::DigestMismatch(Digest::Checksum(ChecksumAlgorithm::Sha1)))));
    }
}
