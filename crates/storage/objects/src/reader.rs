//! An object that is being read.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream};

use crate::blobs::{self, Pin};
use crate::error::{Error, Result};
use crate::record::{Location, ObjectInfo};

/// How many bytes one item of a body holds at most.
const CHUNK: u64 = 256 << 10;

pub(crate) enum Content {
    Inline(Bytes),
    /// Content files one behind the other.
    Files(Vec<Piece>),
}

/// A content file, and which bytes of the object it holds.
pub(crate) struct Piece {
    /// Its part number; 0 for an object that was written at once.
    number: u32,
    range: Range<u64>,
    pin: Pin,
}

impl Content {
    /// The content of an object of `size` bytes; `pins` hold the location's blobs, in order.
    pub(crate) fn new(location: Location, size: u64, pins: Vec<Pin>) -> Self {
        let sizes: Vec<(u32, u64)> = match location {
            Location::Inline(bytes) => return Self::Inline(bytes),
            Location::Blob(_) => vec![(0, size)],
            Location::Parts(parts) => parts.iter().map(|part| (part.number, part.size)).collect(),
        };
        let mut start = 0;
        let pieces = sizes.into_iter().zip(pins).map(|((number, size), pin)| {
            let range = start..start + size;
            start = range.end;
            Piece { number, range, pin }
        });
        Self::Files(pieces.collect())
    }
}

/// The file that the last chunk came from, for the next one.
type LastFile = Option<(usize, Arc<File>)>;

/// An object as it was when it was opened: overwriting or deleting it meanwhile does not disturb its readers.
#[derive(Clone)]
pub struct OpenObject {
    pub(crate) info: Arc<ObjectInfo>,
    pub(crate) content: Arc<Content>,
}

impl OpenObject {
    /// What HEAD shows.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The parts that the object was uploaded in: number and range of bytes; none if it was written at once.
    pub fn parts(&self) -> Vec<(u32, Range<u64>)> {
        let Content::Files(pieces) = &*self.content else { return Vec::new() };
        pieces.iter().filter(|piece| piece.number > 0).map(|piece| (piece.number, piece.range.clone())).collect()
    }

    /// Streams a range of bytes in items of at most 256 KiB; memory does not grow with the range.
    ///
    /// # Errors
    /// [`Error::InvalidRange`]; items fail with [`Error::Corrupt`] or [`Error::Io`].
    pub fn read(&self, range: Range<u64>) -> Result<impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static> {
        self.check(&range)?;
        let object = self.clone();
        let steps = stream::try_unfold((object, None, range), |(object, file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let middle = range.end.min((range.start / CHUNK + 1) * CHUNK);
            let (bytes, file) = object.chunk(file, range.start..middle).await?;
            Ok(Some((bytes, (object, file, middle..range.end))))
        });
        Ok(Box::pin(steps))
    }

    /// Reads one range into memory.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        self.check(&range)?;
        Ok(self.chunk(None, range).await?.0)
    }

    fn check(&self, range: &Range<u64>) -> Result<()> {
        if range.start > range.end || range.end > self.info.size {
            return Err(Error::InvalidRange { start: range.start, end: range.end, size: self.info.size });
        }
        Ok(())
    }

    /// The bytes of the range, and the last file they came from, for the next call.
    async fn chunk(&self, file: LastFile, range: Range<u64>) -> Result<(Bytes, LastFile)> {
        if let Content::Inline(bytes) = &*self.content {
            return Ok((bytes.slice(range.start as usize..range.end as usize), None));
        }
        let object = self.clone();
        crate::blocking(move || object.read_files(file, range)).await
    }

    fn read_files(&self, mut last: LastFile, range: Range<u64>) -> Result<(Bytes, LastFile)> {
        let Content::Files(pieces) = &*self.content else { return Err(Error::Closed) };
        let first = pieces.partition_point(|piece| piece.range.end <= range.start);
        let mut found = Vec::new();
        for (index, piece) in pieces.iter().enumerate().skip(first) {
            let start = range.start.max(piece.range.start);
            let end = range.end.min(piece.range.end);
            if start >= end {
                break;
            }
            let file = match last.take().filter(|(open, _)| *open == index) {
                Some((_, file)) => file,
                None => Arc::new(piece.pin.open()?),
            };
            let within = start - piece.range.start..end - piece.range.start;
            found.push(blobs::read(&file, piece.range.end - piece.range.start, within)?);
            last = Some((index, file));
        }
        // Ranges within one part, nearly all of them, are not copied.
        let bytes = if found.len() == 1 { found.swap_remove(0) } else { Bytes::from(found.concat()) };
        Ok((bytes, last))
    }
}
