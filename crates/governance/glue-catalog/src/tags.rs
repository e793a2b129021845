//! Tags of Glue resources, by ARN.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::{Key, Transaction};

use crate::api::*;
use crate::error::CatalogError;
use crate::store::{CRAWLERS, Catalog, JOBS, TAGS, require_database};

/// A resource that takes tags. Jobs and crawlers are kept by other crates, beside the catalog.
enum Tagged {
    Database(String),
    Job(String),
    Crawler(String),
}

impl Tagged {
    /// The resource that an ARN names; the others take no tags.
    fn parse(arn: &str) -> Result<Self, CatalogError> {
        let parsed: Arn = arn.parse().map_err(|_| CatalogError::invalid(format!("Invalid resource ARN: {arn}")))?;
        match parsed.resource.split_once('/') {
            Some(("database", name)) if parsed.service == "glue" => Ok(Self::Database(name.to_lowercase())),
            Some(("job", name)) if parsed.service == "glue" => Ok(Self::Job(name.to_owned())),
            Some(("crawler", name)) if parsed.service == "glue" => Ok(Self::Crawler(name.to_owned())),
            _ => Err(CatalogError::invalid(format!("Only databases, jobs and crawlers can be tagged here, not {arn}"))),
        }
    }

    fn require(&self, tx: &Transaction<'_>) -> Result<(), CatalogError> {
        match self {
            Self::Database(name) => require_database(tx, name),
            Self::Job(name) if tx.contains(JOBS, &Key::new([name]))? => Ok(()),
            Self::Crawler(name) if tx.contains(CRAWLERS, &Key::new([name]))? => Ok(()),
            Self::Job(name) => Err(no_job(name)),
            Self::Crawler(name) => Err(no_crawler(name)),
        }
    }
}

fn no_job(name: &str) -> CatalogError {
    CatalogError::NotFound(format!("Job with name: {name} not found."))
}

fn no_crawler(name: &str) -> CatalogError {
    CatalogError::NotFound(format!("Crawler with name: {name} not found."))
}

/// The tags of what an ARN names.
pub(crate) fn of(catalog: &Catalog, arn: &str) -> Parameters {
    catalog.metadata.get_json(TAGS, &Key::new([arn])).ok().flatten().unwrap_or_default()
}

pub(crate) async fn tag(_: Ctx, catalog: Arc<Catalog>, request: TagResource) -> Result<Empty, CatalogError> {
    let tagged = Tagged::parse(&request.resource_arn)?;
    let key = Key::new([&request.resource_arn]);
    catalog
        .write(move |tx| {
            tagged.require(tx)?;
            let mut tags: Parameters = tx.get_json(TAGS, &key)?.unwrap_or_default();
            tags.extend(request.tags_to_add);
            if tags.len() > 50 {
                return Err(CatalogError::invalid("A resource can have at most 50 tags"));
            }
            tx.put_json(TAGS, &key, &tags)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn untag(_: Ctx, catalog: Arc<Catalog>, request: UntagResource) -> Result<Empty, CatalogError> {
    let tagged = Tagged::parse(&request.resource_arn)?;
    let key = Key::new([&request.resource_arn]);
    catalog
        .write(move |tx| {
            tagged.require(tx)?;
            let mut tags: Parameters = tx.get_json(TAGS, &key)?.unwrap_or_default();
            tags.retain(|name, _| !request.tags_to_remove.contains(name));
            tx.put_json(TAGS, &key, &tags)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn get(_: Ctx, catalog: Arc<Catalog>, request: GetTags) -> Result<GetTagsOutput, CatalogError> {
    match Tagged::parse(&request.resource_arn)? {
        Tagged::Database(name) => drop(catalog.database(&name)?),
        Tagged::Crawler(name) => {
            drop(catalog.metadata.get(CRAWLERS, &Key::new([&name]))?.ok_or_else(|| no_crawler(&name))?);
        }
        Tagged::Job(name) => drop(catalog.metadata.get(JOBS, &Key::new([&name]))?.ok_or_else(|| no_job(&name))?),
    }
    let tags = catalog.metadata.get_json(TAGS, &Key::new([&request.resource_arn]))?.unwrap_or_default();
    Ok(GetTagsOutput { tags })
}
