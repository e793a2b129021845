//! API Gateway: HTTP APIs (version 2), and the sites where they are called.
//!
//! AWS counterpart: "Amazon API Gateway Version 2 API Reference" and "Amazon API Gateway HTTP APIs". An API is called by the
//! host `<api>.execute-api.<anything>`, or on machines without such names by the path `/_aws/execute-api/<api>/`; after
//! that comes the stage, unless it is `$default`, and the route's path.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `apis`, `routes`, `integrations`, `authorizers`, `stages`, `deployments`, `tags` | one file for each resource |
//! | `route_key` | route keys, and which route a request takes |
//! | [`site`] | finds API, stage and route of a request; limits, permission, answer |
//! | `runtime` | what calls need in memory: compiled stages, token buckets, kept verdicts |
//! | `cors` | answers to preflight requests, headers for pages of other origins |
//! | `permission` | who may call a route: IAM, Lambda authorizers |
//! | `event` | requests as Lambda functions see them, payload formats 1.0 and 2.0 |
//! | `answer` | answers as Lambda functions give them |
//! | `invoke`, `services` | call functions, in time, and other services |
//! | `throttle` | token buckets |
//! | `measures` | metrics for CloudWatch |
//! | `store`, [`error`] | rows and shared helpers; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
pub mod api;
mod apis;
mod authorizers;
mod cors;
mod deployments;
pub mod error;
mod event;
mod integrations;
mod invoke;
mod measures;
mod permission;
mod route_key;
mod routes;
mod runtime;
mod services;
pub mod site;
mod stages;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod throttle;

use std::sync::Arc;

use boathouse_aws::protocol::rest_json::Route;
use boathouse_aws::service::Access;
use boathouse_aws::{Protocol, ServiceTable};

pub use error::GatewayError;
pub use store::{ApiGateway, Deps};

/// The service that integrations are called by.
pub(crate) const SERVICE: &str = "apigateway.amazonaws.com";

/// Members whose keys are the user's own.
const MAPS: &[&str] =
    &["Tags", "StageVariables", "RouteSettings", "RequestParameters", "RequestTemplates", "RequestModels"];

/// The service `apigateway`. IAM is asked as AWS asks it: `apigateway:POST` on `arn:aws:apigateway:<region>::/apis`.
#[must_use]
pub fn service(state: &Arc<ApiGateway>) -> ServiceTable {
    let keeper = Arc::clone(state);
    let mut table = ServiceTable::new("apigateway", Protocol::RestJson);
    table = table.with_tags(move |arn| tags::of(&keeper, arn));
    macro_rules! operations {
        ($($name:literal => $handler:path, $route:expr;)*) => {
            $(table = table.operation($name, Access::InHandler, state, $handler).route($name, $route.camel_case(MAPS));)*
        };
    }
    operations! {
        "CreateApi" => apis::create, Route::post("/v2/apis").status(201);
        "GetApi" => apis::get, Route::get("/v2/apis/{ApiId}");
        "GetApis" => apis::list, paged(Route::get("/v2/apis"));
        "UpdateApi" => apis::update, Route::patch("/v2/apis/{ApiId}");
        "DeleteApi" => apis::delete, Route::delete("/v2/apis/{ApiId}").status(204);
        "DeleteCorsConfiguration" => apis::delete_cors, Route::delete("/v2/apis/{ApiId}/cors").status(204);
        "CreateRoute" => routes::create, Route::post("/v2/apis/{ApiId}/routes").status(201);
        "GetRoute" => routes::get, Route::get("/v2/apis/{ApiId}/routes/{RouteId}");
        "GetRoutes" => routes::list, paged(Route::get("/v2/apis/{ApiId}/routes"));
        "UpdateRoute" => routes::update, Route::patch("/v2/apis/{ApiId}/routes/{RouteId}");
        "DeleteRoute" => routes::delete, Route::delete("/v2/apis/{ApiId}/routes/{RouteId}").status(204);
        "CreateIntegration" => integrations::create, Route::post("/v2/apis/{ApiId}/integrations").status(201);
        "GetIntegration" => integrations::get, Route::get("/v2/apis/{ApiId}/integrations/{IntegrationId}");
        "GetIntegrations" => integrations::list, paged(Route::get("/v2/apis/{ApiId}/integrations"));
        "UpdateIntegration" => integrations::update, Route::patch("/v2/apis/{ApiId}/integrations/{IntegrationId}");
        "DeleteIntegration" => integrations::delete,
            Route::delete("/v2/apis/{ApiId}/integrations/{IntegrationId}").status(204);
        "CreateAuthorizer" => authorizers::create, Route::post("/v2/apis/{ApiId}/authorizers").status(201);
        "GetAuthorizer" => authorizers::get, Route::get("/v2/apis/{ApiId}/authorizers/{AuthorizerId}");
        "GetAuthorizers" => authorizers::list, paged(Route::get("/v2/apis/{ApiId}/authorizers"));
        "UpdateAuthorizer" => authorizers::update, Route::patch("/v2/apis/{ApiId}/authorizers/{AuthorizerId}");
        "DeleteAuthorizer" => authorizers::delete,
            Route::delete("/v2/apis/{ApiId}/authorizers/{AuthorizerId}").status(204);
        "CreateStage" => stages::create, Route::post("/v2/apis/{ApiId}/stages").status(201);
        "GetStage" => stages::get, Route::get("/v2/apis/{ApiId}/stages/{StageName}");
        "GetStages" => stages::list, paged(Route::get("/v2/apis/{ApiId}/stages"));
        "UpdateStage" => stages::update, Route::patch("/v2/apis/{ApiId}/stages/{StageName}");
        "DeleteStage" => stages::delete, Route::delete("/v2/apis/{ApiId}/stages/{StageName}").status(204);
        "DeleteRouteSettings" => stages::delete_route_settings,
            Route::delete("/v2/apis/{ApiId}/stages/{StageName}/routesettings/{RouteKey+}").status(204);
        "CreateDeployment" => deployments::create, Route::post("/v2/apis/{ApiId}/deployments").status(201);
        "GetDeployment" => deployments::get, Route::get("/v2/apis/{ApiId}/deployments/{DeploymentId}");
        "GetDeployments" => deployments::list, paged(Route::get("/v2/apis/{ApiId}/deployments"));
        "UpdateDeployment" => deployments::update, Route::patch("/v2/apis/{ApiId}/deployments/{DeploymentId}");
        "DeleteDeployment" => deployments::delete,
            Route::delete("/v2/apis/{ApiId}/deployments/{DeploymentId}").status(204);
        "GetTags" => tags::get, Route::get("/v2/tags/{ResourceArn+}");
        "TagResource" => tags::tag, Route::post("/v2/tags/{ResourceArn+}").status(201);
        "UntagResource" => tags::untag,
            Route::delete("/v2/tags/{ResourceArn+}").query_list("tagKeys", "TagKeys").status(204);
    }
    table
}

fn paged(route: Route) -> Route {
    route.query("maxResults", "MaxResults").query("nextToken", "NextToken")
}
