//! DROP TABLE of an Iceberg table: the entry goes, then all files that its metadata names, as on AWS.

use super::{failed, files, load};
use crate::catalog::entities::Table;
use crate::executions::failure::Failure;
use crate::statements::{Job, Target};

pub(crate) async fn run(job: &Job<'_>, target: &Target, entry: &Table) -> Result<(), Failure> {
    // A table whose metadata is gone can still be dropped.
    let found = match load(job, entry).await {
        Ok(table) => table.reachable().await.map_err(failed),
        Err(failure) => Err(failure),
    };
    job.progress.commits();
    job.glue.delete_table(&target.database, &target.table).await?;
    match found {
        Ok(all) => {
            let all: Vec<String> = all.into_iter().collect();
            boathouse_iceberg::files::delete(files(job).as_ref(), &all).await.map_err(failed)
        }
        Err(failure) => {
            tracing::warn!(table = entry.name, reason = failure.reason(), "a dropped table's files stay behind");
            Ok(())
        }
    }
}
