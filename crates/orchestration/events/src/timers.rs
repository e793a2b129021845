//! Timers of scheduled rules and schedules: each has one durable task, due at its next time. When it fires, one transaction
//! writes the deliveries and sets the timer anew.

use std::sync::Arc;

use boathouse_aws::Platform;
use boathouse_metadata::{MetadataError, Transaction};
use boathouse_tasks::{Outcome, Queue, Task};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::error::EventsError;
use crate::event::Event;
use crate::router;
use crate::schedule::Expression;
use crate::scheduler;
use crate::store::{DEFAULT_BUS, Events, RULES, Rule, rule_arn};

/// The pause before a timer that could not fire because of the store tries again.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// What fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timer {
    pub(crate) of: Owner,
    /// The owner's revision when the timer was set. Another one means that the timer is not wanted any more.
    pub(crate) revision: u64,
    /// The time that the schedule means; with a flexible window the timer fires later.
    pub(crate) scheduled: DateTime<Utc>,
}

/// Whose timer it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Owner {
    /// A rule on the default bus.
    Rule(String),
    /// A schedule, by group and name.
    Schedule(String, String),
}

pub(crate) fn rule_id(name: &str) -> String {
    format!("rule/{name}")
}

/// Sets a rule's timer, or removes it if there is nothing to wait for. Only the default bus has scheduled rules.
pub(crate) fn set_rule(
    tx: &Transaction<'_>,
    timers: &Queue<Timer>,
    name: &str,
    rule: &Rule,
) -> Result<(), EventsError> {
    let expression = rule.schedule_expression.as_deref().filter(|_| rule.enabled);
    let expression = expression.and_then(|expression| Expression::parse(expression).ok());
    set_rule_after(tx, timers, name, rule, expression.as_ref(), rule.since)
}

fn set_rule_after(
    tx: &Transaction<'_>,
    timers: &Queue<Timer>,
    name: &str,
    rule: &Rule,
    expression: Option<&Expression>,
    after: DateTime<Utc>,
) -> Result<(), EventsError> {
    let next = expression.and_then(|expression| expression.next(after, Tz::UTC, rule.since));
    match next {
        Some(next) => {
            let timer = Timer { of: Owner::Rule(name.to_owned()), revision: rule.revision, scheduled: next };
            Ok(timers.put(tx, &rule_id(name), next, &timer)?)
        }
        // A rule without a schedule, perhaps on another bus, must not touch the timer of its namesake. If it had one itself,
        // its new revision has ended that.
        None if rule.schedule_expression.is_none() => Ok(()),
        None => Ok(timers.remove(tx, &rule_id(name)).map(drop)?),
    }
}

/// The time to act on when a timer that was set for `scheduled` fires at `now`: that one, or, if the server slept over
/// others (each may be late by `window`), the last of them.
pub(crate) fn caught_up(
    expression: &Expression,
    scheduled: DateTime<Utc>,
    now: DateTime<Utc>,
    window: TimeDelta,
    zone: Tz,
    anchor: DateTime<Utc>,
) -> DateTime<Utc> {
    expression.last_between(scheduled, now - window, zone, anchor).unwrap_or(scheduled)
}

/// Fires a timer.
pub(crate) async fn fire(platform: Platform, state: Arc<Events>, task: Task<Timer>) -> Outcome {
    let timer = task.body;
    let fired = match &timer.of {
        Owner::Rule(name) => fire_rule(&platform, &state, &task.id, name.clone(), timer.clone()).await,
        Owner::Schedule(group, name) => {
            scheduler::timer::fire(&platform, &state, &task.id, (group.clone(), name.clone()), timer.clone()).await
        }
    };
    match fired {
        Ok(()) => Outcome::Settled,
        Err(error) => {
            tracing::error!(timer = task.id, %error, "a timer can't fire; it is tried again");
            Outcome::RetryAt(platform.clock.now() + PAUSE)
        }
    }
}

async fn fire_rule(
    platform: &Platform,
    state: &Arc<Events>,
    id: &str,
    name: String,
    timer: Timer,
) -> Result<(), EventsError> {
    let (platform, state, id) = (platform.clone(), Arc::clone(state), id.to_owned());
    let metadata = state.metadata.clone();
    metadata
        .transaction(move |tx| {
            let rule: Option<Rule> = tx.get_json(RULES, &boathouse_metadata::Key::new([DEFAULT_BUS, &name]))?;
            let Some(rule) = rule.filter(|rule| rule.revision == timer.revision && rule.enabled) else {
                return gone(tx, &state.timers, &id, timer.revision);
            };
            let Some(Ok(expression)) = rule.schedule_expression.as_deref().map(Expression::parse) else {
                return gone(tx, &state.timers, &id, timer.revision);
            };
            let now = platform.clock.now();
            let time = caught_up(&expression, timer.scheduled, now, TimeDelta::zero(), Tz::UTC, rule.since);
            let arn = rule_arn(&platform.region, DEFAULT_BUS, &name);
            let event = Event::scheduled(&platform.region, time, arn);
            for delivery in router::scheduled_deliveries(tx, &platform, DEFAULT_BUS, &name, &rule, &event)? {
                state.deliveries.add(tx, now, &delivery)?;
            }
            set_rule_after(tx, &state.timers, &name, &rule, Some(&expression), time)
        })
        .await
}

/// Removes a timer whose owner is gone or has another one. A timer that was set anew meanwhile stays.
pub(crate) fn gone<E: From<MetadataError>>(
    tx: &Transaction<'_>,
    timers: &Queue<Timer>,
    id: &str,
    revision: u64,
) -> Result<(), E> {
    let present = timers.get_in(tx, id)?;
    if present.is_some_and(|task| task.body.revision == revision) {
        timers.remove(tx, id)?;
    }
    Ok(())
}
