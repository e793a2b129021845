//! Instance profiles: roles for machines. No machine here asks for one, but stacks and tools make them and read them back.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys};
use boathouse_aws::{Arn, Ctx, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{self, Tag};
use super::output::{self, Empty, Paging};
use super::table::{Target, add};
use super::users::{ListByPath, insert};
use super::{new_id, now};
use crate::entities::{InstanceProfile, Role};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, Rows, row, row_name};

const QUOTA: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateProfile {
    instance_profile_name: String,
    path: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedProfile {
    instance_profile_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Membership {
    instance_profile_name: String,
    role_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfRole {
    role_name: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

/// The target of operations on a profile: its ARN, with its tags where it has some.
pub(super) fn target(identity: &Identity, name: &str) -> Result<Target, IamError> {
    match identity.store.find::<InstanceProfile>(name)? {
        Some(profile) => Ok(Target::new(profile.arn()).with_resource_tags(&profile.tags)),
        None => Ok(Target::new(Arn::iam(format!("instance-profile/{name}")).to_string())),
    }
}

fn on_profile(_: &Ctx, identity: &Identity, input: &NamedProfile) -> Result<Target, IamError> {
    target(identity, &input.instance_profile_name)
}

fn on_membership(_: &Ctx, identity: &Identity, input: &Membership) -> Result<Target, IamError> {
    target(identity, &input.instance_profile_name)
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let new = |_: &Ctx, _: &Identity, input: &CreateProfile| {
        let path = input.path.as_deref().unwrap_or("/");
        let arn = Arn::iam(format!("instance-profile{path}{}", input.instance_profile_name));
        Ok(Target::new(arn.to_string()).with_tags(&input.tags))
    };
    let table = add(table, state, "CreateInstanceProfile", new, create);
    let table = add(table, state, "GetInstanceProfile", on_profile, get);
    let any = |_: &Ctx, _: &Identity, _: &ListByPath| Ok(Target::new(Arn::iam("instance-profile/").to_string()));
    let table = add(table, state, "ListInstanceProfiles", any, list);
    let table = add(table, state, "DeleteInstanceProfile", on_profile, delete);
    let table = add(table, state, "AddRoleToInstanceProfile", on_membership, join);
    let table = add(table, state, "RemoveRoleFromInstanceProfile", on_membership, leave);
    let on_role = |_: &Ctx, identity: &Identity, input: &OfRole| Target::holder::<Role>(identity, &input.role_name);
    add(table, state, "ListInstanceProfilesForRole", on_role, of_role)
}

/// A profile with its role; listings leave the tags out.
pub(super) fn shape(identity: &Identity, profile: &InstanceProfile, listed: bool) -> Result<Value, IamError> {
    let role = profile.role.as_deref().map(|name| identity.store.get::<Role>(name)).transpose()?;
    Ok(json!({
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn(),
        "CreateDate": profile.created,
        "Roles": role.iter().map(|role| output::role(role, true)).collect::<Vec<_>>(),
        "Tags": if listed { Value::Null } else { output::some_tags(&profile.tags) },
    }))
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: CreateProfile) -> Result<Value, IamError> {
    input::name(&input.instance_profile_name, "instanceProfileName", 128)?;
    let profile = InstanceProfile {
        path: input::path(input.path)?,
        id: new_id("AIPA")?,
        name: input.instance_profile_name,
        created: now(&ctx),
        tags: input::tags(input.tags)?,
        role: None,
    };
    let answer = shape(&identity, &profile, false)?;
    let taken = format!("Instance Profile {} already exists.", profile.name);
    identity.store.write(move |tx| insert(tx, &profile, taken, QUOTA)).await?;
    Ok(json!({"InstanceProfile": answer}))
}

async fn get(_: Ctx, identity: Arc<Identity>, input: NamedProfile) -> Result<Value, IamError> {
    let profile = identity.store.get(&input.instance_profile_name)?;
    Ok(json!({"InstanceProfile": shape(&identity, &profile, false)?}))
}

fn page(identity: &Identity, profiles: Vec<InstanceProfile>, paging: &Paging) -> Result<Value, IamError> {
    let shapes = profiles.iter().map(|profile| Ok((row_name(&profile.name), shape(identity, profile, true)?)));
    let shapes: Vec<(String, Value)> = shapes.collect::<Result<_, IamError>>()?;
    output::page("InstanceProfiles", shapes, paging, |(name, _)| name.clone(), |(_, shape)| shape.clone())
}

async fn list(_: Ctx, identity: Arc<Identity>, input: ListByPath) -> Result<Value, IamError> {
    let (prefix, paging) = input.parts();
    page(&identity, identity.store.below(&prefix)?, &paging)
}

async fn of_role(_: Ctx, identity: Arc<Identity>, input: OfRole) -> Result<Value, IamError> {
    let role: Role = identity.store.get(&input.role_name)?;
    let mut profiles = identity.store.all::<InstanceProfile>()?;
    profiles.retain(|profile| profile.role.as_ref() == Some(&row_name(&role.name)));
    page(&identity, profiles, &Paging { marker: input.marker, max_items: input.max_items })
}

async fn delete(_: Ctx, identity: Arc<Identity>, input: NamedProfile) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let profile: InstanceProfile = tx.entity(&input.instance_profile_name)?;
            if profile.role.is_some() {
                let message = "Cannot delete entity, must remove roles from instance profile first.";
                return Err(IamError::DeleteConflict(message.into()));
            }
            tx.delete(InstanceProfile::SPACE, &row(&profile.name))?;
            Ok(Empty {})
        })
        .await
}

/// Whoever puts a role into a profile hands it to the machines that have the profile.
async fn join(ctx: Ctx, identity: Arc<Identity>, input: Membership) -> Result<Empty, IamError> {
    let role: Role = identity.store.get(&input.role_name)?;
    let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec!["ec2.amazonaws.com".to_owned()])]);
    let passed = role.arn();
    identity.authorize(&ctx, &AccessRequest::new("iam:PassRole", &passed, &keys)).map_err(IamError::Denied)?;
    identity
        .store
        .write(move |tx| {
            let role: Role = tx.entity(&input.role_name)?;
            super::modifiable(&role)?;
            tx.change(&input.instance_profile_name, |profile: &mut InstanceProfile| match &profile.role {
                Some(_) => {
                    Err(IamError::LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1".into()))
                }
                None => {
                    profile.role = Some(row_name(&role.name));
                    Ok(())
                }
            })
        })
        .await?;
    Ok(Empty {})
}

async fn leave(_: Ctx, identity: Arc<Identity>, input: Membership) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let role: Role = tx.entity(&input.role_name)?;
            tx.change(&input.instance_profile_name, |profile: &mut InstanceProfile| {
                match profile.role.take_if(|name| *name == row_name(&role.name)) {
                    Some(_) => Ok(()),
                    None => {
                        let (role, profile) = (&role.name, &profile.name);
                        let message = format!("Role {role} in Instance Profile {profile} cannot be found.");
                        Err(IamError::NoSuchEntity(message))
                    }
                }
            })
        })
        .await?;
    Ok(Empty {})
}
