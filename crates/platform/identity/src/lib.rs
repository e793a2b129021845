//! Who may call, and what they may do: users, roles, policies, keys, sessions.
//!
//! AWS counterpart: IAM and STS. [`Identity`] answers the platform's questions (whose key is this, may they do that, who is
//! a service when it acts for a role); [`iam_service`] and [`sts_service`] are the APIs. Decisions come from parsed
//! policies kept in memory, which every write makes stale at once.
//!
//! One deviation from AWS is on purpose: root may assume roles whose trust policy names the account, because the root key
//! is the first that people have.
//!
//! | Module | What it does |
//! |---|---|
//! | [`credentials`] | the root key pair, made at the first start and kept in the data directory |
//! | [`policy`] | the policy language: documents, conditions, evaluation |
//! | `identity` | keys and sessions → principals; the caches |
//! | `authorize` | may they?; roles for services |
//! | `sign_in` | sessions of the console |
//! | `session` | session tokens, self-contained and sealed |
//! | `seal` | the key file and what is sealed with it |
//! | `entities`, `store` | the rows, and caches that no write leaves stale |
//! | `iam`, `sts` | the operations |
//! | `oidc` | tokens of OpenID Connect providers |
//! | `aws_managed` | managed policies of AWS's own names |
//! | `usage` | when keys were last used |
//! | [`error`] | errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod authorize;
mod aws_managed;
pub mod credentials;
mod entities;
pub mod error;
mod iam;
mod identity;
mod oidc;
pub mod policy;
mod seal;
mod session;
mod sign_in;
mod store;
mod sts;
#[cfg(test)]
mod tests;
mod usage;

pub use iam::iam_service;
pub use identity::{Identity, IdentityError};
pub use sts::sts_service;
