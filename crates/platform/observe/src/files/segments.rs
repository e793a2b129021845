//! The segments of one stream. A segment's file is named by the number of the first event that it can hold.

use std::fs;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;

use super::frame::{self, HEADER, StoredEvent};
use super::{FilesError, StreamId};

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
            let path = segment_path(&directory, number);
            let bytes = fs::read(&path).map_err(FilesError::io(&path))?;
            let (segment, _) = read_frames(number, &bytes);
            let torn = (bytes.len() as u64).saturating_sub(segment.length);
            if torn > 0 && n + 1 < numbers.len() {
                return Err(FilesError::Damaged(path));
            }
            if torn > 0 {
                tracing::warn!(path = %path.display(), torn, "a torn batch at the end of a log is cut off");
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
