//! What the engine asks for from outside: the catalog's tables and the buckets' objects.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast;
use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::path::Path;

/// The databases and tables that queries name; in AWS the Glue Data Catalog.
#[async_trait]
pub trait Catalog: fmt::Debug + Send + Sync {
    /// The names of all databases, in lower case.
    async fn databases(&self) -> Result<Vec<String>, TrinoError>;

    /// The names of a database's tables and views; empty for an unknown database.
    async fn tables(&self, database: &str) -> Result<Vec<String>, TrinoError>;

    /// A table or view by its names in lower case.
    async fn table(&self, database: &str, name: &str) -> Result<Option<TableDefinition>, TrinoError>;

    /// The partitions of a table. The filter is an expression of Glue's GetPartitions; it may be passed over, because the
    /// engine tests each partition again.
    async fn partitions(
        &self,
        database: &str,
        table: &str,
        filter: Option<&str>,
    ) -> Result<Vec<PartitionDefinition>, TrinoError>;
}

/// How the engine reaches the objects below `s3://bucket/…`: with the rights of whoever asks.
pub trait Buckets: fmt::Debug + Send + Sync {
    /// The bucket's objects.
    ///
    /// # Errors
    /// There is no such bucket, or the asking user may not use it.
    fn bucket(&self, name: &str) -> Result<Arc<dyn ObjectStore>, TrinoError>;

    /// The key that users know an object by, where a path cannot name it.
    fn key(&self, path: &Path) -> String {
        path.to_string()
    }
}

/// A table or a view.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDefinition {
    /// The database, in lower case.
    pub database: String,
    /// The name, in lower case.
    pub name: String,
    /// A table with files, or a view.
    pub kind: TableKind,
    /// The columns without the partition keys.
    pub columns: Vec<ColumnDefinition>,
    /// The partition keys, which follow the columns.
    pub partition_keys: Vec<ColumnDefinition>,
    /// Where the files are, as `s3://bucket/prefix`; empty for a view.
    pub location: String,
    /// How the files are written.
    pub format: Format,
    /// How rows are spread over files, if they are (`CLUSTERED BY`).
    pub buckets: Option<crate::write::Buckets>,
    /// The table's properties.
    pub parameters: BTreeMap<String, String>,
}

impl TableDefinition {
    /// All columns in the order of `SELECT *`.
    pub fn all_columns(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.columns.iter().chain(&self.partition_keys)
    }
}

/// What a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// Files below a location.
    Table,
    /// A query that stands in for a table; the definition's columns are the view's.
    View {
        /// The query's text.
        sql: String,
        /// The database that its bare names mean; the view's own if none.
        database: Option<String>,
    },
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Its name, in lower case.
    pub name: String,
    /// Its type for queries.
    pub ty: Type,
    /// Its type as the catalog writes it.
    pub hive_type: String,
    /// Its comment.
    pub comment: Option<String>,
}

impl ColumnDefinition {
    /// A column without a comment, whose type the catalog writes as Hive does.
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Self { name: name.into(), hive_type: ty.to_string(), ty, comment: None }
    }
}

/// How a table's files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// One JSON object in each line.
    Json(JsonFormat),
    /// Apache Parquet whose columns are found by their place (`parquet.column.index.access`).
    ParquetByPlace,
    /// Lines of delimited text.
    Text(TextFormat),
    /// Lines that a regular expression cuts into columns.
    Regex(RegexFormat),
    /// Lines that a Grok pattern cuts into columns.
    Grok(GrokFormat),
    /// Apache Avro's container files.
    Avro(AvroFormat),
    /// Apache ORC, whose columns are found by their place.
    Orc,
    /// Apache ORC whose columns are found by their names (`orc.column.index.access` is false).
    OrcByName,
    /// Files that Apache Iceberg's metadata names.
    Iceberg {
        /// The metadata file that is the table's, as `s3://bucket/key`.
        metadata_location: String,
    },
    /// A format that the engine can't read, by the name of its input format or SerDe.
    Unsupported(String),
}

/// How JSON lines are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JsonFormat {
    /// Whether lines that aren't JSON give a row of NULLs (`ignore.malformed.json`).
    pub ignore_malformed: bool,
    /// Whether lines that aren't JSON are left out and counted instead.
    pub skip_malformed: bool,
    /// Column name to the key that it is read from (`mapping.column` of the OpenX SerDe).
    pub mappings: BTreeMap<String, String>,
    /// Whether keys must be written as columns are (`case.insensitive` of the OpenX SerDe, turned round).
    pub case_sensitive: bool,
    /// Whether columns write the dots of keys as underscores (`dots.in.keys` of the OpenX SerDe).
    pub dots_in_keys: bool,
}

/// How a regular expression cuts lines into columns (the RegexSerDe).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegexFormat {
    /// The expression, with a group for each column (`input.regex`).
    pub pattern: String,
    /// Whether letters match in any case (`input.regex.case.insensitive`).
    pub ignores_case: bool,
}

/// How a Grok pattern cuts lines into columns (the Grok SerDe).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GrokFormat {
    /// The pattern, whose names are columns (`input.format`).
    pub pattern: String,
    /// The table's own patterns by name (`input.grokCustomPatterns`).
    pub custom: BTreeMap<String, String>,
}

/// How Avro files are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AvroFormat {
    /// The schema that the table reads files with (`avro.schema.literal`); each file's own if none.
    pub schema: Option<String>,
}

/// How lines of text are cut into columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFormat {
    /// Between columns.
    pub delimiter: u8,
    /// Around values: only with the OpenCSV SerDe.
    pub quote: Option<u8>,
    /// Before characters that would mean something else.
    pub escape: Option<u8>,
    /// Between the elements of an array.
    pub collection_delimiter: u8,
    /// Between key and value of a map.
    pub map_key_delimiter: u8,
    /// What stands for NULL; the OpenCSV SerDe knows none.
    pub null_text: Option<String>,
    /// How many lines to leave out at the start of each file (`skip.header.line.count`).
    pub skip_lines: usize,
    /// Whether lines without any character are no rows.
    pub skip_blank_lines: bool,
}

impl Default for TextFormat {
    /// Hive's own text format, the LazySimpleSerDe.
    fn default() -> Self {
        Self {
            delimiter: 1,
            quote: None,
            escape: None,
            collection_delimiter: 2,
            map_key_delimiter: 3,
            null_text: Some("\\N".to_owned()),
            skip_lines: 0,
            skip_blank_lines: false,
        }
    }
}

impl TextFormat {
    /// The OpenCSV SerDe with its defaults.
    pub fn open_csv() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), escape: Some(b'\\'), null_text: None, ..Self::default() }
    }
}

/// A partition of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDefinition {
    /// A value for each partition key, as text.
    pub values: Vec<String>,
    /// Where its files are.
    pub location: String,
    /// How its files are written, where that isn't as the table says.
    pub format: Option<Format>,
}

/// In whose name, where and when a query runs.
#[derive(Debug, Clone)]
pub struct Session {
    /// The tables.
    pub catalog: Arc<dyn Catalog>,
    /// The files.
    pub buckets: Arc<dyn Buckets>,
    /// The database that bare table names mean.
    pub database: String,
    /// The catalog's name in queries, in lower case: `awsdatacatalog`.
    pub catalog_name: String,
    /// What CURRENT_USER says.
    pub user: String,
    /// What CURRENT_TIMESTAMP says.
    pub start: DateTime<Utc>,
    /// The session's time zone.
    pub zone: String,
    /// The values of `?`, in order.
    pub parameters: Vec<ast::Expr>,
}
