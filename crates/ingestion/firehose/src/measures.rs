//! What streams measure for CloudWatch ("Monitor Amazon Data Firehose with CloudWatch metrics").

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;

const fn metric(name: &'static str, unit: &'static str) -> Metric {
    Metric { namespace: "AWS/Firehose", name, unit }
}

const INCOMING_RECORDS: Metric = metric("IncomingRecords", "Count");
const INCOMING_BYTES: Metric = metric("IncomingBytes", "Bytes");
const SUCCESS: Metric = metric("DeliveryToS3.Success", "Count");
const RECORDS: Metric = metric("DeliveryToS3.Records", "Count");
const BYTES: Metric = metric("DeliveryToS3.Bytes", "Bytes");
const DATA_FRESHNESS: Metric = metric("DeliveryToS3.DataFreshness", "Seconds");

/// Records were taken.
pub(crate) fn taken(platform: &Platform, stream: &str, records: usize, bytes: usize) {
    let dimensions = [("DeliveryStreamName", stream)];
    platform.measure(INCOMING_RECORDS, &dimensions, records as f64);
    platform.measure(INCOMING_BYTES, &dimensions, bytes as f64);
}

/// Objects could not be put.
pub(crate) fn failed(platform: &Platform, stream: &str) {
    platform.measure(SUCCESS, &[("DeliveryStreamName", stream)], 0.0);
}

/// Objects of so many bytes were put, with so many records, the oldest of which had waited so long.
pub(crate) fn delivered(platform: &Platform, stream: &str, records: usize, bytes: usize, waited_ms: u64) {
    let dimensions = [("DeliveryStreamName", stream)];
    platform.measure(SUCCESS, &dimensions, 1.0);
    platform.measure(RECORDS, &dimensions, records as f64);
    platform.measure(BYTES, &dimensions, bytes as f64);
    platform.measure(DATA_FRESHNESS, &dimensions, waited_ms as f64 / 1000.0);
}
