//! Integrations with other services, without a function between ("Integration subtype reference"): a request's parts become
//! the parameters of one operation, which is called as the integration's role.

use std::collections::BTreeMap;

use boathouse_aws::AwsError;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::SERVICE;
use crate::answer::Answer;
use crate::api::Integration;
use crate::error::GatewayError;
use crate::event::Call;
use crate::store::ApiGateway;

/// An operation that a request can be turned into.
#[derive(Debug)]
pub(crate) struct Subtype {
    name: &'static str,
    service: &'static str,
    operation: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// Makes the operation's input of the parameters.
    input: fn(Map<String, Value>) -> Value,
}

const SUBTYPES: [Subtype; 4] = [
    Subtype {
        name: "EventBridge-PutEvents",
        service: "events",
        operation: "PutEvents",
        required: &["Detail", "DetailType", "Source"],
        optional: &["EventBusName", "Resources", "Time", "TraceHeader"],
        input: |parameters| json!({"Entries": [parameters]}),
    },
    Subtype {
        name: "StepFunctions-StartExecution",
        service: "states",
        operation: "StartExecution",
        required: &["StateMachineArn"],
        optional: &["Name", "Input"],
        input: small_letters,
    },
    Subtype {
        name: "StepFunctions-StartSyncExecution",
        service: "states",
        operation: "StartSyncExecution",
        required: &["StateMachineArn"],
        optional: &["Name", "Input", "TraceHeader"],
        input: small_letters,
    },
    Subtype {
        name: "StepFunctions-StopExecution",
        service: "states",
        operation: "StopExecution",
        required: &["ExecutionArn"],
        optional: &["Cause", "Error"],
        input: small_letters,
    },
];

/// Step Functions' members begin with small letters.
fn small_letters(parameters: Map<String, Value>) -> Value {
    let small = |name: String| name[..1].to_ascii_lowercase() + &name[1..];
    Value::Object(parameters.into_iter().map(|(name, value)| (small(name), value)).collect())
}

fn subtype(name: &str) -> Option<&'static Subtype> {
    SUBTYPES.iter().find(|known| known.name == name)
}

/// Checks an integration that names a subtype.
pub(crate) fn check(integration: &Integration, name: &str) -> Result<(), GatewayError> {
    let Some(subtype) = subtype(name) else {
        return Err(GatewayError::NotImplemented(format!("the IntegrationSubtype {name}")));
    };
    if integration.credentials_arn.is_none() {
        return Err(GatewayError::bad(format!("CredentialsArn is required for the IntegrationSubtype {name}")));
    }
    if integration.payload_format_version.as_deref() != Some("1.0") {
        return Err(GatewayError::bad("PayloadFormatVersion must be 1.0 for integrations with other services"));
    }
    let parameters = parameters(integration)?;
    if let Some(missing) = subtype.required.iter().find(|name| !parameters.contains_key(**name)) {
        return Err(GatewayError::bad(format!("Parameter {missing} is required for the IntegrationSubtype {name}")));
    }
    let known = |given: &str| subtype.required.contains(&given) || subtype.optional.contains(&given);
    match parameters.keys().find(|given| !known(given)) {
        Some(given) => {
            Err(GatewayError::bad(format!("Parameter {given} is not valid for the IntegrationSubtype {name}")))
        }
        None => Ok(()),
    }
}

fn parameters(integration: &Integration) -> Result<BTreeMap<String, String>, GatewayError> {
    let given = integration.request_parameters.clone().unwrap_or_else(|| json!({}));
    serde_json::from_value(given).map_err(|_| GatewayError::bad("RequestParameters must be a map of texts"))
}

impl ApiGateway {
    /// Calls the integration's operation with what the request says.
    pub(crate) async fn call_service(&self, call: &Call<'_>, integration: &Integration, name: &str) -> Answer {
        match self.called(call, integration, name).await {
            Ok(answer) => {
                let mut message = Answer::message(StatusCode::OK, "");
                message.body = answer.to_string().into();
                message
            }
            Err(error) => {
                tracing::warn!(api = call.api, route = call.route_key, %error, "the integration failed");
                match error.status.is_server_error() {
                    true => Answer::internal(),
                    false => Answer::message(error.status, &error.message),
                }
            }
        }
    }

    async fn called(&self, call: &Call<'_>, integration: &Integration, name: &str) -> Result<Value, AwsError> {
        let subtype = subtype(name).ok_or_else(|| AwsError::internal("an unknown subtype was kept"))?;
        let given = parameters(integration)?;
        let filled = given.into_iter().filter_map(|(name, text)| Some((name, Value::String(call.filled(&text)?))));
        let mut filled: Map<String, Value> = filled.collect();
        if let Some(missing) = subtype.required.iter().find(|name| !filled.contains_key(**name)) {
            return Err(AwsError::bad_request("BadRequestException", format!("Missing required parameter {missing}")));
        }
        if let Some(Value::String(list)) = filled.get("Resources") {
            let list: Value = serde_json::from_str(list).unwrap_or_else(|_| json!([list]));
            filled.insert("Resources".into(), list);
        }
        let role = integration.credentials_arn.as_deref().unwrap_or_default();
        let principal = self.deps.roles.assume_for_service(role, SERVICE, "BackplaneAssumeRoleSession")?;
        let ctx = call.ctx.as_principal(principal);
        ctx.call(subtype.service, subtype.operation, (subtype.input)(filled)).await
    }
}

impl Call<'_> {
    /// A parameter's text with the request's parts filled in: `$request.body.name` alone, or `${…}` within other text. None
    /// if the request does not have the only part that it asks for.
    fn filled(&self, text: &str) -> Option<String> {
        if text.starts_with('$') && !text.starts_with("${") {
            return self.part(text);
        }
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, inside)) = rest.split_once("${") {
            let (expression, after) = inside.split_once('}')?;
            filled.push_str(before);
            filled.push_str(&self.part(&format!("${expression}")).unwrap_or_default());
            rest = after;
        }
        Some(filled + rest)
    }

    fn part(&self, expression: &str) -> Option<String> {
        if let Some(path) = expression.strip_prefix("$request.body") {
            return self.body_part(path);
        }
        if expression == "$request.path" {
            return Some(self.path.to_owned());
        }
        if let Some(name) = expression.strip_prefix("$request.path.") {
            return self.variables.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        }
        self.identity(expression)
    }

    fn body_part(&self, path: &str) -> Option<String> {
        if path.is_empty() {
            return std::str::from_utf8(self.body).ok().filter(|body| !body.is_empty()).map(str::to_owned);
        }
        let body: Value = serde_json::from_slice(self.body).ok()?;
        let names = path.strip_prefix('.')?.split('.');
        match names.into_iter().try_fold(&body, |value, name| value.get(name))? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}
