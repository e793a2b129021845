//! Which segment holds which records, in memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use crate::error::JournalError;
use crate::segment::{Contents, Place};
use crate::{ShardId, Tail};

/// A segment of a lane.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) file: Arc<File>,
    pub(crate) path: PathBuf,
    /// Where the durable frames end.
    pub(crate) end: u64,
    /// Whether the committer still writes to it.
    pub(crate) active: bool,
    pub(crate) contents: Contents,
}

/// An attached shard.
#[derive(Debug)]
struct Shard {
    /// Everything below is of no more use.
    consumed: u64,
    tail: watch::Sender<Tail>,
}

/// Where to read a shard's records from a sequence number on: a part of one file.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) file: Arc<File>,
    pub(crate) path: PathBuf,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The shard's last record in the piece.
    pub(crate) last: u64,
}

/// Records of one shard that were written together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) shard: ShardId,
    pub(crate) first: Place,
    pub(crate) last: u64,
    /// Bytes of data.
    pub(crate) bytes: u64,
}

/// The index of one lane.
#[derive(Debug, Default)]
pub(crate) struct Index {
    segments: BTreeMap<u64, Segment>,
    shards: HashMap<ShardId, Shard>,
    forgotten: HashSet<ShardId>,
}

impl Index {
    pub(crate) fn insert(&mut self, number: u64, segment: Segment) {
        self.segments.insert(number, segment);
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.segments.last_key_value().map_or(1, |(number, _)| number + 1)
    }

    /// Makes a shard known. Answers the number of its next record.
    pub(crate) fn attach(&mut self, shard: ShardId, consumed: u64) -> u64 {
        self.forgotten.remove(&shard);
        let extents = self.segments.values().filter_map(|segment| segment.contents.shards.get(&shard));
        let found = extents.fold(Tail::default(), |tail, extent| Tail {
            end: tail.end.max(extent.last + 1),
            bytes: tail.bytes + extent.bytes,
        });
        let tail = Tail { end: found.end.max(consumed), ..found };
        self.shards.entry(shard).or_insert_with(|| Shard { consumed, tail: watch::Sender::new(tail) });
        tail.end
    }

    pub(crate) fn tail(&self, shard: ShardId) -> Option<watch::Receiver<Tail>> {
        self.shards.get(&shard).map(|shard| shard.tail.subscribe())
    }

    /// Notes that everything of a shard below `sequence` is of no more use.
    pub(crate) fn consume(&mut self, shard: ShardId, sequence: u64) {
        if let Some(shard) = self.shards.get_mut(&shard) {
            shard.consumed = shard.consumed.max(sequence);
        }
    }

    pub(crate) fn forget(&mut self, shard: ShardId) {
        self.shards.remove(&shard);
        self.forgotten.insert(shard);
    }

    /// Shards that have records and are not attached.
    pub(crate) fn strangers(&self) -> HashSet<ShardId> {
        let all = self.segments.values().flat_map(|segment| segment.contents.shards.keys());
        all.filter(|shard| !self.shards.contains_key(shard)).copied().collect()
    }

    /// Takes the segments out that nobody needs any more.
    pub(crate) fn take_consumed(&mut self) -> Vec<PathBuf> {
        let done: Vec<u64> = self.segments.iter().filter(|(_, it)| self.is_consumed(it)).map(|(n, _)| *n).collect();
        let paths = done.iter().filter_map(|number| self.segments.remove(number)).map(|segment| segment.path).collect();
        let segments = &self.segments;
        let mentioned = |shard: &ShardId| segments.values().any(|it| it.contents.shards.contains_key(shard));
        self.forgotten.retain(mentioned);
        paths
    }

    fn is_consumed(&self, segment: &Segment) -> bool {
        let consumed = |shard: &ShardId, last: u64| match self.shards.get(shard) {
            Some(shard) => last < shard.consumed,
            None => self.forgotten.contains(shard),
        };
        !segment.active && segment.contents.shards.iter().all(|(shard, extent)| consumed(shard, extent.last))
    }

    /// Makes what was written to the active segment visible.
    pub(crate) fn committed(&mut self, number: u64, base: u64, end: u64, runs: &[Run]) {
        let Some(segment) = self.segments.get_mut(&number) else { return };
        segment.end = end;
        for run in runs {
            let first = Place { offset: base + run.first.offset, ..run.first };
            segment.contents.add(run.shard, first, run.last, run.bytes);
            if let Some(shard) = self.shards.get(&run.shard) {
                shard.tail.send_modify(|tail| {
                    *tail = Tail { end: run.last + 1, bytes: tail.bytes + run.bytes };
                });
            }
        }
    }

    /// The end and the contents of a segment, to be sealed with.
    pub(crate) fn retire(&mut self, number: u64) -> Option<(u64, Contents)> {
        let segment = self.segments.get_mut(&number)?;
        segment.active = false;
        Some((segment.end, segment.contents.clone()))
    }

    /// The first piece that holds a record of `shard` from `sequence` on.
    pub(crate) fn piece(&self, shard: ShardId, sequence: u64) -> Result<Option<Piece>, JournalError> {
        if !self.shards.contains_key(&shard) {
            return Err(JournalError::UnknownShard(shard));
        }
        let found = self.segments.values().find_map(|segment| {
            let extent = segment.contents.shards.get(&shard).filter(|extent| extent.last >= sequence)?;
            Some(Piece {
                file: Arc::clone(&segment.file),
                path: segment.path.clone(),
                start: extent.place(sequence).offset,
                end: segment.end,
                last: extent.last,
            })
        });
        Ok(found)
    }
}
