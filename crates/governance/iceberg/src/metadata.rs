//! A table's metadata file ("Table Metadata"): format version 2; version 1 is read.

mod json;
mod partition;
mod requirement;
mod snapshot;
mod sort;
mod statistics;
mod update;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use partition::{PartitionColumn, PartitionField, PartitionSpec, UnboundPartitionField, UnboundPartitionSpec};
pub use requirement::TableRequirement;
pub use snapshot::{
    MAIN, MetadataLogEntry, Operation, RefKind, Snapshot, SnapshotLogEntry, SnapshotReference, SnapshotSelector,
    Summary,
};
pub use sort::{NullOrder, SortDirection, SortField, SortOrder};
pub use statistics::StatisticsFile;
pub use update::TableUpdate;

use crate::error::{Error, Result};
use crate::schema::Schema;

/// The id before the first partition field's.
const BEFORE_PARTITION_IDS: i32 = 999;

/// How many earlier metadata files a table remembers, unless its property says otherwise.
const METADATA_LOG: usize = 100;

/// The property that says how many earlier metadata files are remembered.
pub const METADATA_LOG_PROPERTY: &str = "write.metadata.previous-versions-max";

/// The state of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "json::AnyVersion")]
pub struct TableMetadata {
    /// 2; 1 if the table was read so and has not been upgraded.
    pub format_version: u8,
    /// What tells the table from every other one.
    pub table_uuid: Uuid,
    /// Where its files are, as a rule.
    pub location: String,
    /// The highest sequence number given.
    pub last_sequence_number: i64,
    /// When it was changed, in milliseconds since 1970.
    pub last_updated_ms: i64,
    /// The highest field id given.
    pub last_column_id: i32,
    /// All schemas that data may have been written with.
    pub schemas: Vec<Schema>,
    /// The schema of today.
    pub current_schema_id: i32,
    /// All ways in which data may be partitioned.
    pub partition_specs: Vec<PartitionSpec>,
    /// The way of today.
    pub default_spec_id: i32,
    /// The highest partition field id given.
    pub last_partition_id: i32,
    /// Settings of readers and writers.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// The snapshot that queries read; none in a table that nothing was written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_snapshot_id: Option<i64>,
    /// All snapshots that can be read.
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
    /// Which snapshot was the current one since when.
    #[serde(default)]
    pub snapshot_log: Vec<SnapshotLogEntry>,
    /// The metadata files before this one.
    #[serde(default)]
    pub metadata_log: Vec<MetadataLogEntry>,
    /// All orders that files may be sorted in.
    pub sort_orders: Vec<SortOrder>,
    /// The order in which files are written.
    pub default_sort_order_id: i32,
    /// Branches and tags.
    #[serde(default)]
    pub refs: BTreeMap<String, SnapshotReference>,
    /// Files of statistics, at most one a snapshot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<StatisticsFile>,
    /// Files of partitions' statistics, at most one a snapshot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_statistics: Vec<StatisticsFile>,
}

/// What a new table is made of.
#[derive(Debug, Clone)]
pub struct TableCreation {
    /// Where its files go, without a slash at the end.
    pub location: String,
    /// Its columns; ids are given anew.
    pub schema: Schema,
    /// Its partitions, by the ids of `schema`.
    pub partition_spec: UnboundPartitionSpec,
    /// The order in which files are written, by the ids of `schema`.
    pub sort_order: SortOrder,
    /// Its settings.
    pub properties: BTreeMap<String, String>,
    /// What tells it from every other table.
    pub uuid: Uuid,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

impl TableMetadata {
    /// The metadata of a table that nothing was written to.
    ///
    /// # Errors
    /// Columns, partitions or order contradict each other.
    pub fn create(creation: TableCreation) -> Result<Self> {
        let TableCreation { location, schema, partition_spec, sort_order, properties, uuid, now_ms } = creation;
        let (fresh, last_column_id) = schema.with_fresh_ids(0);
        let fresh = Schema { schema_id: 0, ..fresh };
        fresh.check()?;
        let renamed = |id: i32| renumbered(&schema, &fresh, id);
        let fields = partition_spec
            .fields
            .into_iter()
            .map(|field| Ok(UnboundPartitionField { source_id: renamed(field.source_id)?, field_id: None, ..field }));
        let partition_spec = UnboundPartitionSpec { spec_id: None, fields: fields.collect::<Result<_>>()? };
        let fields = sort_order.fields.into_iter();
        let fields = fields.map(|field| Ok(SortField { source_id: renamed(field.source_id)?, ..field }));
        let sort_order = SortOrder { fields: fields.collect::<Result<_>>()?, ..sort_order };
        let mut metadata = Self {
            format_version: 2,
            table_uuid: uuid,
            location: location.trim_end_matches('/').to_owned(),
            last_sequence_number: 0,
            last_updated_ms: now_ms,
            last_column_id,
            schemas: vec![fresh],
            current_schema_id: 0,
            partition_specs: Vec::new(),
            default_spec_id: 0,
            last_partition_id: BEFORE_PARTITION_IDS,
            properties,
            current_snapshot_id: None,
            snapshots: Vec::new(),
            snapshot_log: Vec::new(),
            metadata_log: Vec::new(),
            sort_orders: Vec::new(),
            default_sort_order_id: 0,
            refs: BTreeMap::new(),
            statistics: Vec::new(),
            partition_statistics: Vec::new(),
        };
        let (spec, last) = partition_spec.bind(&metadata)?;
        metadata.last_partition_id = last;
        metadata.partition_specs.push(spec);
        let order = sort_order.numbered(&metadata)?;
        metadata.default_sort_order_id = order.order_id;
        metadata.sort_orders.push(order);
        Ok(metadata)
    }

    /// Reads a metadata file.
    ///
    /// # Errors
    /// It is no metadata of a version that is known.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::invalid(format!("The table's metadata can't be read: {error}")))
    }

    /// The metadata file's content.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("invariant: all keys are text")
    }

    /// The schema of today.
    pub fn current_schema(&self) -> &Schema {
        self.schema(self.current_schema_id).expect("invariant: the current schema is one of the schemas")
    }

    /// A schema by its number.
    pub fn schema(&self, id: i32) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.schema_id == id)
    }

    /// The schema that a snapshot was written with: what time travel shows.
    pub fn schema_of(&self, snapshot: &Snapshot) -> &Schema {
        snapshot.schema_id.and_then(|id| self.schema(id)).unwrap_or_else(|| self.current_schema())
    }

    /// How data is partitioned today.
    pub fn default_spec(&self) -> &PartitionSpec {
        self.spec(self.default_spec_id).expect("invariant: the default spec is one of the specs")
    }

    /// A partition spec by its number.
    pub fn spec(&self, id: i32) -> Option<&PartitionSpec> {
        self.partition_specs.iter().find(|spec| spec.spec_id == id)
    }

    /// The columns of a spec's partition values, in order. A field's source may have been dropped from the current schema: the type is
    /// then an older schema's.
    ///
    /// # Errors
    /// A field has no source in any schema, or a transform that doesn't fit it.
    pub fn partition_columns(&self, spec: &PartitionSpec) -> Result<Vec<PartitionColumn>> {
        spec.fields.iter().map(|field| partition::column(self, field)).collect()
    }

    /// A snapshot by its id.
    pub fn snapshot(&self, id: i64) -> Option<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.snapshot_id == id)
    }

    /// The snapshot that queries read.
    pub fn current_snapshot(&self) -> Option<&Snapshot> {
        self.current_snapshot_id.and_then(|id| self.snapshot(id))
    }

    /// The snapshot that a selector means; none if there is none, or if the table is empty.
    pub fn select(&self, selector: &SnapshotSelector) -> Option<&Snapshot> {
        match selector {
            SnapshotSelector::Current => self.current_snapshot(),
            SnapshotSelector::Id(id) => self.snapshot(*id),
            SnapshotSelector::Reference(name) => self.snapshot(self.refs.get(name)?.snapshot_id),
            SnapshotSelector::AsOf(millis) => {
                let entry = self.snapshot_log.iter().rfind(|entry| entry.timestamp_ms <= *millis)?;
                self.snapshot(entry.snapshot_id)
            }
        }
    }

    /// A snapshot and those that it was made of, the newest first, as far as they are still there.
    pub fn ancestors(&self, id: i64) -> impl Iterator<Item = &Snapshot> {
        std::iter::successors(self.snapshot(id), |snapshot| self.snapshot(snapshot.parent_snapshot_id?))
    }

    /// The order in which files are written.
    pub fn default_sort_order(&self) -> Option<&SortOrder> {
        self.sort_orders.iter().find(|order| order.order_id == self.default_sort_order_id)
    }

    /// A property as a number.
    pub fn property<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.properties.get(name)?.parse().ok()
    }

    /// Remembers that this metadata follows what another file holds.
    pub(crate) fn follows(&mut self, location: &str, previous: &Self) {
        let entry = MetadataLogEntry { metadata_file: location.to_owned(), timestamp_ms: previous.last_updated_ms };
        self.metadata_log.push(entry);
        let most = self.property(METADATA_LOG_PROPERTY).unwrap_or(METADATA_LOG).max(1);
        let surplus = self.metadata_log.len().saturating_sub(most);
        self.metadata_log.drain(..surplus);
    }
}

/// A field's new id, found by its place.
fn renumbered(old: &Schema, new: &Schema, id: i32) -> Result<i32> {
    let name = old.names().remove(&id);
    let ids = new.names();
    let found = name.and_then(|name| ids.iter().find(|(_, other)| **other == name).map(|(id, _)| *id));
    found.ok_or_else(|| Error::invalid(format!("a partition or an order names the field id {id}, which no column has")))
}

#[cfg(test)]
mod tests;
