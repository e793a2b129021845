//! Closed executions are forgotten after 90 days ("Quotas related to state machine executions").

use std::sync::Arc;

use boathouse_metadata::Key;
use chrono::TimeDelta;

use crate::error::SfnError;
use crate::store::{BY_START, EXECUTIONS, HISTORY, MACHINES, StepFunctions, StoredExecution, StoredMachine};

/// Days that a closed execution is kept.
const DAYS: i64 = 90;
/// Executions that one transaction forgets at most.
const BATCH: usize = 100;

/// Forgets old executions now and then once a day, for as long as the server lives.
pub(crate) fn keep_up(state: &Arc<StepFunctions>) {
    let clock = Arc::clone(&state.platform.clock);
    let state = Arc::downgrade(state);
    tokio::spawn(async move {
        loop {
            let Some(living) = state.upgrade() else { return };
            if let Err(error) = forget(&living).await {
                tracing::warn!(%error, "old executions can't be forgotten");
            }
            drop(living);
            clock.sleep_until(clock.now() + TimeDelta::days(1)).await;
        }
    });
}

async fn forget(state: &StepFunctions) -> Result<(), SfnError> {
    let until = (state.platform.clock.now() - TimeDelta::days(DAYS)).timestamp_millis();
    for entry in state.metadata.scan(MACHINES, &Key::default(), None, usize::MAX >> 1)? {
        let machine: StoredMachine = entry.json()?;
        forget_of(state, &machine.name, until).await?;
    }
    Ok(())
}

/// Executions of a machine are in the order of their starts, newest first: the old ones come after a point in time.
async fn forget_of(state: &StepFunctions, machine: &str, until: i64) -> Result<(), SfnError> {
    let prefix = Key::new([machine]);
    let mut after = prefix.clone().with(&format!("{:016x}", u64::MAX - until.unsigned_abs()));
    loop {
        let page = state.metadata.page(BY_START, &prefix, Some(&after), BATCH)?;
        let mut old = Vec::new();
        for entry in &page.entries {
            let key = Key::new([machine, &entry.key.last()]);
            let row: Option<StoredExecution> = state.metadata.get_json(EXECUTIONS, &key)?;
            if row.is_none_or(|row| row.stopped.is_some_and(|stopped| stopped <= until)) {
                old.push((entry.key.clone(), key));
            }
        }
        if !old.is_empty() {
            state
                .metadata
                .transaction(move |tx| {
                    for (by_start, key) in &old {
                        tx.delete(BY_START, by_start)?;
                        tx.delete(EXECUTIONS, key)?;
                        tx.delete_prefix(HISTORY, key)?;
                    }
                    Ok::<_, SfnError>(())
                })
                .await?;
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
