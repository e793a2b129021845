//! S3's event messages ("Event message structure" and "EventBridge event message structure" in the S3 user guide).

use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::protocol::rest_xml;
use boathouse_aws::{ACCOUNT_ID, Ctx};
use boathouse_objects::{ChangeKind, ObjectChange};
use chrono::{DateTime, SecondsFormat};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::configuration::event_name;
use crate::operations::OWNER_ID;

/// What keys in messages to functions keep as it is; a space becomes `+`.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');

/// Who changed an object, kept with the change.
#[derive(Debug, Serialize, Deserialize)]
struct Origin {
    /// The unique id of the principal.
    principal: String,
    /// The account, or the service that acted for itself.
    requester: String,
    ip: Option<String>,
    request: Uuid,
}

/// The origin of a call's changes as the object engine keeps it.
pub(crate) fn origin(ctx: &Ctx) -> String {
    let principal = &ctx.principal;
    let (id, requester) = match &principal.kind {
        PrincipalKind::Service { name } => (name.to_string(), name.to_string()),
        PrincipalKind::Anonymous => ("Anonymous".to_owned(), "Anonymous".to_owned()),
        PrincipalKind::Root
        | PrincipalKind::User { .. }
        | PrincipalKind::AssumedRole { .. }
        | PrincipalKind::FederatedUser { .. } => (format!("AWS:{}", principal.user_id), ACCOUNT_ID.to_owned()),
    };
    let ip = ctx.source_ip.map(|ip| ip.to_canonical().to_string());
    let origin = Origin { principal: id, requester, ip, request: ctx.request_id };
    serde_json::to_string(&origin).expect("invariant: a struct of texts serialises")
}

fn origin_of(change: &ObjectChange) -> Origin {
    let kept = change.origin.as_deref().and_then(|text| serde_json::from_str(text).ok());
    kept.unwrap_or_else(|| Origin {
        principal: super::PRINCIPAL.to_owned(),
        requester: super::PRINCIPAL.to_owned(),
        ip: None,
        request: Uuid::nil(),
    })
}

/// Whether a change left an object, not its absence.
fn is_written(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Put | ChangeKind::Post | ChangeKind::Copy | ChangeKind::CompleteUpload)
}

fn sequencer(change: &ObjectChange) -> String {
    format!("{:016X}", change.sequence)
}

pub(crate) fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// The message that a function or a queue gets.
pub(crate) fn for_target(change: &ObjectChange, region: &str, configuration_id: &str) -> Value {
    let origin = origin_of(change);
    let key = utf8_percent_encode(&change.key, PLAIN).to_string().replace(' ', "+");
    let mut object = json!({"key": key, "sequencer": sequencer(change)});
    if is_written(change.kind) {
        object["size"] = change.size.into();
    }
    if change.kind != ChangeKind::Delete && change.kind != ChangeKind::Expire {
        object["eTag"] = change.etag.as_str().into();
    }
    if let Some(version) = &change.version {
        object["versionId"] = version.as_str().into();
    }
    let time = DateTime::from_timestamp_millis(change.at_ms as i64).unwrap_or_default();
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": time.to_rfc3339_opts(SecondsFormat::Millis, true),
        "eventName": event_name(change.kind),
        "userIdentity": {"principalId": origin.principal},
        "requestParameters": {"sourceIPAddress": origin.ip.as_deref().unwrap_or(&origin.requester)},
        "responseElements": {
            "x-amz-request-id": origin.request,
            "x-amz-id-2": rest_xml::host_id(origin.request),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": change.bucket,
                "ownerIdentity": {"principalId": OWNER_ID},
                "arn": bucket_arn(&change.bucket),
            },
            "object": object,
        },
    }]})
}

/// The message that a queue gets when it becomes a bucket's destination.
pub(crate) fn test(ctx: &Ctx, bucket: &str) -> Value {
    json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": ctx.now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "Bucket": bucket,
        "RequestId": ctx.request_id,
        "HostId": rest_xml::host_id(ctx.request_id),
    })
}

/// The entry that the event bus gets.
pub(crate) fn for_event_bus(change: &ObjectChange) -> Value {
    let origin = origin_of(change);
    let mut object = json!({"key": change.key, "sequencer": sequencer(change)});
    let mut detail = json!({
        "version": "0",
        "bucket": {"name": change.bucket},
        "request-id": origin.request,
        "requester": origin.requester,
    });
    if let Some(ip) = origin.ip {
        detail["source-ip-address"] = ip.into();
    }
    let (kind, reason) = match change.kind {
        ChangeKind::Put => ("Object Created", "PutObject"),
        ChangeKind::Post => ("Object Created", "POST Object"),
        ChangeKind::Copy => ("Object Created", "CopyObject"),
        ChangeKind::CompleteUpload => ("Object Created", "CompleteMultipartUpload"),
        ChangeKind::Delete | ChangeKind::DeleteMarker => ("Object Deleted", "DeleteObject"),
        ChangeKind::Expire | ChangeKind::ExpireToMarker => ("Object Deleted", "Lifecycle Expiration"),
    };
    detail["reason"] = reason.into();
    if let Some(version) = &change.version {
        object["version-id"] = version.as_str().into();
    }
    match change.kind {
        ChangeKind::Delete | ChangeKind::Expire => detail["deletion-type"] = "Permanently Deleted".into(),
        ChangeKind::DeleteMarker | ChangeKind::ExpireToMarker => {
            detail["deletion-type"] = "Delete Marker Created".into();
        }
        _ => {}
    }
    if is_written(change.kind) {
        object["size"] = change.size.into();
        object["etag"] = change.etag.as_str().into();
    }
    detail["object"] = object;
    let seconds = change.at_ms as f64 / 1000.0;
    json!({
        "Source": "aws.s3",
        "DetailType": kind,
        "Time": seconds,
        "Resources": [bucket_arn(&change.bucket)],
        "Detail": detail.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: ChangeKind) -> ObjectChange {
        ObjectChange {
            sequence: 0x55_AED6,
            bucket: "raw".into(),
            key: "in/a b+é.csv".into(),
            kind,
            at_ms: 1_772_323_200_123,
            size: 7,
            etag: "abc".into(),
            origin: None,
            version: None,
        }
    }

    #[test]
    fn functions_get_coded_keys_and_removals_have_no_size() {
        let record = for_target(&change(ChangeKind::Put), "us-east-1", "id")["Records"][0].clone();
        assert_eq!(record["eventName"], "ObjectCreated:Put");
        assert_eq!(record["eventTime"], "2026-03-01T00:00:00.123Z");
        let object = json!({"key": "in/a+b%2B%C3%A9.csv", "size": 7, "eTag": "abc", "sequencer": "000000000055AED6"});
        assert_eq!(record["s3"]["object"], object);
        assert_eq!(record["s3"]["bucket"]["arn"], "arn:aws:s3:::raw");
        let removed = for_target(&change(ChangeKind::Delete), "us-east-1", "id")["Records"][0].clone();
        assert_eq!(removed["eventName"], "ObjectRemoved:Delete");
        assert_eq!(removed["s3"]["object"].get("size"), None);
    }

    #[test]
    fn the_bus_gets_keys_as_they_are() {
        let entry = for_event_bus(&change(ChangeKind::CompleteUpload));
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&entry["DetailType"], &detail["object"]["key"]),
            (&json!("Object Created"), &json!("in/a b+é.csv"))
        );
        assert_eq!(detail["reason"], "CompleteMultipartUpload");
        let removed = for_event_bus(&change(ChangeKind::Delete));
        let detail: Value = serde_json::from_str(removed["Detail"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&removed["DetailType"], &detail["deletion-type"]),
            (&json!("Object Deleted"), &json!("Permanently Deleted"))
        );
    }
}
