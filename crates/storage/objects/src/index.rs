//! The index: tables in one fjall keyspace, and the single writer that every change goes through.
//!
//! A change is a closure over a [`Change`]. The writer runs waiting changes one after the other, commits them as one batch with
//! one fsync, and only then answers each. So conditions are evaluated against everything before them, exactly one of two racing
//! conditional writes wins, and what is visible is durable.
//!
//! The engine takes no more writes once one of its own has failed, because it can't know what the disk has of it. Reads go on, and
//! the next change opens the engine anew: what its log holds then is what there is.

mod ahead;
mod gaps;
mod rows;
mod tail;
mod walker;
mod writer;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _, Slice, Snapshot};
use parking_lot::RwLock;
use uuid::Uuid;

pub(crate) use self::walker::Walker;
pub(crate) use self::writer::Writer;

use self::gaps::Gaps;
use self::rows::{Rows, behind};
use crate::Durability;
use crate::error::{Error, Result};
use crate::files::Files;
use crate::known::{Known, KnownBuckets};

const CACHE_BYTES: u64 = 16 << 20;
const MEMTABLE_BYTES: u64 = 8 << 20;
/// A commit of so many rows or more is filled up.
const MANY: usize = 64;
/// So many bytes for each of its rows.
const FILLED: usize = 140;
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
    /// nothing → zeros, see [`filler`].
    Filler,
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
}

struct Engine {
    database: Database,
    rows: Keyspace,
}

impl Engine {
    fn open(dir: &Path, durability: Durability) -> Result<Arc<Self>> {
        ahead::read_ahead(dir);
        tail::mend(dir, durability == Durability::Strict)?;
        let database = Database::builder(dir)
            .cache_size(CACHE_BYTES)
            .worker_threads(WORKERS)
            // Else a filler would not fill.
            .journal_compression(CompressionType::None)
            .open()?;
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
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The buckets in memory.
    pub(crate) fn buckets(&self) -> &KnownBuckets {
        &self.shared.buckets
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
        let mut rows: Vec<_> = group.into_iter().map(|((table, key), value)| (table.row(&key), value)).collect();
        rows.extend(filler(&rows).map(|zeros| (Table::Filler.row(&[]), Some(zeros))));
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
        if !removed.is_empty() {
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
        Rows::new(self.clone(), from, end)
    }

    /// Greater than that of every moment before, if something was committed in between.
    fn number(&self) -> u64 {
        self.snapshot.seqno()
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

/// Zeros that fill a commit of many short rows up, such as removed ones.
///
/// When it is opened, the engine goes through its log row by row, a microsecond and more for each, also if they are in its tables
/// long since; it begins another log after 64 MB, in which a million removed rows have room. With this there are 400,000.
fn filler(rows: &[(Vec<u8>, Option<Vec<u8>>)]) -> Option<Vec<u8>> {
    if rows.len() < MANY {
        return None;
    }
    let bytes: usize = rows.iter().map(|(row, value)| row.len() + value.as_ref().map_or(0, Vec::len)).sum();
    let missing = (rows.len() * FILLED).checked_sub(bytes)?;
    (missing > 0).then(|| vec![0; missing])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_short_rows_are_filled_up() {
        let rows = |count: usize, value: usize| vec![(vec![1; 40], (value > 0).then(|| vec![1; value])); count];
        assert_eq!(filler(&rows(1000, 0)).map(|zeros| zeros.len()), Some(100_000));
        assert_eq!(filler(&rows(1000, 60)).map(|zeros| zeros.len()), Some(40_000));
        assert_eq!(filler(&rows(1000, 100)), None);
        assert_eq!(filler(&rows(MANY - 1, 0)), None);
    }
}
