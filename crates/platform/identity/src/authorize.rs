//! The answers to "may they?", and roles for services.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys, ServiceRoles};
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx, Principal};
use http::StatusCode;

use crate::entities::Role;
use crate::identity::{Grants, Identity, role_principal, trust_policy};
use crate::policy::{Decision, Origin, Policy, PolicySet, Question, Refusal, RequestKeys, Source, Verdict};

/// Root can always repair a bucket policy that locks everybody out.
const ROOT_ALWAYS_MAY: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

impl Identity {
    /// What the caller's own user or role may, if it is still there.
    pub(crate) fn grants(&self, principal: &Principal) -> Result<Option<Arc<Grants>>, AwsError> {
        let (found, id) = match &principal.kind {
            PrincipalKind::User { name } => (self.user_grants(name), principal.user_id.as_str()),
            PrincipalKind::AssumedRole { role, .. } => {
                (self.role_grants(role), principal.user_id.split(':').next().unwrap_or_default())
            }
            PrincipalKind::FederatedUser { user: Some((name, id)), .. } => (self.user_grants(name), &**id),
            PrincipalKind::FederatedUser { user: None, .. }
            | PrincipalKind::Root
            | PrincipalKind::Anonymous
            | PrincipalKind::Service { .. } => return Ok(None),
        };
        // A principal may outlive its user; one that was made anew under the same name is somebody else.
        let found = found.map_err(|error| {
            tracing::error!(%error, principal = principal.arn, "the caller's policies can't be read");
            AwsError::internal("the caller's policies can't be read; the server's log has the cause")
        })?;
        Ok(found.filter(|grants| grants.id == id))
    }

    /// Weighs every policy that has a say. `resource` is the parsed policy of the resource.
    pub(crate) fn decide(
        &self,
        principal: &Principal,
        origin: Origin<'_>,
        request: &AccessRequest<'_>,
        resource: Option<&Policy>,
    ) -> Result<Decision, AwsError> {
        let grants = self.grants(principal)?;
        let session = match &principal.kind {
            PrincipalKind::AssumedRole { session_policy: Some(text), .. }
            | PrincipalKind::FederatedUser { policy: Some(text), .. } => {
                Some(self.session_policies(text).map_err(|error| unusable("session", &error))?)
            }
            // Who vouches for somebody without passing a policy passes no permission.
            PrincipalKind::FederatedUser { policy: None, .. } => Some(Arc::default()),
            _ => None,
        };
        let policies = PolicySet {
            identity: grants.as_deref().map_or(&[], |grants| &grants.policies),
            boundary: grants.as_deref().and_then(|grants| grants.boundary.as_deref()),
            session: session.as_deref().map(Vec::as_slice),
            resource,
        };
        let holder_arn = grants.as_deref().map(|grants| grants.arn.as_str());
        let keys = RequestKeys {
            principal,
            holder_arn,
            origin,
            service: request.keys,
            asked: (request.action, request.resource),
        };
        let question = Question { action: request.action.to_ascii_lowercase(), resource: request.resource, keys };
        Ok(policies.decide(&question))
    }
}

impl Identity {
    /// Asks whether the caller may assume the role behind `request`, whose trust policy is `trust` if there is such a role.
    /// Other than a resource's policy, a trust policy must always allow it. Who may not learns nothing of roles that
    /// don't exist: the answer is the one of a role that trusts nobody.
    pub(crate) fn may_assume(
        &self,
        ctx: &Ctx,
        request: &AccessRequest<'_>,
        trust: Option<&Policy>,
    ) -> Result<(), AwsError> {
        let refused = |reason: String| {
            let AccessRequest { action, resource, .. } = request;
            let caller = &ctx.principal.arn;
            let text =
                format!("User: {caller} is not authorized to perform: {action} on resource: {resource} {reason}");
            Err(AwsError::access_denied(text))
        };
        let decision = self.decide(&ctx.principal, Origin::of(ctx), request, trust)?;
        let trusted = trust.is_some_and(|trust| self.trusts(&ctx.principal, Origin::of(ctx), request, trust));
        match decision {
            Ok(()) if trusted => Ok(()),
            Err(Refusal::Explicit(Source::Resource)) => {
                refused("with an explicit deny in the role trust policy".into())
            }
            Ok(()) | Err(Refusal::Implicit(Source::Resource)) => {
                refused(format!("because no role trust policy allows the {} action", request.action))
            }
            Err(refusal) => refused(reason(refusal, request.action)),
        }
    }

    /// Whether a trust policy allows it.
    pub(crate) fn trusts(
        &self,
        principal: &Principal,
        origin: Origin<'_>,
        request: &AccessRequest<'_>,
        trust: &Policy,
    ) -> bool {
        let grants = self.grants(principal).ok().flatten();
        let holder_arn = grants.as_deref().map(|grants| grants.arn.as_str());
        let keys = RequestKeys {
            principal,
            holder_arn,
            origin,
            service: request.keys,
            asked: (request.action, request.resource),
        };
        let question = Question { action: request.action.to_ascii_lowercase(), resource: request.resource, keys };
        matches!(trust.verdict(&question), Verdict::Allow(_))
    }

    /// Notes that the caller's user or role asked for leave at the action's service.
    fn note_visit(&self, ctx: &Ctx, action: &str) {
        let id = match &ctx.principal.kind {
            PrincipalKind::User { .. } | PrincipalKind::AssumedRole { .. } => {
                ctx.principal.user_id.split(':').next().unwrap_or_default()
            }
            _ => return,
        };
        let service = action.split(':').next().unwrap_or_default();
        self.usage.note_visit(id, service, Some(ctx.region()), ctx.now());
    }
}

impl Authorizer for Identity {
    fn authorize(&self, ctx: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        let principal = &*ctx.principal;
        if principal.is_root() && (request.resource_policy.is_none() || ROOT_ALWAYS_MAY.contains(&request.action)) {
            return Ok(());
        }
        self.note_visit(ctx, request.action);
        let resource = request.resource_policy.map(|text| self.resource_policy(text)).transpose();
        let resource = resource.map_err(|error| unusable("resource", &error))?;
        self.decide(principal, Origin::of(ctx), request, resource.as_deref())?
            .map_err(|refusal| AwsError::access_denied(refusal_text(principal, request, refusal)))
    }
}

/// A stored policy that can't be read must not let anybody pass.
fn unusable(sort: &str, error: &crate::policy::MalformedPolicy) -> AwsError {
    tracing::error!(%error, sort, "a stored policy can't be used");
    AwsError::access_denied(format!("Access Denied: the {sort} policy can't be used: {error}"))
}

/// IAM's words. S3 puts the resource in quotes and tells the anonymous nothing.
fn refusal_text(principal: &Principal, request: &AccessRequest<'_>, refusal: Refusal) -> String {
    let AccessRequest { action, resource, .. } = request;
    if principal.is_anonymous() {
        return "Access Denied".to_owned();
    }
    let quote = if action.starts_with("s3:") { "\"" } else { "" };
    let reason = reason(refusal, action);
    let arn = &principal.arn;
    format!("User: {arn} is not authorized to perform: {action} on resource: {quote}{resource}{quote} {reason}")
}

/// The kind of policy that refuses, in IAM's words.
fn reason(refusal: Refusal, action: &str) -> String {
    match refusal {
        Refusal::Explicit(source) => format!("with an explicit deny in {}", source.with_article()),
        Refusal::Implicit(source) => format!("because no {} allows the {action} action", source.name()),
    }
}

impl ServiceRoles for Identity {
    fn assume_for_service(&self, role: &str, service: &str, session: &str) -> Result<Arc<Principal>, AwsError> {
        let name = role.rsplit('/').next().unwrap_or(role);
        let found: Role = self
            .store
            .find(name)
            .map_err(crate::error::IamError::from)?
            .filter(|found: &Role| !role.starts_with("arn:") || found.arn() == role)
            .ok_or_else(|| {
                let message = format!("The role {role} cannot be found.");
                AwsError::new("EntityNotFoundException", StatusCode::BAD_REQUEST, message)
            })?;
        let trust = trust_policy(&found).map_err(|error| unusable("trust", &error))?;
        let caller = Principal::service(service);
        let keys = ConditionKeys::from([("aws:SourceAccount".to_owned(), vec![ACCOUNT_ID.to_owned()])]);
        let arn = found.arn();
        let request = AccessRequest::new("sts:AssumeRole", &arn, &keys);
        let origin = Origin::inside(self.clock.now());
        self.decide(&caller, origin, &request, Some(&trust))?.map_err(|refusal| {
            let reason = match refusal {
                Refusal::Explicit(Source::Resource) => "its trust policy denies it",
                _ => "its trust policy does not allow it",
            };
            AwsError::access_denied(format!(
                "{service} is not authorized to perform: sts:AssumeRole on {arn}: {reason}"
            ))
        })?;
        Ok(Arc::new(role_principal(&found, session, None, self.clock.now())))
    }
}
