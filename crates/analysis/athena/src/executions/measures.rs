//! What queries measure for CloudWatch ("List of CloudWatch metrics and dimensions for Athena").

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;

use super::row::Row;

const TIME: Metric = Metric { namespace: "AWS/Athena", name: "TotalExecutionTime", unit: "Milliseconds" };
const BYTES: Metric = Metric { namespace: "AWS/Athena", name: "ProcessedBytes", unit: "Bytes" };

/// A query has ended.
pub(super) fn ended(platform: &Platform, row: &Row) {
    let statistics = &row.execution.statistics;
    let dimensions = [("WorkGroup", &*row.execution.work_group)];
    platform.measure(TIME, &dimensions, statistics.total_execution_time_in_millis as f64);
    platform.measure(BYTES, &dimensions, statistics.data_scanned_in_bytes as f64);
}
