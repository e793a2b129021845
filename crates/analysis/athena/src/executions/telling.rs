//! Tells the platform how executions go on ("Monitor Athena query events with EventBridge").

use boathouse_aws::events::PlatformEvent;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::row::{Row, State};

/// What is told when a row has come to its state from `previous`.
pub(crate) fn change(time: DateTime<Utc>, row: &Row, previous: Option<State>) -> PlatformEvent {
    let state = row.state();
    let place = match (previous, state) {
        (None, State::Queued) => "1",
        (_, State::Running) | (Some(State::Queued) | None, _) => "2",
        _ => "3",
    };
    let mut detail = json!({
        "versionId": "0",
        "currentState": state.as_str(),
        "statementType": row.execution.statement_type,
        "queryExecutionId": row.id(),
        "workgroupName": row.execution.work_group,
        "sequenceNumber": place,
    });
    if let Some(previous) = previous {
        detail["previousState"] = previous.as_str().into();
    }
    if let Some(error) = &row.execution.status.athena_error {
        detail["athenaError"] = json!({
            "errorCategory": error.error_category,
            "errorType": error.error_type,
            "errorMessage": error.error_message,
            "retryable": error.retryable,
        });
    }
    PlatformEvent::new(time, "aws.athena", "Athena Query State Change", detail)
}
