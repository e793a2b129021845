//! Stages: where deployments are reached, with variables and limits.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::{Map, Value};

use crate::api::{Empty, Items, Named, Route, RouteSettings, Stage};
use crate::error::GatewayError;
use crate::store::{
    ApiGateway, Deployed, Resource, all_in, asked, described, get_in, patched, put_in, refuse, take, timestamp,
};

pub(crate) fn with_defaults(stage: Stage) -> Stage {
    let settings = stage.default_route_settings.unwrap_or_default();
    Stage {
        auto_deploy: stage.auto_deploy.or(Some(false)),
        default_route_settings: Some(RouteSettings {
            detailed_metrics_enabled: settings.detailed_metrics_enabled.or(Some(false)),
            ..settings
        }),
        route_settings: stage.route_settings.or_else(|| Some(Default::default())),
        stage_variables: stage.stage_variables.or_else(|| Some(Default::default())),
        tags: stage.tags.or_else(|| Some(Default::default())),
        ..stage
    }
}

fn check(tx: &Transaction<'_>, api: &str, stage: &Stage) -> Result<(), GatewayError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let name = &stage.stage_name;
    if name != "$default" && !((1..=128).contains(&name.len()) && name.chars().all(plain)) {
        let message = "Stage name only allows a-zA-Z0-9_- and at most 128 characters, or $default";
        return Err(GatewayError::bad(message));
    }
    refuse(&[
        (asked(&stage.access_log_settings), "AccessLogSettings"),
        (stage.client_certificate_id.is_some(), "ClientCertificateId (WebSocket APIs)"),
    ])?;
    let variables = stage.stage_variables.iter().flatten();
    let mut names = variables.map(|(name, _)| name);
    if let Some(name) = names.find(|name| !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        return Err(GatewayError::bad(format!("Stage variable name {name} only allows a-zA-Z0-9_")));
    }
    stage.default_route_settings.as_ref().map_or(Ok(()), check_settings)?;
    let routes = all_in::<Route>(tx, api)?;
    for (key, settings) in stage.route_settings.iter().flatten() {
        check_settings(settings)?;
        if !routes.iter().any(|route| &route.route_key == key) {
            let message = format!("Unable to find Route by key {key} within the provided RouteSettings");
            return Err(GatewayError::NotFound(message));
        }
    }
    match &stage.deployment_id {
        Some(id) => get_in::<Deployed>(tx, api, id).map(drop),
        None => Ok(()),
    }
}

fn check_settings(settings: &RouteSettings) -> Result<(), GatewayError> {
    let logging = settings.logging_level.as_deref().is_some_and(|level| level != "OFF");
    if logging || settings.data_trace_enabled == Some(true) {
        return Err(GatewayError::bad("Execution logs are not supported on protocolType HTTP"));
    }
    refuse(&[(settings.detailed_metrics_enabled == Some(true), "DetailedMetricsEnabled")])?;
    let negative = settings.throttling_burst_limit.is_some_and(|burst| burst < 0)
        || settings.throttling_rate_limit.is_some_and(|rate| rate < 0.0);
    match (negative, settings.throttling_burst_limit.is_some() == settings.throttling_rate_limit.is_some()) {
        (true, _) => Err(GatewayError::bad("Throttling limits can't be negative")),
        (_, false) => Err(GatewayError::bad("ThrottlingBurstLimit and ThrottlingRateLimit belong together")),
        _ => Ok(()),
    }
}

pub(crate) async fn create(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Stage, GatewayError> {
    let api = take(&mut input, "ApiId")?;
    state.allow(&ctx, "POST", &format!("/apis/{api}/stages"))?;
    let stage: Stage = described(input, &["ApiId", "ApiGatewayManaged", "CreatedDate", "LastUpdatedDate"])?;
    let now = timestamp(&ctx);
    let stage = with_defaults(Stage { created_date: now.clone(), last_updated_date: Some(now), ..stage });
    if stage.auto_deploy == Some(true) && stage.deployment_id.is_some() {
        return Err(GatewayError::bad("DeploymentId can't be given for a stage with AutoDeploy"));
    }
    let name = stage.stage_name.clone();
    state
        .change(&ctx, &api, move |tx, api| {
            if get_in::<Stage>(tx, &api.api_id, &stage.stage_name).is_ok() {
                return Err(GatewayError::Conflict("Stage already exists".into()));
            }
            check(tx, &api.api_id, &stage)?;
            put_in(tx, &api.api_id, &stage)
        })
        .await?;
    state.get(&api, &name)
}

pub(crate) async fn get(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Stage, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/stages/{}", input.api_id, input.stage_name))?;
    state.get(&input.api_id, &input.stage_name)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Items<Stage>, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/stages", input.api_id))?;
    state.api(&input.api_id)?;
    state.page(Stage::SPACE, &Key::new([&input.api_id]), input.max_results.as_deref(), input.next_token)
}

pub(crate) async fn update(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Stage, GatewayError> {
    let (api, name) = (take(&mut input, "ApiId")?, take(&mut input, "StageName")?);
    state.allow(&ctx, "PATCH", &format!("/apis/{api}/stages/{name}"))?;
    let (updated, now) = (name.clone(), timestamp(&ctx));
    state
        .change(&ctx, &api, move |tx, api| {
            let stage = patched(&get_in::<Stage>(tx, &api.api_id, &updated)?, input)?;
            let stage = with_defaults(Stage { last_updated_date: Some(now), ..stage });
            check(tx, &api.api_id, &stage)?;
            put_in(tx, &api.api_id, &stage)
        })
        .await?;
    state.get(&api, &name)
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Empty, GatewayError> {
    let Named { api_id, stage_name, .. } = input;
    state.allow(&ctx, "DELETE", &format!("/apis/{api_id}/stages/{stage_name}"))?;
    state
        .change(&ctx, &api_id, move |tx, api| {
            get_in::<Stage>(tx, &api.api_id, &stage_name)?;
            tx.delete(Stage::SPACE, &Key::new([&api.api_id, &stage_name]))?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete_route_settings(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    input: Named,
) -> Result<Empty, GatewayError> {
    let Named { api_id, stage_name, route_key, .. } = input;
    state.allow(&ctx, "DELETE", &format!("/apis/{api_id}/stages/{stage_name}/routesettings/{route_key}"))?;
    state
        .change(&ctx, &api_id, move |tx, api| {
            let mut stage = get_in::<Stage>(tx, &api.api_id, &stage_name)?;
            if stage.route_settings.as_mut().and_then(|settings| settings.remove(&route_key)).is_none() {
                return Err(GatewayError::NotFound(format!("There are no settings of the route {route_key}")));
            }
            put_in(tx, &api.api_id, &stage)?;
            Ok(Empty {})
        })
        .await
}
