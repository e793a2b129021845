//! A catalog and buckets for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::format::write_value;
use boathouse_trino_parser::ast::{Query, Statement};
use boathouse_trino_parser::parse_statement;
use chrono::{TimeZone, Utc};
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use parking_lot::Mutex;

use crate::catalog::{
    Buckets, Catalog, ColumnDefinition, Format, PartitionDefinition, Session, TableDefinition, TableKind,
};
use crate::engine::{Engine, EngineConfig};
use crate::explain::{Explain, ExplainFormat};

/// A lake with one bucket, `lake`, and one database, `db`.
#[derive(Debug, Default)]
pub(super) struct Lake {
    tables: Mutex<BTreeMap<String, TableDefinition>>,
    partitions: Mutex<BTreeMap<String, Vec<PartitionDefinition>>>,
    pub(super) filters: Mutex<Vec<String>>,
}

#[derive(Debug)]
pub(super) struct Bucket(pub(super) Arc<dyn ObjectStore>);

impl Buckets for Bucket {
    fn bucket(&self, name: &str) -> Result<Arc<dyn ObjectStore>, TrinoError> {
        match name {
            "lake" => Ok(Arc::clone(&self.0)),
            _ => Err(TrinoError::new(ErrorCode::PermissionDenied, "Access Denied")),
        }
    }
}

#[async_trait]
impl Catalog for Lake {
    async fn databases(&self) -> Result<Vec<String>, TrinoError> {
        Ok(vec!["db".to_owned()])
    }

    async fn tables(&self, database: &str) -> Result<Vec<String>, TrinoError> {
        Ok(if database == "db" { self.tables.lock().keys().cloned().collect() } else { Vec::new() })
    }

    async fn table(&self, database: &str, name: &str) -> Result<Option<TableDefinition>, TrinoError> {
        Ok(self.tables.lock().get(name).filter(|_| database == "db").cloned())
    }

    async fn partitions(
        &self,
        _: &str,
        table: &str,
        filter: Option<&str>,
    ) -> Result<Vec<PartitionDefinition>, TrinoError> {
        self.filters.lock().extend(filter.map(str::to_owned));
        Ok(self.partitions.lock().get(table).cloned().unwrap_or_default())
    }
}

/// An engine with a lake.
pub(super) struct Fixture {
    pub(super) engine: Engine,
    pub(super) lake: Arc<Lake>,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) session: Session,
    _spill: tempfile::TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with_memory(1 << 30)
    }

    pub(super) fn with_memory(memory_limit: usize) -> Self {
        let spill = tempfile::tempdir().unwrap();
        let config =
            EngineConfig { memory_limit, spill_directory: spill.path().to_owned(), spill_limit: 1 << 30, threads: 2 };
        let (lake, store): (Arc<Lake>, Arc<dyn ObjectStore>) = (Arc::default(), Arc::new(InMemory::new()));
        let session = Session {
            catalog: Arc::clone(&lake) as Arc<dyn Catalog>,
            buckets: Arc::new(Bucket(Arc::clone(&store))),
            database: "db".to_owned(),
            catalog_name: "awsdatacatalog".to_owned(),
            user: "tester".to_owned(),
            start: Utc.with_ymd_and_hms(2024, 5, 6, 7, 8, 9).unwrap(),
            zone: "UTC".to_owned(),
            parameters: Vec::new(),
        };
        Self { engine: Engine::new(config).unwrap(), lake, store, session, _spill: spill }
    }

    /// Declares a table over `s3://lake/<name>`.
    pub(super) fn table(&self, name: &str, columns: &[(&str, &str)], keys: &[(&str, &str)], format: Format) {
        let column = |(name, ty): &(&str, &str)| ColumnDefinition::new(*name, Type::parse_trino(ty).unwrap());
        self.define(TableDefinition {
            database: "db".to_owned(),
            name: name.to_owned(),
            kind: TableKind::Table,
            columns: columns.iter().map(column).collect(),
            partition_keys: keys.iter().map(column).collect(),
            location: format!("s3://lake/{name}"),
            format,
            buckets: None,
            parameters: BTreeMap::new(),
        });
    }

    pub(super) fn view(&self, name: &str, columns: &[(&str, &str)], sql: &str) {
        self.table(name, columns, &[], Format::Parquet);
        let mut tables = self.lake.tables.lock();
        tables.get_mut(name).unwrap().kind = TableKind::View { sql: sql.to_owned(), database: None };
    }

    pub(super) fn define(&self, table: TableDefinition) {
        self.lake.tables.lock().insert(table.name.clone(), table);
    }

    /// Sets all properties of a table.
    pub(super) fn properties(&self, name: &str, properties: &[(&str, &str)]) {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.lake.tables.lock().get_mut(name).unwrap().parameters = properties.collect();
    }

    /// Declares how a table's rows are spread over files.
    pub(super) fn bucketed(&self, name: &str, columns: &[&str], count: u32) {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        self.lake.tables.lock().get_mut(name).unwrap().buckets = Some(crate::write::Buckets { columns, count });
    }

    pub(super) fn partition(&self, table: &str, values: &[&str], location: &str) {
        self.lake.partitions.lock().entry(table.to_owned()).or_default().push(PartitionDefinition {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            location: location.to_owned(),
            format: None,
        });
    }

    /// A partition that takes the place of all others.
    pub(super) fn partition_once(&self, table: &str, values: &[&str], location: &str) {
        self.lake.partitions.lock().remove(table);
        self.partition(table, values, location);
    }

    pub(super) async fn put(&self, path: &str, body: impl Into<PutPayload>) {
        self.store.put(&Path::from(path), body.into()).await.unwrap();
    }

    pub(super) async fn put_parquet(&self, path: &str, batch: &RecordBatch) {
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        self.put(path, bytes).await;
    }

    /// The rows of a query, each as its values' text with `|` between them.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<String>, TrinoError> {
        let stream = self.engine.query(&self.session, &parsed(sql)).await?;
        let types: Vec<_> = stream.columns.iter().map(|column| column.ty.clone()).collect();
        let batches: Vec<RecordBatch> = stream.try_collect().await?;
        let mut rows = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().zip(&types).map(|(column, ty)| {
                    let mut text = String::new();
                    write_value(&mut text, column.as_ref(), row, ty);
                    if column.is_null(row) || *ty == Type::Unknown { "NULL".to_owned() } else { text }
                });
                rows.push(cells.collect::<Vec<_>>().join("|"));
            }
        }
        Ok(rows)
    }

    /// The rows without regard to their order.
    pub(super) async fn sorted(&self, sql: &str) -> Vec<String> {
        let mut rows = self.rows(sql).await.unwrap();
        rows.sort();
        rows
    }

    /// A query's plan.
    pub(super) async fn explain(&self, sql: &str, what: Explain, format: ExplainFormat) -> String {
        self.engine.explain(&self.session, &parsed(sql), what, format, &Arc::default()).await.unwrap()
    }

    /// What is wrong with a query.
    pub(super) async fn error(&self, sql: &str) -> String {
        self.rows(sql).await.unwrap_err().to_string()
    }
}

pub(super) fn parsed(sql: &str) -> Query {
    match parse_statement(sql).unwrap() {
        Statement::Query(query) => *query,
        other => panic!("{other} is no query"),
    }
}
