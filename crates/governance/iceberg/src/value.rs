//! Single values: bounds of columns, partitions' values, constants of filters.

use std::cmp::Ordering;
use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime};

use crate::schema::PrimitiveType;

/// A value that is not NULL.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// True or false.
    Boolean(bool),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// 32 bits of floating point.
    Float(f32),
    /// 64 bits of floating point.
    Double(f64),
    /// A fixed-point number.
    Decimal {
        /// All digits.
        unscaled: i128,
        /// How many of them stand after the point.
        scale: u8,
    },
    /// Days since 1970.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970, without a zone.
    Timestamp(i64),
    /// Microseconds since 1970 in UTC.
    Timestamptz(i64),
    /// Text.
    String(String),
    /// A UUID, most significant byte first.
    Uuid([u8; 16]),
    /// A fixed number of bytes.
    Fixed(Vec<u8>),
    /// Bytes.
    Binary(Vec<u8>),
}

impl Datum {
    /// Reads the specification's binary form ("Appendix D: Single-value serialization"); none if the bytes aren't of that type. Bytes that
    /// were written before a promotion of the column's type are read as the new type.
    pub fn from_bytes(bytes: &[u8], ty: PrimitiveType) -> Option<Self> {
        let int = || Some(i32::from_le_bytes(bytes.try_into().ok()?));
        let long = || Some(i64::from_le_bytes(bytes.try_into().ok()?));
        Some(match ty {
            PrimitiveType::Boolean => Self::Boolean(*bytes.first()? != 0),
            PrimitiveType::Int => Self::Int(int()?),
            PrimitiveType::Long if bytes.len() == 4 => Self::Long(int()?.into()),
            PrimitiveType::Long => Self::Long(long()?),
            PrimitiveType::Float => Self::Float(f32::from_le_bytes(bytes.try_into().ok()?)),
            PrimitiveType::Double if bytes.len() == 4 => Self::Double(f32::from_le_bytes(bytes.try_into().ok()?).into()),
            PrimitiveType::Double => Self::Double(f64::from_le_bytes(bytes.try_into().ok()?)),
            PrimitiveType::Decimal { scale, .. } => Self::Decimal { unscaled: unscaled(bytes)?, scale },
            PrimitiveType::Date => Self::Date(int()?),
            PrimitiveType::Time => Self::Time(long()?),
            PrimitiveType::Timestamp => Self::Timestamp(long()?),
            PrimitiveType::Timestamptz => Self::Timestamptz(long()?),
            PrimitiveType::String => Self::String(String::from_utf8(bytes.to_vec()).ok()?),
            PrimitiveType::Uuid => Self::Uuid(bytes.try_into().ok()?),
            PrimitiveType::Fixed(_) => Self::Fixed(bytes.to_vec()),
            PrimitiveType::Binary => Self::Binary(bytes.to_vec()),
        })
    }

    /// The specification's binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Boolean(value) => vec![u8::from(*value)],
            Self::Int(value) | Self::Date(value) => value.to_le_bytes().to_vec(),
            Self::Long(value) | Self::Time(value) | Self::Timestamp(value) | Self::Timestamptz(value) => {
                value.to_le_bytes().to_vec()
            }
            Self::Float(value) => value.to_le_bytes().to_vec(),
            Self::Double(value) => value.to_le_bytes().to_vec(),
            Self::Decimal { unscaled, .. } => minimal_bytes(*unscaled),
            Self::String(text) => text.as_bytes().to_vec(),
            Self::Uuid(bytes) => bytes.to_vec(),
            Self::Fixed(bytes) | Self::Binary(bytes) => bytes.clone(),
        }
    }

    /// The order of values of one type; none between types and with NaN.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) | (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Long(a), Self::Long(b))
            | (Self::Time(a), Self::Time(b))
            | (Self::Timestamp(a), Self::Timestamp(b))
            | (Self::Timestamptz(a), Self::Timestamptz(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Long(b)) => Some(i64::from(*a).cmp(b)),
            (Self::Long(a), Self::Int(b)) => Some(a.cmp(&i64::from(*b))),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Float(a), Self::Double(b)) => f64::from(*a).partial_cmp(b),
            (Self::Double(a), Self::Float(b)) => a.partial_cmp(&f64::from(*b)),
            (Self::Decimal { unscaled: a, scale }, Self::Decimal { unscaled: b, scale: other }) => {
                (scale == other).then(|| a.cmp(b))
            }
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Uuid(a), Self::Uuid(b)) => Some(a.cmp(b)),
            (Self::Fixed(a), Self::Fixed(b)) | (Self::Binary(a), Self::Binary(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The value as one of a type that its own may be promoted to.
    pub fn promoted(self, ty: PrimitiveType) -> Self {
        match (self, ty) {
            (Self::Int(value), PrimitiveType::Long) => Self::Long(value.into()),
            (Self::Int(value), PrimitiveType::Date) => Self::Date(value),
            (Self::Date(value), PrimitiveType::Int) => Self::Int(value),
            (Self::Float(value), PrimitiveType::Double) => Self::Double(value.into()),
            (same, _) => same,
        }
    }

    /// Whether it is not a number.
    pub fn is_nan(&self) -> bool {
        matches!(self, Self::Float(value) if value.is_nan()) || matches!(self, Self::Double(value) if value.is_nan())
    }
}

/// The number that two's complement bytes stand for, the most significant first.
pub(crate) fn unscaled(bytes: &[u8]) -> Option<i128> {
    if bytes.is_empty() || bytes.len() > 16 {
        return None;
    }
    let fill = if bytes[0] & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [fill; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

/// A number's two's complement in as few bytes as hold it.
pub(crate) fn minimal_bytes(value: i128) -> Vec<u8> {
    let wide = value.to_be_bytes();
    let mut first = 0;
    while first < 15 && matches!((wide[first], wide[first + 1] & 0x80), (0, 0) | (0xff, 0x80)) {
        first += 1;
    }
    wide[first..].to_vec()
}

/// As partition folders and metadata tables write it.
impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Decimal { unscaled, scale } => f.write_str(&decimal(*unscaled, *scale)),
            Self::Date(days) => match date(*days) {
                Some(date) => write!(f, "{date}"),
                None => write!(f, "{days}"),
            },
            Self::Time(micros) => match time(*micros) {
                Some(time) => write!(f, "{}", time.format("%H:%M:%S%.f")),
                None => write!(f, "{micros}"),
            },
            Self::Timestamp(micros) | Self::Timestamptz(micros) => {
                let zone = if matches!(self, Self::Timestamptz(_)) { "+00:00" } else { "" };
                match DateTime::from_timestamp_micros(*micros) {
                    Some(time) => write!(f, "{}{zone}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
                    None => write!(f, "{micros}"),
                }
            }
            Self::String(text) => f.write_str(text),
            Self::Uuid(bytes) => write!(f, "{}", uuid::Uuid::from_bytes(*bytes)),
            Self::Fixed(bytes) | Self::Binary(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

fn decimal(unscaled: i128, scale: u8) -> String {
    if scale == 0 {
        return unscaled.to_string();
    }
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if unscaled < 0 { "-" } else { "" })
}

pub(crate) fn date(days: i32) -> Option<NaiveDate> {
    let first = NaiveDate::default();
    let count = Days::new(u64::from(days.unsigned_abs()));
    if days < 0 { first.checked_sub_days(count) } else { first.checked_add_days(count) }
}

fn time(micros: i64) -> Option<NaiveTime> {
    let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    NaiveTime::from_num_seconds_from_midnight_opt(u32::try_from(seconds).ok()?, u32::try_from(rest).ok()? * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_their_bytes() {
        let decimal = PrimitiveType::Decimal { precision: 38, scale: 2 };
        for (value, ty) in [
            (Datum::Boolean(true), PrimitiveType::Boolean),
            (Datum::Int(-5), PrimitiveType::Int),
            (Datum::Long(1 << 40), PrimitiveType::Long),
            (Datum::Double(1.5), PrimitiveType::Double),
            (Datum::Decimal { unscaled: -129, scale: 2 }, decimal),
            (Datum::Decimal { unscaled: i128::MIN, scale: 2 }, decimal),
            (Datum::Timestamp(1), PrimitiveType::Timestamp),
            (Datum::String("é".to_owned()), PrimitiveType::String),
            (Datum::Uuid([7; 16]), PrimitiveType::Uuid),
        ] {
            assert_eq!(Datum::from_bytes(&value.to_bytes(), ty), Some(value));
        }
        assert_eq!(Datum::from_bytes(&5_i32.to_le_bytes(), PrimitiveType::Long), Some(Datum::Long(5)));
        assert_eq!(Datum::from_bytes(&[1, 2], PrimitiveType::Int), None);
        assert_eq!(Datum::from_bytes(&[], decimal), None);
    }

    #[test]
    fn decimals_take_as_few_bytes_as_hold_them() {
        for (value, bytes) in [(0, &[0_u8][..]), (127, &[127]), (128, &[0, 128]), (-1, &[255]), (-128, &[128]), (-129, &[255, 127])] {
            assert_eq!(minimal_bytes(value), bytes, "{value}");
        }
    }

    #[test]
    fn values_are_shown() {
        for (value, text) in [
            (Datum::Date(17_486), "2017-11-16"),
            (Datum::Date(-1), "1969-12-31"),
            (Datum::Decimal { unscaled: -5, scale: 2 }, "-0.05"),
            (Datum::Decimal { unscaled: 1420, scale: 2 }, "14.20"),
            (Datum::Timestamp(1_510_871_468_000_001), "2017-11-16T22:31:08.000001"),
            (Datum::Double(1.0), "1.0"),
        ] {
            assert_eq!(value.to_string(), text);
        }
    }
}
