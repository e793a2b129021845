//! PutEvents and TestEventPattern.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::principal::PrincipalKind;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{PutEvents, PutEventsEntry, TestEventPattern};
use crate::error::EventsError;
use crate::event::{Content, Event, parse_time};
use crate::pattern::EventPattern;
use crate::router;
use crate::store::{Events, bus_arn, bus_name, validation};

/// Entries of a request.
const MAX_ENTRIES: usize = 10;
/// Bytes of a request's entries, as AWS counts them ("Calculating PutEvents event entry size").
const MAX_BYTES: usize = 1_048_576;
/// What an entry's time counts.
const TIME_BYTES: usize = 14;
/// Sources that belong to services.
const RESERVED: &str = "aws.";

/// Why an entry is refused: code and message.
type Refusal = (&'static str, String);

pub(crate) async fn put(ctx: Ctx, state: Arc<Events>, input: PutEvents) -> Result<Value, EventsError> {
    if input.endpoint_id.is_some() {
        return Err(EventsError::NotImplemented("EndpointId (global endpoints)".into()));
    }
    if !(1..=MAX_ENTRIES).contains(&input.entries.len()) {
        let count = input.entries.len();
        return Err(validation(format!(
            "1 validation error detected: Value '{count} entries' at 'entries' failed to satisfy constraint: Member must have \
             length less than or equal to {MAX_ENTRIES} and greater than or equal to 1"
        )));
    }
    if input.entries.iter().map(size).sum::<usize>() > MAX_BYTES {
        return Err(validation("Total size of the entries in the request is over the limit."));
    }
    input.entries.iter().try_for_each(|entry| authorize(&ctx, &state, entry))?;
    let mut answers = Vec::new();
    let mut deliveries = Vec::new();
    let mut failed = 0;
    for entry in input.entries {
        match prepare(&ctx, &state, entry) {
            Ok((bus, event)) => {
                answers.push(json!({"EventId": event.id}));
                deliveries.extend(router::deliveries(&state, (&ctx.platform).into(), &bus, &event, 0)?);
            }
            Err((code, message)) => {
                failed += 1;
                answers.push(json!({"ErrorCode": code, "ErrorMessage": message}));
            }
        }
    }
    router::enqueue(&state, &ctx.platform, deliveries).await?;
    Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
}

fn size(entry: &PutEventsEntry) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let time = entry.time.as_ref().map_or(0, |_| TIME_BYTES);
    let resources: usize = entry.resources.iter().flatten().map(String::len).sum();
    time + text(&entry.source) + text(&entry.detail_type) + text(&entry.detail) + resources
}

fn is_service(ctx: &Ctx) -> bool {
    matches!(ctx.principal.kind, PrincipalKind::Service { .. })
}

fn authorize(ctx: &Ctx, state: &Events, entry: &PutEventsEntry) -> Result<(), EventsError> {
    if is_service(ctx) {
        return Ok(()); // the platform's own services; nobody else can be one
    }
    let name = bus_name(entry.event_bus_name.as_deref());
    let policy = state.bus(name).ok().and_then(|bus| bus.policy);
    let arn = bus_arn(ctx.region(), name);
    let mut keys = ConditionKeys::new();
    for (key, value) in [("events:source", &entry.source), ("events:detail-type", &entry.detail_type)] {
        keys.extend(value.iter().map(|value| (key.to_owned(), vec![value.clone()])));
    }
    let request = AccessRequest::new("events:PutEvents", &arn, &keys).with_resource_policy(policy.as_deref());
    Ok(state.authorizer.authorize(ctx, &request)?)
}

fn prepare(ctx: &Ctx, state: &Events, entry: PutEventsEntry) -> Result<(String, Event), Refusal> {
    let need = |value: Option<String>, name: &str| {
        let message = format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
        value.filter(|value| !value.is_empty()).ok_or(("InvalidArgument", message))
    };
    let source = need(entry.source, "Source")?;
    if source.starts_with(RESERVED) && !is_service(ctx) {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".into()));
    }
    let detail_type = need(entry.detail_type, "DetailType")?;
    let detail = need(entry.detail, "Detail")?;
    let malformed = || ("MalformedDetail", "Detail is malformed.".to_owned());
    let detail: Value = serde_json::from_str(&detail).map_err(|_| malformed())?;
    if !detail.is_object() {
        return Err(malformed());
    }
    let bus = bus_name(entry.event_bus_name.as_deref()).to_owned();
    state.bus(&bus).map_err(|error| ("InvalidArgument", error.to_string()))?;
    let time: Option<DateTime<Utc>> = match entry.time {
        Some(time) => Some(parse_time(&time).ok_or(("InvalidArgument", "Parameter Time is not valid.".to_owned()))?),
        None => None,
    };
    let content = Content {
        id: Uuid::new_v4(),
        source,
        detail_type,
        time: time.unwrap_or_else(|| ctx.now()),
        resources: entry.resources.unwrap_or_default(),
        detail,
    };
    Ok((bus, Event::new(ctx.region(), content)))
}

pub(crate) async fn test_pattern(_: Ctx, _: Arc<Events>, input: TestEventPattern) -> Result<Value, EventsError> {
    let pattern = EventPattern::parse(&input.event_pattern)?;
    let wrong = |reason: &str| validation(format!("Parameter Event is not valid. Reason: {reason}"));
    let event: Value = serde_json::from_str(&input.event).map_err(|error| wrong(&error.to_string()))?;
    for member in ["id", "account", "source", "time", "region", "resources", "detail-type"] {
        if event.get(member).is_none() {
            return Err(wrong(&format!("{member} is a required field of events.")));
        }
    }
    Ok(json!({"Result": pattern.matches(&event)}))
}
