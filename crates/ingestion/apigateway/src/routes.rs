//! Routes: which requests an integration answers, and who may make them.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::{Map, Value};

use crate::api::{Authorizer, Empty, Integration, Items, Named, Route};
use crate::error::GatewayError;
use crate::route_key::RouteKey;
use crate::store::{ApiGateway, Resource, all_in, asked, described, get_in, new_id, patched, put_in, refuse, take};

pub(crate) fn with_defaults(route: Route) -> Route {
    Route {
        api_key_required: route.api_key_required.or(Some(false)),
        authorization_type: route.authorization_type.or(Some("NONE".into())),
        ..route
    }
}

pub(crate) fn check(tx: &Transaction<'_>, api: &str, route: &Route) -> Result<(), GatewayError> {
    refuse(&[
        (asked(&route.model_selection_expression), "ModelSelectionExpression (WebSocket APIs)"),
        (asked(&route.request_models), "RequestModels (WebSocket APIs)"),
        (asked(&route.request_parameters), "RequestParameters of a route (WebSocket APIs)"),
        (asked(&route.route_response_selection_expression), "RouteResponseSelectionExpression (WebSocket APIs)"),
        (route.api_key_required == Some(true), "ApiKeyRequired (WebSocket APIs)"),
        (route.authorization_scopes.as_ref().is_some_and(|it| !it.is_empty()), "AuthorizationScopes (JWT authorizers)"),
    ])?;
    RouteKey::parse(&route.route_key).map_err(|error| GatewayError::bad(error.to_string()))?;
    let taken = |other: &Route| other.route_key == route.route_key && other.route_id != route.route_id;
    if all_in::<Route>(tx, api)?.iter().any(taken) {
        return Err(GatewayError::Conflict(format!("Route with key {} already exists for this API", route.route_key)));
    }
    if let Some(target) = &route.target {
        let known = target.strip_prefix("integrations/").map(|id| get_in::<Integration>(tx, api, id));
        if !matches!(known, Some(Ok(_))) {
            return Err(GatewayError::bad(format!("Invalid target specified: {target} is no integration of this API")));
        }
    }
    check_authorization(tx, api, route)
}

fn check_authorization(tx: &Transaction<'_>, api: &str, route: &Route) -> Result<(), GatewayError> {
    match (route.authorization_type.as_deref().unwrap_or("NONE"), &route.authorizer_id) {
        ("NONE" | "AWS_IAM", None) => Ok(()),
        ("NONE" | "AWS_IAM", Some(_)) => Err(GatewayError::bad("AuthorizerId is only supported with CUSTOM or JWT")),
        ("CUSTOM", Some(id)) => get_in::<Authorizer>(tx, api, id).map(drop),
        ("CUSTOM", None) => Err(GatewayError::bad("AuthorizerId is a required parameter for CUSTOM authorization")),
        ("JWT", _) => Err(GatewayError::NotImplemented("the AuthorizationType JWT".into())),
        (other, _) => Err(GatewayError::bad(format!("Invalid AuthorizationType {other}"))),
    }
}

pub(crate) async fn create(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Route, GatewayError> {
    let api = take(&mut input, "ApiId")?;
    state.allow(&ctx, "POST", &format!("/apis/{api}/routes"))?;
    let route = with_defaults(Route { route_id: new_id(7), ..described(input, Route::FIXED)? });
    state
        .change(&ctx, &api, move |tx, api| {
            check(tx, &api.api_id, &route)?;
            put_in(tx, &api.api_id, &route)?;
            Ok(route)
        })
        .await
}

pub(crate) async fn get(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Route, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/routes/{}", input.api_id, input.route_id))?;
    state.get(&input.api_id, &input.route_id)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Items<Route>, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/routes", input.api_id))?;
    state.api(&input.api_id)?;
    state.page(Route::SPACE, &Key::new([&input.api_id]), input.max_results.as_deref(), input.next_token)
}

pub(crate) async fn update(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Route, GatewayError> {
    let (api, id) = (take(&mut input, "ApiId")?, take(&mut input, "RouteId")?);
    state.allow(&ctx, "PATCH", &format!("/apis/{api}/routes/{id}"))?;
    state
        .change(&ctx, &api, move |tx, api| {
            let route = with_defaults(patched(&get_in::<Route>(tx, &api.api_id, &id)?, input)?);
            check(tx, &api.api_id, &route)?;
            put_in(tx, &api.api_id, &route)?;
            Ok(route)
        })
        .await
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Empty, GatewayError> {
    let Named { api_id, route_id, .. } = input;
    state.allow(&ctx, "DELETE", &format!("/apis/{api_id}/routes/{route_id}"))?;
    state
        .change(&ctx, &api_id, move |tx, api| {
            get_in::<Route>(tx, &api.api_id, &route_id)?;
            tx.delete(Route::SPACE, &Key::new([&api.api_id, &route_id]))?;
            Ok(Empty {})
        })
        .await
}
