//! From text and to text: MySQL's, Joda's and ISO 8601's forms.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, StringBuilder};
use arrow::datatypes::Float64Type;
use chrono::{NaiveDate, Weekday};
use datafusion::common::ScalarValue;

use super::super::Table;
use super::pattern::Pattern;
use super::zoned;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::operators::{calendar, local_value, of_calendar};
use crate::time::{DAY, Zone, days_of, parse_time, timestamps, zoned_value};
use crate::types::Type;
use crate::types::format::write_value;

pub(super) fn register(table: &mut Table) {
    let format = "The time as text, by a pattern of MySQL's.";
    table.kernel("date_format(timestamp(p), varchar) -> varchar", format, |call| formatted(call, Pattern::mysql));
    let signature = "date_format(timestamp(p) with time zone, varchar) -> varchar";
    table.kernel(signature, format, |call| formatted(call, Pattern::mysql));
    let format = "The time as text, by a pattern of Joda's.";
    table.kernel("format_datetime(timestamp(p), varchar) -> varchar", format, |call| formatted(call, Pattern::joda));
    let signature = "format_datetime(timestamp(p) with time zone, varchar) -> varchar";
    table.kernel(signature, format, |call| formatted(call, Pattern::joda));
    let parse = "The time that a text shows, by a pattern of MySQL's.";
    table.kernel("date_parse(varchar, varchar) -> timestamp(3)", parse, date_parse).fails_by_row();
    let parse = "The instant that a text shows, by a pattern of Joda's.";
    table
        .kernel("parse_datetime(varchar, varchar) -> timestamp(3) with time zone", parse, parse_datetime)
        .fails_by_row();
    let iso = "The value in the form of ISO 8601.";
    table.kernel("to_iso8601(date) -> varchar(16)", iso, to_iso8601);
    table.kernel("to_iso8601(timestamp(p)) -> varchar(22 + min(p, 1) + p)", iso, to_iso8601);
    table.kernel("to_iso8601(timestamp(p) with time zone) -> varchar(28 + min(p, 1) + p)", iso, to_iso8601);
    let iso = "The date of a text in the form of ISO 8601.";
    table.kernel("from_iso8601_date(varchar) -> date", iso, from_iso8601_date).fails_by_row();
    let iso = "The instant of a text in the form of ISO 8601.";
    table
        .kernel("from_iso8601_timestamp(varchar) -> timestamp(3) with time zone", iso, from_iso8601_timestamp)
        .fails_by_row();
    table
        .kernel("from_iso8601_timestamp_nanos(varchar) -> timestamp(9) with time zone", iso, from_iso8601_timestamp)
        .fails_by_row();
    let human = "Seconds in words: weeks, days, hours, minutes, seconds.";
    table.kernel("human_readable_seconds(double) -> varchar", human, human_readable);
}

/// In nanoseconds.
const MILLISECOND: i128 = 1_000_000;

type Read = fn(&str) -> Result<Pattern, TrinoError>;

/// The patterns of a call: read once if there is one for all rows.
struct Patterns {
    texts: ArrayRef,
    read: Read,
    constant: Option<Pattern>,
}

impl Patterns {
    fn new(call: &Call<'_>, read: Read) -> Result<Self, TrinoError> {
        let constant = match call.constant(1).and_then(|value| value.try_as_str().flatten()) {
            Some(text) => Some(read(text)?),
            None => None,
        };
        Ok(Self { texts: call.array(1)?, read, constant })
    }

    fn with<T>(&self, row: usize, using: impl FnOnce(&Pattern) -> Result<T, TrinoError>) -> Result<T, TrinoError> {
        match &self.constant {
            Some(pattern) => using(pattern),
            None => using(&(self.read)(self.texts.as_string::<i32>().value(row))?),
        }
    }
}

/// A text for each row whose arguments are all present.
fn texts(
    call: &Call<'_>,
    write: impl Fn(usize, &mut String) -> Result<(), TrinoError>,
) -> Result<ArrayRef, TrinoError> {
    let args = (0..call.len()).map(|index| call.array(index)).collect::<Result<Vec<_>, _>>()?;
    let mut out = StringBuilder::new();
    let mut text = String::new();
    for row in 0..call.rows {
        if args.iter().any(|array| array.is_null(row)) {
            out.append_null();
            continue;
        }
        text.clear();
        write(row, &mut text)?;
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}

fn formatted(call: &Call<'_>, read: Read) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    let patterns = Patterns::new(call, read)?;
    let zoned = matches!(call.types[0], Type::TimestampTz(_));
    texts(call, |row, out| {
        let (zone, offset) = match &call.types[0] {
            Type::TimestampTz(_) => {
                let (instant, name) = zoned_value(&values, row);
                let zone = Zone::parse(name).unwrap_or(Zone::Named(chrono_tz::UTC));
                (zone, zone.offset(instant))
            }
            _ => (Zone::Named(chrono_tz::UTC), 0),
        };
        // Patterns know of milliseconds alone.
        let millis = local_value(&values, row, &call.types[0]).div_euclid(MILLISECOND);
        let time = calendar(millis * MILLISECOND)?;
        patterns.with(row, |pattern| {
            if !zoned && pattern.has_zone() {
                return Err(TrinoError::invalid(
                    "format_datetime for TIMESTAMP type, cannot use 'Z' nor 'z' in format, as this type does not contain \
                     TZ information",
                ));
            }
            out.push_str(&pattern.format(time, zone, offset)?);
            Ok(())
        })
    })
}

fn date_parse(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    let patterns = Patterns::new(call, Pattern::mysql)?;
    let value = |row: usize| {
        if values.is_null(row) || patterns.texts.is_null(row) {
            return Ok(None);
        }
        let text = values.as_string::<i32>().value(row);
        if let Some(reason) = call.constant(1).filter(|pattern| is_iso_date(pattern)).and_then(|_| no_iso_date(text)) {
            return Err(TrinoError::invalid(reason));
        }
        patterns.with(row, |pattern| Ok(Some(of_calendar(pattern.parse(text)?.0))))
    };
    let values = (0..call.rows).map(|row| call.forgive(value(row))).collect::<Result<Vec<_>, TrinoError>>()?;
    timestamps(3, values.into_iter(), None)
}

/// The pattern that is read by itself, and has words of its own for what is no date.
fn is_iso_date(pattern: &ScalarValue) -> bool {
    pattern.try_as_str().flatten() == Some("%Y-%m-%d")
}

/// Why `2020-02-30` is no date; none if it is one, or has another form.
fn no_iso_date(text: &str) -> Option<String> {
    let number =
        |digits: &str| digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()));
    let parts: Vec<u32> = text.split('-').map(number).collect::<Option<_>>()?;
    let [year, month, day] = parts.try_into().ok()?;
    let range = |name: &str, most: &str, value: u32| {
        Some(format!("Invalid value for {name} (valid values 1 - {most}): {value}"))
    };
    match (month, day) {
        (0 | 13.., _) => range("MonthOfYear", "12", month),
        (_, 0 | 32..) => range("DayOfMonth", "28/31", day),
        _ if NaiveDate::from_ymd_opt(year as i32, month, day).is_some() => None,
        (2, 29) => Some(format!("Invalid date 'February 29' as '{year}' is not a leap year")),
        _ => {
            let name = chrono::Month::try_from(month as u8).ok()?.name().to_uppercase();
            Some(format!("Invalid date '{name} {day}'"))
        }
    }
}

fn parse_datetime(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    let patterns = Patterns::new(call, Pattern::joda)?;
    zoned(call, |row| {
        if values.is_null(row) || patterns.texts.is_null(row) {
            return Ok(None);
        }
        let text = values.as_string::<i32>().value(row);
        let (time, zone) = patterns.with(row, |pattern| pattern.parse(text))?;
        let zone = zone.unwrap_or(Zone::Named(chrono_tz::UTC));
        let (local, name) = (of_calendar(time), zone.name());
        let instant = zone.instant(local);
        // The clocks have left this time out.
        if zone.local(instant) != local {
            return Err(TrinoError::invalid(format!(
                "Cannot parse \"{text}\": Illegal instant due to time zone offset transition ({name})"
            )));
        }
        Ok(Some((instant, name)))
    })
}

fn to_iso8601(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    texts(call, |row, out| {
        match &call.types[0] {
            Type::TimestampTz(precision) => {
                let (instant, name) = zoned_value(&values, row);
                let zone = Zone::parse(name).unwrap_or(Zone::Named(chrono_tz::UTC));
                let local = timestamps(*precision, std::iter::once(Some(zone.local(instant))), None)?;
                write_value(out, &local, 0, &Type::Timestamp(*precision));
                let offset = zone.offset(instant);
                let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
                // Writing into a string cannot fail.
                let _ = match offset {
                    0 => write!(out, "Z"),
                    _ => write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60),
                };
            }
            ty => write_value(out, &values, row, ty),
        }
        if let Some(blank) = out.find(' ') {
            out.replace_range(blank..=blank, "T");
        }
        Ok(())
    })
}

fn unreadable(text: &str) -> TrinoError {
    TrinoError::invalid(format!("Invalid format: \"{text}\""))
}

fn from_iso8601_date(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    let read =
        |text: Option<&str>| call.forgive(text.map(|text| iso_date(text).ok_or_else(|| unreadable(text))).transpose());
    Ok(Arc::new(values.as_string::<i32>().iter().map(read).collect::<Result<Date32Array, _>>()?))
}

fn from_iso8601_timestamp(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    zoned(call, |row| {
        if values.is_null(row) {
            return Ok(None);
        }
        let text = values.as_string::<i32>().value(row);
        let refuse = || match call.result {
            Type::TimestampTz(9) => TrinoError::invalid(format!("Text '{text}' could not be parsed at index 0")),
            _ => match text.find(' ').filter(|at| iso_date(&text[..*at]).is_some()) {
                Some(at) => {
                    TrinoError::invalid(format!("Invalid format: \"{text}\" is malformed at \"{}\"", &text[at..]))
                }
                None => unreadable(text),
            },
        };
        let (instant, zone) = iso_timestamp(text).ok_or_else(refuse)?;
        // Further digits are dropped, not rounded.
        let instant =
            if call.result == &Type::TimestampTz(3) { instant - instant.rem_euclid(MILLISECOND) } else { instant };
        Ok(Some((instant, zone)))
    })
}

/// `2020`, `2020-01`, `2020-01-31`, `2020-W05`, `2020-W05-5` or `2020-031` as days since 1970.
fn iso_date(text: &str) -> Option<i32> {
    if let Some(date) = plain_date(text.as_bytes()) {
        return Some(days_of(date));
    }
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let parts: Vec<_> = text.split('-').collect();
    let number =
        |text: &str| -> Option<u32> { text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())) };
    let year = i32::try_from(number(parts[0])?).ok()?;
    let year = if negative { -year } else { year };
    let date = match parts[1..] {
        [] => NaiveDate::from_ymd_opt(year, 1, 1),
        [week] if week.starts_with('W') => NaiveDate::from_isoywd_opt(year, number(&week[1..])?, Weekday::Mon),
        [week, day] if week.starts_with('W') => {
            let day = Weekday::try_from(u8::try_from(number(day)?).ok()?.checked_sub(1)?).ok()?;
            NaiveDate::from_isoywd_opt(year, number(&week[1..])?, day)
        }
        [ordinal] if ordinal.len() == 3 => NaiveDate::from_yo_opt(year, number(ordinal)?),
        [month] => NaiveDate::from_ymd_opt(year, number(month)?, 1),
        [month, day] => NaiveDate::from_ymd_opt(year, number(month)?, number(day)?),
        _ => None,
    };
    date.map(days_of)
}

/// `2020-01-31`, the form that is met most.
fn plain_date(text: &[u8]) -> Option<NaiveDate> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum, digit| Some(sum * 10 + u32::from(digit.checked_sub(b'0').filter(|n| *n < 10)?)))
    };
    let year = number(<&[u8; 4]>::try_from(year).ok()?)?;
    NaiveDate::from_ymd_opt(year as i32, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
}

/// A date with `T05:06:07.123+01:00`; without an offset it is UTC.
fn iso_timestamp(text: &str) -> Option<(i128, Cow<'static, str>)> {
    let (date, clock) = text.split_once('T').unwrap_or((text, ""));
    // A time alone is one of the first day.
    let days = if date.is_empty() && !clock.is_empty() { 0 } else { i128::from(iso_date(date)?) * DAY };
    let split = clock.find(['+', '-', 'Z']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(split);
    let clock = if clock.contains(',') { Cow::Owned(clock.replace(',', ".")) } else { Cow::Borrowed(clock) };
    let nanos = match clock.len() {
        0 => 0,
        1 | 2 => parse_time(&format!("{clock}:00"))?,
        _ => parse_time(&clock)?,
    };
    let zone = Zone::parse(if zone.is_empty() { "Z" } else { zone })?;
    Some((zone.instant(days + nanos), zone.name()))
}

fn human_readable(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let values = call.array(0)?;
    texts(call, |row, out| {
        let seconds = values.as_primitive::<Float64Type>().value(row);
        if !seconds.is_finite() {
            return Err(TrinoError::invalid(format!("Invalid argument found: {seconds}")));
        }
        let mut rest = seconds.abs().round() as u64;
        let mut parts = Vec::new();
        for (name, size) in [("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)] {
            let count = rest / size;
            rest %= size;
            if count > 0 {
                parts.push(format!("{count} {name}{}", if count > 1 { "s" } else { "" }));
            }
        }
        if parts.is_empty() {
            parts.push("0 seconds".to_owned());
        }
        out.push_str(&parts.join(", "));
        Ok(())
    })
}
