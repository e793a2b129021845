//! Session tokens: everything a session is, sealed, so that sessions need no rows and survive a restart.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::Principal;
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};

use crate::error::IamError;
use crate::seal::Sealer;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// The account's root.
    Root,
    /// A user, by row name and unique id.
    User { name: String, id: String },
    /// A session of a role, by row name and unique id.
    Role { name: String, id: String, session: String },
    /// Somebody whom a user, by row name and unique id, or root vouches for.
    Federated { name: String, user: Option<(String, String)> },
}

/// What a session token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) subject: Subject,
    pub(crate) secret: String,
    /// Seconds since 1970.
    pub(crate) issued: i64,
    /// Seconds since 1970.
    pub(crate) expires: i64,
    /// The policy passed for the session.
    pub(crate) policy: Option<String>,
    /// The managed policies passed for the session.
    pub(crate) policy_arns: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// What stays with all sessions begun from this one.
    #[serde(default)]
    pub(crate) source_identity: Option<String>,
    /// The tags of these keys stay with all sessions begun from this one.
    #[serde(default)]
    pub(crate) transitive_tag_keys: Vec<String>,
    /// The ARN of the identity provider that vouched for the caller.
    #[serde(default)]
    pub(crate) federated_provider: Option<String>,
    /// What that provider said, as condition keys.
    #[serde(default)]
    pub(crate) federated_keys: BTreeMap<String, Vec<String>>,
    /// When the person signed in at the console, in seconds since 1970; none for sessions of STS.
    #[serde(default)]
    pub(crate) signed_in: Option<i64>,
}

impl Session {
    /// The token of this session, bound to its access key id.
    pub(crate) fn seal(&self, sealer: &Sealer, access_key_id: &str) -> Result<String, IamError> {
        let plain = serde_json::to_vec(self).map_err(|_| IamError::Sealing("a session can't be written"))?;
        Ok(STANDARD.encode(sealer.seal(access_key_id, &plain)?))
    }

    /// The session of a token, if the token is ours and belongs to the access key id.
    pub(crate) fn open(sealer: &Sealer, access_key_id: &str, token: &str) -> Option<Self> {
        let sealed = STANDARD.decode(token).ok()?;
        serde_json::from_slice(&sealer.open(access_key_id, &sealed)?).ok()
    }
}

/// When the principal's session began, as `aws:TokenIssueTime`; none for long-term keys.
pub(crate) fn issued_at(principal: &Principal) -> Option<String> {
    principal.session.as_ref().map(|session| session.issued.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::MasterKey;

    fn sealer() -> Sealer {
        let directory = tempfile::tempdir().unwrap();
        MasterKey::create(&directory.path().join("key")).unwrap().sealer("sessions")
    }

    #[test]
    fn a_token_opens_with_its_own_key_id_only() {
        let sealer = sealer();
        let session = Session {
            subject: Subject::Role { name: "r".into(), id: "AROA1".into(), session: "s".into() },
            secret: "secret".into(),
            issued: 1,
            expires: 2,
            policy: Some("{}".into()),
            policy_arns: vec![],
            tags: BTreeMap::from([("a".into(), "b".into())]),
            source_identity: Some("ann".into()),
            transitive_tag_keys: vec!["a".into()],
            federated_provider: None,
            federated_keys: BTreeMap::new(),
            signed_in: Some(1),
        };
        let token = session.seal(&sealer, "ASIA1").unwrap();
        assert_eq!(Session::open(&sealer, "ASIA1", &token), Some(session));
        assert_eq!(Session::open(&sealer, "ASIA2", &token), None);
        assert!(!token.contains("secret"));
    }

    proptest! {
        #[test]
        fn no_token_panics(token in "[A-Za-z0-9+/=]{0,200}") {
            prop_assert_eq!(Session::open(&sealer(), "ASIA1", &token), None);
        }
    }
}
