//! How asynchronous invocations are retried, and where their results go.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Empty, Page};
use crate::concurrency::Named;
use crate::dead_letters::is_standard_queue;
use crate::error::LambdaError;
use crate::functions::Qualified;
use crate::names::{FunctionRef, LATEST, function_arn};
use crate::store::{EVENT_CONFIGS, Lambda, page};

/// Attempts after the first that fails.
pub(crate) const DEFAULT_RETRIES: u32 = 2;
/// Seconds that an event may wait.
pub(crate) const LONGEST_AGE: i64 = 21_600;

/// The configuration of a function, a version or an alias.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventConfig {
    pub(crate) function: String,
    pub(crate) qualifier: String,
    pub(crate) retries: Option<u32>,
    /// Seconds.
    pub(crate) age: Option<i64>,
    pub(crate) on_success: Option<String>,
    pub(crate) on_failure: Option<String>,
    pub(crate) modified: DateTime<Utc>,
}

impl EventConfig {
    fn shown(&self, region: &str) -> Value {
        let destination =
            |arn: &Option<String>| arn.as_ref().map_or_else(|| json!({}), |arn| json!({"Destination": arn}));
        let mut shown = json!({
            "LastModified": self.modified.timestamp_millis() as f64 / 1000.0,
            "FunctionArn": function_arn(region, &self.function, Some(&self.qualifier)),
            "DestinationConfig": {"OnSuccess": destination(&self.on_success), "OnFailure": destination(&self.on_failure)},
        });
        if let Some(retries) = self.retries {
            shown["MaximumRetryAttempts"] = retries.into();
        }
        if let Some(age) = self.age {
            shown["MaximumEventAgeInSeconds"] = age.into();
        }
        shown
    }
}

/// The configuration that an invocation by this name is subject to.
pub(crate) fn of(state: &Lambda, wanted: &FunctionRef) -> Result<EventConfig, LambdaError> {
    let qualifier = wanted.qualifier.as_deref().unwrap_or(LATEST);
    Ok(state.metadata.get_json(EVENT_CONFIGS, &Key::new([wanted.name.as_str(), qualifier]))?.unwrap_or_default())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destinations {
    #[serde(default)]
    on_success: Destination,
    #[serde(default)]
    on_failure: Destination,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    destination: Option<String>,
}

impl Destination {
    /// A function, an event bus or a queue of this installation.
    fn checked(self) -> Result<Option<String>, LambdaError> {
        let Some(text) = self.destination.filter(|text| !text.is_empty()) else { return Ok(None) };
        let invalid = || LambdaError::InvalidParameter(format!("The destination ARN {text} is invalid."));
        let arn: Arn = text.parse().map_err(|_| invalid())?;
        match arn.service.as_str() {
            "lambda" if FunctionRef::parse(&text, None).is_ok() => Ok(Some(text)),
            "events" if arn.resource.starts_with("event-bus/") => Ok(Some(text)),
            "sqs" if is_standard_queue(&arn) => Ok(Some(text)),
            "sns" => Err(LambdaError::NotImplemented("destinations of SNS")),
            "s3" => Err(LambdaError::NotImplemented("destinations of S3")),
            _ => Err(invalid()),
        }
    }
}

/// PutFunctionEventInvokeConfig's and UpdateFunctionEventInvokeConfig's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutConfig {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<i64>,
    destination_config: Option<Destinations>,
}

impl PutConfig {
    fn check(&self) -> Result<(), LambdaError> {
        if let Some(retries) = self.maximum_retry_attempts.filter(|retries| *retries > DEFAULT_RETRIES) {
            let constraint = "Member must have value less than or equal to 2";
            return Err(LambdaError::constraint(retries, "maximumRetryAttempts", constraint));
        }
        if let Some(age) = self.maximum_event_age_in_seconds.filter(|age| !(60..=LONGEST_AGE).contains(age)) {
            let constraint = "Member must have value between 60 and 21600";
            return Err(LambdaError::constraint(age, "maximumEventAgeInSeconds", constraint));
        }
        Ok(())
    }
}

async fn write(ctx: Ctx, state: Arc<Lambda>, input: PutConfig, update: bool) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    input.check()?;
    state.resolve(ctx.region(), &wanted, 1.0)?;
    let qualifier = wanted.qualifier.clone().unwrap_or_else(|| LATEST.into());
    let arn = function_arn(ctx.region(), &wanted.name, Some(&qualifier));
    let destinations = match input.destination_config {
        None => None,
        Some(given) => Some((given.on_success.checked()?, given.on_failure.checked()?)),
    };
    let now = ctx.now();
    let config = state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&wanted.name, &qualifier]);
            let present: Option<EventConfig> = tx.get_json(EVENT_CONFIGS, &key)?;
            let before = match (update, present) {
                (true, None) => return Err(no_config(&arn)),
                (true, Some(present)) => present,
                (false, _) => EventConfig::default(),
            };
            let (on_success, on_failure) = destinations.unwrap_or((before.on_success, before.on_failure));
            let config = EventConfig {
                function: wanted.name,
                qualifier,
                retries: input.maximum_retry_attempts.or(before.retries),
                age: input.maximum_event_age_in_seconds.or(before.age),
                on_success,
                on_failure,
                modified: now,
            };
            tx.put_json(EVENT_CONFIGS, &key, &config)?;
            Ok(config)
        })
        .await?;
    Ok(config.shown(ctx.region()))
}

fn no_config(arn: &str) -> LambdaError {
    LambdaError::NotFound(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

pub(crate) async fn put(ctx: Ctx, state: Arc<Lambda>, input: PutConfig) -> Result<Value, LambdaError> {
    write(ctx, state, input, false).await
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Lambda>, input: PutConfig) -> Result<Value, LambdaError> {
    write(ctx, state, input, true).await
}

fn find(ctx: &Ctx, state: &Lambda, input: &Qualified) -> Result<(Key, EventConfig), LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    let qualifier = wanted.qualifier.clone().unwrap_or_else(|| LATEST.into());
    let key = Key::new([&wanted.name, &qualifier]);
    let found: Option<EventConfig> = state.metadata.get_json(EVENT_CONFIGS, &key)?;
    let arn = function_arn(ctx.region(), &wanted.name, Some(&qualifier));
    Ok((key, found.ok_or_else(|| no_config(&arn))?))
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Lambda>, input: Qualified) -> Result<Value, LambdaError> {
    find(&ctx, &state, &input).map(|(_, config)| config.shown(ctx.region()))
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Lambda>, input: Qualified) -> Result<Empty, LambdaError> {
    let (key, _) = find(&ctx, &state, &input)?;
    state.metadata.transaction(move |tx| tx.delete(EVENT_CONFIGS, &key).map(|_| Empty {}).map_err(Into::into)).await
}

/// ListFunctionEventInvokeConfigs' input.
#[derive(Debug, Deserialize)]
pub(crate) struct ListConfigs {
    #[serde(flatten)]
    pub(crate) named: Named,
    #[serde(flatten)]
    page: Page,
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Lambda>, input: ListConfigs) -> Result<Value, LambdaError> {
    let name = FunctionRef::unqualified(&input.named.function_name)?;
    state.function(ctx.region(), &name)?;
    let (configs, marker) = page::<EventConfig>(&state, EVENT_CONFIGS, &Key::new([name]), &input.page)?;
    let shown: Vec<Value> = configs.iter().map(|config| config.shown(ctx.region())).collect();
    Ok(json!({"FunctionEventInvokeConfigs": shown, "NextMarker": marker}))
}
