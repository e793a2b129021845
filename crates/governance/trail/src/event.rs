//! A call → the event as AWS writes it ("CloudTrail record contents" in the user guide).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boathouse_aws::history::CallRecord;
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{ACCOUNT_ID, Ctx, Principal};
use chrono::SecondsFormat;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{calls, parameters, resources};

/// An event as it is kept: what it is looked for by, and its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entry {
    /// Milliseconds since 1970.
    pub(crate) time: i64,
    pub(crate) event_id: String,
    pub(crate) event_name: String,
    pub(crate) event_source: String,
    pub(crate) read_only: bool,
    pub(crate) username: Option<String>,
    pub(crate) access_key_id: Option<String>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) cloud_trail_event: String,
}

/// A resource that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Resource {
    pub(crate) resource_type: String,
    pub(crate) resource_name: String,
}

/// The event of a call that ends now.
pub(crate) fn entry(call: &CallRecord<'_>) -> Entry {
    let CallRecord { ctx, service, operation, .. } = *call;
    let (now, id) = (ctx.now(), Uuid::new_v4().to_string());
    let source = format!("{service}.amazonaws.com");
    let read_only = calls::only_reads(service, operation);
    let shown = call.parameters.and_then(parameters::shown);
    let access_key_id = ctx.wire.access_key_id.clone().filter(|_| signed_by(ctx));
    let identity = user_identity(call, access_key_id.as_deref());
    let error = |part: Option<&str>| part.filter(|text| !text.is_empty()).map_or(Value::Null, Value::from);
    let members = json!({
        "eventVersion": "1.11",
        "userIdentity": identity.json,
        "eventTime": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "eventSource": source,
        "eventName": operation,
        "awsRegion": ctx.region(),
        "sourceIPAddress": source_address(ctx),
        "userAgent": user_agent(ctx),
        "errorCode": error(call.error.map(|(code, _)| plain_code(code))),
        "errorMessage": error(call.error.map(|(_, message)| message)),
        "requestParameters": shown,
        "responseElements": call.answer.and_then(parameters::shown),
        "requestID": ctx.request_id.to_string(),
        "eventID": id,
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT_ID,
        "eventCategory": "Management",
        "tlsDetails": ctx.wire.tls_version.map(|version| {
            json!({"tlsVersion": format!("TLSv{version}"), "clientProvidedHostHeader": text(ctx.wire.host.as_ref())})
        }),
    });
    let resources = resources::named(service, operation, shown.as_ref());
    Entry {
        time: now.timestamp_millis(),
        event_id: id,
        event_name: operation.to_owned(),
        event_source: source,
        read_only,
        username: identity.name,
        access_key_id,
        resources,
        cloud_trail_event: without_absent(members).to_string(),
    }
}

/// A refusal has one code in the history, whatever the service's protocol calls it.
fn plain_code(code: &str) -> &str {
    if code == "AccessDeniedException" { "AccessDenied" } else { code }
}

/// Members that AWS leaves out where there is nothing to say. The others stay null.
fn without_absent(event: Value) -> Value {
    let Value::Object(mut members) = event else { return event };
    for name in ["errorCode", "errorMessage", "tlsDetails"] {
        if members.get(name).is_some_and(Value::is_null) {
            members.remove(name);
        }
    }
    Value::Object(members)
}

/// Whether the key that signed the request is the principal's own. A service that goes on as a role has none.
fn signed_by(ctx: &Ctx) -> bool {
    let temporary = ctx.wire.access_key_id.as_deref().is_some_and(|id| id.starts_with("ASIA"));
    match ctx.principal.kind {
        PrincipalKind::Service { .. } | PrincipalKind::Anonymous => false,
        PrincipalKind::AssumedRole { .. } | PrincipalKind::FederatedUser { .. } => temporary,
        PrincipalKind::Root | PrincipalKind::User { .. } => true,
    }
}

fn source_address(ctx: &Ctx) -> Value {
    match (ctx.via.last(), ctx.source_ip) {
        (Some(service), _) => format!("{service}.amazonaws.com").into(),
        (None, Some(ip)) => ip.to_canonical().to_string().into(),
        (None, None) => "AWS Internal".into(),
    }
}

fn user_agent(ctx: &Ctx) -> Value {
    match ctx.via.last() {
        Some(service) => format!("{service}.amazonaws.com").into(),
        None => text(ctx.wire.user_agent.as_ref()),
    }
}

fn text(value: Option<&HeaderValue>) -> Value {
    value.and_then(|value| value.to_str().ok()).map_or(Value::Null, Value::from)
}

/// The element `userIdentity`, and the name that events are looked for by.
struct UserIdentity {
    json: Value,
    name: Option<String>,
}

fn user_identity(call: &CallRecord<'_>, access_key_id: Option<&str>) -> UserIdentity {
    let ctx = call.ctx;
    let principal = &*ctx.principal;
    let (sort, name) = match &principal.kind {
        PrincipalKind::Root => ("Root", Some("root".to_owned())),
        PrincipalKind::User { name } => ("IAMUser", Some(name.to_string())),
        PrincipalKind::AssumedRole { session, .. } => ("AssumedRole", Some(session.to_string())),
        PrincipalKind::FederatedUser { name, .. } => ("FederatedUser", Some(name.to_string())),
        PrincipalKind::Service { name } => {
            let json = json!({"type": "AWSService", "invokedBy": &**name});
            return UserIdentity { json, name: Some(name.to_string()) };
        }
        PrincipalKind::Anonymous => return anonymous(call),
    };
    let mut json = json!({
        "type": sort,
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": ACCOUNT_ID,
    });
    if let Some(key) = access_key_id {
        json["accessKeyId"] = key.into();
    }
    if sort == "IAMUser" {
        json["userName"] = name.clone().into();
    }
    if let Some(context) = session_context(principal) {
        json["sessionContext"] = context;
    }
    if let Some(service) = ctx.via.last() {
        json["invokedBy"] = format!("{service}.amazonaws.com").into();
    }
    UserIdentity { json, name }
}

fn session_context(principal: &Principal) -> Option<Value> {
    let session = principal.session.as_deref()?;
    let began = session.issued.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut context = Map::new();
    context.insert("attributes".into(), json!({"creationDate": began, "mfaAuthenticated": "false"}));
    if let (PrincipalKind::AssumedRole { role, .. }, Some(arn)) = (&principal.kind, &session.role_arn) {
        let id = principal.user_id.split(':').next();
        let issuer = json!({
            "type": "Role", "principalId": id, "arn": arn, "accountId": ACCOUNT_ID, "userName": &**role,
        });
        context.insert("sessionIssuer".into(), issuer);
    }
    if let Some(provider) = &session.federated_provider {
        let said: Map<String, Value> = session
            .federated_keys
            .iter()
            .filter_map(|(name, values)| Some((name.clone(), values.first()?.as_str().into())))
            .collect();
        context.insert("webIdFederationData".into(), json!({"federatedProvider": provider, "attributes": said}));
    }
    if let Some(name) = &session.source_identity {
        context.insert("sourceIdentity".into(), name.as_str().into());
    }
    Some(context.into())
}

/// The caller of an unsigned request. Who an identity provider vouches for is told by the token, if STS believed it.
fn anonymous(call: &CallRecord<'_>) -> UserIdentity {
    let claims = call.parameters.filter(|_| call.service == "sts" && call.error.is_none()).and_then(claims);
    let Some((issuer, subject)) = claims else {
        return UserIdentity { json: json!({"type": "Unknown", "accountId": "anonymous"}), name: None };
    };
    let json = json!({
        "type": "WebIdentityUser",
        "principalId": format!("{issuer}:{subject}"),
        "userName": subject,
        "identityProvider": issuer,
    });
    UserIdentity { json, name: Some(subject) }
}

fn claims(parameters: &Value) -> Option<(String, String)> {
    let payload = parameters["WebIdentityToken"].as_str()?.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    Some((claims["iss"].as_str()?.to_owned(), claims["sub"].as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use boathouse_aws::clock::ManualClock;
    use boathouse_aws::context::Wire;
    use boathouse_aws::principal::Session;
    use boathouse_aws::{Dispatcher, Platform};
    use chrono::DateTime;

    use super::*;

    fn ctx(principal: Principal) -> Ctx {
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_323_200, 0).unwrap()));
        let wire = Wire {
            user_agent: Some(HeaderValue::from_static("aws-cli/2")),
            access_key_id: Some("AKIA1".into()),
            ..Wire::default()
        };
        let ctx = Platform::new(Dispatcher::default(), clock, "us-east-1").context(Arc::new(principal));
        Ctx { source_ip: Some([192, 0, 2, 1].into()), wire: Arc::new(wire), ..ctx }
    }

    fn told(ctx: &Ctx, operation: &str, parameters: &Value, error: Option<(&str, &str)>) -> (Entry, Value) {
        let answer = json!({"QueryExecutionId": "q"});
        let (parameters, answer) = (Some(parameters), error.is_none().then_some(&answer));
        let call = CallRecord { ctx, service: "iam", operation, parameters, answer, error };
        let entry = entry(&call);
        let event = serde_json::from_str(&entry.cloud_trail_event).unwrap();
        (entry, event)
    }

    #[test]
    fn an_event_tells_who_did_what() {
        let ctx = ctx(Principal::user("ann", "arn:aws:iam::000000000000:user/ann".into(), "AIDA1".into()));
        let (entry, event) = told(&ctx, "CreateRole", &json!({"RoleName": "r"}), None);
        assert_eq!(event["userIdentity"]["type"], "IAMUser");
        assert_eq!(event["userIdentity"]["userName"], "ann");
        assert_eq!(event["userIdentity"]["accessKeyId"], "AKIA1");
        assert_eq!(event["eventTime"], "2026-03-01T00:00:00Z");
        assert_eq!(event["sourceIPAddress"], "192.0.2.1");
        assert_eq!(event["requestParameters"], json!({"roleName": "r"}));
        assert_eq!((event["readOnly"].as_bool(), event["userAgent"].as_str()), (Some(false), Some("aws-cli/2")));
        assert!(event.get("errorCode").is_none());
        assert_eq!(event["responseElements"], json!({"queryExecutionId": "q"}));
        assert_eq!(entry.username.as_deref(), Some("ann"));
        assert_eq!((entry.event_id.as_str().into(), entry.time), (event["eventID"].clone(), 1_772_323_200_000));
        let (_, event) = told(&ctx, "CreateRole", &json!({}), Some(("AccessDenied", "no")));
        assert_eq!((&event["errorCode"], &event["errorMessage"]), (&json!("AccessDenied"), &json!("no")));
        assert!(event["responseElements"].is_null());
    }

    #[test]
    fn sessions_tell_their_role_and_services_whom_they_serve() {
        let mut principal = Principal::assumed_role("Crawler", "AROA1", "daily", None);
        principal.session = Some(Arc::new(Session {
            role_arn: Some("arn:aws:iam::000000000000:role/x/Crawler".into()),
            source_identity: Some("ann".into()),
            ..Session::default()
        }));
        let ctx = ctx(principal).through("athena");
        let (entry, event) = told(&ctx, "GetRole", &json!({}), None);
        let identity = &event["userIdentity"];
        assert_eq!(identity["sessionContext"]["sessionIssuer"]["arn"], "arn:aws:iam::000000000000:role/x/Crawler");
        assert_eq!(identity["sessionContext"]["sourceIdentity"], "ann");
        assert_eq!(identity["invokedBy"], "athena.amazonaws.com");
        assert_eq!(event["sourceIPAddress"], "athena.amazonaws.com");
        assert_eq!(entry.username.as_deref(), Some("daily"));
    }
}
