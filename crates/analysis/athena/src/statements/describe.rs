//! DESCRIBE, in Hive's layout: three columns between tabs, padded.

use boathouse_trino_parser::ast::{Describe, DescribeDetail};

use super::show::padded;
use super::{Job, Lines, Target, iceberg, partitions, semantic};
use crate::catalog::entities::{Column, Parameters, Storage, Table};
use crate::executions::failure::Failure;

const COLUMNS: [&str; 3] = ["col_name", "data_type", "comment"];

pub(super) async fn run(job: &Job<'_>, describe: &Describe) -> Result<Lines, Failure> {
    let (target, table) = job.require(&describe.table).await?;
    if table.is_iceberg() && describe.column.is_empty() {
        let formatted = describe.detail != DescribeDetail::Plain;
        return Ok(Lines::new(&COLUMNS, iceberg::shown::describe(&iceberg::load(job, &table).await?, formatted)));
    }
    if let Some(name) = describe.column.first() {
        if describe.column.len() > 1 {
            return Err(Failure::unsupported("DESCRIBE of a field of a column"));
        }
        return one(&table, &name.lower());
    }
    let mut storage = table.storage_descriptor.clone();
    if !describe.partition.is_empty() {
        let values = partitions::values(&table, &describe.partition)?;
        let found = job.glue.partition(&target.database, &target.table, &values).await?;
        let missing = || semantic("[Error 10006]: Partition not found");
        storage = found.ok_or_else(missing)?.storage_descriptor;
    }
    let mut lines = columns(&storage.columns, &table.partition_keys);
    if describe.detail != DescribeDetail::Plain {
        lines.extend(details(&target, &table, &storage));
    }
    Ok(Lines::new(&COLUMNS, lines))
}

fn one(table: &Table, name: &str) -> Result<Lines, Failure> {
    let mut all = table.storage_descriptor.columns.iter().chain(&table.partition_keys);
    let column = all.find(|column| column.name.eq_ignore_ascii_case(name));
    let column = column.ok_or_else(|| semantic(format_args!("Invalid column reference {name}")))?;
    Ok(Lines::new(&COLUMNS, vec![line(&column.name, &column.ty, column.comment.as_deref())]))
}

fn line(name: &str, ty: &str, comment: Option<&str>) -> String {
    format!("{}\t{}\t{}", padded(name), padded(ty), padded(comment.unwrap_or_default()))
}

fn row(column: &Column) -> String {
    line(&column.name, &column.ty, column.comment.as_deref())
}

fn empty() -> String {
    format!("{0}\t{0}\t{0}", " ")
}

fn columns(own: &[Column], keys: &[Column]) -> Vec<String> {
    let mut lines: Vec<String> = own.iter().chain(keys).map(row).collect();
    if !keys.is_empty() {
        lines.push(empty());
        lines.push("# Partition Information\t \t ".to_owned());
        lines.push(line("# col_name", "data_type", Some("comment")));
        lines.push(empty());
        lines.extend(keys.iter().map(row));
    }
    lines
}

fn details(target: &Target, table: &Table, storage: &Storage) -> Vec<String> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let library = storage.serde_info.serialization_library.as_deref();
    let mut lines = vec![empty(), "# Detailed Table Information\t \t ".to_owned()];
    lines.push(fact("Database:", &target.database));
    lines.push(fact("Owner:", &text(table.owner.as_deref())));
    lines.push(fact("Location:", storage.location()));
    lines.push(fact("Table Type:", &text(table.table_type.as_deref())));
    lines.push("Table Parameters:\t \t ".to_owned());
    lines.extend(parameters(&table.parameters));
    lines.push(empty());
    lines.push("# Storage Information\t \t ".to_owned());
    lines.push(fact("SerDe Library:", &text(library)));
    lines.push(fact("InputFormat:", &text(storage.input_format.as_deref())));
    lines.push(fact("OutputFormat:", &text(storage.output_format.as_deref())));
    lines.push(fact("Num Buckets:", &storage.number_of_buckets.to_string()));
    lines.push(fact("Bucket Columns:", &format!("[{}]", storage.bucket_columns.join(", "))));
    lines.push("Storage Desc Params:\t \t ".to_owned());
    lines.extend(parameters(&storage.serde_info.parameters));
    if let Some(view) = &table.view_original_text {
        lines.push("# View Information\t \t ".to_owned());
        lines.push(fact("View Original Text:", view));
    }
    lines
}

fn fact(name: &str, value: &str) -> String {
    format!("{}\t{}\t ", padded(name), padded(value))
}

fn parameters(list: &Parameters) -> impl Iterator<Item = String> + '_ {
    list.iter().map(|(name, value)| format!("\t{}\t{}", padded(name), padded(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_keys_are_listed_twice() {
        let lines = columns(&[Column::new("a", "int", None)], &[Column::new("d", "date", Some("day".to_owned()))]);
        assert_eq!(lines[0], format!("{:<20}\t{:<20}\t{:<20}", "a", "int", ""));
        assert_eq!(lines[1], lines[6]);
        assert_eq!(lines[3], "# Partition Information\t \t ");
        assert_eq!(columns(&[], &[]), Vec::<String>::new());
    }
}
