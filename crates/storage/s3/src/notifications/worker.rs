//! The worker that tells what happened: outbox rows in, calls out, rows away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::{Arn, AwsError, Ctx, Platform, Principal};
use boathouse_objects::{ObjectChange, WATCH};
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use serde_json::{Value, json};

use super::{Configuration, PRINCIPAL, message};
use crate::call::Store;

/// Changes told side by side.
const PARALLEL: usize = 16;
/// Changes read at once.
const PAGE: usize = 256;
/// How long a destination that fails is asked again.
const PATIENCE: TimeDelta = TimeDelta::hours(24);
/// The longest pause between two attempts.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// How often the worker looks for what is due again.
const TICK: Duration = Duration::from_millis(500);
/// Answers that will not get better by asking again: AWS drops such events as well.
const HOPELESS: [&str; 5] = [
    "AccessDeniedException",
    "ResourceNotFoundException",
    "InvalidParameterValueException",
    "RequestTooLargeException",
    "QueueDoesNotExist",
];

/// Tells the changes of all watched buckets, from the ones that an earlier process left on.
pub(crate) fn start(platform: &Platform, store: &Store) {
    let ctx = platform.context(Arc::new(Principal::service(PRINCIPAL)));
    let mut worker = Worker { ctx, store: store.clone(), waiting: BTreeMap::new() };
    tokio::spawn(async move {
        loop {
            worker.round().await;
            let kept = worker.store.objects.changes_kept();
            if worker.waiting.is_empty() {
                kept.await;
            } else {
                // The platform's clock may be driven by hand, so its pauses cannot be slept.
                let _ = tokio::time::timeout(TICK, kept).await;
            }
        }
    });
}

struct Worker {
    ctx: Ctx,
    store: Store,
    /// Changes that a destination did not take yet.
    waiting: BTreeMap<u64, Pause>,
}

/// When to try again.
struct Pause {
    attempts: u32,
    until: DateTime<Utc>,
}

impl Worker {
    /// Goes through all that has not been told.
    async fn round(&mut self) {
        let mut after = 0;
        loop {
            let page = match self.store.objects.untold_changes(after, PAGE) {
                Ok(page) => page,
                Err(error) => return tracing::error!(%error, "the changes of watched buckets can't be read"),
            };
            let Some(last) = page.last().map(|change| change.sequence) else { return };
            after = last;
            let now = self.ctx.now();
            let due =
                page.into_iter().filter(|change| self.waiting.get(&change.sequence).is_none_or(|it| it.until <= now));
            let due: Vec<ObjectChange> = due.collect();
            let (ctx, store) = (&self.ctx, &self.store);
            let attempts = due.into_iter().map(|change| async move {
                let outcome = tell(ctx, store, &change).await;
                (change, outcome)
            });
            let outcomes: Vec<_> = futures::stream::iter(attempts).buffer_unordered(PARALLEL).collect().await;
            let told: Vec<u64> =
                outcomes.iter().filter_map(|(change, outcome)| self.ended(change, outcome, now)).collect();
            if told.is_empty() {
                continue;
            }
            for sequence in &told {
                self.waiting.remove(sequence);
            }
            if let Err(error) = self.store.objects.told(told).await {
                return tracing::error!(%error, "told changes can't be forgotten");
            }
        }
    }

    /// The number of a change that is done with.
    fn ended(&mut self, change: &ObjectChange, outcome: &Result<(), AwsError>, now: DateTime<Utc>) -> Option<u64> {
        let (sequence, bucket, key) = (change.sequence, &change.bucket, &change.key);
        let Err(error) = outcome else { return Some(sequence) };
        let age = now.timestamp_millis() - change.at_ms as i64;
        if age > PATIENCE.num_milliseconds() {
            tracing::error!(%error, bucket, key, "a notification could not be delivered for a day and is given up");
            return Some(sequence);
        }
        let attempts = self.waiting.get(&sequence).map_or(0, |it| it.attempts) + 1;
        let pause = TimeDelta::seconds(1 << attempts.min(10)).min(LONGEST_PAUSE);
        tracing::warn!(%error, bucket, key, attempts, "a notification could not be delivered and will be tried again");
        self.waiting.insert(sequence, Pause { attempts, until: now + pause });
        None
    }
}

/// Tells one change to all who want to hear of it. Who heard of it before another one failed hears of it again.
async fn tell(ctx: &Ctx, store: &Store, change: &ObjectChange) -> Result<(), AwsError> {
    // A bucket that is gone, or is not watched any more, has nobody to tell.
    let Ok(Some(configuration)) = store.document::<Configuration>(&change.bucket, WATCH) else { return Ok(()) };
    let ctx = ctx.because_of(&message::bucket_arn(&change.bucket));
    for target in configuration.functions_for(&change.key, change.kind) {
        let payload = message::for_target(change, ctx.region(), &target.id).to_string();
        hopeful(change, &target.arn, invoke(&ctx, &target.arn, "Event", &payload).await)?;
    }
    for target in configuration.queues_for(&change.key, change.kind) {
        let body = message::for_target(change, ctx.region(), &target.id).to_string();
        hopeful(change, &target.arn, send(&ctx, &target.arn, &body).await)?;
    }
    if configuration.event_bridge {
        let put = ctx.call("events", "PutEvents", json!({"Entries": [message::for_event_bus(change)]})).await;
        hopeful(change, "EventBridge", put.and_then(|answer| accepted(&answer)))?;
    }
    Ok(())
}

/// Calls a function as S3 does.
pub(crate) async fn invoke(ctx: &Ctx, arn: &str, kind: &str, payload: &str) -> Result<(), AwsError> {
    let input = json!({"FunctionName": arn, "InvocationType": kind, "Payload": STANDARD.encode(payload)});
    ctx.call("lambda", "Invoke", input).await.map(drop)
}

/// Sends a message to a queue as S3 does.
pub(crate) async fn send(ctx: &Ctx, arn: &str, body: &str) -> Result<(), AwsError> {
    let queue: Arn = arn.parse().map_err(|error| AwsError::internal(format!("{error}")))?;
    ctx.call("sqs", "SendMessage", json!({"QueueUrl": queue.queue_url(), "MessageBody": body})).await.map(drop)
}

/// PutEvents answers success for entries that it refused.
fn accepted(answer: &Value) -> Result<(), AwsError> {
    if answer["FailedEntryCount"].as_u64().unwrap_or_default() == 0 {
        return Ok(());
    }
    let entry = &answer["Entries"][0];
    let text = |name: &str| entry[name].as_str().unwrap_or("InternalFailure").to_owned();
    Err(AwsError::bad_request(text("ErrorCode"), text("ErrorMessage")))
}

/// What is worth trying again.
fn hopeful(change: &ObjectChange, destination: &str, outcome: Result<(), AwsError>) -> Result<(), AwsError> {
    match outcome {
        Err(error) if HOPELESS.contains(&&*error.code) => {
            let (bucket, key) = (&change.bucket, &change.key);
            tracing::warn!(%error, bucket, key, destination, "a notification was refused and is dropped");
            Ok(())
        }
        other => other,
    }
}
