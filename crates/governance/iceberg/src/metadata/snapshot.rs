//! Snapshots, branches, tags, logs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The branch that queries read.
pub const MAIN: &str = "main";

/// The state of a table's data at some time ("Snapshots").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshot {
    /// Its id.
    pub snapshot_id: i64,
    /// The one that it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_snapshot_id: Option<i64>,
    /// Its place in the order of the table's changes.
    #[serde(default)]
    pub sequence_number: i64,
    /// When it was made, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The file that lists its manifests.
    pub manifest_list: String,
    /// What changed.
    #[serde(default)]
    pub summary: Summary,
    /// The schema of the table at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_id: Option<i32>,
}

/// What a snapshot changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// The kind of change.
    #[serde(default)]
    pub operation: Operation,
    /// Counts and whatever writers want to say.
    #[serde(flatten)]
    pub properties: BTreeMap<String, String>,
}

/// The kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Rows came.
    #[default]
    Append,
    /// Files were exchanged for others with the same rows.
    Replace,
    /// Rows came and went.
    Overwrite,
    /// Rows went.
    Delete,
}

impl Operation {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Overwrite => "overwrite",
            Self::Delete => "delete",
        }
    }
}

/// Since when a snapshot was the current one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SnapshotLogEntry {
    /// The snapshot.
    pub snapshot_id: i64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
}

/// An earlier metadata file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MetadataLogEntry {
    /// The file.
    pub metadata_file: String,
    /// When the table was changed to what it holds, in milliseconds since 1970.
    pub timestamp_ms: i64,
}

/// A branch or a tag ("Snapshot References").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SnapshotReference {
    /// The snapshot that it names now.
    pub snapshot_id: i64,
    /// Whether commits move it.
    #[serde(rename = "type")]
    pub kind: RefKind,
    /// How many of a branch's snapshots stay whatever their age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_snapshots_to_keep: Option<i32>,
    /// How old a branch's snapshots may become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_snapshot_age_ms: Option<i64>,
    /// How old the reference itself may become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ref_age_ms: Option<i64>,
}

/// Whether commits move a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefKind {
    /// They do.
    Branch,
    /// They don't.
    Tag,
}

impl SnapshotReference {
    /// A branch at a snapshot, without limits of its own.
    pub fn branch(snapshot_id: i64) -> Self {
        Self {
            snapshot_id,
            kind: RefKind::Branch,
            min_snapshots_to_keep: None,
            max_snapshot_age_ms: None,
            max_ref_age_ms: None,
        }
    }
}

/// Which snapshot is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SnapshotSelector {
    /// The one that queries read.
    #[default]
    Current,
    /// The one of that id.
    Id(i64),
    /// The one that was the current one at a time, in milliseconds since 1970.
    AsOf(i64),
    /// The one that a branch or tag names.
    Reference(String),
}
