//! Tags of machines and activities.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::{Value, json};

use crate::api::{Empty, ListTags, TagResource, Tags, UntagResource};
use crate::error::SfnError;
use crate::machines::MAX_TAGS;
use crate::names::{self, Named};
use crate::store::{ACTIVITIES, MACHINES, StepFunctions, StoredActivity, StoredMachine};

fn owner(arn: &str) -> Result<(bool, Key), SfnError> {
    match names::parse(arn)? {
        Named::Machine { machine } => Ok((true, Key::new([machine]))),
        Named::Activity { activity } => Ok((false, Key::new([activity]))),
        _ => Err(SfnError::ResourceNotFound(arn.to_owned())),
    }
}

/// Changes the tags of a machine or an activity.
fn change(
    tx: &Transaction<'_>,
    arn: &str,
    body: impl FnOnce(&mut Tags) -> Result<(), SfnError>,
) -> Result<(), SfnError> {
    let missing = || SfnError::ResourceNotFound(arn.to_owned());
    match owner(arn)? {
        (true, key) => {
            let mut machine: StoredMachine = tx.get_json(MACHINES, &key)?.ok_or_else(missing)?;
            body(&mut machine.tags)?;
            tx.put_json(MACHINES, &key, &machine)?;
        }
        (false, key) => {
            let mut activity: StoredActivity = tx.get_json(ACTIVITIES, &key)?.ok_or_else(missing)?;
            body(&mut activity.tags)?;
            tx.put_json(ACTIVITIES, &key, &activity)?;
        }
    }
    Ok(())
}

/// The tags of the machine or the activity that an ARN names.
pub(crate) fn of(state: &StepFunctions, arn: &str) -> Tags {
    let tags = match owner(arn) {
        Ok((true, key)) => {
            state.metadata.get_json::<StoredMachine>(MACHINES, &key).ok().flatten().map(|machine| machine.tags)
        }
        Ok((false, key)) => {
            state.metadata.get_json::<StoredActivity>(ACTIVITIES, &key).ok().flatten().map(|activity| activity.tags)
        }
        Err(_) => None,
    };
    tags.unwrap_or_default()
}

pub(crate) async fn tag(_: Ctx, state: Arc<StepFunctions>, input: TagResource) -> Result<Empty, SfnError> {
    state
        .metadata
        .transaction(move |tx| {
            change(tx, &input.resource_arn, |tags| {
                tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
                if tags.len() > MAX_TAGS {
                    return Err(SfnError::TooManyTags(format!("A resource has at most {MAX_TAGS} tags")));
                }
                Ok(())
            })?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn untag(_: Ctx, state: Arc<StepFunctions>, input: UntagResource) -> Result<Empty, SfnError> {
    state
        .metadata
        .transaction(move |tx| {
            change(tx, &input.resource_arn, |tags| {
                input.tag_keys.iter().for_each(|key| drop(tags.remove(key)));
                Ok(())
            })?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn list(_: Ctx, state: Arc<StepFunctions>, input: ListTags) -> Result<Value, SfnError> {
    let missing = || SfnError::ResourceNotFound(input.resource_arn.clone());
    let tags = match owner(&input.resource_arn)? {
        (true, key) => state.metadata.get_json::<StoredMachine>(MACHINES, &key)?.map(|machine| machine.tags),
        (false, key) => state.metadata.get_json::<StoredActivity>(ACTIVITIES, &key)?.map(|activity| activity.tags),
    };
    let tags: Vec<Value> =
        tags.ok_or_else(missing)?.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    Ok(json!({"tags": tags}))
}
