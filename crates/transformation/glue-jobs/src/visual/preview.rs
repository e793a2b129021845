//! The first rows of a node, as whoever asks may read them.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_trino_functions::types::{Type, format};
use futures::TryStreamExt;
use serde_json::{Value, json};

use super::compile::Compiler;
use super::graph::Graph;
use super::sources;
use crate::bookmarks::Marks;
use crate::failure::Failure;
use crate::s3::Buckets;
use crate::store::Jobs;

/// Rows that are shown.
const ROWS: usize = 200;

/// The columns and first rows of a node; those of what a target writes.
pub(crate) async fn rows(ctx: Ctx, state: Arc<Jobs>, job: &str, graph: &Graph, id: &str) -> Result<Value, Failure> {
    let missing = || Failure::new(format!("{id} is not one of the job's nodes"));
    let graph = graph.up_to(id).ok_or_else(missing)?;
    let node = graph.node(id);
    let shown = if node.is_target() { node.inputs()[0].as_str() } else { id };
    let buckets = Buckets::new(ctx.clone(), Arc::clone(&state.stores));
    let mut marks = Marks::disregarded(&state.metadata, job);
    let sources = sources::open(&ctx, &buckets, &graph, &mut marks, None).await?;
    let mut compiler = Compiler::new(&ctx, &state.engine, &graph, &buckets, sources);
    compiler.nodes().await?;
    let real = |failure: Failure| Failure::new(compiler.real(&failure.to_string())).at(&graph.title(shown));
    first(&compiler, shown).await.map_err(real)
}

async fn first(compiler: &Compiler<'_>, id: &str) -> Result<Value, Failure> {
    // One more tells whether there are more.
    let query = compiler.query(id, |relation| format!("SELECT * FROM {relation} LIMIT {}", ROWS + 1))?;
    let mut batches = compiler.engine().query(compiler.session(), &query).await?;
    let columns = compiler.columns(id);
    let mut rows = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().zip(columns.iter());
            rows.push(Value::from_iter(cells.map(|(cells, column)| text(cells, row, &column.ty))));
        }
    }
    let truncated = rows.len() > ROWS;
    rows.truncate(ROWS);
    let columns: Vec<Value> =
        columns.iter().map(|column| json!({"Name": column.name, "Type": column.ty.to_string()})).collect();
    Ok(json!({"Columns": columns, "Rows": rows, "Truncated": truncated}))
}

fn text(cells: &arrow::array::ArrayRef, row: usize, ty: &Type) -> Value {
    if cells.is_null(row) || *ty == Type::Unknown {
        return Value::Null;
    }
    let mut text = String::new();
    format::write_value(&mut text, cells, row, ty);
    Value::String(text)
}
