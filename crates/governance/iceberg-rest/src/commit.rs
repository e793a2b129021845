//! Commits: changes of a table's state, with what they require of it.

use std::collections::BTreeMap;

use boathouse_iceberg::metadata::{
    SortOrder, TableCreation, TableMetadata, TableRequirement, TableUpdate, UnboundPartitionSpec,
};
use boathouse_iceberg::table::Table;
use boathouse_iceberg::transaction::Transaction;
use serde::Deserialize;
use uuid::Uuid;

use crate::error::RestError;
use crate::glue::{CallersFiles, Pointer, metadata_location};
use crate::route::TableName;
use crate::tables::loaded;
use crate::{Call, Reply};

#[derive(Debug, Deserialize)]
struct Commit {
    requirements: Vec<TableRequirement>,
    updates: Vec<TableUpdate>,
}

impl Call<'_> {
    pub(crate) async fn commit(&self, table: &TableName) -> Result<Reply, RestError> {
        let Commit { requirements, updates } = self.input()?;
        if requirements.contains(&TableRequirement::Create) {
            return self.create_staged(table, &requirements, &updates).await;
        }
        let found = self.table(table).await?;
        let location = metadata_location(&found).unwrap_or_default();
        let present = Table::load(CallersFiles::of(self), location).await?;
        let pointer = Pointer::new(self.ctx.clone(), table.clone());
        let transaction = Transaction::new(present).require(requirements).apply(updates);
        let committed = transaction.commit(&pointer).await.map_err(|error| pointer.told(error))?;
        Ok(loaded(Some(committed.metadata_location()), committed.metadata().as_ref()))
    }

    /// The end of what `stage-create` began: the table appears with its first rows.
    async fn create_staged(
        &self,
        table: &TableName,
        requirements: &[TableRequirement],
        updates: &[TableUpdate],
    ) -> Result<Reply, RestError> {
        for requirement in requirements {
            requirement.check(None)?;
        }
        self.database(&table.namespace).await?;
        let metadata = assembled(updates, self.ctx.now().timestamp_millis())?;
        let location = self.keep_new(table, &metadata).await?;
        Ok(loaded(Some(&location), metadata))
    }
}

/// The table that all these updates make out of nothing.
fn assembled(updates: &[TableUpdate], now_ms: i64) -> Result<TableMetadata, RestError> {
    let missing = |what: &str| RestError::bad_request(format!("a new table needs {what} among its updates"));
    let mut creation = TableCreation {
        location: String::new(),
        schema: boathouse_iceberg::schema::Schema::new(0, Vec::new()),
        partition_spec: UnboundPartitionSpec::default(),
        sort_order: SortOrder::default(),
        properties: BTreeMap::new(),
        uuid: Uuid::new_v4(),
        now_ms,
    };
    // Backwards, so that of several the first one counts; the others are changes of it.
    for update in updates.iter().rev() {
        match update {
            TableUpdate::AssignUuid { uuid } => creation.uuid = *uuid,
            TableUpdate::AddSchema { schema, .. } => creation.schema = schema.clone(),
            TableUpdate::AddSpec { spec } => creation.partition_spec = spec.clone(),
            TableUpdate::AddSortOrder { sort_order } => creation.sort_order = sort_order.clone(),
            TableUpdate::SetLocation { location } => location.clone_into(&mut creation.location),
            _ => {}
        }
    }
    if creation.location.is_empty() {
        return Err(missing("set-location"));
    }
    if creation.schema.fields.is_empty() {
        return Err(missing("add-schema"));
    }
    Ok(TableMetadata::create(creation)?.apply(updates, now_ms)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn updates(list: serde_json::Value) -> Vec<TableUpdate> {
        serde_json::from_value(list).unwrap()
    }

    #[test]
    fn a_staged_table_is_what_its_updates_say() {
        let schema = json!({"type": "struct", "schema-id": 0, "fields": [
            {"id": 1, "name": "a", "required": true, "type": "long"}, {"id": 2, "name": "d", "required": false, "type": "date"}]});
        let uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1";
        let list = updates(json!([
            {"action": "assign-uuid", "uuid": uuid},
            {"action": "upgrade-format-version", "format-version": 2},
            {"action": "add-schema", "schema": schema, "last-column-id": 2},
            {"action": "set-current-schema", "schema-id": -1},
            {"action": "add-spec", "spec": {"spec-id": 0, "fields": [
                {"source-id": 2, "field-id": 1000, "name": "d_month", "transform": "month"}]}},
            {"action": "set-default-spec", "spec-id": -1},
            {"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}},
            {"action": "set-default-sort-order", "sort-order-id": -1},
            {"action": "set-location", "location": "s3://lake/t"},
            {"action": "set-properties", "updates": {"a": "1"}},
            {"action": "add-snapshot", "snapshot": {"snapshot-id": 7, "sequence-number": 1, "timestamp-ms": 5,
                "manifest-list": "s3://lake/t/metadata/snap-7.avro", "summary": {"operation": "append"}, "schema-id": 0}},
            {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 7},
        ]));
        let table = assembled(&list, 9).unwrap();
        assert_eq!((table.location.as_str(), table.table_uuid.to_string().as_str()), ("s3://lake/t", uuid));
        assert_eq!((table.schemas.len(), table.partition_specs.len(), table.last_column_id), (1, 1, 2));
        assert_eq!(table.default_spec().fields[0].field_id, 1000);
        assert_eq!(table.current_snapshot().unwrap().snapshot_id, 7);
        assert_eq!(table.properties["a"], "1");
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        let error = assembled(&updates(json!([{"action": "set-location", "location": "s3://lake/t"}])), 1).unwrap_err();
        assert!(error.message.contains("add-schema"));
        assert!(serde_json::from_value::<Vec<TableUpdate>>(json!([{"action": "add-encryption-key"}])).is_err());
    }
}
