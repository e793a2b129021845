//! The codec's adapter: verified requests in, answers out. What `s3s` gets wrong or leaves open is settled here.

use std::sync::Arc;

use boathouse_aws::access::CredentialStore;
use boathouse_aws::http_service::{
    ErrorMessage, HttpService, RequestBody, ResponseBody, ServiceAnswer, Trailers, VerifiedRequest, full,
};
use boathouse_aws::protocol::rest_xml;
use boathouse_aws::{AwsError, Ctx};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use percent_encoding::percent_decode_str;
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::call::{self, Call, Store};
use crate::checksums::Announced;
use crate::error::{Result, from_engine, internal};
use crate::front::Front;
use crate::logging::line::Request;
use crate::{cors, documents, forms, host, logging, refusals, xml};

/// Members of a presigned URL that are about its signature.
const SIGNING: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
];
/// The same of Signature Version 2; `x-amz-security-token` is among the others.
const SIGNING_V2: [&str; 3] = ["AWSAccessKeyId", "Signature", "Expires"];
/// The methods that S3 has.
const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE, Method::OPTIONS];
/// The longest document that an operation takes: a list of ten thousand parts is a tenth of it.
const MAX_DOCUMENT: usize = 20 << 20;
/// An error document of the codec is shorter than this.
const MAX_ERROR: usize = 64 * 1024;

/// S3 as the gateway sees it.
pub(crate) struct Adapter {
    store: Store,
    codec: S3Service,
    credentials: Arc<dyn CredentialStore>,
}

impl Adapter {
    pub(crate) fn new(store: Store, credentials: Arc<dyn CredentialStore>) -> Self {
        let codec = S3ServiceBuilder::new(Front { store: store.clone() }).build();
        Self { store, codec, credentials }
    }

    /// Whose keys sign forms.
    pub(crate) fn credentials(&self) -> &dyn CredentialStore {
        &*self.credentials
    }

    async fn answer(&self, request: VerifiedRequest) -> ServiceAnswer {
        let VerifiedRequest { ctx, mut parts, body, trailers } = request;
        let resource = parts.uri.path().to_owned();
        let query = parts.uri.query().map(str::to_owned);
        let method = parts.method.clone();
        if let Err(error) = normalise(&mut parts, ctx.region()) {
            return failure(&ctx, &method, &resource, "", &error);
        }
        let bucket = bucket_of(&parts.uri);
        let logged = self.store.log.is_on().then(|| Request::new(&ctx, &parts, query.as_deref()));
        if !METHODS.contains(&method) {
            return failure(&ctx, &method, &resource, "", &method_not_allowed(&parts));
        }
        if method == Method::OPTIONS {
            return self.preflight(&ctx, &bucket, &parts.headers, &resource);
        }
        // Headers are only looked at again where a browser waits for leave.
        let asking = call::find(&parts.headers, "origin").map(|_| parts.headers.clone());
        let (ctx, operation, outcome) = match forms::is_form(&parts) {
            true => {
                let (ctx, outcome) = self.form(ctx, parts, body).await;
                (ctx, forms::OPERATION, outcome)
            }
            false => {
                let (call, document) = begin(ctx, &mut parts, body, trailers);
                let outcome = self.run(&call, parts, document).await;
                (call.ctx.clone(), call.operation.get().copied().unwrap_or_default(), outcome)
            }
        };
        let mut answer = match outcome {
            Ok(response) => ServiceAnswer { response, operation, error: None },
            Err(error) => failure(&ctx, &method, &resource, operation, &error),
        };
        answer.response.extensions_mut().insert(Arc::clone(&ctx.principal));
        if let Some(headers) = asking
            && let Ok(rules) = self.cors_rules(&bucket)
        {
            let headers = cors::decorate(rules.as_deref(), &headers, method.as_str());
            answer.response.headers_mut().extend(headers);
        }
        if let Some(request) = logged {
            logging::note(&self.store, &request, &answer);
        }
        answer
    }

    /// Answers a request that a service of this process made: no signature, no host, and errors as they are.
    pub(crate) async fn answer_inside(
        &self,
        ctx: Ctx,
        mut parts: Parts,
        body: Bytes,
    ) -> Result<Response<ResponseBody>> {
        let body = futures::stream::once(futures::future::ready(Ok(body))).boxed();
        let (call, document) = begin(ctx, &mut parts, body, Trailers::default());
        self.run(&call, parts, document).await
    }

    pub(crate) async fn run(
        &self,
        call: &Arc<Call>,
        parts: Parts,
        body: Option<RequestBody>,
    ) -> Result<Response<ResponseBody>> {
        refusals::check(&parts.method, parts.uri.query().unwrap_or_default(), &call.headers)?;
        let document = match body {
            Some(body) => document(call, body).await?,
            None => Bytes::new(),
        };
        // Set once: one request has one document.
        let _ = call.document.set(document.clone());
        let response = self.codec.call(for_codec(call, parts, document)).await;
        let response = response.map_err(|_| internal(&"the codec failed"))?;
        let (mut parts, body) = response.into_parts();
        if parts.status.is_success() {
            parts.status = call.status.get().copied().unwrap_or(parts.status);
            let Some((status, body)) = call.take_reply() else {
                return Ok(Response::from_parts(parts, full(xml::readable(written(body).await?))));
            };
            parts.status = status;
            return Ok(Response::from_parts(parts, body));
        }
        match call.take_failure() {
            Some(error) => Err(error),
            None => Err(codec_error(parts.status, body).await),
        }
    }

    fn cors_rules(&self, bucket: &str) -> Result<Option<Vec<cors::CorsRule>>> {
        self.store.document(bucket, documents::CORS)
    }

    fn preflight(&self, ctx: &Ctx, bucket: &str, headers: &HeaderMap, resource: &str) -> ServiceAnswer {
        const OPERATION: &str = "CorsPreflight";
        let allowed = self.cors_rules(bucket).and_then(|rules| cors::preflight(rules.as_deref(), headers));
        match allowed {
            Ok(headers) => {
                let mut response = Response::new(full(""));
                *response.headers_mut() = headers;
                ServiceAnswer { response, operation: OPERATION, error: None }
            }
            Err(error) => failure(ctx, &Method::OPTIONS, resource, OPERATION, &error),
        }
    }
}

impl HttpService for Adapter {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn signed_path(&self, parts: &Parts, region: &str) -> String {
        path_with_bucket(parts, region)
    }

    fn call(&self, request: VerifiedRequest) -> BoxFuture<'_, ServiceAnswer> {
        Box::pin(self.answer(request))
    }
}

/// Puts a bucket in the host's name into the path, and signed query members such as `x-amz-acl` among the headers, where
/// S3 takes them for the same.
fn normalise(parts: &mut Parts, region: &str) -> Result<()> {
    let path = path_with_bucket(parts, region);
    let presigned_v2 = parts.uri.query().unwrap_or_default().split('&').any(|pair| pair.starts_with("AWSAccessKeyId="));
    let mut kept = Vec::new();
    for pair in parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if presigned_v2 && SIGNING_V2.contains(&name) {
            continue;
        }
        // Only as they are written when they are signed.
        let is_header = presigned_v2 && matches!(name, "content-type" | "content-md5");
        let name = name.to_ascii_lowercase();
        if !is_header && !name.starts_with("x-amz-") {
            kept.push(pair);
        } else if !SIGNING.contains(&name.as_str()) {
            hoist(&mut parts.headers, &name, value)?;
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    parts.uri = Uri::try_from(format!("{path}{query}")).map_err(|_| invalid_uri())?;
    Ok(())
}

/// The path as it would be if the bucket were not in the host's name.
fn path_with_bucket(parts: &Parts, region: &str) -> String {
    let named = parts.headers.get("host").and_then(|host| host.to_str().ok());
    let host = named.or(parts.uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
    match host::bucket(host, region) {
        Some(bucket) => format!("/{bucket}{}", parts.uri.path()),
        None => parts.uri.path().to_owned(),
    }
}

fn hoist(headers: &mut HeaderMap, name: &str, value: &str) -> Result<()> {
    let value = percent_decode_str(value).decode_utf8().map_err(|_| invalid_uri())?;
    let name = HeaderName::try_from(name).map_err(|_| invalid_uri())?;
    let value = HeaderValue::from_str(&value).map_err(|_| invalid_uri())?;
    headers.entry(name).or_insert(value);
    Ok(())
}

fn invalid_uri() -> AwsError {
    AwsError::bad_request("InvalidURI", "Couldn't parse the specified URI.")
}

fn method_not_allowed(parts: &Parts) -> AwsError {
    let has_key = parts.uri.path().splitn(3, '/').nth(2).is_some_and(|key| !key.is_empty());
    let message = "The specified method is not allowed against this resource.";
    AwsError::new("MethodNotAllowed", StatusCode::METHOD_NOT_ALLOWED, message)
        .with_detail("Method", parts.method.as_str())
        .with_detail("ResourceType", if has_key { "OBJECT" } else { "BUCKET" })
}

/// A document that the codec has written.
async fn written(body: s3s::Body) -> Result<Bytes> {
    let read = BodyExt::collect(body).await.map_err(|error| internal(&error))?;
    Ok(read.to_bytes())
}

fn bucket_of(uri: &Uri) -> String {
    uri.path().split('/').nth(1).unwrap_or_default().to_owned()
}

/// A call, with its body where it belongs: with the call if it is an object's, else beside it as a document.
fn begin(ctx: Ctx, parts: &mut Parts, body: RequestBody, trailers: Trailers) -> (Arc<Call>, Option<RequestBody>) {
    let (streamed, document) = if carries_object(parts) { (Some(body), None) } else { (None, Some(body)) };
    (Arc::new(Call::new(ctx, parts, trailers, streamed)), document)
}

/// Whether the body is an object's or a part's bytes, which must not pass through the codec.
fn carries_object(parts: &Parts) -> bool {
    let has_key = parts.uri.path().splitn(3, '/').nth(2).is_some_and(|key| !key.is_empty());
    let members = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut names = members.map(|pair| pair.split('=').next().unwrap_or_default());
    parts.method == Method::PUT && has_key && names.all(|name| matches!(name, "partNumber" | "uploadId" | "x-id"))
}

/// A short body, whole and held to what its request says of it.
async fn document(call: &Call, body: RequestBody) -> Result<Bytes> {
    let mut body = body;
    let mut whole = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| from_engine(boathouse_objects::Error::Body(Arc::new(error))))?;
        if whole.len() + piece.len() > MAX_DOCUMENT {
            return Err(AwsError::bad_request("MaxMessageLengthExceeded", "Your request was too big."));
        }
        whole.extend_from_slice(&piece);
    }
    // The checksums of a request that completes an upload are the object's, not the document's.
    if call.query("uploadId").is_none() {
        Announced::of(&call.headers, &call.trailers)?.verify(&whole, &call.trailers)?;
    }
    xml::plain(whole.freeze())
}

fn for_codec(call: &Arc<Call>, mut parts: Parts, document: Bytes) -> s3s::HttpRequest {
    parts.extensions.clear();
    parts.extensions.insert(Arc::clone(call));
    http::Request::from_parts(parts, s3s::Body::from(document))
}

/// An error that the codec found by itself, such as malformed XML.
async fn codec_error(status: StatusCode, body: s3s::Body) -> AwsError {
    let read = Limited::new(body, MAX_ERROR).collect().await;
    let bytes = read.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let member = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(value, _)| value.to_owned())
    };
    let code = member("Code").unwrap_or_else(|| "InternalError".into());
    let message = member("Message").unwrap_or_else(|| default_message(&code).to_owned());
    AwsError::new(code, status, message)
}

/// The codec leaves the text of its most common errors out.
fn default_message(code: &str) -> &'static str {
    match code {
        "InvalidBucketName" => "The specified bucket is not valid.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedXML" => "The XML you provided was not well-formed or did not validate against our published schema",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "NotImplemented" => "A header or parameter you provided implies functionality that is not implemented",
        "InvalidURI" => "Couldn't parse the specified URI.",
        _ => "The request could not be carried out.",
    }
}

fn failure(ctx: &Ctx, method: &Method, resource: &str, operation: &'static str, error: &AwsError) -> ServiceAnswer {
    let bare = method == Method::HEAD || error.status == StatusCode::NOT_MODIFIED;
    // Some of what an error says of an object stands in headers. Elements begin with capitals.
    let (told, kept): (Vec<_>, Vec<_>) =
        error.details.iter().cloned().partition(|(name, _)| name.starts_with(|first: char| first.is_ascii_lowercase()));
    let error = &AwsError { details: kept, ..error.clone() };
    let document = rest_xml::failure(error, resource, ctx.request_id);
    let mut response = Response::new(full(if bare { Bytes::new() } else { document.body }));
    *response.status_mut() = error.status;
    response.extensions_mut().insert(ErrorMessage(error.message.clone()));
    let headers = response.headers_mut();
    for (name, value) in &told {
        crate::metadata::set(headers, name, value.as_str().unwrap_or_default());
    }
    if error.status != StatusCode::NOT_MODIFIED {
        headers.insert("content-type", HeaderValue::from_static("application/xml"));
    }
    ServiceAnswer { response, operation, error: Some(rest_xml::code(error).to_owned()) }
}
