//! What beginning a session takes: lengths, passed policies, tags, source identities, credentials.

use std::collections::{BTreeMap, BTreeSet};

use boathouse_aws::access::ConditionKeys;
use boathouse_aws::principal::{PrincipalKind, Session as PrincipalSession};
use boathouse_aws::{Ctx, Principal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::credentials::new_secret;
use crate::entities::{Role, Tags, Timestamp};
use crate::error::IamError;
use crate::iam::input;
use crate::iam::new_key_id;
use crate::identity::Identity;
use crate::policy::{Policy, PolicyKind};
use crate::session::{Session, Subject};

pub(super) const QUARTER: u32 = 900;
pub(super) const HOUR: u32 = 3600;
/// The longest session of a role, if the role allows it.
const LONGEST_ROLE: u32 = 12 * HOUR;
/// Characters of a session policy.
const POLICY_LENGTH: usize = 2048;
/// Managed policies that may be passed for a session.
const POLICY_ARNS: usize = 10;
/// Bytes of policies and tags that a token may carry.
const PACKED_SIZE: usize = 4096;

/// A managed policy passed for a session.
#[derive(Deserialize)]
pub(super) struct PolicyArn {
    pub(super) arn: String,
}

/// The policies passed for a session.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) policy: Option<String>,
    pub(super) policy_arns: Vec<String>,
}

impl Passed {
    pub(super) fn new(policy: Option<String>, arns: Vec<PolicyArn>) -> Self {
        Self { policy, policy_arns: arns.into_iter().map(|policy| policy.arn).collect() }
    }

    /// Checks what narrows the session; says how much of the room in a token it takes with the tags, in percent.
    pub(super) fn check(&self, identity: &Identity, tags: &Tags) -> Result<Option<usize>, IamError> {
        if let Some(policy) = &self.policy {
            Policy::parse(policy, PolicyKind::Identity)?;
            if policy.chars().count() > POLICY_LENGTH {
                let constraint = format!("Member must have length less than or equal to {POLICY_LENGTH}");
                return Err(IamError::constraint(policy, "policy", &constraint));
            }
        }
        if self.policy_arns.len() > POLICY_ARNS {
            return Err(IamError::LimitExceeded(format!("Cannot exceed quota for policyArns: {POLICY_ARNS}")));
        }
        for arn in &self.policy_arns {
            if identity.managed_document(arn)?.is_none() {
                return Err(IamError::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable.")));
            }
        }
        let policies = self.policy.iter().chain(&self.policy_arns);
        let size: usize = policies.chain(tags.keys()).chain(tags.values()).map(String::len).sum();
        if size > PACKED_SIZE {
            let share = percent(size);
            let message = format!("Packed size of session tags and policies consumes {share}% of allotted space.");
            return Err(IamError::PackedPolicyTooLarge(message));
        }
        Ok((size > 0).then(|| percent(size)))
    }
}

fn percent(size: usize) -> usize {
    (size * 100).div_ceil(PACKED_SIZE)
}

/// Checks the name of a session.
pub(super) fn session_name(name: &str) -> Result<(), IamError> {
    at_least_two(name, "roleSessionName", 64)
}

/// Checks a name of two to `most` characters.
pub(super) fn at_least_two(name: &str, member: &str, most: usize) -> Result<(), IamError> {
    input::name(name, member, most)?;
    if name.chars().count() < 2 {
        let constraint = "Member must have length greater than or equal to 2";
        return Err(IamError::constraint(name, member, constraint));
    }
    Ok(())
}

/// Checks a source identity.
pub(super) fn source_identity(name: &str) -> Result<(), IamError> {
    at_least_two(name, "sourceIdentity", 64)?;
    if name.to_ascii_lowercase().starts_with("aws:") {
        let message = "Invalid source identity. Names that begin with aws: are reserved".into();
        return Err(IamError::Validation(message));
    }
    Ok(())
}

/// How long a session of a role lives.
pub(super) fn role_session_length(ctx: &Ctx, role: &Role, asked: Option<u32>) -> Result<u32, IamError> {
    let length = input::within(asked.unwrap_or(HOUR), "durationSeconds", QUARTER, LONGEST_ROLE)?;
    if length > HOUR && matches!(ctx.principal.kind, PrincipalKind::AssumedRole { .. }) {
        return Err(IamError::Validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining".into(),
        ));
    }
    if length > role.max_session {
        return Err(IamError::Validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
        ));
    }
    Ok(length)
}

/// Tags of a session, and which of them stay with all sessions begun from it.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionTags {
    /// The tags that the request sets.
    pub(super) asked: Tags,
    /// The keys that the request makes transitive.
    pub(super) asked_transitive: Vec<String>,
    /// The tags with those of the calling session that stay.
    pub(super) all: Tags,
    /// All keys that stay.
    pub(super) transitive: Vec<String>,
}

impl SessionTags {
    /// The request's tags with what stays of the caller's.
    pub(super) fn new(caller: &Principal, asked: Tags, asked_transitive: Vec<String>) -> Result<Self, IamError> {
        let known = |key: &String| asked.keys().any(|present| present.eq_ignore_ascii_case(key));
        if let Some(key) = asked_transitive.iter().find(|key| !known(key)) {
            let message = format!("The transitive tag key {key} is not among the session tags of the request");
            return Err(IamError::InvalidParameterValue(message));
        }
        let session: Option<&PrincipalSession> = caller.session.as_deref();
        let inherited = session.map(|session| session.transitive_tag_keys.as_slice()).unwrap_or_default();
        if inherited.iter().any(known) {
            let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive \
                           tag key from the calling session.";
            return Err(IamError::InvalidParameterValue(message.into()));
        }
        let stays = |(key, _): &(&String, &String)| inherited.iter().any(|kept| kept.eq_ignore_ascii_case(key));
        let mut all = asked.clone();
        all.extend(caller.tags.iter().filter(stays).map(|(key, value)| (key.clone(), value.clone())));
        let transitive: BTreeSet<_> = inherited.iter().chain(&asked_transitive).cloned().collect();
        Ok(Self { asked, asked_transitive, all, transitive: transitive.into_iter().collect() })
    }

    /// What policies can ask of them.
    pub(super) fn keys(&self) -> ConditionKeys {
        let mut keys = ConditionKeys::new();
        if !self.asked.is_empty() {
            keys.insert("aws:TagKeys".into(), self.asked.keys().cloned().collect());
            keys.extend(self.asked.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![value.clone()])));
        }
        if !self.asked_transitive.is_empty() {
            keys.insert("sts:TransitiveTagKeys".into(), self.asked_transitive.clone());
        }
        keys
    }
}

/// A session about to begin.
pub(super) struct NewSession {
    pub(super) subject: Subject,
    pub(super) length: u32,
    pub(super) passed: Passed,
    pub(super) tags: Tags,
    pub(super) transitive: Vec<String>,
    pub(super) source_identity: Option<String>,
    pub(super) federated_provider: Option<String>,
    pub(super) federated_keys: BTreeMap<String, Vec<String>>,
}

impl NewSession {
    /// A session without anything of its own.
    pub(super) fn new(subject: Subject, length: u32) -> Self {
        Self {
            subject,
            length,
            passed: Passed::default(),
            tags: Tags::new(),
            transitive: Vec::new(),
            source_identity: None,
            federated_provider: None,
            federated_keys: BTreeMap::new(),
        }
    }

    /// The session's temporary credentials.
    pub(super) fn credentials(self, ctx: &Ctx, identity: &Identity) -> Result<Value, IamError> {
        let access_key_id = new_key_id("ASIA")?;
        let secret = new_secret().map_err(|_| IamError::Sealing("making a secret failed"))?;
        let now = ctx.now();
        let expires = now + chrono::TimeDelta::seconds(self.length.into());
        let session = Session {
            subject: self.subject,
            secret: secret.expose().to_owned(),
            issued: now.timestamp(),
            expires: expires.timestamp(),
            policy: self.passed.policy,
            policy_arns: self.passed.policy_arns,
            tags: self.tags,
            source_identity: self.source_identity,
            transitive_tag_keys: self.transitive,
            federated_provider: self.federated_provider,
            federated_keys: self.federated_keys,
            signed_in: None,
        };
        Ok(json!({
            "AccessKeyId": access_key_id,
            "SecretAccessKey": secret.expose(),
            "SessionToken": session.seal(&identity.tokens, &access_key_id)?,
            "Expiration": Timestamp(expires),
        }))
    }
}
