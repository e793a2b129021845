//! Which columns are read, and as what.

use arrow::datatypes::{DataType, TimeUnit};
use parquet::basic::{ConvertedType, Encoding, LogicalType, TimeUnit as ParquetUnit, Type};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::ColumnDescriptor;

use crate::codec::Codec;
use crate::values::{Booleans, FixedBytes, Keys, Numbers, Texts, Values, convert};

/// Whether a chunk's values can be decoded to this Arrow type here. If not, they are the `parquet` crate's to read.
///
/// These are columns that are not inside of others, of the types that have the same values in Arrow, written plainly or as
/// places in dictionaries. Texts are read as places in dictionaries where all pages hold such places.
pub fn reads(column: &ColumnDescriptor, chunk: &ColumnChunkMetaData, data_type: &DataType) -> bool {
    let is_flat = column.max_rep_level() == 0 && column.max_def_level() <= 1 && column.path().parts().len() == 1;
    is_flat
        && Codec::is_known(chunk.compression())
        && chunk.encodings().all(is_known)
        && values(column, data_type).is_some()
        && (!matches!(data_type, DataType::Dictionary(..)) || is_in_dictionary(chunk))
}

/// Whether pages in this encoding are read; packed bits are for levels.
#[allow(deprecated, reason = "old files name packed bits")]
fn is_known(encoding: Encoding) -> bool {
    use Encoding::{BIT_PACKED, PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY};
    matches!(encoding, PLAIN | PLAIN_DICTIONARY | RLE_DICTIONARY | RLE | BIT_PACKED)
}

/// Whether all of a chunk's values are in its dictionary, as its footer says.
pub fn is_in_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let only = match chunk.page_encoding_stats_mask() {
        Some(pages) => pages.is_only(Encoding::RLE_DICTIONARY) || pages.is_only(Encoding::PLAIN_DICTIONARY),
        // Without word of the pages: writers that name the dictionary's own encoding so name no other for it.
        None => {
            let named = chunk.encodings_mask();
            named.is_set(Encoding::PLAIN_DICTIONARY) && !named.is_set(Encoding::PLAIN)
        }
    };
    only && chunk.dictionary_page_offset().is_some()
}

/// What takes a column's values for arrays of a type.
pub(crate) fn values(column: &ColumnDescriptor, data_type: &DataType) -> Option<Box<dyn Values>> {
    match column.physical_type() {
        Type::BOOLEAN if *data_type == DataType::Boolean => Some(Box::new(Booleans::default())),
        Type::INT32 => int32(column, data_type),
        Type::INT64 => int64(column, data_type),
        Type::INT96 => match data_type {
            DataType::Timestamp(unit, _) => Some(Box::new(Numbers::new(convert::Int96(*unit), data_type))),
            _ => None,
        },
        Type::FLOAT if *data_type == DataType::Float32 => Some(Box::new(Numbers::new(convert::Float, data_type))),
        Type::DOUBLE if *data_type == DataType::Float64 => Some(Box::new(Numbers::new(convert::Double, data_type))),
        Type::BYTE_ARRAY => byte_array(column, data_type),
        Type::FIXED_LEN_BYTE_ARRAY => {
            let length = usize::try_from(column.type_length()).ok().filter(|length| *length > 0)?;
            match data_type {
                DataType::FixedSizeBinary(size) if *size == column.type_length() => {
                    Some(Box::new(FixedBytes::new(length)))
                }
                DataType::Decimal128(_, scale) if length <= 16 && is_decimal(column, *scale) => {
                    Some(Box::new(Numbers::new(convert::FixedDecimal(length), data_type)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn int32(column: &ColumnDescriptor, data_type: &DataType) -> Option<Box<dyn Values>> {
    Some(match data_type {
        DataType::Int8 => Box::new(Numbers::new(convert::Int32AsInt8, data_type)),
        DataType::Int16 => Box::new(Numbers::new(convert::Int32AsInt16, data_type)),
        DataType::Int32 | DataType::Date32 => Box::new(Numbers::new(convert::Int32, data_type)),
        DataType::UInt8 => Box::new(Numbers::new(convert::Int32AsUInt8, data_type)),
        DataType::UInt16 => Box::new(Numbers::new(convert::Int32AsUInt16, data_type)),
        DataType::UInt32 => Box::new(Numbers::new(convert::Int32AsUInt32, data_type)),
        DataType::Time32(unit) if is_time(column, *unit) => Box::new(Numbers::new(convert::Int32, data_type)),
        DataType::Decimal128(_, scale) if is_decimal(column, *scale) => {
            Box::new(Numbers::new(convert::Int32AsDecimal, data_type))
        }
        _ => return None,
    })
}

fn int64(column: &ColumnDescriptor, data_type: &DataType) -> Option<Box<dyn Values>> {
    Some(match data_type {
        DataType::Int64 => Box::new(Numbers::new(convert::Int64, data_type)),
        DataType::UInt64 => Box::new(Numbers::new(convert::Int64AsUInt64, data_type)),
        DataType::Time64(unit) | DataType::Timestamp(unit, _) if is_time(column, *unit) => {
            Box::new(Numbers::new(convert::Int64, data_type))
        }
        DataType::Decimal128(_, scale) if is_decimal(column, *scale) => {
            Box::new(Numbers::new(convert::Int64AsDecimal, data_type))
        }
        _ => return None,
    })
}

fn byte_array(column: &ColumnDescriptor, data_type: &DataType) -> Option<Box<dyn Values>> {
    Some(match data_type {
        DataType::Utf8 => Box::new(Texts::new(true)),
        DataType::Binary => Box::new(Texts::new(false)),
        DataType::Decimal128(_, scale) if is_decimal(column, *scale) => {
            Box::new(Numbers::new(convert::Decimal, data_type))
        }
        DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
            Box::new(Keys::new())
        }
        _ => return None,
    })
}

/// Whether a column has decimals of this scale.
fn is_decimal(column: &ColumnDescriptor, scale: i8) -> bool {
    match column.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => decimal.scale == i32::from(scale),
        _ => column.converted_type() == ConvertedType::DECIMAL && column.type_scale() == i32::from(scale),
    }
}

/// Whether a column has times in this unit, or says nothing of units: then Arrow's own schema is beside it.
fn is_time(column: &ColumnDescriptor, unit: TimeUnit) -> bool {
    let written = match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => of(timestamp.unit),
        (Some(LogicalType::Time(time)), _) => of(time.unit),
        (None, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIME_MILLIS) => TimeUnit::Millisecond,
        (None, ConvertedType::TIMESTAMP_MICROS | ConvertedType::TIME_MICROS) => TimeUnit::Microsecond,
        (None, ConvertedType::NONE) => unit,
        _ => return false,
    };
    written == unit
}

fn of(unit: ParquetUnit) -> TimeUnit {
    match unit {
        ParquetUnit::MILLIS => TimeUnit::Millisecond,
        ParquetUnit::MICROS => TimeUnit::Microsecond,
        ParquetUnit::NANOS => TimeUnit::Nanosecond,
    }
}
