//! Log groups: create, delete, describe, retention.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{CreateLogGroup, DescribeLogGroups, Empty, GroupName, LogGroup, PutRetentionPolicy, name_in};
use crate::error::LogsError;
use crate::files::StreamId;
use crate::store::{
    GROUPS, Group, Logs, STREAMS, Stream, group_in, invalid, now, page_size, place, token, valid_group_name,
};
use crate::{group_arn, retention, tags};

/// Entries of a page.
const PAGE: usize = 50;
/// The class that every group has.
const STANDARD: &str = "STANDARD";
/// How many days events can be kept.
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(crate) async fn create(ctx: Ctx, state: Arc<Logs>, input: CreateLogGroup) -> Result<Empty, LogsError> {
    valid_group_name(&input.log_group_name)?;
    if let Some(class) = input.log_group_class.filter(|class| class != STANDARD) {
        return Err(LogsError::NotImplemented(format!("logGroupClass {class}")));
    }
    if input.kms_key_id.is_some() {
        return Err(LogsError::NotImplemented("kmsKeyId".into()));
    }
    if input.deletion_protection_enabled == Some(true) {
        return Err(LogsError::NotImplemented("deletionProtectionEnabled".into()));
    }
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let group = Group { creation_time: now(&ctx), retention_in_days: None, tags };
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&input.log_group_name]);
            if tx.contains(GROUPS, &key)? {
                return Err(LogsError::AlreadyExists("log group"));
            }
            tx.put_json(GROUPS, &key, &group)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete(_: Ctx, state: Arc<Logs>, input: GroupName) -> Result<Empty, LogsError> {
    let ids: Vec<StreamId> = state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&input.log_group_name]);
            let streams = tx.scan(STREAMS, &key, None, usize::MAX >> 1)?;
            if !tx.delete(GROUPS, &key)? {
                return Err(LogsError::NotFound("log group"));
            }
            tx.delete_prefix(STREAMS, &key)?;
            let id = |entry: &boathouse_metadata::Entry| Ok(entry.json::<Stream>()?.id);
            streams.iter().map(id).collect()
        })
        .await?;
    for id in ids {
        state.files.remove(id).await?;
    }
    Ok(Empty {})
}

pub(crate) async fn describe(ctx: Ctx, state: Arc<Logs>, input: DescribeLogGroups) -> Result<Value, LogsError> {
    if input.include_linked_accounts == Some(true) || input.account_identifiers.is_some_and(|ids| !ids.is_empty()) {
        return Err(LogsError::NotImplemented("linked accounts".into()));
    }
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(invalid("logGroupNamePrefix and logGroupNamePattern must not both be given"));
    }
    let size = page_size(input.limit, PAGE)?;
    if input.log_group_class.is_some_and(|class| class != STANDARD) {
        return Ok(json!({"logGroups": []}));
    }
    let prefix = input.log_group_name_prefix.unwrap_or_default();
    let pattern = input.log_group_name_pattern.unwrap_or_default().to_lowercase();
    let identified: Option<Vec<&str>> =
        input.log_group_identifiers.as_ref().map(|ids| ids.iter().map(|id| name_in(id)).collect());
    let wanted = |name: &str| {
        name.starts_with(&prefix)
            && name.to_lowercase().contains(&pattern)
            && identified.as_ref().is_none_or(|names| names.contains(&name))
    };
    let after: Option<String> = place(input.next_token.as_deref())?;
    let after = after.map(|name| Key::new([name]));
    let rows = state.metadata.scan(GROUPS, &Key::default(), after.as_ref(), usize::MAX >> 1)?;
    let mut found = rows.into_iter().map(|entry| (entry.key.last(), entry)).filter(|(name, _)| wanted(name));
    let mut groups = Vec::new();
    for (name, entry) in found.by_ref().take(size) {
        groups.push(shown(&ctx, &state, name, entry.json()?).await?);
    }
    let next = found.next().and_then(|_| groups.last()).map(|group| token(&group.log_group_name));
    Ok(json!({"logGroups": groups, "nextToken": next}))
}

async fn shown(ctx: &Ctx, state: &Logs, name: String, group: Group) -> Result<LogGroup, LogsError> {
    let ids = state.streams(&name, "")?.into_iter().map(|(_, stream)| stream.id).collect();
    let logs = state.open_streams(ids).await?;
    let log_group_arn = group_arn(ctx, &name);
    Ok(LogGroup {
        log_group_name: name,
        creation_time: group.creation_time,
        retention_in_days: group.retention_in_days,
        metric_filter_count: 0,
        arn: format!("{log_group_arn}:*"),
        stored_bytes: logs.iter().map(|log| log.summary().bytes).sum(),
        log_group_class: STANDARD,
        log_group_arn,
    })
}

pub(crate) async fn put_retention(ctx: Ctx, state: Arc<Logs>, input: PutRetentionPolicy) -> Result<Empty, LogsError> {
    if !RETENTIONS.contains(&input.retention_in_days) {
        let days = input.retention_in_days;
        return Err(invalid(format!("retentionInDays must be one of {RETENTIONS:?}, not {days}")));
    }
    let name = input.log_group_name.clone();
    set_retention(&state, name, Some(input.retention_in_days)).await?;
    retention::expire_group(&state, &input.log_group_name, ctx.now()).await?;
    Ok(Empty {})
}

pub(crate) async fn delete_retention(_: Ctx, state: Arc<Logs>, input: GroupName) -> Result<Empty, LogsError> {
    set_retention(&state, input.log_group_name, None).await?;
    Ok(Empty {})
}

async fn set_retention(state: &Logs, name: String, days: Option<u32>) -> Result<(), LogsError> {
    state
        .metadata
        .transaction(move |tx| {
            let group = Group { retention_in_days: days, ..group_in(tx, &name)? };
            tx.put_json(GROUPS, &Key::new([name]), &group)?;
            Ok(())
        })
        .await
}
