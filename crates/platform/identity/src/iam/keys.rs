//! Access keys of users.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx, ServiceTable};
use boathouse_metadata::{Key, Transaction};
use serde::Deserialize;
use serde_json::{Value, json};

use super::output::{self, Empty, Paging};
use super::table::{Target, add};
use super::users::{MaybeUser, caller_or};
use super::{new_key_id, now};
use crate::credentials::new_secret;
use crate::entities::{AccessKey, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, Rows, row, row_name};
use crate::usage::{KeyUse, USES};

const QUOTA: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListKeys {
    user_name: Option<String>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedKey {
    user_name: Option<String>,
    access_key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateKey {
    user_name: Option<String>,
    access_key_id: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyId {
    access_key_id: String,
}

fn on_user(ctx: &Ctx, identity: &Identity, name: Option<&str>) -> Result<Target, IamError> {
    Target::holder::<User>(identity, &caller_or(ctx, name)?)
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let table = add(
        table,
        state,
        "CreateAccessKey",
        |c, id, input: &MaybeUser| on_user(c, id, input.user_name.as_deref()),
        create,
    );
    let table =
        add(table, state, "ListAccessKeys", |c, id, input: &ListKeys| on_user(c, id, input.user_name.as_deref()), list);
    let table = add(
        table,
        state,
        "UpdateAccessKey",
        |c, id, input: &UpdateKey| on_user(c, id, input.user_name.as_deref()),
        update,
    );
    let table = add(
        table,
        state,
        "DeleteAccessKey",
        |c, id, input: &NamedKey| on_user(c, id, input.user_name.as_deref()),
        delete,
    );
    add(table, state, "GetAccessKeyLastUsed", owner, last_used)
}

fn owner(_: &Ctx, identity: &Identity, input: &KeyId) -> Result<Target, IamError> {
    match identity.store.find::<AccessKey>(&input.access_key_id)? {
        Some(key) => Target::holder::<User>(identity, &key.user),
        None => Ok(Target::new(Arn::iam("user/*").to_string())),
    }
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: MaybeUser) -> Result<Value, IamError> {
    let user_name = caller_or(&ctx, input.user_name.as_deref())?;
    let id = new_key_id("AKIA")?;
    let secret = new_secret().map_err(|_| IamError::Sealing("making a secret failed"))?;
    let sealed_secret = hex::encode(identity.secrets.seal(&id, secret.expose().as_bytes())?);
    let key = AccessKey { id, user: row_name(&user_name), active: true, created: now(&ctx), sealed_secret };
    let (id, created) = (key.id.clone(), key.created);
    let user: User = identity
        .store
        .write(move |tx| {
            tx.keep(&key)?;
            tx.change(&user_name, |user: &mut User| {
                if user.keys.len() >= QUOTA {
                    return Err(IamError::LimitExceeded(format!("Cannot exceed quota for AccessKeysPerUser: {QUOTA}")));
                }
                user.keys.insert(key.id.clone());
                Ok(())
            })
        })
        .await?;
    Ok(json!({"AccessKey": {
        "UserName": user.name,
        "AccessKeyId": id,
        "Status": "Active",
        "SecretAccessKey": secret.expose(),
        "CreateDate": created,
    }}))
}

async fn list(ctx: Ctx, identity: Arc<Identity>, input: ListKeys) -> Result<Value, IamError> {
    let user: User = identity.store.get(&caller_or(&ctx, input.user_name.as_deref())?)?;
    let keys = user.keys.iter().map(|id| identity.store.get(id)).collect::<Result<Vec<AccessKey>, _>>()?;
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    output::page(
        "AccessKeyMetadata",
        keys,
        &paging,
        |key| key.id.clone(),
        |key| {
            let status = if key.active { "Active" } else { "Inactive" };
            json!({"UserName": user.name, "AccessKeyId": key.id, "Status": status, "CreateDate": key.created})
        },
    )
}

/// The user's key of this id; somebody else's key is as good as none.
fn own_key(tx: &Transaction<'_>, user: &str, id: &str) -> Result<AccessKey, IamError> {
    let user: User = tx.entity(user)?;
    if user.keys.contains(id) { tx.entity(id) } else { Err(AccessKey::missing(id)) }
}

async fn update(ctx: Ctx, identity: Arc<Identity>, input: UpdateKey) -> Result<Empty, IamError> {
    let user = caller_or(&ctx, input.user_name.as_deref())?;
    let active = match input.status.as_str() {
        "Active" => true,
        "Inactive" => false,
        other => {
            let constraint = "Member must satisfy enum value set: [Active, Inactive]";
            return Err(IamError::constraint(other, "status", constraint));
        }
    };
    identity
        .store
        .write(move |tx| {
            let key = own_key(tx, &user, &input.access_key_id)?;
            tx.keep(&AccessKey { active, ..key })
        })
        .await?;
    Ok(Empty {})
}

async fn delete(ctx: Ctx, identity: Arc<Identity>, input: NamedKey) -> Result<Empty, IamError> {
    let user = caller_or(&ctx, input.user_name.as_deref())?;
    let id = input.access_key_id.clone();
    identity
        .store
        .write(move |tx| {
            let key = own_key(tx, &user, &input.access_key_id)?;
            tx.delete(AccessKey::SPACE, &row(&key.id))?;
            tx.delete(USES, &Key::new([&key.id]))?;
            tx.change(&user, |user: &mut User| {
                user.keys.remove(&key.id);
                Ok(())
            })
        })
        .await?;
    identity.usage.forget(&id);
    Ok(Empty {})
}

async fn last_used(_: Ctx, identity: Arc<Identity>, input: KeyId) -> Result<Value, IamError> {
    let key: AccessKey = identity.store.get(&input.access_key_id)?;
    let user: User = identity.store.get(&key.user)?;
    let used = identity.usage.last(&key.id)?;
    let (service, region) = match &used {
        Some(KeyUse::At { service, region, .. }) => (service.as_str(), region.as_str()),
        _ => ("N/A", "N/A"),
    };
    Ok(json!({
        "UserName": user.name,
        "AccessKeyLastUsed": {"LastUsedDate": used.as_ref().map(KeyUse::time), "ServiceName": service, "Region": region},
    }))
}
