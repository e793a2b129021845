//! Temporary credentials that users get with their own keys: GetSessionToken, GetFederationToken.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer};
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{Arn, AwsError, Ctx, Principal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::begin::{HOUR, NewSession, Passed, PolicyArn, QUARTER, SessionTags, at_least_two};
use crate::error::IamError;
use crate::iam::input::{self, Tag};
use crate::identity::Identity;
use crate::session::{self, Subject};
use crate::store::row_name;

/// The longest session of a user; root's are cut to an hour.
const LONGEST: u32 = 36 * HOUR;
const USUAL: u32 = 12 * HOUR;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetSessionToken {
    duration_seconds: Option<u32>,
    serial_number: Option<String>,
    token_code: Option<String>,
}

pub(super) async fn get_session_token(
    ctx: Ctx,
    identity: Arc<Identity>,
    input: GetSessionToken,
) -> Result<Value, IamError> {
    if input.serial_number.is_some() || input.token_code.is_some() {
        return Err(IamError::NotImplemented("multi-factor authentication in GetSessionToken"));
    }
    let subject = match long_term(&ctx.principal, "GetSessionToken")? {
        None => Subject::Root,
        Some((name, id)) => Subject::User { name, id },
    };
    let length = length(&ctx.principal, input.duration_seconds)?;
    Ok(json!({"Credentials": NewSession::new(subject, length).credentials(&ctx, &identity)?}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetFederationToken {
    name: String,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    duration_seconds: Option<u32>,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) async fn get_federation_token(
    ctx: Ctx,
    identity: Arc<Identity>,
    input: GetFederationToken,
) -> Result<Value, IamError> {
    let user = long_term(&ctx.principal, "GetFederationToken")?;
    at_least_two(&input.name, "name", 32)?;
    let tags = SessionTags::new(&ctx.principal, input::tags(input.tags)?, Vec::new())?;
    let arn = Arn::new("sts", "", format!("federated-user/{}", input.name)).to_string();
    let keys = tags.keys();
    for action in &["sts:GetFederationToken", "sts:TagSession"][..if tags.asked.is_empty() { 1 } else { 2 }] {
        identity.authorize(&ctx, &AccessRequest::new(action, &arn, &keys)).map_err(IamError::Denied)?;
    }
    let length = length(&ctx.principal, input.duration_seconds)?;
    let passed = Passed::new(input.policy, input.policy_arns);
    let packed = passed.check(&identity, &tags.all)?;
    let principal = Principal::federated_user(&input.name, None, None);
    let session =
        NewSession { passed, tags: tags.all, ..NewSession::new(Subject::Federated { name: input.name, user }, length) };
    Ok(json!({
        "Credentials": session.credentials(&ctx, &identity)?,
        "FederatedUser": {"FederatedUserId": principal.user_id, "Arn": principal.arn},
        "PackedPolicySize": packed,
    }))
}

/// The user, by row name and unique id, or root, whose own key signed: no session can begin another one of this sort.
fn long_term(principal: &Principal, operation: &str) -> Result<Option<(String, String)>, IamError> {
    match &principal.kind {
        PrincipalKind::Root if session::issued_at(principal).is_none() => Ok(None),
        PrincipalKind::User { name } if session::issued_at(principal).is_none() => {
            Ok(Some((row_name(name), principal.user_id.clone())))
        }
        _ => {
            let message = format!("Cannot call {operation} with session credentials");
            Err(IamError::Denied(AwsError::access_denied(message)))
        }
    }
}

fn length(principal: &Principal, asked: Option<u32>) -> Result<u32, IamError> {
    let length = input::within(asked.unwrap_or(USUAL), "durationSeconds", QUARTER, LONGEST)?;
    Ok(if principal.is_root() { length.min(HOUR) } else { length })
}
