//! VACUUM: old snapshots go, then the files that nothing leads to any more.

use std::collections::BTreeSet;

use boathouse_iceberg::maintenance::expire::{Retention, expired};
use boathouse_iceberg::maintenance::reach::{self, Counting};
use boathouse_iceberg::metadata::{Snapshot, TableMetadata};
use boathouse_iceberg::table::Table;
use boathouse_iceberg::transaction::Transaction;
use boathouse_trino::catalog::Buckets;
use boathouse_trino_parser::ast::Name;
use futures::TryStreamExt;

use super::{Found, commit, failed, found, target_of, thresholds};
use crate::executions::failure::Failure;
use crate::files::Place;
use crate::statements::{Job, Lines};

/// Files that nothing leads to may belong to a statement that is still running: only after so long they are nobody's.
const ORPHAN_AGE_MS: i64 = 3 * 24 * 3_600 * 1_000;

pub(crate) async fn run(job: &Job<'_>, name: &Name) -> Result<Lines, Failure> {
    let refusal = "VACUUM is only supported for Iceberg tables";
    let to = target_of(job, name, (refusal, refusal)).await?;
    let Found { table, catalog, .. } = found(job, &to).await?;
    let before = table.metadata();
    let retention = thresholds::retention(before);
    let now_ms = job.ctx.now().timestamp_millis();
    let updates = expired(before, retention, now_ms);
    let gone: Vec<Snapshot> = {
        let after = before.apply(&updates, now_ms).map_err(failed)?;
        before.snapshots.iter().filter(|one| after.snapshot(one.snapshot_id).is_none()).cloned().collect()
    };
    let present = commit(job, Transaction::new(table.clone()).apply(updates), &catalog).await?;
    let needed = needed(&present).await?;
    let mut superfluous = reach::of_snapshots(&table, &gone, Counting::Named).await.map_err(failed)?;
    superfluous.extend(orphans(job, present.metadata(), now_ms, retention).await?);
    superfluous.retain(|file| !needed.contains(file));
    remove(job, superfluous).await;
    Ok(Lines::default())
}

/// Every file that the table's present state leads to.
async fn needed(table: &Table) -> Result<BTreeSet<String>, Failure> {
    let metadata = table.metadata();
    let mut needed = reach::of_snapshots(table, &metadata.snapshots, Counting::Live).await.map_err(failed)?;
    needed.extend(reach::of_metadata(table.metadata_location(), metadata));
    Ok(needed)
}

/// The files in the table's folders that have been there for long enough.
async fn orphans(
    job: &Job<'_>,
    metadata: &TableMetadata,
    now_ms: i64,
    retention: Retention,
) -> Result<Vec<String>, Failure> {
    let folder = Place::parse(&metadata.location)?;
    if folder.key.is_empty() {
        let message = format!("GENERIC_INTERNAL_ERROR: Path missing in file system location: {folder}");
        return Err(Failure::user(1006, message.trim_end_matches('/').to_owned()));
    }
    let age = retention.max_age_ms.max(ORPHAN_AGE_MS);
    let mut old = Vec::new();
    for name in ["data", "metadata"] {
        let (store, path) = job.files.open(&folder.below(name))?;
        let mut found = store.list(Some(&path));
        while let Some(object) = found.try_next().await? {
            if now_ms - object.last_modified.timestamp_millis() > age {
                let place = Place { bucket: folder.bucket.clone(), key: job.files.key(&object.location) };
                old.push(place.to_string());
            }
        }
    }
    Ok(old)
}

/// Without leave to delete the statement succeeds and the files stay, as in Athena.
async fn remove(job: &Job<'_>, files: BTreeSet<String>) {
    for file in files {
        if let Err(failure) = job.files.delete(std::slice::from_ref(&file)).await {
            tracing::warn!(file, reason = failure.reason(), "a file that VACUUM would remove stays");
        }
    }
}
