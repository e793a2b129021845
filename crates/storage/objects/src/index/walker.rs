//! The thread that learns which ranges of rows are empty: after many rows were removed, where somebody waited for long, and,
//! when a store is opened, where the engine's files say that rows were removed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fjall::AbstractTree as _;

use super::gaps::Hint;
use super::{Index, Moment, successor};
use crate::error::Result;

/// A range is worth knowing that so many of the rows that were told lay in.
const FEWEST: usize = 16;
/// After so many ranges that were not worth it the rest of the rows is left alone.
const MISSES: usize = 16;
/// A range is worth knowing that takes so long to read over.
const WORTH: Duration = Duration::from_micros(200);
/// Files with fewer marks than this are not looked at.
const MARKS: u64 = 1000;
/// So many marks are looked at together.
const TOGETHER: usize = 4096;

/// The thread; waited for, so that a closed store holds no lock any more.
pub(crate) struct Walker {
    index: Index,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Walker {
    pub(crate) fn start(index: Index) -> Result<Self> {
        let queue = index.gaps().hints();
        let stopped = Arc::new(AtomicBool::new(false));
        let (walks, stop) = (index.clone(), Arc::clone(&stopped));
        let thread = std::thread::Builder::new().name("objects-walker".into()).spawn(move || {
            if let Err(error) = look_at_files(&walks, &stop) {
                tracing::debug!(%error, "where rows were removed is not known yet");
            }
            run(&walks, &queue);
        })?;
        Ok(Self { index, stopped, thread: Some(thread) })
    }
}

impl Drop for Walker {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.index.gaps().stop();
        if let Some(thread) = self.thread.take() {
            // A panic was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn run(index: &Index, queue: &mpsc::Receiver<Hint>) {
    while let Ok(hint) = queue.recv() {
        let outcome = match hint {
            Hint::Removed(rows) => look_behind(index, &rows),
            Hint::Slow(row) => look_at(index, &row),
            Hint::Stop => return,
        };
        if let Err(error) = outcome {
            // Nothing is lost: who reads there reads over what was removed.
            tracing::debug!(%error, "ranges of removed rows are not known");
        }
    }
}

/// Learns the ranges that begin with rows that were removed.
fn look_behind(index: &Index, rows: &[Vec<u8>]) -> Result<()> {
    let (mut rest, mut misses) = (rows, 0);
    while let [first, ..] = rest
        && misses < MISSES
    {
        let look = index.gaps().look();
        let moment = index.moment()?;
        let near = index.gaps().touching(first);
        let from = near.as_ref().map_or(first, |(_, end)| end);
        let end = first_row(&moment, from)?;
        let inside = rest.partition_point(|row| *row < end);
        if inside >= FEWEST || (near.is_some() && *from < end) {
            let start = near.map_or_else(|| first.clone(), |(start, _)| start);
            look.learn(start, end, moment.number());
        } else {
            misses += 1;
        }
        rest = &rest[inside.max(1)..];
    }
    Ok(())
}

/// Learns the range at a row, if it takes long to read over.
fn look_at(index: &Index, row: &[u8]) -> Result<()> {
    let look = index.gaps().look();
    let moment = index.moment()?;
    let near = index.gaps().touching(row);
    let begun = Instant::now();
    let end = first_row(&moment, near.as_ref().map_or(row, |(_, end)| end))?;
    if begun.elapsed() >= WORTH {
        look.learn(near.map_or_else(|| row.to_vec(), |(start, _)| start), end, moment.number());
    }
    Ok(())
}

/// The first row of a table from a place on, or its end.
fn first_row(moment: &Moment, from: &[u8]) -> Result<Vec<u8>> {
    let end = successor(from[..1].to_vec());
    let found = moment.rows(from.to_vec(), end.clone()).quiet().next();
    Ok(match found {
        Some(row) => row?.0.to_vec(),
        None => end.unwrap_or_else(|| from.to_vec()),
    })
}

/// Looks at the marks of removed rows in the engine's files, so that a new process knows what the one before it had learnt.
fn look_at_files(index: &Index, stop: &AtomicBool) -> Result<()> {
    let files = index.engine()?.rows.tree.current_version();
    for file in files.iter_tables().filter(|file| file.tombstone_count() >= MARKS) {
        let mut rows = Vec::new();
        for item in file.iter() {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let item = item.map_err(fjall::Error::from)?;
            if item.is_tombstone() {
                rows.push(item.key.user_key.to_vec());
            }
            if rows.len() >= TOGETHER {
                look_behind(index, &std::mem::take(&mut rows))?;
            }
        }
        look_behind(index, &rows)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::*;
    use crate::Durability;
    use crate::files::Files;
    use crate::index::{Table, Writes};

    fn index(directory: &tempfile::TempDir) -> Index {
        Index::open(directory.path(), Files::default(), Durability::None).unwrap()
    }

    fn key(number: usize) -> Vec<u8> {
        format!("b\0{number:05}").into_bytes()
    }

    fn commit(index: &Index, rows: impl IntoIterator<Item = (usize, bool)>) {
        let rows = rows.into_iter().map(|(number, there)| ((Table::Current, key(number)), there.then(Vec::new)));
        index.commit(rows.collect::<Writes>()).unwrap();
    }

    fn numbers(moment: &Moment, start: Bound<&[u8]>) -> Vec<usize> {
        let rows = moment.scan(Table::Current, b"b\0", start);
        rows.map(|row| std::str::from_utf8(&row.unwrap().0[2..]).unwrap().parse().unwrap()).collect()
    }

    fn removed(numbers: impl IntoIterator<Item = usize>) -> Vec<Vec<u8>> {
        numbers.into_iter().map(|number| Table::Current.row(&key(number))).collect()
    }

    #[test]
    fn what_was_removed_is_known_and_grows() {
        let directory = tempfile::tempdir().unwrap();
        let index = index(&directory);
        commit(&index, (0..1000).map(|number| (number, true)));
        let before = index.moment().unwrap();
        commit(&index, (100..200).map(|number| (number, false)));
        look_behind(&index, &removed(100..200)).unwrap();
        let row = |number| Table::Current.row(&key(number));
        assert_eq!(index.gaps().known(), [(row(100), row(200))]);
        // A few more, which alone would not be worth it.
        commit(&index, (200..203).chain(700..703).map(|number| (number, false)));
        look_behind(&index, &removed((200..203).chain(700..703))).unwrap();
        assert_eq!(index.gaps().known(), [(row(100), row(203))]);
        let now = index.moment().unwrap();
        let left = |numbers: std::ops::Range<usize>| -> Vec<usize> {
            numbers.filter(|number| !(100..203).contains(number) && !(700..703).contains(number)).collect()
        };
        assert_eq!(numbers(&now, Bound::Unbounded), left(0..1000));
        assert_eq!(numbers(&now, Bound::Included(&key(150))), left(150..1000));
        assert_eq!(numbers(&now, Bound::Excluded(&key(99))), left(100..1000));
        // What an older moment sees is still there.
        assert_eq!(numbers(&before, Bound::Excluded(&key(150))), (151..1000).collect::<Vec<_>>());
        commit(&index, [(150, true)]);
        assert_eq!(numbers(&index.moment().unwrap(), Bound::Included(&key(101)))[..2], [150, 203]);
    }

    #[test]
    fn the_last_rows_of_a_table_end_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let index = index(&directory);
        commit(&index, (0..100).map(|number| (number, true)));
        commit(&index, (0..100).map(|number| (number, false)));
        look_behind(&index, &removed(0..100)).unwrap();
        assert_eq!(index.gaps().known(), [(Table::Current.row(&key(0)), vec![Table::Intent as u8])]);
        assert_eq!(numbers(&index.moment().unwrap(), Bound::Unbounded), Vec::<usize>::new());
        let written = index.scan(Table::Intent, &[], Bound::Unbounded).count();
        assert_eq!(written, 0);
    }

    #[test]
    fn a_new_process_learns_from_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let index = index(&directory);
        commit(&index, (0..3000).map(|number| (number, true)));
        commit(&index, (0..2500).map(|number| (number, false)));
        index.engine().unwrap().rows.rotate_memtable_and_wait().unwrap();
        look_at_files(&index, &AtomicBool::new(false)).unwrap();
        assert_eq!(index.gaps().known(), [(Table::Current.row(&key(0)), Table::Current.row(&key(2500)))]);
    }

    #[test]
    fn the_thread_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let index = index(&directory);
        let walker = Walker::start(index.clone()).unwrap();
        commit(&index, (0..3000).map(|number| (number, true)));
        commit(&index, (0..2500).map(|number| (number, false)));
        while index.gaps().known().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(walker);
        assert_eq!(numbers(&index.moment().unwrap(), Bound::Unbounded), (2500..3000).collect::<Vec<_>>());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Write(usize, usize, bool),
        Look(usize, usize),
        Slow(usize),
        Read(usize, bool),
        Flush,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let place = 0_usize..300;
        let length = 1_usize..120;
        let step = prop_oneof![
            4 => (place.clone(), length.clone(), any::<bool>()).prop_map(|(at, length, there)| Step::Write(at, length, there)),
            3 => (place.clone(), length).prop_map(|(at, length)| Step::Look(at, length)),
            1 => place.clone().prop_map(Step::Slow),
            4 => (place, any::<bool>()).prop_map(|(at, old)| Step::Read(at, old)),
            1 => Just(Step::Flush),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Whatever is known, a reader sees what it would see without.
        #[test]
        fn nothing_is_passed_over_that_is_there(steps in steps()) {
            let directory = tempfile::tempdir().unwrap();
            let index = index(&directory);
            let mut rows: BTreeMap<usize, ()> = (0..300).map(|number| (number, ())).collect();
            commit(&index, rows.keys().map(|number| (*number, true)));
            let (mut old, mut old_rows) = (index.moment().unwrap(), rows.clone());
            for step in steps {
                match step {
                    Step::Write(at, length, there) => {
                        commit(&index, (at..at + length).map(|number| (number, there)));
                        for number in at..at + length {
                            if there { rows.insert(number, ()); } else { rows.remove(&number); }
                        }
                    }
                    Step::Look(at, length) => look_behind(&index, &removed(at..at + length)).unwrap(),
                    Step::Slow(at) => {
                        let look = index.gaps().look();
                        let moment = index.moment().unwrap();
                        let from = Table::Current.row(&key(at));
                        let end = first_row(&moment, &from).unwrap();
                        look.learn(from, end, moment.number());
                    }
                    Step::Read(at, false) => {
                        let seen = numbers(&index.moment().unwrap(), Bound::Included(&key(at)));
                        prop_assert_eq!(seen, rows.range(at..).map(|(number, ())| *number).collect::<Vec<_>>());
                    }
                    Step::Read(at, true) => {
                        let seen = numbers(&old, Bound::Excluded(&key(at)));
                        prop_assert_eq!(seen, old_rows.range(at + 1..).map(|(number, ())| *number).collect::<Vec<_>>());
                        (old, old_rows) = (index.moment().unwrap(), rows.clone());
                    }
                    Step::Flush => {
                        index.engine().unwrap().rows.rotate_memtable_and_wait().unwrap();
                    }
                }
            }
        }
    }
}
