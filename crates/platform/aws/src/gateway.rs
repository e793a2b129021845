//! The HTTP edge: HTTP/1.1 and HTTP/2 on one port; route, verify, dispatch, answer, leave one audit line a call.
//!
//! | Module | What it does |
//! |---|---|
//! | `connection` | sockets, TLS, timeouts, shutdown |
//! | `buffered` | JSON, REST and query calls: short bodies, read whole before they are verified |
//! | `sites` | requests to a [`Site`], signed or not |
//! | `streamed` | calls to an [`HttpService`] such as S3: verified first, bodies as they come |
//! | [`InsideDoor`] | connections of programs that the server itself runs |
//! | [`Limits`] | what clients may take: time for bodies, room in headers |
//! | `places` | so many connections, and an answer for one too many |
//! | `received` | a streamed body as it arrives |
//! | `record` | the audit line and the metrics of a call |
//! | `stall` | gives up on peers that take no answer |

mod buffered;
mod connection;
mod inside;
mod limits;
mod places;
mod received;
mod record;
mod sites;
mod stall;
mod streamed;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use http::header::{CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, EXPECT, HOST, HeaderValue, REFERER, USER_AGENT};
use http::request::Parts;
use http::{Method, Request, Response, Version};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::access::CredentialStore;
use crate::context::{Ctx, Platform, Signed, Wire};
use crate::documents::{DocumentSite, Documents};
use crate::error::AwsError;
use crate::http_service::{HttpService, ResponseBody, full};
use crate::metrics::{self, Metrics};
use crate::principal::Principal;
use crate::service::{Protocol, ServiceTable};
use crate::sigv4::{Claim, SignatureError, Verifier};
use crate::site::Site;
use crate::vitals::{Report, Vitals};

pub use self::inside::InsideDoor;
pub use self::limits::Limits;
use self::places::Places;
use self::record::{OWN_PAGES, Record, Recorded};

/// The time that signatures are judged by: clients sign by their machines' clocks, wherever the platform's own has been set.
fn signing_time() -> DateTime<Utc> {
    Utc::now()
}

/// Whose key signed a request, and how.
type Signer = (String, Signed);

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
struct Peer {
    ip: IpAddr,
    /// The version of TLS, such as `1.3`.
    tls_version: Option<&'static str>,
}

/// How old a signature made at `time` is, in milliseconds.
fn age_ms(time: DateTime<Utc>) -> Option<i64> {
    Some((signing_time() - time).num_milliseconds().max(0))
}

/// What is known of a request beside its body.
fn wire(parts: &Parts, record: &Record, signer: Option<Signer>) -> Arc<Wire> {
    let header = |name| parts.headers.get(name).cloned();
    let (access_key_id, signed) = signer.unzip();
    Arc::new(Wire {
        user_agent: header(USER_AGENT),
        referer: header(REFERER),
        host: header(HOST),
        access_key_id,
        signed,
        tls_version: record.tls_version,
    })
}

/// Who signed a request, and how.
fn signer_of(claim: &Claim) -> Signer {
    let place = if claim.expires.is_some() { "REST-QUERY-STRING" } else { "REST-HEADER" };
    (claim.access_key_id.clone(), Signed { version: "AWS4-HMAC-SHA256", place, age_ms: age_ms(claim.time) })
}

/// What a request says of its signature, if it is signed and can be read.
type MaybeClaim = Result<Option<Claim>, SignatureError>;

/// The site whose pages act for whoever has signed in there.
const CONSOLE: &str = "console";
/// What documents from elsewhere on this port may do in a browser: everything but be of the console's origin.
const ISOLATED: &str = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";

/// Objects and answers of functions come from the console's own origin. A browser that opens one as a document must not
/// let its scripts reach the session of the console.
fn isolate(response: &mut Response<ResponseBody>, service: &str) {
    let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let active = |kind: &[u8]| {
        let kind = kind.to_ascii_lowercase();
        kind.windows(4).any(|word| word == b"html") || kind.windows(3).any(|word| word == b"xml" || word == b"svg")
    };
    if service != CONSOLE && content_type.is_some_and(active) {
        response.headers_mut().append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(ISOLATED));
    }
}

/// The edge of one server.
pub struct Gateway {
    platform: Platform,
    verifier: Verifier,
    streaming: Option<Arc<dyn HttpService>>,
    inside: InsideDoor,
    sites: Vec<Arc<dyn Site>>,
    metrics: Arc<Metrics>,
    limits: Limits,
    places: Places,
    vitals: Option<Arc<dyn Vitals>>,
    tls: Option<TlsAcceptor>,
    /// Whether answers that go on should end.
    stopping: watch::Sender<bool>,
}

impl Gateway {
    /// A gateway to the services installed in the platform's dispatcher.
    pub fn new(platform: Platform, credentials: Arc<dyn CredentialStore>) -> Self {
        let (verifier, metrics) = (Verifier::new(credentials), Arc::new(Metrics::new()));
        let limits = Limits::default();
        let places = Places::new(limits.connections, metrics.connections());
        Self {
            platform,
            verifier,
            streaming: None,
            inside: InsideDoor::default(),
            sites: Vec::new(),
            metrics,
            limits,
            places,
            vitals: None,
            tls: None,
            stopping: watch::Sender::new(false),
        }
    }

    /// Hands requests that are no JSON or query calls (S3's) to `service`.
    #[must_use]
    pub fn with_http_service(mut self, service: Arc<dyn HttpService>) -> Self {
        self.streaming = Some(service);
        self
    }

    /// Serves what comes through `door` too, once [`Gateway::serve`] has begun.
    #[must_use]
    pub fn with_inside_door(self, door: InsideDoor) -> Self {
        Self { inside: door, ..self }
    }

    /// Shows on the health page and in the metrics what `vitals` tells.
    #[must_use]
    pub fn with_vitals(self, vitals: Arc<dyn Vitals>) -> Self {
        Self { vitals: Some(vitals), ..self }
    }

    /// Lets clients take no more than `limits`.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { places: Places::new(limits.connections, self.metrics.connections()), limits, ..self }
    }

    /// Hands requests that `site` owns to it.
    #[must_use]
    pub fn with_site(mut self, site: Arc<dyn Site>) -> Self {
        self.sites.push(site);
        self
    }

    /// Hands requests for such documents to `documents`.
    #[must_use]
    pub fn with_documents(self, documents: impl Documents + 'static) -> Self {
        self.with_site(Arc::new(DocumentSite(documents)))
    }

    /// What the gateway counts; also served at `/_boathouse/metrics`.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    async fn respond(&self, request: Request<Incoming>, peer: Peer) -> Response<Recorded> {
        let (parts, body) = request.into_parts();
        let asks_first = parts.version < Version::HTTP_2 && parts.headers.contains_key(EXPECT);
        let mut record = Record::begin(&self.metrics, peer);
        if let Some(response) = self.own_page(&parts) {
            OWN_PAGES.clone_into(&mut record.service);
            record.status = response.status().as_u16();
            return response.map(|body| Recorded::new(body, record));
        }
        let answered = AssertUnwindSafe(self.answer(parts, body, &mut record)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| {
            tracing::error!(request_id = %record.request_id, "a handler panicked");
            let error = AwsError::internal("the operation failed unexpectedly; the server's log has the cause");
            record.error = Some(error.code.to_string());
            let mut response = Response::new(full(error.message));
            *response.status_mut() = error.status;
            response
        });
        record.status = response.status().as_u16();
        if asks_first && !response.status().is_success() {
            // The body may never come: nobody could tell where the next request begins.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        isolate(&mut response, &record.service);
        response.map(|body| Recorded::new(body, record))
    }

    async fn answer(&self, parts: Parts, body: Incoming, record: &mut Record) -> Response<ResponseBody> {
        if let Some(site) = self.sites.iter().find(|site| site.owns(&parts)) {
            return self.visit(&**site, parts, body, record).await;
        }
        let claim = Claim::of(&parts);
        match &self.streaming {
            Some(service) if !self.is_control_call(&parts, &claim, service.name()) => {
                self.streamed(&**service, (parts, claim), body, record).await
            }
            _ => self.buffered((&parts, claim), body, record).await,
        }
    }

    /// The context of a call that `record` is kept of, made by the request of these `parts`.
    fn context(&self, record: &Record, principal: Arc<Principal>, parts: &Parts, signer: Option<Signer>) -> Ctx {
        Ctx {
            source_ip: Some(record.source_ip),
            secure_transport: self.tls.is_some(),
            wire: wire(parts, record, signer),
            ..self.platform.context_of(record.request_id, principal)
        }
    }

    /// Whether a request is a JSON, REST or query call, and not one for the streaming service. The credential scope
    /// decides; an unsigned form or `Action` without a path can only be a query call that forgot to sign.
    fn is_control_call(&self, parts: &Parts, claim: &MaybeClaim, streaming: &str) -> bool {
        if parts.headers.contains_key("x-amz-target") {
            return true;
        }
        match claim {
            Ok(Some(claim)) if claim.scope.service == streaming => false,
            Ok(Some(_)) if buffered::is_cbor(parts) => true,
            Ok(Some(claim)) => buffered::is_query(parts) || self.rest_service(claim).is_some(),
            _ => parts.uri.path() == "/" && buffered::is_query(parts),
        }
    }

    /// The restJson service that a request is signed for.
    fn rest_service(&self, claim: &Claim) -> Option<&ServiceTable> {
        let table = self.platform.dispatcher.signed_for(&claim.scope.service)?;
        (table.protocol == Protocol::RestJson).then_some(table)
    }

    fn own_page(&self, parts: &Parts) -> Option<Response<ResponseBody>> {
        let report = || self.vitals.as_ref().map_or_else(Report::default, |vitals| vitals.report());
        let (content_type, text) = match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/_boathouse/health") => ("application/json", report().health()),
            (&Method::GET, "/_boathouse/metrics") => (metrics::CONTENT_TYPE, report().add_to(&self.metrics.render())),
            _ => return None,
        };
        let mut response = Response::new(full(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Some(response)
    }
}
