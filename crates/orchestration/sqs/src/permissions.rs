//! The queue's policy: AddPermission, RemovePermission, and what the attribute Policy may be.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use serde_json::{Value, json};

use crate::api::{AddPermission, Empty, RemovePermission};
use crate::error::SqsError;
use crate::store::Sqs;

/// Actions of a statement.
const MAX_ACTIONS: usize = 7;
/// What AddPermission can allow.
const ACTIONS: [&str; 7] = [
    "*",
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "GetQueueAttributes",
    "GetQueueUrl",
];

/// The text, if it is a policy by its outline. What can't be understood of the rest allows nobody anything.
pub(crate) fn check(text: &str) -> Result<String, SqsError> {
    let wrong = |reason: &str| SqsError::InvalidAttributeValue { name: "Policy", reason: reason.to_owned() };
    let policy: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let statements = match &policy["Statement"] {
        Value::Array(statements) if !statements.is_empty() => statements.iter().collect(),
        Value::Object(_) => vec![&policy["Statement"]],
        _ => return Err(wrong("a policy needs a Statement")),
    };
    for statement in statements {
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return Err(wrong("the Effect of a statement must be Allow or Deny"));
        }
        for (name, opposite) in [("Principal", "NotPrincipal"), ("Action", "NotAction")] {
            if statement.get(name).is_some() == statement.get(opposite).is_some() {
                return Err(wrong(&format!("a statement needs {name} or {opposite}, not both")));
            }
        }
    }
    Ok(text.to_owned())
}

fn policy_of(text: Option<&str>, arn: &str) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| json!({"Version": "2012-10-17", "Id": format!("{arn}/SQSDefaultPolicy"), "Statement": []}))
}

/// The statements of a policy that may have a single one outside a list.
fn statements(policy: &mut Value) -> Vec<Value> {
    match policy["Statement"].take() {
        Value::Array(statements) => statements,
        single => vec![single],
    }
}

pub(crate) async fn add(ctx: Ctx, state: Arc<Sqs>, input: AddPermission) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:AddPermission")?;
    let AddPermission { label, accounts, actions, .. } = input;
    check_permission(&label, &accounts, &actions)?;
    let arn = queue.arn(ctx.region());
    let principals: Vec<String> =
        accounts.into_iter().map(|account| Arn { account, ..Arn::iam("root") }.to_string()).collect();
    let actions: Vec<String> = actions.into_iter().map(|action| format!("SQS:{action}")).collect();
    let statement = json!({
        "Sid": label, "Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Resource": arn,
    });
    state
        .change(queue.name, move |_, queue| {
            let mut policy = policy_of(queue.attributes.policy.as_deref(), &arn);
            let mut all = statements(&mut policy);
            if all.iter().any(|statement| statement["Sid"] == *label) {
                return Err(SqsError::invalid("Label", &label, "Already exists."));
            }
            all.push(statement);
            policy["Statement"] = Value::Array(all);
            queue.attributes.policy = Some(policy.to_string());
            Ok(())
        })
        .await?;
    Ok(Empty {})
}

fn check_permission(label: &str, accounts: &[String], actions: &[String]) -> Result<(), SqsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=80).contains(&label.len()) || !label.chars().all(allowed) {
        let rule = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
        return Err(SqsError::invalid("Label", label, rule));
    }
    if accounts.is_empty() || actions.is_empty() {
        let missing = if accounts.is_empty() { "AWSAccountIds" } else { "Actions" };
        return Err(SqsError::MissingParameter(missing));
    }
    if let Some(account) = accounts.iter().find(|id| id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(SqsError::invalid("PrincipalId", account, "Unable to verify."));
    }
    if actions.len() > MAX_ACTIONS {
        let message = format!("{} Actions were found, maximum allowed is {MAX_ACTIONS}.", actions.len());
        return Err(SqsError::OverLimit(message));
    }
    match actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
        Some(action) => {
            Err(SqsError::invalid("ActionName", action, "Only the queue owner is allowed to invoke this action."))
        }
        None => Ok(()),
    }
}

pub(crate) async fn remove(ctx: Ctx, state: Arc<Sqs>, input: RemovePermission) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:RemovePermission")?;
    let arn = queue.arn(ctx.region());
    state
        .change(queue.name, move |_, queue| {
            let mut policy = policy_of(queue.attributes.policy.as_deref(), &arn);
            let mut all = statements(&mut policy);
            let before = all.len();
            all.retain(|statement| statement["Sid"] != *input.label);
            if all.len() == before {
                return Err(SqsError::invalid("Label", &input.label, "can't find label on existing policy."));
            }
            let left = !all.is_empty();
            policy["Statement"] = Value::Array(all);
            queue.attributes.policy = left.then(|| policy.to_string());
            Ok(())
        })
        .await?;
    Ok(Empty {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_policies_are_policies() {
        assert!(check(r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}}"#).is_ok());
        for wrong in [
            "no",
            "[]",
            r#"{"Statement": []}"#,
            r#"{"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "sqs:*"}]}"#,
            r#"{"Statement": [{"Effect": "Allow", "Action": "sqs:*"}]}"#,
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
