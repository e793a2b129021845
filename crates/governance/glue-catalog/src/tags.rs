//! Tags of Glue resources, by ARN.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;

use crate::api::*;
use crate::error::CatalogError;
use crate::store::{Catalog, TAGS, require_database};

/// The database that an ARN names; the catalog's other resources take no tags.
fn database(arn: &str) -> Result<String, CatalogError> {
    let parsed: Arn = arn.parse().map_err(|_| CatalogError::invalid(format!("Invalid resource ARN: {arn}")))?;
    match parsed.resource.strip_prefix("database/") {
        Some(database) if parsed.service == "glue" => Ok(database.to_lowercase()),
        _ => Err(CatalogError::invalid(format!("Only databases can be tagged here, not {arn}"))),
    }
}

pub(crate) async fn tag(_: Ctx, catalog: Arc<Catalog>, request: TagResource) -> Result<Empty, CatalogError> {
    let database = database(&request.resource_arn)?;
    let key = Key::new([&request.resource_arn]);
    catalog
        .write(move |tx| {
            require_database(tx, &database)?;
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
    let database = database(&request.resource_arn)?;
    let key = Key::new([&request.resource_arn]);
    catalog
        .write(move |tx| {
            require_database(tx, &database)?;
            let mut tags: Parameters = tx.get_json(TAGS, &key)?.unwrap_or_default();
            tags.retain(|name, _| !request.tags_to_remove.contains(name));
            tx.put_json(TAGS, &key, &tags)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn get(_: Ctx, catalog: Arc<Catalog>, request: GetTags) -> Result<GetTagsOutput, CatalogError> {
    catalog.database(&database(&request.resource_arn)?)?;
    let tags = catalog.metadata.get_json(TAGS, &Key::new([&request.resource_arn]))?.unwrap_or_default();
    Ok(GetTagsOutput { tags })
}
