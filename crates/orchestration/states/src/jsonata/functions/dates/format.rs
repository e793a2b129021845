//! Moments as text.

use super::super::integers::{Grouping, Picture as Integer, leading_integer};
use super::calendar::Moment;
use super::picture::{Marker, Names, Piece, parse};
use crate::jsonata::eval::Result;

/// What a moment looks like without a picture.
const ISO: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Hours and minutes east of UTC, as `+0530` says. Both have the sign, as in the reference.
#[derive(Clone, Copy)]
struct Offset {
    hours: f64,
    minutes: f64,
}

impl Offset {
    fn parse(zone: Option<&str>) -> Result<Self> {
        let Some(zone) = zone else { return Ok(Self { hours: 0.0, minutes: 0.0 }) };
        let number = leading_integer(zone);
        if number.is_nan() {
            return Err(format!("RangeError: not a time zone: {zone}"));
        }
        Ok(Self { hours: (number / 100.0).floor(), minutes: number % 100.0 })
    }

    fn number(self) -> f64 {
        self.hours * 100.0 + self.minutes
    }
}

pub(super) fn format(millis: f64, picture: Option<&str>, zone: Option<&str>) -> Result<String> {
    let offset = Offset::parse(zone)?;
    let pieces = parse(picture.unwrap_or(ISO))?;
    let local = millis + (60.0 * offset.hours + offset.minutes) * 60_000.0;
    if local.is_nan() || local.abs() > 8.64e15 {
        return Err("RangeError: the time is out of range".into());
    }
    let moment = Moment::of(local.trunc() as i64);
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(&literal),
            Piece::Marker(marker) => text.push_str(&component(&moment, &marker, offset)?),
        }
    }
    Ok(text)
}

fn component(moment: &Moment, marker: &Marker, offset: Offset) -> Result<String> {
    match marker.component {
        'Z' | 'z' => return zone(marker, offset),
        'P' => {
            let half = if moment.is_afternoon() { "pm" } else { "am" };
            return Ok(if marker.names == Some(Names::Upper) { half.to_uppercase() } else { half.to_owned() });
        }
        'C' | 'E' => return Ok("ISO".into()),
        _ => {}
    }
    let Some(mut number) = moment.component(marker.component) else { return Ok("undefined".into()) };
    if let Some(names) = marker.names {
        return name(marker, number, names);
    }
    if marker.component == 'Y'
        && let Some(digits) = marker.digits.and_then(|digits| 10i64.checked_pow(digits as u32))
    {
        number %= digits;
    }
    match &marker.integer {
        Some(integer) => integer.format(number as f64),
        None => Ok(number.to_string()),
    }
}

fn name(marker: &Marker, number: i64, names: Names) -> Result<String> {
    let all: &[&str] = match marker.component {
        'M' | 'x' => &MONTHS,
        'F' => &DAYS,
        other => return Err(no_name(other)),
    };
    let name = all.get((number - 1) as usize).copied().unwrap_or_default();
    let name: String = name.chars().take(marker.most.unwrap_or(usize::MAX)).collect();
    Ok(match names {
        Names::Upper => name.to_uppercase(),
        Names::Lower => name.to_lowercase(),
        Names::Title => name,
    })
}

pub(super) fn no_name(component: char) -> String {
    format!(
        "D3133: The 'name' modifier can only be applied to months and days in the date/time picture string, not \
         \"{component}\""
    )
}

fn zone(marker: &Marker, offset: Offset) -> Result<String> {
    let number = offset.number();
    if number == 0.0 && marker.zulu {
        return Ok("Z".into());
    }
    let wrong = || "D3134: The timezone integer format specifier cannot have more than four digits".to_owned();
    let integer = marker.integer.as_ref().ok_or_else(wrong)?;
    let decimal = integer.decimal().ok_or_else(wrong)?;
    let regular = matches!(decimal.grouping, Grouping::Regular(..));
    let mut text = match decimal.mandatory {
        _ if regular => integer.format(number)?,
        1 | 2 => {
            let mut text = integer.format(offset.hours)?;
            if offset.minutes != 0.0 {
                text = format!("{text}:{}", Integer::parse("00")?.format(offset.minutes)?);
            }
            text
        }
        3 | 4 => integer.format(number)?,
        _ => return Err(wrong()),
    };
    if number >= 0.0 {
        text.insert(0, '+');
    }
    Ok(if marker.component == 'z' { format!("GMT{text}") } else { text })
}
