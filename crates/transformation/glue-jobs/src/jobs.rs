//! Jobs: create, get, list, update, delete.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{
    Arguments, BatchGetJobs, CreateJob, ExecutionProperty, Job, JobCommand, Named, PageRequest, UpdateJob,
};
use crate::error::JobError;
use crate::store::{JOBS, Jobs, RUNS, STARTED, TAGS, UNFINISHED, no_job, now, page};
use crate::{bookmarks, check};

/// Tags of one resource.
const MAX_TAGS: usize = 50;

pub(crate) fn arn(ctx: &Ctx, job: &str) -> String {
    Arn::new("glue", ctx.region(), format!("job/{job}")).to_string()
}

/// Fills in what AWS fills in.
fn with_defaults(job: Job) -> Job {
    let visual = job.code_gen_configuration_nodes.as_ref().is_some_and(|nodes| !nodes.is_empty());
    let command = job.command.clone().unwrap_or_default();
    let capacity = job.max_capacity.or_else(|| job.allocated_capacity.map(f64::from));
    let script = command.name.as_deref() == Some("pythonshell");
    Job {
        job_mode: job.job_mode.or_else(|| Some(if visual { "VISUAL" } else { "SCRIPT" }.to_owned())),
        execution_property: Some(ExecutionProperty {
            max_concurrent_runs: job.execution_property.and_then(|property| property.max_concurrent_runs).or(Some(1)),
        }),
        command: Some(JobCommand {
            python_version: command.python_version.or_else(|| Some(if script { "3.9" } else { "3" }.to_owned())),
            ..command
        }),
        max_retries: job.max_retries.or(Some(0)),
        timeout: job.timeout.or(Some(check::DEFAULT_TIMEOUT)),
        max_capacity: capacity.or(if script { Some(0.0625) } else { None }),
        allocated_capacity: Some(capacity.unwrap_or_default() as u32),
        glue_version: job.glue_version.or_else(|| Some(if script { "3.0" } else { "5.0" }.to_owned())),
        execution_class: job.execution_class.or_else(|| (!script).then(|| "STANDARD".to_owned())),
        ..job
    }
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Jobs>, input: CreateJob) -> Result<Value, JobError> {
    let CreateJob { job, tags } = input;
    check::definition(&job)?;
    check::role(&ctx, &state, job.role.as_deref().unwrap_or_default())?;
    if tags.len() > MAX_TAGS {
        return Err(JobError::invalid(format!("A resource can have at most {MAX_TAGS} tags")));
    }
    let (time, name) = (Some(now(&ctx)), job.name.clone().unwrap_or_default());
    let job = Job { created_on: time, last_modified_on: time, ..with_defaults(job) };
    let (arn, answer) = (arn(&ctx, &name), json!({"Name": name}));
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&name]);
            if tx.contains(JOBS, &key)? {
                return Err(JobError::AlreadyExists(format!("Job with name: {name} already exists.")));
            }
            if !tags.is_empty() {
                tx.put_json(TAGS, &Key::new([arn]), &tags)?;
            }
            tx.put_json(JOBS, &key, &job)?;
            Ok(())
        })
        .await?;
    Ok(answer)
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Jobs>, input: UpdateJob) -> Result<Value, JobError> {
    let UpdateJob { job_name, job_update } = input;
    let job = Job { name: Some(job_name.clone()), ..job_update };
    state.job(&job_name)?;
    check::definition(&job)?;
    check::role(&ctx, &state, job.role.as_deref().unwrap_or_default())?;
    let (time, answer) = (Some(now(&ctx)), json!({"JobName": job_name}));
    let job = with_defaults(job);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&job_name]);
            let old: Job = tx.get_json(JOBS, &key)?.ok_or_else(|| no_job(&job_name))?;
            tx.put_json(JOBS, &key, &Job { created_on: old.created_on, last_modified_on: time, ..job })?;
            Ok::<_, JobError>(())
        })
        .await?;
    Ok(answer)
}

pub(crate) async fn get(_: Ctx, state: Arc<Jobs>, input: Named) -> Result<Value, JobError> {
    Ok(json!({"Job": state.job(&input.job_name)?}))
}

pub(crate) async fn get_all(_: Ctx, state: Arc<Jobs>, input: PageRequest) -> Result<Value, JobError> {
    let (jobs, next) = page::<Job>(&state, JOBS, &Key::default(), input.max_results, 1000, input.next_token)?;
    Ok(json!({"Jobs": jobs, "NextToken": next}))
}

/// The names of the jobs, of those only that have all the tags asked for.
pub(crate) async fn list(ctx: Ctx, state: Arc<Jobs>, input: PageRequest) -> Result<Value, JobError> {
    let (jobs, next) = page::<Job>(&state, JOBS, &Key::default(), input.max_results, 1000, input.next_token)?;
    let mut names = Vec::new();
    for name in jobs.into_iter().filter_map(|job| job.name) {
        let tags: Arguments = state.metadata.get_json(TAGS, &Key::new([arn(&ctx, &name)]))?.unwrap_or_default();
        if input.tags.iter().all(|(tag, value)| tags.get(tag) == Some(value)) {
            names.push(name);
        }
    }
    Ok(json!({"JobNames": names, "NextToken": next}))
}

pub(crate) async fn batch_get(_: Ctx, state: Arc<Jobs>, input: BatchGetJobs) -> Result<Value, JobError> {
    let (mut jobs, mut not_found) = (Vec::new(), Vec::new());
    for name in input.job_names {
        match state.job(&name) {
            Ok(job) => jobs.push(job),
            Err(JobError::NotFound(_)) => not_found.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(json!({"Jobs": jobs, "JobsNotFound": not_found}))
}

/// Deletes a job with its runs and its bookmark. As with AWS, a job that isn't there is deleted already; runs that are
/// going on must have ended first.
pub(crate) async fn delete(ctx: Ctx, state: Arc<Jobs>, input: Named) -> Result<Value, JobError> {
    let (arn, name) = (arn(&ctx, &input.job_name), input.job_name);
    let answer = json!({"JobName": name});
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&name]);
            if !tx.scan(UNFINISHED, &key, None, 1)?.is_empty() {
                return Err(JobError::invalid(format!("Job {name} has runs that have not ended: stop them first")));
            }
            tx.delete(JOBS, &key)?;
            tx.delete_prefix(RUNS, &key)?;
            tx.delete_prefix(STARTED, &key)?;
            tx.delete(TAGS, &Key::new([arn]))?;
            bookmarks::delete(tx, &name)?;
            Ok(())
        })
        .await?;
    Ok(answer)
}
