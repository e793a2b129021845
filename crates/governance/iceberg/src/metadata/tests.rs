use serde_json::json;

use super::*;
use crate::schema::{NestedField, PrimitiveType};
use crate::transform::Transform;

pub(crate) fn creation() -> TableCreation {
    let fields = vec![
        NestedField::optional(11, "id", PrimitiveType::Long),
        NestedField::optional(12, "ts", PrimitiveType::Timestamp),
    ];
    let day =
        UnboundPartitionField { source_id: 12, field_id: None, name: "ts_day".to_owned(), transform: Transform::Day };
    TableCreation {
        location: "mem://t/".to_owned(),
        schema: Schema::new(7, fields),
        partition_spec: UnboundPartitionSpec { spec_id: None, fields: vec![day] },
        sort_order: SortOrder::default(),
        properties: BTreeMap::new(),
        uuid: Uuid::nil(),
        now_ms: 1000,
    }
}

fn snapshot(id: i64, number: i64) -> Snapshot {
    Snapshot {
        snapshot_id: id,
        parent_snapshot_id: None,
        sequence_number: number,
        timestamp_ms: 1000 + number,
        manifest_list: format!("mem://t/{id}"),
        summary: Summary::default(),
        schema_id: Some(0),
    }
}

fn main_at(id: i64) -> TableUpdate {
    TableUpdate::SetSnapshotRef { ref_name: MAIN.to_owned(), reference: SnapshotReference::branch(id) }
}

/// A table with two snapshots.
fn with_snapshots() -> TableMetadata {
    let table = TableMetadata::create(creation()).unwrap();
    let table = table.apply(&[TableUpdate::AddSnapshot { snapshot: snapshot(1, 1) }, main_at(1)], 0).unwrap();
    table.apply(&[TableUpdate::AddSnapshot { snapshot: snapshot(2, 2) }, main_at(2)], 0).unwrap()
}

#[test]
fn new_tables_have_ids_of_their_own() {
    let table = TableMetadata::create(creation()).unwrap();
    assert_eq!(table.location, "mem://t");
    assert_eq!(table.current_schema().named("ts").unwrap().id, 2);
    let field = &table.default_spec().fields[0];
    assert_eq!((field.source_id, field.field_id, table.last_partition_id), (2, 1000, 1000));
    assert_eq!(table.partition_columns(table.default_spec()).unwrap()[0].ty, PrimitiveType::Date);
    assert_eq!(table.sort_orders, [SortOrder::default()]);
    assert_eq!(table.last_column_id, 2);
}

#[test]
fn metadata_survives_json() {
    for table in [TableMetadata::create(creation()).unwrap(), with_snapshots()] {
        assert_eq!(TableMetadata::from_json(&table.to_json()).unwrap(), table);
    }
    let json: serde_json::Value = serde_json::from_slice(&with_snapshots().to_json()).unwrap();
    assert_eq!(json["format-version"], 2);
    assert_eq!(json["refs"]["main"], json!({"snapshot-id": 2, "type": "branch"}));
    assert_eq!(json["snapshots"][0]["summary"], json!({"operation": "append"}));
    assert_eq!(json["partition-specs"][0]["fields"][0]["transform"], "day");
    assert_eq!(json["schemas"][0]["type"], "struct");
}

#[test]
fn version_1_is_read_and_version_3_refused() {
    let mut json = json!({
        "format-version": 1, "location": "s3://b/t", "last-updated-ms": 5, "last-column-id": 1,
        "schema": {"type": "struct", "fields": [{"id": 1, "name": "a", "required": true, "type": "int"}]},
        "partition-spec": [{"name": "a", "transform": "identity", "source-id": 1}],
        "current-snapshot-id": -1,
    });
    let table = TableMetadata::from_json(json.to_string().as_bytes()).unwrap();
    assert_eq!((table.format_version, table.current_snapshot_id), (1, None));
    assert_eq!((table.default_spec().fields[0].field_id, table.last_partition_id), (1000, 1000));
    json["format-version"] = json!(3);
    assert!(
        TableMetadata::from_json(json.to_string().as_bytes()).unwrap_err().to_string().contains("format version 3")
    );
    assert!(TableMetadata::from_json(b"{}").is_err());
}

#[test]
fn updates_have_the_protocols_json() {
    for json in [
        json!({"action": "assign-uuid", "uuid": "00000000-0000-0000-0000-000000000000"}),
        json!({"action": "set-current-schema", "schema-id": -1}),
        json!({"action": "add-spec", "spec": {"fields": [{"source-id": 1, "name": "p", "transform": "bucket[4]"}]}}),
        json!({"action": "set-default-spec", "spec-id": -1}),
        json!({"action": "set-default-sort-order", "sort-order-id": 0}),
        json!({"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 5}),
        json!({"action": "remove-snapshots", "snapshot-ids": [1, 2]}),
        json!({"action": "remove-snapshot-ref", "ref-name": "t"}),
        json!({"action": "set-location", "location": "s3://b/t"}),
        json!({"action": "set-properties", "updates": {"a": "b"}}),
        json!({"action": "remove-properties", "removals": ["a"]}),
        json!({"action": "upgrade-format-version", "format-version": 2}),
    ] {
        let update: TableUpdate = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&update).unwrap(), json);
    }
}

#[test]
fn requirements_have_the_protocols_json_and_are_tested() {
    let table = with_snapshots();
    for (json, holds) in [
        (json!({"type": "assert-create"}), false),
        (json!({"type": "assert-table-uuid", "uuid": Uuid::nil()}), true),
        (json!({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 2}), true),
        (json!({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 1}), false),
        (json!({"type": "assert-ref-snapshot-id", "ref": "other", "snapshot-id": null}), true),
        (json!({"type": "assert-last-assigned-field-id", "last-assigned-field-id": 2}), true),
        (json!({"type": "assert-current-schema-id", "current-schema-id": 1}), false),
        (json!({"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 1000}), true),
        (json!({"type": "assert-default-spec-id", "default-spec-id": 0}), true),
        (json!({"type": "assert-default-sort-order-id", "default-sort-order-id": 1}), false),
    ] {
        let requirement: TableRequirement = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&requirement).unwrap(), json);
        assert_eq!(requirement.check(Some(&table)).is_ok(), holds, "{json}");
    }
    assert!(TableRequirement::Create.check(None).is_ok());
    assert!(TableRequirement::CurrentSchemaId { current_schema_id: 0 }.check(None).is_err());
}

#[test]
fn columns_and_partitions_evolve() {
    let table = with_snapshots();
    let mut fields = table.current_schema().fields.clone();
    fields.push(NestedField::optional(3, "note", PrimitiveType::String));
    let field = |source_id, name: &str, transform| UnboundPartitionField {
        source_id,
        field_id: None,
        name: name.to_owned(),
        transform,
    };
    let spec = UnboundPartitionSpec {
        spec_id: None,
        fields: vec![field(1, "id_bucket", Transform::Bucket(4)), field(2, "ts_day", Transform::Day)],
    };
    let updates = [
        TableUpdate::AddSchema { schema: Schema::new(0, fields), last_column_id: None },
        TableUpdate::SetCurrentSchema { schema_id: -1 },
        TableUpdate::AddSpec { spec },
        TableUpdate::SetDefaultSpec { spec_id: -1 },
    ];
    let changed = table.apply(&updates, 5000).unwrap();
    assert_eq!((changed.current_schema_id, changed.last_column_id, changed.last_updated_ms), (1, 3, 5000));
    let ids: Vec<i32> = changed.default_spec().fields.iter().map(|field| field.field_id).collect();
    assert_eq!((changed.default_spec_id, ids), (1, vec![1001, 1000]));
    assert_eq!(changed.schema_of(changed.current_snapshot().unwrap()).fields.len(), 2);
    // The same once more changes nothing.
    let again = changed.apply(&updates, 5000).unwrap();
    assert_eq!((again.schemas.len(), again.partition_specs.len()), (2, 2));
}

#[test]
fn contradictions_are_refused() {
    let table = with_snapshots();
    let spec = |source_id, transform| TableUpdate::AddSpec {
        spec: UnboundPartitionSpec {
            spec_id: None,
            fields: vec![UnboundPartitionField { source_id, field_id: None, name: "p".to_owned(), transform }],
        },
    };
    for update in [
        TableUpdate::SetCurrentSchema { schema_id: -1 },
        TableUpdate::SetDefaultSpec { spec_id: 9 },
        TableUpdate::AddSnapshot { snapshot: snapshot(2, 3) },
        TableUpdate::AddSnapshot { snapshot: snapshot(3, 2) },
        TableUpdate::RemoveSnapshots { snapshot_ids: vec![2] },
        TableUpdate::UpgradeFormatVersion { format_version: 3 },
        main_at(9),
        spec(1, Transform::Day),
        spec(9, Transform::Identity),
    ] {
        assert!(table.apply(std::slice::from_ref(&update), 0).is_err(), "{update:?}");
    }
}

proptest::proptest! {
    #[test]
    fn damaged_metadata_is_an_error(at in proptest::prelude::any::<proptest::sample::Index>(), text in "[0-9a-z\"{}:,\\[\\]-]{0,12}", cut in 0_usize..12) {
        let mut json = String::from_utf8(with_snapshots().to_json()).unwrap();
        let at = at.index(json.len() - cut);
        json.replace_range(at..at + cut, &text);
        if let Ok(table) = TableMetadata::from_json(json.as_bytes()) {
            let _ = table.current_snapshot().map(|snapshot| table.schema_of(snapshot).clone());
            let _ = table.current_schema();
            let _: Vec<_> = table.partition_specs.iter().map(|spec| table.partition_columns(spec)).collect();
        }
    }
}

#[test]
fn snapshots_are_found_by_time_and_name_until_they_are_forgotten() {
    let table = with_snapshots();
    let at = |table: &TableMetadata, selector| table.select(&selector).map(|snapshot| snapshot.snapshot_id);
    assert_eq!(at(&table, SnapshotSelector::AsOf(1000)), None);
    assert_eq!(at(&table, SnapshotSelector::AsOf(1001)), Some(1));
    assert_eq!(at(&table, SnapshotSelector::AsOf(9000)), Some(2));
    assert_eq!(at(&table, SnapshotSelector::Reference(MAIN.to_owned())), Some(2));
    assert_eq!(at(&table, SnapshotSelector::Id(1)), Some(1));
    let tag = SnapshotReference { kind: RefKind::Tag, ..SnapshotReference::branch(1) };
    let tagged = table.apply(&[TableUpdate::SetSnapshotRef { ref_name: "old".to_owned(), reference: tag }], 0).unwrap();
    assert_eq!(at(&tagged, SnapshotSelector::Reference("old".to_owned())), Some(1));
    let forgotten = tagged.apply(&[TableUpdate::RemoveSnapshots { snapshot_ids: vec![1] }], 0).unwrap();
    assert_eq!(at(&forgotten, SnapshotSelector::AsOf(1001)), None);
    assert_eq!(at(&forgotten, SnapshotSelector::AsOf(9000)), Some(2));
    assert_eq!(forgotten.refs.len(), 1);
}
