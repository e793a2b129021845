//! Who may call: the root key pair and STS.
//!
//! AWS counterpart: IAM and STS. So far there is the account's root alone: no users, roles or policies, so
//! [`RootOnly`] refuses everybody else.
//!
//! | Module | What it does |
//! |---|---|
//! | [`credentials`] | the root key pair, made at the first start and kept in the data directory |
//! | [`sts`] | STS: GetCallerIdentity |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod credentials;
pub mod policy;
pub mod sts;

use boathouse_aws::access::{AccessRequest, Authorizer};
use boathouse_aws::{AwsError, Ctx};

/// Allows root everything and others nothing: there are no policies yet that could allow it.
#[derive(Debug, Clone, Copy)]
pub struct RootOnly;

impl Authorizer for RootOnly {
    fn authorize(&self, ctx: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        if ctx.principal.is_root() {
            return Ok(());
        }
        let AccessRequest { action, resource, .. } = request;
        Err(AwsError::access_denied(format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
             allows the {action} action",
            ctx.principal.arn
        )))
    }
}
