//! Labels of APIs and stages.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;

use crate::api::{Api, Empty, Stage, Tagged, Tags};
use crate::error::GatewayError;
use crate::store::{ApiGateway, Resource, get_in, put_in};

/// What carries tags.
enum Carrier {
    Api(String),
    Stage(String, String),
}

impl Carrier {
    /// The resource that an ARN such as `arn:aws:apigateway:us-east-1::/apis/abc/stages/prod` names.
    fn of(arn: &str) -> Result<Self, GatewayError> {
        let invalid = || GatewayError::bad(format!("Invalid resource ARN {arn}"));
        let parsed: Arn = arn.parse().map_err(|_| invalid())?;
        let path: Vec<&str> = parsed.resource.trim_start_matches('/').split('/').collect();
        match (parsed.service.as_str(), path.as_slice()) {
            ("apigateway", ["apis", api]) => Ok(Self::Api((*api).to_owned())),
            ("apigateway", ["apis", api, "stages", stage]) => Ok(Self::Stage((*api).to_owned(), (*stage).to_owned())),
            _ => Err(invalid()),
        }
    }

    fn api(&self) -> &str {
        match self {
            Self::Api(api) | Self::Stage(api, _) => api,
        }
    }
}

/// The tags of the API or the stage that an ARN names, or in whose folder it is.
pub(crate) fn of(state: &ApiGateway, arn: &str) -> BTreeMap<String, String> {
    let path: Vec<&str> = arn.splitn(6, ':').nth(5).unwrap_or_default().trim_matches('/').split('/').collect();
    let tags = match path.as_slice() {
        ["apis", api, "stages", stage, ..] => state.get::<Stage>(api, stage).map(|stage| stage.tags),
        ["apis", api, ..] => state.api(api).map(|api| api.tags),
        _ => return BTreeMap::new(),
    };
    tags.ok().flatten().unwrap_or_default()
}

pub(crate) async fn get(ctx: Ctx, state: Arc<ApiGateway>, input: Tagged) -> Result<Tags, GatewayError> {
    state.allow(&ctx, "GET", &format!("/tags/{}", input.resource_arn))?;
    let tags = match Carrier::of(&input.resource_arn)? {
        Carrier::Api(api) => state.api(&api)?.tags,
        Carrier::Stage(api, stage) => state.get::<Stage>(&api, &stage)?.tags,
    };
    Ok(Tags { tags: tags.unwrap_or_default() })
}

pub(crate) async fn tag(ctx: Ctx, state: Arc<ApiGateway>, input: Tagged) -> Result<Empty, GatewayError> {
    state.allow(&ctx, "POST", &format!("/tags/{}", input.resource_arn))?;
    change(&ctx, &state, &input.resource_arn, move |tags| tags.extend(input.tags)).await
}

pub(crate) async fn untag(ctx: Ctx, state: Arc<ApiGateway>, input: Tagged) -> Result<Empty, GatewayError> {
    state.allow(&ctx, "DELETE", &format!("/tags/{}", input.resource_arn))?;
    change(&ctx, &state, &input.resource_arn, move |tags| tags.retain(|key, _| !input.tag_keys.contains(key))).await
}

async fn change(
    ctx: &Ctx,
    state: &ApiGateway,
    arn: &str,
    change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
) -> Result<Empty, GatewayError> {
    let carrier = Carrier::of(arn)?;
    let api = carrier.api().to_owned();
    state
        .change(ctx, &api, move |tx, api| {
            match carrier {
                Carrier::Api(id) => {
                    let mut api = api.clone();
                    change(api.tags.get_or_insert_default());
                    tx.put_json(Api::SPACE, &Key::new([id]), &api)?;
                }
                Carrier::Stage(id, name) => {
                    let mut stage = get_in::<Stage>(tx, &id, &name)?;
                    change(stage.tags.get_or_insert_default());
                    put_in(tx, &id, &stage)?;
                }
            }
            Ok(Empty {})
        })
        .await
}
