//! Schedule groups.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Empty, Tag};
use crate::error::SchedulerError;
use crate::store::{Events, page, seconds, valid_name};

use super::api::{GroupNamed, ListScheduleGroups};
use super::schedules::{SCHEDULES, remove};
use super::{DEFAULT_GROUP, group_arn, tags};

/// `(group)` → [`Group`]. The default group has no row.
pub(super) const GROUPS: &str = "scheduler-groups";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) created: DateTime<Utc>,
    pub(super) tags: Vec<Tag>,
}

impl Group {
    /// The group that exists from the beginning.
    fn default_group() -> Self {
        Self { created: DateTime::UNIX_EPOCH, tags: Vec::new() }
    }
}

pub(super) fn no_group(name: &str) -> SchedulerError {
    SchedulerError::NotFound(format!("Schedule group {name} does not exist."))
}

/// A group inside a transaction.
pub(super) fn group_in(tx: &Transaction<'_>, name: &str) -> Result<Group, SchedulerError> {
    match tx.get_json(GROUPS, &Key::new([name]))? {
        Some(group) => Ok(group),
        None if name == DEFAULT_GROUP => Ok(Group::default_group()),
        None => Err(no_group(name)),
    }
}

pub(super) fn group(state: &Events, name: &str) -> Result<Group, SchedulerError> {
    match state.metadata.get_json(GROUPS, &Key::new([name]))? {
        Some(group) => Ok(group),
        None if name == DEFAULT_GROUP => Ok(Group::default_group()),
        None => Err(no_group(name)),
    }
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Events>, input: GroupNamed) -> Result<Value, SchedulerError> {
    valid_name("name", &input.name, 64, "._-").map_err(SchedulerError::Validation)?;
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let group = Group { created: ctx.now(), tags };
    let arn = group_arn(ctx.region(), &input.name);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&input.name]);
            if input.name == DEFAULT_GROUP || tx.contains(GROUPS, &key)? {
                return Err(SchedulerError::Conflict(format!("Schedule group {} already exists.", input.name)));
            }
            tx.put_json(GROUPS, &key, &group)?;
            Ok(json!({"ScheduleGroupArn": arn}))
        })
        .await
}

fn shown(ctx: &Ctx, name: &str, group: &Group) -> Value {
    json!({
        "Arn": group_arn(ctx.region(), name),
        "Name": name,
        "State": "ACTIVE",
        "CreationDate": seconds(group.created),
        "LastModificationDate": seconds(group.created),
    })
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Events>, input: GroupNamed) -> Result<Value, SchedulerError> {
    Ok(shown(&ctx, &input.name, &group(&state, &input.name)?))
}

/// Deletes a group with all its schedules.
pub(crate) async fn delete(_: Ctx, state: Arc<Events>, input: GroupNamed) -> Result<Empty, SchedulerError> {
    if input.name == DEFAULT_GROUP {
        return Err(SchedulerError::Validation("The default schedule group can't be deleted.".into()));
    }
    let owner = Arc::clone(&state);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&input.name]);
            if !tx.delete(GROUPS, &key)? {
                return Err(no_group(&input.name));
            }
            for entry in tx.scan(SCHEDULES, &key, None, usize::MAX >> 1)? {
                remove(tx, &owner, &input.name, &entry.key.last())?;
            }
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Events>, input: ListScheduleGroups) -> Result<Value, SchedulerError> {
    let rows = state.metadata.scan(GROUPS, &Key::default(), None, usize::MAX >> 1)?;
    let mut groups: Vec<(String, Group)> =
        rows.iter().map(|entry| Ok((entry.key.last(), entry.json()?))).collect::<Result<_, SchedulerError>>()?;
    groups.push((DEFAULT_GROUP.to_owned(), group(&state, DEFAULT_GROUP)?));
    groups.retain(|(name, _)| input.name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix)));
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    groups.dedup_by(|a, b| a.0 == b.0);
    let (groups, next) =
        page(groups, input.max_results, input.next_token.as_deref()).map_err(SchedulerError::Validation)?;
    let shown: Vec<Value> = groups.iter().map(|(name, group)| shown(&ctx, name, group)).collect();
    Ok(json!({"ScheduleGroups": shown, "NextToken": next}))
}
