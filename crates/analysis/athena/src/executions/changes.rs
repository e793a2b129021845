//! "Athena Query State Change" on the platform's events ("Monitor Athena query events with EventBridge").

use boathouse_aws::Ctx;
use serde_json::json;

use super::row::{Row, State};

/// Tells that an execution went from `previous` to the state of its row, which is on disk.
pub(super) fn tell(ctx: &Ctx, row: &Row, previous: State) {
    let status = &row.execution.status;
    let mut detail = json!({
        "versionId": "0",
        "currentState": row.state().as_str(),
        "previousState": previous.as_str(),
        "statementType": row.execution.statement_type,
        "queryExecutionId": row.id(),
        "workgroupName": row.execution.work_group,
        "sequenceNumber": if row.state().has_ended() { "3" } else { "2" },
    });
    if let Some(error) = &status.athena_error {
        detail["athenaError"] = json!({
            "errorCategory": error.error_category,
            "errorType": error.error_type,
            "errorMessage": error.error_message,
            "retryable": error.retryable,
        });
    }
    ctx.platform.events.emit(ctx.now(), "aws.athena", "Athena Query State Change", Vec::new(), detail);
}
