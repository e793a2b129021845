//! Encryption at rest: nothing readable on disk, everything readable through the store, damage and crashes.
#![allow(clippy::unwrap_used, missing_docs)]

mod crash;

use std::path::{Path, PathBuf};
use std::time::Duration;

use boathouse_objects::{
    ClientKey, CompleteUpload, CompletedPart, CopyRequest, ENCRYPT, Error, Expectations, NewUpload, ObjectInfo,
    Objects, Options, PutRequest, Seal, UploadPart,
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};

const MARK: &[u8] = b"this must not be readable on disk";

fn open(dir: &Path) -> Objects {
    Objects::open(dir, &Options::default()).unwrap()
}

fn body(seed: u64, size: usize) -> Vec<u8> {
    let unit = [MARK, &seed.to_be_bytes()].concat();
    unit.iter().copied().cycle().take(size).collect()
}

async fn put(store: &Objects, key: &str, bytes: &[u8], encrypted: bool) -> ObjectInfo {
    let seal = if encrypted { Seal::Store } else { Seal::AsBucket };
    let request = PutRequest { bucket: "b".into(), key: key.into(), seal, ..PutRequest::default() };
    let pieces: Vec<_> = bytes.chunks(70_001).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    store.put(request, stream::iter(pieces), Expectations::default).await.unwrap()
}

async fn get(store: &Objects, key: &str) -> Result<Bytes, Error> {
    let object = store.get("b", key)?;
    object.read_range(0..object.info().size).await
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn readable(dir: &Path) -> bool {
    let holds = |path: &PathBuf| std::fs::read(path).unwrap().windows(MARK.len()).any(|window| window == MARK);
    files(dir).iter().any(holds)
}

/// In the row, in a pack, in a file.
const SIZES: [usize; 8] = [0, 5, 4_096, 4_097, 65_520, 65_521, 1 << 20, 3_000_000];

#[tokio::test]
async fn nothing_is_readable_on_disk_and_every_range_through_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    for (seed, size) in SIZES.into_iter().enumerate() {
        let info = put(&store, &size.to_string(), &body(seed as u64, size), true).await;
        assert!(info.encryption.is_some());
    }
    assert!(!readable(dir.path()));
    drop(store);
    assert!(!readable(dir.path()));
    let store = open(dir.path());
    for (seed, size) in SIZES.into_iter().enumerate() {
        let expected = body(seed as u64, size);
        let object = store.get("b", &size.to_string()).unwrap();
        assert_eq!(object.info().size, size as u64);
        // Twice: from the disk, and from memory without a thread.
        for _ in 0..2 {
            assert!(object.read_range(0..size as u64).await.unwrap() == expected);
        }
        for (start, end) in [(0, 1), (size / 2, size / 2 + 1), (size.saturating_sub(7), size), (65_519, 65_522)] {
            let (start, end) = (start.min(size), end.min(size));
            let read = object.read_range(start as u64..end as u64).await.unwrap();
            assert!(read == expected[start..end], "{size}: {start}..{end}");
        }
        let pieces: Vec<Bytes> = object.read(0..size as u64).unwrap().map(|piece| piece.unwrap()).collect().await;
        assert!(pieces.concat() == expected);
    }
    // The digests are those of the bytes, not of what lies on disk.
    let plain = put(&store, "plain", &body(7, 3_000_000), false).await;
    assert_eq!((plain.etag, plain.encryption), (store.head("b", "3000000").unwrap().etag, None));
    assert!(readable(dir.path()));
}

#[tokio::test]
async fn buckets_may_encrypt_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    put(&store, "before", &body(1, 9_000), false).await;
    store.put_document("b", ENCRYPT, "{}".into()).await.unwrap();
    assert!(put(&store, "after", &body(2, 9_000), false).await.encryption.is_some());
    assert!(store.head("b", "before").unwrap().encryption.is_none());
    let copy = |from: &str, to: &str| CopyRequest {
        source_bucket: "b".into(),
        source_key: from.into(),
        bucket: "b".into(),
        key: to.into(),
        ..CopyRequest::default()
    };
    // A copy of a plain object is encrypted; one of an encrypted object shares its bytes.
    assert!(store.copy(copy("before", "copied")).await.unwrap().encryption.is_some());
    assert_eq!(
        store.copy(copy("after", "shared")).await.unwrap().encryption,
        store.head("b", "after").unwrap().encryption
    );
    store.delete_document("b", ENCRYPT).await.unwrap();
    assert!(store.copy(copy("before", "plain")).await.unwrap().encryption.is_none());
    assert!(
        store.copy(CopyRequest { seal: Seal::Store, ..copy("before", "asked") }).await.unwrap().encryption.is_some()
    );
    for (key, seed) in [("before", 1), ("after", 2), ("copied", 1), ("shared", 2), ("plain", 1), ("asked", 1)] {
        assert!(get(&store, key).await.unwrap() == body(seed, 9_000), "{key}");
    }
}

#[tokio::test]
async fn uploads_in_parts_are_encrypted_part_by_part() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let new = NewUpload { bucket: "b".into(), key: "k".into(), seal: Seal::Store, ..NewUpload::default() };
    let id = store.create_upload(new).await.unwrap().upload_id;
    let mut parts = Vec::new();
    // The first part comes twice: what is encrypted anew has a key of its own.
    for (number, seed, size) in [(1, 9, 5 << 20), (1, 1, 5 << 20), (2, 2, 40_000), (3, 3, 100)] {
        let request =
            UploadPart { bucket: "b".into(), key: "k".into(), upload_id: id.clone(), number, ..UploadPart::default() };
        let body = stream::iter([Ok(Bytes::from(body(seed, size)))]);
        let part = store.upload_part(request, body, Expectations::default).await.unwrap();
        parts.retain(|done: &CompletedPart| done.number != number);
        parts.push(CompletedPart { number, etag: part.etag, checksums: Vec::new() });
    }
    parts.truncate(2);
    let complete =
        CompleteUpload { bucket: "b".into(), key: "k".into(), upload_id: id, parts, ..CompleteUpload::default() };
    let info = store.complete_upload(complete).await.unwrap();
    assert!(info.encryption.is_some() && !readable(dir.path()));
    assert!(get(&store, "k").await.unwrap() == [body(1, 5 << 20), body(2, 40_000)].concat());
    let across = store.get("b", "k").unwrap().read_range((5 << 20) - 3..(5 << 20) + 4).await.unwrap();
    assert!(across == [&body(1, 5 << 20)[(5 << 20) - 3..], &body(2, 4)].concat());
}

#[tokio::test]
async fn damage_and_lost_keys_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    put(&store, "large", &body(1, 3_000_000), true).await;
    put(&store, "plain", &body(2, 9_000), false).await;
    drop(store);
    let master = dir.path().join("master.key");
    let blob = files(&dir.path().join("blobs")).remove(0);
    let whole = std::fs::read(&blob).unwrap();
    let mut damaged = whole.clone();
    damaged[100_000] ^= 1;
    std::fs::write(&blob, damaged).unwrap();
    let store = open(dir.path());
    assert!(matches!(get(&store, "large").await, Err(Error::Corrupt(_))));
    drop(store);
    std::fs::write(&blob, whole).unwrap();
    let key = std::fs::read(&master).unwrap();
    std::fs::remove_file(&master).unwrap();
    let store = open(dir.path());
    assert!(matches!(get(&store, "large").await, Err(Error::Corrupt(text)) if text.contains("master.key is missing")));
    assert!(get(&store, "plain").await.unwrap() == body(2, 9_000));
    drop(store);
    std::fs::write(&master, key).unwrap();
    assert!(get(&open(dir.path()), "large").await.unwrap() == body(1, 3_000_000));
}

/// Run by the crash test in a child process: writes encrypted objects of all sorts until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child process of the crash test below"]
async fn crash_child() {
    let Some(dir) = crash::directory() else { return };
    let store = open(&dir);
    let _ = store.create_bucket("b").await;
    let begun: u64 = files(&dir).len() as u64 * 1_000_000;
    let changes = stream::iter(begun..).map(|seed| {
        let store = store.clone();
        async move {
            let size = SIZES[seed as usize % SIZES.len()];
            put(&store, &seed.to_string(), &body(seed, size), true).await;
            crash::acknowledge(&seed.to_string());
        }
    });
    changes.buffered(8).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn kill_dash_nine_loses_no_encrypted_object_and_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut known: Vec<u64> = Vec::new();
    // From the very first one, whose acknowledgement promises that the master key is on disk.
    for round in 0..4 {
        let acknowledged = crash::killed_after(dir.path(), 1 + 40 * round, Duration::ZERO);
        known.extend(acknowledged.iter().map(|line| line.parse::<u64>().unwrap()));
        let store = open(dir.path());
        for seed in &known {
            let size = SIZES[*seed as usize % SIZES.len()];
            assert!(get(&store, &seed.to_string()).await.unwrap() == body(*seed, size), "{seed}");
        }
    }
    assert!(!readable(dir.path()));
}

#[tokio::test]
async fn what_the_client_holds_the_key_of_opens_with_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let (key, other) = (ClientKey::new([7; 32]), ClientKey::new([8; 32]));
    for size in SIZES {
        let name = size.to_string();
        let request = PutRequest {
            bucket: "b".into(),
            key: name.clone(),
            seal: Seal::Client(key.clone()),
            ..PutRequest::default()
        };
        let pieces = stream::iter([Ok(Bytes::from(body(1, size)))]);
        let info = store.put(request, pieces, Expectations::default).await.unwrap();
        let read = |key| store.get_sealed("b", &name, None, key);
        assert!(read(Some(&key)).unwrap().read_range(0..size as u64).await.unwrap() == body(1, size));
        assert!(matches!(read(Some(&other)), Err(Error::ClientKeyWrong)));
        assert!(matches!(read(None), Err(Error::ClientKeyMissing)));
        assert!(store.check_client_key(&info, Some(&key)).is_ok() && store.check_client_key(&info, None).is_err());
        let copy = |seal, source| CopyRequest {
            source_bucket: "b".into(),
            source_key: name.clone(),
            bucket: "b".into(),
            key: "copy".into(),
            seal,
            source_key_of_client: source,
            ..CopyRequest::default()
        };
        assert!(matches!(store.copy(copy(Seal::AsBucket, None)).await, Err(Error::ClientKeyMissing)));
        store.copy(copy(Seal::Client(other.clone()), Some(key.clone()))).await.unwrap();
        let copied = store.get_sealed("b", "copy", None, Some(&other)).unwrap();
        assert!(copied.read_range(0..size as u64).await.unwrap() == body(1, size));
        store.copy(copy(Seal::AsBucket, Some(key.clone()))).await.unwrap();
        assert!(get(&store, "copy").await.unwrap() == body(1, size), "a copy that asks for nothing is the store's");
    }
    assert!(!readable(dir.path()));
}
