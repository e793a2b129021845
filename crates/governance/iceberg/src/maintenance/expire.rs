//! Which snapshots and references are old enough to go ("Snapshot Retention Policy").

use std::collections::BTreeSet;

use crate::metadata::{MAIN, RefKind, TableMetadata, TableUpdate};

/// How long snapshots stay, where a branch doesn't say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Snapshots of at most this age stay, in milliseconds.
    pub max_age_ms: i64,
    /// So many of a branch's newest snapshots stay, whatever their age; one at least does.
    pub min_snapshots: usize,
}

/// The changes that make a table forget what is old at a time in milliseconds since 1970; none if there is nothing.
pub fn expired(table: &TableMetadata, retention: Retention, now_ms: i64) -> Vec<TableUpdate> {
    let mut updates = Vec::new();
    let mut kept = BTreeSet::new();
    for (name, reference) in &table.refs {
        let is_old = |since: i64, age: Option<i64>| age.is_some_and(|age| now_ms - since > age);
        let since = table.snapshot(reference.snapshot_id).map_or(now_ms, |snapshot| snapshot.timestamp_ms);
        if name != MAIN && is_old(since, reference.max_ref_age_ms) {
            updates.push(TableUpdate::RemoveSnapshotRef { ref_name: name.clone() });
            continue;
        }
        if reference.kind == RefKind::Tag {
            kept.insert(reference.snapshot_id);
            continue;
        }
        let least = reference.min_snapshots_to_keep.and_then(|count| usize::try_from(count).ok());
        let least = least.unwrap_or(retention.min_snapshots).max(1);
        let age = reference.max_snapshot_age_ms.unwrap_or(retention.max_age_ms);
        let ancestors = table.ancestors(reference.snapshot_id).enumerate();
        let young = ancestors.take_while(|(index, snapshot)| *index < least || now_ms - snapshot.timestamp_ms <= age);
        kept.extend(young.map(|(_, snapshot)| snapshot.snapshot_id));
    }
    let belongs: BTreeSet<i64> = table
        .refs
        .values()
        .flat_map(|reference| table.ancestors(reference.snapshot_id))
        .map(|snapshot| snapshot.snapshot_id)
        .collect();
    // What no reference leads to, such as staged snapshots, stays as long as anything of its age.
    let goes = table.snapshots.iter().filter(|snapshot| {
        let is_young = now_ms - snapshot.timestamp_ms <= retention.max_age_ms;
        !kept.contains(&snapshot.snapshot_id) && (belongs.contains(&snapshot.snapshot_id) || !is_young)
    });
    let snapshot_ids: Vec<i64> = goes.map(|snapshot| snapshot.snapshot_id).collect();
    if !snapshot_ids.is_empty() {
        updates.push(TableUpdate::RemoveSnapshots { snapshot_ids });
    }
    updates
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::metadata::{Snapshot, SnapshotReference, SortOrder, Summary, TableCreation, UnboundPartitionSpec};
    use crate::schema::{NestedField, PrimitiveType, Schema, Type};

    /// Snapshots 1 to 4 on main, made at 100, 200, 300, 400; 5 at 250, which nothing leads to.
    fn table() -> TableMetadata {
        let creation = TableCreation {
            location: "s3://lake/t".to_owned(),
            schema: Schema::new(0, vec![NestedField::optional(1, "a", Type::Primitive(PrimitiveType::Int))]),
            partition_spec: UnboundPartitionSpec::default(),
            sort_order: SortOrder::default(),
            properties: Default::default(),
            uuid: Uuid::nil(),
            now_ms: 1,
        };
        let snapshot = |id: i64, parent: Option<i64>, timestamp_ms: i64| TableUpdate::AddSnapshot {
            snapshot: Snapshot {
                snapshot_id: id,
                parent_snapshot_id: parent,
                sequence_number: id,
                timestamp_ms,
                manifest_list: format!("s3://lake/t/{id}"),
                summary: Summary::default(),
                schema_id: Some(0),
            },
        };
        let mut updates: Vec<_> = (1..=4).map(|id| snapshot(id, Some(id - 1).filter(|id| *id > 0), id * 100)).collect();
        updates.push(snapshot(5, Some(2), 250));
        updates.push(TableUpdate::SetSnapshotRef { ref_name: MAIN.into(), reference: SnapshotReference::branch(4) });
        TableMetadata::create(creation).unwrap().apply(&updates, 400).unwrap()
    }

    fn gone(table: &TableMetadata, max_age_ms: i64, min_snapshots: usize) -> Vec<i64> {
        let updates = expired(table, Retention { max_age_ms, min_snapshots }, 500);
        table.apply(&updates, 500).unwrap();
        let ids = updates.into_iter().find_map(|update| match update {
            TableUpdate::RemoveSnapshots { snapshot_ids } => Some(snapshot_ids),
            _ => None,
        });
        ids.unwrap_or_default()
    }

    #[test]
    fn age_and_number_keep_snapshots() {
        let table = table();
        assert!(gone(&table, 1_000, 1).is_empty());
        assert_eq!(gone(&table, 250, 1), [1, 2]);
        assert_eq!(gone(&table, 0, 1), [1, 2, 3, 5]);
        assert_eq!(gone(&table, 0, 3), [1, 5]);
        assert_eq!(gone(&table, 0, 0), [1, 2, 3, 5]);
    }

    #[test]
    fn tags_keep_theirs_until_they_go() {
        let tag = |age| SnapshotReference { kind: RefKind::Tag, max_ref_age_ms: age, ..SnapshotReference::branch(1) };
        let tagged = |age| {
            let update = TableUpdate::SetSnapshotRef { ref_name: "first".into(), reference: tag(age) };
            table().apply(&[update], 400).unwrap()
        };
        assert_eq!(gone(&tagged(None), 0, 1), [2, 3, 5]);
        assert_eq!(gone(&tagged(Some(10)), 0, 1), [1, 2, 3, 5]);
        let updates = expired(&tagged(Some(10)), Retention { max_age_ms: 0, min_snapshots: 1 }, 500);
        assert_eq!(updates[0], TableUpdate::RemoveSnapshotRef { ref_name: "first".into() });
    }
}
