use std::collections::BTreeMap;

use super::*;
use crate::metadata::TableCreation;
use crate::metadata::{SnapshotSelector, SortOrder, UnboundPartitionField, UnboundPartitionSpec};
use crate::predicate::Comparison;
use crate::schema::{NestedField, PrimitiveType, Schema};
use crate::testing::{Memory, One, Remembering};
use crate::transaction::{RowDelta, Transaction, write_first_metadata};
use crate::transform::Transform;
use crate::value::Datum;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use uuid::Uuid;

async fn table() -> (Table, One) {
    let fields =
        vec![NestedField::optional(1, "id", PrimitiveType::Long), NestedField::optional(2, "p", PrimitiveType::Int)];
    let by_p =
        UnboundPartitionField { source_id: 2, field_id: None, name: "p".to_owned(), transform: Transform::Identity };
    let metadata = TableMetadata::create(TableCreation {
        location: "mem://t".to_owned(),
        schema: Schema::new(0, fields),
        partition_spec: UnboundPartitionSpec { spec_id: None, fields: vec![by_p] },
        sort_order: SortOrder::default(),
        properties: BTreeMap::new(),
        uuid: Uuid::new_v4(),
        now_ms: 0,
    })
    .unwrap();
    let files: Arc<dyn Files> = Arc::new(Memory::default());
    let location = write_first_metadata(files.as_ref(), &metadata, Uuid::new_v4()).await.unwrap();
    (Table::new(files, location.clone(), metadata), One(std::sync::Mutex::new(location)))
}

fn rows(name: &str, p: i32) -> DataFile {
    DataFile {
        file_path: format!("mem://t/{name}"),
        partition: vec![Some(Datum::Int(p))],
        record_count: 10,
        ..DataFile::default()
    }
}

fn paths(found: &[ScanFile]) -> Vec<&str> {
    let mut paths: Vec<&str> =
        found.iter().map(|file| file.data_file.file_path.trim_start_matches("mem://t/")).collect();
    paths.sort_unstable();
    paths
}

async fn scan(table: &Table, filter: &Predicate) -> Vec<ScanFile> {
    let metadata = Arc::clone(table.metadata());
    table.scan(metadata.select(&SnapshotSelector::Current).unwrap(), filter).await.unwrap()
}

#[tokio::test]
async fn appended_files_are_found_and_pruned() {
    let (table, catalog) = table().await;
    let table = Transaction::new(table).append(vec![rows("a", 1), rows("b", 2)]).commit(&catalog).await.unwrap();
    let table = Transaction::new(table).append(vec![rows("c", 2)]).commit(&catalog).await.unwrap();
    assert_eq!(paths(&scan(&table, &Predicate::True).await), ["a", "b", "c"]);
    let is = |value| Predicate::Compare { field: 2, op: Comparison::Equal, value: Datum::Int(value) };
    assert_eq!(paths(&scan(&table, &is(2)).await), ["b", "c"]);
    assert!(scan(&table, &is(3)).await.is_empty());
    let loaded = Table::load(Arc::clone(table.files()), table.metadata_location()).await.unwrap();
    assert_eq!(loaded.metadata(), table.metadata());
    let first = table.metadata().snapshots[0].clone();
    assert_eq!(paths(&table.scan(&first, &Predicate::True).await.unwrap()), ["a", "b"]);
    assert_eq!(table.metadata().metadata_log.len(), 2);
}

#[tokio::test]
async fn what_was_read_is_kept_until_the_file_is_another_one() {
    let (table, catalog) = table().await;
    let table = Transaction::new(table).append(vec![rows("a", 1)]).commit(&catalog).await.unwrap();
    let table = Transaction::new(table).append(vec![rows("b", 2)]).commit(&catalog).await.unwrap();
    let (store, _) = table.files().open("mem://t").unwrap();
    let copy = Remembering::default();
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    for meta in &listed {
        let bytes = store.get(&meta.location).await.unwrap().bytes().await.unwrap();
        copy.0.0.put(&meta.location, bytes.into()).await.unwrap();
    }
    let inner = Arc::clone(&copy.0.0);
    let files: Arc<dyn Files> = Arc::new(copy);
    let load = || Table::load(Arc::clone(&files), table.metadata_location());
    let (first, second) = (load().await.unwrap(), load().await.unwrap());
    assert!(Arc::ptr_eq(first.metadata(), second.metadata()));
    assert_eq!(paths(&scan(&first, &Predicate::True).await), ["a", "b"]);
    let manifests = first.manifests(first.metadata().current_snapshot().unwrap()).await.unwrap();
    let shared = || first.shared_entries(&manifests[0]);
    assert!(Arc::ptr_eq(&shared().await.unwrap(), &shared().await.unwrap()));
    // Who may not read a file gets nothing of it, and a file in its place is another one.
    let path = Path::from(manifests[0].manifest_path.trim_start_matches("mem://"));
    inner.put(&path, bytes::Bytes::from_static(b"nonsense").into()).await.unwrap();
    assert!(shared().await.is_err());
    inner.delete(&path).await.unwrap();
    assert!(shared().await.is_err());
}

#[tokio::test]
async fn deletes_apply_to_what_was_there_before_in_their_partition() {
    let (table, catalog) = table().await;
    let table = Transaction::new(table).append(vec![rows("a", 1), rows("b", 2)]).commit(&catalog).await.unwrap();
    let by_values = DataFile { content: DataContent::EqualityDeletes, equality_ids: vec![1], ..rows("e", 1) };
    let by_position = DataFile { content: DataContent::PositionDeletes, ..rows("d", 2) };
    let delta = RowDelta { added: vec![rows("c", 1), by_values, by_position, rows("f", 2)], ..RowDelta::default() };
    let table = Transaction::new(table).row_delta(delta).commit(&catalog).await.unwrap();
    let mut found = scan(&table, &Predicate::True).await;
    found.sort_by(|a, b| a.data_file.file_path.cmp(&b.data_file.file_path));
    let counts: Vec<_> = found.iter().map(|file| (file.position_deletes.len(), file.equality_deletes.len())).collect();
    // Deletes by values leave the rows of their own commit alone; those by position don't.
    assert_eq!(paths(&found), ["a", "b", "c", "f"]);
    assert_eq!(counts, [(0, 1), (1, 0), (0, 0), (1, 0)]);
    assert_eq!(table.metadata().current_snapshot().unwrap().summary.operation.name(), "overwrite");
}

#[tokio::test]
async fn rewritten_files_are_gone_in_the_new_snapshot_alone() {
    let (table, catalog) = table().await;
    let table = Transaction::new(table).append(vec![rows("a", 1), rows("b", 1)]).commit(&catalog).await.unwrap();
    let before = table.metadata().current_snapshot().unwrap().clone();
    let rewrite = Transaction::new(table).rewrite(vec![rows("a", 1)], vec![rows("c", 1)], Some(1));
    let table = rewrite.commit(&catalog).await.unwrap();
    let found = scan(&table, &Predicate::True).await;
    assert_eq!(paths(&found), ["b", "c"]);
    assert!(found.iter().all(|file| file.sequence_number == 1));
    assert_eq!(paths(&table.scan(&before, &Predicate::True).await.unwrap()), ["a", "b"]);
    let totals = &table.metadata().current_snapshot().unwrap().summary.properties;
    assert_eq!(totals["total-data-files"], "2");
}
