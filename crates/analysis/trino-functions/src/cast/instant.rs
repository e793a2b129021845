//! Dates, times and timestamps among each other. A time without a zone is UTC's, the zone of every session.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array};
use arrow::datatypes::Date32Type;

use super::not_castable;
use crate::error::TrinoError;
use crate::time::{DAY, times, timestamps, zoned_local, zoned_timestamps, zoned_value};
use crate::types::Type;
use crate::types::format::{instant_nanos, time_nanos};

pub(super) fn convert(array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, TrinoError> {
    let local = |row: usize| match from {
        Type::Date => i128::from(array.as_primitive::<Date32Type>().value(row)) * DAY,
        Type::Time(_) => time_nanos(array, row),
        Type::TimestampTz(_) => zoned_local(array, row),
        _ => instant_nanos(array, row),
    };
    let each = |row: usize| array.is_valid(row).then(|| local(row));
    let rows = 0..array.len();
    match (from, to) {
        (Type::Time(_), Type::Time(precision)) | (Type::Timestamp(_) | Type::TimestampTz(_), Type::Time(precision)) => {
            times(*precision, rows.map(|row| each(row).map(|nanos| nanos.rem_euclid(DAY))))
        }
        (Type::Timestamp(_) | Type::TimestampTz(_), Type::Date) => {
            let days = rows.map(|row| each(row).map(|nanos| nanos.div_euclid(DAY) as i32));
            Ok(Arc::new(days.collect::<Date32Array>()))
        }
        (Type::Date | Type::Time(_) | Type::Timestamp(_) | Type::TimestampTz(_), Type::Timestamp(precision)) => {
            timestamps(*precision, rows.map(each), None)
        }
        (Type::TimestampTz(_), Type::TimestampTz(precision)) => {
            let value = |row: usize| {
                let (instant, zone) = zoned_value(array, row);
                array.is_valid(row).then_some((instant, zone))
            };
            zoned_timestamps(*precision, rows.map(value).collect())
        }
        (Type::Date | Type::Time(_) | Type::Timestamp(_), Type::TimestampTz(precision)) => {
            let value = |row: usize| each(row).map(|nanos| (nanos, "UTC"));
            zoned_timestamps(*precision, rows.map(value).collect())
        }
        _ => Err(not_castable(from, to)),
    }
}
