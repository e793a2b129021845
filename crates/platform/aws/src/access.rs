//! The seams to the identity room: whose key is this, may they do that, and who is a service when it acts for a role.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::context::Ctx;
use crate::error::AwsError;
use crate::principal::Principal;

/// A secret that never shows in logs or debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps the secret's text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Only signing code should need it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// What a valid access key stands for.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The secret access key to check the signature with.
    pub secret: Secret,
    /// Who signs with it.
    pub principal: Arc<Principal>,
}

/// Why an access key can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// No such key, or it is inactive: `InvalidClientTokenId` / `InvalidAccessKeyId` / `UnrecognizedClientException`.
    #[error("the access key does not exist or is inactive")]
    Unknown,
    /// A temporary key without its session token, or with a wrong one.
    #[error("the session token is missing or does not belong to the access key")]
    InvalidToken,
    /// The session has ended: `ExpiredToken`.
    #[error("the session token has expired")]
    Expired,
}

/// Finds the secret and the principal of an access key.
pub trait CredentialStore: Send + Sync {
    /// The credential of `access_key_id`, checked against `session_token` if it is a temporary one.
    ///
    /// # Errors
    /// See [`CredentialError`].
    fn find(&self, access_key_id: &str, session_token: Option<&str>) -> Result<Credential, CredentialError>;

    /// Notes that a request for `service` in `region` was rightly signed with the key.
    fn used(&self, _access_key_id: &str, _service: &str, _region: &str) {}
}

/// Condition keys and their values beyond the global ones, such as `s3:prefix`.
pub type ConditionKeys = BTreeMap<String, Vec<String>>;

/// One question to IAM.
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    /// The IAM action, such as `glue:GetTable`.
    pub action: &'a str,
    /// The resource's ARN, or `*`.
    pub resource: &'a str,
    /// The condition keys that the service knows; the authorizer adds the global ones from the context.
    pub keys: &'a ConditionKeys,
    /// The policy attached to the resource itself, such as a bucket policy (JSON text), if the resource has one.
    pub resource_policy: Option<&'a str>,
}

impl<'a> AccessRequest<'a> {
    /// A question about a resource that has no policy of its own.
    pub fn new(action: &'a str, resource: &'a str, keys: &'a ConditionKeys) -> Self {
        Self { action, resource, keys, resource_policy: None }
    }

    /// The same question, with the resource's own policy to be considered.
    #[must_use]
    pub fn with_resource_policy(self, policy: Option<&'a str>) -> Self {
        Self { resource_policy: policy, ..self }
    }
}

/// Decides whether the context's principal may act. Explicit denies win; nothing is allowed by default but to root.
pub trait Authorizer: Send + Sync {
    /// Allows or refuses.
    ///
    /// # Errors
    /// `AccessDeniedException` (403) with AWS's text: who, which action, which resource, which kind of policy.
    fn authorize(&self, ctx: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError>;
}

/// Lets a service of the platform act as a role that trusts it.
pub trait ServiceRoles: Send + Sync {
    /// The principal of a session of `role` (a name or an ARN) for `service` (such as `glue.amazonaws.com`).
    ///
    /// # Errors
    /// `AccessDeniedException` if the role does not trust the service, `EntityNotFoundException`-like if there is no such role.
    fn assume_for_service(&self, role: &str, service: &str, session: &str) -> Result<Arc<Principal>, AwsError>;
}

/// What a client signs with during a session.
#[derive(Debug, Clone)]
pub struct SessionCredentials {
    /// The temporary key's id.
    pub access_key_id: String,
    /// The temporary key's secret.
    pub secret: Secret,
    /// What says whose session it is; sent with every request.
    pub session_token: String,
    /// When the session ends.
    pub expires: DateTime<Utc>,
}

/// Lets people work in the console as who they are.
pub trait SignIn: Send + Sync {
    /// A session of the context's principal, who is root or a user, with a long-term key or with a session of this kind.
    /// Such a session prolongs the earlier one, up to a fixed time after the person signed in. Other than sessions of
    /// GetSessionToken it may call IAM, as people in AWS's own console may.
    ///
    /// # Errors
    /// `AccessDeniedException` for other principals, `ExpiredTokenException` when the person must sign in again.
    fn sign_in(&self, ctx: &Ctx) -> Result<SessionCredentials, AwsError>;
}
