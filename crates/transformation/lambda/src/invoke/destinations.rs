//! Results of asynchronous invocations, delivered to functions, event buses and queues as the execution role; and what could
//! not be processed, delivered to dead-letter queues.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use boathouse_aws::{Arn, AwsError};
use boathouse_tasks::{Outcome, exponential};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::asynchronous::QueuedEvent;
use crate::error::LambdaError;
use crate::instance::Execution;
use crate::names::{FunctionRef, LATEST, function_arn};
use crate::store::Lambda;

/// Attempts to deliver a result.
const ATTEMPTS: u32 = 5;
/// Characters of an error message that dead letters carry.
const LONGEST_MESSAGE: usize = 1024;

/// A result on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    function: String,
    qualifier: Option<String>,
    target: String,
    success: bool,
    /// The invocation record, as JSON text; the event itself if it goes to a dead-letter queue.
    record: String,
    /// Attributes of a queue's message: name, type, value.
    #[serde(default)]
    attributes: Vec<(String, String, String)>,
}

/// How an event ended.
#[derive(Debug)]
pub(super) struct Ending {
    condition: &'static str,
    event: Value,
    request_id: String,
    attempts: u32,
    response: Option<(Value, Value)>,
}

impl Ending {
    fn new(condition: &'static str, event: &QueuedEvent, attempts: u32) -> Self {
        let payload = BASE64.decode(&event.payload).unwrap_or_default();
        Self {
            condition,
            event: text_or_json(&payload),
            request_id: event.request_id.clone(),
            attempts,
            response: None,
        }
    }

    fn with_response(self, done: &Execution, version: &str) -> Self {
        let mut context = json!({"statusCode": 200, "executedVersion": version});
        if done.failed {
            context["functionError"] = "Unhandled".into();
        }
        Self { response: Some((context, text_or_json(&done.payload))), ..self }
    }

    pub(super) fn success(event: &QueuedEvent, done: &Execution, version: &str) -> Self {
        Self::new("Success", event, event.failures() + 1).with_response(done, version)
    }

    /// The last attempt has failed, too.
    pub(super) fn exhausted(event: &QueuedEvent, done: &Execution, version: &str) -> Self {
        Self::new("RetriesExhausted", event, event.failures()).with_response(done, version)
    }

    /// The event has waited for longer than it may.
    pub(super) fn too_old(event: &QueuedEvent) -> Self {
        Self::new("EventAgeExceeded", event, event.failures())
    }

    pub(super) fn is_success(&self) -> bool {
        self.condition == "Success"
    }

    pub(super) fn delivery(self, region: &str, wanted: &FunctionRef, target: String, now: DateTime<Utc>) -> Delivery {
        let success = self.is_success();
        let mut record = json!({
            "version": "1.0",
            "timestamp": now.to_rfc3339_opts(SecondsFormat::Millis, true),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": function_arn(region, &wanted.name, Some(wanted.qualifier.as_deref().unwrap_or(LATEST))),
                "condition": self.condition,
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": self.event,
        });
        if let Some((context, payload)) = self.response {
            record["responseContext"] = context;
            record["responsePayload"] = payload;
        }
        let FunctionRef { name, qualifier } = wanted.clone();
        Delivery { function: name, qualifier, target, success, record: record.to_string(), attributes: Vec::new() }
    }

    /// The event on its way to a dead-letter queue.
    pub(super) fn dead_letter(&self, event: &QueuedEvent, queue: String) -> Delivery {
        let payload = BASE64.decode(&event.payload).unwrap_or_default();
        let message = match &self.response {
            Some((_, answer)) => answer["errorMessage"].as_str().map_or_else(|| answer.to_string(), str::to_owned),
            None => self.condition.to_owned(),
        };
        let message = if message.is_empty() { self.condition } else { &message };
        let message: String = message.chars().take(LONGEST_MESSAGE).collect();
        let attributes = [
            ("RequestID", "String", self.request_id.clone()),
            // What Invoke would have answered: the function's own failures are a 200.
            ("ErrorCode", "Number", if self.response.is_some() { "200" } else { "429" }.to_owned()),
            ("ErrorMessage", "String", message),
        ];
        Delivery {
            function: event.function.clone(),
            qualifier: event.qualifier.clone(),
            target: queue,
            success: false,
            record: String::from_utf8_lossy(&payload).into_owned(),
            attributes: attributes.map(|(name, kind, value)| (name.to_owned(), kind.to_owned(), value)).into(),
        }
    }
}

fn text_or_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}

/// Hands a result over; what can't be delivered is kept as a dead letter of the queue.
pub(super) async fn deliver(state: &Lambda, attempt: u32, delivery: &Delivery) -> Outcome {
    match send(state, delivery).await {
        Ok(()) => Outcome::Done,
        Err(error) if attempt >= ATTEMPTS => {
            Outcome::Dead(format!("the result can't be delivered to {}: {error}", delivery.target))
        }
        Err(error) => {
            tracing::warn!(%error, target = delivery.target, function = delivery.function, "a result can't be delivered yet");
            let pause = exponential(attempt, TimeDelta::seconds(1), TimeDelta::seconds(60));
            Outcome::RetryAt(state.platform.clock.now() + pause)
        }
    }
}

async fn send(state: &Lambda, delivery: &Delivery) -> Result<(), LambdaError> {
    let Delivery { function, qualifier, target, success, record, attributes } = delivery;
    let wanted = FunctionRef { name: function.clone(), qualifier: qualifier.clone() };
    let region = &state.platform.region;
    let ctx = state.pool.role_context(&state.resolve(region, &wanted, 1.0)?)?;
    if target.contains(":lambda:") {
        let input = json!({"FunctionName": target, "InvocationType": "Event", "Payload": BASE64.encode(record)});
        ctx.call("lambda", "Invoke", input).await?;
        return Ok(());
    }
    if let Some(queue) = target.parse::<Arn>().ok().filter(|arn| arn.service == "sqs") {
        let mut input = json!({"QueueUrl": queue.queue_url(), "MessageBody": record});
        for (name, kind, value) in attributes {
            input["MessageAttributes"][name] = json!({"DataType": kind, "StringValue": value});
        }
        ctx.call("sqs", "SendMessage", input).await?;
        return Ok(());
    }
    let entry = json!({
        "Source": "lambda",
        "DetailType": format!("Lambda Function Invocation Result - {}", if *success { "Success" } else { "Failure" }),
        "Resources": [target, function_arn(region, function, Some(qualifier.as_deref().unwrap_or(LATEST)))],
        "Detail": record,
        "EventBusName": target,
    });
    let answer = ctx.call("events", "PutEvents", json!({"Entries": [entry]})).await?;
    if answer["FailedEntryCount"].as_u64().unwrap_or_default() > 0 {
        let message = answer["Entries"][0]["ErrorMessage"].as_str().unwrap_or("the event bus refuses the event");
        return Err(AwsError::internal(message).into());
    }
    Ok(())
}
