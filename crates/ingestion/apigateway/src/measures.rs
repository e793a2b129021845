//! What calls of APIs measure for CloudWatch ("Monitor CloudWatch metrics for HTTP APIs").

use std::time::Duration;

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;
use http::StatusCode;

const fn count(name: &'static str) -> Metric {
    Metric { namespace: "AWS/ApiGateway", name, unit: "Count" }
}

const COUNT: Metric = count("Count");
const CLIENT_ERRORS: Metric = count("4xx");
const SERVER_ERRORS: Metric = count("5xx");
const LATENCY: Metric = Metric { namespace: "AWS/ApiGateway", name: "Latency", unit: "Milliseconds" };

/// A call of an API was answered.
pub(crate) fn answered(platform: &Platform, api: &str, status: StatusCode, took: Duration) {
    let dimensions = [("ApiId", api)];
    let flag = |on: bool| f64::from(u8::from(on));
    platform.measure(COUNT, &dimensions, 1.0);
    platform.measure(CLIENT_ERRORS, &dimensions, flag(status.is_client_error()));
    platform.measure(SERVER_ERRORS, &dimensions, flag(status.is_server_error()));
    platform.measure(LATENCY, &dimensions, (took.as_secs_f64() * 1e5).round() / 100.0);
}
