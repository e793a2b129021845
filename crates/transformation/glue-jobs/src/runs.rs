//! Runs: start, get, list, stop.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use serde_json::{Value, json};

use crate::api::{BatchStopJobRun, GetJobRun, GetJobRuns, Job, JobRun, JobRunState, StartJobRun, Timestamp};
use crate::error::JobError;
use crate::store::{JOBS, Jobs, RUNS, STARTED, StoredRun, UNFINISHED, no_job, no_run, now, page, put_run, seconds};
use crate::{check, worker};

/// Runs that BatchStopJobRun takes at once.
const MAX_STOPS: usize = 25;

/// Days for which a run is known ("GetJobRun").
const HISTORY_DAYS: i64 = 365;
/// Runs that one start forgets at most, so that no single caller pays for all.
const FORGOTTEN_AT_ONCE: usize = 100;

/// Run ids order newest first: what is left of the clock's range, then a random part. 64 digits, as AWS's.
fn run_id(time: DateTime<Utc>) -> String {
    let random: [u64; 3] = rand::rng().random();
    format!("{}{:016x}{:016x}{:016x}", run_id_start(time), random[0], random[1], random[2])
}

fn run_id_start(time: DateTime<Utc>) -> String {
    format!("jr_{:016x}", u64::MAX - time.timestamp_micros().unsigned_abs())
}

/// Runs that began before this are not known any more.
fn horizon(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(HISTORY_DAYS)
}

/// Forgets some of a job's runs whose time is over. A run that goes on is kept.
fn forget_old(tx: &Transaction<'_>, job: &str, now: DateTime<Utc>) -> Result<(), JobError> {
    let (prefix, oldest) = (Key::new([job]), Key::new([job, &run_id_start(horizon(now))]));
    for entry in tx.scan(RUNS, &prefix, Some(&oldest), FORGOTTEN_AT_ONCE)? {
        let run: StoredRun = entry.json()?;
        if run.state().has_ended() {
            tx.delete(RUNS, &entry.key)?;
            if let Some(token) = &run.token {
                tx.delete(STARTED, &Key::new([job, token]))?;
            }
        }
    }
    Ok(())
}

fn check_start(input: &StartJobRun) -> Result<(), JobError> {
    for (given, name) in [
        (input.job_run_queuing_enabled == Some(true), "JobRunQueuingEnabled"),
        (input.security_configuration.is_some(), "SecurityConfiguration of job runs"),
        (
            input.notification_property.as_ref().is_some_and(|p| !p["NotifyDelayAfter"].is_null()),
            "NotificationProperty",
        ),
        (input.execution_role_session_policy.is_some(), "ExecutionRoleSessionPolicy"),
    ] {
        if given {
            return Err(JobError::not_implemented(name));
        }
    }
    Ok(())
}

pub(crate) async fn start(ctx: Ctx, state: Arc<Jobs>, input: StartJobRun) -> Result<Value, JobError> {
    check_start(&input)?;
    let (id, caller) = (run_id(ctx.now()), ctx.clone());
    let (run, new) = state.metadata.transaction(move |tx| admit(tx, &caller, input, id)).await?;
    let answer = json!({"JobRunId": run.id()});
    if new {
        worker::spawn(ctx.platform.clone(), state, run);
    }
    Ok(answer)
}

/// Makes a run durable, unless the call's token has been seen: then the earlier run is the answer.
fn admit(tx: &Transaction<'_>, ctx: &Ctx, input: StartJobRun, id: String) -> Result<(StoredRun, bool), JobError> {
    let name = input.job_name.clone();
    let seen = ctx.token.as_deref().map(|token| Key::new([&name, token]));
    if let Some(seen) = &seen
        && let Some(entry) = tx.get(STARTED, seen)?
    {
        let id = String::from_utf8_lossy(&entry.value).into_owned();
        let run = tx.get_json(RUNS, &Key::new([&name, &id]))?.ok_or_else(|| no_run(&id))?;
        return Ok((run, false));
    }
    let job: Job = tx.get_json(JOBS, &Key::new([&name]))?.ok_or_else(|| no_job(&name))?;
    let allowed = job.execution_property.as_ref().and_then(|property| property.max_concurrent_runs).unwrap_or(1);
    let unfinished = tx.scan(UNFINISHED, &Key::new([&name]), None, allowed as usize)?.len();
    if unfinished >= allowed as usize {
        return Err(JobError::ConcurrentRuns(name));
    }
    forget_old(tx, &name, ctx.now())?;
    let run = StoredRun { token: ctx.token.as_deref().map(str::to_owned), ..new_run(tx, input, job, id, now(ctx))? };
    put_run(tx, &run)?;
    if let Some(seen) = seen {
        tx.put(STARTED, &seen, run.id().as_bytes())?;
    }
    Ok((run, true))
}

fn new_run(
    tx: &Transaction<'_>,
    input: StartJobRun,
    job: Job,
    id: String,
    time: Timestamp,
) -> Result<StoredRun, JobError> {
    let earlier: Option<StoredRun> = match &input.job_run_id {
        Some(id) => Some(tx.get_json(RUNS, &Key::new([&input.job_name, id]))?.ok_or_else(|| no_run(id))?),
        None => None,
    };
    let arguments = input.arguments.or_else(|| earlier.and_then(|earlier| earlier.run.arguments)).unwrap_or_default();
    check::arguments(&arguments)?;
    let fixed = job.non_overridable_arguments.iter().flatten();
    if let Some((name, _)) =
        fixed.into_iter().find(|(name, value)| arguments.get(*name).is_some_and(|given| given != *value))
    {
        return Err(JobError::invalid(format!("The argument {name} can't be overridden for job {}", input.job_name)));
    }
    let timeout = input.timeout.or(job.timeout);
    if timeout.is_some_and(|minutes| minutes == 0) {
        return Err(JobError::invalid("Timeout must be 1 minute at least"));
    }
    let run = JobRun {
        id: Some(id),
        attempt: Some(0),
        previous_run_id: input.job_run_id,
        job_name: Some(input.job_name),
        job_mode: job.job_mode.clone(),
        started_on: Some(time),
        last_modified_on: Some(time),
        job_run_state: Some(JobRunState::Starting),
        arguments: Some(arguments),
        predecessor_runs: Some(Vec::new()),
        allocated_capacity: input.allocated_capacity.or(job.allocated_capacity),
        execution_time: Some(0),
        timeout,
        max_capacity: input.max_capacity.or(job.max_capacity),
        worker_type: input.worker_type.or_else(|| job.worker_type.clone()),
        number_of_workers: input.number_of_workers.or(job.number_of_workers),
        log_group_name: Some(crate::logs::group(&job).to_owned()),
        glue_version: job.glue_version.clone(),
        execution_class: input.execution_class.or_else(|| job.execution_class.clone()),
        ..JobRun::default()
    };
    Ok(StoredRun { run, job, running_since: None, token: None })
}

/// The run as clients see it: how long it has worked so far.
fn shown(stored: StoredRun, now: Timestamp) -> JobRun {
    let mut run = stored.run;
    if let (Some(since), None) = (stored.running_since, run.completed_on) {
        run.execution_time = Some((now - since).max(0.0) as u64);
    }
    run
}

pub(crate) async fn get(ctx: Ctx, state: Arc<Jobs>, input: GetJobRun) -> Result<Value, JobError> {
    let run = state.run(&input.job_name, &input.run_id)?;
    if run.run.started_on.is_some_and(|started| started < seconds(horizon(ctx.now()))) {
        return Err(no_run(&input.run_id));
    }
    Ok(json!({"JobRun": shown(run, now(&ctx))}))
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Jobs>, input: GetJobRuns) -> Result<Value, JobError> {
    state.job(&input.job_name)?;
    let prefix = Key::new([&input.job_name]);
    let (found, next) = page::<StoredRun>(&state, RUNS, &prefix, input.max_results, 200, input.next_token)?;
    let (read, oldest) = (found.len(), run_id_start(horizon(ctx.now())));
    let known = found.into_iter().take_while(|run| *run.id() < *oldest);
    let runs: Vec<JobRun> = known.map(|run| shown(run, now(&ctx))).collect();
    // Behind a run that is too old there are only older ones.
    let next = next.filter(|_| runs.len() == read);
    Ok(json!({"JobRuns": runs, "NextToken": next}))
}

/// Asks runs to end. Each is answered for itself.
pub(crate) async fn stop(ctx: Ctx, state: Arc<Jobs>, input: BatchStopJobRun) -> Result<Value, JobError> {
    if !(1..=MAX_STOPS).contains(&input.job_run_ids.len()) {
        return Err(JobError::invalid(format!("JobRunIds must have between 1 and {MAX_STOPS} members")));
    }
    let (mut stopped, mut errors) = (Vec::new(), Vec::new());
    for id in input.job_run_ids {
        let named = json!({"JobName": input.job_name, "JobRunId": id});
        match worker::stop(&ctx, &state, &input.job_name, &id).await {
            Ok(()) => stopped.push(named),
            Err(error @ JobError::Store(_)) => return Err(error),
            Err(error) => {
                let error = boathouse_aws::AwsError::from(error);
                let mut named = named;
                named["ErrorDetail"] = json!({"ErrorCode": error.code, "ErrorMessage": error.message});
                errors.push(named);
            }
        }
    }
    Ok(json!({"SuccessfulSubmissions": stopped, "Errors": errors}))
}
