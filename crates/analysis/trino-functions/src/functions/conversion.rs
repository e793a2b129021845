//! Sizes and durations in words, and numbers with units.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, DurationMillisecondType, Float64Type, Int64Type};

use super::Table;
use super::support::{Computed, bigints, numbers, primitives, text, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;

/// Each unit is 1024 of the one before.
const SIZES: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
/// Each unit is 1000 of the one before.
const THOUSANDS: [&str; 6] = ["", "K", "M", "B", "T", "Q"];
/// Units of time in milliseconds.
const TIMES: [(&str, f64); 7] =
    [("ns", 1e-6), ("us", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3600e3), ("d", 86_400e3)];

pub(crate) fn register(table: &mut Table) {
    let size = "The bytes that a size such as 2.3MB means; each unit is 1024 of the one before.";
    table.kernel("parse_data_size(varchar) -> decimal(38, 0)", size, parse_data_size);
    table.alias("parse_presto_data_size", "parse_data_size");
    let short = "The number in few digits with a unit: 123K.";
    table.kernel("format_number(bigint) -> varchar", short, |call| {
        let values = bigints(call, 0)?;
        write_texts(call, |row, out| {
            out.push_str(&in_thousands(values.value(row) as f64));
            Ok(Some(()))
        })
    });
    table.kernel("format_number(double) -> varchar", short, |call| {
        let values = numbers::<Float64Type>(call, 0)?;
        write_texts(call, |row, out| {
            out.push_str(&in_thousands(values.value(row)));
            Ok(Some(()))
        })
    });
    let duration = "The duration of a text such as 3.81d.";
    table.kernel("parse_duration(varchar) -> interval day to second", duration, parse_duration);
    table.kernel("to_milliseconds(interval day to second) -> bigint", "The interval's milliseconds.", |call| {
        let values = call.array(0)?;
        let values = values.as_primitive::<DurationMillisecondType>();
        primitives::<Int64Type>(call, |row| Ok(values.is_valid(row).then(|| values.value(row))))
    });
}

/// A number without a sign and the unit after it.
fn measured(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let unit = unit.trim_start();
    let named = !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_alphabetic());
    (digits(whole) && digits(fraction) && named).then_some((number, unit))
}

fn parse_data_size(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    primitives::<Decimal128Type>(call, |row| {
        let value = values.value(row);
        let size = data_size(value);
        size.map(Some).ok_or_else(|| TrinoError::invalid(format!("Invalid data size: '{value}'")))
    })
}

/// The bytes, without what is left of one.
fn data_size(text: &str) -> Option<i128> {
    let (number, unit) = measured(text)?;
    let power = SIZES.iter().position(|size| *size == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let factor = 1024_i128.checked_pow(power as u32)?;
    let parts = 10_i128.checked_pow(fraction.len() as u32)?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some(digits.checked_mul(factor)? / parts)
}

fn in_thousands(value: f64) -> String {
    let (mut value, mut unit) = (value, 0);
    while value.abs() >= 1000.0 && unit + 1 < THOUSANDS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let places = match value.abs() {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    let shown = format!("{value:.places$}");
    let shown = match shown.contains('.') {
        true => shown.trim_end_matches('0').trim_end_matches('.'),
        false => &shown,
    };
    format!("{shown}{}", THOUSANDS[unit])
}

fn parse_duration(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    primitives::<DurationMillisecondType>(call, |row| {
        let value = values.value(row);
        let Some((number, unit)) = measured(value) else {
            return Err(TrinoError::invalid(match value {
                "" => "duration is empty".to_owned(),
                _ => format!("duration is not a valid data duration string: {value}"),
            }));
        };
        let Some((_, factor)) = TIMES.iter().find(|(name, _)| *name == unit) else {
            return Err(TrinoError::invalid(format!("Unknown time unit: {unit}")));
        };
        Ok(Some((number.parse::<f64>().unwrap_or_default() * factor).round() as i64))
    })
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, type_of};

    #[test]
    fn sizes() {
        check(&[
            ("parse_data_size('1B')", "1"),
            ("parse_data_size('1kB')", "1024"),
            ("parse_data_size('2.3MB')", "2411724"),
            ("parse_presto_data_size('1YB')", "1208925819614629174706176"),
            ("parse_data_size('7 x')", "INVALID_FUNCTION_ARGUMENT: Invalid data size: '7 x'"),
            ("parse_data_size('GB')", "INVALID_FUNCTION_ARGUMENT: Invalid data size: 'GB'"),
        ]);
        assert_eq!(type_of("parse_data_size('1B')"), "decimal(38,0)");
    }

    #[test]
    fn numbers_with_units() {
        check(&[
            ("format_number(123)", "123"),
            ("format_number(123456)", "123K"),
            ("format_number(1000000)", "1M"),
            ("format_number(12345678)", "12.3M"),
            ("format_number(1.234e0)", "1.23"),
            ("format_number(999999)", "1000K"),
        ]);
    }

    #[test]
    fn durations() {
        check(&[
            ("parse_duration('42.8ms')", "0 00:00:00.043"),
            ("parse_duration('3.81 d')", "3 19:26:24.000"),
            ("parse_duration('5m')", "0 00:05:00.000"),
            ("to_milliseconds(parse_duration('1.5s'))", "1500"),
            ("parse_duration('5 parsecs')", "INVALID_FUNCTION_ARGUMENT: Unknown time unit: parsecs"),
            ("parse_duration('')", "INVALID_FUNCTION_ARGUMENT: duration is empty"),
        ]);
    }
}
