//! Blocks of a body as they come from the remote store, those of content files verified.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures::stream::StreamExt as _;
use uuid::Uuid;

use super::{Remote, RemoteBytes, too_short};
use crate::blobs::{BLOCK, sums_of, verify_block};
use crate::error::{Error, RemoteFailure, Result};
use crate::record::Attached;

/// Runs up to this size come whole, with their checksums, in one request.
const WHOLE: u64 = 1 << 20;
/// How long nothing may come before the rest is asked for anew.
const SILENCE: Duration = Duration::from_secs(20);
/// How often that is done before something comes.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);

/// What is read.
pub(crate) enum Body {
    /// A content file.
    File(Uuid),
    /// An object that somebody else wrote: there are no checksums of it, but it must be the same as ever.
    Attached(Attached),
}

/// Some blocks of a body, one after the other.
pub(crate) struct Flow {
    remote: Remote,
    body: Body,
    /// Of the run, without the checksums.
    size: u64,
    sums: Option<Bytes>,
    /// The next block, and the one behind the last.
    next: u64,
    end: u64,
    open: Option<RemoteBytes>,
    held: Held,
    attempts: u32,
}

/// Bytes that came and are not verified yet.
#[derive(Default)]
struct Held {
    pieces: VecDeque<Bytes>,
    length: usize,
}

impl Held {
    fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        self.pieces.push_back(piece);
    }

    /// The first bytes: without a copy where they came in one piece.
    fn take(&mut self, length: usize) -> Bytes {
        self.length -= length;
        if let Some(first) = self.pieces.front_mut()
            && first.len() > length
        {
            return first.split_to(length);
        }
        if self.pieces.front().is_some_and(|first| first.len() == length) {
            return self.pieces.pop_front().unwrap_or_default();
        }
        let mut taken = BytesMut::with_capacity(length);
        while taken.len() < length {
            let Some(mut piece) = self.pieces.pop_front() else { break };
            let wanted = piece.len().min(length - taken.len());
            taken.extend_from_slice(&piece[..wanted]);
            piece.advance(wanted);
            if !piece.is_empty() {
                self.pieces.push_front(piece);
            }
        }
        taken.freeze()
    }
}

impl Flow {
    /// The blocks that hold a range of a run of `size` bytes. The range is not empty.
    pub(crate) async fn start(remote: &Remote, body: Body, size: u64, range: &Range<u64>) -> Result<Self> {
        let (next, end) = (range.start / BLOCK, (range.end - 1) / BLOCK + 1);
        let mut held = Held::default();
        let sums = match body {
            Body::Attached(_) => None,
            Body::File(id) if size <= WHOLE => {
                let whole = remote.read(id, 0..size + sums_of(size)).await?;
                held.push(whole.slice((next * BLOCK) as usize..(end * BLOCK).min(size) as usize));
                Some(whole.slice(size as usize..))
            }
            Body::File(id) => Some(remote.sums(id, size).await?),
        };
        Ok(Self { remote: remote.clone(), body, size, sums, next, end, open: None, held, attempts: 0 })
    }

    /// The next blocks, as many as wanted if there are so many.
    pub(crate) async fn blocks(&mut self, count: u64) -> Result<Bytes> {
        let last = self.next.saturating_add(count).min(self.end);
        let length = ((last * BLOCK).min(self.size) - self.next * BLOCK) as usize;
        while self.held.length < length {
            if self.open.is_none() {
                // What can't even be opened was tried often enough.
                self.open = Some(self.ask().await?);
            }
            match self.more().await {
                Ok(piece) => {
                    self.attempts = 0;
                    self.held.push(piece);
                }
                Err(error @ Error::Remote { .. }) if self.attempts < ATTEMPTS => {
                    tracing::debug!(%error, "the rest of a body is asked for anew");
                    self.open = None;
                    self.attempts += 1;
                    tokio::time::sleep(PAUSE * self.attempts).await;
                }
                Err(error) => return Err(error),
            }
        }
        let blocks = self.held.take(length);
        if let Some(sums) = &self.sums {
            for (at, block) in blocks.chunks(BLOCK as usize).enumerate() {
                verify_block(sums, self.next + at as u64, block)?;
            }
        }
        self.next = last;
        Ok(blocks)
    }

    /// Asks for what is missing.
    async fn ask(&mut self) -> Result<RemoteBytes> {
        let range = self.next * BLOCK + self.held.length as u64..(self.end * BLOCK).min(self.size);
        match &self.body {
            Body::File(id) => self.remote.open(&self.remote.name(*id), None, range).await,
            Body::Attached(there) => self.remote.open(&there.key, there.etag.as_deref(), range).await,
        }
    }

    /// The next piece from the store.
    async fn more(&mut self) -> Result<Bytes> {
        let Some(open) = &mut self.open else { return Err(Error::Closed) };
        match tokio::time::timeout(SILENCE, open.next()).await {
            Ok(Some(piece)) => piece,
            Ok(None) => Err(too_short()),
            Err(_) => Err(Error::Remote {
                failure: RemoteFailure::Unavailable,
                what: format!("nothing came for {} seconds", SILENCE.as_secs()),
            }),
        }
    }
}

impl Remote {
    /// The checksums of a run of `size` bytes.
    async fn sums(&self, id: Uuid, size: u64) -> Result<Bytes> {
        if let Some(known) = self.inner.sums.lock().get(id) {
            return Ok(known);
        }
        let sums = self.read(id, size..size + sums_of(size)).await?;
        self.inner.sums.lock().keep(id, sums.clone());
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_are_taken_in_order() {
        let bytes: Vec<u8> = (0..200).collect();
        for step in [1, 3, 50, 200] {
            for wanted in [1, 7, 60, 200] {
                let mut held = Held::default();
                bytes.chunks(step).for_each(|piece| held.push(Bytes::copy_from_slice(piece)));
                let mut taken = Vec::new();
                while held.length > 0 {
                    taken.extend_from_slice(&held.take(wanted.min(held.length)));
                }
                assert_eq!(taken, bytes, "{step} {wanted}");
            }
        }
    }
}
