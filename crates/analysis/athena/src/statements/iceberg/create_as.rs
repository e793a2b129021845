//! CREATE TABLE AS of an Iceberg table: the entry appears in the catalog with all rows, or not at all.

use boathouse_iceberg::schema::{NestedField, Schema};
use boathouse_iceberg::table::Table;
use boathouse_iceberg::transaction::{Catalog, Transaction};
use boathouse_trino::iceberg::types::from_trino;
use boathouse_trino::iceberg::write::IcebergWritten;
use boathouse_trino_parser::ast::{CreateTableAs, Pos};

use super::create::{first_metadata, new_entry, new_metadata};
use super::{announce, commit, files, partitioning, reported, settled, write};
use crate::executions::failure::Failure;
use crate::statements::properties::IcebergProperties;
use crate::statements::{Job, Outcome, Target, target};

pub(crate) async fn run(
    job: &Job<'_>,
    create: &CreateTableAs,
    wanted: &IcebergProperties,
    to: &Target,
) -> Result<Outcome, Failure> {
    let found = job.athena.engine.analyze(&job.session, &create.query).await?;
    target::names(Pos { line: 1, column: 1 }, &found)?;
    let field = |column: &boathouse_trino::engine::Column| {
        Ok(NestedField::optional(0, column.name.to_lowercase(), from_trino(&column.ty)?))
    };
    let fields = found.iter().map(field).collect::<Result<Vec<_>, Failure>>()?;
    let schema = Schema::new(0, fields).with_fresh_ids(0).0;
    let spec = partitioning::of_property(&wanted.partitioning, &schema)?;
    let now_ms = job.ctx.now().timestamp_millis();
    let metadata = new_metadata(&wanted.location, schema, spec, wanted.properties.clone(), now_ms)?;
    announce(job, to, &metadata.location).await?;
    let first = first_metadata(job, &metadata).await?;
    let table = Table::new(files(job), first.clone(), metadata);
    let written = match create.with_data {
        true => write(job, &create.query, &table).await?,
        false => IcebergWritten::default(),
    };
    let outcome = target::report(job, &reported(&written)).await?;
    let entry = new_entry(job, to, create.comment.clone(), first.clone());
    if written.files.is_empty() {
        job.progress.commits();
        settled(job, entry.swap(&first, &first, table.metadata()).await)?;
    } else {
        commit(job, Transaction::new(table).append(written.files), &entry).await?;
    }
    Ok(outcome)
}
