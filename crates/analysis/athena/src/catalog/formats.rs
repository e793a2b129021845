//! How the engine reads the catalog's tables.

use boathouse_trino::catalog::Format;
use boathouse_trino::hive::Stored;
pub(crate) use boathouse_trino::hive::{Classes, LAZY_SIMPLE, classes};

use super::entities::{Parameters, Storage, Table};

/// How the engine reads a table.
pub(crate) fn of_table(table: &Table) -> Format {
    if table.is_iceberg() {
        return match table.metadata_location() {
            Some(location) => Format::Iceberg { metadata_location: location.to_owned() },
            None => Format::Unsupported("ICEBERG without metadata_location".to_owned()),
        };
    }
    of_storage(&table.storage_descriptor, &table.parameters)
}

/// How the engine reads what is stored so, in a table with these properties.
pub(crate) fn of_storage(storage: &Storage, table: &Parameters) -> Format {
    let serde = &storage.serde_info;
    let library = serde.serialization_library.as_deref().unwrap_or_default();
    Stored { library, input_format: storage.input_format.as_deref(), serde: &serde.parameters, table }.format()
}
