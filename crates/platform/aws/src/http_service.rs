//! The seam to services whose bodies stream, such as S3: the gateway verifies, the service reads, judges and answers.

use std::io;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::error::AwsError;

/// The body of an answer.
pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// The body of a request, with its transfer codings taken off. It fails with an [`AwsError`] inside (see [`body_error`])
/// when it is not the body that was signed or announced, so nothing may be committed before it has ended well.
pub type RequestBody = BoxStream<'static, io::Result<Bytes>>;

/// Headers that follow a body.
#[derive(Debug, Clone, Default)]
pub struct Trailers {
    announced: Arc<[HeaderName]>,
    received: Arc<OnceLock<HeaderMap>>,
}

impl Trailers {
    /// Trailers of which only the names are known so far.
    pub fn announced(names: Vec<HeaderName>) -> Self {
        Self { announced: names.into(), received: Arc::default() }
    }

    /// The names that the request announces.
    pub fn names(&self) -> &[HeaderName] {
        &self.announced
    }

    /// The headers, once the body has ended.
    pub fn received(&self) -> Option<&HeaderMap> {
        self.received.get()
    }

    /// Hands the headers over. Only the first time counts.
    pub(crate) fn arrive(&self, headers: HeaderMap) {
        let _ = self.received.set(headers);
    }
}

/// A request whose signature is right, or that has none: then the principal is the anonymous one.
pub struct VerifiedRequest {
    /// Who calls, when and from where.
    pub ctx: Ctx,
    /// Method, URI and headers, as the client sent them but for the codings of the body: `aws-chunked` is gone, and
    /// `Content-Length` is that of [`VerifiedRequest::body`].
    pub parts: Parts,
    /// The body.
    pub body: RequestBody,
    /// What follows the body.
    pub trailers: Trailers,
}

/// An answer, and what audit line and metrics say of it.
pub struct ServiceAnswer {
    /// The answer itself.
    pub response: Response<ResponseBody>,
    /// The operation's name, such as `GetObject`: one of a fixed set.
    pub operation: &'static str,
    /// The error's code if the call failed.
    pub error: Option<String>,
}

impl ServiceAnswer {
    /// A document at an address of Boathouse's own, or an error as JSON services tell theirs.
    pub fn json(operation: &'static str, outcome: Result<Value, AwsError>) -> Self {
        let (status, error, body) = match outcome {
            Ok(body) => (StatusCode::OK, None, body),
            Err(error) => {
                (error.status, Some(error.code.to_string()), json!({"__type": error.code, "message": error.message}))
            }
        };
        let mut response = Response::new(full(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { response, operation, error }
    }
}

/// What an error says, as an extension of an answer's response: for the event history.
#[derive(Debug, Clone)]
pub struct ErrorMessage(pub String);

/// A service that reads and answers requests in its own way.
pub trait HttpService: Send + Sync {
    /// The name in the credential scope, such as `s3`.
    fn name(&self) -> &'static str;

    /// The path as Signature Version 2 covers it: with what the service reads out of the host's name in front.
    fn signed_path(&self, parts: &Parts, _region: &str) -> String {
        parts.uri.path().to_owned()
    }

    /// Answers one request. Where the service found out who calls, because that stands in the body, the
    /// [`Principal`](crate::Principal) (in an [`Arc`]) is among the extensions of the response.
    fn call(&self, request: VerifiedRequest) -> BoxFuture<'_, ServiceAnswer>;
}

/// A body that is already whole.
pub fn full(bytes: impl Into<Bytes>) -> ResponseBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An error as a failed body carries it.
pub fn body_failure(error: impl Into<AwsError>) -> io::Error {
    io::Error::other(error.into())
}

/// What a failed body wants the client to be told, if it failed by the client's fault.
pub fn body_error(error: &io::Error) -> Option<&AwsError> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
