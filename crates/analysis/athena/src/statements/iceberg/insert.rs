//! INSERT INTO an Iceberg table: data files, then a snapshot that has them.

use boathouse_iceberg::transaction::Transaction;
use boathouse_trino::engine::Column;
use boathouse_trino::iceberg::types::to_trino;
use boathouse_trino_parser::ast::Insert;

use super::entry::Entry;
use super::{announce, commit, load, reported, write};
use crate::catalog::entities::Table;
use crate::executions::failure::Failure;
use crate::statements::insert::aligned;
use crate::statements::{Job, Outcome, Target, target};

pub(crate) async fn run(job: &Job<'_>, insert: &Insert, to: &Target, entry: &Table) -> Result<Outcome, Failure> {
    let table = load(job, entry).await?;
    let fields = &table.metadata().current_schema().fields;
    let columns: Vec<Column> =
        fields.iter().map(|field| Column { name: field.name.to_lowercase(), ty: to_trino(&field.ty) }).collect();
    let query = match insert.columns.as_slice() {
        [] => insert.query.clone(),
        _ => aligned(job, insert, &columns).await?,
    };
    announce(job, to, &table.metadata().location).await?;
    let written = write(job, &query, &table).await?;
    let outcome = target::report(job, &reported(&written)).await?;
    let catalog = Entry { glue: job.glue.clone(), database: to.database.clone(), table: to.table.clone() };
    commit(job, Transaction::new(table).append(written.files), &catalog).await?;
    Ok(outcome)
}
