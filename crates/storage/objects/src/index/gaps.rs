//! Ranges of rows that are known to be empty.
//!
//! The engine marks a removed row and takes it away much later: who reads on behind the row before it looks at each mark, a
//! million of them in half a second. What is known here is passed over at once, however much was removed.
//!
//! A range is learnt from a snapshot and holds for it and for all later ones, until a commit puts a row into it, which is told
//! before it begins. Nothing of this is on disk: it is only ever a shorter way to the same answer.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::mpsc::{self, SyncSender, TrySendError, sync_channel};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};

/// So many ranges are known at most.
const MOST: usize = 8192;
/// So many rows are remembered that come while somebody looks; then what is looked for is not learnt.
const MOST_INSERTED: usize = 1 << 16;
/// So many removed rows are told at once.
const TOGETHER: usize = 256;
/// So many hints wait at most; what comes then is not told.
const WAITING: usize = 256;

/// Where to look.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Rows that were removed, in order.
    Removed(Vec<Vec<u8>>),
    /// The row behind here was long in coming.
    Slow(Vec<u8>),
    /// Nothing more is looked for.
    Stop,
}

/// A part of a range of rows, from `from` on: rows, and where they go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The first row that may be there.
    pub(super) from: Vec<u8>,
    /// A range that may be passed over: its first row and the first one behind it.
    pub(super) gap: Option<(Vec<u8>, Vec<u8>)>,
}

struct Gap {
    /// The first row that may be there again.
    end: Vec<u8>,
    /// The first snapshot that it holds for.
    since: u64,
}

#[derive(Default)]
struct State {
    /// By their first rows; they neither overlap nor touch.
    known: BTreeMap<Vec<u8>, Gap>,
    /// First rows of those that were of use since there were too many.
    used: HashSet<Vec<u8>>,
    /// How many look.
    looks: usize,
    /// What was inserted since the first of them began.
    inserted: Vec<Vec<u8>>,
    /// Grows when looks that began before it must not be learnt from.
    epoch: u64,
    removed: Vec<Vec<u8>>,
    hints: Option<SyncSender<Hint>>,
}

#[derive(Default)]
pub(super) struct Gaps {
    /// Held, shared, by each commit.
    commits: RwLock<()>,
    state: Mutex<State>,
}

/// Somebody looks: learns what lies behind it, if nothing was put there meanwhile.
pub(super) struct Look<'a> {
    gaps: &'a Gaps,
    epoch: u64,
}

impl Gaps {
    /// What is told from now on where something may be learnt.
    pub(super) fn hints(&self) -> mpsc::Receiver<Hint> {
        let (hints, queue) = sync_channel(WAITING);
        self.state.lock().hints = Some(hints);
        queue
    }

    /// Ends what comes from [`hints`](Self::hints).
    pub(super) fn stop(&self) {
        let hints = self.state.lock().hints.take();
        if let Some(hints) = hints {
            // Without a reader there is nobody to stop.
            let _ = hints.send(Hint::Stop);
        }
    }

    /// A commit begins that inserts rows. It has ended when what this answers is dropped.
    pub(super) fn commit<'a>(&self, inserted: impl Iterator<Item = &'a [u8]>) -> RwLockReadGuard<'_, ()> {
        let guard = self.commits.read();
        let mut state = self.state.lock();
        if state.known.is_empty() && state.looks == 0 {
            return guard;
        }
        for row in inserted {
            state.split(row);
            if state.looks > 0 {
                state.inserted.push(row.to_vec());
            }
        }
        if state.inserted.len() > MOST_INSERTED {
            state.epoch += 1;
            state.inserted.clear();
        }
        drop(state);
        guard
    }

    /// Rows were removed.
    pub(super) fn removed(&self, rows: impl IntoIterator<Item = Vec<u8>>) {
        let mut state = self.state.lock();
        if state.hints.is_none() {
            return;
        }
        state.removed.extend(rows);
        if state.removed.len() >= TOGETHER {
            let mut rows = std::mem::take(&mut state.removed);
            rows.sort_unstable();
            state.hint(Hint::Removed(rows));
        }
    }

    /// The row behind `from` was long in coming.
    pub(super) fn slow(&self, from: Vec<u8>) {
        self.state.lock().hint(Hint::Slow(from));
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let mut state = self.state.lock();
        state.epoch += 1;
        state.known.clear();
        state.inserted.clear();
    }

    /// Waits for the commits under way. The snapshot that is looked at has to be taken afterwards.
    pub(super) fn look(&self) -> Look<'_> {
        let _no_commit = self.commits.write();
        let mut state = self.state.lock();
        state.looks += 1;
        Look { gaps: self, epoch: state.epoch }
    }

    /// How to read from `from` on, in the snapshot of that number.
    pub(super) fn ahead(&self, from: Vec<u8>, snapshot: u64) -> Stretch {
        let mut state = self.state.lock();
        if state.known.is_empty() {
            return Stretch { from, gap: None };
        }
        let from = match state.around(&from).filter(|(_, gap)| gap.since <= snapshot) {
            Some((start, gap)) => {
                let (start, end) = (start.clone(), gap.end.clone());
                state.used.insert(start);
                end
            }
            None => from,
        };
        let mut behind = state.known.range::<[u8], _>((Bound::Excluded(&from[..]), Bound::Unbounded));
        let next = behind.find(|(_, gap)| gap.since <= snapshot);
        let gap = next.map(|(start, gap)| (start.clone(), gap.end.clone()));
        if let Some((start, _)) = &gap {
            state.used.insert(start.clone());
        }
        Stretch { from, gap }
    }

    /// The range that a row lies in, or right behind: its first row and the first one behind it.
    pub(super) fn touching(&self, row: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let state = self.state.lock();
        let (start, gap) = state.known.range::<[u8], _>((Bound::Unbounded, Bound::Included(row))).next_back()?;
        (gap.end[..] >= *row).then(|| (start.clone(), gap.end.clone()))
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.state.lock().known.iter().map(|(start, gap)| (start.clone(), gap.end.clone())).collect()
    }
}

impl State {
    fn around(&self, row: &[u8]) -> Option<(&Vec<u8>, &Gap)> {
        let before = self.known.range::<[u8], _>((Bound::Unbounded, Bound::Included(row))).next_back();
        before.filter(|(_, gap)| *row < gap.end[..])
    }

    fn hint(&mut self, hint: Hint) {
        let Some(hints) = &self.hints else { return };
        if let Err(TrySendError::Disconnected(_)) = hints.try_send(hint) {
            self.hints = None;
        }
    }

    /// A row is put into a range: there are two then.
    fn split(&mut self, row: &[u8]) {
        let Some((start, _)) = self.around(row) else { return };
        let start = start.clone();
        let Some(gap) = self.known.remove(&start) else { return };
        let behind = [row, &[0]].concat();
        if behind < gap.end {
            self.add(behind, Gap { end: gap.end, since: gap.since });
        }
        if start[..] < *row {
            self.add(start, Gap { end: row.to_vec(), since: gap.since });
        }
    }

    fn add(&mut self, start: Vec<u8>, gap: Gap) {
        self.known.insert(start, gap);
        if self.known.len() > MOST {
            let used = std::mem::take(&mut self.used);
            self.known.retain(|start, _| used.contains(start));
            if self.known.len() > MOST / 2 {
                self.known.clear();
            }
        }
    }

    fn learn(&mut self, mut start: Vec<u8>, mut gap: Gap) {
        loop {
            let until = (Bound::Unbounded, Bound::Included(&gap.end[..]));
            let Some((near, _)) = self.known.range::<[u8], _>(until).next_back().filter(|(_, near)| near.end >= start)
            else {
                break;
            };
            let near = near.clone();
            let Some(other) = self.known.remove(&near) else { break };
            start = start.min(near);
            gap = Gap { end: gap.end.max(other.end), since: gap.since.max(other.since) };
        }
        self.add(start, gap);
    }
}

impl Look<'_> {
    /// In the snapshot of that number there was no row from `start` on before `end`. Answers whether that is known now.
    pub(super) fn learn(&self, start: Vec<u8>, end: Vec<u8>, snapshot: u64) -> bool {
        let mut state = self.gaps.state.lock();
        let touched = state.inserted.iter().any(|row| start <= *row && *row < end);
        let good = start < end && state.epoch == self.epoch && !touched;
        if good {
            state.learn(start, Gap { end, since: snapshot });
        }
        good
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let mut state = self.gaps.state.lock();
        state.looks -= 1;
        if state.looks == 0 {
            state.inserted.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }

    fn learn(gaps: &Gaps, start: &str, end: &str, snapshot: u64) -> bool {
        gaps.look().learn(row(start), row(end), snapshot)
    }

    fn known(gaps: &Gaps) -> Vec<(String, String)> {
        let text = |row: Vec<u8>| String::from_utf8(row).unwrap();
        gaps.known().into_iter().map(|(start, end)| (text(start), text(end))).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(start, end)| ((*start).to_owned(), (*end).to_owned())).collect()
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let gaps = Gaps::default();
        assert!(learn(&gaps, "b", "d", 1) && learn(&gaps, "f", "h", 2) && learn(&gaps, "p", "q", 1));
        assert_eq!(known(&gaps), pairs(&[("b", "d"), ("f", "h"), ("p", "q")]));
        assert!(learn(&gaps, "d", "f", 3) && !learn(&gaps, "x", "x", 3));
        assert_eq!(known(&gaps), pairs(&[("b", "h"), ("p", "q")]));
        assert!(learn(&gaps, "a", "z", 3));
        assert_eq!(known(&gaps), pairs(&[("a", "z")]));
    }

    #[test]
    fn a_range_is_passed_over_by_later_snapshots_only() {
        let gaps = Gaps::default();
        learn(&gaps, "b", "d", 5);
        learn(&gaps, "m", "n", 7);
        let ahead = |from: &str, snapshot| gaps.ahead(row(from), snapshot);
        let gap = |start: &str, end: &str| Some((row(start), row(end)));
        assert_eq!(ahead("a", 4), Stretch { from: row("a"), gap: None });
        assert_eq!(ahead("a", 5), Stretch { from: row("a"), gap: gap("b", "d") });
        assert_eq!(ahead("b", 5), Stretch { from: row("d"), gap: None });
        assert_eq!(ahead("c", 7), Stretch { from: row("d"), gap: gap("m", "n") });
        assert_eq!(ahead("d", 7), Stretch { from: row("d"), gap: gap("m", "n") });
        assert_eq!(ahead("o", 7), Stretch { from: row("o"), gap: None });
    }

    #[test]
    fn a_row_that_comes_back_splits_a_range() {
        let gaps = Gaps::default();
        learn(&gaps, "b", "f", 1);
        drop(gaps.commit([&b"d"[..], b"a", b"f"].into_iter()));
        assert_eq!(known(&gaps), pairs(&[("b", "d"), ("d\0", "f")]));
        drop(gaps.commit([&b"b"[..]].into_iter()));
        assert_eq!(known(&gaps), pairs(&[("b\0", "d"), ("d\0", "f")]));
        gaps.clear();
        assert_eq!(known(&gaps), []);
    }

    #[test]
    fn what_comes_during_a_look_is_not_overlooked() {
        let gaps = Gaps::default();
        let look = gaps.look();
        drop(gaps.commit([&b"d"[..]].into_iter()));
        assert!(!look.learn(row("b"), row("f"), 1));
        assert!(look.learn(row("b"), row("d"), 1) && look.learn(row("d\0"), row("f"), 1));
        gaps.clear();
        assert!(!look.learn(row("b"), row("d"), 1));
        drop(look);
        assert!(learn(&gaps, "b", "f", 1));
    }

    #[test]
    fn a_look_waits_for_the_commits_under_way() {
        let gaps = Gaps::default();
        let commit = gaps.commit([&b"d"[..]].into_iter());
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| drop(gaps.look()));
            assert_eq!(gaps.state.lock().looks, 0);
            drop(commit);
            looking.join().unwrap();
        });
    }

    #[test]
    fn too_many_ranges_leave_those_that_are_of_use() {
        let gaps = Gaps::default();
        for number in 0..MOST {
            learn(&gaps, &format!("{number:08}a"), &format!("{number:08}b"), 1);
        }
        assert_eq!(gaps.known().len(), MOST);
        gaps.ahead(row("00000100a"), 1);
        learn(&gaps, "x", "y", 1);
        assert_eq!(known(&gaps), pairs(&[("00000100a", "00000100b"), ("00000101a", "00000101b")]));
    }

    #[test]
    fn removed_rows_are_told_together() {
        let gaps = Gaps::default();
        gaps.removed([row("early")]);
        let hints = gaps.hints();
        gaps.removed((0..TOGETHER - 1).rev().map(|number| row(&format!("{number:04}"))));
        assert!(hints.try_recv().is_err());
        gaps.removed([row("9999")]);
        let Ok(Hint::Removed(rows)) = hints.try_recv() else { panic!("rows") };
        assert!(rows.len() == TOGETHER && rows.is_sorted());
        gaps.slow(row("a"));
        gaps.stop();
        assert_eq!(hints.iter().collect::<Vec<_>>(), [Hint::Slow(row("a")), Hint::Stop]);
    }
}
