//! What invocations measure for CloudWatch ("Types of metrics for Lambda functions").

use std::time::Duration;

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;

const fn count(name: &'static str) -> Metric {
    Metric { namespace: "AWS/Lambda", name, unit: "Count" }
}

const INVOCATIONS: Metric = count("Invocations");
const ERRORS: Metric = count("Errors");
const THROTTLES: Metric = count("Throttles");
const CONCURRENT_EXECUTIONS: Metric = count("ConcurrentExecutions");
const DURATION: Metric = Metric { namespace: "AWS/Lambda", name: "Duration", unit: "Milliseconds" };

/// An invocation was refused: there are too many already.
pub(super) fn throttled(platform: &Platform, function: &str) {
    platform.measure(THROTTLES, &[("FunctionName", function)], 1.0);
}

/// An invocation began; with it the function has so many.
pub(super) fn began(platform: &Platform, function: &str, concurrent: u64) {
    platform.measure(CONCURRENT_EXECUTIONS, &[("FunctionName", function)], concurrent as f64);
}

/// An invocation ended, well or not; the duration is missing if the function never ran.
pub(super) fn ended(platform: &Platform, function: &str, failed: bool, duration: Option<Duration>) {
    let dimensions = [("FunctionName", function)];
    platform.measure(INVOCATIONS, &dimensions, 1.0);
    platform.measure(ERRORS, &dimensions, f64::from(u8::from(failed)));
    platform.measure(THROTTLES, &dimensions, 0.0);
    if let Some(duration) = duration {
        // To the hundredth, as the log's REPORT line has it.
        platform.measure(DURATION, &dimensions, (duration.as_secs_f64() * 1e5).round() / 100.0);
    }
}
