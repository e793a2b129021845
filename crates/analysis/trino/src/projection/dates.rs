//! Dates of a range, which may begin or end relative to now.

use boathouse_trino_functions::date_pattern::DatePattern;
use boathouse_trino_functions::error::TrinoError;
use chrono::{DateTime, Months, NaiveDateTime, TimeDelta, Utc};

use super::{Key, Value};

/// Every date of a range, some units apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dates {
    pattern: DatePattern,
    first: NaiveDateTime,
    last: NaiveDateTime,
    step: Step,
}

/// So many units of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    count: i64,
    unit: Unit,
}

/// A unit of time, by its name in Java's `ChronoUnit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
    Millis,
}

impl Unit {
    /// A unit by its name, with or without the plural's S.
    fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_uppercase();
        Some(match name.strip_suffix('S').unwrap_or(&name) {
            "YEAR" => Self::Years,
            "MONTH" => Self::Months,
            "WEEK" => Self::Weeks,
            "DAY" => Self::Days,
            "HOUR" => Self::Hours,
            "MINUTE" => Self::Minutes,
            "SECOND" => Self::Seconds,
            "MILLI" => Self::Millis,
            _ => return None,
        })
    }
}

impl Step {
    /// The time that is so many steps later.
    fn after(self, time: NaiveDateTime, times: i64) -> Option<NaiveDateTime> {
        let count = self.count.checked_mul(times)?;
        let months = |each: i64| {
            let months = u32::try_from(count.checked_mul(each)?.unsigned_abs()).ok()?;
            match count < 0 {
                true => time.checked_sub_months(Months::new(months)),
                false => time.checked_add_months(Months::new(months)),
            }
        };
        let delta = match self.unit {
            Unit::Years => return months(12),
            Unit::Months => return months(1),
            Unit::Weeks => TimeDelta::try_weeks(count),
            Unit::Days => TimeDelta::try_days(count),
            Unit::Hours => TimeDelta::try_hours(count),
            Unit::Minutes => TimeDelta::try_minutes(count),
            Unit::Seconds => TimeDelta::try_seconds(count),
            Unit::Millis => TimeDelta::try_milliseconds(count),
        };
        time.checked_add_signed(delta?)
    }
}

impl Dates {
    pub(super) fn read(key: &Key<'_>, now: DateTime<Utc>) -> Result<Self, TrinoError> {
        let format = key.required("format")?.trim();
        let pattern = DatePattern::java(format).map_err(|error| key.wrong("format", &error.message))?;
        let step = step(key, format)?;
        let (first, last) = key.range()?;
        let end = |text: &str| {
            let time = match relative(text, now.naive_utc()) {
                Some(time) => pattern.parse(&pattern.format(time)),
                None => pattern.parse(text),
            };
            time.map_err(|_| key.wrong("range", &format!("dates of the format {format} or relative to NOW")))
        };
        let (first, last) = (end(first)?, end(last)?);
        if first > last {
            return Err(key.wrong("range", "a range that does not end before it begins"));
        }
        Ok(Self { pattern, first, last, step })
    }

    fn shown(&self, time: NaiveDateTime) -> Value {
        Value { text: self.pattern.format(time), time: Some(time) }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = Value> + Send + '_ {
        let times = (0..).map_while(|times| self.step.after(self.first, times));
        times.take_while(|time| *time <= self.last).map(|time| self.shown(time))
    }

    /// The value that a text shows.
    pub(super) fn value(&self, text: &str) -> Option<Value> {
        let time = self.pattern.parse(text).ok().filter(|time| (self.first..=self.last).contains(time))?;
        // About as many steps as the time is away, and a few around them since months differ in length.
        let away = (time - self.first).num_milliseconds();
        let unit = match self.step.unit {
            Unit::Years => 365 * 86_400_000 + 21_600_000,
            Unit::Months => 2_629_746_000,
            Unit::Weeks => 7 * 86_400_000,
            Unit::Days => 86_400_000,
            Unit::Hours => 3_600_000,
            Unit::Minutes => 60_000,
            Unit::Seconds => 1000,
            Unit::Millis => 1,
        };
        let about = away / self.step.count.checked_mul(unit)?;
        let steps = (about - 2).max(0)..=about + 2;
        let found = steps.filter_map(|times| self.step.after(self.first, times)).find(|other| *other == time)?;
        Some(self.shown(found)).filter(|value| value.text == text)
    }
}

/// The distance between dates: said, or one day or month if that is how exact the format is.
fn step(key: &Key<'_>, format: &str) -> Result<Step, TrinoError> {
    let unit = match key.optional("interval.unit") {
        Some(name) => {
            let expected = "YEARS, MONTHS, WEEKS, DAYS, HOURS, MINUTES, SECONDS or MILLIS";
            Some(Unit::named(name).ok_or_else(|| key.wrong("interval.unit", expected))?)
        }
        None => None,
    };
    let default = precision(format);
    let count = match (key.positive("interval")?, default) {
        (Some(count), _) => count,
        (None, Some(_)) => 1,
        (None, None) => {
            key.required("interval")?;
            1
        }
    };
    let unit = match unit.or(default) {
        Some(unit) => unit,
        None => {
            key.required("interval.unit")?;
            Unit::Days
        }
    };
    Ok(Step { count, unit })
}

/// The unit of formats that are exact to a single day or month.
fn precision(format: &str) -> Option<Unit> {
    let unquoted: String = format.split('\'').step_by(2).collect();
    let has = |letters: &str| unquoted.contains(|letter| letters.contains(letter));
    match () {
        () if has("HhkKmsSaAnN") => None,
        () if has("dD") => Some(Unit::Days),
        () if has("ML") => Some(Unit::Months),
        () => None,
    }
}

/// `NOW`, `NOW-3YEARS`, `NOW + 1 MONTH`: a time relative to another.
fn relative(text: &str, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let rest = text.trim().strip_prefix("NOW")?.trim();
    if rest.is_empty() {
        return Some(now);
    }
    let (sign, rest) = match rest.split_at_checked(1)? {
        ("+", rest) => (1, rest.trim()),
        ("-", rest) => (-1, rest.trim()),
        _ => return None,
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let count: i64 = rest[..digits].parse().ok()?;
    let unit = Unit::named(&rest[digits..]).filter(|unit| *unit != Unit::Millis)?;
    Step { count, unit }.after(now, sign)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn now_moves_by_units() {
        let now = NaiveDate::from_ymd_opt(2024, 5, 31).unwrap().and_hms_opt(7, 8, 9).unwrap();
        let day = |text: &str| relative(text, now).map(|time| time.to_string());
        assert_eq!(day("NOW").as_deref(), Some("2024-05-31 07:08:09"));
        assert_eq!(day(" NOW - 3YEARS ").as_deref(), Some("2021-05-31 07:08:09"));
        assert_eq!(day("NOW-1MONTH").as_deref(), Some("2024-04-30 07:08:09"));
        assert_eq!(day("NOW+ 2 HOURS").as_deref(), Some("2024-05-31 09:08:09"));
        assert_eq!(day("NOW*2DAYS"), None);
        assert_eq!(day("NOW-2"), None);
    }

    #[test]
    fn formats_have_a_precision() {
        assert_eq!(precision("yyyy/MM/dd"), Some(Unit::Days));
        assert_eq!(precision("yyyy-MM"), Some(Unit::Months));
        assert_eq!(precision("yyyy-MM-dd'T'HH"), None);
        assert_eq!(precision("yyyy'd'"), None);
    }
}
