//! Iceberg tables: rows in, deletes, changed columns, rows out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema as ArrowSchema};
use async_trait::async_trait;
use boathouse_iceberg::files::Files;
use boathouse_iceberg::manifest::{DataContent, DataFile, FileFormat};
use boathouse_iceberg::metadata::{
    SortOrder, TableCreation, TableMetadata, TableUpdate, UnboundPartitionField, UnboundPartitionSpec,
};
use boathouse_iceberg::schema::{NestedField, PrimitiveType, Schema};
use boathouse_iceberg::table::{DELETE_FILE_PATH, DELETE_FILE_POS, Table};
use boathouse_iceberg::transaction::{Catalog, RowDelta, Transaction, write_first_metadata};
use boathouse_iceberg::transform::Transform;
use boathouse_iceberg::{Error, Result};
use parking_lot::Mutex;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use uuid::Uuid;

use super::fixture::{Fixture, parsed};
use crate::catalog::Format;
use crate::iceberg::BucketFiles;
use crate::iceberg::types::file_field;
use crate::iceberg::write::{IcebergTarget, IcebergWritten, Rows};
use crate::write::{Begun, Compression};

/// The one table `t`.
#[derive(Debug)]
struct One(Mutex<String>);

#[async_trait]
impl Catalog for One {
    async fn metadata_location(&self) -> Result<String> {
        Ok(self.0.lock().clone())
    }

    async fn swap(&self, expected: &str, location: &str, _: &TableMetadata) -> Result<()> {
        let mut now = self.0.lock();
        if *now != expected {
            return Err(Error::Conflict("others were faster".to_owned()));
        }
        location.clone_into(&mut now);
        Ok(())
    }
}

struct World {
    fixture: Fixture,
    catalog: One,
    files: Arc<dyn Files>,
}

impl World {
    /// A table of `id bigint, p varchar`, partitioned by `p` if that is wanted.
    async fn new(partitioned: bool) -> Self {
        let fields = vec![
            NestedField::optional(1, "id", PrimitiveType::Long),
            NestedField::optional(2, "P", PrimitiveType::String),
        ];
        Self::of(fields, partitioned.then_some((2, "P", Transform::Identity))).await
    }

    /// A table of these columns, partitioned by one of them.
    async fn of(fields: Vec<NestedField>, partitioned_by: Option<(i32, &str, Transform)>) -> Self {
        let fixture = Fixture::new();
        let field = |(source_id, name, transform): (i32, &str, Transform)| UnboundPartitionField {
            source_id,
            field_id: None,
            name: name.to_owned(),
            transform,
        };
        let metadata = TableMetadata::create(TableCreation {
            location: "s3://lake/t".to_owned(),
            schema: Schema::new(0, fields),
            partition_spec: UnboundPartitionSpec {
                spec_id: None,
                fields: partitioned_by.map(field).into_iter().collect(),
            },
            sort_order: SortOrder::default(),
            properties: BTreeMap::new(),
            uuid: Uuid::new_v4(),
            now_ms: 0,
        })
        .unwrap();
        let files: Arc<dyn Files> = Arc::new(BucketFiles(Arc::clone(&fixture.session.buckets)));
        let location = write_first_metadata(files.as_ref(), &metadata, Uuid::new_v4()).await.unwrap();
        let world = Self { fixture, catalog: One(Mutex::new(location)), files };
        world.declare();
        world
    }

    fn declare(&self) {
        let format = Format::Iceberg { metadata_location: self.catalog.0.lock().clone() };
        self.fixture.table("t", &[], &[], format);
    }

    async fn table(&self) -> Table {
        let location = self.catalog.0.lock().clone();
        Table::load(Arc::clone(&self.files), &location).await.unwrap()
    }

    async fn write(
        &self,
        sql: &str,
    ) -> std::result::Result<IcebergWritten, boathouse_trino_functions::error::TrinoError> {
        let target = IcebergTarget {
            table: self.table().await,
            file_prefix: "x".to_owned(),
            max_partitions: 3,
            begun: Begun::default(),
        };
        self.fixture.engine.write_iceberg(&self.fixture.session, &parsed(sql), target).await
    }

    async fn insert(&self, sql: &str) -> Vec<DataFile> {
        let written = self.write(sql).await.unwrap();
        self.commit(Transaction::new(self.table().await).append(written.files.clone())).await;
        written.files
    }

    async fn commit(&self, transaction: Transaction) {
        transaction.commit(&self.catalog).await.unwrap();
        self.declare();
    }

    /// A file of deletes in a format, with columns of these values.
    async fn deletes_as(
        &self,
        format: FileFormat,
        content: DataContent,
        of: &DataFile,
        columns: &[(NestedField, ArrayRef)],
    ) -> DataFile {
        let fields: Vec<NestedField> = columns.iter().map(|(field, _)| field.clone()).collect();
        let schema = ArrowSchema::new(fields.iter().map(file_field).collect::<Vec<_>>());
        let arrays = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).unwrap();
        let mut rows = Rows::new(format, &fields, Compression::None).unwrap();
        let mut bytes = rows.write(&batch).unwrap();
        bytes.extend(rows.finish().unwrap().0);
        let name = format!("deletes/{}", Uuid::new_v4());
        self.fixture.put(&name, bytes).await;
        DataFile {
            content,
            file_format: format,
            file_path: format!("s3://lake/{name}"),
            record_count: batch.num_rows() as i64,
            equality_ids: if content == DataContent::EqualityDeletes { vec![1] } else { Vec::new() },
            spec_id: of.spec_id,
            ..DataFile::default()
        }
    }

    /// A file of deletes with these columns, beside the rows of a file.
    async fn deletes(&self, content: DataContent, of: &DataFile, columns: &[(i32, ArrayRef)]) -> DataFile {
        let field = |(id, array): &(i32, ArrayRef)| {
            let ids = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())]);
            Field::new(format!("c{id}"), array.data_type().clone(), true).with_metadata(ids)
        };
        let schema = ArrowSchema::new(columns.iter().map(field).collect::<Vec<_>>());
        let arrays = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).unwrap();
        let name = format!("deletes/{}.parquet", Uuid::new_v4());
        self.fixture.put_parquet(&name, &batch).await;
        DataFile {
            content,
            file_path: format!("s3://lake/{name}"),
            record_count: batch.num_rows() as i64,
            equality_ids: if content == DataContent::EqualityDeletes { vec![1] } else { Vec::new() },
            partition: of.partition.clone(),
            spec_id: of.spec_id,
            ..DataFile::default()
        }
    }
}

#[tokio::test]
async fn rows_and_deletes_are_of_any_format() {
    for format in [FileFormat::Orc, FileFormat::Avro] {
        let world = World::new(false).await;
        world.insert("VALUES (70, 'in parquet')").await;
        let updates = BTreeMap::from([("write.format.default".to_owned(), format.name().to_owned())]);
        world.commit(Transaction::new(world.table().await).apply(vec![TableUpdate::SetProperties { updates }])).await;
        let files = world.insert("SELECT n, 'x' FROM UNNEST(sequence(1, 6)) AS t (n)").await;
        assert!(files.iter().all(|file| file.file_format == format), "{files:?}");
        assert_eq!(files.iter().all(|file| file.lower_bounds.contains_key(&1)), format == FileFormat::Orc);
        let file = files.iter().find(|file| file.record_count > 0).unwrap();
        let first = format!("SELECT id FROM t WHERE \"$path\" = '{}' AND \"$pos\" = 0", file.file_path);
        let first = world.fixture.rows(&first).await.unwrap();
        let path: ArrayRef = Arc::new(StringArray::from(vec![file.file_path.as_str()]));
        let columns = [
            (NestedField::required(DELETE_FILE_PATH, "file_path", PrimitiveType::String), path),
            (NestedField::required(DELETE_FILE_POS, "pos", PrimitiveType::Long), longs(&[Some(0)])),
        ];
        let by_place = world.deletes_as(format, DataContent::PositionDeletes, file, &columns).await;
        let values = [(NestedField::optional(1, "renamed", PrimitiveType::Long), longs(&[Some(4), Some(70), None]))];
        let by_value = world.deletes_as(format, DataContent::EqualityDeletes, file, &values).await;
        let delta = RowDelta { added: vec![by_place, by_value], ..RowDelta::default() };
        world.commit(Transaction::new(world.table().await).row_delta(delta)).await;
        let left: Vec<String> = (1..=6).map(|n: i64| n.to_string()).filter(|id| *id != first[0] && id != "4").collect();
        assert_eq!(world.fixture.sorted("SELECT id FROM t").await, left, "{format:?}");
        assert_eq!(world.fixture.rows("SELECT count(*) FROM t").await.unwrap(), [left.len().to_string()]);
        assert_eq!(world.fixture.sorted("SELECT id FROM t WHERE id > 100").await, [""; 0]);
    }
}

fn longs(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

const NUMBERS: &str = "SELECT n, CAST(n % 2 AS varchar) FROM UNNEST(sequence(1, 6)) AS t (n)";

#[tokio::test]
async fn rows_go_into_files_of_partitions_and_come_back() {
    let world = World::new(true).await;
    assert!(world.fixture.rows("SELECT * FROM t").await.unwrap().is_empty());
    let files = world.insert(NUMBERS).await;
    assert!(files.iter().all(|file| file.file_path.contains("/data/P=")), "{files:?}");
    assert_eq!(files.iter().map(|file| file.record_count).sum::<i64>(), 6);
    assert_eq!(world.fixture.sorted("SELECT id, p FROM t WHERE p = '1'").await, ["1|1", "3|1", "5|1"]);
    assert_eq!(world.fixture.rows("SELECT count(*), sum(id) FROM t").await.unwrap(), ["6|21"]);
    let odd = files.iter().find(|file| file.file_path.contains("P=1")).unwrap();
    let snapshot = world.table().await.metadata().current_snapshot().unwrap().clone();
    assert_eq!(snapshot.summary.properties["total-records"], "6");
    let path = format!("SELECT count(*) FROM t WHERE \"$path\" = '{}'", odd.file_path);
    assert_eq!(world.fixture.rows(&path).await.unwrap(), [odd.record_count.to_string()]);
    let many = world.write("SELECT n, CAST(n AS varchar) FROM UNNEST(sequence(1, 6)) AS t (n)").await.unwrap_err();
    assert!(many.to_string().starts_with("ICEBERG_TOO_MANY_OPEN_PARTITIONS"), "{many}");
}

#[tokio::test]
async fn days_of_timestamps_with_time_zone_are_left_out() {
    let by_day = (NestedField::optional(1, "at", PrimitiveType::Timestamptz), Transform::Day);
    let world = World::of(vec![by_day.0], Some((1, "at_day", by_day.1))).await;
    let files = world.insert("VALUES TIMESTAMP '2024-05-06 23:00:00 UTC', TIMESTAMP '2024-05-07 01:00:00 UTC'").await;
    // A file that isn't there shows that it isn't read.
    let gone = files.iter().find(|file| file.file_path.contains("2024-05-06")).unwrap();
    let path = object_store::path::Path::from(gone.file_path.trim_start_matches("s3://lake/"));
    object_store::ObjectStoreExt::delete(world.fixture.store.as_ref(), &path).await.unwrap();
    for condition in [
        "at >= TIMESTAMP '2024-05-07 00:00:00 UTC'",
        "at > TIMESTAMP '2024-05-07 02:30:00 +02:00'",
        "at BETWEEN TIMESTAMP '2024-05-07 00:00:00 UTC' AND TIMESTAMP '2024-05-08 00:00:00 UTC'",
        "at IN (TIMESTAMP '2024-05-07 03:00:00 +02:00')",
        "TIMESTAMP '2024-05-07 01:00:00.000000 UTC' = at",
    ] {
        let sql = format!("SELECT count(*) FROM t WHERE {condition}");
        assert_eq!(world.fixture.rows(&sql).await.unwrap(), ["1"], "{condition}");
    }
    let error = world.fixture.error("SELECT * FROM t WHERE at >= TIMESTAMP '2024-05-07 00:30:00 +02:00'").await;
    assert!(error.starts_with("HIVE_CANNOT_OPEN_SPLIT"), "{error}");
}

#[tokio::test]
async fn bounds_are_those_of_the_rows() {
    let world = World::new(false).await;
    let files = world.insert("VALUES (5, 'a long text of many letters'), (NULL, 'b'), (-3, NULL)").await;
    let [file] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!(file.lower_bound(1, PrimitiveType::Long), Some(boathouse_iceberg::Datum::Long(-3)));
    assert_eq!(file.upper_bound(1, PrimitiveType::Long), Some(boathouse_iceberg::Datum::Long(5)));
    assert_eq!(file.lower_bounds[&2], b"a long text of m");
    assert_eq!(file.upper_bounds[&2], b"b");
    assert_eq!((file.value_counts[&1], file.null_value_counts[&1]), (3, 1));
    assert!(file.column_sizes[&1] > 0 && file.file_size_in_bytes > 0);
    assert_eq!(file.split_offsets, [4]);
}

#[tokio::test]
async fn rows_that_positions_name_are_gone() {
    let world = World::new(false).await;
    let files = world.insert("SELECT n, 'x' FROM UNNEST(sequence(0, 9)) AS t (n)").await;
    let file = &files[0];
    let other = world.insert("VALUES (100, 'y')").await;
    let paths = StringArray::from(vec![file.file_path.as_str(), file.file_path.as_str(), "s3://lake/another"]);
    let columns =
        [(DELETE_FILE_PATH, Arc::new(paths) as ArrayRef), (DELETE_FILE_POS, longs(&[Some(0), Some(7), Some(1)]))];
    let deletes = world.deletes(DataContent::PositionDeletes, file, &columns).await;
    let delta = RowDelta { added: vec![deletes], depends_on: files.clone(), ..RowDelta::default() };
    world.commit(Transaction::new(world.table().await).row_delta(delta)).await;
    let rows = world.fixture.sorted("SELECT id FROM t").await;
    assert_eq!(rows, ["1", "100", "2", "3", "4", "5", "6", "8", "9"]);
    let counted = world.fixture.rows("SELECT count(*), min(id), max(id) FROM t").await.unwrap();
    assert_eq!(counted, ["9|1|100"]);
    let places = world.fixture.sorted("SELECT id, \"$pos\" FROM t WHERE id > 5").await;
    assert_eq!(places, ["100|0", "6|6", "8|8", "9|9"]);
    let paths = world.fixture.sorted("SELECT DISTINCT \"$path\" FROM t").await;
    assert_eq!(paths.len(), 2);
    assert!(paths.contains(&other[0].file_path));
}

#[tokio::test]
async fn rows_with_deleted_values_are_gone_unless_they_came_later() {
    let world = World::new(true).await;
    let files = world.insert("VALUES (1, 'a'), (2, 'a'), (NULL, 'a'), (1, 'b')").await;
    let of_a = files.iter().find(|file| file.file_path.contains("P=a")).unwrap();
    let deletes = world.deletes(DataContent::EqualityDeletes, of_a, &[(1, longs(&[Some(1), None]))]).await;
    let delta = RowDelta { added: vec![deletes], ..RowDelta::default() };
    world.commit(Transaction::new(world.table().await).row_delta(delta)).await;
    world.insert("VALUES (1, 'a')").await;
    assert_eq!(world.fixture.sorted("SELECT id, p FROM t").await, ["1|a", "1|b", "2|a"]);
    // Columns that only the deletes need aren't shown.
    assert_eq!(world.fixture.sorted("SELECT p FROM t").await, ["a", "a", "b"]);
    assert_eq!(world.fixture.rows("SELECT count(*) FROM t").await.unwrap(), ["3"]);
}

#[tokio::test]
async fn columns_are_found_by_id_and_the_past_has_its_own() {
    let world = World::new(false).await;
    world.insert("VALUES (1, 'a'), (2, 'b')").await;
    let first = world.table().await.metadata().current_snapshot_id.unwrap();
    let fields = vec![
        NestedField::optional(3, "id", PrimitiveType::Int),
        NestedField::optional(2, "name", PrimitiveType::String),
        NestedField::optional(1, "p", PrimitiveType::Long),
    ];
    let schema = Schema::new(0, fields);
    let updates =
        vec![TableUpdate::AddSchema { schema, last_column_id: None }, TableUpdate::SetCurrentSchema { schema_id: -1 }];
    world.commit(Transaction::new(world.table().await).apply(updates)).await;
    world.insert("VALUES (7, 'c', 3)").await;
    assert_eq!(world.fixture.sorted("SELECT * FROM t").await, ["7|c|3", "NULL|a|1", "NULL|b|2"]);
    assert_eq!(world.fixture.sorted("SELECT p FROM t WHERE name = 'b' AND id IS NULL").await, ["2"]);
    assert_eq!(world.fixture.sorted("SELECT name FROM t WHERE p > 1").await, ["b", "c"]);
    let past = format!("SELECT * FROM t FOR VERSION AS OF {first}");
    assert_eq!(world.fixture.sorted(&past).await, ["1|a", "2|b"]);
    let unknown = world.fixture.error("SELECT * FROM t FOR VERSION AS OF 'nothing'").await;
    assert!(unknown.contains("Cannot find snapshot with reference name: nothing"), "{unknown}");
    let before = world.fixture.error("SELECT * FROM t FOR TIMESTAMP AS OF DATE '1999-01-01'").await;
    assert!(before.contains("at or before 1999-01-01"), "{before}");
}

#[tokio::test]
async fn metadata_is_a_table_too() {
    let world = World::new(true).await;
    world.insert(NUMBERS).await;
    world.insert("VALUES (9, NULL)").await;
    let partitions = "SELECT partition.p, record_count, data.id.max FROM \"t$partitions\"";
    assert_eq!(world.fixture.sorted(partitions).await, ["0|3|6", "1|3|5", "NULL|1|9"]);
    let manifests = "SELECT added_rows_count, partition_summaries[1].contains_null FROM \"t$manifests\"";
    assert_eq!(world.fixture.sorted(manifests).await, ["1|true", "6|false"]);
    assert_eq!(
        world.fixture.rows("SELECT count(*) FROM \"t$history\" WHERE is_current_ancestor").await.unwrap(),
        ["2"]
    );
    let files = "SELECT lower_bounds[1], value_counts[1] FROM \"t$files\" WHERE lower_bounds[1] = '9'";
    assert_eq!(world.fixture.rows(files).await.unwrap(), ["9|1"]);
    assert!(world.fixture.error("SELECT * FROM \"t$nothing\"").await.contains("does not exist"));
}
