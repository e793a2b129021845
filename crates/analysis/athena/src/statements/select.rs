//! Queries and their plans.

use std::time::Instant;

use boathouse_trino_parser::ast::{Explain, Query, Statement};
use futures::StreamExt;

use super::{Job, Lines, Outcome};
use crate::executions::failure::Failure;
use crate::results::columns::ColumnInfo;
use crate::results::write;

pub(super) async fn run(job: &Job<'_>, query: &Query) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let rows = job.athena.engine.query(&job.session, query).await?;
    job.progress.planned(begun);
    job.progress.scans(rows.scanned);
    let batches = rows.batches.map(|batch| batch.map_err(Failure::from));
    let size = write::rows(&job.files, &job.result, &rows.columns, batches).await;
    job.progress.engine_done(begun);
    Ok(Outcome { size: size?, ..Outcome::default() })
}

pub(super) async fn explain(job: &Job<'_>, explain: &Explain) -> Result<Lines, Failure> {
    if !matches!(explain.statement, Statement::Query(_)) {
        return Err(Failure::unsupported("EXPLAIN of statements but queries"));
    }
    let text = job.athena.engine.explain(&job.session, explain).await?;
    let column = ColumnInfo::new("Query Plan", &boathouse_trino_functions::types::Type::VARCHAR);
    Ok(Lines { columns: vec![column], lines: text.lines().map(str::to_owned).collect() })
}
