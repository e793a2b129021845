//! What the gateway counts, in the text format that Prometheus scrapes.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: String,
    operation: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    service: String,
    operation: String,
}

/// Counters of one gateway. Labels are names of services and operations only, so there is a bounded number of series.
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    seconds: Family<OperationLabels, Histogram>,
    bytes_in: Counter,
    bytes_out: Counter,
    in_flight: Gauge,
    connections: Gauge,
    refused: Counter,
}

/// One finished call.
pub(crate) struct Finished<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) status: u16,
    pub(crate) elapsed: Duration,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

/// Counts a call as running for as long as it lives.
pub(crate) struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("boathouse");
        let calls = Family::<CallLabels, Counter>::default();
        let seconds = Family::<OperationLabels, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.000_25, 4.0, 10))
        });
        let (bytes_in, bytes_out) = (Counter::<u64, AtomicU64>::default(), Counter::<u64, AtomicU64>::default());
        let in_flight = Gauge::default();
        registry.register("calls", "Calls by service, operation and HTTP status", calls.clone());
        registry.register("call_seconds", "Duration of calls until the answer's last byte", seconds.clone());
        registry.register("received_bytes", "Bytes of request bodies", bytes_in.clone());
        registry.register("sent_bytes", "Bytes of answers' bodies", bytes_out.clone());
        registry.register("calls_in_flight", "Calls that run now", in_flight.clone());
        let (connections, refused) = (Gauge::default(), Counter::default());
        registry.register("connections", "Connections that are open now", connections.clone());
        registry.register("connections_refused", "Connections that found no room", refused.clone());
        Self { registry, calls, seconds, bytes_in, bytes_out, in_flight, connections, refused }
    }

    /// The present values in the OpenMetrics text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("invariant: writing to a string succeeds");
        text
    }

    /// What counts connections: those that are open, and those that were refused.
    pub(crate) fn connections(&self) -> (Gauge, Counter) {
        (self.connections.clone(), self.refused.clone())
    }

    pub(crate) fn begin(&self) -> Running {
        self.in_flight.inc();
        Running(self.in_flight.clone())
    }

    pub(crate) fn record(&self, call: &Finished<'_>) {
        let named = |name: &str| if name.is_empty() { "unknown".to_owned() } else { name.to_owned() };
        let (service, operation) = (named(call.service), named(call.operation));
        let labels = OperationLabels { service: service.clone(), operation: operation.clone() };
        self.seconds.get_or_create(&labels).observe(call.elapsed.as_secs_f64());
        self.calls.get_or_create(&CallLabels { service, operation, status: call.status }).inc();
        self.bytes_in.inc_by(call.bytes_in);
        self.bytes_out.inc_by(call.bytes_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_show_up_with_their_labels() {
        let metrics = Metrics::new();
        let running = metrics.begin();
        assert!(metrics.render().contains("boathouse_calls_in_flight 1"));
        drop(running);
        let elapsed = Duration::from_millis(3);
        let call = Finished { service: "s3", operation: "GetObject", status: 200, elapsed, bytes_in: 0, bytes_out: 7 };
        metrics.record(&call);
        metrics.record(&Finished { service: "", operation: "", status: 400, ..call });
        let text = metrics.render();
        assert!(
            text.contains("boathouse_calls_total{service=\"s3\",operation=\"GetObject\",status=\"200\"} 1"),
            "{text}"
        );
        assert!(text.contains("operation=\"unknown\",status=\"400\""), "{text}");
        assert!(text.contains("boathouse_sent_bytes_total 14"), "{text}");
        assert!(text.contains("boathouse_calls_in_flight 0"), "{text}");
    }
}
