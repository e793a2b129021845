//! What is shown of Iceberg tables as text.

use std::collections::BTreeMap;

use boathouse_iceberg::metadata::PartitionField;
use boathouse_iceberg::schema::NestedField;
use boathouse_iceberg::table::Table;
use boathouse_iceberg::transform::Transform;
use boathouse_trino::iceberg::types::to_glue;

use super::properties;
use crate::statements::Target;

/// DESCRIBE: the columns, then the partitions.
pub(crate) fn describe(table: &Table, formatted: bool) -> Vec<String> {
    let metadata = table.metadata();
    let mut lines = vec!["# Table schema:\t\t".to_owned(), "# col_name\tdata_type\tcomment".to_owned()];
    let column = |field: &NestedField| format!("{}\t{}\t{}", field.name, to_glue(&field.ty), field.doc.as_deref().unwrap_or_default());
    lines.extend(metadata.current_schema().fields.iter().map(column));
    let names = metadata.current_schema().names();
    let fields = metadata.default_spec().fields.iter();
    let fields: Vec<&PartitionField> = fields.filter(|field| field.transform != Transform::Void).collect();
    if !fields.is_empty() {
        lines.extend(["\t\t".to_owned(), "# Partition spec:\t\t".to_owned()]);
        lines.push("# field_name\tfield_transform\tcolumn_name".to_owned());
        let source = |field: &PartitionField| names.get(&field.source_id).cloned().unwrap_or_default();
        lines.extend(fields.iter().map(|field| format!("{}\t{}\t{}", field.name, field.transform, source(field))));
    }
    if formatted {
        lines.extend(["\t\t".to_owned(), "# Detailed Table Information:\t\t".to_owned()]);
        lines.push(format!("Location:\t{}\t", metadata.location));
        lines.push("Table Parameters:\t\t".to_owned());
        let shown = properties::shown(&metadata.properties);
        lines.extend(shown.iter().map(|(name, value)| format!("{name}\t{value}\t")));
    }
    lines
}

/// SHOW CREATE TABLE: a statement that makes the same again.
pub(crate) fn create(target: &Target, table: &Table) -> String {
    let metadata = table.metadata();
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let column = |field: &NestedField| match &field.doc {
        Some(comment) => format!("  `{}` {} COMMENT {}", field.name, to_glue(&field.ty), quoted(comment)),
        None => format!("  `{}` {}", field.name, to_glue(&field.ty)),
    };
    let columns: Vec<String> = metadata.current_schema().fields.iter().map(column).collect();
    let mut text = format!("CREATE TABLE {}.{} (\n{})\n", target.database, target.table, columns.join(",\n"));
    let names = metadata.current_schema().names();
    let part = |field: &PartitionField| {
        let source = names.get(&field.source_id)?;
        Some(match field.transform {
            Transform::Void => return None,
            Transform::Identity => format!("`{source}`"),
            Transform::Bucket(count) => format!("bucket({count}, `{source}`)"),
            Transform::Truncate(width) => format!("truncate({width}, `{source}`)"),
            other => format!("{other}(`{source}`)"),
        })
    };
    let parts: Vec<String> = metadata.default_spec().fields.iter().filter_map(part).collect();
    if !parts.is_empty() {
        text.push_str(&format!("PARTITIONED BY ({})\n", parts.join(", ")));
    }
    let shown = properties::shown(&metadata.properties);
    let shown: Vec<String> = shown.iter().map(|(name, value)| format!("  {}={}", quoted(name), quoted(value))).collect();
    text.push_str(&format!("LOCATION {}\nTBLPROPERTIES (\n{}\n)", quoted(&metadata.location), shown.join(",\n")));
    text
}

/// SHOW TBLPROPERTIES.
pub(crate) fn table_properties(table: &Table) -> BTreeMap<String, String> {
    properties::shown(&table.metadata().properties)
}
