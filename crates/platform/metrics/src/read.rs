//! The points of a metric, put together into periods.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::measures::Summary;
use boathouse_metadata::MetadataError;

use crate::api::Time;
use crate::error::MetricsError;
use crate::store::{CloudWatch, Name, Point, Resolution};

/// A range of time in seconds since 1970, and how it is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) period: i64,
}

impl Range {
    /// The range as CloudWatch looks at it at `now`: the start is rounded down, more coarsely for older ones.
    pub(crate) fn new(start: Time, end: Time, period: i64, now: i64) -> Self {
        let age = now - start.seconds();
        let step = match period {
            ..60 => period,
            _ if age <= Resolution::Minute.kept() => 60,
            _ if age <= Resolution::FiveMinutes.kept() => 300,
            _ => 3600,
        };
        Self { from: start.seconds().div_euclid(step) * step, to: end.seconds(), period }
    }

    /// The begin of the period that has this time.
    fn begin(self, time: i64) -> i64 {
        self.from + (time - self.from).div_euclid(self.period) * self.period
    }

    /// How many periods begin in the range.
    pub(crate) fn periods(self) -> i64 {
        (self.to - self.from + self.period - 1).div_euclid(self.period).max(0)
    }
}

/// Whether periods can be of so many seconds.
pub(crate) fn valid_period(period: i64) -> bool {
    matches!(period, 1 | 5 | 10 | 20 | 30) || (period > 0 && period % 60 == 0)
}

/// Summaries by unit, then by the period's begin.
pub(crate) type ByUnit = BTreeMap<u8, BTreeMap<i64, Summary>>;

/// The periods of a metric that have values, of the given unit or of all.
pub(crate) async fn periods(
    state: &Arc<CloudWatch>,
    name: Name,
    range: Range,
    unit: Option<u8>,
) -> Result<ByUnit, MetricsError> {
    let state = Arc::clone(state);
    let read = move || state.points(&name, range.from, range.to);
    let points = tokio::task::spawn_blocking(read).await.unwrap_or(Err(MetadataError::Closed))?;
    Ok(put_together(points, range, unit))
}

/// Points that are coarser than the periods belong to none.
fn put_together(points: Vec<Point>, range: Range, unit: Option<u8>) -> ByUnit {
    let mut found = ByUnit::new();
    let fits = |point: &Point| range.period % point.resolution.seconds() == 0;
    let wanted = |point: &Point| fits(point) && unit.is_none_or(|unit| unit == point.unit);
    for point in points.into_iter().filter(wanted) {
        let periods = found.entry(point.unit).or_default();
        let begin = range.begin(point.time);
        periods.entry(begin).and_modify(|present| present.merge(&point.summary)).or_insert(point.summary);
    }
    found
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn time(seconds: i64) -> Time {
        Time(DateTime::from_timestamp(seconds, 0).unwrap())
    }

    #[test]
    fn starts_are_rounded_by_their_age() {
        let day = 86_400;
        let now = 1000 * day;
        let from = |age: i64, period| {
            Range::new(time(now - age + 59 + 2 * 60 + 7 * 60), time(now), period, now).from - (now - age)
        };
        assert_eq!((from(day, 60), from(day, 10)), (9 * 60, 9 * 60 + 50));
        assert_eq!((from(20 * day, 300), from(100 * day, 3600)), (5 * 60, 0));
    }

    #[test]
    fn points_belong_to_the_periods_of_the_range() {
        let point = |time, resolution, value| Point { time, unit: 0, resolution, summary: Summary::of(value, 1.0) };
        let points = vec![
            point(120, Resolution::Minute, 1.0),
            point(180, Resolution::Minute, 2.0),
            point(240, Resolution::Minute, 4.0),
            point(0, Resolution::Hour, 8.0),
        ];
        let range = Range { from: 60, to: 600, period: 120 };
        let sums: Vec<(i64, f64)> = put_together(points.clone(), range, None)[&0]
            .iter()
            .map(|(begin, summary)| (*begin, summary.sum))
            .collect();
        assert_eq!(sums, [(60, 1.0), (180, 6.0)]);
        assert!(put_together(points, range, Some(3)).is_empty());
        assert_eq!(range.periods(), 5);
    }

    #[test]
    fn periods_are_few_short_ones_or_minutes() {
        assert!([1, 5, 10, 20, 30, 60, 120, 86_400].into_iter().all(valid_period));
        assert!(![0, -60, 2, 45, 61].into_iter().any(valid_period));
    }
}
