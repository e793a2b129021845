//! Layers: archives that functions find in `/opt`.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_metadata::Key;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Code, Empty, Page};
use crate::code::{self, shown_digest};
use crate::error::LambdaError;
use crate::names::{layer_arn, parse_layer, parse_layer_version};
use crate::store::{LAYER_NUMBERS, LAYERS, Lambda, page, timestamp};

/// A version of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) description: String,
    pub(crate) license: Option<String>,
    pub(crate) runtimes: Vec<String>,
    pub(crate) architectures: Vec<String>,
    pub(crate) created: DateTime<Utc>,
    /// Of the archive, in hex.
    pub(crate) digest: String,
    pub(crate) size: u64,
    pub(crate) unpacked: u64,
    /// The token of the call that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

impl Layer {
    fn arn(&self, region: &str) -> String {
        format!("{}:{}", layer_arn(region, &self.name), self.version)
    }

    /// As lists show it.
    fn listed(&self, region: &str) -> Value {
        let mut shown = json!({
            "LayerVersionArn": self.arn(region),
            "Version": self.version,
            "Description": self.description,
            "CreatedDate": timestamp(self.created),
            "CompatibleRuntimes": self.runtimes,
            "CompatibleArchitectures": self.architectures,
        });
        if let Some(license) = &self.license {
            shown["LicenseInfo"] = license.as_str().into();
        }
        shown
    }

    /// As PublishLayerVersion and GetLayerVersion show it.
    fn whole(&self, state: &Lambda, region: &str) -> Value {
        let mut shown = self.listed(region);
        shown["LayerArn"] = layer_arn(region, &self.name).into();
        shown["Content"] = json!({
            "Location": state.location(&self.digest),
            "CodeSha256": shown_digest(&self.digest),
            "CodeSize": self.size,
        });
        shown
    }
}

fn key(name: &str, version: u64) -> Key {
    Key::new([name.to_owned(), format!("{version:012}")])
}

/// The layer version of an ARN.
pub(crate) fn by_arn(state: &Lambda, arn: &str) -> Result<Option<Layer>, LambdaError> {
    let (name, version) = parse_layer_version(arn).ok_or_else(|| {
        let constraint = r"Member must satisfy regular expression pattern: arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+";
        LambdaError::constraint(arn, "layers", constraint)
    })?;
    Ok(state.metadata.get_json(LAYERS, &key(&name, version))?)
}

/// PublishLayerVersion's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PublishLayer {
    pub(crate) layer_name: String,
    content: Code,
    description: Option<String>,
    license_info: Option<String>,
    #[serde(default)]
    compatible_runtimes: Vec<String>,
    #[serde(default)]
    compatible_architectures: Vec<String>,
}

pub(crate) async fn publish(ctx: Ctx, state: Arc<Lambda>, input: PublishLayer) -> Result<Value, LambdaError> {
    let name = parse_layer(&input.layer_name)?;
    if input.compatible_runtimes.len() > 15 || input.compatible_architectures.len() > 2 {
        let message = "A layer names at most 15 compatible runtimes and 2 compatible architectures.";
        return Err(LambdaError::InvalidParameter(message.into()));
    }
    for (text, member, longest) in [(&input.description, "description", 256), (&input.license_info, "licenseInfo", 512)]
    {
        if let Some(text) = text.as_deref().filter(|text| text.chars().count() > longest) {
            let constraint = format!("Member must have length less than or equal to {longest}");
            return Err(LambdaError::constraint(text, member, &constraint));
        }
    }
    let kept = state.code.keep(code::fetch(&ctx, &state, &input.content).await?).await?;
    let mut layer = Layer {
        name,
        version: 0,
        description: input.description.unwrap_or_default(),
        license: input.license_info,
        runtimes: input.compatible_runtimes,
        architectures: input.compatible_architectures,
        created: ctx.now(),
        digest: kept.digest,
        size: kept.size,
        unpacked: kept.unpacked,
        token: ctx.token.as_deref().map(str::to_owned),
    };
    let layer = state
        .metadata
        .transaction(move |tx| {
            if layer.token.is_some() {
                let versions = tx.scan(LAYERS, &Key::new([&layer.name]), None, usize::MAX >> 1)?;
                let versions = versions.iter().map(|entry| entry.json()).collect::<Result<Vec<Layer>, _>>()?;
                if let Some(published) = versions.into_iter().find(|version| version.token == layer.token) {
                    return Ok(published);
                }
            }
            // Numbers are not used again, even when their layers are deleted.
            let counter = Key::new([&layer.name]);
            layer.version = tx.get_json::<u64>(LAYER_NUMBERS, &counter)?.unwrap_or_default() + 1;
            tx.put_json(LAYER_NUMBERS, &counter, &layer.version)?;
            tx.put_json(LAYERS, &key(&layer.name, layer.version), &layer)?;
            Ok::<Layer, LambdaError>(layer)
        })
        .await?;
    Ok(layer.whole(&state, ctx.region()))
}

/// Names a version of a layer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LayerVersion {
    pub(crate) layer_name: String,
    pub(crate) version_number: Number,
}

/// A number that stands in a path.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Number {
    /// From another service.
    Number(u64),
    /// From the wire.
    Text(String),
}

impl Number {
    fn value(&self) -> Result<u64, LambdaError> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => {
                text.parse().map_err(|_| LambdaError::constraint(text, "versionNumber", "Member must be a number"))
            }
        }
    }
}

impl LayerVersion {
    /// What IAM is asked about.
    pub(crate) fn resource(&self, region: &str) -> String {
        let name = parse_layer(&self.layer_name).unwrap_or_else(|_| self.layer_name.clone());
        let version = self.version_number.value().map_or_else(|_| "*".to_owned(), |number| number.to_string());
        format!("{}:{version}", layer_arn(region, &name))
    }
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Lambda>, input: LayerVersion) -> Result<Value, LambdaError> {
    let name = parse_layer(&input.layer_name)?;
    let version = input.version_number.value()?;
    let layer: Option<Layer> = state.metadata.get_json(LAYERS, &key(&name, version))?;
    layer.map(|layer| layer.whole(&state, ctx.region())).ok_or_else(missing)
}

fn missing() -> LambdaError {
    LambdaError::NotFound("The resource you requested does not exist.".into())
}

pub(crate) async fn delete(_: Ctx, state: Arc<Lambda>, input: LayerVersion) -> Result<Empty, LambdaError> {
    let name = parse_layer(&input.layer_name)?;
    let version = input.version_number.value()?;
    // Functions that use it keep it: they name the archive themselves. Deleting what is not there succeeds, as on AWS.
    state
        .metadata
        .transaction(move |tx| tx.delete(LAYERS, &key(&name, version)).map(|_| Empty {}).map_err(Into::into))
        .await
}

/// ListLayers' input, and GetLayerVersionByArn's, which has the same path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListLayers {
    find: Option<String>,
    arn: Option<String>,
    compatible_runtime: Option<String>,
    compatible_architecture: Option<String>,
    #[serde(flatten)]
    page: Page,
}

fn compatible(layer: &Layer, runtime: Option<&str>, architecture: Option<&str>) -> bool {
    let has = |list: &[String], wanted: Option<&str>| wanted.is_none_or(|wanted| list.iter().any(|one| one == wanted));
    has(&layer.runtimes, runtime) && has(&layer.architectures, architecture)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Lambda>, input: ListLayers) -> Result<Value, LambdaError> {
    if input.find.as_deref() == Some("LayerVersion") {
        let arn = input.arn.unwrap_or_default();
        let keys = ConditionKeys::new();
        state.authorizer.authorize(&ctx, &AccessRequest::new("lambda:GetLayerVersion", &arn, &keys))?;
        return by_arn(&state, &arn)?.map(|layer| layer.whole(&state, ctx.region())).ok_or_else(missing);
    }
    let keys = ConditionKeys::new();
    state.authorizer.authorize(&ctx, &AccessRequest::new("lambda:ListLayers", "*", &keys))?;
    let (names, marker) = names(&state, &input.page)?;
    let mut shown = Vec::new();
    for name in names {
        let versions: Vec<Layer> = state
            .metadata
            .scan(LAYERS, &Key::new([&name]), None, usize::MAX >> 1)?
            .iter()
            .map(|entry| entry.json())
            .collect::<Result<_, _>>()?;
        let (runtime, architecture) = (input.compatible_runtime.as_deref(), input.compatible_architecture.as_deref());
        let latest = versions.iter().rev().find(|layer| compatible(layer, runtime, architecture));
        if let Some(latest) = latest {
            shown.push(json!({
                "LayerName": name,
                "LayerArn": layer_arn(ctx.region(), &name),
                "LatestMatchingVersion": latest.listed(ctx.region()),
            }));
        }
    }
    Ok(json!({"Layers": shown, "NextMarker": marker}))
}

/// A page of layers' names.
fn names(state: &Lambda, page: &Page) -> Result<(Vec<String>, Option<String>), LambdaError> {
    let all = state.metadata.scan(LAYER_NUMBERS, &Key::default(), None, usize::MAX >> 1)?;
    let after = page.marker.as_deref();
    let size = page.max_items.unwrap_or(50).clamp(1, 50);
    let mut names =
        all.iter().map(|entry| entry.key.last()).filter(|name| after.is_none_or(|after| name.as_str() > after));
    let found: Vec<String> = names.by_ref().take(size).collect();
    let marker = names.next().and_then(|_| found.last().cloned());
    Ok((found, marker))
}

/// ListLayerVersions' input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListLayerVersions {
    pub(crate) layer_name: String,
    compatible_runtime: Option<String>,
    compatible_architecture: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(crate) async fn list_versions(
    ctx: Ctx,
    state: Arc<Lambda>,
    input: ListLayerVersions,
) -> Result<Value, LambdaError> {
    let name = parse_layer(&input.layer_name)?;
    let (mut versions, marker) = page::<Layer>(&state, LAYERS, &Key::new([&name]), &input.page)?;
    versions.retain(|layer| {
        compatible(layer, input.compatible_runtime.as_deref(), input.compatible_architecture.as_deref())
    });
    // The newest first, as AWS lists them, as far as one page reaches.
    let shown: Vec<Value> = versions.iter().rev().map(|layer| layer.listed(ctx.region())).collect();
    Ok(json!({"LayerVersions": shown, "NextMarker": marker}))
}
