//! Which condition keys policies ask about: GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy.

use std::collections::BTreeSet;
use std::sync::Arc;

use boathouse_aws::{Arn, Ctx, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::{Target, add};
use crate::entities::{Group, Role, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::policy::{Policy, PolicyKind, asked_keys};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfCustom {
    policy_input_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfPrincipal {
    policy_source_arn: String,
    #[serde(default)]
    policy_input_list: Vec<String>,
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let any = |_: &Ctx, _: &Identity, _: &OfCustom| Ok(Target::new("*".into()));
    let table = add(table, state, "GetContextKeysForCustomPolicy", any, of_custom);
    let on_source = |_: &Ctx, _: &Identity, input: &OfPrincipal| Ok(Target::new(input.policy_source_arn.clone()));
    add(table, state, "GetContextKeysForPrincipalPolicy", on_source, of_principal)
}

fn keys<'a>(documents: impl IntoIterator<Item = &'a String>) -> Result<Value, IamError> {
    let mut names = BTreeSet::new();
    for document in documents {
        Policy::parse(document, PolicyKind::Identity).or_else(|_| Policy::parse(document, PolicyKind::Resource))?;
        names.extend(asked_keys(document));
    }
    Ok(json!({"ContextKeyNames": names}))
}

async fn of_custom(_: Ctx, _: Arc<Identity>, input: OfCustom) -> Result<Value, IamError> {
    keys(&input.policy_input_list)
}

async fn of_principal(_: Ctx, identity: Arc<Identity>, input: OfPrincipal) -> Result<Value, IamError> {
    let held = documents(&identity, &input.policy_source_arn)?;
    keys(held.iter().map(|held| &held.document).chain(&input.policy_input_list))
}

/// A policy that speaks for a user, group or role.
pub(super) struct HeldPolicy {
    pub(super) name: String,
    /// The managed policy's ARN; inline policies have none.
    pub(super) arn: Option<String>,
    /// Whose it is: `USER`, `GROUP` or `ROLE`, and the name.
    pub(super) holder: (&'static str, String),
    pub(super) document: String,
}

/// The policies that speak for the user, group or role of an ARN: a user's groups' too.
pub(super) fn documents(identity: &Identity, arn: &str) -> Result<Vec<HeldPolicy>, IamError> {
    let missing = || IamError::NoSuchEntity(format!("{arn} cannot be found."));
    let resource = arn.parse::<Arn>().map_err(|_| missing())?.resource;
    let name = resource.rsplit('/').next().unwrap_or_default();
    let mut held = Vec::new();
    match resource.split('/').next() {
        Some("user") => {
            let user = identity.store.find::<User>(name)?.filter(|user| user.arn() == arn).ok_or_else(missing)?;
            add_held(identity, &mut held, ("USER", &user.name), &user.policies)?;
            for group in &user.groups {
                let group: Group = identity.store.get(group)?;
                add_held(identity, &mut held, ("GROUP", &group.name), &group.policies)?;
            }
        }
        Some("group") => {
            let group = identity.store.find::<Group>(name)?.filter(|group| group.arn() == arn).ok_or_else(missing)?;
            add_held(identity, &mut held, ("GROUP", &group.name), &group.policies)?;
        }
        Some("role") => {
            let role = identity.store.find::<Role>(name)?.filter(|role| role.arn() == arn).ok_or_else(missing)?;
            add_held(identity, &mut held, ("ROLE", &role.name), &role.policies)?;
        }
        _ => return Err(missing()),
    }
    Ok(held)
}

fn add_held(
    identity: &Identity,
    held: &mut Vec<HeldPolicy>,
    (sort, name): (&'static str, &str),
    policies: &crate::entities::Policies,
) -> Result<(), IamError> {
    for (policy, document) in &policies.inline {
        let (name, holder) = (policy.clone(), (sort, name.to_owned()));
        held.push(HeldPolicy { name, arn: None, holder, document: document.clone() });
    }
    for arn in &policies.attached {
        let Some(document) = identity.managed_document(arn)? else { continue };
        let policy = arn.rsplit('/').next().unwrap_or_default().to_owned();
        held.push(HeldPolicy { name: policy, arn: Some(arn.clone()), holder: (sort, name.to_owned()), document });
    }
    Ok(())
}
