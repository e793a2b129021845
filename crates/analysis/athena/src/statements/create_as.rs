//! CREATE TABLE AS: the table appears in the catalog when its data is durable, or not at all.

use boathouse_trino::write::{Begun, MAX_PARTITIONS, WriteTarget, Written};
use boathouse_trino_parser::ast::{CreateTableAs, Pos};

use super::properties::{self, WriteProperties};
use super::{Job, Outcome, Target, iceberg, target};
use crate::catalog::entities::{Parameters, Partition, Table};
use crate::catalog::formats;
use crate::executions::failure::Failure;
use crate::executions::writing::Registers;
use crate::files::Place;
use crate::lineage::Used;
use crate::workgroups;

pub(super) async fn run(job: &Job<'_>, create: &CreateTableAs) -> Result<Outcome, Failure> {
    let properties = properties::read(&create.properties)?;
    let to = job.target(&create.name)?;
    job.require_schema(&create.name, &to.database).await?;
    if job.find(&to).await?.is_some() {
        return exists(job, create, &to).await;
    }
    if let Some(wanted) = &properties.iceberg {
        return iceberg::create_as::run(job, create, wanted, &to).await;
    }
    let folder = folder(job, &properties, &to).await?;
    let (table, target) = plan(job, create, &properties, &to, &folder).await?;
    let columns = table.storage_descriptor.columns.iter().chain(&table.partition_keys);
    let columns = columns.map(|column| column.name.clone()).collect();
    job.progress.changes(Used { database: to.database.clone(), table: to.table.clone(), columns });
    let written = if create.with_data { target::write(job, &create.query, target).await? } else { Written::default() };
    let outcome = target::report(job, &written).await?;
    let registers = Registers::Table { database: to.database.clone(), table: to.table.clone() };
    target::registers(job, registers).await?;
    // From here on the statement is not stopped half-way.
    job.progress.commits();
    register(job, &to, &table, &written).await?;
    Ok(outcome)
}

async fn exists(job: &Job<'_>, create: &CreateTableAs, to: &Target) -> Result<Outcome, Failure> {
    if create.if_not_exists {
        return target::report(job, &Written::default()).await;
    }
    Err(already_exists(to))
}

/// There is such a table.
pub(super) fn already_exists(to: &Target) -> Failure {
    let message = format!(
        "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.{}.{}' already exists",
        to.database, to.table
    );
    Failure::user(1200, message)
}

/// The table's folder: what `external_location` says, else one beside the results. It must be empty.
async fn folder(job: &Job<'_>, properties: &WriteProperties, to: &Target) -> Result<Place, Failure> {
    let folder = match &properties.external_location {
        None => job.result_folder().below("tables").below(&job.id),
        Some(location) => {
            let group = workgroups::find(job.athena, &job.group)?.configuration;
            if group.enforce_work_group_configuration && group.result_configuration.output_location.is_some() {
                return Err(Failure::user(
                    1100,
                    "The Create Table As Select query failed because it was submitted with an 'external_location' \
                     property to an Athena Workgroup that enforces a centralized output location for all queries. \
                     Please remove the 'external_location' property and resubmit the query.",
                ));
            }
            Place::parse(location)?
        }
    };
    if job.files.is_empty(&folder).await? {
        return Ok(folder);
    }
    let location = folder.folder();
    let message = format!(
        "HIVE_PATH_ALREADY_EXISTS: Target directory for table '{}.{}' already exists: {location}. You may need to \
         manually clean the data at location '{location}' before retrying. Athena will not delete data in your account.",
        to.database, to.table
    );
    Err(Failure::user(1200, message))
}

/// The catalog's table and what the engine is to write.
async fn plan(
    job: &Job<'_>,
    create: &CreateTableAs,
    properties: &WriteProperties,
    to: &Target,
    folder: &Place,
) -> Result<(Table, WriteTarget), Failure> {
    let found = job.athena.engine.analyze(&job.session, &create.query).await?;
    let pos = Pos { line: 1, column: 1 };
    let (columns, keys) = target::columns(pos, &found, &properties.partitioned_by)?;
    let (name, format) = target::format(properties, "PARQUET")?;
    let mut storage = target::storage(&name, &format, folder.folder())?;
    storage.columns = columns;
    if let Some(buckets) = &properties.buckets {
        storage.bucket_columns.clone_from(&buckets.columns);
        storage.number_of_buckets = i32::try_from(buckets.count).unwrap_or(i32::MAX);
    }
    let mut table = Table {
        name: to.table.clone(),
        description: create.comment.clone(),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        storage_descriptor: storage,
        partition_keys: keys,
        parameters: parameters(job, create, &name, properties),
        ..Table::default()
    };
    table.owner = Some("hadoop".to_owned());
    let target = WriteTarget {
        location: folder.folder(),
        compression: target::compression(properties.compression.as_deref(), &format)?,
        format,
        columns: None,
        partition_keys: properties.partitioned_by.len(),
        known_partitions: Vec::new(),
        max_new_partitions: MAX_PARTITIONS,
        file_prefix: None,
        buckets: properties.buckets.clone(),
        begun: Begun::default(),
    };
    Ok((table, target))
}

fn parameters(job: &Job<'_>, create: &CreateTableAs, format: &str, properties: &WriteProperties) -> Parameters {
    let mut parameters = Parameters::from([
        ("EXTERNAL".to_owned(), "TRUE".to_owned()),
        ("transient_lastDdlTime".to_owned(), job.ctx.now().timestamp().to_string()),
    ]);
    if let Some(classification) = formats::classes(format).and_then(|classes| classes.classification) {
        parameters.insert("classification".to_owned(), classification.to_owned());
    }
    if let Some(codec) = &properties.compression {
        parameters.insert("write.compression".to_owned(), codec.to_uppercase());
    }
    if let Some(comment) = &create.comment {
        parameters.insert("comment".to_owned(), comment.clone());
    }
    parameters
}

/// Puts table and partitions into the catalog; a table without all of its partitions does not stay.
async fn register(job: &Job<'_>, to: &Target, table: &Table, written: &Written) -> Result<(), Failure> {
    job.glue.create_table(&to.database, table).await?;
    let partitions: Vec<Partition> = written
        .partitions
        .iter()
        .map(|(values, location)| Partition::of(table, values.clone(), location.clone()))
        .collect();
    let outcome = job.glue.create_partitions(&to.database, &to.table, &partitions).await;
    if let Err(error) = outcome {
        job.glue.delete_table(&to.database, &to.table).await?;
        return Err(error.into());
    }
    Ok(())
}
