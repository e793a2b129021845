//! AWS::ApiGatewayV2: HTTP APIs with their routes, integrations, stages, authorizers and deployments.

use serde_json::{Value, json};

use super::shapes::{removed_tags, tag_map, when, with};
use super::subject::Subject;
use super::{Naming, Read, ResourceType, State, by_name, call, calls, plain, ready};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::ApiGatewayV2::Api",
        schema: "Name! ProtocolType!^ Description Version CredentialsArn RouteKey RouteSelectionExpression Target \
                 ApiKeySelectionExpression DisableExecuteApiEndpoint:b DisableSchemaValidation:b IpAddressType Tags<> \
                 CorsConfiguration{AllowCredentials:b AllowHeaders[] AllowMethods[] AllowOrigins[] ExposeHeaders[] \
                 MaxAge:i}",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateApi", |s| all(s))],
        update: &[
            call!("apigateway", "UpdateApi", |s| with(
                s.without(&["Tags", "ProtocolType"]),
                json!({"ApiId": s.physical}),
            )),
            calls!("apigateway", "DeleteCorsConfiguration", |s| {
                let gone = s.old.contains_key("CorsConfiguration") && !s.properties.contains_key("CorsConfiguration");
                when(gone, || json!({"ApiId": s.physical}))
            }),
            calls!("apigateway", "TagResource", |s| {
                let changed = s.changed(&["Tags"]) && s.properties.contains_key("Tags");
                when(changed, || json!({"ResourceArn": api_arn(s), "Tags": tag_map(&s.get("Tags"))}))
            }),
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
        physical: |s| answered(s, "/ApiId"),
        attributes: &[("ApiId", |s| s.answered("/ApiId")), ("ApiEndpoint", |s| s.answered("/ApiEndpoint"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Integration",
        schema: "ApiId!^ IntegrationType! IntegrationUri IntegrationMethod IntegrationSubtype PayloadFormatVersion \
                 ConnectionType ConnectionId CredentialsArn Description TimeoutInMillis:i RequestParameters:j \
                 ResponseParameters:j RequestTemplates:j PassthroughBehavior TemplateSelectionExpression TlsConfig:j \
                 ContentHandlingStrategy",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateIntegration", |s| all(s))],
        update: &[call!("apigateway", "UpdateIntegration", |s| own(s, "IntegrationId"))],
        delete: &[call!("apigateway", "DeleteIntegration", |s| part(s, "IntegrationId"))],
        read: None,
        physical: |s| answered(s, "/IntegrationId"),
        attributes: &[("IntegrationId", |s| s.answered("/IntegrationId"))],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Route",
        schema: "ApiId!^ RouteKey! Target AuthorizationType AuthorizerId AuthorizationScopes[] ApiKeyRequired:b \
                 OperationName ModelSelectionExpression RequestModels:j RequestParameters:j \
                 RouteResponseSelectionExpression",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateRoute", |s| all(s))],
        update: &[call!("apigateway", "UpdateRoute", |s| own(s, "RouteId"))],
        delete: &[call!("apigateway", "DeleteRoute", |s| part(s, "RouteId"))],
        read: Some(Read {
            service: "apigateway",
            operation: "GetRoutes",
            input: |s| json!({"ApiId": s.text("ApiId")}),
            state: |s, answer| found_by(s, answer, "RouteKey"),
        }),
        physical: |s| answered(s, "/RouteId").or_else(|| listed(s, "RouteKey", "RouteId")),
        attributes: &[("RouteId", |s| s.physical.into())],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Stage",
        schema: "ApiId!^ StageName!^ AutoDeploy:b DeploymentId Description StageVariables:j ClientCertificateId \
                 AccessPolicyId Tags<> AccessLogSettings{DestinationArn Format} \
                 DefaultRouteSettings{DataTraceEnabled:b DetailedMetricsEnabled:b LoggingLevel ThrottlingBurstLimit:i \
                 ThrottlingRateLimit:n} RouteSettings:j",
        naming: Naming::Property("StageName", plain(128)),
        create: &[call!("apigateway", "CreateStage", |s| all(s))],
        update: &[call!("apigateway", "UpdateStage", |s| Value::Object(s.without(&["Tags"])))],
        delete: &[call!("apigateway", "DeleteStage", |s| stage(s))],
        read: Some(Read { service: "apigateway", operation: "GetStage", input: stage, state: ready }),
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Authorizer",
        schema: "ApiId!^ Name! AuthorizerType! AuthorizerUri AuthorizerCredentialsArn AuthorizerPayloadFormatVersion \
                 AuthorizerResultTtlInSeconds:i EnableSimpleResponses:b IdentitySource[] IdentityValidationExpression \
                 JwtConfiguration{Audience[] Issuer}",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateAuthorizer", |s| all(s))],
        update: &[call!("apigateway", "UpdateAuthorizer", |s| own(s, "AuthorizerId"))],
        delete: &[call!("apigateway", "DeleteAuthorizer", |s| part(s, "AuthorizerId"))],
        read: Some(Read {
            service: "apigateway",
            operation: "GetAuthorizers",
            input: |s| json!({"ApiId": s.text("ApiId")}),
            state: |s, answer| found_by(s, answer, "Name"),
        }),
        physical: |s| answered(s, "/AuthorizerId").or_else(|| listed(s, "Name", "AuthorizerId")),
        attributes: &[("AuthorizerId", |s| s.physical.into())],
    },
    ResourceType {
        name: "AWS::ApiGatewayV2::Deployment",
        schema: "ApiId!^ Description StageName",
        naming: Naming::Generated(plain(128)),
        create: &[call!("apigateway", "CreateDeployment", |s| all(s))],
        update: &[call!("apigateway", "UpdateDeployment", |s| with(
            s.pick(&["ApiId", "Description"]),
            json!({"DeploymentId": s.physical}),
        ))],
        delete: &[call!("apigateway", "DeleteDeployment", |s| part(s, "DeploymentId"))],
        read: None,
        physical: |s| answered(s, "/DeploymentId"),
        attributes: &[("DeploymentId", |s| s.answered("/DeploymentId"))],
    },
];

fn all(s: &Subject<'_>) -> Value {
    Value::Object(s.properties.clone())
}

/// The properties of a part of an API, with its id.
fn own(s: &Subject<'_>, id: &str) -> Value {
    with(s.properties.clone(), json!({id: s.physical}))
}

fn part(s: &Subject<'_>, id: &str) -> Value {
    json!({"ApiId": s.text("ApiId"), id: s.physical})
}

fn stage(s: &Subject<'_>) -> Value {
    json!({"ApiId": s.text("ApiId"), "StageName": s.name})
}

fn answered(s: &Subject<'_>, pointer: &str) -> Option<String> {
    s.answered(pointer).as_str().map(str::to_owned)
}

/// Parts whose ids the API gives can be told by a property that no two of them share.
fn same<'a>(s: &Subject<'_>, answer: &'a Value, property: &str) -> Option<&'a Value> {
    answer["Items"].as_array()?.iter().find(|item| item[property] == s.text(property))
}

fn found_by(s: &Subject<'_>, answer: &Value, property: &str) -> State {
    if same(s, answer, property).is_some() { State::Ready } else { State::Absent }
}

fn listed(s: &Subject<'_>, property: &str, id: &str) -> Option<String> {
    same(s, s.answer, property)?[id].as_str().map(str::to_owned)
}

fn api_arn(s: &Subject<'_>) -> Value {
    format!("arn:aws:apigateway:{}::/apis/{}", s.region, s.physical).into()
}
