//! Queries and their plans.

use std::sync::Arc;
use std::time::Instant;

use boathouse_trino::engine::Explain as Shown;
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{Explain, ExplainFormat, ExplainType, Query, Statement};
use futures::StreamExt;

use super::{Job, Lines, Outcome};
use crate::executions::failure::Failure;
use crate::results::columns::ColumnInfo;
use crate::results::write;

pub(super) async fn run(job: &Job<'_>, query: &Query) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let stream = job.athena.engine.query(&job.session, query).await?;
    job.progress.planned(begun);
    job.progress.scans(Arc::clone(&stream.statistics));
    let columns = stream.columns.clone();
    let batches = stream.map(|batch| batch.map_err(Failure::from));
    let size = write::rows(&job.files, &job.result, &columns, batches).await;
    job.progress.engine_done(begun);
    Ok(Outcome { size: size?, ..Outcome::default() })
}

pub(super) async fn explain(job: &Job<'_>, explain: &Explain) -> Result<Lines, Failure> {
    let Statement::Query(query) = &explain.statement else {
        return Err(Failure::unsupported("EXPLAIN of statements but queries"));
    };
    let text = job.athena.engine.explain(&job.session, query, shown(explain)?).await?;
    let column = ColumnInfo::new("Query Plan", &Type::VARCHAR);
    Ok(Lines { columns: vec![column], lines: text.lines().map(str::to_owned).collect() })
}

fn shown(explain: &Explain) -> Result<Shown, Failure> {
    if matches!(explain.format, Some(ExplainFormat::Graphviz | ExplainFormat::Json)) {
        return Err(Failure::unsupported("EXPLAIN in formats but TEXT"));
    }
    match (explain.analyze, explain.kind) {
        (Some(_), _) => Ok(Shown::Analyze),
        (None, Some(ExplainType::Logical)) => Ok(Shown::Logical),
        (None, None | Some(ExplainType::Distributed)) => Ok(Shown::Distributed),
        (None, Some(ExplainType::Validate | ExplainType::Io)) => {
            Err(Failure::unsupported("EXPLAIN (TYPE VALIDATE) and (TYPE IO)"))
        }
    }
}
