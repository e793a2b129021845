use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use boathouse_aws::ManualClock;
use boathouse_metadata::{Metadata, MetadataError};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{Outcome, Queue, Task, exponential};

struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    metadata: Metadata,
    queue: Queue<String>,
}

fn start() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(start()));
    let metadata = Metadata::open(&dir.path().join("metadata.db")).unwrap();
    let queue = Queue::new(metadata.clone(), Arc::clone(&clock) as _, "test-tasks");
    Bench { dir, clock, metadata, queue }
}

impl Bench {
    /// A worker that tells what it sees and answers by `outcome`.
    fn worker(
        &self,
        concurrency: usize,
        outcome: impl Fn(&Task<String>) -> Outcome + Send + Sync + 'static,
    ) -> UnboundedReceiver<Task<String>> {
        let (sender, seen) = unbounded_channel();
        self.queue.spawn(concurrency, move |task| {
            let outcome = outcome(&task);
            let sent = sender.send(task).is_ok();
            async move { if sent { outcome } else { Outcome::Done } }
        });
        seen
    }

    async fn idle(&self) {
        while !self.queue.agenda(1, &HashSet::new()).unwrap().due.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_task_waits_for_its_time() {
    let bench = bench();
    let mut seen = bench.worker(1, |_| Outcome::Done);
    let id = bench.queue.enqueue(start() + TimeDelta::days(1), "tomorrow".into()).await.unwrap();
    bench.queue.enqueue(start(), "now".into()).await.unwrap();
    assert_eq!(seen.recv().await.unwrap().body, "now");
    bench.clock.advance(TimeDelta::hours(23));
    tokio::task::yield_now().await;
    assert!(seen.try_recv().is_err());
    bench.clock.advance(TimeDelta::hours(1));
    let task = seen.recv().await.unwrap();
    assert_eq!((task.body.as_str(), task.attempt, task.created), ("tomorrow", 1, start()));
    bench.idle().await;
    assert_eq!(bench.queue.get(&id).unwrap(), None);
}

#[tokio::test]
async fn a_failed_transaction_adds_nothing() {
    let bench = bench();
    let queue = bench.queue.clone();
    let refused: Result<(), MetadataError> = bench
        .metadata
        .transaction(move |tx| {
            queue.add(tx, start(), &"never".to_owned())?;
            Err(MetadataError::Conflict)
        })
        .await;
    assert!(refused.is_err());
    assert!(bench.queue.agenda(9, &HashSet::new()).unwrap().due.is_empty());
}

#[tokio::test]
async fn attempts_are_counted_and_dead_letters_kept() {
    let bench = bench();
    let mut seen = bench.worker(2, |task| match task.attempt {
        1 => Outcome::RetryAt(task.due + exponential(1, TimeDelta::minutes(1), TimeDelta::hours(1))),
        2 => Outcome::Dead("no luck".into()),
        _ => unreachable!(),
    });
    bench.queue.enqueue(start(), "hard".into()).await.unwrap();
    assert_eq!(seen.recv().await.unwrap().attempt, 1);
    bench.idle().await;
    bench.clock.advance(TimeDelta::minutes(1));
    assert_eq!(seen.recv().await.unwrap().attempt, 2);
    bench.idle().await;
    let letter = bench.queue.dead_letters(9).unwrap().pop().unwrap();
    assert_eq!((letter.body.as_str(), letter.attempts, letter.reason.as_str()), ("\"hard\"", 2, "no luck"));
    let queue = bench.queue.clone();
    assert!(bench.metadata.transaction(move |tx| queue.discard_dead_letter(tx, &letter)).await.unwrap());
    assert!(bench.queue.dead_letters(9).unwrap().is_empty());
}

#[tokio::test]
async fn a_panic_ends_one_task_only() {
    let bench = bench();
    let mut seen = bench.worker(1, |task| {
        assert!(task.body != "bad", "in the middle");
        Outcome::Done
    });
    bench.queue.enqueue(start(), "bad".into()).await.unwrap();
    bench.queue.enqueue(start(), "good".into()).await.unwrap();
    assert_eq!(seen.recv().await.unwrap().body, "good");
    assert_eq!(bench.queue.dead_letters(9).unwrap()[0].body, "\"bad\"");
}

#[tokio::test]
async fn a_successor_in_place_of_a_running_task_stays() {
    let bench = bench();
    let (queue, metadata) = (bench.queue.clone(), bench.metadata.clone());
    bench.queue.spawn(1, move |task: Task<String>| {
        let (queue, metadata) = (queue.clone(), metadata.clone());
        async move {
            let next = task.due + TimeDelta::days(1);
            metadata.transaction(move |tx| queue.put(tx, &task.id, next, &"next".to_owned())).await.unwrap();
            Outcome::Done // which is about the old task
        }
    });
    let id = bench.queue.enqueue(start(), "first".into()).await.unwrap();
    bench.idle().await;
    let next = bench.queue.get(&id).unwrap().unwrap();
    assert_eq!((next.body.as_str(), next.due), ("next", start() + TimeDelta::days(1)));
    let queue = bench.queue.clone();
    let removed: Result<(bool, bool), MetadataError> =
        bench.metadata.transaction(move |tx| Ok((queue.remove(tx, &id)?, queue.remove(tx, &id)?))).await;
    assert_eq!(removed.unwrap(), (true, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_run_at_once_than_may() {
    let bench = bench();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sender, mut done) = unbounded_channel();
    let counters = (Arc::clone(&now), Arc::clone(&most));
    bench.queue.spawn(3, move |task: Task<String>| {
        let ((now, most), sender) = (counters.clone(), sender.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            sender.send(task.body).unwrap();
            Outcome::Done
        }
    });
    let names: BTreeSet<String> = (0..100).map(|n| n.to_string()).collect();
    for name in names.clone() {
        bench.queue.enqueue(start(), name).await.unwrap();
    }
    let mut seen = BTreeSet::new();
    while seen.len() < names.len() {
        seen.insert(done.recv().await.unwrap());
    }
    assert_eq!(seen, names);
    assert!(most.load(Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn another_process_takes_up_what_was_going_on() {
    let bench = bench();
    let (sender, mut begun) = unbounded_channel();
    let worker = bench.queue.spawn(1, move |task: Task<String>| {
        sender.send(task.body).unwrap();
        std::future::pending()
    });
    bench.queue.enqueue(start(), "long".into()).await.unwrap();
    begun.recv().await.unwrap();
    worker.abort();
    let path = bench.dir.path().join("metadata.db");
    drop((bench.queue, bench.metadata));
    let metadata = Metadata::open(&path).unwrap();
    let queue = Queue::new(metadata.clone(), Arc::clone(&bench.clock) as _, "test-tasks");
    let again = Bench { queue, metadata, ..bench };
    let mut seen = again.worker(1, |_| Outcome::Done);
    let task = seen.recv().await.unwrap();
    assert_eq!((task.body.as_str(), task.attempt), ("long", 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn tasks_are_taken_in_the_order_of_due_time_and_arrival(minutes in proptest::collection::vec(0_i64..6, 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bench = bench();
            let mut expected: Vec<(i64, usize)> = minutes.iter().copied().zip(0..).collect();
            for (minute, n) in &expected {
                bench.queue.enqueue(start() + TimeDelta::minutes(*minute), n.to_string()).await.unwrap();
            }
            expected.sort_unstable();
            bench.clock.advance(TimeDelta::hours(1));
            let mut seen = bench.worker(1, |_| Outcome::Done);
            for (minute, n) in expected {
                let task = seen.recv().await.unwrap();
                assert_eq!((task.due, task.body), (start() + TimeDelta::minutes(minute), n.to_string()));
            }
        });
    }

    #[test]
    fn pauses_double_up_to_a_limit(attempt in 0_u32..2000) {
        let (first, longest) = (TimeDelta::seconds(1), TimeDelta::hours(1));
        let (pause, next) = (exponential(attempt, first, longest), exponential(attempt + 1, first, longest));
        prop_assert!(first <= pause && pause <= next && next <= longest);
    }
}
