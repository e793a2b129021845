//! The condition keys of a request: the service's own and the global ones.

use std::borrow::Cow;
use std::net::IpAddr;

use boathouse_aws::access::ConditionKeys;
use boathouse_aws::context::Wire;
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::tags::RequestTags;
use boathouse_aws::{ACCOUNT_ID, Ctx, Dispatcher, Principal};
use chrono::{DateTime, SecondsFormat, Utc};
use http::HeaderValue;

use crate::session;

/// Where a question comes from, as far as conditions can ask.
#[derive(Debug, Clone)]
pub(crate) struct Origin<'a> {
    /// The time of the call.
    pub(crate) now: DateTime<Utc>,
    /// The region that was called; none where there was no call.
    pub(crate) region: Option<&'a str>,
    /// The caller's address; none for calls from inside.
    pub(crate) source_ip: Option<IpAddr>,
    /// Whether the call came over TLS; none where there was no call.
    pub(crate) secure_transport: Option<bool>,
    /// The resource on whose account a service calls.
    pub(crate) source_arn: Option<&'a str>,
    /// The services through which the request came, first to last.
    pub(crate) via: &'a [&'static str],
    /// The request on the wire, if there was one.
    pub(crate) wire: Option<&'a Wire>,
    /// The services, which know the tags of their resources; none where there was no call.
    pub(crate) services: Option<&'a Dispatcher>,
    /// The tags in the operation's input.
    pub(crate) tags: Option<&'a RequestTags>,
}

impl<'a> Origin<'a> {
    /// The origin of a call.
    pub(crate) fn of(ctx: &'a Ctx) -> Self {
        let (source_ip, secure_transport) = (ctx.source_ip, Some(ctx.secure_transport));
        let source_arn = ctx.source_arn.as_deref();
        let (region, via, wire) = (Some(ctx.region()), &*ctx.via, Some(&*ctx.wire));
        let (services, tags) = (Some(&ctx.platform.dispatcher), Some(&*ctx.tags));
        Self { now: ctx.now(), region, source_ip, secure_transport, source_arn, via, wire, services, tags }
    }

    /// The origin of what a service does by itself.
    pub(crate) fn inside(now: DateTime<Utc>) -> Self {
        Self { secure_transport: Some(true), ..Self::imagined(now) }
    }

    /// The origin of a question that nobody asks in earnest.
    pub(crate) fn imagined(now: DateTime<Utc>) -> Self {
        Self {
            now,
            region: None,
            source_ip: None,
            secure_transport: None,
            source_arn: None,
            via: &[],
            wire: None,
            services: None,
            tags: None,
        }
    }
}

/// Every condition key of one request, made up only when a policy asks.
#[derive(Debug, Clone)]
pub(crate) struct RequestKeys<'a> {
    /// Who asks.
    pub(crate) principal: &'a Principal,
    /// The ARN of the user, or of the role or user behind a session.
    pub(crate) holder_arn: Option<&'a str>,
    /// From where.
    pub(crate) origin: Origin<'a>,
    /// What the service knows. These win over the global keys of the same name.
    pub(crate) service: &'a ConditionKeys,
    /// What is to be done, and with what.
    pub(crate) asked: (&'a str, &'a str),
}

type Values<'a> = Vec<Cow<'a, str>>;

impl RequestKeys<'_> {
    /// The values of a key (in lower case), or none if the request has no such key.
    pub(crate) fn values(&self, key: &str) -> Option<Values<'_>> {
        let own = self.service.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        if let Some((_, values)) = own {
            return Some(values.iter().map(|value| Cow::Borrowed(value.as_str())).collect());
        }
        if let Some(values) = self.federated(key) {
            return Some(values.iter().map(|value| Cow::Borrowed(value.as_str())).collect());
        }
        match key.split_once(':')? {
            ("aws", "calledvia") => {
                let via = self.origin.via;
                (!via.is_empty()).then(|| via.iter().map(|name| Cow::Owned(service_principal(name))).collect())
            }
            ("aws", "tagkeys") => {
                let keys: Values<'_> = self.request_tags()?.keys().map(Cow::Borrowed).collect();
                (!keys.is_empty()).then_some(keys)
            }
            ("aws", name) => self.global(name).map(|value| vec![value]),
            ("s3", name) => self.signature(name).map(|value| vec![value]),
            _ => None,
        }
    }

    /// What an identity provider said of the caller.
    fn federated(&self, key: &str) -> Option<&[String]> {
        let session = self.principal.session.as_ref()?;
        let found = session.federated_keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map(|(_, values)| values.as_slice())
    }

    /// The tags in the request, if it is this service that was asked.
    fn request_tags(&self) -> Option<&RequestTags> {
        let service = self.asked.0.split(':').next();
        self.origin.tags.filter(|tags| Some(tags.service) == service)
    }

    /// A tag of the resource, by its key in lower case.
    fn resource_tag(&self, key: &str) -> Option<Cow<'_, str>> {
        let resource = self.asked.1;
        let table = self.origin.services?.service(resource.split(':').nth(2)?)?;
        let found = table.tags_of(resource).into_iter().find(|(name, _)| name.to_lowercase() == key);
        found.map(|(_, value)| Cow::Owned(value))
    }

    /// How the request was signed and sent, as S3's keys have it.
    fn signature(&self, name: &str) -> Option<Cow<'_, str>> {
        let wire = self.origin.wire?;
        match name {
            "authtype" => wire.signed.map(|signed| Cow::Borrowed(signed.place)),
            "signatureversion" => wire.signed.map(|signed| Cow::Borrowed(signed.version)),
            "signatureage" => Some(Cow::Owned(wire.signed?.age_ms?.to_string())),
            "tlsversion" => wire.tls_version.map(Cow::Borrowed),
            "resourceaccount" => Some(Cow::Borrowed(ACCOUNT_ID)),
            _ => None,
        }
    }

    fn global(&self, name: &str) -> Option<Cow<'_, str>> {
        let truth = |flag: bool| Some(Cow::Borrowed(if flag { "true" } else { "false" }));
        let principal = self.principal;
        if let Some(tag) = name.strip_prefix("principaltag/") {
            let found = principal.tags.iter().find(|(key, _)| key.to_lowercase() == tag);
            return found.map(|(_, value)| Cow::Borrowed(value.as_str()));
        }
        if let Some(tag) = name.strip_prefix("resourcetag/") {
            return self.resource_tag(tag);
        }
        if let Some(tag) = name.strip_prefix("requesttag/") {
            let found = self.request_tags()?.given.iter().find(|(key, _)| key.to_lowercase() == tag);
            return found.map(|(_, value)| Cow::Borrowed(value.as_str()));
        }
        match (name, &principal.kind) {
            ("principalarn", PrincipalKind::AssumedRole { .. }) => self.holder_arn.map(Cow::Borrowed),
            ("principalarn", kind) if in_account(kind) => Some(Cow::Borrowed(&principal.arn)),
            ("principalaccount", kind) => in_account(kind).then_some(Cow::Borrowed(ACCOUNT_ID)),
            ("principaltype", kind) => Some(Cow::Borrowed(principal_type(kind))),
            ("principalisawsservice", kind) => truth(matches!(kind, PrincipalKind::Service { .. })),
            ("principalservicename", PrincipalKind::Service { name }) => Some(Cow::Borrowed(name)),
            ("userid", kind) if in_account(kind) => Some(Cow::Borrowed(&principal.user_id)),
            ("username", PrincipalKind::User { name }) => Some(Cow::Borrowed(name)),
            ("tokenissuetime", _) => session::issued_at(principal).map(Cow::Owned),
            // There are no devices for it: temporary credentials say so, keys of users say nothing.
            ("multifactorauthpresent", _) => principal.session.as_ref().and_then(|_| truth(false)),
            ("sourceidentity", _) => principal.session.as_ref()?.source_identity.as_deref().map(Cow::Borrowed),
            ("federatedprovider", _) => principal.session.as_ref()?.federated_provider.as_deref().map(Cow::Borrowed),
            ("useragent", _) => text(self.origin.wire?.user_agent.as_ref()?),
            ("referer", _) => text(self.origin.wire?.referer.as_ref()?),
            ("calledviafirst", _) => self.origin.via.first().map(|name| Cow::Owned(service_principal(name))),
            ("calledvialast", _) => self.origin.via.last().map(|name| Cow::Owned(service_principal(name))),
            ("sourceip", _) => self.origin.source_ip.map(|ip| Cow::Owned(ip.to_canonical().to_string())),
            ("sourcearn", _) => self.origin.source_arn.map(Cow::Borrowed),
            ("sourceaccount", _) => self.origin.source_arn.map(|_| Cow::Borrowed(ACCOUNT_ID)),
            ("securetransport", _) => truth(self.origin.secure_transport?),
            ("currenttime", _) => Some(Cow::Owned(self.origin.now.to_rfc3339_opts(SecondsFormat::Secs, true))),
            ("epochtime", _) => Some(Cow::Owned(self.origin.now.timestamp().to_string())),
            ("requestedregion", _) => self.origin.region.map(Cow::Borrowed),
            ("resourceaccount", _) => Some(Cow::Borrowed(ACCOUNT_ID)),
            ("viaawsservice", _) => truth(!self.origin.via.is_empty()),
            _ => None,
        }
    }
}

/// Whether callers of this sort belong to the account.
pub(crate) fn in_account(kind: &PrincipalKind) -> bool {
    match kind {
        PrincipalKind::Root
        | PrincipalKind::User { .. }
        | PrincipalKind::AssumedRole { .. }
        | PrincipalKind::FederatedUser { .. } => true,
        PrincipalKind::Anonymous | PrincipalKind::Service { .. } => false,
    }
}

/// A service as policies name it.
fn service_principal(service: &str) -> String {
    format!("{service}.amazonaws.com")
}

fn text(value: &HeaderValue) -> Option<Cow<'_, str>> {
    value.to_str().ok().map(Cow::Borrowed)
}

fn principal_type(kind: &PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Anonymous => "Anonymous",
        PrincipalKind::Root => "Account",
        PrincipalKind::User { .. } => "User",
        PrincipalKind::AssumedRole { .. } => "AssumedRole",
        PrincipalKind::FederatedUser { .. } => "FederatedUser",
        PrincipalKind::Service { .. } => "Service",
    }
}
