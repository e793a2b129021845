//! "Step Functions Execution Status Change" on the platform's events, as the EventBridge guide documents it.

use boathouse_states::Status;
use serde_json::{Value, json};

use crate::api::MachineType;
use crate::store::{Standing, StepFunctions, StoredExecution};

/// The largest input or output that an event carries, in bytes.
const MAX_DATA: usize = 248 * 1024;

/// Tells that the execution began. Express executions are not told of, as on AWS.
pub(crate) fn tell_started(state: &StepFunctions, row: &StoredExecution) {
    let running = StoredExecution { standing: Standing::from(&Status::Running), stopped: None, ..row.clone() };
    tell(state, &running);
}

/// Tells how the execution stands.
pub(crate) fn tell(state: &StepFunctions, row: &StoredExecution) {
    if row.kind == MachineType::Express {
        return;
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
    let platform = &state.platform;
    platform.events.emit(
        platform.clock.now(),
        "aws.states",
        "Step Functions Execution Status Change",
        vec![row.arn.clone()],
        detail,
    );
}
