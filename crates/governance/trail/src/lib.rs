//! The event history: who called which operation of which service, when, from where, and how it ended.
//!
//! AWS counterpart: AWS CloudTrail, its "Event history" (LookupEvents). It holds management events of the last 90 days, not
//! data events: no reads and writes of objects, messages, records or log events, and no invocations. A call is in the
//! history's file before its answer goes out, so it survives a crash of the process; at most a second later it survives a
//! power cut too. What is older than 90 days of the platform's clock goes, and before that the oldest when the history
//! is larger than a gibibyte. Event names have no date behind them (AWS writes `CreateFunction20150331`), and
//! `responseElements` is null but of the calls
//! that begin a query, a run or an execution, where it names what has begun.
//!
//! | Module | What it does |
//! |---|---|
//! | `calls` | which calls are kept, and which of them only read |
//! | `event` | a call → the event as AWS writes it |
//! | `parameters` | a request's members without secrets, named as AWS names them |
//! | `resources` | which resources an event is about |
//! | [`store`] | the files |
//! | `lookup` | LookupEvents |
//! | [`error`] | errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod calls;
pub mod error;
mod event;
mod lookup;
mod parameters;
mod resources;
pub mod store;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::history::{CallHistory, CallRecord};
use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Platform, Protocol, ServiceTable};

use crate::error::TrailError;
use crate::store::Store;

/// How long written events may wait for their fsync.
const SYNC_DELAY: Duration = Duration::from_secs(1);

/// The event history of an installation.
pub struct Trail {
    store: Store,
    written: tokio::sync::Notify,
}

impl Trail {
    /// Opens the history in `directory`, which is made with the first event.
    ///
    /// # Errors
    /// [`TrailError::Store`].
    pub fn open(directory: &Path) -> Result<Arc<Self>, TrailError> {
        Ok(Arc::new(Self { store: Store::open(directory)?, written: tokio::sync::Notify::new() }))
    }
}

impl CallHistory for Trail {
    fn keeps(&self, service: &str, operation: &str) -> bool {
        calls::is_management(service, operation)
    }

    fn keeps_answer(&self, service: &str, operation: &str) -> bool {
        calls::begins(service, operation)
    }

    fn note(&self, call: &CallRecord<'_>) {
        let entry = event::entry(call);
        match self.store.append(&entry) {
            Ok(()) => self.written.notify_one(),
            Err(error) => {
                tracing::error!(%error, service = call.service, operation = call.operation, "an event could not be kept");
            }
        }
    }
}

/// The operations of CloudTrail.
pub fn service(trail: &Arc<Trail>) -> ServiceTable {
    let protocol =
        Protocol::AwsJson { version: "1.1", target_prefix: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101" };
    ServiceTable::new("cloudtrail", protocol).operation(
        "LookupEvents",
        Access::On(any_resource),
        trail,
        lookup::lookup_events,
    )
}

/// Brings what was written to the disk within a second, and lets old events go.
pub fn spawn(platform: &Platform, trail: &Arc<Trail>) {
    let (clock, trail) = (Arc::clone(&platform.clock), Arc::clone(trail));
    tokio::spawn(async move {
        loop {
            trail.written.notified().await;
            tokio::time::sleep(SYNC_DELAY).await;
            let (now, trail) = (clock.now(), Arc::clone(&trail));
            let work = tokio::task::spawn_blocking(move || trail.store.sync().and_then(|()| trail.store.expire(now)));
            match work.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the event history could not be brought to the disk"),
                Err(error) => tracing::error!(%error, "the event history's upkeep failed"),
            }
        }
    });
}
