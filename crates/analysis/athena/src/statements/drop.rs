//! DROP TABLE and DROP VIEW. The files of a table stay, as they do on AWS; those of an Iceberg table go.

use boathouse_trino_parser::ast::DropRelation;

use super::{Job, Lines, iceberg, table_not_found};
use crate::executions::failure::Failure;

pub(super) async fn table(job: &Job<'_>, drop: &DropRelation) -> Result<Lines, Failure> {
    let target = job.target(&drop.name)?;
    match job.find(&target).await? {
        Some(table) if table.is_view() => {
            let message = "Cannot drop a view with DROP TABLE. Use DROP VIEW instead.";
            Err(Failure::ddl(message))
        }
        Some(table) if table.is_iceberg() => {
            iceberg::drop::run(job, &target, &table).await?;
            Ok(Lines::default())
        }
        Some(_) => {
            job.glue.delete_table(&target.database, &target.table).await?;
            Ok(Lines::default())
        }
        None if drop.if_exists => Ok(Lines::default()),
        None => Err(table_not_found(&target)),
    }
}

pub(super) async fn view(job: &Job<'_>, drop: &DropRelation) -> Result<Lines, Failure> {
    let target = job.target(&drop.name)?;
    let named = format!("awsdatacatalog.{}.{}", target.database, target.table);
    match job.find(&target).await? {
        Some(table) if table.is_view() => {
            job.glue.delete_table(&target.database, &target.table).await?;
            Ok(Lines::default())
        }
        Some(_) => {
            let message = format!(
                "TABLE_NOT_FOUND: line 1:1: View '{named}' does not exist, but a table with that name exists. Did you \
                 mean DROP TABLE {named}?"
            );
            Err(Failure::user(1302, message))
        }
        None if drop.if_exists => Ok(Lines::default()),
        None => Err(Failure::user(1302, format!("TABLE_NOT_FOUND: line 1:1: View '{named}' does not exist"))),
    }
}
