//! Events that nobody waits for: kept durably, retried, and their results delivered.
//!
//! AWS: "Error handling for an asynchronous invocation". A function that fails is tried twice more, after one minute and
//! after two; an event that finds no room waits for up to six hours. A crash in the middle of an attempt repeats it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use boathouse_tasks::{Outcome, Task, exponential};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::destinations::{self, Delivery, Ending};
use super::run;
use crate::error::LambdaError;
use crate::event_config::{self, DEFAULT_RETRIES, LONGEST_AGE};
use crate::instance::Execution;
use crate::names::FunctionRef;
use crate::store::Lambda;

/// Events that are worked on at once.
const CONCURRENCY: usize = 64;
/// The first and the longest pause of an event that finds no room.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(300);

/// What the queue holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Job {
    /// An event for a function.
    Invoke(QueuedEvent),
    /// A result for a destination.
    Deliver(Delivery),
}

/// An event, and how far it has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueuedEvent {
    pub(crate) function: String,
    pub(crate) qualifier: Option<String>,
    /// Base64 text.
    pub(crate) payload: String,
    pub(crate) request_id: String,
    pub(crate) accepted: DateTime<Utc>,
    /// Attempts that the function failed.
    failures: u32,
    /// Attempts that found no room, in a row.
    throttles: u32,
}

impl QueuedEvent {
    /// Attempts that the function failed.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}

/// Accepts an event: it is on disk when this returns.
pub(crate) async fn enqueue(
    state: &Lambda,
    wanted: &FunctionRef,
    payload: Bytes,
    request_id: String,
    now: DateTime<Utc>,
) -> Result<(), LambdaError> {
    let event = QueuedEvent {
        function: wanted.name.clone(),
        qualifier: wanted.qualifier.clone(),
        payload: BASE64.encode(payload),
        request_id,
        accepted: now,
        failures: 0,
        throttles: 0,
    };
    state.jobs.enqueue(now, Job::Invoke(event)).await?;
    Ok(())
}

/// Works on the queue for as long as the server lives.
pub(crate) fn work(state: &Arc<Lambda>) {
    let owned = Arc::clone(state);
    state.jobs.spawn(CONCURRENCY, move |task: Task<Job>| {
        let state = Arc::clone(&owned);
        async move {
            match task.body {
                Job::Invoke(event) => attempt(&state, &task.id, event).await,
                Job::Deliver(delivery) => destinations::deliver(&state, task.attempt, &delivery).await,
            }
        }
    });
}

async fn attempt(state: &Arc<Lambda>, id: &str, event: QueuedEvent) -> Outcome {
    let wanted = FunctionRef { name: event.function.clone(), qualifier: event.qualifier.clone() };
    let config = match event_config::of(state, &wanted) {
        Ok(config) => config,
        Err(error) => return again_soon(state, &error),
    };
    let now = state.platform.clock.now();
    let age = now - event.accepted;
    if age > TimeDelta::seconds(config.age.unwrap_or(LONGEST_AGE)) {
        return end(state, id, &event, Ending::too_old(&event)).await;
    }
    let region = Arc::clone(&state.platform.region);
    let function = match state.resolve(&region, &wanted, rand::random()) {
        Ok(function) => function,
        Err(LambdaError::NotFound(message)) => {
            tracing::warn!(message, request = event.request_id, "an event's function is gone");
            return Outcome::Done;
        }
        Err(error) => return again_soon(state, &error),
    };
    let payload = BASE64.decode(&event.payload).unwrap_or_default();
    let version = function.version.clone();
    match run(state, &wanted, function, payload.into(), event.request_id.clone(), None).await {
        Ok(done) if !done.failed => end(state, id, &event, Ending::success(&event, &done, &version)).await,
        Ok(done) => {
            let retries = config.retries.unwrap_or(DEFAULT_RETRIES);
            failed(state, id, event, &done, &version, retries).await
        }
        Err(error) => {
            let throttles = event.throttles + 1;
            let pause = exponential(throttles, FIRST_PAUSE, LONGEST_PAUSE);
            tracing::debug!(%error, function = event.function, "an event waits for room");
            put_again(state, id, QueuedEvent { throttles, ..event }, now + pause).await
        }
    }
}

/// The function failed: once more, or the end.
async fn failed(
    state: &Lambda,
    id: &str,
    event: QueuedEvent,
    done: &Execution,
    version: &str,
    retries: u32,
) -> Outcome {
    let failures = event.failures + 1;
    let event = QueuedEvent { failures, throttles: 0, ..event };
    if failures > retries {
        let ending = Ending::exhausted(&event, done, version);
        return end(state, id, &event, ending).await;
    }
    let due = state.platform.clock.now() + pause_after(failures);
    put_again(state, id, event, due).await
}

/// One minute after the first failure, two after the second.
fn pause_after(failures: u32) -> TimeDelta {
    TimeDelta::minutes(i64::from(failures))
}

async fn put_again(state: &Lambda, id: &str, event: QueuedEvent, due: DateTime<Utc>) -> Outcome {
    let (jobs, id) = (state.jobs.clone(), id.to_owned());
    let job = Job::Invoke(event);
    let put = state.metadata.transaction(move |tx| jobs.put(tx, &id, due, &job)).await;
    match put {
        Ok(()) => Outcome::Settled,
        Err(error) => again_soon(state, &error),
    }
}

/// The event is done: its result takes its place in the queue if somebody wants it, and so does the event itself if it
/// failed and the function has a dead-letter queue.
async fn end(state: &Lambda, id: &str, event: &QueuedEvent, ending: Ending) -> Outcome {
    let wanted = FunctionRef { name: event.function.clone(), qualifier: event.qualifier.clone() };
    let config = match event_config::of(state, &wanted) {
        Ok(config) => config,
        Err(error) => return again_soon(state, &error),
    };
    let region = &state.platform.region;
    let queue = match state.resolve(region, &wanted, 1.0) {
        Ok(function) => function.dead_letters.filter(|_| !ending.is_success()),
        Err(LambdaError::NotFound(_)) => None, // deleted meanwhile
        Err(error) => return again_soon(state, &error),
    };
    let now = state.platform.clock.now();
    let letter = queue.map(|queue| ending.dead_letter(event, queue));
    let success = ending.is_success();
    let target = if success { config.on_success } else { config.on_failure };
    let result = target.map(|target| ending.delivery(region, &wanted, target, now));
    let deliveries: Vec<Job> = result.into_iter().chain(letter).map(Job::Deliver).collect();
    if deliveries.is_empty() {
        if !success {
            tracing::warn!(function = event.function, request = event.request_id, "an event was given up");
        }
        return Outcome::Done;
    }
    let (jobs, id) = (state.jobs.clone(), id.to_owned());
    let put = state
        .metadata
        .transaction(move |tx| {
            jobs.remove(tx, &id)?;
            deliveries.iter().try_for_each(|delivery| jobs.add(tx, now, delivery).map(drop))
        })
        .await;
    match put {
        Ok(()) => Outcome::Settled,
        Err(error) => again_soon(state, &error),
    }
}

fn again_soon(state: &Lambda, error: &dyn std::fmt::Display) -> Outcome {
    tracing::error!(%error, "the queue of events can't be worked on; again in a moment");
    Outcome::RetryAt(state.platform.clock.now() + FIRST_PAUSE)
}
