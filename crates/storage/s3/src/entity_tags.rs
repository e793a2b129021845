//! What entity tags are made of: MD5s, as on AWS, or the checksums that bodies come with.

use std::str::FromStr;

use crate::checksums::Announced;

/// Bodies up to this size have an MD5: what is longer, SDKs send in parts, whose objects have no MD5 for a tag on AWS either.
const SHORT: u64 = 8 << 20;

/// Which bodies have their MD5 for an entity tag, although they come with another checksum. Those that come with none, or
/// with `Content-MD5`, have it always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EntityTags {
    /// All, as on AWS.
    Md5,
    /// Objects of up to 8 MiB, but no parts: one core computes 650 MB/s of an MD5, and many times that of a checksum.
    #[default]
    Mixed,
    /// None.
    Checksums,
}

/// A word that is none of `md5`, `mixed` and `checksum`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("entity tags are md5, mixed or checksum, not {0}")]
pub struct UnknownEntityTags(String);

impl FromStr for EntityTags {
    type Err = UnknownEntityTags;

    fn from_str(word: &str) -> Result<Self, UnknownEntityTags> {
        match word {
            "md5" => Ok(Self::Md5),
            "mixed" => Ok(Self::Mixed),
            "checksum" => Ok(Self::Checksums),
            other => Err(UnknownEntityTags(other.to_owned())),
        }
    }
}

impl EntityTags {
    /// Whether an object that is announced like this needs its MD5.
    pub(crate) fn need_md5_of_object(self, announced: &Announced) -> bool {
        announced.needs_md5() || self.take_md5(announced.length().is_none_or(|length| length <= SHORT))
    }

    /// The same of a part.
    pub(crate) fn need_md5_of_part(self, announced: &Announced) -> bool {
        announced.needs_md5() || self.take_md5(false)
    }

    fn take_md5(self, short: bool) -> bool {
        match self {
            Self::Md5 => true,
            Self::Mixed => short,
            Self::Checksums => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use boathouse_aws::http_service::Trailers;
    use http::HeaderMap;

    use super::*;

    fn announced(headers: &[(&'static str, &str)]) -> Announced {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Announced::of(&headers, &Trailers::default()).unwrap()
    }

    const CRC: (&str, &str) = ("x-amz-checksum-crc32", "AAAAAA==");

    #[test]
    fn long_bodies_with_a_checksum_need_none() {
        let of = |length| announced(&[CRC, ("content-length", length)]);
        let (short, long) = (of("8388608"), of("8388609"));
        let needs =
            |tags: EntityTags| [&short, &long].map(|it| (tags.need_md5_of_object(it), tags.need_md5_of_part(it)));
        assert_eq!(needs(EntityTags::Md5), [(true, true), (true, true)]);
        assert_eq!(needs(EntityTags::Mixed), [(true, false), (false, false)]);
        assert_eq!(needs(EntityTags::Checksums), [(false, false), (false, false)]);
        assert!(EntityTags::Mixed.need_md5_of_object(&announced(&[CRC])), "a form does not say how long its file is");
    }

    #[test]
    fn who_looks_for_an_md5_gets_it() {
        let length = ("content-length", "99999999");
        for it in [announced(&[length]), announced(&[CRC, length, ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")])] {
            assert!(EntityTags::Checksums.need_md5_of_object(&it) && EntityTags::Checksums.need_md5_of_part(&it));
        }
    }

    #[test]
    fn words() {
        assert_eq!(
            ["md5", "mixed", "checksum"].map(|it| it.parse()),
            [Ok(EntityTags::Md5), Ok(EntityTags::default()), Ok(EntityTags::Checksums)]
        );
        assert_eq!(
            "sha1".parse::<EntityTags>().unwrap_err().to_string(),
            "entity tags are md5, mixed or checksum, not sha1"
        );
    }
}
