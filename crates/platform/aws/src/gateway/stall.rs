//! A connection that gives up on a peer which no longer takes what it is sent, or takes it too slowly.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::limits::LEAST;

/// How long a peer may need to take the next [`LEAST`] bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// A stream whose writes fail when the peer takes nothing, or next to nothing, for a minute. Reads wait as long as the
/// reader likes: a peer may be silent while its call runs.
pub(super) struct Stalling<S> {
    stream: S,
    limit: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    /// What the peer has taken since the deadline was set.
    taken: usize,
}

impl<S> Stalling<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, limit: WRITE_TIMEOUT, deadline: None, taken: 0 }
    }

    /// Minds what has come of a write.
    fn written(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let Poll::Ready(written) = outcome else { return self.wait(cx) };
        self.taken += written.as_ref().map_or(LEAST, |bytes| *bytes);
        if self.taken >= LEAST {
            self.rest();
        }
        Poll::Ready(written)
    }

    /// Minds what has come of writing all that there was.
    fn emptied(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        if outcome.is_pending() {
            return self.wait(cx);
        }
        self.rest();
        outcome
    }

    fn rest(&mut self) {
        (self.deadline, self.taken) = (None, 0);
    }

    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let limit = self.limit;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.emptied(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.emptied(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(8);
        let mut stream = Stalling { limit: Duration::from_millis(20), ..Stalling::new(near) };
        let error = stream.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_a_byte_at_a_time_is_given_up() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut stream = Stalling { limit: Duration::from_millis(50), ..Stalling::new(near) };
        tokio::spawn(async move {
            while far.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let error = stream.write_all(&[0; 4096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_has_taken_all_may_rest() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut stream = Stalling { limit: Duration::from_millis(20), ..Stalling::new(near) };
        for _ in 0..3 {
            let mut taken = [0; 16];
            let (sent, taken) = tokio::join!(
                async {
                    stream.write_all(&[0; 16]).await?;
                    stream.flush().await
                },
                far.read_exact(&mut taken)
            );
            assert!(sent.is_ok() && taken.is_ok());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    #[tokio::test]
    async fn a_slow_peer_is_served() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut stream = Stalling { limit: Duration::from_secs(5), ..Stalling::new(near) };
        let reader = tokio::spawn(async move {
            let mut taken = vec![0; 64];
            far.read_exact(&mut taken).await.map(|_| taken)
        });
        stream.write_all(&[7; 64]).await.unwrap();
        assert_eq!(reader.await.unwrap().unwrap(), vec![7; 64]);
    }
}
