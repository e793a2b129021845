//! Addresses from which an archive can be had for ten minutes, as GetFunction and GetLayerVersion answer them, and the site that
//! hands archives out there. On AWS these are presigned addresses of S3; here nobody but this process knows the key that signs
//! them, so that they end with it.

use std::path::PathBuf;
use std::sync::Arc;

use boathouse_aws::AwsError;
use boathouse_aws::http_service::{ResponseBody, ServiceAnswer, full};
use boathouse_aws::site::{Site, SiteRequest};
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures::future::BoxFuture;
use futures::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use ring::hmac;
use tokio::io::AsyncReadExt;

use crate::error::LambdaError;
use crate::store::Lambda;

/// What the path of an archive begins with; its digest follows.
const PATH: &str = "/_aws/lambda/code/";
/// For how long an address is good ("Lambda API reference: FunctionCodeLocation").
const MINUTES: i64 = 10;
/// Bytes that are read at once.
const PIECE: usize = 262_144;

/// Makes addresses and knows them again.
#[derive(Debug)]
pub(crate) struct Links(hmac::Key);

impl Links {
    /// With a key of its own.
    pub(crate) fn new() -> Result<Self, LambdaError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new());
        let failed = |_| std::io::Error::other("the system has no random numbers");
        key.map(Self).map_err(failed).map_err(LambdaError::machine("making the key of addresses"))
    }

    /// The address of an archive below `endpoint`.
    pub(crate) fn address(&self, endpoint: &str, digest: &str, now: DateTime<Utc>) -> String {
        let expires = (now + Duration::minutes(MINUTES)).timestamp();
        let token = hex::encode(hmac::sign(&self.0, signed(digest, expires).as_bytes()));
        format!("{endpoint}{PATH}{digest}?expires={expires}&token={token}")
    }

    /// The digest that an address names, if it was made here and is still good.
    fn digest<'a>(&self, path: &'a str, query: &str, now: DateTime<Utc>) -> Result<&'a str, &'static str> {
        let (expires, token) = parameters(query).ok_or("The address is not whole")?;
        let digest = path.strip_prefix(PATH).unwrap_or_default();
        hmac::verify(&self.0, signed(digest, expires).as_bytes(), &token).map_err(|_| "The token does not match")?;
        if expires <= now.timestamp() { Err("Request has expired") } else { Ok(digest) }
    }
}

fn signed(digest: &str, expires: i64) -> String {
    format!("{digest}\n{expires}")
}

fn parameters(query: &str) -> Option<(i64, Vec<u8>)> {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    Some((value("expires")?.parse().ok()?, hex::decode(value("token")?).ok()?))
}

/// The site that hands archives out.
pub struct Downloads {
    state: Arc<Lambda>,
}

impl Downloads {
    /// The archives of these functions and layers.
    pub fn new(state: &Arc<Lambda>) -> Self {
        Self { state: Arc::clone(state) }
    }

    async fn answer(&self, request: SiteRequest) -> Result<Response<ResponseBody>, (StatusCode, &'static str)> {
        let SiteRequest { ctx, parts, .. } = request;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "Archives are only read"));
        }
        let query = parts.uri.query().unwrap_or_default();
        let digest = self.state.links.digest(parts.uri.path(), query, ctx.now());
        let digest = digest.map_err(|reason| (StatusCode::FORBIDDEN, reason))?;
        let gone = |_| (StatusCode::NOT_FOUND, "The archive is no longer kept");
        let (length, body) = file(self.state.code.archive(digest)).await.map_err(gone)?;
        let mut response = Response::new(if parts.method == Method::HEAD { full(Bytes::new()) } else { body });
        archive_headers(response.headers_mut(), length);
        Ok(response)
    }
}

fn archive_headers(headers: &mut HeaderMap, length: u64) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"code.zip\""));
    headers.insert(CONTENT_LENGTH, length.into());
}

/// A file's length, and its bytes piece by piece.
async fn file(path: PathBuf) -> std::io::Result<(u64, ResponseBody)> {
    let file = tokio::fs::File::open(path).await?;
    let length = file.metadata().await?.len();
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| (Frame::data(Bytes::from(piece)), file)))
    });
    Ok((length, StreamBody::new(pieces).boxed_unsync()))
}

impl Site for Downloads {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn owns(&self, parts: &Parts) -> bool {
        parts.uri.path().starts_with(PATH)
    }

    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer> {
        Box::pin(async move {
            match self.answer(request).await {
                Ok(response) => ServiceAnswer { response, operation: "GetCode", error: None },
                Err((status, reason)) => refused(status, reason),
            }
        })
    }

    fn unreadable(&self, error: &AwsError) -> ServiceAnswer {
        refused(error.status, "Bad Request")
    }
}

fn refused(status: StatusCode, reason: &str) -> ServiceAnswer {
    let mut response = Response::new(full(format!("{reason}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    ServiceAnswer { response, operation: "GetCode", error: Some(status.as_u16().to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_good_for_its_archive_and_its_time() {
        let links = Links::new().unwrap();
        let now = DateTime::UNIX_EPOCH + Duration::days(20_000);
        let address = links.address("http://localhost:4566", "abc", now);
        let (path, query) = address.strip_prefix("http://localhost:4566").unwrap().split_once('?').unwrap();
        assert_eq!(links.digest(path, query, now), Ok("abc"));
        let late = now + Duration::minutes(MINUTES);
        assert_eq!(links.digest(path, query, late), Err("Request has expired"));
        assert!(links.digest(&path.replace("abc", "abd"), query, now).is_err());
        assert!(links.digest(path, &query.replace("expires=1", "expires=2"), now).is_err());
        for wrong in ["", "expires=x&token=00", "expires=1", "token=00", "expires=1&token=zz"] {
            assert!(links.digest(path, wrong, now).is_err(), "{wrong}");
        }
        assert!(Links::new().unwrap().digest(path, query, now).is_err());
    }
}
