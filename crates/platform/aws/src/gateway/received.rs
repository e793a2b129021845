//! A request's body as it arrives: counted, with a limit on silence, and read to its end even when nobody wants the rest.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http::header::EXPECT;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::error::AwsError;
use crate::http_service::body_failure;
use crate::sigv4::chunked::ChunkError;

/// How long a client may send nothing of a body.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of an unwanted rest is read, so that the client gets to the answer instead of a broken connection.
const LINGER_BYTES: usize = 64 << 20;
/// How long that may take.
const LINGER_TIMEOUT: Duration = Duration::from_secs(30);

struct Received {
    body: Option<Incoming>,
    count: Arc<AtomicU64>,
    lingers: bool,
}

/// The bytes of `body`, added up in `count`.
pub(super) fn stream(parts: &Parts, body: Incoming, count: Arc<AtomicU64>) -> BoxStream<'static, io::Result<Bytes>> {
    // Who waits for a "100 Continue" sends nothing before it, and must not get one by mistake.
    let received = Received { body: Some(body), count, lingers: !parts.headers.contains_key(EXPECT) };
    stream::try_unfold(received, |mut received| async move { Ok(received.next().await?.map(|data| (data, received))) })
        .boxed()
}

impl Received {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(body) = &mut self.body else { return Ok(None) };
            self.lingers = true;
            let frame = tokio::time::timeout(IDLE_TIMEOUT, body.frame()).await;
            let Ok(Some(frame)) = frame else {
                self.body = None;
                return if frame.is_ok() { Ok(None) } else { Err(idle()) };
            };
            let Ok(frame) = frame else {
                self.body = None;
                return Err(body_failure(ChunkError::Incomplete));
            };
            if let Ok(data) = frame.into_data() {
                self.count.fetch_add(data.len() as u64, Ordering::Relaxed);
                return Ok(Some(data));
            }
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|_| self.lingers) {
            tokio::spawn(tokio::time::timeout(LINGER_TIMEOUT, linger(body)));
        }
    }
}

async fn linger(mut body: Incoming) {
    let mut left = LINGER_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

fn idle() -> io::Error {
    body_failure(AwsError::bad_request(
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. Idle \
         connections will be closed.",
    ))
}
