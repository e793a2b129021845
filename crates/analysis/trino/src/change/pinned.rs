//! A catalog in which one table stays as it was: what a statement reads is what its commit builds on.

use std::sync::Arc;

use async_trait::async_trait;
use boathouse_trino_functions::error::TrinoError;

use crate::catalog::{Catalog, PartitionDefinition, Session, TableDefinition};

#[derive(Debug)]
struct Pinned {
    catalog: Arc<dyn Catalog>,
    table: TableDefinition,
}

/// The session with a table as it is defined here, whatever others make of it.
pub fn pinned(session: &Session, table: TableDefinition) -> Session {
    let catalog = Arc::clone(&session.catalog);
    Session { catalog: Arc::new(Pinned { catalog, table }), ..session.clone() }
}

#[async_trait]
impl Catalog for Pinned {
    async fn databases(&self) -> Result<Vec<String>, TrinoError> {
        self.catalog.databases().await
    }

    async fn tables(&self, database: &str) -> Result<Vec<String>, TrinoError> {
        self.catalog.tables(database).await
    }

    async fn table(&self, database: &str, name: &str) -> Result<Option<TableDefinition>, TrinoError> {
        if self.table.database == database && self.table.name == name {
            return Ok(Some(self.table.clone()));
        }
        self.catalog.table(database, name).await
    }

    async fn partitions(
        &self,
        database: &str,
        table: &str,
        filter: Option<&str>,
    ) -> Result<Vec<PartitionDefinition>, TrinoError> {
        self.catalog.partitions(database, table, filter).await
    }
}
