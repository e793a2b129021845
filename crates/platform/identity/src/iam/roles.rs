//! Roles: create, get, list, update, delete, trust policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::{ACCOUNT_ID, Arn, Ctx, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::accessed::role_last_used;
use super::input::{self, Tag};
use super::output::{self, Empty};
use super::service_linked::{self, refuse_profile_member};
use super::table::{Target, add};
use super::users::{ListByPath, check_bare, insert};
use super::{check_boundary, new_id, now};
use crate::entities::{Policies, Role, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::policy::{MalformedPolicy, Policy, PolicyKind};
use crate::store::{Entity, Rows, row, row_name};

pub(super) const QUOTA: usize = 1000;
/// Characters of a trust policy, white space aside.
const TRUST_QUOTA: usize = 2048;
const HOUR: u32 = 3600;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateRole {
    role_name: String,
    path: Option<String>,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<u32>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedRole {
    role_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateRole {
    role_name: String,
    description: Option<String>,
    max_session_duration: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateTrust {
    role_name: String,
    policy_document: String,
}

fn on_role(_: &Ctx, identity: &Identity, input: &NamedRole) -> Result<Target, IamError> {
    Target::holder::<Role>(identity, &input.role_name)
}

fn on_update(_: &Ctx, identity: &Identity, input: &UpdateRole) -> Result<Target, IamError> {
    Target::holder::<Role>(identity, &input.role_name)
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let table = add(table, state, "CreateRole", |_, _, input: &CreateRole| Ok(create_target(input)), create);
    let table = add(table, state, "GetRole", on_role, get);
    let any = |_: &Ctx, _: &Identity, _: &ListByPath| Ok(Target::new(Arn::iam("role/").to_string()));
    let table = add(table, state, "ListRoles", any, list);
    let table = add(table, state, "UpdateRole", on_update, update);
    let table = add(table, state, "UpdateRoleDescription", on_update, update_description);
    let table = add(table, state, "DeleteRole", on_role, delete);
    let on_trust = |_: &Ctx, id: &Identity, input: &UpdateTrust| Target::holder::<Role>(id, &input.role_name);
    add(table, state, "UpdateAssumeRolePolicy", on_trust, update_trust)
}

fn create_target(input: &CreateRole) -> Target {
    let path = input.path.as_deref().unwrap_or("/");
    let target = Target::new(Arn::iam(format!("role{path}{}", input.role_name)).to_string()).with_tags(&input.tags);
    match &input.permissions_boundary {
        Some(boundary) => target.with_key("iam:PermissionsBoundary", boundary),
        None => target,
    }
}

/// Checks a trust policy: its language, its size, and that the users and roles of this account that it names exist.
/// Says which unique ids they have.
fn check_trust(identity: &Identity, document: &str) -> Result<BTreeMap<String, String>, IamError> {
    let policy = Policy::parse(document, PolicyKind::Trust)?;
    if input::policy_size(document) > TRUST_QUOTA {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for ACLSizePerRole: {TRUST_QUOTA}")));
    }
    let own = format!("arn:aws:iam::{ACCOUNT_ID}:");
    let mut ids = BTreeMap::new();
    for arn in policy.named_principals() {
        let Some(resource) = arn.strip_prefix(&own) else { continue };
        let id = principal_id(identity, arn, resource)?;
        let invalid = || MalformedPolicy(format!("Invalid principal in policy: \"AWS\":\"{arn}\""));
        ids.insert(arn.to_owned(), id.ok_or_else(invalid)?);
    }
    Ok(ids)
}

fn principal_id(identity: &Identity, arn: &str, resource: &str) -> Result<Option<String>, IamError> {
    let name = resource.rsplit('/').next().unwrap_or_default();
    if resource.starts_with("user/") {
        return Ok(identity.store.find::<User>(name)?.filter(|user| user.arn() == arn).map(|user| user.id));
    }
    Ok(identity.store.find::<Role>(name)?.filter(|role| role.arn() == arn).map(|role| role.id))
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: CreateRole) -> Result<Value, IamError> {
    input::name(&input.role_name, "roleName", 64)?;
    input::description(input.description.as_deref().unwrap_or_default())?;
    if input.path.as_deref().is_some_and(|path| path.starts_with(service_linked::PATH)) {
        let message =
            format!("The path {} is for service-linked roles: use CreateServiceLinkedRole", service_linked::PATH);
        return Err(IamError::InvalidInput(message));
    }
    let trusted_ids = check_trust(&identity, &input.assume_role_policy_document)?;
    check_boundary(&identity, input.permissions_boundary.as_deref())?;
    let role = Role {
        path: input::path(input.path)?,
        id: new_id("AROA")?,
        name: input.role_name,
        created: now(&ctx),
        trust: input.assume_role_policy_document,
        trusted_ids,
        description: input.description,
        max_session: session_length(input.max_session_duration)?,
        tags: input::tags(input.tags)?,
        policies: Policies { boundary: input.permissions_boundary, ..Policies::default() },
    };
    let shape = output::role(&role, false);
    let taken = format!("Role with name {} already exists.", role.name);
    identity.store.write(move |tx| insert(tx, &role, taken, QUOTA)).await?;
    Ok(json!({"Role": shape}))
}

fn session_length(given: Option<u32>) -> Result<u32, IamError> {
    input::within(given.unwrap_or(HOUR), "maxSessionDuration", HOUR, 12 * HOUR)
}

async fn get(_: Ctx, identity: Arc<Identity>, input: NamedRole) -> Result<Value, IamError> {
    let role = identity.store.get(&input.role_name)?;
    let mut shape = output::role(&role, false);
    shape["RoleLastUsed"] = role_last_used(&identity, &role)?;
    Ok(json!({"Role": shape}))
}

async fn list(_: Ctx, identity: Arc<Identity>, input: ListByPath) -> Result<Value, IamError> {
    let (prefix, paging) = input.parts();
    let roles = identity.store.below::<Role>(&prefix)?;
    output::page("Roles", roles, &paging, |role| row_name(&role.name), |role| output::role(role, true))
}

async fn change(identity: &Identity, input: UpdateRole) -> Result<Role, IamError> {
    input::description(input.description.as_deref().unwrap_or_default())?;
    let max_session = input.max_session_duration.map(|given| session_length(Some(given))).transpose()?;
    identity
        .store
        .write(move |tx| {
            tx.change(&input.role_name, |role: &mut Role| {
                role.description = input.description.or(role.description.take());
                role.max_session = max_session.unwrap_or(role.max_session);
                Ok(())
            })
        })
        .await
}

async fn update(_: Ctx, identity: Arc<Identity>, input: UpdateRole) -> Result<Empty, IamError> {
    change(&identity, input).await?;
    Ok(Empty {})
}

async fn update_description(_: Ctx, identity: Arc<Identity>, input: UpdateRole) -> Result<Value, IamError> {
    Ok(json!({"Role": output::role(&change(&identity, input).await?, false)}))
}

async fn update_trust(_: Ctx, identity: Arc<Identity>, input: UpdateTrust) -> Result<Empty, IamError> {
    let trusted_ids = check_trust(&identity, &input.policy_document)?;
    identity
        .store
        .write(move |tx| {
            tx.change(&input.role_name, |role: &mut Role| {
                super::modifiable(role)?;
                role.trust = input.policy_document;
                role.trusted_ids = trusted_ids;
                Ok(())
            })
        })
        .await?;
    Ok(Empty {})
}

async fn delete(_: Ctx, identity: Arc<Identity>, input: NamedRole) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let role: Role = tx.entity(&input.role_name)?;
            super::modifiable(&role)?;
            check_bare(&role.policies)?;
            refuse_profile_member(tx, &role)?;
            tx.delete(Role::SPACE, &row(&role.name))?;
            Ok(Empty {})
        })
        .await
}
