//! "Step Functions Execution Status Change" on the platform's events, as the EventBridge guide documents it.

use boathouse_aws::Platform;
use boathouse_aws::events::PlatformEvent;
use boathouse_states::Status;
use serde_json::{Value, json};

use crate::api::MachineType;
use crate::store::{Standing, StoredExecution};

/// The largest input or output that an event carries, in bytes.
const MAX_DATA: usize = 248 * 1024;

/// What is told when an execution begins, and when it has ended by then. Express executions are not told of, as on AWS.
pub(crate) fn begun(platform: &Platform, row: &StoredExecution) -> Vec<PlatformEvent> {
    let running = StoredExecution { standing: Standing::from(&Status::Running), stopped: None, ..row.clone() };
    let ended = (!row.is_running()).then(|| standing(platform, row)).flatten();
    standing(platform, &running).into_iter().chain(ended).collect()
}

/// What is told of how the execution stands.
pub(crate) fn standing(platform: &Platform, row: &StoredExecution) -> Option<PlatformEvent> {
    if row.kind == MachineType::Express {
        return None;
    }
    let included = |text: Option<&String>| match text {
        Some(text) if text.len() <= MAX_DATA => (Value::from(text.as_str()), json!({"included": true})),
        Some(_) => (Value::Null, json!({"included": false})),
        None => (Value::Null, Value::Null),
    };
    let (input, input_details) = included(Some(&row.input));
    let (output, output_details) = included(row.standing.output.as_ref());
    let detail = json!({
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "stateMachineVersionArn": row.version_arn,
        "stateMachineAliasArn": row.alias_arn,
        "name": row.name,
        "status": row.standing.status,
        "startDate": row.started,
        "stopDate": row.stopped,
        "input": input,
        "inputDetails": input_details,
        "output": output,
        "outputDetails": output_details,
        "error": row.standing.error,
        "cause": row.standing.cause,
        "redriveCount": row.redrives,
        "redriveDate": row.redriven,
    });
    let time = platform.clock.now();
    let event = PlatformEvent::new(time, "aws.states", "Step Functions Execution Status Change", detail);
    Some(PlatformEvent { resources: vec![row.arn.clone()], ..event })
}
