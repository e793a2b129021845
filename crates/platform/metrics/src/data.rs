//! GetMetricData.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use boathouse_aws::Ctx;
use chrono::DateTime;

use crate::api::{GetMetricData, MetricData, MetricDataQuery, MetricDataResult, MetricStat, Time};
use crate::error::{MetricsError, invalid, invalid_query};
use crate::math::{self, Computer, Expression, Line};
use crate::put::valid_dimensions;
use crate::read::{self, Range, valid_period};
use crate::statistic::Statistic;
use crate::statistics::unit_of;
use crate::store::{CloudWatch, Name};
use crate::vended;

/// Queries of a request.
const MAX_QUERIES: usize = 500;
/// Points of a page.
const MAX_POINTS: usize = 100_800;

pub(crate) async fn get(ctx: Ctx, state: Arc<CloudWatch>, input: GetMetricData) -> Result<MetricData, MetricsError> {
    let queries = &input.metric_data_queries;
    check(&input)?;
    let most = match input.max_datapoints {
        None => MAX_POINTS,
        Some(most) => usize::try_from(most).ok().filter(|most| (1..=MAX_POINTS).contains(most)).ok_or_else(|| {
            invalid(format!("The parameter MaxDatapoints must be between 1 and {MAX_POINTS}, not {most}."))
        })?,
    };
    let ascending = match input.scan_by.as_deref() {
        Some("TimestampAscending") => true,
        None | Some("TimestampDescending") => false,
        Some(other) => return Err(invalid(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let request = fingerprint(&input);
    let skipped = input.next_token.as_deref().map_or(Ok(0), |token| place(token, request))?;
    let expressions = expressions(queries)?;
    vended::keep(&state).await;
    let now = ctx.now().timestamp();
    let mut metrics = BTreeMap::new();
    for query in queries {
        if let Some(stat) = &query.metric_stat {
            let range = Range::new(input.start_time, input.end_time, stat.period, now);
            metrics.insert(query.id.clone(), line(&state, stat, range, label(query, stat, queries)).await?);
        }
    }
    let range = Range::new(input.start_time, input.end_time, 60, now);
    let computer = Computer { metrics: &metrics, expressions: &expressions, range };
    let mut found = Vec::new();
    for query in queries.iter().filter(|query| query.return_data != Some(false)) {
        found.extend(lines(query, &computer)?.into_iter().map(|line| (query.id.clone(), line)));
    }
    let (metric_data_results, end) = page(found, ascending, skipped, most);
    Ok(MetricData { metric_data_results, next_token: end.map(|end| token(end, request)), messages: [] })
}

/// The lines of a query, with its own label.
fn lines(query: &MetricDataQuery, computer: &Computer<'_>) -> Result<Vec<Line>, MetricsError> {
    let lines = computer.lines(&query.id)?;
    if query.metric_stat.is_some() {
        return Ok(lines);
    }
    let own = query.label.as_ref().unwrap_or(&query.id);
    let several = lines.len() > 1;
    let named = |line: Line| {
        let label = if several { format!("{own} {}", line.label) } else { own.clone() };
        Line { label, ..line }
    };
    Ok(lines.into_iter().map(named).collect())
}

fn check(input: &GetMetricData) -> Result<(), MetricsError> {
    let queries = &input.metric_data_queries;
    if !(1..=MAX_QUERIES).contains(&queries.len()) {
        return Err(invalid_query(format!(
            "MetricDataQueries must have 1 to {MAX_QUERIES} members, not {}",
            queries.len()
        )));
    }
    if input.start_time >= input.end_time {
        return Err(invalid_query("The parameter StartTime must be less than the parameter EndTime."));
    }
    if queries.iter().all(|query| query.return_data == Some(false)) {
        return Err(invalid_query("At least one of the MetricDataQueries must return data."));
    }
    for (n, query) in queries.iter().enumerate() {
        check_query(query)?;
        if queries[..n].iter().any(|other| other.id == query.id) {
            return Err(invalid_query(format!("The id {} is not unique in MetricDataQueries.", query.id)));
        }
    }
    Ok(())
}

fn check_query(query: &MetricDataQuery) -> Result<(), MetricsError> {
    let id = &query.id;
    let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(named) || id.len() > 255 {
        let message = format!("The id {id:?} must begin with a lowercase letter and have only letters, digits and _.");
        return Err(invalid_query(message));
    }
    if query.account_id.is_some() {
        return Err(MetricsError::NotImplemented("AccountId".into()));
    }
    if query.label.as_ref().is_some_and(|label| label.contains("${")) {
        return Err(MetricsError::NotImplemented("dynamic labels".into()));
    }
    match (&query.metric_stat, &query.expression) {
        (Some(stat), None) => check_stat(id, stat),
        (None, Some(_)) => Ok(()),
        _ => Err(invalid_query(format!("The query {id} must have either MetricStat or Expression."))),
    }
}

fn check_stat(id: &str, stat: &MetricStat) -> Result<(), MetricsError> {
    if stat.metric.namespace.is_none() || stat.metric.metric_name.is_none() {
        return Err(invalid_query(format!("The metric of {id} must have Namespace and MetricName.")));
    }
    valid_dimensions("Dimensions", stat.metric.dimensions.as_deref().unwrap_or_default())?;
    if !valid_period(stat.period) {
        let message = format!("The period of {id} must be 1, 5, 10, 20, 30 or a multiple of 60, not {}.", stat.period);
        return Err(invalid_query(message));
    }
    statistic(id, &stat.stat).map(drop)
}

fn statistic(id: &str, name: &str) -> Result<Statistic, MetricsError> {
    name.parse().map_err(|()| invalid_query(format!("The value {name} for parameter Stat of {id} is invalid.")))
}

fn expressions(queries: &[MetricDataQuery]) -> Result<BTreeMap<String, Expression>, MetricsError> {
    let given = queries.iter().filter_map(|query| Some((query.id.clone(), query.expression.as_deref()?)));
    given.map(|(id, text)| Ok((id, math::parse(text)?))).collect()
}

/// A statistic of a metric over time. Units don't keep values apart here, as on AWS, unless one is asked for.
async fn line(state: &Arc<CloudWatch>, stat: &MetricStat, range: Range, label: String) -> Result<Line, MetricsError> {
    let wanted = statistic(&label, &stat.stat)?;
    let unit = stat.unit.as_deref().map(unit_of).transpose()?;
    let metric = stat.metric.clone();
    let name = Name::new(
        metric.namespace.unwrap_or_default(),
        metric.metric_name.unwrap_or_default(),
        metric.dimensions.unwrap_or_default(),
    );
    let mut together = BTreeMap::new();
    for (begin, summary) in read::periods(state, name, range, unit).await?.into_values().flatten() {
        together
            .entry(begin)
            .and_modify(|present: &mut boathouse_aws::measures::Summary| present.merge(&summary))
            .or_insert(summary);
    }
    let points = together.iter().filter_map(|(begin, summary)| Some((*begin, wanted.of(summary)?))).collect();
    Ok(Line { label, period: stat.period, points })
}

/// The query's own label, or what tells its metric from the others of the request.
fn label(query: &MetricDataQuery, stat: &MetricStat, queries: &[MetricDataQuery]) -> String {
    if let Some(label) = &query.label {
        return label.clone();
    }
    let name = stat.metric.metric_name.clone().unwrap_or_default();
    let same = queries.iter().filter_map(|other| other.metric_stat.as_ref());
    if same.filter(|other| other.metric.metric_name == stat.metric.metric_name).count() == 1 {
        return name;
    }
    let values = stat.metric.dimensions.iter().flatten().map(|dimension| dimension.value.clone());
    values.chain([name, stat.stat.clone()]).collect::<Vec<_>>().join(" ")
}

/// What of the lines belongs to a page that begins after `skipped` points, and where the next one begins.
fn page(
    found: Vec<(String, Line)>,
    ascending: bool,
    skipped: usize,
    most: usize,
) -> (Vec<MetricDataResult>, Option<usize>) {
    let (mut passed, mut results) = (0, Vec::new());
    let end = skipped + most;
    let total: usize = found.iter().map(|(_, line)| line.points.len()).sum();
    for (id, line) in found {
        let begin = passed;
        passed += line.points.len();
        // A line without points belongs to the page on which it would begin.
        let empty_here = line.points.is_empty() && begin >= skipped && (begin < end || total <= end);
        if !empty_here && (passed <= skipped || begin >= end) {
            continue;
        }
        let mut points: Vec<(i64, f64)> = line.points.into_iter().collect();
        if !ascending {
            points.reverse();
        }
        let own = points.into_iter().enumerate().filter(|(n, _)| (skipped..end).contains(&(begin + n)));
        let time = |seconds| Time(DateTime::from_timestamp(seconds, 0).unwrap_or_default());
        let (timestamps, values) = own.map(|(_, (seconds, value))| (time(seconds), value)).unzip();
        let status_code = if passed <= end { "Complete" } else { "PartialData" };
        results.push(MetricDataResult { id, label: line.label, timestamps, values, status_code });
    }
    (results, (total > end).then_some(end))
}

/// Tells requests apart, but for their tokens.
fn fingerprint(input: &GetMetricData) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", (&input.metric_data_queries, input.start_time, input.end_time, &input.scan_by)).hash(&mut hasher);
    hasher.finish()
}

fn token(place: usize, request: u64) -> String {
    format!("{request:016x}{place}")
}

fn place(token: &str, request: u64) -> Result<usize, MetricsError> {
    let place = token.strip_prefix(&format!("{request:016x}")).and_then(|place| place.parse().ok());
    place.ok_or(MetricsError::InvalidNextToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: i64) -> Line {
        Line { label: "l".into(), period: 60, points: (0..points).map(|n| (n * 60, n as f64)).collect() }
    }

    #[test]
    fn pages_hold_every_point_once() {
        let found = || {
            vec![
                ("a".to_owned(), line(3)),
                ("b".to_owned(), line(0)),
                ("c".to_owned(), line(4)),
                ("d".to_owned(), line(0)),
            ]
        };
        for most in 1..9 {
            let (mut seen, mut next, mut ids) = (Vec::new(), Some(0), Vec::new());
            while let Some(skipped) = next {
                let (results, end) = page(found(), true, skipped, most);
                assert!(results.iter().map(|result| result.values.len()).sum::<usize>() <= most);
                for result in results {
                    ids.push((result.id.clone(), result.status_code));
                    seen.extend(result.values.into_iter().map(|value| (result.id.clone(), value as i64)));
                }
                next = end;
            }
            let expected: Vec<(String, i64)> =
                (0..3).map(|n| ("a".to_owned(), n)).chain((0..4).map(|n| ("c".to_owned(), n))).collect();
            assert_eq!(seen, expected, "{most}");
            let complete: Vec<&str> =
                ids.iter().filter(|(_, status)| *status == "Complete").map(|(id, _)| &**id).collect();
            assert_eq!(complete, ["a", "b", "c", "d"], "{most}");
        }
    }

    #[test]
    fn tokens_belong_to_their_requests() {
        assert_eq!(place(&token(7, 1), 1).unwrap(), 7);
        assert!(place(&token(7, 1), 2).is_err() && place("é", 1).is_err());
    }
}
