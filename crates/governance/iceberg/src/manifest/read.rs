//! Reading manifests.

use std::collections::BTreeMap;

use super::columns::read_value;
use super::{DataContent, DataFile, FileFormat, ManifestEntry, ManifestFile, Status};
use crate::avro::{Container, Value};
use crate::error::{Error, Result};
use crate::metadata::PartitionColumn;

/// Reads a manifest whose partitions have these columns. Entries have what they inherit from their manifest.
///
/// # Errors
/// It is none.
pub fn read_manifest(bytes: &[u8], manifest: &ManifestFile, columns: &[PartitionColumn]) -> Result<Vec<ManifestEntry>> {
    let records = Container::read(bytes)?.records;
    let entry = |record: &Value| {
        let mut entry = entry(record, columns)?;
        entry.inherit(manifest);
        Ok(entry)
    };
    records.iter().map(entry).collect()
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("A manifest's entry has no {name}"))
}

fn entry(record: &Value, columns: &[PartitionColumn]) -> Result<ManifestEntry> {
    let status = match record.get(0, "status").and_then(Value::int) {
        Some(0) => Status::Existing,
        Some(1) => Status::Added,
        Some(2) => Status::Deleted,
        _ => return Err(missing("status")),
    };
    let file = record.get(2, "data_file").ok_or_else(|| missing("data_file"))?;
    Ok(ManifestEntry {
        status,
        snapshot_id: record.get(1, "snapshot_id").and_then(Value::long),
        sequence_number: record.get(3, "sequence_number").and_then(Value::long),
        file_sequence_number: record.get(4, "file_sequence_number").and_then(Value::long),
        data_file: data_file(file, columns)?,
    })
}

fn data_file(record: &Value, columns: &[PartitionColumn]) -> Result<DataFile> {
    let long = |id, name: &str| record.get(id, name).and_then(Value::long);
    let text = |id, name: &str| record.get(id, name).and_then(Value::text);
    let format = text(101, "file_format").ok_or_else(|| missing("file_format"))?;
    let partition = record.get(102, "partition");
    let value = |column: &PartitionColumn| match partition.and_then(|partition| partition.get(column.field_id, &column.name)) {
        None => Ok(None),
        Some(value) => match read_value(value, column.ty) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::invalid(format!("A partition's value of {} is no {}", column.name, column.ty))),
        },
    };
    Ok(DataFile {
        content: match record.get(134, "content").and_then(Value::int) {
            None | Some(0) => DataContent::Data,
            Some(1) => DataContent::PositionDeletes,
            Some(2) => DataContent::EqualityDeletes,
            Some(other) => return Err(Error::Unsupported(format!("kind of files {other}"))),
        },
        file_path: text(100, "file_path").ok_or_else(|| missing("file_path"))?.to_owned(),
        file_format: FileFormat::named(format).ok_or_else(|| Error::Unsupported(format!("file format {format}")))?,
        spec_id: 0,
        partition: columns.iter().map(value).collect::<Result<_>>()?,
        record_count: long(103, "record_count").ok_or_else(|| missing("record_count"))?,
        file_size_in_bytes: long(104, "file_size_in_bytes").ok_or_else(|| missing("file_size_in_bytes"))?,
        column_sizes: by_field(record.get(108, "column_sizes"), Value::long),
        value_counts: by_field(record.get(109, "value_counts"), Value::long),
        null_value_counts: by_field(record.get(110, "null_value_counts"), Value::long),
        nan_value_counts: by_field(record.get(137, "nan_value_counts"), Value::long),
        lower_bounds: by_field(record.get(125, "lower_bounds"), bytes),
        upper_bounds: by_field(record.get(128, "upper_bounds"), bytes),
        key_metadata: record.get(131, "key_metadata").and_then(bytes),
        split_offsets: numbers(record.get(132, "split_offsets"), Value::long),
        equality_ids: numbers(record.get(135, "equality_ids"), Value::int),
        sort_order_id: record.get(140, "sort_order_id").and_then(Value::int),
        referenced_data_file: text(143, "referenced_data_file").map(str::to_owned),
    })
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.bytes().map(<[u8]>::to_vec)
}

/// A map by field id: an array of pairs, or a real map whose keys are numbers as text.
fn by_field<T>(value: Option<&Value>, read: impl Fn(&Value) -> Option<T>) -> BTreeMap<i32, T> {
    match value {
        Some(Value::Array(pairs)) => {
            let pair = |pair: &Value| Some((pair.get(-1, "key")?.int()?, read(pair.get(-1, "value")?)?));
            pairs.iter().filter_map(pair).collect()
        }
        Some(Value::Map(entries)) => {
            entries.iter().filter_map(|(key, value)| Some((key.parse().ok()?, read(value)?))).collect()
        }
        _ => BTreeMap::new(),
    }
}

fn numbers<T>(value: Option<&Value>, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    value.and_then(Value::items).unwrap_or_default().iter().filter_map(read).collect()
}
