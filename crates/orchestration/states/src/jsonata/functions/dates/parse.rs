//! Text as moments.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::super::integers::{Grouping, leading_integer};
use super::calendar::{Moment, days_of};
use super::format::{DAYS, MONTHS, no_name};
use super::picture::{Marker, Piece, parse};
use crate::jsonata::eval::Result;

/// Reads an ISO 8601 date or date-time; without a zone it is in UTC.
///
/// What looks like one and is none, such as the 25th hour of a day, is not a number.
pub(super) fn iso(text: &str) -> Result<f64> {
    if ISO.is_match(text) {
        return Ok(read_iso(text).unwrap_or(f64::NAN));
    }
    Err(format!(
        "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given \"{text}\""
    ))
}

static ISO: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^[0-9]{4}(-[01][0-9])*(-[0-3][0-9])*(T[0-2][0-9]:[0-5][0-9]:[0-5][0-9])*(\.[0-9]+)?([+-][0-2][0-9]:?[0-5][0-9]|Z)?$";
    Regex::new(pattern).expect("the pattern is right")
});

/// Takes digits from the front.
fn digits(rest: &mut &str, count: usize) -> Option<i64> {
    let own = rest.get(..count)?;
    if !own.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = &rest[count..];
    own.parse().ok()
}

fn past(rest: &mut &str, mark: char) -> bool {
    match rest.strip_prefix(mark) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn read_iso(text: &str) -> Option<f64> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let part = |rest: &mut &str, mark| if past(rest, mark) { digits(rest, 2).map(Some) } else { Some(None) };
    let month = part(&mut rest, '-')?;
    let day = if month.is_some() { part(&mut rest, '-')? } else { None };
    let (mut seconds, mut millis) = (0, 0.0);
    let (month, day) = (month.unwrap_or(1), day.unwrap_or(1));
    if past(&mut rest, 'T') {
        let hour = digits(&mut rest, 2)?;
        let minute = past(&mut rest, ':').then(|| digits(&mut rest, 2))??;
        let second = past(&mut rest, ':').then(|| digits(&mut rest, 2))??;
        if past(&mut rest, '.') {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            millis = format!("0.{}", rest.get(..end).filter(|digits| !digits.is_empty())?).parse::<f64>().ok()?;
            rest = &rest[end..];
        }
        // 24:00:00 is the end of the day.
        if hour > 24 || minute > 59 || second > 59 || (hour == 24 && (minute, second) != (0, 0)) {
            return None;
        }
        seconds = hour * 3600 + minute * 60 + second - offset(&mut rest)?;
    }
    if !rest.is_empty() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some((days_of(year, month - 1, day) * 86_400_000 + seconds * 1000) as f64 + (millis * 1000.0).trunc())
}

/// Seconds east of UTC; none is UTC.
fn offset(rest: &mut &str) -> Option<i64> {
    if rest.is_empty() || past(rest, 'Z') {
        return Some(0);
    }
    let sign = if past(rest, '-') { -1 } else { past(rest, '+').then_some(1)? };
    let hours = digits(rest, 2)?;
    past(rest, ':');
    let minutes = digits(rest, 2)?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// What components of a text are; those that are named but mean nothing are not numbers.
type Components = HashMap<char, Option<f64>>;

/// Reads `text` by a picture; nothing when it does not look like it. What is larger than all that is given comes from `now`.
pub(super) fn by_picture(text: &str, picture: &str, now: i64) -> Result<Option<f64>> {
    let pieces = parse(picture)?;
    let mut pattern = "^".to_owned();
    for piece in &pieces {
        pattern.push('(');
        pattern.push_str(&match piece {
            Piece::Literal(literal) => regex::escape(literal),
            Piece::Marker(marker) => pattern_of(marker)?,
        });
        pattern.push(')');
    }
    pattern.push('$');
    let regex = RegexBuilder::new(&pattern).case_insensitive(true).build().map_err(|error| error.to_string())?;
    let Some(captures) = regex.captures(text) else { return Ok(None) };
    let mut components = Components::new();
    let groups = captures.iter().skip(1).map(|group| group.map_or("", |group| group.as_str()));
    // Words are groups of their own, without being pieces.
    for (piece, value) in pieces.iter().zip(groups) {
        if let Piece::Marker(marker) = piece {
            components.insert(marker.component, read(marker, value)?);
        }
    }
    if components.is_empty() { Ok(None) } else { moment(components, now).map(Some) }
}

fn pattern_of(marker: &Marker) -> Result<String> {
    if matches!(marker.component, 'Z' | 'z') {
        let prefix = if marker.component == 'z' { "GMT" } else { "" };
        let minutes = separator(marker).map(|separator| format!("{separator}[0-9]+")).unwrap_or_default();
        return Ok(format!("{prefix}[-+][0-9]+{minutes}"));
    }
    match (&marker.integer, marker.component) {
        (Some(integer), _) => integer.pattern(marker.digits.filter(|digits| *digits > 0)),
        (None, 'M' | 'x' | 'F' | 'P') => Ok("[a-zA-Z]+".into()),
        (None, other) => Err(no_name(other)),
    }
}

/// What stands between the hours and the minutes of a zone.
fn separator(marker: &Marker) -> Option<char> {
    match marker.integer.as_ref()?.decimal()?.grouping {
        Grouping::Regular(_, separator) => Some(separator),
        Grouping::Irregular(_) => None,
    }
}

fn read(marker: &Marker, value: &str) -> Result<Option<f64>> {
    if matches!(marker.component, 'Z' | 'z') {
        return Ok(Some(zone(marker, value)));
    }
    if let Some(integer) = &marker.integer {
        return integer.read(value).map(Some);
    }
    if marker.component == 'P' {
        return Ok(match value {
            "am" | "AM" => Some(0.0),
            "pm" | "PM" => Some(1.0),
            _ => None,
        });
    }
    let names: &[&str] = if marker.component == 'F' { &DAYS } else { &MONTHS };
    let most = marker.most.unwrap_or(usize::MAX);
    let at = names.iter().position(|name| name.chars().take(most).eq(value.chars()));
    Ok(at.map(|at| at as f64 + 1.0))
}

/// Minutes east of UTC.
fn zone(marker: &Marker, value: &str) -> f64 {
    let value = if marker.component == 'z' { value.get(3..).unwrap_or_default() } else { value };
    let parts = match separator(marker) {
        Some(separator) => value.split_once(separator).unwrap_or((value, "0")),
        None if value.len() <= 3 => (value, "0"),
        None => value.split_at(3),
    };
    leading_integer(parts.0) * 60.0 + leading_integer(parts.1)
}

/// Whether the components that are there are among those of `kind` and at least one of them is (bits of `mask`).
fn is_kind(mask: u32, kind: u32) -> bool {
    mask & !kind == 0 && mask & kind != 0
}

fn mask(components: &Components, order: &str) -> u32 {
    let there = |c: char| components.get(&c).copied().flatten().is_some_and(|value| value != 0.0 && !value.is_nan());
    order.chars().fold(0, |mask, c| mask << 1 | u32::from(there(c)))
}

fn underspecified() -> String {
    "D3136: The date/time picture string is missing specifiers required to parse the timestamp".into()
}

fn moment(mut components: Components, now: i64) -> Result<f64> {
    let date = mask(&components, "YXMxWwdD");
    let time = mask(&components, "PHhmsf");
    let by_day_of_year = !is_kind(date, 0b1010_0001) && is_kind(date, 0b1000_0010);
    let by_week_of_month = is_kind(date, 0b0101_0100);
    let by_week = !by_week_of_month && is_kind(date, 0b0100_1000);
    let half_day = !is_kind(time, 0b01_0111) && is_kind(time, 0b10_1111);
    let dates = match (by_day_of_year, by_week_of_month, by_week) {
        (true, ..) => "YD",
        (_, true, _) => "XxwF",
        (_, _, true) => "XWF",
        _ => "YMD",
    };
    complete(&mut components, dates, if half_day { "Phmsf" } else { "Hmsf" }, now)?;
    if by_week_of_month || by_week {
        return Err(underspecified());
    }
    let get = |c: char| components.get(&c).copied().flatten().unwrap_or(f64::NAN);
    let (mut month, mut day) = ((get('M') - 1.0).max(0.0), get('D'));
    if by_day_of_year {
        (month, day) = (0.0, get('d'));
    }
    let mut hour = get('H');
    if half_day {
        hour = if get('h') == 12.0 { 0.0 } else { get('h') } + if get('P') == 1.0 { 12.0 } else { 0.0 };
    }
    let millis = utc(get('Y'), month, day) + ((hour * 60.0 + get('m')) * 60.0 + get('s')) * 1000.0 + get('f');
    let zone = [get('Z'), get('z')].into_iter().find(|zone| *zone != 0.0 && !zone.is_nan());
    Ok(millis - zone.unwrap_or(0.0) * 60_000.0)
}

/// Midnight of a day. Years of two digits are of the 20th century, as in JavaScript.
fn utc(year: f64, month: f64, day: f64) -> f64 {
    if [year, month, day].iter().any(|number| number.is_nan() || number.abs() > 1e6) {
        return f64::NAN;
    }
    let year = if (0.0..=99.0).contains(&year) { year + 1900.0 } else { year };
    days_of(year as i64, month as i64, 1) as f64 * 86_400_000.0 + (day - 1.0) * 86_400_000.0
}

/// Fills in what is not given: from now what is larger, the least there is what is smaller.
fn complete(components: &mut Components, dates: &str, times: &str, now: i64) -> Result<()> {
    let now = Moment::of(now);
    let (mut started, mut ended) = (false, false);
    for component in dates.chars().chain(times.chars()) {
        if components.get(&component).copied().flatten().is_some() {
            started = true;
            if ended {
                return Err(underspecified());
            }
        } else if started {
            ended = true;
            components.insert(component, Some(if "MDd".contains(component) { 1.0 } else { 0.0 }));
        } else {
            components.insert(component, now.component(component).map(|number| number as f64));
        }
    }
    Ok(())
}
