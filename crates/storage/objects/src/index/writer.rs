//! The single writer: changes that wait, those that somebody waits for before the others, in groups that share one fsync.

use std::collections::VecDeque;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::{Change, Index, Table, Writes};
use crate::collector::Errands;
use crate::error::{Error, Result};
use crate::outbox;
use crate::space::Space;

/// The changes that share one fsync at most.
const GROUP: usize = 64;
/// A group that changes so many rows takes no more changes.
const GROUP_ROWS: usize = 1000;
/// How long a group goes on with changes that nobody in particular waits for: whoever comes meanwhile waits so long, and for
/// the sync.
const BULK_TIME: Duration = Duration::from_millis(2);

/// Tells the caller of a change how the commit of its group ended;
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;
type Job = Box<dyn FnOnce(&mut Change<'_>) -> (bool, Answer) + Send>;

/// Who a change is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
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

/// When one of many changes is taken.
#[derive(Clone, Copy)]
enum Bulk {
    First,
    Last,
    Never,
}

impl Bulk {
    /// Each group takes at least one, if only at its end, and more of them as long as it has time.
    fn of(group: usize, end: Option<Instant>) -> Self {
        match end {
            None if group + 1 >= GROUP => Self::First,
            Some(end) if Instant::now() >= end => Self::Never,
            _ => Self::Last,
        }
    }
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

    /// The next change, if one waits.
    fn next(&mut self, bulk: Bulk) -> Option<(Urgency, J)> {
        while let Ok(job) = self.queue.try_recv() {
            self.push(job);
        }
        let now = |waiting: &mut Self| waiting.now.pop_front().map(|job| (Urgency::Now, job));
        let many = |waiting: &mut Self| waiting.bulk.pop_front().map(|job| (Urgency::Bulk, job));
        match bulk {
            Bulk::First => many(self).or_else(|| now(self)),
            Bulk::Last => now(self).or_else(|| many(self)),
            Bulk::Never => now(self),
        }
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
            && let Some((urgency, job)) = waiting.next(Bulk::of(answers.len(), bulk_ends))
        {
            if urgency == Urgency::Bulk {
                bulk_ends.get_or_insert_with(|| Instant::now() + BULK_TIME);
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
        assert_eq!(waiting.next(Bulk::Last), Some((Urgency::Now, 2)));
        assert_eq!(waiting.next(Bulk::Last), Some((Urgency::Now, 4)));
        assert_eq!(waiting.next(Bulk::Never), None);
        assert_eq!(waiting.next(Bulk::Last), Some((Urgency::Bulk, 1)));
        jobs.send((Urgency::Now, 5)).unwrap();
        drop(jobs);
        assert_eq!(waiting.next(Bulk::Last), Some((Urgency::Now, 5)));
        assert!(waiting.wait().is_some(), "one of many still waits");
        assert_eq!(waiting.next(Bulk::Last), Some((Urgency::Bulk, 3)));
        assert!(waiting.wait().is_none());
    }

    #[test]
    fn a_group_of_those_who_are_waited_for_ends_with_one_of_many() {
        let (jobs, queue) = mpsc::channel();
        let mut waiting = Waiting::new(queue);
        jobs.send((Urgency::Bulk, 0)).unwrap();
        (1..=2 * GROUP).for_each(|job| jobs.send((Urgency::Now, job)).unwrap());
        let group: Vec<_> = (0..GROUP).map(|at| waiting.next(Bulk::of(at, None)).unwrap().1).collect();
        assert_eq!(group, (1..GROUP).chain([0]).collect::<Vec<_>>());
        assert!(matches!(Bulk::of(5, Some(Instant::now())), Bulk::Never));
    }
}
