//! What a statement changes, as files for a commit.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use boathouse_iceberg::maintenance::pack;
use boathouse_iceberg::manifest::DataFile;
use boathouse_iceberg::predicate::Predicate;
use boathouse_iceberg::table::ScanFile;
use boathouse_iceberg::transaction::RowDelta;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_parser::{ast, parse_statement};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::{execute_stream, execute_stream_partitioned};
use futures::{StreamExt, TryStreamExt};

use super::{Change, Coming, Gone, LEADING, Notes, write_deletes};
use crate::catalog::{Session, TableDefinition};
use crate::engine::{Engine, physical};
use crate::error::{internal, of_datafusion, unsupported};
use crate::iceberg::of_iceberg;
use crate::iceberg::write::{IcebergTarget, IcebergWritten, write_streams};
use crate::storage::{Statistics, TableUse};

/// How many files of deletes are written at the same time.
const CONCURRENCY: usize = 8;

/// What a statement changes: nothing of it is seen before it is committed.
#[derive(Debug, Default)]
pub struct Changed {
    /// The files that come and go.
    pub delta: RowDelta,
    /// How many rows have gone, come, or got other values.
    pub rows: u64,
    /// How many bytes were read.
    pub scanned_bytes: u64,
    /// The tables and columns that were read.
    pub read: Vec<TableUse>,
}

impl Engine {
    /// Runs a change of an Iceberg table's rows and writes the files that it needs. The session must define the table as
    /// the target knows it; see [`pinned`](super::pinned).
    ///
    /// # Errors
    /// What is wrong with the statement, or goes wrong when it runs. Files that were begun are noted in the target, and may
    /// be there still.
    pub async fn change(
        &self,
        session: &Session,
        definition: &TableDefinition,
        change: Change<'_>,
        target: IcebergTarget,
    ) -> Result<Changed, TrinoError> {
        let statistics = Arc::new(Statistics::default());
        let analysis = self.analysis(session, &statistics, change).await?;
        if target.table.metadata().format_version < 2 {
            return Err(unsupported("Iceberg table updates require at least format version 2"));
        }
        let rows_come = analysis.columns.len() > LEADING.len();
        let state = self.state(session)?;
        let plan = physical(&state, &analysis.plan).await?;
        let memory = Arc::clone(&state.runtime_env().memory_pool);
        let notes = Arc::new(Notes::new(Gone::new(MemoryConsumer::new("changed rows").register(&memory))));
        let streams = execute_stream_partitioned(plan, state.task_ctx()).map_err(of_datafusion)?;
        let streams = streams.into_iter().map(|rows| Coming::new(rows, Arc::clone(&notes)));
        let added = if rows_come {
            let streams = streams.map(|rows| Box::pin(rows) as SendableRecordBatchStream).collect();
            write_streams(session, streams, target.clone(), &memory).await?.files
        } else {
            let mut rows = futures::stream::select_all(streams);
            while rows.try_next().await.map_err(of_datafusion)?.is_some() {}
            Vec::new()
        };
        let (rows, gone) = notes.taken();
        let mut delta = self.deletes(session, definition, &target, gone.sorted()?).await?;
        delta.added.splice(0..0, added);
        // What the statement has read decides what it writes: rows that others add meanwhile would have been read too.
        delta.isolated = (rows > 0).then_some(Predicate::True);
        Ok(Changed { delta, rows, scanned_bytes: statistics.scanned_bytes(), read: statistics.read() })
    }

    /// The files that go as a whole, and files of deletes for the others.
    async fn deletes(
        &self,
        session: &Session,
        definition: &TableDefinition,
        target: &IcebergTarget,
        gone: BTreeMap<String, Vec<i64>>,
    ) -> Result<RowDelta, TrinoError> {
        let table = &target.table;
        let Some(snapshot) = table.metadata().current_snapshot().filter(|_| !gone.is_empty()) else {
            return Ok(RowDelta::default());
        };
        let all = table.scan(snapshot, &Predicate::True).await.map_err(of_iceberg)?;
        let live = self.live_rows(session, definition, &all, &gone).await?;
        let by_path: HashMap<&str, &ScanFile> =
            all.iter().map(|file| (file.data_file.file_path.as_str(), file)).collect();
        let (mut removed, mut partly) = (Vec::new(), Vec::new());
        for (path, places) in &gone {
            let file = by_path.get(path.as_str()).ok_or_else(|| internal(format!("{path} is no file of the table")))?;
            match live.get(path.as_str()) == Some(&(places.len() as u64)) {
                true => removed.push(file.data_file.clone()),
                false => partly.push((&file.data_file, places)),
            }
        }
        let whole: BTreeSet<String> = removed.iter().map(|file| file.file_path.clone()).collect();
        if !whole.is_empty() {
            removed.extend(pack::deletes_only_for(&all, &whole));
        }
        let depends_on: Vec<DataFile> = partly.iter().map(|(file, _)| (*file).clone()).collect();
        let format = target.delete_format()?;
        let format = (format, target.compression(format)?);
        let write = |(file, places): (&DataFile, &Vec<i64>)| {
            let (files, location) = (Arc::clone(table.files()), target.new_deletes(file, format.0));
            let (file, places) = (file.clone(), places.clone());
            async move { write_deletes(files.as_ref(), location, format, &file, &places).await }
        };
        let writes: Vec<_> = partly.into_iter().map(write).collect();
        let added = futures::stream::iter(writes).buffered(CONCURRENCY).try_collect().await?;
        Ok(RowDelta { added, removed, depends_on, isolated: None })
    }

    /// How many rows the files have that lose some. Deletes may name a row twice, so rows are counted where there are any.
    async fn live_rows(
        &self,
        session: &Session,
        definition: &TableDefinition,
        all: &[ScanFile],
        gone: &BTreeMap<String, Vec<i64>>,
    ) -> Result<HashMap<String, u64>, TrinoError> {
        let concerned = all.iter().filter(|file| gone.contains_key(&file.data_file.file_path));
        let has_deletes = |file: &&ScanFile| !file.position_deletes.is_empty() || !file.equality_deletes.is_empty();
        let (with_deletes, without): (Vec<&ScanFile>, Vec<&ScanFile>) = concerned.partition(has_deletes);
        let count = |file: &ScanFile| u64::try_from(file.data_file.record_count).unwrap_or(0);
        let mut live: HashMap<String, u64> =
            without.into_iter().map(|file| (file.data_file.file_path.clone(), count(file))).collect();
        if !with_deletes.is_empty() {
            let paths = with_deletes.iter().map(|file| file.data_file.file_path.as_str());
            let query = of_files("\"$path\", count(*)", definition, paths, " GROUP BY \"$path\"")?;
            let mut rows = self.query(session, &query).await?;
            while let Some(batch) = rows.try_next().await? {
                live.extend(counted(&batch)?);
            }
        }
        Ok(live)
    }

    /// The rows of some files in new files, without what is deleted in them. The session must define the table as the target
    /// knows it.
    ///
    /// # Errors
    /// A file can't be read or written.
    pub async fn rewrite(
        &self,
        session: &Session,
        definition: &TableDefinition,
        old: &[&ScanFile],
        target: IcebergTarget,
    ) -> Result<IcebergWritten, TrinoError> {
        let query = of_files("*", definition, old.iter().map(|file| file.data_file.file_path.as_str()), "")?;
        let statistics = Arc::new(Statistics::default());
        let analysis = self.analysis(session, &statistics, &query).await?;
        let state = self.state(session)?;
        let plan = physical(&state, &analysis.plan).await?;
        // One stream, so that a partition's rows don't become as many files as there are threads.
        let rows = execute_stream(plan, state.task_ctx()).map_err(of_datafusion)?;
        let written = write_streams(session, vec![rows], target, &state.runtime_env().memory_pool).await?;
        Ok(IcebergWritten { scanned_bytes: statistics.scanned_bytes(), read: statistics.read(), ..written })
    }
}

/// `SELECT … FROM table WHERE "$path" IN (…) …`
fn of_files<'a>(
    select: &str,
    definition: &TableDefinition,
    paths: impl Iterator<Item = &'a str>,
    rest: &str,
) -> Result<ast::Query, TrinoError> {
    let list: Vec<String> = paths.map(|path| format!("'{}'", path.replace('\'', "''"))).collect();
    let (database, table) = (quoted(&definition.database), quoted(&definition.name));
    parsed(&format!("SELECT {select} FROM {database}.{table} WHERE \"$path\" IN ({}){rest}", list.join(", ")))
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn parsed(text: &str) -> Result<ast::Query, TrinoError> {
    match parse_statement(text) {
        Ok(ast::Statement::Query(query)) => Ok(*query),
        Ok(_) => Err(internal("a query over files is none")),
        Err(error) => Err(internal(error.to_string())),
    }
}

pub(super) fn texts(array: &ArrayRef) -> Result<ArrayRef, TrinoError> {
    Ok(cast(array, &DataType::Utf8)?)
}

fn counted(batch: &RecordBatch) -> Result<Vec<(String, u64)>, TrinoError> {
    let (paths, counts) = (texts(batch.column(0))?, cast(batch.column(1), &DataType::Int64)?);
    let (paths, counts) = (paths.as_string::<i32>(), counts.as_primitive::<Int64Type>());
    let row = |row: usize| (paths.value(row).to_owned(), u64::try_from(counts.value(row)).unwrap_or(0));
    Ok((0..paths.len()).map(row).collect())
}
