//! Data Firehose: records come in one by one, are kept at once, and are delivered to S3 in objects.
//!
//! AWS counterpart: "Amazon Data Firehose API Reference" and its developer guide. A record is acknowledged when it is
//! durable in the journal. A worker for each stream cuts the log into objects by size and age; where it cuts is decided
//! durably before anything is written, and the name of an object follows from its first record, so a crash repeats the
//! same put: every record is delivered exactly once. What can't be delivered is tried again for 24 hours.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `streams`, `tags`, `put` | the operations |
//! | `destination` | the settings of an S3 destination, checked, with their defaults |
//! | `processing` | the processors of a destination |
//! | `prefix`, `java_time` | key prefixes with expressions |
//! | `compress` | GZIP, ZIP, Snappy and Hadoop's Snappy |
//! | [`worker`] | one worker for each stream: when to cut, recovery |
//! | `delivery` | from an intent to objects in S3 |
//! | `transform` | records through a Lambda function |
//! | `spool` | transformed records on disk until they are delivered |
//! | `report` | failures, to the log and to CloudWatch Logs |
//! | `measures` | metrics for CloudWatch |
//! | `store`, [`error`] | rows and shared helpers; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
mod compress;
mod delivery;
mod destination;
pub mod error;
mod java_time;
mod measures;
mod prefix;
mod processing;
mod put;
mod report;
mod spool;
mod store;
mod streams;
mod tags;
#[cfg(test)]
mod tests;
mod transform;
pub mod worker;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Arn, Ctx, Protocol, ServiceTable};

pub use error::FirehoseError;
pub use store::{Deps, Firehose};

use crate::api::{
    CreateDeliveryStream, ListTags, Named, PutRecord, PutRecordBatch, TagStream, UntagStream, UpdateDestination,
};

/// The service `firehose`.
#[must_use]
pub fn service(state: &Arc<Firehose>) -> ServiceTable {
    let protocol = Protocol::AwsJson { version: "1.1", target_prefix: "Firehose_20150804" };
    let named = || Access::On(|ctx: &Ctx, input: &Named| vec![arn(ctx, &input.delivery_stream_name)]);
    macro_rules! on {
        ($input:ty) => {
            Access::On(|ctx: &Ctx, input: &$input| vec![arn(ctx, &input.delivery_stream_name)])
        };
    }
    let keeper = Arc::clone(state);
    ServiceTable::new("firehose", protocol)
        .with_tags(move |arn| tags::of(&keeper, arn))
        .operation("CreateDeliveryStream", on!(CreateDeliveryStream), state, streams::create)
        .operation("DescribeDeliveryStream", named(), state, streams::describe)
        .operation("ListDeliveryStreams", Access::On(any_resource), state, streams::list)
        .operation("DeleteDeliveryStream", named(), state, streams::delete)
        .operation("UpdateDestination", on!(UpdateDestination), state, streams::update)
        .operation("PutRecord", on!(PutRecord), state, put::one)
        .operation("PutRecordBatch", on!(PutRecordBatch), state, put::batch)
        .operation("TagDeliveryStream", on!(TagStream), state, tags::tag)
        .operation("UntagDeliveryStream", on!(UntagStream), state, tags::untag)
        .operation("ListTagsForDeliveryStream", on!(ListTags), state, tags::list)
}

fn arn(ctx: &Ctx, stream: &str) -> String {
    Arn::new("firehose", ctx.region(), format!("deliverystream/{stream}")).to_string()
}
