//! SHOW CREATE TABLE and SHOW CREATE VIEW: statements that make the same again.

use std::fmt::Write as _;

use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::Name;

use super::{Job, Lines, Target, iceberg};
use crate::catalog::entities::{Column, Parameters, Table};
use crate::catalog::views::ViewText;
use crate::executions::failure::Failure;
use crate::results::columns::ColumnInfo;

pub(super) async fn table(job: &Job<'_>, name: &Name) -> Result<Lines, Failure> {
    let (target, table) = job.require(name).await?;
    if table.is_view() {
        let message = format!(
            "INVALID_TABLE_PROPERTY: Relation '{}.{}' is a view, not a table. Use SHOW CREATE VIEW",
            target.database, target.table
        );
        return Err(Failure::user(1001, message));
    }
    if table.is_iceberg() {
        let text = iceberg::shown::create(&target, &iceberg::load(job, &table).await?);
        return Ok(Lines::new(&["createtab_stmt"], text.lines().map(str::to_owned).collect()));
    }
    Ok(Lines::new(&["createtab_stmt"], statement(&table).lines().map(str::to_owned).collect()))
}

pub(super) async fn view(job: &Job<'_>, name: &Name) -> Result<Lines, Failure> {
    let (target, table) = job.require(name).await?;
    let Some(text) = table.view_original_text.as_deref().and_then(ViewText::read) else {
        let message = format!("NOT_SUPPORTED: Relation '{}.{}' is not a view of Athena", target.database, target.table);
        return Err(Failure::user(1001, message));
    };
    let column = ColumnInfo::new("Create View", &Type::VARCHAR);
    let lines = create_view(&target, &text.original_sql);
    Ok(Lines { columns: vec![column], lines: lines.lines().map(str::to_owned).collect() })
}

fn create_view(target: &Target, sql: &str) -> String {
    format!("CREATE VIEW {}.{} AS\n{sql}", target.database, target.table)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn columns(list: &[Column]) -> String {
    let column = |column: &Column| match &column.comment {
        Some(comment) => format!("  `{}` {} COMMENT {}", column.name, column.ty, quoted(comment)),
        None => format!("  `{}` {}", column.name, column.ty),
    };
    list.iter().map(column).collect::<Vec<_>>().join(", \n")
}

fn properties(list: &Parameters) -> String {
    let property = |(name, value): (&String, &String)| format!("  {}={}", quoted(name), quoted(value));
    list.iter().map(property).collect::<Vec<_>>().join(", \n")
}

/// The statement in Hive's layout.
fn statement(table: &Table) -> String {
    let storage = &table.storage_descriptor;
    let mut text = format!("CREATE EXTERNAL TABLE `{}`(\n{})\n", table.name, columns(&storage.columns));
    let mut shown = table.parameters.clone();
    shown.remove("EXTERNAL");
    if let Some(comment) = shown.remove("comment").or_else(|| table.description.clone()) {
        push(&mut text, format_args!("COMMENT {}\n", quoted(&comment)));
    }
    if !table.partition_keys.is_empty() {
        push(&mut text, format_args!("PARTITIONED BY ( \n{})\n", columns(&table.partition_keys)));
    }
    if !storage.bucket_columns.is_empty() {
        let names: Vec<String> = storage.bucket_columns.iter().map(|name| format!("  {name}")).collect();
        let names = names.join(", \n");
        push(&mut text, format_args!("CLUSTERED BY ( \n{names}) \nINTO {} BUCKETS\n", storage.number_of_buckets));
    }
    if let Some(library) = &storage.serde_info.serialization_library {
        push(&mut text, format_args!("ROW FORMAT SERDE \n  {} \n", quoted(library)));
        let mut settings = storage.serde_info.parameters.clone();
        settings.retain(|name, value| name != "serialization.format" || value != "1");
        if !settings.is_empty() {
            push(&mut text, format_args!("WITH SERDEPROPERTIES ( \n{}) \n", properties(&settings)));
        }
    }
    if let (Some(input), Some(output)) = (&storage.input_format, &storage.output_format) {
        let (input, output) = (quoted(input), quoted(output));
        push(&mut text, format_args!("STORED AS INPUTFORMAT \n  {input} \nOUTPUTFORMAT \n  {output}\n"));
    }
    push(&mut text, format_args!("LOCATION\n  {}\n", quoted(storage.location())));
    push(&mut text, format_args!("TBLPROPERTIES (\n{})", properties(&shown)));
    text
}

/// Writing into a string cannot fail.
fn push(text: &mut String, piece: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(piece);
}

#[cfg(test)]
mod tests {
    use boathouse_trino_parser::ast::Statement;

    use super::*;
    use crate::catalog::entities::Serde;
    use crate::catalog::formats::classes;

    #[test]
    fn the_statement_can_be_read_again() {
        let classes = classes("TEXTFILE").unwrap();
        let mut table = Table { name: "t".to_owned(), ..Table::default() };
        let storage = &mut table.storage_descriptor;
        storage.columns = vec![
            Column::new("a", "array<struct<x:int>>", Some("it's".to_owned())),
            Column::new("b", "decimal(10,2)", None),
        ];
        storage.location = Some("s3://lake/t/".to_owned());
        storage.input_format = Some(classes.input.to_owned());
        storage.output_format = Some(classes.output.to_owned());
        storage.serde_info = Serde::new(classes.serde, Parameters::from([("field.delim".to_owned(), ",".to_owned())]));
        table.partition_keys = vec![Column::new("d", "date", None)];
        table.parameters.insert("classification".to_owned(), "csv".to_owned());
        let text = statement(&table);
        assert!(text.starts_with("CREATE EXTERNAL TABLE `t`(\n  `a` array<struct<x:int>> COMMENT 'it\\'s', \n"));
        match boathouse_trino_parser::parse_statement(&text) {
            Ok(Statement::CreateTable(create)) => {
                assert_eq!(create.columns.len(), 2);
                assert_eq!(create.partitioned_by.len(), 1);
                assert_eq!(create.location.as_deref(), Some("s3://lake/t/"));
            }
            other => panic!("{text}\n{other:?}"),
        }
    }
}
