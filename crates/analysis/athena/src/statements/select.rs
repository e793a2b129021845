//! Queries and their plans.

use std::sync::Arc;
use std::time::Instant;

use boathouse_trino::Statistics;
use boathouse_trino::explain::{Explain as Shown, ExplainFormat as Format};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{Analyze, Explain, ExplainFormat, ExplainType, Query, Statement};
use futures::StreamExt;

use super::{Job, Lines, Outcome, Target, create_as, insert};
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
    let Explained { query, writes } = explained(job, &explain.statement).await?;
    if writes.is_some() && explain.analyze.is_some() {
        return Err(Failure::unsupported("EXPLAIN ANALYZE of statements that write"));
    }
    let Some(shown) = shown(explain)? else {
        job.athena.engine.analyze(&job.session, query).await?;
        return Ok(Lines { columns: vec![ColumnInfo::new("Valid", &Type::Boolean)], lines: vec!["true".to_owned()] });
    };
    let statistics = Arc::new(Statistics::default());
    job.progress.scans(Arc::clone(&statistics));
    let how = (shown, format(explain)?);
    let text = job.athena.engine.explain(&job.session, query, how, writes.as_deref(), &statistics).await?;
    let column = ColumnInfo::new("Query Plan", &Type::VARCHAR);
    Ok(Lines { columns: vec![column], lines: text.lines().map(str::to_owned).collect() })
}

/// A statement's query, and what the rows would go to.
struct Explained<'s> {
    query: &'s Query,
    writes: Option<String>,
}

async fn explained<'s>(job: &Job<'_>, statement: &'s Statement) -> Result<Explained<'s>, Failure> {
    let (query, writes) = match statement {
        Statement::Query(query) => (query.as_ref(), None),
        Statement::Unload(unload) => (&unload.query, Some(unload.location.clone())),
        Statement::CreateTableAs(create) => {
            let to = job.target(&create.name)?;
            job.require_schema(&create.name, &to.database).await?;
            if job.find(&to).await?.is_some() && !create.if_not_exists {
                return Err(create_as::already_exists(&to));
            }
            (&create.query, Some(named(&to)))
        }
        Statement::Insert(insert) => {
            let to = job.target(&insert.table)?;
            if job.find(&to).await?.is_none() {
                return Err(insert::not_found(&insert.table, &to));
            }
            (&insert.query, Some(named(&to)))
        }
        _ => return Err(Failure::unsupported("EXPLAIN of statements but queries, INSERT, CREATE TABLE AS and UNLOAD")),
    };
    Ok(Explained { query, writes })
}

/// A table as plans name it.
fn named(to: &Target) -> String {
    format!("awsdatacatalog:{}:{}", to.database, to.table)
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
