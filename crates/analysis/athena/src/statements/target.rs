//! What rows are written into: formats, columns, partitions.

use std::collections::BTreeSet;
use std::time::Instant;

use boathouse_trino::catalog::TextFormat;
use boathouse_trino::engine;
use boathouse_trino::write::{Compression, WriteFormat, WriteTarget, Written};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{Pos, Query};

use super::properties::WriteProperties;
use super::{Job, Outcome};
use crate::catalog::entities::{Column, Parameters, Serde, Storage};
use crate::catalog::formats;
use crate::error::AthenaError;
use crate::executions::failure::Failure;
use crate::executions::writing::{Registers, Writing};
use crate::results::write::{self, Size};

/// The format that rows are written in.
pub(super) fn format(properties: &WriteProperties, default: &str) -> Result<(String, WriteFormat), Failure> {
    let name = properties.format.clone().unwrap_or_else(|| default.to_owned());
    let format = match name.as_str() {
        "PARQUET" => WriteFormat::Parquet,
        "JSON" => WriteFormat::Json,
        "TEXTFILE" => {
            WriteFormat::Text(TextFormat { delimiter: field_delimiter(properties)?, ..TextFormat::default() })
        }
        "AVRO" => WriteFormat::Avro,
        "ORC" => WriteFormat::Orc,
        other => return Err(Failure::user(1006, format!("INVALID_TABLE_PROPERTY: Unsupported format: {other}"))),
    };
    if properties.field_delimiter.is_some() && !matches!(format, WriteFormat::Text(_)) {
        let message =
            format!("INVALID_TABLE_PROPERTY: Cannot specify field_delimiter table property for storage format: {name}");
        return Err(Failure::user(1006, message));
    }
    Ok((name, format))
}

fn field_delimiter(properties: &WriteProperties) -> Result<u8, Failure> {
    match properties.field_delimiter.as_deref().map(str::as_bytes) {
        None => Ok(1),
        Some([delimiter]) => Ok(*delimiter),
        Some(_) => Err(Failure::user(1006, "INVALID_TABLE_PROPERTY: field_delimiter must be a single character")),
    }
}

/// How the catalog describes the files.
pub(super) fn storage(name: &str, format: &WriteFormat, location: String) -> Result<Storage, Failure> {
    let classes = formats::classes(name)
        .ok_or_else(|| Failure::system(format!("GENERIC_INTERNAL_ERROR: no classes for {name}")))?;
    let parameters = match format {
        WriteFormat::Text(text) => {
            let delimiter = char::from(text.delimiter).to_string();
            Parameters::from([
                ("field.delim".to_owned(), delimiter.clone()),
                ("serialization.format".to_owned(), delimiter),
            ])
        }
        WriteFormat::Parquet | WriteFormat::Json | WriteFormat::Avro | WriteFormat::Orc => Parameters::new(),
    };
    Ok(Storage {
        location: Some(location),
        input_format: Some(classes.input.to_owned()),
        output_format: Some(classes.output.to_owned()),
        serde_info: Serde::new(classes.serde, parameters),
        ..Storage::default()
    })
}

/// The codec of a property's value; Athena's own default is gzip, deflate for Avro, and zlib for ORC.
pub(super) fn compression(name: Option<&str>, format: &WriteFormat) -> Result<Compression, Failure> {
    let default = match format {
        WriteFormat::Avro => "deflate",
        WriteFormat::Orc => "zlib",
        WriteFormat::Parquet | WriteFormat::Json | WriteFormat::Text(_) => "gzip",
    };
    Ok(match name.unwrap_or(default).to_ascii_lowercase().as_str() {
        "gzip" => Compression::Gzip,
        "snappy" => Compression::Snappy,
        "zstd" => Compression::Zstd,
        "lz4" => Compression::Lz4,
        "deflate" => Compression::Deflate,
        "bzip2" => Compression::Bzip2,
        "zlib" => Compression::Zlib,
        "none" | "uncompressed" => Compression::None,
        other => {
            let message = format!("INVALID_TABLE_PROPERTY: Unsupported compression codec: {other}");
            return Err(Failure::user(1006, message));
        }
    })
}

/// Refuses columns without a name of their own.
pub(super) fn names(pos: Pos, columns: &[engine::Column]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for (index, column) in columns.iter().enumerate() {
        let name = column.name.to_lowercase();
        if name.is_empty() || name == format!("_col{index}") {
            let message =
                format!("MISSING_COLUMN_NAME: line {pos}: Column name not specified at position {}", index + 1);
            return Err(Failure::user(1006, message));
        }
        if !seen.insert(name.clone()) {
            let message = format!("DUPLICATE_COLUMN_NAME: line {pos}: Column name '{name}' specified more than once");
            return Err(Failure::user(1006, message));
        }
    }
    Ok(())
}

/// A query's columns as a table's: they need names, each its own, and the partition keys come last.
pub(super) fn columns(
    pos: Pos,
    columns: &[engine::Column],
    partitioned_by: &[String],
) -> Result<(Vec<Column>, Vec<Column>), Failure> {
    names(pos, columns)?;
    let described = columns.iter().map(|engine::Column { name, ty }| {
        let hive = ty.to_hive().filter(|_| *ty != Type::Unknown);
        let hive = hive.ok_or_else(|| Failure::user(1001, format!("NOT_SUPPORTED: Unsupported Hive type: {ty}")))?;
        Ok(Column::new(name.to_lowercase(), hive, None))
    });
    let mut described: Vec<Column> = described.collect::<Result<_, Failure>>()?;
    let split = described.len().saturating_sub(partitioned_by.len());
    let keys = described.split_off(split);
    if keys.iter().map(|key| &key.name).ne(partitioned_by) || (described.is_empty() && !keys.is_empty()) {
        let message = format!(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as \
             the table properties: [{}]",
            partitioned_by.join(", ")
        );
        return Err(Failure::user(1006, message));
    }
    Ok((described, keys))
}

/// Runs the query into files, having said on disk which ones they will be.
pub(super) async fn write(job: &Job<'_>, query: &Query, target: WriteTarget) -> Result<Written, Failure> {
    let begun = Instant::now();
    let prefix = file_prefix(job);
    let writing = Writing { folder: target.location.clone(), prefix: prefix.clone(), registers: None };
    job.progress.written.announce(job.athena, &job.id, writing).await.map_err(AthenaError::from)?;
    let files = job.progress.written.begun.clone();
    let target = WriteTarget { file_prefix: Some(prefix), begun: files, ..target };
    let outcome = job.athena.engine.write(&job.session, query, target).await;
    job.progress.engine_done(begun);
    let written = outcome?;
    job.progress.reads(&written.read);
    job.progress.check_cutoff(written.scanned_bytes)?;
    Ok(written)
}

/// What the names of the statement's files begin with: the time, as in Athena, and the execution, so that no other
/// statement's do.
pub(super) fn file_prefix(job: &Job<'_>) -> String {
    format!("{}_{}", job.session.start.format("%Y%m%d_%H%M%S"), job.id.replace('-', ""))
}

/// Keeps what the statement is about to put into the catalog.
pub(super) async fn registers(job: &Job<'_>, what: Registers) -> Result<(), Failure> {
    Ok(job.progress.written.registers(job.athena, &job.id, what).await.map_err(AthenaError::from)?)
}

/// The answer of a statement that has written rows: a manifest of its files.
pub(super) async fn report(job: &Job<'_>, written: &Written) -> Result<Outcome, Failure> {
    let manifest = write::manifest(&job.files, &job.result, &written.files).await?;
    Ok(Outcome {
        manifest: Some(manifest),
        update_count: Some(written.rows),
        scanned: written.scanned_bytes,
        size: Size { rows: written.rows, bytes: written.bytes },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pos() -> Pos {
        Pos { line: 1, column: 1 }
    }

    fn column(name: &str, ty: Type) -> engine::Column {
        engine::Column { name: name.to_owned(), ty }
    }

    fn reason(list: &[(&str, Type)], keys: &[&str]) -> String {
        let list: Vec<_> = list.iter().map(|(name, ty)| column(name, ty.clone())).collect();
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        columns(pos(), &list, &keys).unwrap_err().reason().to_owned()
    }

    #[test]
    fn partition_keys_come_last() {
        let list = [column("a", Type::Integer), column("D", Type::Date)];
        let (columns, keys) = columns(pos(), &list, &["d".to_owned()]).unwrap();
        assert_eq!((columns[0].ty.as_str(), keys[0].name.as_str()), ("int", "d"));
        assert!(reason(&[("d", Type::Date), ("a", Type::Integer)], &["d"]).starts_with("HIVE_COLUMN_ORDER_MISMATCH"));
    }

    #[test]
    fn columns_need_names_and_types_of_hive() {
        assert!(reason(&[("_col0", Type::Date)], &[]).starts_with("MISSING_COLUMN_NAME: line 1:1"));
        assert!(reason(&[("a", Type::Date), ("A", Type::Date)], &[]).starts_with("DUPLICATE_COLUMN_NAME"));
        assert_eq!(reason(&[("a", Type::Json)], &[]), "NOT_SUPPORTED: Unsupported Hive type: json");
    }

    #[test]
    fn formats_that_cannot_be_written_are_named() {
        let of =
            |name: &str| format(&WriteProperties { format: Some(name.to_owned()), ..Default::default() }, "PARQUET");
        assert_eq!(of("TEXTFILE").unwrap().1, WriteFormat::Text(TextFormat::default()));
        assert_eq!(of("ORC").unwrap().1, WriteFormat::Orc);
        assert!(of("ION").unwrap_err().reason().contains("Unsupported format: ION"));
        assert!(of("XML").unwrap_err().reason().contains("Unsupported format: XML"));
    }
}
