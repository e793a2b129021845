//! Partition transforms: what a row's partition is made of.

use std::fmt;
use std::str::FromStr;

use chrono::Datelike;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};
use crate::schema::PrimitiveType;
use crate::value::{Datum, date, minimal_bytes};

/// A function from a column's value to a partition's value ("Partition Transforms"). NULL always gives NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transform {
    /// The value itself.
    Identity,
    /// One of so many buckets, by the value's hash.
    Bucket(u32),
    /// The beginning of a text, or a number rounded down to a multiple.
    Truncate(u32),
    /// Years since 1970.
    Year,
    /// Months since January 1970.
    Month,
    /// Days since 1970.
    Day,
    /// Hours since 1970.
    Hour,
    /// Always NULL: what a dropped partition field becomes.
    Void,
}

const MICROS_PER_HOUR: i64 = 3_600_000_000;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

impl Transform {
    /// The type of the results for a column's type; none if the transform can't be applied to it.
    pub fn result_type(self, source: PrimitiveType) -> Option<PrimitiveType> {
        use PrimitiveType::{
            Binary, Boolean, Date, Decimal, Double, Fixed, Float, Int, Long, String, Time, Timestamp, Timestamptz, Uuid,
        };
        match (self, source) {
            (Self::Identity | Self::Void, ty) => Some(ty),
            (Self::Bucket(_), Boolean | Float | Double) => None,
            (Self::Bucket(_), Int | Long | Decimal { .. } | Date | Time | Timestamp | Timestamptz) => Some(Int),
            (Self::Bucket(_), String | Uuid | Fixed(_) | Binary) => Some(Int),
            (Self::Truncate(_), Int | Long | Decimal { .. } | String | Binary) => Some(source),
            (Self::Truncate(_), _) => None,
            (Self::Year | Self::Month, Date | Timestamp | Timestamptz) | (Self::Hour, Timestamp | Timestamptz) => {
                Some(Int)
            }
            (Self::Day, Date | Timestamp | Timestamptz) => Some(Date),
            (Self::Year | Self::Month | Self::Day | Self::Hour, _) => None,
        }
    }

    /// The partition's value for a column's; none for NULL, for what the transform can't be applied to, and for void.
    pub fn apply(self, value: &Datum) -> Option<Datum> {
        match self {
            Self::Identity => Some(value.clone()),
            Self::Bucket(count) => Some(Datum::Int(bucket(hash(value)?, count))),
            Self::Truncate(width) => truncated(value, width),
            Self::Year => Some(Datum::Int(date(days(value)?)?.year() - 1970)),
            Self::Month => {
                let date = date(days(value)?)?;
                Some(Datum::Int((date.year() - 1970) * 12 + date.month0() as i32))
            }
            Self::Day => Some(Datum::Date(days(value)?)),
            Self::Hour => match value {
                Datum::Timestamp(micros) | Datum::Timestamptz(micros) => {
                    Some(Datum::Int(i32::try_from(micros.div_euclid(MICROS_PER_HOUR)).ok()?))
                }
                _ => None,
            },
            Self::Void => None,
        }
    }

    /// Whether greater values never give smaller results.
    pub fn keeps_order(self) -> bool {
        !matches!(self, Self::Bucket(_) | Self::Void)
    }

    /// A result as people read it, in names of folders.
    pub fn shown(self, value: Option<&Datum>) -> String {
        let Some(value) = value else { return "null".to_owned() };
        match (self, value) {
            (Self::Year, Datum::Int(years)) => format!("{:04}", years + 1970),
            (Self::Month, Datum::Int(months)) => {
                format!("{:04}-{:02}", months.div_euclid(12) + 1970, months.rem_euclid(12) + 1)
            }
            (Self::Day, Datum::Int(days)) => Datum::Date(*days).to_string(),
            (Self::Hour, Datum::Int(hours)) => {
                format!("{}-{:02}", Datum::Date(hours.div_euclid(24)), hours.rem_euclid(24))
            }
            _ => value.to_string(),
        }
    }
}

fn days(value: &Datum) -> Option<i32> {
    match value {
        Datum::Date(days) => Some(*days),
        Datum::Timestamp(micros) | Datum::Timestamptz(micros) => i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok(),
        _ => None,
    }
}

fn truncated(value: &Datum, width: u32) -> Option<Datum> {
    Some(match value {
        Datum::Int(value) => {
            let width = i64::from(width);
            let value = i64::from(*value);
            Datum::Int((value - value.rem_euclid(width)) as i32)
        }
        Datum::Long(value) => Datum::Long(value.wrapping_sub(value.rem_euclid(width.into()))),
        Datum::Decimal { unscaled, scale } => {
            let unscaled = unscaled.wrapping_sub(unscaled.rem_euclid(width.into()));
            Datum::Decimal { unscaled, scale: *scale }
        }
        Datum::String(text) => Datum::String(text.chars().take(width as usize).collect()),
        Datum::Binary(bytes) => Datum::Binary(bytes.iter().copied().take(width as usize).collect()),
        _ => return None,
    })
}

fn bucket(hash: i32, count: u32) -> i32 {
    ((hash & i32::MAX) as u32 % count) as i32
}

/// A value's hash ("Appendix B: 32-bit Hash Requirements"); none for types that can't be hashed.
pub fn hash(value: &Datum) -> Option<i32> {
    let hashed = match value {
        Datum::Int(value) | Datum::Date(value) => murmur3(&i64::from(*value).to_le_bytes()),
        Datum::Long(value) | Datum::Time(value) | Datum::Timestamp(value) | Datum::Timestamptz(value) => {
            murmur3(&value.to_le_bytes())
        }
        Datum::Decimal { unscaled, .. } => murmur3(&minimal_bytes(*unscaled)),
        Datum::String(text) => murmur3(text.as_bytes()),
        Datum::Uuid(bytes) => murmur3(bytes),
        Datum::Fixed(bytes) | Datum::Binary(bytes) => murmur3(bytes),
        Datum::Boolean(_) | Datum::Float(_) | Datum::Double(_) => return None,
    };
    Some(hashed as i32)
}

/// MurmurHash3's 32 bits for x86, with the seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let mix = |block: u32| block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let mut blocks = bytes.chunks_exact(4);
    let mut state = 0_u32;
    for block in &mut blocks {
        let block = block.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
        state = (state ^ mix(block)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = blocks.remainder();
    if !rest.is_empty() {
        state ^= mix(rest.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte)));
    }
    state ^= bytes.len() as u32;
    state = (state ^ (state >> 16)).wrapping_mul(0x85eb_ca6b);
    state = (state ^ (state >> 13)).wrapping_mul(0xc2b2_ae35);
    state ^ (state >> 16)
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Bucket(count) => write!(f, "bucket[{count}]"),
            Self::Truncate(width) => write!(f, "truncate[{width}]"),
            Self::Year => f.write_str("year"),
            Self::Month => f.write_str("month"),
            Self::Day => f.write_str("day"),
            Self::Hour => f.write_str("hour"),
            Self::Void => f.write_str("void"),
        }
    }
}

impl FromStr for Transform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parameter = |name: &str| -> Option<u32> {
            let number = text.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
            number.parse().ok().filter(|number| (1..=i32::MAX as u32).contains(number))
        };
        Ok(match text {
            "identity" => Self::Identity,
            "year" => Self::Year,
            "month" => Self::Month,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "void" => Self::Void,
            _ => match (parameter("bucket"), parameter("truncate")) {
                (Some(count), _) => Self::Bucket(count),
                (_, Some(width)) => Self::Truncate(width),
                _ => return Err(Error::Unsupported(format!("transform {text}"))),
            },
        })
    }
}

impl Serialize for Transform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Transform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        let uuid = *uuid::Uuid::parse_str("f79c3e09-677c-4bbd-a479-3f349cb785e7").unwrap().as_bytes();
        for (value, hashed) in [
            (Datum::Int(34), 2_017_239_379),
            (Datum::Long(34), 2_017_239_379),
            (Datum::Decimal { unscaled: 1420, scale: 2 }, -500_754_589),
            (Datum::Date(17_486), -653_330_422),
            (Datum::Time(81_068_000_000), -662_762_989),
            (Datum::Timestamp(1_510_871_468_000_000), -2_047_944_441),
            (Datum::Timestamp(1_510_871_468_000_001), -1_207_196_810),
            (Datum::String("iceberg".to_owned()), 1_210_000_089),
            (Datum::Uuid(uuid), 1_488_055_340),
            (Datum::Fixed(vec![0, 1, 2, 3]), -188_683_207),
            (Datum::Binary(vec![0, 1, 2, 3]), -188_683_207),
        ] {
            assert_eq!(hash(&value), Some(hashed), "{value:?}");
        }
        assert_eq!(hash(&Datum::Double(1.0)), None);
    }

    #[test]
    fn numbers_are_rounded_down_and_texts_cut() {
        let cut = |value: Datum, width| Transform::Truncate(width).apply(&value).unwrap();
        assert_eq!(cut(Datum::Int(1), 10), Datum::Int(0));
        assert_eq!(cut(Datum::Int(-1), 10), Datum::Int(-10));
        assert_eq!(cut(Datum::Long(-11), 10), Datum::Long(-20));
        assert_eq!(cut(Datum::Decimal { unscaled: 1065, scale: 2 }, 50), Datum::Decimal { unscaled: 1050, scale: 2 });
        assert_eq!(cut(Datum::String("ééé".to_owned()), 2), Datum::String("éé".to_owned()));
        assert_eq!(cut(Datum::Int(i32::MIN), 10), Datum::Int((i64::from(i32::MIN) - 2) as i32));
    }

    #[test]
    fn times_before_1970_count_backwards() {
        let of = |transform: Transform, micros| transform.apply(&Datum::Timestamp(micros));
        assert_eq!(of(Transform::Year, -1), Some(Datum::Int(-1)));
        assert_eq!(of(Transform::Month, -1), Some(Datum::Int(-1)));
        assert_eq!(of(Transform::Day, -1), Some(Datum::Date(-1)));
        assert_eq!(of(Transform::Hour, -1), Some(Datum::Int(-1)));
        assert_eq!(of(Transform::Month, 1_510_871_468_000_000), Some(Datum::Int(574)));
        assert_eq!(Transform::Hour.apply(&Datum::Date(1)), None);
        assert_eq!(Transform::Void.apply(&Datum::Int(1)), None);
    }

    #[test]
    fn results_are_shown() {
        assert_eq!(Transform::Year.shown(Some(&Datum::Int(47))), "2017");
        assert_eq!(Transform::Month.shown(Some(&Datum::Int(-1))), "1969-12");
        assert_eq!(Transform::Day.shown(Some(&Datum::Date(17_486))), "2017-11-16");
        assert_eq!(Transform::Hour.shown(Some(&Datum::Int(419_686))), "2017-11-16-22");
        assert_eq!(Transform::Identity.shown(None), "null");
    }

    #[test]
    fn names_are_read_and_written() {
        for text in ["identity", "bucket[16]", "truncate[4]", "year", "month", "day", "hour", "void"] {
            assert_eq!(text.parse::<Transform>().unwrap().to_string(), text);
        }
        for text in ["bucket[0]", "bucket", "zorder", "truncate[-1]"] {
            assert!(text.parse::<Transform>().is_err(), "{text}");
        }
    }

    #[test]
    fn transforms_fit_types() {
        assert_eq!(Transform::Day.result_type(PrimitiveType::Timestamp), Some(PrimitiveType::Date));
        assert_eq!(Transform::Hour.result_type(PrimitiveType::Date), None);
        assert_eq!(Transform::Bucket(4).result_type(PrimitiveType::Double), None);
        assert_eq!(Transform::Truncate(4).result_type(PrimitiveType::String), Some(PrimitiveType::String));
    }
}
