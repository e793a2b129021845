//! When a schedule fires, and what happens then.

use std::sync::Arc;

use boathouse_aws::Platform;
use boathouse_metadata::{Key, Transaction};
use boathouse_tasks::Queue;
use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use serde_json::json;
use uuid::Uuid;

use crate::action::Action;
use crate::dead_letters::DeadLetters;
use crate::delivery::{Delivery, Retry, Sender};
use crate::error::{EventsError, SchedulerError};
use crate::event::timestamp;
use crate::store::{ACCOUNT, Events};
use crate::timers::{Owner, Timer, caught_up, gone};

use super::schedules::{SCHEDULES, Schedule, remove};
use super::{schedule_arn, target};

pub(super) fn id(group: &str, name: &str) -> String {
    format!("schedule/{group}/{name}")
}

/// Sets a new or changed schedule's timer.
pub(super) fn set(
    tx: &Transaction<'_>,
    timers: &Queue<Timer>,
    group: &str,
    name: &str,
    schedule: &Schedule,
) -> Result<(), SchedulerError> {
    // The start itself, and the moment of creation for a rate without a start, are times of the schedule.
    let begin = schedule.start.map_or(schedule.modified, |start| start.max(schedule.modified));
    set_after(tx, timers, (group, name), schedule, begin - TimeDelta::milliseconds(1)).map(drop)
}

/// Sets the timer to the first time after `after`; says whether there is one.
fn set_after(
    tx: &Transaction<'_>,
    timers: &Queue<Timer>,
    (group, name): (&str, &str),
    schedule: &Schedule,
    after: DateTime<Utc>,
) -> Result<bool, SchedulerError> {
    let next = schedule.rule().and_then(|(expression, zone)| expression.next(after, zone, schedule.anchor()));
    let next = next.filter(|next| schedule.end.is_none_or(|end| *next <= end));
    let Some(scheduled) = next.filter(|_| schedule.enabled) else {
        timers.remove(tx, &id(group, name))?;
        return Ok(next.is_some());
    };
    let window = schedule.flexible_window();
    let late = if window.is_zero() { 0 } else { rand::rng().random_range(0..window.num_milliseconds()) };
    let of = Owner::Schedule(group.to_owned(), name.to_owned());
    let timer = Timer { of, revision: schedule.revision, scheduled };
    timers.put(tx, &id(group, name), scheduled + TimeDelta::milliseconds(late), &timer)?;
    Ok(true)
}

/// Writes the delivery of a schedule whose time has come, and sets its next time; a schedule that has no more times is
/// deleted if it wants to be.
pub(crate) async fn fire(
    platform: &Platform,
    state: &Arc<Events>,
    task: &str,
    (group, name): (String, String),
    timer: Timer,
) -> Result<(), EventsError> {
    let (platform, state, task) = (platform.clone(), Arc::clone(state), task.to_owned());
    let metadata = state.metadata.clone();
    let fired: Result<(), SchedulerError> = metadata
        .transaction(move |tx| {
            let schedule: Option<Schedule> = tx.get_json(SCHEDULES, &Key::new([&group, &name]))?;
            let schedule = schedule.filter(|schedule| schedule.revision == timer.revision && schedule.enabled);
            let Some((schedule, (expression, zone))) =
                schedule.and_then(|schedule| schedule.rule().map(|rule| (schedule, rule)))
            else {
                return gone(tx, &state.timers, &task, timer.revision);
            };
            let now = platform.clock.now();
            let anchor = schedule.anchor();
            let latest = schedule.end.map_or(now, |end| end.min(now));
            let time = caught_up(&expression, timer.scheduled, latest, schedule.flexible_window(), zone, anchor);
            state.deliveries.add(tx, now, &delivery(&platform, &group, &name, &schedule, time)?)?;
            let more = set_after(tx, &state.timers, (&group, &name), &schedule, time)?;
            if !more && schedule.delete_after_completion {
                remove(tx, &state, &group, &name)?;
            }
            Ok(())
        })
        .await;
    fired.map_err(|error| EventsError::Aws(error.into()))
}

fn delivery(
    platform: &Platform,
    group: &str,
    name: &str,
    schedule: &Schedule,
    time: DateTime<Utc>,
) -> Result<Delivery, SchedulerError> {
    let arn = schedule_arn(&platform.region, group, name);
    let execution = Uuid::new_v4().to_string();
    let action = target::action(platform, &schedule.target)?;
    let queue = schedule.target.dead_letter_config.as_ref().and_then(|config| config.arn.clone());
    let payload = match &schedule.target.input {
        Some(input) => fill(input, &arn, time, &execution),
        None => without_input(platform, &action, &arn, time, &execution),
    };
    Ok(Delivery {
        sender: Sender::Schedule,
        source_arn: arn,
        event_id: execution,
        role: Some(schedule.target.role_arn.clone()),
        action,
        payload,
        retry: Retry::of(schedule.target.retry_policy),
        hops: 0,
        dead_letters: queue.map(|queue| DeadLetters {
            queue,
            target: schedule.target.arn.clone(),
            event: None,
            scheduled: Some(timestamp(time)),
        }),
    })
}

/// Puts in what the context attributes stand for, but for the number of the attempt ("Adding context attributes").
fn fill(input: &str, arn: &str, time: DateTime<Utc>, execution: &str) -> String {
    input
        .replace("<aws.scheduler.schedule-arn>", arn)
        .replace("<aws.scheduler.scheduled-time>", &timestamp(time))
        .replace("<aws.scheduler.execution-id>", execution)
}

/// What a target gets that was given no input: templated ones get an event, operations nothing.
fn without_input(platform: &Platform, action: &Action, arn: &str, time: DateTime<Utc>, execution: &str) -> String {
    if matches!(action, Action::Operation { .. }) {
        return "{}".to_owned();
    }
    json!({
        "version": "0",
        "id": execution,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": timestamp(time),
        "region": &*platform.region,
        "resources": [arn],
        "detail": "{}",
    })
    .to_string()
}
