//! Buckets, their documents, and the clock.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use boathouse_objects::{Clock, Error, Expectations, NewBucket, Objects, Options, PutRequest};
use futures::stream;

fn open(dir: &std::path::Path) -> Objects {
    let clock = Clock::new(|| UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    Objects::open(dir, &Options { clock, ..Options::default() }).unwrap()
}

#[tokio::test]
async fn documents_survive_a_restart_and_end_with_their_bucket() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let documents = BTreeMap::from([("ownership".to_owned(), "\"enforced\"".to_owned())]);
    let new = NewBucket {
        name: "b".into(),
        owner: "111122223333".into(),
        region: "eu-north-1".into(),
        documents,
        ..NewBucket::default()
    };
    store.create_bucket_with(new.clone()).await.unwrap();
    assert!(matches!(store.create_bucket_with(new.clone()).await, Err(Error::BucketExists(_))));
    store.create_bucket("bb").await.unwrap();
    store.put_document("b", "policy", "{}".into()).await.unwrap();
    store.put_document("b", "policy", "{\"a\":1}".into()).await.unwrap();
    store.put_document("bb", "policy", "other".into()).await.unwrap();
    drop(store);
    let store = open(dir.path());
    let bucket = store.bucket("b").unwrap();
    assert_eq!((&bucket.owner, &bucket.region), (&new.owner, &new.region));
    assert_eq!(bucket.created_ms, 1_700_000_000_000);
    let names: Vec<_> = store.documents("b").unwrap().into_keys().collect();
    assert_eq!(names, ["ownership", "policy"]);
    assert_eq!(store.document("b", "policy").unwrap().as_deref(), Some("{\"a\":1}"));
    assert!(store.delete_document("b", "policy").await.unwrap());
    assert!(!store.delete_document("b", "policy").await.unwrap());
    assert_eq!(store.document("b", "policy").unwrap(), None);
    store.delete_bucket("b").await.unwrap();
    assert!(matches!(store.document("b", "ownership"), Err(Error::NoSuchBucket(_))));
    store.create_bucket("b").await.unwrap();
    assert!(store.documents("b").unwrap().is_empty());
    assert_eq!(store.document("bb", "policy").unwrap().as_deref(), Some("other"));
}

#[tokio::test]
async fn a_document_needs_a_bucket() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let missing = |outcome| matches!(outcome, Err(Error::NoSuchBucket(_)));
    assert!(missing(store.put_document("none", "policy", String::new()).await));
    assert!(missing(store.delete_document("none", "policy").await.map(drop)));
    assert!(missing(store.documents("none").map(drop)));
}

#[tokio::test]
async fn the_clock_dates_objects() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let request = PutRequest { bucket: "b".into(), key: "k".into(), ..PutRequest::default() };
    let info = store.put(request, stream::empty(), Expectations::default).await.unwrap();
    assert_eq!(info.modified_ms, 1_700_000_000_000);
}
