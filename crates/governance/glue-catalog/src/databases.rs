//! Databases: create, get, list, update, delete.

use std::sync::Arc;

use boathouse_aws::{ACCOUNT_ID, Arn, Ctx};
use boathouse_metadata::{Key, Metadata, MetadataError};

use crate::api::*;
use crate::error::CatalogError;
use crate::store::{
    COLUMN_STATISTICS, Catalog, DATABASES, PARTITIONS, SETUP, TABLES, TAGS, VERSIONS, from_token, name, now, page_size,
    refuse, to_token,
};

fn checked(mut input: DatabaseInput) -> Result<DatabaseInput, CatalogError> {
    if input.federated_database.is_some() {
        return Err(CatalogError::NotImplemented("FederatedDatabase"));
    }
    input.name = name(&input.name)?;
    Ok(input)
}

impl Catalog {
    /// Makes the database `default`, which every catalog begins with, the first time that a store is opened. Whoever
    /// deletes it is rid of it. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// Of the store. Blocks the thread.
    pub fn ensure_default(metadata: &Metadata, now: Timestamp) -> Result<(), MetadataError> {
        metadata.transaction_blocking(move |tx| {
            let (made, key) = (Key::new(["default-database"]), Key::new(["default"]));
            if tx.contains(SETUP, &made)? {
                return Ok(());
            }
            tx.put(SETUP, &made, b"")?;
            if tx.contains(DATABASES, &key)? {
                return Ok(());
            }
            let input = DatabaseInput {
                name: "default".into(),
                description: Some("Default Hive database".into()),
                ..DatabaseInput::default()
            };
            tx.put_json(DATABASES, &key, &Database { input, create_time: now, catalog_id: ACCOUNT_ID.into() })?;
            Ok(())
        })
    }
}

pub(crate) async fn create(ctx: Ctx, catalog: Arc<Catalog>, request: CreateDatabase) -> Result<Empty, CatalogError> {
    let input = checked(request.database_input)?;
    let arn = Arn::new("glue", ctx.region(), format!("database/{}", input.name)).to_string();
    let database = Database { input, create_time: now(&ctx), catalog_id: ACCOUNT_ID.into() };
    catalog
        .write(move |tx| {
            let key = Key::new([&database.input.name]);
            if tx.contains(DATABASES, &key)? {
                let message = format!("Database already exists: {}", database.input.name);
                return Err(CatalogError::AlreadyExists(message));
            }
            tx.put_json(DATABASES, &key, &database)?;
            if !request.tags.is_empty() {
                tx.put_json(TAGS, &Key::new([arn]), &request.tags)?;
            }
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn get(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: NamedDatabase,
) -> Result<GetDatabaseOutput, CatalogError> {
    Ok(GetDatabaseOutput { database: catalog.database(&name(&request.name)?)? })
}

pub(crate) async fn list(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: GetDatabases,
) -> Result<GetDatabasesOutput, CatalogError> {
    refuse(request.attributes_to_get.as_ref(), "AttributesToGet")?;
    let after = from_token(request.next_token.as_deref())?;
    let limit = page_size(request.max_results, 100)?;
    let page = catalog.metadata.page(DATABASES, &Key::default(), after.as_ref(), limit)?;
    let database_list = page.entries.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?;
    Ok(GetDatabasesOutput { database_list, next_token: page.next.as_ref().map(to_token) })
}

pub(crate) async fn update(_: Ctx, catalog: Arc<Catalog>, request: UpdateDatabase) -> Result<Empty, CatalogError> {
    let old = name(&request.name)?;
    let input = checked(request.database_input)?;
    if input.name != old {
        return Err(CatalogError::invalid("Database name cannot be changed"));
    }
    catalog
        .write(move |tx| {
            let key = Key::new([&old]);
            let present: Database = tx.get_json(DATABASES, &key)?.ok_or_else(|| CatalogError::no_database(&old))?;
            tx.put_json(DATABASES, &key, &Database { input, ..present })?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete(ctx: Ctx, catalog: Arc<Catalog>, request: NamedDatabase) -> Result<Empty, CatalogError> {
    let database = name(&request.name)?;
    let arn = Arn::new("glue", ctx.region(), format!("database/{database}")).to_string();
    catalog
        .write(move |tx| {
            let key = Key::new([&database]);
            if !tx.delete(DATABASES, &key)? {
                return Err(CatalogError::no_database(&database));
            }
            for space in [TABLES, VERSIONS, PARTITIONS, COLUMN_STATISTICS] {
                tx.delete_prefix(space, &key)?;
            }
            tx.delete(TAGS, &Key::new([arn]))?;
            Ok(Empty {})
        })
        .await
}
