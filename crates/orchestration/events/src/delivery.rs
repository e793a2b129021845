//! Deliveries: durable tasks, tried again with longer and longer pauses ("Retrying event delivery").

use std::sync::Arc;

use boathouse_aws::{AwsError, Platform, Principal};
use boathouse_tasks::{Outcome, Task, exponential};
use chrono::TimeDelta;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::api::RetryPolicy;
use crate::dead_letters::{self, DeadLetters, Exhausted};
use crate::error::EventsError;
use crate::event::Event;
use crate::measures;
use crate::router;
use crate::scheduler::SCHEDULER_PRINCIPAL;
use crate::store::{EVENTS_PRINCIPAL, Events, bus_arn};

/// The first pause; each further one is twice as long, up to [`LONGEST_PAUSE`], and a random part of it shorter.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// See [`FIRST_PAUSE`]. 185 attempts then take a day, as on AWS.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(8);
/// Buses that an event may be sent on to. AWS does not send on what has been sent on.
const MAX_HOPS: u32 = 1;
/// What stands for the number of the attempt in a schedule's input.
const ATTEMPT_NUMBER: &str = "<aws.scheduler.attempt-number>";

/// One event for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) sender: Sender,
    /// The rule or schedule.
    pub(crate) source_arn: String,
    pub(crate) event_id: String,
    /// Whom to act as; as the sender's service if there is none.
    pub(crate) role: Option<String>,
    pub(crate) action: Action,
    pub(crate) payload: String,
    pub(crate) retry: Retry,
    /// Over how many buses the event has come.
    pub(crate) hops: u32,
    /// What becomes of it when it can't be delivered.
    #[serde(default)]
    pub(crate) dead_letters: Option<DeadLetters>,
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sender {
    Rule,
    Schedule,
}

impl Sender {
    fn principal(self) -> &'static str {
        match self {
            Self::Rule => EVENTS_PRINCIPAL,
            Self::Schedule => SCHEDULER_PRINCIPAL,
        }
    }
}

/// When to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    attempts: u32,
    age_seconds: u32,
}

impl Retry {
    pub(crate) fn of(policy: Option<RetryPolicy>) -> Self {
        let policy = policy.unwrap_or_default();
        Self {
            attempts: policy.maximum_retry_attempts.unwrap_or(185),
            age_seconds: policy.maximum_event_age_in_seconds.unwrap_or(86_400),
        }
    }
}

/// Works on one delivery.
pub(crate) async fn attempt(platform: Platform, state: Arc<Events>, task: Task<Delivery>) -> Outcome {
    let Task { id, body: delivery, attempt, created, .. } = task;
    let failure = match run(&platform, &state, &delivery, &id, attempt).await {
        Ok(()) => {
            measures::invoked(&platform, &delivery, false);
            return Outcome::Done;
        }
        Err(failure) => failure,
    };
    let pause = exponential(attempt, FIRST_PAUSE, LONGEST_PAUSE);
    let part = rand::rng().random_range(0.5..1.0);
    let again = platform.clock.now() + TimeDelta::milliseconds((pause.num_milliseconds() as f64 * part) as i64);
    let worth_retrying = worth_retrying(&failure);
    let exhausted = match () {
        () if !worth_retrying => None,
        () if attempt > delivery.retry.attempts => Some(Exhausted::Attempts),
        () if again - created > TimeDelta::seconds(i64::from(delivery.retry.age_seconds)) => Some(Exhausted::Age),
        () => None,
    };
    let (source, error) = (&delivery.source_arn, failure.to_string());
    if exhausted.is_some() || !worth_retrying {
        measures::invoked(&platform, &delivery, true);
        tracing::error!(source, event = delivery.event_id, action = ?delivery.action, attempt, error, "delivery given up");
        let Some(letter) = dead_letters::letter(&delivery, attempt, &failure, exhausted) else {
            return Outcome::Done;
        };
        return replace(&platform, &state, id, letter).await;
    }
    tracing::warn!(source, event = delivery.event_id, attempt, error, "delivery failed; it is tried again");
    Outcome::RetryAt(again)
}

/// Puts a dead letter in the place of what it is of, so that it is neither lost nor sent twice.
async fn replace(platform: &Platform, state: &Arc<Events>, id: String, letter: Delivery) -> Outcome {
    let (queue, now) = (state.deliveries.clone(), platform.clock.now());
    let replaced = state.metadata.transaction(move |tx| queue.put(tx, &id, now, &letter)).await;
    match replaced {
        Ok(()) => Outcome::Settled,
        Err(error) => {
            tracing::error!(%error, "a dead letter can't be kept; the delivery is tried again");
            Outcome::RetryAt(now + FIRST_PAUSE)
        }
    }
}

/// Missing targets and permissions don't come back by waiting.
fn worth_retrying(failure: &AwsError) -> bool {
    let throttled = ["Throttl", "TooManyRequests", "SlowDown"].iter().any(|part| failure.code.contains(part));
    failure.status.is_server_error() && failure.code != "NotImplemented" || failure.status.as_u16() == 429 || throttled
}

async fn run(
    platform: &Platform,
    state: &Arc<Events>,
    delivery: &Delivery,
    task: &str,
    attempt: u32,
) -> Result<(), AwsError> {
    let service = delivery.sender.principal();
    let principal = match &delivery.role {
        Some(role) => state.roles.assume_for_service(role, service, task)?,
        None => Arc::new(Principal::service(service)),
    };
    let ctx = platform.context(principal);
    match &delivery.action {
        Action::Bus { bus } => send_on(&ctx, state, delivery, bus).await.map_err(Into::into),
        action if delivery.sender == Sender::Schedule => {
            let payload = delivery.payload.replace(ATTEMPT_NUMBER, &attempt.to_string());
            action.run(&ctx, delivery, &payload, task).await
        }
        action => action.run(&ctx, delivery, &delivery.payload, task).await,
    }
}

/// Puts an event onto another bus as it is. Within the account a role is not needed; if there is one, it must be allowed.
async fn send_on(
    ctx: &boathouse_aws::Ctx,
    state: &Arc<Events>,
    delivery: &Delivery,
    bus: &str,
) -> Result<(), EventsError> {
    if delivery.hops >= MAX_HOPS {
        tracing::warn!(source = delivery.source_arn, event = delivery.event_id, bus, "events are sent on only once");
        return Ok(());
    }
    let settings = state.bus(bus)?;
    if delivery.role.is_some() {
        let arn = bus_arn(ctx.region(), bus);
        let keys = Default::default();
        let request = boathouse_aws::access::AccessRequest::new("events:PutEvents", &arn, &keys);
        state.authorizer.authorize(ctx, &request.with_resource_policy(settings.policy.as_deref()))?;
    }
    let malformed = || EventsError::Validation("the event is not JSON".into());
    let event = Event::forwarded(&delivery.payload).ok_or_else(malformed)?;
    let deliveries = router::deliveries(state, (&ctx.platform).into(), bus, &event, delivery.hops + 1)?;
    Ok(router::enqueue(state, &ctx.platform, deliveries).await?)
}
