//! One of each write that the store knows, and what must be there afterwards whenever it was interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use md5::{Digest as _, Md5};

use super::Files;
use super::faults::Faults;
use crate::{
    BucketLock, ChangeKind, CompleteUpload, CompletedPart, CopyRequest, DeleteItem, ENCRYPT, Error, Expectations,
    ListRequest, ListUploads, ListVersions, NewBucket, NewUpload, Objects, Options, PutRequest, Result, Retention,
    Seal, UploadPart, Versioning, WriteCondition,
};
use crate::{ClientKey, LockMode, NULL_VERSION};

const INLINE: usize = 900;
const PACKED: usize = 20_000;
const LARGE: usize = (1 << 20) + 70_000;
/// Packs so small that the workload fills several.
const PACK_BYTES: u64 = 150_000;

pub(super) fn options() -> Options {
    Options { pack_bytes: PACK_BYTES, reserve: Some(0), ..Options::default() }
}

pub(super) fn open(directory: &Path, files: &Files) -> Result<Objects> {
    Objects::open_with(directory, &options(), files)
}

fn bytes(seed: usize, size: usize) -> Bytes {
    (0..size).map(|at| ((at ^ seed.wrapping_mul(7919)).wrapping_mul(0x9E37_79B9) >> 13) as u8).collect()
}

type Key = (String, String);

/// What was acknowledged, and what may have happened besides.
#[derive(Default, Debug)]
pub(super) struct Ledger {
    objects: BTreeMap<Key, Option<Bytes>>,
    attempts: BTreeMap<Key, Vec<Option<Bytes>>>,
    versions: BTreeMap<(String, String), Bytes>,
    deleted_versions: BTreeSet<(String, String)>,
    documents: BTreeMap<String, Vec<Option<String>>>,
    buckets: BTreeMap<String, bool>,
    uploads: BTreeMap<String, (String, Vec<Bytes>)>,
    tagged: bool,
    held: Option<String>,
    failures: Vec<Error>,
}

impl Ledger {
    fn key(bucket: &str, key: &str) -> Key {
        (bucket.to_owned(), key.to_owned())
    }

    /// The errors that callers got.
    pub(super) fn failures(&self) -> &[Error] {
        &self.failures
    }

    fn noted<T>(&mut self, outcome: Result<T>) -> Option<T> {
        outcome.map_err(|error| self.failures.push(error)).ok()
    }

    fn wrote<T>(&mut self, bucket: &str, key: &str, content: Option<Bytes>, outcome: Result<T>) -> Option<T> {
        let at = Self::key(bucket, key);
        let done = self.noted(outcome);
        match done {
            Some(_) => {
                self.objects.insert(at.clone(), content);
                self.attempts.remove(&at);
            }
            None => self.attempts.entry(at).or_default().push(content),
        }
        done
    }
}

async fn put_to(store: &Objects, request: PutRequest, content: &Bytes) -> Result<crate::ObjectInfo> {
    let chunks: Vec<_> = content.chunks(400_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    store.put(request, stream::iter(chunks), Expectations::default).await
}

async fn put(
    store: &Objects,
    ledger: &mut Ledger,
    bucket: &str,
    key: &str,
    content: Bytes,
) -> Option<crate::ObjectInfo> {
    let request = PutRequest { bucket: bucket.into(), key: key.into(), ..PutRequest::default() };
    let outcome = put_to(store, request, &content).await;
    ledger.wrote(bucket, key, Some(content), outcome)
}

async fn copy(store: &Objects, ledger: &mut Ledger, from: &str, to: &str) {
    let Some(Some(content)) = ledger.objects.get(&Ledger::key("b", from)).cloned() else { return };
    let request = CopyRequest {
        source_bucket: "b".into(),
        source_key: from.into(),
        bucket: "b".into(),
        key: to.into(),
        ..CopyRequest::default()
    };
    let outcome = store.copy(request).await;
    ledger.wrote("b", to, Some(content), outcome);
}

async fn delete(store: &Objects, ledger: &mut Ledger, keys: &[&str]) {
    let outcome = store.delete("b", keys.iter().map(|key| (*key).to_owned()).collect()).await;
    for key in keys {
        let outcome = outcome.as_ref().map(drop).map_err(Clone::clone);
        ledger.wrote("b", key, None, outcome);
    }
}

async fn upload(
    store: &Objects,
    ledger: &mut Ledger,
    key: &str,
    parts: &[Bytes],
) -> Option<(String, Vec<CompletedPart>)> {
    let new = NewUpload { bucket: "b".into(), key: key.into(), ..NewUpload::default() };
    let id = ledger.noted(store.create_upload(new).await)?.upload_id;
    ledger.uploads.insert(id.clone(), (key.to_owned(), Vec::new()));
    let mut done = Vec::new();
    for (number, content) in (1..).zip(parts) {
        let part =
            UploadPart { bucket: "b".into(), key: key.into(), upload_id: id.clone(), number, ..UploadPart::default() };
        let body = stream::iter([Ok(content.clone())]);
        let part = ledger.noted(store.upload_part(part, body, Expectations::default).await)?;
        done.push(CompletedPart { number, etag: part.etag, checksums: Vec::new() });
        if let Some((_, kept)) = ledger.uploads.get_mut(&id) {
            kept.push(content.clone());
        }
    }
    Some((id, done))
}

async fn uploads(store: &Objects, ledger: &mut Ledger) {
    let parts = [bytes(31, LARGE), bytes(32, PACKED), bytes(33, INLINE)];
    if let Some((id, done)) = upload(store, ledger, "parts", &parts).await {
        let request = CompleteUpload {
            bucket: "b".into(),
            key: "parts".into(),
            upload_id: id.clone(),
            parts: done,
            ..CompleteUpload::default()
        };
        let outcome = store.complete_with(request, 0).await;
        let whole = Bytes::from(parts.concat());
        // An upload that was not completed for sure may be there or not.
        ledger.uploads.remove(&id);
        ledger.wrote("b", "parts", Some(whole), outcome);
    }
    copy(store, ledger, "parts", "parts copied").await;
    delete(store, ledger, &["parts"]).await;
    if let Some((id, _)) = upload(store, ledger, "aborted", &[bytes(34, LARGE), bytes(35, PACKED)]).await {
        ledger.uploads.remove(&id);
        let outcome = store.abort_upload("b", "aborted", &id).await;
        ledger.noted(outcome);
    }
    upload(store, ledger, "open", &[bytes(36, PACKED), bytes(37, LARGE)]).await;
}

async fn versions(store: &Objects, ledger: &mut Ledger) {
    for (seed, size) in [(41, INLINE), (42, PACKED), (43, LARGE)] {
        let content = bytes(seed, size);
        if let Some(info) = put(store, ledger, "v", "a", content.clone()).await {
            ledger.versions.insert(("a".into(), info.version_id().to_owned()), content);
        }
    }
    let tags = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
    ledger.tagged = ledger.noted(store.put_tags("v", "a", None, tags).await).is_some();
    let retain = |info: &mut crate::ObjectInfo| {
        info.lock.retention = Some(Retention { mode: LockMode::Compliance, until_ms: u64::MAX });
        Ok(())
    };
    if let Some(info) = ledger.noted(store.amend("v", "a", None, retain).await) {
        ledger.held = info.version;
    }
    let item = |version: Option<String>| DeleteItem { key: "a".into(), version, ..DeleteItem::default() };
    // The oldest goes for good, then a marker hides the newest.
    if let Some(((key, version), _)) =
        ledger.versions.iter().min_by_key(|((_, version), _)| version.clone()).map(|(k, v)| (k.clone(), v.clone()))
    {
        let outcome = store.delete_items("v", vec![item(Some(version.clone()))], ChangeKind::Delete, None).await;
        ledger.versions.remove(&(key.clone(), version.clone()));
        if ledger.noted(outcome).is_some() {
            ledger.deleted_versions.insert((key, version));
        }
    }
    let outcome = store.delete_items("v", vec![item(None)], ChangeKind::Delete, None).await;
    ledger.wrote("v", "a", None, outcome);
}

async fn configuration(store: &Objects, ledger: &mut Ledger) {
    for (text, name) in [("one", "policy"), ("two", "policy"), ("three", "cors")] {
        let outcome = store.put_document("b", name, text.to_owned()).await;
        match ledger.noted(outcome) {
            Some(()) => ledger.documents.insert(name.to_owned(), vec![Some(text.to_owned())]),
            None => {
                ledger.documents.entry(name.to_owned()).or_insert_with(|| vec![None]).push(Some(text.to_owned()));
                None
            }
        };
    }
    match ledger.noted(store.delete_document("b", "cors").await) {
        Some(_) => drop(ledger.documents.insert("cors".into(), vec![None])),
        None => ledger.documents.entry("cors".into()).or_insert_with(|| vec![None]).push(None),
    }
    if ledger.noted(store.create_bucket("brief").await).is_some() {
        ledger.buckets.insert("brief".into(), true);
        let gone = ledger.noted(store.delete_bucket("brief").await).is_some();
        if gone {
            ledger.buckets.insert("brief".into(), false)
        } else {
            ledger.buckets.remove("brief")
        };
    }
}

async fn encrypted(store: &Objects, ledger: &mut Ledger) {
    for (key, seed, size) in [("inline", 51, INLINE), ("packed", 52, PACKED), ("large", 53, LARGE)] {
        put(store, ledger, "e", key, bytes(seed, size)).await;
    }
    let seal = Seal::Client(ClientKey::new([9; 32]));
    let content = bytes(54, PACKED);
    let request = PutRequest { bucket: "b".into(), key: "the client's".into(), seal, ..PutRequest::default() };
    let outcome = put_to(store, request, &content).await;
    ledger.wrote("b", "the client's", Some(content), outcome);
}

/// Fills packs, empties them, and waits until what lives in them has moved.
async fn compaction(store: &Objects, ledger: &mut Ledger, directory: &Path, faults: &Faults) {
    let names: Vec<String> = (0..12).map(|number| format!("small/{number:02}")).collect();
    for (seed, name) in (60..).zip(&names) {
        put(store, ledger, "b", name, bytes(seed, 2 * PACKED)).await;
    }
    let doomed: Vec<&str> = names.iter().enumerate().filter(|(at, _)| at % 4 != 0).map(|(_, name)| &name[..]).collect();
    delete(store, ledger, &doomed).await;
    // A new one ends the pack that is being written, so that it can be compacted too.
    for (seed, name) in (80..).zip(["a", "b", "c", "d"]) {
        put(store, ledger, "b", &format!("fill/{name}"), bytes(seed, 3 * PACKED)).await;
    }
    let packs = || std::fs::read_dir(directory.join("packs")).map_or(0, Iterator::count);
    let started = Instant::now();
    while packs() > 4 && !faults.happened() && started.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Everything once.
pub(super) async fn run(directory: &Path, files: &Files, faults: &Faults) -> Ledger {
    let mut ledger = Ledger::default();
    let Some(store) = ledger.noted(open(directory, files)) else { return ledger };
    let versioned = NewBucket {
        name: "v".into(),
        versioning: Versioning::Enabled,
        lock: Some(BucketLock::default()),
        ..NewBucket::default()
    };
    let documents = BTreeMap::from([(ENCRYPT.to_owned(), "{}".to_owned())]);
    let sealed = NewBucket { name: "e".into(), documents, ..NewBucket::default() };
    for bucket in [NewBucket { name: "b".into(), ..NewBucket::default() }, versioned, sealed] {
        let name = bucket.name.clone();
        if ledger.noted(store.create_bucket_with(bucket).await).is_some() {
            ledger.buckets.insert(name, true);
        }
    }
    let l = &mut ledger;
    for (key, seed, size) in [("inline", 1, INLINE), ("packed", 2, PACKED), ("large", 3, LARGE), ("empty", 0, 0)] {
        put(&store, l, "b", key, bytes(seed, size)).await;
    }
    for (key, seed, size) in [("large", 4, LARGE), ("packed", 5, PACKED), ("inline", 6, INLINE)] {
        put(&store, l, "b", key, bytes(seed, size)).await;
    }
    for (from, to) in [("packed", "packed copied"), ("large", "large copied"), ("inline", "inline copied")] {
        copy(&store, l, from, to).await;
    }
    delete(&store, l, &["large", "packed copied"]).await;
    let condition = WriteCondition::Absent;
    let request = PutRequest { bucket: "b".into(), key: "inline copied".into(), condition, ..PutRequest::default() };
    if matches!(l.objects.get(&Ledger::key("b", "inline copied")), Some(Some(_))) {
        let refused = put_to(&store, request, &bytes(9, LARGE)).await;
        assert!(l.noted(refused).is_none(), "there is one");
    }
    let renamed = store.rename("b", "large copied", "large renamed", WriteCondition::Always).await;
    if let Some(content) = l.objects.get(&Ledger::key("b", "large copied")).cloned() {
        match l.noted(renamed) {
            Some(()) => {
                l.objects.insert(Ledger::key("b", "large renamed"), content);
                l.objects.insert(Ledger::key("b", "large copied"), None);
            }
            None => {
                l.attempts.entry(Ledger::key("b", "large renamed")).or_default().push(content);
                l.attempts.entry(Ledger::key("b", "large copied")).or_default().push(None);
            }
        }
    }
    uploads(&store, l).await;
    versions(&store, l).await;
    configuration(&store, l).await;
    encrypted(&store, l).await;
    compaction(&store, l, directory, faults).await;
    delete(&store, l, &["empty", "inline", "small/00"]).await;
    for (key, seed) in [("before the restart", 88), ("before the restart too", 89)] {
        put(&store, l, "b", key, bytes(seed, PACKED)).await;
    }
    drop(store);
    // A start has work of its own.
    if let Some(store) = l.noted(open(directory, files)) {
        put(&store, l, "b", "after the restart", bytes(90, PACKED)).await;
        put(&store, l, "b", "large after the restart", bytes(91, LARGE)).await;
        delete(&store, l, &["large after the restart"]).await;
    }
    ledger
}

async fn read(store: &Objects, bucket: &str, key: &str, version: Option<&str>) -> Result<Bytes> {
    let client = (key == "the client's").then(|| ClientKey::new([9; 32]));
    let object = store.get_sealed(bucket, key, version, client.as_ref())?;
    object.read_range(0..object.info().size).await
}

/// Checks that all that was acknowledged is there, and that what else is there is whole.
pub(super) async fn check(store: &Objects, ledger: &Ledger) {
    for (bucket, there) in &ledger.buckets {
        assert_eq!(store.bucket(bucket).is_ok(), *there, "bucket {bucket}");
    }
    check_objects(store, ledger).await;
    check_versions(store, ledger).await;
    for (name, possible) in &ledger.documents {
        if store.bucket("b").is_ok() {
            let found = store.document("b", name).unwrap().map(|text| text.to_string());
            assert!(possible.contains(&found), "document {name}: {found:?} is none of {possible:?}");
        }
    }
    for (id, (key, parts)) in &ledger.uploads {
        assert!(store.upload("b", key, id).is_ok(), "the upload of {key}");
        let request = ListUploads { max_uploads: 100, ..ListUploads::default() };
        let listed = store.list_uploads("b", request).await.unwrap();
        assert!(listed.uploads.iter().any(|upload| upload.upload_id == *id));
        let page = store.list_parts("b", key, id, 0, 1000).unwrap();
        for (number, content) in (1..).zip(parts) {
            let part = page.parts.iter().find(|part| part.number == number).unwrap();
            assert_eq!(part.etag, hex::encode(Md5::digest(content)), "part {number} of {key}");
        }
    }
}

async fn check_objects(store: &Objects, ledger: &Ledger) {
    let keys: BTreeSet<&Key> = ledger.objects.keys().chain(ledger.attempts.keys()).collect();
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for at in keys {
        let (bucket, key) = at;
        let found = match read(store, bucket, key, None).await {
            Ok(content) => Some(content),
            Err(Error::NoSuchKey(_) | Error::NoSuchBucket(_)) => None,
            Err(error) => panic!("{bucket}/{key}: {error}"),
        };
        if found.is_some() {
            there.entry(bucket.clone()).or_default().insert(key.clone());
        }
        let known = ledger.objects.get(at).cloned().unwrap_or(None);
        let possible = ledger.attempts.get(at).into_iter().flatten().chain([&known]);
        let lengths: Vec<_> = possible.clone().map(|content| content.as_ref().map(Bytes::len)).collect();
        let fits = possible.into_iter().any(|content| *content == found);
        assert!(fits, "{bucket}/{key}: {:?} bytes, which are none of {lengths:?}", found.map(|bytes| bytes.len()));
    }
    for bucket in store.buckets().unwrap() {
        let request = ListRequest { max_keys: 1000, ..ListRequest::default() };
        let listed = store.list(&bucket.name, request).await.unwrap();
        let listed: BTreeSet<String> = listed.objects.into_iter().map(|(key, _)| key).collect();
        assert_eq!(listed, there.remove(&bucket.name).unwrap_or_default(), "the listing of {}", bucket.name);
    }
}

async fn check_versions(store: &Objects, ledger: &Ledger) {
    if store.bucket("v").is_err() {
        return;
    }
    let page = store.list_versions("v", ListVersions { max_keys: 100, ..ListVersions::default() }).await.unwrap();
    assert_eq!(page.versions.iter().filter(|entry| entry.latest).count(), usize::from(!page.versions.is_empty()));
    for entry in page.versions.iter().filter(|entry| !entry.info.delete_marker) {
        let id = entry.info.version_id();
        assert_ne!(id, NULL_VERSION);
        let content = read(store, "v", &entry.key, Some(id)).await.unwrap();
        assert_eq!(hex::encode(Md5::digest(&content)), entry.info.etag);
    }
    for ((key, version), content) in &ledger.versions {
        assert_eq!(read(store, "v", key, Some(version)).await.unwrap(), content, "version {version} of {key}");
    }
    for (key, version) in &ledger.deleted_versions {
        assert!(matches!(read(store, "v", key, Some(version)).await, Err(Error::NoSuchVersion(_))));
    }
    if let Some(held) = &ledger.held {
        let info = store.head_version("v", "a", Some(held)).unwrap();
        assert!(info.lock.retention.is_some());
        assert_eq!(info.metadata.tags.len(), usize::from(ledger.tagged));
    }
}

/// Writes of every size still work.
pub(super) async fn use_again(store: &Objects) {
    let _ = store.create_bucket("b").await;
    let mut ledger = Ledger::default();
    for (key, seed, size) in [("new inline", 101, INLINE), ("new packed", 102, PACKED), ("new large", 103, LARGE)] {
        put(store, &mut ledger, "b", key, bytes(seed, size)).await.unwrap();
        assert_eq!(read(store, "b", key, None).await.unwrap(), bytes(seed, size));
    }
    delete(store, &mut ledger, &["new inline", "new packed", "new large"]).await;
    assert!(ledger.failures.is_empty());
}
