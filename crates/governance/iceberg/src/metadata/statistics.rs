//! Files of statistics ("Table Statistics", "Partition Statistics"), which other engines write and read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A snapshot's file of statistics. What is in it is its writer's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StatisticsFile {
    /// The snapshot.
    pub snapshot_id: i64,
    /// Where the file is.
    pub statistics_path: String,
    /// What else its writer says of it, kept as it is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl StatisticsFile {
    /// Takes the place of the same snapshot's file.
    pub(super) fn replace_in(&self, files: &mut Vec<Self>) {
        files.retain(|file| file.snapshot_id != self.snapshot_id);
        files.push(self.clone());
    }
}
