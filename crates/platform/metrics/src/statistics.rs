//! GetMetricStatistics.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::measures::Summary;
use chrono::DateTime;

use crate::api::{Datapoint, GetMetricStatistics, Statistics, Time};
use crate::error::{MetricsError, invalid};
use crate::put::valid_dimensions;
use crate::read::{self, Range, valid_period};
use crate::statistic::Statistic;
use crate::store::{CloudWatch, Name, UNITS, unit_number};
use crate::vended;

/// Points of an answer.
const MAX_POINTS: i64 = 1440;
/// Statistics that are no percentiles.
const PLAIN: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

pub(crate) async fn get(
    ctx: Ctx,
    state: Arc<CloudWatch>,
    input: GetMetricStatistics,
) -> Result<Statistics, MetricsError> {
    let namespace = input.namespace.ok_or(MetricsError::Missing("Namespace"))?;
    let metric = input.metric_name.ok_or(MetricsError::Missing("MetricName"))?;
    let start = input.start_time.ok_or(MetricsError::Missing("StartTime"))?;
    let end = input.end_time.ok_or(MetricsError::Missing("EndTime"))?;
    let period = input.period.ok_or(MetricsError::Missing("Period"))?;
    let dimensions = input.dimensions.unwrap_or_default();
    valid_dimensions("Dimensions", &dimensions)?;
    let wanted = wanted(&input.statistics.unwrap_or_default(), &input.extended_statistics.unwrap_or_default())?;
    let range = range(start, end, period, ctx.now().timestamp())?;
    let unit = input.unit.as_deref().map(unit_of).transpose()?;
    vended::keep(&state).await;
    let name = Name::new(namespace, metric.clone(), dimensions);
    let found = read::periods(&state, name, range, unit).await?;
    let datapoints = found.into_iter().flat_map(|(unit, periods)| {
        let wanted = &wanted;
        periods.into_iter().map(move |(begin, summary)| datapoint(begin, unit, &summary, wanted))
    });
    // A percentile may be known of no period.
    let told = |point: &Datapoint| !point.statistics.is_empty() || !point.extended_statistics.is_empty();
    Ok(Statistics { label: metric, datapoints: datapoints.filter(told).collect() })
}

pub(crate) fn unit_of(name: &str) -> Result<u8, MetricsError> {
    unit_number(name)
        .ok_or_else(|| invalid(format!("The parameter Unit must be a value in the set {UNITS:?}, not {name}.")))
}

fn range(start: Time, end: Time, period: i64, now: i64) -> Result<Range, MetricsError> {
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    if !valid_period(period) {
        return Err(invalid(format!(
            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not {period}."
        )));
    }
    let range = Range::new(start, end, period, now);
    if range.periods() > MAX_POINTS {
        return Err(MetricsError::InvalidCombination(format!(
            "You have requested up to {} datapoints, which exceeds the limit of {MAX_POINTS}. You may reduce the datapoints \
             requested by increasing Period, or decreasing the time range.",
            range.periods()
        )));
    }
    Ok(range)
}

fn wanted(plain: &[String], extended: &[String]) -> Result<Vec<(String, Statistic)>, MetricsError> {
    match (plain.is_empty(), extended.is_empty()) {
        (true, true) => {
            let message = "At least one of the parameters Statistics and ExtendedStatistics must be specified.";
            return Err(MetricsError::InvalidCombination(message.into()));
        }
        (false, false) => {
            let message = "The parameters Statistics and ExtendedStatistics are mutually exclusive.";
            return Err(MetricsError::InvalidCombination(message.into()));
        }
        _ => {}
    }
    let read = |name: &String| {
        let known = name.parse().ok().filter(|_| PLAIN.contains(&name.as_str()) != plain.is_empty());
        let wrong = || {
            let member = if plain.is_empty() { "ExtendedStatistics" } else { "Statistics" };
            invalid(format!("The value {name} for parameter {member} is invalid."))
        };
        Ok((name.clone(), known.ok_or_else(wrong)?))
    };
    plain.iter().chain(extended).map(read).collect()
}

fn datapoint(begin: i64, unit: u8, summary: &Summary, wanted: &[(String, Statistic)]) -> Datapoint {
    let found = wanted.iter().filter_map(|(name, statistic)| Some((name.clone(), statistic.of(summary)?)));
    let (statistics, extended_statistics): (BTreeMap<_, _>, BTreeMap<_, _>) =
        found.partition(|(name, _)| PLAIN.contains(&name.as_str()));
    let timestamp = Time(DateTime::from_timestamp(begin, 0).unwrap_or_default());
    Datapoint { timestamp, statistics, extended_statistics, unit: UNITS[usize::from(unit)] }
}
