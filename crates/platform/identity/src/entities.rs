//! The rows of the identity store.

use std::collections::{BTreeMap, BTreeSet};

use boathouse_aws::Arn;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time as IAM writes it: to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(pub(crate) DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(time.to_utc()))
    }
}

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// What users, groups and roles hold alike: the policies that speak for them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Policies {
    /// Inline policies: name → document.
    pub(crate) inline: BTreeMap<String, String>,
    /// The ARNs of attached managed policies.
    pub(crate) attached: BTreeSet<String>,
    /// The ARN of the managed policy that bounds what the others may allow.
    pub(crate) boundary: Option<String>,
}

/// An IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
    pub(crate) policies: Policies,
    /// The row names of the groups it is in.
    pub(crate) groups: BTreeSet<String>,
    /// The ids of its access keys.
    pub(crate) keys: BTreeSet<String>,
}

/// A group of users.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) policies: Policies,
}

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) trust: String,
    /// The unique ids that the users and roles named in `trust` had when it was written, by ARN: one made anew under the
    /// same name is not trusted.
    pub(crate) trusted_ids: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) max_session: u32,
    pub(crate) tags: Tags,
    pub(crate) policies: Policies,
}

/// A customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
    pub(crate) default_version: u32,
    /// The number of the next version: a deleted version's number is not used again.
    pub(crate) next_version: u32,
}

/// One version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) document: String,
    pub(crate) created: Timestamp,
}

/// An OpenID Connect provider whose tokens roles may trust.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OidcProvider {
    /// The URL without its scheme, as ARNs and condition keys have it.
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

impl OidcProvider {
    /// The provider's ARN.
    pub(crate) fn arn(&self) -> String {
        Arn::iam(format!("oidc-provider/{}", self.name)).to_string()
    }
}

/// An instance profile: a role for a machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InstanceProfile {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
    /// The row name of its role, if it has one.
    pub(crate) role: Option<String>,
}

/// A user's access key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    /// The row name of its user.
    pub(crate) user: String,
    pub(crate) active: bool,
    pub(crate) created: Timestamp,
    /// The secret, sealed for the key's id, in hex.
    pub(crate) sealed_secret: String,
}

macro_rules! arn {
    ($($entity:ty => $sort:literal),*) => {$(
        impl $entity {
            /// The entity's ARN, which holds its path.
            pub(crate) fn arn(&self) -> String {
                Arn::iam(format!("{}{}{}", $sort, self.path, self.name)).to_string()
            }
        }
    )*};
}

arn!(User => "user", Group => "group", Role => "role", ManagedPolicy => "policy", InstanceProfile => "instance-profile");

impl ManagedPolicy {
    /// The document of the default version.
    pub(crate) fn document(&self) -> Option<&str> {
        self.versions.get(&self.default_version).map(|version| version.document.as_str())
    }
}
