//! APIs: create (also with one target for everything), get, list, update, delete.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::{Map, Value};

use crate::api::{Api, Cors, Empty, Integration, Items, Named, Route, Stage};
use crate::error::GatewayError;
use crate::store::{
    ApiGateway, Deployed, EPOCHS, Resource, all_in, described, id_for, made_before, new_id, patched, put_in, refuse,
    take, timestamp,
};
use crate::{deployments, integrations, routes, stages};

/// The longest time that a browser may keep the answer to a preflight request, in seconds.
const MAX_AGE: i64 = 86_400;

/// What makes an API with a route, an integration and a stage at once.
struct QuickCreate {
    route_key: String,
    target: String,
    credentials: Option<String>,
}

/// What changes that route and that integration.
struct QuickUpdate {
    route_key: Option<String>,
    target: Option<String>,
    credentials: Option<String>,
}

pub(crate) async fn create(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Api, GatewayError> {
    state.allow(&ctx, "POST", "/apis")?;
    let quick = match input.remove("Target") {
        Some(Value::String(target)) => Some(QuickCreate {
            route_key: take(&mut input, "RouteKey").unwrap_or_else(|_| "$default".into()),
            target,
            credentials: take(&mut input, "CredentialsArn").ok(),
        }),
        _ => None,
    };
    if quick.is_none() && (input.contains_key("RouteKey") || input.contains_key("CredentialsArn")) {
        return Err(GatewayError::bad("RouteKey and CredentialsArn are only supported with Target"));
    }
    let api: Api = described(input, &["ApiId", "ApiEndpoint", "CreatedDate"])?;
    let api = Api {
        api_id: id_for(&ctx, 10),
        created_date: timestamp(&ctx),
        api_key_selection_expression: api.api_key_selection_expression.or(Some("$request.header.x-api-key".into())),
        route_selection_expression: api.route_selection_expression.or(Some("$request.method $request.path".into())),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint.or(Some(false)),
        ip_address_type: api.ip_address_type.or(Some("ipv4".into())),
        tags: api.tags.or_else(|| Some(Default::default())),
        ..api
    };
    check(&api)?;
    if let Some(role) = quick.as_ref().and_then(|quick| quick.credentials.as_ref()) {
        state.may_pass(&ctx, role)?;
    }
    let (caller, now) = (ctx.clone(), timestamp(&ctx));
    let api = state
        .deps
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&api.api_id]);
            if let Some(made) = made_before(tx, &caller, &key)? {
                return Ok(made);
            }
            tx.put_json(Api::SPACE, &key, &api)?;
            tx.put(EPOCHS, &key, b"{}")?;
            if let Some(quick) = quick {
                create_quickly(tx, &api, quick, &now)?;
            }
            Ok::<_, GatewayError>(api)
        })
        .await?;
    Ok(shown(&ctx, api))
}

fn create_quickly(tx: &Transaction<'_>, api: &Api, quick: QuickCreate, now: &str) -> Result<(), GatewayError> {
    let integration = integrations::with_defaults(Integration {
        api_gateway_managed: Some(true),
        integration_id: new_id(7),
        integration_type: "AWS_PROXY".into(),
        integration_uri: Some(quick.target),
        payload_format_version: Some("2.0".into()),
        credentials_arn: quick.credentials,
        ..Integration::default()
    });
    integrations::check(&integration)?;
    put_in(tx, &api.api_id, &integration)?;
    let route = routes::with_defaults(Route {
        api_gateway_managed: Some(true),
        route_id: new_id(7),
        route_key: quick.route_key,
        target: Some(format!("integrations/{}", integration.integration_id)),
        ..Route::default()
    });
    routes::check(tx, &api.api_id, &route)?;
    put_in(tx, &api.api_id, &route)?;
    let stage = stages::with_defaults(Stage {
        api_gateway_managed: Some(true),
        auto_deploy: Some(true),
        created_date: now.to_owned(),
        stage_name: "$default".into(),
        ..Stage::default()
    });
    put_in(tx, &api.api_id, &stage)?;
    deployments::deploy_automatically(tx, &api.api_id, now)
}

/// Changes the integration and the route that quick create made.
fn update_quickly(tx: &Transaction<'_>, api: &str, quick: QuickUpdate) -> Result<(), GatewayError> {
    let none = || GatewayError::bad("Target, RouteKey and CredentialsArn are for APIs that quick create made");
    if quick.target.is_some() || quick.credentials.is_some() {
        let made = all_in::<Integration>(tx, api)?.into_iter().find(|it| it.api_gateway_managed == Some(true));
        let made = made.ok_or_else(none)?;
        let integration = Integration {
            integration_uri: quick.target.or(made.integration_uri),
            credentials_arn: quick.credentials.or(made.credentials_arn),
            ..made
        };
        integrations::check(&integration)?;
        put_in(tx, api, &integration)?;
    }
    if let Some(route_key) = quick.route_key {
        let made = all_in::<Route>(tx, api)?.into_iter().find(|it| it.api_gateway_managed == Some(true));
        let route = Route { route_key, ..made.ok_or_else(none)? };
        routes::check(tx, api, &route)?;
        put_in(tx, api, &route)?;
    }
    Ok(())
}

fn check(api: &Api) -> Result<(), GatewayError> {
    if !(1..=128).contains(&api.name.chars().count()) {
        return Err(GatewayError::bad("Name must have 1 to 128 characters"));
    }
    match api.protocol_type.as_str() {
        "HTTP" => {}
        "WEBSOCKET" => return Err(GatewayError::NotImplemented("the ProtocolType WEBSOCKET".into())),
        other => return Err(GatewayError::bad(format!("Invalid protocol type {other}: it must be HTTP or WEBSOCKET"))),
    }
    if api.route_selection_expression.as_deref() != Some("$request.method $request.path") {
        let message = "RouteSelectionExpression must be $request.method $request.path for HTTP APIs";
        return Err(GatewayError::bad(message));
    }
    if api.api_key_selection_expression.as_deref() != Some("$request.header.x-api-key") {
        return Err(GatewayError::bad("ApiKeySelectionExpression is only supported for WebSocket APIs"));
    }
    refuse(&[(api.ip_address_type.as_deref() == Some("dualstack"), "the IpAddressType dualstack")])?;
    api.cors_configuration.as_ref().map_or(Ok(()), check_cors)
}

fn check_cors(cors: &Cors) -> Result<(), GatewayError> {
    let origins = cors.allow_origins.as_deref().unwrap_or_default();
    if cors.allow_credentials == Some(true) && origins.iter().any(|origin| origin == "*") {
        return Err(GatewayError::bad("AllowCredentials can't be true when AllowOrigins contains *"));
    }
    if let Some(origin) = origins.iter().find(|origin| *origin != "*" && !origin.contains("://")) {
        return Err(GatewayError::bad(format!(
            "Invalid origin {origin}: an origin has a scheme, as https://example.com"
        )));
    }
    if cors.max_age.is_some_and(|age| !(-1..=MAX_AGE).contains(&age)) {
        return Err(GatewayError::bad("MaxAge must be between -1 and 86400"));
    }
    Ok(())
}

/// The API with the address where it is reached on this server: its path form needs no name server.
fn shown(ctx: &Ctx, api: Api) -> Api {
    let endpoint = ctx.platform.endpoint().unwrap_or("http://localhost:4566");
    Api { api_endpoint: Some(format!("{endpoint}{}{}", crate::site::PATH, api.api_id)), ..api }
}

pub(crate) async fn get(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Api, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}", input.api_id))?;
    Ok(shown(&ctx, state.api(&input.api_id)?))
}

pub(crate) async fn list(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Items<Api>, GatewayError> {
    state.allow(&ctx, "GET", "/apis")?;
    let page = state.page(Api::SPACE, &Key::default(), input.max_results.as_deref(), input.next_token)?;
    Ok(Items { items: page.items.into_iter().map(|api| shown(&ctx, api)).collect(), ..page })
}

pub(crate) async fn update(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Api, GatewayError> {
    let id = take(&mut input, "ApiId")?;
    state.allow(&ctx, "PATCH", &format!("/apis/{id}"))?;
    let quick = QuickUpdate {
        route_key: take(&mut input, "RouteKey").ok(),
        target: take(&mut input, "Target").ok(),
        credentials: take(&mut input, "CredentialsArn").ok(),
    };
    if let Some(role) = &quick.credentials {
        state.may_pass(&ctx, role)?;
    }
    let changed = state
        .change(&ctx, &id, move |tx, api| {
            let changed = patched(api, input)?;
            check(&changed)?;
            tx.put_json(Api::SPACE, &Key::new([&changed.api_id]), &changed)?;
            update_quickly(tx, &changed.api_id, quick)?;
            Ok(changed)
        })
        .await?;
    Ok(shown(&ctx, changed))
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Empty, GatewayError> {
    state.allow(&ctx, "DELETE", &format!("/apis/{}", input.api_id))?;
    state
        .change(&ctx, &input.api_id, |tx, api| {
            let spaces =
                [Route::SPACE, Integration::SPACE, crate::api::Authorizer::SPACE, Stage::SPACE, Deployed::SPACE];
            for space in spaces {
                tx.delete_prefix(space, &Key::new([&api.api_id]))?;
            }
            tx.delete(Api::SPACE, &Key::new([&api.api_id]))?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete_cors(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Empty, GatewayError> {
    state.allow(&ctx, "DELETE", &format!("/apis/{}/cors", input.api_id))?;
    state
        .change(&ctx, &input.api_id, |tx, api| {
            let changed = Api { cors_configuration: None, ..api.clone() };
            tx.put_json(Api::SPACE, &Key::new([&changed.api_id]), &changed)?;
            Ok(Empty {})
        })
        .await
}
