//! What polls queues: receive, invoke, delete.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use boathouse_aws::{Arn, AwsError, Ctx};
use chrono::TimeDelta;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Mapping, ONE_RECEIVE};
use crate::error::LambdaError;
use crate::invoke;
use crate::store::Lambda;

/// Seconds of a long poll.
const LONG_POLL: i64 = 20;
/// Batches at once of mappings that don't say how many.
const CONCURRENCY: u32 = 5;
/// The pause after something failed: the queue or the role may be gone for long.
const PAUSE: TimeDelta = TimeDelta::seconds(5);
/// Bytes of messages after which a batch is full: a function's event has at most 6 MB.
const LARGEST_BATCH: usize = 5 * 1024 * 1024;

/// The pollers of an installation, by their mapping.
#[derive(Default)]
pub(crate) struct Pollers(Mutex<HashMap<String, JoinHandle<()>>>);

/// Polls for a mapping as it is now, in the place of what polled for it before; not at all if it is disabled. Batches that
/// are being worked on go on.
pub(super) fn set(state: &Arc<Lambda>, mapping: &Mapping) {
    let mut pollers = state.pollers.0.lock();
    let next = mapping.enabled.then(|| tokio::spawn(poll(Arc::clone(state), mapping.clone())));
    let before = match next {
        Some(poller) => pollers.insert(mapping.uuid.clone(), poller),
        None => pollers.remove(&mapping.uuid),
    };
    if let Some(before) = before {
        before.abort();
    }
}

/// The address of a queue.
pub(super) fn queue_url(arn: &str) -> Result<String, AwsError> {
    let arn: Arn = arn.parse().map_err(|error| AwsError::internal(format!("{error}")))?;
    Ok(arn.queue_url())
}

async fn poll(state: Arc<Lambda>, mapping: Mapping) {
    let mapping = Arc::new(mapping);
    let room = Arc::new(Semaphore::new(mapping.concurrency.unwrap_or(CONCURRENCY) as usize));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match collect(&state, &mapping).await {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => {
                let (state, mapping) = (Arc::clone(&state), Arc::clone(&mapping));
                tokio::spawn(async move {
                    if let Err(error) = process(&state, &mapping, &batch).await {
                        let (function, queue) = (&mapping.function, &mapping.queue);
                        tracing::warn!(%error, function, queue, "a batch of messages can't be processed; it comes back");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                let (function, queue) = (&mapping.function, &mapping.queue);
                tracing::warn!(%error, function, queue, "a queue can't be polled; again in a moment");
                let clock = &state.platform.clock;
                clock.sleep_until(clock.now() + PAUSE).await;
            }
        }
    }
}

/// The context of the function's role.
fn context(state: &Lambda, mapping: &Mapping) -> Result<Ctx, LambdaError> {
    let function = state.resolve(&state.platform.region, &mapping.wanted(), 1.0)?;
    state.pool.role_context(&function)
}

/// Waits for messages, and then for more as long as the batch has room and the window is open.
async fn collect(state: &Lambda, mapping: &Mapping) -> Result<Vec<Value>, LambdaError> {
    let ctx = context(state, mapping)?;
    let mut batch = receive(&ctx, mapping, mapping.batch_size, LONG_POLL).await?;
    let end = ctx.now() + TimeDelta::seconds(i64::from(mapping.window));
    while !batch.is_empty() && size(&batch) < LARGEST_BATCH {
        let (left, room) = ((end - ctx.now()).num_seconds(), mapping.batch_size.saturating_sub(batch.len() as u32));
        if left <= 0 || room == 0 {
            break;
        }
        batch.extend(receive(&ctx, mapping, room, left.min(LONG_POLL)).await?);
    }
    Ok(batch)
}

fn size(batch: &[Value]) -> usize {
    batch.iter().map(|message| message["Body"].as_str().map_or(0, str::len)).sum()
}

async fn receive(ctx: &Ctx, mapping: &Mapping, most: u32, wait: i64) -> Result<Vec<Value>, LambdaError> {
    let input = json!({
        "QueueUrl": queue_url(&mapping.queue)?,
        "MaxNumberOfMessages": most.min(ONE_RECEIVE),
        "WaitTimeSeconds": wait,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    });
    let mut answer = ctx.call("sqs", "ReceiveMessage", input).await?;
    match answer["Messages"].take() {
        Value::Array(messages) => Ok(messages),
        _ => Ok(Vec::new()),
    }
}

/// Invokes the function with a batch, and deletes what it has processed.
async fn process(state: &Arc<Lambda>, mapping: &Mapping, batch: &[Value]) -> Result<(), LambdaError> {
    let (region, wanted) = (&state.platform.region, mapping.wanted());
    let records: Vec<Value> = batch.iter().map(|message| record(region, &mapping.queue, message)).collect();
    let payload = json!({"Records": records}).to_string();
    let function = state.resolve(region, &wanted, rand::random())?;
    let done = invoke::run(state, &wanted, function, payload.into(), Uuid::new_v4().to_string(), None).await?;
    if done.failed {
        return Ok(()); // the function's log has the cause; the messages come back
    }
    let failed = if mapping.reports_failures { failures(&done.payload, batch) } else { Some(HashSet::new()) };
    let Some(failed) = failed else {
        tracing::warn!(
            function = mapping.function,
            "the answer to a batch does not name its failures; all of it comes back"
        );
        return Ok(());
    };
    let processed: Vec<&Value> =
        batch.iter().filter(|message| !failed.contains(message["MessageId"].as_str().unwrap_or_default())).collect();
    let ctx = context(state, mapping)?;
    for part in processed.chunks(ONE_RECEIVE as usize) {
        let entry =
            |(at, message): (usize, &&Value)| json!({"Id": at.to_string(), "ReceiptHandle": message["ReceiptHandle"]});
        let entries: Vec<Value> = part.iter().enumerate().map(entry).collect();
        let input = json!({"QueueUrl": queue_url(&mapping.queue)?, "Entries": entries});
        let answer = ctx.call("sqs", "DeleteMessageBatch", input).await?;
        if let Some(failed) = answer.get("Failed") {
            tracing::warn!(function = mapping.function, %failed, "processed messages can't be deleted");
        }
    }
    Ok(())
}

/// The ids of the messages that the function says it failed to process; none if its answer is not one ("Implementing
/// partial batch responses").
fn failures(answer: &[u8], batch: &[Value]) -> Option<HashSet<String>> {
    let answer: Value = if answer.is_empty() { Value::Null } else { serde_json::from_slice(answer).ok()? };
    let listed = match &answer {
        Value::Null => return Some(HashSet::new()),
        Value::Object(members) => members.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return None,
    };
    let listed = match listed {
        Value::Null => return Some(HashSet::new()),
        listed => listed.as_array()?,
    };
    let known = |id: &str| batch.iter().any(|message| message["MessageId"] == id);
    listed.iter().map(|item| item["itemIdentifier"].as_str().filter(|id| known(id)).map(str::to_owned)).collect()
}

/// A message as functions see it.
fn record(region: &str, queue: &str, message: &Value) -> Value {
    let attribute = |(name, value): (&String, &Value)| {
        let mut shown = json!({"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]});
        for (theirs, ours) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = value.get(theirs) {
                shown[ours] = value.clone();
            }
        }
        (name.clone(), shown)
    };
    let attributes: Map<String, Value> =
        message["MessageAttributes"].as_object().into_iter().flatten().map(attribute).collect();
    let mut record = json!({
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": region,
    });
    if let Some(digest) = message.get("MD5OfMessageAttributes") {
        record["md5OfMessageAttributes"] = digest.clone();
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_say_what_they_failed_to_process() {
        let batch = [json!({"MessageId": "a"}), json!({"MessageId": "b"})];
        let of = |answer: &str| failures(answer.as_bytes(), &batch).map(|found| found.len());
        for all_good in ["", "null", "{}", r#"{"batchItemFailures": null}"#, r#"{"batchItemFailures": []}"#] {
            assert_eq!(of(all_good), Some(0), "{all_good}");
        }
        assert_eq!(of(r#"{"batchItemFailures": [{"itemIdentifier": "b"}]}"#), Some(1));
        for wrong in [
            r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": "c"}]}"#,
            r#"{"batchItemFailures": [{"id": "a"}]}"#,
            "\"text\"",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn records_are_spelt_as_functions_expect() {
        let message = json!({
            "MessageId": "m", "ReceiptHandle": "h", "Body": "b", "MD5OfBody": "d", "Attributes": {"SenderId": "s"},
            "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "1"}}, "MD5OfMessageAttributes": "e",
        });
        let record = record("us-east-1", "arn:q", &message);
        let attribute =
            json!({"stringListValues": [], "binaryListValues": [], "dataType": "Number", "stringValue": "1"});
        assert_eq!(record["messageAttributes"]["n"], attribute);
        assert_eq!((&record["eventSource"], &record["md5OfMessageAttributes"]), (&json!("aws:sqs"), &json!("e")));
    }
}
