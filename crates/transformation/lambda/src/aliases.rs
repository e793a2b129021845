//! Aliases: names for a version, or for two with weights.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Empty, Page};
use crate::error::LambdaError;
use crate::functions::shape;
use crate::names::{FunctionRef, LATEST, function_arn, is_version, valid_alias};
use crate::store::{
    ALIASES, Alias, EVENT_CONFIGS, Lambda, POLICIES, VERSIONS, check_revision, missing, new_revision, page, stored,
    version_key,
};

/// `AliasRoutingConfiguration`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Routing {
    #[serde(default)]
    additional_version_weights: BTreeMap<String, f64>,
}

impl Routing {
    /// The second version and its share, if there is one.
    fn second(self, first: &str) -> Result<Option<(String, f64)>, LambdaError> {
        let mut weights = self.additional_version_weights.into_iter();
        let Some((version, share)) = weights.next() else { return Ok(None) };
        if weights.next().is_some() {
            let message = "Number of items in AdditionalVersionWeights cannot be greater than 1";
            return Err(LambdaError::InvalidParameter(message.into()));
        }
        if !(0.0..=1.0).contains(&share) {
            let constraint = "Map value must satisfy constraint: [Member must have value between 0.0 and 1.0]";
            return Err(LambdaError::constraint(share, "routingConfig.additionalVersionWeights", constraint));
        }
        if version == first || !is_version(&version) || !is_version(first) {
            let message = format!(
                "Invalid function version {version}. Function version {first} and a published version \
                                   other than it can share an alias."
            );
            return Err(LambdaError::InvalidParameter(message));
        }
        Ok(Some((version, share)))
    }
}

/// CreateAlias' and UpdateAlias' input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AliasInput {
    pub(crate) function_name: String,
    pub(crate) name: String,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<Routing>,
    revision_id: Option<String>,
}

/// Names an alias.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AliasName {
    pub(crate) function_name: String,
    pub(crate) name: String,
}

fn check_version(tx: &Transaction<'_>, region: &str, function: &str, version: &str) -> Result<(), LambdaError> {
    if version != LATEST && !is_version(version) {
        let constraint = r"Member must satisfy regular expression pattern: (\$LATEST|[0-9]+)";
        return Err(LambdaError::constraint(version, "functionVersion", constraint));
    }
    if version == LATEST || tx.contains(VERSIONS, &version_key(function, version))? {
        return Ok(());
    }
    Err(missing(region, function, Some(version)))
}

fn check_versions(tx: &Transaction<'_>, region: &str, function: &str, alias: &Alias) -> Result<(), LambdaError> {
    check_version(tx, region, function, &alias.version)?;
    alias.second.as_ref().map_or(Ok(()), |(version, _)| check_version(tx, region, function, version))
}

fn check_description(description: Option<&str>) -> Result<(), LambdaError> {
    match description.filter(|text| text.chars().count() > 256) {
        None => Ok(()),
        Some(text) => {
            let constraint = "Member must have length less than or equal to 256";
            Err(LambdaError::constraint(text, "description", constraint))
        }
    }
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Lambda>, input: AliasInput) -> Result<Value, LambdaError> {
    let function = FunctionRef::unqualified(&input.function_name)?;
    valid_alias(&input.name)?;
    check_description(input.description.as_deref())?;
    let version = input
        .function_version
        .ok_or_else(|| LambdaError::constraint("null", "functionVersion", "Member must not be null"))?;
    let alias = Alias {
        second: input.routing_config.unwrap_or_default().second(&version)?,
        name: input.name,
        version,
        description: input.description.unwrap_or_default(),
        revision: new_revision(),
    };
    let region = ctx.region().to_owned();
    state
        .metadata
        .transaction(move |tx| {
            stored(tx, &region, &function)?;
            check_versions(tx, &region, &function, &alias)?;
            let key = Key::new([&function, &alias.name]);
            if tx.contains(ALIASES, &key)? {
                let arn = function_arn(&region, &function, Some(&alias.name));
                return Err(LambdaError::Conflict(format!("Alias already exists: {arn}")));
            }
            tx.put_json(ALIASES, &key, &alias)?;
            Ok(shape::alias(&region, &function, &alias))
        })
        .await
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Lambda>, input: AliasInput) -> Result<Value, LambdaError> {
    let function = FunctionRef::unqualified(&input.function_name)?;
    check_description(input.description.as_deref())?;
    let region = ctx.region().to_owned();
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&function, &input.name]);
            let mut alias: Alias =
                tx.get_json(ALIASES, &key)?.ok_or_else(|| no_alias(&region, &function, &input.name))?;
            check_revision(input.revision_id.as_deref(), &alias.revision)?;
            alias.version = input.function_version.unwrap_or(alias.version);
            alias.description = input.description.unwrap_or(alias.description);
            if let Some(routing) = input.routing_config {
                alias.second = routing.second(&alias.version)?;
            }
            check_versions(tx, &region, &function, &alias)?;
            alias.revision = new_revision();
            tx.put_json(ALIASES, &key, &alias)?;
            Ok(shape::alias(&region, &function, &alias))
        })
        .await
}

fn no_alias(region: &str, function: &str, alias: &str) -> LambdaError {
    LambdaError::NotFound(format!("Cannot find alias arn: {}", function_arn(region, function, Some(alias))))
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Lambda>, input: AliasName) -> Result<Value, LambdaError> {
    let function = FunctionRef::unqualified(&input.function_name)?;
    let alias: Option<Alias> = state.metadata.get_json(ALIASES, &Key::new([&function, &input.name]))?;
    let alias = alias.ok_or_else(|| no_alias(ctx.region(), &function, &input.name))?;
    Ok(shape::alias(ctx.region(), &function, &alias))
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Lambda>, input: AliasName) -> Result<Empty, LambdaError> {
    let function = FunctionRef::unqualified(&input.function_name)?;
    let region = ctx.region().to_owned();
    state
        .metadata
        .transaction(move |tx| {
            stored(tx, &region, &function)?;
            let key = Key::new([&function, &input.name]);
            // As on AWS, deleting an alias that is not there succeeds.
            for space in [ALIASES, POLICIES, EVENT_CONFIGS] {
                tx.delete(space, &key)?;
            }
            Ok(Empty {})
        })
        .await
}

/// ListAliases' input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListAliases {
    pub(crate) function_name: String,
    function_version: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Lambda>, input: ListAliases) -> Result<Value, LambdaError> {
    let function = FunctionRef::unqualified(&input.function_name)?;
    state.function(ctx.region(), &function)?;
    let (aliases, marker) = page::<Alias>(&state, ALIASES, &Key::new([&function]), &input.page)?;
    let wanted = |alias: &&Alias| input.function_version.as_ref().is_none_or(|version| *version == alias.version);
    let shown: Vec<Value> =
        aliases.iter().filter(wanted).map(|alias| shape::alias(ctx.region(), &function, alias)).collect();
    Ok(json!({"Aliases": shown, "NextMarker": marker}))
}
