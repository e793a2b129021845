//! AWS's cron expressions: minutes, hours, day of month, month, day of week, year, with `, - * ? / L W #`.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Timelike, Weekday};

use super::{InvalidExpression, invalid};

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const FIRST_YEAR: u32 = 1970;
const LAST_YEAR: u32 = 2199;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    days: DaySet,
    months: Set,
    years: Set,
}

/// Numbers from `first` on, one flag each.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    first: u32,
    flags: Vec<bool>,
}

impl Set {
    fn contains(&self, number: u32) -> bool {
        number.checked_sub(self.first).and_then(|at| self.flags.get(at as usize)).is_some_and(|flag| *flag)
    }

    /// The first member at or after `number`.
    fn at_or_after(&self, number: u32) -> Option<u32> {
        let last = self.first + self.flags.len() as u32;
        (number.max(self.first)..last).find(|number| self.contains(*number))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DaySet {
    OfMonth(Vec<DayOfMonth>),
    OfWeek(Vec<DayOfWeek>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DayOfMonth {
    Days(Set),
    /// `L`, `L-3`: so many days before the last one.
    FromLast(u32),
    /// `15W`: the weekday nearest to that day, within the month.
    NearestWeekday(u32),
    /// `LW`
    LastWeekday,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DayOfWeek {
    /// 1 is Sunday.
    Days(Set),
    /// `6L`: the last Friday.
    Last(u32),
    /// `6#3`: the third Friday.
    Nth(u32, u32),
}

impl Cron {
    /// Reads the six fields.
    ///
    /// # Errors
    /// [`InvalidExpression`] with the field that is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidExpression> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, day_of_month, month, day_of_week, year] = fields.as_slice() else {
            return Err(invalid(format!("a cron expression has six fields, not {}", fields.len())));
        };
        let days = match (*day_of_month, *day_of_week) {
            ("?", "?") => return Err(invalid("day of month and day of week can't both be ?")),
            (_, "?") => DaySet::OfMonth(list(day_of_month, day_in_month)?),
            ("?", _) => DaySet::OfWeek(list(day_of_week, day_in_week)?),
            _ => return Err(invalid("one of day of month and day of week must be ?")),
        };
        Ok(Self {
            minutes: set(minutes, &MINUTES)?,
            hours: set(hours, &HOURS)?,
            days,
            months: set(month, &MONTH)?,
            years: set(year, &YEARS)?,
        })
    }

    /// The first local time after `after` that matches, with no seconds.
    pub fn next(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut date = after.date();
        let mut from = Some((after.hour(), after.minute() + 1));
        loop {
            if !self.years.contains(date.year().unsigned_abs()) {
                let year = self.years.at_or_after(date.year().unsigned_abs() + 1)?;
                date = NaiveDate::from_ymd_opt(year as i32, 1, 1)?;
                from = None;
                continue;
            }
            if !self.months.contains(date.month()) {
                date = first_of_next_month(date)?;
                from = None;
                continue;
            }
            if self.days.contains(date)
                && let Some(time) = self.time_of_day(from.unwrap_or((0, 0)))
            {
                return date.and_hms_opt(time.0, time.1, 0);
            }
            date = date.checked_add_days(Days::new(1))?;
            from = None;
        }
    }

    /// The first hour and minute at or after this one.
    fn time_of_day(&self, (hour, minute): (u32, u32)) -> Option<(u32, u32)> {
        if self.hours.contains(hour)
            && let Some(minute) = self.minutes.at_or_after(minute)
        {
            return Some((hour, minute));
        }
        Some((self.hours.at_or_after(hour + 1)?, self.minutes.at_or_after(0)?))
    }
}

fn first_of_next_month(date: NaiveDate) -> Option<NaiveDate> {
    let (year, month) = if date.month() == 12 { (date.year() + 1, 1) } else { (date.year(), date.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)
}

fn days_in_month(date: NaiveDate) -> u32 {
    let next = first_of_next_month(date).and_then(|next| next.pred_opt());
    next.map_or(31, |last| last.day())
}

impl DaySet {
    fn contains(&self, date: NaiveDate) -> bool {
        match self {
            Self::OfMonth(days) => days.iter().any(|day| day.is(date)),
            Self::OfWeek(days) => days.iter().any(|day| day.is(date)),
        }
    }
}

impl DayOfMonth {
    fn is(&self, date: NaiveDate) -> bool {
        let last = days_in_month(date);
        match self {
            Self::Days(days) => days.contains(date.day()),
            Self::FromLast(days) => date.day() + days == last,
            Self::NearestWeekday(day) => nearest_weekday(date, *day, last).is_some_and(|nearest| nearest == date.day()),
            Self::LastWeekday => nearest_weekday(date, last, last).is_some_and(|nearest| nearest == date.day()),
        }
    }
}

/// The weekday nearest to a day of the month of `date`, which does not leave the month.
fn nearest_weekday(date: NaiveDate, day: u32, last: u32) -> Option<u32> {
    let wanted = date.with_day(day)?;
    Some(match wanted.weekday() {
        Weekday::Sat if day == 1 => 3,
        Weekday::Sat => day - 1,
        Weekday::Sun if day == last => day - 2,
        Weekday::Sun => day + 1,
        _ => day,
    })
}

impl DayOfWeek {
    fn is(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().number_from_sunday();
        match self {
            Self::Days(days) => days.contains(weekday),
            Self::Last(day) => weekday == *day && date.day() + 7 > days_in_month(date),
            Self::Nth(day, nth) => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
        }
    }
}

/// What a field can hold.
struct Range {
    name: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

const MINUTES: Range = Range { name: "minutes", first: 0, last: 59, names: &[] };
const HOURS: Range = Range { name: "hours", first: 0, last: 23, names: &[] };
const DAY_OF_MONTH: Range = Range { name: "day of month", first: 1, last: 31, names: &[] };
const MONTH: Range = Range { name: "month", first: 1, last: 12, names: &MONTHS };
const DAY_OF_WEEK: Range = Range { name: "day of week", first: 1, last: 7, names: &WEEKDAYS };
const YEARS: Range = Range { name: "year", first: FIRST_YEAR, last: LAST_YEAR, names: &[] };

impl Range {
    fn wrong(&self, text: &str) -> InvalidExpression {
        let Self { name, first, last, .. } = self;
        invalid(format!("{text:?} is not valid for {name} ({first}-{last})"))
    }

    fn number(&self, text: &str) -> Result<u32, InvalidExpression> {
        if let Some(at) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(self.first + at as u32);
        }
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.filter(|number| (self.first..=self.last).contains(number)).ok_or_else(|| self.wrong(text))
    }
}

fn list<T>(field: &str, item: fn(&str) -> Result<T, InvalidExpression>) -> Result<Vec<T>, InvalidExpression> {
    field.split(',').map(item).collect()
}

fn set(field: &str, range: &Range) -> Result<Set, InvalidExpression> {
    let mut whole = Set { first: range.first, flags: vec![false; (range.last - range.first + 1) as usize] };
    for item in field.split(',') {
        mark(item, range, &mut whole)?;
    }
    Ok(whole)
}

/// `*`, `5`, `1-5`, `0/15`, `*/15`, `10-40/15`. A range whose end comes first wraps around.
fn mark(item: &str, range: &Range, set: &mut Set) -> Result<(), InvalidExpression> {
    let (span, step) = match item.split_once('/') {
        Some((span, step)) => {
            let size = range.last - range.first + 1;
            let step: Option<u32> = step.parse().ok().filter(|step| (1..=size).contains(step));
            (span, Some(step.ok_or_else(|| range.wrong(item))?))
        }
        None => (item, None),
    };
    let (first, last) = match span.split_once('-') {
        _ if span == "*" => (range.first, range.last),
        Some((first, last)) => (range.number(first)?, range.number(last)?),
        None if step.is_some() => (range.number(span)?, range.last),
        None => (range.number(span)?, range.number(span)?),
    };
    let size = range.last - range.first + 1;
    let length = if first <= last { last - first } else { last + size - first };
    for offset in (0..=length).step_by(step.unwrap_or(1) as usize) {
        let at = (first - range.first + offset) % size;
        set.flags[at as usize] = true;
    }
    Ok(())
}

fn day_in_month(item: &str) -> Result<DayOfMonth, InvalidExpression> {
    let range = &DAY_OF_MONTH;
    match item {
        "L" => return Ok(DayOfMonth::FromLast(0)),
        "LW" | "WL" => return Ok(DayOfMonth::LastWeekday),
        _ => {}
    }
    if let Some(days) = item.strip_prefix("L-") {
        return match days.parse() {
            Ok(days @ 1..=30) => Ok(DayOfMonth::FromLast(days)),
            _ => Err(range.wrong(item)),
        };
    }
    if let Some(day) = item.strip_suffix('W') {
        return range.number(day).map(DayOfMonth::NearestWeekday);
    }
    set(item, range).map(DayOfMonth::Days)
}

fn day_in_week(item: &str) -> Result<DayOfWeek, InvalidExpression> {
    let range = &DAY_OF_WEEK;
    if item == "L" {
        return set("SAT", range).map(DayOfWeek::Days);
    }
    if let Some((day, nth)) = item.split_once('#') {
        return match nth.parse() {
            Ok(nth @ 1..=5) => Ok(DayOfWeek::Nth(range.number(day)?, nth)),
            _ => Err(range.wrong(item)),
        };
    }
    if let Some(day) = item.strip_suffix('L') {
        return range.number(day).map(DayOfWeek::Last);
    }
    set(item, range).map(DayOfWeek::Days)
}
