//! The rows of a queue.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

use boathouse_aws::Clock;
use boathouse_metadata::{Key, Metadata, MetadataError, Transaction};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::task::{DeadLetter, Outcome, Task};

/// `("task", id)` → [`Row`].
const TASK: &str = "task";
/// `("due", due time, id)` → nothing: the order in which tasks are taken.
const DUE: &str = "due";
/// `("dead", time, id)` → [`DeadLetter`].
const DEAD: &str = "dead";

/// Durable tasks with bodies of type `T`. Cheap to clone.
pub struct Queue<T> {
    pub(crate) metadata: Metadata,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) space: &'static str,
    /// Wakes the worker when a task has come or changed.
    pub(crate) changed: Arc<Notify>,
    bodies: PhantomData<fn(T) -> T>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        let (metadata, clock) = (self.metadata.clone(), Arc::clone(&self.clock));
        Self { metadata, clock, space: self.space, changed: Arc::clone(&self.changed), bodies: PhantomData }
    }
}

impl<T> std::fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("space", &self.space).finish()
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    created: DateTime<Utc>,
    due: DateTime<Utc>,
    /// Attempts that have ended.
    attempts: u32,
    /// JSON in JSON, so that a body that no longer fits `T` is still a row.
    body: String,
}

/// A task that is due, with what settling it needs to know.
pub(crate) struct Due {
    pub(crate) id: String,
    row: Row,
    version: u64,
}

/// What there is to do now, and when there will be more.
pub(crate) struct Agenda {
    pub(crate) due: Vec<Due>,
    /// The due time of the first task that is not due yet. Unknown while due tasks fill the whole agenda.
    pub(crate) next: Option<DateTime<Utc>>,
}

impl<T> Queue<T> {
    /// The queue in this space of the store, which must belong to it alone. There is one `Queue` (and its clones) for a
    /// space in a process, because it is what wakes the worker.
    pub fn new(metadata: Metadata, clock: Arc<dyn Clock>, space: &'static str) -> Self {
        Self { metadata, clock, space, changed: Arc::default(), bodies: PhantomData }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Adds a task that is done once `due` has come, as a part of a transaction, and answers its id. Tasks of the same due
    /// time are taken in the order in which they were added.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn add(&self, tx: &Transaction<'_>, due: DateTime<Utc>, body: &T) -> Result<String, MetadataError> {
        let id = Uuid::now_v7().simple().to_string();
        self.put(tx, &id, due, body)?;
        Ok(id)
    }

    /// [`Queue::add`] in a transaction of its own.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub async fn enqueue(&self, due: DateTime<Utc>, body: T) -> Result<String, MetadataError>
    where
        T: Sync,
    {
        let queue = self.clone();
        self.metadata.transaction(move |tx| queue.add(tx, due, &body)).await
    }

    /// Makes `id` a new task, in place of any other of that id. If that one is being worked on, the work goes on, but
    /// its end does not touch the new task.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn put(&self, tx: &Transaction<'_>, id: &str, due: DateTime<Utc>, body: &T) -> Result<(), MetadataError> {
        let body = serde_json::to_string(body)?;
        self.write(tx, id, &Row { created: self.clock.now(), due, attempts: 0, body })
    }

    /// Removes a task that is not wanted any more; says whether there was one.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn remove(&self, tx: &Transaction<'_>, id: &str) -> Result<bool, MetadataError> {
        let Some(row) = tx.get_json::<Row>(self.space, &task_key(id))? else {
            return Ok(false);
        };
        tx.delete(self.space, &due_key(row.due, id))?;
        tx.delete(self.space, &task_key(id))
    }

    /// The task `id`, due or not.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn get(&self, id: &str) -> Result<Option<Task<T>>, MetadataError> {
        let row = self.metadata.get_json::<Row>(self.space, &task_key(id))?;
        row.map(|row| row.task(id.to_owned())).transpose()
    }

    /// [`Queue::get`] inside a transaction.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn get_in(&self, tx: &Transaction<'_>, id: &str) -> Result<Option<Task<T>>, MetadataError> {
        let row = tx.get_json::<Row>(self.space, &task_key(id))?;
        row.map(|row| row.task(id.to_owned())).transpose()
    }

    /// The first `limit` dead letters, oldest first. They are kept until [`Queue::discard_dead_letter`].
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, MetadataError> {
        let rows = self.metadata.scan(self.space, &Key::new([DEAD]), None, limit)?;
        rows.iter().map(|entry| entry.json()).collect()
    }

    /// Forgets a dead letter that somebody has dealt with.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn discard_dead_letter(&self, tx: &Transaction<'_>, letter: &DeadLetter) -> Result<bool, MetadataError> {
        tx.delete(self.space, &dead_key(letter.time, &letter.id))
    }

    fn write(&self, tx: &Transaction<'_>, id: &str, row: &Row) -> Result<(), MetadataError> {
        self.remove(tx, id)?;
        tx.put_json(self.space, &task_key(id), row)?;
        tx.put(self.space, &due_key(row.due, id), b"")?;
        let changed = Arc::clone(&self.changed);
        tx.after_commit(move || changed.notify_one());
        Ok(())
    }

    /// At most `limit` due tasks that are not among the `leased` ones.
    pub(crate) fn agenda(&self, limit: usize, leased: &HashSet<String>) -> Result<Agenda, MetadataError> {
        let now = self.clock.now();
        let mut agenda = Agenda { due: Vec::new(), next: None };
        let rows = self.metadata.scan(self.space, &Key::new([DUE]), None, limit + leased.len() + 1)?;
        for entry in rows {
            let id = entry.key.last();
            if leased.contains(&id) {
                continue;
            }
            let Some(task) = self.metadata.get(self.space, &task_key(&id))? else {
                continue; // removed since the scan
            };
            let row: Row = task.json()?;
            if row.due > now {
                agenda.next = Some(row.due);
                break;
            }
            if agenda.due.len() == limit {
                break;
            }
            agenda.due.push(Due { id, row, version: task.version });
        }
        Ok(agenda)
    }

    /// Keeps how a task ended, unless somebody has put another in its place.
    pub(crate) async fn settle(&self, due: Due, outcome: Outcome) -> Result<(), MetadataError> {
        if outcome == Outcome::Settled {
            return Ok(());
        }
        let (queue, time) = (self.clone(), self.clock.now());
        self.metadata
            .transaction(move |tx| {
                let present = tx.get(queue.space, &task_key(&due.id))?;
                if present.is_none_or(|present| present.version != due.version) {
                    return Ok(());
                }
                let attempts = due.row.attempts + 1;
                match outcome {
                    Outcome::Done | Outcome::Settled => queue.remove(tx, &due.id).map(drop),
                    Outcome::RetryAt(again) => queue.write(tx, &due.id, &Row { due: again, attempts, ..due.row }),
                    Outcome::Dead(reason) => {
                        queue.remove(tx, &due.id)?;
                        let key = dead_key(time, &due.id);
                        let letter = DeadLetter { id: due.id, body: due.row.body, attempts, reason, time };
                        tx.put_json(queue.space, &key, &letter).map(drop)
                    }
                }
            })
            .await
    }
}

impl Due {
    pub(crate) fn task<T: DeserializeOwned>(&self) -> Result<Task<T>, MetadataError> {
        self.row.task(self.id.clone())
    }
}

impl Row {
    fn task<T: DeserializeOwned>(&self, id: String) -> Result<Task<T>, MetadataError> {
        let body = serde_json::from_str(&self.body)?;
        Ok(Task { id, body, attempt: self.attempts + 1, created: self.created, due: self.due })
    }
}

fn task_key(id: &str) -> Key {
    Key::new([TASK, id])
}

fn due_key(due: DateTime<Utc>, id: &str) -> Key {
    Key::new([DUE, &ordered(due), id])
}

fn dead_key(time: DateTime<Utc>, id: &str) -> Key {
    Key::new([DEAD, &ordered(time), id])
}

/// A text that sorts as the times do. Before 1970 everything is due at once.
fn ordered(time: DateTime<Utc>) -> String {
    format!("{:016x}", time.timestamp_micros().max(0))
}
