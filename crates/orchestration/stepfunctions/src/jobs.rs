//! Jobs that `.sync` tasks wait for: the platform tells when one changes, and then it is read. Nothing polls.

use std::sync::Arc;

use boathouse_aws::events::PlatformEvent;
use boathouse_states::Call;
use boathouse_states::execution::Happening;
use parking_lot::Mutex;
use tokio::sync::broadcast::error::RecvError;

use crate::integrations;
use crate::runner::Message;
use crate::store::{StepFunctions, StoredExecution};

/// A job of another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    Glue { name: String, run: String },
    Athena { query: String },
    Execution { arn: String },
}

/// A task that waits for a job.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) row: StoredExecution,
    pub(crate) call: Arc<Call>,
    pub(crate) job: Job,
}

/// The tasks that wait.
#[derive(Default)]
pub(crate) struct Watches(Mutex<Vec<Watch>>);

impl Watches {
    /// The task is not wanted any more.
    pub(crate) fn forget(&self, execution: &str, task: u64) {
        self.0.lock().retain(|watch| watch.row.arn != execution || watch.call.task != task);
    }

    fn of(&self, job: &Job) -> Vec<Watch> {
        self.0.lock().iter().filter(|watch| watch.job == *job).cloned().collect()
    }

    fn all(&self) -> Vec<Watch> {
        self.0.lock().clone()
    }
}

/// Waits for a job; one that has ended already is noticed at once.
pub(crate) fn watch(state: &Arc<StepFunctions>, watch: Watch) {
    state.watches.0.lock().push(watch.clone());
    look(state, watch);
}

/// Reads a job, and tells the execution if it has ended.
fn look(state: &Arc<StepFunctions>, watch: Watch) {
    let state = Arc::clone(state);
    tokio::spawn(async move {
        let what = match integrations::read_job(&state, &watch).await {
            Ok(None) => return,
            Ok(Some(what)) => what,
            Err(error) => {
                let failure = boathouse_states::Failure::new("States.TaskFailed", error.to_string());
                Happening::Failed { task: watch.call.task, failure }
            }
        };
        state.watches.forget(&watch.row.arn, watch.call.task);
        // Nobody is told if the execution has ended meanwhile.
        let _ = state.running.tell(&watch.row.arn, Message::from(what));
    });
}

/// The job that an event is about.
fn job_of(event: &PlatformEvent) -> Option<Job> {
    let text = |name: &str| event.detail[name].as_str().map(str::to_owned);
    match event.detail_type {
        "Glue Job State Change" => Some(Job::Glue { name: text("jobName")?, run: text("jobRunId")? }),
        "Athena Query State Change" => Some(Job::Athena { query: text("queryExecutionId")? }),
        "Step Functions Execution Status Change" => Some(Job::Execution { arn: text("executionArn")? }),
        _ => None,
    }
}

/// Hears what happens, for as long as the server lives.
pub(crate) fn listen(state: &Arc<StepFunctions>) {
    let mut events = state.platform.events.subscribe();
    let state = Arc::downgrade(state);
    tokio::spawn(async move {
        loop {
            let heard = events.recv().await;
            let Some(state) = state.upgrade() else { return };
            match heard {
                Ok(event) => {
                    let waiting = job_of(&event).map(|job| state.watches.of(&job)).unwrap_or_default();
                    waiting.into_iter().for_each(|watch| look(&state, watch));
                }
                // Something was missed: every job is looked at.
                Err(RecvError::Lagged(_)) => state.watches.all().into_iter().for_each(|watch| look(&state, watch)),
                Err(RecvError::Closed) => return,
            }
        }
    });
}
