//! The journal as its callers see it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use boathouse_journal::{Durability, Journal, JournalError, NewRecord, Options, Record, ShardId};
use proptest::prelude::*;
use uuid::Uuid;

fn shard(number: u32) -> ShardId {
    ShardId { stream: Uuid::from_u128(9), shard: number }
}

/// Small segments, so that tests see many of them.
fn small() -> Options {
    Options { durability: Durability::Os, segment_bytes: 4096, pending_bytes: 4096, ..Options::default() }
}

fn record(data: &[u8]) -> NewRecord<'_> {
    NewRecord { key: b"key", data }
}

async fn put(journal: &Journal, shard: ShardId, data: &[u8]) -> u64 {
    journal.append(shard, 77, &[record(data)]).await.unwrap()
}

async fn all(journal: &Journal, shard: ShardId, from: u64) -> Vec<Record> {
    journal.read(shard, from, usize::MAX, usize::MAX).await.unwrap()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(dir.join("lane-0")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[tokio::test]
async fn an_idle_journal_leaves_nothing_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(&dir.path().join("journal"), &Options::default()).unwrap();
    journal.attach(shard(0), 0);
    assert_eq!(all(&journal, shard(0), 0).await, []);
    drop(journal);
    assert!(!dir.path().join("journal").exists());
}

#[tokio::test]
async fn records_come_back_in_order_from_any_number_on_before_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), &small()).unwrap();
    journal.attach(shard(0), 0);
    journal.attach(shard(1), 0);
    for n in 0..100_u64 {
        assert_eq!(put(&journal, shard(0), &[n as u8; 100]).await, n);
        let both = [record(b"a"), record(b"b")];
        assert_eq!(journal.append(shard(1), 1, &both).await.unwrap(), 2 * n);
    }
    assert!(segments(dir.path()).len() > 3);
    for journal in [journal, Journal::open(dir.path(), &small()).unwrap()] {
        journal.attach(shard(0), 0);
        journal.attach(shard(1), 0);
        for from in [0, 1, 50, 99, 100] {
            let found = all(&journal, shard(0), from).await;
            assert_eq!(found.iter().map(|it| it.sequence).collect::<Vec<_>>(), (from..100).collect::<Vec<_>>());
            assert!(found.iter().all(|it| it.data == vec![it.sequence as u8; 100] && it.arrival_ms == 77));
        }
        assert_eq!(all(&journal, shard(1), 0).await.len(), 200);
        let tail = *journal.tail(shard(1)).unwrap().borrow();
        assert_eq!((tail.end, tail.bytes), (200, 200));
        let few = journal.read(shard(0), 7, 3, usize::MAX).await.unwrap();
        assert_eq!(few.iter().map(|it| it.sequence).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(journal.read(shard(0), 7, 100, 250).await.unwrap().len(), 2);
        assert_eq!(journal.read(shard(0), 7, 100, 1).await.unwrap().len(), 1);
        drop(journal);
    }
    let journal = Journal::open(dir.path(), &small()).unwrap();
    journal.attach(shard(0), 0);
    assert_eq!(put(&journal, shard(0), b"next").await, 100);
}

#[tokio::test]
async fn consumed_segments_go_and_numbers_never_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), &small()).unwrap();
    journal.attach(shard(0), 0);
    journal.attach(shard(1), 0);
    put(&journal, shard(1), b"held").await;
    for _ in 0..100 {
        put(&journal, shard(0), &[1; 100]).await;
    }
    let before = segments(dir.path());
    journal.consume(shard(0), 100);
    let after = segments(dir.path());
    assert_eq!(after, [before.first().unwrap().clone(), before.last().unwrap().clone()], "held, and being written");
    drop(journal);
    let journal = Journal::open(dir.path(), &small()).unwrap();
    journal.attach(shard(0), 100);
    journal.forget_strangers();
    journal.consume(shard(0), 100);
    assert_eq!(segments(dir.path()), Vec::<PathBuf>::new(), "the other shard is forgotten");
    assert_eq!(put(&journal, shard(0), b"next").await, 100);
    assert_eq!(all(&journal, shard(0), 0).await.len(), 1);
}

#[tokio::test]
async fn what_can_not_be_taken_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), &small()).unwrap();
    let unknown = journal.append(shard(0), 1, &[record(b"x")]).await;
    assert!(matches!(unknown, Err(JournalError::UnknownShard(_))));
    assert!(matches!(journal.read(shard(0), 0, 1, 1).await, Err(JournalError::UnknownShard(_))));
    journal.attach(shard(0), 0);
    assert!(matches!(journal.append(shard(0), 1, &[record(&[0; 5000])]).await, Err(JournalError::TooLarge)));
    let long = NewRecord { key: &[0; 1025], data: b"" };
    assert!(matches!(journal.append(shard(0), 1, &[long]).await, Err(JournalError::TooLarge)));
    assert_eq!(journal.append(shard(0), 1, &[]).await.unwrap(), 0);
    let mut tail = journal.tail(shard(0)).unwrap();
    journal.forget(shard(0));
    assert!(tail.changed().await.is_err(), "watchers see the end");
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_what_waits_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), &small()).unwrap();
    journal.attach(shard(0), 0);
    let data = [5; 3000];
    let one = [record(&data)];
    let outcomes = futures::future::join_all((0..50).map(|_| journal.append(shard(0), 1, &one))).await;
    let kept: Vec<u64> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().copied()).collect();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(JournalError::Busy))));
    let found: Vec<u64> = all(&journal, shard(0), 0).await.iter().map(|record| record.sequence).collect();
    assert_eq!(found, kept);
    assert!(!kept.is_empty());
}

#[tokio::test]
async fn damage_is_told_and_not_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), &small()).unwrap();
    journal.attach(shard(0), 0);
    put(&journal, shard(0), b"sound").await;
    put(&journal, shard(0), &[9; 100]).await;
    drop(journal);
    let path = segments(dir.path()).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[150] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let journal = Journal::open(dir.path(), &small()).unwrap();
    journal.attach(shard(0), 0);
    assert_eq!(journal.read(shard(0), 0, 1, 1).await.unwrap().len(), 1);
    assert!(matches!(journal.read(shard(0), 0, 2, 1000).await, Err(JournalError::Damaged { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Appends to several shards, consumption and restarts, against a model of lists.
    #[test]
    fn it_behaves_like_lists(steps in prop::collection::vec((0_u8..10, 0_u32..3, 0_usize..1500), 1..60)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(agree_with_lists(&steps));
    }
}

async fn agree_with_lists(steps: &[(u8, u32, usize)]) {
    let dir = tempfile::tempdir().unwrap();
    let (mut model, mut consumed) = (HashMap::<u32, Vec<Vec<u8>>>::new(), HashMap::<u32, u64>::new());
    let reopen = |consumed: &HashMap<u32, u64>| {
        let journal = Journal::open(dir.path(), &small()).unwrap();
        (0..3).for_each(|number| journal.attach(shard(number), consumed.get(&number).copied().unwrap_or(0)));
        journal.forget_strangers();
        journal
    };
    let mut journal = reopen(&consumed);
    for (action, number, size) in steps {
        let list = model.entry(*number).or_default();
        match action {
            0 => {
                drop(journal);
                journal = reopen(&consumed);
            }
            1 => {
                let through = (*size as u64).min(list.len() as u64);
                let slot = consumed.entry(*number).or_default();
                *slot = through.max(*slot);
                journal.consume(shard(*number), *slot);
            }
            _ => {
                let data = vec![list.len() as u8; *size];
                assert_eq!(put(&journal, shard(*number), &data).await, list.len() as u64);
                list.push(data);
            }
        }
    }
    for (number, list) in &model {
        let from = consumed.get(number).copied().unwrap_or(0);
        let found: Vec<_> = all(&journal, shard(*number), from).await.into_iter().map(|it| it.data.to_vec()).collect();
        assert_eq!(&found, &list[from as usize..]);
    }
}

const CHILD: &str = "BOATHOUSE_JOURNAL_CRASH_DIR";

fn crash_options() -> Options {
    Options { segment_bytes: 1 << 20, pending_bytes: 1 << 20, ..Options::default() }
}

/// Bytes that differ from writer to writer and from record to record.
fn body(writer: u32, number: u64) -> Vec<u8> {
    let size = [10, 700, 20_000][number as usize % 3];
    (0..size)
        .map(|i: u64| (i ^ number ^ u64::from(writer)).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()[7])
        .collect()
}

/// Run by the crash test in a child process: appends until it is killed, and prints what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child process of the crash test below"]
async fn crash_child() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let journal = Journal::open(dir.as_ref(), &crash_options()).unwrap();
    let writers = (0..8_u32).map(|writer| {
        let journal = journal.clone();
        journal.attach(shard(writer), 0);
        tokio::spawn(async move {
            loop {
                let next = journal.tail(shard(writer)).unwrap().borrow().end;
                let sequence = put(&journal, shard(writer), &body(writer, next)).await;
                // One write call: a line on a pipe is then there whole or not at all when the kill comes.
                std::io::stderr().write_all(format!("ack {writer} {sequence}\n").as_bytes()).unwrap();
            }
        })
    });
    futures::future::join_all(writers).await;
}

#[tokio::test]
async fn kill_dash_nine_loses_nothing_acknowledged_round_after_round() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = HashMap::<u32, u64>::new();
    for round in 0..6 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash_child", "--ignored", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut seen = 0;
        for line in lines.filter(|line| line.starts_with("ack ")) {
            let numbers: Vec<u64> = line.split(' ').skip(1).map(|n| n.parse().unwrap()).collect();
            acknowledged.insert(numbers[0] as u32, numbers[1]);
            seen += 1;
            if seen == 20 + 37 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let journal = Journal::open(dir.path(), &crash_options()).unwrap();
        for writer in 0..8 {
            journal.attach(shard(writer), 0);
            let found = all(&journal, shard(writer), 0).await;
            assert!(
                found.len() as u64 > acknowledged.get(&writer).copied().unwrap_or(0)
                    || !acknowledged.contains_key(&writer)
            );
            for (sequence, record) in found.iter().enumerate() {
                assert_eq!(record.sequence, sequence as u64, "numbers have no gap and none is there twice");
                assert_eq!(record.data, body(writer, record.sequence));
            }
        }
    }
    assert_eq!(acknowledged.len(), 8);
}
