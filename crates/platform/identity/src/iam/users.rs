//! Users: create, get, list, update, delete, tags.

use std::collections::BTreeSet;
use std::sync::Arc;

use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{ACCOUNT_ID, Arn, Ctx, ServiceTable};
use boathouse_metadata::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{self, Tag};
use super::output::{self, Empty, Paging};
use super::table::{Target, add};
use super::{check_boundary, new_id, now};
use crate::entities::{AccessKey, Policies, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, Rows, row, row_name};

const QUOTA: usize = 5000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateUser {
    user_name: String,
    path: Option<String>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MaybeUser {
    pub(super) user_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedUser {
    user_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateUser {
    user_name: String,
    new_path: Option<String>,
    new_user_name: Option<String>,
}

/// A listing of entities below a path.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListByPath {
    pub(super) path_prefix: Option<String>,
    pub(super) marker: Option<String>,
    pub(super) max_items: Option<u32>,
}

impl ListByPath {
    /// The prefix and the paging.
    pub(super) fn parts(self) -> (String, Paging) {
        (self.path_prefix.unwrap_or_else(|| "/".into()), Paging { marker: self.marker, max_items: self.max_items })
    }
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let table = add(table, state, "CreateUser", |_, _, input: &CreateUser| Ok(create_target(input)), create);
    let table = add(table, state, "GetUser", maybe_user, get);
    let any = |_: &Ctx, _: &Identity, _: &ListByPath| Ok(Target::new(Arn::iam("user/").to_string()));
    let table = add(table, state, "ListUsers", any, list);
    let on_user = |_: &Ctx, identity: &Identity, input: &NamedUser| Target::holder::<User>(identity, &input.user_name);
    let table = add(table, state, "DeleteUser", on_user, delete);
    add(table, state, "UpdateUser", |_, id, input: &UpdateUser| Target::holder::<User>(id, &input.user_name), update)
}

fn create_target(input: &CreateUser) -> Target {
    let path = input.path.as_deref().unwrap_or("/");
    let target = Target::new(Arn::iam(format!("user{path}{}", input.user_name)).to_string()).with_tags(&input.tags);
    match &input.permissions_boundary {
        Some(boundary) => target.with_key("iam:PermissionsBoundary", boundary),
        None => target,
    }
}

/// The user of a request that may leave the name out: then it is the caller.
pub(super) fn caller_or(ctx: &Ctx, name: Option<&str>) -> Result<String, IamError> {
    match (name, &ctx.principal.kind) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, PrincipalKind::User { name }) => Ok(name.to_string()),
        (None, _) => Err(IamError::Validation("Must specify userName when calling with non-User credentials".into())),
    }
}

pub(super) fn maybe_user(ctx: &Ctx, identity: &Identity, input: &MaybeUser) -> Result<Target, IamError> {
    if input.user_name.is_none() && ctx.principal.is_root() {
        return Ok(Target::new(ctx.principal.arn.clone()));
    }
    Target::holder::<User>(identity, &caller_or(ctx, input.user_name.as_deref())?)
}

/// Writes an entity whose name must be free.
pub(super) fn insert<E: Entity>(tx: &Transaction<'_>, entity: &E, taken: String, quota: usize) -> Result<(), IamError> {
    if tx.contains(E::SPACE, &row(entity.name()))? {
        return Err(IamError::EntityAlreadyExists(taken));
    }
    if tx.scan(E::SPACE, &boathouse_metadata::Key::default(), None, quota)?.len() >= quota {
        let sort = E::SORT;
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for {sort}s per account: {quota}")));
    }
    tx.keep(entity)
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: CreateUser) -> Result<Value, IamError> {
    input::name(&input.user_name, "userName", 64)?;
    check_boundary(&identity, input.permissions_boundary.as_deref())?;
    let user = User {
        path: input::path(input.path)?,
        id: new_id("AIDA")?,
        name: input.user_name,
        created: now(&ctx),
        tags: input::tags(input.tags)?,
        policies: Policies { boundary: input.permissions_boundary, ..Policies::default() },
        groups: BTreeSet::new(),
        keys: BTreeSet::new(),
    };
    let shape = output::user(&user, false);
    let taken = format!("User with name {} already exists.", user.name);
    identity.store.write(move |tx| insert(tx, &user, taken, QUOTA)).await?;
    Ok(json!({"User": shape}))
}

async fn get(ctx: Ctx, identity: Arc<Identity>, input: MaybeUser) -> Result<Value, IamError> {
    if input.user_name.is_none() && ctx.principal.is_root() {
        return Ok(json!({"User": {"UserId": ACCOUNT_ID, "Arn": ctx.principal.arn}}));
    }
    let name = caller_or(&ctx, input.user_name.as_deref())?;
    Ok(json!({"User": output::user(&identity.store.get(&name)?, false)}))
}

async fn list(_: Ctx, identity: Arc<Identity>, input: ListByPath) -> Result<Value, IamError> {
    let (prefix, paging) = input.parts();
    let users = identity.store.below::<User>(&prefix)?;
    output::page("Users", users, &paging, |user| row_name(&user.name), |user| output::user(user, true))
}

/// A name decides what `${aws:username}` grants, so a user needs leave for its new ARN as well.
fn permit_rename(ctx: &Ctx, identity: &Identity, input: &UpdateUser) -> Result<(), IamError> {
    let user: User = identity.store.get(&input.user_name)?;
    let path = input.new_path.as_deref().unwrap_or(&user.path);
    let name = input.new_user_name.as_deref().unwrap_or(&user.name);
    Target::new(Arn::iam(format!("user{path}{name}")).to_string()).permit(ctx, identity, "UpdateUser")
}

async fn update(ctx: Ctx, identity: Arc<Identity>, input: UpdateUser) -> Result<Empty, IamError> {
    permit_rename(&ctx, &identity, &input)?;
    let new_path = input.new_path.map(|path| input::path(Some(path))).transpose()?;
    if let Some(name) = &input.new_user_name {
        input::name(name, "newUserName", 64)?;
    }
    identity
        .store
        .write(move |tx| {
            let mut user: User = tx.entity(&input.user_name)?;
            user.path = new_path.unwrap_or(user.path);
            let old = row_name(&user.name);
            user.name = input.new_user_name.unwrap_or(user.name);
            if row_name(&user.name) == old {
                return tx.keep(&user);
            }
            tx.delete(User::SPACE, &row(&old))?;
            for key in &user.keys {
                tx.change(key, |key: &mut AccessKey| {
                    key.user = row_name(&user.name);
                    Ok(())
                })?;
            }
            insert(tx, &user, format!("User with name {} already exists.", user.name), QUOTA)
        })
        .await?;
    Ok(Empty {})
}

async fn delete(_: Ctx, identity: Arc<Identity>, input: NamedUser) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let user: User = tx.entity(&input.user_name)?;
            check_bare(&user.policies)?;
            let conflict =
                |what: &str| Err(IamError::DeleteConflict(format!("Cannot delete entity, must {what} first.")));
            if !user.keys.is_empty() {
                return conflict("delete access keys");
            }
            if !user.groups.is_empty() {
                return conflict("remove users from group");
            }
            tx.delete(User::SPACE, &row(&user.name))?;
            Ok(Empty {})
        })
        .await
}

/// Refuses to delete what policies still hang on.
pub(super) fn check_bare(policies: &Policies) -> Result<(), IamError> {
    if !policies.attached.is_empty() {
        return Err(IamError::DeleteConflict("Cannot delete entity, must detach all policies first.".into()));
    }
    if !policies.inline.is_empty() {
        return Err(IamError::DeleteConflict("Cannot delete entity, must delete policies first.".into()));
    }
    Ok(())
}
