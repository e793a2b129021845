//! The HTTP edge: HTTP/1.1 and h2c on one port; route, verify, dispatch, answer, leave one audit line a call.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::access::CredentialStore;
use crate::context::{Ctx, Platform};
use crate::error::AwsError;
use crate::protocol::query::QueryInput;
use crate::protocol::{Answer, json, query, rest_xml};
use crate::service::{OperationInput, Protocol, ServiceTable};
use crate::sigv4::{Claim, Dialect, Verifier, sha256_hex};

/// The largest body of a control-plane call.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// How long a client may take to send its request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to send its request's body, which is at most 16 MiB.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long calls may go on after the server was asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// The namespace of query errors that belong to no service.
const UNKNOWN_NAMESPACE: &str = "https://webservices.amazon.com/AWSFault/2005-15-09";

/// The edge of one server.
pub struct Gateway {
    platform: Platform,
    verifier: Verifier,
}

/// A call on its way: what it addresses, filled in as far as it is known when an error strikes.
struct Call<'a> {
    parts: &'a Parts,
    request_id: Uuid,
    source_ip: IpAddr,
    service: String,
    operation: String,
    principal: String,
    wire: Wire,
}

/// The shape of a call's answer.
#[derive(Clone, Copy)]
enum Wire {
    Json { version: &'static str },
    Query { namespace: &'static str },
    RestXml,
}

impl Wire {
    fn dialect(self) -> Dialect {
        match self {
            Self::Json { .. } => Dialect::Json,
            Self::Query { .. } => Dialect::Query,
            Self::RestXml => Dialect::S3,
        }
    }
}

impl Gateway {
    /// A gateway to the services installed in the platform's dispatcher.
    pub fn new(platform: Platform, credentials: Arc<dyn CredentialStore>) -> Self {
        Self { platform, verifier: Verifier::new(credentials) }
    }

    /// Serves connections until `shutdown` is ready, then lets running calls end within ten seconds.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            match accepted {
                Ok((stream, peer)) => self.clone().connection(stream, peer, &graceful),
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await; // out of file handles: let some close
                }
            }
        }
        if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!("connections were cut off at shutdown");
        }
    }

    fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, graceful: &GracefulShutdown) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "set_nodelay failed");
        }
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        let service = hyper::service::service_fn(move |request| {
            let gateway = Arc::clone(&self);
            async move { Ok::<_, std::convert::Infallible>(gateway.respond(request, peer.ip()).await) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }

    async fn respond(&self, request: Request<Incoming>, source_ip: IpAddr) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::GET && parts.uri.path() == "/_boathouse/health" {
            return health();
        }
        let started = Instant::now();
        let mut call = Call::new(&parts, source_ip);
        let outcome = AssertUnwindSafe(self.call(&mut call, body)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(request_id = %call.request_id, "a handler panicked");
            Err(AwsError::internal("the operation failed unexpectedly; the server's log has the cause"))
        });
        let code = outcome.as_ref().err().map(|error| error.code.to_string());
        let error_type = code.clone().filter(|_| matches!(call.wire, Wire::Json { .. }));
        let answer = outcome.unwrap_or_else(|error| call.failure(&error));
        tracing::info!(
            target: "audit",
            request_id = %call.request_id,
            service = call.service,
            operation = call.operation,
            principal = call.principal,
            %source_ip,
            status = answer.status.as_u16(),
            error = code,
            micros = started.elapsed().as_micros() as u64,
            bytes_out = answer.body.len(),
        );
        let mut response = respond_with(answer, call.request_id);
        if let Some(code) = error_type.and_then(|code| HeaderValue::from_str(&code).ok()) {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        response
    }

    async fn call(&self, call: &mut Call<'_>, body: Incoming) -> Result<Answer, AwsError> {
        let body = collect(body).await?;
        let claim = Claim::of(call.parts).map_err(|error| error.into_aws(call.wire.dialect()))?;
        let (table, input) = self.route(call, claim.as_ref(), body.clone())?;
        let claim = claim.ok_or_else(|| missing_token(call.wire))?;
        if claim.scope.service != table.name {
            let message = format!("Credential should be scoped to correct service: '{}'.", table.name);
            return Err(crate::sigv4::SignatureError::Malformed(message).into_aws(call.wire.dialect()));
        }
        let principal = self
            .verifier
            .verify(&claim, call.parts, &sha256_hex(&body), self.platform.clock.now())
            .map_err(|error| error.into_aws(call.wire.dialect()))?;
        call.principal.clone_from(&principal.arn);
        let ctx =
            Ctx { request_id: call.request_id, source_ip: Some(call.source_ip), ..self.platform.context(principal) };
        let output = self.platform.dispatcher.dispatch(&ctx, table.name, &call.operation, input).await?;
        match call.wire {
            Wire::Json { version } => json::success(version, &output),
            Wire::Query { namespace } => query::success(&call.operation, namespace, &output, call.request_id),
            Wire::RestXml => Err(AwsError::internal("restXml operations are not dispatched")),
        }
    }

    /// Finds the service and the operation that a request means.
    fn route(
        &self,
        call: &mut Call<'_>,
        claim: Option<&Claim>,
        body: Bytes,
    ) -> Result<(&ServiceTable, OperationInput), AwsError> {
        if let Some(target) = header(call.parts, "x-amz-target") {
            return self.route_json(call, &target, body);
        }
        if matches!(call.wire, Wire::Query { .. }) {
            return self.route_query(call, claim, QueryInput::parse(&body)?);
        }
        let message =
            format!("Boathouse does not implement S3 yet (called: {} {})", call.parts.method, call.parts.uri.path());
        Err(AwsError::new("NotImplemented", StatusCode::NOT_IMPLEMENTED, message))
    }

    fn route_json(
        &self,
        call: &mut Call<'_>,
        target: &str,
        body: Bytes,
    ) -> Result<(&ServiceTable, OperationInput), AwsError> {
        let unknown =
            || AwsError::bad_request("UnknownOperationException", format!("no service has the target {target}"));
        let (prefix, operation) = json::split_target(target).ok_or_else(unknown)?;
        operation.clone_into(&mut call.operation);
        let speaks = |table: &&ServiceTable| matches!(table.protocol, Protocol::AwsJson { target_prefix, .. } if target_prefix == prefix);
        let table = self.platform.dispatcher.services().find(speaks).ok_or_else(unknown)?;
        table.name.clone_into(&mut call.service);
        Ok((table, OperationInput::Json(body)))
    }

    fn route_query(
        &self,
        call: &mut Call<'_>,
        claim: Option<&Claim>,
        form: QueryInput,
    ) -> Result<(&ServiceTable, OperationInput), AwsError> {
        form.action.clone_into(&mut call.operation);
        let service = &claim.ok_or_else(|| missing_token(call.wire))?.scope.service;
        service.clone_into(&mut call.service);
        let invalid = || {
            let message = format!("Could not find operation {} for version {} of {service}", form.action, form.version);
            AwsError::bad_request("InvalidAction", message)
        };
        let table = self.platform.dispatcher.service(service).ok_or_else(invalid)?;
        match table.protocol {
            Protocol::AwsQuery { version, namespace } if version == form.version && table.has(&form.action) => {
                call.wire = Wire::Query { namespace };
                Ok((table, OperationInput::Query(form)))
            }
            _ => Err(invalid()),
        }
    }
}

impl<'a> Call<'a> {
    fn new(parts: &'a Parts, source_ip: IpAddr) -> Self {
        let content_type = header(parts, CONTENT_TYPE.as_str()).unwrap_or_default();
        let wire = if parts.headers.contains_key("x-amz-target") {
            Wire::Json { version: if content_type.contains("json-1.0") { "1.0" } else { "1.1" } }
        } else if is_form(&content_type) {
            Wire::Query { namespace: UNKNOWN_NAMESPACE }
        } else {
            Wire::RestXml
        };
        let (service, operation, principal) = (String::new(), String::new(), String::new());
        Self { parts, request_id: Uuid::new_v4(), source_ip, service, operation, principal, wire }
    }

    fn failure(&self, error: &AwsError) -> Answer {
        match self.wire {
            Wire::Json { version } => json::failure(version, error),
            Wire::Query { namespace } => query::failure(namespace, error, self.request_id),
            Wire::RestXml => rest_xml::failure(error, self.parts.uri.path(), self.request_id),
        }
    }
}

fn header(parts: &Parts, name: &str) -> Option<String> {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn is_form(content_type: &str) -> bool {
    content_type.starts_with("application/x-www-form-urlencoded")
}

async fn collect(body: Incoming) -> Result<Bytes, AwsError> {
    let Ok(collected) = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await else {
        return Err(AwsError::bad_request("RequestTimeout", "the request's body did not arrive in time"));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the request's body is larger than {MAX_BODY} bytes");
            Err(AwsError::new("RequestEntityTooLarge", StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        Err(_) => Err(AwsError::bad_request("IncompleteBody", "the request's body ended early")),
    }
}

fn missing_token(wire: Wire) -> AwsError {
    let code = match wire {
        Wire::Json { .. } => "MissingAuthenticationTokenException",
        Wire::Query { .. } => "MissingAuthenticationToken",
        Wire::RestXml => "AccessDenied",
    };
    AwsError::new(code, StatusCode::FORBIDDEN, "Request is missing Authentication Token")
}

fn health() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(Bytes::from_static(br#"{"status":"ok"}"#)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn respond_with(answer: Answer, request_id: Uuid) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.status;
    let text = |text: &str| HeaderValue::from_str(text).expect("invariant: ids and content types are visible ASCII");
    response.headers_mut().insert(CONTENT_TYPE, text(&answer.content_type));
    response.headers_mut().insert("x-amzn-requestid", text(&request_id.to_string()));
    response
}
