//! Invoke: authorisation, limits, and the three ways of invoking.
//!
//! | Module | What it does |
//! |---|---|
//! | `asynchronous` | the durable queue of events, retries |
//! | `destinations` | where results of asynchronous invocations go |

mod asynchronous;
mod destinations;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{AwsError, Ctx};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::asynchronous::{Job, enqueue, work};
use crate::error::LambdaError;
use crate::instance::{Execution, Request};
use crate::names::FunctionRef;
use crate::permissions;
use crate::store::{Function, Lambda};

/// Bytes of an event for a caller that waits.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;
/// Bytes of an event for the queue.
const LARGEST_QUEUED_EVENT: usize = 1024 * 1024;
/// Bytes of a client context, before base64.
const LARGEST_CONTEXT: usize = 3583;

/// Invoke's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Invoke {
    pub(crate) function_name: String,
    qualifier: Option<String>,
    invocation_type: Option<String>,
    log_type: Option<String>,
    client_context: Option<String>,
    payload: Option<String>,
    tenant_id: Option<String>,
    durable_execution_name: Option<String>,
}

/// How the caller wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    RequestResponse,
    Event,
    DryRun,
}

impl Invoke {
    fn way(&self) -> Result<Way, LambdaError> {
        match self.invocation_type.as_deref() {
            None | Some("" | "RequestResponse") => Ok(Way::RequestResponse),
            Some("Event") => Ok(Way::Event),
            Some("DryRun") => Ok(Way::DryRun),
            Some(other) => {
                let constraint = "Member must satisfy enum value set: [Event, RequestResponse, DryRun]";
                Err(LambdaError::constraint(other, "invocationType", constraint))
            }
        }
    }

    fn wants_tail(&self) -> Result<bool, LambdaError> {
        match self.log_type.as_deref() {
            None | Some("" | "None") => Ok(false),
            Some("Tail") => Ok(true),
            Some(other) => {
                Err(LambdaError::constraint(other, "logType", "Member must satisfy enum value set: [None, Tail]"))
            }
        }
    }

    /// The event: JSON, `{}` if there is none.
    fn event(&self, limit: usize) -> Result<Bytes, LambdaError> {
        let invalid = |error: &dyn std::fmt::Display| LambdaError::InvalidRequestContent(error.to_string());
        let bytes = BASE64.decode(self.payload.as_deref().unwrap_or_default()).map_err(|error| invalid(&error))?;
        if bytes.len() > limit {
            return Err(LambdaError::RequestTooLarge { limit });
        }
        if bytes.is_empty() {
            return Ok(Bytes::from_static(b"{}"));
        }
        serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).map_err(|error| invalid(&error))?;
        Ok(bytes.into())
    }

    /// The client context as the runtime gets it: the JSON text.
    fn context(&self) -> Result<Option<String>, LambdaError> {
        let Some(text) = self.client_context.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let invalid = || LambdaError::InvalidRequestContent("the client context is not base64 text of JSON".into());
        let bytes = BASE64.decode(text).map_err(|_| invalid())?;
        if bytes.len() > LARGEST_CONTEXT {
            return Err(LambdaError::InvalidRequestContent("the client context is too long".into()));
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        Ok(Some(value.to_string()))
    }
}

/// The caller's own policies or the function's must allow it.
fn authorize(ctx: &Ctx, state: &Lambda, wanted: &FunctionRef) -> Result<(), LambdaError> {
    let arn = wanted.arn(ctx.region());
    let policy = permissions::document(state, wanted)?;
    let keys = ConditionKeys::new();
    let request = AccessRequest::new("lambda:InvokeFunction", &arn, &keys).with_resource_policy(policy.as_deref());
    Ok(state.authorizer.authorize(ctx, &request)?)
}

/// The id of an invocation: the request's own; services call more than once in one context. A call that is made again
/// after a crash has the same id again, so that a function can tell that it has seen the event.
fn request_id(ctx: &Ctx) -> String {
    let id = match &ctx.token {
        Some(token) => {
            let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
            let bytes = digest.as_ref().first_chunk().expect("invariant: SHA-256 has 32 bytes");
            uuid::Builder::from_random_bytes(*bytes).into_uuid()
        }
        None if ctx.source_ip.is_some() => ctx.request_id,
        None => uuid::Uuid::new_v4(),
    };
    id.to_string()
}

pub(crate) async fn invoke(ctx: Ctx, state: Arc<Lambda>, input: Invoke) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    authorize(&ctx, &state, &wanted)?;
    let (way, tail) = (input.way()?, input.wants_tail()?);
    if input.tenant_id.is_some() {
        return Err(LambdaError::NotImplemented("TenantId"));
    }
    if input.durable_execution_name.is_some() {
        return Err(LambdaError::NotImplemented("DurableExecutionName"));
    }
    let function = state.resolve(ctx.region(), &wanted, rand::random())?;
    match way {
        Way::DryRun => Ok(json!({"StatusCode": 204})),
        Way::Event => {
            let event = input.event(LARGEST_QUEUED_EVENT)?;
            enqueue(&state, &wanted, event, request_id(&ctx), ctx.now()).await?;
            Ok(json!({"StatusCode": 202, "Payload": ""}))
        }
        Way::RequestResponse => {
            let event = input.event(LARGEST_EVENT)?;
            let version = function.version.clone();
            let context = input.context()?;
            let done = run(&state, &wanted, function, event, request_id(&ctx), context).await?;
            Ok(answer(&done, &version, tail))
        }
    }
}

/// Runs an invocation now.
pub(crate) async fn run(
    state: &Arc<Lambda>,
    wanted: &FunctionRef,
    function: Function,
    payload: Bytes,
    request_id: String,
    client_context: Option<String>,
) -> Result<Execution, LambdaError> {
    let region = Arc::clone(&state.platform.region);
    let reserved = state.function(&region, &wanted.name)?.reserved;
    let request = Request { function, reserved, arn: wanted.arn(&region), request_id, payload, client_context };
    // A caller that hangs up does not stop the function, as on AWS; and an instance that works is not thrown away.
    let owned = Arc::clone(state);
    let work = tokio::spawn(async move { owned.pool.execute(&owned.code, request).await });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an invocation failed");
        Err(LambdaError::Aws(AwsError::internal("the invocation failed unexpectedly; the server's log has the cause")))
    })
}

fn answer(done: &Execution, version: &str, tail: bool) -> Value {
    let mut answer = json!({
        "StatusCode": 200,
        "Payload": BASE64.encode(&done.payload),
        "ExecutedVersion": version,
    });
    if done.failed {
        answer["FunctionError"] = "Unhandled".into();
    }
    if tail {
        answer["LogResult"] = BASE64.encode(&done.tail).into();
    }
    answer
}

/// InvokeAsync, which is deprecated: as Invoke with `Event`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InvokeAsync {
    pub(crate) function_name: String,
    invoke_args: Option<String>,
}

pub(crate) async fn invoke_async(ctx: Ctx, state: Arc<Lambda>, input: InvokeAsync) -> Result<Value, LambdaError> {
    let input = Invoke {
        function_name: input.function_name,
        qualifier: None,
        invocation_type: Some("Event".into()),
        log_type: None,
        client_context: None,
        payload: input.invoke_args,
        tenant_id: None,
        durable_execution_name: None,
    };
    invoke(ctx, state, input).await?;
    Ok(json!({"Status": 202}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(value: Value) -> Invoke {
        let mut whole = json!({"FunctionName": "f"});
        for (name, member) in value.as_object().unwrap() {
            whole[name] = member.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn events_are_json_within_limits() {
        assert_eq!(input(json!({})).event(9).unwrap(), "{}");
        assert_eq!(input(json!({"Payload": BASE64.encode("[1]")})).event(9).unwrap(), "[1]");
        let refused = input(json!({"Payload": BASE64.encode("{1}")})).event(9);
        assert!(matches!(refused, Err(LambdaError::InvalidRequestContent(_))));
        let refused = input(json!({"Payload": BASE64.encode("[1234567890]")})).event(9);
        assert!(matches!(refused, Err(LambdaError::RequestTooLarge { limit: 9 })));
    }

    #[test]
    fn ways_and_logs_have_known_names() {
        assert_eq!(input(json!({})).way().unwrap(), Way::RequestResponse);
        assert_eq!(input(json!({"InvocationType": "Event"})).way().unwrap(), Way::Event);
        assert!(input(json!({"InvocationType": "Later"})).way().is_err());
        assert!(input(json!({"LogType": "Tail"})).wants_tail().unwrap());
        assert!(input(json!({"LogType": "All"})).wants_tail().is_err());
        assert!(input(json!({"ClientContext": "%"})).context().is_err());
        let context = input(json!({"ClientContext": BASE64.encode("{\"custom\": 1}")})).context().unwrap();
        assert_eq!(context.unwrap(), "{\"custom\":1}");
    }
}
