//! AssumeRoleWithWebIdentity: roles for those whom an OpenID Connect provider vouches for. The call needs no signature; the
//! provider's token stands in its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::access::AccessRequest;
use boathouse_aws::principal::Session as PrincipalSession;
use boathouse_aws::{AwsError, Ctx, Principal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::begin::{NewSession, Passed, PolicyArn, SessionTags, role_session_length, session_name, source_identity};
use crate::entities::Role;
use crate::error::{IamError, TokenError};
use crate::iam::input::{self, Tag};
use crate::identity::{Identity, role_principal, trust_policy};
use crate::oidc::Claims;
use crate::policy::Origin;
use crate::session::Subject;
use crate::store::row_name;

/// Characters of a token.
const LONGEST_TOKEN: usize = 20_000;
/// The claim by which a provider passes session tags.
const TAGS: &str = "https://aws.amazon.com/tags";
/// The claim by which a provider sets the source identity.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WebIdentity {
    role_arn: String,
    role_session_name: String,
    web_identity_token: String,
    provider_id: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    policy: Option<String>,
    duration_seconds: Option<u32>,
}

pub(super) async fn assume_role(ctx: Ctx, identity: Arc<Identity>, input: WebIdentity) -> Result<Value, IamError> {
    session_name(&input.role_session_name)?;
    if input.provider_id.is_some() {
        return Err(IamError::NotImplemented("ProviderId of AssumeRoleWithWebIdentity (OAuth 2.0 access tokens)"));
    }
    if !(4..=LONGEST_TOKEN).contains(&input.web_identity_token.len()) {
        let constraint = format!("Member must have length between 4 and {LONGEST_TOKEN}");
        return Err(IamError::constraint("<token>", "webIdentityToken", &constraint));
    }
    let verified = identity.oidc.verify(&identity.store, &input.web_identity_token).await?;
    let claims = &verified.claims;
    let tags = passed_tags(claims)?;
    let source = claims.text(SOURCE_IDENTITY).map(str::to_owned);
    source.as_deref().map(source_identity).transpose()?;

    let caller = Principal {
        session: Some(Arc::new(PrincipalSession {
            federated_provider: Some(verified.provider_arn.clone()),
            federated_keys: verified.keys(),
            ..PrincipalSession::default()
        })),
        ..Principal::anonymous()
    };
    let name = input.role_arn.rsplit('/').next().unwrap_or_default();
    let role = identity.store.find::<Role>(name)?.filter(|role| role.arn() == input.role_arn);
    let role = role.ok_or_else(|| refused("sts:AssumeRoleWithWebIdentity"))?;
    check_trust(&ctx, &identity, &role, &caller, (&input.role_session_name, &tags, source.as_deref()))?;
    let length = role_session_length(&ctx, &role, input.duration_seconds)?;
    let passed = Passed::new(input.policy, input.policy_arns);
    let packed = passed.check(&identity, &tags.all)?;

    let session = input.role_session_name;
    let subject = Subject::Role { name: row_name(&role.name), id: role.id.clone(), session: session.clone() };
    let began = NewSession {
        passed,
        tags: tags.all,
        transitive: tags.transitive,
        source_identity: source.clone(),
        federated_keys: verified.keys(),
        federated_provider: Some(verified.provider_arn.clone()),
        ..NewSession::new(subject, length)
    };
    let principal = role_principal(&role, &session, None, ctx.now());
    Ok(json!({
        "Credentials": began.credentials(&ctx, &identity)?,
        "SubjectFromWebIdentityToken": claims.subject,
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        "PackedPolicySize": packed,
        "Provider": verified.provider_arn,
        "Audience": verified.audience,
        "SourceIdentity": source,
    }))
}

/// AWS says no more than this to who holds no key of the account.
fn refused(action: &str) -> IamError {
    IamError::Denied(AwsError::access_denied(format!("Not authorized to perform {action}")))
}

fn check_trust(
    ctx: &Ctx,
    identity: &Identity,
    role: &Role,
    caller: &Principal,
    (session, tags, source): (&str, &SessionTags, Option<&str>),
) -> Result<(), IamError> {
    let trust = trust_policy(role)?;
    let mut keys = tags.keys();
    keys.insert("sts:RoleSessionName".into(), vec![session.to_owned()]);
    keys.extend(source.map(|name| ("sts:SourceIdentity".into(), vec![name.to_owned()])));
    let arn = role.arn();
    let actions = [
        (true, "sts:AssumeRoleWithWebIdentity"),
        (!tags.asked.is_empty(), "sts:TagSession"),
        (source.is_some(), "sts:SetSourceIdentity"),
    ];
    for action in actions.into_iter().filter_map(|(needed, action)| needed.then_some(action)) {
        let request = AccessRequest::new(action, &arn, &keys);
        if !identity.trusts(caller, Origin::of(ctx), &request, &trust) {
            return Err(refused(action));
        }
    }
    Ok(())
}

/// What the claim [`TAGS`] says.
#[derive(Deserialize, Default)]
struct PassedTags {
    #[serde(default)]
    principal_tags: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
}

fn passed_tags(claims: &Claims) -> Result<SessionTags, IamError> {
    let Some(claim) = claims.get(TAGS) else { return Ok(SessionTags::default()) };
    let rejected = || TokenError::RejectedClaim(format!("the claim {TAGS} is not of the form that STS reads"));
    let passed: PassedTags = serde_json::from_value(claim.clone()).map_err(|_| rejected())?;
    let tags = passed.principal_tags.into_iter().map(|(key, values)| match <[String; 1]>::try_from(values) {
        Ok([value]) => Ok(Tag { key, value }),
        Err(_) => Err(rejected()),
    });
    let tags = input::tags(tags.collect::<Result<_, _>>()?)?;
    SessionTags::new(&Principal::anonymous(), tags, passed.transitive_tag_keys)
}
