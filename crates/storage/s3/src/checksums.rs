//! The checksums that clients send beside or behind a body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::AwsError;
use boathouse_aws::http_service::Trailers;
use boathouse_objects::{Checksum, ChecksumAlgorithm, Expectations};
use crc_fast::CrcAlgorithm;
use http::HeaderMap;
use md5::{Digest as _, Md5};
use ring::digest;

use crate::call::find;
use crate::error::{Result, invalid_request};

/// Algorithm, name on the wire, header, bytes of a value.
const ALGORITHMS: [(ChecksumAlgorithm, &str, &str, usize); 5] = [
    (ChecksumAlgorithm::Crc32, "CRC32", "x-amz-checksum-crc32", 4),
    (ChecksumAlgorithm::Crc32C, "CRC32C", "x-amz-checksum-crc32c", 4),
    (ChecksumAlgorithm::Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", 8),
    (ChecksumAlgorithm::Sha1, "SHA1", "x-amz-checksum-sha1", 20),
    (ChecksumAlgorithm::Sha256, "SHA256", "x-amz-checksum-sha256", 32),
];

/// The name that S3's API has for an algorithm.
pub(crate) fn wire_name(algorithm: ChecksumAlgorithm) -> &'static str {
    ALGORITHMS.iter().find(|row| row.0 == algorithm).map(|row| row.1).expect("invariant: the table has all algorithms")
}

/// The algorithm of that name.
pub(crate) fn by_wire_name(name: &str) -> Result<ChecksumAlgorithm> {
    let found = ALGORITHMS.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| row.0);
    found.ok_or_else(|| {
        invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                         [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    })
}

/// The checksum that a request names for an object which is already there, in parts.
pub(crate) fn given(headers: &HeaderMap) -> Option<Checksum> {
    ALGORITHMS.iter().find_map(|row| {
        let value = headers.get(row.2)?.to_str().ok()?.to_owned();
        Some(Checksum { algorithm: row.0, value })
    })
}

/// What a request promises of its body.
#[derive(Debug, Clone)]
pub(crate) struct Announced {
    /// The algorithm of the checksum, if one is sent.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    value: Option<String>,
    md5: Option<[u8; 16]>,
    length: Option<u64>,
}

impl Announced {
    /// Reads `Content-MD5`, `Content-Length`, the checksum header or the announcement of a checksum trailer.
    pub(crate) fn of(headers: &HeaderMap, trailers: &Trailers) -> Result<Self> {
        let text = |name: &str| find(headers, name).and_then(|value| value.to_str().ok());
        let sent: Vec<_> = ALGORITHMS.iter().filter(|row| find(headers, row.2).is_some()).collect();
        let behind: Vec<_> =
            ALGORITHMS.iter().filter(|row| trailers.names().iter().any(|name| name.as_str() == row.2)).collect();
        if sent.len() + behind.len() > 1 {
            return Err(invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let value = sent.first().map(|row| checked(row.2, row.3, text(row.2))).transpose()?;
        let row = sent.first().or(behind.first());
        let algorithm = row.map(|row| row.0);
        if let (Some(named), Some(row)) = (text("x-amz-sdk-checksum-algorithm"), row)
            && by_wire_name(named)? != row.0
        {
            return Err(invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid."));
        }
        let md5 = text("content-md5").map(parse_md5).transpose()?;
        let length = text("content-length").and_then(|length| length.parse().ok());
        Ok(Self { algorithm, value, md5, length })
    }

    /// What the engine must hold the body to, once the trailers are there.
    pub(crate) fn expectations(&self, trailers: &Trailers) -> Expectations {
        let checksum = self.algorithm.map(|algorithm| {
            let row =
                ALGORITHMS.iter().find(|row| row.0 == algorithm).expect("invariant: the table has all algorithms");
            let behind = || {
                let header = trailers.received().and_then(|headers| headers.get(row.2))?;
                header.to_str().ok().map(str::to_owned)
            };
            // A checksum that never came is an empty one, which no body has.
            Checksum { algorithm, value: self.value.clone().or_else(behind).unwrap_or_default() }
        });
        Expectations { length: self.length, md5: self.md5, checksums: checksum.into_iter().collect() }
    }

    /// Holds a document, which is whole, to what was announced.
    ///
    /// # Errors
    /// `BadDigest`.
    pub(crate) fn verify(&self, document: &[u8], trailers: &Trailers) -> Result<()> {
        if self.md5.is_some_and(|md5| md5 != <[u8; 16]>::from(Md5::digest(document))) {
            return Err(bad_digest("Content-MD5"));
        }
        match self.expectations(trailers).checksums.first() {
            Some(sum) if sum.value != compute(sum.algorithm, document) => Err(bad_digest(wire_name(sum.algorithm))),
            _ => Ok(()),
        }
    }

    /// How many bytes are to come, if that is said.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether the MD5 of the body is needed: a client that sends no other checksum may look for it in the entity tag.
    pub(crate) fn needs_md5(&self) -> bool {
        self.md5.is_some() || self.algorithm.is_none()
    }

    /// Whether the request says anything that its body can be checked with.
    pub(crate) fn is_checkable(&self) -> bool {
        self.md5.is_some() || self.algorithm.is_some()
    }
}

fn compute(algorithm: ChecksumAlgorithm, document: &[u8]) -> String {
    let crc = |algorithm| crc_fast::checksum(algorithm, document);
    match algorithm {
        ChecksumAlgorithm::Crc32 => STANDARD.encode((crc(CrcAlgorithm::Crc32IsoHdlc) as u32).to_be_bytes()),
        ChecksumAlgorithm::Crc32C => STANDARD.encode((crc(CrcAlgorithm::Crc32Iscsi) as u32).to_be_bytes()),
        ChecksumAlgorithm::Crc64Nvme => STANDARD.encode(crc(CrcAlgorithm::Crc64Nvme).to_be_bytes()),
        ChecksumAlgorithm::Sha1 => STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, document)),
        ChecksumAlgorithm::Sha256 => STANDARD.encode(digest::digest(&digest::SHA256, document)),
    }
}

/// A digest that the body does not have.
pub(crate) fn bad_digest(what: &str) -> AwsError {
    let message = match what {
        "Content-MD5" => "The Content-MD5 you specified did not match what we received.".to_owned(),
        _ => format!("The {what} you specified did not match the calculated checksum."),
    };
    AwsError::bad_request("BadDigest", message)
}

fn checked(header: &str, length: usize, value: Option<&str>) -> Result<String> {
    let valid = value.filter(|value| STANDARD.decode(value).is_ok_and(|raw| raw.len() == length));
    valid.map(str::to_owned).ok_or_else(|| invalid_request(format!("Value for {header} header is invalid.")))
}

fn parse_md5(text: &str) -> Result<[u8; 16]> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|raw| raw.try_into().ok())
        .ok_or_else(|| AwsError::bad_request("InvalidDigest", "The Content-MD5 you specified is not valid."))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    fn announced(pairs: &[(&'static str, &'static str)]) -> Result<Announced> {
        Announced::of(&headers(pairs), &Trailers::default())
    }

    #[test]
    fn one_valid_checksum_is_taken() {
        let taken = announced(&[("x-amz-checksum-crc32", "y/U6HA=="), ("content-length", "9")]).unwrap();
        let expected = taken.expectations(&Trailers::default());
        assert_eq!(expected.length, Some(9));
        assert_eq!(expected.checksums[0].algorithm, ChecksumAlgorithm::Crc32);
        assert!(taken.is_checkable());
        assert!(!announced(&[("content-length", "9")]).unwrap().is_checkable());
    }

    #[test]
    fn two_or_broken_checksums_are_refused() {
        let two = [("x-amz-checksum-crc32", "y/U6HA=="), ("x-amz-checksum-crc32c", "y/U6HA==")];
        assert_eq!(announced(&two).unwrap_err().code, "InvalidRequest");
        assert!(announced(&[("x-amz-checksum-sha1", "y/U6HA==")]).unwrap_err().message.contains("sha1"));
        assert_eq!(announced(&[("content-md5", "short")]).unwrap_err().code, "InvalidDigest");
        let other = [("x-amz-checksum-crc32", "y/U6HA=="), ("x-amz-sdk-checksum-algorithm", "SHA1")];
        assert_eq!(announced(&other).unwrap_err().code, "InvalidRequest");
    }

    #[test]
    fn documents_are_held_to_their_digests() {
        let sums = [
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ];
        for sum in sums {
            let taken = announced(&[sum]).unwrap();
            assert!(taken.verify(b"123456789", &Trailers::default()).is_ok(), "{}", sum.0);
            assert_eq!(taken.verify(b"12345678", &Trailers::default()).unwrap_err().code, "BadDigest", "{}", sum.0);
        }
    }

    #[test]
    fn a_trailer_that_never_came_matches_nothing() {
        let trailers = Trailers::announced(vec!["x-amz-checksum-sha256".parse().unwrap()]);
        let taken = Announced::of(&HeaderMap::new(), &trailers).unwrap();
        assert_eq!(taken.expectations(&trailers).checksums[0].value, "");
    }
}
