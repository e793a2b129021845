//! CloudWatch Logs: groups, streams and events, durable before the answer.
//!
//! AWS counterpart: "Amazon CloudWatch Logs API Reference". Groups and streams are rows of the metadata store; events are
//! in append-only files of their own, because there may be very many of them. Retention really deletes: events are hidden
//! at the moment that they expire, and their files go within the hour.
//!
//! Refused by name: keys of KMS, log classes other than STANDARD, deletion protection, space-delimited filter patterns,
//! linked accounts. Absent: metric and subscription filters, Insights, exports, data protection.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `groups`, `streams`, `tags`, `policies` | one file for each resource |
//! | `put`, `read` | PutLogEvents; GetLogEvents and FilterLogEvents |
//! | `tail` | StartLiveTail |
//! | [`pattern`] | the filter pattern language |
//! | [`retention`] | what deletes expired events, and files that belong to nobody |
//! | [`files`] | the log files: frames, segments, group commit, scans |
//! | `store`, [`error`] | rows and shared helpers; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod error;
pub mod files;
mod groups;
pub mod pattern;
mod policies;
mod put;
mod read;
pub mod retention;
mod store;
mod streams;
mod tags;
mod tail;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Arn, Ctx, Protocol, ServiceTable};

use crate::api::{GroupName, GroupSelector, StreamName, TaggedResource, name_in};

pub use error::LogsError;
pub use store::Logs;

/// The service `logs`.
#[must_use]
pub fn service(state: &Arc<Logs>) -> ServiceTable {
    let group = || Access::On(|ctx: &Ctx, input: &GroupName| vec![stream_arn(ctx, &input.log_group_name, "")]);
    let stream = || {
        Access::On(|ctx: &Ctx, input: &StreamName| vec![stream_arn(ctx, &input.log_group_name, &input.log_stream_name)])
    };
    let tagged = || Access::On(|_: &Ctx, input: &TaggedResource| vec![input.resource_arn.clone()]);
    let protocol = Protocol::AwsJson { version: "1.1", target_prefix: "Logs_20140328" };
    let keeper = Arc::clone(state);
    let table = ServiceTable::new("logs", protocol)
        .with_tags(move |arn| tags::of(&keeper, arn))
        .operation(
            "CreateLogGroup",
            Access::On(|ctx, input: &api::CreateLogGroup| vec![stream_arn(ctx, &input.log_group_name, "")]),
            state,
            groups::create,
        )
        .operation("DeleteLogGroup", group(), state, groups::delete)
        .operation(
            "DescribeLogGroups",
            Access::On(|ctx, _: &api::DescribeLogGroups| vec![stream_arn(ctx, "", "")]),
            state,
            groups::describe,
        )
        .operation(
            "PutRetentionPolicy",
            Access::On(|ctx, input: &api::PutRetentionPolicy| vec![stream_arn(ctx, &input.log_group_name, "")]),
            state,
            groups::put_retention,
        )
        .operation("DeleteRetentionPolicy", group(), state, groups::delete_retention)
        .operation("CreateLogStream", Access::InHandler, state, streams::create)
        .operation("DeleteLogStream", stream(), state, streams::delete)
        .operation(
            "DescribeLogStreams",
            Access::On(|ctx, input: &api::DescribeLogStreams| vec![selected(ctx, &input.group, "")]),
            state,
            streams::describe,
        );
    table
        .operation("PutLogEvents", Access::InHandler, state, put::put)
        .operation(
            "GetLogEvents",
            Access::On(|ctx, input: &api::GetLogEvents| vec![selected(ctx, &input.group, &input.log_stream_name)]),
            state,
            read::get,
        )
        .operation(
            "FilterLogEvents",
            Access::On(|ctx, input: &api::FilterLogEvents| vec![selected(ctx, &input.group, "")]),
            state,
            read::filter,
        )
        .event_stream(
            "StartLiveTail",
            Access::On(|ctx, input: &api::StartLiveTail| {
                input.log_group_identifiers.iter().map(|group| stream_arn(ctx, name_in(group), "")).collect()
            }),
            state,
            tail::start,
        )
        .operation(
            "TagResource",
            Access::On(|_, input: &api::TagResource| vec![input.resource_arn.clone()]),
            state,
            tags::tag,
        )
        .operation(
            "UntagResource",
            Access::On(|_, input: &api::UntagResource| vec![input.resource_arn.clone()]),
            state,
            tags::untag,
        )
        .operation("ListTagsForResource", tagged(), state, tags::list)
        .operation("PutResourcePolicy", Access::On(any_resource), state, policies::put)
        .operation("DeleteResourcePolicy", Access::On(any_resource), state, policies::delete)
        .operation("DescribeResourcePolicies", Access::On(any_resource), state, policies::describe)
}

fn selected(ctx: &Ctx, group: &GroupSelector, stream: &str) -> String {
    stream_arn(ctx, group.name().unwrap_or_default(), stream)
}

/// What IAM is asked about: also operations on a group name a stream, the empty one.
fn stream_arn(ctx: &Ctx, group: &str, stream: &str) -> String {
    Arn::new("logs", ctx.region(), format!("log-group:{group}:log-stream:{stream}")).to_string()
}

/// The group's ARN without the `:*` that it carries in IAM policies.
fn group_arn(ctx: &Ctx, group: &str) -> String {
    Arn::new("logs", ctx.region(), format!("log-group:{group}")).to_string()
}
