//! EventBridge: event buses, rules, targets; and EventBridge Scheduler.
//!
//! AWS counterpart: "Amazon EventBridge API Reference", "Amazon EventBridge Scheduler API Reference". Once PutEvents has
//! answered, every delivery that a rule wants is a durable task: it is done at least once, also after a crash, retried with
//! longer and longer pauses, and given up (with a line in the log and a message in the target's dead-letter queue) after the
//! target's number of attempts or age. Timers of
//! schedules and scheduled rules are durable too; of times that passed while the server was down, the last one is made up.
//!
//! What happens inside the platform (job runs, crawls, queries, executions, objects) arrives on the default bus.
//!
//! Targets are Lambda functions, state machines, queues, delivery streams, log groups, event buses; of schedules also every operation
//! of every service here. Other targets, keys of KMS, archives, replays, connections and API
//! destinations are refused by name or absent.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types of EventBridge |
//! | `buses`, `rules`, `targets`, `tags` | one file for each resource |
//! | `put_events` | PutEvents and TestEventPattern |
//! | [`pattern`] | event patterns |
//! | [`input`] | what targets get of an event |
//! | `event`, `router` | an event; which targets it goes to |
//! | `action`, `delivery`, `dead_letters` | what a target does; the tasks that do it; what becomes of those that fail |
//! | [`schedule`] | cron, rate and at expressions in time zones |
//! | `rates` | since when rules' rates count |
//! | `timers` | what fires scheduled rules and schedules |
//! | [`scheduler`] | EventBridge Scheduler's operations |
//! | [`worker`] | starts all that works in the background |
//! | `measures` | metrics for CloudWatch |
//! | `store`, [`error`] | rows and shared helpers; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod action;
pub mod api;
mod buses;
mod dead_letters;
mod delivery;
pub mod error;
mod event;
pub mod input;
mod measures;
pub mod pattern;
mod put_events;
mod rates;
mod router;
mod rules;
pub mod schedule;
pub mod scheduler;
mod store;
mod tags;
mod targets;
#[cfg(test)]
mod tests;
mod timers;
pub mod worker;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Ctx, Protocol, ServiceTable};

use crate::api::{BusNamed, RuleNamed};
use crate::store::{bus_arn, bus_name, rule_arn};

pub use error::EventsError;
pub use rates::Rates;
pub use scheduler::scheduler_service;
pub use store::{Deps, Events};

/// The service `events`.
#[must_use]
pub fn events_service(state: &Arc<Events>) -> ServiceTable {
    let protocol = Protocol::AwsJson { version: "1.1", target_prefix: "AWSEvents" };
    let bus = || Access::On(|ctx: &Ctx, input: &BusNamed| vec![bus_arn(ctx.region(), bus_name(input.name.as_deref()))]);
    let keeper = Arc::clone(state);
    let table = ServiceTable::new("events", protocol)
        .with_tags(move |arn| tags::of(&keeper, arn))
        .operation(
            "CreateEventBus",
            Access::On(|ctx, input: &api::CreateEventBus| vec![bus_arn(ctx.region(), &input.name)]),
            state,
            buses::create,
        )
        .operation(
            "UpdateEventBus",
            Access::On(|ctx, input: &api::UpdateEventBus| vec![bus_arn(ctx.region(), bus_name(input.name.as_deref()))]),
            state,
            buses::update,
        )
        .operation("DescribeEventBus", bus(), state, buses::describe)
        .operation("DeleteEventBus", bus(), state, buses::delete)
        .operation("ListEventBuses", Access::On(any_resource), state, buses::list)
        .operation(
            "PutPermission",
            Access::On(|ctx, input: &api::PutPermission| {
                vec![bus_arn(ctx.region(), bus_name(input.event_bus_name.as_deref()))]
            }),
            state,
            buses::put_permission,
        )
        .operation(
            "RemovePermission",
            Access::On(|ctx, input: &api::RemovePermission| {
                vec![bus_arn(ctx.region(), bus_name(input.event_bus_name.as_deref()))]
            }),
            state,
            buses::remove_permission,
        );
    tag_operations(target_operations(rule_operations(table, state), state), state)
        .operation("PutEvents", Access::InHandler, state, put_events::put)
        .operation("TestEventPattern", Access::On(any_resource), state, put_events::test_pattern)
}

fn rule_operations(table: ServiceTable, state: &Arc<Events>) -> ServiceTable {
    let rule = || {
        Access::On(|ctx: &Ctx, input: &RuleNamed| {
            vec![rule_arn(ctx.region(), bus_name(input.event_bus_name.as_deref()), &input.name)]
        })
    };
    table
        .operation(
            "PutRule",
            Access::On(|ctx, input: &api::PutRule| {
                vec![rule_arn(ctx.region(), bus_name(input.event_bus_name.as_deref()), &input.name)]
            }),
            state,
            rules::put,
        )
        .operation("DescribeRule", rule(), state, rules::describe)
        .operation("EnableRule", rule(), state, rules::enable)
        .operation("DisableRule", rule(), state, rules::disable)
        .operation("DeleteRule", rule(), state, rules::delete)
        .operation("ListRules", Access::On(any_resource), state, rules::list)
        .operation("ListRuleNamesByTarget", Access::On(any_resource), state, rules::names_by_target)
}

fn target_operations(table: ServiceTable, state: &Arc<Events>) -> ServiceTable {
    table
        .operation(
            "PutTargets",
            Access::On(|ctx, input: &api::PutTargets| {
                vec![rule_arn(ctx.region(), bus_name(input.event_bus_name.as_deref()), &input.rule)]
            }),
            state,
            targets::put,
        )
        .operation(
            "RemoveTargets",
            Access::On(|ctx, input: &api::RemoveTargets| {
                vec![rule_arn(ctx.region(), bus_name(input.event_bus_name.as_deref()), &input.rule)]
            }),
            state,
            targets::remove,
        )
        .operation(
            "ListTargetsByRule",
            Access::On(|ctx, input: &api::ListTargetsByRule| {
                vec![rule_arn(ctx.region(), bus_name(input.event_bus_name.as_deref()), &input.rule)]
            }),
            state,
            targets::list,
        )
}

fn tag_operations(table: ServiceTable, state: &Arc<Events>) -> ServiceTable {
    table
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
        .operation(
            "ListTagsForResource",
            Access::On(|_, input: &api::TaggedResource| vec![input.resource_arn.clone()]),
            state,
            tags::list,
        )
}
