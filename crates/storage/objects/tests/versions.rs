//! Versions as callers see them, beside a model.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use boathouse_objects::{
    ChangeKind, CopyRequest, DeleteItem, Deletion, Error, Expectations, ListVersions, Lock, LockMode, Objects, Options,
    PutRequest, Retention, VersionMark, Versioning, WriteCondition,
};
use bytes::Bytes;
use futures::stream;
use proptest::prelude::*;

fn open(dir: &std::path::Path) -> Objects {
    Objects::open(dir, &Options { durability: boathouse_objects::Durability::None, ..Options::default() }).unwrap()
}

async fn put(store: &Objects, key: &str, body: &[u8]) -> String {
    let request = PutRequest { bucket: "b".into(), key: key.into(), ..PutRequest::default() };
    let body = stream::iter([Ok(Bytes::copy_from_slice(body))]);
    store.put(request, body, Expectations::default).await.unwrap().version_id().to_owned()
}

async fn remove(store: &Objects, key: &str, version: Option<&str>) -> Result<Deletion, Error> {
    let item = DeleteItem { key: key.into(), version: version.map(str::to_owned), ..DeleteItem::default() };
    store.delete_items("b", vec![item], ChangeKind::Delete, None).await.unwrap().remove(0)
}

async fn read(store: &Objects, key: &str, version: Option<&str>) -> Result<Bytes, Error> {
    let open = store.get_version("b", key, version)?;
    open.read_range(0..open.info().size).await
}

/// A version in the model: id, body (none for a delete marker).
type Version = (String, Option<Vec<u8>>);

/// What a bucket holds, the newest version first.
#[derive(Default)]
struct Model {
    versioning: Versioning,
    keys: BTreeMap<String, Vec<Version>>,
}

impl Model {
    fn add(&mut self, key: &str, id: &str, body: Option<Vec<u8>>) {
        let versions = self.keys.entry(key.to_owned()).or_default();
        match self.versioning {
            Versioning::Off => versions.clear(),
            Versioning::Enabled => {}
            Versioning::Suspended => versions.retain(|(id, _)| id != "null"),
        }
        versions.insert(0, (id.to_owned(), body));
    }

    fn remove(&mut self, key: &str, marker: Option<&str>) {
        match marker {
            Some(marker) => self.add(key, marker, None),
            None => drop(self.keys.remove(key)),
        }
    }

    fn forget(&mut self, key: &str, id: &str) {
        if let Some(versions) = self.keys.get_mut(key) {
            versions.retain(|(it, _)| it != id);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put { key: usize, large: bool },
    Delete { key: usize },
    Forget { key: usize, version: prop::sample::Index },
    Versioning(bool),
    Copy { from: usize, to: usize, version: prop::sample::Index },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..4_usize;
    let version = any::<prop::sample::Index>();
    let step = prop_oneof![
        4 => (key.clone(), any::<bool>()).prop_map(|(key, large)| Step::Put { key, large }),
        2 => key.clone().prop_map(|key| Step::Delete { key }),
        3 => (key.clone(), version.clone()).prop_map(|(key, version)| Step::Forget { key, version }),
        2 => any::<bool>().prop_map(Step::Versioning),
        1 => (key.clone(), key, version).prop_map(|(from, to, version)| Step::Copy { from, to, version }),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

const KEYS: [&str; 4] = ["a", "a/b", "a/c", "é"];

async fn compare(store: &Objects, model: &Model) {
    let mut expected = Vec::new();
    for (key, versions) in &model.keys {
        let current = versions.first().and_then(|(_, body)| body.clone());
        match (read(store, key, None).await, current) {
            (Ok(read), Some(body)) => assert!(read == body),
            (Err(Error::NoSuchKey(_)), None) => {
                let marker = store.delete_marker("b", key).unwrap().map(|info| info.version_id().to_owned());
                assert_eq!(marker, versions.first().map(|(id, _)| id.clone()));
            }
            (read, current) => panic!("{key}: {read:?} instead of {current:?}"),
        }
        for (at, (id, body)) in versions.iter().enumerate() {
            match (read(store, key, Some(id)).await, body) {
                (Ok(read), Some(body)) => assert!(read == *body),
                (Err(Error::DeleteMarker { .. }), None) => {}
                (read, _) => panic!("{key} {id}: {read:?}"),
            }
            expected.push((key.clone(), id.clone(), at == 0, body.is_none()));
        }
    }
    for max_keys in [1, 3, 1000] {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let request = ListVersions { after, max_keys, ..ListVersions::default() };
            let page = store.list_versions("b", request).await.unwrap();
            for it in &page.versions {
                let id = it.info.version_id().to_owned();
                listed.push((it.key.clone(), id, it.latest, it.info.delete_marker));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, expected, "in pages of {max_keys}");
    }
    let request = ListVersions { delimiter: Some("/".into()), max_keys: 1000, ..ListVersions::default() };
    let page = store.list_versions("b", request).await.unwrap();
    let rolled = expected.iter().filter(|(key, ..)| key.starts_with("a/")).count();
    assert_eq!(page.versions.len(), expected.len() - rolled);
    assert_eq!(page.common_prefixes.len(), usize::from(rolled > 0));
}

async fn run(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    let mut model = Model::default();
    for (at, step) in steps.into_iter().enumerate() {
        match step {
            Step::Put { key, large } => {
                let body = vec![at as u8; if large { 9_000 } else { 9 }];
                let id = put(&store, KEYS[key], &body).await;
                model.add(KEYS[key], &id, Some(body));
            }
            Step::Delete { key } => {
                let deletion = remove(&store, KEYS[key], None).await.unwrap();
                assert_eq!(deletion.delete_marker, model.versioning != Versioning::Off);
                model.remove(KEYS[key], deletion.version.as_deref());
            }
            Step::Forget { key, version } => {
                let versions = model.keys.get(KEYS[key]).filter(|versions| !versions.is_empty());
                let Some(versions) = versions else { continue };
                let id = version.get(versions).0.clone();
                assert!(remove(&store, KEYS[key], Some(&id)).await.unwrap().found);
                model.forget(KEYS[key], &id);
            }
            Step::Versioning(on) => {
                model.versioning = if on { Versioning::Enabled } else { Versioning::Suspended };
                store.set_versioning("b", model.versioning).await.unwrap();
            }
            Step::Copy { from, to, version } => {
                let versions = model.keys.get(KEYS[from]).filter(|versions| !versions.is_empty());
                let Some((id, Some(body))) = versions.map(|versions| version.get(versions).clone()) else { continue };
                let request = CopyRequest {
                    source_bucket: "b".into(),
                    source_key: KEYS[from].into(),
                    source_version: Some(id),
                    bucket: "b".into(),
                    key: KEYS[to].into(),
                    ..CopyRequest::default()
                };
                let id = store.copy(request).await.unwrap().version_id().to_owned();
                model.add(KEYS[to], &id, Some(body));
            }
            Step::Restart => {
                drop(store);
                store = open(dir.path());
            }
        }
        model.keys.retain(|_, versions| !versions.is_empty());
    }
    compare(&store, &model).await;
    let all: Vec<(String, String)> = model
        .keys
        .iter()
        .flat_map(|(key, versions)| versions.iter().map(|(id, _)| (key.clone(), id.clone())))
        .collect();
    if !all.is_empty() {
        assert!(matches!(store.delete_bucket("b").await, Err(Error::BucketNotEmpty(_))));
    }
    for (key, id) in all {
        assert!(remove(&store, &key, Some(&id)).await.unwrap().found);
    }
    store.delete_bucket("b").await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_engine_does_what_the_model_does(steps in steps()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(steps));
    }
}

#[tokio::test]
async fn pages_begin_behind_their_mark_even_if_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    put(&store, "k", b"0").await;
    store.set_versioning("b", Versioning::Enabled).await.unwrap();
    let (one, two) = (put(&store, "k", b"1").await, put(&store, "k", b"2").await);
    put(&store, "l", b"3").await;
    let behind = |version: Option<&str>| {
        let after = Some(VersionMark { key: "k".into(), version: version.map(str::to_owned) });
        let request = ListVersions { after, max_keys: 9, ..ListVersions::default() };
        let (store, two) = (&store, &two);
        async move {
            let page = store.list_versions("b", request).await?;
            assert!(page.versions.iter().all(|it| it.info.version_id() != two));
            Ok::<_, Error>(page.versions.iter().map(|it| (it.key.clone(), it.latest)).collect::<Vec<_>>())
        }
    };
    let (k, l) = (("k".to_owned(), false), ("l".to_owned(), true));
    assert_eq!(behind(Some(&two)).await.unwrap(), [k.clone(), k.clone(), l.clone()]);
    assert_eq!(behind(Some("null")).await.unwrap(), std::slice::from_ref(&l));
    assert_eq!(behind(None).await.unwrap(), std::slice::from_ref(&l));
    remove(&store, "k", Some(&one)).await.unwrap();
    assert_eq!(behind(Some(&one)).await.unwrap(), [k, l]);
    assert!(matches!(behind(Some("nonsense")).await, Err(Error::InvalidVersion(_))));
}

#[tokio::test]
async fn locked_versions_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    store.set_versioning("b", Versioning::Enabled).await.unwrap();
    let lock = |mode| Lock { retention: Some(Retention { mode, until_ms: u64::MAX }), legal_hold: None };
    for (mode, goes) in [(LockMode::Governance, true), (LockMode::Compliance, false)] {
        let request = PutRequest { bucket: "b".into(), key: "k".into(), lock: lock(mode), ..PutRequest::default() };
        let info =
            store.put(request, stream::iter([Ok(Bytes::from_static(b"x"))]), Expectations::default).await.unwrap();
        let version = info.version.clone();
        let item = DeleteItem { key: "k".into(), version: version.clone(), ..DeleteItem::default() };
        let bypassing = DeleteItem { bypass_governance: true, ..item.clone() };
        let outcomes = store.delete_items("b", vec![item, bypassing], ChangeKind::Delete, None).await.unwrap();
        assert!(matches!(outcomes[0], Err(Error::Locked)));
        assert_eq!(outcomes[1].is_ok(), goes);
        assert!(remove(&store, "k", None).await.unwrap().delete_marker, "a marker only hides");
        assert_eq!(store.head_version("b", "k", version.as_deref()).is_err(), goes);
    }
}

#[tokio::test]
async fn deletions_have_conditions() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_bucket("b").await.unwrap();
    put(&store, "k", b"x").await;
    let etag = store.head("b", "k").unwrap().etag;
    let item = |key: &str, condition| DeleteItem { key: key.into(), condition, ..DeleteItem::default() };
    let items = vec![
        item("k", WriteCondition::Matches("other".into())),
        item("missing", WriteCondition::Present),
        item("k", WriteCondition::Matches(etag)),
        item("k", WriteCondition::Present),
    ];
    let outcomes = store.delete_items("b", items, ChangeKind::Delete, None).await.unwrap();
    assert!(matches!(outcomes[0], Err(Error::PreconditionFailed)));
    assert!(matches!(outcomes[1], Err(Error::NoSuchKey(_))));
    assert!(outcomes[2].as_ref().unwrap().found);
    assert!(matches!(outcomes[3], Err(Error::NoSuchKey(_))));
    store.set_versioning("b", Versioning::Enabled).await.unwrap();
    put(&store, "k", b"x").await;
    remove(&store, "k", None).await.unwrap();
    let outcomes = store.delete_items("b", vec![item("k", WriteCondition::Present)], ChangeKind::Delete, None).await;
    assert!(matches!(outcomes.unwrap()[0], Err(Error::PreconditionFailed)), "the delete marker is not one");
}
