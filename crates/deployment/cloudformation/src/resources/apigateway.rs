//! AWS::ApiGatewayV2: HTTP APIs with their routes, integrations, stages, authorizers and deployments.

use serde_json::{Value, json};

use super::shapes::{camel, removed_tags, tag_map, when, with};
use super::subject::Subject;
use super::{Call, Naming, Read, ResourceType, by_name, call, calls, plain, ready};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::ApiGatewayV2::Api",
        schema: "Name! ProtocolType!^ Description Version CredentialsArn RouteKey RouteSelectionExpression Target \
                 ApiKeySelectionExpression DisableExecuteApiEndpoint:b DisableSchemaValidation:b IpAddressType Tags<> \
                 CorsConfiguration{AllowCredentials:b AllowHeaders[] AllowMethods[] AllowOrigins[] ExposeHeaders[] \
                 MaxAge:i}",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateApi", |s| shaped(s, &[]))],
        update: &[
            call!("apigateway", "UpdateApi", |s| shaped(s, &["Tags", "ProtocolType"])),
            calls!("apigateway", "TagResource", |s| when(
                s.changed(&["Tags"]) && s.properties.contains_key("Tags"),
                || { json!({"resourceArn": api_arn(s), "tags": tag_map(&s.get("Tags"))}) }
            )),
            calls!("apigateway", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"resourceArn": api_arn(s), "tagKeys": gone}))
            }),
        ],
        delete: &[call!("apigateway", "DeleteApi", |s| json!({"apiId": s.physical}))],
        read: Some(Read {
            service: "apigateway",
            operation: "GetApi",
            input: |s| json!({"apiId": s.physical}),
            state: ready,
        }),
        physical: |s| answered_id(s, "/apiId"),
        attributes: &[("ApiId", |s| s.answered("/apiId")), ("ApiEndpoint", |s| s.answered("/apiEndpoint"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Integration",
        schema: "ApiId!^ IntegrationType! IntegrationUri IntegrationMethod IntegrationSubtype PayloadFormatVersion \
                 ConnectionType ConnectionId CredentialsArn Description TimeoutInMillis:i RequestParameters:j \
                 ResponseParameters:j RequestTemplates:j PassthroughBehavior TemplateSelectionExpression TlsConfig:j \
                 ContentHandlingStrategy",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateIntegration", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateIntegration", |s| own(s, "integrationId"))],
        delete: &[call!("apigateway", "DeleteIntegration", |s| part(s, "integrationId"))],
        read: None,
        physical: |s| answered_id(s, "/integrationId"),
        attributes: &[("IntegrationId", |s| s.answered("/integrationId"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Route",
        schema: "ApiId!^ RouteKey! Target AuthorizationType AuthorizerId AuthorizationScopes[] ApiKeyRequired:b \
                 OperationName ModelSelectionExpression RequestModels:j RequestParameters:j \
                 RouteResponseSelectionExpression",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateRoute", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateRoute", |s| own(s, "routeId"))],
        delete: &[call!("apigateway", "DeleteRoute", |s| part(s, "routeId"))],
        read: None,
        physical: |s| answered_id(s, "/routeId"),
        attributes: &[("RouteId", |s| s.answered("/routeId"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Stage",
        schema: "ApiId!^ StageName!^ AutoDeploy:b DeploymentId Description StageVariables:j ClientCertificateId \
                 AccessPolicyId Tags<> AccessLogSettings{DestinationArn Format} \
                 DefaultRouteSettings{DataTraceEnabled:b DetailedMetricsEnabled:b LoggingLevel ThrottlingBurstLimit:i \
                 ThrottlingRateLimit:n} RouteSettings:j",
        naming: Naming::Property("StageName", plain(128)),
        create: &[call!("apigateway", "CreateStage", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateStage", |s| shaped(s, &["Tags"]))],
        delete: &[call!("apigateway", "DeleteStage", |s| json!({"apiId": s.text("ApiId"), "stageName": s.name}))],
        read: Some(Read {
            service: "apigateway",
            operation: "GetStage",
            input: |s| json!({"apiId": s.text("ApiId"), "stageName": s.name}),
            state: ready,
        }),
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Authorizer",
        schema: "ApiId!^ Name! AuthorizerType! AuthorizerUri AuthorizerCredentialsArn AuthorizerPayloadFormatVersion \
                 AuthorizerResultTtlInSeconds:i EnableSimpleResponses:b IdentitySource[] IdentityValidationExpression \
                 JwtConfiguration{Audience[] Issuer}",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateAuthorizer", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateAuthorizer", |s| own(s, "authorizerId"))],
        delete: &[call!("apigateway", "DeleteAuthorizer", |s| part(s, "authorizerId"))],
        read: None,
        physical: |s| answered_id(s, "/authorizerId"),
        attributes: &[("AuthorizerId", |s| s.answered("/authorizerId"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Deployment",
        schema: "ApiId!^ Description StageName",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateDeployment", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateDeployment", |s| {
            with(camel_map(s.pick(&["ApiId", "Description"])), json!({"deploymentId": s.physical}))
        })],
        delete: &[DELETE_DEPLOYMENT],
        read: None,
        physical: |s| answered_id(s, "/deploymentId"),
        attributes: &[("DeploymentId", |s| s.answered("/deploymentId"))],
    },
];

const DELETE_DEPLOYMENT: Call = call!("apigateway", "DeleteDeployment", |s| part(s, "deploymentId"));

/// The properties but some, in the operation's spelling. What people named themselves keeps its spelling.
fn shaped(s: &Subject<'_>, without: &[&str]) -> Value {
    Value::Object(camel_map(s.without(without)))
}

fn camel_map(properties: serde_json::Map<String, Value>) -> serde_json::Map<String, Value> {
    const FREE: [&str; 8] = [
        "Tags",
        "StageVariables",
        "RouteSettings",
        "RequestParameters",
        "ResponseParameters",
        "RequestTemplates",
        "RequestModels",
        "TlsConfig",
    ];
    let one = |(name, value): (String, Value)| {
        let value = if FREE.contains(&name.as_str()) { value } else { camel(value) };
        let renamed = camel(Value::Object([(name, Value::Null)].into_iter().collect()));
        let name = renamed.as_object().and_then(|members| members.keys().next().cloned()).unwrap_or_default();
        (name, value)
    };
    properties.into_iter().map(one).collect()
}

/// The properties of a part of an API, with its id.
fn own(s: &Subject<'_>, id: &str) -> Value {
    with(camel_map(s.properties.clone()), json!({id: s.physical}))
}

fn part(s: &Subject<'_>, id: &str) -> Value {
    json!({"apiId": s.text("ApiId"), id: s.physical})
}

fn answered_id(s: &Subject<'_>, pointer: &str) -> Option<String> {
    s.answered(pointer).as_str().map(str::to_owned)
}

fn api_arn(s: &Subject<'_>) -> Value {
    format!("arn:aws:apigateway:{}::/apis/{}", s.region, s.physical).into()
}
