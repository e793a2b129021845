//! Iceberg tables: their metadata files, and the catalog's entries that name them.
//!
//! | Module | What it does |
//! |---|---|
//! | `entry` | the catalog's entry of a table, and commits by comparing and setting it |
//! | `create` | CREATE TABLE |
//! | `create_as` | CREATE TABLE AS |
//! | `insert` | INSERT INTO |
//! | `drop` | DROP TABLE |
//! | `partitioning` | PARTITIONED BY and `partitioning` |
//! | `properties` | the table properties that Athena knows |
//! | `shown` | DESCRIBE, SHOW CREATE TABLE, SHOW TBLPROPERTIES |

pub(super) mod create;
pub(super) mod create_as;
pub(super) mod drop;
pub(crate) mod entry;
pub(super) mod insert;
mod partitioning;
pub(crate) mod properties;
pub(super) mod shown;

use std::sync::Arc;
use std::time::Instant;

use boathouse_iceberg::Error;
use boathouse_iceberg::files::Files;
use boathouse_iceberg::table::Table;
use boathouse_iceberg::transaction::{Catalog, Transaction};
use boathouse_trino::iceberg::write::{IcebergTarget, IcebergWritten};
use boathouse_trino::iceberg::{BucketFiles, of_iceberg};
use boathouse_trino::write::{MAX_PARTITIONS, Written};
use boathouse_trino_parser::ast::Query;
use uuid::Uuid;

use super::{Job, Target, target};
use crate::catalog::entities;
use crate::error::AthenaError;
use crate::executions::failure::Failure;
use crate::executions::writing::{Registers, Writing};
use crate::files::Place;

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
        return Err(Failure::user(1100, format!("ICEBERG_INVALID_METADATA: Table {} has no metadata_location", entry.name)));
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

/// Runs a query into data files of a table.
async fn write(job: &Job<'_>, query: &Query, table: &Table) -> Result<IcebergWritten, Failure> {
    let begun = Instant::now();
    let target = IcebergTarget {
        table: table.clone(),
        file_prefix: target::file_prefix(job),
        max_partitions: MAX_PARTITIONS,
        begun: job.progress.written.begun.clone(),
    };
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
        ..Written::default()
    }
}

/// Makes a change the table's state. From here on the statement is not stopped half-way.
pub(super) async fn commit(job: &Job<'_>, transaction: Transaction, catalog: &dyn Catalog) -> Result<Table, Failure> {
    job.progress.commits();
    let transaction = transaction.with_id(commit_id(job)).summary(QUERY_ID, &job.id);
    settled(job, transaction.commit(catalog).await)
}

/// The end of a commit. Where nobody knows whether it took place, the table may have the files: they stay.
fn settled<T>(job: &Job<'_>, outcome: boathouse_iceberg::Result<T>) -> Result<T, Failure> {
    if let Err(Error::Unknown(_)) = &outcome {
        job.progress.written.begun.forget();
    }
    outcome.map_err(failed)
}
