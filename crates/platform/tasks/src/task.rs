//! A task as its handler sees it, and how it can end.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A task that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task<T> {
    /// Its name in the queue.
    pub id: String,
    /// What is to be done.
    pub body: T,
    /// 1 at first. An attempt that a crash cut short is not counted.
    pub attempt: u32,
    /// When it was put into the queue.
    pub created: DateTime<Utc>,
    /// When it was to be done, which may be long ago.
    pub due: DateTime<Utc>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The task is done and forgotten.
    Done,
    /// The same task again, not before this time.
    RetryAt(DateTime<Utc>),
    /// It can't be done, for this reason; it is kept as a [`DeadLetter`] for somebody to look at.
    Dead(String),
    /// The handler has already put the task's successor in its place, or removed it, in a transaction of its own.
    Settled,
}

/// A task that could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The task's name.
    pub id: String,
    /// The body, as JSON text: it may be one that its reader can't make sense of.
    pub body: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it can't be done.
    pub reason: String,
    /// When it was given up.
    pub time: DateTime<Utc>,
}

/// The pause after the attempt number `attempt`: `first`, then twice as long each time, at most `longest`.
pub fn exponential(attempt: u32, first: TimeDelta, longest: TimeDelta) -> TimeDelta {
    let factor = 1 << attempt.saturating_sub(1).min(30);
    first.checked_mul(factor).map_or(longest, |pause| pause.min(longest))
}
