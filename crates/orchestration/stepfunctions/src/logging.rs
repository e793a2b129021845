//! Execution events in CloudWatch Logs ("Using CloudWatch Logs to log execution history").

use std::sync::Arc;

use boathouse_aws::Arn;
use boathouse_states::HistoryEvent;
use boathouse_states::history::EventType;
use serde_json::{Value, json};

use crate::api::LoggingConfiguration;
use crate::error::SfnError;
use crate::store::{Step, StepFunctions, StoredExecution};
use crate::wire;

/// Whether anything is logged.
pub(crate) fn wanted(logging: &LoggingConfiguration) -> bool {
    logging.level != "OFF"
}

/// The log group's name, from the one destination.
fn group(logging: &LoggingConfiguration) -> Option<String> {
    let [destination] = logging.destinations.as_deref()? else { return None };
    let arn: Arn = destination.pointer("/cloudWatchLogsLogGroup/logGroupArn")?.as_str()?.parse().ok()?;
    let name = arn.resource.strip_prefix("log-group:")?;
    (arn.service == "logs").then(|| name.trim_end_matches(":*").to_owned())
}

/// Refuses configurations that can't work.
pub(crate) fn check(state: &StepFunctions, logging: &LoggingConfiguration) -> Result<(), SfnError> {
    let invalid = |message: &str| Err(SfnError::InvalidLoggingConfiguration(message.to_owned()));
    if !["OFF", "ALL", "ERROR", "FATAL"].contains(&logging.level.as_str()) {
        return Err(SfnError::Validation(format!("'{}' is not a log level: OFF, ALL, ERROR or FATAL", logging.level)));
    }
    let destinations = logging.destinations.as_deref().unwrap_or_default();
    if destinations.len() > 1 || wanted(logging) && destinations.is_empty() {
        return invalid("Must specify exactly one Log Destination.");
    }
    if !destinations.is_empty() && group(logging).is_none() {
        return invalid("Invalid Log Destination.");
    }
    let can = state.platform.dispatcher.service("logs").is_some_and(|logs| logs.has("PutLogEvents"));
    if wanted(logging) && !can {
        return invalid("Boathouse does not implement CloudWatch Logs here yet.");
    }
    Ok(())
}

/// Whether events of this type are logged at a level.
fn logged(level: &str, kind: EventType) -> bool {
    use EventType as E;
    let fatal = matches!(kind, E::ExecutionFailed | E::ExecutionAborted | E::ExecutionTimedOut);
    let name = kind.name();
    match level {
        "ALL" => true,
        "FATAL" => fatal,
        "ERROR" => fatal || name.ends_with("Failed") || name.ends_with("TimedOut") || name.ends_with("Aborted"),
        _ => false,
    }
}

fn entry(row: &StoredExecution, event: &HistoryEvent) -> Value {
    let details = wire::details(&event.details, row.logging.include_execution_data);
    json!({
        "id": event.id.to_string(),
        "type": event.kind.name(),
        "details": details,
        "redrive_count": row.redrives.to_string(),
        "previous_event_id": event.previous.to_string(),
        "event_timestamp": event.time.to_string(),
        "execution_arn": row.arn,
    })
}

/// Sends the events of durable steps to the log group, in the background.
pub(crate) fn log(state: &Arc<StepFunctions>, row: &StoredExecution, steps: &[Step]) {
    if !wanted(&row.logging) {
        return;
    }
    let events: Vec<Value> = steps
        .iter()
        .flat_map(|step| &step.events)
        .filter(|event| logged(&row.logging.level, event.kind))
        .map(|event| json!({"timestamp": event.time, "message": entry(row, event).to_string()}))
        .collect();
    let Some(group) = group(&row.logging).filter(|_| !events.is_empty()) else { return };
    let (state, row) = (Arc::clone(state), row.clone());
    tokio::spawn(async move {
        if let Err(error) = send(&state, &row, &group, events).await {
            tracing::warn!(execution = row.arn, group, %error, "the execution's events can't be logged");
        }
    });
}

async fn send(
    state: &StepFunctions,
    row: &StoredExecution,
    group: &str,
    events: Vec<Value>,
) -> Result<(), boathouse_aws::AwsError> {
    let role = state.roles.assume_for_service(&row.role, crate::machines::SERVICE, "AWSStepFunctions")?;
    let ctx = state.platform.context(role);
    // As AWS names them: the machine, the day and hour of the start, a part of the machine's own.
    let hour = chrono::DateTime::from_timestamp_millis(row.started).unwrap_or_default().format("%Y-%m-%d-%H");
    let stream = format!("states/{}/{hour}/{}", row.machine, &row.definition[..8]);
    let stream_of = json!({"logGroupName": group, "logStreamName": stream});
    match ctx.call("logs", "CreateLogStream", stream_of).await {
        Err(error) if error.code != "ResourceAlreadyExistsException" => return Err(error),
        _ => {}
    }
    let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
    ctx.call("logs", "PutLogEvents", input).await.map(drop)
}
