//! The index: tables in one fjall keyspace, and the single writer that every change goes through.
//!
//! A change is a closure over a [`Change`]. The writer runs waiting changes one after the other, commits them as one batch with
//! one fsync, and only then answers each. So conditions are evaluated against everything before them, exactly one of two racing
//! conditional writes wins, and what is visible is durable.
//!
//! The engine takes no more writes once one of its own has failed, because it can't know what the disk has of it. Reads go on, and
//! the next change opens the engine anew: what its log holds then is what there is.

mod tail;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _, Slice, Snapshot};
use parking_lot::RwLock;
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

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
const CACHE_BYTES: u64 = 16 << 20;
const MEMTABLE_BYTES: u64 = 8 << 20;

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
}

struct Engine {
    database: Database,
    rows: Keyspace,
}

impl Engine {
    fn open(dir: &Path, durability: Durability) -> Result<Arc<Self>> {
        tail::mend(dir, durability == Durability::Strict)?;
        let database = Database::builder(dir).cache_size(CACHE_BYTES).worker_threads(1).open()?;
        let rows = database.keyspace(KEYSPACE, keyspace)?;
        Ok(Arc::new(Self { database, rows }))
    }
}

/// How the table of rows is made. The engine keeps this with the table.
pub(crate) fn keyspace() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
}

/// All rows at one moment.
pub(crate) struct Moment {
    engine: Arc<Engine>,
    snapshot: Snapshot,
}

impl Index {
    pub(crate) fn open(dir: &Path, files: Files, durability: Durability) -> Result<Self> {
        let engine = RwLock::new(Some(Engine::open(dir, durability)?));
        let (failed, buckets) = (AtomicBool::new(false), KnownBuckets::default());
        Ok(Self { shared: Arc::new(Shared { dir: dir.to_owned(), files, durability, engine, failed, buckets }) })
    }

    /// The buckets in memory.
    pub(crate) fn buckets(&self) -> &KnownBuckets {
        &self.shared.buckets
    }

    fn engine(&self) -> Result<Arc<Engine>> {
        self.shared.engine.read().clone().ok_or_else(|| Error::Index("it could not be opened again".into()))
    }

    pub(crate) fn moment(&self) -> Result<Moment> {
        let engine = self.engine()?;
        let snapshot = engine.database.snapshot();
        Ok(Moment { engine, snapshot })
    }

    /// Whether the engine takes no more writes.
    pub(crate) fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Relaxed)
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
        for ((table, key), value) in group {
            match value {
                Some(value) => batch.insert(&engine.rows, table.row(&key), value),
                None => batch.remove(&engine.rows, table.row(&key)),
            }
        }
        let committed = self.shared.files.commit(&self.shared.dir, || Ok(batch.commit()))?;
        Ok(committed.inspect_err(|_| self.shared.failed.store(true, Ordering::Relaxed))?)
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
    /// All rows of all tables, in order, with the table's byte before their keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = Result<(Slice, Slice)>> {
        self.snapshot.iter(&self.engine.rows).map(|guard| Ok(guard.into_inner()?))
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.snapshot.get(&self.engine.rows, table.row(key))?.map(|value| value.to_vec()))
    }

    /// The rows of a table whose keys begin with `prefix` and lie behind `start`, in order.
    pub(crate) fn scan(&self, table: Table, prefix: &[u8], start: Bound<&[u8]>) -> impl Iterator<Item = Row> + use<> {
        let start = match start {
            Bound::Unbounded => Bound::Included(table.row(prefix)),
            bound => bound.map(|key| table.row(key)),
        };
        let end = successor(table.row(prefix)).map_or(Bound::Unbounded, Bound::Excluded);
        // A scan may start behind the end: that is an empty range, which the tree would refuse.
        let empty = matches!((&start, &end), (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b)) if a >= b);
        let rows = (!empty).then(|| self.snapshot.range(&self.engine.rows, (start, end)));
        let engine = Arc::clone(&self.engine);
        rows.into_iter().flatten().map(move |guard| {
            // The engine is not opened anew while somebody reads.
            let _engine = &engine;
            let (key, value) = guard.into_inner()?;
            Ok((key[1..].to_vec(), value))
        })
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

pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// New garbage of each group goes to the collector, and `told` is woken when changes wait in the outbox.
    pub(crate) fn start(index: Index, space: Arc<Space>, errands: Errands, told: Arc<Notify>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let sequence = outbox::last_sequence(&index)?;
        let thread = std::thread::Builder::new()
            .name("objects-writer".into())
            .spawn(move || run(&index, &space, &queue, sequence, &errands, &told))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Makes a change and returns when it is durable. A change that fails leaves nothing.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(change)?.await.map_err(|_| Error::Closed)?
    }

    /// The same on a thread that may block.
    pub(crate) fn change_blocking<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(change)?.blocking_recv().map_err(|_| Error::Closed)?
    }

    fn submit<T: Send + 'static>(
        &self,
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
        self.jobs.as_ref().ok_or(Error::Closed)?.send(job).map_err(|_| Error::Closed)?;
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

fn run(index: &Index, space: &Space, queue: &mpsc::Receiver<Job>, mut sequence: u64, errands: &Errands, told: &Notify) {
    // Changes that arrive while a group is being synced form the next group: no timer is needed to fill one.
    while let Ok(first) = queue.recv() {
        let admitted = space.admit_change().and_then(|()| if index.has_failed() { index.reopen() } else { Ok(()) });
        let mut group = Writes::new();
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            let mut change = Change { index, group: &group, writes: Writes::new(), sequence: &mut sequence };
            let (good, answer) = job(&mut change);
            let writes = change.writes;
            if good {
                group.extend(writes);
            }
            answers.push(answer);
            let full = answers.len() >= GROUP || group.len() >= GROUP_ROWS;
            next = if full { None } else { queue.try_recv().ok() };
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
