//! Who calls an operation.

use std::collections::BTreeMap;
use std::sync::Arc;

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

    /// A service of the platform, such as `glue.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::plain(PrincipalKind::Service { name: name.into() }, name.into(), name.into())
    }

    fn plain(kind: PrincipalKind, arn: String, user_id: String) -> Self {
        Self { kind, arn, user_id, tags: BTreeMap::new() }
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
