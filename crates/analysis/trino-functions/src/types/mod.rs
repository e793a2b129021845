//! Trino's types and what they are in Arrow.
//!
//! The type of every expression is known to the analyzer as a [`Type`]; Arrow knows less (a `varchar(3)`, a `char(3)` and
//! a `json` are all `Utf8` there), so a [`Type`] can't be had back from an Arrow type without loss.

pub mod coercion;
pub mod format;
pub mod parse;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

/// A type of Trino's SQL ("Data types" in Trino's documentation), as far as Athena engine version 3 has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// The type of a bare `NULL`; coerces to every type.
    Unknown,
    /// `boolean`
    Boolean,
    /// `tinyint`, 8 bits
    Tinyint,
    /// `smallint`, 16 bits
    Smallint,
    /// `integer`, 32 bits
    Integer,
    /// `bigint`, 64 bits
    Bigint,
    /// `real`, 32 bits
    Real,
    /// `double`, 64 bits
    Double,
    /// `decimal(precision, scale)`, precision up to 38
    Decimal(u8, u8),
    /// `varchar(n)`, or unbounded `varchar`
    Varchar(Option<u32>),
    /// `char(n)`: stored without trailing spaces, shown and compared padded
    Char(u32),
    /// `varbinary`
    Varbinary,
    /// `json`, as its text
    Json,
    /// `date`, days since 1970-01-01
    Date,
    /// `time(p)`, p up to 9
    Time(u8),
    /// `time(p) with time zone`: a time of the day in UTC and an offset for each value
    TimeTz(u8),
    /// `timestamp(p)`, p up to 9
    Timestamp(u8),
    /// `timestamp(p) with time zone`: an instant and a zone for each value
    TimestampTz(u8),
    /// `interval day to second`, milliseconds
    IntervalDayTime,
    /// `interval year to month`, months
    IntervalYearMonth,
    /// `uuid`, as its canonical lower-case text
    Uuid,
    /// `ipaddress`, as the 16 bytes of version 6
    IpAddress,
    /// `color`: red, green and blue as one number, or below zero one of the terminal's own
    Color,
    /// `Geometry`, on a plane, as its well-known binary form
    Geometry,
    /// `SphericalGeography`: a geometry on the earth's surface, in degrees
    SphericalGeography,
    /// `BingTile`: a square of the map at a zoom level, as one number
    BingTile,
    /// `KdbTree`: rectangles that the plane is cut into, as text of JSON
    KdbTree,
    /// What values have been condensed to, as bytes of our own form
    Sketch(Sketch),
    /// `array(T)`
    Array(Arc<Type>),
    /// `map(K, V)`
    Map(Arc<Type>, Arc<Type>),
    /// `row(name T, …)`; names are optional
    Row(Arc<[RowField]>),
}

/// The types of condensed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sketch {
    /// `HyperLogLog`: about how many different values there were
    HyperLogLog,
    /// `tdigest`: about how doubles were distributed
    TDigest,
    /// `qdigest(bigint)`: about how bigints were distributed
    QDigestOfBigint,
    /// `qdigest(real)`
    QDigestOfReal,
    /// `qdigest(double)`
    QDigestOfDouble,
    /// `SetDigest`: about which different values there were
    SetDigest,
}

impl Sketch {
    /// The type's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::HyperLogLog => "HyperLogLog",
            Self::TDigest => "tdigest",
            Self::QDigestOfBigint => "qdigest(bigint)",
            Self::QDigestOfReal => "qdigest(real)",
            Self::QDigestOfDouble => "qdigest(double)",
            Self::SetDigest => "SetDigest",
        }
    }
}

/// One field of a row type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowField {
    /// The field's name, lower case; none for anonymous fields.
    pub name: Option<String>,
    /// The field's type.
    pub ty: Type,
}

impl Type {
    /// Unbounded `varchar`.
    pub const VARCHAR: Self = Self::Varchar(None);

    /// `array(element)`.
    pub fn array(element: Self) -> Self {
        Self::Array(Arc::new(element))
    }

    /// `map(key, value)`.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    /// The Arrow type that values of this type travel in.
    ///
    /// Timestamps take the smallest unit that holds their precision: milliseconds up to 3, microseconds up to 6, else
    /// nanoseconds. A timestamp with time zone is a struct of the UTC instant and the zone's name, a time with time zone
    /// one of the time of the day in UTC and how many minutes its clock is ahead of that.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Unknown => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Tinyint => DataType::Int8,
            Self::Smallint => DataType::Int16,
            Self::Integer => DataType::Int32,
            Self::Bigint => DataType::Int64,
            Self::Real => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale as i8),
            Self::Varchar(_) | Self::Char(_) | Self::Json | Self::Uuid | Self::KdbTree => DataType::Utf8,
            Self::Varbinary | Self::IpAddress | Self::Sketch(_) | Self::Geometry | Self::SphericalGeography => {
                DataType::Binary
            }
            Self::BingTile => DataType::Int64,
            Self::Color => DataType::Int32,
            Self::Date => DataType::Date32,
            Self::Time(precision) => match precision {
                0..=3 => DataType::Time32(TimeUnit::Millisecond),
                4..=6 => DataType::Time64(TimeUnit::Microsecond),
                _ => DataType::Time64(TimeUnit::Nanosecond),
            },
            Self::TimeTz(precision) => DataType::Struct(Fields::from(vec![
                Field::new("instant", Self::Time(*precision).to_arrow(), true),
                Field::new("offset", DataType::Int16, true),
            ])),
            Self::Timestamp(precision) => DataType::Timestamp(unit_of(*precision), None),
            Self::TimestampTz(precision) => DataType::Struct(Fields::from(vec![
                Field::new("instant", DataType::Timestamp(unit_of(*precision), Some("UTC".into())), true),
                Field::new("zone", DataType::Utf8, true),
            ])),
            Self::IntervalDayTime => DataType::Duration(TimeUnit::Millisecond),
            Self::IntervalYearMonth => DataType::Interval(IntervalUnit::YearMonth),
            Self::Array(element) => DataType::List(Arc::new(Field::new_list_field(element.to_arrow(), true))),
            Self::Map(key, value) => {
                let entries = Fields::from(vec![
                    Field::new("key", key.to_arrow(), false),
                    Field::new("value", value.to_arrow(), true),
                ]);
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
            }
            Self::Row(fields) => DataType::Struct(fields.iter().enumerate().map(RowField::to_arrow).collect()),
        }
    }

    /// Whether arithmetic works on it.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || matches!(self, Self::Real | Self::Double | Self::Decimal(..))
    }

    /// Whether it is one of the four integer types.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Tinyint | Self::Smallint | Self::Integer | Self::Bigint)
    }

    /// Whether two values can be told equal or not.
    pub fn is_comparable(&self) -> bool {
        match self {
            Self::Array(element) => element.is_comparable(),
            Self::Map(key, value) => key.is_comparable() && value.is_comparable(),
            Self::Row(fields) => fields.iter().all(|field| field.ty.is_comparable()),
            Self::Sketch(_) | Self::Geometry | Self::SphericalGeography | Self::KdbTree => false,
            _ => true,
        }
    }

    /// Whether values have an order: `json` and maps have none.
    pub fn is_orderable(&self) -> bool {
        match self {
            Self::Json | Self::Map(..) | Self::Color | Self::Sketch(_) => false,
            Self::Geometry | Self::SphericalGeography | Self::BingTile | Self::KdbTree => false,
            Self::Array(element) => element.is_orderable(),
            Self::Row(fields) => fields.iter().all(|field| field.ty.is_orderable()),
            _ => true,
        }
    }

    /// Whether it is `varchar` of any length.
    pub fn is_varchar(&self) -> bool {
        matches!(self, Self::Varchar(_))
    }
}

impl RowField {
    /// The Arrow field; anonymous ones are called `field0`, `field1` …
    fn to_arrow((index, field): (usize, &Self)) -> Field {
        let name = field.name.clone().unwrap_or_else(|| format!("field{index}"));
        Field::new(name, field.ty.to_arrow(), true)
    }
}

fn unit_of(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

impl fmt::Display for Type {
    /// The type as Trino writes it: `decimal(10,2)`, `array(varchar)`, `row(a integer, double)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Boolean => f.write_str("boolean"),
            Self::Tinyint => f.write_str("tinyint"),
            Self::Smallint => f.write_str("smallint"),
            Self::Integer => f.write_str("integer"),
            Self::Bigint => f.write_str("bigint"),
            Self::Real => f.write_str("real"),
            Self::Double => f.write_str("double"),
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::Varchar(None) => f.write_str("varchar"),
            Self::Varchar(Some(length)) => write!(f, "varchar({length})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Varbinary => f.write_str("varbinary"),
            Self::Json => f.write_str("json"),
            Self::Date => f.write_str("date"),
            Self::Time(precision) => write!(f, "time({precision})"),
            Self::TimeTz(precision) => write!(f, "time({precision}) with time zone"),
            Self::Timestamp(precision) => write!(f, "timestamp({precision})"),
            Self::TimestampTz(precision) => write!(f, "timestamp({precision}) with time zone"),
            Self::IntervalDayTime => f.write_str("interval day to second"),
            Self::IntervalYearMonth => f.write_str("interval year to month"),
            Self::Uuid => f.write_str("uuid"),
            Self::IpAddress => f.write_str("ipaddress"),
            Self::Color => f.write_str("color"),
            Self::Geometry => f.write_str("Geometry"),
            Self::SphericalGeography => f.write_str("SphericalGeography"),
            Self::BingTile => f.write_str("BingTile"),
            Self::KdbTree => f.write_str("KdbTree"),
            Self::Sketch(sketch) => f.write_str(sketch.name()),
            Self::Array(element) => write!(f, "array({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Row(fields) => {
                f.write_str("row(")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    match &field.name {
                        Some(name) => write!(f, "{comma}{name} {}", field.ty)?,
                        None => write!(f, "{comma}{}", field.ty)?,
                    }
                }
                f.write_str(")")
            }
        }
    }
}
