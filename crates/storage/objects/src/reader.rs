//! An object that is being read.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, Stream, StreamExt as _};

use crate::blobs::{self, Pin};
use crate::error::{Error, Result};
use crate::manifest::{self, Part, PartInfo};
use crate::record::{Extent, Location, ObjectInfo, Record};
use crate::{Objects, Table, key_of};

/// How many bytes one item of a body holds at most.
const CHUNK: u64 = 256 << 10;
/// Reads up to this size are tried on the calling thread first, from memory only: longer ones would hold it up.
const INLINE_READ: u64 = 1 << 20;

/// Bytes of an object that lie in one place.
struct Segment {
    start: u64,
    size: u64,
    source: Source,
}

enum Source {
    Inline(Bytes),
    File(Pin),
}

/// An object as it was when it was opened: overwriting or deleting it meanwhile does not disturb its readers.
#[derive(Clone)]
pub struct OpenObject {
    info: Arc<ObjectInfo>,
    segments: Arc<[Segment]>,
    parts: Arc<[PartInfo]>,
}

impl Objects {
    /// Opens an object for reading.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn get(&self, bucket: &str, key: &str) -> Result<OpenObject> {
        loop {
            let record = self.record(bucket, key)?;
            if let Some(object) = self.pin(bucket, key, &record)? {
                return Ok(object);
            }
        }
    }

    /// `None` if the object was replaced before its bytes were held on to.
    fn pin(&self, bucket: &str, key: &str, record: &Record) -> Result<Option<OpenObject>> {
        let (segments, parts) = match &record.location {
            Location::Whole(extent) => (vec![self.segment(0, record.info.size, extent)], Vec::new()),
            Location::Parts(id) => match self.inner.index.get(Table::Manifest, id.as_bytes())? {
                Some(raw) => self.in_parts(manifest::decode(&raw)?),
                None if self.is_current(bucket, key, record)? => return Err(manifest::missing()),
                None => return Ok(None),
            },
        };
        let inline = matches!(record.location, Location::Whole(Extent::Inline(_)));
        // Files may have been collected before the pins; if a record still names them now, they were not.
        let held = inline || self.is_current(bucket, key, record)?;
        let info = Arc::new(record.info.clone());
        Ok(held.then(|| OpenObject { info, segments: segments.into(), parts: parts.into() }))
    }

    fn is_current(&self, bucket: &str, key: &str, record: &Record) -> Result<bool> {
        let now = self.inner.index.get(Table::Current, &key_of(bucket, key))?;
        Ok(now.map(|raw| Record::decode(&raw)).transpose()?.is_some_and(|now| now.location == record.location))
    }

    fn in_parts(&self, parts: Vec<Part>) -> (Vec<Segment>, Vec<PartInfo>) {
        let mut start = 0;
        let segment = |part: Part| {
            let segment = self.segment(start, part.info.size, &part.extent);
            start += part.info.size;
            (segment, part.info)
        };
        parts.into_iter().map(segment).unzip()
    }

    fn segment(&self, start: u64, size: u64, extent: &Extent) -> Segment {
        let source = match extent {
            Extent::Inline(bytes) => Source::Inline(bytes.clone()),
            Extent::Blob(id) => Source::File(self.inner.blobs.pin(*id)),
        };
        Segment { start, size, source }
    }
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
        self.read_by(range, CHUNK)
    }

    /// As [`read`](Self::read), in items of at most `limit` bytes.
    pub(crate) fn read_by(&self, range: Range<u64>, limit: u64) -> Result<BoxStream<'static, Result<Bytes>>> {
        self.check(&range)?;
        let steps = stream::try_unfold((self.clone(), range), move |(object, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let bytes = object.chunk(&range, limit).await?;
            let rest = range.start + bytes.len() as u64..range.end;
            Ok(Some((bytes, (object, rest))))
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
        let first = self.chunk(&range, u64::MAX).await?;
        let length = (range.end - range.start) as usize;
        if first.len() == length {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(length);
        whole.extend_from_slice(&first);
        while whole.len() < length {
            let rest = range.start + whole.len() as u64..range.end;
            whole.extend_from_slice(&self.chunk(&rest, u64::MAX).await?);
        }
        Ok(whole.freeze())
    }

    fn check(&self, range: &Range<u64>) -> Result<()> {
        if range.start > range.end || range.end > self.info.size {
            return Err(Error::InvalidRange { start: range.start, end: range.end, size: self.info.size });
        }
        Ok(())
    }

    /// Bytes from the beginning of a range that is not empty: to its end, the end of their segment,
    /// or the next multiple of `limit` in that, whatever comes first.
    async fn chunk(&self, range: &Range<u64>, limit: u64) -> Result<Bytes> {
        let at = self.segments.partition_point(|segment| segment.start <= range.start) - 1;
        let Segment { start, size, source } = &self.segments[at];
        let from = range.start - start;
        let to = (range.end - start).min(*size).min((from / limit + 1).saturating_mul(limit));
        match source {
            Source::Inline(bytes) => Ok(bytes.slice(from as usize..to as usize)),
            Source::File(pin) => {
                if to - from <= INLINE_READ
                    && let Some(file) = pin.ready()
                    && let Some(bytes) = blobs::read_cached(file, *size, from..to)?
                {
                    return Ok(bytes);
                }
                let segments = Arc::clone(&self.segments);
                crate::blocking(move || {
                    let Segment { size, source: Source::File(pin), .. } = &segments[at] else {
                        return Err(Error::Closed);
                    };
                    blobs::read(pin.file()?, *size, from..to)
                })
                .await
            }
        }
    }
}
