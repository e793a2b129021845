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
    let columns = job.athena.engine.analyze(&job.session, &create.query).await?;
    target::names(Pos { line: 1, column: 1 }, &columns)?;
    let table = views::table(&to.table, create.query.to_string(), &job.session.database, &columns);
    match present {
        Some(_) => job.glue.update_table(&to.database, table).await?,
        None => job.glue.create_table(&to.database, &table).await?,
    }
    Ok(Lines::default())
}
