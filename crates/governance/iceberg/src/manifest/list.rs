//! Manifest lists.

use super::columns::list_schema;
use super::{FieldSummary, ManifestContent, ManifestFile};
use crate::avro::{self, Container, Output, Value};
use crate::error::{Error, Result};
use crate::metadata::Snapshot;

/// The content of a snapshot's manifest list.
///
/// # Errors
/// It can't be compressed.
pub fn write_list(snapshot: &Snapshot, manifests: &[ManifestFile]) -> Result<Vec<u8>> {
    let parent = snapshot.parent_snapshot_id.map_or_else(|| "null".to_owned(), |id| id.to_string());
    let header = [
        ("snapshot-id", snapshot.snapshot_id.to_string()),
        ("parent-snapshot-id", parent),
        ("sequence-number", snapshot.sequence_number.to_string()),
        ("format-version", "2".to_owned()),
    ];
    let records: Vec<Vec<u8>> = manifests.iter().map(encoded).collect();
    avro::container(&list_schema(), &header, &records)
}

fn encoded(file: &ManifestFile) -> Vec<u8> {
    let mut out = Output::default();
    out.string(&file.manifest_path);
    out.long(file.manifest_length);
    out.long(file.partition_spec_id.into());
    out.long(match file.content {
        ManifestContent::Data => 0,
        ManifestContent::Deletes => 1,
    });
    out.long(file.sequence_number);
    out.long(file.min_sequence_number);
    out.long(file.added_snapshot_id);
    out.long(file.added_files_count.into());
    out.long(file.existing_files_count.into());
    out.long(file.deleted_files_count.into());
    out.long(file.added_rows_count);
    out.long(file.existing_rows_count);
    out.long(file.deleted_rows_count);
    out.optional(Some(&file.partitions), |out, partitions| out.array(partitions.iter(), summary));
    out.optional(file.key_metadata.as_deref(), Output::bytes);
    out.0
}

fn summary(out: &mut Output, summary: &FieldSummary) {
    out.boolean(summary.contains_null);
    out.optional(summary.contains_nan, Output::boolean);
    out.optional(summary.lower_bound.as_deref(), Output::bytes);
    out.optional(summary.upper_bound.as_deref(), Output::bytes);
}

/// Reads a manifest list.
///
/// # Errors
/// It is none.
pub fn read_list(bytes: &[u8]) -> Result<Vec<ManifestFile>> {
    Container::read(bytes)?.records.iter().map(decoded).collect()
}

fn decoded(record: &Value) -> Result<ManifestFile> {
    let long = |id, name: &str| record.get(id, name).and_then(Value::long);
    let int = |id, name: &str| record.get(id, name).and_then(Value::int);
    let missing = |name: &str| Error::invalid(format!("A manifest list's entry has no {name}"));
    let path = record.get(500, "manifest_path").and_then(Value::text).ok_or_else(|| missing("manifest_path"))?;
    let partitions = record.get(507, "partitions").and_then(Value::items).unwrap_or_default();
    Ok(ManifestFile {
        manifest_path: path.to_owned(),
        manifest_length: long(501, "manifest_length").ok_or_else(|| missing("manifest_length"))?,
        partition_spec_id: int(502, "partition_spec_id").ok_or_else(|| missing("partition_spec_id"))?,
        content: match int(517, "content") {
            Some(1) => ManifestContent::Deletes,
            _ => ManifestContent::Data,
        },
        sequence_number: long(515, "sequence_number").unwrap_or(0),
        min_sequence_number: long(516, "min_sequence_number").unwrap_or(0),
        added_snapshot_id: long(503, "added_snapshot_id").unwrap_or(-1),
        // Version 1 may leave counts out: then there may be files.
        added_files_count: int(504, "added_files_count").unwrap_or(1),
        existing_files_count: int(505, "existing_files_count").unwrap_or(1),
        deleted_files_count: int(506, "deleted_files_count").unwrap_or(1),
        added_rows_count: long(512, "added_rows_count").unwrap_or(0),
        existing_rows_count: long(513, "existing_rows_count").unwrap_or(0),
        deleted_rows_count: long(514, "deleted_rows_count").unwrap_or(0),
        partitions: partitions.iter().map(field_summary).collect(),
        key_metadata: record.get(519, "key_metadata").and_then(Value::bytes).map(<[u8]>::to_vec),
    })
}

fn field_summary(record: &Value) -> FieldSummary {
    let bytes = |id, name: &str| record.get(id, name).and_then(Value::bytes).map(<[u8]>::to_vec);
    FieldSummary {
        contains_null: record.get(509, "contains_null").and_then(Value::boolean).unwrap_or(true),
        contains_nan: record.get(518, "contains_nan").and_then(Value::boolean),
        lower_bound: bytes(510, "lower_bound"),
        upper_bound: bytes(511, "upper_bound"),
    }
}
