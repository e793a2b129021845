//! Where the catalog's rows live, and what all its operations share.

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::{Key, Metadata, MetadataError, Transaction};

use crate::api::{Database, Table, Timestamp};
use crate::error::CatalogError;

/// `(database)` → [`Database`].
pub(crate) const DATABASES: &str = "glue-databases";
/// `(database, table)` → [`Table`], the present version.
pub(crate) const TABLES: &str = "glue-tables";
/// `(database, table, version as 10 digits)` → [`Table`], earlier versions.
pub(crate) const VERSIONS: &str = "glue-table-versions";
/// `(database, table, value…)` → [`crate::api::Partition`].
pub(crate) const PARTITIONS: &str = "glue-partitions";
/// `(database, table, "table", column)` or `(database, table, "partition", value…, column)` → [`crate::api::ColumnStatistics`].
pub(crate) const COLUMN_STATISTICS: &str = "glue-column-statistics";
/// `(what)` → nothing: what has been made once, at the first start.
pub(crate) const SETUP: &str = "glue-setup";
/// `(name)` → a job; another crate's, whose resources take tags too.
pub(crate) const JOBS: &str = "glue-jobs";
/// Where the crawlers' crate keeps crawlers by name.
pub(crate) const CRAWLERS: &str = "glue-crawlers";
/// `(catalog)` → the resource policy.
pub(crate) const POLICIES: &str = "glue-resource-policies";
/// `(arn)` → tags.
pub(crate) const TAGS: &str = "glue-tags";

/// The Data Catalog of an installation.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) metadata: Metadata,
}

impl Catalog {
    /// The catalog in this store.
    pub fn new(metadata: Metadata) -> Self {
        Self { metadata }
    }

    pub(crate) async fn write<T, F>(&self, body: F) -> Result<T, CatalogError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, CatalogError> + Send + 'static,
    {
        self.metadata.transaction(body).await
    }

    pub(crate) fn database(&self, name: &str) -> Result<Database, CatalogError> {
        let found = self.metadata.get_json(DATABASES, &Key::new([name]))?;
        found.ok_or_else(|| CatalogError::no_database(name))
    }

    pub(crate) fn table(&self, database: &str, name: &str) -> Result<Table, CatalogError> {
        if let Some(table) = self.metadata.get_json(TABLES, &Key::new([database, name]))? {
            return Ok(table);
        }
        self.database(database)?;
        Err(CatalogError::no_table(name))
    }
}

pub(crate) fn require_database(tx: &Transaction<'_>, name: &str) -> Result<(), CatalogError> {
    if tx.contains(DATABASES, &Key::new([name]))? { Ok(()) } else { Err(CatalogError::no_database(name)) }
}

pub(crate) fn require_table(tx: &Transaction<'_>, database: &str, name: &str) -> Result<Table, CatalogError> {
    if let Some(table) = tx.get_json(TABLES, &Key::new([database, name]))? {
        return Ok(table);
    }
    require_database(tx, database)?;
    Err(CatalogError::no_table(name))
}

/// Removes a table with its versions, partitions, statistics and nothing else.
pub(crate) fn remove_table(tx: &Transaction<'_>, database: &str, name: &str) -> Result<bool, MetadataError> {
    let key = Key::new([database, name]);
    tx.delete_prefix(VERSIONS, &key)?;
    tx.delete_prefix(PARTITIONS, &key)?;
    tx.delete_prefix(COLUMN_STATISTICS, &key)?;
    tx.delete(TABLES, &key)
}

/// Lower-cases a name as Glue does and checks its length.
pub(crate) fn name(text: &str) -> Result<String, CatalogError> {
    let length = text.chars().count();
    if !(1..=255).contains(&length) || text.chars().any(|c| c.is_control() && c != '\t') {
        let message = format!("Name {text:?} must have 1 to 255 characters and no control characters");
        return Err(CatalogError::InvalidInput(message));
    }
    Ok(text.to_lowercase())
}

/// The page size that was asked for, within `1..=most`.
pub(crate) fn page_size(asked: Option<usize>, most: usize) -> Result<usize, CatalogError> {
    match asked {
        None => Ok(most),
        Some(size) if (1..=most).contains(&size) => Ok(size),
        Some(size) => Err(CatalogError::invalid(format!("MaxResults {size} must be between 1 and {most}"))),
    }
}

/// Refuses an option that AWS has and Boathouse has not, instead of ignoring it.
pub(crate) fn refuse<T>(option: Option<&T>, name: &'static str) -> Result<(), CatalogError> {
    if option.is_some() { Err(CatalogError::NotImplemented(name)) } else { Ok(()) }
}

/// Refuses a batch that is longer than AWS takes.
pub(crate) fn at_most<T>(list: &[T], most: usize, member: &str) -> Result<(), CatalogError> {
    if list.len() <= most {
        return Ok(());
    }
    Err(CatalogError::invalid(format!("{member} has {} members; at most {most} are allowed", list.len())))
}

/// The key that a page token stands for: its parts as a JSON list.
pub(crate) fn from_token(token: Option<&str>) -> Result<Option<Key>, CatalogError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let parts: Vec<String> =
        serde_json::from_str(token).map_err(|_| CatalogError::invalid("NextToken is not one of this operation"))?;
    Ok(Some(Key::new(parts)))
}

/// The token that stands for a key.
pub(crate) fn to_token(key: &Key) -> String {
    serde_json::Value::from(key.parts()).to_string()
}

pub(crate) fn now(ctx: &Ctx) -> Timestamp {
    ctx.now().timestamp_millis() as f64 / 1000.0
}

fn arn(ctx: &Ctx, resource: String) -> String {
    Arn::new("glue", ctx.region(), resource).to_string()
}

pub(crate) fn catalog_arn(ctx: &Ctx) -> String {
    arn(ctx, "catalog".into())
}

/// What a call on a database needs: the catalog and the database.
pub(crate) fn database_arns(ctx: &Ctx, database: &str) -> Vec<String> {
    vec![catalog_arn(ctx), arn(ctx, format!("database/{}", database.to_lowercase()))]
}

/// What a call on a table needs: the catalog, the database and the table.
pub(crate) fn table_arns(ctx: &Ctx, database: &str, table: &str) -> Vec<String> {
    let mut arns = database_arns(ctx, database);
    arns.push(arn(ctx, format!("table/{}/{}", database.to_lowercase(), table.to_lowercase())));
    arns
}
