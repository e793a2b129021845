//! `date_trunc`, `date_add`, `date_diff` and `last_day_of_month`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array};
use arrow::datatypes::Int64Type;
use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta};

use super::super::Table;
use super::zoned;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::operators::{add_months, calendar, local_value, of_calendar};
use crate::time::{DAY, MILLI, SECOND, Zone, days_of, times, timestamps, zoned_times, zoned_value};
use crate::types::Type;
use crate::types::format::{time_nanos, zoned_time};

pub(super) fn register(table: &mut Table) {
    let trunc = "The value with everything smaller than the unit set to its beginning.";
    for signature in [
        "date_trunc(varchar(x), date) -> date",
        "date_trunc(varchar(x), timestamp(p)) -> timestamp(p)",
        "date_trunc(varchar(x), timestamp(p) with time zone) -> timestamp(p) with time zone",
        "date_trunc(varchar(x), time(p)) -> time(p)",
        "date_trunc(varchar(x), time(p) with time zone) -> time(p) with time zone",
    ] {
        table.kernel(signature, trunc, truncate);
    }
    let add = "The value so many units later.";
    for signature in [
        "date_add(varchar(x), bigint, date) -> date",
        "date_add(varchar(x), bigint, timestamp(p)) -> timestamp(p)",
        "date_add(varchar(x), bigint, timestamp(p) with time zone) -> timestamp(p) with time zone",
        "date_add(varchar(x), bigint, time(p)) -> time(p)",
        "date_add(varchar(x), bigint, time(p) with time zone) -> time(p) with time zone",
    ] {
        table.kernel(signature, add, shift);
    }
    let diff = "The number of whole units from the first to the second.";
    for signature in [
        "date_diff(varchar(x), date, date) -> bigint",
        "date_diff(varchar(x), timestamp(p), timestamp(p)) -> bigint",
        "date_diff(varchar(x), timestamp(p) with time zone, timestamp(p) with time zone) -> bigint",
        "date_diff(varchar(x), time(p), time(p)) -> bigint",
        "date_diff(varchar(x), time(p) with time zone, time(p) with time zone) -> bigint",
    ] {
        table.kernel(signature, diff, difference);
    }
    let last = "The last day of the month.";
    table.kernel("last_day_of_month(date) -> date", last, last_day);
    table.kernel("last_day_of_month(timestamp(p)) -> date", last, last_day);
    table.kernel("last_day_of_month(timestamp(p) with time zone) -> date", last, last_day);
}

/// A unit of time: so many nanoseconds or so many months.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Fixed(i128),
    Week,
    Months(i64),
}

/// The unit of a name; dates have no clocks and times have no days.
fn unit(name: &str, ty: &Type) -> Result<Unit, TrinoError> {
    let unit = match name.to_lowercase().as_str() {
        "millisecond" => Some(Unit::Fixed(MILLI)),
        "second" => Some(Unit::Fixed(SECOND)),
        "minute" => Some(Unit::Fixed(60 * SECOND)),
        "hour" => Some(Unit::Fixed(3600 * SECOND)),
        "day" => Some(Unit::Fixed(DAY)),
        "week" => Some(Unit::Week),
        "month" => Some(Unit::Months(1)),
        "quarter" => Some(Unit::Months(3)),
        "year" => Some(Unit::Months(12)),
        _ => None,
    };
    let (what, fits): (_, fn(Unit) -> bool) = match ty {
        Type::Date => ("DATE", |unit| !matches!(unit, Unit::Fixed(nanos) if nanos < DAY)),
        Type::Time(_) | Type::TimeTz(_) => ("TIME", |unit| matches!(unit, Unit::Fixed(nanos) if nanos < DAY)),
        _ => ("TIMESTAMP", |_| true),
    };
    let refuse = || TrinoError::invalid(format!("'{name}' is not a valid {what} field"));
    unit.filter(|unit| fits(*unit)).ok_or_else(refuse)
}

/// Applies a function to what the clocks show; the result has the value's type.
fn map_local(
    call: &Call<'_>,
    index: usize,
    convert: impl Fn(usize, i128) -> Result<i128, TrinoError>,
) -> Result<ArrayRef, TrinoError> {
    let values = call.array(index)?;
    let others = (0..index).map(|other| call.array(other)).collect::<Result<Vec<_>, _>>()?;
    let present = |row: usize| values.is_valid(row) && others.iter().all(|other| other.is_valid(row));
    let ty = &call.types[index];
    if let Type::TimestampTz(_) = ty {
        return zoned(call, |row| {
            if !present(row) {
                return Ok(None);
            }
            let (instant, name) = zoned_value(&values, row);
            let zone = Zone::parse(name).ok_or_else(|| TrinoError::internal(format!("unknown zone {name}")))?;
            Ok(Some((zone.instant(convert(row, zone.local(instant))?), name.to_owned())))
        });
    }
    let converted = (0..call.rows)
        .map(|row| present(row).then(|| convert(row, local_value(&values, row, ty))).transpose())
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    match ty {
        Type::Date => {
            let days = converted.map(|value| value.map(|nanos| nanos.div_euclid(DAY) as i32));
            Ok(Arc::new(days.collect::<Date32Array>()))
        }
        Type::Time(precision) => times(*precision, converted.map(|value| value.map(|nanos| nanos.rem_euclid(DAY)))),
        Type::TimeTz(precision) => {
            let with_offset = |(row, value): (usize, Option<i128>)| {
                value.map(|nanos| (nanos.rem_euclid(DAY), zoned_time(&values, row).1))
            };
            zoned_times(*precision, converted.enumerate().map(with_offset))
        }
        Type::Timestamp(precision) => timestamps(*precision, converted, None),
        other => Err(TrinoError::internal(format!("{other} is no point in time"))),
    }
}

fn truncate(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let names = call.array(0)?;
    map_local(call, 1, |row, local| match unit(names.as_string::<i32>().value(row), &call.types[1])? {
        Unit::Fixed(nanos) => Ok(local.div_euclid(nanos) * nanos),
        Unit::Week => {
            let date = calendar(local)?.date();
            let monday = date - TimeDelta::days(date.weekday().num_days_from_monday().into());
            Ok(i128::from(days_of(monday)) * DAY)
        }
        Unit::Months(count) => {
            let date = calendar(local)?.date();
            let first = i64::from(date.month0()) / count * count;
            let start = NaiveDate::from_ymd_opt(date.year(), first as u32 + 1, 1);
            start
                .map(|start| i128::from(days_of(start)) * DAY)
                .ok_or_else(|| TrinoError::invalid("Date is out of range"))
        }
    })
}

fn shift(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (names, counts) = (call.array(0)?, call.array(1)?);
    map_local(call, 2, |row, local| {
        let count = counts.as_primitive::<Int64Type>().value(row);
        match unit(names.as_string::<i32>().value(row), &call.types[2])? {
            Unit::Fixed(nanos) => Ok(local + nanos * i128::from(count)),
            Unit::Week => Ok(local + 7 * DAY * i128::from(count)),
            Unit::Months(months) => {
                let months = months.checked_mul(count).ok_or_else(|| TrinoError::invalid("Date is out of range"))?;
                add_months(local, months)
            }
        }
    })
}

fn difference(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (names, from, to) = (call.array(0)?, call.array(1)?, call.array(2)?);
    let local = |array: &ArrayRef, ty: &Type, row: usize, zone: Option<Zone>| match zone {
        // Times of the day are compared in UTC.
        None if matches!(ty, Type::TimeTz(_)) => time_nanos(array.as_struct().column(0), row),
        Some(zone) => zone.local(zoned_value(array, row).0),
        None => local_value(array, row, ty),
    };
    let value = |row: usize| {
        if names.is_null(row) || from.is_null(row) || to.is_null(row) {
            return Ok(None);
        }
        let unit = unit(names.as_string::<i32>().value(row), &call.types[1])?;
        let zoned = matches!(call.types[1], Type::TimestampTz(_));
        // Both are seen in the first one's zone; hours and less are counted between instants.
        let zone = if zoned { Zone::parse(zoned_value(&from, row).1) } else { None };
        let elapsed = match zone {
            Some(_) => zoned_value(&to, row).0 - zoned_value(&from, row).0,
            None => local(&to, &call.types[2], row, None) - local(&from, &call.types[1], row, None),
        };
        let (start, end) = (local(&from, &call.types[1], row, zone), local(&to, &call.types[2], row, zone));
        Ok(Some(match unit {
            Unit::Fixed(nanos) if nanos < DAY => (elapsed / nanos) as i64,
            Unit::Fixed(nanos) => ((end - start) / nanos) as i64,
            Unit::Week => ((end - start) / (7 * DAY)) as i64,
            Unit::Months(count) => whole_months(calendar(start)?, calendar(end)?) / count,
        }))
    };
    Ok(Arc::new((0..call.rows).map(value).collect::<Result<Int64Array, TrinoError>>()?))
}

/// How many whole months lie between two times; negative if the second one is earlier.
fn whole_months(start: NaiveDateTime, end: NaiveDateTime) -> i64 {
    let months = i64::from(end.year() - start.year()) * 12 + i64::from(end.month()) - i64::from(start.month());
    let step = Months::new(months.unsigned_abs() as u32);
    let reached = if months < 0 { start.checked_sub_months(step) } else { start.checked_add_months(step) };
    match reached {
        Some(reached) if months > 0 && reached > end => months - 1,
        Some(reached) if months < 0 && reached < end => months + 1,
        _ => months,
    }
}

fn last_day(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    let last = |row: usize| {
        if values.is_null(row) {
            return Ok(None);
        }
        let date = calendar(local_value(&values, row, &call.types[0]))?.date();
        let first = of_calendar(date.with_day(1).unwrap_or(date).into());
        Ok(Some((add_months(first, 1)?.div_euclid(DAY) - 1) as i32))
    };
    Ok(Arc::new((0..call.rows).map(last).collect::<Result<Date32Array, TrinoError>>()?))
}
