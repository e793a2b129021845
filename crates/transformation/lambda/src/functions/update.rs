//! UpdateFunctionCode and UpdateFunctionConfiguration. A change makes a new revision, which new instances are started for.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde::Deserialize;
use serde_json::Value;

use super::create::architecture;
use super::{check_unpacked_size, layer_uses, shape, versions};
use crate::api::{Code, Settings};
use crate::code;
use crate::dead_letters;
use crate::error::LambdaError;
use crate::names::FunctionRef;
use crate::settings;
use crate::store::{FUNCTIONS, Function, Lambda, LayerUse, check_revision, check_role, new_revision, stored};

/// UpdateFunctionCode's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateCode {
    pub(crate) function_name: String,
    #[serde(flatten)]
    code: Code,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    dry_run: bool,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
    publish_to: Option<String>,
}

pub(crate) async fn update_code(ctx: Ctx, state: Arc<Lambda>, input: UpdateCode) -> Result<Value, LambdaError> {
    let name = FunctionRef::unqualified(&input.function_name)?;
    if input.publish_to.is_some() {
        return Err(LambdaError::NotImplemented("PublishTo"));
    }
    let architectures = input.architectures.as_deref().map(|given| architecture(Some(given))).transpose()?;
    let present = state.function(ctx.region(), &name)?;
    check_revision(input.revision_id.as_deref(), &present.latest.revision)?;
    let kept = state.code.keep(code::fetch(&ctx, &state, &input.code).await?).await?;
    let (region, now) = (ctx.region().to_owned(), ctx.now());
    let shown = state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &region, &name)?;
            check_revision(input.revision_id.as_deref(), &stored.latest.revision)?;
            check_unpacked_size(kept.unpacked, &stored.latest.layers)?;
            let latest = &mut stored.latest;
            latest.digest = kept.digest;
            latest.code_size = kept.size;
            latest.unpacked = kept.unpacked;
            latest.architecture = architectures.unwrap_or_else(|| latest.architecture.clone());
            latest.last_modified = now;
            latest.revision = new_revision();
            if input.dry_run {
                return Ok(stored.latest);
            }
            let version = if input.publish { Some(versions::publish(tx, &mut stored, None, now)?) } else { None };
            tx.put_json(FUNCTIONS, &Key::new([&name]), &stored)?;
            Ok::<Function, LambdaError>(version.unwrap_or(stored.latest))
        })
        .await?;
    state.pool.retire(&shown.name);
    Ok(shape::configuration(ctx.region(), &shown))
}

/// UpdateFunctionConfiguration's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateConfiguration {
    pub(crate) function_name: String,
    #[serde(flatten)]
    settings: Settings,
    revision_id: Option<String>,
}

pub(crate) async fn update_configuration(
    ctx: Ctx,
    state: Arc<Lambda>,
    input: UpdateConfiguration,
) -> Result<Value, LambdaError> {
    let name = FunctionRef::unqualified(&input.function_name)?;
    settings::check(&input.settings)?;
    let present = state.function(ctx.region(), &name)?;
    // The role that the function has already needs no leave to be passed again.
    if let Some(role) = input.settings.role.as_ref().filter(|role| **role != present.latest.role) {
        check_role(&ctx, &state, role)?;
    }
    let layers = input.settings.layers.as_ref().map(|arns| layer_uses(&ctx, &state, arns)).transpose()?;
    if input.settings.dead_letter_config.is_some() {
        let mut wanted = present.latest;
        apply(&mut wanted, input.settings.clone(), None);
        dead_letters::check_role(&state, &wanted)?;
    }
    let (region, now) = (ctx.region().to_owned(), ctx.now());
    let shown = state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &region, &name)?;
            check_revision(input.revision_id.as_deref(), &stored.latest.revision)?;
            apply(&mut stored.latest, input.settings, layers);
            check_unpacked_size(stored.latest.unpacked, &stored.latest.layers)?;
            stored.latest.last_modified = now;
            stored.latest.revision = new_revision();
            tx.put_json(FUNCTIONS, &Key::new([&name]), &stored)?;
            Ok::<Function, LambdaError>(stored.latest)
        })
        .await?;
    state.pool.retire(&shown.name);
    Ok(shape::configuration(ctx.region(), &shown))
}

fn apply(function: &mut Function, settings: Settings, layers: Option<Vec<LayerUse>>) {
    let Settings { runtime, role, handler, description, timeout, memory_size, environment, .. } = settings;
    let texts = [
        (runtime, &mut function.runtime),
        (role, &mut function.role),
        (handler, &mut function.handler),
        (description, &mut function.description),
    ];
    for (given, present) in texts {
        *present = given.unwrap_or_else(|| std::mem::take(present));
    }
    function.timeout = timeout.map_or(function.timeout, i64::unsigned_abs);
    function.memory = memory_size.map_or(function.memory, i64::unsigned_abs);
    if let Some(environment) = environment {
        function.environment = environment.variables;
    }
    if let Some(layers) = layers {
        function.layers = layers;
    }
    function.ephemeral_storage = settings.ephemeral_storage.unwrap_or(function.ephemeral_storage);
    if let Some(logging) = settings.logging_config {
        function.logging = logging;
    }
    if let Some(config) = settings.dead_letter_config {
        function.dead_letters = config.queue();
    }
}
