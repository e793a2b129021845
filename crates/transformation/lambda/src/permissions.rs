//! Resource policies: who else may invoke a function ("Working with resource-based IAM policies in Lambda").

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::ConditionKeys;
use boathouse_metadata::{Key, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::Empty;
use crate::error::LambdaError;
use crate::names::{FunctionRef, LATEST, resource};
use crate::store::{Lambda, POLICIES, check_revision, new_revision};

/// Characters of a function's policy.
const LONGEST_POLICY: usize = 20_480;

/// The policy of a function, of a version or of an alias.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredPolicy {
    statements: Vec<Value>,
    revision: String,
}

impl StoredPolicy {
    fn document(&self) -> String {
        json!({"Version": "2012-10-17", "Id": "default", "Statement": self.statements}).to_string()
    }
}

/// The row of a function's policy, or of that of a version or alias.
fn key(wanted: &FunctionRef) -> Key {
    let qualifier = wanted.qualifier.as_deref().filter(|qualifier| *qualifier != LATEST).unwrap_or_default();
    Key::new([wanted.name.as_str(), qualifier])
}

/// The policy as IAM reads it; none if there are no statements.
pub(crate) fn document(state: &Lambda, wanted: &FunctionRef) -> Result<Option<String>, LambdaError> {
    let policy: Option<StoredPolicy> = state.metadata.get_json(POLICIES, &key(wanted))?;
    Ok(policy.filter(|policy| !policy.statements.is_empty()).map(|policy| policy.document()))
}

/// AddPermission's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AddPermission {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
    statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    event_source_token: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    function_url_auth_type: Option<String>,
    invoked_via_function_url: Option<bool>,
    revision_id: Option<String>,
}

impl AddPermission {
    /// What IAM is asked about: the function, and who is to be let in.
    pub(crate) fn asked(ctx: &Ctx, input: &Self) -> Vec<(String, ConditionKeys)> {
        let mut keys = ConditionKeys::from([("lambda:Principal".to_owned(), vec![input.principal.clone()])]);
        let auth_type = input.function_url_auth_type.clone();
        keys.extend(auth_type.map(|it| ("lambda:FunctionUrlAuthType".to_owned(), vec![it])));
        let token = input.event_source_token.clone();
        keys.extend(token.map(|it| ("lambda:EventSourceToken".to_owned(), vec![it])));
        let resources = resource(ctx, &input.function_name, input.qualifier.as_deref());
        resources.into_iter().map(|arn| (arn, keys.clone())).collect()
    }

    fn check(&self) -> Result<(), LambdaError> {
        let is_word = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if !is_word(&self.statement_id) || self.statement_id.len() > 100 {
            let constraint = "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)";
            return Err(LambdaError::constraint(&self.statement_id, "statementId", constraint));
        }
        let is_action = self.action == "lambda:*" || self.action.strip_prefix("lambda:").is_some_and(is_word);
        if !is_action && self.action != "*" {
            let constraint = "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])";
            return Err(LambdaError::constraint(&self.action, "action", constraint));
        }
        if self.function_url_auth_type.is_some() || self.invoked_via_function_url.is_some() {
            return Err(LambdaError::NotImplemented("function URLs"));
        }
        let is_service = self.principal.ends_with(".amazonaws.com");
        let is_account = self.principal.len() == 12 && self.principal.bytes().all(|byte| byte.is_ascii_digit());
        let is_arn = self.principal.starts_with("arn:");
        if is_service || is_account || is_arn || self.principal == "*" {
            return Ok(());
        }
        let message = format!(
            "The provided principal was invalid. Please check the principal and try again. ({})",
            self.principal
        );
        Err(LambdaError::InvalidParameter(message))
    }

    fn statement(&self, resource: &str) -> Value {
        let principal = if self.principal == "*" {
            json!("*")
        } else if self.principal.starts_with("arn:") {
            json!({"AWS": self.principal})
        } else if self.principal.ends_with(".amazonaws.com") {
            json!({"Service": self.principal})
        } else {
            json!({"AWS": format!("arn:aws:iam::{}:root", self.principal)})
        };
        let mut equals = Map::new();
        for (key, value) in [
            ("AWS:SourceAccount", &self.source_account),
            ("lambda:EventSourceToken", &self.event_source_token),
            ("aws:PrincipalOrgID", &self.principal_org_id),
        ] {
            if let Some(value) = value {
                equals.insert(key.to_owned(), value.as_str().into());
            }
        }
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
            "Resource": resource,
        });
        if !equals.is_empty() {
            statement["Condition"]["StringEquals"] = Value::Object(equals);
        }
        if let Some(arn) = &self.source_arn {
            statement["Condition"]["ArnLike"] = json!({"AWS:SourceArn": arn});
        }
        statement
    }
}

/// Fails unless the function, version or alias is there.
fn check_exists(ctx: &Ctx, state: &Lambda, wanted: &FunctionRef) -> Result<(), LambdaError> {
    state.resolve(ctx.region(), wanted, 1.0).map(drop)
}

fn read(tx: &Transaction<'_>, wanted: &FunctionRef, expected: Option<&str>) -> Result<StoredPolicy, LambdaError> {
    let policy: StoredPolicy = tx.get_json(POLICIES, &key(wanted))?.unwrap_or_default();
    check_revision(expected, &policy.revision)?;
    Ok(policy)
}

pub(crate) async fn add(ctx: Ctx, state: Arc<Lambda>, input: AddPermission) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    input.check()?;
    check_exists(&ctx, &state, &wanted)?;
    let statement = input.statement(&wanted.arn(ctx.region()));
    let shown = statement.to_string();
    state
        .metadata
        .transaction(move |tx| {
            let mut policy = read(tx, &wanted, input.revision_id.as_deref())?;
            if policy.statements.iter().any(|present| present["Sid"] == statement["Sid"]) {
                return Err(LambdaError::Conflict(format!(
                    "The statement id ({}) provided already exists. Please provide a new statement id, or remove the \
                     existing statement.",
                    input.statement_id
                )));
            }
            policy.statements.push(statement);
            policy.revision = new_revision();
            let length = policy.document().len();
            if length > LONGEST_POLICY {
                return Err(LambdaError::PolicyTooLong(length));
            }
            tx.put_json(POLICIES, &key(&wanted), &policy)?;
            Ok(())
        })
        .await?;
    Ok(json!({"Statement": shown}))
}

/// RemovePermission's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RemovePermission {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
    statement_id: String,
    revision_id: Option<String>,
}

pub(crate) async fn remove(ctx: Ctx, state: Arc<Lambda>, input: RemovePermission) -> Result<Empty, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    check_exists(&ctx, &state, &wanted)?;
    state
        .metadata
        .transaction(move |tx| {
            let mut policy = read(tx, &wanted, input.revision_id.as_deref())?;
            let before = policy.statements.len();
            policy.statements.retain(|statement| statement["Sid"] != input.statement_id.as_str());
            if policy.statements.len() == before {
                let message = "Statement ".to_owned() + &input.statement_id + " is not found in resource policy.";
                return Err(LambdaError::NotFound(message));
            }
            policy.revision = new_revision();
            tx.put_json(POLICIES, &key(&wanted), &policy)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn get(
    ctx: Ctx,
    state: Arc<Lambda>,
    input: crate::functions::Qualified,
) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    check_exists(&ctx, &state, &wanted)?;
    let policy: Option<StoredPolicy> = state.metadata.get_json(POLICIES, &key(&wanted))?;
    match policy.filter(|policy| !policy.statements.is_empty()) {
        Some(policy) => Ok(json!({"Policy": policy.document(), "RevisionId": policy.revision})),
        None => Err(LambdaError::NotFound("The resource you requested does not exist.".into())),
    }
}
