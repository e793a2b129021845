//! Where jobs, runs and bookmarks live, and what all operations share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::{Authorizer, ServiceRoles};
use boathouse_aws::stores::ObjectStores;
use boathouse_metadata::{Key, Metadata, MetadataError, Transaction};
use boathouse_runtimes::Pythons;
use boathouse_sandbox::Sandbox;
use boathouse_trino::engine::Engine;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::api::{Job, JobRun, JobRunState, Timestamp};
use crate::error::JobError;
use crate::threads::Threads;

/// `(name)` → [`Job`].
pub(crate) const JOBS: &str = "glue-jobs";
/// `(job, run)` → [`StoredRun`]; ids order newest first.
pub(crate) const RUNS: &str = "glue-job-runs";
/// `(job, run)` of those that have not ended.
pub(crate) const UNFINISHED: &str = "glue-job-runs-unfinished";
/// `(job, token)` → the run that a call with this token has started.
pub(crate) const STARTED: &str = "glue-job-runs-started";
/// `(arn)` → tags: the catalog keeps all of Glue's there.
pub(crate) const TAGS: &str = "glue-tags";
/// Entries of a page that was not asked for in size.
const PAGE: usize = 100;

/// A run with what its clients don't see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredRun {
    pub(crate) run: JobRun,
    /// The job as it was when the run started.
    pub(crate) job: Job,
    /// When the work itself began.
    pub(crate) running_since: Option<Timestamp>,
    /// The token of the call that started it, under which [`STARTED`] knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

impl StoredRun {
    pub(crate) fn id(&self) -> &str {
        self.run.id.as_deref().unwrap_or_default()
    }

    pub(crate) fn job_name(&self) -> &str {
        self.run.job_name.as_deref().unwrap_or_default()
    }

    pub(crate) fn state(&self) -> JobRunState {
        self.run.job_run_state.unwrap_or_default()
    }

    pub(crate) fn key(&self) -> Key {
        Key::new([self.job_name(), self.id()])
    }

    /// The value of an argument of the run, of the job, or of the job's that no run may change.
    pub(crate) fn argument(&self, name: &str) -> Option<&str> {
        let given = [&self.job.non_overridable_arguments, &self.run.arguments, &self.job.default_arguments];
        given.into_iter().flatten().find_map(|arguments| arguments.get(name)).map(String::as_str)
    }

    /// All arguments of the run: the job's defaults, the run's own, and last those that no run may change.
    pub(crate) fn arguments(&self) -> crate::api::Arguments {
        let given = [&self.job.default_arguments, &self.run.arguments, &self.job.non_overridable_arguments];
        given.into_iter().flatten().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The jobs of an installation.
pub struct Jobs {
    pub(crate) metadata: Metadata,
    pub(crate) engine: Arc<Engine>,
    pub(crate) stores: Arc<dyn ObjectStores>,
    pub(crate) roles: Arc<dyn ServiceRoles>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) pythons: Arc<Pythons>,
    /// Where scripts lie while they run.
    pub(crate) scripts: PathBuf,
    pub(crate) threads: Threads,
    /// How to tell a run to stop, by its id.
    pub(crate) running: Mutex<HashMap<String, Arc<Notify>>>,
}

/// What the jobs stand on.
pub struct Deps {
    /// The control-plane store.
    pub metadata: Metadata,
    /// What runs visual jobs.
    pub engine: Arc<Engine>,
    /// The objects that jobs read and write.
    pub stores: Arc<dyn ObjectStores>,
    /// Who a job's role is.
    pub roles: Arc<dyn ServiceRoles>,
    /// Who may pass a role to a job.
    pub authorizer: Arc<dyn Authorizer>,
    /// Where scripts run.
    pub sandbox: Arc<Sandbox>,
    /// What scripts run on.
    pub pythons: Arc<Pythons>,
    /// Where scripts lie while they run.
    pub scripts: PathBuf,
}

impl Jobs {
    /// The jobs in this store.
    ///
    /// # Errors
    /// The data directory can't be used.
    pub fn new(deps: Deps) -> std::io::Result<Self> {
        let Deps { metadata, engine, stores, roles, authorizer, sandbox, pythons, scripts } = deps;
        let scripts = std::path::absolute(scripts)?;
        // Scripts of an earlier process belong to nobody.
        match std::fs::remove_dir_all(&scripts) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&scripts)?,
        }
        let (threads, running) = (Threads::new(), Mutex::default());
        Ok(Self { metadata, engine, stores, roles, authorizer, sandbox, pythons, scripts, threads, running })
    }

    pub(crate) fn job(&self, name: &str) -> Result<Job, JobError> {
        self.metadata.get_json(JOBS, &Key::new([name]))?.ok_or_else(|| no_job(name))
    }

    pub(crate) fn run(&self, job: &str, id: &str) -> Result<StoredRun, JobError> {
        self.metadata.get_json(RUNS, &Key::new([job, id]))?.ok_or_else(|| no_run(id))
    }
}

/// Writes a run, and keeps the list of unfinished ones.
pub(crate) fn put_run(tx: &Transaction<'_>, run: &StoredRun) -> Result<(), MetadataError> {
    let key = run.key();
    tx.put_json(RUNS, &key, run)?;
    if run.state().has_ended() {
        tx.delete(UNFINISHED, &key)?;
    } else {
        tx.put(UNFINISHED, &key, b"")?;
    }
    Ok(())
}

pub(crate) fn no_job(name: &str) -> JobError {
    JobError::NotFound(format!("Job with name: {name} not found."))
}

pub(crate) fn no_run(id: &str) -> JobError {
    JobError::NotFound(format!("Job run with id: {id} not found."))
}

/// One page of a space's rows below `prefix`, and the token of the next.
pub(crate) fn page<T: DeserializeOwned>(
    state: &Jobs,
    space: &'static str,
    prefix: &Key,
    size: Option<usize>,
    limit: usize,
    token: Option<String>,
) -> Result<(Vec<T>, Option<String>), JobError> {
    let size = size.unwrap_or(PAGE);
    if !(1..=limit).contains(&size) {
        return Err(JobError::invalid(format!("MaxResults must be between 1 and {limit}")));
    }
    let malformed = || JobError::invalid("NextToken is not one of this operation");
    let after: Option<Vec<String>> =
        token.map(|token| serde_json::from_str(&token).map_err(|_| malformed())).transpose()?;
    let page = state.metadata.page(space, prefix, after.map(Key::new).as_ref(), size)?;
    let found = page.entries.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?;
    Ok((found, page.next.map(|key| serde_json::Value::from(key.parts()).to_string())))
}

pub(crate) fn now(ctx: &Ctx) -> Timestamp {
    seconds(ctx.now())
}

pub(crate) fn seconds(time: chrono::DateTime<chrono::Utc>) -> Timestamp {
    time.timestamp_millis() as f64 / 1000.0
}
