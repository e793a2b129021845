//! Digests of bodies while they stream: MD5 for the entity tag, and the checksums that were asked for.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use serde::{Deserialize, Serialize};

use crate::error::{Digest, Error, Result};
use crate::lanes::{self, Md5};

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

/// What the checksum of an object that was uploaded in parts is computed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// Of all its bytes.
    FullObject,
    /// Of the checksums of its parts; the value ends with a dash and their number.
    Composite,
}

impl ChecksumAlgorithm {
    /// Which kinds the algorithm has: hashes cannot be combined, and CRC-64/NVME is always of all bytes.
    pub fn supports(self, kind: ChecksumKind) -> bool {
        match kind {
            ChecksumKind::FullObject => self.crc().is_some(),
            ChecksumKind::Composite => self != Self::Crc64Nvme,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32C => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }
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
    md5: Option<Md5>,
    checksums: Vec<(ChecksumAlgorithm, State)>,
}

/// The digests of a whole body.
#[derive(Debug, Clone)]
pub(crate) struct Digests {
    pub(crate) length: u64,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) checksums: Vec<Checksum>,
}

impl Hasher {
    /// With an MD5 if that is needed, or if there is nothing else to make an entity tag of.
    pub(crate) fn new(algorithms: &[ChecksumAlgorithm], needs_md5: bool) -> Self {
        let checksums = algorithms.iter().map(|&algorithm| (algorithm, State::new(algorithm))).collect();
        let md5 = (needs_md5 || algorithms.is_empty()).then(Md5::default);
        Self { length: 0, md5, checksums }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.update_checksums(data);
        if let Some(md5) = &mut self.md5 {
            md5.update(data);
        }
    }

    fn update_checksums(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        for (_, state) in &mut self.checksums {
            state.update(data);
        }
    }

    /// Updates several at once.
    pub(crate) fn update_all<'a>(work: impl Iterator<Item = (&'a mut Self, &'a [Bytes])>) {
        let jobs = work.filter_map(|(hasher, chunks)| {
            chunks.iter().for_each(|chunk| hasher.update_checksums(chunk));
            let md5 = hasher.md5.as_mut()?;
            Some(lanes::Job { md5, chunks: chunks.iter().map(|chunk| &chunk[..]).collect() })
        });
        lanes::update_all(jobs.collect());
    }

    pub(crate) fn finish(self) -> Digests {
        let checksums =
            self.checksums.into_iter().map(|(algorithm, state)| Checksum { algorithm, value: state.value(algorithm) });
        Digests { length: self.length, md5: self.md5.map(Md5::finish), checksums: checksums.collect() }
    }
}

impl State {
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        let sha = |algorithm| Self::Sha(ring::digest::Context::new(algorithm));
        match (algorithm.crc(), algorithm) {
            (Some(crc), _) => Self::Crc(crc_fast::Digest::new(crc)),
            (None, ChecksumAlgorithm::Sha1) => sha(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY),
            (None, _) => sha(&ring::digest::SHA256),
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
            Self::Crc(crc) => crc_value(algorithm, crc.finalize()),
            Self::Sha(sha) => STANDARD.encode(sha.finish()),
        }
    }
}

fn crc_value(algorithm: ChecksumAlgorithm, crc: u64) -> String {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => STANDARD.encode(crc.to_be_bytes()),
        _ => STANDARD.encode((crc as u32).to_be_bytes()),
    }
}

fn raw(value: &str) -> Result<Vec<u8>> {
    STANDARD.decode(value).map_err(|_| Error::Corrupt("stored checksum".into()))
}

/// The checksum of an object from those of its parts, given with their sizes; `None` if the algorithm has no such kind.
pub(crate) fn of_parts(
    algorithm: ChecksumAlgorithm,
    kind: ChecksumKind,
    parts: &[(u64, String)],
) -> Result<Option<Checksum>> {
    let value = match (kind, algorithm.crc()) {
        (ChecksumKind::Composite, _) => {
            let mut state = State::new(algorithm);
            for (_, value) in parts {
                state.update(&raw(value)?);
            }
            format!("{}-{}", state.value(algorithm), parts.len())
        }
        (ChecksumKind::FullObject, Some(crc)) => {
            let mut whole = crc_fast::Digest::new(crc).finalize();
            for (size, value) in parts {
                let part = raw(value)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
                whole = crc_fast::checksum_combine(crc, whole, part, *size);
            }
            crc_value(algorithm, whole)
        }
        (ChecksumKind::FullObject, None) => return Ok(None),
    };
    Ok(Some(Checksum { algorithm, value }))
}

/// The entity tag of an object from those of its parts.
pub(crate) fn etag_of_parts<'a>(etags: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let (mut md5, mut count) = (Md5::default(), 0);
    for etag in etags {
        md5.update(&hex::decode(etag).map_err(|_| Error::Corrupt("stored entity tag".into()))?);
        count += 1;
    }
    Ok(format!("{}-{count}", hex::encode(md5.finish())))
}

impl Digests {
    /// The entity tag of an object with these. Without an MD5 it ends with `-c`, so that no client takes it for one.
    pub(crate) fn object_tag(&self) -> String {
        let mut tag = self.part_tag();
        if self.md5.is_none() {
            tag.push_str("-c");
        }
        tag
    }

    /// The entity tag of a part with these: 16 bytes in hexadecimal.
    pub(crate) fn part_tag(&self) -> String {
        hex::encode(self.md5.unwrap_or_else(|| self.condensed()))
    }

    /// All that is known of the body, in as many bytes as an MD5 has.
    fn condensed(&self) -> [u8; 16] {
        let mut all = self.length.to_string();
        for Checksum { algorithm, value } in &self.checksums {
            write!(all, " {algorithm:?} {value}").expect("invariant: a string takes everything");
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, all.as_bytes());
        *digest.as_ref().first_chunk().expect("invariant: SHA-256 has 32 bytes")
    }

    pub(crate) fn verify(&self, expected: &Expectations) -> Result<()> {
        if let Some(length) = expected.length
            && length != self.length
        {
            return Err(Error::IncompleteBody { expected: length, actual: self.length });
        }
        if expected.md5.is_some() && expected.md5 != self.md5 {
            return Err(Error::DigestMismatch(Digest::Md5));
        }
        match expected.checksums.iter().find(|checksum| !self.checksums.contains(checksum)) {
            Some(wrong) => Err(Error::DigestMismatch(Digest::Checksum(wrong.algorithm))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms and of FIPS 180 test strings for "123456789".
    #[test]
    fn known_values() {
        let algorithms = [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Crc64Nvme];
        let mut hasher = Hasher::new(&algorithms, true);
        hasher.update(b"1234");
        hasher.update(b"56789");
        let digests = hasher.finish();
        let raw = |i: usize| hex::encode(STANDARD.decode(&digests.checksums[i].value).unwrap());
        assert_eq!(raw(0), "cbf43926");
        assert_eq!(raw(1), "e3069283");
        assert_eq!(raw(2), "ae8b14860a799888");
        assert_eq!(digests.object_tag(), "25f9e794323b453885f5181f1b624d0b");
    }

    #[test]
    fn a_tag_without_an_md5_stands_for_the_content_and_looks_like_no_md5() {
        let digests = |content: &[u8], algorithms: &[ChecksumAlgorithm]| {
            let mut hasher = Hasher::new(algorithms, false);
            hasher.update(content);
            hasher.finish()
        };
        let (one, other) = (digests(b"a", &[ChecksumAlgorithm::Crc32]), digests(b"b", &[ChecksumAlgorithm::Crc32]));
        assert_eq!(one.object_tag(), digests(b"a", &[ChecksumAlgorithm::Crc32]).object_tag());
        assert_ne!(one.object_tag(), other.object_tag());
        assert_eq!(one.object_tag(), format!("{}-c", one.part_tag()));
        assert_eq!(one.part_tag().len(), 32);
        let asked = Expectations { md5: Some([0; 16]), ..Expectations::default() };
        assert!(matches!(one.verify(&asked), Err(Error::DigestMismatch(Digest::Md5))), "nothing was compared");
        assert_eq!(digests(b"", &[]).object_tag(), "d41d8cd98f00b204e9800998ecf8427e", "there is nothing else");
    }

    #[test]
    fn a_wrong_announcement_is_named() {
        let mut hasher = Hasher::new(&[ChecksumAlgorithm::Sha256], true);
        hasher.update(b"body");
        let digests = hasher.finish();
        let good = Expectations { length: Some(4), md5: digests.md5, checksums: digests.checksums.clone() };
        assert!(digests.verify(&good).is_ok());
        let short = Expectations { length: Some(5), ..good.clone() };
        assert!(matches!(digests.verify(&short), Err(Error::IncompleteBody { expected: 5, actual: 4 })));
        let other = Expectations { md5: Some([0; 16]), ..good.clone() };
        assert!(matches!(digests.verify(&other), Err(Error::DigestMismatch(Digest::Md5))));
        let never_computed = Checksum { algorithm: ChecksumAlgorithm::Sha1, value: String::new() };
        let sum = Expectations { checksums: vec![never_computed], ..good };
        assert!(matches!(digests.verify(&sum), Err(Error::DigestMismatch(Digest::Checksum(ChecksumAlgorithm::Sha1)))));
    }

    #[test]
    fn checksums_of_parts() {
        let sums = |data: &[u8], algorithm| {
            let mut hasher = Hasher::new(&[algorithm], false);
            hasher.update(data);
            hasher.finish().checksums.remove(0).value
        };
        for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Crc64Nvme] {
            let (a, b) = (sums(b"12345", algorithm), sums(b"6789", algorithm));
            let whole = of_parts(algorithm, ChecksumKind::FullObject, &[(5, a), (4, b)]).unwrap().unwrap();
            assert_eq!(whole.value, sums(b"123456789", algorithm));
        }
        let sha = ChecksumAlgorithm::Sha256;
        assert_eq!(of_parts(sha, ChecksumKind::FullObject, &[]).unwrap(), None);
        let one = sums(b"12345", sha);
        let composite = of_parts(sha, ChecksumKind::Composite, &[(5, one.clone())]).unwrap().unwrap();
        assert_eq!(composite.value, format!("{}-1", sums(&raw(&one).unwrap(), sha)));
        assert!(!ChecksumAlgorithm::Crc64Nvme.supports(ChecksumKind::Composite));
        assert!(!sha.supports(ChecksumKind::FullObject));
    }
}
