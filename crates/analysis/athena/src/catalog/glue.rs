//! The Data Catalog's operations as the caller.

use boathouse_aws::{AwsError, Ctx};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::entities::{Partition, Table};

/// The catalog with the rights of one caller.
#[derive(Debug, Clone)]
pub(crate) struct Glue {
    ctx: Ctx,
}

/// A missing entity is an answer, not an error.
fn optional<T>(outcome: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code == "EntityNotFoundException" => Ok(None),
        Err(error) => Err(error),
    }
}

fn read<T: DeserializeOwned>(value: &mut Value, member: &str) -> Result<T, AwsError> {
    serde_json::from_value(value[member].take())
        .map_err(|error| AwsError::internal(format!("the catalog's answer is unreadable: {error}")))
}

impl Glue {
    pub(crate) fn new(ctx: Ctx) -> Self {
        Self { ctx }
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.ctx.call("glue", operation, input).await
    }

    /// All pages of a list.
    async fn all<T: DeserializeOwned>(
        &self,
        operation: &str,
        mut input: Value,
        member: &str,
    ) -> Result<Vec<T>, AwsError> {
        let mut all = Vec::new();
        loop {
            let mut page = self.call(operation, input.clone()).await?;
            all.extend(read::<Vec<T>>(&mut page, member)?);
            match page["NextToken"].take() {
                Value::Null => return Ok(all),
                token => input["NextToken"] = token,
            }
        }
    }

    pub(crate) async fn database(&self, name: &str) -> Result<Option<Value>, AwsError> {
        let found = optional(self.call("GetDatabase", json!({"Name": name})).await)?;
        Ok(found.map(|mut found| found["Database"].take()))
    }

    pub(crate) async fn databases(&self) -> Result<Vec<String>, AwsError> {
        let all: Vec<Value> = self.all("GetDatabases", json!({}), "DatabaseList").await?;
        Ok(all.iter().filter_map(|database| database["Name"].as_str().map(str::to_owned)).collect())
    }

    pub(crate) async fn create_database(&self, input: Value) -> Result<(), AwsError> {
        self.call("CreateDatabase", json!({"DatabaseInput": input})).await.map(drop)
    }

    pub(crate) async fn update_database(&self, name: &str, input: Value) -> Result<(), AwsError> {
        self.call("UpdateDatabase", json!({"Name": name, "DatabaseInput": input})).await.map(drop)
    }

    pub(crate) async fn delete_database(&self, name: &str) -> Result<(), AwsError> {
        self.call("DeleteDatabase", json!({"Name": name})).await.map(drop)
    }

    /// A database's tables and views; none of an unknown database.
    pub(crate) async fn tables(&self, database: &str) -> Result<Vec<Table>, AwsError> {
        let all = self.all("GetTables", json!({"DatabaseName": database}), "TableList").await;
        Ok(optional(all)?.unwrap_or_default())
    }

    pub(crate) async fn table(&self, database: &str, name: &str) -> Result<Option<Table>, AwsError> {
        let input = json!({"DatabaseName": database, "Name": name});
        match optional(self.call("GetTable", input).await)? {
            Some(mut found) => read(&mut found, "Table").map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn create_table(&self, database: &str, table: &Table) -> Result<(), AwsError> {
        self.call("CreateTable", json!({"DatabaseName": database, "TableInput": table})).await.map(drop)
    }

    /// Replaces a table if it is still the version that was read.
    pub(crate) async fn update_table(&self, database: &str, table: Table) -> Result<(), AwsError> {
        let version = table.other("VersionId").cloned();
        let input = json!({"DatabaseName": database, "TableInput": table.into_input(), "VersionId": version});
        self.call("UpdateTable", input).await.map(drop)
    }

    /// Replaces a table if it is still the version that was read, without keeping the earlier version.
    pub(crate) async fn swap_table(&self, database: &str, table: Table) -> Result<(), AwsError> {
        let version = table.other("VersionId").cloned();
        let input = json!({"DatabaseName": database, "TableInput": table.into_input(), "VersionId": version,
                           "SkipArchive": true});
        self.call("UpdateTable", input).await.map(drop)
    }

    pub(crate) async fn delete_table(&self, database: &str, name: &str) -> Result<(), AwsError> {
        self.call("DeleteTable", json!({"DatabaseName": database, "Name": name})).await.map(drop)
    }

    pub(crate) async fn partitions(
        &self,
        database: &str,
        table: &str,
        expression: Option<&str>,
    ) -> Result<Vec<Partition>, AwsError> {
        let input = json!({"DatabaseName": database, "TableName": table, "Expression": expression});
        self.all("GetPartitions", input, "Partitions").await
    }

    pub(crate) async fn partition(
        &self,
        database: &str,
        table: &str,
        values: &[String],
    ) -> Result<Option<Partition>, AwsError> {
        let input = json!({"DatabaseName": database, "TableName": table, "PartitionValues": values});
        match optional(self.call("GetPartition", input).await)? {
            Some(mut found) => read(&mut found, "Partition").map(Some),
            None => Ok(None),
        }
    }

    /// Adds partitions; those that are there already stay as they are. Gives the values of those.
    pub(crate) async fn create_partitions(
        &self,
        database: &str,
        table: &str,
        partitions: &[Partition],
    ) -> Result<Vec<Vec<String>>, AwsError> {
        let mut present = Vec::new();
        for batch in partitions.chunks(100) {
            let input = json!({"DatabaseName": database, "TableName": table, "PartitionInputList": batch});
            let answer = self.call("BatchCreatePartition", input).await?;
            for error in answer["Errors"].as_array().into_iter().flatten() {
                let detail = &error["ErrorDetail"];
                if detail["ErrorCode"] != "AlreadyExistsException" {
                    return Err(batch_error(detail));
                }
                present.push(values(&error["PartitionValues"]));
            }
        }
        Ok(present)
    }

    pub(crate) async fn delete_partitions(
        &self,
        database: &str,
        table: &str,
        all: &[Vec<String>],
    ) -> Result<(), AwsError> {
        for batch in all.chunks(25) {
            let named: Vec<Value> = batch.iter().map(|values| json!({"Values": values})).collect();
            let input = json!({"DatabaseName": database, "TableName": table, "PartitionsToDelete": named});
            let answer = self.call("BatchDeletePartition", input).await?;
            if let Some(error) = answer["Errors"].as_array().and_then(|errors| errors.first()) {
                return Err(batch_error(&error["ErrorDetail"]));
            }
        }
        Ok(())
    }

    pub(crate) async fn update_partition(
        &self,
        database: &str,
        table: &str,
        present: &[String],
        partition: Partition,
    ) -> Result<(), AwsError> {
        let input = json!({"DatabaseName": database, "TableName": table, "PartitionValueList": present,
                           "PartitionInput": partition.into_input()});
        self.call("UpdatePartition", input).await.map(drop)
    }
}

fn batch_error(detail: &Value) -> AwsError {
    let text = |member: &str| detail[member].as_str().unwrap_or_default().to_owned();
    AwsError::bad_request(text("ErrorCode"), text("ErrorMessage"))
}

fn values(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}
