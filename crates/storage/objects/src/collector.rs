//! The collector: removes files that no record references and has packs compacted, in the background and when a store is opened.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use uuid::Uuid;

use crate::blobs::Blobs;
use crate::compaction::Compactor;
use crate::error::{Error, Result};
use crate::index::{Index, Table};

/// How long the rows of removed files may wait for others, so that they share a sync.
const REST: Duration = Duration::from_millis(500);
/// How long they wait at most until a remote store is asked again.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How many rows share one at most.
const TOGETHER: usize = 1024;

/// What there is to do.
enum Errand {
    /// A row of a table of the collector's was written.
    Row(Table, Uuid),
    /// Compaction has what it needs.
    Equip(Compactor),
    /// The store is being closed: files may still be removed, but nothing is moved any more.
    Wind,
}

/// How others tell the collector what to do.
#[derive(Clone)]
pub(crate) struct Errands(mpsc::Sender<Errand>);

impl Errands {
    pub(crate) fn send(&self, (table, id): (Table, Uuid)) {
        // Without a collector the store is being closed; the next start finds the row.
        let _ = self.0.send(Errand::Row(table, id));
    }

    /// Gives the collector what compaction needs: it exists only after the collector.
    pub(crate) fn equip(&self, compactor: Compactor) {
        let _ = self.0.send(Errand::Equip(compactor));
    }

    /// Takes it back.
    pub(crate) fn wind_up(&self) {
        let _ = self.0.send(Errand::Wind);
    }

    /// A file that is about to be made.
    pub(crate) fn pending(&self, id: Uuid) -> Pending {
        Pending { errands: Some(self.clone()), id }
    }
}

/// A file that no record references yet: dropped, it and its intent row are removed.
pub(crate) struct Pending {
    errands: Option<Errands>,
    id: Uuid,
}

impl Pending {
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// From here on only the index decides: if the commit fails, the intent row removes the file at the next start.
    pub(crate) fn keep(mut self) -> Uuid {
        self.errands = None;
        self.id
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(errands) = self.errands.take() {
            errands.send((Table::Intent, self.id));
        }
    }
}

/// The thread; waited for, so that a closed store holds no lock any more. It ends with the last [`Errands`].
pub(crate) struct Collector(Option<JoinHandle<()>>);

impl Collector {
    pub(crate) fn start(index: Index, blobs: Arc<Blobs>) -> Result<(Self, Errands)> {
        let (errands, queue) = mpsc::channel();
        let thread = std::thread::Builder::new().name("objects-collector".into()).spawn(move || {
            let mut compactor: Option<Compactor> = None;
            let mut removed = Removed { index, blobs, rows: Vec::new(), rest: REST };
            while let Some(errand) = removed.next(&queue) {
                let (table, id) = match errand {
                    Errand::Row(table, id) => (table, id),
                    Errand::Equip(with) => {
                        compactor = Some(with);
                        continue;
                    }
                    Errand::Wind => {
                        compactor = None;
                        continue;
                    }
                };
                let outcome = match (table, &compactor) {
                    (Table::Pack, Some(compactor)) => compactor.run(id),
                    (Table::Pack, None) => Ok(()),
                    _ => removed.collect(table, id),
                };
                if let Err(error) = outcome {
                    tracing::warn!(%error, %id, "garbage stays until the next start");
                }
            }
            removed.forget();
        })?;
        Ok((Self(Some(thread)), Errands(errands)))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// Rows of both tables name files that no record references: a crash came before the record, or before the file was removed.
pub(crate) fn recover(index: &Index, blobs: &Arc<Blobs>) -> Result<()> {
    let mut removed = Removed { index: index.clone(), blobs: Arc::clone(blobs), rows: Vec::new(), rest: REST };
    for table in [Table::Intent, Table::Garbage] {
        for row in index.scan(table, &[], Bound::Unbounded) {
            removed.collect(table, id(&row?.0)?)?;
        }
    }
    removed.forget();
    Ok(())
}

/// As [`recover`], by the collector: what is removed in a remote store takes its time.
pub(crate) fn recover_later(index: &Index, errands: &Errands) -> Result<()> {
    for table in [Table::Intent, Table::Garbage] {
        for row in index.scan(table, &[], Bound::Unbounded) {
            errands.send((table, id(&row?.0)?));
        }
    }
    Ok(())
}

pub(crate) fn id(key: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(key).map_err(|_| Error::Corrupt("file id".into()))
}

/// Files that are removed, whose rows are not yet.
struct Removed {
    index: Index,
    blobs: Arc<Blobs>,
    rows: Vec<(Table, Uuid)>,
    /// How long they wait: longer while a remote store doesn't answer.
    rest: Duration,
}

impl Removed {
    /// The next errand; rows are forgotten while there is none. What a reader held on to in a remote store goes then, too.
    fn next(&mut self, queue: &mpsc::Receiver<Errand>) -> Option<Errand> {
        loop {
            let rest = match (self.rows.is_empty(), self.blobs.remote()) {
                (false, _) => self.rest,
                (true, Some(_)) => LONGEST_REST,
                (true, None) => return queue.recv().ok(),
            };
            match queue.recv_timeout(rest) {
                Ok(errand) => return Some(errand),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.forget(),
            }
        }
    }

    fn collect(&mut self, table: Table, id: Uuid) -> Result<()> {
        if self.blobs.remote().is_some()
            && table == Table::Intent
            && let Some(upload) = self.index.get(table, id.as_bytes())?.filter(|upload| !upload.is_empty())
        {
            let upload = String::from_utf8(upload).map_err(|_| Error::Corrupt("name of an upload".into()))?;
            self.blobs.abandon(id, upload);
        }
        if self.blobs.discard(id)? {
            self.rows.push((table, id));
            if self.rows.len() >= TOGETHER && self.rest == REST {
                self.forget();
            }
        }
        Ok(())
    }

    /// A row goes after its file is gone for good: a file that comes back after a power cut, and no row, would stay for ever.
    fn forget(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        match self.blobs.sync_dir() {
            Ok(()) => self.rest = REST,
            Err(error @ Error::Remote { .. }) => {
                tracing::warn!(%error, files = rows.len(), "files are not removed yet");
                (self.rows, self.rest) = (rows, (self.rest * 2).min(LONGEST_REST));
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "rows of removed files stay until the next start");
                return;
            }
        }
        if let Err(error) = self.index.forget(rows) {
            tracing::warn!(%error, "rows of removed files stay until the next start");
        }
    }
}
