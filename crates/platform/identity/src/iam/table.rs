//! Operations that ask for leave on the ARN of the entity that they are about.

use std::future::Future;
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys};
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::service::Access;
use boathouse_aws::{Arn, AwsError, Ctx, ServiceTable};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::input::Tag;
use crate::entities::Tags;
use crate::error::IamError;
use crate::identity::Identity;
use crate::session;
use crate::store::Holder;

/// What an operation is about: the resource and the condition keys of its authorisation.
pub(crate) struct Target {
    pub(crate) arn: String,
    pub(crate) keys: ConditionKeys,
}

impl Target {
    /// The resource `arn` alone.
    pub(crate) fn new(arn: String) -> Self {
        Self { arn, keys: ConditionKeys::new() }
    }

    /// The user, group or role of this name; one that is not there yet is thought of at the path `/`.
    pub(crate) fn holder<H: Holder>(identity: &Identity, name: &str) -> Result<Self, IamError> {
        let found = identity.store.find::<H>(name)?;
        let Some(holder) = found else { return Ok(Self::new(Arn::iam(format!("{}/{name}", H::SORT)).to_string())) };
        let target = Self::new(holder.arn());
        Ok(holder.tags().into_iter().fold(target, Self::with_resource_tags))
    }

    /// With the keys that tell which tags the entity has.
    pub(crate) fn with_resource_tags(self, tags: &Tags) -> Self {
        let pairs = tags.iter().flat_map(|(key, value)| ["aws", "iam"].map(|vendor| (vendor, key, value)));
        pairs.fold(self, |target, (vendor, key, value)| target.with_key(&format!("{vendor}:ResourceTag/{key}"), value))
    }

    /// With the keys that tell which tags the request sets.
    pub(crate) fn with_tags(mut self, tags: &[Tag]) -> Self {
        if !tags.is_empty() {
            self.keys.insert("aws:TagKeys".into(), tags.iter().map(|tag| tag.key.clone()).collect());
        }
        tags.iter().fold(self, |target, tag| target.with_key(&format!("aws:RequestTag/{}", tag.key), &tag.value))
    }

    /// With the keys of tags that the request takes away.
    pub(crate) fn with_tag_keys(mut self, keys: &[String]) -> Self {
        self.keys.insert("aws:TagKeys".into(), keys.to_vec());
        self
    }

    /// With one more condition key.
    pub(crate) fn with_key(mut self, key: &str, value: &str) -> Self {
        self.keys.insert(key.to_owned(), vec![value.to_owned()]);
        self
    }

    /// Asks whether the caller may call this operation of IAM on the target.
    pub(crate) fn permit(&self, ctx: &Ctx, identity: &Identity, operation: &str) -> Result<(), IamError> {
        let action = format!("iam:{operation}");
        identity.authorize(ctx, &AccessRequest::new(&action, &self.arn, &self.keys)).map_err(IamError::Denied)
    }
}

/// Adds an operation whose authorisation asks for `target`.
pub(crate) fn add<I, O, H, F>(
    table: ServiceTable,
    state: &Arc<Identity>,
    name: &'static str,
    target: fn(&Ctx, &Identity, &I) -> Result<Target, IamError>,
    handler: H,
) -> ServiceTable
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + Sync + 'static,
    H: Fn(Ctx, Arc<Identity>, I) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<O, IamError>> + Send + 'static,
{
    table.operation(name, Access::InHandler, state, move |ctx: Ctx, identity: Arc<Identity>, input: I| async move {
        refuse_user_sessions(&ctx)?;
        target(&ctx, &identity, &input)?.permit(&ctx, &identity, name)?;
        handler(ctx, identity, input).await
    })
}

/// Sessions from GetSessionToken can't call IAM without multi-factor authentication; sessions of roles and of the console can.
fn refuse_user_sessions(ctx: &Ctx) -> Result<(), IamError> {
    let of_role = matches!(ctx.principal.kind, PrincipalKind::AssumedRole { .. });
    let of_console = ctx.principal.session.as_ref().is_some_and(|session| session.signed_in.is_some());
    if of_role || of_console || session::issued_at(&ctx.principal).is_none() {
        return Ok(());
    }
    let message = "The security token included in the request is invalid";
    Err(IamError::Denied(AwsError::new("InvalidClientTokenId", StatusCode::FORBIDDEN, message)))
}
