//! OPTIMIZE … REWRITE DATA USING BIN_PACK: small files, and files with many deletes, become large ones.

use std::collections::BTreeSet;
use std::time::Instant;

use boathouse_iceberg::Error;
use boathouse_iceberg::maintenance::pack;
use boathouse_iceberg::metadata::TableMetadata;
use boathouse_iceberg::predicate::Predicate;
use boathouse_iceberg::transaction::Transaction;
use boathouse_trino::change::pinned;
use boathouse_trino::iceberg::of_iceberg;
use boathouse_trino_parser::ast::Optimize;

use super::super::{Job, Lines, Target};
use super::{Handle, load, properties};
use crate::executions::failure::Failure;

/// How often files are packed anew because others have changed some of them.
const ATTEMPTS: usize = 5;

pub(in crate::statements) async fn run(job: &Job<'_>, optimize: &Optimize) -> Result<Lines, Failure> {
    let refusal = "OPTIMIZE is only supported for Iceberg tables";
    let target = super::target(job, &optimize.table, refusal, refusal).await?;
    for _ in 0..ATTEMPTS {
        if attempt(job, &target, optimize).await? {
            return Ok(Lines::default());
        }
    }
    let (database, table) = (&target.database, &target.table);
    let message = format!("ICEBERG_COMMIT_ERROR: Failed to commit Iceberg rewrite of table: {database}.{table}");
    Err(Failure::user(1006, message))
}

/// Packs the table once; false if others were in the way.
async fn attempt(job: &Job<'_>, target: &Target, optimize: &Optimize) -> Result<bool, Failure> {
    let begun = Instant::now();
    let handle = load(job, target).await?;
    let session = pinned(&job.session, handle.definition.clone());
    let metadata = handle.table.metadata();
    let chosen: Option<BTreeSet<String>> = match &optimize.filter {
        None => None,
        Some(condition) => {
            let columns = partition_columns(metadata);
            Some(job.athena.engine.files_with(&session, &handle.definition, &columns, condition).await?)
        }
    };
    let Some(snapshot) = metadata.current_snapshot() else { return Ok(true) };
    let sequence_number = snapshot.sequence_number;
    let files = handle.table.scan(snapshot, &Predicate::True).await.map_err(of_iceberg)?;
    let is_chosen = |path: &String| chosen.as_ref().is_none_or(|chosen| chosen.contains(path));
    let packing = properties::packing(metadata);
    let old = pack::worthwhile(&files, |file| is_chosen(&file.data_file.file_path), &packing);
    if old.is_empty() {
        return Ok(true);
    }
    let writing = handle.writing(job).await?;
    let written = job.athena.engine.rewrite(&session, &handle.definition, &old, writing).await;
    job.progress.engine_done(begun);
    let written = written?;
    job.progress.check_cutoff(written.scanned_bytes)?;
    let paths: BTreeSet<String> = old.iter().map(|file| file.data_file.file_path.clone()).collect();
    let mut removed: Vec<_> = old.iter().map(|file| file.data_file.clone()).collect();
    removed.extend(pack::deletes_only_for(&files, &paths));
    let Handle { table, pointer, .. } = handle;
    job.progress.commits();
    let transaction = Transaction::new(table).rewrite(removed, written.files, Some(sequence_number));
    match transaction.commit(&pointer).await {
        Ok(_) => Ok(true),
        Err(Error::Changed(_) | Error::Conflict(_) | Error::Requirement(_)) => {
            job.progress.continues();
            job.files.delete(&job.progress.written.begun.files()).await?;
            Ok(false)
        }
        Err(error) => Err(pointer.told(error)),
    }
}

/// The columns that the table is or was partitioned by.
fn partition_columns(metadata: &TableMetadata) -> Vec<String> {
    let fields = metadata.partition_specs.iter().flat_map(|spec| &spec.fields);
    let sources: BTreeSet<i32> = fields.map(|field| field.source_id).collect();
    let columns = metadata.current_schema().fields.iter().filter(|field| sources.contains(&field.id));
    columns.map(|field| field.name.to_lowercase()).collect()
}
