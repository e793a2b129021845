//! PutMetricData.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::measures::Summary;
use chrono::TimeDelta;

use crate::api::{Dimension, Double, Empty, MetricDatum, PutMetricData};
use crate::error::{MetricsError, invalid};
use crate::store::{self, CloudWatch, Name, Point, Resolution, UNITS, unit_number};

/// Data of a request.
const MAX_DATA: usize = 1000;
/// Values of a datum.
const MAX_VALUES: usize = 150;
/// Dimensions of a metric.
const MAX_DIMENSIONS: usize = 30;
/// How old a point may be.
const MAX_AGE: TimeDelta = TimeDelta::days(14);
/// How far ahead of the server's clock a point may be.
const MAX_AHEAD: TimeDelta = TimeDelta::hours(2);
/// Characters of a namespace, a metric's name and a dimension's.
const MAX_NAME: usize = 255;
/// Characters of a dimension's value.
const MAX_DIMENSION_VALUE: usize = 1024;

pub(crate) async fn put(ctx: Ctx, state: Arc<CloudWatch>, input: PutMetricData) -> Result<Empty, MetricsError> {
    let namespace = input.namespace.ok_or(MetricsError::Missing("Namespace"))?;
    valid_namespace(&namespace)?;
    if input.entity_metric_data.is_some() {
        return Err(MetricsError::NotImplemented("EntityMetricData".into()));
    }
    let data = input.metric_data.filter(|data| !data.is_empty()).ok_or(MetricsError::Missing("MetricData"))?;
    if data.len() > MAX_DATA {
        return Err(invalid(format!("The collection MetricData must not have a size greater than {MAX_DATA}.")));
    }
    let mut points: BTreeMap<Name, Vec<Point>> = BTreeMap::new();
    for (n, datum) in data.into_iter().enumerate() {
        let (name, point) = read(&ctx, &namespace, &format!("MetricData.member.{}", n + 1), datum)?;
        points.entry(name).or_default().push(point);
    }
    state
        .metadata
        .transaction(move |tx| {
            points.iter().try_for_each(|(name, points)| store::add(tx, name, points))?;
            Ok(Empty {})
        })
        .await
}

/// The metric and the point of a datum, which errors call `place`.
fn read(ctx: &Ctx, namespace: &str, place: &str, datum: MetricDatum) -> Result<(Name, Point), MetricsError> {
    let metric = datum.metric_name.clone().unwrap_or_default();
    if metric.is_empty() || metric.chars().count() > MAX_NAME {
        return Err(invalid(format!("The parameter {place}.MetricName must have 1 to {MAX_NAME} characters.")));
    }
    let dimensions = datum.dimensions.clone().unwrap_or_default();
    valid_dimensions(&format!("{place}.Dimensions"), &dimensions)?;
    let unit = datum.unit.as_deref().unwrap_or(UNITS[0]);
    let unit = unit_number(unit).ok_or_else(|| {
        invalid(format!("The parameter {place}.Unit must be a value in the set {UNITS:?}, not {unit}."))
    })?;
    let resolution = match datum.storage_resolution {
        None | Some(60) => Resolution::Minute,
        Some(1) => Resolution::Second,
        Some(other) => {
            return Err(invalid(format!("The parameter {place}.StorageResolution must be 1 or 60, not {other}.")));
        }
    };
    let time = datum.timestamp.map_or_else(|| ctx.now(), |time| time.0);
    if time < ctx.now() - MAX_AGE {
        return Err(invalid(format!(
            "The parameter {place}.Timestamp must specify a time no more than two weeks in the past."
        )));
    }
    if time > ctx.now() + MAX_AHEAD {
        return Err(invalid(format!(
            "The parameter {place}.Timestamp must specify a time no more than two hours in the future."
        )));
    }
    let summary = summary(place, &datum)?;
    let time = time.timestamp().div_euclid(resolution.seconds()) * resolution.seconds();
    Ok((Name::new(namespace.to_owned(), metric, dimensions), Point { time, unit, resolution, summary }))
}

fn summary(place: &str, datum: &MetricDatum) -> Result<Summary, MetricsError> {
    match (&datum.value, &datum.statistic_values, &datum.values) {
        (Some(value), None, None) => {
            without_counts(place, datum)?;
            Ok(Summary::of(number(&format!("{place}.Value"), *value)?, 1.0))
        }
        (None, Some(set), None) => {
            without_counts(place, datum)?;
            let part = |name: &str, value| number(&format!("{place}.StatisticValues.{name}"), value);
            let count = part("SampleCount", set.sample_count)?;
            let (minimum, maximum) = (part("Minimum", set.minimum)?, part("Maximum", set.maximum)?);
            if count <= 0.0 {
                return Err(invalid(format!(
                    "The parameter {place}.StatisticValues.SampleCount must be greater than 0."
                )));
            }
            if minimum > maximum {
                let message = format!("The parameter {place}.StatisticValues.Maximum must be greater than Minimum.");
                return Err(invalid(message));
            }
            Ok(Summary::of_set(count, part("Sum", set.sum)?, minimum, maximum))
        }
        (None, None, Some(values)) => many(place, values, datum.counts.as_deref()),
        (None, None, None) => Err(MetricsError::InvalidCombination(format!(
            "At least one of the parameters {place}.Value, {place}.Values and {place}.StatisticValues must be specified."
        ))),
        _ => Err(MetricsError::InvalidCombination(format!(
            "The parameters {place}.Value, {place}.Values and {place}.StatisticValues are mutually exclusive and you have \
             specified more than one."
        ))),
    }
}

fn without_counts(place: &str, datum: &MetricDatum) -> Result<(), MetricsError> {
    match datum.counts {
        None => Ok(()),
        Some(_) => Err(MetricsError::InvalidCombination(format!("The parameter {place}.Counts needs {place}.Values."))),
    }
}

fn many(place: &str, values: &[Double], counts: Option<&[Double]>) -> Result<Summary, MetricsError> {
    if !(1..=MAX_VALUES).contains(&values.len()) {
        return Err(invalid(format!("The collection {place}.Values must have 1 to {MAX_VALUES} members.")));
    }
    if counts.is_some_and(|counts| counts.len() != values.len()) {
        return Err(invalid(format!("The parameters {place}.Values and {place}.Counts must be of the same size.")));
    }
    let mut all: Option<Summary> = None;
    for (n, value) in values.iter().enumerate() {
        let value = number(&format!("{place}.Values.member.{}", n + 1), *value)?;
        let count = counts.map_or(Double(1.0), |counts| counts[n]);
        let count = number(&format!("{place}.Counts.member.{}", n + 1), count)?;
        if count <= 0.0 {
            return Err(invalid(format!("The parameter {place}.Counts.member.{} must be greater than 0.", n + 1)));
        }
        let one = Summary::of(value, count);
        match &mut all {
            Some(all) => all.merge(&one),
            None => all = Some(one),
        }
    }
    all.ok_or(MetricsError::Missing("Values"))
}

/// A number that CloudWatch takes: no special one, and between -2^360 and 2^360.
fn number(place: &str, value: Double) -> Result<f64, MetricsError> {
    if value.0.is_finite() && value.0.abs() <= 2f64.powi(360) {
        return Ok(value.0);
    }
    Err(invalid(format!("The value {} for parameter {place} is invalid.", value.0)))
}

/// A namespace that clients may use: those of the services are theirs.
fn valid_namespace(namespace: &str) -> Result<(), MetricsError> {
    let allowed = namespace.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
    if (1..=MAX_NAME).contains(&namespace.len())
        && allowed
        && !namespace.starts_with([':', ' '])
        && !namespace.starts_with("AWS/")
    {
        return Ok(());
    }
    Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")))
}

pub(crate) fn valid_dimensions(place: &str, dimensions: &[Dimension]) -> Result<(), MetricsError> {
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(invalid(format!("The collection {place} must not have a size greater than {MAX_DIMENSIONS}.")));
    }
    for (n, dimension) in dimensions.iter().enumerate() {
        let Dimension { name, value } = dimension;
        let is_text = |text: &str, most: usize| {
            let allowed = text.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
            allowed && !text.trim().is_empty() && text.len() <= most
        };
        if !is_text(name, MAX_NAME) || name.starts_with(':') {
            return Err(invalid(format!("The value {name} for parameter {place}.member.{}.Name is invalid.", n + 1)));
        }
        if !is_text(value, MAX_DIMENSION_VALUE) {
            return Err(invalid(format!("The value {value} for parameter {place}.member.{}.Value is invalid.", n + 1)));
        }
        if dimensions[..n].iter().any(|other| other.name == *name) {
            return Err(invalid(format!("The parameter {place} has the dimension {name} more than once.")));
        }
    }
    Ok(())
}
