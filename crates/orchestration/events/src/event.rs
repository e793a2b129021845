//! An event as rules see it ("Amazon EventBridge events").

use boathouse_aws::events::PlatformEvent;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::store::ACCOUNT;

/// An event on its way through a bus.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) value: Value,
    /// The event's JSON text.
    pub(crate) json: String,
}

/// What an event says.
pub(crate) struct Content {
    pub(crate) id: Uuid,
    pub(crate) source: String,
    pub(crate) detail_type: String,
    pub(crate) time: DateTime<Utc>,
    pub(crate) resources: Vec<String>,
    pub(crate) detail: Value,
}

impl Event {
    pub(crate) fn new(region: &str, content: Content) -> Self {
        let Content { id, source, detail_type, time, resources, detail } = content;
        let value = json!({
            "version": "0",
            "id": id,
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": timestamp(time),
            "region": region,
            "resources": resources,
            "detail": detail,
        });
        Self { id: id.to_string(), json: value.to_string(), value }
    }

    /// An event that was sent on from another bus.
    pub(crate) fn forwarded(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        Some(Self { id: value["id"].as_str()?.to_owned(), json: json.to_owned(), value })
    }

    pub(crate) fn of_platform(region: &str, event: &PlatformEvent) -> Self {
        let content = Content {
            id: event.id,
            source: event.source.into(),
            detail_type: event.detail_type.into(),
            time: event.time,
            resources: event.resources.clone(),
            detail: event.detail.clone(),
        };
        Self::new(region, content)
    }

    /// What a scheduled rule sends.
    pub(crate) fn scheduled(region: &str, time: DateTime<Utc>, rule_arn: String) -> Self {
        let content = Content {
            id: Uuid::new_v4(),
            source: "aws.events".into(),
            detail_type: "Scheduled Event".into(),
            time,
            resources: vec![rule_arn],
            detail: Value::Object(Map::new()),
        };
        Self::new(region, content)
    }
}

/// A time as events write it.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time as clients write it: seconds since 1970, or ISO 8601.
pub(crate) fn parse_time(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc)),
        value => DateTime::from_timestamp_millis((value.as_f64()? * 1000.0) as i64),
    }
}
