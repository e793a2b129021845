//! The seam to the SQL engine, so that executions can be tested without one.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use boathouse_trino::catalog::Session;
use boathouse_trino::engine::{Column, Engine, Explain};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast;
use futures::StreamExt;
use futures::stream::BoxStream;

/// A result's rows while they are made. Dropping it stops the query.
pub struct Rows {
    /// Names and types.
    pub columns: Vec<(String, Type)>,
    /// The rows.
    pub batches: BoxStream<'static, Result<RecordBatch, TrinoError>>,
    /// What has been read so far.
    pub scanned: Arc<dyn Scanned>,
}

/// How much a statement has read.
pub trait Scanned: Send + Sync {
    /// Bytes read from objects so far.
    fn bytes(&self) -> u64;
}

/// Where and how rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The folder.
    pub location: String,
    /// `PARQUET`, `JSON`, `TEXTFILE` …
    pub format: WriteFormat,
    /// The codec in lower case, `snappy`; the format's own default if none.
    pub compression: Option<String>,
    /// The columns' new names and types; the query's own if none.
    pub columns: Option<Vec<(String, Type)>>,
    /// How many of the last columns make partitions.
    pub partition_by: Vec<String>,
    /// The most partitions that may be made.
    pub most_partitions: usize,
}

/// The formats that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteFormat {
    /// Apache Parquet.
    Parquet,
    /// One JSON object in each line.
    Json,
    /// Delimited text.
    Text {
        /// Between columns.
        delimiter: u8,
    },
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The rows.
    pub rows: u64,
    /// The bytes.
    pub bytes: u64,
    /// The objects, as `s3://…`.
    pub files: Vec<String>,
    /// Each partition's values and folder.
    pub partitions: Vec<(Vec<String>, String)>,
}

/// What executions need of an SQL engine.
#[async_trait]
pub trait SqlEngine: Send + Sync {
    /// Plans and starts a query.
    async fn query(&self, session: &Session, query: &ast::Query) -> Result<Rows, TrinoError>;

    /// Runs a query and writes its rows. Nothing is left behind when it fails.
    async fn write(&self, session: &Session, query: &ast::Query, target: Target) -> Result<(Written, u64), TrinoError>;

    /// The columns of a query without running it.
    async fn columns(&self, session: &Session, query: &ast::Query) -> Result<Vec<(String, Type)>, TrinoError>;

    /// A query's plan as text.
    async fn explain(&self, session: &Session, explain: &ast::Explain) -> Result<String, TrinoError>;
}

impl Scanned for boathouse_trino::Statistics {
    fn bytes(&self) -> u64 {
        self.scanned_bytes()
    }
}

fn pairs(columns: Vec<Column>) -> Vec<(String, Type)> {
    columns.into_iter().map(|column| (column.name, column.ty)).collect()
}

fn unsupported(what: &str) -> TrinoError {
    TrinoError::new(ErrorCode::NotSupported, format!("Boathouse does not implement {what} yet"))
}

#[async_trait]
impl SqlEngine for Engine {
    async fn query(&self, session: &Session, query: &ast::Query) -> Result<Rows, TrinoError> {
        let stream = Engine::query(self, session, query).await?;
        let scanned: Arc<dyn Scanned> = Arc::clone(&stream.statistics) as Arc<dyn Scanned>;
        Ok(Rows { columns: pairs(stream.columns.clone()), scanned, batches: stream.boxed() })
    }

    async fn write(&self, _: &Session, _: &ast::Query, _: Target) -> Result<(Written, u64), TrinoError> {
        Err(unsupported("writing of rows"))
    }

    async fn columns(&self, session: &Session, query: &ast::Query) -> Result<Vec<(String, Type)>, TrinoError> {
        Ok(pairs(self.analyze(session, query).await?))
    }

    async fn explain(&self, session: &Session, explain: &ast::Explain) -> Result<String, TrinoError> {
        let ast::Statement::Query(query) = &explain.statement else {
            return Err(unsupported("EXPLAIN of statements but queries"));
        };
        let shown = match (explain.analyze, explain.kind, explain.format) {
            (_, _, Some(ast::ExplainFormat::Graphviz | ast::ExplainFormat::Json)) => {
                return Err(unsupported("EXPLAIN in formats but TEXT"));
            }
            (Some(_), ..) => Explain::Analyze,
            (None, Some(ast::ExplainType::Logical), _) => Explain::Logical,
            (None, None | Some(ast::ExplainType::Distributed), _) => Explain::Distributed,
            (None, Some(ast::ExplainType::Validate | ast::ExplainType::Io), _) => {
                return Err(unsupported("EXPLAIN (TYPE VALIDATE) and (TYPE IO)"));
            }
        };
        Engine::explain(self, session, query, shown).await
    }
}
