//! INSERT INTO: rows for a table that is there; new partitions appear in the catalog when their data is durable.

use boathouse_trino::catalog::Format;
use boathouse_trino::engine::Column;
use boathouse_trino::projection;
use boathouse_trino::write::{Begun, MAX_PARTITIONS, WriteFormat, WriteTarget, Written};
use boathouse_trino_parser::ast::{Insert, Query, Statement};

use super::{Job, Outcome, Target, iceberg, target};
use crate::catalog::entities::{Partition, Table};
use crate::catalog::{formats, tables};
use crate::executions::failure::Failure;
use crate::executions::writing::Registers;
use crate::lineage::Used;

pub(super) async fn run(job: &Job<'_>, insert: &Insert) -> Result<Outcome, Failure> {
    let to = job.target(&insert.table)?;
    let Some(table) = job.find(&to).await? else {
        let message = format!(
            "TABLE_NOT_FOUND: line {}: Table 'awsdatacatalog.{}.{}' does not exist",
            insert.table.pos(),
            to.database,
            to.table
        );
        return Err(Failure::user(1302, message));
    };
    if table.is_iceberg() {
        return iceberg::insert::run(job, insert, &to, &table).await;
    }
    projection::check_writable(&tables::definition(&to.database, table.clone())?, job.session.start)?;
    let known = known_partitions(job, &to, &table).await?;
    let columns = columns(&to.database, &table)?;
    let format = writable(&table, insert)?;
    let target = WriteTarget {
        location: table.storage_descriptor.location().to_owned(),
        compression: target::compression(codec(&table), &format)?,
        format,
        columns: Some(columns.clone()),
        partition_keys: table.partition_keys.len(),
        known_partitions: known.iter().map(|partition| partition.values.clone()).collect(),
        max_new_partitions: MAX_PARTITIONS,
        file_prefix: None,
        buckets: None,
        begun: Begun::default(),
    };
    let query = match insert.columns.as_slice() {
        [] => insert.query.clone(),
        _ => aligned(job, insert, &columns).await?,
    };
    let columns = match named(insert) {
        named if named.is_empty() => columns.into_iter().map(|column| column.name).collect(),
        named => named,
    };
    job.progress.changes(Used { database: to.database.clone(), table: to.table.clone(), columns });
    let written = target::write(job, &query, target).await?;
    let outcome = target::report(job, &written).await?;
    register(job, &to, &table, &new_partitions(&known, &written)?).await?;
    Ok(outcome)
}

async fn known_partitions(job: &Job<'_>, to: &Target, table: &Table) -> Result<Vec<Partition>, Failure> {
    if table.partition_keys.is_empty() {
        return Ok(Vec::new());
    }
    Ok(job.glue.partitions(&to.database, &to.table, None).await?)
}

/// The partitions that the catalog does not know yet. Rows in the default folder of a partition that lives elsewhere would
/// never be seen.
fn new_partitions(known: &[Partition], written: &Written) -> Result<Vec<(Vec<String>, String)>, Failure> {
    let mut new = Vec::new();
    for (values, location) in &written.partitions {
        match known.iter().find(|partition| partition.values == *values) {
            None => new.push((values.clone(), location.clone())),
            Some(there) if same_folder(there.storage_descriptor.location(), location) => {}
            Some(_) => return Err(Failure::unsupported("INSERT INTO partitions outside of their table's location")),
        }
    }
    Ok(new)
}

/// Adds the new partitions.
async fn register(job: &Job<'_>, to: &Target, table: &Table, new: &[(Vec<String>, String)]) -> Result<(), Failure> {
    if !new.is_empty() {
        let (database, table) = (to.database.clone(), to.table.clone());
        target::registers(job, Registers::Partitions { database, table, partitions: new.to_vec() }).await?;
    }
    // The rows are durable: from here on the statement is not stopped half-way.
    job.progress.commits();
    let new: Vec<Partition> =
        new.iter().map(|(values, location)| Partition::of(table, values.clone(), location.clone())).collect();
    job.glue.create_partitions(&to.database, &to.table, &new).await?;
    Ok(())
}

fn same_folder(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// The codec that the table's properties ask for.
fn codec(table: &Table) -> Option<&str> {
    let names = ["write.compression", "write_compression", "parquet.compression", "orc.compress"];
    names.into_iter().find_map(|name| table.parameters.get(name)).map(String::as_str)
}

/// How the table's new files are written.
fn writable(table: &Table, insert: &Insert) -> Result<WriteFormat, Failure> {
    if table.is_view() {
        let message = format!("NOT_SUPPORTED: line {}: Inserting into views is not supported", insert.table.pos());
        return Err(Failure::user(1001, message));
    }
    if !table.storage_descriptor.bucket_columns.is_empty() {
        let message = "NOT_SUPPORTED: INSERT INTO is not supported on bucketed tables";
        return Err(Failure::user(1001, message));
    }
    match formats::of_table(table) {
        Format::Parquet => Ok(WriteFormat::Parquet),
        Format::Avro(_) => Ok(WriteFormat::Avro),
        Format::Json(_) => Ok(WriteFormat::Json),
        Format::Text(text) if text.quote.is_none() => Ok(WriteFormat::Text(text)),
        Format::Text(_) => Err(Failure::unsupported("INSERT INTO tables of the OpenCSVSerde")),
        Format::Regex(_) | Format::Grok(_) => {
            Err(Failure::unsupported("INSERT INTO tables of the RegexSerDe and the Grok SerDe"))
        }
        Format::ParquetByPlace => Ok(WriteFormat::Parquet),
        Format::Orc | Format::OrcByName => Ok(WriteFormat::Orc),
        Format::Iceberg { .. } => {
            Err(Failure::system("GENERIC_INTERNAL_ERROR: an Iceberg table was taken for one of Hive's"))
        }
        Format::Unsupported(name) => Err(Failure::unsupported(format_args!("INSERT INTO tables of {name}"))),
    }
}

fn columns(database: &str, table: &Table) -> Result<Vec<Column>, Failure> {
    let definition = tables::definition(database, table.clone())?;
    Ok(definition.all_columns().map(|column| Column { name: column.name.clone(), ty: column.ty.clone() }).collect())
}

/// The columns that the statement names.
pub(super) fn named(insert: &Insert) -> Vec<String> {
    insert.columns.iter().map(|ident| ident.lower()).collect()
}

/// The query with the table's columns in the table's order; columns that it does not give are NULL.
pub(super) async fn aligned(job: &Job<'_>, insert: &Insert, columns: &[Column]) -> Result<Query, Failure> {
    let named = named(insert);
    let pos = insert.table.pos();
    if let Some(unknown) = named.iter().find(|name| !columns.iter().any(|column| column.name == **name)) {
        let message =
            format!("COLUMN_NOT_FOUND: line {pos}: Insert column name does not exist in target table: {unknown}");
        return Err(Failure::user(1006, message));
    }
    let given = job.athena.engine.analyze(&job.session, &insert.query).await?;
    if given.len() != named.len() {
        let types: Vec<String> = given.iter().map(|column| column.ty.to_string()).collect();
        let message = format!(
            "TYPE_MISMATCH: line {pos}: Insert query has {} expression(s) but expected {}: [{}]",
            given.len(),
            named.len(),
            types.join(", ")
        );
        return Err(Failure::user(1006, message));
    }
    wrap(&insert.query, columns, &named)
}

/// `SELECT c0 AS a, CAST(NULL AS …) AS b, … FROM (query) AS t (c0, …)`
fn wrap(query: &Query, columns: &[Column], named: &[String]) -> Result<Query, Failure> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let select = columns.iter().map(|Column { name, ty }| {
        let value = match named.iter().position(|given| given == name) {
            Some(index) => format!("c{index}"),
            None => format!("CAST(NULL AS {ty})"),
        };
        format!("{value} AS {}", quoted(name))
    });
    let aliases = (0..named.len()).map(|index| format!("c{index}"));
    let text = format!(
        "SELECT {} FROM ({query}) AS t ({})",
        select.collect::<Vec<_>>().join(", "),
        aliases.collect::<Vec<_>>().join(", ")
    );
    match boathouse_trino_parser::parse_statement(&text) {
        Ok(Statement::Query(query)) => Ok(*query),
        Ok(_) | Err(_) => Err(Failure::system("GENERIC_INTERNAL_ERROR: an insert's query could not be rewritten")),
    }
}

#[cfg(test)]
mod tests {
    use boathouse_trino_functions::types::Type;

    use super::*;

    #[test]
    fn columns_take_the_tables_order() {
        let Statement::Query(query) = boathouse_trino_parser::parse_statement("VALUES (1, 'x')").unwrap() else {
            panic!("a query expected")
        };
        let columns = [("a", Type::Bigint), ("b", Type::VARCHAR), ("d", Type::Date)]
            .map(|(name, ty)| Column { name: name.to_owned(), ty });
        let wrapped = wrap(&query, &columns, &["d".to_owned(), "a".to_owned()]).unwrap();
        let expected = "SELECT c1 AS a, CAST(NULL AS varchar) AS b, c0 AS d \
                        FROM (VALUES (1, 'x')) AS t (c0, c1)";
        let Statement::Query(expected) = boathouse_trino_parser::parse_statement(expected).unwrap() else {
            panic!("a query expected")
        };
        assert_eq!(wrapped, *expected);
    }
}
