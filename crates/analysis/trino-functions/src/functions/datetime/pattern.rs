//! Patterns of dates: MySQL's (`%Y-%m-%d`) and Joda's (`yyyy-MM-dd`) become one list of fields, which writes and reads.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};

use super::zone_names;
use crate::error::TrinoError;
use crate::time::Zone;

const MONTHS: [&str; 12] = [
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
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A pattern that has been read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern(Vec<Item>);

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Literal(String),
    /// A number: at least so many digits when written, at most so many when read.
    Number(Field, usize, usize),
    Fraction(usize),
    Name(Names, bool),
    AmPm,
    /// AD or BC.
    Era,
    Zone(ZoneStyle),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Field {
    Year,
    YearOfCentury,
    WeekYear,
    Century,
    Month,
    Day,
    DayOfYear,
    Week,
    Weekday,
    Hour,
    HourFrom1,
    HalfDayHour,
    HalfDayHourFrom1,
    Minute,
    Second,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Names {
    Month,
    Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum ZoneStyle {
    Offset,
    OffsetWithColon,
    Id,
    ShortName,
    LongName,
}

/// What a text said. Parts that it didn't mention are those of 1970-01-01 00:00.
#[derive(Debug, Default)]
struct Seen {
    numbers: Vec<(Field, i64)>,
    nanos: u32,
    afternoon: Option<bool>,
    zone: Option<Zone>,
}

impl Pattern {
    /// A pattern of `date_format` and `date_parse`.
    pub(super) fn mysql(text: &str) -> Result<Self, TrinoError> {
        let mut items = Vec::new();
        let mut rest = text.chars();
        while let Some(letter) = rest.next() {
            if letter != '%' {
                literal(&mut items, letter);
                continue;
            }
            let Some(letter) = rest.next() else { break };
            match letter {
                'T' => {
                    items.extend(Self::mysql("%H:%i:%S")?.0);
                    continue;
                }
                'r' => {
                    items.extend(Self::mysql("%h:%i:%S %p")?.0);
                    continue;
                }
                'D' | 'U' | 'u' | 'V' | 'w' | 'X' => {
                    return Err(TrinoError::invalid(format!("%{letter} not supported in date format string")));
                }
                _ => {}
            }
            let number = |field, least, most| Some(Item::Number(field, least, most));
            let item = match letter {
                'a' => Some(Item::Name(Names::Weekday, false)),
                'W' => Some(Item::Name(Names::Weekday, true)),
                'b' => Some(Item::Name(Names::Month, false)),
                'M' => Some(Item::Name(Names::Month, true)),
                'c' => number(Field::Month, 1, 2),
                'm' => number(Field::Month, 2, 2),
                'd' => number(Field::Day, 2, 2),
                'e' => number(Field::Day, 1, 2),
                'f' => Some(Item::Fraction(6)),
                'H' => number(Field::Hour, 2, 2),
                'k' => number(Field::Hour, 1, 2),
                'h' | 'I' => number(Field::HalfDayHourFrom1, 2, 2),
                'l' => number(Field::HalfDayHourFrom1, 1, 2),
                'i' => number(Field::Minute, 2, 2),
                'S' | 's' => number(Field::Second, 2, 2),
                'j' => number(Field::DayOfYear, 3, 3),
                'p' => Some(Item::AmPm),
                'v' => number(Field::Week, 2, 2),
                'x' => number(Field::WeekYear, 4, 4),
                'Y' => number(Field::Year, 4, 4),
                'y' => number(Field::YearOfCentury, 2, 2),
                _ => None,
            };
            match item {
                Some(item) => items.push(item),
                None => literal(&mut items, letter),
            }
        }
        if items.is_empty() {
            return Err(TrinoError::invalid("Both printing and parsing not supported"));
        }
        Ok(Self(items))
    }

    /// A pattern of `format_datetime` and `parse_datetime`.
    pub(crate) fn joda(text: &str) -> Result<Self, TrinoError> {
        let letters: Vec<char> = text.chars().collect();
        let mut items = Vec::new();
        let mut at = 0;
        while let Some(letter) = letters.get(at).copied() {
            let count = letters[at..].iter().take_while(|other| **other == letter).count();
            if letter == '\'' {
                at = quoted(&letters, at, &mut items);
                continue;
            }
            if !letter.is_ascii_alphabetic() {
                literal(&mut items, letter);
                at += 1;
                continue;
            }
            at += count;
            // A number right after a number must not eat its digits.
            let adjacent =
                letters.get(at).is_some_and(|next| next.is_ascii_digit() || "yYxwMdDHhKkmsSec".contains(*next));
            let number =
                |field, most: usize| Item::Number(field, count, if adjacent { count } else { most.max(count) });
            items.push(match letter {
                'y' | 'Y' if count == 2 => Item::Number(Field::YearOfCentury, 2, 2),
                'y' | 'Y' => number(Field::Year, 9),
                'x' => number(Field::WeekYear, 9),
                'C' => number(Field::Century, 9),
                'G' => Item::Era,
                'w' => number(Field::Week, 2),
                'e' => number(Field::Weekday, 1),
                'E' => Item::Name(Names::Weekday, count > 3),
                'D' => number(Field::DayOfYear, 3),
                'M' if count > 2 => Item::Name(Names::Month, count > 3),
                'M' => number(Field::Month, 2),
                'd' => number(Field::Day, 2),
                'a' => Item::AmPm,
                'K' => number(Field::HalfDayHour, 2),
                'h' => number(Field::HalfDayHourFrom1, 2),
                'H' => number(Field::Hour, 2),
                'k' => number(Field::HourFrom1, 2),
                'm' => number(Field::Minute, 2),
                's' => number(Field::Second, 2),
                'S' => Item::Fraction(count),
                'Z' if count == 1 => Item::Zone(ZoneStyle::Offset),
                'Z' if count == 2 => Item::Zone(ZoneStyle::OffsetWithColon),
                'Z' => Item::Zone(ZoneStyle::Id),
                'z' if count < 4 => Item::Zone(ZoneStyle::ShortName),
                'z' => Item::Zone(ZoneStyle::LongName),
                _ => {
                    return Err(TrinoError::invalid(format!(
                        "Illegal pattern component: {}",
                        letter.to_string().repeat(count)
                    )));
                }
            });
        }
        if items.is_empty() {
            return Err(TrinoError::invalid("Invalid pattern specification"));
        }
        Ok(Self(items))
    }

    /// Whether it shows a zone.
    pub(super) fn has_zone(&self) -> bool {
        self.0.iter().any(|item| matches!(item, Item::Zone(_)))
    }

    /// A time as the pattern shows it.
    ///
    /// # Errors
    /// NOT_SUPPORTED for the name of a zone that has none here.
    pub(crate) fn format(&self, time: NaiveDateTime, zone: Zone, offset: i32) -> Result<String, TrinoError> {
        let mut out = String::new();
        for item in &self.0 {
            // Writing into a string cannot fail.
            let _ = match item {
                Item::Literal(text) => write!(out, "{text}"),
                Item::Number(field, least, _) => write!(out, "{:0least$}", number_of(*field, time)),
                Item::Fraction(digits) => {
                    let nanos = format!("{:09}", time.nanosecond());
                    write!(out, "{:0<digits$}", &nanos[..(*digits).min(9)])
                }
                Item::Name(names, long) => {
                    let name = match names {
                        Names::Month => MONTHS[time.month0() as usize],
                        Names::Weekday => DAYS[time.weekday().num_days_from_monday() as usize],
                    };
                    write!(out, "{}", if *long { name } else { &name[..3] })
                }
                Item::Era => write!(out, "{}", if time.year() > 0 { "AD" } else { "BC" }),
                Item::AmPm => write!(out, "{}", if time.hour() < 12 { "AM" } else { "PM" }),
                Item::Zone(ZoneStyle::Id) => write!(out, "{}", zone.name()),
                Item::Zone(style @ (ZoneStyle::ShortName | ZoneStyle::LongName)) => {
                    let utc = time - TimeDelta::seconds(offset.into());
                    write!(out, "{}", zone_names::name(zone, utc, *style == ZoneStyle::LongName)?)
                }
                Item::Zone(style) => {
                    let colon = if *style == ZoneStyle::OffsetWithColon { ":" } else { "" };
                    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
                    write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
                }
            };
        }
        Ok(out)
    }

    /// The time that a text shows, and the zone that it names.
    pub(crate) fn parse(&self, text: &str) -> Result<(NaiveDateTime, Option<Zone>), TrinoError> {
        let mut seen = Seen::default();
        let mut rest = text;
        let malformed = |rest: &str| {
            let at = if rest.len() == text.len() { String::new() } else { format!(" is malformed at \"{rest}\"") };
            let at = if rest.is_empty() && !text.is_empty() { " is too short".to_owned() } else { at };
            TrinoError::invalid(format!("Invalid format: \"{text}\"{at}"))
        };
        for item in &self.0 {
            rest = seen.read(item, rest).ok_or_else(|| malformed(rest))?;
        }
        if !rest.is_empty() {
            return Err(malformed(rest));
        }
        let refuse = || {
            let why = seen.out_of_range().unwrap_or_else(|| "Value is out of range".to_owned());
            TrinoError::invalid(format!("Cannot parse \"{text}\": {why}"))
        };
        Ok((seen.time().ok_or_else(refuse)?, seen.zone))
    }
}

fn literal(items: &mut Vec<Item>, letter: char) {
    match items.last_mut() {
        Some(Item::Literal(text)) => text.push(letter),
        _ => items.push(Item::Literal(letter.to_string())),
    }
}

/// `'text'`, where two quotes mean one; returns where it ends.
fn quoted(letters: &[char], start: usize, items: &mut Vec<Item>) -> usize {
    let mut at = start + 1;
    if letters.get(at) == Some(&'\'') {
        literal(items, '\'');
        return at + 1;
    }
    while let Some(letter) = letters.get(at).copied() {
        at += 1;
        match letter {
            '\'' if letters.get(at) == Some(&'\'') => {
                literal(items, '\'');
                at += 1;
            }
            '\'' => break,
            _ => literal(items, letter),
        }
    }
    at
}

fn number_of(field: Field, time: NaiveDateTime) -> i64 {
    let hour = i64::from(time.hour());
    match field {
        Field::Year => time.year().into(),
        Field::YearOfCentury => i64::from(time.year()).rem_euclid(100),
        Field::WeekYear => time.iso_week().year().into(),
        Field::Century => i64::from(time.year()).div_euclid(100),
        Field::Month => time.month().into(),
        Field::Day => time.day().into(),
        Field::DayOfYear => time.ordinal().into(),
        Field::Week => time.iso_week().week().into(),
        Field::Weekday => time.weekday().number_from_monday().into(),
        Field::Hour => hour,
        Field::HourFrom1 => {
            if hour == 0 {
                24
            } else {
                hour
            }
        }
        Field::HalfDayHour => hour % 12,
        Field::HalfDayHourFrom1 => (hour + 11) % 12 + 1,
        Field::Minute => time.minute().into(),
        Field::Second => time.second().into(),
    }
}

/// The longest beginning of digits, at most so many.
fn leading_digits(text: &str, most: usize) -> Option<(&str, &str)> {
    let end = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (end > 0).then(|| text.split_at(end))
}

/// What follows a prefix, without regard to case.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

impl Seen {
    /// Takes one item off the text; none if it isn't there.
    fn read<'a>(&mut self, item: &Item, text: &'a str) -> Option<&'a str> {
        match item {
            Item::Literal(literal) => after(text, literal),
            Item::Number(field, _, most) => {
                let negative = *field == Field::Year && text.starts_with('-');
                let (digits, rest) = leading_digits(if negative { &text[1..] } else { text }, *most)?;
                let value: i64 = digits.parse().ok()?;
                self.numbers.push((*field, if negative { -value } else { value }));
                Some(rest)
            }
            Item::Fraction(_) => {
                let (digits, rest) = leading_digits(text, 9)?;
                self.nanos = format!("{digits:0<9}").parse().ok()?;
                Some(rest)
            }
            Item::Name(names, _) => {
                let (list, field): (&[&str], _) = match names {
                    Names::Month => (&MONTHS, Field::Month),
                    Names::Weekday => (&DAYS, Field::Weekday),
                };
                let found = (list.iter().enumerate()).find_map(|(index, name)| {
                    after(text, name).or_else(|| after(text, &name[..3])).map(|rest| (index, rest))
                });
                let (index, rest) = found?;
                self.numbers.push((field, index as i64 + 1));
                Some(rest)
            }
            Item::Era => after(text, "AD"),
            Item::AmPm => {
                let morning = after(text, "AM");
                self.afternoon = Some(morning.is_none());
                morning.or_else(|| after(text, "PM"))
            }
            Item::Zone(_) => {
                let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-:/_".contains(c)).unwrap_or(text.len());
                self.zone = Some(Zone::parse(&text[..end])?);
                Some(&text[end..])
            }
        }
    }

    fn number(&self, field: Field) -> Option<i64> {
        self.numbers.iter().rev().find(|(other, _)| *other == field).map(|(_, value)| *value)
    }

    fn time(&self) -> Option<NaiveDateTime> {
        // Two digits mean a year from 1970 to 2069.
        let short = self.number(Field::YearOfCentury).map(|year| if year < 70 { year + 2000 } else { year + 1900 });
        let year = i32::try_from(self.number(Field::Year).or(short).unwrap_or(1970)).ok()?;
        let small = |field, default: i64| u32::try_from(self.number(field).unwrap_or(default)).ok();
        let date = if let Some(day) = self.number(Field::DayOfYear) {
            NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?)?
        } else if let Some(week) = self.number(Field::Week) {
            let year = self.number(Field::WeekYear).map_or(Some(year), |year| i32::try_from(year).ok())?;
            let monday = NaiveDate::from_isoywd_opt(year, u32::try_from(week).ok()?, Weekday::Mon)?;
            let weekday = self.number(Field::Weekday).unwrap_or(1);
            if !(1..=7).contains(&weekday) {
                return None;
            }
            monday + TimeDelta::days(weekday - 1)
        } else {
            NaiveDate::from_ymd_opt(year, small(Field::Month, 1)?, small(Field::Day, 1)?)?
        };
        let time =
            NaiveTime::from_hms_nano_opt(self.hour()?, small(Field::Minute, 0)?, small(Field::Second, 0)?, self.nanos)?;
        Some(date.and_time(time))
    }

    /// Which number is out of its range, the largest unit first.
    fn out_of_range(&self) -> Option<String> {
        let short = self.number(Field::YearOfCentury).map(|year| if year < 70 { year + 2000 } else { year + 1900 });
        let year = i32::try_from(self.number(Field::Year).or(short).unwrap_or(1970)).ok()?;
        let month = self.number(Field::Month).unwrap_or(1);
        let first = |year: i32, month: i64| NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, 1);
        let next = if month == 12 { first(year + 1, 1) } else { first(year, month + 1) };
        let days = first(year, month).zip(next).map_or(31, |(from, to)| (to - from).num_days());
        let days_of_year = if NaiveDate::from_ymd_opt(year, 2, 29).is_some() { 366 } else { 365 };
        let fields = [
            (Field::Month, "monthOfYear", 1, 12),
            (Field::Week, "weekOfWeekyear", 1, 53),
            (Field::DayOfYear, "dayOfYear", 1, days_of_year),
            (Field::Day, "dayOfMonth", 1, days),
            (Field::Weekday, "dayOfWeek", 1, 7),
            (Field::Hour, "hourOfDay", 0, 23),
            (Field::HourFrom1, "clockhourOfDay", 1, 24),
            (Field::HalfDayHour, "hourOfHalfday", 0, 11),
            (Field::HalfDayHourFrom1, "clockhourOfHalfday", 1, 12),
            (Field::Minute, "minuteOfHour", 0, 59),
            (Field::Second, "secondOfMinute", 0, 59),
        ];
        fields.into_iter().find_map(|(field, name, least, most)| {
            let value = self.number(field).filter(|value| !(least..=most).contains(value))?;
            Some(format!("Value {value} for {name} must be in the range [{least},{most}]"))
        })
    }

    fn hour(&self) -> Option<u32> {
        if let Some(hour) = self.number(Field::Hour).or(self.number(Field::HourFrom1).map(|hour| hour % 24)) {
            return u32::try_from(hour).ok();
        }
        let from1 = self.number(Field::HalfDayHourFrom1);
        if from1.is_some_and(|hour| !(1..=12).contains(&hour)) {
            return None;
        }
        let hour = from1.map(|hour| hour % 12).or(self.number(Field::HalfDayHour)).unwrap_or(0);
        u32::try_from(hour)
            .ok()
            .filter(|hour| *hour < 12)
            .map(|hour| hour + if self.afternoon == Some(true) { 12 } else { 0 })
    }
}
