//! Room for so many connections, and an answer for one that finds none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that are being told that there is no room. More are closed without a word.
const TOLD_AT_A_TIME: usize = 128;
/// How long telling a client may take.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// Bytes of a refused request that are read, so that the client gets to the answer.
const READ_AT_MOST: u64 = 64 << 10;

/// The places of a gateway's connections.
pub(super) struct Places {
    free: Arc<Semaphore>,
    tellers: Arc<Semaphore>,
    full: AtomicBool,
    taken: Gauge,
    refused: Counter,
}

/// A connection's place; dropping it makes room.
pub(super) struct Place {
    taken: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.dec();
    }
}

impl Places {
    /// Room for `count` connections, counted by a gauge and a counter.
    pub(super) fn new(count: usize, (taken, refused): (Gauge, Counter)) -> Self {
        let free = Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self { free, tellers: Arc::new(Semaphore::new(TOLD_AT_A_TIME)), full: AtomicBool::new(false), taken, refused }
    }

    /// A place, if there is one.
    pub(super) fn take(&self) -> Option<Place> {
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            self.refused.inc();
            if !self.full.swap(true, Ordering::Relaxed) {
                tracing::warn!("connections are refused: as many as may be (--max-connections) are open");
            }
            return None;
        };
        self.full.store(false, Ordering::Relaxed);
        self.taken.inc();
        Some(Place { taken: self.taken.clone(), _permit: permit })
    }

    /// Closes a connection that found no place. One without TLS is told why.
    pub(super) fn refuse(&self, stream: TcpStream, is_tls: bool) {
        if let Ok(teller) = Arc::clone(&self.tellers).try_acquire_owned()
            && !is_tls
        {
            tokio::spawn(async move {
                let _ = tokio::time::timeout(TOLD_WITHIN, tell(stream)).await;
                drop(teller);
            });
        }
    }
}

/// Answers before the request is read, and reads it afterwards: bytes that nobody has read would take the answer with them.
async fn tell(mut stream: TcpStream) -> std::io::Result<()> {
    const BODY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your \
                        request rate: the server has as many connections as it takes.</Message></Error>";
    let head = "HTTP/1.1 503 Slow Down\r\ncontent-type: application/xml\r\nretry-after: 1\r\nconnection: close\r\n";
    let answer = format!("{head}content-length: {}\r\n\r\n{BODY}", BODY.len());
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(READ_AT_MOST), &mut tokio::io::sink()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let (taken, refused) = (Gauge::default(), Counter::default());
        let places = Places::new(1, (taken.clone(), refused.clone()));
        let first = places.take();
        assert!(first.is_some() && places.take().is_none());
        assert_eq!((taken.get(), refused.get()), (1, 1));
        drop(first);
        assert_eq!(taken.get(), 0);
        assert!(places.take().is_some());
    }
}
