//! Brings the Data Catalog in step with what a crawl found, through the catalog's own operations, as the crawler's role.

use std::collections::{BTreeMap, BTreeSet};

use boathouse_aws::{AwsError, Ctx};
use serde_json::{Value, json};

use crate::api::{DeleteBehavior, UpdateBehavior};
use crate::layout::{FoundPartition, FoundTable};
use crate::table::{DEPRECATED_MARK, Naming, OWNER_MARK};

/// Partitions that one batch call takes.
const BATCH: usize = 100;
/// Partitions that one batch deletion takes.
const DELETE_BATCH: usize = 25;

/// What a crawl changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) tables_created: u64,
    pub(crate) tables_updated: u64,
    pub(crate) tables_deleted: u64,
    pub(crate) partitions_created: u64,
    pub(crate) partitions_updated: u64,
    pub(crate) partitions_deleted: u64,
}

/// One crawl's way to the catalog.
pub(crate) struct Sync<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) database: &'a str,
    pub(crate) naming: Naming<'a>,
    pub(crate) updates: UpdateBehavior,
    pub(crate) deletes: DeleteBehavior,
    /// Whether columns that the files no longer have stay in the table (`MergeNewColumns`).
    pub(crate) keep_columns: bool,
    pub(crate) changes: Changes,
}

impl Sync<'_> {
    async fn call(&self, operation: &str, mut input: Value) -> Result<Value, AwsError> {
        input["DatabaseName"] = self.database.into();
        self.ctx.call("glue", operation, input).await
    }

    async fn table(&self, name: &str) -> Result<Option<Value>, AwsError> {
        match self.call("GetTable", json!({"Name": name})).await {
            Ok(answer) => Ok(Some(answer["Table"].clone())),
            Err(error) if error.code == "EntityNotFoundException" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates or updates a table with its partitions, and answers its name.
    pub(crate) async fn apply(&mut self, found: &FoundTable) -> Result<String, AwsError> {
        let location = self.naming.location(&found.path);
        let plain = self.naming.table(found);
        let hashed =
            format!("{plain}_{:08x}", crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, location.as_bytes()));
        for name in [plain, hashed] {
            match self.table(&name).await? {
                None => {
                    let input = self.naming.table_input(&name, found);
                    self.call("CreateTable", json!({"TableInput": input})).await?;
                    self.changes.tables_created += 1;
                }
                // Another place has the name: AWS's crawlers add a hash, and so do ours.
                Some(table) if location_of(&table) != location.trim_end_matches('/') => continue,
                Some(table) => self.update(&name, &table, found).await?,
            }
            self.partitions(&name, found).await?;
            return Ok(name);
        }
        let message = format!("no name is free for the table at {location}");
        Err(AwsError::bad_request("AlreadyExistsException", message))
    }

    async fn update(&mut self, name: &str, present: &Value, found: &FoundTable) -> Result<(), AwsError> {
        let mut input = self.naming.table_input(name, found);
        if self.keep_columns {
            merge_missing(&mut input["StorageDescriptor"]["Columns"], &present["StorageDescriptor"]["Columns"]);
        }
        let same = ["Columns", "SerdeInfo", "InputFormat"]
            .iter()
            .all(|part| input["StorageDescriptor"][part] == present["StorageDescriptor"][part]);
        let same_keys = input["PartitionKeys"] == present["PartitionKeys"];
        let counted = input["Parameters"]["sizeKey"] == present["Parameters"]["sizeKey"];
        if same && same_keys && counted && present["Parameters"].get(DEPRECATED_MARK).is_none() {
            return Ok(());
        }
        if self.updates == UpdateBehavior::Log && !(same && same_keys) {
            tracing::info!(table = name, "the schema has changed; the crawler's policy is to log it");
            return Ok(());
        }
        self.call("UpdateTable", json!({"TableInput": input, "SkipArchive": same && same_keys})).await?;
        self.changes.tables_updated += u64::from(!(same && same_keys));
        Ok(())
    }

    async fn partitions(&mut self, table: &str, found: &FoundTable) -> Result<(), AwsError> {
        let mut present = self.present_partitions(table).await?;
        let mut missing = Vec::new();
        for partition in &found.partitions {
            match present.remove(&partition.values) {
                None => missing.push(self.naming.partition_input(partition)),
                Some(old) => self.update_partition(table, &old, partition).await?,
            }
        }
        for batch in missing.chunks(BATCH) {
            let input = json!({"TableName": table, "PartitionInputList": batch});
            let answer = self.call("BatchCreatePartition", input).await?;
            first_error(&answer)?;
            self.changes.partitions_created += batch.len() as u64;
        }
        self.drop_partitions(table, present).await
    }

    async fn update_partition(&mut self, table: &str, old: &Value, found: &FoundPartition) -> Result<(), AwsError> {
        let input = self.naming.partition_input(found);
        let same = ["Columns", "Location", "SerdeInfo"]
            .iter()
            .all(|part| input["StorageDescriptor"][part] == old["StorageDescriptor"][part]);
        if same || self.updates == UpdateBehavior::Log {
            return Ok(());
        }
        let request = json!({"TableName": table, "PartitionValueList": found.values, "PartitionInput": input});
        self.call("UpdatePartition", request).await?;
        self.changes.partitions_updated += 1;
        Ok(())
    }

    async fn present_partitions(&self, table: &str) -> Result<BTreeMap<Vec<String>, Value>, AwsError> {
        let mut found = BTreeMap::new();
        let mut token = Value::Null;
        loop {
            let answer = self.call("GetPartitions", json!({"TableName": table, "NextToken": token})).await?;
            for partition in answer["Partitions"].as_array().into_iter().flatten() {
                let values = partition["Values"].as_array().into_iter().flatten();
                let values = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
                found.insert(values, partition.clone());
            }
            token = answer["NextToken"].clone();
            if token.is_null() {
                return Ok(found);
            }
        }
    }

    /// Partitions whose folders are gone. Only those that a crawler made: people's own partitions are theirs.
    async fn drop_partitions(&mut self, table: &str, gone: BTreeMap<Vec<String>, Value>) -> Result<(), AwsError> {
        let ours = |partition: &Value| partition["Parameters"][OWNER_MARK] == self.naming.crawler;
        let gone: Vec<(Vec<String>, Value)> = gone.into_iter().filter(|(_, partition)| ours(partition)).collect();
        match self.deletes {
            DeleteBehavior::Log => tracing::info!(table, partitions = gone.len(), "partitions have lost their files"),
            DeleteBehavior::DeleteFromDatabase => {
                for batch in gone.chunks(DELETE_BATCH) {
                    let values: Vec<Value> = batch.iter().map(|(values, _)| json!({"Values": values})).collect();
                    let request = json!({"TableName": table, "PartitionsToDelete": values});
                    first_error(&self.call("BatchDeletePartition", request).await?)?;
                    self.changes.partitions_deleted += batch.len() as u64;
                }
            }
            DeleteBehavior::DeprecateInDatabase => {
                for (values, partition) in gone {
                    let Some(parameters) = self.deprecated(&partition) else { continue };
                    let input = json!({
                        "Values": values,
                        "StorageDescriptor": partition["StorageDescriptor"],
                        "Parameters": parameters,
                    });
                    let request = json!({"TableName": table, "PartitionValueList": values, "PartitionInput": input});
                    self.call("UpdatePartition", request).await?;
                    self.changes.partitions_deleted += 1;
                }
            }
        }
        Ok(())
    }

    /// The entity's properties with the mark, or nothing if it has been marked before.
    fn deprecated(&self, entity: &Value) -> Option<Value> {
        let mut parameters = entity["Parameters"].clone();
        if parameters.get(DEPRECATED_MARK).is_some() {
            return None;
        }
        parameters[DEPRECATED_MARK] = self.ctx.now().timestamp_millis().to_string().into();
        Some(parameters)
    }

    /// Tables that this crawler made below one of `targets` and that the crawl did not find again.
    pub(crate) async fn drop_tables(&mut self, kept: &BTreeSet<String>, targets: &[String]) -> Result<(), AwsError> {
        let mut token = Value::Null;
        loop {
            let answer = self.call("GetTables", json!({"NextToken": token})).await?;
            for table in answer["TableList"].as_array().into_iter().flatten() {
                let name = table["Name"].as_str().unwrap_or_default();
                let location = format!("{}/", location_of(table));
                let below = targets.iter().any(|target| location.starts_with(target));
                if table["Parameters"][OWNER_MARK] == self.naming.crawler && below && !kept.contains(name) {
                    self.drop_table(name, table).await?;
                }
            }
            token = answer["NextToken"].clone();
            if token.is_null() {
                return Ok(());
            }
        }
    }

    async fn drop_table(&mut self, name: &str, table: &Value) -> Result<(), AwsError> {
        match self.deletes {
            DeleteBehavior::Log => {
                tracing::info!(table = name, "the table has lost its files");
                return Ok(());
            }
            DeleteBehavior::DeleteFromDatabase => {
                self.call("DeleteTable", json!({"Name": name})).await?;
            }
            DeleteBehavior::DeprecateInDatabase => {
                let Some(parameters) = self.deprecated(table) else { return Ok(()) };
                let mut input = json!({"Parameters": parameters});
                for part in ["Name", "Owner", "Retention", "TableType", "StorageDescriptor", "PartitionKeys"] {
                    input[part] = table[part].clone();
                }
                self.call("UpdateTable", json!({"TableInput": input, "SkipArchive": true})).await?;
            }
        }
        self.changes.tables_deleted += 1;
        Ok(())
    }
}

fn location_of(table: &Value) -> &str {
    table["StorageDescriptor"]["Location"].as_str().unwrap_or_default().trim_end_matches('/')
}

/// Adds the columns of `old` that `columns` lacks.
fn merge_missing(columns: &mut Value, old: &Value) {
    let Some(columns) = columns.as_array_mut() else { return };
    for column in old.as_array().into_iter().flatten() {
        if !columns.iter().any(|present| present["Name"] == column["Name"]) {
            columns.push(column.clone());
        }
    }
}

/// Batch calls answer 200 with the failures inside.
fn first_error(answer: &Value) -> Result<(), AwsError> {
    let Some(error) = answer["Errors"].as_array().and_then(|errors| errors.first()) else { return Ok(()) };
    let text = |member: &str| error["ErrorDetail"][member].as_str().unwrap_or_default().to_owned();
    if text("ErrorCode") == "AlreadyExistsException" {
        return Ok(()); // somebody else was quicker, and the partition is there
    }
    Err(AwsError::bad_request("InternalServiceException", format!("{}: {}", text("ErrorCode"), text("ErrorMessage"))))
}
