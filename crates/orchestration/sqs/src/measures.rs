//! What queues measure for CloudWatch ("Available CloudWatch metrics for Amazon SQS").

use boathouse_aws::Platform;
use boathouse_aws::measures::Metric;

const fn messages(name: &'static str) -> Metric {
    Metric { namespace: "AWS/SQS", name, unit: "Count" }
}

pub(crate) const SENT: Metric = messages("NumberOfMessagesSent");
pub(crate) const RECEIVED: Metric = messages("NumberOfMessagesReceived");
pub(crate) const DELETED: Metric = messages("NumberOfMessagesDeleted");

/// Something happened to so many messages of a queue.
pub(crate) fn count(platform: &Platform, metric: Metric, queue: &str, messages: usize) {
    if messages > 0 {
        platform.measure(metric, &[("QueueName", queue)], messages as f64);
    }
}
