//! The segments of one stream. A segment's file is named by the number of the first event that it can hold. What is known
//! of a segment that is full stands in a small file beside it, so that only a stream's last segment is read when the stream
//! is opened. That file is a convenience: where it is missing or does not fit, the segment is read.

use std::fs;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;

use super::frame::{self, HEADER, StoredEvent};
use super::{FilesError, StreamId};

/// Bytes of what is kept of a full segment.
const SUMMARY: usize = 6 * 8 + 4;

/// What is known of a segment without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The first event's number, and the file's name.
    pub first_sequence: u64,
    /// Events in it.
    pub events: u64,
    /// The earliest timestamp.
    pub earliest: i64,
    /// The latest timestamp.
    pub latest: i64,
    /// The file's acknowledged bytes.
    pub length: u64,
    /// When the last batch came.
    pub last_ingestion: i64,
}

impl Segment {
    pub(crate) fn empty(first_sequence: u64) -> Self {
        let (earliest, latest) = (i64::MAX, i64::MIN);
        Self { first_sequence, events: 0, earliest, latest, length: HEADER.len() as u64, last_ingestion: i64::MIN }
    }

    pub(crate) fn next_sequence(&self) -> u64 {
        self.first_sequence + self.events
    }

    /// Its numbers, with a checksum.
    fn encode(&self) -> [u8; SUMMARY] {
        let numbers = [
            self.first_sequence,
            self.events,
            self.earliest as u64,
            self.latest as u64,
            self.length,
            self.last_ingestion as u64,
        ];
        let mut bytes = [0; SUMMARY];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc_fast::crc32_iscsi(&bytes[..SUMMARY - 4]);
        bytes[SUMMARY - 4..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, checksum) = bytes.split_last_chunk::<4>().filter(|_| bytes.len() == SUMMARY)?;
        if crc_fast::crc32_iscsi(numbers) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let mut numbers = numbers.chunks_exact(8).filter_map(|it| it.try_into().ok().map(u64::from_le_bytes));
        let mut next = || numbers.next();
        Some(Self {
            first_sequence: next()?,
            events: next()?,
            earliest: next()? as i64,
            latest: next()? as i64,
            length: next()?,
            last_ingestion: next()? as i64,
        })
    }

    /// Keeps what is known of a segment that no more events come to. It is not made durable.
    pub(crate) fn keep(&self, directory: &Path) {
        let path = summary_path(directory, self.first_sequence);
        if let Err(error) = fs::write(&path, self.encode()) {
            tracing::warn!(path = %path.display(), %error, "a segment will be read again when its stream is opened");
        }
    }

    /// What was kept of a segment, if it fits the file.
    fn kept(directory: &Path, number: u64) -> Option<Self> {
        let found = Self::decode(&fs::read(summary_path(directory, number)).ok()?)?;
        let length = fs::metadata(segment_path(directory, number)).ok()?.len();
        (found.first_sequence == number && found.length == length).then_some(found)
    }

    /// Takes note of an event.
    pub(crate) fn count(&mut self, timestamp: i64, ingestion: i64) {
        self.events += 1;
        self.earliest = self.earliest.min(timestamp);
        self.latest = self.latest.max(timestamp);
        self.last_ingestion = self.last_ingestion.max(ingestion);
    }
}

/// What is known of a stream as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The earliest and the latest timestamp, if there are events.
    pub span: Option<(i64, i64)>,
    /// When the last batch came, if there are events.
    pub last_ingestion: Option<i64>,
    /// Bytes on disk.
    pub bytes: u64,
    /// The next event's number.
    pub next_sequence: u64,
}

/// One stream's log.
#[derive(Debug)]
pub struct StreamLog {
    /// Names its directory.
    pub id: StreamId,
    pub(crate) directory: PathBuf,
    pub(crate) state: RwLock<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Oldest first. The last one is appended to.
    pub(crate) segments: Vec<Segment>,
    pub(crate) gone: bool,
}

impl StreamLog {
    pub(crate) fn open(id: StreamId, directory: PathBuf) -> Result<Self, FilesError> {
        let numbers = segment_numbers(&directory)?;
        let mut segments = Vec::new();
        for (n, &number) in numbers.iter().enumerate() {
            let full = n + 1 < numbers.len();
            if let Some(kept) = Segment::kept(&directory, number).filter(|_| full) {
                segments.push(kept);
                continue;
            }
            let path = segment_path(&directory, number);
            let bytes = fs::read(&path).map_err(FilesError::io(&path))?;
            let (segment, _) = read_frames(number, &bytes);
            let torn = (bytes.len() as u64).saturating_sub(segment.length);
            match (torn, full) {
                (0, true) => segment.keep(&directory),
                (0, false) => {}
                (_, true) => return Err(FilesError::Damaged(path)),
                (_, false) => {
                    tracing::warn!(path = %path.display(), torn, "a torn batch at the end of a log is cut off");
                }
            }
            segments.push(segment);
        }
        Ok(Self { id, directory, state: RwLock::new(State { segments, gone: false }) })
    }

    /// What is known of the stream.
    pub fn summary(&self) -> Summary {
        let state = self.state.read();
        let filled = || state.segments.iter().filter(|segment| segment.events > 0);
        let earliest = filled().map(|segment| segment.earliest).min();
        let latest = filled().map(|segment| segment.latest).max();
        Summary {
            span: earliest.zip(latest),
            last_ingestion: filled().map(|segment| segment.last_ingestion).max(),
            bytes: filled().map(|segment| segment.length).sum(),
            next_sequence: state.segments.last().map_or(0, Segment::next_sequence),
        }
    }

    /// The segments with events at or after `from` and before `to`.
    pub(crate) fn segments_between(&self, from: i64, to: i64) -> Vec<Segment> {
        let state = self.state.read();
        let wanted = |segment: &&Segment| segment.events > 0 && segment.latest >= from && segment.earliest < to;
        state.segments.iter().filter(wanted).copied().collect()
    }

    /// The acknowledged events of a segment, in the order of arrival. None if it has expired meanwhile.
    pub(crate) fn read(&self, segment: &Segment) -> Result<Option<Vec<StoredEvent>>, FilesError> {
        let path = segment_path(&self.directory, segment.first_sequence);
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FilesError::io(&path)(error)),
        };
        bytes.truncate(segment.length as usize);
        let (found, events) = read_frames(segment.first_sequence, &bytes);
        if found.length != segment.length {
            return Err(FilesError::Damaged(path));
        }
        Ok(Some(events))
    }
}

pub(crate) fn segment_path(directory: &Path, first_sequence: u64) -> PathBuf {
    directory.join(format!("{first_sequence:020}.log"))
}

pub(crate) fn summary_path(directory: &Path, first_sequence: u64) -> PathBuf {
    directory.join(format!("{first_sequence:020}.summary"))
}

fn segment_numbers(directory: &Path) -> Result<Vec<u64>, FilesError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FilesError::io(directory)(error)),
    };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".log")?.parse().ok();
    let mut numbers: Vec<u64> = entries.flatten().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The sound frames at the start of a segment's bytes.
fn read_frames(number: u64, bytes: &[u8]) -> (Segment, Vec<StoredEvent>) {
    let mut segment = Segment::empty(number);
    let mut all = Vec::new();
    if !bytes.starts_with(HEADER) {
        segment.length = 0; // not even the header was written whole
        return (segment, all);
    }
    let mut rest = &bytes[HEADER.len()..];
    while let Some((events, length)) = frame::decode(rest) {
        events.iter().for_each(|event| segment.count(event.timestamp, event.ingestion));
        segment.length += length as u64;
        all.extend(events);
        rest = &rest[length..];
    }
    (segment, all)
}
