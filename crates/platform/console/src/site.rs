//! The addresses below `/_console`: pages, their headers, and `POST /_console/api/session`, where people are let in.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use boathouse_aws::access::{SessionCredentials, SignIn};
use boathouse_aws::http_service::{ServiceAnswer, full};
use boathouse_aws::site::{Site, SiteRequest};
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx, Principal};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Links;
use crate::files::Files;

/// Where the console lives. No bucket can have this name.
const PATH: &str = "/_console";
/// Where people are let in, below [`PATH`].
const SESSION: &str = "api/session";
/// What stands in the page for the number that its styles must bear.
const NONCE: &str = "__NONCE__";
/// Files below this folder have names that change with their content.
const HASHED: &str = "assets/";

/// The console of one server.
pub struct Console {
    files: Files,
    links: Arc<Links>,
    sign_in: Arc<dyn SignIn>,
    random: SystemRandom,
}

/// How somebody without a key wants to be let in.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
struct NewSession {
    link_token: Option<String>,
}

impl Console {
    /// The console with its pages from `folder`, or those in the binary.
    pub fn new(folder: Option<PathBuf>, links: Arc<Links>, sign_in: Arc<dyn SignIn>) -> Self {
        Self { files: Files::new(folder), links, sign_in, random: SystemRandom::new() }
    }

    /// A session of whoever signed, or of root for who has a link.
    fn session(&self, request: SiteRequest) -> Result<Value, AwsError> {
        let SiteRequest { ctx, body, signer, .. } = request;
        let asked: NewSession = if body.is_empty() {
            NewSession::default()
        } else {
            serde_json::from_slice(&body)
                .map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))?
        };
        let ctx = match asked.link_token {
            Some(token) if self.links.redeem(&token, ctx.now()) => ctx.as_principal(Arc::new(Principal::root())),
            Some(_) => {
                let message =
                    "The link has been used, or is older than a quarter of an hour; sign in with an access key";
                return Err(AwsError::new("InvalidLinkException", StatusCode::FORBIDDEN, message));
            }
            None if signer?.is_anonymous() => {
                let message = "Sign the request, or send the LinkToken of a one-time link";
                return Err(AwsError::new("MissingAuthenticationTokenException", StatusCode::FORBIDDEN, message));
            }
            None => ctx,
        };
        Ok(described(&ctx, &self.sign_in.sign_in(&ctx)?))
    }

    fn page(&self, parts: &Parts) -> io::Result<Response<Bytes>> {
        let name = parts.uri.path().strip_prefix(PATH).unwrap_or_default().trim_start_matches('/');
        let brotli = takes_brotli(&parts.headers);
        if let Some(found) = self.files.find(name, brotli)?
            && name != "index.html"
        {
            let bytes = match found.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            let mut response = Response::new(bytes);
            let cache = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
            set(&mut response, CACHE_CONTROL, cache);
            set(&mut response, CONTENT_TYPE, content_type(name));
            set(&mut response, VARY, "accept-encoding");
            if found.packed {
                set(&mut response, CONTENT_ENCODING, "br");
            }
            return Ok(response);
        }
        if name.starts_with(HASHED) {
            // A page of an earlier version asks for its parts: it must see that they are gone.
            return Ok(plain(StatusCode::NOT_FOUND, "There is no such file"));
        }
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce).map_err(|_| io::Error::other("the system has no random numbers"))?;
        let nonce = STANDARD_NO_PAD.encode(nonce);
        let mut response = Response::new(self.files.index()?.replace(NONCE, &nonce).into());
        set(&mut response, CACHE_CONTROL, "no-store");
        set(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
        if let Ok(policy) = HeaderValue::try_from(content_policy(&nonce)) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        Ok(response)
    }
}

/// What the pages may load and do: only what comes from here. Editor and theme make style elements, which bear the
/// nonce; style attributes can't be told apart from those that the pages' own code sets.
fn content_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self'; style-src-elem 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn described(ctx: &Ctx, credentials: &SessionCredentials) -> Value {
    let now = ctx.now();
    json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret.expose(),
        "SessionToken": credentials.session_token,
        "ExpiresInSeconds": (credentials.expires - now).num_seconds(),
        "Arn": ctx.principal.arn,
        "Account": ACCOUNT_ID,
        "Region": ctx.region(),
        "Now": now.timestamp_millis(),
    })
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("br") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

fn set(response: &mut Response<Bytes>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, "text/plain; charset=utf-8");
    response
}

fn told(operation: &'static str, outcome: Result<Response<Bytes>, AwsError>) -> ServiceAnswer {
    let error = outcome.as_ref().err().map(|error| error.code.to_string());
    let mut response = outcome.unwrap_or_else(|error| {
        let document = json!({"__type": error.code, "message": error.message});
        let mut response = Response::new(document.to_string().into());
        *response.status_mut() = error.status;
        set(&mut response, CONTENT_TYPE, "application/json");
        set(&mut response, CACHE_CONTROL, "no-store");
        response
    });
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, X_FRAME_OPTIONS, "DENY");
    set(&mut response, REFERRER_POLICY, "no-referrer");
    ServiceAnswer { response: response.map(full), operation, error }
}

impl Site for Console {
    fn name(&self) -> &'static str {
        "console"
    }

    fn owns(&self, parts: &Parts) -> bool {
        parts.uri.path().strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer> {
        Box::pin(async move {
            let method = request.parts.method.clone();
            let api = request.parts.uri.path()[PATH.len()..].trim_start_matches('/');
            match (&method, api) {
                (&Method::POST, SESSION) => told(
                    "CreateSession",
                    self.session(request).map(|session| {
                        let mut response = Response::new(session.to_string().into());
                        set(&mut response, CONTENT_TYPE, "application/json");
                        set(&mut response, CACHE_CONTROL, "no-store");
                        response
                    }),
                ),
                (&Method::GET | &Method::HEAD, api) if !api.starts_with("api/") => {
                    let page = self.page(&request.parts).map_err(|error| {
                        tracing::error!(%error, "the console's files can't be read");
                        AwsError::internal("the console's files can't be read; the server's log has the cause")
                    });
                    let mut answer = told("GetPage", page);
                    if method == Method::HEAD {
                        *answer.response.body_mut() = full(Bytes::new());
                    }
                    answer
                }
                _ => {
                    let message = "Pages are read by GET, and sessions are begun by POST /_console/api/session";
                    told(
                        "Unknown",
                        Err(AwsError::new("MethodNotAllowedException", StatusCode::METHOD_NOT_ALLOWED, message)),
                    )
                }
            }
        })
    }

    fn unreadable(&self, error: &AwsError) -> ServiceAnswer {
        told("Unknown", Err(error.clone()))
    }
}

#[cfg(test)]
mod tests;
