//! The seam to web sites that the platform serves on its own port, such as the APIs of API Gateway.
//!
//! Their clients need not sign, and what they put into `Authorization` is the site's own business unless it is a
//! signature of Version 4.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::request::Parts;

use crate::context::Ctx;
use crate::error::AwsError;
use crate::http_service::ServiceAnswer;
use crate::principal::Principal;

/// The largest body of a request to a site: API Gateway's payload limit of 10 MB.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// A request to a site.
pub struct SiteRequest {
    /// When and from where; its principal is the signer, or the anonymous one.
    pub ctx: Ctx,
    /// Method, URI and headers.
    pub parts: Parts,
    /// The whole body.
    pub body: Bytes,
    /// Who signed, or why the signature is refused: only routes that ask for one care.
    pub signer: Result<Arc<Principal>, AwsError>,
}

/// A site.
pub trait Site: Send + Sync {
    /// The name in the credential scope of signed requests and in the audit line, such as `execute-api`.
    fn name(&self) -> &'static str;

    /// Whether a request is for this site, by its host and path. It is asked for every request, so it must be quick.
    fn owns(&self, parts: &Parts) -> bool;

    /// Answers one request.
    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer>;

    /// The answer to a request that did not arrive whole or is too large (413).
    fn unreadable(&self, error: &AwsError) -> ServiceAnswer;
}
