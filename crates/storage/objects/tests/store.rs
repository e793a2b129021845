//! A bucket through the `object_store` trait.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use boathouse_objects::{BucketStore, Durability, Expectations, ListUploads, Objects, Options, PutRequest};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    UpdateVersion,
};

async fn open(dir: &std::path::Path) -> (Objects, BucketStore) {
    let options = Options { durability: Durability::None, ..Options::default() };
    let objects = Objects::open(dir, &options).unwrap();
    objects.create_bucket("b").await.unwrap();
    let store = objects.store("b");
    (objects, store)
}

fn bytes(size: usize) -> Bytes {
    (0..size).map(|i| (i * 31 + i / 251) as u8).collect()
}

#[tokio::test]
async fn ranges_come_back_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let (_objects, store) = open(dir.path()).await;
    let (path, data) = (Path::from("x/data.parquet"), bytes(3_000_000));
    store.put(&path, data.clone().into()).await.unwrap();
    let ranges = [0..4, 65_530..65_540, 1_000_000..2_900_000, 2_999_990..3_000_000, 2_999_990..4_000_000];
    // Twice: from the disk, and from memory without a thread.
    for _ in 0..2 {
        let parts = store.get_ranges(&path, &ranges).await.unwrap();
        for (part, range) in parts.iter().zip(&ranges) {
            assert!(*part == data[range.start as usize..data.len().min(range.end as usize)]);
        }
    }
    let suffix = GetOptions { range: Some(GetRange::Suffix(7)), ..GetOptions::default() };
    let result = store.get_opts(&path, suffix).await.unwrap();
    assert_eq!(result.range, 2_999_993..3_000_000);
    assert_eq!(result.bytes().await.unwrap(), data[2_999_993..]);
    let pieces: Vec<Bytes> = store.get(&path).await.unwrap().into_stream().try_collect().await.unwrap();
    assert!(pieces.len() > 1 && pieces.concat() == data);
    let large = store.get_range(&path, 1..2_900_000).await.unwrap();
    assert!(large == data[1..2_900_000]);
    assert!(store.get_range(&path, 3_000_000..3_000_001).await.is_err());
    let head = store.head(&path).await.unwrap();
    assert_eq!(head.size, 3_000_000);
    let unchanged = GetOptions { if_none_match: head.e_tag, ..GetOptions::default() };
    assert!(matches!(store.get_opts(&path, unchanged).await, Err(Error::NotModified { .. })));
    let versioned = GetOptions { version: Some("1".into()), ..GetOptions::default() };
    assert!(matches!(store.get_opts(&path, versioned).await, Err(Error::NotImplemented { .. })));
}

#[tokio::test]
async fn modes_of_writing_hold() {
    let dir = tempfile::tempdir().unwrap();
    let (objects, store) = open(dir.path()).await;
    let path = Path::from("commit/1.json");
    let create = || PutOptions::from(PutMode::Create);
    let first = store.put_opts(&path, "one".into(), create()).await.unwrap();
    let again = store.put_opts(&path, "two".into(), create()).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })));
    let update = |e_tag| PutOptions::from(PutMode::Update(UpdateVersion { e_tag, version: None }));
    let second = store.put_opts(&path, "two".into(), update(first.e_tag.clone())).await.unwrap();
    let stale = store.put_opts(&path, "three".into(), update(first.e_tag.clone())).await;
    assert!(matches!(stale, Err(Error::Precondition { .. })));
    let missing = store.put_opts(&Path::from("none"), "three".into(), update(second.e_tag)).await;
    assert!(matches!(missing, Err(Error::Precondition { .. })));
    let blind = store.put_opts(&path, "three".into(), update(None)).await;
    assert!(matches!(blind, Err(Error::NotImplemented { .. })));
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "two");
    let elsewhere = objects.store("none");
    assert!(matches!(elsewhere.put(&path, "x".into()).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn attributes_are_kept_and_unknown_ones_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (objects, store) = open(dir.path()).await;
    let path = Path::from("page");
    let attributes: Attributes =
        [(Attribute::ContentType, "text/html"), (Attribute::Metadata("k".into()), "v")].into_iter().collect();
    let options = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
    store.put_opts(&path, "x".into(), options).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().attributes, attributes);
    assert_eq!(objects.head("b", "page").unwrap().metadata.headers["content-type"], "text/html");
    let attributes: Attributes = [(Attribute::StorageClass, "GLACIER")].into_iter().collect();
    let options = PutOptions { attributes, ..PutOptions::default() };
    assert!(matches!(store.put_opts(&path, "y".into(), options).await, Err(Error::NotImplemented { .. })));
}

#[tokio::test]
async fn listings_go_on_over_pages_and_deletions_over_batches() {
    let dir = tempfile::tempdir().unwrap();
    let (_objects, store) = open(dir.path()).await;
    let paths: Vec<Path> = (0..2_345).map(|i| Path::from(format!("t/p={}/{i:05}", i / 1000))).collect();
    for path in &paths {
        store.put(path, "x".into()).await.unwrap();
    }
    store.put(&Path::from("tt"), "beside".into()).await.unwrap();
    let under = Path::from("t");
    let names = |found: Vec<object_store::ObjectMeta>| found.into_iter().map(|meta| meta.location).collect::<Vec<_>>();
    assert_eq!(names(store.list(Some(&under)).try_collect().await.unwrap()), paths);
    let behind = store.list_with_offset(Some(&under), &paths[1500]).try_collect().await.unwrap();
    assert_eq!(names(behind), paths[1501..]);
    let level = store.list_with_delimiter(Some(&under)).await.unwrap();
    assert_eq!(level.common_prefixes, ["t/p=0", "t/p=1", "t/p=2"].map(Path::from));
    assert!(level.objects.is_empty());
    let asked = stream::iter(paths.clone()).map(Ok).boxed();
    let deleted: Vec<Path> = store.delete_stream(asked).try_collect().await.unwrap();
    assert_eq!(deleted, paths);
    let left: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(names(left), [Path::from("tt")]);
}

#[tokio::test]
async fn keys_that_are_no_paths_are_never_mistaken_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let (objects, store) = open(dir.path()).await;
    let put = async |key: &str, body: &'static str| {
        let request = PutRequest { bucket: "b".into(), key: key.into(), ..PutRequest::default() };
        let body = stream::iter([Ok(Bytes::from(body))]);
        objects.put(request, body, Expectations::default).await.unwrap();
    };
    put("folder/", "").await;
    put("folder/x", "x").await;
    let found: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(found.len(), 1, "the marker of the folder is left out");
    put("/z", "z").await;
    assert!(matches!(store.head(&Path::from("z")).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn renames_and_copies_respect_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (_objects, store) = open(dir.path()).await;
    let [a, b, c] = ["a", "b", "c"].map(Path::from);
    let data = bytes(100_000);
    store.put(&a, data.clone().into()).await.unwrap();
    store.rename(&a, &a).await.unwrap();
    store.rename(&a, &b).await.unwrap();
    assert!(matches!(store.head(&a).await, Err(Error::NotFound { .. })));
    store.copy(&b, &c).await.unwrap();
    assert!(matches!(store.copy_if_not_exists(&b, &c).await, Err(Error::AlreadyExists { .. })));
    assert!(matches!(store.rename_if_not_exists(&b, &c).await, Err(Error::AlreadyExists { .. })));
    assert!(matches!(store.rename(&a, &b).await, Err(Error::NotFound { .. })));
    store.delete(&b).await.unwrap();
    assert_eq!(store.get(&c).await.unwrap().bytes().await.unwrap(), data);
}

#[tokio::test]
async fn an_upload_in_parts_is_whole_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (objects, store) = open(dir.path()).await;
    let path = Path::from("big");
    let data = bytes(700_000);
    let mut upload = store.put_multipart(&path).await.unwrap();
    let first = upload.put_part(data.slice(..400_000).into());
    let second = upload.put_part(data.slice(400_000..).into());
    assert!(upload.complete().await.is_err(), "no part was written yet");
    // The later one may be written first.
    second.await.unwrap();
    first.await.unwrap();
    assert!(store.head(&path).await.is_err());
    upload.complete().await.unwrap();
    assert!(store.get(&path).await.unwrap().bytes().await.unwrap() == data);
    let mut aborted = store.put_multipart(&path).await.unwrap();
    aborted.put_part(data.slice(..10).into()).await.unwrap();
    aborted.abort().await.unwrap();
    assert!(aborted.complete().await.is_err());
    let mut dropped = store.put_multipart(&path).await.unwrap();
    dropped.put_part(data.slice(..10).into()).await.unwrap();
    drop(dropped);
    // Behind the abortion, because all changes go one after the other.
    store.put(&Path::from("later"), "x".into()).await.unwrap();
    let left = objects.list_uploads("b", ListUploads { max_uploads: 9, ..ListUploads::default() }).await.unwrap();
    assert!(left.uploads.is_empty());
    for _ in 0..9 {
        assert!(store.put_multipart(&path).now_or_never().is_none(), "nobody waits for it any more");
    }
    // Behind the creations; the abortions come when those have been answered.
    store.put(&Path::from("later still"), "x".into()).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !objects
        .list_uploads("b", ListUploads { max_uploads: 9, ..ListUploads::default() })
        .await
        .unwrap()
        .uploads
        .is_empty()
    {
        assert!(Instant::now() < deadline, "an upload is left that nobody knows");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let empty = Path::from("empty");
    store.put_multipart(&empty).await.unwrap().complete().await.unwrap();
    assert_eq!(store.head(&empty).await.unwrap().size, 0);
}

#[tokio::test]
async fn keys_that_no_path_can_name_are_listed_read_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let (objects, store) = open(dir.path()).await;
    let keys = ["t//b", "t/./b", "t/../b", "t/b\n", "t/a%20b +é", "t/b/", "/t", "t/\u{f8f0}"];
    for key in keys {
        let request = PutRequest { bucket: "b".into(), key: key.into(), ..PutRequest::default() };
        let body = stream::iter([Ok(Bytes::copy_from_slice(key.as_bytes()))]);
        objects.put(request, body, Expectations::default).await.unwrap();
    }
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), keys.len());
    for meta in &listed {
        let read = store.get(&meta.location).await.unwrap().bytes().await.unwrap();
        assert_eq!(read, boathouse_objects::key_of_path(&meta.location).as_bytes());
    }
    let below = store.list(Some(&Path::from("t"))).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(below.len(), keys.len() - 1);
    let folders = store.list_with_delimiter(Some(&Path::from("t"))).await.unwrap().common_prefixes;
    assert_eq!(folders.iter().map(boathouse_objects::key_of_path).collect::<Vec<_>>(), ["t/..", "t/.", "t/", "t/b"]);
    let within = store.list(Some(&folders[2])).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(within.iter().map(|it| boathouse_objects::key_of_path(&it.location)).collect::<Vec<_>>(), ["t//b"]);
    let all = stream::iter(listed.into_iter().map(|meta| Ok(meta.location))).boxed();
    store.delete_stream(all).try_collect::<Vec<_>>().await.unwrap();
    assert!(store.list(None).try_collect::<Vec<_>>().await.unwrap().is_empty());
}
