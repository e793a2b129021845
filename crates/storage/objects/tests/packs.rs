//! Packs: small objects that share files, their compaction, damage and crashes.
#![allow(clippy::unwrap_used, missing_docs)]

mod crash;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use boathouse_objects::{CopyRequest, Error, Expectations, ListRequest, Objects, Options, PutRequest};
use bytes::Bytes;
use futures::{StreamExt as _, stream};

/// Small packs, so that a test fills many.
fn open(dir: &Path) -> Objects {
    Objects::open(dir, &Options { pack_bytes: 1 << 20, ..Options::default() }).unwrap()
}

fn body(seed: u64, size: usize) -> Vec<u8> {
    let words =
        (0..size as u64 / 8 + 1).flat_map(|i| (i ^ seed << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    words.take(size).collect()
}

async fn put(store: &Objects, key: &str, bytes: Vec<u8>) {
    let request = PutRequest { bucket: "b".into(), key: key.into(), ..PutRequest::default() };
    store.put(request, stream::iter([Ok(Bytes::from(bytes))]), Expectations::default).await.unwrap();
}

async fn get(store: &Objects, key: &str) -> Result<Bytes, Error> {
    let object = store.get("b", key)?;
    object.read_range(0..object.info().size).await
}

fn files(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn pack_bytes(dir: &Path) -> u64 {
    files(&dir.join("packs")).iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Waits for the collector.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "never came: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn small_objects_share_a_file_that_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let sizes = [4097, 65_535, 65_536, 65_537, 200_000];
    for size in sizes {
        put(&store, &size.to_string(), body(1, size)).await;
    }
    drop(store);
    let store = open(dir.path());
    put(&store, "later", body(2, 5000)).await;
    assert_eq!(files(&dir.path().join("packs")).len(), 1);
    assert!(files(&dir.path().join("blobs")).is_empty());
    for size in sizes {
        assert!(get(&store, &size.to_string()).await.unwrap() == body(1, size));
        let object = store.get("b", &size.to_string()).unwrap();
        assert!(object.read_range(4000..size as u64 - 1).await.unwrap() == body(1, size)[4000..size - 1]);
    }
    assert!(get(&store, "later").await.unwrap() == body(2, 5000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lives_moves_out_of_packs_that_are_mostly_garbage() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let key = |i: u64| format!("{i:04}");
    for i in 0..100 {
        put(&store, &key(i), body(i, 100_000)).await;
    }
    let copy = CopyRequest {
        source_bucket: "b".into(),
        source_key: key(7),
        bucket: "b".into(),
        key: "copy".into(),
        ..CopyRequest::default()
    };
    store.copy(copy).await.unwrap();
    let full = pack_bytes(dir.path());
    assert!(full > 10_000_000);
    let reader = store.get("b", &key(3)).unwrap();
    let gone = (0..100).filter(|i| i % 10 != 0).map(key).collect();
    store.delete("b", gone).await.unwrap();
    eventually("compaction", || pack_bytes(dir.path()) < full / 4);
    for i in (0..100).step_by(10) {
        assert!(get(&store, &key(i)).await.unwrap() == body(i, 100_000));
    }
    assert!(get(&store, "copy").await.unwrap() == body(7, 100_000));
    assert!(reader.read_range(0..100_000).await.unwrap() == body(3, 100_000), "an open object keeps its pack");
    drop((reader, store));
    let store = open(dir.path());
    for i in (0..100).step_by(10) {
        assert!(get(&store, &key(i)).await.unwrap() == body(i, 100_000));
    }
    let left = store.list("b", ListRequest { max_keys: 1000, ..ListRequest::default() }).await.unwrap().objects;
    store.delete("b", left.into_iter().map(|(key, _)| key).collect()).await.unwrap();
    drop(store);
    drop(open(dir.path()));
    assert_eq!(pack_bytes(dir.path()), 0, "packs without anything that lives are gone at the next start");
}

#[tokio::test]
async fn damage_is_an_error_and_is_not_moved() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    for i in 0..11 {
        put(&store, &i.to_string(), body(i, 100_000)).await;
    }
    drop(store);
    // The first object of the first pack.
    let packs = files(&dir.path().join("packs"));
    let full = packs.iter().find(|path| path.metadata().unwrap().len() >= 1 << 20).unwrap();
    let mut bytes = std::fs::read(full).unwrap();
    bytes[50_000] ^= 4;
    std::fs::write(full, bytes).unwrap();
    let store = open(dir.path());
    assert!(matches!(get(&store, "0").await, Err(Error::Corrupt(_))));
    store.delete("b", (1..10).map(|i| i.to_string()).collect()).await.unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(matches!(get(&store, "0").await, Err(Error::Corrupt(_))), "still damaged, never other bytes");
    assert!(get(&store, "10").await.unwrap() == body(10, 100_000));
    store.delete("b", vec!["0".into()]).await.unwrap();
    eventually("the pack goes with its last object", || !full.exists() || files(&dir.path().join("packs")).len() == 1);
}

/// Run by the crash test in a child process: writes, overwrites and deletes small objects until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child process of the crash test below"]
async fn crash_child() {
    let Some(dir) = crash::directory() else { return };
    let store = open(&dir);
    let _ = store.create_bucket("b").await;
    let changes = stream::iter(0_u64..).map(|seed| {
        let store = store.clone();
        async move {
            // Each key is written by one change at a time, sixteen at once: keys come back, so packs fill with garbage.
            let key = format!("{:02}", seed % 64);
            let size = 5_000 + (seed as usize * 7919) % 60_000;
            put(&store, &key, body(seed, size)).await;
            crash::acknowledge(&format!("{key} {seed} {size}"));
        }
    });
    changes.buffered(16).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn kill_dash_nine_in_the_middle_of_appending_and_compacting_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut known: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    for round in 0..5 {
        let acknowledged = crash::killed_after(dir.path(), 150 + 31 * round, Duration::ZERO);
        let mut last = BTreeMap::new();
        for line in &acknowledged {
            let words: Vec<&str> = line.split(' ').collect();
            last.insert(words[0].to_owned(), (words[1].parse::<u64>().unwrap(), words[2].parse::<usize>().unwrap()));
        }
        known.extend(last);
        let store = open(dir.path());
        for (key, (seed, size)) in &known {
            let bytes = get(&store, key).await.unwrap();
            // The acknowledged one, or a later one that was durable before its acknowledgement was printed.
            let later = (*seed..seed + 640).step_by(64);
            let any = later.into_iter().any(|seed| bytes == body(seed, 5_000 + (seed as usize * 7919) % 60_000));
            assert!(any, "{key}: neither what was acknowledged ({seed}, {size}) nor later");
        }
    }
    let store = open(dir.path());
    let live: u64 = known.keys().map(|key| store.head("b", key).unwrap().size).sum();
    eventually("compaction after the crashes", || pack_bytes(dir.path()) < 2 * live + (4 << 20));
}
