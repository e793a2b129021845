//! Visual jobs: the nodes of `CodeGenConfigurationNodes`, run natively.
//!
//! AWS counterpart: "AWS Glue Studio" visual jobs. The nodes become one query for each target, which the SQL engine plans
//! and runs: streaming, spilling, on all cores. A node that two targets need is computed for each of them.
//!
//! | Module | What it does |
//! |---|---|
//! | [`nodes`] | the nodes and their options, as the API writes them |
//! | [`graph`] | which node feeds which; what a job can't be |
//! | `sources` | objects, bookmarks and schemas of the sources |
//! | `csv`, `json`, `parquet` | what columns files have |
//! | `files` | the objects of a source as a bucket of its own |
//! | `compile` | nodes → one query, with every node's columns |
//! | `transform`, `casts`, `filter` | the query of one node |
//! | [`spark_sql`] | which Spark SQL means the same here |
//! | `target` | rows into files, files into the catalogue |
//! | `glue` | the catalogue's operations and tables |
//! | [`preview`] | a node's first rows |

mod casts;
mod compile;
mod csv;
mod files;
mod filter;
mod glue;
pub mod graph;
mod json;
pub mod nodes;
mod parquet;
pub(crate) mod preview;
mod sources;
pub mod spark_sql;
mod target;
mod transform;

use crate::bookmarks::{Marks, Read};
use crate::failure::Failure;
use crate::s3::Buckets;
use crate::worker::Attempt;
use compile::Compiler;
use graph::Graph;

/// Runs a visual job, and answers what its bookmark has to remember.
pub(crate) async fn run(attempt: &Attempt<'_>, graph: &Graph) -> Result<Option<Read>, Failure> {
    let state = attempt.state;
    if attempt.resumed {
        clean(attempt, graph).await?;
    }
    let buckets = Buckets::new(attempt.ctx.clone(), state.stores.clone());
    let mut marks = Marks::of(&state.metadata, attempt.run)?;
    let sources = sources::open(&attempt.ctx, &buckets, graph, &mut marks, Some(&attempt.log)).await?;
    let mut compiler = Compiler::new(&attempt.ctx, &state.engine, graph, &buckets, sources);
    compiler.nodes().await?;
    for id in graph.targets() {
        target::write(attempt, graph, &compiler, id).await?;
    }
    Ok(marks.into_read())
}

/// Removes the files of a run that has not succeeded: those of all its attempts.
pub(crate) async fn clean(attempt: &Attempt<'_>, graph: &Graph) -> Result<(), Failure> {
    let buckets = Buckets::new(attempt.ctx.clone(), attempt.state.stores.clone());
    for id in graph.targets() {
        target::clean(attempt, graph, &buckets, id).await?;
    }
    Ok(())
}
