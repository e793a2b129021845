//! CREATE EXTERNAL TABLE: the catalog's entry with Hive's classes.

use std::collections::BTreeSet;

use boathouse_trino_parser::ast::{ColumnDefinition, CreateTable, Delimiters, PartitionField, RowFormat, StoredAs};

use super::{Job, Lines, database_not_found, iceberg, semantic};
use crate::catalog::entities::{Column, Parameters, Serde, Storage, Table};
use crate::catalog::formats::{self, Classes, LAZY_SIMPLE};
use crate::executions::failure::Failure;
use crate::files::Place;

pub(super) async fn run(job: &Job<'_>, create: &CreateTable) -> Result<Lines, Failure> {
    let target = job.target(&create.name)?;
    let is_iceberg = iceberg::create::is_iceberg(create);
    let table = if is_iceberg { None } else { Some(describe(create, &target.table, job.ctx.now().timestamp())?) };
    if job.glue.database(&target.database).await?.is_none() {
        return Err(database_not_found(&target.database));
    }
    if job.find(&target).await?.is_some() {
        if create.if_not_exists {
            return Ok(Lines::default());
        }
        let message = format!("AlreadyExistsException(message:Table {} already exists.)", target.table);
        return Err(Failure::ddl(message));
    }
    match table {
        None => iceberg::create::run(job, create, &target).await,
        Some(table) => {
            job.glue.create_table(&target.database, &table).await?;
            Ok(Lines::default())
        }
    }
}

/// The catalog's table that a statement describes.
fn describe(create: &CreateTable, name: &str, time: i64) -> Result<Table, Failure> {
    if !create.external {
        return Err(semantic("Only external tables can be created: use CREATE EXTERNAL TABLE"));
    }
    let Some(location) = &create.location else {
        return Err(semantic("Must specify an external location for the table: LOCATION 's3://…'"));
    };
    Place::parse(location)?;
    let columns = columns(&create.columns);
    let partition_keys = partition_keys(create)?;
    unique(columns.iter().chain(&partition_keys))?;
    Ok(Table {
        name: name.to_owned(),
        description: create.comment.clone(),
        owner: Some("hadoop".to_owned()),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        storage_descriptor: storage(create, columns, location)?,
        partition_keys,
        parameters: parameters(create, time),
        ..Table::default()
    })
}

/// Columns as the catalog keeps them.
pub(super) fn columns(definitions: &[ColumnDefinition]) -> Vec<Column> {
    let column =
        |column: &ColumnDefinition| Column::new(column.name.lower(), column.ty.to_string(), column.comment.clone());
    definitions.iter().map(column).collect()
}

fn partition_keys(create: &CreateTable) -> Result<Vec<Column>, Failure> {
    let key = |field: &PartitionField| match field {
        PartitionField::Column(column) => {
            Ok(Column::new(column.name.lower(), column.ty.to_string(), column.comment.clone()))
        }
        PartitionField::Identity(_) | PartitionField::Transform { .. } => {
            Err(semantic("Partition transforms need an Iceberg table"))
        }
    };
    create.partitioned_by.iter().map(key).collect()
}

/// Refuses two columns of one name.
pub(super) fn unique<'a>(columns: impl Iterator<Item = &'a Column>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for column in columns {
        if !seen.insert(column.name.as_str()) {
            return Err(semantic(format_args!("[Error 10036]: Duplicate column name: {}", column.name)));
        }
    }
    Ok(())
}

fn parameters(create: &CreateTable, time: i64) -> Parameters {
    let mut parameters = Parameters::from([
        ("EXTERNAL".to_owned(), "TRUE".to_owned()),
        ("transient_lastDdlTime".to_owned(), time.to_string()),
    ]);
    parameters.extend(create.comment.iter().map(|comment| ("comment".to_owned(), comment.clone())));
    parameters.extend(create.properties.iter().cloned());
    parameters
}

fn storage(create: &CreateTable, columns: Vec<Column>, location: &str) -> Result<Storage, Failure> {
    let (input, output, own) = match &create.stored_as {
        Some(StoredAs::Classes { input, output }) => (input.clone(), output.clone(), None),
        other => {
            let classes = named_classes(other.as_ref())?;
            (classes.input.to_owned(), classes.output.to_owned(), Some(classes.serde))
        }
    };
    let mut settings = Parameters::new();
    let library = match &create.row_format {
        Some(RowFormat::Serde(library)) => library.clone(),
        Some(RowFormat::Delimited(delimiters)) => {
            if delimiters.lines.as_deref().is_some_and(|lines| !["\n", "\\n", "10"].contains(&lines)) {
                return Err(semantic("[Error 10012]: LINES TERMINATED BY only supports newline '\\n' right now"));
            }
            settings = delimited(delimiters);
            LAZY_SIMPLE.to_owned()
        }
        None => own.unwrap_or(LAZY_SIMPLE).to_owned(),
    };
    settings.entry("serialization.format".to_owned()).or_insert_with(|| "1".to_owned());
    settings.extend(create.serde_properties.iter().cloned());
    let buckets = create.clustered_by.as_ref();
    Ok(Storage {
        columns,
        location: Some(location.to_owned()),
        input_format: Some(input),
        output_format: Some(output),
        serde_info: Serde::new(&library, settings),
        number_of_buckets: buckets.map_or(-1, |buckets| i32::try_from(buckets.count).unwrap_or(i32::MAX)),
        bucket_columns: buckets.map(|buckets| buckets.columns.iter().map(|c| c.lower()).collect()).unwrap_or_default(),
        ..Storage::default()
    })
}

fn named_classes(stored_as: Option<&StoredAs>) -> Result<Classes, Failure> {
    let name = match stored_as {
        Some(StoredAs::Format(name)) => name.value.as_str(),
        _ => "TEXTFILE",
    };
    formats::classes(name)
        .ok_or_else(|| semantic(format_args!("Unrecognized file format in STORED AS clause: '{name}'")))
}

fn delimited(delimiters: &Delimiters) -> Parameters {
    let settings = [
        ("field.delim", &delimiters.fields),
        ("serialization.format", &delimiters.fields),
        ("escape.delim", &delimiters.escape),
        ("collection.delim", &delimiters.items),
        ("mapkey.delim", &delimiters.keys),
        ("line.delim", &delimiters.lines),
        ("serialization.null.format", &delimiters.null),
    ];
    settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
}

#[cfg(test)]
mod tests {
    use boathouse_trino_parser::ast::Statement;

    use super::*;

    fn of(text: &str) -> Result<Table, Failure> {
        match boathouse_trino_parser::parse_statement(text).unwrap() {
            Statement::CreateTable(create) => describe(&create, "t", 7),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn delimited_text_gets_hives_classes_and_settings() {
        let table = of("CREATE EXTERNAL TABLE t (`A` int COMMENT 'x', b array<string>) PARTITIONED BY (d date) \
                        ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/t/' \
                        TBLPROPERTIES ('skip.header.line.count'='1')")
        .unwrap();
        let storage = &table.storage_descriptor;
        assert_eq!(storage.columns[0].name, "a");
        assert_eq!(storage.columns[1].ty, "array<string>");
        assert_eq!(storage.serde_info.serialization_library.as_deref(), Some(LAZY_SIMPLE));
        assert_eq!(storage.serde_info.parameters["field.delim"], ",");
        assert_eq!(table.partition_keys[0].ty, "date");
        assert_eq!(table.parameters["skip.header.line.count"], "1");
        assert_eq!(table.parameters["EXTERNAL"], "TRUE");
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        assert!(of("CREATE EXTERNAL TABLE t (a int)").unwrap_err().reason().contains("LOCATION"));
        let twice = of("CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (a int) LOCATION 's3://lake/t/'");
        assert!(twice.unwrap_err().reason().contains("Duplicate column name: a"));
        let lines =
            of("CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED LINES TERMINATED BY ';' LOCATION 's3://lake/t/'");
        assert!(lines.unwrap_err().reason().contains("only supports newline"));
        let odd = of("CREATE EXTERNAL TABLE t (a int) STORED AS LANCE LOCATION 's3://lake/t/'");
        assert!(odd.unwrap_err().reason().contains("LANCE"));
    }
}
