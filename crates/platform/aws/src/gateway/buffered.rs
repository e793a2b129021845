//! JSON, REST and query calls: short bodies that are read whole, verified and dispatched.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use uuid::Uuid;

use super::record::Record;
use super::{Gateway, MaybeClaim, limits, received, signer_of, signing_time};
use crate::dispatcher::answered;
use crate::error::{AwsError, Fault};
use crate::history::CallRecord;
use crate::http_service::{ResponseBody, full};
use crate::principal::Principal;
use crate::protocol::event_stream::{self, EventStream};
use crate::protocol::query::QueryInput;
use crate::protocol::rest_json::Route;
use crate::protocol::{Answer, cbor, json, query, rest_json, rest_xml};
use crate::service::{LARGEST_BODY, OperationInput, Output, Protocol, ServiceTable};
use crate::sigv4::{Claim, Dialect, SignatureError, sha256_hex};

/// How long a client may take to send its request's body, which is at most 16 MiB.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
const FORM: &str = "application/x-www-form-urlencoded";
/// The namespace of query errors that belong to no service.
const UNKNOWN_NAMESPACE: &str = "https://webservices.amazon.com/AWSFault/2005-15-09";

/// A call on its way: what it addresses, filled in as far as it is known when an error strikes.
struct Call<'a> {
    parts: &'a Parts,
    request_id: Uuid,
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
    Cbor,
    RestJson,
    RestXml,
}

impl Wire {
    fn dialect(self) -> Dialect {
        match self {
            Self::Json { .. } | Self::Cbor | Self::RestJson => Dialect::Json,
            Self::Query { .. } => Dialect::Query,
            Self::RestXml => Dialect::S3,
        }
    }
}

impl Gateway {
    /// Answers a JSON, REST or query call.
    pub(super) async fn buffered(
        &self,
        (parts, claim): (&Parts, MaybeClaim),
        body: Incoming,
        record: &mut Record,
    ) -> Response<ResponseBody> {
        let mut call = Call::new(parts, record.request_id);
        if claim.as_ref().is_ok_and(|claim| claim.as_ref().is_some_and(|claim| self.rest_service(claim).is_some())) {
            call.wire = Wire::RestJson;
        }
        let outcome = self.call(&mut call, claim, body, record).await;
        let query_error = outcome.as_ref().err().and_then(query_error);
        record.error = outcome.as_ref().err().map(|error| error.code.to_string());
        let error_type =
            record.error.clone().filter(|_| matches!(call.wire, Wire::Json { .. } | Wire::Cbor | Wire::RestJson));
        let mut response = outcome.unwrap_or_else(|error| respond_with(call.failure(&error)));
        (record.service, record.operation, record.principal) = (call.service, call.operation, call.principal);
        let id = HeaderValue::try_from(record.request_id.to_string()).expect("invariant: ids are visible ASCII");
        response.headers_mut().insert("x-amzn-requestid", id);
        if let Some(code) = error_type.and_then(|code| HeaderValue::from_str(&code).ok()) {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        if let Some(code) = query_error {
            response.headers_mut().insert("x-amzn-query-error", code);
        }
        response
    }

    async fn call(
        &self,
        call: &mut Call<'_>,
        claim: MaybeClaim,
        body: Incoming,
        record: &Record,
    ) -> Result<Response<ResponseBody>, AwsError> {
        let service = claim.as_ref().ok().and_then(Option::as_ref).and_then(|claim| self.rest_service(claim));
        let body = collect(call.parts, body, service.map_or(LARGEST_BODY, ServiceTable::largest_body)).await?;
        record.bytes_in.store(body.len() as u64, Ordering::Relaxed);
        let claim = claim.map_err(|error| error.into_aws(call.wire.dialect()))?;
        let (table, route, input) = self.route(call, claim.as_ref(), plain(call.parts, body.clone())?)?;
        let principal = match &claim {
            Some(claim) => self.caller(claim, call, table, &body)?,
            None if table.takes_unsigned(&call.operation) => Arc::new(Principal::anonymous()),
            None => return Err(missing_token(call.wire)),
        };
        call.principal.clone_from(&principal.arn);
        let ctx = self.context(record, principal, call.parts, claim.as_ref().map(signer_of));
        let dispatcher = &self.platform.dispatcher;
        let history = dispatcher.history(table.name, &call.operation).map(|history| (history, parameters(&input)));
        let outcome = dispatcher.dispatch(&ctx, table.name, &call.operation, input).await;
        if let Some((history, parameters)) = history {
            let kept = history.keeps_answer(table.name, &call.operation);
            let answer = kept.then(|| answered(&outcome)).flatten();
            history.note(&CallRecord {
                ctx: &ctx,
                service: table.name,
                operation: &call.operation,
                parameters: parameters.as_ref(),
                answer: answer.as_ref(),
                error: outcome.as_ref().err().map(|error| (&*error.code, &*error.message)),
            });
        }
        let output = match outcome? {
            Output::Whole(output) => output,
            Output::Stream(events) => return Ok(self.stream(events)),
        };
        let answer = match (call.wire, route) {
            (Wire::Json { version }, _) => json::success(version, &output),
            (Wire::Query { namespace }, _) => {
                let output = match &table.dialects {
                    Some(dialects) => query::reshaped(dialects, &output)?,
                    None => output,
                };
                query::success(&call.operation, namespace, &output, call.request_id)
            }
            (Wire::Cbor, _) => cbor::success(table.dialects.as_ref().ok_or_else(|| no_cbor(table.name))?, &output),
            (Wire::RestJson, Some(route)) => route.success(&output),
            (Wire::RestJson | Wire::RestXml, _) => Err(AwsError::internal("the operation has no route")),
        };
        answer.map(respond_with)
    }

    /// An answer that goes on until it has ended by itself, the client leaves or the server stops.
    fn stream(&self, events: EventStream) -> Response<ResponseBody> {
        let mut stopping = self.stopping.subscribe();
        let stopped = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
        let mut response = Response::new(events.into_body(stopped));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(event_stream::CONTENT_TYPE));
        response
    }

    /// Who signed a call of a service in `table`.
    fn caller(
        &self,
        claim: &Claim,
        call: &Call<'_>,
        table: &ServiceTable,
        body: &[u8],
    ) -> Result<Arc<Principal>, AwsError> {
        let refused = |error: SignatureError| error.into_aws(call.wire.dialect());
        if claim.scope.service != table.signing_name() {
            let message = format!("Credential should be scoped to correct service: '{}'.", table.signing_name());
            return Err(refused(SignatureError::Malformed(message)));
        }
        self.verifier.verify(claim, call.parts, &sha256_hex(body), signing_time()).map_err(refused)
    }

    /// The query service that an unsigned request means: one that takes the action so, or that takes others and does not
    /// know this one.
    fn unsigned_service(&self, form: &QueryInput) -> Option<&ServiceTable> {
        self.platform.dispatcher.services().find(|table| {
            let spoken = matches!(table.protocol, Protocol::AwsQuery { version, .. } if version == form.version);
            spoken && (table.takes_unsigned(&form.action) || table.has_unsigned() && !table.has(&form.action))
        })
    }

    /// Finds the service and the operation that a request means.
    fn route(
        &self,
        call: &mut Call<'_>,
        claim: Option<&Claim>,
        body: Bytes,
    ) -> Result<(&ServiceTable, Option<&Route>, OperationInput), AwsError> {
        if let Some(target) = header(call.parts, "x-amz-target") {
            return self.route_json(call, &target, body).map(|(table, input)| (table, None, input));
        }
        if matches!(call.wire, Wire::Cbor) {
            return self.route_cbor(call, &body).map(|(table, input)| (table, None, input));
        }
        if let Some(table) = claim.and_then(|claim| self.rest_service(claim)) {
            return route_rest(call, table, &body).map(|(route, input)| (table, Some(route), input));
        }
        if matches!(call.wire, Wire::Query { .. }) {
            let in_url = call.parts.method == Method::GET;
            let form = if in_url { call.parts.uri.query().unwrap_or_default().as_bytes() } else { &body };
            return self.route_query(call, claim, QueryInput::parse(form)?).map(|(table, input)| (table, None, input));
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
        let table = self.targeted(prefix).ok_or_else(unknown)?;
        table.name.clone_into(&mut call.service);
        Ok((table, OperationInput::Json(body)))
    }

    /// The JSON service whose targets begin so.
    fn targeted(&self, prefix: &str) -> Option<&ServiceTable> {
        let speaks = |table: &&ServiceTable| matches!(table.protocol, Protocol::AwsJson { target_prefix, .. } if target_prefix == prefix);
        self.platform.dispatcher.services().find(speaks)
    }

    fn route_cbor(&self, call: &mut Call<'_>, body: &[u8]) -> Result<(&ServiceTable, OperationInput), AwsError> {
        let path = call.parts.uri.path();
        let unknown = || AwsError::bad_request("UnknownOperationException", format!("{path} is no operation's path"));
        let (service, operation) = cbor::split_path(path).ok_or_else(unknown)?;
        operation.clone_into(&mut call.operation);
        let table = self.targeted(service).ok_or_else(unknown)?;
        table.name.clone_into(&mut call.service);
        if table.dialects.is_none() {
            return Err(no_cbor(table.name));
        }
        Ok((table, OperationInput::Value(cbor::input(body)?)))
    }

    fn route_query(
        &self,
        call: &mut Call<'_>,
        claim: Option<&Claim>,
        form: QueryInput,
    ) -> Result<(&ServiceTable, OperationInput), AwsError> {
        form.action.clone_into(&mut call.operation);
        let dispatcher = &self.platform.dispatcher;
        let (service, table) = match claim {
            Some(claim) => (claim.scope.service.as_str(), dispatcher.signed_for(&claim.scope.service)),
            None => {
                let table = self.unsigned_service(&form).ok_or_else(|| missing_token(call.wire))?;
                (table.name, Some(table))
            }
        };
        table.map_or(service, |table| table.name).clone_into(&mut call.service);
        let invalid = || {
            let message = format!("Could not find operation {} for version {} of {service}", form.action, form.version);
            AwsError::bad_request("InvalidAction", message)
        };
        let table = table.ok_or_else(invalid)?;
        if let Some(dialects) = table.dialects.filter(|it| it.version == form.version && table.has(&form.action)) {
            call.wire = Wire::Query { namespace: dialects.namespace };
            return Ok((table, OperationInput::Query(form)));
        }
        match table.protocol {
            _ if table.dialects.is_some() => Err(invalid()),
            Protocol::AwsJson { target_prefix, .. } => {
                let target = format!("X-Amz-Target: {target_prefix}.{}", form.action);
                let message = format!("{service} does not speak the query protocol here, but JSON ({target})");
                Err(AwsError::bad_request("InvalidAction", message))
            }
            Protocol::AwsQuery { version, namespace } if version == form.version && table.has(&form.action) => {
                call.wire = Wire::Query { namespace };
                Ok((table, OperationInput::Query(form)))
            }
            _ => Err(invalid()),
        }
    }
}

/// Bytes of a request that the event history keeps the members of.
const REMEMBERED: usize = 100 << 10;

/// What the event history is told of a request.
fn parameters(input: &OperationInput) -> Option<Value> {
    match input {
        OperationInput::Json(body) if body.len() <= REMEMBERED => serde_json::from_slice(body).ok(),
        OperationInput::Json(_) => None,
        OperationInput::Value(value) => Some(value.clone()),
        OperationInput::Query(query) => Some(query.to_json()),
    }
}

/// Finds the operation of a restJson service by method and path.
fn route_rest<'a>(
    call: &mut Call<'_>,
    table: &'a ServiceTable,
    body: &Bytes,
) -> Result<(&'a Route, OperationInput), AwsError> {
    table.name.clone_into(&mut call.service);
    let (method, path) = (&call.parts.method, call.parts.uri.path());
    let (operation, route) = table.routed(method, path).ok_or_else(|| {
        let message = format!("{method} {path} is not an operation of {} that Boathouse implements", table.name);
        AwsError::new("UnknownOperationException", StatusCode::NOT_FOUND, message)
    })?;
    (*operation).clone_into(&mut call.operation);
    Ok((route, OperationInput::Value(route.input(call.parts, body)?)))
}

impl<'a> Call<'a> {
    fn new(parts: &'a Parts, request_id: Uuid) -> Self {
        let content_type = header(parts, CONTENT_TYPE.as_str()).unwrap_or_default();
        let wire = if parts.headers.contains_key("x-amz-target") {
            Wire::Json { version: if content_type.contains("json-1.0") { "1.0" } else { "1.1" } }
        } else if is_cbor(parts) {
            Wire::Cbor
        } else if is_query(parts) {
            Wire::Query { namespace: UNKNOWN_NAMESPACE }
        } else {
            Wire::RestXml
        };
        let (service, operation, principal) = (String::new(), String::new(), String::new());
        Self { parts, request_id, service, operation, principal, wire }
    }

    fn failure(&self, error: &AwsError) -> Answer {
        match self.wire {
            Wire::Json { version } => json::failure(version, error),
            Wire::Query { namespace } => query::failure(namespace, error, self.request_id),
            Wire::Cbor => cbor::failure(error),
            Wire::RestJson => rest_json::failure(error),
            Wire::RestXml => rest_xml::failure(error, self.parts.uri.path(), self.request_id),
        }
    }
}

fn header(parts: &Parts, name: &str) -> Option<String> {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Whether a request speaks CBOR.
pub(super) fn is_cbor(parts: &Parts) -> bool {
    parts.headers.get(cbor::HEADER).is_some_and(|value| value == cbor::NAME)
}

fn no_cbor(service: &str) -> AwsError {
    AwsError::not_implemented(format_args!("CBOR for {service}"))
}

/// The body without the compression that clients put on large ones.
fn plain(parts: &Parts, body: Bytes) -> Result<Bytes, AwsError> {
    match parts.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        Some(b"gzip") => {}
        _ => return Ok(body),
    }
    let mut plain = Vec::new();
    let read = GzDecoder::new(&*body).take(LARGEST_BODY as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| AwsError::bad_request("SerializationException", format!("the body is not gzip: {error}")))?;
    if plain.len() > LARGEST_BODY {
        return Err(too_large(LARGEST_BODY));
    }
    Ok(plain.into())
}

fn too_large(limit: usize) -> AwsError {
    let message = format!("the request's body is larger than {limit} bytes");
    AwsError::new("RequestEntityTooLarge", StatusCode::PAYLOAD_TOO_LARGE, message)
}

/// Whether a request speaks awsQuery: a form, or a GET with an `Action` (a presigned call).
pub(super) fn is_query(parts: &Parts) -> bool {
    if parts.method != Method::GET {
        return header(parts, CONTENT_TYPE.as_str()).is_some_and(|it| it.starts_with(FORM));
    }
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("Action=")))
}

/// The whole body, if it is not larger than `limit` bytes and does not take too long, and if its headers aren't too large.
pub(super) async fn collect(parts: &Parts, mut body: Incoming, limit: usize) -> Result<Bytes, AwsError> {
    let head = limits::head(parts);
    // Who waits for a "100 Continue" sends nothing before it, and must not get one by mistake.
    let lingers = head.is_ok() || !parts.headers.contains_key(EXPECT);
    let collected = match head {
        Ok(()) => read_whole(&mut body, limit).await,
        Err(error) => Err(error),
    };
    if collected.is_err() && lingers {
        received::read_on(body);
    }
    collected
}

async fn read_whole(body: &mut Incoming, limit: usize) -> Result<Bytes, AwsError> {
    let Ok(collected) = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await else {
        return Err(AwsError::bad_request("RequestTimeout", "the request's body did not arrive in time"));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(AwsError::bad_request("IncompleteBody", "the request's body ended early")),
    }
}

/// How services that once spoke the query protocol tell the code of those days ("AWS query compatible" in Smithy).
fn query_error(error: &AwsError) -> Option<HeaderValue> {
    let fault = match error.fault() {
        Fault::Sender => "Sender",
        Fault::Receiver => "Receiver",
    };
    HeaderValue::from_str(&format!("{};{fault}", error.query_code?)).ok()
}

fn missing_token(wire: Wire) -> AwsError {
    let code = match wire {
        Wire::Json { .. } | Wire::Cbor | Wire::RestJson => "MissingAuthenticationTokenException",
        Wire::Query { .. } => "MissingAuthenticationToken",
        Wire::RestXml => "AccessDenied",
    };
    AwsError::new(code, StatusCode::FORBIDDEN, "Request is missing Authentication Token")
}

fn respond_with(answer: Answer) -> Response<ResponseBody> {
    let mut response = Response::new(full(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    let content_type = HeaderValue::from_str(&answer.content_type).expect("invariant: content types are visible ASCII");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
