//! The thread that has the engine take away what was removed, once much was and it is calm again.
//!
//! The engine does so on its own when a removed row's mark has sunk to the last level of its files, which takes as many writes
//! as that level is large. Until then the rows take their space on the disk, and a new process has to look at the marks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fjall::AbstractTree as _;

use super::Index;
use crate::error::Result;
use crate::space::Space;

/// How long it has to be calm.
const PAUSE: Duration = Duration::from_secs(5);
/// It is calm when fewer objects than this change in a pause: the disk takes long to sync what is written anew, and whoever
/// writes waits for it.
const CALM: u64 = 25;
/// The last level is written anew for so many removed rows at least,
const LEAST: u64 = 100_000;
/// and if they are this part of all rows.
const PART: u64 = 20;
/// An index of more rows is not written anew at once: new rows would wait too long for their place.
const MOST: u64 = 30_000_000;

/// The thread. It is waited for if it does nothing: what it does takes long and may be cut off at any moment.
pub(crate) struct Sweeper {
    stop: Option<mpsc::Sender<()>>,
    busy: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    pub(crate) fn start(index: Index, space: Arc<Space>) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let busy = Arc::new(AtomicBool::new(false));
        let is_busy = Arc::clone(&busy);
        let thread = std::thread::Builder::new()
            .name("objects-sweeper".into())
            .spawn(move || run(&index, &space, &stopped, &is_busy))?;
        Ok(Self { stop: Some(stop), busy, thread: Some(thread) })
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && !self.busy.load(Ordering::SeqCst)
        {
            // A panic was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn run(index: &Index, space: &Space, stopped: &mpsc::Receiver<()>, busy: &AtomicBool) {
    // What an earlier process removed may be enough.
    let (mut swept, mut seen, mut first) = (0, 0, true);
    while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
        let (removed, changes) = (index.removed(), index.changes());
        let calm = changes - seen < CALM;
        seen = changes;
        if !calm || (removed - swept < LEAST && !first) {
            continue;
        }
        (first, swept) = (false, removed);
        busy.store(true, Ordering::SeqCst);
        let outcome = sweep(index, space, LEAST);
        busy.store(false, Ordering::SeqCst);
        if let Err(error) = outcome {
            tracing::warn!(%error, "removed rows stay in the index's files for now");
        }
    }
}

/// Writes the index's files anew without the rows that were removed, if these are at least so many and it is worth it.
fn sweep(index: &Index, space: &Space, least: u64) -> Result<bool> {
    let engine = index.engine()?;
    let files = engine.rows.tree.current_version();
    let marks: u64 = files.iter_tables().map(|file| file.tombstone_count()).sum();
    let rows: u64 = files.iter_tables().map(|file| file.metadata.item_count).sum();
    let bytes = engine.rows.disk_space();
    drop(files);
    if marks < least || marks.saturating_mul(PART) < rows || rows > MOST {
        return Ok(false);
    }
    let disk = space.state()?;
    if disk.read_only || disk.free < disk.reserve.saturating_add(2 * bytes) {
        return Ok(false);
    }
    let begun = Instant::now();
    engine.rows.major_compact()?;
    let (ms, now) = (begun.elapsed().as_millis(), engine.rows.disk_space());
    tracing::info!(ms, removed = marks, before = bytes, now, "removed rows were taken away from the index's files");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use super::*;
    use crate::Durability;
    use crate::files::Files;
    use crate::index::{Table, Writes};

    #[test]
    fn what_was_removed_is_gone_from_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let index = Index::open(directory.path(), Files::default(), Durability::None).unwrap();
        let space = Space::open(directory.path(), Some(0)).unwrap();
        let commit = |numbers: std::ops::Range<u32>, value: Option<Vec<u8>>| {
            let rows = numbers.map(|number| ((Table::Current, number.to_be_bytes().to_vec()), value.clone()));
            index.commit(rows.collect::<Writes>()).unwrap();
            index.engine().unwrap().rows.rotate_memtable_and_wait().unwrap();
        };
        commit(0..3000, Some(vec![7; 40]));
        commit(0..1000, None);
        // A snapshot that is older than a later commit would hold on to the rows.
        commit(3000..3001, Some(vec![7; 40]));
        assert!(!sweep(&index, &space, 1001).unwrap());
        assert!(sweep(&index, &space, 1000).unwrap());
        let engine = index.engine().unwrap();
        let files = engine.rows.tree.current_version();
        assert_eq!(files.iter_tables().map(|file| file.tombstone_count()).sum::<u64>(), 0);
        assert_eq!(files.iter_tables().map(|file| file.metadata.item_count).sum::<u64>(), 2001);
        assert_eq!(index.scan(Table::Current, &[], Bound::Unbounded).count(), 2001);
        assert_eq!(index.removed(), 1000);
    }
}
