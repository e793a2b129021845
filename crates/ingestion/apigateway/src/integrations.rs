//! Integrations: what answers routes.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Map, Value};

use crate::api::{Empty, Integration, Items, Named, Route};
use crate::error::GatewayError;
use crate::services;
use crate::store::{
    ApiGateway, Resource, all_in, asked, described, get_in, id_for, made_before, patched, put_in, refuse, take,
};

/// How long an integration may take where nothing else is said, and at most, in milliseconds.
pub(crate) const MAX_TIMEOUT: u64 = 30_000;

pub(crate) fn with_defaults(integration: Integration) -> Integration {
    Integration {
        connection_type: integration.connection_type.or(Some("INTERNET".into())),
        integration_method: integration.integration_method.or(Some("POST".into())),
        timeout_in_millis: integration.timeout_in_millis.or(Some(MAX_TIMEOUT)),
        ..integration
    }
}

pub(crate) fn check(integration: &Integration) -> Result<(), GatewayError> {
    refuse(&[
        (asked(&integration.connection_id), "ConnectionId (VPC links)"),
        (integration.connection_type.as_deref() == Some("VPC_LINK"), "the ConnectionType VPC_LINK"),
        (asked(&integration.content_handling_strategy), "ContentHandlingStrategy (WebSocket APIs)"),
        (asked(&integration.passthrough_behavior), "PassthroughBehavior (WebSocket APIs)"),
        (asked(&integration.request_templates), "RequestTemplates (WebSocket APIs)"),
        (asked(&integration.template_selection_expression), "TemplateSelectionExpression (WebSocket APIs)"),
        (
            asked(&integration.request_parameters) && integration.integration_subtype.is_none(),
            "RequestParameters without IntegrationSubtype (parameter mapping)",
        ),
        (asked(&integration.response_parameters), "ResponseParameters (parameter mapping)"),
        (asked(&integration.tls_config), "TlsConfig"),
    ])?;
    match integration.integration_type.as_str() {
        "AWS_PROXY" => {}
        kind @ ("HTTP_PROXY" | "AWS" | "HTTP" | "MOCK") => {
            return Err(GatewayError::NotImplemented(format!("the IntegrationType {kind}")));
        }
        other => return Err(GatewayError::bad(format!("Invalid IntegrationType {other}"))),
    }
    check_timeout(integration)?;
    if let Some(subtype) = &integration.integration_subtype {
        return services::check(integration, subtype);
    }
    let uri = integration.integration_uri.as_deref().unwrap_or_default();
    if function(uri).is_none() {
        return Err(GatewayError::bad(format!("Invalid function ARN or invalid uri: {uri:?}")));
    }
    if integration.integration_method.as_deref() != Some("POST") {
        return Err(GatewayError::bad("Lambda functions are called with the IntegrationMethod POST"));
    }
    match integration.payload_format_version.as_deref() {
        Some("1.0" | "2.0") => Ok(()),
        None => Err(GatewayError::bad("PayloadFormatVersion is a required parameter for integration type AWS_PROXY")),
        Some(other) => Err(GatewayError::bad(format!("PayloadFormatVersion must be 1.0 or 2.0, not {other}"))),
    }
}

fn check_timeout(integration: &Integration) -> Result<(), GatewayError> {
    match integration.timeout_in_millis {
        Some(timeout) if !(50..=MAX_TIMEOUT).contains(&timeout) => {
            Err(GatewayError::bad("Timeout should be between 50 ms and 30000 ms"))
        }
        _ => Ok(()),
    }
}

/// The function that an integration's or authorizer's URI names: its ARN, alone or in the path of Lambda's Invoke.
pub(crate) fn function(uri: &str) -> Option<&str> {
    let arn = match uri.split_once(":lambda:path/") {
        Some((_, path)) => path.split_once("/functions/")?.1.strip_suffix("/invocations")?,
        None => uri,
    };
    (arn.starts_with("arn:") && arn.contains(":lambda:") && arn.contains(":function:")).then_some(arn)
}

pub(crate) async fn create(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Integration, GatewayError> {
    let api = take(&mut input, "ApiId")?;
    state.allow(&ctx, "POST", &format!("/apis/{api}/integrations"))?;
    let integration = described(input, Integration::FIXED)?;
    let integration = with_defaults(Integration { integration_id: id_for(&ctx, 7), ..integration });
    checked(&ctx, &state, &integration)?;
    let caller = ctx.clone();
    state
        .change(&ctx, &api, move |tx, api| {
            let key = Key::new([&api.api_id, &integration.integration_id]);
            if let Some(made) = made_before(tx, &caller, &key)? {
                return Ok(made);
            }
            put_in(tx, &api.api_id, &integration)?;
            Ok(integration)
        })
        .await
}

fn checked(ctx: &Ctx, state: &ApiGateway, integration: &Integration) -> Result<(), GatewayError> {
    check(integration)?;
    integration.credentials_arn.as_ref().map_or(Ok(()), |role| state.may_pass(ctx, role))
}

pub(crate) async fn get(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Integration, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/integrations/{}", input.api_id, input.integration_id))?;
    state.get(&input.api_id, &input.integration_id)
}

pub(crate) async fn list(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Items<Integration>, GatewayError> {
    state.allow(&ctx, "GET", &format!("/apis/{}/integrations", input.api_id))?;
    state.api(&input.api_id)?;
    state.page(Integration::SPACE, &Key::new([&input.api_id]), input.max_results.as_deref(), input.next_token)
}

pub(crate) async fn update(
    ctx: Ctx,
    state: Arc<ApiGateway>,
    mut input: Map<String, Value>,
) -> Result<Integration, GatewayError> {
    let (api, id) = (take(&mut input, "ApiId")?, take(&mut input, "IntegrationId")?);
    state.allow(&ctx, "PATCH", &format!("/apis/{api}/integrations/{id}"))?;
    checked(&ctx, &state, &patched(&state.get::<Integration>(&api, &id)?, input.clone())?)?;
    state
        .change(&ctx, &api, move |tx, api| {
            let integration = with_defaults(patched(&get_in::<Integration>(tx, &api.api_id, &id)?, input)?);
            check(&integration)?;
            put_in(tx, &api.api_id, &integration)?;
            Ok(integration)
        })
        .await
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<ApiGateway>, input: Named) -> Result<Empty, GatewayError> {
    let Named { api_id, integration_id, .. } = input;
    state.allow(&ctx, "DELETE", &format!("/apis/{api_id}/integrations/{integration_id}"))?;
    state
        .change(&ctx, &api_id, move |tx, api| {
            get_in::<Integration>(tx, &api.api_id, &integration_id)?;
            let target = format!("integrations/{integration_id}");
            if all_in::<Route>(tx, &api.api_id)?.iter().any(|route| route.target.as_deref() == Some(&target)) {
                let message =
                    format!("Cannot delete Integration '{integration_id}' as it is used by one or more Routes");
                return Err(GatewayError::Conflict(message));
            }
            tx.delete(Integration::SPACE, &Key::new([&api.api_id, &integration_id]))?;
            Ok(Empty {})
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_by_arn_or_by_path() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:upload";
        let path = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations");
        assert_eq!(function(arn), Some(arn));
        assert_eq!(function(&path), Some(arn));
        assert_eq!(function("https://example.com"), None);
        assert_eq!(function("arn:aws:states:us-east-1:000000000000:stateMachine:x"), None);
    }
}
