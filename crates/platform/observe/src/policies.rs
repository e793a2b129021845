//! Resource policies: which services may write logs without a role ("PutResourcePolicy"). They say what of the account's
//! groups a service principal, such as that of EventBridge's rules, may do.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_metadata::{Entry, Key};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{DeleteResourcePolicy, DescribeResourcePolicies, Empty, PutResourcePolicy};
use crate::error::LogsError;
use crate::store::{Logs, invalid, now, page_size, place, token};

/// `(policy)` → [`ResourcePolicy`].
const POLICIES: &str = "logs-resource-policies";
/// Policies of a region.
const MAX_POLICIES: usize = 10;
/// Characters of a policy.
const MAX_LENGTH: usize = 5120;

/// A policy as DescribeResourcePolicies shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourcePolicy {
    policy_name: String,
    policy_document: String,
    last_updated_time: i64,
}

fn policies(state: &Logs) -> Result<Vec<ResourcePolicy>, LogsError> {
    let rows = state.metadata.scan(POLICIES, &Key::default(), None, MAX_POLICIES)?;
    Ok(rows.iter().map(Entry::json).collect::<Result<_, _>>()?)
}

/// Asks for leave with the statements of all resource policies as the resource's own.
pub(crate) fn authorize(ctx: &Ctx, state: &Logs, action: &str, resource: &str) -> Result<(), LogsError> {
    let statements: Vec<Value> = policies(state)?
        .iter()
        .filter_map(|policy| serde_json::from_str::<Value>(&policy.policy_document).ok())
        .flat_map(|mut policy| match policy["Statement"].take() {
            Value::Array(statements) => statements,
            single => vec![single],
        })
        .collect();
    let merged =
        (!statements.is_empty()).then(|| json!({"Version": "2012-10-17", "Statement": statements}).to_string());
    let keys = ConditionKeys::new();
    let request = AccessRequest::new(action, resource, &keys).with_resource_policy(merged.as_deref());
    state.authorizer.authorize(ctx, &request).map_err(LogsError::Aws)
}

pub(crate) async fn put(ctx: Ctx, state: Arc<Logs>, input: PutResourcePolicy) -> Result<Value, LogsError> {
    let need = |member: Option<String>, name: &str| member.ok_or_else(|| invalid(format!("{name} must be given")));
    if input.resource_arn.is_some() {
        return Err(LogsError::NotImplemented("policies of one log group (resourceArn)".into()));
    }
    let (policy_name, policy_document) =
        (need(input.policy_name, "policyName")?, need(input.policy_document, "policyDocument")?);
    if policy_document.chars().count() > MAX_LENGTH {
        return Err(invalid(format!("policyDocument must have at most {MAX_LENGTH} characters")));
    }
    let parsed: Option<Value> = serde_json::from_str(&policy_document).ok();
    if parsed.is_none_or(|policy| !(policy["Statement"].is_array() || policy["Statement"].is_object())) {
        return Err(invalid("policyDocument is not a policy document in JSON"));
    }
    let policy = ResourcePolicy { policy_name, policy_document, last_updated_time: now(&ctx) };
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&policy.policy_name]);
            let others = tx.scan(POLICIES, &Key::default(), None, MAX_POLICIES)?;
            if others.len() == MAX_POLICIES && !others.iter().any(|other| other.key == key) {
                return Err(LogsError::LimitExceeded(format!("there are {MAX_POLICIES} resource policies")));
            }
            tx.put_json(POLICIES, &key, &policy)?;
            Ok(json!({"resourcePolicy": policy}))
        })
        .await
}

pub(crate) async fn delete(_: Ctx, state: Arc<Logs>, input: DeleteResourcePolicy) -> Result<Empty, LogsError> {
    state
        .metadata
        .transaction(move |tx| match tx.delete(POLICIES, &Key::new([input.policy_name]))? {
            true => Ok(Empty {}),
            false => Err(LogsError::NotFound("resource policy")),
        })
        .await
}

pub(crate) async fn describe(_: Ctx, state: Arc<Logs>, input: DescribeResourcePolicies) -> Result<Value, LogsError> {
    let size = page_size(input.limit, 50)?;
    let after: Option<String> = place(input.next_token.as_deref())?;
    let mut found = policies(&state)?;
    found.retain(|policy| after.as_ref().is_none_or(|after| policy.policy_name > *after));
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| token(&last.policy_name));
    Ok(json!({"resourcePolicies": found, "nextToken": next}))
}
