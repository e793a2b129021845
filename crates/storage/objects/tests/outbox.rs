//! Changes in watched buckets are kept until they are told.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use boathouse_objects::{
    ChangeKind, CompleteUpload, CompletedPart, CopyRequest, DeleteRequest, Expectations, NewUpload, ObjectChange,
    Objects, Options, PutRequest, UploadPart, WATCH, WriteCondition,
};
use bytes::Bytes;
use futures::stream;

fn open(dir: &Path) -> Objects {
    Objects::open(dir, &Options::default()).unwrap()
}

async fn watched(dir: &Path) -> Objects {
    let store = open(dir);
    for bucket in ["watched", "quiet"] {
        store.create_bucket(bucket).await.unwrap();
    }
    store.put_document("watched", WATCH, "{}".into()).await.unwrap();
    store
}

async fn put(store: &Objects, bucket: &str, key: &str, condition: WriteCondition) -> bool {
    let origin = Some("who".to_owned());
    let request = PutRequest { bucket: bucket.into(), key: key.into(), condition, origin, ..PutRequest::default() };
    store.put(request, stream::iter([Ok(Bytes::from("body"))]), Expectations::default).await.is_ok()
}

fn kinds(changes: &[ObjectChange]) -> Vec<(&str, ChangeKind)> {
    changes.iter().map(|change| (change.key.as_str(), change.kind)).collect()
}

#[tokio::test]
async fn every_kind_of_change_is_kept_with_its_origin_and_only_where_it_is_watched() {
    let dir = tempfile::tempdir().unwrap();
    let store = watched(dir.path()).await;
    assert!(put(&store, "quiet", "k", WriteCondition::Always).await);
    assert!(put(&store, "watched", "a", WriteCondition::Always).await);
    assert!(!put(&store, "watched", "a", WriteCondition::Absent).await, "what did not happen is not told");
    let copy = CopyRequest {
        source_bucket: "quiet".into(),
        source_key: "k".into(),
        bucket: "watched".into(),
        key: "b".into(),
        ..CopyRequest::default()
    };
    store.copy(copy).await.unwrap();
    let new = NewUpload { bucket: "watched".into(), key: "c".into(), ..NewUpload::default() };
    let upload_id = store.create_upload(new).await.unwrap().upload_id;
    let part = UploadPart {
        bucket: "watched".into(),
        key: "c".into(),
        upload_id: upload_id.clone(),
        number: 1,
        ..UploadPart::default()
    };
    let body = stream::iter([Ok(Bytes::from("part"))]);
    let etag = store.upload_part(part, body, Expectations::default).await.unwrap().etag;
    let parts = vec![CompletedPart { number: 1, etag, checksums: Vec::new() }];
    let complete =
        CompleteUpload { bucket: "watched".into(), key: "c".into(), upload_id, parts, ..CompleteUpload::default() };
    store.complete_upload(complete).await.unwrap();
    store.rename("watched", "b", "d", WriteCondition::Always).await.unwrap();
    let keys = vec!["a".to_owned(), "never was".to_owned()];
    store.delete_all(DeleteRequest { bucket: "watched".into(), keys, origin: None }).await.unwrap();
    let changes = store.untold_changes(0, 100).unwrap();
    let expected = [
        ("a", ChangeKind::Put),
        ("b", ChangeKind::Copy),
        ("c", ChangeKind::CompleteUpload),
        ("d", ChangeKind::Copy),
        ("b", ChangeKind::Delete),
        ("a", ChangeKind::Delete),
    ];
    assert_eq!(kinds(&changes), expected);
    assert!(changes.is_sorted_by(|a, b| a.sequence < b.sequence));
    assert_eq!((changes[0].origin.as_deref(), changes[0].size), (Some("who"), 4));
    store.changes_kept().await;
}

#[tokio::test]
async fn changes_outlive_a_restart_and_end_when_they_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = watched(dir.path()).await;
    assert!(put(&store, "watched", "a", WriteCondition::Always).await);
    assert!(put(&store, "watched", "b", WriteCondition::Always).await);
    let before = store.untold_changes(0, 100).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.untold_changes(0, 100).unwrap(), before);
    assert_eq!(store.untold_changes(before[0].sequence, 100).unwrap(), before[1..]);
    assert_eq!(store.untold_changes(0, 1).unwrap(), before[..1]);
    store.told(before.iter().map(|change| change.sequence).collect()).await.unwrap();
    drop(store);
    let store = open(dir.path());
    assert!(store.untold_changes(0, 100).unwrap().is_empty());
    assert!(put(&store, "watched", "a", WriteCondition::Always).await);
    let after = store.untold_changes(0, 100).unwrap();
    assert!(after[0].sequence > before[1].sequence, "numbers grow although nothing was left");
    store.delete_document("watched", WATCH).await.unwrap();
    assert!(put(&store, "watched", "c", WriteCondition::Always).await);
    assert_eq!(store.untold_changes(0, 100).unwrap().len(), 1);
}
