//! The life of a run: started, running, ended. However it ends, its row says so.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::events::PlatformEvent;
use boathouse_aws::{Ctx, Platform, Principal};
use boathouse_metadata::{Key, Transaction};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use serde_json::json;
use tokio::sync::Notify;

use crate::api::{JobRun, JobRunState, Timestamp};
use crate::bookmarks::{self, Read};
use crate::check::{self, Work};
use crate::error::JobError;
use crate::failure::Failure;
use crate::logs::{self, Log, Stream};
use crate::measures;
use crate::store::{Jobs, RUNS, StoredRun, UNFINISHED, no_run, now, put_run, seconds};
use crate::visual;

/// How a run ended.
enum End {
    /// With what its bookmark has to remember, if it has one.
    Succeeded(Option<Read>),
    Failed(Failure),
    TimedOut,
    Stopped,
}

/// What a run's work has at hand.
pub(crate) struct Attempt<'a> {
    pub(crate) state: &'a Jobs,
    pub(crate) run: &'a StoredRun,
    /// The run's context as its role.
    pub(crate) ctx: Ctx,
    pub(crate) log: Log,
    /// Whether an earlier process may have begun it.
    pub(crate) resumed: bool,
}

/// Asks a run to end.
pub(crate) async fn stop(ctx: &Ctx, state: &Jobs, job: &str, id: &str) -> Result<(), JobError> {
    let (key, owned, time) = (Key::new([job, id]), id.to_owned(), now(ctx));
    state
        .metadata
        .transaction(move |tx| {
            let mut stored: StoredRun = tx.get_json(RUNS, &key)?.ok_or_else(|| no_run(&owned))?;
            match stored.state() {
                JobRunState::Stopping => Ok(()),
                state if state.has_ended() => {
                    Err(JobError::invalid(format!("Job run {owned} has ended already: {}", state.as_str())))
                }
                _ => {
                    stored.run.job_run_state = Some(JobRunState::Stopping);
                    stored.run.last_modified_on = Some(time);
                    put_run(tx, &stored)?;
                    Ok(())
                }
            }
        })
        .await?;
    if let Some(running) = state.running.lock().get(id) {
        running.notify_one();
    }
    Ok(())
}

/// Takes up the runs that an earlier process did not finish.
///
/// # Errors
/// The store can't be read.
pub fn recover(platform: &Platform, state: &Arc<Jobs>) -> Result<(), JobError> {
    for entry in state.metadata.scan(UNFINISHED, &Key::default(), None, usize::MAX >> 1)? {
        let Some(run) = state.metadata.get_json::<StoredRun>(RUNS, &entry.key)? else { continue };
        tracing::info!(
            job = run.job_name(),
            run = run.id(),
            state = run.state().as_str(),
            "a run goes on after a restart"
        );
        launch(platform.clone(), Arc::clone(state), run, true);
    }
    Ok(())
}

/// Sets a run going that is on disk.
pub(crate) fn spawn(platform: Platform, state: Arc<Jobs>, run: StoredRun) {
    launch(platform, state, run, false);
}

fn launch(platform: Platform, state: Arc<Jobs>, run: StoredRun, resumed: bool) {
    let stopped = Arc::new(Notify::new());
    state.running.lock().insert(run.id().to_owned(), Arc::clone(&stopped));
    let owner = Arc::clone(&state);
    owner.threads.spawn(async move {
        let id = run.id().to_owned();
        let retry = live(&platform, &state, run, &stopped, resumed).await;
        state.running.lock().remove(&id);
        match retry {
            Ok(Some(retry)) => launch(platform, state, retry, false),
            Ok(None) => {}
            Err(error) => tracing::error!(run = id, %error, "the end of a run can't be kept"),
        }
    });
}

/// Lives a run to its end, and answers the run that tries it again.
async fn live(
    platform: &Platform,
    state: &Jobs,
    run: StoredRun,
    stopped: &Notify,
    resumed: bool,
) -> Result<Option<StoredRun>, JobError> {
    let end = match begin(platform, state, &run, resumed).await? {
        Begun::Ended(end) => end,
        Begun::Running(run, role) => attempt(platform, state, &run, role, stopped, resumed).await,
    };
    finish(platform, state, &run, end).await
}

enum Begun {
    Running(Box<StoredRun>, Arc<Principal>),
    Ended(End),
}

/// Makes the run one that is RUNNING, as its role.
async fn begin(platform: &Platform, state: &Jobs, run: &StoredRun, resumed: bool) -> Result<Begun, JobError> {
    let lost = resumed && run.state() == JobRunState::Running && is_script(run);
    if lost {
        let reason = "Internal service error : the worker was lost while the script ran";
        return Ok(Begun::Ended(End::Failed(Failure::new(reason))));
    }
    let role = run.job.role.as_deref().unwrap_or_default();
    let role = match state.roles.assume_for_service(role, check::SERVICE, "GlueJobRunnerSession") {
        Ok(role) => role,
        Err(error) => {
            let reason = format!("Role {role} can't be assumed by {}: {}", check::SERVICE, error.message);
            return Ok(Begun::Ended(End::Failed(Failure::new(reason))));
        }
    };
    let time = seconds(platform.clock.now());
    let key = run.key();
    let begun = state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &key)?;
            if stored.state() != JobRunState::Stopping {
                stored.run.job_run_state = Some(JobRunState::Running);
                stored.run.last_modified_on = Some(time);
                stored.running_since = stored.running_since.or(Some(time));
                put_run(tx, &stored)?;
            }
            Ok::<_, JobError>(stored)
        })
        .await?;
    if begun.state() == JobRunState::Stopping && !resumed {
        return Ok(Begun::Ended(End::Stopped));
    }
    Ok(Begun::Running(Box::new(begun), role))
}

fn is_script(run: &StoredRun) -> bool {
    run.job.code_gen_configuration_nodes.as_ref().is_none_or(|nodes| nodes.is_empty())
}

async fn attempt(
    platform: &Platform,
    state: &Jobs,
    run: &StoredRun,
    role: Arc<Principal>,
    stopped: &Notify,
    resumed: bool,
) -> End {
    let ctx = platform.context(role);
    let (log, sending) = logs::open(&ctx, logs::group(&run.job), run.id());
    let attempt = Attempt { state, run, ctx, log, resumed };
    let end = attempt.run(stopped).await;
    match &end {
        End::Succeeded(_) => attempt.log.say("Job run succeeded").await,
        End::Failed(failure) => attempt.log.write(Stream::Error, failure.to_string()).await,
        End::TimedOut => attempt.log.write(Stream::Error, "Job run timed out").await,
        End::Stopped => attempt.log.write(Stream::Error, "Job run stopped").await,
    }
    drop(attempt);
    sending.end().await;
    end
}

impl Attempt<'_> {
    async fn run(&self, stopped: &Notify) -> End {
        let work = match check::definition(&self.run.job) {
            Ok(work) => work,
            Err(error) => return End::Failed(error.into()),
        };
        let end = if self.run.state() == JobRunState::Stopping {
            End::Stopped // asked for just before a restart
        } else {
            let outcome = AssertUnwindSafe(self.work(&work)).catch_unwind();
            tokio::select! {
                biased;
                () = stopped.notified() => End::Stopped,
                () = self.ctx.platform.clock.sleep_until(self.deadline()) => End::TimedOut,
                outcome = outcome => match outcome {
                    Ok(Ok(read)) => End::Succeeded(read),
                    Ok(Err(failure)) => End::Failed(failure),
                    Err(_) => End::Failed(Failure::new("Internal service error : the engine panicked")),
                },
            }
        };
        if let (Work::Visual(graph), false) = (&work, matches!(end, End::Succeeded(_)))
            && let Err(failure) = visual::clean(self, graph).await
        {
            tracing::warn!(run = self.run.id(), reason = %failure, "files of a run that did not succeed stay behind");
        }
        end
    }

    async fn work(&self, work: &Work) -> Result<Option<Read>, Failure> {
        match work {
            Work::Visual(graph) => visual::run(self, graph).await,
            Work::PythonShell(shell) => crate::shell::run(self, shell).await.map(|()| None),
        }
    }

    /// When the run's time is over. Time without a server counts.
    fn deadline(&self) -> DateTime<Utc> {
        let minutes = self.run.run.timeout.unwrap_or(check::DEFAULT_TIMEOUT);
        let begun = self.run.running_since.map_or(self.ctx.now(), |since| {
            DateTime::from_timestamp_millis((since * 1000.0) as i64).unwrap_or_default()
        });
        begun + TimeDelta::minutes(i64::from(minutes))
    }

    /// How long the run may still work.
    pub(crate) fn time_left(&self) -> Duration {
        (self.deadline() - self.ctx.now()).to_std().unwrap_or_default()
    }
}

fn stored(tx: &Transaction<'_>, key: &Key) -> Result<StoredRun, JobError> {
    tx.get_json(RUNS, key)?.ok_or_else(|| no_run(&key.last()))
}

/// Keeps how the run ended, with its bookmark and with the run that tries it again.
async fn finish(platform: &Platform, state: &Jobs, run: &StoredRun, end: End) -> Result<Option<StoredRun>, JobError> {
    let (now, teller) = (platform.clock.now(), platform.events.clone());
    let (time, key) = (seconds(now), run.key());
    let (retry, lasted) = state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &key)?;
            let (state, reason) = match &end {
                End::Succeeded(_) => (JobRunState::Succeeded, None),
                End::Failed(failure) => (JobRunState::Failed, Some(failure.to_string())),
                End::TimedOut => (JobRunState::Timeout, Some("Job run timed out".to_owned())),
                End::Stopped => (JobRunState::Stopped, None),
            };
            stored.run.job_run_state = Some(state);
            stored.run.error_message = reason;
            stored.run.completed_on = Some(time);
            stored.run.last_modified_on = Some(time);
            let lasted = stored.running_since.map_or(0.0, |since| time - since).max(0.0);
            stored.run.execution_time = Some(lasted as u64);
            put_run(tx, &stored)?;
            if let End::Succeeded(Some(read)) = &end {
                bookmarks::commit(tx, &stored, read)?;
            }
            let retry = matches!(end, End::Failed(_)).then(|| again(&stored, time)).flatten();
            if let Some(retry) = &retry {
                put_run(tx, retry)?;
            }
            teller.tell(tx, ended(now, &stored))?;
            Ok::<_, JobError>((retry, lasted))
        })
        .await?;
    measures::ended(platform, run.job_name(), run.id(), lasted);
    Ok(retry)
}

/// The run that tries a failed one again, if the job wants that once more.
fn again(failed: &StoredRun, time: Timestamp) -> Option<StoredRun> {
    let attempt = failed.run.attempt.unwrap_or_default();
    if attempt >= failed.job.max_retries.unwrap_or_default() {
        return None;
    }
    let first = failed.id().split("_attempt_").next().unwrap_or_default();
    let run = JobRun {
        id: Some(format!("{first}_attempt_{}", attempt + 1)),
        attempt: Some(attempt + 1),
        previous_run_id: Some(failed.id().to_owned()),
        started_on: Some(time),
        last_modified_on: Some(time),
        completed_on: None,
        job_run_state: Some(JobRunState::Starting),
        error_message: None,
        execution_time: Some(0),
        ..failed.run.clone()
    };
    Some(StoredRun { run, job: failed.job.clone(), running_since: None, token: None })
}

/// What is told of the end ("AWS Glue events": Glue Job State Change).
fn ended(time: DateTime<Utc>, run: &StoredRun) -> PlatformEvent {
    let state = run.state();
    let (severity, message) = match state {
        JobRunState::Succeeded => ("INFO", "Job run succeeded".to_owned()),
        JobRunState::Stopped => ("INFO", "Job run stopped".to_owned()),
        JobRunState::Timeout => ("WARN", "Job run timed out".to_owned()),
        _ => ("ERROR", run.run.error_message.clone().unwrap_or_default()),
    };
    tracing::info!(job = run.job_name(), run = run.id(), state = state.as_str(), message, "a job run ended");
    let detail = json!({
        "jobName": run.job_name(),
        "severity": severity,
        "state": state.as_str(),
        "jobRunId": run.id(),
        "message": message,
    });
    PlatformEvent::new(time, "aws.glue", "Glue Job State Change", detail)
}
