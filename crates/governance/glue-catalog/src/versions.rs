//! Earlier versions of tables.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};

use crate::api::*;
use crate::error::{CatalogError, ErrorDetail};
use crate::store::{Catalog, VERSIONS, at_most, from_token, name, page_size, require_table, to_token};

/// Counts down, so that the newest version comes first in the order of keys.
fn version_key(database: &str, table: &str, version: &str) -> Result<Key, CatalogError> {
    let number: u64 =
        version.parse().map_err(|_| CatalogError::invalid(format!("VersionId {version:?} is not a number")))?;
    Ok(Key::new([database, table, &format!("{:020}", u64::MAX - number)]))
}

/// Keeps the table as an earlier version.
pub(crate) fn archive(tx: &Transaction<'_>, table: &Table) -> Result<(), CatalogError> {
    let key = version_key(&table.database_name, &table.input.name, &table.version_id)?;
    tx.put_json(VERSIONS, &key, table)?;
    Ok(())
}

fn version(table: Table) -> TableVersion {
    TableVersion { version_id: table.version_id.clone(), table }
}

fn no_version(table: &str, version: &str) -> CatalogError {
    CatalogError::NotFound(format!("Version {version} of table {table} not found."))
}

pub(crate) async fn get(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: NamedVersion,
) -> Result<GetTableVersionOutput, CatalogError> {
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    let present = catalog.table(&database, &table)?;
    let found = match request.version_id {
        Some(id) if id != present.version_id => {
            let archived = catalog.metadata.get_json(VERSIONS, &version_key(&database, &table, &id)?)?;
            archived.ok_or_else(|| no_version(&table, &id))?
        }
        _ => present,
    };
    Ok(GetTableVersionOutput { table_version: version(found) })
}

pub(crate) async fn list(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: GetTableVersions,
) -> Result<GetTableVersionsOutput, CatalogError> {
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    let present = catalog.table(&database, &table)?;
    let limit = page_size(request.max_results, 100)?;
    let prefix = Key::new([&database, &table]);
    let after = from_token(request.next_token.as_deref())?;
    let mut table_versions = Vec::new();
    if after.is_none() {
        table_versions.push(version(present));
    }
    // The table's own key sorts before its versions', so it stands for "from the start".
    let rest = limit - table_versions.len();
    let page = catalog.metadata.page(VERSIONS, &prefix, after.as_ref(), rest)?;
    for entry in &page.entries {
        table_versions.push(version(entry.json()?));
    }
    let next_token = match page.next {
        Some(next) => Some(to_token(&next)),
        None if rest == 0 && !catalog.metadata.scan(VERSIONS, &prefix, None, 1)?.is_empty() => Some(to_token(&prefix)),
        None => None,
    };
    Ok(GetTableVersionsOutput { table_versions, next_token })
}

fn remove(tx: &Transaction<'_>, present: &Table, id: &str) -> Result<(), CatalogError> {
    let table = &present.input.name;
    if present.version_id == id {
        return Err(CatalogError::invalid("The current version of a table cannot be deleted"));
    }
    let removed = tx.delete(VERSIONS, &version_key(&present.database_name, table, id)?)?;
    if removed { Ok(()) } else { Err(no_version(table, id)) }
}

pub(crate) async fn delete(_: Ctx, catalog: Arc<Catalog>, request: NamedVersion) -> Result<Empty, CatalogError> {
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    let id = request.version_id.ok_or_else(|| CatalogError::invalid("VersionId is required"))?;
    catalog
        .write(move |tx| {
            let present = require_table(tx, &database, &table)?;
            remove(tx, &present, &id).map(|()| Empty {})
        })
        .await
}

pub(crate) async fn batch_delete(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: BatchDeleteTableVersion,
) -> Result<TableVersionErrors, CatalogError> {
    at_most(&request.version_ids, 100, "VersionIds")?;
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog
        .write(move |tx| {
            let present = require_table(tx, &database, &table)?;
            let mut errors = Vec::new();
            for version_id in request.version_ids {
                match remove(tx, &present, &version_id) {
                    Ok(()) => {}
                    Err(CatalogError::Store(error)) => return Err(error.into()),
                    Err(error) => {
                        let (table_name, error_detail) = (table.clone(), ErrorDetail::from(&error));
                        errors.push(TableVersionError { table_name, version_id, error_detail });
                    }
                }
            }
            Ok(TableVersionErrors { errors })
        })
        .await
}
