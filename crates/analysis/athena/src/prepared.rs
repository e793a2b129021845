//! Prepared statements of a workgroup, made by the API or by PREPARE.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde::{Deserialize, Serialize};

use crate::Athena;
use crate::error::AthenaError;
use crate::store::*;
use crate::workgroups::{self, List};

/// A statement with parameters, kept under a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PreparedStatement {
    pub(crate) statement_name: String,
    pub(crate) query_statement: String,
    #[serde(alias = "WorkGroup", rename(serialize = "WorkGroupName"), alias = "WorkGroupName")]
    pub(crate) work_group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) last_modified_time: Timestamp,
}

impl PreparedStatement {
    /// Names compare without regard to case, as everywhere in SQL.
    fn key(&self) -> Key {
        key(&self.work_group, &self.statement_name)
    }

    fn check(&self) -> Result<(), AthenaError> {
        let mut letters = self.statement_name.chars();
        let starts = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !starts || !letters.all(|c| c.is_ascii_alphanumeric() || "_@:".contains(c)) {
            let message = format!("Statement name {} must match [a-zA-Z_][a-zA-Z0-9_@:]*", self.statement_name);
            return Err(AthenaError::invalid(message));
        }
        check_length(&self.statement_name, "StatementName", 1, 256)?;
        check_length(&self.query_statement, "QueryStatement", 1, 262_144)
    }
}

fn key(group: &str, name: &str) -> Key {
    Key::new([group, &name.to_lowercase()])
}

pub(crate) fn missing(group: &str, name: &str) -> AthenaError {
    AthenaError::NotFound {
        message: format!("PreparedStatement {name} was not found in workGroup {group}"),
        resource: name.to_owned(),
    }
}

/// The prepared statement of this name.
pub(crate) fn find(athena: &Athena, group: &str, name: &str) -> Result<PreparedStatement, AthenaError> {
    athena.metadata.get_json(PREPARED, &key(group, name))?.ok_or_else(|| missing(group, name))
}

/// Keeps a statement; one of the same name is replaced only if `replace` says so.
pub(crate) async fn keep(athena: &Athena, statement: PreparedStatement, replace: bool) -> Result<(), AthenaError> {
    statement.check()?;
    athena
        .metadata
        .transaction(move |tx| {
            workgroups::require(tx, &statement.work_group)?;
            let key = statement.key();
            if !replace && tx.contains(PREPARED, &key)? {
                let message = format!(
                    "PreparedStatement {} already exists in workGroup {}",
                    statement.statement_name, statement.work_group
                );
                return Err(AthenaError::Invalid(message));
            }
            tx.put_json(PREPARED, &key, &statement)?;
            Ok(())
        })
        .await
}

/// Forgets a statement.
pub(crate) async fn forget(athena: &Athena, group: &str, name: &str) -> Result<(), AthenaError> {
    let (group, name) = (group.to_owned(), name.to_owned());
    athena
        .metadata
        .transaction(
            move |tx| {
                if tx.delete(PREPARED, &key(&group, &name))? { Ok(()) } else { Err(missing(&group, &name)) }
            },
        )
        .await
}

pub(crate) async fn create(
    ctx: Ctx,
    athena: Arc<Athena>,
    mut statement: PreparedStatement,
) -> Result<Empty, AthenaError> {
    statement.last_modified_time = now(&ctx);
    keep(&athena, statement, false).await.map(|()| Empty {})
}

pub(crate) async fn update(
    ctx: Ctx,
    athena: Arc<Athena>,
    mut statement: PreparedStatement,
) -> Result<Empty, AthenaError> {
    let present = find(&athena, &statement.work_group, &statement.statement_name)?;
    statement.last_modified_time = now(&ctx);
    statement.description = statement.description.or(present.description);
    keep(&athena, statement, true).await.map(|()| Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    statement_name: String,
    pub(crate) work_group: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    prepared_statement: PreparedStatement,
}

pub(crate) async fn get(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<GetOutput, AthenaError> {
    Ok(GetOutput { prepared_statement: find(&athena, &request.work_group, &request.statement_name)? })
}

pub(crate) async fn delete(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<Empty, AthenaError> {
    forget(&athena, &request.work_group, &request.statement_name).await.map(|()| Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    statement_name: String,
    last_modified_time: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    prepared_statements: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn list(_: Ctx, athena: Arc<Athena>, request: List) -> Result<ListOutput, AthenaError> {
    let group = workgroups::find(&athena, request.group())?;
    let token = request.next_token.as_deref();
    let page = page(&athena.metadata, PREPARED, &Key::new([&group.name]), token, request.max_results, 50)?;
    let summary = |statement: PreparedStatement| Summary {
        statement_name: statement.statement_name,
        last_modified_time: statement.last_modified_time,
    };
    let statements = page.entries.iter().map(|entry| entry.json().map(summary)).collect::<Result<_, _>>()?;
    Ok(ListOutput { prepared_statements: statements, next_token: next_token(&page) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchGet {
    prepared_statement_names: Vec<String>,
    pub(crate) work_group: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed {
    statement_name: String,
    error_code: &'static str,
    error_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchOutput {
    prepared_statements: Vec<PreparedStatement>,
    unprocessed_prepared_statement_names: Vec<Unprocessed>,
}

pub(crate) async fn batch_get(_: Ctx, athena: Arc<Athena>, request: BatchGet) -> Result<BatchOutput, AthenaError> {
    workgroups::find(&athena, &request.work_group)?;
    if request.prepared_statement_names.len() > 25 {
        return Err(AthenaError::invalid("PreparedStatementNames must have at most 25 members"));
    }
    let mut output = BatchOutput { prepared_statements: Vec::new(), unprocessed_prepared_statement_names: Vec::new() };
    for name in request.prepared_statement_names {
        match find(&athena, &request.work_group, &name) {
            Ok(statement) => output.prepared_statements.push(statement),
            Err(AthenaError::NotFound { message, .. }) => {
                output.unprocessed_prepared_statement_names.push(Unprocessed {
                    statement_name: name,
                    error_code: "STATEMENT_NOT_FOUND",
                    error_message: message,
                });
            }
            Err(other) => return Err(other),
        }
    }
    Ok(output)
}
