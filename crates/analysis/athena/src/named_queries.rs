//! Named queries: statements kept under an id.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Athena;
use crate::error::AthenaError;
use crate::store::*;
use crate::workgroups::{self, List, PRIMARY};

/// A named query.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NamedQuery {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    database: String,
    query_string: String,
    #[serde(default)]
    named_query_id: String,
    #[serde(default = "primary")]
    pub(crate) work_group: String,
    #[serde(default, skip_serializing)]
    client_request_token: Option<String>,
}

fn primary() -> String {
    PRIMARY.into()
}

fn missing(id: &str) -> AthenaError {
    AthenaError::invalid(format!("NamedQuery {id} was not found"))
}

/// The named query of this id.
pub(crate) fn find(athena: &Athena, id: &str) -> Result<NamedQuery, AthenaError> {
    athena.metadata.get_json(NAMED_QUERIES, &Key::new([id]))?.ok_or_else(|| missing(id))
}

/// The workgroup that an operation on a named query needs leave for. An unknown one asks about the primary one.
pub(crate) fn workgroup_of(athena: &Athena, id: &str) -> String {
    find(athena, id).map_or_else(|_| primary(), |query| query.work_group)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Created {
    named_query_id: String,
}

fn check(query: &NamedQuery) -> Result<(), AthenaError> {
    check_length(&query.name, "Name", 1, 128)?;
    check_length(query.description.as_deref().unwrap_or_default(), "Description", 0, 1024)?;
    check_length(&query.database, "Database", 1, 255)?;
    check_length(&query.query_string, "QueryString", 1, 262_144)
}

pub(crate) async fn create(_: Ctx, athena: Arc<Athena>, mut query: NamedQuery) -> Result<Created, AthenaError> {
    check(&query)?;
    query.named_query_id = Uuid::new_v4().to_string();
    let token = query.client_request_token.take().map(|token| Key::new(["named-query", &token]));
    athena
        .metadata
        .transaction(move |tx| {
            workgroups::require(tx, &query.work_group)?;
            if let Some(token) = &token {
                if let Some(earlier) = tx.get_json::<NamedQuery>(TOKENS, token)? {
                    return again(&earlier, &query);
                }
                tx.put_json(TOKENS, token, &query)?;
            }
            let id = query.named_query_id.clone();
            tx.put_json(NAMED_QUERIES, &Key::new([&id]), &query)?;
            tx.put(NAMED_QUERIES_OF, &Key::new([&query.work_group, &id]), b"")?;
            Ok(Created { named_query_id: id })
        })
        .await
}

/// The answer to a request whose token has been seen.
fn again(earlier: &NamedQuery, query: &NamedQuery) -> Result<Created, AthenaError> {
    let parts =
        |query: &NamedQuery| [&query.name, &query.database, &query.query_string, &query.work_group].map(String::clone);
    if parts(earlier) == parts(query) && earlier.description == query.description {
        return Ok(Created { named_query_id: earlier.named_query_id.clone() });
    }
    Err(AthenaError::invalid("Idempotent parameters do not match"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    pub(crate) named_query_id: String,
}

impl Named {
    pub(crate) fn ids(&self) -> Vec<String> {
        vec![self.named_query_id.clone()]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    named_query: NamedQuery,
}

pub(crate) async fn get(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<GetOutput, AthenaError> {
    Ok(GetOutput { named_query: find(&athena, &request.named_query_id)? })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    named_query_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn list(_: Ctx, athena: Arc<Athena>, request: List) -> Result<ListOutput, AthenaError> {
    let (named_query_ids, next_token) = workgroups::ids(&athena, NAMED_QUERIES_OF, &request)?;
    Ok(ListOutput { named_query_ids, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Update {
    pub(crate) named_query_id: String,
    name: String,
    description: Option<String>,
    query_string: String,
}

impl Update {
    pub(crate) fn ids(&self) -> Vec<String> {
        vec![self.named_query_id.clone()]
    }
}

pub(crate) async fn update(_: Ctx, athena: Arc<Athena>, request: Update) -> Result<Empty, AthenaError> {
    athena
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&request.named_query_id]);
            let present: NamedQuery =
                tx.get_json(NAMED_QUERIES, &key)?.ok_or_else(|| missing(&request.named_query_id))?;
            let description = request.description.or_else(|| present.description.clone());
            let query = NamedQuery { name: request.name, description, query_string: request.query_string, ..present };
            check(&query)?;
            tx.put_json(NAMED_QUERIES, &key, &query)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<Empty, AthenaError> {
    athena
        .metadata
        .transaction(move |tx| {
            let id = &request.named_query_id;
            let query: NamedQuery = tx.get_json(NAMED_QUERIES, &Key::new([id]))?.ok_or_else(|| missing(id))?;
            tx.delete(NAMED_QUERIES, &Key::new([id]))?;
            tx.delete(NAMED_QUERIES_OF, &Key::new([&query.work_group, id]))?;
            Ok(Empty {})
        })
        .await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchGet {
    pub(crate) named_query_ids: Vec<String>,
}

impl BatchGet {
    pub(crate) fn ids(&self) -> Vec<String> {
        self.named_query_ids.clone()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed {
    named_query_id: String,
    error_code: &'static str,
    error_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchOutput {
    named_queries: Vec<NamedQuery>,
    unprocessed_named_query_ids: Vec<Unprocessed>,
}

pub(crate) async fn batch_get(_: Ctx, athena: Arc<Athena>, request: BatchGet) -> Result<BatchOutput, AthenaError> {
    if !(1..=50).contains(&request.named_query_ids.len()) {
        return Err(AthenaError::invalid("NamedQueryIds must have between 1 and 50 members"));
    }
    let mut output = BatchOutput { named_queries: Vec::new(), unprocessed_named_query_ids: Vec::new() };
    for id in request.named_query_ids {
        match find(&athena, &id) {
            Ok(query) => output.named_queries.push(query),
            Err(AthenaError::Invalid(error_message)) => output.unprocessed_named_query_ids.push(Unprocessed {
                named_query_id: id,
                error_code: "INVALID_INPUT",
                error_message,
            }),
            Err(other) => return Err(other),
        }
    }
    Ok(output)
}
