//! What users, groups and roles have alike: inline policies, attached policies, boundaries.

use std::sync::Arc;

use boathouse_aws::{Ctx, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input;
use super::output::{self, Empty, Paging};
use super::require_policy;
use super::table::{Target, add};
use crate::entities::{Group, Role, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::policy::{Policy, PolicyKind};
use crate::store::{Holder, Rows};

/// How many managed policies may be attached to one entity.
const ATTACHED: usize = 10;

#[derive(Deserialize)]
struct Named {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPolicy {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    policy_name: String,
    policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InlinePolicy {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    policy_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttachedPolicy {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    policy_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutBoundary {
    #[serde(alias = "UserName", alias = "RoleName")]
    name: String,
    permissions_boundary: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListHeld {
    #[serde(alias = "UserName", alias = "GroupName", alias = "RoleName")]
    name: String,
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<u32>,
}

fn on_name<H: Holder>(_: &Ctx, identity: &Identity, input: &Named) -> Result<Target, IamError> {
    Target::holder::<H>(identity, &input.name)
}

fn on_put<H: Holder>(_: &Ctx, identity: &Identity, input: &PutPolicy) -> Result<Target, IamError> {
    Target::holder::<H>(identity, &input.name)
}

fn on_inline<H: Holder>(_: &Ctx, identity: &Identity, input: &InlinePolicy) -> Result<Target, IamError> {
    Target::holder::<H>(identity, &input.name)
}

fn on_attached<H: Holder>(_: &Ctx, identity: &Identity, input: &AttachedPolicy) -> Result<Target, IamError> {
    Ok(Target::holder::<H>(identity, &input.name)?.with_key("iam:PolicyARN", &input.policy_arn))
}

fn on_boundary<H: Holder>(_: &Ctx, identity: &Identity, input: &PutBoundary) -> Result<Target, IamError> {
    let target = Target::holder::<H>(identity, &input.name)?;
    Ok(target.with_key("iam:PermissionsBoundary", &input.permissions_boundary))
}

fn on_list<H: Holder>(_: &Ctx, identity: &Identity, input: &ListHeld) -> Result<Target, IamError> {
    Target::holder::<H>(identity, &input.name)
}

macro_rules! held {
    ($table:expr, $state:expr, $holder:ty, $sort:literal) => {{
        let table = add($table, $state, concat!("Put", $sort, "Policy"), on_put::<$holder>, put::<$holder>);
        let table = add(table, $state, concat!("Get", $sort, "Policy"), on_inline::<$holder>, get::<$holder>);
        let table = add(table, $state, concat!("Delete", $sort, "Policy"), on_inline::<$holder>, delete::<$holder>);
        let table = add(table, $state, concat!("List", $sort, "Policies"), on_list::<$holder>, list::<$holder>);
        let table = add(table, $state, concat!("Attach", $sort, "Policy"), on_attached::<$holder>, attach::<$holder>);
        let table = add(table, $state, concat!("Detach", $sort, "Policy"), on_attached::<$holder>, detach::<$holder>);
        let listing = concat!("ListAttached", $sort, "Policies");
        add(table, $state, listing, on_list::<$holder>, list_attached::<$holder>)
    }};
}

macro_rules! bounded {
    ($table:expr, $state:expr, $holder:ty, $sort:literal) => {{
        let (put, delete) =
            (concat!("Put", $sort, "PermissionsBoundary"), concat!("Delete", $sort, "PermissionsBoundary"));
        let table = add($table, $state, put, on_boundary::<$holder>, put_boundary::<$holder>);
        add(table, $state, delete, on_name::<$holder>, delete_boundary::<$holder>)
    }};
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let table = held!(table, state, User, "User");
    let table = held!(table, state, Group, "Group");
    let table = held!(table, state, Role, "Role");
    let table = bounded!(table, state, User, "User");
    bounded!(table, state, Role, "Role")
}

async fn put<H: Holder>(_: Ctx, identity: Arc<Identity>, input: PutPolicy) -> Result<Empty, IamError> {
    input::name(&input.policy_name, "policyName", 128)?;
    Policy::parse(&input.policy_document, PolicyKind::Identity)?;
    identity
        .store
        .write(move |tx| {
            tx.change(&input.name, |holder: &mut H| {
                super::modifiable(holder)?;
                let inline = &mut holder.policies_mut().inline;
                inline.insert(input.policy_name, input.policy_document);
                let size: usize = inline.values().map(|document| input::policy_size(document)).sum();
                if size <= H::INLINE_QUOTA {
                    return Ok(());
                }
                let (most, sort, name) = (H::INLINE_QUOTA, H::SORT, holder.name());
                let message = format!("Maximum policy size of {most} bytes exceeded for {sort} {name}");
                Err(IamError::LimitExceeded(message))
            })
        })
        .await?;
    Ok(Empty {})
}

fn no_inline<H: Holder>(policy: &str) -> IamError {
    IamError::no_such(&format!("{} policy", H::SORT), policy)
}

async fn get<H: Holder>(_: Ctx, identity: Arc<Identity>, input: InlinePolicy) -> Result<Value, IamError> {
    let holder: H = identity.store.get(&input.name)?;
    let document = holder.policies().inline.get(&input.policy_name);
    let document = document.ok_or_else(|| no_inline::<H>(&input.policy_name))?;
    Ok(json!({H::MEMBER: holder.name(), "PolicyName": input.policy_name, "PolicyDocument": output::encoded(document)}))
}

async fn delete<H: Holder>(_: Ctx, identity: Arc<Identity>, input: InlinePolicy) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            tx.change(&input.name, |holder: &mut H| {
                super::modifiable(holder)?;
                let removed = holder.policies_mut().inline.remove(&input.policy_name);
                removed.map(drop).ok_or_else(|| no_inline::<H>(&input.policy_name))
            })
        })
        .await?;
    Ok(Empty {})
}

async fn list<H: Holder>(_: Ctx, identity: Arc<Identity>, input: ListHeld) -> Result<Value, IamError> {
    let holder: H = identity.store.get(&input.name)?;
    let names: Vec<_> = holder.policies().inline.keys().cloned().collect();
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    output::page("PolicyNames", names, &paging, String::clone, |name| json!(name))
}

async fn attach<H: Holder>(_: Ctx, identity: Arc<Identity>, input: AttachedPolicy) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            require_policy(tx, &input.policy_arn)?;
            tx.change(&input.name, |holder: &mut H| {
                super::modifiable(holder)?;
                let attached = &mut holder.policies_mut().attached;
                attached.insert(input.policy_arn);
                if attached.len() <= ATTACHED {
                    return Ok(());
                }
                let quota = H::ATTACHED_QUOTA;
                Err(IamError::LimitExceeded(format!("Cannot exceed quota for {quota}: {ATTACHED}")))
            })
        })
        .await?;
    Ok(Empty {})
}

async fn detach<H: Holder>(_: Ctx, identity: Arc<Identity>, input: AttachedPolicy) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            tx.change(&input.name, |holder: &mut H| {
                super::modifiable(holder)?;
                if holder.policies_mut().attached.remove(&input.policy_arn) {
                    return Ok(());
                }
                Err(IamError::NoSuchEntity(format!("Policy {} was not found.", input.policy_arn)))
            })
        })
        .await?;
    Ok(Empty {})
}

async fn list_attached<H: Holder>(_: Ctx, identity: Arc<Identity>, input: ListHeld) -> Result<Value, IamError> {
    let holder: H = identity.store.get(&input.name)?;
    let prefix = input.path_prefix.unwrap_or_else(|| "/".into());
    let arns = holder.policies().attached.iter();
    let below = |arn: &&String| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(&prefix));
    let arns: Vec<_> = arns.filter(below).cloned().collect();
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    output::page(
        "AttachedPolicies",
        arns,
        &paging,
        String::clone,
        |arn| json!({"PolicyName": arn.rsplit('/').next(), "PolicyArn": arn}),
    )
}

async fn put_boundary<H: Holder>(_: Ctx, identity: Arc<Identity>, input: PutBoundary) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            require_policy(tx, &input.permissions_boundary)?;
            tx.change(&input.name, |holder: &mut H| {
                super::modifiable(holder)?;
                holder.policies_mut().boundary = Some(input.permissions_boundary);
                Ok(())
            })
        })
        .await?;
    Ok(Empty {})
}

async fn delete_boundary<H: Holder>(_: Ctx, identity: Arc<Identity>, input: Named) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            tx.change(&input.name, |holder: &mut H| {
                super::modifiable(holder)?;
                match holder.policies_mut().boundary.take() {
                    Some(_) => Ok(()),
                    None => Err(IamError::NoSuchEntity(format!(
                        "{} {} does not have a permission boundary attached.",
                        H::SORT,
                        holder.name()
                    ))),
                }
            })
        })
        .await?;
    Ok(Empty {})
}
