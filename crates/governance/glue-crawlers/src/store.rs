//! Where crawlers, classifiers and their history live, and what all operations share.

use std::collections::HashMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::{Authorizer, ServiceRoles};
use boathouse_aws::stores::ObjectStores;
use boathouse_metadata::{Key, Metadata};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::api::{Crawler, CsvClassifier, Timestamp};
use crate::classifiers;
use crate::error::CrawlerError;

/// `(name)` → [`StoredCrawler`].
pub(crate) const CRAWLERS: &str = "glue-crawlers";
/// Tags by ARN, which the catalog's operations read and change.
pub(crate) const TAGS: &str = "glue-tags";
/// `(crawler, run, newest first)` → [`crate::api::Crawl`].
pub(crate) const CRAWLS: &str = "glue-crawls";
/// `(name)` → [`CsvClassifier`].
pub(crate) const CLASSIFIERS: &str = "glue-classifiers";
/// Entries of a page that was not asked for in size.
const PAGE: usize = 100;

/// A crawler with what its clients don't see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredCrawler {
    pub(crate) crawler: Crawler,
    /// The run that is going on: its key's last part and its start.
    pub(crate) run: Option<(String, Timestamp)>,
    pub(crate) tables_created: u64,
    pub(crate) tables_updated: u64,
    pub(crate) tables_deleted: u64,
}

/// The crawlers of an installation.
pub struct Crawlers {
    pub(crate) metadata: Metadata,
    pub(crate) stores: Arc<dyn ObjectStores>,
    pub(crate) roles: Arc<dyn ServiceRoles>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    /// How to tell a running crawl to stop, by crawler.
    pub(crate) running: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Crawlers {
    /// The crawlers in this store, which read files through `stores` as the roles that `roles` knows; `authorizer`
    /// decides who may pass a role to a crawler.
    pub fn new(
        metadata: Metadata,
        stores: Arc<dyn ObjectStores>,
        roles: Arc<dyn ServiceRoles>,
        authorizer: Arc<dyn Authorizer>,
    ) -> Self {
        Self { metadata, stores, roles, authorizer, running: Mutex::default() }
    }

    pub(crate) fn crawler(&self, name: &str) -> Result<StoredCrawler, CrawlerError> {
        self.metadata.get_json(CRAWLERS, &Key::new([name]))?.ok_or_else(|| missing(name))
    }

    pub(crate) fn classifier(&self, name: &str) -> Result<CsvClassifier, CrawlerError> {
        self.metadata.get_json(CLASSIFIERS, &Key::new([name]))?.ok_or_else(|| classifiers::missing(name))
    }
}

pub(crate) fn missing(name: &str) -> CrawlerError {
    CrawlerError::NotFound(format!("Crawler entry with name {name} does not exist"))
}

pub(crate) fn valid_name(name: &str) -> Result<(), CrawlerError> {
    if (1..=255).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(CrawlerError::InvalidInput("Name must have 1 to 255 characters and no control characters".into()))
}

/// One page of a space's rows below `prefix`, and the token of the next.
pub(crate) fn page<T: DeserializeOwned>(
    state: &Crawlers,
    space: &'static str,
    prefix: &Key,
    size: Option<usize>,
    token: Option<String>,
) -> Result<(Vec<T>, Option<String>), CrawlerError> {
    let size = size.unwrap_or(PAGE);
    if !(1..=1000).contains(&size) {
        return Err(CrawlerError::InvalidInput("MaxResults must be between 1 and 1000".into()));
    }
    let malformed = || CrawlerError::InvalidInput("NextToken is not one of this operation".into());
    let after: Option<Vec<String>> =
        token.map(|token| serde_json::from_str(&token).map_err(|_| malformed())).transpose()?;
    let page = state.metadata.page(space, prefix, after.map(Key::new).as_ref(), size)?;
    let found = page.entries.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?;
    Ok((found, page.next.map(|key| serde_json::Value::from(key.parts()).to_string())))
}

pub(crate) fn now(ctx: &Ctx) -> Timestamp {
    ctx.now().timestamp_millis() as f64 / 1000.0
}
