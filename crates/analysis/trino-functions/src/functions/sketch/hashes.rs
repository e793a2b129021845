//! The hashes of values, equal for equal values.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::super::elements::keys;
use super::super::hashing::murmur3;
use crate::error::TrinoError;
use crate::types::Type;

/// The hash of each value that isn't NULL.
pub(in crate::functions) fn hashes(values: &ArrayRef, ty: &Type) -> Result<Vec<Option<u64>>, TrinoError> {
    Ok(match values.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let values = cast(values, &DataType::Int64)?;
            let numbers = values.as_primitive::<Int64Type>();
            numbers.iter().map(|value| value.map(|value| murmur3(&value.to_le_bytes())[0])).collect()
        }
        DataType::Float64 => {
            let plain = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            let numbers = values.as_primitive::<Float64Type>();
            numbers.iter().map(|value| value.map(|value| murmur3(&plain(value).to_le_bytes())[0])).collect()
        }
        DataType::Utf8 => {
            values.as_string::<i32>().iter().map(|value| value.map(|value| murmur3(value.as_bytes())[0])).collect()
        }
        DataType::Binary => {
            values.as_binary::<i32>().iter().map(|value| value.map(|value| murmur3(value)[0])).collect()
        }
        _ => {
            let keys = keys(values, ty)?;
            let hash = |row: usize| values.is_valid(row).then(|| murmur3(keys.row(row).as_ref())[0]);
            (0..values.len()).map(hash).collect()
        }
    })
}
