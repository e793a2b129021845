//! The Data Catalog's operations as the job's role, and its tables as the engine knows tables.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use boathouse_aws::{AwsError, Ctx};
use boathouse_trino::catalog::{Catalog, ColumnDefinition, Format, PartitionDefinition, TableDefinition, TableKind};
use boathouse_trino::hive::Stored;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use serde::Deserialize;
use serde_json::{Value, json};

use super::compile::DATABASE;
use crate::failure::Failure;

/// A table of the catalogue, as it came. What the jobs do not know stays in it.
#[derive(Debug, Clone)]
pub(super) struct GlueTable(pub(super) Value);

/// A partition of the catalogue.
#[derive(Debug, Clone)]
pub(super) struct GluePartition(pub(super) Value);

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Storage {
    columns: Vec<GlueColumn>,
    location: String,
    input_format: Option<String>,
    serde_info: SerdeInfo,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct SerdeInfo {
    serialization_library: Option<String>,
    parameters: BTreeMap<String, String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "PascalCase", default)]
struct GlueColumn {
    name: String,
    #[serde(rename = "Type")]
    ty: String,
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    serde_json::from_value(value.clone())
        .map_err(|error| Failure::new(format!("the catalogue's answer can't be read: {error}")))
}

fn columns(list: Vec<GlueColumn>) -> Result<Vec<ColumnDefinition>, Failure> {
    let column = |column: GlueColumn| {
        let ty = Type::from_hive(&column.ty)?;
        Ok(ColumnDefinition { name: column.name.to_lowercase(), hive_type: column.ty, ty, comment: None })
    };
    list.into_iter().map(column).collect::<Result<_, TrinoError>>().map_err(Failure::from)
}

impl GlueTable {
    fn storage(&self) -> Result<Storage, Failure> {
        match &self.0["StorageDescriptor"] {
            Value::Null => Ok(Storage::default()),
            storage => read(storage),
        }
    }

    pub(super) fn parameters(&self) -> Result<BTreeMap<String, String>, Failure> {
        match &self.0["Parameters"] {
            Value::Null => Ok(BTreeMap::new()),
            parameters => read(parameters),
        }
    }

    pub(super) fn location(&self) -> Result<String, Failure> {
        Ok(self.storage()?.location)
    }

    pub(super) fn columns(&self) -> Result<Vec<ColumnDefinition>, Failure> {
        columns(self.storage()?.columns)
    }

    pub(super) fn partition_keys(&self) -> Result<Vec<ColumnDefinition>, Failure> {
        match &self.0["PartitionKeys"] {
            Value::Null => Ok(Vec::new()),
            keys => columns(read(keys)?),
        }
    }

    /// How its files are read; tables that are none of files are refused.
    pub(super) fn format(&self) -> Result<Format, Failure> {
        let parameters = self.parameters()?;
        let is = |name: &str, value: &str| parameters.get(name).is_some_and(|given| given.eq_ignore_ascii_case(value));
        let refuse = |what: &str| Err(Failure::new(format!("Boathouse jobs can't use {what} yet")));
        if self.0["TableType"] == "VIRTUAL_VIEW" {
            return refuse("views");
        }
        if is("table_type", "ICEBERG") {
            return refuse("Iceberg tables");
        }
        if is("projection.enabled", "true") {
            return refuse("tables with partition projection");
        }
        let storage = self.storage()?;
        let library = storage.serde_info.serialization_library.unwrap_or_default();
        let stored = Stored {
            library: &library,
            input_format: storage.input_format.as_deref(),
            serde: &storage.serde_info.parameters,
            table: &parameters,
        };
        match stored.format() {
            Format::Unsupported(name) => refuse(&format!("tables stored as {name}")),
            format => Ok(format),
        }
    }
}

impl GluePartition {
    pub(super) fn values(&self) -> Vec<String> {
        let values = self.0["Values"].as_array().into_iter().flatten();
        values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn location(&self) -> Result<String, Failure> {
        let storage: Storage = read(&self.0["StorageDescriptor"])?;
        Ok(storage.location)
    }

    /// How its files are read, if not as the table says.
    pub(super) fn format(&self, table: &GlueTable) -> Result<Option<Format>, Failure> {
        let storage: Storage = read(&self.0["StorageDescriptor"])?;
        let Some(library) = storage.serde_info.serialization_library else { return Ok(None) };
        let parameters = table.parameters()?;
        let stored = Stored {
            library: &library,
            input_format: storage.input_format.as_deref(),
            serde: &storage.serde_info.parameters,
            table: &parameters,
        };
        Ok(Some(stored.format()).filter(|format| table.format().ok().as_ref() != Some(format)))
    }
}

/// The catalogue with the rights of a job's role.
#[derive(Debug, Clone)]
pub(super) struct Glue {
    ctx: Ctx,
}

impl Glue {
    pub(super) fn new(ctx: &Ctx) -> Self {
        Self { ctx: ctx.clone() }
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.ctx.call("glue", operation, input).await
    }

    pub(super) async fn table(&self, database: &str, name: &str) -> Result<Option<GlueTable>, Failure> {
        match self.call("GetTable", json!({"DatabaseName": database, "Name": name})).await {
            Ok(mut found) => Ok(Some(GlueTable(found["Table"].take()))),
            Err(error) if error.code == "EntityNotFoundException" => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn create_table(&self, database: &str, input: Value) -> Result<(), Failure> {
        Ok(self.call("CreateTable", json!({"DatabaseName": database, "TableInput": input})).await.map(drop)?)
    }

    /// Replaces a table if it is still the version that was read.
    pub(super) async fn update_table(&self, database: &str, table: GlueTable) -> Result<(), Failure> {
        const READ_ONLY: [&str; 8] = [
            "DatabaseName",
            "CreateTime",
            "UpdateTime",
            "CreatedBy",
            "IsRegisteredWithLakeFormation",
            "CatalogId",
            "VersionId",
            "CreationTime",
        ];
        let mut input = table.0;
        let version = input["VersionId"].take();
        if let Some(members) = input.as_object_mut() {
            members.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        }
        let input = json!({"DatabaseName": database, "TableInput": input, "VersionId": version});
        Ok(self.call("UpdateTable", input).await.map(drop)?)
    }

    pub(super) async fn partitions(
        &self,
        database: &str,
        table: &str,
        expression: Option<&str>,
    ) -> Result<Vec<GluePartition>, Failure> {
        let mut input = json!({"DatabaseName": database, "TableName": table, "Expression": expression});
        let mut all = Vec::new();
        loop {
            let mut page = self.call("GetPartitions", input.clone()).await?;
            if let Value::Array(found) = page["Partitions"].take() {
                all.extend(found.into_iter().map(GluePartition));
            }
            match page["NextToken"].take() {
                Value::Null => return Ok(all),
                token => input["NextToken"] = token,
            }
        }
    }

    /// Adds partitions; those that are there already stay as they are.
    pub(super) async fn create_partitions(&self, database: &str, table: &str, new: &[Value]) -> Result<(), Failure> {
        for batch in new.chunks(100) {
            let input = json!({"DatabaseName": database, "TableName": table, "PartitionInputList": batch});
            let answer = self.call("BatchCreatePartition", input).await?;
            for error in answer["Errors"].as_array().into_iter().flatten() {
                let detail = &error["ErrorDetail"];
                if detail["ErrorCode"] != "AlreadyExistsException" {
                    let text = |member: &str| detail[member].as_str().unwrap_or_default().to_owned();
                    return Err(AwsError::bad_request(text("ErrorCode"), text("ErrorMessage")).into());
                }
            }
        }
        Ok(())
    }
}

/// A source's table, which only its job knows.
#[derive(Debug, Clone)]
pub(super) struct JobTable {
    pub(super) columns: Vec<ColumnDefinition>,
    pub(super) partition_keys: Vec<ColumnDefinition>,
    pub(super) location: String,
    pub(super) format: Format,
    pub(super) partitions: Vec<PartitionDefinition>,
}

/// The sources' tables as the engine sees them.
#[derive(Debug)]
pub(super) struct JobCatalog {
    tables: HashMap<String, JobTable>,
}

impl JobCatalog {
    pub(super) fn new(tables: HashMap<String, JobTable>) -> Self {
        Self { tables }
    }
}

#[async_trait]
impl Catalog for JobCatalog {
    async fn databases(&self) -> Result<Vec<String>, TrinoError> {
        Ok(vec![DATABASE.to_owned()])
    }

    async fn tables(&self, _: &str) -> Result<Vec<String>, TrinoError> {
        Ok(self.tables.keys().cloned().collect())
    }

    async fn table(&self, _: &str, name: &str) -> Result<Option<TableDefinition>, TrinoError> {
        Ok(self.tables.get(name).map(|table| TableDefinition {
            database: DATABASE.to_owned(),
            name: name.to_owned(),
            kind: TableKind::Table,
            columns: table.columns.clone(),
            partition_keys: table.partition_keys.clone(),
            location: table.location.clone(),
            format: table.format.clone(),
            buckets: None,
            parameters: BTreeMap::new(),
        }))
    }

    async fn partitions(&self, _: &str, table: &str, _: Option<&str>) -> Result<Vec<PartitionDefinition>, TrinoError> {
        Ok(self.tables.get(table).map(|table| table.partitions.clone()).unwrap_or_default())
    }
}
