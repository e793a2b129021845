//! Query executions: started, run, stopped, listed.
//!
//! | Module | What it does |
//! |---|---|
//! | `row` | the stored row, which is AWS's QueryExecution |
//! | `start` | StartQueryExecution: checks, idempotence, result reuse |
//! | `runner` | the queue, the states, the end |
//! | `failure` | why an execution did not succeed |
//! | `telling`, `measures` | the events of an execution; metrics for CloudWatch |
//! | `writing` | what a statement writes, and how that is taken back |
//! | `history` | what is forgotten after 45 days, and what a restart finds unfinished |

pub(crate) mod failure;
pub(crate) mod history;
mod measures;
pub(crate) mod row;
pub(crate) mod runner;
pub(crate) mod start;
mod telling;
pub(crate) mod writing;

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, MetadataError, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Athena;
use crate::error::AthenaError;
use crate::store::*;
use crate::workgroups::{self, List};

pub(crate) use row::{Execution, Row};

fn missing(id: &str) -> AthenaError {
    AthenaError::invalid(format!("QueryExecution {id} was not found"))
}

/// The execution of this id.
pub(crate) fn find(athena: &Athena, id: &str) -> Result<Row, AthenaError> {
    athena.metadata.get_json(EXECUTIONS, &Key::new([id]))?.ok_or_else(|| missing(id))
}

/// Writes an execution's row, and keeps the list of unfinished ones.
pub(crate) fn put(tx: &Transaction<'_>, row: &Row) -> Result<(), MetadataError> {
    let key = Key::new([row.id()]);
    tx.put_json(EXECUTIONS, &key, row)?;
    if row.state().has_ended() {
        tx.delete(UNFINISHED, &key)?;
        tx.delete(WRITINGS, &key)?;
    } else {
        tx.put(UNFINISHED, &key, b"")?;
    }
    Ok(())
}

/// Names an execution.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    pub(crate) query_execution_id: String,
}

impl Named {
    pub(crate) fn ids(&self) -> Vec<String> {
        vec![self.query_execution_id.clone()]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    query_execution: Execution,
}

pub(crate) async fn get(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<GetOutput, AthenaError> {
    Ok(GetOutput { query_execution: find(&athena, &request.query_execution_id)?.execution })
}

pub(crate) async fn runtime_statistics(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<Value, AthenaError> {
    let row = find(&athena, &request.query_execution_id)?;
    Ok(json!({"QueryRuntimeStatistics": row.runtime_statistics()}))
}

pub(crate) async fn stop(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<Empty, AthenaError> {
    let id = request.query_execution_id;
    find(&athena, &id)?;
    athena.runner.stop(&id).await;
    Ok(Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    query_execution_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn list(_: Ctx, athena: Arc<Athena>, request: List) -> Result<ListOutput, AthenaError> {
    let (query_execution_ids, next_token) = workgroups::ids(&athena, EXECUTIONS_OF, &request)?;
    Ok(ListOutput { query_execution_ids, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchGet {
    pub(crate) query_execution_ids: Vec<String>,
}

impl BatchGet {
    pub(crate) fn ids(&self) -> Vec<String> {
        self.query_execution_ids.clone()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed {
    query_execution_id: String,
    error_code: &'static str,
    error_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchOutput {
    query_executions: Vec<Execution>,
    unprocessed_query_execution_ids: Vec<Unprocessed>,
}

pub(crate) async fn batch_get(_: Ctx, athena: Arc<Athena>, request: BatchGet) -> Result<BatchOutput, AthenaError> {
    if !(1..=50).contains(&request.query_execution_ids.len()) {
        return Err(AthenaError::invalid("QueryExecutionIds must have between 1 and 50 members"));
    }
    let mut output = BatchOutput { query_executions: Vec::new(), unprocessed_query_execution_ids: Vec::new() };
    for id in request.query_execution_ids {
        match find(&athena, &id) {
            Ok(row) => output.query_executions.push(row.execution),
            Err(AthenaError::Invalid(error_message)) => output.unprocessed_query_execution_ids.push(Unprocessed {
                query_execution_id: id,
                error_code: "INVALID_INPUT",
                error_message,
            }),
            Err(other) => return Err(other),
        }
    }
    Ok(output)
}

/// The workgroup that an operation on an execution needs leave for. An unknown execution asks about the primary one.
pub(crate) fn workgroup_of(athena: &Athena, id: &str) -> String {
    #[derive(Deserialize)]
    struct Filed {
        execution: Under,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Under {
        work_group: String,
    }
    let filed = athena.metadata.get_json::<Filed>(EXECUTIONS, &Key::new([id])).ok().flatten();
    filed.map_or_else(|| workgroups::PRIMARY.to_owned(), |filed| filed.execution.work_group)
}
