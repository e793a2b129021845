//! The operations: each authorises, translates, and leaves the work to the engine.

pub(crate) mod acl;
pub(crate) mod batch;
pub(crate) mod bucket;
pub(crate) mod configuration;
pub(crate) mod copy;
pub(crate) mod encryption;
pub(crate) mod inventory;
pub(crate) mod lifecycle;
pub(crate) mod listing;
pub(crate) mod lock;
pub(crate) mod logging;
pub(crate) mod multipart;
pub(crate) mod notification;
pub(crate) mod object;
pub(crate) mod tagging;
pub(crate) mod unconfigured;
pub(crate) mod uploads;
pub(crate) mod versioning;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use s3s::dto::{ETag, Owner, Timestamp, TimestampFormat};

use crate::call::Call;
use crate::error::Result;
use crate::storage_class;

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

/// The moment that the codec has read.
pub(crate) fn moment(timestamp: &Timestamp) -> Option<DateTime<Utc>> {
    let mut text = Vec::new();
    timestamp.format(TimestampFormat::DateTime, &mut text).ok()?;
    let moment = DateTime::parse_from_rfc3339(std::str::from_utf8(&text).ok()?).ok()?;
    Some(moment.to_utc())
}

/// What a write keeps beside an object that is neither a content header nor the user's.
pub(crate) fn system(call: &Call) -> BTreeMap<String, String> {
    let mut system = BTreeMap::new();
    if let Some(class) = call.header(storage_class::HEADER) {
        storage_class::keep(&mut system, class);
    }
    system
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
