//! STS, the Security Token Service: who am I, and temporary credentials.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx, Principal, Protocol, ServiceTable};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::credentials::new_secret;
use crate::entities::{AccessKey, Role, Tags, Timestamp};
use crate::error::IamError;
use crate::iam::input::{self, Tag};
use crate::iam::new_key_id;
use crate::identity::{Identity, role_principal, trust_policy};
use crate::policy::{Policy, PolicyKind};
use crate::session::{self, Session, Subject};
use crate::store::row_name;

const QUARTER: u32 = 900;
const HOUR: u32 = 3600;
/// The longest session of a role, if the role allows it.
const LONGEST_ROLE: u32 = 12 * HOUR;
/// The longest session of a user.
const LONGEST_USER: u32 = 36 * HOUR;
/// Characters of a session policy.
const POLICY_LENGTH: usize = 2048;
/// Managed policies that may be passed for a session.
const POLICY_ARNS: usize = 10;
/// Bytes of policies and tags that a token may carry.
const PACKED_SIZE: usize = 4096;

/// The operations of STS.
pub fn sts_service(identity: &Arc<Identity>) -> ServiceTable {
    let protocol = Protocol::AwsQuery { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
    ServiceTable::new("sts", protocol)
        .operation("GetCallerIdentity", Access::Free, identity, get_caller_identity)
        .operation("AssumeRole", Access::InHandler, identity, assume_role)
        .operation("GetSessionToken", Access::Free, identity, get_session_token)
        .operation("GetAccessKeyInfo", Access::On(any_resource), identity, get_access_key_info)
}

#[derive(Deserialize)]
struct GetCallerIdentity {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity {
    user_id: String,
    account: &'static str,
    arn: String,
}

async fn get_caller_identity(ctx: Ctx, _: Arc<Identity>, _: GetCallerIdentity) -> Result<CallerIdentity, AwsError> {
    let principal = &ctx.principal;
    Ok(CallerIdentity { user_id: principal.user_id.clone(), account: ACCOUNT_ID, arn: principal.arn.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRole {
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
}

#[derive(Deserialize)]
struct PolicyArn {
    arn: String,
}

async fn assume_role(ctx: Ctx, identity: Arc<Identity>, mut input: AssumeRole) -> Result<Value, IamError> {
    refuse_unknown_options(&input)?;
    session_name(&input.role_session_name)?;
    let tags = input::tags(std::mem::take(&mut input.tags))?;
    let name = input.role_arn.rsplit('/').next().unwrap_or_default();
    let role = identity.store.find::<Role>(name)?.filter(|role| role.arn() == input.role_arn);
    // Whether a role exists is nobody's business who may not assume it.
    let role = role.ok_or_else(|| may_not_assume(&ctx, &input.role_arn, "sts:AssumeRole"))?;
    check_trust(&ctx, &identity, &role, &request_keys(&input, &tags), !tags.is_empty())?;
    let length = role_session_length(&ctx, &role, input.duration_seconds)?;
    let packed = check_session_policies(&identity, &input, &tags)?;

    let session = NewSession {
        subject: Subject::Role {
            name: row_name(&role.name),
            id: role.id.clone(),
            session: input.role_session_name.clone(),
        },
        length,
        policy: input.policy,
        policy_arns: input.policy_arns.into_iter().map(|policy| policy.arn).collect(),
        tags,
    };
    let principal = role_principal(&role, &input.role_session_name, None);
    Ok(json!({
        "Credentials": session.credentials(&ctx, &identity)?,
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        "PackedPolicySize": packed,
    }))
}

fn refuse_unknown_options(input: &AssumeRole) -> Result<(), IamError> {
    if input.serial_number.is_some() || input.token_code.is_some() {
        return Err(IamError::NotImplemented("multi-factor authentication in AssumeRole"));
    }
    if input.source_identity.is_some() {
        return Err(IamError::NotImplemented("SourceIdentity of AssumeRole"));
    }
    if !input.transitive_tag_keys.is_empty() {
        return Err(IamError::NotImplemented("TransitiveTagKeys of AssumeRole"));
    }
    Ok(())
}

fn session_name(name: &str) -> Result<(), IamError> {
    input::name(name, "roleSessionName", 64)?;
    if name.chars().count() < 2 {
        let constraint = "Member must have length greater than or equal to 2";
        return Err(IamError::constraint(name, "roleSessionName", constraint));
    }
    Ok(())
}

/// What trust policies can ask about the request.
fn request_keys(input: &AssumeRole, tags: &Tags) -> ConditionKeys {
    let mut keys = ConditionKeys::from([("sts:RoleSessionName".into(), vec![input.role_session_name.clone()])]);
    if let Some(id) = &input.external_id {
        keys.insert("sts:ExternalId".into(), vec![id.clone()]);
    }
    if !tags.is_empty() {
        keys.insert("aws:TagKeys".into(), tags.keys().cloned().collect());
        keys.extend(tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![value.clone()])));
    }
    keys
}

fn may_not_assume(ctx: &Ctx, role_arn: &str, action: &str) -> IamError {
    let caller = &ctx.principal.arn;
    let text = format!("User: {caller} is not authorized to perform: {action} on resource: {role_arn}");
    IamError::Denied(AwsError::access_denied(text))
}

/// The role's trust policy must allow it, and so must the caller's own policies unless the trust policy names the
/// caller itself.
fn check_trust(
    ctx: &Ctx,
    identity: &Identity,
    role: &Role,
    keys: &ConditionKeys,
    with_tags: bool,
) -> Result<(), IamError> {
    let trust = trust_policy(role)?;
    let arn = role.arn();
    let actions = ["sts:AssumeRole", "sts:TagSession"];
    for action in &actions[..if with_tags { 2 } else { 1 }] {
        let request = AccessRequest::new(action, &arn, keys);
        if !identity.may_assume(ctx, &request, &trust).map_err(IamError::Denied)? {
            return Err(may_not_assume(ctx, &arn, action));
        }
    }
    Ok(())
}

fn role_session_length(ctx: &Ctx, role: &Role, asked: Option<u32>) -> Result<u32, IamError> {
    let length = input::within(asked.unwrap_or(HOUR), "durationSeconds", QUARTER, LONGEST_ROLE)?;
    if length > role.max_session {
        return Err(IamError::Validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
        ));
    }
    if length > HOUR && matches!(ctx.principal.kind, PrincipalKind::AssumedRole { .. }) {
        return Err(IamError::Validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining".into(),
        ));
    }
    Ok(length)
}

/// Checks what narrows the session; says how much of the room in a token it takes, in percent.
fn check_session_policies(identity: &Identity, input: &AssumeRole, tags: &Tags) -> Result<Option<usize>, IamError> {
    if let Some(policy) = &input.policy {
        Policy::parse(policy, PolicyKind::Identity)?;
        if policy.chars().count() > POLICY_LENGTH {
            let constraint = format!("Member must have length less than or equal to {POLICY_LENGTH}");
            return Err(IamError::constraint(policy, "policy", &constraint));
        }
    }
    if input.policy_arns.len() > POLICY_ARNS {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for policyArns: {POLICY_ARNS}")));
    }
    for PolicyArn { arn } in &input.policy_arns {
        if identity.managed_document(arn)?.is_none() {
            return Err(IamError::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable.")));
        }
    }
    let policies = input.policy.iter().chain(input.policy_arns.iter().map(|policy| &policy.arn));
    let size: usize = policies.chain(tags.keys()).chain(tags.values()).map(String::len).sum();
    if size > PACKED_SIZE {
        let message =
            format!("Packed size of session tags and policies consumes {}% of allotted space.", percent(size));
        return Err(IamError::PackedPolicyTooLarge(message));
    }
    Ok((size > 0).then(|| percent(size)))
}

fn percent(size: usize) -> usize {
    (size * 100).div_ceil(PACKED_SIZE)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSessionToken {
    duration_seconds: Option<u32>,
    serial_number: Option<String>,
    token_code: Option<String>,
}

async fn get_session_token(ctx: Ctx, identity: Arc<Identity>, input: GetSessionToken) -> Result<Value, IamError> {
    if input.serial_number.is_some() || input.token_code.is_some() {
        return Err(IamError::NotImplemented("multi-factor authentication in GetSessionToken"));
    }
    let (subject, longest) = match session_subject(&ctx.principal) {
        Some(subject @ Subject::Root) => (subject, HOUR),
        Some(subject) => (subject, LONGEST_USER),
        None => {
            let message = "Cannot call GetSessionToken with session credentials";
            return Err(IamError::Denied(AwsError::access_denied(message)));
        }
    };
    let asked = input.duration_seconds.unwrap_or(12 * HOUR);
    let length = input::within(asked, "durationSeconds", QUARTER, LONGEST_USER)?.min(longest);
    let session = NewSession { subject, length, policy: None, policy_arns: vec![], tags: Tags::new() };
    Ok(json!({"Credentials": session.credentials(&ctx, &identity)?}))
}

/// Whose session a caller can begin: only long-term keys can.
fn session_subject(principal: &Principal) -> Option<Subject> {
    if session::issued_at(principal).is_some() {
        return None;
    }
    match &principal.kind {
        PrincipalKind::Root => Some(Subject::Root),
        PrincipalKind::User { name } => Some(Subject::User { name: row_name(name), id: principal.user_id.clone() }),
        PrincipalKind::AssumedRole { .. } | PrincipalKind::Anonymous | PrincipalKind::Service { .. } => None,
    }
}

/// A session about to begin.
struct NewSession {
    subject: Subject,
    length: u32,
    policy: Option<String>,
    policy_arns: Vec<String>,
    tags: Tags,
}

impl NewSession {
    /// The session's temporary credentials.
    fn credentials(self, ctx: &Ctx, identity: &Identity) -> Result<Value, IamError> {
        let access_key_id = new_key_id("ASIA")?;
        let secret = new_secret().map_err(|_| IamError::Sealing("making a secret failed"))?;
        let now = ctx.now();
        let expires = now + chrono::TimeDelta::seconds(self.length.into());
        let session = Session {
            subject: self.subject,
            secret: secret.expose().to_owned(),
            issued: now.timestamp(),
            expires: expires.timestamp(),
            policy: self.policy,
            policy_arns: self.policy_arns,
            tags: self.tags,
        };
        Ok(json!({
            "AccessKeyId": access_key_id,
            "SecretAccessKey": secret.expose(),
            "SessionToken": session.seal(&identity.tokens, &access_key_id)?,
            "Expiration": Timestamp(expires),
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetAccessKeyInfo {
    access_key_id: String,
}

/// Sessions leave no row, so a temporary key is known by its shape alone.
async fn get_access_key_info(_: Ctx, identity: Arc<Identity>, input: GetAccessKeyInfo) -> Result<Value, IamError> {
    let id = input.access_key_id;
    let temporary = id.len() == 20 && id.starts_with("ASIA") && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if temporary || identity.is_root_key(&id) || identity.store.find::<AccessKey>(&id)?.is_some() {
        return Ok(json!({"Account": ACCOUNT_ID}));
    }
    Err(IamError::Validation(format!("The access key {id} is not one of this installation")))
}
