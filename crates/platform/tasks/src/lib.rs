//! Durable tasks: work that must be done once its time has come, whatever happens to the process meanwhile.
//!
//! AWS counterpart: none that customers see; it is what stands behind asynchronous invocations, deliveries and schedules.
//!
//! A [`Queue`] keeps JSON tasks in a space of the metadata store. A task is written in the same transaction as what it
//! belongs to, so both are there or neither. Workers take due tasks in the order of their due times, at most as many at
//! once as they were given leave for, and say how each one [ended](Outcome). A task is gone only when that end is on disk:
//! after a crash every task that had not ended is taken up again, so handlers must bear to see a task twice. One process
//! works on a data directory, so a lease is held in memory and ends with its process.
//!
//! The clock is the platform's: a test moves it and waits for nothing.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use boathouse_metadata::{Metadata, MetadataError};
//! # use boathouse_tasks::{Outcome, Queue, Task};
//! # async fn example(metadata: Metadata, clock: Arc<dyn boathouse_aws::Clock>) -> Result<(), MetadataError> {
//! let letters: Queue<String> = Queue::new(metadata.clone(), clock.clone(), "example-letters");
//! letters.spawn(8, |letter: Task<String>| async move {
//!     tracing::info!(id = letter.id, attempt = letter.attempt, text = letter.body, "delivered");
//!     Outcome::Done
//! });
//! let (queue, due) = (letters.clone(), clock.now());
//! metadata.transaction(move |tx| queue.add(tx, due, &"hello".to_owned())).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | Module | What it does |
//! |---|---|
//! | [`queue`] | [`Queue`]: rows, due order, dead letters |
//! | [`worker`] | takes due tasks and keeps how they ended |
//! | [`task`] | [`Task`], [`Outcome`], [`exponential`] |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod queue;
pub mod task;
#[cfg(test)]
mod tests;
pub mod worker;

pub use queue::Queue;
pub use task::{DeadLetter, Outcome, Task, exponential};
