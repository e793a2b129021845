//! Files with rows that fulfil a condition.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_parser::ast;
use futures::TryStreamExt;

use super::apply::{parsed, quoted, texts};
use crate::catalog::{Session, TableDefinition};
use crate::engine::Engine;

impl Engine {
    /// The files of a table in which a row fulfils a condition, which may name these columns only.
    ///
    /// # Errors
    /// What is wrong with the condition, above all that it names another column.
    pub async fn files_with(
        &self,
        session: &Session,
        definition: &TableDefinition,
        columns: &[String],
        condition: &ast::Expr,
    ) -> Result<BTreeSet<String>, TrinoError> {
        let (database, table) = (quoted(&definition.database), quoted(&definition.name));
        let columns: String = columns.iter().map(|name| format!(", {}", quoted(name))).collect();
        let inner = format!("SELECT \"$path\" AS \"$file\"{columns} FROM {database}.{table}");
        let mut query = parsed(&format!("SELECT DISTINCT \"$file\" FROM ({inner}) AS {table} WHERE true"))?;
        // The condition itself and not its text, so that errors say where in the statement they are.
        if let ast::QueryBodyKind::Select(select) = &mut query.body.kind {
            select.filter = Some(condition.clone());
        }
        let mut rows = self.query(session, &query).await.map_err(|error| match error.code {
            ErrorCode::ColumnNotFound => {
                let message = format!("{}: files are chosen by partition columns only", error.message);
                TrinoError { message, ..error }
            }
            _ => error,
        })?;
        let mut found = BTreeSet::new();
        while let Some(batch) = rows.try_next().await? {
            found.extend(texts(batch.column(0))?.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok(found)
    }
}
