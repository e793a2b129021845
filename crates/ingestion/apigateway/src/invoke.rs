//! Calls functions, in time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::{AwsError, Ctx, Principal};
use serde_json::{Value, json};

use crate::SERVICE;
use crate::store::ApiGateway;

/// Bytes of the largest event.
const MAX_EVENT: usize = 6 * 1024 * 1024;

/// Why a function gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is larger than a function's event can be.
    #[error("the event is larger than 6 MB")]
    TooLarge,
    /// It took too long.
    #[error("the function did not answer in time")]
    TimedOut,
    /// The function can't be called.
    #[error("the function can't be called: {0}")]
    Refused(AwsError),
    /// The function failed.
    #[error("the function failed ({0}): {1}")]
    Failed(String, String),
}

/// How a function is called.
pub(crate) struct Invocation<'a> {
    /// The function's ARN; stage variables in it are filled in.
    pub(crate) function: &'a str,
    pub(crate) stage_variables: &'a BTreeMap<String, String>,
    /// The role to call it as; otherwise the function's own policy decides.
    pub(crate) role: Option<&'a str>,
    /// What the call is made for, as the function's policy may name it.
    pub(crate) source_arn: &'a str,
    pub(crate) timeout: Duration,
}

impl ApiGateway {
    /// What the function returns to `event`.
    pub(crate) async fn invoke(&self, ctx: &Ctx, call: &Invocation<'_>, event: &Value) -> Result<Vec<u8>, Failure> {
        let event = event.to_string();
        if event.len() > MAX_EVENT {
            return Err(Failure::TooLarge);
        }
        let principal = match call.role {
            Some(role) => self
                .deps
                .roles
                .assume_for_service(role, SERVICE, "BackplaneAssumeRoleSession")
                .map_err(Failure::Refused)?,
            None => Arc::new(Principal::service(SERVICE)),
        };
        let input = json!({
            "FunctionName": with_variables(call.function, call.stage_variables),
            "InvocationType": "RequestResponse",
            "Payload": STANDARD.encode(event),
        });
        let ctx = ctx.as_principal(principal).because_of(call.source_arn);
        let answer = tokio::time::timeout(call.timeout, ctx.call("lambda", "Invoke", input)).await;
        let answer = answer.map_err(|_| Failure::TimedOut)?.map_err(Failure::Refused)?;
        let payload = answer.get("Payload").and_then(Value::as_str).unwrap_or_default();
        let payload = STANDARD.decode(payload).map_err(|error| Failure::Failed("Payload".into(), error.to_string()))?;
        match answer.get("FunctionError").and_then(Value::as_str) {
            Some(kind) => Err(Failure::Failed(kind.to_owned(), String::from_utf8_lossy(&payload).into_owned())),
            None => Ok(payload),
        }
    }
}

/// Fills in `${stageVariables.name}`.
fn with_variables(text: &str, variables: &BTreeMap<String, String>) -> String {
    variables
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{stageVariables.{name}}}"), value))
}
