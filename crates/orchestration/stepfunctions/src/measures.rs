//! What executions measure for CloudWatch ("Monitoring Step Functions metrics using Amazon CloudWatch").

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;

use crate::store::StoredExecution;

const fn count(name: &'static str) -> Metric {
    Metric { namespace: "AWS/States", name, unit: "Count" }
}

const STARTED: Metric = count("ExecutionsStarted");
const TIME: Metric = Metric { namespace: "AWS/States", name: "ExecutionTime", unit: "Milliseconds" };

/// An execution has started, and may have ended.
pub(crate) fn started(platform: &Platform, row: &StoredExecution) {
    platform.measure(STARTED, &[("StateMachineArn", &*row.machine_arn)], 1.0);
    ended(platform, row);
}

/// An execution has ended, unless it goes on.
pub(crate) fn ended(platform: &Platform, row: &StoredExecution) {
    let metric = match row.standing.status.as_str() {
        "SUCCEEDED" => count("ExecutionsSucceeded"),
        "FAILED" => count("ExecutionsFailed"),
        "TIMED_OUT" => count("ExecutionsTimedOut"),
        "ABORTED" => count("ExecutionsAborted"),
        _ => return,
    };
    let dimensions = [("StateMachineArn", &*row.machine_arn)];
    platform.measure(metric, &dimensions, 1.0);
    let lasted = row.stopped.map_or(0, |stopped| stopped - row.started);
    platform.measure(TIME, &dimensions, lasted as f64);
}
