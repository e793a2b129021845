//! Tags of schedule groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{Empty, Tag};
use crate::error::{EventsError, SchedulerError};
use crate::store::Events;
use crate::tags::{add, by_key};

use super::api::{TagResource, TaggedResource, UntagResource};
use super::groups::{GROUPS, group, group_in};

/// The tags of the group that an ARN names; schedules have none of their own.
pub(super) fn of(state: &Events, arn: &str) -> BTreeMap<String, String> {
    let found = group_of(arn).ok().and_then(|name| group(state, &name).ok());
    by_key(found.map(|group| group.tags).unwrap_or_default())
}

pub(super) fn check(tags: &[Tag]) -> Result<(), SchedulerError> {
    crate::tags::check(tags).map_err(reason)
}

fn reason(error: EventsError) -> SchedulerError {
    SchedulerError::Validation(error.to_string())
}

fn group_of(arn: &str) -> Result<String, SchedulerError> {
    let name = arn.split_once(":schedule-group/").map(|(_, name)| name.to_owned());
    name.ok_or_else(|| SchedulerError::Validation(format!("{arn} is not the ARN of a schedule group")))
}

async fn change(
    state: &Events,
    arn: &str,
    change: impl FnOnce(&mut Vec<Tag>) -> Result<(), SchedulerError> + Send + 'static,
) -> Result<Empty, SchedulerError> {
    let name = group_of(arn)?;
    state
        .metadata
        .transaction(move |tx| {
            let mut group = group_in(tx, &name)?;
            change(&mut group.tags)?;
            tx.put_json(GROUPS, &Key::new([name]), &group)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn tag(_: Ctx, state: Arc<Events>, input: TagResource) -> Result<Empty, SchedulerError> {
    change(&state, &input.resource_arn, |tags| add(tags, input.tags).map_err(reason)).await
}

pub(crate) async fn untag(_: Ctx, state: Arc<Events>, input: UntagResource) -> Result<Empty, SchedulerError> {
    let remove = move |tags: &mut Vec<Tag>| {
        tags.retain(|tag| !input.tag_keys.contains(&tag.key));
        Ok(())
    };
    change(&state, &input.resource_arn, remove).await
}

pub(crate) async fn list(_: Ctx, state: Arc<Events>, input: TaggedResource) -> Result<Value, SchedulerError> {
    Ok(json!({"Tags": group(&state, &group_of(&input.resource_arn)?)?.tags}))
}
