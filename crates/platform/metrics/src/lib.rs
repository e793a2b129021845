//! CloudWatch metrics: what clients put, and what the platform's own services measure of themselves.
//!
//! AWS counterpart: "Amazon CloudWatch API Reference". Points are rows of the metadata store, in blocks of one metric and one
//! resolution. What PutMetricData has acknowledged is on disk. What services measure is summed up in memory and kept every
//! minute, before somebody reads and when the server stops: after `kill -9` up to a minute of it is missing.
//!
//! Points live as long as on AWS, coarser as they age: of a second for 3 hours, of a minute for 15 days, of five minutes for 63
//! days, of an hour for 455 days. Percentiles are exact for up to 200 different values in a period; of more, values are
//! rounded to three digits. Periods begin at the (rounded) start of the request.
//!
//! Refused by name: entities, SEARCH and Metrics Insights (SELECT), dynamic labels, linked accounts, functions of metric math
//! that `math` does not list. Absent: alarms, dashboards, anomaly detection, metric streams.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `put` | PutMetricData |
//! | `statistics`, `data` | GetMetricStatistics, GetMetricData |
//! | `list` | ListMetrics |
//! | `statistic` | one number of a [`boathouse_aws::measures::Summary`] |
//! | `math` | metric math: parsed, then computed |
//! | `read` | the points of a metric as periods |
//! | [`vended`] | keeps what services measure |
//! | [`retention`] | makes old points coarser, and deletes the oldest |
//! | `store`, `block`, [`error`] | rows; the bytes of points; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
mod block;
mod data;
pub mod error;
mod list;
mod math;
mod put;
mod read;
pub mod retention;
mod statistic;
mod statistics;
mod store;
pub mod vended;

use std::sync::Arc;

use boathouse_aws::protocol::Dialects;
use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Ctx, Protocol, ServiceTable};

pub use error::MetricsError;
pub use store::CloudWatch;

/// The other protocols that clients of CloudWatch speak.
const DIALECTS: Dialects = Dialects {
    version: "2010-08-01",
    namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
    times: &["Timestamp", "Timestamps"],
    maps: &["ExtendedStatistics"],
};

/// The service `cloudwatch`, whose requests are signed for `monitoring`.
#[must_use]
pub fn service(state: &Arc<CloudWatch>) -> ServiceTable {
    let protocol = Protocol::AwsJson { version: "1.0", target_prefix: "GraniteServiceVersion20100801" };
    ServiceTable::new("cloudwatch", protocol)
        .signed_as("monitoring")
        .with_dialects(DIALECTS)
        .operation(
            "PutMetricData",
            Access::Keyed(|_: &Ctx, input: &api::PutMetricData| {
                let namespace = vec![input.namespace.clone().unwrap_or_default()];
                vec![("*".to_owned(), [("cloudwatch:namespace".to_owned(), namespace)].into())]
            }),
            state,
            put::put,
        )
        .operation("GetMetricData", Access::On(any_resource), state, data::get)
        .operation("GetMetricStatistics", Access::On(any_resource), state, statistics::get)
        .operation("ListMetrics", Access::On(any_resource), state, list::list)
}
