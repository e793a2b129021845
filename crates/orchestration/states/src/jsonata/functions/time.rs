//! Dates and times, with the pictures of XPath's format-dateTime as far as people use them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Timelike, Utc};

use super::{Builtin, Call};
use crate::jsonata::eval::Result;
use crate::jsonata::value::Val;

pub(super) fn call(call: &Call<'_>) -> Result {
    let now = call.evaluator.bindings.now;
    match call.builtin {
        Builtin::Now => format(now, call, 0),
        Builtin::Millis => Ok(Val::Number(now.timestamp_millis() as f64)),
        Builtin::FromMillis => {
            let Some(millis) = call.optional_number(0)? else { return Ok(Val::Undefined) };
            let time = Utc.timestamp_millis_opt(millis as i64).single().ok_or("D3137: the time is out of range")?;
            format(time, call, 1)
        }
        _ => to_millis(call),
    }
}

fn format(time: DateTime<Utc>, call: &Call<'_>, picture: usize) -> Result {
    let offset = match call.optional_text(picture + 1)? {
        Some(zone) => offset(&zone)?,
        None => FixedOffset::east_opt(0).ok_or("D3134: not a time zone")?,
    };
    let local = time.with_timezone(&offset);
    match call.optional_text(picture)? {
        Some(picture) => formatted(&local, &picture).map(Val::text),
        None if offset.local_minus_utc() == 0 => Ok(Val::text(time.to_rfc3339_opts(SecondsFormat::Millis, true))),
        None => Ok(Val::text(local.to_rfc3339_opts(SecondsFormat::Millis, false))),
    }
}

/// `+0530` and `-0800`.
fn offset(zone: &str) -> Result<FixedOffset> {
    let problem = || format!("D3134: The timezone integer format specifier must be ±HHMM: {zone}");
    let digits = zone.strip_prefix(['+', '-']).unwrap_or(zone);
    let number: i32 = digits.parse().map_err(|_| problem())?;
    let seconds = (number / 100 * 60 + number % 100) * 60;
    FixedOffset::east_opt(if zone.starts_with('-') { -seconds } else { seconds }).ok_or_else(problem)
}

/// A picture in pieces: text, or a marker such as `M01`.
fn pieces(picture: &str) -> Result<Vec<(bool, String)>> {
    let (mut pieces, mut rest) = (Vec::new(), picture);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[[") {
            pieces.push((false, "[".to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("]]") {
            pieces.push((false, "]".to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').ok_or("D3135: No matching closing bracket ']' in date/time picture string")?;
            pieces.push((true, after[..end].split_whitespace().collect()));
            rest = &after[end + 1..];
        } else {
            let end = rest.find(['[', ']']).unwrap_or(rest.len()).max(1);
            pieces.push((false, rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    Ok(pieces)
}

fn formatted(time: &DateTime<FixedOffset>, picture: &str) -> Result<String> {
    let mut text = String::new();
    for (marker, piece) in pieces(picture)? {
        if marker { text.push_str(&component(time, &piece)?) } else { text.push_str(&piece) }
    }
    Ok(text)
}

fn component(time: &DateTime<FixedOffset>, marker: &str) -> Result<String> {
    let unsupported = || format!("the date/time picture [{marker}] is not supported");
    let name = marker.chars().next().ok_or_else(unsupported)?;
    let (style, width) = marker[name.len_utf8()..].split_once(',').unwrap_or((&marker[name.len_utf8()..], ""));
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let number = match name {
        'Y' => {
            let year = i64::from(time.year());
            let digits = style.chars().filter(char::is_ascii_digit).count();
            let short = digits == 2 || width.starts_with('2') || width.ends_with("-2");
            return Ok(if short { format!("{:02}", year % 100) } else { padded(year, style) });
        }
        'M' if style.contains('N') || style.contains('n') => {
            return Ok(named(&time.format("%B").to_string(), style, width));
        }
        'F' if style.contains('N') || style.contains('n') || style.is_empty() => {
            let style = if style.is_empty() { "n" } else { style };
            return Ok(named(&time.format("%A").to_string(), style, width));
        }
        'P' => {
            let half = if time.hour() < 12 { "am" } else { "pm" };
            return Ok(if style.starts_with('N') && !style.contains('n') {
                half.to_uppercase()
            } else {
                half.to_owned()
            });
        }
        'Z' | 'z' => {
            let seconds = time.offset().local_minus_utc();
            let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
            let prefix = if name == 'z' { "GMT" } else { "" };
            return Ok(match style {
                "Z" | "0101t" | "01:01t" | "t" if seconds == 0 => "Z".to_owned(),
                "0101" | "0101t" | "0000" => format!("{prefix}{sign}{:02}{:02}", minutes / 60, minutes % 60),
                _ => format!("{prefix}{sign}{:02}:{:02}", minutes / 60, minutes % 60),
            });
        }
        'f' => {
            let digits = style.len().clamp(1, 9);
            let fraction = format!("{:09}", time.nanosecond() % 1_000_000_000);
            let digits = if style.is_empty() { 3 } else { digits };
            return Ok(fraction[..digits].to_owned());
        }
        'M' => time.month(),
        'D' => time.day(),
        'd' => time.ordinal(),
        'F' => time.weekday().number_from_monday(),
        'W' => time.iso_week().week(),
        'X' => return Ok(padded(i64::from(time.iso_week().year()), style)),
        'H' => time.hour(),
        'h' => hour12,
        'm' | 's' => {
            let value = if name == 'm' { time.minute() } else { time.second() };
            return Ok(padded(i64::from(value), if style.is_empty() { "01" } else { style }));
        }
        _ => return Err(unsupported()),
    };
    if style.ends_with('o') {
        return Ok(ordinal(number));
    }
    if style.chars().any(|c| !c.is_ascii_digit() && c != '#') {
        return Err(unsupported());
    }
    Ok(padded(i64::from(number), style))
}

fn padded(number: i64, style: &str) -> String {
    let width = style.chars().filter(char::is_ascii_digit).count();
    format!("{number:0width$}")
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn named(name: &str, style: &str, width: &str) -> String {
    let most = width.rsplit('-').next().and_then(|most| most.parse().ok()).unwrap_or(usize::MAX);
    let short: String = name.chars().take(most).collect();
    match style.get(..2) {
        Some("Nn") => short,
        _ if style.starts_with('N') => short.to_uppercase(),
        _ => short.to_lowercase(),
    }
}

fn to_millis(call: &Call<'_>) -> Result {
    let Some(text) = call.optional_text(0)? else { return Ok(Val::Undefined) };
    let time = match call.optional_text(1)? {
        Some(picture) => parsed(&text, &picture)?,
        None => iso(&text),
    };
    match time {
        Some(time) => Ok(Val::Number(time as f64)),
        None if call.arguments.len() > 1 => Ok(Val::Undefined),
        None => Err(format!(
            "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given \"{text}\""
        )),
    }
}

/// ISO 8601: dates, and date-times with or without a zone.
fn iso(text: &str) -> Option<i64> {
    if let Ok(time) =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
    {
        return Some(time.timestamp_millis());
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    if let Some(time) = local {
        return Some(time.and_utc().timestamp_millis());
    }
    let full = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let date = NaiveDate::parse_from_str(&full, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

/// Reads `text` by a picture: through chrono's format of the same meaning.
fn parsed(text: &str, picture: &str) -> Result<Option<i64>> {
    let mut format = String::new();
    let (mut has_time, mut has_zone) = (false, false);
    for (marker, piece) in pieces(picture)? {
        if !marker {
            format.push_str(&piece.replace('%', "%%"));
            continue;
        }
        let style: String = piece.chars().skip(1).collect();
        has_time |= piece.starts_with(['H', 'h', 'm', 's']);
        has_zone |= piece.starts_with(['Z', 'z']);
        format.push_str(match (piece.chars().next(), style.contains(['N', 'n'])) {
            (Some('Y'), _) if style.len() == 2 => "%y",
            (Some('Y'), _) => "%Y",
            (Some('M'), true) => "%B",
            (Some('M'), false) => "%m",
            (Some('D'), _) => "%d",
            (Some('d'), _) => "%j",
            (Some('F'), true) => "%A",
            (Some('H'), _) => "%H",
            (Some('h'), _) => "%I",
            (Some('P'), _) => "%p",
            (Some('m'), _) => "%M",
            (Some('s'), _) => "%S",
            (Some('f'), _) => "%3f",
            (Some('Z' | 'z'), _) => "%z",
            _ => return Err(format!("the date/time picture [{piece}] is not supported")),
        });
    }
    if has_zone {
        return Ok(DateTime::parse_from_str(text, &format).ok().map(|time| time.timestamp_millis()));
    }
    let time = if has_time {
        let full =
            if format.contains("%S") { (format, text.to_owned()) } else { (format + " %S", format!("{text} 0")) };
        let full = if full.0.contains("%M") { full } else { (full.0 + " %M", format!("{} 0", full.1)) };
        NaiveDateTime::parse_from_str(&full.1, &full.0).ok()
    } else {
        let format = if format.contains("%d") || format.contains("%j") {
            (format, text.to_owned())
        } else {
            (format + " %d", format!("{text} 1"))
        };
        NaiveDate::parse_from_str(&format.1, &format.0).ok().and_then(|date| date.and_hms_opt(0, 0, 0))
    };
    Ok(time.map(|time| time.and_utc().timestamp_millis()))
}
