//! Events as GetExecutionHistory writes them.

use boathouse_states::HistoryEvent;
use boathouse_states::history::{Details, EventType};
use serde_json::{Map, Value, json};

use crate::store::seconds;

/// The member that holds the details of a type, if events of the type have any.
fn details_member(kind: EventType) -> Option<String> {
    let name = kind.name();
    let suffix = match name {
        _ if name.ends_with("StateEntered") => return Some("stateEnteredEventDetails".into()),
        _ if name.ends_with("StateExited") => return Some("stateExitedEventDetails".into()),
        "MapStateStarted" => "EventDetails",
        "LambdaFunctionStarted" => return None,
        _ if name.starts_with("MapState") || name.starts_with("ParallelState") || name.ends_with("StateAborted") => {
            return None;
        }
        _ => "EventDetails",
    };
    let (first, rest) = name.split_at(1);
    Some(format!("{}{rest}{suffix}", first.to_lowercase()))
}

/// One event. Without `data`, inputs and outputs are left out.
pub(crate) fn event(event: &HistoryEvent, data: bool) -> Value {
    let mut written = json!({
        "timestamp": seconds(event.time),
        "type": event.kind.name(),
        "id": event.id,
        "previousEventId": event.previous,
    });
    if let Some(member) = details_member(event.kind) {
        written[member] = details(&event.details, data).into();
    }
    written
}

pub(crate) fn details(details: &Details, data: bool) -> Map<String, Value> {
    let mut written = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            written.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    put("name", text(&details.name));
    put("roleArn", text(&details.role));
    put("error", text(&details.error));
    put("cause", text(&details.cause));
    put("location", text(&details.location));
    put("state", text(&details.state));
    put("resource", text(&details.resource));
    put("resourceType", text(&details.resource_type));
    put("region", text(&details.region));
    put("workerName", text(&details.worker));
    put("timeoutInSeconds", details.timeout.map(Value::from));
    put("heartbeatInSeconds", details.heartbeat.map(Value::from));
    put("index", details.index.map(Value::from));
    put("length", details.length.map(Value::from));
    put("redriveCount", details.redrives.map(Value::from));
    put("taskCredentials", details.credentials.as_ref().map(|role| json!({"roleArn": role})));
    put("parameters", details.parameters.as_ref().map(|text| text.as_str().into()));
    if data {
        for (name, shown, value) in
            [("input", "inputDetails", &details.input), ("output", "outputDetails", &details.output)]
        {
            put(name, value.as_ref().map(|text| text.as_str().into()));
            put(shown, value.as_ref().map(|_| json!({"truncated": false})));
        }
        put("assignedVariables", details.assigned.as_ref().map(|assigned| json!(assigned)));
        put("assignedVariablesDetails", details.assigned.as_ref().map(|_| json!({"truncated": false})));
    }
    written
}
