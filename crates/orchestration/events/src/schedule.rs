//! Schedule expressions: `cron(…)`, `rate(…)` and `at(…)` in a time zone ("Schedule types on EventBridge Scheduler").
//!
//! Local times that daylight saving skips in spring are skipped; those that it repeats in autumn count once, the first time.

pub mod cron;
#[cfg(test)]
mod tests;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use self::cron::Cron;

/// What a schedule expression says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// At every local time that matches.
    Cron(Box<Cron>),
    /// Again and again after this time.
    Rate(TimeDelta),
    /// Once, at this local time.
    At(NaiveDateTime),
}

/// Why a text is no schedule expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidExpression(pub String);

fn invalid(message: impl Into<String>) -> InvalidExpression {
    InvalidExpression(message.into())
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`InvalidExpression`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidExpression> {
        let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(fields) = inside("cron") {
            return Ok(Self::Cron(Box::new(Cron::parse(fields)?)));
        }
        if let Some(rate) = inside("rate") {
            return parse_rate(rate).map(Self::Rate);
        }
        if let Some(time) = inside("at") {
            let wrong = |_| invalid(format!("{time:?} is not a time like 2026-11-20T13:00:00"));
            return NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S").map(Self::At).map_err(wrong);
        }
        Err(invalid("an expression is cron(...), rate(...) or at(...)"))
    }

    /// The first time after `after`. `anchor` is where a rate begins; it is itself a time of the rate.
    pub fn next(&self, after: DateTime<Utc>, zone: Tz, anchor: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Cron(cron) => next_cron(cron, after, zone),
            Self::At(local) => first_instant(*local, zone).filter(|time| *time > after),
            Self::Rate(period) => {
                if after < anchor {
                    return Some(anchor);
                }
                let elapsed = (after - anchor).num_milliseconds() / period.num_milliseconds();
                let periods = i32::try_from(elapsed + 1).ok()?;
                period.checked_mul(periods).and_then(|ahead| anchor.checked_add_signed(ahead))
            }
        }
    }

    /// The last time at or before `until` and after `after`: what is left of several times that were missed.
    pub fn last_between(
        &self,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
        zone: Tz,
        anchor: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        // Look back over longer and longer spans, so that a long pause of a frequent schedule is not walked through.
        let mut span = TimeDelta::minutes(1);
        loop {
            let from = (until - span).max(after);
            let mut last = self.next(from, zone, anchor).filter(|time| *time <= until);
            while let Some(time) = last {
                match self.next(time, zone, anchor).filter(|time| *time <= until) {
                    Some(later) => last = Some(later),
                    None => return Some(time),
                }
            }
            if from <= after {
                return None;
            }
            span = span * 8;
        }
    }
}

fn parse_rate(text: &str) -> Result<TimeDelta, InvalidExpression> {
    let wrong = || invalid(format!("{text:?} is not a rate like 5 minutes, 1 hour or 7 days"));
    let (value, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let value: i64 = value.parse().map_err(|_| wrong())?;
    let minutes = match unit.trim() {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return Err(wrong()),
    };
    let plural = unit.trim().ends_with('s');
    if value < 1 || plural == (value == 1) {
        return Err(invalid(
            "a rate is a positive number, with a unit in the singular for 1 and in the plural for more",
        ));
    }
    value
        .checked_mul(minutes)
        .and_then(TimeDelta::try_minutes)
        .filter(|rate| rate.num_days() < 365_000)
        .ok_or_else(wrong)
}

/// The instant of a local time: none if the clocks jump over it, the first of two.
fn first_instant(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.with_timezone(&Utc)),
        LocalResult::None => None,
    }
}

fn next_cron(cron: &Cron, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let mut local = after.with_timezone(&zone).naive_local();
    loop {
        local = cron.next(local)?;
        if let Some(time) = first_instant(local, zone).filter(|time| *time > after) {
            return Some(time);
        }
    }
}
