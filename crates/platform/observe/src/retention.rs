//! What deletes: expired events, and files of streams that were deleted just before a crash.

use std::collections::HashSet;
use std::sync::Arc;

use boathouse_aws::Platform;
use boathouse_metadata::Key;
use chrono::{DateTime, TimeDelta, Utc};

use crate::error::LogsError;
use crate::files::StreamId;
use crate::store::{GROUPS, Logs, STREAMS, Stream};

/// How often expired events are deleted. They are hidden at once.
const PERIOD: TimeDelta = TimeDelta::hours(1);

/// Deletes what nobody owns, then every hour what has expired, for as long as the runtime lives.
pub fn spawn(platform: &Platform, state: &Arc<Logs>) {
    let (clock, state) = (Arc::clone(&platform.clock), Arc::clone(state));
    tokio::spawn(async move {
        if let Err(error) = remove_orphans(&state).await {
            tracing::error!(%error, "log files that belong to no stream can't be removed");
        }
        loop {
            if let Err(error) = expire_all(&state, clock.now()).await {
                tracing::error!(%error, "expired log events can't be deleted");
            }
            clock.sleep_until(clock.now() + PERIOD).await;
        }
    });
}

async fn remove_orphans(state: &Logs) -> Result<(), LogsError> {
    // Files first: a stream that is made meanwhile is not among them.
    let ids = state.files.ids()?;
    let rows = state.metadata.scan(STREAMS, &Key::default(), None, usize::MAX >> 1)?;
    let owned =
        rows.iter().map(|entry| Ok(entry.json::<Stream>()?.id)).collect::<Result<HashSet<StreamId>, LogsError>>()?;
    for id in ids.into_iter().filter(|id| !owned.contains(id)) {
        state.files.remove(id).await?;
    }
    Ok(())
}

async fn expire_all(state: &Logs, now: DateTime<Utc>) -> Result<(), LogsError> {
    for entry in state.metadata.scan(GROUPS, &Key::default(), None, usize::MAX >> 1)? {
        match expire_group(state, &entry.key.last(), now).await {
            Ok(()) | Err(LogsError::NotFound(_)) => {} // deleted meanwhile
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Deletes a group's expired events.
pub(crate) async fn expire_group(state: &Logs, name: &str, now: DateTime<Utc>) -> Result<(), LogsError> {
    let group = state.group(name)?;
    if group.retention_in_days.is_none() {
        return Ok(());
    }
    let ids = state.streams(name, "")?.into_iter().map(|(_, stream)| stream.id).collect();
    for log in state.open_streams(ids).await? {
        state.files.expire(log, group.cutoff(now)).await?;
    }
    Ok(())
}
