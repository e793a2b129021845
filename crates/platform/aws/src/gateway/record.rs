//! What is known of a call: one audit line and the metrics, written when the answer's last byte has gone.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use uuid::Uuid;

use super::Peer;
use crate::http_service::ResponseBody;
use crate::metrics::{Finished, Metrics, Running};

/// The service's name for health and metrics, which are polled too often to be recorded.
pub(super) const OWN_PAGES: &str = "boathouse";

/// The record of one call; dropping it writes it.
pub(super) struct Record {
    pub(super) request_id: Uuid,
    pub(super) source_ip: IpAddr,
    pub(super) tls_version: Option<&'static str>,
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) principal: String,
    pub(super) status: u16,
    pub(super) error: Option<String>,
    pub(super) bytes_in: Arc<AtomicU64>,
    bytes_out: u64,
    started: Instant,
    metrics: Arc<Metrics>,
    _running: Running,
}

impl Record {
    pub(super) fn begin(metrics: &Arc<Metrics>, peer: Peer) -> Self {
        Self {
            request_id: Uuid::new_v4(),
            source_ip: peer.ip,
            tls_version: peer.tls_version,
            service: String::new(),
            operation: String::new(),
            principal: String::new(),
            status: 0,
            error: None,
            bytes_in: Arc::default(),
            bytes_out: 0,
            started: Instant::now(),
            metrics: Arc::clone(metrics),
            _running: metrics.begin(),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.service == OWN_PAGES {
            return;
        }
        let elapsed = self.started.elapsed();
        let bytes_in = self.bytes_in.load(Ordering::Relaxed);
        tracing::info!(
            target: "audit",
            request_id = %self.request_id,
            service = self.service,
            operation = self.operation,
            principal = self.principal,
            source_ip = %self.source_ip,
            status = self.status,
            error = self.error,
            micros = elapsed.as_micros() as u64,
            bytes_in,
            bytes_out = self.bytes_out,
        );
        // A name that clients made up must not become a series of its own.
        let known = !matches!(self.error.as_deref(), Some("UnknownOperationException" | "InvalidAction"));
        let (service, operation) = if known { (&*self.service, &*self.operation) } else { ("", "") };
        let (status, bytes_out) = (self.status, self.bytes_out);
        self.metrics.record(&Finished { service, operation, status, elapsed, bytes_in, bytes_out });
    }
}

/// The answer's body, which keeps the call's record open until it is sent or given up.
pub(super) struct Recorded {
    body: ResponseBody,
    record: Record,
}

impl Recorded {
    pub(super) fn new(body: ResponseBody, record: Record) -> Self {
        Self { body, record }
    }
}

impl Body for Recorded {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.record.bytes_out += data.len() as u64;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
