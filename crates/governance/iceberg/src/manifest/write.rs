//! Writing manifests.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::json;

use super::columns::{entry_schema, write_value};
use super::{DataContent, DataFile, FieldSummary, ManifestContent, ManifestEntry, ManifestFile, ManifestHeader, Status};
use crate::avro::{self, Output};
use crate::error::{Error, Result};
use crate::metadata::PartitionColumn;
use crate::value::Datum;

/// Makes a manifest of entries.
#[derive(Debug)]
pub struct ManifestWriter<'a> {
    header: ManifestHeader<'a>,
    records: Vec<Vec<u8>>,
    file: ManifestFile,
    summaries: Vec<Summary>,
    /// The smallest number that stands in an entry.
    least: Option<i64>,
    /// Whether an entry inherits its number.
    inherits: bool,
}

/// A manifest that was made.
#[derive(Debug)]
pub struct WrittenManifest {
    /// Its entry for the manifest list.
    pub file: ManifestFile,
    /// Its content.
    pub content: Vec<u8>,
}

/// What the partitions have in common in one field.
#[derive(Debug, Default)]
struct Summary {
    null: bool,
    nan: bool,
    lower: Option<Datum>,
    upper: Option<Datum>,
}

impl<'a> ManifestWriter<'a> {
    /// A manifest that a snapshot adds.
    pub fn new(header: ManifestHeader<'a>, snapshot_id: i64) -> Self {
        let file = ManifestFile {
            partition_spec_id: header.spec.spec_id,
            content: header.content,
            added_snapshot_id: snapshot_id,
            ..ManifestFile::default()
        };
        let summaries = header.columns.iter().map(|_| Summary::default()).collect();
        Self { header, records: Vec::new(), file, summaries, least: None, inherits: false }
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds an entry. Entries that aren't new need their own numbers.
    ///
    /// # Errors
    /// The file doesn't fit this manifest.
    pub fn add(&mut self, entry: &ManifestEntry) -> Result<()> {
        let file = &entry.data_file;
        let content = if file.content == DataContent::Data { ManifestContent::Data } else { ManifestContent::Deletes };
        if content != self.header.content || file.partition.len() != self.header.columns.len() {
            return Err(Error::invalid(format!("{} doesn't fit the manifest", file.file_path)));
        }
        if entry.status != Status::Added && entry.sequence_number.is_none() {
            return Err(Error::invalid(format!("{} has no sequence number", file.file_path)));
        }
        self.count(entry);
        for (summary, value) in self.summaries.iter_mut().zip(&file.partition) {
            summary.add(value.as_ref());
        }
        self.records.push(encoded(entry, self.header.columns));
        Ok(())
    }

    fn count(&mut self, entry: &ManifestEntry) {
        let rows = entry.data_file.record_count;
        let (files, total) = match entry.status {
            Status::Added => (&mut self.file.added_files_count, &mut self.file.added_rows_count),
            Status::Existing => (&mut self.file.existing_files_count, &mut self.file.existing_rows_count),
            Status::Deleted => (&mut self.file.deleted_files_count, &mut self.file.deleted_rows_count),
        };
        *files += 1;
        *total += rows;
        match entry.sequence_number {
            _ if !entry.is_live() => {}
            Some(number) => self.least = Some(self.least.map_or(number, |least| least.min(number))),
            None => self.inherits = true,
        }
    }

    /// The manifest that a snapshot with this sequence number adds at this place.
    ///
    /// # Errors
    /// It can't be compressed.
    pub fn finish(self, path: String, sequence_number: i64) -> Result<WrittenManifest> {
        let Self { header, records, mut file, summaries, least, inherits } = self;
        let content = match header.content {
            ManifestContent::Data => "data",
            ManifestContent::Deletes => "deletes",
        };
        let described = [
            ("schema", json!(header.schema).to_string()),
            ("schema-id", header.schema.schema_id.to_string()),
            ("partition-spec", json!(header.spec.fields).to_string()),
            ("partition-spec-id", header.spec.spec_id.to_string()),
            ("format-version", "2".to_owned()),
            ("content", content.to_owned()),
        ];
        let content = avro::container(&entry_schema(header.columns), &described, &records)?;
        let inherited = if inherits { sequence_number } else { i64::MAX };
        file.manifest_path = path;
        file.manifest_length = content.len() as i64;
        file.sequence_number = sequence_number;
        file.min_sequence_number = least.unwrap_or(i64::MAX).min(inherited);
        if file.min_sequence_number == i64::MAX {
            file.min_sequence_number = sequence_number;
        }
        file.partitions = summaries.into_iter().map(Summary::finish).collect();
        Ok(WrittenManifest { file, content })
    }
}

impl Summary {
    fn add(&mut self, value: Option<&Datum>) {
        let Some(value) = value else {
            self.null = true;
            return;
        };
        if value.is_nan() {
            self.nan = true;
            return;
        }
        if self.lower.as_ref().is_none_or(|lower| value.compare(lower) == Some(Ordering::Less)) {
            self.lower = Some(value.clone());
        }
        if self.upper.as_ref().is_none_or(|upper| value.compare(upper) == Some(Ordering::Greater)) {
            self.upper = Some(value.clone());
        }
    }

    fn finish(self) -> FieldSummary {
        FieldSummary {
            contains_null: self.null,
            contains_nan: Some(self.nan),
            lower_bound: self.lower.as_ref().map(Datum::to_bytes),
            upper_bound: self.upper.as_ref().map(Datum::to_bytes),
        }
    }
}

fn encoded(entry: &ManifestEntry, columns: &[PartitionColumn]) -> Vec<u8> {
    let mut out = Output::default();
    out.long(match entry.status {
        Status::Existing => 0,
        Status::Added => 1,
        Status::Deleted => 2,
    });
    out.optional(entry.snapshot_id, Output::long);
    out.optional(entry.sequence_number, Output::long);
    out.optional(entry.file_sequence_number, Output::long);
    data_file(&mut out, &entry.data_file, columns);
    out.0
}

fn data_file(out: &mut Output, file: &DataFile, columns: &[PartitionColumn]) {
    out.long(match file.content {
        DataContent::Data => 0,
        DataContent::PositionDeletes => 1,
        DataContent::EqualityDeletes => 2,
    });
    out.string(&file.file_path);
    out.string(file.file_format.name());
    for (value, column) in file.partition.iter().zip(columns) {
        out.optional(value.as_ref(), |out, value| write_value(out, value, column.ty));
    }
    out.long(file.record_count);
    out.long(file.file_size_in_bytes);
    let longs = |out: &mut Output, map: &BTreeMap<i32, i64>| by_field(out, map, |out, value| out.long(*value));
    longs(out, &file.column_sizes);
    longs(out, &file.value_counts);
    longs(out, &file.null_value_counts);
    longs(out, &file.nan_value_counts);
    by_field(out, &file.lower_bounds, |out, value| out.bytes(value));
    by_field(out, &file.upper_bounds, |out, value| out.bytes(value));
    out.optional(file.key_metadata.as_deref(), Output::bytes);
    let offsets = Some(&file.split_offsets).filter(|offsets| !offsets.is_empty());
    out.optional(offsets, |out, offsets| out.array(offsets.iter(), |out, offset| out.long(*offset)));
    let ids = Some(&file.equality_ids).filter(|ids| !ids.is_empty());
    out.optional(ids, |out, ids| out.array(ids.iter(), |out, id| out.long((*id).into())));
    out.optional(file.sort_order_id, |out, id| out.long(id.into()));
    out.optional(file.referenced_data_file.as_deref(), Output::string);
}

/// A map by field id, left out when it is empty.
fn by_field<T>(out: &mut Output, map: &BTreeMap<i32, T>, write: impl Fn(&mut Output, &T)) {
    let map = Some(map).filter(|map| !map.is_empty());
    out.optional(map, |out, map| {
        out.array(map.iter(), |out, (id, value)| {
            out.long((*id).into());
            write(out, value);
        });
    });
}
