//! Authorizers: functions that are asked who may call a route.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Map, Value};

use crate::api::{Authorizer, Empty, Items, Named, Route};
use crate::error::GatewayError;
use crate::integrations::function;
use crate::store::{ApiGateway, Resource, all_in, described, get_in, new_id, patched, put_in, refuse, take};

/// The longest time that an answer may be kept, in seconds.
const MAX_TTL: u64 = 3600;

fn check(authorizer: &Authorizer) -> Result<(), GatewayError> {
    match authorizer.authorizer_type.as_str() {
        "REQUEST" => {}
        "JWT" => return Err(GatewayError::NotImplemented("the AuthorizerType JWT".into())),
        other => return Err(GatewayError::bad(format!("Invalid AuthorizerType {other}"))),
    }
    refuse(&[(authorizer.identity_validation_expression.is_some(), "IdentityValidationExpression")])?;
    if authorizer.jwt_configuration.is_some() {
        return Err(GatewayError::bad("JwtConfiguration is not supported for REQUEST authorizers"));
    }
    let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
    if !uri.contains(":lambda:path/") || function(uri).is_none() {
        return Err(GatewayError::bad(format!(
            "Invalid Authorizer URI: {uri:?} is not the path of a function's Invoke"
        )));
    }
    let simple = authorizer.enable_simple_responses == Some(true);
    match authorizer.authorizer_payload_format_version.as_deref() {
        Some("2.0") => {}
        Some("1.0") if !simple => {}
        Some("1.0") => return Err(GatewayError::bad("Simple responses need AuthorizerPayloadFormatVersion 2.0")),
        _ => {
            let message = "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer: 1.0 or 2.0";
            return Err(GatewayError::bad(message));
        }
    }
    let sources = authorizer.identity_source.as_deref().unwrap_or_default();
    let known = ["$request.header.", "$request.querystring.", "$context.", "$stageVariables."];
    if let Some(wrong) = sources.iter().find(|source| !known.iter().any(|prefix| source.starts_with(prefix))) {
        return Err(GatewayError::bad(format!("Invalid identity source {wrong}")));
    }
    match authorizer.authorizer_result_ttl_in_seconds {
        Some(ttl) if ttl > MAX_TTL => Err(GatewayError::bad("AuthorizerResultTtlInSeconds must be between 0 and 3600")),
        Some(ttl) if ttl > 0 && sources.is_empty() => {
            Err(GatewayError::bad("Answers can only be kept for an authorizer that has an IdentitySource"))
        }
        _ => Ok(()),
    }
}

fn checked(ctx: &Ctx, state: &ApiGateway, authorizer: &Authorizer) -> Result<(), GatewayError> {
    check(authorizer)?;
    authorizer.authorizer_credentials_arn.as_ref().map_or(Ok(()), |role| state.may_pass(ctx, role))
}

fn unique(taken: &[Authorizer], authorizer: &Authorizer) -> Result<(), GatewayError> {
    let same = |other: &&Authorizer| other.name == authorizer.name && other.authorizer_id != authorizer.authorizer_id;
    match taken.iter().find(same) {
        Some(_) => Err(GatewayError::Conflict(format!("Authorizer with name {} already exists", authorizer.name))),
        None => Ok(()),
    }
}

pub(crate) async fn create(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Authorizer, GatewayError> {
    let api = take(&mut input, "ApiId")?;
    state.allow(&ctx, "POST", &format!("/apis/{api}/authorizers"))?;
    let authorizer = Authorizer { authorizer_id: new_id(6), ..described(input, Authorizer::FIXED)? };
    checked(&ctx, &state, &authorizer)?;
    state
        .change(&ctx, &api, move |tx, api| {
            unique(&all_in(tx, &api.api_id)?, &authorizer)?;
            put_in(tx, &api.api_id, &authorizer)?;
            Ok(authorizer)
        })
        .await
}

pub(crate) async fn get(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Authorizer, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/authorizers/{}", input.api_id, input.authorizer_id))?;
    state.get(&input.api_id, &input.authorizer_id)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Items<Authorizer>, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/authorizers", input.api_id))?;
    state.api(&input.api_id)?;
    state.page(Authorizer::SPACE, &Key::new([&input.api_id]), input.max_results.as_deref(), input.next_token)
}

pub(crate) async fn update(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Authorizer, GatewayError> {
    let (api, id) = (take(&mut input, "ApiId")?, take(&mut input, "AuthorizerId")?);
    state.allow(&ctx, "PATCH", &format!("/apis/{api}/authorizers/{id}"))?;
    checked(&ctx, &state, &patched(&state.get::<Authorizer>(&api, &id)?, input.clone())?)?;
    state
        .change(&ctx, &api, move |tx, api| {
            let authorizer = patched(&get_in::<Authorizer>(tx, &api.api_id, &id)?, input)?;
            check(&authorizer)?;
            unique(&all_in(tx, &api.api_id)?, &authorizer)?;
            put_in(tx, &api.api_id, &authorizer)?;
            Ok(authorizer)
        })
        .await
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Empty, GatewayError> {
    let Named { api_id, authorizer_id, .. } = input;
    state.allow(&ctx, "DELETE", &format!("/apis/{api_id}/authorizers/{authorizer_id}"))?;
    state
        .change(&ctx, &api_id, move |tx, api| {
            get_in::<Authorizer>(tx, &api.api_id, &authorizer_id)?;
            let uses = |route: &Route| route.authorizer_id.as_deref() == Some(&authorizer_id);
            if all_in::<Route>(tx, &api.api_id)?.iter().any(uses) {
                let message = format!("Cannot delete Authorizer '{authorizer_id}' as it is used by one or more Routes");
                return Err(GatewayError::Conflict(message));
            }
            tx.delete(Authorizer::SPACE, &Key::new([&api.api_id, &authorizer_id]))?;
            Ok(Empty {})
        })
        .await
}
