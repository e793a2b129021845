//! Tags of workgroups.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::{Key, Transaction};
use serde::{Deserialize, Serialize};

use crate::Athena;
use crate::error::AthenaError;
use crate::store::*;
use crate::workgroups;

type Tags = BTreeMap<String, String>;

#[derive(Deserialize)]
pub(crate) struct TagResource {
    #[serde(rename = "ResourceARN")]
    pub(crate) arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
pub(crate) struct UntagResource {
    #[serde(rename = "ResourceARN")]
    pub(crate) arn: String,
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct ListTags {
    #[serde(rename = "ResourceARN")]
    pub(crate) arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListTagsOutput {
    tags: Vec<Tag>,
}

/// The tags of the workgroup that an ARN names.
pub(crate) fn of(athena: &Athena, arn: &str) -> Tags {
    athena.metadata.get_json(TAGS, &Key::new([arn])).ok().flatten().unwrap_or_default()
}

/// The workgroup that an ARN names.
fn workgroup(arn: &str) -> Result<String, AthenaError> {
    let parsed: Option<Arn> = arn.parse().ok();
    let named = parsed.filter(|arn| arn.service == "athena").and_then(|arn| {
        let name = arn.resource.strip_prefix("workgroup/")?;
        Some(name.to_owned())
    });
    named.ok_or_else(|| AthenaError::invalid(format!("Invalid resource ARN: {arn}")))
}

fn missing(arn: &str, error: AthenaError) -> AthenaError {
    match error {
        AthenaError::Invalid(message) => AthenaError::NotFound { message, resource: arn.to_owned() },
        other => other,
    }
}

/// Adds tags to a resource inside a transaction.
pub(crate) fn put(tx: &Transaction<'_>, arn: &str, added: Vec<Tag>) -> Result<(), AthenaError> {
    let key = Key::new([arn]);
    let mut tags: Tags = tx.get_json(TAGS, &key)?.unwrap_or_default();
    for tag in added {
        check_length(&tag.key, "Tag key", 1, 128)?;
        check_length(&tag.value, "Tag value", 0, 256)?;
        tags.insert(tag.key, tag.value);
    }
    if tags.len() > 50 {
        return Err(AthenaError::invalid("A resource can have at most 50 tags"));
    }
    tx.put_json(TAGS, &key, &tags)?;
    Ok(())
}

pub(crate) async fn tag(_: Ctx, athena: Arc<Athena>, request: TagResource) -> Result<Empty, AthenaError> {
    let group = workgroup(&request.arn)?;
    athena
        .metadata
        .transaction(move |tx| {
            workgroups::require(tx, &group).map_err(|error| missing(&request.arn, error))?;
            put(tx, &request.arn, request.tags)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn untag(_: Ctx, athena: Arc<Athena>, request: UntagResource) -> Result<Empty, AthenaError> {
    let group = workgroup(&request.arn)?;
    athena
        .metadata
        .transaction(move |tx| {
            workgroups::require(tx, &group).map_err(|error| missing(&request.arn, error))?;
            let key = Key::new([&request.arn]);
            let mut tags: Tags = tx.get_json(TAGS, &key)?.unwrap_or_default();
            tags.retain(|name, _| !request.keys.contains(name));
            tx.put_json(TAGS, &key, &tags)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn list(_: Ctx, athena: Arc<Athena>, request: ListTags) -> Result<ListTagsOutput, AthenaError> {
    workgroups::find(&athena, &workgroup(&request.arn)?).map_err(|error| missing(&request.arn, error))?;
    let tags: Tags = athena.metadata.get_json(TAGS, &Key::new([&request.arn]))?.unwrap_or_default();
    Ok(ListTagsOutput { tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}
