//! Rows of an Iceberg table that are changed: from the statement to the commit and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use boathouse_iceberg::metadata::{
    SortOrder, TableCreation, TableMetadata, UnboundPartitionField, UnboundPartitionSpec,
};
use boathouse_iceberg::predicate::Predicate;
use boathouse_iceberg::schema::{NestedField, PrimitiveType, Schema, Type as IcebergType};
use boathouse_iceberg::table::{ScanFile, Table};
use boathouse_iceberg::transaction::{Catalog, Transaction, write_first_metadata};
use boathouse_iceberg::transform::Transform;
use boathouse_iceberg::{Error, Result as TableResult};
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_parser::ast::Statement;
use boathouse_trino_parser::parse_statement;
use parking_lot::Mutex;
use uuid::Uuid;

use super::fixture::{Fixture, parsed};
use crate::catalog::{Format, TableDefinition, TableKind};
use crate::change::{Change, pinned};
use crate::iceberg::write::IcebergTarget;
use crate::iceberg::{BucketFiles, open};
use crate::write::{Begun, MAX_PARTITIONS};

#[derive(Debug, Default)]
struct Pointer(Mutex<String>);

#[async_trait]
impl Catalog for Pointer {
    async fn metadata_location(&self) -> TableResult<String> {
        Ok(self.0.lock().clone())
    }

    async fn swap(&self, expected: &str, location: &str, _: &TableMetadata) -> TableResult<()> {
        let mut now = self.0.lock();
        if *now != expected {
            return Err(Error::Conflict("others were faster".to_owned()));
        }
        location.clone_into(&mut now);
        Ok(())
    }
}

/// The table `t` with the columns `id`, `name` and `part`, partitioned by the last one.
struct Lake {
    fixture: Fixture,
    pointer: Pointer,
}

impl Lake {
    async fn new() -> Self {
        let lake = Self { fixture: Fixture::new(), pointer: Pointer::default() };
        let column = |id, name: &str, ty: PrimitiveType| NestedField::optional(id, name, IcebergType::Primitive(ty));
        let fields = vec![
            column(1, "id", PrimitiveType::Long),
            column(2, "name", PrimitiveType::String),
            column(3, "part", PrimitiveType::Int),
        ];
        let part =
            UnboundPartitionField { source_id: 3, field_id: None, name: "part".into(), transform: Transform::Identity };
        let metadata = TableMetadata::create(TableCreation {
            location: "s3://lake/t".to_owned(),
            schema: Schema::new(0, fields),
            partition_spec: UnboundPartitionSpec { spec_id: None, fields: vec![part] },
            sort_order: SortOrder::default(),
            properties: BTreeMap::new(),
            uuid: Uuid::new_v4(),
            now_ms: 1,
        })
        .unwrap();
        let files = BucketFiles(Arc::clone(&lake.fixture.session.buckets));
        *lake.pointer.0.lock() = write_first_metadata(&files, &metadata, Uuid::new_v4()).await.unwrap();
        lake.define();
        lake.insert("VALUES (1, 'a', 0), (2, 'b', 0), (3, NULL, 1)").await;
        lake
    }

    fn definition(&self) -> TableDefinition {
        TableDefinition {
            database: "db".to_owned(),
            name: "t".to_owned(),
            kind: TableKind::Table,
            columns: Vec::new(),
            partition_keys: Vec::new(),
            location: "s3://lake/t".to_owned(),
            format: Format::Iceberg { metadata_location: self.pointer.0.lock().clone() },
            buckets: None,
            parameters: BTreeMap::new(),
        }
    }

    fn define(&self) {
        self.fixture.define(self.definition());
    }

    async fn table(&self) -> Table {
        open(&self.fixture.session, &self.definition(), &Arc::default()).await.unwrap()
    }

    async fn target(&self) -> IcebergTarget {
        let (table, begun) = (self.table().await, Begun::default());
        IcebergTarget { table, file_prefix: "test".to_owned(), max_partitions: MAX_PARTITIONS, begun }
    }

    async fn insert(&self, query: &str) {
        let (engine, session) = (&self.fixture.engine, &self.fixture.session);
        let written = engine.write_iceberg(session, &parsed(query), self.target().await).await.unwrap();
        self.commit(Transaction::new(self.table().await).append(written.files)).await;
    }

    async fn commit(&self, transaction: Transaction) {
        transaction.commit(&self.pointer).await.unwrap();
        self.define();
    }

    /// Runs a change and commits it; the number of changed rows.
    async fn change(&self, text: &str) -> Result<u64, TrinoError> {
        let statement = parse_statement(text).unwrap();
        let change = match &statement {
            Statement::Delete(delete) => Change::Delete(delete),
            Statement::Update(update) => Change::Update(update),
            Statement::Merge(merge) => Change::Merge(merge),
            other => panic!("{other}"),
        };
        let (definition, target) = (self.definition(), self.target().await);
        let session = pinned(&self.fixture.session, definition.clone());
        let table = target.table.clone();
        let changed = self.fixture.engine.change(&session, &definition, change, target).await?;
        self.commit(Transaction::new(table).row_delta(changed.delta)).await;
        Ok(changed.rows)
    }

    async fn rows(&self) -> Vec<String> {
        self.fixture.rows("SELECT * FROM t ORDER BY id").await.unwrap()
    }

    /// The files of the present state.
    async fn files(&self) -> Vec<ScanFile> {
        let table = self.table().await;
        let snapshot = table.metadata().current_snapshot().unwrap();
        table.scan(snapshot, &Predicate::True).await.unwrap()
    }
}

#[tokio::test]
async fn updates_go_and_come() {
    let lake = Lake::new().await;
    assert_eq!(lake.change("UPDATE t SET name = name || 'x', part = 7 WHERE name < 'b'").await, Ok(1));
    assert_eq!(lake.rows().await, ["1|ax|7", "2|b|0", "3|NULL|1"]);
    assert_eq!(lake.change("UPDATE t SET id = (SELECT max(id) FROM t) + id, name = NULL").await, Ok(3));
    assert_eq!(lake.rows().await, ["4|NULL|7", "5|NULL|0", "6|NULL|1"]);
    assert_eq!(lake.change("UPDATE t SET part = 1 WHERE id IN (SELECT id + 1 FROM t)").await, Ok(2));
    assert_eq!(
        lake.change("UPDATE t SET part = 1 WHERE EXISTS (SELECT 1 FROM t u WHERE u.id > t.id AND u.id = 0)").await,
        Ok(0)
    );
    assert_eq!(lake.rows().await, ["4|NULL|7", "5|NULL|1", "6|NULL|1"]);
}

#[tokio::test]
async fn deletes_are_positions_or_whole_files() {
    let lake = Lake::new().await;
    assert_eq!(lake.change("DELETE FROM t WHERE id = 1").await, Ok(1));
    let files = lake.files().await;
    assert_eq!(files.iter().map(|file| file.position_deletes.len()).sum::<usize>(), 1);
    assert_eq!(lake.rows().await, ["2|b|0", "3|NULL|1"]);
    // The last row that is left in a file takes the file along, and what was deleted in it.
    assert_eq!(lake.change("DELETE FROM t WHERE part = 0").await, Ok(1));
    let files = lake.files().await;
    assert_eq!((files.len(), files[0].position_deletes.len()), (1, 0));
    assert_eq!(lake.change("DELETE FROM t").await, Ok(1));
    assert_eq!(lake.files().await, []);
    assert_eq!(lake.change("DELETE FROM t WHERE true").await, Ok(0));
}

#[tokio::test]
async fn merges_take_the_first_clause_that_fits() {
    let lake = Lake::new().await;
    let merge = "MERGE INTO t USING (VALUES (1, 'new'), (2, 'gone'), (3, 'as it was'), (9, 'more'), (10, 'no')) AS s (k, v) ON id = k
        WHEN MATCHED AND v = 'gone' THEN DELETE
        WHEN NOT MATCHED AND k / (k - 10) < 0 AND k < 10 THEN INSERT (part, id) VALUES (5, k)
        WHEN MATCHED AND v = 'new' THEN UPDATE SET name = v";
    let error = lake.change(merge).await.unwrap_err();
    assert_eq!(error.to_string(), "DIVISION_BY_ZERO: Division by zero");
    let merge = merge.replace("k / (k - 10) < 0 AND k < 10", "k < 10");
    assert_eq!(lake.change(&merge).await, Ok(3));
    assert_eq!(lake.rows().await, ["1|new|0", "3|NULL|1", "9|NULL|5"]);
    let itself = "MERGE INTO t USING t AS s ON t.id = s.id + 2 WHEN MATCHED THEN UPDATE SET part = s.part + 1";
    assert_eq!(lake.change(itself).await, Ok(1));
    assert_eq!(lake.rows().await, ["1|new|0", "3|NULL|1", "9|NULL|5"]);
}

#[tokio::test]
async fn a_row_is_changed_once() {
    let lake = Lake::new().await;
    let twice = "MERGE INTO t USING (VALUES (1, 'x'), (1, 'y')) AS s (k, v) ON id = k WHEN MATCHED";
    let message = "MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than one source row";
    for then in
        ["THEN DELETE", "THEN UPDATE SET name = v", "AND v = 'x' THEN DELETE WHEN MATCHED THEN UPDATE SET name = v"]
    {
        assert_eq!(lake.change(&format!("{twice} {then}")).await.unwrap_err().to_string(), message);
    }
    assert_eq!(lake.change(&format!("{twice} AND v = 'y' THEN UPDATE SET name = v")).await, Ok(1));
    assert_eq!(lake.rows().await[0], "1|y|0");
}

#[tokio::test]
async fn wrong_changes_say_what_is_wrong() {
    let lake = Lake::new().await;
    lake.fixture.table("hive", &[("id", "bigint")], &[], Format::Parquet);
    let merge = "MERGE INTO t USING t s ON t.id = s.id";
    let cases = [
        ("UPDATE t SET other = 1", "COLUMN_NOT_FOUND: line 1:14: The UPDATE SET target column other doesn't exist"),
        (
            "UPDATE t SET id = 'x', part = 1",
            "TYPE_MISMATCH: line 1:1: UPDATE table column types don't match SET expressions: Table: [bigint, integer], \
             Expressions: [varchar(1), integer]",
        ),
        (
            "UPDATE t SET id = 1, ID = 2",
            "DUPLICATE_COLUMN_NAME: line 1:22: The UPDATE SET target column ID is specified more than once",
        ),
        ("UPDATE t SET id = other", "COLUMN_NOT_FOUND: line 1:19: Column 'other' cannot be resolved"),
        (
            "DELETE FROM t WHERE id",
            "TYPE_MISMATCH: line 1:21: WHERE clause must evaluate to a boolean: actual type bigint",
        ),
        ("DELETE FROM nothing", "TABLE_NOT_FOUND: line 1:13: Table 'awsdatacatalog.db.nothing' does not exist"),
        ("DELETE FROM hive", "NOT_SUPPORTED: Modifying Hive table rows is only supported for transactional tables"),
    ];
    for (statement, message) in cases {
        assert_eq!(lake.change(statement).await.unwrap_err().to_string(), message);
    }
    let then = [
        ("WHEN MATCHED THEN UPDATE SET other = 1", "Merge column name does not exist in target table: other"),
        ("WHEN NOT MATCHED THEN INSERT (id, id) VALUES (1, 2)", "Merge column name is specified more than once: id"),
        ("WHEN NOT MATCHED THEN INSERT (id) VALUES (1, 2)", "MERGE INSERT has 1 column(s) but 2 value(s)"),
        (
            "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (name) VALUES (1)",
            "MERGE table column types don't match for MERGE case 1, SET expressions: Table: [varchar], Expressions: [integer]",
        ),
        ("WHEN MATCHED AND s.id THEN DELETE", "MERGE WHEN condition must evaluate to a boolean (actual: bigint)"),
    ];
    for (clause, message) in then {
        assert_eq!(lake.change(&format!("{merge} {clause}")).await.unwrap_err().message, message);
    }
    assert_eq!(lake.rows().await.len(), 3);
}

#[tokio::test]
async fn files_are_chosen_by_partition_columns_and_rewritten() {
    let lake = Lake::new().await;
    lake.insert("VALUES (4, 'd', 0), (5, 'e', 1)").await;
    lake.change("DELETE FROM t WHERE id IN (1, 5)").await.unwrap();
    let (definition, target) = (lake.definition(), lake.target().await);
    let condition = |text: &str| boathouse_trino_parser::parse_expression(text).unwrap();
    let engine = &lake.fixture.engine;
    let columns = ["part".to_owned()];
    let session = &lake.fixture.session;
    let chosen = engine.files_with(session, &definition, &columns, &condition("t.part + 1 = 1")).await.unwrap();
    assert_eq!(chosen.len(), 2);
    let error = engine.files_with(session, &definition, &columns, &condition("id = 1")).await.unwrap_err();
    assert!(error.to_string().contains("Column 'id' cannot be resolved"), "{error}");
    let files = lake.files().await;
    let old: Vec<_> = files.iter().filter(|file| chosen.contains(&file.data_file.file_path)).collect();
    let written = engine.rewrite(session, &definition, &old, target.clone()).await.unwrap();
    assert_eq!((written.rows, written.files.iter().all(|file| file.spec_id == 0)), (2, true));
    let removed = old.iter().map(|file| file.data_file.clone()).collect();
    lake.commit(Transaction::new(target.table).rewrite(removed, written.files, None)).await;
    assert_eq!(lake.rows().await, ["2|b|0", "3|NULL|1", "4|d|0"]);
}
