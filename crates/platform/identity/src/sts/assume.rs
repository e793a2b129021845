//! AssumeRole.

use std::sync::Arc;

use boathouse_aws::access::AccessRequest;
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{AwsError, Ctx};
use serde::Deserialize;
use serde_json::{Value, json};

use super::begin::{NewSession, Passed, PolicyArn, SessionTags, role_session_length, session_name, source_identity};
use crate::entities::Role;
use crate::error::IamError;
use crate::iam::input::{self, Tag};
use crate::identity::{Identity, role_principal, trust_policy};
use crate::session::Subject;
use crate::store::row_name;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    policy: Option<String>,
    duration_seconds: Option<u32>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
    external_id: Option<String>,
    serial_number: Option<String>,
    token_code: Option<String>,
    source_identity: Option<String>,
    #[serde(default)]
    provided_contexts: Vec<serde_json::Value>,
}

pub(super) async fn assume_role(ctx: Ctx, identity: Arc<Identity>, input: AssumeRole) -> Result<Value, IamError> {
    if input.serial_number.is_some() || input.token_code.is_some() {
        return Err(IamError::NotImplemented("multi-factor authentication in AssumeRole"));
    }
    if !input.provided_contexts.is_empty() {
        return Err(IamError::NotImplemented("ProvidedContexts of AssumeRole"));
    }
    if let PrincipalKind::FederatedUser { .. } = ctx.principal.kind {
        let message = "Cannot call AssumeRole with the credentials of a federated user";
        return Err(IamError::Denied(AwsError::access_denied(message)));
    }
    session_name(&input.role_session_name)?;
    input.source_identity.as_deref().map(source_identity).transpose()?;
    let tags = SessionTags::new(&ctx.principal, input::tags(input.tags)?, input.transitive_tag_keys)?;
    let inherited = ctx.principal.session.as_ref().and_then(|session| session.source_identity.clone());

    let name = input.role_arn.rsplit('/').next().unwrap_or_default();
    let role = identity.store.find::<Role>(name)?.filter(|role| role.arn() == input.role_arn);
    let trust = role.as_ref().map(trust_policy).transpose()?;
    let mut keys = tags.keys();
    keys.insert("sts:RoleSessionName".into(), vec![input.role_session_name.clone()]);
    keys.extend(input.external_id.map(|id| ("sts:ExternalId".into(), vec![id])));
    keys.extend(input.source_identity.iter().map(|name| ("sts:SourceIdentity".into(), vec![name.clone()])));
    let kept = inherited.clone().or_else(|| input.source_identity.clone());
    let actions =
        [(true, "sts:AssumeRole"), (!tags.all.is_empty(), "sts:TagSession"), (kept.is_some(), "sts:SetSourceIdentity")];
    for action in actions.into_iter().filter_map(|(needed, action)| needed.then_some(action)) {
        let request = AccessRequest::new(action, &input.role_arn, &keys);
        identity.may_assume(&ctx, &request, trust.as_ref()).map_err(IamError::Denied)?;
    }
    if inherited.is_some() && input.source_identity.is_some() && inherited != input.source_identity {
        let message = "The source identity of the calling session can't be changed";
        return Err(IamError::Denied(AwsError::access_denied(message)));
    }
    let role = role.expect("invariant: only a role's trust policy lets anybody pass");
    let length = role_session_length(&ctx, &role, input.duration_seconds)?;
    let passed = Passed::new(input.policy, input.policy_arns);
    let packed = passed.check(&identity, &tags.all)?;

    let subject =
        Subject::Role { name: row_name(&role.name), id: role.id.clone(), session: input.role_session_name.clone() };
    let session = NewSession {
        passed,
        tags: tags.all,
        transitive: tags.transitive,
        source_identity: kept.clone(),
        ..NewSession::new(subject, length)
    };
    let principal = role_principal(&role, &input.role_session_name, None, ctx.now());
    Ok(json!({
        "Credentials": session.credentials(&ctx, &identity)?,
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        "PackedPolicySize": packed,
        "SourceIdentity": kept,
    }))
}
