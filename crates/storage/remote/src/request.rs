//! One request: its signature, its repetition, and what its failure means.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boathouse_objects::{Error, RemoteFailure, Result};
use bytes::Bytes;
use chrono::Utc;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::answer::elements;
use crate::http::{Answer, Host};
use crate::settings::Settings;

/// How often a request is tried again at most, for how long, and what there is between the attempts.
const RETRIES: u32 = 5;
const RETRY_FOR: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How much of an error's document is read.
const ERROR_BYTES: usize = 64 << 10;

/// What AWS's signatures leave as it is.
const QUERY: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: AsciiSet = QUERY.remove(b'/');

/// What is asked.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// The key; empty for the bucket itself.
    pub(crate) key: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(method: Method, key: &'a str) -> Self {
        Self { method, key, query: &[], headers: Vec::new(), body: Bytes::new() }
    }
}

/// Whoever asks one bucket.
pub(crate) struct Asker {
    settings: Settings,
    host: Arc<Host>,
}

impl Asker {
    pub(crate) fn new(settings: Settings, host: Host) -> Self {
        Self { settings, host: Arc::new(host) }
    }

    /// Asks until there is an answer that says yes, or no that is not worth asking again.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<Answer> {
        let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
        for attempt in 0.. {
            let error = match self.once(&ask).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let may_help =
                matches!(error, Error::Remote { failure: RemoteFailure::Busy | RemoteFailure::Unavailable, .. });
            if !may_help || attempt >= RETRIES || begun.elapsed() + pause > RETRY_FOR {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(Error::Closed)
    }

    async fn once(&self, ask: &Ask<'_>) -> Result<Answer> {
        let unavailable = |error: std::io::Error| self.failed(ask, RemoteFailure::Unavailable, &causes(&error));
        let answer = self.host.send(self.request(ask)?).await.map_err(unavailable)?;
        let status = answer.head.status();
        if status.is_success() {
            return Ok(answer);
        }
        let document = answer.text(ERROR_BYTES).await.unwrap_or_default();
        let error = elements(&document, "Error").pop().unwrap_or_default();
        let field = |name: &str| error.get(name).map_or("", String::as_str);
        let what = format!("{status} {} {}", field("Code"), field("Message"));
        Err(self.failed(ask, meaning(status, field("Code")), what.trim()))
    }

    pub(crate) fn failed(&self, ask: &Ask<'_>, failure: RemoteFailure, what: &str) -> Error {
        let (method, bucket, key) = (&ask.method, &self.settings.bucket, ask.key);
        Error::Remote { failure, what: format!("{method} s3://{bucket}/{key} at {}: {what}", self.settings.endpoint) }
    }

    fn request(&self, ask: &Ask<'_>) -> Result<Request<Full<Bytes>>> {
        let Settings { bucket, endpoint, signer, token, .. } = &self.settings;
        let mut target = format!("/{bucket}");
        if !ask.key.is_empty() {
            target = format!("{target}/{}", utf8_percent_encode(ask.key, &PATH));
        }
        for (at, (name, value)) in ask.query.iter().enumerate() {
            let sign = if at == 0 { '?' } else { '&' };
            target = format!("{target}{sign}{name}={}", utf8_percent_encode(value, &QUERY));
        }
        let unusable = |error: http::Error| self.failed(ask, RemoteFailure::Refused, &error.to_string());
        let host = endpoint.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder().method(&ask.method).uri(target).header(HOST, host);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if matches!(ask.method, Method::PUT | Method::POST) {
            request = request.header(CONTENT_LENGTH, ask.body.len());
        }
        if let Some(token) = token {
            let mut token = HeaderValue::from_str(token).map_err(|error| unusable(error.into()))?;
            token.set_sensitive(true);
            request = request.header("x-amz-security-token", token);
        }
        let (mut parts, ()) = request.body(()).map_err(unusable)?.into_parts();
        signer.sign(&mut parts, &ask.body, Utc::now());
        Ok(Request::from_parts(parts, Full::new(ask.body.clone())))
    }
}

/// An error with what it came from.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// What a status with an error code means for who asks.
pub(crate) fn meaning(status: StatusCode, code: &str) -> RemoteFailure {
    match (status, code) {
        (StatusCode::NOT_FOUND, "NoSuchBucket") => RemoteFailure::Refused,
        (StatusCode::NOT_FOUND, _) => RemoteFailure::Missing,
        (StatusCode::PRECONDITION_FAILED, _) => RemoteFailure::Unmatched,
        (StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS, _) | (_, "SlowDown") => RemoteFailure::Busy,
        (StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT, _) | (_, "RequestTimeout" | "InternalError") => {
            RemoteFailure::Unavailable
        }
        (status, _) if status.is_server_error() => RemoteFailure::Unavailable,
        _ => RemoteFailure::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_codes_mean_something() {
        use RemoteFailure as F;
        for (status, code, failure) in [
            (404, "NoSuchKey", F::Missing),
            (404, "NoSuchBucket", F::Refused),
            (404, "", F::Missing),
            (412, "PreconditionFailed", F::Unmatched),
            (503, "SlowDown", F::Busy),
            (429, "", F::Busy),
            (500, "InternalError", F::Unavailable),
            (200, "InternalError", F::Unavailable),
            (400, "RequestTimeout", F::Unavailable),
            (400, "AuthorizationHeaderMalformed", F::Refused),
            (403, "SignatureDoesNotMatch", F::Refused),
            (301, "PermanentRedirect", F::Refused),
        ] {
            assert_eq!(meaning(StatusCode::from_u16(status).unwrap(), code), failure, "{status} {code}");
        }
    }
}
