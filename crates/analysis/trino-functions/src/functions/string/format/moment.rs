//! Dates and times in patterns.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    Date32Type, Time32MillisecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use chrono::{DateTime, Datelike, NaiveDateTime, TimeZone, Timelike, Utc};

use crate::types::Type;
use arrow::array::timezone::Tz;

/// What a value says about date, time and zone.
struct Moment {
    local: NaiveDateTime,
    zone: Option<(String, DateTime<Tz>)>,
    has_date: bool,
    has_time: bool,
}

fn moment(array: &ArrayRef, row: usize, ty: &Type) -> Option<Moment> {
    let (has_date, has_time) = match ty {
        Type::Date => (true, false),
        Type::Time(_) => (false, true),
        Type::Timestamp(_) | Type::TimestampTz(_) => (true, true),
        _ => return None,
    };
    let local = |nanos: i64| Some(DateTime::from_timestamp_nanos(nanos).naive_utc());
    let mut zone = None;
    let local = match ty {
        Type::Date => {
            let days = array.as_primitive::<Date32Type>().value(row);
            DateTime::from_timestamp(i64::from(days) * 86_400, 0)?.naive_utc()
        }
        Type::Time(0..=3) => local(i64::from(array.as_primitive::<Time32MillisecondType>().value(row)) * 1_000_000)?,
        Type::Time(4..=6) => local(array.as_primitive::<Time64MicrosecondType>().value(row) * 1_000)?,
        Type::Time(_) => local(array.as_primitive::<Time64NanosecondType>().value(row))?,
        Type::Timestamp(precision) => instant(array, row, *precision)?.naive_utc(),
        Type::TimestampTz(precision) => {
            let fields = array.as_struct();
            let name = fields.column(1).as_string::<i32>().value(row);
            let zoned = instant(fields.column(0), row, *precision)?.with_timezone(&name.parse::<Tz>().ok()?);
            let local = zoned.naive_local();
            zone = Some((name.to_owned(), zoned));
            local
        }
        _ => return None,
    };
    Some(Moment { local, zone, has_date, has_time })
}

fn instant(array: &ArrayRef, row: usize, precision: u8) -> Option<DateTime<Utc>> {
    match precision {
        0..=3 => Utc.timestamp_millis_opt(array.as_primitive::<TimestampMillisecondType>().value(row)).single(),
        4..=6 => DateTime::from_timestamp_micros(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        _ => Some(DateTime::from_timestamp_nanos(array.as_primitive::<TimestampNanosecondType>().value(row))),
    }
}

/// A value as Java writes it: `1969-07-20T16:17-04:00[America/New_York]`. None if it is no date or time.
pub(super) fn iso(array: &ArrayRef, row: usize, ty: &Type) -> Option<String> {
    let moment = moment(array, row, ty)?;
    let mut text = String::new();
    if moment.has_date {
        text.push_str(&moment.local.format("%Y-%m-%d").to_string());
    }
    if moment.has_date && moment.has_time {
        text.push('T');
    }
    if moment.has_time {
        let nanos = moment.local.nanosecond();
        let pattern = match nanos {
            0 if moment.local.second() == 0 => "%H:%M",
            0 => "%H:%M:%S",
            _ if nanos.is_multiple_of(1_000_000) => "%H:%M:%S%.3f",
            _ if nanos.is_multiple_of(1_000) => "%H:%M:%S%.6f",
            _ => "%H:%M:%S%.9f",
        };
        text.push_str(&moment.local.format(pattern).to_string());
    }
    if let Some((name, zoned)) = &moment.zone {
        let offset = zoned.format("%:z").to_string();
        text.push_str(if offset == "+00:00" { "Z" } else { &offset });
        if !name.starts_with(['+', '-']) {
            text.push_str(&format!("[{name}]"));
        }
    }
    Some(text)
}

/// One part of a date or time; none if the value has no such part.
pub(super) fn shown(array: &ArrayRef, row: usize, ty: &Type, part: char) -> Option<String> {
    let moment = moment(array, row, ty)?;
    let pattern = match part {
        'Y' => "%Y",
        'y' => "%y",
        'C' => "%C",
        'm' => "%m",
        'd' => "%d",
        'e' => return moment.has_date.then(|| moment.local.day().to_string()),
        'B' => "%B",
        'b' | 'h' => "%b",
        'A' => "%A",
        'a' => "%a",
        'j' => "%j",
        'F' => "%Y-%m-%d",
        'D' => "%m/%d/%y",
        'H' => "%H",
        'I' => "%I",
        'k' => return moment.has_time.then(|| moment.local.hour().to_string()),
        'l' => return moment.has_time.then(|| moment.local.hour12().1.to_string()),
        'M' => "%M",
        'S' => "%S",
        'L' => "%3f",
        'N' => "%9f",
        'p' => "%P",
        'T' => "%H:%M:%S",
        'R' => "%H:%M",
        'r' => "%I:%M:%S %p",
        's' => return moment.zone.map(|(_, zoned)| zoned.timestamp().to_string()),
        'Q' => return moment.zone.map(|(_, zoned)| zoned.timestamp_millis().to_string()),
        'z' => return moment.zone.map(|(_, zoned)| zoned.format("%z").to_string()),
        'Z' => return moment.zone.map(|(_, zoned)| zoned.format("%Z").to_string()),
        'c' => return moment.zone.map(|(_, zoned)| zoned.format("%a %b %d %H:%M:%S %Z %Y").to_string()),
        _ => return None,
    };
    let of_date = "YyCmdBbhAajFD".contains(part);
    let there = if of_date { moment.has_date } else { moment.has_time };
    there.then(|| moment.local.format(pattern).to_string())
}
