//! Manifests and manifest lists ("Manifests", "Manifest Lists"): which files a snapshot is made of.

mod columns;
mod list;
mod read;
mod write;

use std::collections::BTreeMap;

pub use list::{read_list, write_list};
pub use read::read_manifest;
pub use write::{ManifestWriter, WrittenManifest};

use crate::schema::{PrimitiveType, Schema};
use crate::value::Datum;

/// A file of rows or of deletes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataFile {
    /// What the file holds.
    pub content: DataContent,
    /// The file, as `s3://bucket/key`.
    pub file_path: String,
    /// How it is written.
    pub file_format: FileFormat,
    /// By which partition spec it was written. It stands in the manifest's header.
    pub spec_id: i32,
    /// The values of the spec's fields.
    pub partition: Vec<Option<Datum>>,
    /// How many rows it has.
    pub record_count: i64,
    /// How many bytes it has.
    pub file_size_in_bytes: i64,
    /// Bytes by field id.
    pub column_sizes: BTreeMap<i32, i64>,
    /// Values, NULLs included, by field id.
    pub value_counts: BTreeMap<i32, i64>,
    /// NULLs by field id.
    pub null_value_counts: BTreeMap<i32, i64>,
    /// NaNs by field id.
    pub nan_value_counts: BTreeMap<i32, i64>,
    /// Something at most the smallest value by field id, in the binary form of single values.
    pub lower_bounds: BTreeMap<i32, Vec<u8>>,
    /// Something at least the greatest value by field id, in the binary form of single values.
    pub upper_bounds: BTreeMap<i32, Vec<u8>>,
    /// What a key management needs.
    pub key_metadata: Option<Vec<u8>>,
    /// Where the file may be divided.
    pub split_offsets: Vec<i64>,
    /// The fields that equality deletes compare.
    pub equality_ids: Vec<i32>,
    /// The order in which the file is written, if that is known.
    pub sort_order_id: Option<i32>,
    /// The only data file that position deletes are about, if there is only one.
    pub referenced_data_file: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum DataContent {
    /// Rows.
    #[default]
    Data,
    /// Paths of data files and places of rows in them that are deleted.
    PositionDeletes,
    /// Values of some columns: rows with those values are deleted.
    EqualityDeletes,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileFormat {
    /// Apache Parquet.
    #[default]
    Parquet,
    /// Apache Avro.
    Avro,
    /// Apache ORC.
    Orc,
    /// Iceberg's own container of statistics and deletion vectors.
    Puffin,
}

/// What a commit did with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was there before.
    Existing,
    /// It came.
    Added,
    /// It went.
    Deleted,
}

/// A file in a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestEntry {
    /// What the manifest's snapshot did with it.
    pub status: Status,
    /// The snapshot that added (or deleted) it; inherited from the manifest if none.
    pub snapshot_id: Option<i64>,
    /// The place of its rows in the order of changes, which decides what deletes apply; inherited if none.
    pub sequence_number: Option<i64>,
    /// The place of the file itself in the order of changes; inherited if none.
    pub file_sequence_number: Option<i64>,
    /// The file.
    pub data_file: DataFile,
}

/// What a manifest's files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ManifestContent {
    /// Rows.
    #[default]
    Data,
    /// Deletes.
    Deletes,
}

/// A manifest, as its list describes it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ManifestFile {
    /// The file.
    pub manifest_path: String,
    /// Its bytes.
    pub manifest_length: i64,
    /// The partition spec of all its files.
    pub partition_spec_id: i32,
    /// What its files hold.
    pub content: ManifestContent,
    /// When it was added.
    pub sequence_number: i64,
    /// The smallest sequence number of its files that are not deleted.
    pub min_sequence_number: i64,
    /// The snapshot that added it.
    pub added_snapshot_id: i64,
    /// How many of its files were added.
    pub added_files_count: i32,
    /// How many were there before.
    pub existing_files_count: i32,
    /// How many were deleted.
    pub deleted_files_count: i32,
    /// The rows of those that were added.
    pub added_rows_count: i64,
    /// The rows of those that were there before.
    pub existing_rows_count: i64,
    /// The rows of those that were deleted.
    pub deleted_rows_count: i64,
    /// What its files' partitions have in common, for each field of the spec.
    pub partitions: Vec<FieldSummary>,
    /// What a key management needs.
    pub key_metadata: Option<Vec<u8>>,
}

/// What the partitions of a manifest's files have in common in one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSummary {
    /// Whether a value is NULL.
    pub contains_null: bool,
    /// Whether a value is NaN, if that is known.
    pub contains_nan: Option<bool>,
    /// The smallest value, in the binary form of single values.
    pub lower_bound: Option<Vec<u8>>,
    /// The greatest value, in the binary form of single values.
    pub upper_bound: Option<Vec<u8>>,
}

impl DataFile {
    /// The lower bound of a field, read as the schema's type of today.
    pub fn lower_bound(&self, field: i32, ty: PrimitiveType) -> Option<Datum> {
        Datum::from_bytes(self.lower_bounds.get(&field)?, ty)
    }

    /// The upper bound of a field, read as the schema's type of today.
    pub fn upper_bound(&self, field: i32, ty: PrimitiveType) -> Option<Datum> {
        Datum::from_bytes(self.upper_bounds.get(&field)?, ty)
    }
}

impl FileFormat {
    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "PARQUET",
            Self::Avro => "AVRO",
            Self::Orc => "ORC",
            Self::Puffin => "PUFFIN",
        }
    }

    /// The format of that name, in any case.
    pub fn named(text: &str) -> Option<Self> {
        [Self::Parquet, Self::Avro, Self::Orc, Self::Puffin]
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(text))
    }
}

impl ManifestEntry {
    /// A file that is being added: its numbers are inherited.
    pub fn added(data_file: DataFile) -> Self {
        Self { status: Status::Added, snapshot_id: None, sequence_number: None, file_sequence_number: None, data_file }
    }

    /// Whether the file belongs to the snapshot.
    pub fn is_live(&self) -> bool {
        self.status != Status::Deleted
    }

    /// Gives the entry the numbers that it inherits from its manifest.
    pub fn inherit(&mut self, manifest: &ManifestFile) {
        self.snapshot_id.get_or_insert(manifest.added_snapshot_id);
        // Only what a manifest adds may inherit; manifests of version 1 have no numbers at all, which means 0.
        let inherited = if self.status == Status::Added { manifest.sequence_number } else { 0 };
        self.sequence_number.get_or_insert(inherited);
        self.file_sequence_number.get_or_insert(inherited);
        self.data_file.spec_id = manifest.partition_spec_id;
    }
}

impl ManifestFile {
    /// Whether it has files that belong to the snapshot.
    pub fn has_live_files(&self) -> bool {
        self.added_files_count > 0 || self.existing_files_count > 0
    }
}

/// The bounds of text and bytes are cut to so many characters or bytes.
pub const BOUND_LENGTH: usize = 16;

/// A lower bound, cut short where that is allowed.
pub fn lower_bound(value: &Datum) -> Vec<u8> {
    match value {
        Datum::String(text) => text.chars().take(BOUND_LENGTH).collect::<String>().into_bytes(),
        Datum::Binary(bytes) => bytes.iter().copied().take(BOUND_LENGTH).collect(),
        other => other.to_bytes(),
    }
}

/// An upper bound, cut short and raised where that is allowed; none if nothing short is great enough.
pub fn upper_bound(value: &Datum) -> Option<Vec<u8>> {
    match value {
        Datum::String(text) if text.chars().count() > BOUND_LENGTH => {
            let mut kept: Vec<char> = text.chars().take(BOUND_LENGTH).collect();
            while let Some(last) = kept.pop() {
                if let Some(next) = next_character(last) {
                    kept.push(next);
                    return Some(kept.into_iter().collect::<String>().into_bytes());
                }
            }
            None
        }
        Datum::Binary(bytes) if bytes.len() > BOUND_LENGTH => {
            let mut kept = bytes[..BOUND_LENGTH].to_vec();
            while let Some(last) = kept.pop() {
                if last < u8::MAX {
                    kept.push(last + 1);
                    return Some(kept);
                }
            }
            None
        }
        other => Some(other.to_bytes()),
    }
}

fn next_character(character: char) -> Option<char> {
    match character {
        '\u{d7ff}' => Some('\u{e000}'),
        other => char::from_u32(u32::from(other) + 1),
    }
}

/// What a manifest says of itself in its header.
#[derive(Debug, Clone)]
pub struct ManifestHeader<'a> {
    /// The table's schema.
    pub schema: &'a Schema,
    /// The spec of all its files.
    pub spec: &'a crate::metadata::PartitionSpec,
    /// The types of the spec's fields.
    pub columns: &'a [crate::metadata::PartitionColumn],
    /// What its files hold.
    pub content: ManifestContent,
}

#[cfg(test)]
mod tests;
