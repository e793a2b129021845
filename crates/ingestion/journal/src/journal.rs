//! The journal of a directory.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use crate::error::JournalError;
use crate::lane::Lane;
use crate::{NewRecord, Record, ShardId, Tail, read};

/// What an acknowledged record has survived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// It is on the disk: a power cut does not lose it.
    #[default]
    Fsync,
    /// The operating system has it: the end of this process does not lose it, a power cut may.
    Os,
}

/// How a journal works.
#[derive(Debug, Clone)]
pub struct Options {
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// Logs to spread streams over, decided when the journal is made. One serves a disk well.
    pub lanes: usize,
    /// Length of a segment file. At least [`Options::pending_bytes`].
    pub segment_bytes: u64,
    /// Bytes that may wait for the disk in a lane; an append that would pass it is refused as [`JournalError::Busy`].
    pub pending_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { durability: Durability::Fsync, lanes: 1, segment_bytes: 64 << 20, pending_bytes: 32 << 20 }
    }
}

/// The handle to a journal. Cheap to clone; the last one writes what waits and closes the files when it is dropped.
#[derive(Clone)]
pub struct Journal {
    lanes: Arc<Lanes>,
}

struct Lanes(Vec<Arc<Lane>>);

impl Drop for Lanes {
    fn drop(&mut self) {
        self.0.iter().for_each(|lane| lane.close());
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("lanes", &self.lanes.0.len()).finish()
    }
}

impl Journal {
    /// Opens the journal in `directory`. A directory that does not exist is made when the first record comes.
    ///
    /// # Errors
    /// [`JournalError::File`].
    pub fn open(directory: &Path, options: &Options) -> Result<Self, JournalError> {
        let options =
            Options { segment_bytes: options.segment_bytes.max(options.pending_bytes as u64), ..options.clone() };
        let lane_directory = |number: usize| directory.join(format!("lane-{number}"));
        let present = (0..).take_while(|number| lane_directory(*number).is_dir()).count();
        // Lanes are made one by one, with their first records, so the largest of the two numbers was meant.
        let lanes =
            (0..options.lanes.max(1).max(present)).map(|number| Lane::open(lane_directory(number), options.clone()));
        Ok(Self { lanes: Arc::new(Lanes(lanes.collect::<Result<_, _>>()?)) })
    }

    fn lane(&self, shard: ShardId) -> &Arc<Lane> {
        let lanes = &self.lanes.0;
        &lanes[(shard.stream.as_u128() % lanes.len() as u128) as usize]
    }

    /// Makes a shard known, so that records can be appended and read. Everything below `consumed` is of no more use: a
    /// consumer that keeps its offset itself hands it over here after a restart.
    pub fn attach(&self, shard: ShardId, consumed: u64) {
        self.lane(shard).attach(shard, consumed);
    }

    /// Gives up a shard and its records. Watchers of its tail see the end of it.
    pub fn forget(&self, shard: ShardId) {
        self.lane(shard).forget(shard);
    }

    /// Gives up every shard that nobody has attached. To be called once all consumers have attached theirs.
    pub fn forget_strangers(&self) {
        self.lanes.0.iter().for_each(|lane| lane.forget_strangers());
    }

    /// Puts records at the end of a shard, all together. Answers the first one's sequence number once all are durable; the
    /// others follow without gap.
    ///
    /// # Errors
    /// [`JournalError::Busy`] when the disk does not keep up, [`JournalError::TooLarge`], [`JournalError::UnknownShard`],
    /// [`JournalError::File`] as when the disk is full, [`JournalError::Stopped`], [`JournalError::Closed`].
    pub async fn append(
        &self,
        shard: ShardId,
        arrival_ms: u64,
        records: &[NewRecord<'_>],
    ) -> Result<u64, JournalError> {
        self.lane(shard).append(shard, arrival_ms, records).await
    }

    /// How far a shard has come, now and whenever it changes.
    ///
    /// # Errors
    /// [`JournalError::UnknownShard`].
    pub fn tail(&self, shard: ShardId) -> Result<watch::Receiver<Tail>, JournalError> {
        self.lane(shard).index.read().tail(shard).ok_or(JournalError::UnknownShard(shard))
    }

    /// The durable records of a shard from `from` on: at most `max_records`, and no more once `max_bytes` of data would be
    /// passed; but one at least, if there is one.
    ///
    /// # Errors
    /// [`JournalError::UnknownShard`], [`JournalError::File`], [`JournalError::Damaged`].
    pub async fn read(
        &self,
        shard: ShardId,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<Record>, JournalError> {
        let lane = Arc::clone(self.lane(shard));
        tokio::task::spawn_blocking(move || read::read(&lane.index, shard, from, max_records, max_bytes))
            .await
            .unwrap_or(Err(JournalError::Closed))
    }

    /// Notes that everything of a shard below `sequence` is of no more use. The consumer must have kept that durably: what
    /// is consumed may be deleted at once.
    pub fn consume(&self, shard: ShardId, sequence: u64) {
        self.lane(shard).consume(shard, sequence);
    }
}
