//! An object that is being read.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream};

use crate::blobs::{self, Pin};
use crate::error::{Error, Result};
use crate::record::ObjectInfo;

/// How many bytes one item of a body holds at most.
const CHUNK: u64 = 256 << 10;

pub(crate) enum Content {
    Inline(Bytes),
    Blob(Pin),
}

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

    /// The bytes of the range, and the file they came from, for the next call.
    async fn chunk(&self, file: Option<Arc<File>>, range: Range<u64>) -> Result<(Bytes, Option<Arc<File>>)> {
        if let Content::Inline(bytes) = &*self.content {
            return Ok((bytes.slice(range.start as usize..range.end as usize), None));
        }
        let object = self.clone();
        crate::blocking(move || {
            let Content::Blob(pin) = &*object.content else { return Err(Error::Closed) };
            let file = file.map_or_else(|| pin.open().map(Arc::new), Ok)?;
            Ok((blobs::read(&file, object.info.size, range)?, Some(file)))
        })
        .await
    }
}
