//! The end of memory: executions older than 45 days go; those that a restart finds unfinished have failed.

use boathouse_aws::events::Events;
use boathouse_metadata::{Key, Metadata, MetadataError, Transaction};
use chrono::{DateTime, Utc};

use super::failure::Failure;
use super::row::{Row, State};
use super::telling::change;
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
    for entry in tx.scan(HISTORY, &Key::default(), None, AT_ONCE)? {
        let parts = entry.key.parts();
        if parts.first().is_none_or(|time| *time >= limit) {
            break;
        }
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

/// Marks what was running when the process ended as failed, and tells of it; says how many there were.
pub(crate) fn recover(metadata: &Metadata, events: &Events, time: DateTime<Utc>) -> Result<usize, MetadataError> {
    let (events, now) = (events.clone(), seconds(time));
    metadata.transaction_blocking(move |tx| {
        crate::workgroups::ensure_primary(tx, now)?;
        let unfinished = tx.scan(UNFINISHED, &Key::default(), None, usize::MAX)?;
        for entry in &unfinished {
            tx.delete(UNFINISHED, &entry.key)?;
            if let Some(mut row) = tx.get_json::<Row>(EXECUTIONS, &entry.key)? {
                let previous = row.state();
                interrupt(&mut row, now);
                tx.put_json(EXECUTIONS, &entry.key, &row)?;
                events.tell(tx, change(time, &row, Some(previous)))?;
            }
        }
        Ok(unfinished.len())
    })
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
