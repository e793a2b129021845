//! A bucket as the `object_store` trait.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use boathouse_objects::{Objects, Options};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Error, MultipartUpload as _, ObjectStore, ObjectStoreExt as _, PutMode, UpdateVersion};

async fn bucket() -> (tempfile::TempDir, Objects, Arc<dyn ObjectStore>) {
    let dir = tempfile::tempdir().unwrap();
    let objects = Objects::open(dir.path(), &Options::default()).unwrap();
    objects.create_bucket("b").await.unwrap();
    let store = Arc::new(objects.store("b"));
    (dir, objects, store)
}

#[tokio::test]
async fn objects_are_written_read_listed_and_deleted() {
    let (_dir, _objects, store) = bucket().await;
    for key in ["a/1", "a/2", "b"] {
        store.put(&Path::from(key), Bytes::from(key.repeat(3000)).into()).await.unwrap();
    }
    let got = store.get_range(&Path::from("a/1"), 3..6).await.unwrap();
    assert_eq!(got, "a/1".as_bytes());
    let ranges = store.get_ranges(&Path::from("a/2"), &[0..3, 8997..9000]).await.unwrap();
    assert_eq!(ranges, ["a/2", "a/2"]);
    let listed: Vec<_> =
        store.list(Some(&Path::from("a"))).map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap();
    assert_eq!(listed, ["a/1", "a/2"]);
    let top = store.list_with_delimiter(None).await.unwrap();
    assert_eq!((top.common_prefixes, top.objects.len()), (vec![Path::from("a")], 1));
    store.copy_if_not_exists(&Path::from("a/1"), &Path::from("c")).await.unwrap();
    let taken = store.copy_if_not_exists(&Path::from("a/1"), &Path::from("c")).await;
    assert!(matches!(taken, Err(Error::AlreadyExists { .. })), "{taken:?}");
    store.delete(&Path::from("a/1")).await.unwrap();
    assert!(matches!(store.head(&Path::from("a/1")).await, Err(Error::NotFound { .. })));
    assert!(matches!(store.get_range(&Path::from("b"), 5..5000).await, Ok(bytes) if bytes.len() == 2995));
}

#[tokio::test]
async fn conditions_hold() {
    let (_dir, _objects, store) = bucket().await;
    let path = Path::from("x");
    let first = store.put_opts(&path, "1".into(), PutMode::Create.into()).await.unwrap();
    let again = store.put_opts(&path, "2".into(), PutMode::Create.into()).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    let update = |e_tag| PutMode::Update(UpdateVersion { e_tag, version: None });
    store.put_opts(&path, "3".into(), update(first.e_tag.clone()).into()).await.unwrap();
    let stale = store.put_opts(&path, "4".into(), update(first.e_tag).into()).await;
    assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "3");
}

#[tokio::test]
async fn pieces_become_one_object_or_none() {
    let (_dir, _objects, store) = bucket().await;
    let path = Path::from("big");
    let mut upload = store.put_multipart(&path).await.unwrap();
    let parts: Vec<_> = (0u8..20).map(|byte| upload.put_part(vec![byte; 300_000].into())).collect();
    futures::future::try_join_all(parts).await.unwrap();
    upload.complete().await.unwrap();
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len(), 6_000_000);
    assert!(bytes.chunks(300_000).enumerate().all(|(index, part)| part.iter().all(|byte| *byte == index as u8)));

    for abort in [true, false] {
        let mut upload = store.put_multipart(&Path::from("gone")).await.unwrap();
        upload.put_part(vec![1; 100_000].into()).await.unwrap();
        if abort {
            upload.abort().await.unwrap();
        }
        drop(upload);
        assert!(matches!(store.head(&Path::from("gone")).await, Err(Error::NotFound { .. })));
    }
    assert_eq!(store.list(None).count().await, 1);
}
