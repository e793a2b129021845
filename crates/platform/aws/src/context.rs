//! The context of a call: who, when, where, and how to call on.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use http::HeaderValue;
use uuid::Uuid;

use crate::clock::Clock;
use crate::dispatcher::Dispatcher;
use crate::events::Events;
use crate::measures::{Measures, Metric};
use crate::principal::Principal;
use crate::tags::RequestTags;

/// What services share for as long as the server lives. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Platform {
    /// The way to every operation of every service.
    pub dispatcher: Dispatcher,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The region that this installation answers for.
    pub region: Arc<str>,
    /// What happens inside the platform.
    pub events: Events,
    /// What services measure of themselves.
    pub measures: Measures,
    endpoint: Arc<OnceLock<String>>,
}

impl Platform {
    /// A platform without listeners, not yet reachable.
    pub fn new(dispatcher: Dispatcher, clock: Arc<dyn Clock>, region: &str) -> Self {
        let (events, measures) = (Events::default(), Measures::default());
        Self { dispatcher, clock, region: region.into(), events, measures, endpoint: Arc::default() }
    }

    /// Adds a value to a metric of a resource, now.
    pub fn measure(&self, metric: Metric, dimensions: &[(&'static str, &str)], value: f64) {
        self.measures.add(self.clock.now(), metric, dimensions, value);
    }

    /// Where clients reach this server, such as `http://127.0.0.1:4566`; none before it listens.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.get().map(String::as_str)
    }

    /// Says where the server listens. Only the first time counts.
    pub fn reachable_at(&self, endpoint: String) {
        let _ = self.endpoint.set(endpoint);
    }

    /// A context for work that no request started, such as a crawl: `principal` is charged with it.
    pub fn context(&self, principal: Arc<Principal>) -> Ctx {
        self.context_of(Uuid::new_v4(), principal)
    }

    /// A context for a request that has its id already.
    pub(crate) fn context_of(&self, request_id: Uuid, principal: Arc<Principal>) -> Ctx {
        Ctx {
            platform: self.clone(),
            request_id,
            principal,
            source_ip: None,
            secure_transport: false,
            source_arn: None,
            token: None,
            service: None,
            via: Arc::default(),
            wire: Arc::default(),
            tags: Arc::default(),
        }
    }
}

/// How a request was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// The scheme: `AWS4-HMAC-SHA256` or `AWS`.
    pub version: &'static str,
    /// Where the signature stood: `REST-HEADER`, `REST-QUERY-STRING` or `POST`.
    pub place: &'static str,
    /// How old the signature was, in milliseconds; none where it does not say.
    pub age_ms: Option<i64>,
}

/// What is known of the request on the wire by which a call came.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// What the client calls itself.
    pub user_agent: Option<HeaderValue>,
    /// The page that the client says it comes from.
    pub referer: Option<HeaderValue>,
    /// The host that the client called.
    pub host: Option<HeaderValue>,
    /// Whose key signed.
    pub access_key_id: Option<String>,
    /// How it was signed.
    pub signed: Option<Signed>,
    /// The version of TLS, such as `1.3`.
    pub tls_version: Option<&'static str>,
}

/// The context of one call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Dispatcher, clock, region, events.
    pub platform: Platform,
    /// The id that the answer carries as `x-amzn-RequestId` and the audit line names.
    pub request_id: Uuid,
    /// Who calls.
    pub principal: Arc<Principal>,
    /// Where the request came from; none for calls from inside.
    pub source_ip: Option<IpAddr>,
    /// Whether the request came over TLS.
    pub secure_transport: bool,
    /// The resource on whose account a service calls: the condition keys `aws:SourceArn` and, with it, `aws:SourceAccount`.
    pub source_arn: Option<Arc<str>>,
    /// Tells a call of another service from all others. Operations that make something without a name of its own answer a
    /// call that comes again with its token, because a crash hid the first answer, with what they made then.
    pub token: Option<Arc<str>>,
    /// The service whose operation is being carried out; none for work that no call started.
    pub service: Option<&'static str>,
    /// The services through which the principal's request came, first to last: the condition key `aws:CalledVia`.
    pub via: Arc<[&'static str]>,
    /// The request on the wire; empty for work that none started.
    pub wire: Arc<Wire>,
    /// The tags in the operation's input.
    pub tags: Arc<RequestTags>,
}

impl Ctx {
    /// The current time.
    pub fn now(&self) -> DateTime<Utc> {
        self.platform.clock.now()
    }

    /// The region that this installation answers for.
    pub fn region(&self) -> &str {
        &self.platform.region
    }

    /// The same context for another principal, as when a service goes on as a role. The other one's calls come through
    /// nobody.
    #[must_use]
    pub fn as_principal(&self, principal: Arc<Principal>) -> Self {
        Self { principal, service: None, via: Arc::default(), ..self.clone() }
    }

    /// The same context for what a service goes on to do for the same principal.
    #[must_use]
    pub fn forwarded(&self) -> Self {
        let Some(service) = self.service else { return self.clone() };
        Self { service: None, ..self.through(service) }
    }

    /// The same context for work that `service` does for a principal whose call is over.
    #[must_use]
    pub fn through(&self, service: &'static str) -> Self {
        Self { via: self.via.iter().copied().chain([service]).collect(), ..self.clone() }
    }

    /// The context of an operation of `service`, which may have been called by another service.
    pub(crate) fn entering(&self, service: &'static str) -> Self {
        let from_elsewhere = self.service.is_some_and(|present| present != service);
        let ctx = if from_elsewhere { self.forwarded() } else { self.clone() };
        Self { service: Some(service), ..ctx }
    }

    /// The same context for calls that a service makes because of a resource, such as a bucket whose notification invokes a
    /// function.
    #[must_use]
    pub fn because_of(&self, resource: &str) -> Self {
        Self { source_arn: Some(resource.into()), ..self.clone() }
    }

    /// The same context for a call that is known by `token`, also after a restart.
    #[must_use]
    pub fn once(&self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// Calls an operation of any service as this context's principal, authorised like a call from outside.
    ///
    /// # Errors
    /// What the operation answers, or `UnknownOperationException` if there is none of that name.
    pub async fn call(
        &self,
        service: &str,
        operation: &str,
        input: serde_json::Value,
    ) -> Result<serde_json::Value, crate::AwsError> {
        self.platform.dispatcher.call(self, service, operation, input).await
    }
}
