//! The WITH clause of CREATE TABLE AS and UNLOAD.

use std::collections::BTreeMap;

use boathouse_trino_parser::ast::{Expr, ExprKind, Property};

use boathouse_trino::write::Buckets;

use super::iceberg::properties;
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
    /// What makes it an Iceberg table.
    pub(super) iceberg: Option<IcebergProperties>,
}

/// What a statement says about an Iceberg table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IcebergProperties {
    pub(super) location: String,
    pub(super) partitioning: Vec<String>,
    /// As the table's metadata keeps them.
    pub(super) properties: BTreeMap<String, String>,
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

fn number_or_text(property: &Property) -> Result<String, Failure> {
    match &property.value.kind {
        ExprKind::Integer(number) => Ok(number.to_string()),
        _ => text(property),
    }
}

/// Iceberg's own properties. Those of Hive's tables don't go together with them.
fn of_iceberg(
    read: &WriteProperties,
    external: Option<bool>,
    location: Option<String>,
    partitioning: Vec<String>,
    own: Vec<(String, String)>,
) -> Result<IcebergProperties, Failure> {
    let invalid = |message: &str| Err(Failure::user(1006, format!("INVALID_TABLE_PROPERTY: {message}")));
    if external != Some(false) {
        return invalid("is_external must be false for Iceberg tables");
    }
    let Some(location) = location else { return invalid("location must be set for Iceberg tables") };
    for (given, name) in [
        (!read.partitioned_by.is_empty(), "partitioned_by is not a property of Iceberg tables: use partitioning"),
        (read.buckets.is_some(), "bucketed_by is not a property of Iceberg tables: use partitioning"),
        (read.external_location.is_some(), "external_location is not a property of Iceberg tables: use location"),
        (read.field_delimiter.is_some(), "field_delimiter is not a property of Iceberg tables"),
    ] {
        if given {
            return invalid(name);
        }
    }
    let format = read.format.iter().map(|format| ("format", format.as_str()));
    let compression = read.compression.iter().map(|codec| ("write_compression", codec.as_str()));
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let properties = properties::of_new(format.chain(compression).chain(own))?;
    Ok(IcebergProperties { location, partitioning, properties })
}

/// Reads the clause. What would change the files and is not implemented is refused by name.
pub(super) fn read(properties: &[Property]) -> Result<WriteProperties, Failure> {
    let mut read = WriteProperties::default();
    let (mut bucketed_by, mut bucket_count) = (Vec::new(), None);
    let (mut iceberg, mut external, mut location, mut partitioning, mut own) = (false, None, None, None, Vec::new());
    for property in properties {
        match property.name.lower().as_str() {
            "format" => read.format = Some(text(property)?.to_uppercase()),
            "write_compression" | "compression" | "parquet_compression" | "orc_compression" => {
                read.compression = Some(text(property)?.to_lowercase());
            }
            "partitioned_by" => read.partitioned_by = names(property)?,
            "external_location" => read.external_location = Some(text(property)?),
            "field_delimiter" => read.field_delimiter = Some(text(property)?),
            "table_type" => match text(property)?.to_lowercase().as_str() {
                "hive" => {}
                "iceberg" => iceberg = true,
                other => return Err(Failure::unsupported(format_args!("table_type {other}"))),
            },
            "is_external" => match property.value.kind {
                ExprKind::Boolean(value) => external = Some(value),
                _ => return Err(invalid(property, "boolean")),
            },
            "location" => location = Some(text(property)?),
            "partitioning" => partitioning = Some(names(property)?),
            "bucketed_by" => bucketed_by = names(property)?,
            "bucket_count" => bucket_count = Some(count(property)?),
            name if properties::OWN.contains(&name) => own.push((name.to_owned(), number_or_text(property)?)),
            name @ "compression_level" => {
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
    if iceberg {
        read.iceberg = Some(of_iceberg(&read, external, location, partitioning.unwrap_or_default(), own)?);
        return Ok(read);
    }
    let of_iceberg_alone = [
        (external == Some(false)).then_some("is_external"),
        location.map(|_| "location"),
        partitioning.map(|_| "partitioning"),
    ];
    if let Some(name) = of_iceberg_alone.into_iter().flatten().chain(own.iter().map(|(name, _)| name.as_str())).next() {
        let message =
            format!("INVALID_TABLE_PROPERTY: {name} is a property of Iceberg tables: set table_type = 'ICEBERG'");
        return Err(Failure::user(1006, message));
    }
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
    fn icebergs_properties_go_together() {
        let clause = "table_type = 'ICEBERG', is_external = false, location = 's3://lake/t'";
        let read = of(&format!("{clause}, partitioning = ARRAY['day(ts)'], vacuum_min_snapshots_to_keep = 3")).unwrap();
        let iceberg = read.iceberg.unwrap();
        assert_eq!(iceberg.partitioning, ["day(ts)"]);
        assert_eq!(iceberg.properties["vacuum_min_snapshots_to_keep"], "3");
        let orc = of(&format!("{clause}, format = 'ORC'")).unwrap().iceberg.unwrap();
        assert_eq!(orc.properties["write.format.default"], "ORC");
        for (clause, reason) in [
            ("table_type = 'ICEBERG', location = 's3://lake/t'".to_owned(), "is_external must be false"),
            ("table_type = 'ICEBERG', is_external = false".to_owned(), "location must be set"),
            (format!("{clause}, partitioned_by = ARRAY['a']"), "use partitioning"),
            (format!("{clause}, external_location = 's3://lake/u'"), "use location"),
            ("partitioning = ARRAY['a']".to_owned(), "table_type = 'ICEBERG'"),
            ("is_external = false".to_owned(), "table_type = 'ICEBERG'"),
        ] {
            let refused = of(&clause).unwrap_err();
            assert!(refused.reason().contains(reason), "{clause}: {}", refused.reason());
        }
    }

    #[test]
    fn what_is_not_implemented_or_unknown_is_refused_by_name() {
        assert!(of("bucketed_by = ARRAY['a']").unwrap_err().reason().contains("bucket_count must be specified"));
        assert!(of("bucketed_by = ARRAY['a'], bucket_count = 0").unwrap_err().reason().contains("a positive integer"));
        let read = of("bucketed_by = ARRAY['A'], bucket_count = 3").unwrap();
        assert_eq!(read.buckets, Some(Buckets { columns: vec!["a".to_owned()], count: 3 }));
        assert!(of("table_type = 'DELTA'").unwrap_err().reason().contains("delta"));
        assert!(of("colour = 'blue'").unwrap_err().reason().contains("'colour' does not exist"));
        assert!(of("format = 1").unwrap_err().reason().starts_with("INVALID_TABLE_PROPERTY"));
    }
}
