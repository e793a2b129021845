//! The power goes, or the disk fails, at every single step of every write.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::Files;
use super::Step;
use super::audit::audit;
use super::faults::{Loss, Plan};
use super::workload::{self, Ledger};
use crate::Error;

/// In memory, where there is such a place: the simulated disk alone decides what a sync is worth.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

const KINDS: [Step; 9] = [
    Step::MakeDirectory,
    Step::Create,
    Step::Open,
    Step::Write,
    Step::Sync,
    Step::SyncDirectory,
    Step::Rename,
    Step::Remove,
    Step::Commit,
];

/// How many steps the workload has, about: the threads of a store are not always as quick as each other.
///
/// Where the mover fills the last pack to its end just before the restart, none is left to be opened: such a run does
/// not count.
async fn steps() -> usize {
    let mut missing = Vec::new();
    for _ in 0..5 {
        let steps = uncut().await;
        missing = KINDS.into_iter().filter(|kind| !steps.contains(kind)).collect();
        if missing.is_empty() {
            return steps.len();
        }
    }
    panic!("the workload has no {missing:?}");
}

async fn uncut() -> Vec<Step> {
    let dir = directory();
    let (files, faults) = Files::faulty(dir.path(), Plan::Count);
    let ledger = workload::run(&dir.path().join("store"), &files, &faults).await;
    let unexpected: Vec<_> =
        ledger.failures().iter().filter(|error| !matches!(error, Error::PreconditionFailed)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    faults.steps().into_iter().map(|(step, _)| step).collect()
}

/// Opens a store that something happened to, and checks everything.
async fn examine(dir: &Path, ledger: &Ledger, what: &str) {
    let store = workload::open(dir, &Files::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    workload::check(&store, ledger).await;
    workload::use_again(&store).await;
    drop(store);
    let store = workload::open(dir, &Files::default()).unwrap();
    workload::check(&store, ledger).await;
    let started = Instant::now();
    loop {
        let wrong = audit(&store);
        if wrong.is_empty() {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{what}: {wrong:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn cut_at_every_step(loss: Loss) {
    for at in 1..=steps().await {
        let (dir, image) = (directory(), directory());
        let image = image.path().join("image");
        let plan = Plan::Cut { at, loss, image: image.clone() };
        let (files, faults) = Files::faulty(dir.path(), plan);
        let ledger = workload::run(&dir.path().join("store"), &files, &faults).await;
        if !faults.is_dead() {
            continue;
        }
        let what = format!("{loss:?} at step {at}: {:?}", faults.steps().last());
        let outcome = tokio::spawn({
            let what = what.clone();
            async move { examine(&image.join("store"), &ledger, &what).await }
        });
        outcome.await.unwrap_or_else(|_| panic!("{what}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_dies_at_every_step() {
    cut_at_every_step(Loss::Torn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_synced_is_lost_at_every_step() {
    cut_at_every_step(Loss::Unsynced).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_synced_is_zeros_at_every_step() {
    cut_at_every_step(Loss::Zeroed).await;
}

/// The disk is full at one step, and fails at the next one, and so on.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_fails_at_every_step() {
    for at in 1..=steps().await {
        let errno = if at % 2 == 0 { Errno::NOSPC } else { Errno::IO };
        let dir = directory();
        let plan = Plan::Fail { at, errno: errno.raw_os_error() };
        let (files, faults) = Files::faulty(dir.path(), plan);
        let ledger = workload::run(&dir.path().join("store"), &files, &faults).await;
        if !faults.happened() {
            continue;
        }
        let what = format!("{errno:?} at step {at}: {:?}", faults.steps().get(at - 1));
        let ours = |error: &Error| match error {
            Error::Io(error) => error.raw_os_error() == Some(errno.raw_os_error()),
            // What follows from it.
            Error::PreconditionFailed | Error::NoSuchBucket(_) | Error::NoSuchKey(_) | Error::NoSuchVersion(_) => true,
            _ => false,
        };
        let strange: Vec<_> = ledger.failures().iter().filter(|error| !ours(error)).collect();
        assert!(strange.is_empty(), "{what}: {strange:?}");
        let direct = ledger.failures().iter().filter(|error| matches!(error, Error::Io(_))).count();
        assert!(direct <= 1 + 11, "{what}: only those who shared the failed step: {:?}", ledger.failures());
        let outcome = tokio::spawn({
            let (what, dir) = (what.clone(), dir.path().join("store"));
            async move { examine(&dir, &ledger, &what).await }
        });
        outcome.await.unwrap_or_else(|_| panic!("{what}"));
    }
}
