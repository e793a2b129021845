//! An object that is being read.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, Stream, StreamExt as _};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::blobs::{self, BLOCK, Pin};
use crate::buffers::Buffer;
use crate::error::{Error, Result};
use crate::index::{Table, View};
use crate::manifest::{self, Part, PartInfo};
use crate::packs::{self, Slot};
use crate::record::{Attached, Extent, Location, ObjectInfo, Record};
use crate::remote::{Body, Flow, Remote};
use crate::sealing::{self, ClientKey, DataKey, RunKey};
use crate::versions::{self, Found};
use crate::{Objects, ahead};

/// How many bytes one item of a body holds at most.
const CHUNK: u64 = 256 << 10;
/// Reads up to this size are tried on the calling thread first, from memory only: longer ones would hold it up.
const INLINE_READ: u64 = 4 << 20;
/// Longer bodies are read ahead if there is a processor for it.
const READ_AHEAD: u64 = 2 << 20;

/// Bytes of an object that lie in one place.
struct Segment {
    start: u64,
    size: u64,
    source: Source,
}

enum Source {
    Inline(Bytes),
    File { pin: Pin, run: Run },
    Attached { remote: Remote, there: Attached, run: Run },
}

/// A run of bytes in a file.
struct Run {
    base: u64,
    /// How many bytes it stands for.
    size: u64,
    key: Option<RunKey>,
}

impl Run {
    /// How many bytes it has in the file.
    fn stored(&self) -> u64 {
        if self.key.is_some() { sealing::sealed_bytes(self.size) } else { self.size }
    }

    /// Where the bytes of a range are, relative to its beginning.
    fn stored_range(&self, range: &Range<u64>) -> Range<u64> {
        if self.key.is_some() { sealing::sealed_range(self.size, range) } else { range.clone() }
    }

    /// How many bytes a block of the file stands for: an encrypted one for fewer.
    fn unit(&self) -> u64 {
        if self.key.is_some() { sealing::CHUNK } else { BLOCK }
    }

    /// Where the item ends that begins at `from` and has about `limit` bytes: at the end of a block, since those that it only
    /// touched would be read twice.
    fn item_end(&self, from: u64, limit: u64) -> u64 {
        let step = (limit / BLOCK).max(1).saturating_mul(self.unit());
        (from / step + 1).saturating_mul(step)
    }

    /// The next bytes up to `end` of what flows in, about `limit` of them.
    async fn next(&self, flow: &mut Inflow, end: u64, limit: u64) -> Result<Bytes> {
        let unit = self.unit();
        let first = flow.place / unit;
        let count = (limit / BLOCK).max(1);
        let range = flow.place..first.saturating_add(count).saturating_mul(unit).min(end);
        let stored = flow.blocks.blocks(count).await?;
        match &self.key {
            None => Ok(stored.slice((range.start - first * unit) as usize..(range.end - first * unit) as usize)),
            Some(key) => key.unseal(self.size, &range, Buffer::of(&stored)),
        }
    }

    /// The bytes of a range from a file. Blocks the thread.
    fn read(&self, file: &File, range: &Range<u64>) -> Result<Bytes> {
        match &self.key {
            None => blobs::read(file, self.base, self.size, range.clone()),
            Some(key) => {
                let stored = blobs::read_unchecked(file, self.base, &self.stored_range(range))?;
                key.unseal(self.size, range, stored)
            }
        }
    }

    /// The same if all of it is in memory already: costs no thread and never waits.
    fn read_cached(&self, file: &File, range: &Range<u64>) -> Result<Option<Bytes>> {
        match &self.key {
            None => blobs::read_cached(file, self.base, self.size, range.clone()),
            Some(key) => {
                let stored = blobs::read_cached_unchecked(file, self.base, &self.stored_range(range))?;
                stored.map(|stored| key.unseal(self.size, range, stored)).transpose()
            }
        }
    }
}

/// Bytes of a segment that flow in from the remote store.
struct Inflow {
    segment: usize,
    /// Where in the segment the next byte lies.
    place: u64,
    blocks: Flow,
}

/// An object as it was when it was opened: overwriting or deleting it meanwhile does not disturb its readers.
#[derive(Clone)]
pub struct OpenObject {
    info: Arc<ObjectInfo>,
    segments: Arc<[Segment]>,
    parts: Arc<[PartInfo]>,
    ahead: Arc<Semaphore>,
}

impl Objects {
    /// Opens an object for reading.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn get(&self, bucket: &str, key: &str) -> Result<OpenObject> {
        self.get_version(bucket, key, None)
    }

    /// Opens one version of an object for reading.
    ///
    /// # Errors
    /// As [`head_version`](Self::head_version).
    pub fn get_version(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<OpenObject> {
        self.get_sealed(bucket, key, version, None)
    }

    /// As [`get_version`](Self::get_version), with the client's key of the object.
    ///
    /// # Errors
    /// Also [`Error::ClientKeyMissing`], [`Error::ClientKeyWrong`], [`Error::ClientKeyUnwanted`].
    pub fn get_sealed(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        client: Option<&ClientKey>,
    ) -> Result<OpenObject> {
        loop {
            let view = self.inner.index.view();
            let found = versions::required(&view, bucket, key, version);
            let Found { table, row, record } = found.or_else(|error| self.bucket(bucket).and(Err(error)))?;
            let data_key = self.inner.keys.open_for(record.info.encryption.as_ref(), client)?;
            let (segments, parts) = self.find(&view, &record, data_key)?;
            // Files may have been collected before they were pinned; if the index still names them now, they were not.
            if segments.still_named(&self.inner.index.view(), table, &row, &record)? {
                return Ok(segments.open(record.info, parts));
            }
        }
    }

    fn find(&self, view: &View, record: &Record, key: Option<DataKey>) -> Result<(Segments<'_>, Vec<PartInfo>)> {
        let mut segments = Segments { objects: self, key, found: Vec::new(), slots: Vec::new(), end: 0 };
        let mut parts = Vec::new();
        match &record.location {
            Location::Whole(extent) => segments.push(view, record.info.size, extent)?,
            Location::Attached(there) => segments.attach(record.info.size, there)?,
            Location::Parts(id) => {
                let raw = view.get(Table::Manifest, id.as_bytes())?.ok_or_else(manifest::missing)?;
                for Part { info, extent } in manifest::decode(&raw)? {
                    segments.push(view, info.size, &extent)?;
                    parts.push(info);
                }
            }
        }
        Ok((segments, parts))
    }
}

/// Where the bytes of an object are found to be, one run after the other.
struct Segments<'a> {
    objects: &'a Objects,
    key: Option<DataKey>,
    found: Vec<Segment>,
    slots: Vec<(Uuid, Slot)>,
    end: u64,
}

impl Segments<'_> {
    fn push(&mut self, view: &View, size: u64, extent: &Extent) -> Result<()> {
        let inner = &self.objects.inner;
        let run = |id: Uuid, base: u64| {
            let key = self.key.as_ref().map(|key| key.of(id)).transpose()?;
            Ok::<_, Error>(Run { base, size, key })
        };
        let source = match extent {
            Extent::Inline(bytes) => Source::Inline(match &self.key {
                None => bytes.clone(),
                Some(key) => unsealed_inline(key, size, bytes)?,
            }),
            Extent::Blob(id) => Source::File { pin: inner.blobs.pin(*id), run: run(*id, 0)? },
            Extent::Packed(id) => {
                let slot = packs::slot(view, *id)?.ok_or_else(packs::missing)?;
                let source = Source::File { pin: inner.packs.files.pin(slot.pack), run: run(*id, slot.base())? };
                self.slots.push((*id, slot));
                source
            }
        };
        self.found.push(Segment { start: self.end, size, source });
        self.end += size;
        Ok(())
    }

    fn attach(&mut self, size: u64, there: &Attached) -> Result<()> {
        let remote = self.objects.inner.blobs.remote().cloned();
        let remote =
            remote.ok_or_else(|| Error::RemoteConfiguration("an object is attached, and there is none".into()))?;
        let run = Run { base: 0, size, key: None };
        self.found.push(Segment {
            start: self.end,
            size,
            source: Source::Attached { remote, there: there.clone(), run },
        });
        self.end += size;
        Ok(())
    }

    fn still_named(&self, view: &View, table: Table, row: &[u8], record: &Record) -> Result<bool> {
        if matches!(self.found[..], [Segment { source: Source::Inline(_), .. }]) {
            return Ok(true);
        }
        for (id, slot) in &self.slots {
            if packs::slot(view, *id)? != Some(*slot) {
                return Ok(false);
            }
        }
        let now = view.get(table, row)?;
        Ok(now.map(|raw| Record::decode(&raw)).transpose()?.is_some_and(|now| now.location == record.location))
    }

    fn open(self, info: ObjectInfo, parts: Vec<PartInfo>) -> OpenObject {
        let ahead = Arc::clone(&self.objects.inner.readers_ahead);
        OpenObject { info: Arc::new(info), segments: self.found.into(), parts: parts.into(), ahead }
    }
}

/// The bytes of an encrypted run that lies in a row, with its id before it.
fn unsealed_inline(key: &DataKey, size: u64, stored: &Bytes) -> Result<Bytes> {
    let (id, sealed) = stored.split_first_chunk().ok_or_else(|| Error::Corrupt("an encrypted row".into()))?;
    key.of(Uuid::from_bytes(*id))?.unseal(size, &(0..size), Buffer::of(sealed))
}

impl OpenObject {
    /// What HEAD shows.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The parts the object was uploaded in, in order; empty if it was written whole.
    pub fn parts(&self) -> &[PartInfo] {
        &self.parts
    }

    /// Where the bytes of a part lie in the object.
    pub fn part_range(&self, number: u32) -> Option<Range<u64>> {
        let at = self.parts.iter().position(|part| part.number == number)?;
        let Segment { start, size, .. } = self.segments[at];
        Some(start..start + size)
    }

    /// Streams a range of bytes in items of at most 256 KiB; memory does not grow with the range.
    ///
    /// # Errors
    /// [`Error::InvalidRange`]; items fail with [`Error::Corrupt`] or [`Error::Io`].
    pub fn read(&self, range: Range<u64>) -> Result<impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static> {
        let length = range.end.saturating_sub(range.start);
        let items = self.read_by(range, CHUNK)?;
        if length <= READ_AHEAD {
            return Ok(items);
        }
        Ok(match Arc::clone(&self.ahead).try_acquire_owned() {
            Ok(permit) => ahead::read(items, permit),
            Err(_) => items,
        })
    }

    /// As [`read`](Self::read), in items of about `limit` bytes.
    pub(crate) fn read_by(&self, range: Range<u64>, limit: u64) -> Result<BoxStream<'static, Result<Bytes>>> {
        self.check(&range)?;
        let steps = stream::try_unfold((self.clone(), range, None), move |(object, range, mut flow)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let bytes = object.next(&range, limit, &mut flow).await?;
            let rest = range.start + bytes.len() as u64..range.end;
            Ok(Some((bytes, (object, rest, flow))))
        });
        Ok(steps.boxed())
    }

    /// Reads one range into memory.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        self.check(&range)?;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let mut flow = None;
        let first = self.next(&range, u64::MAX, &mut flow).await?;
        let length = (range.end - range.start) as usize;
        if first.len() == length {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(length);
        whole.extend_from_slice(&first);
        while whole.len() < length {
            let rest = range.start + whole.len() as u64..range.end;
            whole.extend_from_slice(&self.next(&rest, u64::MAX, &mut flow).await?);
        }
        Ok(whole.freeze())
    }

    fn check(&self, range: &Range<u64>) -> Result<()> {
        if range.start > range.end || range.end > self.info.size {
            return Err(Error::InvalidRange { start: range.start, end: range.end, size: self.info.size });
        }
        Ok(())
    }

    /// Bytes from the beginning of a range that is not empty, from a file or from what flows in from the remote store.
    async fn next(&self, range: &Range<u64>, limit: u64, flow: &mut Option<Inflow>) -> Result<Bytes> {
        let at = self.segments.partition_point(|segment| segment.start <= range.start) - 1;
        let Segment { start, size, source } = &self.segments[at];
        let (remote, run, body) = match source {
            Source::Attached { remote, there, run } => (remote, run, Body::Attached(there.clone())),
            Source::File { pin, run } => match pin.remote() {
                Some((remote, id)) => (remote, run, Body::File(id)),
                None => return self.chunk(range, limit).await,
            },
            Source::Inline(_) => return self.chunk(range, limit).await,
        };
        let report = |error: &Error| match source {
            Source::File { pin, .. } => pin.report(error),
            _ => tracing::error!(%error, "attached object"),
        };
        let wanted = range.start - start..(range.end - start).min(*size);
        let flowing = match flow.take().filter(|flow| flow.segment == at && flow.place == wanted.start) {
            Some(flowing) => flowing,
            None => {
                let blocks = Flow::start(remote, body, run.stored(), &run.stored_range(&wanted)).await;
                Inflow { segment: at, place: wanted.start, blocks: blocks.inspect_err(report)? }
            }
        };
        let flowing = flow.insert(flowing);
        let bytes = run.next(flowing, wanted.end, limit).await.inspect_err(report)?;
        flowing.place += bytes.len() as u64;
        Ok(bytes)
    }

    /// Bytes from the beginning of a range that is not empty: to its end, the end of their segment,
    /// or the end of an item of about `limit` bytes in that, whatever comes first.
    async fn chunk(&self, range: &Range<u64>, limit: u64) -> Result<Bytes> {
        let at = self.segments.partition_point(|segment| segment.start <= range.start) - 1;
        let Segment { start, size, source } = &self.segments[at];
        let from = range.start - start;
        let to = (range.end - start).min(*size);
        match source {
            Source::Inline(bytes) => Ok(bytes.slice(from as usize..to as usize)),
            Source::Attached { .. } => Err(Error::Closed),
            Source::File { pin, run } => {
                let range = from..to.min(run.item_end(from, limit));
                if range.end - range.start <= INLINE_READ
                    && let Some(file) = pin.ready()
                    && let Some(bytes) = run.read_cached(file, &range).inspect_err(|error| pin.report(error))?
                {
                    return Ok(bytes);
                }
                let segments = Arc::clone(&self.segments);
                crate::blocking(move || {
                    let Segment { source: Source::File { pin, run }, .. } = &segments[at] else {
                        return Err(Error::Closed);
                    };
                    run.read(pin.file()?, &range).inspect_err(|error| pin.report(error))
                })
                .await
            }
        }
    }
}
