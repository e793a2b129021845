//! The catalog's entry of an Iceberg table, as AWS keeps it: parameters that name the metadata file, and the columns of today.

use async_trait::async_trait;
use boathouse_aws::AwsError;
use boathouse_iceberg::metadata::TableMetadata;
use boathouse_iceberg::schema::NestedField;
use boathouse_iceberg::transaction::Catalog;
use boathouse_iceberg::{Error, Result};
use boathouse_trino::iceberg::types::to_glue;
use serde_json::{Map, json};

use crate::catalog::entities::{Column, METADATA_LOCATION, PREVIOUS_METADATA_LOCATION, Table};
use crate::catalog::glue::Glue;

/// A table that the catalog has.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) glue: Glue,
    pub(crate) database: String,
    pub(crate) table: String,
}

impl Entry {
    async fn find(&self) -> Result<Table> {
        let found = self.glue.table(&self.database, &self.table).await.map_err(refused)?;
        found.ok_or_else(|| Error::Changed(format!("Table {}.{} was dropped", self.database, self.table)))
    }
}

#[async_trait]
impl Catalog for Entry {
    async fn metadata_location(&self) -> Result<String> {
        let found = self.find().await?;
        let location = found.metadata_location().map(str::to_owned);
        location.ok_or_else(|| Error::Changed(format!("Table {}.{} is no Iceberg table any more", self.database, self.table)))
    }

    async fn swap(&self, expected: &str, location: &str, metadata: &TableMetadata) -> Result<()> {
        let found = self.find().await?;
        if found.metadata_location() != Some(expected) {
            return Err(Error::Conflict(format!("Table {}.{} has been changed meanwhile", self.database, self.table)));
        }
        // The entry's version is compared in the transaction that sets it.
        let changed = updated(found, metadata, location);
        self.glue.swap_table(&self.database, changed).await.map_err(refused)
    }
}

/// A table that is about to come.
#[derive(Debug, Clone)]
pub(crate) struct NewEntry {
    pub(crate) entry: Entry,
    /// The table's comment.
    pub(crate) comment: Option<String>,
    /// The first metadata file, which isn't the catalog's yet.
    pub(crate) first: String,
}

#[async_trait]
impl Catalog for NewEntry {
    async fn metadata_location(&self) -> Result<String> {
        Ok(self.first.clone())
    }

    async fn swap(&self, _: &str, location: &str, metadata: &TableMetadata) -> Result<()> {
        let Entry { glue, database, table } = &self.entry;
        let fresh = Table {
            name: table.clone(),
            description: self.comment.clone(),
            owner: Some("hadoop".to_owned()),
            table_type: Some("EXTERNAL_TABLE".to_owned()),
            ..Table::default()
        };
        glue.create_table(database, &updated(fresh, metadata, location)).await.map_err(refused)
    }
}

fn refused(error: AwsError) -> Error {
    match error.code.as_ref() {
        "ConcurrentModificationException" => Error::Conflict(error.message),
        "EntityNotFoundException" | "AlreadyExistsException" => Error::Changed(error.message),
        _ if error.status.is_server_error() => Error::Unknown(error.message),
        code => Error::Catalog(format!("{code}: {}", error.message)),
    }
}

/// An entry that names a metadata file and shows what it holds.
fn updated(mut entry: Table, metadata: &TableMetadata, location: &str) -> Table {
    entry.parameters.insert("table_type".to_owned(), "ICEBERG".to_owned());
    if let Some(previous) = entry.parameters.insert(METADATA_LOCATION.to_owned(), location.to_owned()) {
        entry.parameters.insert(PREVIOUS_METADATA_LOCATION.to_owned(), previous);
    }
    entry.storage_descriptor.location = Some(metadata.location.clone());
    entry.storage_descriptor.columns = metadata.current_schema().fields.iter().map(column).collect();
    entry
}

fn column(field: &NestedField) -> Column {
    let parameters = json!({
        "iceberg.field.current": "true",
        "iceberg.field.id": field.id.to_string(),
        "iceberg.field.optional": (!field.required).to_string(),
    });
    let rest = Map::from_iter([("Parameters".to_owned(), parameters)]);
    Column { rest, ..Column::new(field.name.to_lowercase(), to_glue(&field.ty), field.doc.clone()) }
}
