//! SQS: queues whose messages are on disk before their sender is told so.
//!
//! AWS counterpart: "Amazon SQS API Reference", with the JSON protocol. Standard and FIFO queues, long polls that a message
//! wakes, visibility time-outs, delays, retention, dead-letter queues, deduplication, resource policies. Everything that a
//! receive changes is on disk too: after a crash a message in flight is still out of sight. Times are the platform's clock.
//!
//! Refused by name: encryption at rest (KMS keys, `SqsManagedSseEnabled`), `ReceiveRequestAttemptId`. Absent: the query
//! protocol of old clients, throughput quotas. Groups of standard queues ("fair queues") are kept and shown, but everybody is
//! served in the order of time.
//!
//! | Module | What it does |
//! |---|---|
//! | `api` | wire types |
//! | `queues`, `attributes`, `tags`, `permissions` | queues and what is known of them |
//! | `redrive`, [`moves`] | dead-letter queues; tasks that bring dead letters back |
//! | `send`, `receive`, `settle` | messages in; messages out; what becomes of them |
//! | `message`, `receipt`, `batch`, `deduplication` | rules and digests; receipt handles; batches; five minutes of memory |
//! | `shelf` | the rows of messages, and what is due when |
//! | [`sweeper`] | removes what has expired or belongs to nobody |
//! | `measures` | metrics for CloudWatch |
//! | `store`, [`error`] | rows of queues and shared helpers; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod attributes;
mod batch;
mod deduplication;
pub mod error;
mod measures;
mod message;
pub mod moves;
mod permissions;
mod queues;
mod receipt;
mod receive;
mod redrive;
mod send;
mod settle;
mod shelf;
mod store;
pub mod sweeper;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use boathouse_aws::service::Access;
use boathouse_aws::{Protocol, ServiceTable};

pub use error::SqsError;
pub use store::Sqs;

/// The service `sqs`. Handlers ask for leave themselves, because queues have policies; the batch operations need the leave
/// of the single ones.
#[must_use]
pub fn service(state: &Arc<Sqs>) -> ServiceTable {
    ServiceTable::new("sqs", Protocol::AwsJson { version: "1.0", target_prefix: "AmazonSQS" })
        .with_tags({
            let keeper = Arc::clone(state);
            move |arn| tags::of(&keeper, arn)
        })
        .operation("CreateQueue", Access::InHandler, state, queues::create)
        .operation("DeleteQueue", Access::InHandler, state, queues::delete)
        .operation("GetQueueUrl", Access::InHandler, state, queues::url)
        .operation("ListQueues", Access::InHandler, state, queues::list)
        .operation("PurgeQueue", Access::InHandler, state, queues::purge)
        .operation("GetQueueAttributes", Access::InHandler, state, attributes::get)
        .operation("SetQueueAttributes", Access::InHandler, state, attributes::set)
        .operation("ListDeadLetterSourceQueues", Access::InHandler, state, redrive::list_sources)
        .operation("StartMessageMoveTask", Access::InHandler, state, moves::start)
        .operation("CancelMessageMoveTask", Access::InHandler, state, moves::cancel)
        .operation("ListMessageMoveTasks", Access::InHandler, state, moves::list)
        .operation("AddPermission", Access::InHandler, state, permissions::add)
        .operation("RemovePermission", Access::InHandler, state, permissions::remove)
        .operation("TagQueue", Access::InHandler, state, tags::tag)
        .operation("UntagQueue", Access::InHandler, state, tags::untag)
        .operation("ListQueueTags", Access::InHandler, state, tags::list)
        .operation("SendMessage", Access::InHandler, state, send::send)
        .operation("SendMessageBatch", Access::InHandler, state, send::send_batch)
        .operation("ReceiveMessage", Access::InHandler, state, receive::receive)
        .operation("DeleteMessage", Access::InHandler, state, settle::delete)
        .operation("DeleteMessageBatch", Access::InHandler, state, settle::delete_batch)
        .operation("ChangeMessageVisibility", Access::InHandler, state, settle::change)
        .operation("ChangeMessageVisibilityBatch", Access::InHandler, state, settle::change_batch)
}
