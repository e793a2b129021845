//! Dates, times and timestamps among each other. A time without a zone is UTC's, the zone of every session.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array};
use arrow::datatypes::Date32Type;

use super::not_castable;
use crate::error::TrinoError;
use crate::time::{DAY, MINUTE, Zone, times, timestamps, zoned_local, zoned_times, zoned_timestamps, zoned_value};
use crate::types::Type;
use crate::types::format::{instant_nanos, time_nanos, zoned_time};

pub(super) fn convert(array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, TrinoError> {
    let local = |row: usize| match from {
        Type::Date => i128::from(array.as_primitive::<Date32Type>().value(row)) * DAY,
        Type::Time(_) => time_nanos(array, row),
        Type::TimeTz(_) => zoned_time(array, row).0,
        Type::TimestampTz(_) => zoned_local(array, row),
        _ => instant_nanos(array, row),
    };
    let each = |row: usize| array.is_valid(row).then(|| local(row));
    let rows = 0..array.len();
    match (from, to) {
        (Type::Time(_) | Type::TimeTz(_) | Type::Timestamp(_) | Type::TimestampTz(_), Type::Time(precision)) => {
            times(*precision, rows.map(|row| each(row).map(|nanos| nanos.rem_euclid(DAY))))
        }
        (Type::Time(_) | Type::TimeTz(_) | Type::Timestamp(_) | Type::TimestampTz(_), Type::TimeTz(precision)) => {
            let zoned = |row: usize| each(row).map(|nanos| (nanos.rem_euclid(DAY), offset(array, row, from)));
            zoned_times(*precision, rows.map(zoned))
        }
        (Type::Timestamp(_) | Type::TimestampTz(_), Type::Date) => {
            let days = rows.map(|row| each(row).map(|nanos| nanos.div_euclid(DAY) as i32));
            Ok(Arc::new(days.collect::<Date32Array>()))
        }
        (Type::Date | Type::Timestamp(_) | Type::TimestampTz(_), Type::Timestamp(precision)) => {
            timestamps(*precision, rows.map(each), None)
        }
        (Type::TimestampTz(_), Type::TimestampTz(precision)) => {
            let value = |row: usize| {
                let (instant, zone) = zoned_value(array, row);
                array.is_valid(row).then_some((instant, zone))
            };
            zoned_timestamps(*precision, rows.map(value).collect())
        }
        (Type::Date | Type::Timestamp(_), Type::TimestampTz(precision)) => {
            let value = |row: usize| each(row).map(|nanos| (nanos, "UTC"));
            zoned_timestamps(*precision, rows.map(value).collect())
        }
        _ => Err(not_castable(from, to)),
    }
}

/// How many minutes a value's clock is ahead of UTC.
fn offset(array: &ArrayRef, row: usize, ty: &Type) -> i16 {
    match ty {
        Type::TimeTz(_) => zoned_time(array, row).1,
        Type::TimestampTz(_) => {
            let (instant, zone) = zoned_value(array, row);
            (Zone::parse(zone).map_or(0, |zone| zone.offset(instant)) / 60) as i16
        }
        _ => 0,
    }
}

/// Whether a cast puts the day on which the query began before a time.
pub(super) fn needs_today(from: &Type, to: &Type) -> bool {
    matches!((from, to), (Type::Time(_) | Type::TimeTz(_), Type::Timestamp(_) | Type::TimestampTz(_)))
}

/// Times as timestamps on a day.
pub(super) fn on_day(array: &ArrayRef, days: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, TrinoError> {
    let start = |row: usize| i128::from(days.as_primitive::<Date32Type>().value(row)) * DAY;
    let shown = |row: usize| match from {
        Type::TimeTz(_) => zoned_time(array, row),
        _ => (time_nanos(array, row), 0),
    };
    let each = |row: usize| array.is_valid(row).then(|| shown(row));
    let rows = 0..array.len();
    match to {
        Type::TimestampTz(precision) => {
            let value = |row: usize| {
                let (local, offset) = each(row)?;
                // The time of the day in UTC is on that day, also where the clock shows the day before or after.
                let utc = (local - i128::from(offset) * MINUTE).rem_euclid(DAY);
                Some((start(row) + utc, offset_zone(offset)))
            };
            zoned_timestamps(*precision, rows.map(value).collect())
        }
        Type::Timestamp(precision) => {
            timestamps(*precision, rows.map(|row| each(row).map(|(local, _)| start(row) + local)), None)
        }
        _ => Err(not_castable(from, to)),
    }
}

fn offset_zone(minutes: i16) -> String {
    let (sign, size) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
    match minutes {
        0 => "UTC".to_owned(),
        _ => format!("{sign}{:02}:{:02}", size / 60, size % 60),
    }
}
