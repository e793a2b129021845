//! UPDATE, DELETE and MERGE: read at one state of the table, committed onto it or onto one that agrees with it.

use std::time::Instant;

use boathouse_iceberg::Error;
use boathouse_iceberg::transaction::Transaction;
use boathouse_trino::change::{Change, pinned};

use super::super::{Job, Outcome, Target};
use super::{Handle, load};
use crate::executions::failure::Failure;

/// How often a statement runs anew because others have changed what it has read.
const ATTEMPTS: usize = 10;

pub(in crate::statements) async fn run(job: &Job<'_>, change: Change<'_>) -> Result<Outcome, Failure> {
    let refusal = match change {
        Change::Delete(_) => "Deleting from views is not supported",
        Change::Update(_) => "Updating through views is not supported",
        Change::Merge(_) => "Merging into views is not supported",
    };
    let hive = "Modifying Hive table rows is only supported for transactional tables";
    let target = super::target(job, change.table(), refusal, hive).await?;
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = attempt(job, &target, change).await? {
            return Ok(outcome);
        }
    }
    let (database, table) = (&target.database, &target.table);
    let message = format!("ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: {database}.{table}");
    Err(Failure::user(1006, message))
}

/// Runs the statement once; nothing if it has to run anew.
async fn attempt(job: &Job<'_>, target: &Target, change: Change<'_>) -> Result<Option<Outcome>, Failure> {
    let begun = Instant::now();
    let handle = load(job, target).await?;
    let writing = handle.writing(job).await?;
    let session = pinned(&job.session, handle.definition.clone());
    let changed = job.athena.engine.change(&session, &handle.definition, change, writing).await;
    job.progress.engine_done(begun);
    let changed = changed?;
    job.progress.check_cutoff(changed.scanned_bytes)?;
    let Handle { table, pointer, .. } = handle;
    let outcome = super::report(job, &changed).await?;
    // From here on the statement is not stopped half-way.
    job.progress.commits();
    let transaction = Transaction::new(table).row_delta(changed.delta);
    match transaction.commit(&pointer).await {
        Ok(_) => Ok(Some(outcome)),
        Err(Error::Changed(_) | Error::Conflict(_) | Error::Requirement(_)) => {
            job.progress.continues();
            job.files.delete(&job.progress.written.begun.files()).await?;
            Ok(None)
        }
        Err(error) => Err(pointer.told(error)),
    }
}
