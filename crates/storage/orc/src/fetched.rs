//! The parts of a file that were fetched: the decoder asks for bytes and does not wait, so they are there before.

use std::collections::BTreeMap;
use std::io;

use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use orc_rust::reader::ChunkReader;

/// Parts of a file. What was not fetched is empty, so that streams which nobody needs cost nothing.
#[derive(Debug)]
pub struct Fetched {
    size: u64,
    parts: BTreeMap<u64, Bytes>,
}

impl Fetched {
    /// Nothing yet of a file of that size.
    pub fn new(size: u64) -> Self {
        Self { size, parts: BTreeMap::new() }
    }

    /// Adds what begins at a place.
    #[must_use]
    pub fn with(mut self, offset: u64, bytes: Bytes) -> Self {
        self.add(offset, bytes);
        self
    }

    /// Adds what begins at a place.
    pub fn add(&mut self, offset: u64, bytes: Bytes) {
        self.parts.insert(offset, bytes);
    }

    fn find(&self, offset: u64) -> Option<Bytes> {
        let (start, part) = self.parts.range(..=offset).next_back()?;
        let skipped = usize::try_from(offset - start).ok().filter(|skipped| *skipped <= part.len())?;
        Some(part.slice(skipped..))
    }
}

impl ChunkReader for Fetched {
    type T = Reader<Bytes>;

    fn len(&self) -> u64 {
        self.size
    }

    fn get_read(&self, offset_from_start: u64) -> io::Result<Self::T> {
        Ok(self.find(offset_from_start).unwrap_or_default().reader())
    }

    fn get_bytes(&self, offset_from_start: u64, length: u64) -> io::Result<Bytes> {
        let found = self.find(offset_from_start);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(found.filter(|bytes| bytes.len() >= length).map(|bytes| bytes.slice(..length)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_fetched_is_empty() {
        let fetched = Fetched::new(100).with(10, Bytes::from_static(b"abc")).with(20, Bytes::from_static(b"xyz"));
        assert_eq!(&fetched.get_bytes(11, 2).unwrap()[..], b"bc");
        assert_eq!(&fetched.get_bytes(20, 3).unwrap()[..], b"xyz");
        for (offset, length) in [(11, 3), (0, 1), (50, 1), (20, u64::MAX)] {
            assert!(fetched.get_bytes(offset, length).unwrap().is_empty());
        }
    }
}
