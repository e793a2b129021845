//! Uploads in parts.
#![allow(clippy::unwrap_used, missing_docs)]

mod crash;

use std::collections::BTreeMap;
use std::time::Duration;

use boathouse_objects::{
    Checksum, ChecksumAlgorithm, ChecksumKind, CompleteUpload, CompletedPart, CopyRequest, Digest, Error, Expectations,
    ListRequest, ListUploads, Metadata, NewUpload, ObjectInfo, Objects, Options, PartInfo, PutRequest, UploadPart,
    WriteCondition,
};
use bytes::Bytes;
use futures::{TryStreamExt as _, stream};

const MIB: usize = 1 << 20;

fn open(dir: &std::path::Path) -> Objects {
    Objects::open(dir, &Options::default()).unwrap()
}

fn body(seed: u64, size: usize) -> Vec<u8> {
    let words =
        (0..size as u64 / 8 + 1).flat_map(|i| (i ^ seed << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    words.take(size).collect()
}

fn files(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir.join("blobs")).unwrap().count()
}

async fn begin(store: &Objects, key: &str, checksum: Option<(ChecksumAlgorithm, ChecksumKind)>) -> String {
    let metadata = Metadata { user: BTreeMap::from([("x".into(), "y".into())]), ..Metadata::default() };
    let new = NewUpload { bucket: "b".into(), key: key.into(), metadata, checksum, ..NewUpload::default() };
    store.create_upload(new).await.unwrap().upload_id
}

async fn part(store: &Objects, key: &str, id: &str, number: u32, bytes: &[u8]) -> Result<PartInfo, Error> {
    let request = UploadPart {
        bucket: "b".into(),
        key: key.into(),
        upload_id: id.into(),
        number,
        needs_md5: true,
        ..UploadPart::default()
    };
    let chunks: Vec<_> = bytes.chunks(100_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    store.upload_part(request, stream::iter(chunks), Expectations::default).await
}

fn completion(key: &str, id: &str, parts: &[&PartInfo]) -> CompleteUpload {
    let announce = |part: &&PartInfo| CompletedPart {
        number: part.number,
        etag: part.etag.clone(),
        checksums: part.checksums.clone(),
    };
    CompleteUpload {
        bucket: "b".into(),
        key: key.into(),
        upload_id: id.into(),
        parts: parts.iter().map(announce).collect(),
        ..CompleteUpload::default()
    }
}

async fn read(store: &Objects, key: &str) -> Vec<u8> {
    let object = store.get("b", key).unwrap();
    let chunks: Vec<Bytes> = object.read(0..object.info().size).unwrap().try_collect().await.unwrap();
    chunks.concat()
}

/// What the same bytes would have as an object of their own.
async fn whole(store: &Objects, bytes: &[u8], algorithm: ChecksumAlgorithm) -> ObjectInfo {
    let request =
        PutRequest { bucket: "b".into(), key: "whole".into(), checksums: vec![algorithm], ..PutRequest::default() };
    store.put(request, stream::iter([Ok(Bytes::copy_from_slice(bytes))]), Expectations::default).await.unwrap()
}

#[tokio::test]
async fn parts_become_one_object_that_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let algorithm = ChecksumAlgorithm::Crc64Nvme;
    let id = begin(&store, "k", Some((algorithm, ChecksumKind::FullObject))).await;
    let bodies = [body(1, 5 * MIB), body(2, 5 * MIB + 77), body(3, 100)];
    let second = part(&store, "k", &id, 2, &body(9, 6 * MIB)).await.unwrap();
    let mut parts = Vec::new();
    for (number, bytes) in [(7, &bodies[2]), (1, &bodies[0]), (2, &bodies[1])] {
        parts.push(part(&store, "k", &id, number, bytes).await.unwrap());
    }
    parts.sort_by_key(|part| part.number);
    let unused = part(&store, "k", &id, 8, &body(4, 5000)).await.unwrap();
    assert_ne!(second.etag, parts[1].etag, "the part was replaced");
    let page = store.list_parts("b", "k", &id, 0, 2).unwrap();
    assert_eq!((&page.parts[..], page.next), (&parts[..2], Some(2)));
    let page = store.list_parts("b", "k", &id, 2, 2).unwrap();
    assert_eq!((page.parts, page.next), (vec![parts[2].clone(), unused], None));
    let request = completion("k", &id, &parts.iter().collect::<Vec<_>>());
    let info = store.complete_upload(request.clone()).await.unwrap();
    assert_eq!(store.complete_upload(request).await.unwrap(), info, "repeated");
    let bytes = bodies.concat();
    assert!(info.etag.ends_with("-3"));
    assert_eq!((info.size, info.part_count()), (bytes.len() as u64, Some(3)));
    assert_eq!(info.checksums, whole(&store, &bytes, algorithm).await.checksums);
    assert_eq!(info.metadata.user["x"], "y");
    assert!(matches!(store.list_parts("b", "k", &id, 0, 1), Err(Error::NoSuchUpload(_))));
    store.delete("b", vec!["whole".into()]).await.unwrap();
    drop(store);
    assert_eq!(files(dir.path()), 2, "the last part is in the index, replaced and unused ones are gone");
    let store = open(dir.path());
    assert_eq!(store.head("b", "k").unwrap(), info);
    assert!(read(&store, "k").await == bytes);
    let object = store.get("b", "k").unwrap();
    assert_eq!(object.parts(), parts);
    assert_eq!(object.part_range(7), Some(bytes.len() as u64 - 100..bytes.len() as u64));
    assert_eq!(object.part_range(3), None);
    let seam = 5 * MIB;
    let across = object.read_range(seam as u64 - 10..bytes.len() as u64 - 50).await.unwrap();
    assert!(across == bytes[seam - 10..bytes.len() - 50]);
}

#[tokio::test]
async fn the_entity_tag_is_the_digest_of_digests() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let id = begin(&store, "k", Some((ChecksumAlgorithm::Sha256, ChecksumKind::Composite))).await;
    let only = part(&store, "k", &id, 1, b"hello").await.unwrap();
    let info = store.complete_upload(completion("k", &id, &[&only])).await.unwrap();
    // md5(md5("hello")) and sha256(sha256("hello")), computed with coreutils.
    assert_eq!(only.etag, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(info.etag, "62109206880d38a4010a98e11243924a-1");
    assert_eq!(info.checksums[0].value, "lZXJ35AHUUjrBoYDZd8zWEt1v/eCpRDGzUiDpBmDPVA=-1");
}

#[tokio::test]
async fn a_completion_that_does_not_fit_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let id = begin(&store, "k", Some((ChecksumAlgorithm::Crc32, ChecksumKind::FullObject))).await;
    let one = part(&store, "k", &id, 1, b"small").await.unwrap();
    let two = part(&store, "k", &id, 2, b"last").await.unwrap();
    let complete = |request: CompleteUpload| store.complete_upload(request);
    let order = complete(completion("k", &id, &[&two, &one])).await;
    assert!(matches!(order, Err(Error::InvalidPartOrder)));
    assert!(matches!(complete(completion("k", &id, &[])).await, Err(Error::InvalidPartOrder)));
    let small = complete(completion("k", &id, &[&one, &two])).await;
    assert!(matches!(small, Err(Error::PartTooSmall { number: 1, size: 5, .. })));
    let tag = PartInfo { etag: two.etag.clone(), ..one.clone() };
    assert!(matches!(complete(completion("k", &id, &[&tag])).await, Err(Error::InvalidPart(1))));
    let sum = PartInfo { checksums: two.checksums.clone(), ..one.clone() };
    assert!(matches!(complete(completion("k", &id, &[&sum])).await, Err(Error::InvalidPart(1))));
    let absent = PartInfo { number: 3, ..two.clone() };
    assert!(matches!(complete(completion("k", &id, &[&absent])).await, Err(Error::InvalidPart(3))));
    let good = completion("k", &id, &[&one]);
    let size = complete(CompleteUpload { size: Some(4), ..good.clone() }).await;
    assert!(matches!(size, Err(Error::IncompleteBody { expected: 4, actual: 5 })));
    let wrong = Checksum { algorithm: ChecksumAlgorithm::Crc32, value: "AAAAAA==".into() };
    let checksum = complete(CompleteUpload { checksum: Some(wrong), ..good.clone() }).await;
    assert!(matches!(checksum, Err(Error::DigestMismatch(Digest::Checksum(ChecksumAlgorithm::Crc32)))));
    let condition = WriteCondition::Matches("e".into());
    let missing = complete(CompleteUpload { condition, ..good.clone() }).await;
    assert!(matches!(missing, Err(Error::NoSuchKey(_))));
    assert!(matches!(store.head("b", "k"), Err(Error::NoSuchKey(_))));
    let exact = CompleteUpload { checksum: one.checksums.first().cloned(), size: Some(5), ..good.clone() };
    complete(CompleteUpload { condition: WriteCondition::Absent, ..exact.clone() }).await.unwrap();
    store.delete("b", vec!["k".into()]).await.unwrap();
    assert!(matches!(complete(exact).await, Err(Error::NoSuchUpload(_))));
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let id = begin(&store, "k", None).await;
    assert!(matches!(part(&store, "k", &id, 0, b"").await, Err(Error::InvalidPartNumber(0))));
    assert!(matches!(part(&store, "k", &id, 10_001, b"").await, Err(Error::InvalidPartNumber(_))));
    assert!(matches!(part(&store, "other", &id, 1, b"").await, Err(Error::NoSuchUpload(_))));
    assert!(matches!(part(&store, "k", "nonsense", 1, b"").await, Err(Error::NoSuchUpload(_))));
    assert!(matches!(store.upload("none", "k", &id), Err(Error::NoSuchBucket(_))));
    let impossible = Some((ChecksumAlgorithm::Sha1, ChecksumKind::FullObject));
    let new = NewUpload { bucket: "b".into(), key: "k".into(), checksum: impossible, ..NewUpload::default() };
    assert!(matches!(store.create_upload(new).await, Err(Error::UnsupportedChecksum { .. })));
}

#[tokio::test]
async fn abortion_and_deletion_free_the_parts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let big = body(1, 2 * MIB);
    let id = begin(&store, "aborted", None).await;
    part(&store, "aborted", &id, 1, &big).await.unwrap();
    store.abort_upload("b", "aborted", &id).await.unwrap();
    assert!(matches!(store.abort_upload("b", "aborted", &id).await, Err(Error::NoSuchUpload(_))));
    assert!(matches!(part(&store, "aborted", &id, 1, b"late").await, Err(Error::NoSuchUpload(_))));
    let id = begin(&store, "k", None).await;
    let only = part(&store, "k", &id, 1, &big).await.unwrap();
    store.complete_upload(completion("k", &id, &[&only])).await.unwrap();
    let copy = CopyRequest {
        source_bucket: "b".into(),
        source_key: "k".into(),
        bucket: "b".into(),
        key: "copy".into(),
        ..CopyRequest::default()
    };
    store.copy(copy).await.unwrap();
    store.delete("b", vec!["k".into()]).await.unwrap();
    assert!(read(&store, "copy").await == big);
    let reader = store.get("b", "copy").unwrap();
    store.delete("b", vec!["copy".into()]).await.unwrap();
    assert!(reader.read_range(0..big.len() as u64).await.unwrap() == big);
    drop(reader);
    let left = begin(&store, "left", None).await;
    part(&store, "left", &left, 1, &big).await.unwrap();
    store.delete_bucket("b").await.unwrap();
    store.create_bucket("b").await.unwrap();
    assert!(matches!(store.upload("b", "left", &left), Err(Error::NoSuchUpload(_))));
    drop(store);
    assert_eq!(files(dir.path()), 0);
}

#[tokio::test]
async fn a_part_can_be_a_range_of_an_object() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let bytes = body(5, 3 * MIB);
    whole(&store, &bytes, ChecksumAlgorithm::Crc32).await;
    let id = begin(&store, "k", None).await;
    let request =
        UploadPart { bucket: "b".into(), key: "k".into(), upload_id: id.clone(), number: 1, ..UploadPart::default() };
    let source = store.get("b", "whole").unwrap();
    let outside = store.copy_part(request.clone(), &source, 5..bytes.len() as u64 + 1).await;
    assert!(matches!(outside, Err(Error::InvalidRange { .. })));
    let only = store.copy_part(request, &source, 1000..2_000_000).await.unwrap();
    store.complete_upload(completion("k", &id, &[&only])).await.unwrap();
    assert!(read(&store, "k").await == bytes[1000..2_000_000]);
}

#[tokio::test]
async fn uploads_are_listed_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for bucket in ["a", "b", "c"] {
        store.create_bucket(bucket).await.unwrap();
    }
    let mut expected = Vec::new();
    for key in ["a", "a", "a/x", "a/y", "b", "b", "c/z"] {
        expected.push((key.to_owned(), begin(&store, key, None).await));
    }
    for max_uploads in 1..=8 {
        let mut found = Vec::new();
        let (mut after_key, mut after_upload) = (None, None);
        loop {
            let request = ListUploads { max_uploads, after_key, after_upload, ..ListUploads::default() };
            let page = store.list_uploads("b", request).await.unwrap();
            assert!(page.uploads.len() <= max_uploads);
            found.extend(page.uploads.into_iter().map(|upload| (upload.key, upload.upload_id)));
            let Some((key, upload)) = page.next else { break };
            (after_key, after_upload) = (Some(key), upload);
        }
        assert_eq!(found, expected);
    }
    let mut entries = Vec::new();
    let mut request = ListUploads { delimiter: Some("/".into()), max_uploads: 1, ..ListUploads::default() };
    loop {
        let page = store.list_uploads("b", request.clone()).await.unwrap();
        entries.extend(page.uploads.into_iter().map(|upload| upload.key).chain(page.common_prefixes));
        let Some((key, upload)) = page.next else { break };
        (request.after_key, request.after_upload) = (Some(key), upload);
    }
    assert_eq!(entries, ["a", "a", "a/", "b", "b", "c/"]);
    let behind = ListUploads { after_key: Some("a".into()), max_uploads: 1, ..ListUploads::default() };
    assert_eq!(store.list_uploads("b", behind).await.unwrap().uploads[0].key, "a/x");
}

/// Run by the crash test in a child process: uploads in parts until it is killed, and prints what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child process of the crash test below"]
async fn crash_child() {
    let Some(dir) = crash::directory() else { return };
    let store = open(&dir);
    let _ = store.create_bucket("b").await;
    for seed in 0_u64.. {
        let key = format!("{seed:08}");
        let id = begin(&store, &key, None).await;
        let (a, b) = (body(seed, 5 * MIB), body(seed + 1, 300_000));
        let (one, two) = tokio::join!(part(&store, &key, &id, 1, &a), part(&store, &key, &id, 2, &b));
        store.complete_upload(completion(&key, &id, &[&one.unwrap(), &two.unwrap()])).await.unwrap();
        crash::acknowledge(&seed.to_string());
    }
}

#[tokio::test]
async fn kill_dash_nine_leaves_whole_objects_and_uploads_that_go_on() {
    for round in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let acknowledged = crash::killed_after(dir.path(), 1 + round, Duration::from_millis(60 * round as u64)).len();
        let store = open(dir.path());
        let listing = store.list("b", ListRequest { max_keys: 1000, ..ListRequest::default() }).await.unwrap();
        assert!(listing.objects.len() >= acknowledged);
        for (key, _) in &listing.objects {
            let seed: u64 = key.parse().unwrap();
            assert!(read(&store, key).await == [body(seed, 5 * MIB), body(seed + 1, 300_000)].concat());
        }
        let uploads = store.list_uploads("b", ListUploads { max_uploads: 10, ..ListUploads::default() }).await.unwrap();
        assert!(uploads.uploads.len() <= 1);
        for upload in uploads.uploads {
            store.abort_upload("b", &upload.key, &upload.upload_id).await.unwrap();
        }
        drop(store);
        assert_eq!(files(dir.path()), listing.objects.len(), "nothing of an unfinished upload is left");
    }
}

#[tokio::test]
async fn uploads_of_a_process_end_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let new =
        |key: &str, transient| NewUpload { bucket: "b".into(), key: key.into(), transient, ..NewUpload::default() };
    let lost = store.create_upload(new("lost", true)).await.unwrap().upload_id;
    part(&store, "lost", &lost, 1, &body(1, 6 * MIB)).await.unwrap();
    let kept = store.create_upload(new("kept", false)).await.unwrap().upload_id;
    part(&store, "kept", &kept, 1, &body(2, 6 * MIB)).await.unwrap();
    assert_eq!(files(dir.path()), 2);
    drop(store);
    let store = open(dir.path());
    let left = store.list_uploads("b", ListUploads { max_uploads: 9, ..ListUploads::default() }).await.unwrap();
    assert_eq!(left.uploads.iter().map(|upload| &upload.upload_id).collect::<Vec<_>>(), [&kept]);
    assert!(matches!(store.list_parts("b", "lost", &lost, 0, 9), Err(Error::NoSuchUpload(_))));
    drop(store);
    drop(open(dir.path())); // closing waits for the collector
    assert_eq!(files(dir.path()), 1);
}
