//! A request's body as it arrives: counted, given up when it comes too slowly, and read to its end even when nobody wants the rest.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http::header::EXPECT;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::limits::Pace;
use crate::error::AwsError;
use crate::http_service::body_failure;
use crate::sigv4::chunked::ChunkError;

/// How much of an unwanted rest is read, so that the client gets to the answer instead of a broken connection.
const LINGER_BYTES: usize = 64 << 20;
/// How long that may take.
const LINGER_TIMEOUT: Duration = Duration::from_secs(30);

struct Received {
    body: Option<Incoming>,
    count: Arc<AtomicU64>,
    pace: Pace,
    lingers: bool,
}

/// The bytes of `body`, added up in `count`, as long as its client does not try the server's patience.
pub(super) fn stream(
    parts: &Parts,
    body: Incoming,
    count: Arc<AtomicU64>,
    patience: Duration,
) -> BoxStream<'static, io::Result<Bytes>> {
    // Who waits for a "100 Continue" sends nothing before it, and must not get one by mistake.
    let (pace, lingers) = (Pace::new(patience), !parts.headers.contains_key(EXPECT));
    let received = Received { body: Some(body), count, pace, lingers };
    stream::try_unfold(received, |mut received| async move { Ok(received.next().await?.map(|data| (data, received))) })
        .boxed()
}

impl Received {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(body) = &mut self.body else { return Ok(None) };
            self.lingers = true;
            let asked = Instant::now();
            match tokio::time::timeout(self.pace.left(), body.frame()).await {
                Err(_) if self.pace.goes_on() => {}
                Err(_) => {
                    self.body = None;
                    return Err(too_slow());
                }
                Ok(None) => {
                    self.body = None;
                    return Ok(None);
                }
                Ok(Some(Err(_))) => {
                    self.body = None;
                    return Err(body_failure(ChunkError::Incomplete));
                }
                Ok(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.pace.came(asked.elapsed(), data.len());
                    self.count.fetch_add(data.len() as u64, Ordering::Relaxed);
                    return Ok(Some(data));
                }
            }
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|_| self.lingers) {
            read_on(body);
        }
    }
}

/// Reads what is left of a body that nobody wants, beside the answer.
pub(super) fn read_on(body: Incoming) {
    tokio::spawn(tokio::time::timeout(LINGER_TIMEOUT, linger(body)));
}

async fn linger(mut body: Incoming) {
    let mut left = LINGER_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

fn too_slow() -> io::Error {
    body_failure(AwsError::bad_request(
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. Idle \
         connections will be closed.",
    ))
}
