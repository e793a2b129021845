//! Iceberg tables: their files as rows, and rows as their files.
//!
//! | Module | What it holds |
//! |---|---|
//! | `buckets` | the session's buckets, as the format's crate reaches files |
//! | [`types`] | Iceberg's types, ours, and Glue's |
//! | `convert` | values of files ↔ values of queries |
//! | `by_id` | a file's columns found by field id |
//! | `labels` | the field ids of files of ORC and Avro |
//! | `filter` | filters as conditions that leave out files |
//! | `deletes` | files of deletes |
//! | `information` | `"t$snapshots"` and its kin |
//! | [`write`] | rows into data files |
//! | `metrics` | what a data file's footer says of its columns |

mod buckets;
mod by_id;
mod convert;
pub(crate) mod deletes;
pub(crate) mod filter;
mod information;
pub(crate) mod labels;
mod metrics;
pub mod types;
pub mod write;

use std::sync::Arc;

use boathouse_iceberg::Error;
use boathouse_iceberg::files::Files;
use boathouse_iceberg::kept::Kept;
use boathouse_iceberg::metadata::{Snapshot, TableMetadata};
use boathouse_iceberg::schema::Schema;
use boathouse_iceberg::table::Table;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};

use crate::catalog::{ColumnDefinition, Format, Session, TableDefinition};
use crate::error::of_object_store;

pub use buckets::BucketFiles;
use buckets::KeptFiles;
pub(crate) use by_id::ById;
pub(crate) use convert::by_place;
pub(crate) use information::Information;

/// What goes wrong in the format's crate, in Trino's words.
pub fn of_iceberg(error: Error) -> TrinoError {
    let code = match &error {
        Error::Invalid(_) | Error::Requirement(_) => ErrorCode::IcebergInvalidMetadata,
        Error::Unsupported(_) => ErrorCode::NotSupported,
        Error::Conflict(_) | Error::Changed(_) | Error::Catalog(_) | Error::Unknown(_) => ErrorCode::IcebergCommitError,
        Error::Store(store) => return of_object_store(store),
    };
    TrinoError::new(code, error.to_string())
}

/// Reads the metadata that a definition names.
///
/// # Errors
/// The definition is of no Iceberg table, or its metadata can't be read.
pub(crate) async fn open(
    session: &Session,
    definition: &TableDefinition,
    kept: &Arc<Kept>,
) -> Result<Table, TrinoError> {
    let Format::Iceberg { metadata_location } = &definition.format else {
        let message = format!("Table {}.{} is not an Iceberg table", definition.database, definition.name);
        return Err(TrinoError::new(ErrorCode::NotSupported, message));
    };
    let files: Arc<dyn Files> =
        Arc::new(KeptFiles { files: BucketFiles(Arc::clone(&session.buckets)), kept: Arc::clone(kept) });
    Table::load(files, metadata_location).await.map_err(of_iceberg)
}

/// The columns of a schema as a query's.
pub(crate) fn columns(schema: &Schema) -> Vec<ColumnDefinition> {
    let column = |field: &boathouse_iceberg::schema::NestedField| ColumnDefinition {
        name: field.name.to_lowercase(),
        ty: types::to_trino(&field.ty),
        hive_type: types::to_glue(&field.ty),
        comment: field.doc.clone(),
    };
    schema.fields.iter().map(column).collect()
}

/// A table's definition with the columns of one of its states: those of a snapshot, or of today.
pub(crate) fn defined(
    definition: &TableDefinition,
    metadata: &TableMetadata,
    at: Option<&Snapshot>,
) -> TableDefinition {
    let schema = at.map_or_else(|| metadata.current_schema(), |snapshot| metadata.schema_of(snapshot));
    TableDefinition { columns: columns(schema), partition_keys: Vec::new(), ..definition.clone() }
}
