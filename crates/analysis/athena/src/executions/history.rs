//! The end of memory: executions older than 45 days go; those that a restart finds unfinished have failed.

use boathouse_aws::Platform;
use boathouse_metadata::{Entry, Key, MetadataError, Transaction};

use super::failure::Failure;
use super::put;
use super::row::{Row, State};
use super::telling::change;
use super::writing::take_back_after_crash;
use crate::Athena;
use crate::store::*;

const DAYS: f64 = 45.0;
/// Rows that one start takes along, so that no single caller pays for all.
const AT_ONCE: usize = 100;

fn oldest_first(time: Timestamp) -> String {
    format!("{:016}", (time * 1000.0) as u64)
}

fn newest_first(time: Timestamp) -> String {
    format!("{:016}", 9_999_999_999_999_999 - (time * 1000.0) as u64)
}

/// Puts a new execution into the lists.
pub(crate) fn enlist(tx: &Transaction<'_>, row: &Row) -> Result<(), MetadataError> {
    let time = row.execution.status.submission_date_time;
    tx.put(EXECUTIONS_OF, &Key::new([&row.execution.work_group, &newest_first(time), row.id()]), b"")?;
    tx.put(HISTORY, &Key::new([&oldest_first(time), row.id()]), b"")?;
    Ok(())
}

/// Forgets some executions whose time is over.
pub(crate) fn purge(tx: &Transaction<'_>, now: Timestamp) -> Result<(), MetadataError> {
    let limit = oldest_first(now - DAYS * 86_400.0);
    let is_due = |entry: &Entry| entry.key.parts().first().is_some_and(|time| *time < limit);
    if !tx.scan(HISTORY, &Key::default(), None, 1)?.iter().any(is_due) {
        return Ok(());
    }
    for entry in tx.scan(HISTORY, &Key::default(), None, AT_ONCE)?.into_iter().take_while(is_due) {
        forget(tx, &entry.key.last())?;
        tx.delete(HISTORY, &entry.key)?;
    }
    Ok(())
}

fn forget(tx: &Transaction<'_>, id: &str) -> Result<(), MetadataError> {
    let key = Key::new([id]);
    let Some(row) = tx.get_json::<Row>(EXECUTIONS, &key)? else { return Ok(()) };
    let time = newest_first(row.execution.status.submission_date_time);
    tx.delete(EXECUTIONS_OF, &Key::new([&row.execution.work_group, &time, id]))?;
    tx.delete(EXECUTIONS, &key)?;
    if let Some(token) = &row.private.token {
        tx.delete(TOKENS, &Key::new([token]))?;
    }
    Ok(())
}

/// Takes back what unfinished executions have written, then marks them as failed and tells of it.
pub(crate) async fn recover(athena: &Athena, platform: &Platform) -> Result<(), MetadataError> {
    let unfinished = athena.metadata.scan(UNFINISHED, &Key::default(), None, usize::MAX >> 1)?;
    for entry in &unfinished {
        let Some(mut row) = athena.metadata.get_json::<Row>(EXECUTIONS, &entry.key)? else { continue };
        take_back_after_crash(athena, platform, row.id(), row.result_location()).await;
        let (events, time, previous) = (platform.events.clone(), platform.clock.now(), row.state());
        interrupt(&mut row, seconds(time));
        let ended = move |tx: &Transaction<'_>| {
            put(tx, &row)?;
            events.tell(tx, change(time, &row, Some(previous)))
        };
        athena.metadata.transaction(ended).await?;
    }
    if !unfinished.is_empty() {
        tracing::warn!(interrupted = unfinished.len(), "query executions were interrupted by the last stop");
    }
    Ok(())
}

fn interrupt(row: &mut Row, now: Timestamp) {
    let failure = Failure::system("The query was interrupted by a restart of the server. Please run it again.");
    let status = &mut row.execution.status;
    status.state = State::Failed;
    status.state_change_reason = Some(failure.reason().to_owned());
    status.athena_error = failure.detail();
    status.completion_date_time = Some(now);
    let lasted = (now - status.submission_date_time).max(0.0) * 1000.0;
    row.execution.statistics.total_execution_time_in_millis = lasted as u64;
}
