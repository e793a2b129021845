//! Tables: list, create, register, load, drop, rename.

use std::collections::BTreeMap;

use boathouse_iceberg::files::{self, Files};
use boathouse_iceberg::metadata::{SortOrder, TableCreation, TableMetadata, UnboundPartitionSpec};
use boathouse_iceberg::schema::Schema;
use boathouse_iceberg::table::Table;
use boathouse_iceberg::transaction::write_first_metadata;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::RestError;
use crate::glue::{CallersFiles, metadata_location, table_input};
use crate::route::{TableName, single};
use crate::{Call, Reply};

/// The property by which clients ask for a version of the format.
const FORMAT_VERSION: &str = "format-version";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Create {
    name: String,
    #[serde(default)]
    location: Option<String>,
    schema: Schema,
    #[serde(default)]
    partition_spec: Option<UnboundPartitionSpec>,
    #[serde(default)]
    write_order: Option<SortOrder>,
    #[serde(default)]
    stage_create: bool,
    #[serde(default)]
    properties: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Register {
    name: String,
    metadata_location: String,
    #[serde(default)]
    overwrite: bool,
}

#[derive(Debug, Deserialize)]
struct Rename {
    source: Identifier,
    destination: Identifier,
}

#[derive(Debug, Deserialize)]
struct Identifier {
    namespace: Vec<String>,
    name: String,
}

impl Identifier {
    fn table(self) -> Result<TableName, RestError> {
        Ok(TableName { namespace: single(&self.namespace)?, name: self.name.to_lowercase() })
    }
}

/// A table's state as clients load it.
pub(crate) fn loaded(location: Option<&str>, metadata: impl serde::Serialize) -> Reply {
    json!({"metadata-location": location, "metadata": metadata, "config": {}}).into()
}

impl Call<'_> {
    /// What Glue has of an Iceberg table. Its other tables are none here.
    pub(crate) async fn table(&self, table: &TableName) -> Result<Value, RestError> {
        let TableName { namespace, name } = table;
        let found = match self.glue("GetTable", json!({"DatabaseName": namespace, "Name": name})).await {
            Ok(mut found) => found["Table"].take(),
            Err(error) if error.is_missing() => return Err(RestError::no_table(namespace, name)),
            Err(error) => return Err(error),
        };
        if metadata_location(&found).is_none() {
            let message = format!("{namespace}.{name} is no Iceberg table");
            return Err(RestError::not_found("NoSuchIcebergTableException", message));
        }
        Ok(found)
    }

    pub(crate) async fn list_tables(&self, namespace: &str) -> Result<Reply, RestError> {
        let listed = self.pages("GetTables", json!({"DatabaseName": namespace}), "TableList").await;
        let (found, next) = listed.map_err(|error| match error.is_missing() {
            true => RestError::no_namespace(namespace),
            false => error,
        })?;
        let identifier = |table: &Value| json!({"namespace": [namespace], "name": table["Name"]});
        let identifiers: Vec<Value> = found.iter().map(identifier).collect();
        Ok(json!({"identifiers": identifiers, "next-page-token": next}).into())
    }

    pub(crate) async fn create_table(&self, namespace: &str) -> Result<Reply, RestError> {
        let create: Create = self.input()?;
        let table = TableName { namespace: namespace.to_owned(), name: create.name.to_lowercase() };
        let database = self.database(namespace).await?;
        let mut properties = create.properties.unwrap_or_default();
        if let Some(version) = properties.remove(FORMAT_VERSION).filter(|version| version != "2") {
            return Err(RestError::unsupported(format_args!("tables of Iceberg's format version {version}")));
        }
        let location = match (create.location.filter(|location| !location.is_empty()), database["LocationUri"].as_str())
        {
            (Some(location), _) => location,
            (None, Some(folder)) => format!("{}/{}", folder.trim_end_matches('/'), table.name),
            (None, None) => {
                let message = "the table needs a location: the request has none, nor has the namespace";
                return Err(RestError::bad_request(message));
            }
        };
        let metadata = TableMetadata::create(TableCreation {
            location,
            schema: create.schema,
            partition_spec: create.partition_spec.unwrap_or_default(),
            sort_order: create.write_order.unwrap_or_default(),
            properties,
            uuid: Uuid::new_v4(),
            now_ms: self.ctx.now().timestamp_millis(),
        })?;
        if create.stage_create {
            return match self.table(&table).await {
                Err(error) if error.is_missing() && error.kind == "NoSuchTableException" => Ok(loaded(None, metadata)),
                Ok(_) | Err(RestError { status: StatusCode::NOT_FOUND, .. }) => Err(already(&table)),
                Err(error) => Err(error),
            };
        }
        let location = self.keep_new(&table, &metadata).await?;
        Ok(loaded(Some(&location), metadata))
    }

    /// Writes a new table's state and puts the table into the Data Catalog. What was written goes if that fails.
    pub(crate) async fn keep_new(&self, table: &TableName, metadata: &TableMetadata) -> Result<String, RestError> {
        let files = CallersFiles::of(self);
        let location = write_first_metadata(files.as_ref(), metadata, Uuid::new_v4()).await?;
        let input = table_input(Value::Null, &table.name, &location, metadata);
        match self.put_table(table, input).await {
            Ok(()) => Ok(location),
            Err(error) => {
                forget(files.as_ref(), location).await;
                Err(error)
            }
        }
    }

    async fn put_table(&self, table: &TableName, input: Value) -> Result<(), RestError> {
        let input = json!({"DatabaseName": table.namespace, "TableInput": input});
        match self.glue("CreateTable", input).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_missing() => Err(RestError::no_namespace(&table.namespace)),
            Err(error) if error.status == StatusCode::CONFLICT => Err(already(table)),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn register_table(&self, namespace: &str) -> Result<Reply, RestError> {
        let Register { name, metadata_location, overwrite } = self.input()?;
        if overwrite {
            return Err(RestError::unsupported("the registration of a table over another one"));
        }
        let table = TableName { namespace: namespace.to_owned(), name: name.to_lowercase() };
        let (content, metadata) = self.read(&metadata_location).await?;
        self.put_table(&table, table_input(Value::Null, &table.name, &metadata_location, &metadata)).await?;
        Ok(loaded(Some(&metadata_location), content))
    }

    /// A metadata file, as it is and as it is understood.
    async fn read(&self, location: &str) -> Result<(Value, TableMetadata), RestError> {
        let content = files::read(CallersFiles::of(self).as_ref(), location).await;
        let content = content.map_err(|error| match error {
            boathouse_iceberg::Error::Store(error) => RestError::of_store(error, location),
            other => other.into(),
        })?;
        let metadata = TableMetadata::from_json(&content)?;
        let content =
            serde_json::from_slice(&content).map_err(|error| RestError::internal(format!("{location}: {error}")))?;
        Ok((content, metadata))
    }

    pub(crate) async fn load_table(&self, table: &TableName) -> Result<Reply, RestError> {
        let found = self.table(table).await?;
        let location = metadata_location(&found).unwrap_or_default();
        let (mut content, metadata) = self.read(location).await?;
        match self.query.get("snapshots").map(String::as_str) {
            None | Some("all") => {}
            Some("refs") => {
                let named: Vec<i64> = metadata.refs.values().map(|reference| reference.snapshot_id).collect();
                if let Some(snapshots) = content["snapshots"].as_array_mut() {
                    snapshots.retain(|one| one["snapshot-id"].as_i64().is_some_and(|id| named.contains(&id)));
                }
            }
            Some(other) => return Err(RestError::bad_request(format!("snapshots must be all or refs, not {other}"))),
        }
        Ok(loaded(Some(location), content))
    }

    pub(crate) async fn table_exists(&self, table: &TableName) -> Result<Reply, RestError> {
        self.table(table).await.map(|_| Reply::empty())
    }

    pub(crate) async fn drop_table(&self, table: &TableName) -> Result<Reply, RestError> {
        let found = self.table(table).await?;
        let purged = match self.says("purgeRequested") {
            true => Some(self.files_of(metadata_location(&found).unwrap_or_default()).await?),
            false => None,
        };
        self.glue("DeleteTable", json!({"DatabaseName": table.namespace, "Name": table.name})).await?;
        if let Some(purged) = purged {
            files::delete(CallersFiles::of(self).as_ref(), &purged).await?;
        }
        Ok(Reply::empty())
    }

    /// All files that a table's metadata leads to.
    async fn files_of(&self, location: &str) -> Result<Vec<String>, RestError> {
        let table = Table::load(CallersFiles::of(self), location).await?;
        Ok(table.reachable().await?.into_iter().collect())
    }

    /// Glue can't rename: the table is there under both names for a moment, and never under none.
    pub(crate) async fn rename_table(&self) -> Result<Reply, RestError> {
        let Rename { source, destination } = self.input()?;
        let (source, destination) = (source.table()?, destination.table()?);
        let found = self.table(&source).await?;
        let location = metadata_location(&found).unwrap_or_default().to_owned();
        let (_, metadata) = self.read(&location).await?;
        let mut input = table_input(found.clone(), &destination.name, &location, &metadata);
        input["Parameters"]["previous_metadata_location"] = found["Parameters"]["previous_metadata_location"].clone();
        if input["Parameters"]["previous_metadata_location"].is_null() {
            input["Parameters"].as_object_mut().map(|parameters| parameters.remove("previous_metadata_location"));
        }
        self.put_table(&destination, input).await?;
        if let Err(error) = self.give_up(&source, &location).await {
            let taken_back = json!({"DatabaseName": destination.namespace, "Name": destination.name});
            if let Err(left) = self.glue("DeleteTable", taken_back).await {
                tracing::warn!(error = %left, table = destination.name, "a table that could not be renamed has two names");
            }
            return Err(error);
        }
        Ok(Reply::empty())
    }

    /// Removes a table's name, if the table is still in this state.
    async fn give_up(&self, table: &TableName, location: &str) -> Result<(), RestError> {
        if metadata_location(&self.table(table).await?) != Some(location) {
            return Err(RestError::conflict("the table has been changed while it was renamed"));
        }
        self.glue("DeleteTable", json!({"DatabaseName": table.namespace, "Name": table.name})).await.map(drop)
    }
}

fn already(table: &TableName) -> RestError {
    RestError::exists(format!("Table already exists: {}.{}", table.namespace, table.name))
}

/// Removes a file that nothing names.
async fn forget(files: &dyn Files, location: String) {
    if let Err(error) = files::delete(files, std::slice::from_ref(&location)).await {
        tracing::warn!(%error, location, "the metadata of a table that was not made stays behind");
    }
}
