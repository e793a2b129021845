//! Events of one or many streams in the order of time. Segments are read when the order comes to them, and not before, so
//! memory holds only those that overlap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::frame::StoredEvent;
use super::segments::{Segment, StreamLog};
use super::{FilesError, StreamId};

/// Where an event stands: by time, then by stream, then in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The stream.
    pub stream: StreamId,
    /// The event's number in its stream.
    pub sequence: u64,
}

impl Position {
    /// Before every event of this time.
    pub fn at(timestamp: i64) -> Self {
        Self { timestamp, stream: StreamId(0), sequence: 0 }
    }

    /// Right after this event.
    #[must_use]
    pub fn next(self) -> Self {
        Self { sequence: self.sequence + 1, ..self }
    }

    /// Positions mirrored in this way sort the other way round.
    fn mirrored(self) -> Self {
        Self { timestamp: !self.timestamp, stream: StreamId(!self.stream.0), sequence: !self.sequence }
    }
}

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

impl Direction {
    fn key(self, position: Position) -> Position {
        match self {
            Self::Forward => position,
            Self::Backward => position.mirrored(),
        }
    }
}

/// An event and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands.
    pub position: Position,
    /// The event.
    pub event: StoredEvent,
}

/// A segment that has not been read yet, by the first position that it may hold.
struct Run {
    start: Position,
    log: Arc<StreamLog>,
    segment: Segment,
}

/// An event that has been read and waits for its turn.
struct Waiting {
    key: Position,
    event: StoredEvent,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// The events at or after `from` and before `to`. It reads files, so it belongs on a thread that may block. An error ends
/// what is worth reading.
pub struct Scan {
    direction: Direction,
    from: Position,
    to: Position,
    /// The first to be read stands last.
    runs: Vec<Run>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Bytes of the segments read so far.
    pub bytes_read: u64,
}

impl Scan {
    /// Prepares to go through `logs`; reads nothing yet.
    pub fn new(logs: &[Arc<StreamLog>], direction: Direction, from: Position, to: Position) -> Self {
        let last_time = to.timestamp.saturating_add(1);
        let mut runs: Vec<Run> = logs
            .iter()
            .flat_map(|log| {
                log.segments_between(from.timestamp, last_time).into_iter().map(|segment| {
                    let (timestamp, stream) = match direction {
                        Direction::Forward => (segment.earliest, StreamId(0)),
                        Direction::Backward => (segment.latest, StreamId(u64::MAX)),
                    };
                    let sequence = if direction == Direction::Forward { 0 } else { u64::MAX };
                    let start = direction.key(Position { timestamp, stream, sequence });
                    Run { start, log: Arc::clone(log), segment }
                })
            })
            .collect();
        runs.sort_by_key(|run| Reverse(run.start));
        Self { direction, from, to, runs, waiting: BinaryHeap::new(), bytes_read: 0 }
    }

    fn read_next_run(&mut self) -> Result<(), FilesError> {
        let Some(Run { log, segment, .. }) = self.runs.pop() else {
            return Ok(());
        };
        self.bytes_read += segment.length;
        for event in log.read(&segment)?.unwrap_or_default() {
            let position = Position { timestamp: event.timestamp, stream: log.id, sequence: event.sequence };
            if self.from <= position && position < self.to {
                self.waiting.push(Reverse(Waiting { key: self.direction.key(position), event }));
            }
        }
        Ok(())
    }
}

impl Iterator for Scan {
    type Item = Result<Found, FilesError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(run) = self.runs.last() {
            if self.waiting.peek().is_some_and(|Reverse(first)| first.key < run.start) {
                break;
            }
            if let Err(error) = self.read_next_run() {
                return Some(Err(error));
            }
        }
        self.waiting.pop().map(|Reverse(waiting)| {
            // Mirroring twice changes nothing.
            Ok(Found { position: self.direction.key(waiting.key), event: waiting.event })
        })
    }
}
