//! CreateFunction.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde::Deserialize;
use serde_json::Value;

use super::{check_unpacked_size, layer_uses, shape, versions};
use crate::api::{Code, Settings, Texts};
use crate::code;
use crate::dead_letters::{self, DeadLetterConfig};
use crate::error::LambdaError;
use crate::names::{FunctionRef, LATEST};
use crate::settings;
use crate::store::{FUNCTIONS, Function, Lambda, StoredFunction, check_role, new_revision};
use crate::tags;

/// CreateFunction's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateFunction {
    pub(crate) function_name: String,
    code: Code,
    #[serde(flatten)]
    settings: Settings,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    tags: Texts,
    package_type: Option<String>,
    code_signing_config_arn: Option<String>,
    architectures: Option<Vec<String>>,
    publish_to: Option<String>,
    tenancy_config: Option<Value>,
}

fn refuse_unimplemented(input: &CreateFunction) -> Result<(), LambdaError> {
    let refused = [
        (input.package_type.as_deref().is_some_and(|kind| kind != "Zip"), "PackageType other than Zip"),
        (input.code_signing_config_arn.is_some(), "CodeSigningConfigArn"),
        (input.publish_to.is_some(), "PublishTo"),
        (input.tenancy_config.is_some(), "TenancyConfig"),
    ];
    match refused.into_iter().find(|(given, _)| *given) {
        Some((_, name)) => Err(LambdaError::NotImplemented(name)),
        None => Ok(()),
    }
}

/// The one architecture of a function.
pub(super) fn architecture(given: Option<&[String]>) -> Result<String, LambdaError> {
    match given {
        None | Some([]) => Ok("x86_64".into()),
        Some([one]) if one == "x86_64" || one == "arm64" => Ok(one.clone()),
        Some(other) => {
            let constraint = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]";
            Err(LambdaError::constraint(format!("[{}]", other.join(", ")), "architectures", constraint))
        }
    }
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Lambda>, input: CreateFunction) -> Result<Value, LambdaError> {
    let name = FunctionRef::unqualified(&input.function_name)?;
    refuse_unimplemented(&input)?;
    settings::check(&input.settings)?;
    tags::check(&input.tags)?;
    let architecture = architecture(input.architectures.as_deref())?;
    let Settings { runtime, role, handler, .. } = input.settings.clone();
    let need = |member: &str| LambdaError::constraint("null", member, "Member must not be null");
    let role = role.ok_or_else(|| need("role"))?;
    let both = "Runtime and Handler are mandatory parameters for functions created with deployment packages.";
    let (Some(runtime), Some(handler)) = (runtime, handler) else {
        return Err(LambdaError::InvalidParameter(both.into()));
    };
    check_role(&ctx, &state, &role)?;
    let layers = layer_uses(&ctx, &state, input.settings.layers.as_deref().unwrap_or_default())?;
    // Before the code is fetched, because most mistakes are found here; again when it is written.
    if state.function(ctx.region(), &name).is_ok() {
        return Err(already_exists(&name));
    }
    let kept = state.code.keep(code::fetch(&ctx, &state, &input.code).await?).await?;
    check_unpacked_size(kept.unpacked, &layers)?;
    let settings = input.settings;
    let latest = Function {
        name: name.clone(),
        version: LATEST.into(),
        runtime,
        role,
        handler,
        description: settings.description.unwrap_or_default(),
        timeout: settings.timeout.map_or(3, i64::unsigned_abs),
        memory: settings.memory_size.map_or(128, i64::unsigned_abs),
        environment: settings.environment.unwrap_or_default().variables,
        layers,
        ephemeral_storage: settings.ephemeral_storage.unwrap_or_default(),
        logging: settings.logging_config.unwrap_or_default(),
        dead_letters: settings.dead_letter_config.as_ref().and_then(DeadLetterConfig::queue),
        architecture,
        digest: kept.digest,
        code_size: kept.size,
        unpacked: kept.unpacked,
        last_modified: ctx.now(),
        revision: new_revision(),
    };
    dead_letters::check_role(&state, &latest)?;
    let mut stored = StoredFunction { latest, published: 0, tags: input.tags, reserved: None };
    let publish = input.publish;
    let now = ctx.now();
    let shown = state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&name]);
            if tx.contains(FUNCTIONS, &key)? {
                return Err(already_exists(&name));
            }
            let version = if publish { Some(versions::publish(tx, &mut stored, None, now)?) } else { None };
            tx.put_json(FUNCTIONS, &key, &stored)?;
            Ok(version.unwrap_or(stored.latest))
        })
        .await?;
    Ok(shape::configuration(ctx.region(), &shown))
}

fn already_exists(name: &str) -> LambdaError {
    LambdaError::Conflict(format!("Function already exist: {name}"))
}
