//! The `Principal` and `NotPrincipal` elements of resource and trust policies.

use std::collections::BTreeMap;

use boathouse_aws::ACCOUNT_ID;
use boathouse_aws::principal::PrincipalKind;

use super::keys::{RequestKeys, in_account};

/// Whom a statement means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalElement {
    /// `Principal`: anyone listed.
    Only(Vec<PrincipalPattern>),
    /// `NotPrincipal`: anyone else.
    Except(Vec<PrincipalPattern>),
}

/// One listed principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalPattern {
    /// `*`, with or without a signature.
    Everyone,
    /// An account as a whole, by number.
    Account(String),
    /// A user, role or role session by ARN, or by unique id.
    Named(String),
    /// A service, such as `glue.amazonaws.com`.
    Service(String),
    /// Whom an identity provider of this ARN vouches for.
    Federated(String),
    /// A canonical user; nobody here signs in as one.
    Foreign,
}

/// How closely a statement names the caller. A grant to the whole account only delegates to the account's own policies;
/// a grant to the caller itself needs nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closeness {
    /// Through the caller's account.
    Account,
    /// Through the role behind the session, or as everyone.
    Role,
    /// By the caller's own name.
    Direct,
}

impl PrincipalElement {
    /// The users, roles and sessions listed.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let (Self::Only(patterns) | Self::Except(patterns)) = self;
        patterns.iter().filter_map(|pattern| match pattern {
            PrincipalPattern::Named(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Puts unique ids in the place of the ARNs that have one in `ids`.
    pub(crate) fn bind(&mut self, ids: &BTreeMap<String, String>) {
        let (Self::Only(patterns) | Self::Except(patterns)) = self;
        for pattern in patterns {
            if let PrincipalPattern::Named(name) = pattern
                && let Some(id) = ids.get(name)
            {
                name.clone_from(id);
            }
        }
    }

    /// How the element names the caller, if it does.
    pub(crate) fn closeness(&self, keys: &RequestKeys<'_>) -> Option<Closeness> {
        let closest = |patterns: &[PrincipalPattern]| patterns.iter().filter_map(|each| each.closeness(keys)).max();
        match self {
            Self::Only(patterns) => closest(patterns),
            Self::Except(patterns) => closest(patterns).is_none().then_some(Closeness::Role),
        }
    }
}

impl PrincipalPattern {
    fn closeness(&self, keys: &RequestKeys<'_>) -> Option<Closeness> {
        let caller = keys.principal;
        match (self, &caller.kind) {
            (Self::Everyone, _) => Some(Closeness::Role),
            (Self::Account(account), PrincipalKind::Root) => (account == ACCOUNT_ID).then_some(Closeness::Direct),
            (Self::Account(account), kind) => (account == ACCOUNT_ID && in_account(kind)).then_some(Closeness::Account),
            (Self::Named(name), PrincipalKind::User { .. }) => {
                (*name == caller.arn || *name == caller.user_id).then_some(Closeness::Direct)
            }
            (Self::Federated(provider), PrincipalKind::Anonymous) => {
                let vouching = caller.session.as_ref().and_then(|session| session.federated_provider.as_ref());
                (provider == "*" || Some(provider) == vouching)
                    .then_some(Closeness::Direct)
                    .filter(|_| vouching.is_some())
            }
            (Self::Named(name), PrincipalKind::AssumedRole { .. } | PrincipalKind::FederatedUser { .. }) => {
                if *name == caller.arn || *name == caller.user_id {
                    return Some(Closeness::Direct);
                }
                let role_id = caller.user_id.split(':').next();
                (Some(name.as_str()) == keys.holder_arn || Some(name.as_str()) == role_id).then_some(Closeness::Role)
            }
            (Self::Service(wanted), PrincipalKind::Service { name }) => {
                (wanted.as_str() == &**name).then_some(Closeness::Direct)
            }
            _ => None,
        }
    }
}
