//! What job runs measure for CloudWatch ("Monitoring AWS Glue using Amazon CloudWatch metrics").

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;

const ELAPSED: Metric = Metric { namespace: "Glue", name: "glue.driver.aggregate.elapsedTime", unit: "Milliseconds" };

/// A run has ended after so many seconds: told of itself, and of all runs of its job.
pub(crate) fn ended(platform: &Platform, job: &str, run: &str, seconds: f64) {
    for run in [run, "ALL"] {
        let dimensions = [("JobName", job), ("JobRunId", run), ("Type", "count")];
        platform.measure(ELAPSED, &dimensions, (seconds * 1000.0).round());
    }
}
