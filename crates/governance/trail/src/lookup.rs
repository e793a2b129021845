//! LookupEvents: events of the last 90 days by one attribute and a time range, the youngest first.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boathouse_aws::Ctx;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Trail;
use crate::error::TrailError;
use crate::event::Entry;
use crate::store::{KEPT, Place};

/// Events of a page, at most and unless the request says otherwise.
const PAGE: usize = 50;
/// Characters of a value to look for.
const LONGEST_VALUE: usize = 2000;

/// The input of LookupEvents.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LookupEvents {
    #[serde(default)]
    lookup_attributes: Vec<LookupAttribute>,
    /// Seconds since 1970.
    start_time: Option<f64>,
    /// Seconds since 1970.
    end_time: Option<f64>,
    event_category: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LookupAttribute {
    attribute_key: String,
    attribute_value: String,
}

/// What an event must be or hold.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    EventId(String),
    EventName(String),
    EventSource(String),
    ReadOnly(bool),
    Username(String),
    AccessKeyId(String),
    ResourceType(String),
    ResourceName(String),
}

impl Wanted {
    fn parse(attribute: LookupAttribute) -> Result<Self, TrailError> {
        let LookupAttribute { attribute_key: key, attribute_value: value } = attribute;
        let invalid = |message: String| Err(TrailError::InvalidLookupAttributes(message));
        if value.is_empty() || value.chars().count() > LONGEST_VALUE {
            return invalid(format!("An attribute's value has 1 to {LONGEST_VALUE} characters"));
        }
        Ok(match key.as_str() {
            "EventId" => Self::EventId(value),
            "EventName" => Self::EventName(value),
            "EventSource" => Self::EventSource(value),
            "ReadOnly" => match value.to_ascii_lowercase().as_str() {
                "true" => Self::ReadOnly(true),
                "false" => Self::ReadOnly(false),
                _ => return invalid(format!("ReadOnly is true or false, not {value}")),
            },
            "Username" => Self::Username(value),
            "AccessKeyId" => Self::AccessKeyId(value),
            "ResourceType" => Self::ResourceType(value),
            "ResourceName" => Self::ResourceName(value),
            _ => return invalid(format!("{key} is not an attribute that events are looked for by")),
        })
    }

    fn is_met(&self, entry: &Entry) -> bool {
        match self {
            Self::EventId(value) => entry.event_id == *value,
            Self::EventName(value) => entry.event_name == *value,
            Self::EventSource(value) => entry.event_source == *value,
            Self::ReadOnly(value) => entry.read_only == *value,
            Self::Username(value) => entry.username.as_ref() == Some(value),
            Self::AccessKeyId(value) => entry.access_key_id.as_ref() == Some(value),
            Self::ResourceType(value) => entry.resources.iter().any(|each| each.resource_type == *value),
            Self::ResourceName(value) => entry.resources.iter().any(|each| each.resource_name == *value),
        }
    }

    /// A text that the line of an event that meets this must hold, so that most others need not be read.
    fn needle(&self) -> Option<String> {
        let value = match self {
            Self::EventId(value)
            | Self::EventName(value)
            | Self::EventSource(value)
            | Self::Username(value)
            | Self::AccessKeyId(value)
            | Self::ResourceType(value)
            | Self::ResourceName(value) => value,
            Self::ReadOnly(value) => return Some(format!("\"ReadOnly\":{value}")),
        };
        serde_json::to_string(value).ok()
    }
}

pub(crate) async fn lookup_events(ctx: Ctx, trail: Arc<Trail>, input: LookupEvents) -> Result<Value, TrailError> {
    let query = Query::new(&ctx, input, &trail)?;
    let found = tokio::task::spawn_blocking(move || query.run(&trail)).await;
    found.unwrap_or_else(|_| Err(std::io::Error::other("the look-up failed").into()))
}

/// A look-up whose values are checked.
struct Query {
    wanted: Option<Wanted>,
    /// Milliseconds since 1970, both included.
    range: (i64, i64),
    page: usize,
    from: Place,
    signature: u32,
}

impl Query {
    fn new(ctx: &Ctx, input: LookupEvents, trail: &Trail) -> Result<Self, TrailError> {
        if let Some(category) = &input.event_category {
            let message = format!("Events of the category {category} are not kept: leave EventCategory out");
            return Err(TrailError::InvalidEventCategory(message));
        }
        if input.lookup_attributes.len() > 1 {
            let message = "Events are looked for by one attribute at a time".into();
            return Err(TrailError::InvalidLookupAttributes(message));
        }
        let page = match input.max_results {
            None => PAGE,
            Some(number) => {
                usize::try_from(number).ok().filter(|number| (1..=PAGE).contains(number)).ok_or_else(|| {
                    TrailError::InvalidMaxResults(format!("MaxResults is a number from 1 to {PAGE}, not {number}"))
                })?
            }
        };
        let signature = signature(&input);
        let from = match &input.next_token {
            Some(token) => read_token(token, signature)
                .ok_or(TrailError::InvalidNextToken("NextToken is not one that this look-up has handed out"))?,
            None => trail.store.end(),
        };
        let millis = |seconds: f64| (seconds * 1000.0) as i64;
        let range = (input.start_time.map_or(0, millis), input.end_time.map_or(i64::MAX, |end| millis(end) + 999));
        if range.0 > range.1 {
            return Err(TrailError::InvalidTimeRange("StartTime is later than EndTime"));
        }
        // What is older is gone, even where its file is still there.
        let horizon = (ctx.now() - KEPT).timestamp_millis();
        let wanted = input.lookup_attributes.into_iter().next().map(Wanted::parse).transpose()?;
        Ok(Self { wanted, range: (range.0.max(horizon), range.1), page, from, signature })
    }

    fn run(&self, trail: &Trail) -> Result<Value, TrailError> {
        let mut found: Vec<(Place, Entry)> = Vec::new();
        let needle = self.wanted.as_ref().and_then(Wanted::needle);
        trail.store.back(self.from, self.range, needle.as_deref(), |place, entry| {
            let met = self.wanted.as_ref().is_none_or(|wanted| wanted.is_met(&entry));
            if met && entry.time <= self.range.1 {
                found.push((place, entry));
            }
            // One more tells whether there is another page.
            found.len() <= self.page
        })?;
        let more = found.len() > self.page;
        found.truncate(self.page);
        let next = found.last().filter(|_| more).map(|(place, _)| token(*place, self.signature));
        let events: Vec<Value> = found.iter().map(|(_, entry)| shape(entry)).collect();
        let mut answer = json!({"Events": events});
        if let Some(next) = next {
            answer["NextToken"] = next.into();
        }
        Ok(answer)
    }
}

fn shape(entry: &Entry) -> Value {
    let mut event = json!({
        "EventId": entry.event_id,
        "EventName": entry.event_name,
        "ReadOnly": if entry.read_only { "true" } else { "false" },
        "EventTime": entry.time / 1000,
        "EventSource": entry.event_source,
        "Resources": entry.resources,
        "CloudTrailEvent": entry.cloud_trail_event,
    });
    for (name, value) in [("Username", &entry.username), ("AccessKeyId", &entry.access_key_id)] {
        if let Some(value) = value {
            event[name] = value.as_str().into();
        }
    }
    event
}

/// A number that differs between look-ups for different things, so that a token goes on with its own only.
fn signature(input: &LookupEvents) -> u32 {
    let LookupEvents { lookup_attributes, start_time, end_time, .. } = input;
    crc_fast::crc32_iscsi(format!("{lookup_attributes:?} {start_time:?} {end_time:?}").as_bytes())
}

fn token(place: Place, signature: u32) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {} {signature}", place.number, place.offset))
}

fn read_token(token: &str, signature: u32) -> Option<Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.split(' ');
    let place = Place { number: parts.next()?.parse().ok()?, offset: parts.next()?.parse().ok()? };
    (parts.next()?.parse() == Ok(signature) && parts.next().is_none()).then_some(place)
}

#[cfg(test)]
mod tests {
    use boathouse_aws::clock::ManualClock;
    use boathouse_aws::history::{CallHistory, CallRecord};
    use boathouse_aws::{Dispatcher, Platform, Principal};
    use chrono::DateTime;

    use super::*;

    struct Bench {
        _directory: tempfile::TempDir,
        trail: Arc<Trail>,
        clock: Arc<ManualClock>,
        ctx: Ctx,
    }

    fn bench() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let trail = Trail::open(directory.path()).unwrap();
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_323_200, 0).unwrap()));
        let platform = Platform::new(Dispatcher::default(), Arc::clone(&clock) as _, "us-east-1");
        let ctx = platform.context(Arc::new(Principal::root()));
        Bench { _directory: directory, trail, clock, ctx }
    }

    impl Bench {
        fn call(&self, operation: &str, user: &str) {
            let parameters = json!({"UserName": user});
            let (ctx, parameters) = (&self.ctx, Some(&parameters));
            self.trail.note(&CallRecord { ctx, service: "iam", operation, parameters, answer: None, error: None });
            self.clock.advance(chrono::TimeDelta::seconds(1));
        }

        async fn look(&self, input: Value) -> Result<Value, TrailError> {
            let input = serde_json::from_value(input).unwrap();
            lookup_events(self.ctx.clone(), Arc::clone(&self.trail), input).await
        }

        async fn names(&self, input: Value) -> Vec<String> {
            let answer = self.look(input).await.unwrap();
            answer["Events"].as_array().unwrap().iter().map(|it| it["EventName"].as_str().unwrap().to_owned()).collect()
        }
    }

    fn by(key: &str, value: &str) -> Value {
        json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]})
    }

    #[tokio::test]
    async fn events_are_found_by_each_attribute() {
        let bench = bench();
        bench.call("CreateUser", "ann");
        bench.call("GetUser", "ann");
        bench.call("CreateUser", "bob");
        assert_eq!(bench.names(json!({})).await, ["CreateUser", "GetUser", "CreateUser"]);
        assert_eq!(bench.names(by("EventName", "GetUser")).await, ["GetUser"]);
        assert_eq!(bench.names(by("ResourceName", "ann")).await, ["GetUser", "CreateUser"]);
        assert_eq!(bench.names(by("ResourceType", "AWS::IAM::User")).await.len(), 3);
        assert_eq!(bench.names(by("ReadOnly", "true")).await, ["GetUser"]);
        assert_eq!(bench.names(by("Username", "root")).await.len(), 3);
        assert_eq!(bench.names(by("EventSource", "iam.amazonaws.com")).await.len(), 3);
        assert_eq!(bench.names(by("AccessKeyId", "AKIA1")).await.len(), 0);
        let id = bench.look(json!({})).await.unwrap()["Events"][1]["EventId"].as_str().unwrap().to_owned();
        assert_eq!(bench.names(by("EventId", &id)).await, ["GetUser"]);
        let second = 1_772_323_201;
        assert_eq!(bench.names(json!({"StartTime": second, "EndTime": second})).await, ["GetUser"]);
    }

    #[tokio::test]
    async fn pages_follow_each_other_while_events_arrive() {
        let bench = bench();
        for number in 0..7 {
            bench.call("CreateUser", &format!("u{number}"));
        }
        let mut input = json!({"MaxResults": 3});
        let mut names = Vec::new();
        loop {
            let answer = bench.look(input.clone()).await.unwrap();
            for event in answer["Events"].as_array().unwrap() {
                names.push(event["Resources"][0]["ResourceName"].as_str().unwrap().to_owned());
            }
            bench.call("GetUser", "late");
            let Some(next) = answer.get("NextToken") else { break };
            input["NextToken"] = next.clone();
        }
        assert_eq!(names, ["u6", "u5", "u4", "u3", "u2", "u1", "u0"]);
    }

    #[tokio::test]
    async fn what_is_older_than_ninety_days_is_gone() {
        let bench = bench();
        bench.call("CreateUser", "old");
        bench.clock.advance(chrono::TimeDelta::days(90));
        bench.call("CreateUser", "new");
        assert_eq!(bench.names(json!({})).await.len(), 1);
        assert_eq!(bench.names(by("ResourceName", "old")).await.len(), 0);
    }

    #[tokio::test]
    async fn wrong_values_are_refused_by_name() {
        let bench = bench();
        for (input, code) in [
            (by("Colour", "x"), "InvalidLookupAttributesException"),
            (by("ReadOnly", "perhaps"), "InvalidLookupAttributesException"),
            (json!({"MaxResults": 51}), "InvalidMaxResultsException"),
            (json!({"MaxResults": 0}), "InvalidMaxResultsException"),
            (json!({"NextToken": "x"}), "InvalidNextTokenException"),
            (json!({"StartTime": 2, "EndTime": 0}), "InvalidTimeRangeException"),
            (json!({"EventCategory": "insight"}), "InvalidEventCategoryException"),
        ] {
            let error = bench.look(input).await.unwrap_err();
            assert_eq!(boathouse_aws::AwsError::from(error).code, code);
        }
    }
}
