//! Arithmetic on dates, times and intervals; AT TIME ZONE and EXTRACT.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, DurationMillisecondArray, IntervalYearMonthArray};
use arrow::datatypes::{Date32Type, DurationMillisecondType, Float64Type, Int64Type, IntervalYearMonthType};
use boathouse_trino_parser::ast::BinaryOp;
use chrono::Months;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::lit;

use super::access::operator as call_operator;
use crate::error::TrinoError;
use crate::functions::call_scalar;
use crate::kernel::{Call, Kernel};
use crate::time::{
    DAY, MILLI, MINUTE, Zone, date_of, days_of, naive, nanos, times, timestamps, zoned_local, zoned_times,
    zoned_timestamps, zoned_value,
};
use crate::types::Type;
use crate::types::format::{instant_nanos, time_nanos, zoned_time};
use crate::{Typed, cast};

/// A kernel for two operands, with what they are converted to first.
pub(super) struct Temporal {
    /// What plans tell kernels apart by.
    name: &'static str,
    kernel: Kernel,
    operands: (Type, Type),
    result: Type,
}

impl Temporal {
    pub(super) fn apply(self, left: Typed, right: Typed) -> Typed {
        let convert = |value: Typed, to: &Type| cast::cast(value.clone(), to).unwrap_or(value);
        let operands = vec![convert(left, &self.operands.0), convert(right, &self.operands.1)];
        (call_operator(self.name, self.kernel, operands, &self.result), self.result)
    }
}

/// The kernel of `left op right` where an operand is a date, a time, a timestamp or an interval; none if there is none.
pub(super) fn operator(op: BinaryOp, left: &Type, right: &Type) -> Option<Temporal> {
    use Type::{
        Bigint, Date, Double, IntervalDayTime as Days, IntervalYearMonth as Years, Time, TimeTz, Timestamp, TimestampTz,
    };
    let interval = |ty: &Type| matches!(ty, Days | Years);
    let (kernel, operands, result): (Kernel, _, _) = match (op, left, right) {
        (BinaryOp::Add, Days, Days) | (BinaryOp::Add, Years, Years) => {
            (shift::<1>, (left.clone(), right.clone()), left.clone())
        }
        (BinaryOp::Subtract, Days, Days) | (BinaryOp::Subtract, Years, Years) => {
            (shift::<-1>, (left.clone(), right.clone()), left.clone())
        }
        (BinaryOp::Multiply, interval_type, number) if interval(interval_type) && number.is_numeric() => {
            let number = if number.is_integer() { Bigint } else { Double };
            (multiply, (left.clone(), number), left.clone())
        }
        (BinaryOp::Divide, interval_type, number) if interval(interval_type) && number.is_numeric() => {
            (divide, (left.clone(), Double), left.clone())
        }
        (BinaryOp::Multiply, number, interval_type) if interval(interval_type) && number.is_numeric() => {
            let number = if number.is_integer() { Bigint } else { Double };
            (multiply_flipped, (number, right.clone()), right.clone())
        }
        (BinaryOp::Add, interval_type, other) if interval(interval_type) && !interval(other) => {
            (shift_flipped, (left.clone(), right.clone()), shifted(other, interval_type)?)
        }
        (BinaryOp::Add, other, interval_type) if interval(interval_type) => {
            (shift::<1>, (left.clone(), right.clone()), shifted(other, interval_type)?)
        }
        (BinaryOp::Subtract, other, interval_type) if interval(interval_type) => {
            (shift::<-1>, (left.clone(), right.clone()), shifted(other, interval_type)?)
        }
        (BinaryOp::Subtract, Date, Date)
        | (BinaryOp::Subtract, Time(_), Time(_))
        | (BinaryOp::Subtract, TimeTz(_), TimeTz(_))
        | (BinaryOp::Subtract, Timestamp(_) | TimestampTz(_), Timestamp(_) | TimestampTz(_))
        | (BinaryOp::Subtract, Date, Timestamp(_) | TimestampTz(_))
        | (BinaryOp::Subtract, Timestamp(_) | TimestampTz(_), Date) => {
            (difference, (left.clone(), right.clone()), Days)
        }
        _ => return None,
    };
    Some(Temporal { name: name(op), kernel, operands, result })
}

/// Of an operator's kernels each has operands of its own, so that its name tells them apart.
fn name(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "temporal_add",
        BinaryOp::Subtract => "temporal_subtract",
        BinaryOp::Multiply => "temporal_multiply",
        _ => "temporal_divide",
    }
}

/// The type of a date or time moved by an interval.
fn shifted(ty: &Type, interval: &Type) -> Option<Type> {
    let days = interval == &Type::IntervalDayTime;
    // An interval has milliseconds: what has fewer digits gets them.
    let finer = |precision: &u8| if days { (*precision).max(3) } else { *precision };
    Some(match ty {
        Type::Date => Type::Date,
        Type::Time(precision) if days => Type::Time(finer(precision)),
        Type::TimeTz(precision) if days => Type::TimeTz(finer(precision)),
        Type::Timestamp(precision) => Type::Timestamp(finer(precision)),
        Type::TimestampTz(precision) => Type::TimestampTz(finer(precision)),
        _ => return None,
    })
}

/// `-interval`
pub(super) fn negate(interval: Typed) -> Typed {
    let ty = interval.1.clone();
    let minus_one = (lit(-1_i64), Type::Bigint);
    (call_operator(name(BinaryOp::Multiply), multiply, vec![interval, minus_one], &ty), ty)
}

/// An interval in its own unit: milliseconds or months.
fn interval_value(array: &dyn Array, row: usize, ty: &Type) -> i64 {
    match ty {
        Type::IntervalDayTime => array.as_primitive::<DurationMillisecondType>().value(row),
        _ => array.as_primitive::<IntervalYearMonthType>().value(row).into(),
    }
}

fn intervals(
    ty: &Type,
    rows: usize,
    value: impl Fn(usize) -> Result<Option<i64>, TrinoError>,
) -> Result<ArrayRef, TrinoError> {
    let values = (0..rows).map(value);
    if ty == &Type::IntervalDayTime {
        return Ok(Arc::new(values.collect::<Result<DurationMillisecondArray, _>>()?));
    }
    let months = values.map(|value| value?.map(|months| i32::try_from(months).map_err(|_| overflow())).transpose());
    Ok(Arc::new(months.collect::<Result<IntervalYearMonthArray, TrinoError>>()?))
}

fn overflow() -> TrinoError {
    TrinoError::out_of_range("interval is out of range")
}

fn shift_flipped(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    shift_by(&call.array(1)?, &call.types[1], &call.array(0)?, &call.types[0], 1, call.result)
}

fn shift<const SIGN: i64>(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    shift_by(&call.array(0)?, &call.types[0], &call.array(1)?, &call.types[1], SIGN, call.result)
}

fn shift_by(
    values: &ArrayRef,
    ty: &Type,
    steps: &ArrayRef,
    step_type: &Type,
    sign: i64,
    result: &Type,
) -> Result<ArrayRef, TrinoError> {
    let rows = 0..values.len();
    let valid = |row: usize| values.is_valid(row) && steps.is_valid(row);
    let step = |row: usize| interval_value(steps, row, step_type) * sign;
    let moved = |local: i128, row: usize| match step_type {
        Type::IntervalDayTime => Ok(local + i128::from(step(row)) * MILLI),
        _ => add_months(local, step(row)),
    };
    match ty {
        Type::IntervalDayTime | Type::IntervalYearMonth => intervals(ty, values.len(), |row| {
            if !valid(row) {
                return Ok(None);
            }
            interval_value(values, row, ty).checked_add(step(row)).map(Some).ok_or_else(overflow)
        }),
        Type::Date => {
            let day = |row: usize| {
                if !valid(row) {
                    return Ok(None);
                }
                let local = moved(i128::from(values.as_primitive::<Date32Type>().value(row)) * DAY, row)?;
                match local.rem_euclid(DAY) {
                    0 => Ok(Some(local.div_euclid(DAY) as i32)),
                    _ if sign < 0 => Err(TrinoError::invalid("Cannot subtract hour, minutes or seconds from a date")),
                    _ => Err(TrinoError::invalid("Cannot add hour, minutes or seconds to a date")),
                }
            };
            Ok(Arc::new(rows.map(day).collect::<Result<Date32Array, TrinoError>>()?))
        }
        Type::Time(_) => {
            let Type::Time(precision) = result else { return Err(overflow()) };
            let value = |row: usize| valid(row).then(|| moved(time_nanos(values, row), row)).transpose();
            times(
                *precision,
                rows.map(value)
                    .collect::<Result<Vec<_>, _>>()?
                    .into_iter()
                    .map(|nanos| nanos.map(|nanos| nanos.rem_euclid(DAY))),
            )
        }
        Type::TimeTz(_) => {
            let Type::TimeTz(precision) = result else { return Err(overflow()) };
            let value = |row: usize| {
                let (local, offset) = zoned_time(values, row);
                Ok::<_, TrinoError>((moved(local, row)?.rem_euclid(DAY), offset))
            };
            let values = rows.map(|row| valid(row).then(|| value(row)).transpose()).collect::<Result<Vec<_>, _>>()?;
            zoned_times(*precision, values.into_iter())
        }
        Type::TimestampTz(_) => {
            let Type::TimestampTz(precision) = result else { return Err(overflow()) };
            // Months move what the clocks show, milliseconds the instant.
            let value = |row: usize| {
                let (instant, name) = zoned_value(values, row);
                let zone = Zone::parse(name);
                let moved = match (step_type, zone) {
                    (Type::IntervalYearMonth, Some(zone)) => zone.instant(moved(zone.local(instant), row)?),
                    _ => moved(instant, row)?,
                };
                Ok::<_, TrinoError>((moved, name.to_owned()))
            };
            let values = rows.map(|row| valid(row).then(|| value(row)).transpose()).collect::<Result<_, _>>()?;
            zoned_timestamps(*precision, values)
        }
        _ => {
            let Type::Timestamp(precision) = result else { return Err(overflow()) };
            let value = |row: usize| valid(row).then(|| moved(instant_nanos(values, row), row)).transpose();
            timestamps(*precision, rows.map(value).collect::<Result<Vec<_>, _>>()?.into_iter(), None)
        }
    }
}

/// A local time some months later or earlier, on the month's last day where it has no such day.
pub(crate) fn add_months(local: i128, months: i64) -> Result<i128, TrinoError> {
    let days = i32::try_from(local.div_euclid(DAY)).ok();
    let date = days.and_then(date_of);
    let step = u32::try_from(months.unsigned_abs()).map(Months::new).map_err(|_| overflow())?;
    let date = match months {
        ..0 => date.and_then(|date| date.checked_sub_months(step)),
        _ => date.and_then(|date| date.checked_add_months(step)),
    };
    Ok(i128::from(days_of(date.ok_or_else(overflow)?)) * DAY + local.rem_euclid(DAY))
}

fn multiply(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    scale(&call.array(0)?, &call.types[0], &call.array(1)?, &call.types[1])
}

fn multiply_flipped(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    scale(&call.array(1)?, &call.types[1], &call.array(0)?, &call.types[0])
}

fn scale(interval: &ArrayRef, ty: &Type, factors: &ArrayRef, factor_type: &Type) -> Result<ArrayRef, TrinoError> {
    intervals(ty, interval.len(), |row| {
        if interval.is_null(row) || factors.is_null(row) {
            return Ok(None);
        }
        let value = interval_value(interval, row, ty);
        match factor_type {
            Type::Bigint => {
                let factor = factors.as_primitive::<Int64Type>().value(row);
                value.checked_mul(factor).map(Some).ok_or_else(overflow)
            }
            _ => Ok(Some((value as f64 * factors.as_primitive::<Float64Type>().value(row)) as i64)),
        }
    })
}

fn divide(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (interval, divisors) = (call.array(0)?, call.array(1)?);
    intervals(&call.types[0], call.rows, |row| {
        if interval.is_null(row) || divisors.is_null(row) {
            return Ok(None);
        }
        let divisor = divisors.as_primitive::<Float64Type>().value(row);
        if divisor == 0.0 {
            return Err(TrinoError::invalid("Cannot divide by double 0.0"));
        }
        Ok(Some((interval_value(&interval, row, &call.types[0]) as f64 / divisor) as i64))
    })
}

/// Milliseconds between two points in time.
fn difference(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let point = |array: &ArrayRef, ty: &Type, row: usize| match ty {
        Type::Date => i128::from(array.as_primitive::<Date32Type>().value(row)) * DAY,
        Type::Time(_) => time_nanos(array, row),
        Type::TimeTz(_) => time_nanos(array.as_struct().column(0), row),
        Type::TimestampTz(_) => zoned_value(array, row).0,
        _ => instant_nanos(array, row),
    };
    intervals(&Type::IntervalDayTime, call.rows, |row| {
        if left.is_null(row) || right.is_null(row) {
            return Ok(None);
        }
        let nanos = point(&left, &call.types[0], row) - point(&right, &call.types[1], row);
        i64::try_from(nanos / MILLI).map(Some).map_err(|_| overflow())
    })
}

/// `value AT TIME ZONE zone` on this day (since 1970); a zone is a name or an offset as an interval.
///
/// # Errors
/// TYPE_MISMATCH for what has no time zone.
pub fn at_time_zone(value: Typed, zone: Typed, today: i32) -> Result<Typed, TrinoError> {
    let ty = match &value.1 {
        Type::Timestamp(precision) | Type::TimestampTz(precision) => Type::TimestampTz(*precision),
        Type::Time(precision) | Type::TimeTz(precision) => Type::TimeTz(*precision),
        other => {
            let message =
                format!("Type of value must be a time or timestamp with or without time zone (actual {other})");
            return Err(TrinoError::mismatch(message));
        }
    };
    if !matches!(zone.1, Type::Varchar(_) | Type::IntervalDayTime) {
        return Err(TrinoError::mismatch(format!("Cannot use {} as a time zone", zone.1)));
    }
    let value = cast::cast(value, &ty)?;
    if let Type::TimeTz(_) = ty {
        // A zone's offset is that of the day of the query.
        let today = (lit(ScalarValue::Date32(Some(today))), Type::Date);
        return Ok((call_operator("time_at_timezone", time_in_zone, vec![value, zone, today], &ty), ty));
    }
    Ok((call_operator("at_timezone", in_zone, vec![value, zone], &ty), ty))
}

/// The same instants in other zones.
pub(crate) fn in_zone(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (values, zones) = (call.array(0)?, call.array(1)?);
    let Type::TimestampTz(precision) = call.result else {
        return Err(TrinoError::internal("a zone gives a timestamp with time zone"));
    };
    let value = |row: usize| {
        if values.is_null(row) || zones.is_null(row) {
            return Ok(None);
        }
        let zone = match &call.types[1] {
            Type::IntervalDayTime => offset_zone(interval_value(&zones, row, &call.types[1]))?,
            _ => known_zone(zones.as_string::<i32>().value(row))?,
        };
        Ok(Some((zoned_value(&values, row).0, zone.name())))
    };
    zoned_timestamps(*precision, (0..call.rows).map(value).collect::<Result<_, TrinoError>>()?)
}

fn time_in_zone(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (values, zones, days) = (call.array(0)?, call.array(1)?, call.array(2)?);
    let Type::TimeTz(precision) = call.result else {
        return Err(TrinoError::internal("a zone gives a time with time zone"));
    };
    let value = |row: usize| {
        if values.is_null(row) || zones.is_null(row) {
            return Ok(None);
        }
        let zone = match &call.types[1] {
            Type::IntervalDayTime => offset_zone(interval_value(&zones, row, &call.types[1]))?,
            _ => known_zone(zones.as_string::<i32>().value(row))?,
        };
        let day = i128::from(days.as_primitive::<Date32Type>().value(row)) * DAY;
        let offset = (zone.offset(day) / 60) as i16;
        let utc = time_nanos(values.as_struct().column(0), row);
        Ok(Some(((utc + i128::from(offset) * MINUTE).rem_euclid(DAY), offset)))
    };
    zoned_times(*precision, (0..call.rows).map(value).collect::<Result<Vec<_>, TrinoError>>()?.into_iter())
}

/// A zone by its name.
pub(crate) fn known_zone(name: &str) -> Result<Zone, TrinoError> {
    Zone::parse(name).ok_or_else(|| TrinoError::invalid(format!("'{name}' is not a valid time zone")))
}

fn offset_zone(millis: i64) -> Result<Zone, TrinoError> {
    if millis % 60_000 != 0 {
        return Err(TrinoError::invalid("Invalid time zone offset interval: interval contains seconds"));
    }
    let (sign, minutes) = (if millis < 0 { '-' } else { '+' }, millis.unsigned_abs() / 60_000);
    known_zone(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}

/// `EXTRACT(field FROM value)`: a bigint.
///
/// # Errors
/// SYNTAX_ERROR for a field that there isn't, TYPE_MISMATCH for one that the value doesn't have.
pub fn extract(field: &str, value: Typed) -> Result<Typed, TrinoError> {
    let lower = field.to_lowercase();
    let name = match lower.as_str() {
        "dow" => "day_of_week",
        "doy" => "day_of_year",
        "yow" => "year_of_week",
        "day_of_month" => "day",
        known @ ("year" | "quarter" | "month" | "week" | "day" | "day_of_week" | "day_of_year" | "year_of_week"
        | "hour" | "minute" | "second" | "timezone_hour" | "timezone_minute") => known,
        _ => {
            return Err(TrinoError::new(
                crate::error::ErrorCode::SyntaxError,
                format!("Invalid EXTRACT field: {field}"),
            ));
        }
    };
    let has_time = !matches!(value.1, Type::Date);
    let zoned = matches!(value.1, Type::TimestampTz(_) | Type::TimeTz(_) | Type::Unknown);
    let ty = value.1.clone();
    let refuse = || TrinoError::mismatch(format!("Cannot extract {} from {ty}", field.to_uppercase()));
    match name {
        "hour" | "minute" | "second" if !has_time => Err(refuse()),
        "timezone_hour" | "timezone_minute" if !zoned => Err(refuse()),
        _ => call_scalar(name, vec![value]).map_err(|_| refuse()),
    }
}

/// What the clocks show for a date, a timestamp or a timestamp with time zone.
pub(crate) fn local_value(array: &dyn Array, row: usize, ty: &Type) -> i128 {
    match ty {
        Type::Date => i128::from(array.as_primitive::<Date32Type>().value(row)) * DAY,
        Type::Time(_) => time_nanos(array, row),
        Type::TimeTz(_) => zoned_time(array, row).0,
        Type::TimestampTz(_) => zoned_local(array, row),
        _ => instant_nanos(array, row),
    }
}

/// Today's date parts need chrono's calendar.
pub(crate) fn calendar(local: i128) -> Result<chrono::NaiveDateTime, TrinoError> {
    naive(local).ok_or_else(|| TrinoError::invalid("Date is out of range"))
}

/// The reverse of [`calendar`].
pub(crate) fn of_calendar(time: chrono::NaiveDateTime) -> i128 {
    nanos(time)
}
