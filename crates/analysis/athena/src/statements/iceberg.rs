//! Iceberg tables: their metadata files, and the catalog's entries that name them.
//!
//! | Module | What it does |
//! |---|---|
//! | `entry` | the catalog's entry of a table, and commits by comparing and setting it |
//! | `create` | CREATE TABLE |
//! | `create_as` | CREATE TABLE AS |
//! | `insert` | INSERT INTO |
//! | `change` | UPDATE, DELETE, MERGE |
//! | `optimize`, `vacuum` | what keeps a table small, by `thresholds` |
//! | `alter` | ALTER TABLE |
//! | `drop` | DROP TABLE |
//! | `partitioning` | PARTITIONED BY and `partitioning` |
//! | `properties` | the table properties that Athena knows |
//! | `shown` | DESCRIBE, SHOW CREATE TABLE, SHOW TBLPROPERTIES |

pub(super) mod alter;
pub(super) mod change;
pub(super) mod create;
pub(super) mod create_as;
pub(super) mod drop;
pub(crate) mod entry;
pub(super) mod insert;
pub(super) mod optimize;
mod partitioning;
pub(crate) mod properties;
pub(super) mod shown;
mod thresholds;
pub(super) mod vacuum;

use std::sync::Arc;
use std::time::Instant;

use boathouse_iceberg::Error;
use boathouse_iceberg::files::Files;
use boathouse_iceberg::table::Table;
use boathouse_iceberg::transaction::{Catalog, Transaction};
use boathouse_trino::catalog::TableDefinition;
use boathouse_trino::iceberg::write::{IcebergTarget, IcebergWritten};
use boathouse_trino::iceberg::{BucketFiles, of_iceberg};
use boathouse_trino::write::{MAX_PARTITIONS, Written};
use boathouse_trino_parser::ast::{Name, Query};
use uuid::Uuid;

use self::entry::Entry;
use super::{Job, Target, table_not_found, target};
use crate::catalog::{entities, tables};
use crate::error::AthenaError;
use crate::executions::failure::Failure;
use crate::executions::writing::{Registers, Writing};
use crate::files::Place;
use crate::lineage::Used;

/// The summary's property that names the execution which made a snapshot.
pub(crate) const QUERY_ID: &str = "trino_query_id";

pub(super) fn failed(error: Error) -> Failure {
    Failure::from(of_iceberg(error))
}

/// The buckets with the caller's rights.
fn files(job: &Job<'_>) -> Arc<dyn Files> {
    Arc::new(BucketFiles(Arc::clone(&job.session.buckets)))
}

/// The state of a table that the catalog knows.
pub(super) async fn load(job: &Job<'_>, entry: &entities::Table) -> Result<Table, Failure> {
    let Some(location) = entry.metadata_location() else {
        return Err(Failure::user(
            1100,
            format!("ICEBERG_INVALID_METADATA: Table {} has no metadata_location", entry.name),
        ));
    };
    Table::load(files(job), location).await.map_err(failed)
}

/// The UUID in the names of the metadata files that an execution writes.
fn commit_id(job: &Job<'_>) -> Uuid {
    Uuid::parse_str(&job.id).unwrap_or_else(|_| Uuid::new_v4())
}

/// Keeps, before anything is written, which files an execution will write into a table.
pub(super) async fn announce(job: &Job<'_>, to: &Target, location: &str) -> Result<(), Failure> {
    let writing = Writing {
        folder: Place::parse(location)?.folder(),
        prefix: target::file_prefix(job),
        registers: Some(Registers::Iceberg {
            database: to.database.clone(),
            table: to.table.clone(),
            id: commit_id(job).to_string(),
        }),
    };
    Ok(job.progress.written.announce(job.athena, &job.id, writing).await.map_err(AthenaError::from)?)
}

/// Where and how an execution writes a table's files.
fn writing_into(job: &Job<'_>, table: &Table) -> IcebergTarget {
    IcebergTarget {
        table: table.clone(),
        file_prefix: target::file_prefix(job),
        max_partitions: MAX_PARTITIONS,
        begun: job.progress.written.begun.clone(),
    }
}

/// Runs a query into data files of a table.
async fn write(job: &Job<'_>, query: &Query, table: &Table) -> Result<IcebergWritten, Failure> {
    let begun = Instant::now();
    let target = writing_into(job, table);
    let outcome = job.athena.engine.write_iceberg(&job.session, query, target).await;
    job.progress.engine_done(begun);
    let written = outcome?;
    job.progress.check_cutoff(written.scanned_bytes)?;
    Ok(written)
}

/// What was written, as it is reported.
fn reported(written: &IcebergWritten) -> Written {
    Written {
        rows: written.rows,
        files: written.files.iter().map(|file| file.file_path.clone()).collect(),
        bytes: written.bytes,
        scanned_bytes: written.scanned_bytes,
        read: written.read.clone(),
        ..Written::default()
    }
}

/// Notes that an execution writes these columns of a table; all of them if none is named.
fn writes(job: &Job<'_>, to: &Target, table: &Table, named: Vec<String>) {
    let all = table.metadata().current_schema().fields.iter().map(|field| field.name.to_lowercase());
    let columns = if named.is_empty() { all.collect() } else { named };
    job.progress.changes(Used { database: to.database.clone(), table: to.table.clone(), columns });
}

/// Makes a change the table's state. From here on the statement is not stopped half-way.
pub(super) async fn commit(job: &Job<'_>, transaction: Transaction, catalog: &dyn Catalog) -> Result<Table, Failure> {
    settled(job, committed(job, transaction, catalog).await)
}

async fn committed(job: &Job<'_>, transaction: Transaction, catalog: &dyn Catalog) -> boathouse_iceberg::Result<Table> {
    job.progress.commits();
    transaction.with_id(commit_id(job)).summary(QUERY_ID, &job.id).commit(catalog).await
}

/// As [`commit`], but if others have changed what the change depends on, all that was written goes: then it is to be made
/// anew on what the table is now.
async fn commit_unless_changed(
    job: &Job<'_>,
    transaction: Transaction,
    catalog: &dyn Catalog,
) -> Result<bool, Failure> {
    match committed(job, transaction, catalog).await {
        Err(Error::Changed(_) | Error::Requirement(_)) => {
            job.progress.continues();
            let begun = &job.progress.written.begun;
            job.files.delete(&begun.files()).await?;
            begun.forget();
            Ok(false)
        }
        outcome => settled(job, outcome).map(|_| true),
    }
}

/// An Iceberg table as a statement finds it.
struct Found {
    table: Table,
    /// The table as the engine knows it: what is read is what the commit builds on.
    definition: TableDefinition,
    catalog: Entry,
}

/// The table of a name of Trino's grammar, if it is Iceberg's. What is said of other tables and of views is `refusals`.
async fn target_of(job: &Job<'_>, name: &Name, refusals: (&str, &str)) -> Result<Target, Failure> {
    let (of_views, of_others) = refusals;
    let target = job.target(name)?;
    let Some(entry) = job.find(&target).await? else {
        let Target { database, table } = &target;
        let pos = name.pos();
        let message = format!("TABLE_NOT_FOUND: line {pos}: Table 'awsdatacatalog.{database}.{table}' does not exist");
        return Err(Failure::user(1302, message));
    };
    if entry.is_view() {
        return Err(Failure::user(1001, format!("NOT_SUPPORTED: line {}: {of_views}", name.pos())));
    }
    if !entry.is_iceberg() {
        return Err(Failure::user(1001, format!("NOT_SUPPORTED: {of_others}")));
    }
    Ok(target)
}

/// The table as it is now.
async fn found(job: &Job<'_>, target: &Target) -> Result<Found, Failure> {
    let Some(entry) = job.find(target).await? else { return Err(table_not_found(target)) };
    let table = load(job, &entry).await?;
    let definition = tables::definition(&target.database, entry)?;
    let (database, name) = (target.database.clone(), target.table.clone());
    Ok(Found { table, definition, catalog: Entry { glue: job.glue.clone(), database, table: name } })
}

/// The end of a commit. Where nobody knows whether it took place, the table may have the files: they stay.
fn settled<T>(job: &Job<'_>, outcome: boathouse_iceberg::Result<T>) -> Result<T, Failure> {
    if let Err(Error::Unknown(_)) = &outcome {
        job.progress.written.begun.forget();
    }
    outcome.map_err(failed)
}
