//! Metadata as it may be written: version 1 has one schema and one partition spec, and may lack much.

use std::collections::BTreeMap;

use serde::Deserialize;
use uuid::Uuid;

use super::{
    BEFORE_PARTITION_IDS, MAIN, MetadataLogEntry, PartitionField, PartitionSpec, Snapshot, SnapshotLogEntry,
    SnapshotReference, SortOrder, StatisticsFile, TableMetadata, UnboundPartitionField,
};
use crate::error::Error;
use crate::schema::Schema;

/// All that either version has.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct AnyVersion {
    format_version: u8,
    table_uuid: Option<Uuid>,
    location: String,
    #[serde(default)]
    last_sequence_number: i64,
    last_updated_ms: i64,
    last_column_id: i32,
    schema: Option<Schema>,
    schemas: Option<Vec<Schema>>,
    current_schema_id: Option<i32>,
    partition_spec: Option<Vec<UnboundPartitionField>>,
    partition_specs: Option<Vec<PartitionSpec>>,
    default_spec_id: Option<i32>,
    last_partition_id: Option<i32>,
    #[serde(default)]
    properties: Option<BTreeMap<String, String>>,
    current_snapshot_id: Option<i64>,
    snapshots: Option<Vec<AnySnapshot>>,
    snapshot_log: Option<Vec<SnapshotLogEntry>>,
    metadata_log: Option<Vec<MetadataLogEntry>>,
    sort_orders: Option<Vec<SortOrder>>,
    default_sort_order_id: Option<i32>,
    refs: Option<BTreeMap<String, SnapshotReference>>,
    statistics: Option<Vec<StatisticsFile>>,
    partition_statistics: Option<Vec<StatisticsFile>>,
}

/// A snapshot of version 1 may name its manifests itself.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnySnapshot {
    Listed(Snapshot),
    Direct { manifests: Vec<String> },
}

impl TryFrom<AnySnapshot> for Snapshot {
    type Error = Error;

    fn try_from(snapshot: AnySnapshot) -> Result<Self, Error> {
        match snapshot {
            AnySnapshot::Listed(snapshot) => Ok(snapshot),
            AnySnapshot::Direct { manifests } => {
                Err(Error::Unsupported(format!("snapshot without a manifest list, of {} manifests", manifests.len())))
            }
        }
    }
}

impl TryFrom<AnyVersion> for TableMetadata {
    type Error = Error;

    fn try_from(read: AnyVersion) -> Result<Self, Error> {
        if !(1..=2).contains(&read.format_version) {
            return Err(Error::Unsupported(format!("format version {}", read.format_version)));
        }
        let missing = |what: &str| Error::invalid(format!("it has no {what}"));
        let schemas =
            read.schemas.or_else(|| read.schema.map(|schema| vec![schema])).ok_or_else(|| missing("schemas"))?;
        let current_schema_id =
            read.current_schema_id.or_else(|| schemas.last().map(|schema| schema.schema_id)).unwrap_or(0);
        let specs = read.partition_specs.or_else(|| read.partition_spec.map(|fields| vec![first_spec(fields)]));
        let partition_specs = specs.ok_or_else(|| missing("partition specs"))?;
        let default_spec_id = read.default_spec_id.unwrap_or(0);
        let highest = partition_specs.iter().flat_map(|spec| &spec.fields).map(|field| field.field_id).max();
        let last_partition_id = read.last_partition_id.or(highest).unwrap_or(BEFORE_PARTITION_IDS);
        let current_snapshot_id = read.current_snapshot_id.filter(|id| *id >= 0);
        let snapshots = read.snapshots.unwrap_or_default().into_iter().map(Snapshot::try_from);
        let mut refs = read.refs.unwrap_or_default();
        if let Some(id) = current_snapshot_id {
            refs.entry(MAIN.to_owned()).or_insert_with(|| SnapshotReference::branch(id));
        }
        let table = Self {
            format_version: read.format_version,
            table_uuid: read.table_uuid.unwrap_or_else(Uuid::new_v4),
            location: read.location.trim_end_matches('/').to_owned(),
            last_sequence_number: read.last_sequence_number,
            last_updated_ms: read.last_updated_ms,
            last_column_id: read.last_column_id,
            schemas,
            current_schema_id,
            partition_specs,
            default_spec_id,
            last_partition_id,
            properties: read.properties.unwrap_or_default(),
            current_snapshot_id,
            snapshots: snapshots.collect::<Result<_, _>>()?,
            snapshot_log: read.snapshot_log.unwrap_or_default(),
            metadata_log: read.metadata_log.unwrap_or_default(),
            sort_orders: read.sort_orders.unwrap_or_else(|| vec![SortOrder::default()]),
            default_sort_order_id: read.default_sort_order_id.unwrap_or(0),
            refs,
            statistics: read.statistics.unwrap_or_default(),
            partition_statistics: read.partition_statistics.unwrap_or_default(),
        };
        if table.schema(current_schema_id).is_none() {
            return Err(missing("current schema"));
        }
        if table.spec(default_spec_id).is_none() {
            return Err(missing("default partition spec"));
        }
        if current_snapshot_id.is_some_and(|id| table.snapshot(id).is_none()) {
            return Err(missing("current snapshot"));
        }
        Ok(table)
    }
}

/// Version 1's one spec.
fn first_spec(fields: Vec<UnboundPartitionField>) -> PartitionSpec {
    let field = |(next, field): (i32, UnboundPartitionField)| {
        let UnboundPartitionField { source_id, field_id, name, transform } = field;
        PartitionField { source_id, field_id: field_id.unwrap_or(next), name, transform }
    };
    PartitionSpec { spec_id: 0, fields: (BEFORE_PARTITION_IDS + 1..).zip(fields).map(field).collect() }
}
