//! The WITH clause of CREATE TABLE AS and UNLOAD.

use boathouse_trino_parser::ast::{Expr, ExprKind, Property};

use boathouse_trino::write::Buckets;

use crate::executions::failure::Failure;

/// What a statement that writes rows says about their files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WriteProperties {
    pub(super) format: Option<String>,
    pub(super) compression: Option<String>,
    pub(super) partitioned_by: Vec<String>,
    pub(super) external_location: Option<String>,
    pub(super) field_delimiter: Option<String>,
    pub(super) buckets: Option<Buckets>,
}

fn invalid(property: &Property, expected: &str) -> Failure {
    let message = format!(
        "INVALID_TABLE_PROPERTY: line {}: Invalid value for table property '{}': expected {expected}",
        property.name.pos,
        property.name.lower()
    );
    Failure::user(1006, message)
}

fn text(property: &Property) -> Result<String, Failure> {
    match &property.value.kind {
        ExprKind::String(text) => Ok(text.clone()),
        _ => Err(invalid(property, "varchar")),
    }
}

fn names(property: &Property) -> Result<Vec<String>, Failure> {
    let name = |item: &Expr| match &item.kind {
        ExprKind::String(text) => Ok(text.to_lowercase()),
        _ => Err(invalid(property, "array(varchar)")),
    };
    match &property.value.kind {
        ExprKind::Array(items) => items.iter().map(name).collect(),
        _ => Err(invalid(property, "array(varchar)")),
    }
}

fn count(property: &Property) -> Result<u32, Failure> {
    let text = match &property.value.kind {
        ExprKind::Integer(text) => text.to_string(),
        _ => String::new(),
    };
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| invalid(property, "a positive integer"))
}

/// Columns and number of buckets belong together.
fn buckets(columns: Vec<String>, count: Option<u32>) -> Result<Option<Buckets>, Failure> {
    let message = match (columns.is_empty(), count) {
        (true, None) => return Ok(None),
        (false, Some(count)) => return Ok(Some(Buckets { columns, count })),
        (true, Some(_)) => "bucketed_by must be specified when bucket_count is",
        (false, None) => "bucket_count must be specified when bucketed_by is",
    };
    Err(Failure::user(1006, format!("INVALID_TABLE_PROPERTY: {message}")))
}

/// Reads the clause. What would change the files and is not implemented is refused by name.
pub(super) fn read(properties: &[Property]) -> Result<WriteProperties, Failure> {
    let mut read = WriteProperties::default();
    let (mut bucketed_by, mut bucket_count) = (Vec::new(), None);
    for property in properties {
        match property.name.lower().as_str() {
            "format" => read.format = Some(text(property)?.to_uppercase()),
            "write_compression" | "compression" | "parquet_compression" => {
                read.compression = Some(text(property)?.to_lowercase());
            }
            "partitioned_by" => read.partitioned_by = names(property)?,
            "external_location" => read.external_location = Some(text(property)?),
            "field_delimiter" => read.field_delimiter = Some(text(property)?),
            "table_type" if text(property)?.eq_ignore_ascii_case("hive") => {}
            "table_type" => return Err(Failure::unsupported(format_args!("table_type {}", text(property)?))),
            "is_external" if property.value.kind == ExprKind::Boolean(true) => {}
            "bucketed_by" => bucketed_by = names(property)?,
            "bucket_count" => bucket_count = Some(count(property)?),
            name @ ("orc_compression"
            | "compression_level"
            | "is_external"
            | "location"
            | "partitioning"
            | "optimize_rewrite_data_file_threshold"
            | "vacuum_min_snapshots_to_keep"
            | "vacuum_max_snapshot_age_seconds") => {
                return Err(Failure::unsupported(format_args!("the table property {name}")));
            }
            name => {
                let message = format!(
                    "INVALID_TABLE_PROPERTY: line {}: Catalog 'awsdatacatalog' table property '{name}' does not exist",
                    property.name.pos
                );
                return Err(Failure::user(1006, message));
            }
        }
    }
    read.buckets = buckets(bucketed_by, bucket_count)?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use boathouse_trino_parser::ast::Statement;

    use super::*;

    fn of(clause: &str) -> Result<WriteProperties, Failure> {
        let statement = format!("CREATE TABLE t WITH ({clause}) AS SELECT 1 a");
        match boathouse_trino_parser::parse_statement(&statement).unwrap() {
            Statement::CreateTableAs(create) => read(&create.properties),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn properties_are_read_by_name() {
        let read = of("format = 'json', partitioned_by = ARRAY['A', 'b'], write_compression = 'GZIP'").unwrap();
        assert_eq!(read.format.as_deref(), Some("JSON"));
        assert_eq!(read.partitioned_by, ["a", "b"]);
        assert_eq!(read.compression.as_deref(), Some("gzip"));
    }

    #[test]
    fn what_is_not_implemented_or_unknown_is_refused_by_name() {
        assert!(of("bucketed_by = ARRAY['a']").unwrap_err().reason().contains("bucket_count must be specified"));
        assert!(of("bucketed_by = ARRAY['a'], bucket_count = 0").unwrap_err().reason().contains("a positive integer"));
        let read = of("bucketed_by = ARRAY['A'], bucket_count = 3").unwrap();
        assert_eq!(read.buckets, Some(Buckets { columns: vec!["a".to_owned()], count: 3 }));
        assert!(of("table_type = 'ICEBERG'").unwrap_err().reason().contains("ICEBERG"));
        assert!(of("colour = 'blue'").unwrap_err().reason().contains("'colour' does not exist"));
        assert!(of("format = 1").unwrap_err().reason().starts_with("INVALID_TABLE_PROPERTY"));
    }
}
