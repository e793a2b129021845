//! Queries and their plans.

use std::sync::Arc;
use std::time::Instant;

use boathouse_trino::Statistics;
use boathouse_trino::explain::{Explain as Shown, ExplainFormat as Format};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{Analyze, Explain, ExplainFormat, ExplainType, Query, Statement};
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
    let Some(shown) = shown(explain)? else {
        job.athena.engine.analyze(&job.session, query).await?;
        return Ok(Lines { columns: vec![ColumnInfo::new("Valid", &Type::Boolean)], lines: vec!["true".to_owned()] });
    };
    let statistics = Arc::new(Statistics::default());
    job.progress.scans(Arc::clone(&statistics));
    let text = job.athena.engine.explain(&job.session, query, shown, format(explain)?, &statistics).await?;
    let column = ColumnInfo::new("Query Plan", &Type::VARCHAR);
    Ok(Lines { columns: vec![column], lines: text.lines().map(str::to_owned).collect() })
}

/// What is to be shown; none if the query is only to be checked.
fn shown(explain: &Explain) -> Result<Option<Shown>, Failure> {
    let refuse = |message: &str| Err(Failure::user(1001, format!("NOT_SUPPORTED: line 1:1: {message}")));
    match (explain.analyze, explain.kind) {
        (Some(_), Some(_)) => refuse("EXPLAIN ANALYZE only supports TYPE DISTRIBUTED option"),
        (Some(Analyze::Plain), None) => Ok(Some(Shown::Analyze)),
        (Some(Analyze::Verbose), None) => Ok(Some(Shown::AnalyzeVerbose)),
        // As "Using EXPLAIN and EXPLAIN ANALYZE in Athena" has it; Trino itself would show the distributed plan.
        (None, None | Some(ExplainType::Logical)) => Ok(Some(Shown::Logical)),
        (None, Some(ExplainType::Distributed)) => Ok(Some(Shown::Distributed)),
        (None, Some(ExplainType::Validate)) => Ok(None),
        (None, Some(ExplainType::Io)) => refuse("EXPLAIN (TYPE IO) is supported only in Athena engine version 2"),
    }
}

fn format(explain: &Explain) -> Result<Format, Failure> {
    match (explain.format, explain.analyze) {
        (None | Some(ExplainFormat::Text), _) => Ok(Format::Text),
        (Some(ExplainFormat::Json), _) => Ok(Format::Json),
        (Some(ExplainFormat::Graphviz), None) => Ok(Format::Graphviz),
        (Some(ExplainFormat::Graphviz), Some(_)) => {
            let message = "NOT_SUPPORTED: line 1:1: EXPLAIN ANALYZE only supports the formats TEXT and JSON";
            Err(Failure::user(1001, message))
        }
    }
}
