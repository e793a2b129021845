//! The condition keys of a request: the service's own and the global ones.

use std::borrow::Cow;
use std::net::IpAddr;

use boathouse_aws::access::ConditionKeys;
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{ACCOUNT_ID, Ctx, Principal};
use chrono::{DateTime, SecondsFormat, Utc};

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
    /// Whether the call came over TLS.
    pub(crate) secure_transport: bool,
    /// The resource on whose account a service calls.
    pub(crate) source_arn: Option<&'a str>,
}

impl<'a> Origin<'a> {
    /// The origin of a call.
    pub(crate) fn of(ctx: &'a Ctx) -> Self {
        let (source_ip, secure_transport) = (ctx.source_ip, ctx.secure_transport);
        let source_arn = ctx.source_arn.as_deref();
        Self { now: ctx.now(), region: Some(ctx.region()), source_ip, secure_transport, source_arn }
    }
}

/// Every condition key of one request, made up only when a policy asks.
#[derive(Debug, Clone)]
pub(crate) struct RequestKeys<'a> {
    /// Who asks.
    pub(crate) principal: &'a Principal,
    /// The ARN of the role behind an assumed-role session.
    pub(crate) role_arn: Option<&'a str>,
    /// From where.
    pub(crate) origin: Origin<'a>,
    /// What the service knows. These win over the global keys of the same name.
    pub(crate) service: &'a ConditionKeys,
}

type Values<'a> = Vec<Cow<'a, str>>;

impl RequestKeys<'_> {
    /// The values of a key (in lower case), or none if the request has no such key.
    pub(crate) fn values(&self, key: &str) -> Option<Values<'_>> {
        let own = self.service.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        if let Some((_, values)) = own {
            return Some(values.iter().map(|value| Cow::Borrowed(value.as_str())).collect());
        }
        self.global(key.strip_prefix("aws:")?).map(|value| vec![value])
    }

    fn global(&self, name: &str) -> Option<Cow<'_, str>> {
        let truth = |flag: bool| Some(Cow::Borrowed(if flag { "true" } else { "false" }));
        let principal = self.principal;
        if let Some(tag) = name.strip_prefix("principaltag/") {
            let found = principal.tags.iter().find(|(key, _)| key.to_lowercase() == tag);
            return found.map(|(_, value)| Cow::Borrowed(value.as_str()));
        }
        match (name, &principal.kind) {
            ("principalarn", PrincipalKind::AssumedRole { .. }) => self.role_arn.map(Cow::Borrowed),
            ("principalarn", PrincipalKind::Root | PrincipalKind::User { .. }) => Some(Cow::Borrowed(&principal.arn)),
            ("principalaccount", kind) => in_account(kind).then_some(Cow::Borrowed(ACCOUNT_ID)),
            ("principaltype", kind) => Some(Cow::Borrowed(principal_type(kind))),
            ("principalisawsservice", kind) => truth(matches!(kind, PrincipalKind::Service { .. })),
            ("principalservicename", PrincipalKind::Service { name }) => Some(Cow::Borrowed(name)),
            ("userid", kind) if in_account(kind) => Some(Cow::Borrowed(&principal.user_id)),
            ("username", PrincipalKind::User { name }) => Some(Cow::Borrowed(name)),
            ("tokenissuetime", _) => session::issued_at(principal).map(Cow::Borrowed),
            ("sourceip", _) => self.origin.source_ip.map(|ip| Cow::Owned(ip.to_canonical().to_string())),
            ("sourcearn", _) => self.origin.source_arn.map(Cow::Borrowed),
            ("sourceaccount", _) => self.origin.source_arn.map(|_| Cow::Borrowed(ACCOUNT_ID)),
            ("securetransport", _) => truth(self.origin.secure_transport),
            ("currenttime", _) => Some(Cow::Owned(self.origin.now.to_rfc3339_opts(SecondsFormat::Secs, true))),
            ("epochtime", _) => Some(Cow::Owned(self.origin.now.timestamp().to_string())),
            ("requestedregion", _) => self.origin.region.map(Cow::Borrowed),
            ("resourceaccount", _) => Some(Cow::Borrowed(ACCOUNT_ID)),
            // A service that goes on for its caller keeps the caller's context, so this can't be told yet.
            ("viaawsservice", _) => truth(false),
            _ => None,
        }
    }
}

/// Whether callers of this sort belong to the account.
pub(crate) fn in_account(kind: &PrincipalKind) -> bool {
    matches!(kind, PrincipalKind::Root | PrincipalKind::User { .. } | PrincipalKind::AssumedRole { .. })
}

fn principal_type(kind: &PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Anonymous => "Anonymous",
        PrincipalKind::Root => "Account",
        PrincipalKind::User { .. } => "User",
        PrincipalKind::AssumedRole { .. } => "AssumedRole",
        PrincipalKind::Service { .. } => "Service",
    }
}
