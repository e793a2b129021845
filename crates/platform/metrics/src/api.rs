//! Wire types ("Amazon CloudWatch API Reference"). Members that AWS requires may be missing here where its error has a code
//! of its own for that.
//!
//! Options that AWS has and Boathouse has not are read, so that they can be refused by name.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeZone, Utc};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A time: seconds since 1970, or ISO 8601 in the query protocol. Seconds going out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub DateTime<Utc>);

impl Time {
    /// The whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.seconds())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = |seconds: f64| Utc.timestamp_millis_opt((seconds * 1000.0) as i64).single().map(Self);
        let text = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.to_utc()));
        deserializer.deserialize_any(NumberOrText { what: "a time", number, text })
    }
}

/// A number of 64 bits, with those that JSON writes as text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Double(pub f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |text: &str| text.parse().ok().map(Self);
        deserializer.deserialize_any(NumberOrText { what: "a number", number: |number| Some(Self(number)), text })
    }
}

struct NumberOrText<N, T> {
    what: &'static str,
    number: N,
    text: T,
}

impl<O, N: Fn(f64) -> Option<O>, T: Fn(&str) -> Option<O>> Visitor<'_> for NumberOrText<N, T> {
    type Value = O;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<O, E> {
        (self.number)(number).ok_or_else(|| E::custom(format!("{number} is not {}", self.what)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<O, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<O, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<O, E> {
        (self.text)(text).ok_or_else(|| E::custom(format!("{text:?} is not {}", self.what)))
    }
}

/// Declares input types: AWS's member names; members without `Option` are required.
macro_rules! input {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* pub $field: $kind),* }
        )*
    };
}

/// A dimension: at most 30 of a metric, of names that differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Dimension {
    pub name: String,
    pub value: String,
}

input! {
    /// PutMetricData: at most 1,000 data.
    PutMetricData {
        namespace: Option<String>,
        metric_data: Option<Vec<MetricDatum>>,
        entity_metric_data: Option<serde::de::IgnoredAny>,
    }
    /// One value of a metric, or up to 150 of a period, or their statistics.
    MetricDatum {
        metric_name: Option<String>,
        dimensions: Option<Vec<Dimension>>,
        timestamp: Option<Time>,
        value: Option<Double>,
        statistic_values: Option<StatisticSet>,
        values: Option<Vec<Double>>,
        counts: Option<Vec<Double>>,
        unit: Option<String>,
        storage_resolution: Option<i64>,
    }
    /// Statistics of values that are not known one by one.
    StatisticSet { sample_count: Double, sum: Double, minimum: Double, maximum: Double }
    /// GetMetricStatistics: at most 1,440 points.
    GetMetricStatistics {
        namespace: Option<String>,
        metric_name: Option<String>,
        dimensions: Option<Vec<Dimension>>,
        start_time: Option<Time>,
        end_time: Option<Time>,
        period: Option<i64>,
        statistics: Option<Vec<String>>,
        extended_statistics: Option<Vec<String>>,
        unit: Option<String>,
    }
    /// GetMetricData: at most 500 queries, and 100,800 points a page.
    GetMetricData {
        metric_data_queries: Vec<MetricDataQuery>,
        start_time: Time,
        end_time: Time,
        next_token: Option<String>,
        scan_by: Option<String>,
        max_datapoints: Option<i64>,
    }
    /// One query: a statistic of a metric, or an expression.
    MetricDataQuery {
        id: String,
        metric_stat: Option<MetricStat>,
        expression: Option<String>,
        label: Option<String>,
        return_data: Option<bool>,
        period: Option<i64>,
        account_id: Option<String>,
    }
    /// A statistic of a metric.
    MetricStat { metric: Metric, period: i64, stat: String, unit: Option<String> }
    /// Names a metric.
    Metric { namespace: Option<String>, metric_name: Option<String>, dimensions: Option<Vec<Dimension>> }
    /// ListMetrics: 500 a page.
    ListMetrics {
        namespace: Option<String>,
        metric_name: Option<String>,
        dimensions: Option<Vec<DimensionFilter>>,
        next_token: Option<String>,
        recently_active: Option<String>,
        include_linked_accounts: Option<bool>,
        owning_account: Option<String>,
    }
    /// A dimension that a metric must have, with this value if one is given.
    DimensionFilter { name: String, value: Option<String> }
}

/// Declares output types: absent members are left out.
macro_rules! output {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Serialize)]
            #[serde(rename_all = "PascalCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* pub $field: $kind),* }
        )*
    };
}

output! {
    /// PutMetricData.
    Empty {}
    /// GetMetricStatistics.
    Statistics { label: String, datapoints: Vec<Datapoint> }
    /// The statistics of a period.
    Datapoint {
        timestamp: Time,
        #[serde(flatten)]
        statistics: BTreeMap<String, f64>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        extended_statistics: BTreeMap<String, f64>,
        unit: &'static str,
    }
    /// GetMetricData.
    MetricData {
        metric_data_results: Vec<MetricDataResult>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
        messages: [(); 0],
    }
    /// What a query has found, or a part of it.
    MetricDataResult {
        id: String,
        label: String,
        timestamps: Vec<Time>,
        values: Vec<f64>,
        status_code: &'static str,
    }
    /// A metric as ListMetrics shows it.
    ListedMetric { namespace: String, metric_name: String, dimensions: Vec<Dimension> }
    /// ListMetrics.
    Metrics {
        metrics: Vec<ListedMetric>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn times_and_numbers_come_as_text_too() {
        let time: Time = from_value(json!("2026-01-01T00:00:01Z")).unwrap();
        assert_eq!(from_value::<Time>(json!(1_767_225_601)).unwrap(), time);
        assert_eq!(from_value::<Time>(json!(1_767_225_601.0)).unwrap(), time);
        assert!(from_value::<Time>(json!("tomorrow")).is_err() && from_value::<Time>(json!(1e300)).is_err());
        assert_eq!(from_value::<Double>(json!("1.5")).unwrap(), Double(1.5));
        assert!(from_value::<Double>(json!("NaN")).unwrap().0.is_nan());
        assert!(from_value::<Double>(json!("many")).is_err());
    }
}
