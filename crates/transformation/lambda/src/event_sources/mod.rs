//! Event source mappings: queues whose messages a function is given in batches ("Using Lambda with Amazon SQS").
//!
//! A mapping polls its queue as the function's role and deletes what the function has processed. What it fails to process
//! comes back when the queue's visibility time-out ends. Sources other than SQS are refused by name.

mod poller;

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{Arn, AwsError, Ctx};
use boathouse_metadata::Key;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Page;
use crate::error::LambdaError;
use crate::names::{self, FunctionRef};
use crate::store::{Lambda, page};

pub(crate) use poller::Pollers;

/// `(uuid)` → [`Mapping`].
const MAPPINGS: &str = "lambda-event-source-mappings";
/// Messages that one receive brings, and therefore all that a batch without a window can have.
const ONE_RECEIVE: u32 = 10;
/// What the function's role must be allowed on the queue.
const NEEDED: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// A mapping's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapping {
    uuid: String,
    function: String,
    qualifier: Option<String>,
    /// The queue's ARN.
    queue: String,
    batch_size: u32,
    /// Seconds that a batch may wait for more messages.
    window: u32,
    enabled: bool,
    /// Whether the function says which messages of a batch it failed to process.
    reports_failures: bool,
    /// Batches at once.
    concurrency: Option<u32>,
    modified: DateTime<Utc>,
}

impl Mapping {
    fn wanted(&self) -> FunctionRef {
        FunctionRef { name: self.function.clone(), qualifier: self.qualifier.clone() }
    }

    fn shown(&self, region: &str) -> Value {
        let types: &[&str] = if self.reports_failures { &["ReportBatchItemFailures"] } else { &[] };
        let mut shown = json!({
            "UUID": self.uuid,
            "EventSourceMappingArn": arn(region, &self.uuid),
            "EventSourceArn": self.queue,
            "FunctionArn": self.wanted().arn(region),
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.window,
            "FunctionResponseTypes": types,
            "State": if self.enabled { "Enabled" } else { "Disabled" },
            "StateTransitionReason": "USER_INITIATED",
            "LastModified": self.modified.timestamp_millis() as f64 / 1000.0,
        });
        if let Some(concurrency) = self.concurrency {
            shown["ScalingConfig"] = json!({"MaximumConcurrency": concurrency});
        }
        shown
    }

    fn check(&self) -> Result<(), LambdaError> {
        let fifo = self.queue.ends_with(".fifo");
        let longest = if fifo { ONE_RECEIVE } else { 10_000 };
        if !(1..=longest).contains(&self.batch_size) {
            let constraint = format!("Member must have value between 1 and {longest}");
            return Err(LambdaError::constraint(self.batch_size, "batchSize", &constraint));
        }
        if self.window > 300 || fifo && self.window > 0 {
            let message = "Maximum batch window in seconds must be between 0 and 300, and 0 for FIFO queues.";
            return Err(LambdaError::InvalidParameter(message.into()));
        }
        if self.batch_size > ONE_RECEIVE && self.window == 0 {
            let message =
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10";
            return Err(LambdaError::InvalidParameter(message.into()));
        }
        match self.concurrency {
            Some(concurrency) if !(2..=1000).contains(&concurrency) => {
                let constraint = "Member must have value between 2 and 1000";
                Err(LambdaError::constraint(concurrency, "scalingConfig.maximumConcurrency", constraint))
            }
            _ => Ok(()),
        }
    }
}

/// The ARN that IAM is asked about.
fn arn(region: &str, uuid: &str) -> String {
    Arn::new("lambda", region, format!("event-source-mapping:{uuid}")).to_string()
}

/// What can be changed of a mapping.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Options {
    batch_size: Option<u32>,
    maximum_batching_window_in_seconds: Option<u32>,
    enabled: Option<bool>,
    function_response_types: Option<Vec<String>>,
    scaling_config: Option<ScalingConfig>,
    /// What AWS has and Boathouse has not.
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingConfig {
    maximum_concurrency: Option<u32>,
}

impl Options {
    fn apply(self, mapping: &mut Mapping) -> Result<(), LambdaError> {
        let given = |value: &Value| !(value.is_null() || *value == json!([]) || *value == json!({}));
        if let Some((name, _)) = self.other.iter().find(|(name, value)| *name != "Tags" && given(value)) {
            let what = format!("{name} of event source mappings");
            return Err(AwsError::not_implemented(what).into());
        }
        if self.other.get("Tags").is_some_and(given) {
            return Err(LambdaError::NotImplemented("Tags of event source mappings"));
        }
        let types = self.function_response_types;
        if let Some(unknown) = types.iter().flatten().find(|kind| *kind != "ReportBatchItemFailures") {
            let constraint = "Member must satisfy enum value set: [ReportBatchItemFailures]";
            return Err(LambdaError::constraint(unknown, "functionResponseTypes", constraint));
        }
        mapping.batch_size = self.batch_size.unwrap_or(mapping.batch_size);
        mapping.window = self.maximum_batching_window_in_seconds.unwrap_or(mapping.window);
        mapping.enabled = self.enabled.unwrap_or(mapping.enabled);
        mapping.reports_failures = types.map_or(mapping.reports_failures, |types| !types.is_empty());
        if let Some(scaling) = self.scaling_config {
            mapping.concurrency = scaling.maximum_concurrency;
        }
        mapping.check()
    }
}

/// CreateEventSourceMapping's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Create {
    function_name: String,
    event_source_arn: Option<String>,
    #[serde(flatten)]
    options: Options,
}

impl Create {
    /// What IAM's conditions can ask about.
    pub(crate) fn keys(&self, ctx: &Ctx) -> ConditionKeys {
        keys_of(names::resource(ctx, &self.function_name, None))
    }
}

/// The condition key that tells the function.
fn keys_of(functions: Vec<String>) -> ConditionKeys {
    match functions.is_empty() {
        true => ConditionKeys::new(),
        false => ConditionKeys::from([("lambda:FunctionArn".to_owned(), functions)]),
    }
}

/// The mapping, if the caller may do `action` with it. Mappings know their functions, and policies ask about these.
fn allowed(ctx: &Ctx, state: &Lambda, uuid: &str, action: &str) -> Result<Mapping, LambdaError> {
    let found = find(state, uuid);
    let functions = found.as_ref().map(|mapping| vec![mapping.wanted().arn(ctx.region())]).unwrap_or_default();
    let (arn, keys) = (arn(ctx.region(), uuid), keys_of(functions));
    state.authorizer.authorize(ctx, &AccessRequest::new(action, &arn, &keys))?;
    found
}

/// UpdateEventSourceMapping's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Update {
    #[serde(rename = "UUID")]
    pub(crate) uuid: String,
    function_name: Option<String>,
    #[serde(flatten)]
    options: Options,
}

/// Names a mapping.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    #[serde(rename = "UUID")]
    pub(crate) uuid: String,
}

/// ListEventSourceMappings' input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct List {
    function_name: Option<String>,
    event_source_arn: Option<String>,
    #[serde(flatten)]
    page: Page,
}

fn missing() -> LambdaError {
    LambdaError::NotFound("The resource you requested does not exist.".into())
}

/// The ARN of a queue here.
fn queue(region: &str, source: Option<String>) -> Result<String, LambdaError> {
    let source = source.ok_or_else(|| LambdaError::InvalidParameter("EventSourceArn is required.".into()))?;
    match source.parse::<Arn>() {
        Ok(arn) if arn.service == "sqs" && arn.region == region && !arn.resource.is_empty() => Ok(source),
        Ok(arn) if arn.service != "sqs" => {
            let what = format!("event source mappings of {} ({source})", arn.service);
            Err(AwsError::not_implemented(what).into())
        }
        _ => Err(LambdaError::InvalidParameter(format!("The event source arn {source} is not valid."))),
    }
}

/// The queue must be there, the role must be allowed to work on it, and its messages must stay out of sight for as long as
/// the function may take.
async fn check_source(state: &Lambda, mapping: &Mapping) -> Result<(), LambdaError> {
    let function = state.resolve(&state.platform.region, &mapping.wanted(), 1.0)?;
    let ctx = state.pool.role_context(&function)?;
    for action in NEEDED {
        let keys = ConditionKeys::new();
        state.authorizer.authorize(&ctx, &AccessRequest::new(action, &mapping.queue, &keys)).map_err(|_| {
            let operation = action.trim_start_matches("sqs:");
            let message = format!("The function execution role does not have permissions to call {operation} on SQS");
            LambdaError::InvalidParameter(message)
        })?;
    }
    let url = poller::queue_url(&mapping.queue)?;
    let input = json!({"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]});
    let answer = ctx.call("sqs", "GetQueueAttributes", input).await.map_err(|error| {
        let message =
            format!("Error occurred while calling GetQueueAttributes on {}: {}", mapping.queue, error.message);
        LambdaError::InvalidParameter(message)
    })?;
    let hidden: u64 = answer["Attributes"]["VisibilityTimeout"].as_str().and_then(|it| it.parse().ok()).unwrap_or(0);
    if hidden < function.timeout {
        let timeout = function.timeout;
        let message =
            format!("Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds");
        return Err(LambdaError::InvalidParameter(message));
    }
    Ok(())
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Lambda>, input: Create) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, None)?;
    let queue = queue(ctx.region(), input.event_source_arn)?;
    let mut mapping = Mapping {
        uuid: Uuid::new_v4().to_string(),
        function: wanted.name,
        qualifier: wanted.qualifier,
        queue,
        batch_size: ONE_RECEIVE,
        window: 0,
        enabled: true,
        reports_failures: false,
        concurrency: None,
        modified: ctx.now(),
    };
    input.options.apply(&mut mapping)?;
    check_source(&state, &mapping).await?;
    let region = ctx.region().to_owned();
    let made = mapping.clone();
    state
        .metadata
        .transaction(move |tx| {
            for row in tx.scan(MAPPINGS, &Key::default(), None, usize::MAX >> 1)? {
                let other: Mapping = row.json()?;
                if other.queue == made.queue && other.wanted() == made.wanted() {
                    return Err(LambdaError::Conflict(format!(
                        "An event source mapping with SQS arn (\" {} \") and function (\" {} \") already exists. Please \
                         update or delete the existing mapping with UUID {}",
                        made.queue,
                        made.wanted().arn(&region),
                        other.uuid
                    )));
                }
            }
            tx.put_json(MAPPINGS, &Key::new([&made.uuid]), &made)?;
            Ok(())
        })
        .await?;
    poller::set(&state, &mapping);
    Ok(mapping.shown(ctx.region()))
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Lambda>, input: Update) -> Result<Value, LambdaError> {
    let mut mapping = allowed(&ctx, &state, &input.uuid, "lambda:UpdateEventSourceMapping")?;
    if let Some(name) = &input.function_name {
        let wanted = FunctionRef::parse(name, None)?;
        (mapping.function, mapping.qualifier) = (wanted.name, wanted.qualifier);
    }
    input.options.apply(&mut mapping)?;
    check_source(&state, &mapping).await?;
    mapping.modified = ctx.now();
    let changed = mapping.clone();
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&changed.uuid]);
            if !tx.contains(MAPPINGS, &key)? {
                return Err(missing());
            }
            tx.put_json(MAPPINGS, &key, &changed)?;
            Ok(())
        })
        .await?;
    poller::set(&state, &mapping);
    Ok(mapping.shown(ctx.region()))
}

fn find(state: &Lambda, uuid: &str) -> Result<Mapping, LambdaError> {
    state.metadata.get_json(MAPPINGS, &Key::new([uuid]))?.ok_or_else(missing)
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Lambda>, input: Named) -> Result<Value, LambdaError> {
    Ok(allowed(&ctx, &state, &input.uuid, "lambda:GetEventSourceMapping")?.shown(ctx.region()))
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Lambda>, input: Named) -> Result<Value, LambdaError> {
    let mapping = allowed(&ctx, &state, &input.uuid, "lambda:DeleteEventSourceMapping")?;
    state
        .metadata
        .transaction(move |tx| match tx.delete(MAPPINGS, &Key::new([&input.uuid]))? {
            true => Ok(()),
            false => Err(missing()),
        })
        .await?;
    poller::set(&state, &Mapping { enabled: false, ..mapping.clone() });
    let mut shown = mapping.shown(ctx.region());
    shown["State"] = "Deleting".into();
    Ok(shown)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Lambda>, input: List) -> Result<Value, LambdaError> {
    let function = input.function_name.as_deref().map(|name| FunctionRef::parse(name, None)).transpose()?;
    let (mappings, marker) = page::<Mapping>(&state, MAPPINGS, &Key::default(), &input.page)?;
    let shown: Vec<Value> = mappings
        .iter()
        .filter(|mapping| function.as_ref().is_none_or(|wanted| mapping.wanted() == *wanted))
        .filter(|mapping| input.event_source_arn.as_ref().is_none_or(|arn| mapping.queue == *arn))
        .map(|mapping| mapping.shown(ctx.region()))
        .collect();
    Ok(json!({"EventSourceMappings": shown, "NextMarker": marker}))
}

/// Polls the queues of every enabled mapping, as an earlier process did.
pub(crate) fn start(state: &Arc<Lambda>) -> Result<(), LambdaError> {
    for row in state.metadata.scan(MAPPINGS, &Key::default(), None, usize::MAX >> 1)? {
        poller::set(state, &row.json()?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(queue: &str, options: Value) -> Result<Mapping, LambdaError> {
        let mut mapping = Mapping {
            uuid: "u".into(),
            function: "f".into(),
            qualifier: None,
            queue: queue.into(),
            batch_size: 10,
            window: 0,
            enabled: true,
            reports_failures: false,
            concurrency: None,
            modified: DateTime::UNIX_EPOCH,
        };
        let options: Options = serde_json::from_value(options).unwrap();
        options.apply(&mut mapping).map(|()| mapping)
    }

    #[test]
    fn limits_are_kept() {
        let large = json!({"BatchSize": 100, "MaximumBatchingWindowInSeconds": 1});
        assert_eq!(mapping("q", large.clone()).unwrap().batch_size, 100);
        for (queue, options, expected) in [
            ("q", json!({"BatchSize": 0}), "batchSize"),
            ("q", json!({"BatchSize": 11}), "greater than 0"),
            ("q.fifo", large, "batchSize"),
            ("q", json!({"MaximumBatchingWindowInSeconds": 301}), "batch window"),
            ("q", json!({"ScalingConfig": {"MaximumConcurrency": 1}}), "maximumConcurrency"),
            ("q", json!({"FunctionResponseTypes": ["Other"]}), "functionResponseTypes"),
            ("q", json!({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}), "FilterCriteria"),
        ] {
            let refused = mapping(queue, options).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn only_queues_are_sources() {
        let of = |arn: &str| queue("us-east-1", Some(arn.into()));
        assert!(of("arn:aws:sqs:us-east-1:000000000000:q").is_ok());
        assert!(of("arn:aws:kinesis:us-east-1:000000000000:stream/s").unwrap_err().to_string().contains("kinesis"));
        assert!(of("q").is_err() && queue("us-east-1", None).is_err());
    }
}
