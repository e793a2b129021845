//! INSERT INTO: rows for a table that is there; new partitions appear in the catalog when their data is durable.

use boathouse_trino::catalog::Format;
use boathouse_trino_functions::types::{Type, coercion};
use boathouse_trino_parser::ast::{Insert, Query, Statement};

use super::{Job, Outcome, target};
use crate::catalog::entities::{Partition, Table};
use crate::catalog::{formats, tables};
use crate::engine::{self, WriteFormat};
use crate::executions::failure::Failure;
use crate::results::write;

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
    let format = writable(&table, insert)?;
    let columns = column_types(&to.database, &table)?;
    let query = aligned(job, insert, &columns).await?;
    let target = engine::Target {
        location: table.storage_descriptor.location().to_owned(),
        format,
        compression: table.parameters.get("write.compression").map(|codec| codec.to_lowercase()),
        columns: Some(columns),
        partition_by: table.partition_keys.iter().map(|key| key.name.to_lowercase()).collect(),
        most_partitions: target::MOST_PARTITIONS,
    };
    let (written, scanned) = target::write(job, &query, target).await?;
    // The rows are durable: from here on the statement is not stopped half-way.
    job.progress.commits();
    let partitions: Vec<Partition> = written
        .partitions
        .iter()
        .map(|(values, location)| Partition::of(&table, values.clone(), location.clone()))
        .collect();
    job.glue.create_partitions(&to.database, &to.table, &partitions).await?;
    let manifest = write::manifest(&job.files, &job.result, &written.files).await?;
    let size = write::Size { rows: written.rows, bytes: written.bytes };
    Ok(Outcome { manifest: Some(manifest), update_count: Some(written.rows), scanned, size })
}

/// How the table's new files are written.
fn writable(table: &Table, insert: &Insert) -> Result<WriteFormat, Failure> {
    if table.is_view() {
        let message = format!("NOT_SUPPORTED: line {}: Inserting into views is not supported", insert.table.pos());
        return Err(Failure::user(1001, message));
    }
    match formats::of_table(table) {
        Format::Parquet => Ok(WriteFormat::Parquet),
        Format::Json(_) => Ok(WriteFormat::Json),
        Format::Text(text) if text.quote.is_none() => Ok(WriteFormat::Text { delimiter: text.delimiter }),
        Format::Text(_) => Err(Failure::unsupported("INSERT INTO tables of the OpenCSVSerde")),
        Format::Unsupported(name) => Err(Failure::unsupported(format_args!("INSERT INTO tables of {name}"))),
    }
}

fn column_types(database: &str, table: &Table) -> Result<Vec<(String, Type)>, Failure> {
    let definition = tables::definition(database, table.clone())?;
    Ok(definition.all_columns().map(|column| (column.name.clone(), column.ty.clone())).collect())
}

/// The query with the table's columns in the table's order and types; columns that it does not give are NULL.
async fn aligned(job: &Job<'_>, insert: &Insert, columns: &[(String, Type)]) -> Result<Query, Failure> {
    let given = job.athena.engine.columns(&job.session, &insert.query).await?;
    let named: Vec<String> = match insert.columns.as_slice() {
        [] => columns.iter().map(|(name, _)| name.clone()).collect(),
        some => some.iter().map(|ident| ident.lower()).collect(),
    };
    let pos = insert.table.pos();
    if let Some(unknown) = named.iter().find(|name| !columns.iter().any(|(column, _)| column == *name)) {
        let message =
            format!("COLUMN_NOT_FOUND: line {pos}: Insert column name does not exist in target table: {unknown}");
        return Err(Failure::user(1006, message));
    }
    let expected: Vec<&Type> =
        named.iter().filter_map(|name| columns.iter().find(|(column, _)| column == name)).map(|(_, ty)| ty).collect();
    let fits = given.len() == expected.len()
        && given.iter().zip(&expected).all(|((_, from), to)| coercion::can_coerce(from, to) || both_text(from, to));
    if !fits {
        let list = |types: Vec<String>| types.join(", ");
        let message = format!(
            "TYPE_MISMATCH: line {pos}: Insert query has mismatched column types: Table: [{}], Query: [{}]",
            list(expected.iter().map(|ty| ty.to_string()).collect()),
            list(given.iter().map(|(_, ty)| ty.to_string()).collect())
        );
        return Err(Failure::user(1006, message));
    }
    wrap(&insert.query, columns, &named)
}

/// Text goes into a narrower text column, which checks its length.
fn both_text(from: &Type, to: &Type) -> bool {
    let text = |ty: &Type| matches!(ty, Type::Varchar(_) | Type::Char(_));
    text(from) && text(to)
}

/// `SELECT CAST(c0 AS …) AS a, … FROM (query) AS t (c0, …)`
fn wrap(query: &Query, columns: &[(String, Type)], named: &[String]) -> Result<Query, Failure> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let select = columns.iter().map(|(name, ty)| {
        let value = match named.iter().position(|given| given == name) {
            Some(index) => format!("c{index}"),
            None => "NULL".to_owned(),
        };
        format!("CAST({value} AS {ty}) AS {}", quoted(name))
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
    use super::*;

    #[test]
    fn columns_take_the_tables_order_and_types() {
        let Statement::Query(query) = boathouse_trino_parser::parse_statement("VALUES (1, 'x')").unwrap() else {
            panic!("a query expected")
        };
        let columns = [("a".to_owned(), Type::Bigint), ("b".to_owned(), Type::VARCHAR), ("d".to_owned(), Type::Date)];
        let wrapped = wrap(&query, &columns, &["d".to_owned(), "a".to_owned()]).unwrap();
        let expected = "SELECT CAST(c1 AS bigint) AS a, CAST(NULL AS varchar) AS b, CAST(c0 AS date) AS d \
                        FROM (VALUES (1, 'x')) AS t (c0, c1)";
        let Statement::Query(expected) = boathouse_trino_parser::parse_statement(expected).unwrap() else {
            panic!("a query expected")
        };
        assert_eq!(wrapped, *expected);
    }
}
