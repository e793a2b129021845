//! PREPARE and DEALLOCATE, which work on the workgroup's prepared statements.

use boathouse_trino_parser::ast::Prepare;

use super::{Job, Lines};
use crate::executions::failure::Failure;
use crate::prepared::{self, PreparedStatement};
use crate::store::now;

pub(super) async fn keep(job: &Job<'_>, prepare: &Prepare) -> Result<Lines, Failure> {
    let statement = PreparedStatement {
        statement_name: prepare.name.value.clone(),
        query_statement: prepare.text.clone(),
        work_group: job.group.clone(),
        description: None,
        last_modified_time: now(job.ctx),
    };
    prepared::keep(job.athena, statement, true).await?;
    Ok(Lines::default())
}

pub(super) async fn forget(job: &Job<'_>, name: &str) -> Result<Lines, Failure> {
    prepared::forget(job.athena, &job.group, name).await?;
    Ok(Lines::default())
}
