//! CREATE TABLE of an Iceberg table: its first metadata file, then the catalog's entry.

use std::collections::BTreeMap;

use boathouse_iceberg::metadata::{SortOrder, TableCreation, TableMetadata, UnboundPartitionSpec};
use boathouse_iceberg::schema::{NestedField, Schema};
use boathouse_iceberg::transaction::{Catalog, write_first_metadata};
use boathouse_trino::iceberg::types::from_hive;
use boathouse_trino_parser::ast::{ColumnDefinition, CreateTable};
use uuid::Uuid;

use super::entry::{Entry, NewEntry};
use super::{announce, commit_id, failed, files, partitioning, properties, settled};
use crate::executions::failure::Failure;
use crate::files::Place;
use crate::statements::{Job, Lines, Target, semantic};

/// Whether the statement makes an Iceberg table.
pub(crate) fn is_iceberg(create: &CreateTable) -> bool {
    let is = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("table_type") && value.eq_ignore_ascii_case("iceberg")
    };
    create.properties.iter().any(is)
}

pub(crate) async fn run(job: &Job<'_>, create: &CreateTable, target: &Target) -> Result<Lines, Failure> {
    let metadata = describe(create, job.ctx.now().timestamp_millis())?;
    announce(job, target, &metadata.location).await?;
    register(job, target, &metadata, create.comment.clone()).await?;
    Ok(Lines::default())
}

/// Writes the first metadata file and makes it a new table's.
async fn register(
    job: &Job<'_>,
    to: &Target,
    metadata: &TableMetadata,
    comment: Option<String>,
) -> Result<(), Failure> {
    let first = first_metadata(job, metadata).await?;
    job.progress.commits();
    let entry = new_entry(job, to, comment, first.clone());
    settled(job, entry.swap(&first, &first, metadata).await)
}

/// Writes the first metadata file, which goes again if the statement fails.
pub(super) async fn first_metadata(job: &Job<'_>, metadata: &TableMetadata) -> Result<String, Failure> {
    let first = write_first_metadata(files(job).as_ref(), metadata, commit_id(job)).await.map_err(failed)?;
    job.progress.written.begun.note(first.clone());
    Ok(first)
}

pub(super) fn new_entry(job: &Job<'_>, to: &Target, comment: Option<String>, first: String) -> NewEntry {
    let entry = Entry { glue: job.glue.clone(), database: to.database.clone(), table: to.table.clone() };
    NewEntry { entry, comment, first }
}

/// A table that has no rows yet.
pub(super) fn new_metadata(
    location: &str,
    schema: Schema,
    partition_spec: UnboundPartitionSpec,
    properties: BTreeMap<String, String>,
    now_ms: i64,
) -> Result<TableMetadata, Failure> {
    let place = Place::parse(location)?;
    TableMetadata::create(TableCreation {
        location: place.to_string(),
        schema,
        partition_spec,
        sort_order: SortOrder::default(),
        properties,
        uuid: Uuid::new_v4(),
        now_ms,
    })
    .map_err(failed)
}

fn describe(create: &CreateTable, now_ms: i64) -> Result<TableMetadata, Failure> {
    if create.external {
        return Err(semantic("Iceberg tables are not external: use CREATE TABLE without EXTERNAL"));
    }
    for (given, clause) in [
        (create.clustered_by.is_some(), "CLUSTERED BY"),
        (create.row_format.is_some(), "ROW FORMAT"),
        (create.stored_as.is_some(), "STORED AS"),
        (!create.serde_properties.is_empty(), "WITH SERDEPROPERTIES"),
    ] {
        if given {
            return Err(semantic(format_args!("{clause} is not supported for Iceberg tables")));
        }
    }
    let Some(location) = &create.location else {
        return Err(semantic("Must specify a location for the table: LOCATION 's3://…'"));
    };
    let schema = schema(&create.columns)?;
    let spec = partitioning::of_clause(&create.partitioned_by, &schema)?;
    let given = create.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    new_metadata(location, schema, spec, properties::of_new(given)?, now_ms)
}

/// The columns, with ids.
fn schema(columns: &[ColumnDefinition]) -> Result<Schema, Failure> {
    if columns.is_empty() {
        return Err(semantic("Iceberg tables need columns"));
    }
    crate::statements::create_table::unique(crate::statements::create_table::columns(columns).iter())?;
    let field = |column: &ColumnDefinition| {
        let ty = from_hive(&column.ty.to_string())?;
        Ok(NestedField { doc: column.comment.clone(), ..NestedField::optional(0, column.name.lower(), ty) })
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Schema::new(0, fields).with_fresh_ids(0).0)
}

#[cfg(test)]
mod tests {
    use boathouse_iceberg::transform::Transform;
    use boathouse_trino_parser::ast::Statement;

    use super::*;

    fn of(text: &str) -> Result<TableMetadata, Failure> {
        match boathouse_trino_parser::parse_statement(text).unwrap() {
            Statement::CreateTable(create) => {
                assert!(is_iceberg(&create));
                describe(&create, 7)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_statement_becomes_metadata() {
        let table = of("CREATE TABLE t (id bigint COMMENT 'x', ts timestamp, tags array<string>) \
                        PARTITIONED BY (day(ts), bucket(4, id)) LOCATION 's3://lake/t/' \
                        TBLPROPERTIES ('table_type'='ICEBERG', 'write_compression'='snappy')")
        .unwrap();
        assert_eq!(table.location, "s3://lake/t");
        assert_eq!(table.current_schema().fields[0].doc.as_deref(), Some("x"));
        let transforms: Vec<_> = table.default_spec().fields.iter().map(|field| field.transform).collect();
        assert_eq!(transforms, [Transform::Day, Transform::Bucket(4)]);
        assert_eq!(table.properties["write.parquet.compression-codec"], "snappy");
        assert_eq!(table.last_column_id, 4);
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        let ending = "TBLPROPERTIES ('table_type'='iceberg')";
        for (text, reason) in [
            ("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://lake/t'", "without EXTERNAL"),
            ("CREATE TABLE t (a int)", "location"),
            ("CREATE TABLE t (a tinyint) LOCATION 's3://lake/t'", "tinyint"),
            ("CREATE TABLE t (a int, A int) LOCATION 's3://lake/t'", "Duplicate"),
            ("CREATE TABLE t (a int) STORED AS PARQUET LOCATION 's3://lake/t'", "STORED AS"),
            ("CREATE TABLE t (a int) PARTITIONED BY (day(a)) LOCATION 's3://lake/t'", "can't be applied"),
            ("CREATE TABLE t (a int) PARTITIONED BY (b date) LOCATION 's3://lake/t'", "without its type"),
        ] {
            let refused = of(&format!("{text} {ending}")).unwrap_err();
            assert!(refused.reason().contains(reason), "{text}: {}", refused.reason());
        }
    }
}
