//! Where APIs are called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use boathouse_aws::AwsError;
use boathouse_aws::http_service::ServiceAnswer;
use boathouse_aws::site::{Site, SiteRequest};
use futures::future::BoxFuture;
use http::header::HOST;
use http::request::Parts;
use http::{Method, StatusCode};

use crate::answer::{self, Answer};
use crate::api::Integration;
use crate::cors;
use crate::event::Call;
use crate::integrations::{MAX_TIMEOUT, function};
use crate::invoke::{Failure, Invocation};
use crate::measures;
use crate::runtime::{Compiled, Served};
use crate::store::ApiGateway;

/// What the path of an API begins with where its host has no name of its own; the API's id follows.
pub const PATH: &str = "/_aws/execute-api/";
/// What follows the API's id in a host's name.
const HOST_PART: &str = ".execute-api.";
const DEFAULT_STAGE: &str = "$default";

/// The calls of all APIs.
pub struct Sites {
    state: Arc<ApiGateway>,
}

impl Sites {
    /// The sites of these APIs.
    pub fn new(state: &Arc<ApiGateway>) -> Self {
        Self { state: Arc::clone(state) }
    }
}

impl Site for Sites {
    fn name(&self) -> &'static str {
        "execute-api"
    }

    fn owns(&self, parts: &Parts) -> bool {
        addressed(parts).is_some()
    }

    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer> {
        Box::pin(async move {
            let head = request.parts.method == Method::HEAD;
            let mut answer = self.state.answer(&request).await;
            if head {
                answer.body.clear();
            }
            told(answer)
        })
    }

    fn unreadable(&self, error: &AwsError) -> ServiceAnswer {
        let message = match error.status {
            StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
            _ => "Bad Request",
        };
        told(Answer::message(error.status, message))
    }
}

fn told(answer: Answer) -> ServiceAnswer {
    let failed = answer.status.is_client_error() || answer.status.is_server_error();
    let error = failed.then(|| answer.status.as_u16().to_string());
    ServiceAnswer { response: answer.into_response(), operation: "Invoke", error }
}

/// The API that a request is for, and the path after it.
fn addressed(parts: &Parts) -> Option<(&str, &str)> {
    let path = parts.uri.path();
    if let Some(rest) = path.strip_prefix(PATH) {
        let end = rest.find('/').unwrap_or(rest.len());
        return Some((&rest[..end], &rest[end..]));
    }
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let (api, _) = host.or_else(|| parts.uri.host())?.split_once(HOST_PART)?;
    (!api.contains('.')).then_some((api, path))
}

/// The stage that a path means, and the path after it: the first part if it names a stage, else `$default`.
fn staged<'a>(compiled: &'a Compiled, path: &'a str) -> Option<(&'a Arc<Served>, &'a str)> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let end = rest.find('/').unwrap_or(rest.len());
    let first = rest[..end].replace("%24", "$");
    match compiled.stage(&first) {
        Some(stage) => Some((stage, &rest[end..])),
        None => compiled.stage(DEFAULT_STAGE).map(|stage| (stage, path)),
    }
}

impl ApiGateway {
    async fn answer(&self, request: &SiteRequest) -> Answer {
        let not_found = || Answer::message(StatusCode::NOT_FOUND, "Not Found");
        let Some((api, raw_path)) = addressed(&request.parts) else { return not_found() };
        let compiled = match self.compiled(api) {
            Ok(Some(compiled)) => compiled,
            Ok(None) => return not_found(),
            Err(error) => {
                tracing::error!(api, %error, "the API can't be read");
                return Answer::internal();
            }
        };
        let begun = Instant::now();
        let answer = self.answer_of(&compiled, api, raw_path, request).await;
        measures::answered(&request.ctx.platform, api, answer.status, begun.elapsed());
        answer
    }

    /// The answer of an API that is there.
    async fn answer_of(&self, compiled: &Compiled, api: &str, raw_path: &str, request: &SiteRequest) -> Answer {
        let not_found = || Answer::message(StatusCode::NOT_FOUND, "Not Found");
        if compiled.api.disable_execute_api_endpoint == Some(true) {
            return Answer::message(StatusCode::FORBIDDEN, "Forbidden");
        }
        let Some((served, path)) = staged(compiled, raw_path) else { return not_found() };
        let cors = served.snapshot.cors.as_ref();
        let mut answer = match served.route(request.parts.method.as_str(), path) {
            Some((route, variables)) => {
                let empty = BTreeMap::new();
                let call = Call {
                    ctx: &request.ctx,
                    parts: &request.parts,
                    body: &request.body,
                    api,
                    stage: &served.stage.stage_name,
                    stage_variables: served.stage.stage_variables.as_ref().unwrap_or(&empty),
                    raw_path: if raw_path.is_empty() { "/" } else { raw_path },
                    path: if path.is_empty() { "/" } else { path },
                    route_key: &route.route_key,
                    variables: &variables,
                    received: request.ctx.now(),
                };
                self.routed(&call, served, route, request).await
            }
            None => match cors {
                Some(cors) if cors::is_preflight(&request.parts) => return cors::preflight(cors, &request.parts),
                _ => not_found(),
            },
        };
        if let Some(cors) = cors {
            cors::add_to(cors, &request.parts, &mut answer.headers);
        }
        answer
    }

    async fn routed(
        &self,
        call: &Call<'_>,
        served: &Served,
        route: &crate::api::Route,
        request: &SiteRequest,
    ) -> Answer {
        if let Some(limit) = served.limit(&route.route_key) {
            let bucket = (call.api.to_owned(), call.stage.to_owned(), route.route_key.clone());
            if !self.runtime.buckets.take(bucket, limit, call.received) {
                return Answer::message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
            }
        }
        let target = route.target.as_deref().and_then(|target| target.strip_prefix("integrations/"));
        let integration = target.and_then(|id| served.snapshot.integrations.get(id));
        let format = integration.and_then(|it| it.payload_format_version.as_deref()).unwrap_or("2.0");
        let authorizer = match self.permit(call, served, route, &request.signer, format).await {
            Ok(authorizer) => authorizer,
            Err(refusal) => return *refusal,
        };
        let Some(integration) = integration else {
            tracing::info!(api = call.api, route = route.route_key, "the route has no integration");
            return Answer::internal();
        };
        match &integration.integration_subtype {
            Some(subtype) => self.call_service(call, integration, subtype).await,
            None => self.integrate(call, integration, authorizer).await,
        }
    }

    async fn integrate(
        &self,
        call: &Call<'_>,
        integration: &Integration,
        authorizer: Option<serde_json::Value>,
    ) -> Answer {
        let first_format = integration.payload_format_version.as_deref() == Some("1.0");
        let event = if first_format { call.v1(authorizer) } else { call.v2(authorizer) };
        let source_arn = call.source_arn();
        let invocation = Invocation {
            function: integration.integration_uri.as_deref().and_then(function).unwrap_or_default(),
            stage_variables: call.stage_variables,
            role: integration.credentials_arn.as_deref(),
            source_arn: &source_arn,
            timeout: Duration::from_millis(integration.timeout_in_millis.unwrap_or(MAX_TIMEOUT)),
        };
        let payload = match self.invoke(call.ctx, &invocation, &event).await {
            Ok(payload) => payload,
            Err(failure) => return failed(call, &failure),
        };
        let answer = if first_format { answer::v1(&payload) } else { answer::v2(&payload) };
        answer.unwrap_or_else(|error| {
            tracing::warn!(api = call.api, route = call.route_key, %error, "no answer");
            Answer::internal()
        })
    }
}

fn failed(call: &Call<'_>, failure: &Failure) -> Answer {
    tracing::warn!(api = call.api, route = call.route_key, error = %failure, "the integration failed");
    match failure {
        Failure::TooLarge => Answer::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Failure::TimedOut => Answer::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        Failure::Refused(error) if error.status == StatusCode::TOO_MANY_REQUESTS => {
            Answer::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        Failure::Refused(_) | Failure::Failed(..) => Answer::internal(),
    }
}
