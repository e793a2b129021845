//! Glue jobs: visual jobs run natively, Python shell jobs in the sandbox; runs, retries, bookmarks, logs.
//!
//! AWS counterpart: "AWS Glue API: Jobs", "Job runs", "Job bookmarks", "Visual job API". A run's state follows its work:
//! nothing ends well that did not. Jobs, runs and bookmarks are durable. A visual run that a crash interrupted starts again
//! and leaves each row once; a script's run fails then, as one that lost its worker, and is tried again if the job says so.
//!
//! Workers and capacity are kept and shown, and change nothing: a run has what the machine has.
//! `MaxCapacity` of a Python shell job is the exception: it is the script's memory.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `jobs`, `runs`, [`bookmarks`] | the operations, one file for each resource |
//! | `check` | what a job can be, and what is refused |
//! | [`worker`] | runs in the background: start, end, time-out, stop, retry, recovery |
//! | [`visual`] | visual jobs |
//! | `shell` | Python shell jobs |
//! | [`preview`] | the first rows of a node, at an address of our own |
//! | `logs`, `measures`, `s3` | a run's lines in CloudWatch Logs; metrics for CloudWatch; a run's buckets |
//! | `store`, [`error`], `failure` | rows and shared helpers; errors and their AWS codes; reasons of failed runs |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
mod bookmarks;
mod check;
pub mod error;
mod failure;
mod jobs;
mod logs;
mod measures;
pub mod preview;
mod runs;
mod s3;
mod shell;
mod store;
mod threads;
pub mod visual;
pub mod worker;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Ctx, ServiceTable};

use crate::api::{BatchStopJobRun, Bookmark, CreateJob, GetJobRun, GetJobRuns, Named, StartJobRun, UpdateJob};

pub use error::JobError;
pub use store::{Deps, Jobs};

/// Adds the operations of jobs to the service `glue`.
#[must_use]
pub fn operations(table: ServiceTable, state: &Arc<Jobs>) -> ServiceTable {
    let named = || Access::On(|ctx: &Ctx, input: &Named| vec![jobs::arn(ctx, &input.job_name)]);
    let bookmark = || Access::On(|ctx: &Ctx, input: &Bookmark| vec![jobs::arn(ctx, &input.job_name)]);
    let created =
        Access::On(|ctx: &Ctx, input: &CreateJob| vec![jobs::arn(ctx, input.job.name.as_deref().unwrap_or_default())]);
    let updated = Access::On(|ctx: &Ctx, input: &UpdateJob| vec![jobs::arn(ctx, &input.job_name)]);
    let started = Access::On(|ctx: &Ctx, input: &StartJobRun| vec![jobs::arn(ctx, &input.job_name)]);
    let shown = Access::On(|ctx: &Ctx, input: &GetJobRun| vec![jobs::arn(ctx, &input.job_name)]);
    let listed = Access::On(|ctx: &Ctx, input: &GetJobRuns| vec![jobs::arn(ctx, &input.job_name)]);
    let stopped = Access::On(|ctx: &Ctx, input: &BatchStopJobRun| vec![jobs::arn(ctx, &input.job_name)]);
    let table = table
        .operation("CreateJob", created, state, jobs::create)
        .operation("UpdateJob", updated, state, jobs::update)
        .operation("GetJob", named(), state, jobs::get)
        .operation("GetJobs", Access::On(any_resource), state, jobs::get_all)
        .operation("ListJobs", Access::On(any_resource), state, jobs::list)
        .operation("BatchGetJobs", Access::On(any_resource), state, jobs::batch_get)
        .operation("DeleteJob", named(), state, jobs::delete);
    table
        .operation("StartJobRun", started, state, runs::start)
        .operation("GetJobRun", shown, state, runs::get)
        .operation("GetJobRuns", listed, state, runs::list)
        .operation("BatchStopJobRun", stopped, state, runs::stop)
        .operation("GetJobBookmark", bookmark(), state, bookmarks::get)
        .operation("ResetJobBookmark", bookmark(), state, bookmarks::reset)
}
