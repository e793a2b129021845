//! AWS::ApiGatewayV2: HTTP APIs with their routes, integrations, stages, authorizers and deployments.

use serde_json::{Value, json};

use super::shapes::{removed_tags, tag_map, when, with};
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
                || { json!({"ResourceArn": api_arn(s), "Tags": tag_map(&s.get("Tags"))}) }
            )),
            calls!("apigateway", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"ResourceArn": api_arn(s), "TagKeys": gone}))
            }),
        ],
        delete: &[call!("apigateway", "DeleteApi", |s| json!({"ApiId": s.physical}))],
        read: Some(Read {
            service: "apigateway",
            operation: "GetApi",
            input: |s| json!({"ApiId": s.physical}),
            state: ready,
        }),
        physical: |s| answered_id(s, "/ApiId"),
        attributes: &[("ApiId", |s| s.answered("/ApiId")), ("ApiEndpoint", |s| s.answered("/ApiEndpoint"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Integration",
        schema: "ApiId!^ IntegrationType! IntegrationUri IntegrationMethod IntegrationSubtype PayloadFormatVersion \
                 ConnectionType ConnectionId CredentialsArn Description TimeoutInMillis:i RequestParameters:j \
                 ResponseParameters:j RequestTemplates:j PassthroughBehavior TemplateSelectionExpression TlsConfig:j \
                 ContentHandlingStrategy",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateIntegration", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateIntegration", |s| own(s, "IntegrationId"))],
        delete: &[call!("apigateway", "DeleteIntegration", |s| part(s, "IntegrationId"))],
        read: None,
        physical: |s| answered_id(s, "/IntegrationId"),
        attributes: &[("IntegrationId", |s| s.answered("/IntegrationId"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Route",
        schema: "ApiId!^ RouteKey! Target AuthorizationType AuthorizerId AuthorizationScopes[] ApiKeyRequired:b \
                 OperationName ModelSelectionExpression RequestModels:j RequestParameters:j \
                 RouteResponseSelectionExpression",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateRoute", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateRoute", |s| own(s, "RouteId"))],
        delete: &[call!("apigateway", "DeleteRoute", |s| part(s, "RouteId"))],
        read: None,
        physical: |s| answered_id(s, "/RouteId"),
        attributes: &[("RouteId", |s| s.answered("/RouteId"))],
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
        delete: &[call!("apigateway", "DeleteStage", |s| json!({"ApiId": s.text("ApiId"), "StageName": s.name}))],
        read: Some(Read {
            service: "apigateway",
            operation: "GetStage",
            input: |s| json!({"ApiId": s.text("ApiId"), "StageName": s.name}),
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
        update: &[call!("apigateway", "UpdateAuthorizer", |s| own(s, "AuthorizerId"))],
        delete: &[call!("apigateway", "DeleteAuthorizer", |s| part(s, "AuthorizerId"))],
        read: None,
        physical: |s| answered_id(s, "/AuthorizerId"),
        attributes: &[("AuthorizerId", |s| s.answered("/AuthorizerId"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Deployment",
        schema: "ApiId!^ Description StageName",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateDeployment", |s| shaped(s, &[]))],
        update: &[call!("apigateway", "UpdateDeployment", |s| {
            with(s.pick(&["ApiId", "Description"]), json!({"DeploymentId": s.physical}))
        })],
        delete: &[DELETE_DEPLOYMENT],
        read: None,
        physical: |s| answered_id(s, "/DeploymentId"),
        attributes: &[("DeploymentId", |s| s.answered("/DeploymentId"))],
    },
];

const DELETE_DEPLOYMENT: Call = call!("apigateway", "DeleteDeployment", |s| part(s, "DeploymentId"));

/// The properties but some: the operations inside spell them the same.
fn shaped(s: &Subject<'_>, without: &[&str]) -> Value {
    Value::Object(s.without(without))
}

/// The properties of a part of an API, with its id.
fn own(s: &Subject<'_>, id: &str) -> Value {
    with(s.properties.clone(), json!({id: s.physical}))
}

fn part(s: &Subject<'_>, id: &str) -> Value {
    json!({"ApiId": s.text("ApiId"), id: s.physical})
}

fn answered_id(s: &Subject<'_>, pointer: &str) -> Option<String> {
    s.answered(pointer).as_str().map(str::to_owned)
}

fn api_arn(s: &Subject<'_>) -> Value {
    format!("arn:aws:apigateway:{}::/apis/{}", s.region, s.physical).into()
}
