//! Who may call a route: anybody, whom IAM allows, or whom a function allows.

use std::time::Duration;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{ACCOUNT_ID, AwsError, Principal};
use chrono::TimeDelta;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::api::{Authorizer, Route};
use crate::event::Call;
use crate::integrations::function;
use crate::invoke::Invocation;
use crate::runtime::Served;
use crate::store::ApiGateway;

/// How long an authorizer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What an authorizer said: the policy or yes or no, and what it tells the integration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    decision: Decision,
    context: Map<String, Value>,
    principal: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Decision {
    Simple(bool),
    /// A policy document, as text.
    Policy(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Simple {
    is_authorized: bool,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    principal_id: String,
    policy_document: Value,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

fn forbidden() -> Box<Answer> {
    Box::new(Answer::message(StatusCode::FORBIDDEN, "Forbidden"))
}

impl ApiGateway {
    /// What the integration is told of a caller who may call the route; else the answer that refuses.
    pub(crate) async fn permit(
        &self,
        call: &Call<'_>,
        served: &Served,
        route: &Route,
        signer: &Result<std::sync::Arc<Principal>, AwsError>,
        format: &str,
    ) -> Result<Option<Value>, Box<Answer>> {
        match route.authorization_type.as_deref() {
            None | Some("NONE") => Ok(None),
            Some("AWS_IAM") => self.permit_by_iam(call, signer, format).map(Some),
            Some(_) => {
                let id = route.authorizer_id.as_deref().unwrap_or_default();
                let authorizer = served.snapshot.authorizers.get(id).ok_or_else(|| Box::new(Answer::internal()))?;
                self.permit_by_function(call, authorizer, format).await
            }
        }
    }

    fn permit_by_iam(
        &self,
        call: &Call<'_>,
        signer: &Result<std::sync::Arc<Principal>, AwsError>,
        format: &str,
    ) -> Result<Value, Box<Answer>> {
        let principal = signer.as_ref().map_err(|error| {
            tracing::info!(api = call.api, %error, "the signature is refused");
            forbidden()
        })?;
        if principal.is_anonymous() {
            return Err(forbidden());
        }
        let (arn, keys) = (call.route_arn(), ConditionKeys::new());
        let allowed = self.deps.authorizer.authorize(call.ctx, &AccessRequest::new("execute-api:Invoke", &arn, &keys));
        allowed.map_err(|error| {
            tracing::info!(api = call.api, %error, "the caller is refused");
            forbidden()
        })?;
        let iam = json!({
            "accessKey": access_key(call),
            "accountId": ACCOUNT_ID,
            "callerId": principal.user_id,
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": principal.arn,
            "userId": principal.user_id,
        });
        Ok(if format == "1.0" { json!({"claims": null, "scopes": null}) } else { json!({"iam": iam}) })
    }

    async fn permit_by_function(
        &self,
        call: &Call<'_>,
        authorizer: &Authorizer,
        format: &str,
    ) -> Result<Option<Value>, Box<Answer>> {
        let sources = authorizer.identity_source.as_deref().unwrap_or_default();
        let identity: Option<Vec<String>> = sources.iter().map(|source| call.identity(source)).collect();
        let Some(identity) = identity else {
            return Err(Box::new(Answer::message(StatusCode::UNAUTHORIZED, "Unauthorized")));
        };
        let key = json!([call.api, call.stage, authorizer.authorizer_id, identity]).to_string();
        let verdict = match self.runtime.kept_verdict(&key, call.received) {
            Some(verdict) => verdict,
            None => {
                let verdict = self.ask(call, authorizer, &identity).await?;
                let seconds = authorizer.authorizer_result_ttl_in_seconds.unwrap_or_default();
                if seconds > 0 {
                    let until = call.received + TimeDelta::seconds(seconds as i64);
                    self.runtime.keep_verdict(key, until, call.received, verdict.clone());
                }
                verdict
            }
        };
        if !self.allows(call, &verdict.decision) {
            return Err(forbidden());
        }
        let mut context = verdict.context;
        if format == "1.0" {
            context.extend(verdict.principal.map(|principal| ("principalId".to_owned(), principal.into())));
            return Ok(Some(Value::Object(context)));
        }
        let context = (!context.is_empty()).then_some(Value::Object(context));
        Ok(Some(json!({"lambda": context})))
    }

    async fn ask(&self, call: &Call<'_>, authorizer: &Authorizer, identity: &[String]) -> Result<Verdict, Box<Answer>> {
        let simple = authorizer.enable_simple_responses == Some(true);
        let event = match authorizer.authorizer_payload_format_version.as_deref() {
            Some("1.0") => call.authorizer_v1(identity),
            _ => call.authorizer_v2(identity),
        };
        let source_arn = boathouse_aws::Arn::new(
            "execute-api",
            call.ctx.region(),
            format!("{}/authorizers/{}", call.api, authorizer.authorizer_id),
        )
        .to_string();
        let invocation = Invocation {
            function: authorizer.authorizer_uri.as_deref().and_then(function).unwrap_or_default(),
            stage_variables: call.stage_variables,
            role: authorizer.authorizer_credentials_arn.as_deref(),
            source_arn: &source_arn,
            timeout: TIMEOUT,
        };
        let failed = |error: &dyn std::fmt::Display| {
            tracing::warn!(api = call.api, authorizer = authorizer.authorizer_id, %error, "the authorizer failed");
            Box::new(Answer::internal())
        };
        let payload = self.invoke(call.ctx, &invocation, &event).await.map_err(|error| failed(&error))?;
        read_verdict(&payload, simple).map_err(|error| failed(&error))
    }

    fn allows(&self, call: &Call<'_>, decision: &Decision) -> bool {
        let policy = match decision {
            Decision::Simple(allowed) => return *allowed,
            Decision::Policy(policy) => policy,
        };
        // The policy decides alone, as a resource's policy does for a caller who has no other.
        let anybody = call.ctx.as_principal(Principal::anonymous().into());
        let (arn, keys) = (call.route_arn(), ConditionKeys::new());
        let request = AccessRequest::new("execute-api:Invoke", &arn, &keys).with_resource_policy(Some(policy));
        self.deps.authorizer.authorize(&anybody, &request).is_ok()
    }
}

fn read_verdict(payload: &[u8], simple: bool) -> Result<Verdict, serde_json::Error> {
    if simple {
        let Simple { is_authorized, context } = serde_json::from_slice(payload)?;
        let decision = Decision::Simple(is_authorized);
        return Ok(Verdict { decision, context: context.unwrap_or_default(), principal: None });
    }
    let Policy { principal_id, policy_document, context } = serde_json::from_slice(payload)?;
    let decision = Decision::Policy(for_everybody(policy_document).to_string());
    Ok(Verdict { decision, context: context.unwrap_or_default(), principal: Some(principal_id) })
}

/// A caller's policy as a resource's: it names everybody.
fn for_everybody(mut policy: Value) -> Value {
    let everybody = |statement: &mut Value| {
        if let Value::Object(members) = statement {
            members.insert("Principal".into(), "*".into());
        }
    };
    match policy.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.iter_mut().for_each(everybody),
        Some(statement) => everybody(statement),
        None => {}
    }
    policy
}

/// The access key that a request was signed with.
fn access_key(call: &Call<'_>) -> Option<String> {
    let credential = call.header(http::header::AUTHORIZATION).split_once("Credential=")?.1;
    credential.split('/').next().map(str::to_owned)
}
