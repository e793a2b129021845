//! Values as Athena shows them: `2013-01-01 05:17:00.000`, `1.0E10`, `[1, 2]`, `{a=1, b=2}`, `0a 0b`.

use std::fmt::Write;

use arrow::array::timezone::Tz;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType, Time64MicrosecondType, Time64NanosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use chrono::{DateTime, Offset, TimeZone};

use super::Type;

const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// Appends the value in a row as text; `null` for NULL, as it stands inside arrays and rows. The caller shows a NULL at
/// the top in its own way. The array has the type's Arrow type ([`Type::to_arrow`]).
pub fn write_value(out: &mut String, array: &dyn Array, row: usize, ty: &Type) {
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    match ty {
        Type::Unknown => out.push_str("null"),
        Type::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        Type::Tinyint => show(out, array.as_primitive::<Int8Type>().value(row)),
        Type::Smallint => show(out, array.as_primitive::<Int16Type>().value(row)),
        Type::Integer => show(out, array.as_primitive::<Int32Type>().value(row)),
        Type::Bigint => show(out, array.as_primitive::<Int64Type>().value(row)),
        Type::Real => {
            let value = array.as_primitive::<Float32Type>().value(row);
            write_float(out, &format!("{value:e}"), value.into());
        }
        Type::Double => {
            let value = array.as_primitive::<Float64Type>().value(row);
            write_float(out, &format!("{value:e}"), value);
        }
        Type::Decimal(_, scale) => write_decimal(out, array.as_primitive::<Decimal128Type>().value(row), *scale),
        Type::Varchar(_) | Type::Json | Type::Uuid | Type::KdbTree => out.push_str(array.as_string::<i32>().value(row)),
        Type::IpAddress => write_address(out, array.as_binary::<i32>().value(row)),
        Type::Char(length) => {
            let text = array.as_string::<i32>().value(row);
            out.push_str(text);
            let missing = (*length as usize).saturating_sub(text.chars().count());
            out.extend(std::iter::repeat_n(' ', missing));
        }
        Type::Color => crate::functions::write_color(out, array.as_primitive::<Int32Type>().value(row)),
        Type::Geometry | Type::SphericalGeography => {
            crate::functions::write_geometry(out, array.as_binary::<i32>().value(row));
        }
        Type::BingTile => crate::functions::write_tile(out, array.as_primitive::<Int64Type>().value(row)),
        Type::Varbinary | Type::Sketch(_) => {
            for (index, byte) in array.as_binary::<i32>().value(row).iter().enumerate() {
                let blank = if index > 0 { " " } else { "" };
                show(out, format_args!("{blank}{byte:02x}"));
            }
        }
        Type::Date => write_date(out, array.as_primitive::<Date32Type>().value(row).into()),
        Type::Time(precision) => write_time(out, time_nanos(array, row), *precision),
        Type::TimeTz(precision) => {
            let (local, offset) = zoned_time(array, row);
            write_time(out, local, *precision);
            let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
            show(out, format_args!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        Type::Timestamp(precision) => write_timestamp(out, instant_nanos(array, row), *precision),
        Type::TimestampTz(precision) => {
            let fields = array.as_struct();
            let zone = fields.column(1).as_string::<i32>().value(row);
            let instant = instant_nanos(fields.column(0), row);
            write_timestamp(out, instant + offset_nanos(zone, instant), *precision);
            out.push(' ');
            out.push_str(zone);
        }
        Type::IntervalDayTime => write_day_time(out, array.as_primitive::<DurationMillisecondType>().value(row)),
        Type::IntervalYearMonth => {
            let months = array.as_primitive::<IntervalYearMonthType>().value(row);
            let sign = if months < 0 { "-" } else { "" };
            let months = months.unsigned_abs();
            show(out, format_args!("{sign}{}-{}", months / 12, months % 12));
        }
        Type::Array(element) => {
            let values = array.as_list::<i32>().value(row);
            write_all(out, ('[', ']'), values.len(), |out, index| write_value(out, &values, index, element));
        }
        Type::Map(key, value) => {
            let entries = array.as_map().value(row);
            write_all(out, ('{', '}'), entries.len(), |out, index| {
                write_value(out, entries.column(0), index, key);
                out.push('=');
                write_value(out, entries.column(1), index, value);
            });
        }
        Type::Row(fields) => {
            let columns = array.as_struct();
            write_all(out, ('{', '}'), fields.len(), |out, index| {
                let field = &fields[index];
                match &field.name {
                    Some(name) => show(out, format_args!("{name}=")),
                    None => show(out, format_args!("field{index}=")),
                }
                write_value(out, columns.column(index), row, &field.ty);
            });
        }
    }
}

/// Writing into a string cannot fail.
fn show(out: &mut String, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

/// A double as Java shows it, such as `1.0E10`.
pub(crate) fn java_double(value: f64) -> String {
    let mut text = String::new();
    write_float(&mut text, &format!("{value:e}"), value);
    text
}

fn write_all(out: &mut String, (open, close): (char, char), count: usize, mut each: impl FnMut(&mut String, usize)) {
    out.push(open);
    for index in 0..count {
        if index > 0 {
            out.push_str(", ");
        }
        each(out, index);
    }
    out.push(close);
}

/// Java's rule: plain from 0.001 up to ten million, else one digit before the point and an `E`. Always one digit after it.
fn write_float(out: &mut String, scientific: &str, value: f64) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.trim_start_matches('-').replace('.', "");
    if mantissa.starts_with('-') {
        out.push('-');
    }
    let (before, after, suffix) = match exponent {
        -3..=-1 => ("0".to_owned(), format!("{}{digits}", "0".repeat((-exponent - 1) as usize)), None),
        0..=6 => {
            let whole = exponent as usize + 1;
            let padded = format!("{digits:0<whole$}");
            (padded[..whole].to_owned(), padded[whole..].to_owned(), None)
        }
        _ => (digits[..1].to_owned(), digits[1..].to_owned(), Some(exponent)),
    };
    let after = if after.is_empty() { "0" } else { after.as_str() };
    show(out, format_args!("{before}.{after}"));
    if let Some(exponent) = suffix {
        show(out, format_args!("E{exponent}"));
    }
}

pub(crate) fn write_decimal(out: &mut String, value: i128, scale: u8) {
    let sign = if value < 0 { "-" } else { "" };
    let unit = 10_u128.pow(u32::from(scale));
    let (whole, fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    show(out, format_args!("{sign}{whole}"));
    if scale > 0 {
        show(out, format_args!(".{fraction:0width$}", width = usize::from(scale)));
    }
}

/// An address of version 4 is written as such.
fn write_address(out: &mut String, bytes: &[u8]) {
    if let Ok(bytes) = <[u8; 16]>::try_from(bytes) {
        show(out, std::net::IpAddr::from(bytes).to_canonical());
    }
}

/// Days since 1970-01-01 as a date of the proleptic Gregorian calendar, by counting years from the first of March.
fn write_date(out: &mut String, days: i64) {
    let from_march_0 = days + 719_468;
    let (era, day_of_era) = (from_march_0.div_euclid(146_097), from_march_0.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let sign = match year {
        ..0 => "-",
        10_000.. => "+",
        _ => "",
    };
    show(out, format_args!("{sign}{:04}-{month:02}-{day:02}", year.abs()));
}

fn write_timestamp(out: &mut String, nanos: i128, precision: u8) {
    write_date(out, nanos.div_euclid(NANOS_PER_DAY) as i64);
    out.push(' ');
    write_time(out, nanos.rem_euclid(NANOS_PER_DAY), precision);
}

fn write_time(out: &mut String, nanos: i128, precision: u8) {
    let seconds = nanos / 1_000_000_000;
    show(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if precision > 0 {
        let fraction = format!("{:09}", nanos % 1_000_000_000);
        show(out, format_args!(".{}", &fraction[..usize::from(precision.min(9))]));
    }
}

fn write_day_time(out: &mut String, millis: i64) {
    let sign = if millis < 0 { "-" } else { "" };
    let nanos = i128::from(millis.unsigned_abs()) * 1_000_000;
    show(out, format_args!("{sign}{} ", nanos / NANOS_PER_DAY));
    write_time(out, nanos % NANOS_PER_DAY, 3);
}

pub(crate) fn instant_nanos(array: &dyn Array, row: usize) -> i128 {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            i128::from(array.as_primitive::<TimestampMillisecondType>().value(row)) * 1_000_000
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            i128::from(array.as_primitive::<TimestampMicrosecondType>().value(row)) * 1_000
        }
        _ => array.as_primitive::<TimestampNanosecondType>().value(row).into(),
    }
}

/// How far a zone's clocks were ahead of UTC at an instant. Values hold only zones that were known when they were made.
fn offset_nanos(zone: &str, instant: i128) -> i128 {
    let seconds = instant.div_euclid(1_000_000_000) as i64;
    let offset = zone
        .parse::<Tz>()
        .ok()
        .zip(DateTime::from_timestamp(seconds, 0))
        .map(|(zone, instant)| zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc());
    i128::from(offset.unwrap_or(0)) * 1_000_000_000
}

/// What the clock of a time with time zone shows, and how many minutes it is ahead of UTC.
pub(crate) fn zoned_time(array: &dyn Array, row: usize) -> (i128, i16) {
    let fields = array.as_struct();
    let offset = fields.column(1).as_primitive::<Int16Type>().value(row);
    let shown = time_nanos(fields.column(0), row) + i128::from(offset) * 60_000_000_000;
    (shown.rem_euclid(NANOS_PER_DAY), offset)
}

pub(crate) fn time_nanos(array: &dyn Array, row: usize) -> i128 {
    match array.data_type() {
        DataType::Time32(_) => i128::from(array.as_primitive::<Time32MillisecondType>().value(row)) * 1_000_000,
        DataType::Time64(TimeUnit::Microsecond) => {
            i128::from(array.as_primitive::<Time64MicrosecondType>().value(row)) * 1_000
        }
        _ => array.as_primitive::<Time64NanosecondType>().value(row).into(),
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
