//! OPTIMIZE … REWRITE DATA USING BIN_PACK: small files, and files with many deletes, become large ones.

use std::collections::BTreeSet;
use std::time::Instant;

use boathouse_iceberg::maintenance::pack;
use boathouse_iceberg::metadata::TableMetadata;
use boathouse_iceberg::predicate::Predicate;
use boathouse_iceberg::transaction::Transaction;
use boathouse_trino::change::pinned;
use boathouse_trino_parser::ast::Optimize;

use super::{Found, announce, commit_unless_changed, failed, found, target_of, thresholds, writing_into};
use crate::executions::failure::Failure;
use crate::statements::{Job, Lines, Target};

/// How often files are packed because others change some of them.
const ATTEMPTS: usize = 5;

pub(crate) async fn run(job: &Job<'_>, optimize: &Optimize) -> Result<Lines, Failure> {
    let refusal = "OPTIMIZE is only supported for Iceberg tables";
    let to = target_of(job, &optimize.table, (refusal, refusal)).await?;
    for _ in 0..ATTEMPTS {
        if attempt(job, &to, optimize).await? {
            return Ok(Lines::default());
        }
    }
    let message =
        format!("ICEBERG_COMMIT_ERROR: Failed to commit Iceberg rewrite of table: {}.{}", to.database, to.table);
    Err(Failure::user(1006, message))
}

/// Packs the table once; false if others were in the way.
async fn attempt(job: &Job<'_>, to: &Target, optimize: &Optimize) -> Result<bool, Failure> {
    let begun = Instant::now();
    let Found { table, definition, catalog } = found(job, to).await?;
    let (engine, session) = (&job.athena.engine, pinned(&job.session, definition.clone()));
    let metadata = table.metadata();
    let chosen: Option<BTreeSet<String>> = match &optimize.filter {
        None => None,
        Some(condition) => {
            Some(engine.files_with(&session, &definition, &partition_columns(metadata), condition).await?)
        }
    };
    let Some(snapshot) = metadata.current_snapshot() else { return Ok(true) };
    let sequence_number = snapshot.sequence_number;
    let files = table.scan(snapshot, &Predicate::True).await.map_err(failed)?;
    let is_chosen = |path: &String| chosen.as_ref().is_none_or(|chosen| chosen.contains(path));
    let old = pack::worthwhile(&files, |file| is_chosen(&file.data_file.file_path), &thresholds::packing(metadata));
    if old.is_empty() {
        return Ok(true);
    }
    announce(job, to, &metadata.location).await?;
    let written = engine.rewrite(&session, &definition, &old, writing_into(job, &table)).await;
    job.progress.engine_done(begun);
    let written = written?;
    job.progress.check_cutoff(written.scanned_bytes)?;
    let paths: BTreeSet<String> = old.iter().map(|file| file.data_file.file_path.clone()).collect();
    let mut removed: Vec<_> = old.iter().map(|file| file.data_file.clone()).collect();
    removed.extend(pack::deletes_only_for(&files, &paths));
    let transaction = Transaction::new(table).rewrite(removed, written.files, Some(sequence_number));
    commit_unless_changed(job, transaction, &catalog).await
}

/// The columns that the table is or was partitioned by.
fn partition_columns(metadata: &TableMetadata) -> Vec<String> {
    let fields = metadata.partition_specs.iter().flat_map(|spec| &spec.fields);
    let sources: BTreeSet<i32> = fields.map(|field| field.source_id).collect();
    let columns = metadata.current_schema().fields.iter().filter(|field| sources.contains(&field.id));
    columns.map(|field| field.name.to_lowercase()).collect()
}
