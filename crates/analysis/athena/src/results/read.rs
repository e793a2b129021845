//! GetQueryResults: pages of the result object, so that they are there after a restart as well.

use std::sync::Arc;

use boathouse_aws::Ctx;
use futures::StreamExt;
use object_store::{GetOptions, GetRange, ObjectStore};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::columns::ResultMetadata;
use super::csv::Reader;
use crate::Athena;
use crate::error::AthenaError;
use crate::executions::failure::Failure;
use crate::executions::row::{Row, State};
use crate::executions::{self, Named};
use crate::files::{Files, Place};
use crate::store::page_size;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetResults {
    #[serde(flatten)]
    pub(crate) execution: Named,
    next_token: Option<String>,
    max_results: Option<usize>,
    query_result_type: Option<String>,
}

impl GetResults {
    pub(crate) fn ids(&self) -> Vec<String> {
        self.execution.ids()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Results {
    update_count: u64,
    result_set: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn get(ctx: Ctx, athena: Arc<Athena>, request: GetResults) -> Result<Results, AthenaError> {
    let row = executions::find(&athena, &request.execution.query_execution_id)?;
    match row.state() {
        State::Succeeded => {}
        State::Queued | State::Running => {
            let message = format!("Query has not yet finished. Current state: {}", row.state().as_str());
            return Err(AthenaError::Invalid(message));
        }
        State::Failed | State::Cancelled => {
            let message = format!("Query did not finish successfully. Final query state: {}", row.state().as_str());
            return Err(AthenaError::Invalid(message));
        }
    }
    let limit = page_size(request.max_results, 1000)?;
    let from = request.next_token.as_deref().map_or(Ok(0), offset_of)?;
    let files = Files::new(ctx, Arc::clone(&athena.stores));
    let manifest = request.query_result_type.as_deref() == Some("DATA_MANIFEST");
    page(&files, &row, manifest, from, limit).await.map_err(refused)
}

/// A page token is the place in the object where the page begins.
fn offset_of(token: &str) -> Result<u64, AthenaError> {
    token.parse().map_err(|_| AthenaError::invalid("Invalid NextToken"))
}

fn refused(failure: Failure) -> AthenaError {
    AthenaError::Invalid(format!("The query's results can't be read. {}", failure.reason()))
}

/// What the rows of an object look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Csv,
    Lines,
}

async fn page(files: &Files, row: &Row, manifest: bool, from: u64, limit: usize) -> Result<Results, Failure> {
    let place = Place::parse(row.result_location())?;
    let metadata: ResultMetadata = serde_json::from_slice(&files.get(&place.with_suffix(".metadata")).await?)
        .map_err(|error| Failure::system(format!("the result's metadata is unreadable: {error}")))?;
    let (content, layout) = match (manifest, place.key.rsplit_once('.')) {
        (true, _) => (Some(place.with_suffix("-manifest.csv")), Layout::Lines),
        (false, Some((_, "csv"))) => (Some(place), Layout::Csv),
        (false, Some((_, "txt"))) => (Some(place), Layout::Lines),
        // What INSERT and its kin wrote is a table's, not the result's.
        _ => (None, Layout::Lines),
    };
    let (rows, next) = match &content {
        Some(content) => {
            let (store, path) = files.open(content)?;
            let size = store.get_opts(&path, GetOptions::new().with_head(true)).await?.meta.size;
            read(store.as_ref(), &path, layout, from, size, limit).await?
        }
        None => (Vec::new(), None),
    };
    Ok(Results {
        update_count: row.private.update_count.unwrap_or(0),
        result_set: json!({"Rows": rows, "ResultSetMetadata": {"ColumnInfo": metadata.columns}}),
        next_token: next.map(|offset| offset.to_string()),
    })
}

async fn read(
    store: &dyn ObjectStore,
    path: &object_store::path::Path,
    layout: Layout,
    from: u64,
    size: u64,
    limit: usize,
) -> Result<(Vec<Value>, Option<u64>), Failure> {
    let mut rows = Vec::new();
    if from >= size {
        return Ok((rows, None));
    }
    let options = GetOptions { range: Some(GetRange::Offset(from)), ..GetOptions::default() };
    let mut pieces = store.get_opts(path, options).await?.into_stream();
    let mut reader = Reader::default();
    let mut line = Vec::new();
    let mut read = 0;
    while let Some(piece) = pieces.next().await {
        for byte in piece? {
            read += 1;
            let row = match layout {
                Layout::Csv => reader.push(byte),
                Layout::Lines if byte == b'\n' => {
                    Some(vec![Some(String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned())])
                }
                Layout::Lines => {
                    line.push(byte);
                    None
                }
            };
            rows.extend(row.map(data));
            if rows.len() == limit {
                return Ok((rows, Some(from + read).filter(|end| *end < size)));
            }
        }
    }
    Ok((rows, None))
}

fn data(row: Vec<Option<String>>) -> Value {
    let datum = |value: Option<String>| match value {
        Some(value) => json!({"VarCharValue": value}),
        None => json!({}),
    };
    json!({"Data": row.into_iter().map(datum).collect::<Vec<_>>()})
}
