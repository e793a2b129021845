//! Groups: create, get, list, delete, and who is in them.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input;
use super::output::{self, Empty, Paging};
use super::table::{Target, add};
use super::users::{ListByPath, check_bare, insert};
use super::{new_id, now};
use crate::entities::{Group, Policies, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, Rows, row, row_name};

const QUOTA: usize = 300;
/// How many groups one user may be in.
const GROUPS_PER_USER: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateGroup {
    group_name: String,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedGroup {
    group_name: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Membership {
    group_name: String,
    user_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateGroup {
    group_name: String,
    new_path: Option<String>,
    new_group_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfUser {
    user_name: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

fn on_group(_: &Ctx, identity: &Identity, input: &NamedGroup) -> Result<Target, IamError> {
    Target::holder::<Group>(identity, &input.group_name)
}

fn on_membership(_: &Ctx, identity: &Identity, input: &Membership) -> Result<Target, IamError> {
    Target::holder::<Group>(identity, &input.group_name)
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let new = |_: &Ctx, _: &Identity, input: &CreateGroup| {
        let path = input.path.as_deref().unwrap_or("/");
        Ok(Target::new(Arn::iam(format!("group{path}{}", input.group_name)).to_string()))
    };
    let table = add(table, state, "CreateGroup", new, create);
    let table = add(table, state, "GetGroup", on_group, get);
    let any = |_: &Ctx, _: &Identity, _: &ListByPath| Ok(Target::new(Arn::iam("group/").to_string()));
    let table = add(table, state, "ListGroups", any, list);
    let table = add(table, state, "DeleteGroup", on_group, delete);
    let on_update =
        |_: &Ctx, identity: &Identity, input: &UpdateGroup| Target::holder::<Group>(identity, &input.group_name);
    let table = add(table, state, "UpdateGroup", on_update, update);
    let table = add(table, state, "AddUserToGroup", on_membership, join);
    let table = add(table, state, "RemoveUserFromGroup", on_membership, leave);
    let on_user = |_: &Ctx, identity: &Identity, input: &OfUser| Target::holder::<User>(identity, &input.user_name);
    add(table, state, "ListGroupsForUser", on_user, of_user)
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: CreateGroup) -> Result<Value, IamError> {
    input::name(&input.group_name, "groupName", 128)?;
    let group = Group {
        path: input::path(input.path)?,
        id: new_id("AGPA")?,
        name: input.group_name,
        created: now(&ctx),
        policies: Policies::default(),
    };
    let shape = output::group(&group);
    let taken = format!("Group with name {} already exists.", group.name);
    identity.store.write(move |tx| insert(tx, &group, taken, QUOTA)).await?;
    Ok(json!({"Group": shape}))
}

async fn get(_: Ctx, identity: Arc<Identity>, input: NamedGroup) -> Result<Value, IamError> {
    let group: Group = identity.store.get(&input.group_name)?;
    let mut members = identity.store.all::<User>()?;
    members.retain(|user| user.groups.contains(&row_name(&group.name)));
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    let mut answer =
        output::page("Users", members, &paging, |user| row_name(&user.name), |user| output::user(user, true))?;
    answer["Group"] = output::group(&group);
    Ok(answer)
}

async fn list(_: Ctx, identity: Arc<Identity>, input: ListByPath) -> Result<Value, IamError> {
    let (prefix, paging) = input.parts();
    let groups = identity.store.below::<Group>(&prefix)?;
    output::page("Groups", groups, &paging, |group| row_name(&group.name), output::group)
}

async fn delete(_: Ctx, identity: Arc<Identity>, input: NamedGroup) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let group: Group = tx.entity(&input.group_name)?;
            check_bare(&group.policies)?;
            if tx.every::<User>()?.iter().any(|user| user.groups.contains(&row_name(&group.name))) {
                let message = "Cannot delete entity, must remove users from group first.";
                return Err(IamError::DeleteConflict(message.into()));
            }
            tx.delete(Group::SPACE, &row(&group.name))?;
            Ok(Empty {})
        })
        .await
}

/// The group's new ARN needs leave as well, as policies name groups by it.
async fn update(ctx: Ctx, identity: Arc<Identity>, input: UpdateGroup) -> Result<Empty, IamError> {
    let group: Group = identity.store.get(&input.group_name)?;
    let path = input.new_path.as_deref().unwrap_or(&group.path);
    let name = input.new_group_name.as_deref().unwrap_or(&group.name);
    Target::new(Arn::iam(format!("group{path}{name}")).to_string()).permit(&ctx, &identity, "UpdateGroup")?;
    let new_path = input.new_path.map(|path| input::path(Some(path))).transpose()?;
    if let Some(name) = &input.new_group_name {
        input::name(name, "newGroupName", 128)?;
    }
    identity
        .store
        .write(move |tx| {
            let mut group: Group = tx.entity(&input.group_name)?;
            group.path = new_path.unwrap_or(group.path);
            let old = row_name(&group.name);
            group.name = input.new_group_name.unwrap_or(group.name);
            if row_name(&group.name) == old {
                return tx.keep(&group);
            }
            tx.delete(Group::SPACE, &row(&old))?;
            for user in tx.every::<User>()?.into_iter().filter(|user| user.groups.contains(&old)) {
                tx.change(&user.name, |user: &mut User| {
                    user.groups.remove(&old);
                    user.groups.insert(row_name(&group.name));
                    Ok(())
                })?;
            }
            insert(tx, &group, format!("Group with name {} already exists.", group.name), QUOTA)
        })
        .await?;
    Ok(Empty {})
}

async fn join(_: Ctx, identity: Arc<Identity>, input: Membership) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let group: Group = tx.entity(&input.group_name)?;
            tx.change(&input.user_name, |user: &mut User| {
                user.groups.insert(row_name(&group.name));
                if user.groups.len() <= GROUPS_PER_USER {
                    return Ok(());
                }
                Err(IamError::LimitExceeded(format!("Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER}")))
            })
        })
        .await?;
    Ok(Empty {})
}

async fn leave(_: Ctx, identity: Arc<Identity>, input: Membership) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let group: Group = tx.entity(&input.group_name)?;
            tx.change(&input.user_name, |user: &mut User| {
                user.groups.remove(&row_name(&group.name));
                Ok(())
            })
        })
        .await?;
    Ok(Empty {})
}

async fn of_user(_: Ctx, identity: Arc<Identity>, input: OfUser) -> Result<Value, IamError> {
    let user: User = identity.store.get(&input.user_name)?;
    let groups = user.groups.iter().map(|name| identity.store.get(name)).collect::<Result<Vec<Group>, _>>()?;
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    output::page("Groups", groups, &paging, |group| row_name(&group.name), output::group)
}
