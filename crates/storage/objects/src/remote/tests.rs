//! A store whose bodies lie in a remote store that is well, fails, or lies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};

use super::*;
use crate::{DeleteRequest, Expectations, Objects, Options, PutRequest, Seal};

/// A store in memory that may be down, altogether or as soon as an upload is to be completed.
#[derive(Clone, Default)]
pub(super) struct Shaky(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    parts: BTreeMap<(String, u32), Bytes>,
    /// Uploads that were begun and neither completed nor aborted.
    uploads: BTreeSet<String>,
    down: bool,
    incomplete: bool,
    /// A body breaks off after so many bytes, once.
    breaks: Option<usize>,
}

pub(super) fn in_memory(store: &Shaky) -> Remote {
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    Remote::new(Box::new(store.clone()), "s3://memory/test", "test", io)
}

fn failure<T>(failure: RemoteFailure) -> Result<T> {
    Err(Error::Remote { failure, what: "it is down".into() })
}

impl Shaky {
    fn up(&self) -> Result<parking_lot::MutexGuard<'_, State>> {
        let state = self.0.lock();
        if state.down { failure(RemoteFailure::Unavailable) } else { Ok(state) }
    }

    fn set(&self, down: bool) {
        let mut state = self.0.lock();
        (state.down, state.incomplete) = (down, false);
    }

    fn files(&self) -> Vec<(String, Bytes)> {
        let objects = self.0.lock().objects.clone();
        objects.into_iter().filter(|(key, _)| key.starts_with("test/blobs/")).collect()
    }

    fn write(&self, key: &str, bytes: impl Into<Bytes>) {
        self.0.lock().objects.insert(key.to_owned(), bytes.into());
    }

    fn uploads(&self) -> usize {
        self.0.lock().uploads.len()
    }
}

fn tag(bytes: &Bytes) -> String {
    format!("\"{:x}\"", crc_fast::crc32_iscsi(bytes))
}

#[async_trait]
impl RemoteStore for Shaky {
    async fn get(&self, key: &str, range: Option<Range<u64>>, if_match: Option<&str>) -> Result<RemoteBytes> {
        let mut state = self.up()?;
        let Some(bytes) = state.objects.get(key).cloned() else { return failure(RemoteFailure::Missing) };
        if if_match.is_some_and(|wanted| wanted != tag(&bytes)) {
            return failure(RemoteFailure::Unmatched);
        }
        let length = bytes.len() as u64;
        let range = range.unwrap_or(0..length);
        let bytes = bytes.slice(range.start.min(length) as usize..range.end.min(length) as usize);
        let mut pieces: Vec<Result<Bytes>> =
            bytes.chunks(30_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        if let Some(after) = state.breaks.take_if(|after| *after < bytes.len()) {
            pieces.truncate(after / 30_000);
            pieces.push(failure(RemoteFailure::Unavailable));
        }
        Ok(stream::iter(pieces).boxed())
    }

    async fn size(&self, key: &str) -> Result<u64> {
        self.up()?.objects.get(key).map_or_else(|| failure(RemoteFailure::Missing), |bytes| Ok(bytes.len() as u64))
    }

    async fn put(&self, key: &str, body: Bytes, create: bool) -> Result<()> {
        let mut state = self.up()?;
        if create && state.objects.contains_key(key) {
            return failure(RemoteFailure::Unmatched);
        }
        assert!(body.len() <= 5 << 20, "it is in memory as a whole");
        state.objects.insert(key.to_owned(), body);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.up()?.objects.remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<RemoteObject>> {
        let state = self.up()?;
        let wanted = state.objects.iter().filter(|(key, _)| key.starts_with(prefix) && &key[..] > after);
        let object = |(key, bytes): (&String, &Bytes)| RemoteObject {
            key: key.clone(),
            size: bytes.len() as u64,
            etag: Some(tag(bytes)),
            modified_ms: 1,
        };
        Ok(wanted.take(2).map(object).collect())
    }

    async fn begin(&self, key: &str) -> Result<String> {
        self.up()?.uploads.insert(key.to_owned());
        Ok(key.to_owned())
    }

    async fn put_part(&self, _: &str, upload: &str, number: u32, body: Bytes) -> Result<String> {
        assert!(body.len() <= 5 << 20, "a part is in memory as a whole");
        let etag = tag(&body);
        self.up()?.parts.insert((upload.to_owned(), number), body);
        Ok(etag)
    }

    async fn complete(&self, key: &str, upload: &str, etags: &[String]) -> Result<()> {
        let mut state = self.0.lock();
        state.down |= state.incomplete;
        if state.down {
            return failure(RemoteFailure::Unavailable);
        }
        let parts: Vec<Bytes> = state
            .parts
            .range((upload.to_owned(), 0)..=(upload.to_owned(), u32::MAX))
            .map(|(_, part)| part.clone())
            .collect();
        assert_eq!(parts.iter().map(tag).collect::<Vec<_>>(), etags);
        state.uploads.remove(upload);
        state.objects.insert(key.to_owned(), parts.concat().into());
        Ok(())
    }

    async fn abort(&self, _: &str, upload: &str) -> Result<()> {
        let known = self.up()?.uploads.remove(upload);
        if known { Ok(()) } else { failure(RemoteFailure::Missing) }
    }
}

fn open(dir: &Path, store: &Shaky) -> Objects {
    let options = || Options { remote: Some(in_memory(store)), ..Options::default() };
    let started = Instant::now();
    loop {
        // Opening waits for the remote store, which no task may.
        let opened = std::thread::scope(|scope| scope.spawn(|| Objects::open(dir, &options())).join().unwrap());
        match opened {
            Ok(store) => return store,
            // An earlier one is still being closed.
            Err(Error::Index(_)) if started.elapsed() < Duration::from_secs(20) => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn body(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 % 251) as u8).collect()
}

async fn put(store: &Objects, key: &str, bytes: Vec<u8>, seal: Seal) -> Result<()> {
    let request = PutRequest { bucket: "b".into(), key: key.into(), seal, ..PutRequest::default() };
    let pieces: Vec<_> = bytes.chunks(300_001).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    store.put(request, stream::iter(pieces), Expectations::default).await.map(drop)
}

async fn read(store: &Objects, key: &str, range: Range<u64>) -> Result<Vec<u8>> {
    let mut pieces = store.get("b", key)?.read(range)?;
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < Duration::from_secs(20), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn unavailable<T: fmt::Debug>(outcome: Result<T>) {
    assert!(matches!(outcome, Err(Error::Remote { failure: RemoteFailure::Unavailable, .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_all_sizes_lie_in_the_remote_store_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let remote = Shaky::default();
    let store = open(dir.path(), &remote);
    store.create_bucket("b").await.unwrap();
    let sizes = [0, 100, 4096, 4097, 65_536, 70_000, 1 << 20, (1 << 20) + 1, (5 << 20) - 4, 5 << 20, 17_000_000];
    for size in sizes {
        put(&store, &size.to_string(), body(size), Seal::AsBucket).await.unwrap();
        put(&store, &format!("sealed {size}"), body(size), Seal::Store).await.unwrap();
    }
    for folder in ["blobs", "packs"] {
        assert_eq!(std::fs::read_dir(dir.path().join(folder)).unwrap().count(), 0, "{folder}");
    }
    let files = remote.files();
    assert_eq!(files.len(), 2 * 8, "what is larger than the index takes");
    assert!(files.iter().any(|(_, bytes)| bytes.len() as u64 == crate::blobs::stored_bytes(17_000_000)));
    assert_eq!(remote.uploads(), 0);
    drop(store);
    let store = open(dir.path(), &remote);
    for size in sizes {
        let (all, size) = (body(size), size as u64);
        let places = [0, 1, 65_519, 65_521, 65_536, 262_144, size / 2, size.saturating_sub(1), size];
        for key in [size.to_string(), format!("sealed {size}")] {
            for start in places.into_iter().filter(|start| *start <= size) {
                for end in [start, start + 1, start + 65_536, start + 700_000, size].map(|end| end.clamp(start, size)) {
                    let wanted = &all[start as usize..end as usize];
                    assert!(read(&store, &key, start..end).await.unwrap() == wanted, "{key} {start}..{end}");
                    let whole = store.get("b", &key).unwrap().read_range(start..end).await.unwrap();
                    assert!(whole == wanted, "{key} {start}..{end} at once");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_store_that_fails_is_told_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let remote = Shaky::default();
    let store = open(dir.path(), &remote);
    store.create_bucket("b").await.unwrap();
    put(&store, "there", body(7_000_000), Seal::AsBucket).await.unwrap();
    put(&store, "small", body(10), Seal::AsBucket).await.unwrap();
    assert!(store.remote().unwrap().1.is_none());
    remote.set(true);
    unavailable(put(&store, "new", body(10_000), Seal::AsBucket).await);
    unavailable(put(&store, "large", body(12_000_000), Seal::Store).await);
    unavailable(put(&store, "there", body(20_000), Seal::AsBucket).await);
    unavailable(read(&store, "there", 0..7_000_000).await);
    unavailable(read(&store, "there", 9..10).await);
    assert_eq!(read(&store, "small", 0..10).await.unwrap(), body(10), "it lies in the index");
    put(&store, "small too", body(10), Seal::AsBucket).await.unwrap();
    assert!(store.remote().unwrap().1.is_some_and(|why| why.contains("it is down")));
    assert!(matches!(store.get("b", "new"), Err(Error::NoSuchKey(_))));
    // What is deleted meanwhile goes later.
    let gone = DeleteRequest { bucket: "b".into(), keys: vec!["there".into()], origin: None };
    store.delete_all(gone).await.unwrap();
    remote.set(false);
    put(&store, "new", body(10_000), Seal::AsBucket).await.unwrap();
    assert!(read(&store, "new", 0..10_000).await.unwrap() == body(10_000));
    until("the removal", || async { remote.files().len() == 1 }).await;
    assert_eq!(remote.uploads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let remote = Shaky::default();
    let store = open(dir.path(), &remote);
    store.create_bucket("b").await.unwrap();
    put(&store, "large", body(3_000_000), Seal::Store).await.unwrap();
    assert!(read(&store, "large", 0..10).await.is_ok(), "the checksums are known from here on");
    remote.0.lock().breaks = Some(1_000_000);
    assert!(read(&store, "large", 0..3_000_000).await.unwrap() == body(3_000_000));
    assert_eq!(remote.0.lock().breaks, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_a_crash_left_is_aborted_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let remote = Shaky::default();
    let store = open(dir.path(), &remote);
    store.create_bucket("b").await.unwrap();
    remote.0.lock().incomplete = true;
    unavailable(put(&store, "large", body(12_000_000), Seal::AsBucket).await);
    assert_eq!(remote.uploads(), 1, "it could not be aborted");
    drop(store);
    remote.set(false);
    let store = open(dir.path(), &remote);
    until("the abortion", || async { remote.uploads() == 0 }).await;
    until("the end of the row", || async {
        store.inner.index.scan(crate::index::Table::Intent, &[], std::ops::Bound::Unbounded).next().is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_were_changed_or_lost_are_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let remote = Shaky::default();
    let store = open(dir.path(), &remote);
    store.create_bucket("b").await.unwrap();
    for size in [300_000, 3_000_000] {
        put(&store, "key", body(size), Seal::AsBucket).await.unwrap();
        until("the removal", || async { remote.files().len() == 1 }).await;
        let (name, whole) = remote.files().remove(0);
        let replace = |bytes: Vec<u8>| remote.write(&name, bytes);
        let mut flipped = whole.to_vec();
        flipped[size / 2] ^= 1;
        replace(flipped);
        let half = size as u64 / 2;
        assert!(read(&store, "key", 0..10).await.is_ok() || size < 1 << 20, "the first block is sound");
        assert!(matches!(read(&store, "key", half..half + 1).await, Err(Error::Corrupt(_))));
        assert!(store.damaged_files() > 0);
        replace(whole[..size - 100_000].to_vec());
        let end = size as u64;
        let cut = read(&store, "key", 0..end).await;
        assert!(matches!(cut, Err(Error::Corrupt(_) | Error::Remote { .. })), "{:?}", cut.map(drop));
        remote.delete(&name).await.unwrap();
        assert!(matches!(read(&store, "key", 0..end).await, Err(Error::Corrupt(text)) if text.contains("missing")));
        replace(whole.to_vec());
        assert!(read(&store, "key", 0..end).await.unwrap() == body(size));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_names_what_stays_in_the_remote_store() {
    let dir = tempfile::tempdir().unwrap();
    let remote = Shaky::default();
    let store = open(dir.path(), &remote);
    store.create_bucket("b").await.unwrap();
    put(&store, "one", body(10), Seal::AsBucket).await.unwrap();
    put(&store, "two", body(10_000), Seal::Store).await.unwrap();
    let back_up = move || store.freeze().unwrap().write_rows(Vec::new()).map(|written| (store, written));
    let (store, written) = tokio::task::spawn_blocking(back_up).await.unwrap().unwrap();
    let (url, files) = written.remote.unwrap();
    assert_eq!((&url[..], files.len()), ("s3://memory/test", 1));
    assert!(files[0].name.starts_with("test/blobs/") && files[0].bytes > 10_000);
    let names: Vec<_> = written.files.iter().map(|file| &file.name[..]).collect();
    assert_eq!(names, ["master.key", CLAIM_FILE]);
    // What is missing is not backed up in silence.
    remote.delete(&remote.files()[0].0).await.unwrap();
    let back_up = move || store.freeze().unwrap().write_rows(Vec::new()).map(drop);
    assert!(matches!(tokio::task::spawn_blocking(back_up).await.unwrap(), Err(Error::Corrupt(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_is_attached_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let remote = Shaky::default();
    let store = open(dir.path(), &remote);
    store.create_bucket("b").await.unwrap();
    for (key, size) in [("raw/empty", 0), ("raw/one", 10), ("raw//day=1/large", 3_000_000), ("other/two", 20)] {
        remote.write(key, body(size));
    }
    put(&store, "raw/one", body(50_000), Seal::AsBucket).await.unwrap();
    let attached = store.attach("b", "raw/").await.unwrap();
    assert_eq!(attached, AttachReport { added: 2, kept: 1, ..AttachReport::default() });
    let all = store.attach("b", "").await.unwrap();
    assert_eq!(all, AttachReport { added: 1, kept: 1, unchanged: 2, ..AttachReport::default() });
    assert_eq!(remote.files().len(), 1, "no body was copied");
    let large = body(3_000_000);
    assert!(read(&store, "raw//day=1/large", 0..3_000_000).await.unwrap() == large);
    assert!(read(&store, "raw//day=1/large", 65_530..1_000_001).await.unwrap() == large[65_530..1_000_001]);
    assert!(read(&store, "raw/empty", 0..0).await.unwrap().is_empty());
    assert!(read(&store, "raw/one", 0..50_000).await.unwrap() == body(50_000), "what was ours stays");
    assert!(store.head("b", "other/two").unwrap().modified_ms > 0);
    // Other bytes under the same name are not served as if they were the same.
    remote.write("other/two", vec![9; 20]);
    assert!(matches!(read(&store, "other/two", 0..20).await, Err(Error::Corrupt(text)) if text.contains("changed")));
    assert_eq!(store.attach("b", "other").await.unwrap(), AttachReport { changed: 1, ..AttachReport::default() });
    assert_eq!(read(&store, "other/two", 0..20).await.unwrap(), [9; 20]);
    // What is deleted here stays there.
    store.delete("b", vec!["other/two".into()]).await.unwrap();
    assert_eq!(remote.size("other/two").await.unwrap(), 20);
    assert!(matches!(store.attach("none", "").await, Err(Error::NoSuchBucket(_))));
}
