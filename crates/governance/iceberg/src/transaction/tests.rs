use std::sync::Mutex;

use futures::TryStreamExt;
use object_store::ObjectStore;

use super::*;
use crate::metadata::{SortOrder, TableCreation, UnboundPartitionSpec};
use crate::schema::{NestedField, PrimitiveType, Schema};
use crate::table::ScanFile;
use crate::testing::{Memory, One};

async fn table(properties: &[(&str, &str)]) -> (Table, One, Arc<Memory>) {
    let metadata = TableMetadata::create(TableCreation {
        location: "mem://t".to_owned(),
        schema: Schema::new(0, vec![NestedField::optional(1, "id", PrimitiveType::Long)]),
        partition_spec: UnboundPartitionSpec::default(),
        sort_order: SortOrder::default(),
        properties: properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        uuid: Uuid::new_v4(),
        now_ms: 0,
    })
    .unwrap();
    let memory = Arc::new(Memory::default());
    let files = Arc::clone(&memory) as Arc<dyn Files>;
    let location = write_first_metadata(files.as_ref(), &metadata, Uuid::new_v4()).await.unwrap();
    (Table::new(files, location.clone(), metadata), One(Mutex::new(location)), memory)
}

fn rows(name: &str) -> DataFile {
    DataFile { file_path: format!("mem://t/{name}"), record_count: 1, ..DataFile::default() }
}

fn deletes(name: &str, of: &str) -> DataFile {
    DataFile {
        content: crate::manifest::DataContent::PositionDeletes,
        referenced_data_file: Some(format!("mem://t/{of}")),
        ..rows(name)
    }
}

async fn scan(table: &Table) -> Vec<ScanFile> {
    let metadata = Arc::clone(table.metadata());
    table.scan(metadata.current_snapshot().unwrap(), &Predicate::True).await.unwrap()
}

async fn objects(memory: &Memory) -> usize {
    memory.0.list(None).try_collect::<Vec<_>>().await.unwrap().len()
}

#[tokio::test]
async fn concurrent_appends_all_land() {
    let (table, catalog, memory) = table(&[]).await;
    let append = |index: usize| Transaction::new(table.clone()).append(vec![rows(&index.to_string())]).commit(&catalog);
    let done = futures::future::join_all((0..8).map(append)).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let location = catalog.metadata_location().await.unwrap();
    let table = Table::load(Arc::clone(table.files()), &location).await.unwrap();
    assert_eq!(scan(&table).await.len(), 8);
    assert_eq!(table.metadata().last_sequence_number, 8);
    assert_eq!(table.metadata().snapshots.len(), 8);
    // Nothing of attempts that failed is left: each commit has a manifest, a list and metadata.
    assert_eq!(objects(&memory).await, 1 + 8 * 3);
}

#[tokio::test]
async fn changes_of_what_is_gone_or_deleted_conflict() {
    let (table, catalog, memory) = table(&[]).await;
    let table = Transaction::new(table).append(vec![rows("a"), rows("b")]).commit(&catalog).await.unwrap();
    let delete = |name: &str, of: &str| {
        let delta = RowDelta { added: vec![deletes(name, of)], depends_on: vec![rows(of)], ..RowDelta::default() };
        Transaction::new(table.clone()).row_delta(delta)
    };
    delete("d1", "a").commit(&catalog).await.unwrap();
    let before = objects(&memory).await;
    let again = delete("d2", "a").commit(&catalog).await;
    assert!(matches!(&again, Err(Error::Changed(message)) if message.contains("deleted rows")), "{again:?}");
    let rewritten = Transaction::new(table.clone()).rewrite(vec![rows("a")], vec![rows("c")], None).commit(&catalog).await;
    assert!(matches!(rewritten, Err(Error::Changed(_))));
    assert_eq!(objects(&memory).await, before);
    // Another file's rows may be deleted, and files be removed once.
    delete("d3", "b").commit(&catalog).await.unwrap();
    let location = catalog.metadata_location().await.unwrap();
    let now = Table::load(Arc::clone(table.files()), &location).await.unwrap();
    let remove = Transaction::new(now).overwrite(vec![rows("b")], Vec::new());
    let removed = remove.clone().commit(&catalog).await.unwrap();
    assert_eq!(scan(&removed).await.len(), 1);
    assert!(matches!(remove.commit(&catalog).await, Err(Error::Changed(_))));
}

#[tokio::test]
async fn isolated_changes_conflict_with_new_rows() {
    let (table, catalog, _) = table(&[]).await;
    let table = Transaction::new(table).append(vec![rows("a")]).commit(&catalog).await.unwrap();
    Transaction::new(table.clone()).append(vec![rows("b")]).commit(&catalog).await.unwrap();
    let delta = |isolated| RowDelta { added: vec![deletes("d", "a")], depends_on: vec![rows("a")], isolated, ..RowDelta::default() };
    let all = Transaction::new(table.clone()).row_delta(delta(Some(Predicate::True)));
    assert!(matches!(all.commit(&catalog).await, Err(Error::Changed(_))));
    let none = Predicate::And(vec![Predicate::False, Predicate::IsNull(1)]);
    Transaction::new(table).row_delta(delta(Some(none))).commit(&catalog).await.unwrap();
}

#[tokio::test]
async fn requirements_hold_or_nothing_happens() {
    let (table, catalog, memory) = table(&[]).await;
    let updates = vec![TableUpdate::SetProperties { updates: [("a".to_owned(), "b".to_owned())].into() }];
    let wrong = vec![TableRequirement::CurrentSchemaId { current_schema_id: 5 }];
    let refused = Transaction::new(table.clone()).apply(updates.clone()).require(wrong).commit(&catalog).await;
    assert!(matches!(refused, Err(Error::Requirement(_))));
    assert_eq!(objects(&memory).await, 1);
    let changed = Transaction::new(table).apply(updates).commit(&catalog).await.unwrap();
    assert_eq!(changed.metadata().properties["a"], "b");
    assert!(changed.metadata_location().contains("/00001-"));
}

#[tokio::test]
async fn many_small_manifests_become_one() {
    let (mut table, catalog, _) = table(&[("commit.manifest.min-count-to-merge", "3")]).await;
    for index in 0..4 {
        table = Transaction::new(table).append(vec![rows(&index.to_string())]).commit(&catalog).await.unwrap();
    }
    let snapshot = table.metadata().current_snapshot().unwrap().clone();
    let manifests = table.manifests(&snapshot).await.unwrap();
    assert_eq!(manifests.len(), 2);
    assert_eq!(scan(&table).await.len(), 4);
    let mut numbers: Vec<i64> = scan(&table).await.iter().map(|file| file.sequence_number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[tokio::test]
async fn an_empty_change_is_none() {
    let (table, catalog, memory) = table(&[]).await;
    let same = Transaction::new(table.clone()).append(Vec::new()).commit(&catalog).await.unwrap();
    assert_eq!(same.metadata_location(), table.metadata_location());
    assert_eq!(objects(&memory).await, 1);
}
