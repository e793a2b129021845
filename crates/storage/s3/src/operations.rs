//! The operations: each authorises, translates, and leaves the work to the engine.

pub(crate) mod batch;
pub(crate) mod bucket;
pub(crate) mod configuration;
pub(crate) mod copy;
pub(crate) mod encryption;
pub(crate) mod listing;
pub(crate) mod multipart;
pub(crate) mod notification;
pub(crate) mod object;
pub(crate) mod tagging;
pub(crate) mod uploads;

use std::time::{Duration, SystemTime};

use s3s::dto::{ETag, Owner, Timestamp};

use crate::error::Result;

/// What a handler returns to the codec.
pub(crate) type Reply<O> = Result<s3s::S3Response<O>>;

/// The account's canonical user id, which S3 has beside the account's number.
pub(crate) const OWNER_ID: &str = "f7b11509f4d675c3c44f0dd37ca830bb02e8cfa58f04c46283c4bfcbdce1ff45";

pub(crate) fn owner() -> Owner {
    Owner { display_name: None, id: Some(OWNER_ID.into()) }
}

pub(crate) fn timestamp(ms: u64) -> Timestamp {
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(ms))
}

pub(crate) fn etag(text: &str) -> ETag {
    ETag::Strong(text.to_owned())
}

/// Fills the checksum members that several of the codec's structures have.
macro_rules! fill_checksums {
    ($target:expr, $info:expr) => {
        for sum in &$info.checksums {
            let value = Some(sum.value.clone());
            match sum.algorithm {
                boathouse_objects::ChecksumAlgorithm::Crc32 => $target.checksum_crc32 = value,
                boathouse_objects::ChecksumAlgorithm::Crc32C => $target.checksum_crc32c = value,
                boathouse_objects::ChecksumAlgorithm::Crc64Nvme => $target.checksum_crc64nvme = value,
                boathouse_objects::ChecksumAlgorithm::Sha1 => $target.checksum_sha1 = value,
                boathouse_objects::ChecksumAlgorithm::Sha256 => $target.checksum_sha256 = value,
            }
            $target.checksum_type =
                Some($crate::operations::multipart::wire_kind($crate::operations::multipart::kind_of(sum)));
        }
    };
}
pub(crate) use fill_checksums;
