//! What clears up: messages past their retention period, and those of deleted and purged queues.

use std::sync::Arc;

use boathouse_aws::Platform;
use boathouse_metadata::Key;
use chrono::TimeDelta;

use crate::deduplication;
use crate::error::SqsError;
use crate::shelf::Shelf;
use crate::store::{GARBAGE, Sqs, queue_in};

/// The time between two rounds. Expired messages are not given out meanwhile; they only take room.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Clears up for as long as the runtime lives.
pub fn spawn(platform: &Platform, state: &Arc<Sqs>) {
    let (clock, state) = (Arc::clone(&platform.clock), Arc::clone(state));
    tokio::spawn(async move {
        loop {
            if let Err(error) = sweep(&state, clock.now().timestamp_micros()).await {
                tracing::error!(%error, "queues can't be cleared up");
            }
            clock.sleep_until(clock.now() + PAUSE).await;
        }
    });
}

/// One round. Each transaction is short, because all writers wait for it.
pub(crate) async fn sweep(state: &Arc<Sqs>, now: i64) -> Result<(), SqsError> {
    for row in state.metadata.scan(GARBAGE, &Key::default(), None, usize::MAX >> 1)? {
        while clear_garbage(state, row.key.last()).await? {}
    }
    for queue in state.queues()? {
        while clear_expired(state, queue.name.clone(), now).await? {}
    }
    Ok(())
}

async fn clear_garbage(state: &Arc<Sqs>, name: String) -> Result<bool, SqsError> {
    state.rooms.lock().remove(&name);
    state
        .metadata
        .transaction(move |tx| {
            let more = Shelf::new(tx, &name).clear_all()?;
            if !more {
                deduplication::forget_all(tx, &name)?;
                tx.delete(GARBAGE, &Key::new([&name]))?;
            }
            Ok(more)
        })
        .await
}

async fn clear_expired(state: &Arc<Sqs>, name: String, now: i64) -> Result<bool, SqsError> {
    state
        .metadata
        .transaction(move |tx| match queue_in(tx, &name) {
            Ok(queue) => Shelf::new(tx, &queue.shelf).clear_expired(&queue, now),
            Err(SqsError::NoSuchQueue) => Ok(false), // deleted meanwhile
            Err(error) => Err(error),
        })
        .await
}
