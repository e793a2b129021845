//! The store itself: SQLite in WAL mode, many readers, one writer thread with group commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::MetadataError;
use crate::key::Key;
use crate::transaction::{AfterCommit, Entry, Transaction, count, get, scan};

/// How many transactions may share one fsync.
const GROUP_LIMIT: usize = 256;
/// Read connections kept open between reads.
const IDLE_READERS: usize = 4;

/// The handle to the store. Cheap to clone.
#[derive(Clone)]
pub struct Metadata {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: mpsc::Sender<Job>,
    readers: Mutex<Vec<Connection>>,
}

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metadata").field("path", &self.inner.path).finish()
    }
}

/// One page of a list operation.
#[derive(Debug)]
pub struct Page {
    /// The rows, in order.
    pub entries: Vec<Entry>,
    /// Where the next page starts after, if there is one.
    pub next: Option<Key>,
}

/// Runs inside the group's transaction and returns what to do once the group is durable (or lost).
type Job = Box<dyn FnOnce(&Connection, u64) -> Acknowledge + Send>;
type Acknowledge = Box<dyn FnOnce(Result<(), MetadataError>) + Send>;

impl Metadata {
    /// Opens the store in the file `path`, making it if needed (readable by its owner only).
    ///
    /// # Errors
    /// [`MetadataError::Storage`] when the file can't be made, or is not a store.
    pub fn open(path: &Path) -> Result<Self, MetadataError> {
        let connection = create(path)?;
        let newest: i64 =
            connection.query_row("SELECT coalesce(max(version), 0) FROM entries", [], |row| row.get(0))?;
        let (writer, jobs) = mpsc::channel();
        std::thread::Builder::new()
            .name("metadata-writer".into())
            .spawn(move || write_groups(&connection, &jobs, newest as u64))
            .map_err(|error| MetadataError::Storage(error.to_string()))?;
        let inner = Inner { path: path.to_owned(), writer, readers: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The row at `key`. A point read takes microseconds, so it is not asynchronous.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn get(&self, space: &'static str, key: &Key) -> Result<Option<Entry>, MetadataError> {
        self.read(|connection| get(connection, space, key))
    }

    /// The row at `key` as JSON.
    ///
    /// # Errors
    /// [`MetadataError::Storage`], [`MetadataError::Malformed`].
    pub fn get_json<T: DeserializeOwned>(&self, space: &'static str, key: &Key) -> Result<Option<T>, MetadataError> {
        self.get(space, key)?.map(|entry| entry.json()).transpose()
    }

    /// Up to `limit` rows below `prefix`, after `after`, in order.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn scan(
        &self,
        space: &'static str,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Entry>, MetadataError> {
        self.read(|connection| scan(connection, space, prefix, after, limit))
    }

    /// How many rows there are below `prefix`, after `after`; counting ends at `limit`.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn count(
        &self,
        space: &'static str,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<usize, MetadataError> {
        self.read(|connection| count(connection, space, prefix, after, limit))
    }

    /// One page of at most `limit` rows below `prefix`.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn page(
        &self,
        space: &'static str,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Page, MetadataError> {
        let mut entries = self.scan(space, prefix, after, limit.saturating_add(1))?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|entry| entry.key.clone());
        Ok(Page { entries, next })
    }

    /// Runs `body` alone on the writer's thread; its writes are kept together or not at all. Returns once they are on
    /// disk. `body` must not wait for anything: all other writers wait for it.
    ///
    /// # Errors
    /// What `body` answers (nothing is kept then), or a [`MetadataError`] as `E`.
    pub async fn transaction<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<MetadataError> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.submit(body, move |outcome| drop(sender.send(outcome)))?;
        receiver.await.unwrap_or_else(|_| Err(MetadataError::Closed.into()))
    }

    /// [`Metadata::transaction`] for threads without a runtime, as at start.
    ///
    /// # Errors
    /// As [`Metadata::transaction`].
    pub fn transaction_blocking<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<MetadataError> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel();
        self.submit(body, move |outcome| drop(sender.send(outcome)))?;
        receiver.recv().unwrap_or_else(|_| Err(MetadataError::Closed.into()))
    }

    fn submit<T, E, F>(&self, body: F, answer: impl FnOnce(Result<T, E>) + Send + 'static) -> Result<(), E>
    where
        T: Send + 'static,
        E: From<MetadataError> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let job: Job = Box::new(move |connection, version| {
            let outcome = in_savepoint(connection, version, body);
            Box::new(move |commit| {
                answer(match (outcome, commit) {
                    (Ok(_), Err(lost)) => Err(lost.into()),
                    (Err(refused), _) => Err(refused),
                    (Ok((value, after_commit)), Ok(())) => {
                        after_commit.into_iter().for_each(|wake| wake());
                        Ok(value)
                    }
                });
            })
        });
        self.inner.writer.send(job).map_err(|_| MetadataError::Closed.into())
    }

    /// A connection of its own.
    pub(crate) fn reader(&self) -> Result<Connection, MetadataError> {
        open_reader(&self.inner.path)
    }

    fn read<T>(&self, body: impl FnOnce(&Connection) -> Result<T, MetadataError>) -> Result<T, MetadataError> {
        let idle = self.inner.readers.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.inner.path)?,
        };
        let outcome = body(&connection);
        let mut readers = self.inner.readers.lock();
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        outcome
    }
}

/// The database, made if needed.
pub(crate) fn create(path: &Path) -> Result<Connection, MetadataError> {
    create_private(path)?;
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;
         CREATE TABLE IF NOT EXISTS entries (
             space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL,
             PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;",
    )?;
    Ok(connection)
}

fn create_private(path: &Path) -> Result<(), MetadataError> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| MetadataError::Storage(format!("{}: {error}", path.display())))
}

fn open_reader(path: &Path) -> Result<Connection, MetadataError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.execute_batch("PRAGMA cache_size = -1024;")?;
    Ok(connection)
}

fn write_groups(connection: &Connection, jobs: &mpsc::Receiver<Job>, newest: u64) {
    let mut version = newest;
    while let Ok(first) = jobs.recv() {
        version = next_version(version);
        let mut waiting = Vec::new();
        let committed = write_group(connection, version, first, jobs, &mut waiting);
        if let Err(error) = &committed {
            tracing::error!(%error, transactions = waiting.len(), "metadata commit failed");
        }
        for acknowledge in waiting {
            acknowledge(committed.clone());
        }
    }
}

fn write_group(
    connection: &Connection,
    version: u64,
    first: Job,
    jobs: &mpsc::Receiver<Job>,
    waiting: &mut Vec<Acknowledge>,
) -> Result<(), MetadataError> {
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        waiting.push(Box::new(move |_| drop(first)));
        return Err(error.into());
    }
    waiting.push(first(connection, version));
    while !connection.is_autocommit()
        && waiting.len() < GROUP_LIMIT
        && let Ok(job) = jobs.try_recv()
    {
        waiting.push(job(connection, version));
    }
    if connection.is_autocommit() {
        // A full or broken disk makes the database roll all of it back, in the middle of a job: nothing may follow, as it
        // would be kept while it is told to have failed.
        return Err(MetadataError::Storage("the disk refused a write, and all that shared its sync is undone".into()));
    }
    connection.execute_batch("COMMIT").map_err(|error| {
        // A failed commit may leave the transaction open; the next group needs a clean start.
        if let Err(rollback) = connection.execute_batch("ROLLBACK") {
            tracing::debug!(error = %rollback, "rollback after a failed commit");
        }
        error.into()
    })
}

/// Versions follow the clock, so that a version that was deleted does not come back after a restart.
fn next_version(last: u64) -> u64 {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
    micros.max(last + 1)
}

fn in_savepoint<T, E: From<MetadataError>>(
    connection: &Connection,
    version: u64,
    body: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<(T, Vec<AfterCommit>), E> {
    let batch = |sql| connection.execute_batch(sql).map_err(|error| E::from(MetadataError::from(error)));
    batch("SAVEPOINT job")?;
    let transaction = Transaction::new(connection, version);
    let outcome =
        catch_unwind(AssertUnwindSafe(|| body(&transaction))).unwrap_or_else(|_| Err(MetadataError::Panicked.into()));
    if outcome.is_err() {
        batch("ROLLBACK TO job")?;
    }
    batch("RELEASE job")?;
    outcome.map(|value| (value, transaction.into_after_commit()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const SPACE: &str = "test";

    fn store() -> (tempfile::TempDir, Metadata) {
        let dir = tempfile::tempdir().unwrap();
        let store = Metadata::open(&dir.path().join("metadata.db")).unwrap();
        (dir, store)
    }

    /// A database that may not grow is a full disk.
    #[test]
    fn a_full_disk_undoes_the_whole_group_and_spoils_nothing() {
        let (_dir, store) = store();
        put(&store, "before", "1");
        store.transaction_blocking::<_, MetadataError, _>(|tx| tx.limit_pages(40)).unwrap();
        let (enter, entered) = mpsc::channel::<()>();
        // Holds the writer, so that what follows shares one group.
        let holder = std::thread::spawn({
            let store = store.clone();
            move || {
                store.transaction_blocking::<_, MetadataError, _>(move |_| {
                    entered.recv().ok();
                    Ok(())
                })
            }
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        let (answers, answered) = mpsc::channel();
        for (name, size) in [("small", 10), ("too large", 10 << 20), ("small too", 10)] {
            let answers = answers.clone();
            let write = move |tx: &Transaction<'_>| tx.put(SPACE, &Key::new([name]), &vec![7; size]);
            store
                .submit::<_, MetadataError, _>(write, move |outcome| answers.send((name, outcome.is_ok())).unwrap())
                .unwrap();
        }
        drop(enter);
        holder.join().unwrap().ok();
        let answered: BTreeMap<_, _> = answered.into_iter().take(3).collect();
        for (name, good) in answered {
            let there = store.get(SPACE, &Key::new([name])).unwrap().is_some();
            assert_eq!(there, good, "{name} is there if it was told to be");
            assert!(!good || name != "too large");
        }
        put(&store, "after", "1");
        assert!(store.get(SPACE, &Key::new(["before"])).unwrap().is_some());
    }

    fn put(store: &Metadata, key: &str, value: &str) {
        let (key, value) = (Key::new([key]), value.to_owned());
        store.transaction_blocking(move |tx| tx.put(SPACE, &key, value.as_bytes())).unwrap();
    }

    #[test]
    fn a_failed_transaction_keeps_nothing() {
        let (_dir, store) = store();
        let outcome: Result<(), MetadataError> = store.transaction_blocking(|tx| {
            tx.put(SPACE, &Key::new(["a"]), b"1")?;
            Err(MetadataError::Conflict)
        });
        assert!(matches!(outcome, Err(MetadataError::Conflict)));
        let outcome: Result<(), MetadataError> = store.transaction_blocking(|tx| {
            tx.put(SPACE, &Key::new(["a"]), b"1")?;
            panic!("in the middle")
        });
        assert!(matches!(outcome, Err(MetadataError::Panicked)));
        assert_eq!(store.get(SPACE, &Key::new(["a"])).unwrap(), None);
    }

    #[test]
    fn what_follows_a_commit_follows_only_a_commit() {
        let (_dir, store) = store();
        let (sender, woken) = mpsc::channel();
        for kept in [false, true] {
            let sender = sender.clone();
            let _ = store.transaction_blocking(move |tx| {
                tx.after_commit(move || sender.send(kept).unwrap());
                if kept { Ok(()) } else { Err(MetadataError::Conflict) }
            });
        }
        drop(sender);
        assert_eq!(woken.iter().collect::<Vec<_>>(), [true]);
    }

    #[test]
    fn compare_and_set_sees_other_writers() {
        let (_dir, store) = store();
        let key = Key::new(["a"]);
        let write = |expected| {
            let key = key.clone();
            store.transaction_blocking(move |tx| tx.put_if(SPACE, &key, b"x", expected))
        };
        let first = write(None).unwrap();
        assert!(matches!(write(None), Err(MetadataError::Conflict)));
        let second = write(Some(first)).unwrap();
        assert!(second > first);
        assert!(matches!(write(Some(first)), Err(MetadataError::Conflict)));
    }

    #[test]
    fn rows_are_there_after_reopening() {
        let (dir, store) = store();
        put(&store, "a", "1");
        drop(store);
        let again = Metadata::open(&dir.path().join("metadata.db")).unwrap();
        assert_eq!(again.get(SPACE, &Key::new(["a"])).unwrap().unwrap().value, b"1");
    }

    #[test]
    fn pages_follow_each_other() {
        let (_dir, store) = store();
        for name in ["a", "b", "c"] {
            put(&store, name, name);
        }
        let first = store.page(SPACE, &Key::default(), None, 2).unwrap();
        assert_eq!(first.entries.len(), 2);
        assert_eq!(store.count(SPACE, &Key::default(), None, 9).unwrap(), 3);
        assert_eq!(store.count(SPACE, &Key::default(), first.next.as_ref(), 9).unwrap(), 1);
        assert_eq!(store.count(SPACE, &Key::default(), None, 2).unwrap(), 2);
        let second = store.page(SPACE, &Key::default(), first.next.as_ref(), 2).unwrap();
        assert_eq!(second.entries[0].key.last(), "c");
        assert!(second.next.is_none());
    }

    #[tokio::test]
    async fn concurrent_transactions_do_not_lose_updates() {
        let (_dir, store) = store();
        let count = |tx: &Transaction<'_>| -> Result<(), MetadataError> {
            let key = Key::new(["n"]);
            let n: u64 = tx.get_json(SPACE, &key)?.unwrap_or(0);
            tx.put_json(SPACE, &key, &(n + 1)).map(drop)
        };
        let work: Vec<_> = (0..200)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.transaction(count).await })
            })
            .collect();
        for handle in work {
            handle.await.unwrap().unwrap();
        }
        assert_eq!(store.get_json::<u64>(SPACE, &Key::new(["n"])).unwrap(), Some(200));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn it_behaves_like_a_map(ops in proptest::collection::vec(("[a-c]{1,2}", "[a-c]{0,2}", any::<bool>()), 1..40)) {
            let (_dir, store) = store();
            let mut model = BTreeMap::new();
            let expected = {
                for (a, b, keep) in &ops {
                    if *keep { model.insert(vec![a.clone(), b.clone()], a.clone().into_bytes()); }
                    else { model.remove(&vec![a.clone(), b.clone()]); }
                }
                model
            };
            store.transaction_blocking::<_, MetadataError, _>(move |tx| {
                for (a, b, keep) in &ops {
                    let key = Key::new([a, b]);
                    if *keep { tx.put(SPACE, &key, a.as_bytes())?; } else { tx.delete(SPACE, &key)?; }
                }
                Ok(())
            }).unwrap();
            let rows: BTreeMap<_, _> = store.scan(SPACE, &Key::default(), None, 100).unwrap()
                .into_iter().map(|entry| (entry.key.parts(), entry.value)).collect();
            prop_assert_eq!(&rows, &expected);
            let below: Vec<_> = store.scan(SPACE, &Key::new(["a"]), None, 100).unwrap();
            prop_assert_eq!(below.len(), expected.keys().filter(|key| key[0] == "a").count());
        }
    }
}
