//! One lane: appends gather in a buffer while the committer writes the one before.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::oneshot;

use crate::error::JournalError;
use crate::frame::{Frame, MAX_DATA, MAX_KEY};
use crate::index::{Index, Run, Segment};
use crate::journal::{Durability, Options};
use crate::segment::{self, Place};
use crate::{NewRecord, ShardId};

/// The end of a segment's file name; before it stands its number.
const EXTENSION: &str = "segment";
/// A buffer that has grown larger than this is not kept.
const KEPT_BUFFER: usize = 8 << 20;

type Waiter = oneshot::Sender<Result<(), JournalError>>;
/// Ends when records are durable.
type Durable = oneshot::Receiver<Result<(), JournalError>>;

/// Frames that are written together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    waiters: Vec<Waiter>,
}

#[derive(Default)]
struct Pending {
    batch: Batch,
    /// The number of each attached shard's next record.
    next: HashMap<ShardId, u64>,
    committer: Option<JoinHandle<()>>,
    stopped: Option<String>,
    closed: bool,
}

/// One log.
pub(crate) struct Lane {
    directory: PathBuf,
    options: Options,
    pending: Mutex<Pending>,
    wake: Condvar,
    pub(crate) index: RwLock<Index>,
}

impl Lane {
    /// Opens the lane in a directory, which need not exist yet.
    pub(crate) fn open(directory: PathBuf, options: Options) -> Result<Arc<Self>, JournalError> {
        let mut index = Index::default();
        for (number, path) in segments(&directory)? {
            let found = segment::open(&path)?;
            let file = Arc::new(found.file);
            index.insert(number, Segment { file, path, end: found.end, active: false, contents: found.contents });
        }
        let (pending, wake, index) = (Mutex::default(), Condvar::new(), RwLock::new(index));
        Ok(Arc::new(Self { directory, options, pending, wake, index }))
    }

    pub(crate) fn attach(&self, shard: ShardId, consumed: u64) {
        let mut pending = self.pending.lock();
        pending.next.entry(shard).or_insert_with(|| self.index.write().attach(shard, consumed));
    }

    pub(crate) fn forget(&self, shard: ShardId) {
        self.pending.lock().next.remove(&shard);
        self.index.write().forget(shard);
        self.delete_consumed();
    }

    pub(crate) fn forget_strangers(&self) {
        let mut index = self.index.write();
        for shard in index.strangers() {
            index.forget(shard);
        }
        drop(index);
        self.delete_consumed();
    }

    pub(crate) fn consume(&self, shard: ShardId, sequence: u64) {
        self.index.write().consume(shard, sequence);
        self.delete_consumed();
    }

    fn delete_consumed(&self) {
        let paths = self.index.write().take_consumed();
        for path in paths {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a consumed segment stays behind");
            }
        }
    }

    /// Puts records at the end of a shard. Answers the first one's number once all are durable.
    pub(crate) async fn append(
        self: &Arc<Self>,
        shard: ShardId,
        arrival_ms: u64,
        records: &[NewRecord<'_>],
    ) -> Result<u64, JournalError> {
        if records.iter().any(|record| record.key.len() > MAX_KEY || record.data.len() > MAX_DATA) {
            return Err(JournalError::TooLarge);
        }
        let (first, durable) = self.gather(shard, arrival_ms, records)?;
        let Some(durable) = durable else { return Ok(first) };
        durable.await.unwrap_or(Err(JournalError::Closed)).map(|()| first)
    }

    fn gather(
        self: &Arc<Self>,
        shard: ShardId,
        arrival_ms: u64,
        records: &[NewRecord<'_>],
    ) -> Result<(u64, Option<Durable>), JournalError> {
        let mut pending = self.pending.lock();
        if let Some(cause) = &pending.stopped {
            return Err(JournalError::Stopped(cause.clone()));
        }
        if pending.closed {
            return Err(JournalError::Closed);
        }
        let first = *pending.next.get(&shard).ok_or(JournalError::UnknownShard(shard))?;
        if records.is_empty() {
            return Ok((first, None));
        }
        // The largest batch must fit into one segment.
        let size: usize = records.iter().map(|record| framed(record, shard, first, arrival_ms).length()).sum();
        if size > self.options.pending_bytes {
            return Err(JournalError::TooLarge);
        }
        if pending.batch.bytes.len() + size > self.options.pending_bytes {
            return Err(JournalError::Busy);
        }
        let offset = pending.batch.bytes.len() as u64;
        for (sequence, record) in (first..).zip(records) {
            framed(record, shard, sequence, arrival_ms).encode(&mut pending.batch.bytes);
        }
        let last = first + records.len() as u64 - 1;
        pending.next.insert(shard, last + 1);
        let bytes = records.iter().map(|record| record.data.len() as u64).sum();
        let first_place = Place { sequence: first, arrival_ms, offset };
        pending.batch.runs.push(Run { shard, first: first_place, last, bytes });
        let (waiter, durable) = oneshot::channel();
        pending.batch.waiters.push(waiter);
        self.wake_committer(&mut pending)?;
        Ok((first, Some(durable)))
    }

    fn wake_committer(self: &Arc<Self>, pending: &mut Pending) -> Result<(), JournalError> {
        if pending.committer.is_none() {
            let lane = Arc::clone(self);
            let thread = std::thread::Builder::new().name("journal-committer".into());
            let started = thread.spawn(move || commit_until_closed(&lane));
            pending.committer = Some(started.map_err(JournalError::file(&self.directory))?);
        }
        self.wake.notify_one();
        Ok(())
    }

    /// What waits, once something does; `None` when the lane is closed and everything is written.
    fn next_batch(&self, spare: Batch) -> Option<Batch> {
        let mut pending = self.pending.lock();
        while pending.batch.waiters.is_empty() {
            if pending.closed {
                return None;
            }
            self.wake.wait(&mut pending);
        }
        Some(std::mem::replace(&mut pending.batch, spare))
    }

    /// Writes what waits, ends the committer and seals its segment.
    pub(crate) fn close(&self) {
        let committer = {
            let mut pending = self.pending.lock();
            pending.closed = true;
            self.wake.notify_one();
            pending.committer.take()
        };
        if committer.is_some_and(|committer| committer.join().is_err()) {
            tracing::error!("the journal's committer panicked");
        }
    }

    /// Refuses everything from now on: what the file holds is not known.
    fn stop(&self, cause: &JournalError) {
        tracing::error!(%cause, "the journal stops");
        let mut pending = self.pending.lock();
        pending.stopped = Some(cause.to_string());
        for waiter in std::mem::take(&mut pending.batch).waiters {
            let _ = waiter.send(Err(JournalError::Stopped(cause.to_string())));
        }
    }
}

fn framed<'a>(record: &NewRecord<'a>, shard: ShardId, sequence: u64, arrival_ms: u64) -> Frame<'a> {
    Frame { shard, sequence, arrival_ms, key: record.key, data: record.data }
}

/// The segment that the committer writes to.
struct Active {
    number: u64,
    file: Arc<File>,
    path: PathBuf,
    end: u64,
}

fn commit_until_closed(lane: &Arc<Lane>) {
    let (mut active, mut spare) = (None, Batch::default());
    while let Some(mut batch) = lane.next_batch(spare) {
        let outcome = commit(lane, &mut active, &batch);
        if let Err(error) = &outcome {
            tracing::error!(%error, records = batch.runs.len(), "the journal can't write");
        }
        // A waiter that is gone has lost interest in the answer; the record is kept all the same.
        for waiter in batch.waiters.drain(..) {
            let _ = waiter.send(outcome.clone());
        }
        batch.bytes.clear();
        batch.runs.clear();
        spare = if batch.bytes.capacity() <= KEPT_BUFFER { batch } else { Batch::default() };
    }
    if let Some(active) = active {
        retire(lane, &active);
    }
}

fn commit(lane: &Lane, active: &mut Option<Active>, batch: &Batch) -> Result<(), JournalError> {
    let size = batch.bytes.len() as u64;
    if let Some(full) = active.take_if(|active| active.end + size > lane.options.segment_bytes) {
        retire(lane, &full);
        lane.delete_consumed();
    }
    let segment = match active {
        Some(segment) => segment,
        None => active.insert(begin(lane)?),
    };
    let base = segment.end;
    let written = segment.file.write_all_at(&batch.bytes, base).and_then(|()| match lane.options.durability {
        Durability::Fsync => rustix::fs::fdatasync(&segment.file).map_err(Into::into),
        Durability::Os => Ok(()),
    });
    if let Err(error) = written.map_err(JournalError::file(&segment.path)) {
        lane.stop(&error);
        return Err(error);
    }
    segment.end += size;
    lane.index.write().committed(segment.number, base, segment.end, &batch.runs);
    Ok(())
}

fn begin(lane: &Lane) -> Result<Active, JournalError> {
    let number = lane.index.read().next_number();
    let directory = &lane.directory;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(JournalError::file(directory))?;
    let path = directory.join(format!("{number:020}.{EXTENSION}"));
    let file = Arc::new(segment::create(&path, lane.options.segment_bytes, lane.options.durability)?);
    if lane.options.durability == Durability::Fsync {
        sync_ancestors(directory)?;
    }
    let (contents, end) = (segment::Contents::default(), 0);
    let indexed = Segment { file: Arc::clone(&file), path: path.clone(), end, active: true, contents };
    lane.index.write().insert(number, indexed);
    Ok(Active { number, file, path, end })
}

/// The lane's directory may be as new as its parent.
fn sync_ancestors(directory: &Path) -> Result<(), JournalError> {
    for ancestor in directory.ancestors().skip(1).take(2).filter(|path| path.is_dir()) {
        File::open(ancestor).and_then(|opened| opened.sync_all()).map_err(JournalError::file(ancestor))?;
    }
    Ok(())
}

fn retire(lane: &Lane, active: &Active) {
    let retired = lane.index.write().retire(active.number);
    let Some((end, contents)) = retired else { return };
    // Its frames are durable; without a footer it is scanned at the next start.
    if let Err(error) = segment::seal(&active.file, &active.path, end, &contents) {
        tracing::error!(%error, "a segment stays unsealed");
    }
}

fn segments(directory: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(JournalError::file(directory))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(JournalError::file(directory))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let number = stem.filter(|_| path.extension().is_some_and(|it| it == EXTENSION)).and_then(|it| it.parse().ok());
        match number {
            Some(number) => found.push((number, path)),
            None => tracing::warn!(path = %path.display(), "not a segment"),
        }
    }
    found.sort_unstable();
    Ok(found)
}
