//! Segment files: made at full length, filled with frames, sealed with a footer.
//!
//! A sealed file is `frames, 4 zero bytes, 4 zero bytes, footer (JSON), footer's length (4), CRC32C of the footer (4),
//! magic (8)`. A file without a sound footer was being written when its process ended: it is scanned up to the first
//! frame that is not sound, cut there, and sealed.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::JournalError;
use crate::frame::{self, Decoded, Frame};
use crate::{Durability, ShardId};

/// The last bytes of a sealed file.
const MAGIC: &[u8; 8] = b"bhjrnl01";
/// Length, checksum and magic of the footer.
const FOOTER_TAIL: u64 = 16;
/// What separates frames from the footer: a frame of no length.
const SEPARATOR: [u8; 8] = [0; 8];
/// Bytes of the file between two remembered places of a shard.
const PLACE_DISTANCE: u64 = 256 * 1024;
/// How much of a file is looked at in one piece.
const SCAN_WINDOW: usize = 1024 * 1024;

/// A place where a record of a shard starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The record's sequence number.
    pub sequence: u64,
    /// When it arrived, in milliseconds since 1970.
    pub arrival_ms: u64,
    /// Where in the file its frame starts.
    pub offset: u64,
}

/// What a segment holds of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// The last record's sequence number.
    pub last: u64,
    /// Bytes of data.
    pub bytes: u64,
    /// Some records' places, in order; the first record is always among them.
    pub places: Vec<Place>,
}

impl Extent {
    /// The place to start reading at for the records from `sequence` on.
    pub fn place(&self, sequence: u64) -> Place {
        let after = self.places.partition_point(|place| place.sequence <= sequence);
        self.places[after.saturating_sub(1)]
    }
}

/// What a segment holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// By shard.
    pub shards: HashMap<ShardId, Extent>,
}

impl Contents {
    /// Takes note of records of one shard that follow each other: the first one's place, the last one's number.
    pub fn add(&mut self, shard: ShardId, first: Place, last: u64, bytes: u64) {
        let new = || Extent { last, bytes: 0, places: Vec::new() };
        let extent = self.shards.entry(shard).or_insert_with(new);
        extent.last = last;
        extent.bytes += bytes;
        let far = |place: &Place| first.offset >= place.offset + PLACE_DISTANCE;
        if extent.places.last().is_none_or(far) {
            extent.places.push(first);
        }
    }

    fn add_frame(&mut self, frame: &Frame<'_>, offset: u64) {
        let place = Place { sequence: frame.sequence, arrival_ms: frame.arrival_ms, offset };
        self.add(frame.shard, place, frame.sequence, frame.data.len() as u64);
    }
}

/// The footer as it is written.
#[derive(Serialize, Deserialize)]
struct Footer {
    end: u64,
    shards: Vec<(ShardId, Extent)>,
}

/// A segment that was found on disk.
#[derive(Debug)]
pub struct Found {
    /// The file, open for reading.
    pub file: File,
    /// Where the frames end.
    pub end: u64,
    /// What is in it.
    pub contents: Contents,
}

/// Makes a segment of `length` bytes, which are there before they are written to, so that no later write can find the
/// disk full or needs to change the file's length.
///
/// # Errors
/// [`JournalError::File`], as when the disk is full: nothing is left behind then.
pub fn create(path: &Path, length: u64, durability: Durability) -> Result<File, JournalError> {
    let open = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
    let file = open.map_err(JournalError::file(path))?;
    let made = allocate(&file, length).and_then(|()| match durability {
        Durability::Fsync => file.sync_all().and_then(|()| sync_directory(path)),
        Durability::Os => Ok(()),
    });
    if let Err(error) = made {
        if let Err(left) = std::fs::remove_file(path) {
            tracing::warn!(path = %path.display(), error = %left, "an unusable segment stays behind");
        }
        return Err(JournalError::file(path)(error));
    }
    Ok(file)
}

fn allocate(file: &File, length: u64) -> std::io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, length) {
        Ok(()) => Ok(()),
        // Some file systems can't: then the length alone is set.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => file.set_len(length),
        Err(error) => Err(error.into()),
    }
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Ends a segment: writes its footer and gives back what was allocated in vain.
///
/// # Errors
/// [`JournalError::File`].
pub fn seal(file: &File, path: &Path, end: u64, contents: &Contents) -> Result<(), JournalError> {
    let mut shards: Vec<_> = contents.shards.clone().into_iter().collect();
    shards.sort_by_key(|(shard, _)| *shard);
    let invalid = |error: serde_json::Error| JournalError::file(path)(error.into());
    let footer = serde_json::to_vec(&Footer { end, shards }).map_err(invalid)?;
    let mut bytes = SEPARATOR.to_vec();
    bytes.extend_from_slice(&footer);
    bytes.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc_fast::crc32_iscsi(&footer).to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    // The length first: what an earlier process left behind the end must not be read as frames again.
    file.set_len(end)
        .and_then(|()| file.write_all_at(&bytes, end))
        .and_then(|()| file.sync_all())
        .map_err(JournalError::file(path))
}

/// Opens a segment that an earlier process made, and seals it if that process did not.
///
/// # Errors
/// [`JournalError::File`].
pub fn open(path: &Path) -> Result<Found, JournalError> {
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(JournalError::file(path))?;
    let length = file.metadata().map_err(JournalError::file(path))?.len();
    if let Some(Footer { end, shards }) = footer(&file, length) {
        return Ok(Found { file, end, contents: Contents { shards: shards.into_iter().collect() } });
    }
    let (end, contents, why) = scan(&file, path, length)?;
    if why == ScanEnd::Damaged {
        tracing::warn!(path = %path.display(), end, "a write that was never acknowledged is cut off");
    }
    seal(&file, path, end, &contents)?;
    Ok(Found { file, end, contents })
}

fn footer(file: &File, length: u64) -> Option<Footer> {
    let tail_at = length.checked_sub(FOOTER_TAIL)?;
    let mut tail = [0; FOOTER_TAIL as usize];
    file.read_exact_at(&mut tail, tail_at).ok()?;
    if &tail[8..] != MAGIC {
        return None;
    }
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).ok();
    let (size, crc) = (number(&tail[..4])?, number(&tail[4..8])?);
    let start = tail_at.checked_sub(u64::from(size))?;
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, start).ok()?;
    let footer: Footer = (crc_fast::crc32_iscsi(&bytes) == crc).then(|| serde_json::from_slice(&bytes).ok())??;
    let sound = footer.end <= start && footer.shards.iter().all(|(_, extent)| !extent.places.is_empty());
    sound.then_some(footer)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanEnd {
    /// Zeros, or the end of the file.
    Clean,
    /// Something that is no frame.
    Damaged,
}

fn scan(file: &File, path: &Path, length: u64) -> Result<(u64, Contents, ScanEnd), JournalError> {
    let (mut offset, mut contents, mut window) = (0_u64, Contents::default(), Window::new(file, path, length));
    loop {
        match window.frame_at(offset)? {
            Decoded::Frame(frame, size) => {
                contents.add_frame(&frame, offset);
                offset += size as u64;
            }
            Decoded::End => return Ok((offset, contents, ScanEnd::Clean)),
            Decoded::Short(_) | Decoded::Damaged => return Ok((offset, contents, ScanEnd::Damaged)),
        }
    }
}

/// A piece of a file that moves forward.
pub(crate) struct Window<'a> {
    file: &'a File,
    path: PathBuf,
    /// Where what may be read ends.
    end: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    pub(crate) fn new(file: &'a File, path: &Path, end: u64) -> Self {
        Self { file, path: path.to_owned(), end, start: 0, bytes: Vec::new() }
    }

    /// What stands at `offset`; short only if the file ends inside it.
    pub(crate) fn frame_at(&mut self, offset: u64) -> Result<Decoded<'_>, JournalError> {
        let held = |window: &Self| {
            let skip = offset.checked_sub(window.start).filter(|skip| *skip <= window.bytes.len() as u64);
            skip.map(|skip| skip as usize)
        };
        let wanted = match held(self).map(|skip| frame::decode(&self.bytes[skip..])) {
            Some(Decoded::Short(wanted)) => wanted,
            Some(Decoded::Frame(..) | Decoded::Damaged) => 0,
            // An end of what is held is not an end of the file.
            Some(Decoded::End) | None => 1,
        };
        if wanted > 0 {
            self.load(offset, wanted)?;
        }
        let skip = held(self).unwrap_or_default();
        Ok(frame::decode(&self.bytes[skip..]))
    }

    fn load(&mut self, offset: u64, wanted: usize) -> Result<(), JournalError> {
        let left = usize::try_from(self.end.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.start = offset;
        self.bytes.resize(wanted.max(SCAN_WINDOW).min(left), 0);
        let read = self.file.read_exact_at(&mut self.bytes, offset);
        read.map_err(JournalError::file(&self.path))?;
        // A frame whose length is known only now may reach further than what was asked for.
        match frame::decode(&self.bytes) {
            Decoded::Short(more) if more > self.bytes.len() && self.bytes.len() < left => self.load(offset, more),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn shard(number: u32) -> ShardId {
        ShardId { stream: Uuid::from_u128(1), shard: number }
    }

    fn frames(sizes: &[(u32, usize)]) -> (Vec<u8>, Contents, Vec<u64>) {
        let (mut bytes, mut contents, mut starts) = (Vec::new(), Contents::default(), Vec::new());
        for (sequence, (number, size)) in sizes.iter().enumerate() {
            // No zeros: a file's unwritten rest must not complete a frame.
            let data = vec![sequence as u8 + 1; *size];
            let frame =
                Frame { shard: shard(*number), sequence: sequence as u64, arrival_ms: 5, key: b"", data: &data };
            contents.add_frame(&frame, bytes.len() as u64);
            starts.push(bytes.len() as u64);
            frame.encode(&mut bytes);
        }
        (bytes, contents, starts)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn an_unsealed_file_keeps_what_is_whole_and_no_more(
            sizes in prop::collection::vec((0_u32..3, 0_usize..2_000), 0..20),
            lost in any::<prop::sample::Index>(),
            garbage in prop::collection::vec(200_u8.., 0..50),
        ) {
            let (bytes, _, starts) = frames(&sizes);
            let cut = if bytes.is_empty() { 0 } else { lost.index(bytes.len() + 1) };
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("s");
            let file = create(&path, 1 << 16, Durability::Os).unwrap();
            file.write_all_at(&bytes[..cut], 0).unwrap();
            file.write_all_at(&garbage, cut as u64).unwrap();
            let whole = starts.iter().skip(1).chain([&(bytes.len() as u64)]).filter(|end| **end <= cut as u64).count();
            let whole = if sizes.is_empty() { 0 } else { whole };
            let (kept, contents, _) = frames(&sizes[..whole]);
            for round in 0..2 {
                let found = open(&path).unwrap();
                // No garbage completes a frame: frames hold smaller bytes.
                prop_assert_eq!(found.end, kept.len() as u64, "round {}", round);
                prop_assert_eq!(&found.contents, &contents);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_file_opens_and_opens_the_same_again(
            sizes in prop::collection::vec((0_u32..3, 0_usize..300), 0..10),
            sealed in any::<bool>(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            let (bytes, contents, _) = frames(&sizes);
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("s");
            let file = create(&path, 4096, Durability::Os).unwrap();
            file.write_all_at(&bytes, 0).unwrap();
            if sealed {
                seal(&file, &path, bytes.len() as u64, &contents).unwrap();
            }
            let mut damaged = std::fs::read(&path).unwrap();
            for (place, byte) in damage {
                let place = place.index(damaged.len());
                damaged[place] = byte;
            }
            std::fs::write(&path, damaged).unwrap();
            let first = open(&path).unwrap();
            let second = open(&path).unwrap();
            prop_assert_eq!((first.end, first.contents), (second.end, second.contents));
        }
    }

    #[test]
    fn a_frame_larger_than_the_window_is_found_by_scanning() {
        let (bytes, contents, _) = frames(&[(0, 10), (1, 3 * SCAN_WINDOW), (0, 20)]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let file = create(&path, 8 << 20, Durability::Fsync).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        let found = open(&path).unwrap();
        assert_eq!((found.end, &found.contents), (bytes.len() as u64, &contents));
        assert!(file.metadata().unwrap().len() < bytes.len() as u64 + 2_000, "the rest is given back");
    }

    #[test]
    fn a_segment_is_not_made_over_another() {
        let dir = tempfile::tempdir().unwrap();
        create(&dir.path().join("s"), 10, Durability::Os).unwrap();
        assert!(matches!(create(&dir.path().join("s"), 10, Durability::Os), Err(JournalError::File { .. })));
    }
}
