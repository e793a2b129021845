//! Tags of log groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{Empty, TagResource, TaggedResource, UntagResource, name_in};
use crate::error::LogsError;
use crate::store::{GROUPS, Group, Logs, group_in, invalid};

/// Tags of a group.
const MAX_TAGS: usize = 50;

/// AWS's rules for tags.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), LogsError> {
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!("a log group has at most {MAX_TAGS} tags")));
    }
    for (key, value) in tags {
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        if !(1..=128).contains(&key_length) || value_length > 256 || key.starts_with("aws:") {
            let rule = "keys have 1 to 128 characters and don't begin with aws:, values have at most 256 characters";
            return Err(invalid(format!("the tag {key:?} breaks a rule: {rule}")));
        }
    }
    Ok(())
}

fn group_name(arn: &str) -> Result<String, LogsError> {
    if !arn.contains(":log-group:") {
        return Err(LogsError::NotImplemented(format!("tags of {arn}")));
    }
    Ok(name_in(arn).to_owned())
}

/// The tags of the group that an ARN names, also by one of its streams.
pub(crate) fn of(state: &Logs, arn: &str) -> BTreeMap<String, String> {
    let name = arn.split_once(":log-group:").and_then(|(_, name)| name.split(':').next());
    let group = name.and_then(|name| state.group(name).ok());
    group.map(|group| group.tags).unwrap_or_default()
}

async fn change(
    state: &Logs,
    arn: &str,
    change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
) -> Result<Empty, LogsError> {
    let name = group_name(arn)?;
    state
        .metadata
        .transaction(move |tx| {
            let mut group: Group = group_in(tx, &name)?;
            change(&mut group.tags);
            check(&group.tags)?;
            tx.put_json(GROUPS, &Key::new([name]), &group)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn tag(_: Ctx, state: Arc<Logs>, input: TagResource) -> Result<Empty, LogsError> {
    change(&state, &input.resource_arn, |tags| tags.extend(input.tags)).await
}

pub(crate) async fn untag(_: Ctx, state: Arc<Logs>, input: UntagResource) -> Result<Empty, LogsError> {
    change(&state, &input.resource_arn, move |tags| tags.retain(|key, _| !input.tag_keys.contains(key))).await
}

pub(crate) async fn list(_: Ctx, state: Arc<Logs>, input: TaggedResource) -> Result<Value, LogsError> {
    let group = state.group(&group_name(&input.resource_arn)?)?;
    Ok(json!({"tags": group.tags}))
}
