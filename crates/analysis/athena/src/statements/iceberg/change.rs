//! UPDATE, DELETE and MERGE: read at one state of the table, committed onto it or onto one that agrees with it.

use std::time::Instant;

use boathouse_iceberg::manifest::{DataContent, DataFile};
use boathouse_iceberg::transaction::Transaction;
use boathouse_trino::change::{Change, Changed, pinned};
use boathouse_trino::write::Written;

use super::{Found, announce, commit_unless_changed, found, target_of, writes, writing_into};
use crate::executions::failure::Failure;
use crate::statements::{Job, Outcome, Target, target};

/// How often a statement runs because others change what it has read.
const ATTEMPTS: usize = 10;

pub(crate) async fn run(job: &Job<'_>, change: Change<'_>) -> Result<Outcome, Failure> {
    let of_views = match change {
        Change::Delete(_) => "Deleting from views is not supported",
        Change::Update(_) => "Updating through views is not supported",
        Change::Merge(_) => "Merging into views is not supported",
    };
    let of_others = "Modifying Hive table rows is only supported for transactional tables";
    let to = target_of(job, change.table(), (of_views, of_others)).await?;
    let Found { table, .. } = found(job, &to).await?;
    writes(job, &to, &table, assigned(change));
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = attempt(job, &to, change).await? {
            return Ok(outcome);
        }
    }
    let message =
        format!("ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: {}.{}", to.database, to.table);
    Err(Failure::user(1006, message))
}

/// The columns that a change names, if it names all that it writes.
fn assigned(change: Change<'_>) -> Vec<String> {
    match change {
        Change::Update(update) => update.assignments.iter().map(|(name, _)| name.lower()).collect(),
        Change::Delete(_) | Change::Merge(_) => Vec::new(),
    }
}

/// Runs the statement once; nothing if it has to run anew.
async fn attempt(job: &Job<'_>, to: &Target, change: Change<'_>) -> Result<Option<Outcome>, Failure> {
    let begun = Instant::now();
    let Found { table, definition, catalog } = found(job, to).await?;
    announce(job, to, &table.metadata().location).await?;
    let session = pinned(&job.session, definition.clone());
    let changed = job.athena.engine.change(&session, &definition, change, writing_into(job, &table)).await;
    job.progress.engine_done(begun);
    let changed = changed?;
    job.progress.check_cutoff(changed.scanned_bytes)?;
    let outcome = target::report(job, &reported(&changed)).await?;
    let transaction = Transaction::new(table).row_delta(changed.delta);
    let is_committed = commit_unless_changed(job, transaction, &catalog).await?;
    Ok(is_committed.then_some(outcome))
}

/// What has changed, as it is reported: the files of rows that have come.
fn reported(changed: &Changed) -> Written {
    let is_rows = |file: &&DataFile| file.content == DataContent::Data;
    let files = changed.delta.added.iter().filter(is_rows).map(|file| file.file_path.clone());
    let bytes = changed.delta.added.iter().map(|file| u64::try_from(file.file_size_in_bytes).unwrap_or(0));
    Written {
        rows: changed.rows,
        files: files.collect(),
        bytes: bytes.sum(),
        scanned_bytes: changed.scanned_bytes,
        read: changed.read.clone(),
        ..Written::default()
    }
}
