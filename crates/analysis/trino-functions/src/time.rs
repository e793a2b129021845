//! Dates, times and zones as numbers: what casts, operators and functions share.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int16Array, PrimitiveArray, StringArray, StructArray, Time32MillisecondArray,
    Time64MicrosecondArray, Time64NanosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowTimestampType, DataType};
use chrono::{DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};

use crate::error::TrinoError;
use crate::types::Type;
use crate::types::format::instant_nanos;

/// Nanoseconds in a day.
pub(crate) const DAY: i128 = 86_400 * SECOND;
/// Nanoseconds in a second.
pub(crate) const SECOND: i128 = 1_000_000_000;
/// Nanoseconds in a minute.
pub(crate) const MINUTE: i128 = 60 * SECOND;
/// Nanoseconds in a millisecond.
pub(crate) const MILLI: i128 = 1_000_000;

/// A time zone: one of the tz database's, or a fixed offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Zone {
    Named(chrono_tz::Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// A zone by its name, such as `Europe/Berlin`, `UTC`, `Z` or `+05:30`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if matches!(name, "Z" | "UTC" | "utc" | "GMT" | "UT") {
            return Some(Self::Named(chrono_tz::UTC));
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        if let Some(rest) = offset.strip_prefix(['+', '-']) {
            let (hours, minutes) = match rest.split_once(':') {
                Some(parts) => parts,
                None if rest.len() == 4 && rest.is_ascii() => rest.split_at(2),
                None => (rest, "0"),
            };
            let (hours, minutes): (i32, i32) = (digits(hours, 2)?, digits(minutes, 2)?);
            let seconds = hours * 3600 + minutes * 60;
            let valid = minutes < 60 && seconds <= 14 * 3600;
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            return FixedOffset::east_opt(sign * seconds).filter(|_| valid).map(Self::Fixed);
        }
        name.parse().ok().map(Self::Named)
    }

    /// The zone's name as Trino shows it.
    pub(crate) fn name(self) -> Cow<'static, str> {
        match self {
            Self::Named(zone) => zone.name().into(),
            Self::Fixed(offset) if offset.local_minus_utc() == 0 => "UTC".into(),
            Self::Fixed(offset) => offset.to_string().into(),
        }
    }

    /// How far the zone's clocks are ahead of UTC at an instant, in seconds.
    pub(crate) fn offset(self, instant: i128) -> i32 {
        if self == Self::Named(chrono_tz::UTC) {
            return 0;
        }
        let seconds = i64::try_from(instant.div_euclid(SECOND)).ok();
        let utc = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or_default().naive_utc();
        match self {
            Self::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            Self::Fixed(offset) => offset.local_minus_utc(),
        }
    }

    /// What the zone's clocks show at an instant.
    pub(crate) fn local(self, instant: i128) -> i128 {
        instant + i128::from(self.offset(instant)) * SECOND
    }

    /// When the zone's clocks show this: the earlier instant if they do so twice; if they never do, the time is as far
    /// after the gap as it is into it.
    pub(crate) fn instant(self, local: i128) -> i128 {
        let shift = match self {
            Self::Fixed(offset) => offset.local_minus_utc(),
            Self::Named(chrono_tz::UTC) => 0,
            Self::Named(zone) => {
                let shown = naive(local).unwrap_or_default();
                match zone.offset_from_local_datetime(&shown) {
                    LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset.fix().local_minus_utc(),
                    LocalResult::None => {
                        let before = shown - TimeDelta::days(1);
                        zone.offset_from_local_datetime(&before)
                            .earliest()
                            .map_or(0, |offset| offset.fix().local_minus_utc())
                    }
                }
            }
        };
        local - i128::from(shift) * SECOND
    }
}

/// A local time as chrono has it.
pub(crate) fn naive(local: i128) -> Option<NaiveDateTime> {
    let seconds = i64::try_from(local.div_euclid(SECOND)).ok()?;
    Some(DateTime::from_timestamp(seconds, local.rem_euclid(SECOND) as u32)?.naive_utc())
}

/// A chrono time as nanoseconds since 1970.
pub(crate) fn nanos(time: NaiveDateTime) -> i128 {
    let utc = time.and_utc();
    i128::from(utc.timestamp()) * SECOND + i128::from(utc.timestamp_subsec_nanos())
}

/// A date from days since 1970.
pub(crate) fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?)
}

/// Days since 1970 of a date.
pub(crate) fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// Nanoseconds rounded to a precision, half up.
pub(crate) fn round(nanos: i128, precision: u8) -> i128 {
    let unit = 10_i128.pow(9 - u32::from(precision.min(9)));
    (nanos + unit / 2).div_euclid(unit) * unit
}

/// `2020-1-31` as days since 1970.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let (negative, text) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let mut parts = text.splitn(3, '-');
    let year = digits(parts.next()?, 6)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    let year = if negative { -year } else { year };
    NaiveDate::from_ymd_opt(year, month as u32, day as u32).map(days_of)
}

/// `5:06`, `05:06:07`, `05:06:07.123456789` as nanoseconds of the day.
pub(crate) fn parse_time(text: &str) -> Option<i128> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<_> = clock.split(':').map(|part| digits(part, 2)).collect::<Option<_>>()?;
    let (hour, minute, second) = match (parts.as_slice(), fraction) {
        ([hour, minute], None) => (*hour, *minute, 0),
        ([hour, minute, second], _) => (*hour, *minute, *second),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = match fraction {
        Some(text) if text.len() <= 12 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let picos: i128 = format!("{text:0<12}").parse().ok()?;
            (picos + 500) / 1000
        }
        Some(_) => return None,
        None => 0,
    };
    Some(i128::from(hour * 3600 + minute * 60 + second) * SECOND + fraction)
}

/// `05:06:07.123 +01:00` as nanoseconds of the day and minutes; without an offset it is UTC's.
pub(crate) fn parse_zoned_time(text: &str) -> Option<(i128, i16)> {
    let Some(at) = text.find(['+', '-']) else { return Some((parse_time(text)?, 0)) };
    let (clock, offset) = text.split_at(at);
    let (hours, minutes) = offset[1..].split_once(':').filter(|parts| parts.0.len() == 2 && parts.1.len() == 2)?;
    let minutes = digits(hours, 2)? * 60 + Some(digits(minutes, 2)?).filter(|minutes| *minutes < 60)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let minutes = i16::try_from(sign * minutes).ok().filter(|_| minutes <= 14 * 60)?;
    Some((parse_time(clock.trim_end())?, minutes))
}

/// `2020-01-31[ 05:06[:07[.123]]][ zone]`: what the clocks show, and the zone's name if there is one.
pub(crate) fn parse_timestamp(text: &str) -> Option<(i128, Option<&str>)> {
    let text = text.trim();
    let Some((date, rest)) = text.split_once(' ') else {
        return Some((i128::from(parse_date(text)?) * DAY, None));
    };
    let days = i128::from(parse_date(date)?) * DAY;
    let rest = rest.trim_start();
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Some((days, Some(rest)));
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    let zone = Some(zone.trim_start()).filter(|zone| !zone.is_empty());
    Some((days + parse_time(clock)?, zone))
}

/// One to `most` digits and nothing else.
fn digits(text: &str, most: usize) -> Option<i32> {
    let valid = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| valid)
}

/// Timestamps of a precision from nanoseconds, which are rounded to it.
pub(crate) fn timestamps(
    precision: u8,
    values: impl Iterator<Item = Option<i128>>,
    zone: Option<&str>,
) -> Result<ArrayRef, TrinoError> {
    let values = values.map(|value| value.map(|nanos| round(nanos, precision)));
    Ok(match precision {
        0..=3 => Arc::new(zoned(scaled::<_, TimestampMillisecondArray>(values, MILLI)?, zone)),
        4..=6 => Arc::new(zoned(scaled::<_, TimestampMicrosecondArray>(values, 1000)?, zone)),
        _ => Arc::new(zoned(scaled::<_, TimestampNanosecondArray>(values, 1)?, zone)),
    })
}

fn zoned<T: ArrowTimestampType>(array: PrimitiveArray<T>, zone: Option<&str>) -> PrimitiveArray<T> {
    array.with_timezone_opt(zone.map(Arc::<str>::from))
}

/// Times of the day of a precision from nanoseconds.
pub(crate) fn times(precision: u8, values: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef, TrinoError> {
    let values = values.map(|value| value.map(|nanos| round(nanos, precision).rem_euclid(DAY)));
    Ok(match precision {
        0..=3 => {
            let millis = values.map(|value| value.map(|nanos| (nanos / MILLI) as i32));
            Arc::new(millis.collect::<Time32MillisecondArray>())
        }
        4..=6 => Arc::new(scaled::<_, Time64MicrosecondArray>(values, 1000)?),
        _ => Arc::new(scaled::<_, Time64NanosecondArray>(values, 1)?),
    })
}

fn scaled<I, A>(values: I, unit: i128) -> Result<A, TrinoError>
where
    I: Iterator<Item = Option<i128>>,
    A: FromIterator<Option<i64>>,
{
    let scale = |nanos: i128| {
        i64::try_from(nanos.div_euclid(unit)).map_err(|_| TrinoError::out_of_range("Timestamp is out of range"))
    };
    values.map(|value| value.map(scale).transpose()).collect()
}

/// Times with time zone from what their clocks show and the minutes that these are ahead of UTC.
pub(crate) fn zoned_times(
    precision: u8,
    values: impl Iterator<Item = Option<(i128, i16)>>,
) -> Result<ArrayRef, TrinoError> {
    let values: Vec<_> = values.collect();
    let utc = |(local, offset): (i128, i16)| round(local, precision) - i128::from(offset) * MINUTE;
    let instants = times(precision, values.iter().map(|value| value.map(utc)))?;
    let offsets: Int16Array = values.iter().map(|value| value.map(|(_, offset)| offset)).collect();
    let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
    let DataType::Struct(fields) = Type::TimeTz(precision).to_arrow() else {
        return Err(TrinoError::internal("a time with time zone is a struct"));
    };
    Ok(Arc::new(StructArray::try_new(fields, vec![instants, Arc::new(offsets)], Some(nulls))?))
}

/// Timestamps with time zone from instants and zones.
pub(crate) fn zoned_timestamps<Z: AsRef<str>>(
    precision: u8,
    values: Vec<Option<(i128, Z)>>,
) -> Result<ArrayRef, TrinoError> {
    let instants = timestamps(precision, values.iter().map(|value| value.as_ref().map(|(at, _)| *at)), Some("UTC"))?;
    let zones: StringArray = values.iter().map(|value| value.as_ref().map(|(_, zone)| zone.as_ref())).collect();
    let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
    let DataType::Struct(fields) = Type::TimestampTz(precision).to_arrow() else {
        return Err(TrinoError::internal("a timestamp with time zone is a struct"));
    };
    Ok(Arc::new(StructArray::try_new(fields, vec![instants, Arc::new(zones)], Some(nulls))?))
}

/// The instant and the zone's name of a timestamp with time zone.
pub(crate) fn zoned_value(array: &dyn Array, row: usize) -> (i128, &str) {
    let fields = array.as_struct();
    (instant_nanos(fields.column(0), row), fields.column(1).as_string::<i32>().value(row))
}

/// What the clocks of a timestamp with time zone show.
pub(crate) fn zoned_local(array: &dyn Array, row: usize) -> i128 {
    let (instant, zone) = zoned_value(array, row);
    Zone::parse(zone).map_or(instant, |zone| zone.local(instant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_show_and_understand_clocks() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let summer = parse_timestamp("2020-07-01 12:00").unwrap().0;
        assert_eq!(berlin.local(summer) - summer, 2 * 3600 * SECOND);
        assert_eq!(berlin.instant(berlin.local(summer)), summer);
        // 02:30 does not exist on that day and means 03:30.
        let gap = parse_timestamp("2020-03-29 02:30").unwrap().0;
        assert_eq!(berlin.local(berlin.instant(gap)), gap + 3600 * SECOND);
        assert_eq!(Zone::parse("+05:30").unwrap().name(), "+05:30");
        assert_eq!(Zone::parse("-0800").unwrap().name(), "-08:00");
        assert_eq!(Zone::parse("Z").unwrap().name(), "UTC");
        assert_eq!(Zone::parse("Mars/Olympus"), None);
        assert_eq!(Zone::parse("+15:00"), None);
    }

    #[test]
    fn texts_are_read_or_refused() {
        assert_eq!(parse_date("1970-1-2"), Some(1));
        assert_eq!(parse_date("2020-02-30"), None);
        assert_eq!(parse_date("2020-02-01x"), None);
        assert_eq!(
            parse_timestamp("1970-01-01 00:00:01.5 Europe/Berlin"),
            Some((1_500_000_000, Some("Europe/Berlin")))
        );
        assert_eq!(parse_timestamp("1970-01-02"), Some((DAY, None)));
        assert_eq!(parse_timestamp("1970-01-02T00:00:00"), None);
        assert_eq!(parse_time("24:00"), None);
        assert_eq!(parse_zoned_time("01:00:00.5 -02:30"), Some((3600 * SECOND + SECOND / 2, -150)));
        assert_eq!(parse_zoned_time("01:00+15:00"), None);
        assert_eq!(round(1_500_000, 3), 2_000_000);
        assert_eq!(round(-1_600_000, 3), -2_000_000);
    }
}
