//! Tags of Glue resources, by ARN.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;

use crate::api::*;
use crate::error::CatalogError;
use crate::store::{Catalog, TAGS};

fn key(arn: &str) -> Result<Key, CatalogError> {
    let parsed: Arn = arn.parse().map_err(|_| CatalogError::invalid(format!("Invalid resource ARN: {arn}")))?;
    if parsed.service != "glue" {
        return Err(CatalogError::invalid(format!("Not a Glue resource: {arn}")));
    }
    Ok(Key::new([arn]))
}

pub(crate) async fn tag(_: Ctx, catalog: Arc<Catalog>, request: TagResource) -> Result<Empty, CatalogError> {
    let key = key(&request.resource_arn)?;
    catalog
        .write(move |tx| {
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
    let key = key(&request.resource_arn)?;
    catalog
        .write(move |tx| {
            let mut tags: Parameters = tx.get_json(TAGS, &key)?.unwrap_or_default();
            tags.retain(|name, _| !request.tags_to_remove.contains(name));
            tx.put_json(TAGS, &key, &tags)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn get(_: Ctx, catalog: Arc<Catalog>, request: GetTags) -> Result<GetTagsOutput, CatalogError> {
    let tags = catalog.metadata.get_json(TAGS, &key(&request.resource_arn)?)?.unwrap_or_default();
    Ok(GetTagsOutput { tags })
}
