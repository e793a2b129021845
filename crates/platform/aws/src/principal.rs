//! Who calls an operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::arn::{ACCOUNT_ID, Arn};

/// An authenticated caller (or the anonymous one), as IAM policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What sort of caller this is.
    pub kind: PrincipalKind,
    /// The ARN that policies and audit lines name, such as `arn:aws:sts::…:assumed-role/Crawler/session`.
    pub arn: String,
    /// The unique id (`AIDA…`, `AROA…:session`, or the account for root), the value of `aws:userid`.
    pub user_id: String,
    /// The principal's tags, the values of `aws:PrincipalTag/…`.
    pub tags: BTreeMap<String, String>,
    /// The session, if the caller's credentials are temporary and were handed out by STS.
    pub session: Option<Arc<Session>>,
}

/// A session that STS began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// When it began.
    pub issued: DateTime<Utc>,
    /// The ARN of the role, if it is a session of one.
    pub role_arn: Option<String>,
    /// The source identity, which stays with all sessions that are begun from this one.
    pub source_identity: Option<String>,
    /// The keys of the tags that stay with all sessions that are begun from this one.
    pub transitive_tag_keys: Vec<String>,
    /// Who vouched for the caller, if that was an identity provider: the provider's ARN.
    pub federated_provider: Option<String>,
    /// What the provider said of the caller, as condition keys, such as `accounts.example.com:sub`.
    pub federated_keys: BTreeMap<String, Vec<String>>,
    /// When its person signed in, if it is a session of the console.
    #[serde(default)]
    pub signed_in: Option<DateTime<Utc>>,
}

/// The sorts of caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A request without a signature. Only resource policies can allow it anything.
    Anonymous,
    /// The account's root: everything is allowed but what a resource policy denies.
    Root,
    /// An IAM user, by name.
    User {
        /// The user's name, without its path.
        name: Arc<str>,
    },
    /// A session of a role.
    AssumedRole {
        /// The role's name, without its path.
        role: Arc<str>,
        /// The role session's name.
        session: Arc<str>,
        /// A policy (JSON text) that narrows the session, if the caller gave one.
        session_policy: Option<Arc<str>>,
    },
    /// Somebody for whom a user got temporary credentials.
    FederatedUser {
        /// The name that the user gave.
        name: Arc<str>,
        /// The user, by name and unique id; none for root.
        user: Option<(Arc<str>, Arc<str>)>,
        /// The policies (JSON text) that the user passed, beyond which nothing is allowed.
        policy: Option<Arc<str>>,
    },
    /// A service of the platform acting for itself, such as `athena.amazonaws.com`.
    Service {
        /// The service principal's name.
        name: Arc<str>,
    },
}

impl Principal {
    /// The account's root user.
    pub fn root() -> Self {
        Self::plain(PrincipalKind::Root, Arn::iam("root").to_string(), ACCOUNT_ID.into())
    }

    /// The caller of an unsigned request.
    pub fn anonymous() -> Self {
        Self::plain(PrincipalKind::Anonymous, "anonymous".into(), "anonymous".into())
    }

    /// An IAM user with its ARN (which holds the path) and unique id.
    pub fn user(name: &str, arn: String, user_id: String) -> Self {
        Self::plain(PrincipalKind::User { name: name.into() }, arn, user_id)
    }

    /// A session of the role `role`, whose unique id is `role_id`.
    pub fn assumed_role(role: &str, role_id: &str, session: &str, session_policy: Option<Arc<str>>) -> Self {
        let arn = Arn::new("sts", "", format!("assumed-role/{role}/{session}")).to_string();
        let kind = PrincipalKind::AssumedRole { role: role.into(), session: session.into(), session_policy };
        Self::plain(kind, arn, format!("{role_id}:{session}"))
    }

    /// Somebody whom a user, by name and unique id, or root vouches for.
    pub fn federated_user(name: &str, user: Option<(&str, &str)>, policy: Option<Arc<str>>) -> Self {
        let arn = Arn::new("sts", "", format!("federated-user/{name}")).to_string();
        let user = user.map(|(name, id)| (name.into(), id.into()));
        let kind = PrincipalKind::FederatedUser { name: name.into(), user, policy };
        Self::plain(kind, arn, format!("{ACCOUNT_ID}:{name}"))
    }

    /// A service of the platform, such as `glue.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::plain(PrincipalKind::Service { name: name.into() }, name.into(), name.into())
    }

    fn plain(kind: PrincipalKind, arn: String, user_id: String) -> Self {
        Self { kind, arn, user_id, tags: BTreeMap::new(), session: None }
    }

    /// Whether the request carried no signature.
    pub fn is_anonymous(&self) -> bool {
        self.kind == PrincipalKind::Anonymous
    }

    /// Whether this is the account's root.
    pub fn is_root(&self) -> bool {
        self.kind == PrincipalKind::Root
    }
}
