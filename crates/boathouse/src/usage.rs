//! What the parts of the data directory take up on the disk.
//!
//! It is measured on a thread of its own, when somebody asks and what is known is old: nobody waits for it.

use std::collections::BTreeMap;
use std::fs::read_dir;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How paths in the data directory begin, and the part that they belong to; the first that fits counts.
const PARTS: [(&str, &str); 9] = [
    ("objects/index", "indexes"),
    ("objects", "objects"),
    ("metadata.db", "metadata"),
    ("journal", "journal"),
    ("logs", "logs"),
    ("trail", "audit"),
    ("lambda", "functions"),
    ("runtimes", "runtimes"),
    ("work", "work"),
];
/// The part of everything else, such as keys.
const OTHER: &str = "other";
/// How long what was measured is good enough.
const FRESH: Duration = Duration::from_secs(15);
/// Measuring takes no more than this fraction of the time.
const SHARE: u32 = 50;
/// Bytes of the blocks that the system counts in.
const BLOCK: u64 = 512;

/// One part's files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// Bytes on the disk.
    pub(crate) bytes: u64,
    pub(crate) files: u64,
}

/// What was measured.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) at: Instant,
    took: Duration,
    pub(crate) parts: BTreeMap<&'static str, Part>,
}

impl Measured {
    fn is_old(&self) -> bool {
        self.at.elapsed() > FRESH.max(self.took * SHARE)
    }
}

/// Knows what was measured last.
pub(crate) struct Usage {
    directory: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<Measured>,
    measuring: bool,
}

impl Usage {
    pub(crate) fn new(directory: &Path) -> Arc<Self> {
        Arc::new(Self { directory: directory.to_owned(), state: Mutex::default() })
    }

    /// What was measured last, if anything was; lets it be measured anew if that is old.
    pub(crate) fn last(self: &Arc<Self>) -> Option<Measured> {
        let mut state = self.state();
        if !state.measuring && state.last.as_ref().is_none_or(Measured::is_old) {
            let usage = Arc::clone(self);
            let thread = std::thread::Builder::new().name("disk-usage".to_owned());
            // A system without a thread to spare leaves what is known.
            state.measuring = thread.spawn(move || usage.measure()).is_ok();
        }
        state.last.clone()
    }

    fn measure(&self) {
        let begun = Instant::now();
        let parts = parts(&self.directory);
        let last = Some(Measured { at: Instant::now(), took: begun.elapsed(), parts });
        *self.state() = State { last, measuring: false };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sum of each part's files. What goes away meanwhile doesn't count.
fn parts(directory: &Path) -> BTreeMap<&'static str, Part> {
    let mut found: BTreeMap<&'static str, Part> = PARTS.iter().map(|(_, part)| (*part, Part::default())).collect();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(path),
                Ok(metadata) => {
                    let part = found.entry(part_of(path.strip_prefix(directory).unwrap_or(&path))).or_default();
                    part.bytes += metadata.blocks() * BLOCK;
                    part.files += 1;
                }
                Err(_) => {}
            }
        }
    }
    found
}

fn part_of(path: &Path) -> &'static str {
    let path = path.as_os_str().as_encoded_bytes();
    PARTS.iter().find(|(beginning, _)| path.starts_with(beginning.as_bytes())).map_or(OTHER, |(_, part)| part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_for_their_part() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: usize| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![1; bytes]).unwrap();
        };
        write("objects/blobs/00/a", 10_000);
        write("objects/index/keyspaces/1/tables/2", 5_000);
        write("metadata.db", 100);
        write("metadata.db-wal", 100);
        write("credentials", 1);
        let found = parts(directory.path());
        assert!(found["objects"].bytes >= 10_000, "{found:?}");
        assert_eq!((found["objects"].files, found["indexes"].files), (1, 1));
        assert_eq!((found["metadata"].files, found[OTHER].files), (2, 1));
        assert_eq!(found["audit"], Part::default());
    }

    #[test]
    fn it_is_measured_when_somebody_asks() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("credentials"), "x").unwrap();
        let usage = Usage::new(directory.path());
        assert!(usage.last().is_none());
        let begun = Instant::now();
        let found = loop {
            if let Some(found) = usage.last() {
                break found;
            }
            assert!(begun.elapsed() < Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(found.parts[OTHER].files, 1);
        assert!(!found.is_old());
    }
}
