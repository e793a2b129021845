//! Dates, times and timestamps.
//!
//! | Module | What it holds |
//! |---|---|
//! | `arithmetic` | `date_trunc`, `date_add`, `date_diff`, `last_day_of_month` |
//! | `pattern` | MySQL's and Joda's patterns, as one list of fields |
//! | `text` | the functions from text and to text |
//! | `zone_names` | what people call the time in a zone |

mod arithmetic;
pub(crate) mod pattern;
mod text;
mod zone_names;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, DurationMillisecondType, Float64Type, Int64Type, IntervalYearMonthType, TimeUnit};
use chrono::{Datelike, Timelike};
use datafusion::functions::datetime::expr_fn::now;
use datafusion::logical_expr::{Expr, cast as arrow_cast, lit};

use super::{Build, Table};
use crate::Typed;
use crate::cast::{cast, primitive};
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::Call;
use crate::operators::{calendar, in_zone, known_zone, local_value};
use crate::time::{Zone, zoned_timestamps, zoned_value};
use crate::types::Type;
use crate::types::format::{instant_nanos, zoned_time};

pub(crate) fn register(table: &mut Table) {
    parts(table);
    zones(table);
    epochs(table);
    arithmetic::register(table);
    text::register(table);
    let date = "The date part, as CAST(… AS date).";
    let to_date: Build = |args, result| Ok(cast(first(args)?, result)?.0);
    table.expression("date(varchar) -> date", date, to_date);
    table.expression("date(timestamp(p)) -> date", date, to_date);
    table.expression("date(timestamp(p) with time zone) -> date", date, to_date);
}

fn first(args: Vec<Typed>) -> Result<Typed, TrinoError> {
    args.into_iter().next().ok_or_else(|| TrinoError::internal("an argument is missing"))
}

/// One part of a date or a clock, for each type that has it.
macro_rules! part {
    ($table:ident, $name:literal of $($ty:literal)|+, $doc:literal, $part:expr) => {
        $($table.kernel(concat!($name, "(", $ty, ") -> bigint"), $doc, |call| part(call, $part));)+
    };
}

macro_rules! date_part {
    ($table:ident, $name:literal, $doc:literal, $part:expr) => {
        part!($table, $name of "date" | "timestamp(p)" | "timestamp(p) with time zone", $doc, $part)
    };
}

macro_rules! clock_part {
    ($table:ident, $name:literal, $doc:literal, $part:expr) => {
        part!($table, $name of "time(p)" | "time(p) with time zone" | "timestamp(p)" | "timestamp(p) with time zone", $doc,
            $part)
    };
}

fn parts(table: &mut Table) {
    date_part!(table, "year", "The year.", |time| time.year().into());
    date_part!(table, "quarter", "The quarter of the year, from 1.", |time| time.month0() as i64 / 3 + 1);
    date_part!(table, "month", "The month, from 1.", |time| time.month().into());
    date_part!(table, "week", "The ISO week of the year.", |time| time.iso_week().week().into());
    date_part!(table, "year_of_week", "The year of the ISO week.", |time| time.iso_week().year().into());
    date_part!(table, "day", "The day of the month.", |time| time.day().into());
    date_part!(table, "day_of_week", "The day of the week: Monday is 1.", |time| {
        time.weekday().number_from_monday().into()
    });
    date_part!(table, "day_of_year", "The day of the year, from 1.", |time| time.ordinal().into());
    clock_part!(table, "hour", "The hour of the day.", |time| time.hour().into());
    clock_part!(table, "minute", "The minute of the hour.", |time| time.minute().into());
    clock_part!(table, "second", "The second of the minute.", |time| time.second().into());
    clock_part!(table, "millisecond", "The millisecond of the second.", |time| i64::from(time.nanosecond())
        / 1_000_000);
    table.kernel("year(interval year to month) -> bigint", "The whole years.", |call| months(call, |value| value / 12));
    table.kernel("month(interval year to month) -> bigint", "The months.", |call| months(call, |value| value % 12));
    let days = "The whole days.";
    table.kernel("day(interval day to second) -> bigint", days, |call| millis(call, |value| value / 86_400_000));
    let hours = "The hours.";
    table.kernel("hour(interval day to second) -> bigint", hours, |call| millis(call, |value| value / 3_600_000 % 24));
    let minutes = "The minutes.";
    table.kernel("minute(interval day to second) -> bigint", minutes, |call| millis(call, |value| value / 60_000 % 60));
    let seconds = "The seconds.";
    table.kernel("second(interval day to second) -> bigint", seconds, |call| millis(call, |value| value / 1000 % 60));
    let rest = "The milliseconds.";
    table.kernel("millisecond(interval day to second) -> bigint", rest, |call| millis(call, |value| value % 1000));
    for (alias, name) in [
        ("week_of_year", "week"),
        ("yow", "year_of_week"),
        ("day_of_month", "day"),
        ("dow", "day_of_week"),
        ("doy", "day_of_year"),
    ] {
        table.alias(alias, name);
    }
}

fn part(call: &Call<'_>, part: fn(chrono::NaiveDateTime) -> i64) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    let value = |row| Ok(part(calendar(local_value(&array, row, &call.types[0]))?));
    Ok(Arc::new(primitive::<Int64Type>(&array, value)?))
}

fn months(call: &Call<'_>, part: fn(i64) -> i64) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    let values = array.as_primitive::<IntervalYearMonthType>();
    Ok(Arc::new(values.iter().map(|value| value.map(|months| part(months.into()))).collect::<Int64Array>()))
}

fn millis(call: &Call<'_>, part: fn(i64) -> i64) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    let values = array.as_primitive::<DurationMillisecondType>();
    Ok(Arc::new(values.iter().map(|value| value.map(part)).collect::<Int64Array>()))
}

fn zones(table: &mut Table) {
    let signature = "at_timezone(timestamp(p) with time zone, varchar) -> timestamp(p) with time zone";
    table.kernel(signature, "The same instant in another zone.", in_zone);
    let signature = "with_timezone(timestamp(p), varchar) -> timestamp(p) with time zone";
    table.kernel(signature, "What the clocks show, in this zone.", with_timezone);
    let hour = "The hours that the zone is ahead of UTC.";
    table.kernel("timezone_hour(timestamp(p) with time zone) -> bigint", hour, |call| offset(call, |it| it / 3600));
    let minute = "The minutes that the zone is ahead of UTC, beside the hours.";
    let signature = "timezone_minute(timestamp(p) with time zone) -> bigint";
    table.kernel(signature, minute, |call| offset(call, |it| it / 60 % 60));
    let signature = "timezone_hour(time(p) with time zone) -> bigint";
    table.kernel(signature, hour, |call| time_offset(call, |minutes| minutes / 60));
    let signature = "timezone_minute(time(p) with time zone) -> bigint";
    table.kernel(signature, minute, |call| time_offset(call, |minutes| minutes % 60));
    let current = "The zone of the session.";
    table.expression("current_timezone() -> varchar", current, |_, _| Ok(lit("UTC")));
    let now = "When the query began.";
    table.expression("now() -> timestamp(3) with time zone", now, |_, result| Ok(cast(started(), result)?.0));
}

/// DataFusion puts the query's start in the place of `now()` before anything runs.
fn started() -> Typed {
    let instant: Expr = arrow_cast(now(), DataType::Timestamp(TimeUnit::Millisecond, None));
    (instant, Type::Timestamp(3))
}

fn with_timezone(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (values, zones) = (call.array(0)?, call.array(1)?);
    zoned(call, |row| {
        if values.is_null(row) || zones.is_null(row) {
            return Ok(None);
        }
        let zone = known_zone(zones.as_string::<i32>().value(row))?;
        Ok(Some((zone.instant(instant_nanos(&values, row)), zone.name())))
    })
}

/// Timestamps with time zone of the call's precision.
fn zoned<Z: AsRef<str>>(
    call: &Call<'_>,
    value: impl Fn(usize) -> Result<Option<(i128, Z)>, TrinoError>,
) -> Result<ArrayRef, TrinoError> {
    let Type::TimestampTz(precision) = call.result else {
        return Err(TrinoError::internal("a timestamp with time zone is wanted"));
    };
    zoned_timestamps(*precision, (0..call.rows).map(|row| call.forgive(value(row))).collect::<Result<_, _>>()?)
}

fn offset(call: &Call<'_>, part: fn(i64) -> i64) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    let value = |row| {
        let (instant, zone) = zoned_value(&array, row);
        Ok(part(Zone::parse(zone).map_or(0, |zone| zone.offset(instant)).into()))
    };
    Ok(Arc::new(primitive::<Int64Type>(&array, value)?))
}

fn epochs(table: &mut Table) {
    let from = "The instant so many seconds after 1970 began.";
    table.kernel("from_unixtime(double) -> timestamp(3) with time zone", from, from_unixtime);
    table.kernel("from_unixtime(double, varchar) -> timestamp(3) with time zone", from, from_unixtime);
    table.kernel("from_unixtime(double, bigint, bigint) -> timestamp(3) with time zone", from, from_unixtime);
    let nanos = "The instant so many nanoseconds after 1970 began.";
    table.kernel("from_unixtime_nanos(bigint) -> timestamp(9) with time zone", nanos, |call| {
        let values = call.array(0)?;
        let values = values.as_primitive::<Int64Type>();
        zoned(call, |row| Ok(values.is_valid(row).then(|| (values.value(row).into(), "UTC".to_owned()))))
    });
    let to = "Seconds since 1970 began.";
    table.kernel("to_unixtime(timestamp(p)) -> double", to, to_unixtime);
    table.kernel("to_unixtime(timestamp(p) with time zone) -> double", to, to_unixtime);
}

fn time_offset(call: &Call<'_>, part: fn(i16) -> i16) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    Ok(Arc::new(primitive::<Int64Type>(&array, |row| Ok(part(zoned_time(&array, row).1).into()))?))
}

fn from_unixtime(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let seconds = call.array(0)?;
    let rest = (1..call.len()).map(|index| call.array(index)).collect::<Result<Vec<_>, _>>()?;
    zoned(call, |row| {
        if seconds.is_null(row) || rest.iter().any(|array| array.is_null(row)) {
            return Ok(None);
        }
        let millis = seconds.as_primitive::<Float64Type>().value(row) * 1000.0;
        if !millis.is_finite() || millis.abs() > 1e17 {
            return Err(TrinoError::invalid("Unix time is out of range"));
        }
        let zone = match rest.as_slice() {
            [] => "UTC".into(),
            [zone] => {
                let name = zone.as_string::<i32>().value(row);
                let unknown = |_| TrinoError::new(ErrorCode::NotSupported, format!("Time zone not supported: {name}"));
                known_zone(name).map_err(unknown)?.name()
            }
            [hours, minutes, ..] => {
                let part = |array: &ArrayRef| array.as_primitive::<Int64Type>().value(row);
                let total = part(hours) * 60 + part(minutes);
                let (sign, total) = (if total < 0 { '-' } else { '+' }, total.abs());
                known_zone(&format!("{sign}{:02}:{:02}", total / 60, total % 60))?.name()
            }
        };
        Ok(Some((millis.round() as i128 * 1_000_000, zone)))
    })
}

fn to_unixtime(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    let seconds = |row: usize| {
        let instant = match &call.types[0] {
            Type::TimestampTz(_) => zoned_value(&array, row).0,
            _ => instant_nanos(&array, row),
        };
        // Nanoseconds of today have more digits than a double.
        let micros = instant.div_euclid(1_000);
        array.is_valid(row).then(|| micros as f64 / 1_000_000.0)
    };
    Ok(Arc::new((0..call.rows).map(seconds).collect::<Float64Array>()))
}

#[cfg(test)]
mod tests;
