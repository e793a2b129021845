//! DeleteFunction: all of a function, or one version.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use super::read::Qualified;
use crate::error::LambdaError;
use crate::names::{FunctionRef, LATEST, is_version};
use crate::store::{ALIASES, Alias, EVENT_CONFIGS, FUNCTIONS, Lambda, POLICIES, VERSIONS, stored, version_key};

pub(crate) async fn delete(ctx: Ctx, state: Arc<Lambda>, input: Qualified) -> Result<Value, LambdaError> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref())?;
    let name = wanted.name.clone();
    match wanted.qualifier.as_deref() {
        None => delete_all(&ctx, &state, wanted.name).await?,
        Some(LATEST) => {
            let message = "$LATEST version cannot be deleted without deleting the function.";
            return Err(LambdaError::InvalidParameter(message.into()));
        }
        Some(version) if is_version(version) => delete_version(&ctx, &state, wanted.name, version.to_owned()).await?,
        Some(_) => {
            let message = "Deletion of aliases is not currently supported by this operation; use DeleteAlias.";
            return Err(LambdaError::InvalidParameter(message.into()));
        }
    }
    state.pool.retire(&name);
    Ok(json!({"StatusCode": 204}))
}

async fn delete_all(ctx: &Ctx, state: &Lambda, name: String) -> Result<(), LambdaError> {
    let region = ctx.region().to_owned();
    state
        .metadata
        .transaction(move |tx| {
            stored(tx, &region, &name)?;
            let key = Key::new([&name]);
            tx.delete(FUNCTIONS, &key)?;
            for space in [VERSIONS, ALIASES, POLICIES, EVENT_CONFIGS] {
                tx.delete_prefix(space, &key)?;
            }
            Ok(())
        })
        .await
}

async fn delete_version(ctx: &Ctx, state: &Lambda, name: String, version: String) -> Result<(), LambdaError> {
    let region = ctx.region().to_owned();
    state
        .metadata
        .transaction(move |tx| {
            stored(tx, &region, &name)?;
            let aliases = tx.scan(ALIASES, &Key::new([&name]), None, usize::MAX >> 1)?;
            for entry in aliases {
                let alias: Alias = entry.json()?;
                if alias.version == version || alias.second.is_some_and(|(second, _)| second == version) {
                    let message = format!(
                        "Version {version} of function {name} cannot be deleted because it is used by the alias {}",
                        alias.name
                    );
                    return Err(LambdaError::Conflict(message));
                }
            }
            tx.delete(VERSIONS, &version_key(&name, &version))?;
            Ok(())
        })
        .await
}
