//! The worker of a queue.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use boathouse_metadata::MetadataError;
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::{JoinHandle, JoinSet};

use crate::queue::{Due, Queue};
use crate::task::{Outcome, Task};

/// The pause after the store failed, before it is asked again.
const STORE_PAUSE: Duration = Duration::from_secs(1);

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Works on due tasks, at most `concurrency` at once, for as long as the runtime lives (or until the handle is
    /// aborted; what was going on then is taken up by the next worker). There is one worker for a queue. A handler that
    /// panics makes its task a dead letter.
    pub fn spawn<H, F>(&self, concurrency: usize, handler: H) -> JoinHandle<()>
    where
        H: Fn(Task<T>) -> F + Send + Sync + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        tokio::spawn(work(self.clone(), concurrency.max(1), Arc::new(handler)))
    }
}

async fn work<T, H, F>(queue: Queue<T>, concurrency: usize, handler: Arc<H>)
where
    T: Serialize + DeserializeOwned + Send + 'static,
    H: Fn(Task<T>) -> F + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let mut leased = HashSet::new();
    let mut running = JoinSet::new();
    loop {
        let free = concurrency - running.len();
        let agenda = match queue.agenda(free, &leased) {
            Ok(agenda) => agenda,
            Err(error) => {
                tracing::error!(queue = queue.space, %error, "due tasks can't be read");
                tokio::time::sleep(STORE_PAUSE).await;
                continue;
            }
        };
        for due in agenda.due {
            leased.insert(due.id.clone());
            running.spawn(attempt(queue.clone(), due, Arc::clone(&handler)));
        }
        let next_due = async {
            match agenda.next {
                Some(time) => queue.clock.sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = queue.changed.notified(), if running.len() < concurrency => {}
            () = next_due, if running.len() < concurrency => {}
            Some(ended) = running.join_next() => release(&mut leased, ended),
        }
        while let Some(ended) = running.try_join_next() {
            release(&mut leased, ended);
        }
    }
}

fn release(leased: &mut HashSet<String>, ended: Result<String, tokio::task::JoinError>) {
    // An attempt catches its handler's panics, so it always answers.
    let id = ended.expect("an attempt does not panic");
    leased.remove(&id);
}

/// Works on one task and keeps how it ended; answers the id, whose lease is over then.
async fn attempt<T, H, F>(queue: Queue<T>, due: Due, handler: Arc<H>) -> String
where
    T: Serialize + DeserializeOwned + Send + 'static,
    H: Fn(Task<T>) -> F,
    F: Future<Output = Outcome>,
{
    let id = due.id.clone();
    let outcome = match due.task() {
        Ok(task) => AssertUnwindSafe(async { handler(task).await })
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Outcome::Dead("the task's handler panicked".into())),
        Err(error) => Outcome::Dead(error.to_string()),
    };
    if let Outcome::Dead(reason) = &outcome {
        tracing::error!(queue = queue.space, task = id, reason, "a task can't be done");
    }
    if let Err(error) = queue.settle(due, outcome).await {
        tracing::error!(queue = queue.space, task = id, %error, "how a task ended can't be kept; it is done again");
        if !matches!(error, MetadataError::Closed) {
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }
    id
}
