//! CREATE VIEW.

use boathouse_trino_parser::ast::{CreateView, Pos};

use super::{Job, Lines, target};
use crate::catalog::views;
use crate::executions::failure::Failure;

pub(super) async fn create(job: &Job<'_>, create: &CreateView) -> Result<Lines, Failure> {
    let to = job.target(&create.name)?;
    job.require_schema(&create.name, &to.database).await?;
    let present = job.find(&to).await?;
    let named = format!("'awsdatacatalog.{}.{}'", to.database, to.table);
    match &present {
        Some(table) if !table.is_view() => {
            let message = format!("TABLE_ALREADY_EXISTS: line 1:1: Table already exists: {named}");
            return Err(Failure::user(1200, message));
        }
        Some(_) if !create.or_replace => {
            let message = format!("TABLE_ALREADY_EXISTS: line 1:1: View already exists: {named}");
            return Err(Failure::user(1200, message));
        }
        _ => {}
    }
    let columns = job.athena.engine.columns(&job.session, &create.query).await?;
    check_names(&columns)?;
    let table = views::table(&to.table, create.query.to_string(), &job.session.database, &columns);
    match present {
        Some(_) => job.glue.update_table(&to.database, table).await?,
        None => job.glue.create_table(&to.database, &table).await?,
    }
    Ok(Lines::default())
}

/// A view's columns need names as a table's do, but any type will do.
fn check_names(columns: &[(String, boathouse_trino_functions::types::Type)]) -> Result<(), Failure> {
    let names: Vec<_> =
        columns.iter().map(|(name, _)| (name.clone(), boathouse_trino_functions::types::Type::VARCHAR)).collect();
    target::columns(Pos { line: 1, column: 1 }, &names, &[]).map(drop)
}
