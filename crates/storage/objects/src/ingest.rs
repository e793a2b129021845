//! From a stream of bytes to durable bytes with digests, which no record references yet.

use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use crate::blobs::BlobWriter;
use crate::collector::Pending;
use crate::error::{Error, Result};
use crate::hashers::Hashers;
use crate::hashing::{Digests, Expectations, Hasher};
use crate::index::{Change, Table};
use crate::packs::Placed;
use crate::record::Extent;
use crate::sealing::{DataKey, Sealer};
use crate::{Durability, Objects, blocking};

/// Bytes up to this size live in their index row.
const INLINE_BYTES: usize = 4 << 10;
/// Bytes up to this size live in a pack.
const PACKED_BYTES: usize = 1 << 20;
/// Up to this size, hashing takes less time than handing it to another thread.
const HASH_BYTES: usize = 32 << 10;
/// Up to this size, encryption takes less time than handing it to another thread.
const SEAL_BYTES: usize = 128 << 10;
/// How much of a body is hashed and written in one step.
const STEP_BYTES: usize = 1 << 20;
/// How much may be written before the disk is told to begin: the sync at the end then finds little left to do.
const FLUSH_BYTES: u64 = 16 << 20;

/// A received body, not yet an object.
pub(crate) struct Received {
    pub(crate) digests: Digests,
    pub(crate) extent: Extent,
    stored: Stored,
}

/// What removes the bytes unless they are kept.
enum Stored {
    Inline,
    Packed(Placed),
    Blob(Pending),
}

impl Received {
    /// Hands the bytes over to a row that the same change writes.
    pub(crate) fn keep(self, change: &mut Change<'_>) -> Result<Extent> {
        match self.stored {
            Stored::Inline => {}
            Stored::Packed(placed) => placed.keep(change)?,
            Stored::Blob(pending) => change.remove(Table::Intent, pending.keep().as_bytes()),
        }
        Ok(self.extent)
    }
}

impl Objects {
    /// Receives a body and verifies it, and stores it encrypted if there is a key for it; dropped unused, what it returns leaves nothing behind.
    pub(crate) async fn receive<B, E>(
        &self,
        body: B,
        hasher: Hasher,
        expect: E,
        key: Option<&DataKey>,
    ) -> Result<Received>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
        E: FnOnce() -> Expectations + Send,
    {
        self.inner.space.admit()?;
        let received = self.take_in(body, hasher, expect, key).await;
        received.inspect_err(|error| self.inner.space.note(error))
    }

    async fn take_in<B, E>(&self, mut body: B, hasher: Hasher, expect: E, key: Option<&DataKey>) -> Result<Received>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
        E: FnOnce() -> Expectations + Send,
    {
        let (chunks, ended) = take(&mut body, PACKED_BYTES + 1).await?;
        let length: usize = chunks.iter().map(Bytes::len).sum();
        let received = match length {
            0..=INLINE_BYTES if ended => {
                let bytes = Bytes::from(chunks.concat());
                let digests = hash(hasher, std::slice::from_ref(&bytes));
                let bytes = key.map_or(Ok(bytes.clone()), |key| sealed_inline(key, bytes))?;
                Received { digests, extent: Extent::Inline(bytes), stored: Stored::Inline }
            }
            // In a remote store each body is a file, so that none depends on this machine's disk.
            0..=PACKED_BYTES if ended && self.inner.blobs.remote().is_none() => {
                self.receive_packed(hasher, chunks, length, key).await?
            }
            _ => self.receive_blob(hasher, chunks, (ended, body), key).await?,
        };
        received.digests.verify(&expect())?;
        Ok(received)
    }

    async fn receive_packed(
        &self,
        hasher: Hasher,
        chunks: Vec<Bytes>,
        length: usize,
        key: Option<&DataKey>,
    ) -> Result<Received> {
        let id = Uuid::now_v7();
        let stored = match key.map(|key| key.of(id)).transpose()? {
            None => chunks.clone(),
            Some(key) if length <= SEAL_BYTES => key.seal(&chunks)?,
            Some(key) => {
                let chunks = chunks.clone();
                blocking(move || key.seal(&chunks)).await?
            }
        };
        // The disk works while the processor hashes.
        let placed = self.inner.packs.append(id, stored)?;
        let digests = match length {
            0..=HASH_BYTES => hash(hasher, &chunks),
            _ => self.inner.hashers.update(hasher, chunks).await?.finish(),
        };
        let placed = placed.await.map_err(|_| Error::Closed)??;
        Ok(Received { digests, extent: Extent::Packed(id), stored: Stored::Packed(placed) })
    }

    async fn receive_blob<B>(
        &self,
        hasher: Hasher,
        first: Vec<Bytes>,
        (mut ended, mut body): (bool, B),
        key: Option<&DataKey>,
    ) -> Result<Received>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let pending = self.intend().await?;
        let id = pending.id();
        let sealer = key.map(|key| key.of(id)).transpose()?.map(Sealer::new);
        let writer = self.inner.blobs.create(pending, sealer, &self.inner.writer).await?;
        let hashers = &self.inner.hashers;
        let mut step = Step::start(hashers, writer, hasher, first);
        let mut flush = Flush::new(self.inner.blobs.durability());
        while !ended {
            let chunks;
            (chunks, ended) = take(&mut body, STEP_BYTES).await?;
            self.inner.space.admit()?;
            let (writer, hasher) = step.finish().await?;
            flush.advance(&writer).await?;
            step = Step::start(hashers, writer, hasher, chunks);
        }
        let (writer, hasher) = step.finish().await?;
        let digests = hasher.finish();
        flush.finish().await?;
        let pending = self.inner.blobs.seal(writer).await?;
        Ok(Received { digests, extent: Extent::Blob(id), stored: Stored::Blob(pending) })
    }

    /// Notes durably that a content file may exist which no record references.
    async fn intend(&self) -> Result<Pending> {
        let pending = self.inner.errands.pending(Uuid::now_v7());
        let intend = move |change: &mut Change<'_>| {
            change.insert(Table::Intent, pending.id().as_bytes(), Vec::new());
            Ok(pending)
        };
        self.inner.writer.change(intend).await
    }
}

/// One step of a body, hashed and written at the same time on other threads while the next one is received.
struct Step {
    hashing: oneshot::Receiver<Hasher>,
    writing: JoinHandle<Result<BlobWriter>>,
}

impl Step {
    fn start(hashers: &Hashers, writer: BlobWriter, hasher: Hasher, chunks: Vec<Bytes>) -> Self {
        Self { hashing: hashers.submit(hasher, chunks.clone()), writing: writer.write(chunks) }
    }

    async fn finish(self) -> Result<(BlobWriter, Hasher)> {
        let writer = self.writing.await.map_err(|_| Error::Closed)??;
        Ok((writer, self.hashing.await.map_err(|_| Error::Closed)?))
    }
}

/// Keeps the disk busy while a long body is still arriving.
struct Flush {
    wanted: bool,
    until: u64,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

impl Flush {
    fn new(durability: Durability) -> Self {
        Self { wanted: durability == Durability::Strict, until: FLUSH_BYTES, running: None }
    }

    /// Starts a sync in the background once enough was written since the last one, which bounds what is unwritten.
    async fn advance(&mut self, writer: &BlobWriter) -> Result<()> {
        if self.wanted && writer.length() >= self.until {
            self.finish().await?;
            self.until = writer.length() + FLUSH_BYTES;
            self.running = writer.file()?.map(|file| spawn_blocking(move || file.sync()));
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        match self.running.take() {
            Some(running) => Ok(running.await.map_err(|_| Error::Closed)??),
            None => Ok(()),
        }
    }
}

/// The run's id and the sealed bytes: what lies in a row has no id of its own.
fn sealed_inline(key: &DataKey, bytes: Bytes) -> Result<Bytes> {
    let id = Uuid::new_v4();
    let sealed = key.of(id)?.seal(&[bytes])?;
    Ok([&id.as_bytes()[..], &sealed.concat()].concat().into())
}

fn hash(mut hasher: Hasher, chunks: &[Bytes]) -> Digests {
    chunks.iter().for_each(|chunk| hasher.update(chunk));
    hasher.finish()
}

/// Receives until at least `bytes` are there or the body ended.
async fn take<B>(body: &mut B, bytes: usize) -> Result<(Vec<Bytes>, bool)>
where
    B: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
{
    let (mut chunks, mut length) = (Vec::new(), 0);
    while length < bytes {
        let Some(chunk) = body.next().await else { return Ok((chunks, true)) };
        // What is copied comes from the engine, whose errors stay what they are.
        let chunk =
            chunk.map_err(|error| error.downcast::<Error>().unwrap_or_else(|error| Error::Body(Arc::new(error))))?;
        length += chunk.len();
        chunks.push(chunk);
    }
    Ok((chunks, false))
}
