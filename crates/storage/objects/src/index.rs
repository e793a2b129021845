//! The index: tables in one fjall keyspace, and the single writer that every change goes through.
//!
//! A change is a closure over a [`Change`]. The writer runs waiting changes one after the other, commits them as one batch with
//! one fsync, and only then answers each. So conditions are evaluated against everything before them, exactly one of two racing
//! conditional writes wins, and what is visible is durable.
//!
//! The engine takes no more writes once one of its own has failed, because it can't know what the disk has of it. Reads go on, and
//! the next change opens the engine anew: what its log holds then is what there is.

mod gaps;
mod sweeper;
mod tail;
mod walker;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _, Slice, Snapshot};
use parking_lot::RwLock;
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

pub(crate) use self::sweeper::Sweeper;
pub(crate) use self::walker::Walker;

use self::gaps::Gaps;
use crate::Durability;
use crate::collector::Errands;
use crate::error::{Error, Result};
use crate::files::Files;
use crate::known::{Known, KnownBuckets};
use crate::outbox;
use crate::space::Space;

/// The changes that share one fsync at most.
const GROUP: usize = 64;
/// A group that changes so many rows takes no more changes.
const GROUP_ROWS: usize = 1000;
/// How long a group goes on with changes that nobody in particular waits for: whoever comes meanwhile waits so long, and for
/// the sync.
const BULK: Duration = Duration::from_millis(2);
const CACHE_BYTES: u64 = 16 << 20;
const MEMTABLE_BYTES: u64 = 8 << 20;
/// One writes tables of rows to disk, the other one merges them: else writes would wait for a merge to end.
const WORKERS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    /// bucket → bucket record.
    Bucket,
    /// bucket, NUL, key → object record.
    Current,
    /// blob id → nothing: a blob being written, not yet referenced.
    Intent,
    /// blob id → number of records that share it, when more than one.
    Shared,
    /// blob id → nothing: a blob that nothing references any more.
    Garbage,
    /// bucket, NUL, name → text.
    Document,
    /// upload id → the parts of an object.
    Manifest,
    /// bucket, NUL, key, NUL, upload id → an upload in parts that is under way.
    Upload,
    /// upload id, part number → a part of it.
    Part,
    /// id → where in a pack the bytes are.
    Slot,
    /// pack id → how many of its bytes have a slot.
    Pack,
    /// sequence number → a change of an object that has not been told yet.
    Outbox,
    /// bucket, NUL, key, NUL, place (8, inverted) → record of a version that is not the current object.
    Version,
    /// bucket, NUL, key → the place of the version `null` among those, if it is there.
    Null,
    /// Where the scrubber is.
    Scrub,
    /// table (1), row → what is damaged there.
    Damage,
}

impl Table {
    /// All tables share one keyspace, because each keyspace costs files and fsyncs when a store is made.
    fn row(self, key: &[u8]) -> Vec<u8> {
        [&[self as u8], key].concat()
    }
}

/// A key without its table, and the value.
pub(crate) type Row = Result<(Vec<u8>, Slice)>;

pub(crate) const KEYSPACE: &str = "rows";
/// How long readers may hold on to the engine before it is opened anew.
const READERS_END: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Index {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    files: Files,
    durability: Durability,
    /// None only if the engine could not be opened anew.
    engine: RwLock<Option<Arc<Engine>>>,
    failed: AtomicBool,
    buckets: KnownBuckets,
    gaps: Gaps,
    /// How many rows this process has removed, and how often it has committed.
    removed: AtomicU64,
    commits: AtomicU64,
}

struct Engine {
    database: Database,
    rows: Keyspace,
}

impl Engine {
    fn open(dir: &Path, durability: Durability) -> Result<Arc<Self>> {
        tail::mend(dir, durability == Durability::Strict)?;
        let database = Database::builder(dir).cache_size(CACHE_BYTES).worker_threads(WORKERS).open()?;
        let rows = database.keyspace(KEYSPACE, keyspace)?;
        Ok(Arc::new(Self { database, rows }))
    }
}

/// How the table of rows is made. The engine keeps this with the table.
pub(crate) fn keyspace() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
}

/// All rows at one moment.
#[derive(Clone)]
pub(crate) struct Moment {
    index: Index,
    engine: Arc<Engine>,
    snapshot: Snapshot,
}

impl Index {
    pub(crate) fn open(dir: &Path, files: Files, durability: Durability) -> Result<Self> {
        let engine = RwLock::new(Some(Engine::open(dir, durability)?));
        let shared = Shared {
            dir: dir.to_owned(),
            files,
            durability,
            engine,
            failed: AtomicBool::new(false),
            buckets: KnownBuckets::default(),
            gaps: Gaps::default(),
            removed: AtomicU64::new(0),
            commits: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The buckets in memory.
    pub(crate) fn buckets(&self) -> &KnownBuckets {
        &self.shared.buckets
    }

    fn removed(&self) -> u64 {
        self.shared.removed.load(Ordering::Relaxed)
    }

    fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    fn gaps(&self) -> &Gaps {
        &self.shared.gaps
    }

    fn engine(&self) -> Result<Arc<Engine>> {
        self.shared.engine.read().clone().ok_or_else(|| Error::Index("it could not be opened again".into()))
    }

    pub(crate) fn moment(&self) -> Result<Moment> {
        let engine = self.engine()?;
        let snapshot = engine.database.snapshot();
        Ok(Moment { index: self.clone(), engine, snapshot })
    }

    /// Whether the engine takes no more writes.
    pub(crate) fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// As after a write of the engine's that failed.
    #[cfg(test)]
    pub(crate) fn fail(&self) {
        self.shared.failed.store(true, Ordering::Relaxed);
    }

    /// Opens the engine anew. Readers go on until then, and wait while it is being opened.
    fn reopen(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut present = self.shared.engine.write();
            match present.take().map(Arc::try_unwrap) {
                Some(Err(read)) => {
                    *present = Some(read);
                    drop(present);
                    if started.elapsed() > READERS_END {
                        return Err(Error::Index("it is being read and can't be opened again".into()));
                    }
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                // Closed before it is opened: the engine locks its directory.
                Some(Ok(failed)) => drop(failed),
                None => {}
            }
            *present = Some(Engine::open(&self.shared.dir, self.shared.durability)?);
            self.shared.failed.store(false, Ordering::Relaxed);
            self.shared.buckets.clear();
            self.shared.gaps.clear();
            tracing::warn!("the index was opened again after a failed write");
            return Ok(());
        }
    }

    /// Writes all of a group, or nothing.
    fn commit(&self, group: Writes) -> Result<()> {
        let engine = self.engine()?;
        let mode = match self.shared.durability {
            Durability::Strict => PersistMode::SyncData,
            Durability::None => PersistMode::Buffer,
        };
        let mut batch = engine.database.batch().durability(Some(mode));
        let rows: Vec<_> = group.into_iter().map(|((table, key), value)| (table.row(&key), value)).collect();
        let inserted = rows.iter().filter(|(_, value)| value.is_some()).map(|(row, _)| &row[..]);
        let under_way = self.shared.gaps.commit(inserted);
        let mut removed = Vec::new();
        for (row, value) in rows {
            if let Some(value) = value {
                batch.insert(&engine.rows, row, value);
            } else {
                batch.remove(&engine.rows, &row[..]);
                removed.push(row);
            }
        }
        let committed = self.shared.files.commit(&self.shared.dir, || Ok(batch.commit()))?;
        committed.inspect_err(|_| self.shared.failed.store(true, Ordering::Relaxed))?;
        drop(under_way);
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        if !removed.is_empty() {
            self.shared.removed.fetch_add(removed.len() as u64, Ordering::Relaxed);
            self.shared.gaps.removed(removed);
        }
        Ok(())
    }

    /// One row as of now.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.view().get(table, key)
    }

    /// All rows as of now: a commit that is being applied shows whole or not at all.
    pub(crate) fn view(&self) -> View {
        View { moment: self.moment() }
    }

    /// Removes rows that no change reads or writes, durably.
    pub(crate) fn forget(&self, rows: impl IntoIterator<Item = (Table, Uuid)>) -> Result<()> {
        let group: Writes = rows.into_iter().map(|(table, id)| ((table, id.as_bytes().to_vec()), None)).collect();
        if group.is_empty() { Ok(()) } else { self.commit(group) }
    }

    /// The rows of a table whose keys begin with `prefix` and lie behind `start`, in order, as of now.
    pub(crate) fn scan(&self, table: Table, prefix: &[u8], start: Bound<&[u8]>) -> impl Iterator<Item = Row> + use<> {
        let (failure, rows) = match self.moment() {
            Ok(moment) => (None, Some(moment.scan(table, prefix, start))),
            Err(error) => (Some(Err(error)), None),
        };
        failure.into_iter().chain(rows.into_iter().flatten())
    }
}

impl Moment {
    /// All rows of all tables, in order, with the table's byte before their keys. Whoever reads for so long gives up when the
    /// engine takes no more writes: it can't be opened anew as long as it is read, and changes go first.
    pub(crate) fn all(&self) -> impl Iterator<Item = Result<(Slice, Slice)>> {
        self.snapshot.iter(&self.engine.rows).map(|guard| match self.index.has_failed() {
            true => Err(Error::Index("it takes no more writes and has to be opened again, so this can't go on".into())),
            false => Ok(guard.into_inner()?),
        })
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.snapshot.get(&self.engine.rows, table.row(key))?.map(|value| value.to_vec()))
    }

    /// The rows of a table whose keys begin with `prefix` and lie behind `start`, in order.
    pub(crate) fn scan(&self, table: Table, prefix: &[u8], start: Bound<&[u8]>) -> impl Iterator<Item = Row> + use<> {
        let from = match start {
            Bound::Unbounded => table.row(prefix),
            Bound::Included(key) => table.row(key),
            Bound::Excluded(key) => behind(table.row(key)),
        };
        let rows = self.rows(from, successor(table.row(prefix)));
        rows.map(|row| row.map(|(key, value)| (key[1..].to_vec(), value)))
    }

    /// The rows of all tables from one on, in order, with the table's byte before their keys.
    fn rows(&self, from: Vec<u8>, end: Option<Vec<u8>>) -> Rows {
        Rows { moment: self.clone(), from: Some(from), end, some: None, begun: Vec::new(), last: None, tells: true }
    }

    /// Greater than that of every moment before, if something was committed in between.
    fn number(&self) -> u64 {
        self.snapshot.seqno()
    }
}

/// The first row that can follow a row.
fn behind(mut row: Vec<u8>) -> Vec<u8> {
    row.push(0);
    row
}

/// A row takes longer than this if much was removed before it.
const SLOW: Duration = Duration::from_micros(500);

/// Rows in order, read past what is known to be empty.
struct Rows {
    moment: Moment,
    /// Where the next stretch begins, if there is one.
    from: Option<Vec<u8>>,
    end: Option<Vec<u8>>,
    /// The stretch up to the next range that is known to be empty, or to the end.
    some: Option<fjall::Iter>,
    /// Where the stretch began.
    begun: Vec<u8>,
    /// The row of the stretch that came last.
    last: Option<Slice>,
    tells: bool,
}

impl Rows {
    /// Nobody is told when a row takes long.
    fn quiet(mut self) -> Self {
        self.tells = false;
        self
    }

    /// Begins the next stretch.
    fn stretch(&mut self, from: Vec<u8>) {
        let stretch = self.moment.index.gaps().ahead(from, self.moment.number());
        if self.end.as_ref().is_some_and(|end| stretch.from >= *end) {
            return;
        }
        let (stop, next) = match stretch.gap {
            Some((start, end)) if self.end.as_ref().is_none_or(|end| start < *end) => (Some(start), Some(end)),
            _ => (self.end.clone(), None),
        };
        let end = stop.map_or(Bound::Unbounded, Bound::Excluded);
        let range = (Bound::Included(stretch.from.clone()), end);
        self.some = Some(self.moment.snapshot.range(&self.moment.engine.rows, range));
        (self.from, self.begun, self.last) = (next, stretch.from, None);
    }
}

impl Iterator for Rows {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.some.is_none() {
                let from = self.from.take()?;
                self.stretch(from);
            }
            let asked = Instant::now();
            let row = self.some.as_mut()?.next();
            if self.tells && asked.elapsed() > SLOW {
                let from = self.last.as_ref().map_or_else(|| self.begun.clone(), |last| behind(last.to_vec()));
                self.moment.index.gaps().slow(from);
            }
            let Some(row) = row else {
                self.some = None;
                continue;
            };
            let row = row.into_inner();
            self.last = row.as_ref().ok().map(|(key, _)| key.clone());
            return Some(row.map_err(Error::from));
        }
    }
}

/// The index at one moment.
pub(crate) struct View {
    moment: Result<Moment>,
}

impl View {
    fn moment(&self) -> Result<&Moment> {
        self.moment.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.moment()?.get(table, key)
    }

    /// The first row whose key begins with the prefix and is `length` bytes long.
    pub(crate) fn first_of(&self, table: Table, prefix: &[u8], length: usize) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        for row in self.moment()?.scan(table, prefix, Bound::Unbounded) {
            let (key, value) = row?;
            if key.len() == length {
                return Ok(Some((key, value.to_vec())));
            }
        }
        Ok(None)
    }
}

/// The least byte string that is greater than everything which begins with `prefix`.
pub(crate) fn successor(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return Some(prefix);
        }
    }
    None
}

type Writes = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// The view that one change has: the index, the changes before it in its group, and its own writes.
pub(crate) struct Change<'a> {
    index: &'a Index,
    group: &'a Writes,
    writes: Writes,
    sequence: &'a mut u64,
}

impl Change<'_> {
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.pending(table, key) {
            Some(pending) => Ok(pending.cloned()),
            None => self.index.get(table, key),
        }
    }

    /// What the changes before this one and its own writes made of a row: `None` if they did not touch it.
    pub(crate) fn pending(&self, table: Table, key: &[u8]) -> Option<Option<&Vec<u8>>> {
        let slot = (table, key.to_vec());
        self.writes.get(&slot).or_else(|| self.group.get(&slot)).map(Option::as_ref)
    }

    /// A bucket as it was last committed.
    pub(crate) fn known(&self, bucket: &str) -> Result<Option<Arc<Known>>> {
        self.index.buckets().find(self.index, bucket)
    }

    pub(crate) fn insert(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        self.writes.insert((table, key.to_vec()), Some(value));
    }

    /// A number greater than all before it, also before a restart.
    pub(crate) fn next_sequence(&mut self) -> u64 {
        *self.sequence += 1;
        *self.sequence
    }

    pub(crate) fn remove(&mut self, table: Table, key: &[u8]) {
        self.writes.insert((table, key.to_vec()), None);
    }

    /// The rows that the changes before this one and its own writes touched, and whose keys begin with the prefix.
    fn touched(&self, table: Table, prefix: &[u8]) -> BTreeMap<&[u8], Option<&Vec<u8>>> {
        let from = (table, prefix.to_vec());
        // The change's own writes come last: they win.
        let writes = [self.group, &self.writes].into_iter().flat_map(|writes| writes.range(from.clone()..));
        let within = writes.filter(|((t, key), _)| *t == table && key.starts_with(prefix));
        within.map(|((_, key), value)| (&key[..], value.as_ref())).collect()
    }

    /// The first row whose key begins with the prefix and is `length` bytes long.
    pub(crate) fn first_of(&self, table: Table, prefix: &[u8], length: usize) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let touched = self.touched(table, prefix);
        let new = touched.iter().find(|(key, value)| key.len() == length && value.is_some());
        let new = new.and_then(|(key, value)| Some((key.to_vec(), (*value)?.clone())));
        for row in self.index.scan(table, prefix, Bound::Unbounded) {
            let (key, value) = row?;
            if new.as_ref().is_some_and(|(new, _)| *new < key) {
                break;
            }
            if key.len() == length && !touched.contains_key(&key[..]) {
                return Ok(Some((key, value.to_vec())));
            }
        }
        Ok(new)
    }

    /// Whether any key of the table begins with the prefix.
    pub(crate) fn any(&self, table: Table, prefix: &[u8]) -> Result<bool> {
        let touched = self.touched(table, prefix);
        if touched.values().any(|value| value.is_some()) {
            return Ok(true);
        }
        for row in self.index.scan(table, prefix, Bound::Unbounded) {
            if !touched.contains_key(&row?.0[..]) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The rows whose keys begin with the prefix, in order.
    pub(crate) fn scan(&self, table: Table, prefix: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let mut rows = BTreeMap::new();
        for row in self.index.scan(table, prefix, Bound::Unbounded) {
            let (key, value) = row?;
            rows.insert(key, value.to_vec());
        }
        for (key, value) in self.touched(table, prefix) {
            match value {
                Some(value) => rows.insert(key.to_vec(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows)
    }
}

/// Tells the caller of a change how the commit of its group ended;
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;
type Job = Box<dyn FnOnce(&mut Change<'_>) -> (bool, Answer) + Send>;

/// Who a change is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody waits for this one.
    Now,
    /// One of many that follow each other: those that somebody waits for go first.
    Bulk,
}

pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<(Urgency, Job)>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// New garbage of each group goes to the collector, and `told` is woken when changes wait in the outbox.
    pub(crate) fn start(index: Index, space: Arc<Space>, errands: Errands, told: Arc<Notify>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let sequence = outbox::last_sequence(&index)?;
        let thread = std::thread::Builder::new()
            .name("objects-writer".into())
            .spawn(move || run(&index, &space, &mut Waiting::new(queue), sequence, &errands, &told))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Makes a change and returns when it is durable. A change that fails leaves nothing.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Urgency::Now, change)?.await.map_err(|_| Error::Closed)?
    }

    /// The same for one of many changes.
    pub(crate) async fn change_in_bulk<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Urgency::Bulk, change)?.await.map_err(|_| Error::Closed)?
    }

    /// The same on a thread that may block.
    pub(crate) fn change_blocking<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Urgency::Now, change)?.blocking_recv().map_err(|_| Error::Closed)?
    }

    /// One of many changes, on a thread that may block.
    pub(crate) fn change_in_bulk_blocking<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(Urgency::Bulk, change)?.blocking_recv().map_err(|_| Error::Closed)?
    }

    fn submit<T: Send + 'static>(
        &self,
        urgency: Urgency,
        change: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |view| {
            let outcome = change(view);
            let good = outcome.is_ok();
            let answer: Answer = Box::new(move |failure| {
                // The caller may have gone away; its change stands all the same.
                let _ = reply.send(failure.map_or(outcome, Err));
            });
            (good, answer)
        });
        self.jobs.as_ref().ok_or(Error::Closed)?.send((urgency, job)).map_err(|_| Error::Closed)?;
        Ok(answer)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// The row as an errand, if it may be one for the collector.
fn garbage(table: Table, key: &[u8], value: &Option<Vec<u8>>) -> Option<(Table, Uuid)> {
    let wanted = matches!(table, Table::Garbage | Table::Pack) && value.is_some();
    wanted.then(|| Uuid::from_slice(key).ok()).flatten().map(|id| (table, id))
}

/// The changes that wait for the writer.
struct Waiting<J> {
    queue: mpsc::Receiver<(Urgency, J)>,
    now: VecDeque<J>,
    bulk: VecDeque<J>,
}

impl<J> Waiting<J> {
    fn new(queue: mpsc::Receiver<(Urgency, J)>) -> Self {
        Self { queue, now: VecDeque::new(), bulk: VecDeque::new() }
    }

    fn push(&mut self, (urgency, job): (Urgency, J)) {
        match urgency {
            Urgency::Now => self.now.push_back(job),
            Urgency::Bulk => self.bulk.push_back(job),
        }
    }

    /// Waits for a change. There is none any more when the store is closed.
    fn wait(&mut self) -> Option<()> {
        if self.now.is_empty() && self.bulk.is_empty() {
            let first = self.queue.recv().ok()?;
            self.push(first);
        }
        Some(())
    }

    /// The next change, if one waits; one of many only if the group still takes some.
    fn next(&mut self, takes_bulk: bool) -> Option<(Urgency, J)> {
        while let Ok(job) = self.queue.try_recv() {
            self.push(job);
        }
        if let Some(job) = self.now.pop_front() {
            return Some((Urgency::Now, job));
        }
        let job = if takes_bulk { self.bulk.pop_front() } else { None };
        job.map(|job| (Urgency::Bulk, job))
    }
}

fn run(index: &Index, space: &Space, waiting: &mut Waiting<Job>, mut sequence: u64, errands: &Errands, told: &Notify) {
    // Changes that arrive while a group is being synced form the next group: no timer is needed to fill one.
    while waiting.wait().is_some() {
        let admitted = space.admit_change().and_then(|()| if index.has_failed() { index.reopen() } else { Ok(()) });
        let mut group = Writes::new();
        let mut answers = Vec::new();
        let mut bulk_ends: Option<Instant> = None;
        while answers.len() < GROUP
            && group.len() < GROUP_ROWS
            && let Some((urgency, job)) = waiting.next(bulk_ends.is_none_or(|end| Instant::now() < end))
        {
            if urgency == Urgency::Bulk {
                bulk_ends.get_or_insert_with(|| Instant::now() + BULK);
            }
            let mut change = Change { index, group: &group, writes: Writes::new(), sequence: &mut sequence };
            let (good, answer) = job(&mut change);
            let writes = change.writes;
            if good {
                group.extend(writes);
            }
            answers.push(answer);
        }
        let garbage: Vec<_> = group.iter().filter_map(|((table, key), value)| garbage(*table, key, value)).collect();
        let buckets: Vec<_> =
            group.keys().filter(|(table, _)| matches!(table, Table::Bucket | Table::Document)).cloned().collect();
        let tells = group.iter().any(|((table, _), value)| *table == Table::Outbox && value.is_some());
        let committed = if group.is_empty() { Ok(()) } else { admitted.and_then(|()| index.commit(group)) };
        let failure = committed.err();
        // Also after a failure: nobody knows what is there now.
        buckets.iter().for_each(|(table, key)| index.buckets().forget(*table, key));
        if let Some(error) = &failure {
            space.note(error);
            tracing::error!(%error, "index commit failed");
        } else {
            garbage.into_iter().for_each(|row| errands.send(row));
            if tells {
                told.notify_one();
            }
        }
        for answer in answers {
            answer(failure.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_waited_for_goes_first_and_all_others_go_on() {
        let (jobs, queue) = mpsc::channel();
        let mut waiting = Waiting::new(queue);
        for job in [(Urgency::Bulk, 1), (Urgency::Now, 2), (Urgency::Bulk, 3), (Urgency::Now, 4)] {
            jobs.send(job).unwrap();
        }
        waiting.wait().unwrap();
        assert_eq!(waiting.next(true), Some((Urgency::Now, 2)));
        assert_eq!(waiting.next(true), Some((Urgency::Now, 4)));
        assert_eq!(waiting.next(false), None);
        assert_eq!(waiting.next(true), Some((Urgency::Bulk, 1)));
        jobs.send((Urgency::Now, 5)).unwrap();
        drop(jobs);
        assert_eq!(waiting.next(true), Some((Urgency::Now, 5)));
        assert!(waiting.wait().is_some(), "one of many still waits");
        assert_eq!(waiting.next(true), Some((Urgency::Bulk, 3)));
        assert!(waiting.wait().is_none());
    }
}
