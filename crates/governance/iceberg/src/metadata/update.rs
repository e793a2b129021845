//! Changes of a table's metadata.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    MAIN, RefKind, Snapshot, SnapshotLogEntry, SnapshotReference, SortOrder, StatisticsFile, TableMetadata,
    UnboundPartitionSpec,
};
use crate::error::{Error, Result};
use crate::schema::Schema;

/// A change, as the REST catalog's protocol writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum TableUpdate {
    /// Gives a table that is being made its UUID.
    AssignUuid {
        /// The UUID.
        uuid: Uuid,
    },
    /// Raises the format's version.
    UpgradeFormatVersion {
        /// 2.
        format_version: u8,
    },
    /// Adds a schema, which gets the next number unless the table knows it already.
    AddSchema {
        /// The schema; new columns have ids above the table's last.
        schema: Schema,
        /// Obsolete: the highest id of the schema.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_column_id: Option<i32>,
    },
    /// Changes the columns.
    SetCurrentSchema {
        /// The schema's number; -1 is the one added last in the same commit.
        schema_id: i32,
    },
    /// Adds a way to partition.
    AddSpec {
        /// The spec.
        spec: UnboundPartitionSpec,
    },
    /// Changes how data is partitioned from now on.
    SetDefaultSpec {
        /// The spec's number; -1 is the one added last in the same commit.
        spec_id: i32,
    },
    /// Adds an order.
    AddSortOrder {
        /// The order.
        sort_order: SortOrder,
    },
    /// Changes the order in which files are written from now on.
    SetDefaultSortOrder {
        /// The order's number; -1 is the one added last in the same commit.
        sort_order_id: i32,
    },
    /// Adds a snapshot, which no query sees until a reference names it.
    AddSnapshot {
        /// The snapshot.
        snapshot: Snapshot,
    },
    /// Makes or moves a branch or tag.
    SetSnapshotRef {
        /// The reference's name.
        ref_name: String,
        /// What it is.
        #[serde(flatten)]
        reference: SnapshotReference,
    },
    /// Forgets snapshots.
    RemoveSnapshots {
        /// Their ids.
        snapshot_ids: Vec<i64>,
    },
    /// Forgets a branch or tag.
    RemoveSnapshotRef {
        /// Its name.
        ref_name: String,
    },
    /// Changes where new files go.
    SetLocation {
        /// The folder.
        location: String,
    },
    /// Sets properties.
    SetProperties {
        /// Names and values.
        updates: BTreeMap<String, String>,
    },
    /// Forgets properties.
    RemoveProperties {
        /// Their names.
        removals: Vec<String>,
    },
    /// Forgets partition specs that nothing uses.
    RemovePartitionSpecs {
        /// Their numbers.
        spec_ids: Vec<i32>,
    },
    /// Forgets schemas that nothing uses.
    RemoveSchemas {
        /// Their numbers.
        schema_ids: Vec<i32>,
    },
    /// Names a snapshot's file of statistics, in place of an earlier one.
    SetStatistics {
        /// The file.
        statistics: StatisticsFile,
    },
    /// Forgets a snapshot's file of statistics.
    RemoveStatistics {
        /// The snapshot.
        snapshot_id: i64,
    },
    /// Names a snapshot's file of partitions' statistics, in place of an earlier one.
    SetPartitionStatistics {
        /// The file.
        partition_statistics: StatisticsFile,
    },
    /// Forgets a snapshot's file of partitions' statistics.
    RemovePartitionStatistics {
        /// The snapshot.
        snapshot_id: i64,
    },
}

/// What updates of one commit refer to.
#[derive(Default)]
struct Added {
    schema: Option<i32>,
    spec: Option<i32>,
    sort_order: Option<i32>,
    snapshots: BTreeSet<i64>,
}

/// The number that means "the one added last".
const LAST: i32 = -1;

fn resolved(id: i32, last: Option<i32>, what: &str) -> Result<i32> {
    match (id, last) {
        (LAST, Some(last)) => Ok(last),
        (LAST, None) => Err(Error::invalid(format!("the last added {what} is meant, but none was added"))),
        (id, _) => Ok(id),
    }
}

impl TableMetadata {
    /// The table after these changes, made at a time in milliseconds since 1970. All of them are made, or none.
    ///
    /// # Errors
    /// A change contradicts the table.
    pub fn apply(&self, updates: &[TableUpdate], now_ms: i64) -> Result<Self> {
        let (mut table, mut added) = (self.clone(), Added::default());
        // Clocks of several writers differ; the table's own never goes back.
        let now_ms = now_ms.max(self.last_updated_ms);
        for update in updates {
            table.change(update, &mut added, now_ms)?;
        }
        if !updates.is_empty() {
            table.last_updated_ms = table.last_updated_ms.max(now_ms);
        }
        Ok(table)
    }

    fn change(&mut self, update: &TableUpdate, added: &mut Added, now_ms: i64) -> Result<()> {
        match update {
            TableUpdate::AssignUuid { uuid } => self.table_uuid = *uuid,
            TableUpdate::UpgradeFormatVersion { format_version: 2 } => self.format_version = 2,
            TableUpdate::UpgradeFormatVersion { format_version } => {
                return Err(Error::Unsupported(format!("format version {format_version}")));
            }
            TableUpdate::AddSchema { schema, .. } => added.schema = Some(self.add_schema(schema)?),
            TableUpdate::SetCurrentSchema { schema_id } => {
                let id = resolved(*schema_id, added.schema, "schema")?;
                self.schema(id).ok_or_else(|| Error::invalid(format!("there is no schema {id}")))?;
                self.current_schema_id = id;
            }
            TableUpdate::AddSpec { spec } => {
                let (spec, last) = spec.clone().bind(self)?;
                added.spec = Some(spec.spec_id);
                self.last_partition_id = last;
                if self.spec(spec.spec_id).is_none() {
                    self.partition_specs.push(spec);
                }
            }
            TableUpdate::SetDefaultSpec { spec_id } => {
                let id = resolved(*spec_id, added.spec, "partition spec")?;
                self.spec(id).ok_or_else(|| Error::invalid(format!("there is no partition spec {id}")))?;
                self.default_spec_id = id;
            }
            TableUpdate::AddSortOrder { sort_order } => {
                let order = sort_order.clone().numbered(self)?;
                added.sort_order = Some(order.order_id);
                if !self.sort_orders.iter().any(|known| known.order_id == order.order_id) {
                    self.sort_orders.push(order);
                }
            }
            TableUpdate::SetDefaultSortOrder { sort_order_id } => {
                let id = resolved(*sort_order_id, added.sort_order, "sort order")?;
                if !self.sort_orders.iter().any(|order| order.order_id == id) {
                    return Err(Error::invalid(format!("there is no sort order {id}")));
                }
                self.default_sort_order_id = id;
            }
            TableUpdate::AddSnapshot { snapshot } => {
                self.add_snapshot(snapshot)?;
                added.snapshots.insert(snapshot.snapshot_id);
            }
            TableUpdate::SetSnapshotRef { ref_name, reference } => {
                self.set_reference(ref_name, reference, added, now_ms)?
            }
            TableUpdate::RemoveSnapshots { snapshot_ids } => self.remove_snapshots(snapshot_ids)?,
            TableUpdate::RemoveSnapshotRef { ref_name } => {
                self.refs.remove(ref_name);
                if ref_name == MAIN {
                    self.current_snapshot_id = None;
                    self.snapshot_log.clear();
                }
            }
            TableUpdate::SetLocation { location } => self.location = location.trim_end_matches('/').to_owned(),
            TableUpdate::SetProperties { updates } => self.properties.extend(updates.clone()),
            TableUpdate::RemoveProperties { removals } => self.properties.retain(|name, _| !removals.contains(name)),
            TableUpdate::RemovePartitionSpecs { spec_ids } => {
                if spec_ids.contains(&self.default_spec_id) {
                    return Err(Error::invalid("the default partition spec can't be removed"));
                }
                self.partition_specs.retain(|spec| !spec_ids.contains(&spec.spec_id));
            }
            TableUpdate::RemoveSchemas { schema_ids } => {
                if schema_ids.contains(&self.current_schema_id) {
                    return Err(Error::invalid("the current schema can't be removed"));
                }
                self.schemas.retain(|schema| !schema_ids.contains(&schema.schema_id));
            }
            TableUpdate::SetStatistics { statistics } => {
                self.snapshot_of(statistics)?;
                statistics.replace_in(&mut self.statistics);
            }
            TableUpdate::RemoveStatistics { snapshot_id } => {
                self.statistics.retain(|file| file.snapshot_id != *snapshot_id);
            }
            TableUpdate::SetPartitionStatistics { partition_statistics } => {
                self.snapshot_of(partition_statistics)?;
                partition_statistics.replace_in(&mut self.partition_statistics);
            }
            TableUpdate::RemovePartitionStatistics { snapshot_id } => {
                self.partition_statistics.retain(|file| file.snapshot_id != *snapshot_id);
            }
        }
        Ok(())
    }

    fn add_schema(&mut self, schema: &Schema) -> Result<i32> {
        schema.check()?;
        self.last_column_id = self.last_column_id.max(schema.highest_field_id());
        if let Some(same) = self.schemas.iter().find(|known| known.same_columns(schema)) {
            return Ok(same.schema_id);
        }
        let schema_id = self.schemas.iter().map(|schema| schema.schema_id + 1).max().unwrap_or(0);
        self.schemas.push(Schema { schema_id, ..schema.clone() });
        Ok(schema_id)
    }

    fn add_snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        if self.snapshot(snapshot.snapshot_id).is_some() {
            return Err(Error::invalid(format!("the snapshot {} exists already", snapshot.snapshot_id)));
        }
        if self.format_version > 1 && snapshot.sequence_number <= self.last_sequence_number {
            let (new, last) = (snapshot.sequence_number, self.last_sequence_number);
            return Err(Error::invalid(format!("the snapshot's sequence number {new} doesn't follow {last}")));
        }
        self.last_sequence_number = self.last_sequence_number.max(snapshot.sequence_number);
        self.last_updated_ms = self.last_updated_ms.max(snapshot.timestamp_ms);
        self.snapshots.push(snapshot.clone());
        Ok(())
    }

    fn set_reference(&mut self, name: &str, reference: &SnapshotReference, added: &Added, now_ms: i64) -> Result<()> {
        let id = reference.snapshot_id;
        let snapshot = self.snapshot(id).ok_or_else(|| Error::invalid(format!("there is no snapshot {id}")))?;
        let timestamp_ms = if added.snapshots.contains(&id) { snapshot.timestamp_ms } else { now_ms };
        if name == MAIN {
            if reference.kind != RefKind::Branch {
                return Err(Error::invalid("main must be a branch"));
            }
            if self.current_snapshot_id != Some(id) {
                self.current_snapshot_id = Some(id);
                self.snapshot_log.push(SnapshotLogEntry { snapshot_id: id, timestamp_ms });
            }
        }
        self.refs.insert(name.to_owned(), reference.clone());
        Ok(())
    }

    fn snapshot_of(&self, file: &StatisticsFile) -> Result<()> {
        let id = file.snapshot_id;
        self.snapshot(id).map(drop).ok_or_else(|| Error::invalid(format!("there is no snapshot {id}")))
    }

    fn remove_snapshots(&mut self, ids: &[i64]) -> Result<()> {
        if self.current_snapshot_id.is_some_and(|current| ids.contains(&current)) {
            return Err(Error::invalid("the current snapshot can't be removed"));
        }
        self.snapshots.retain(|snapshot| !ids.contains(&snapshot.snapshot_id));
        self.refs.retain(|_, reference| !ids.contains(&reference.snapshot_id));
        // Without an entry in the middle, times before it would be answered by the wrong snapshot.
        if let Some(last_gone) = self.snapshot_log.iter().rposition(|entry| ids.contains(&entry.snapshot_id)) {
            self.snapshot_log.drain(..=last_gone);
        }
        self.statistics.retain(|file| !ids.contains(&file.snapshot_id));
        self.partition_statistics.retain(|file| !ids.contains(&file.snapshot_id));
        Ok(())
    }
}
