//! Wire types of the job operations ("AWS Glue API: Jobs", "Job runs").
//!
//! Options that AWS has and Boathouse has not are read, so that they can be refused by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Seconds since 1970 with a fraction, as awsJson writes timestamps.
pub type Timestamp = f64;
/// A job's or run's arguments, such as `--job-bookmark-option`.
pub type Arguments = BTreeMap<String, String>;

/// Declares wire types of optional members: AWS's names, absent members left out.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name {
                $($(#[$attr])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $field: Option<$kind>),*
            }
        )*
    };
}

/// What a run is doing, or how it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum JobRunState {
    #[default]
    Starting,
    Running,
    Stopping,
    Stopped,
    Succeeded,
    Failed,
    Timeout,
}

impl JobRunState {
    /// Whether nothing more will happen.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Succeeded | Self::Failed | Self::Timeout)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Timeout => "TIMEOUT",
        }
    }
}

wire! {
    /// How many runs a job may have at once.
    ExecutionProperty { max_concurrent_runs: u32 }
    /// What a job runs.
    JobCommand { name: String, script_location: String, python_version: String, runtime: String }
    /// A job's definition: CreateJob's input without its tags, UpdateJob's `JobUpdate`, and what GetJob shows.
    Job {
        name: String,
        job_mode: String,
        job_run_queuing_enabled: bool,
        description: String,
        log_uri: String,
        role: String,
        created_on: Timestamp,
        last_modified_on: Timestamp,
        execution_property: ExecutionProperty,
        command: JobCommand,
        default_arguments: Arguments,
        non_overridable_arguments: Arguments,
        connections: Value,
        max_retries: u32,
        allocated_capacity: u32,
        timeout: u32,
        max_capacity: f64,
        worker_type: String,
        number_of_workers: u32,
        security_configuration: String,
        notification_property: Value,
        glue_version: String,
        code_gen_configuration_nodes: BTreeMap<String, Value>,
        execution_class: String,
        source_control_details: Value,
        maintenance_window: String,
    }
    /// One run of a job.
    JobRun {
        id: String,
        attempt: u32,
        previous_run_id: String,
        job_name: String,
        job_mode: String,
        started_on: Timestamp,
        last_modified_on: Timestamp,
        completed_on: Timestamp,
        job_run_state: JobRunState,
        arguments: Arguments,
        error_message: String,
        predecessor_runs: Vec<Value>,
        allocated_capacity: u32,
        execution_time: u64,
        timeout: u32,
        max_capacity: f64,
        worker_type: String,
        number_of_workers: u32,
        log_group_name: String,
        glue_version: String,
        execution_class: String,
    }
}

/// CreateJob.
#[derive(Debug, Clone, Deserialize)]
pub struct CreateJob {
    /// The definition.
    #[serde(flatten)]
    pub job: Job,
    /// The job's tags.
    #[serde(rename = "Tags", default)]
    pub tags: BTreeMap<String, String>,
}

/// UpdateJob: the new definition replaces the old one.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateJob {
    /// The job.
    pub job_name: String,
    /// Its new definition.
    pub job_update: Job,
}

/// Names one job.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Named {
    /// The job.
    pub job_name: String,
}

/// A page of jobs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PageRequest {
    /// 1 to 1000.
    pub max_results: Option<usize>,
    /// Where the page starts.
    pub next_token: Option<String>,
    /// Only jobs with these tags (ListJobs).
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// BatchGetJobs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchGetJobs {
    /// The jobs.
    pub job_names: Vec<String>,
}

/// StartJobRun.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartJobRun {
    /// The job.
    pub job_name: String,
    /// An earlier run to do again, with its arguments.
    pub job_run_id: Option<String>,
    /// What the run's arguments add to the job's, or put in their place.
    pub arguments: Option<Arguments>,
    /// Kept and shown.
    pub allocated_capacity: Option<u32>,
    /// Minutes after which the run is ended.
    pub timeout: Option<u32>,
    /// Kept and shown.
    pub max_capacity: Option<f64>,
    /// Kept and shown.
    pub worker_type: Option<String>,
    /// Kept and shown.
    pub number_of_workers: Option<u32>,
    /// Kept and shown.
    pub execution_class: Option<String>,
    /// Refused unless false.
    pub job_run_queuing_enabled: Option<bool>,
    /// Refused.
    pub security_configuration: Option<String>,
    /// Refused.
    pub notification_property: Option<Value>,
    /// Refused.
    pub execution_role_session_policy: Option<String>,
}

/// GetJobRun.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetJobRun {
    /// The job.
    pub job_name: String,
    /// The run.
    pub run_id: String,
}

/// GetJobRuns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetJobRuns {
    /// The job.
    pub job_name: String,
    /// 1 to 200.
    pub max_results: Option<usize>,
    /// Where the page starts.
    pub next_token: Option<String>,
}

/// BatchStopJobRun.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchStopJobRun {
    /// The job.
    pub job_name: String,
    /// 1 to 25 runs.
    pub job_run_ids: Vec<String>,
}

/// GetJobBookmark and ResetJobBookmark.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Bookmark {
    /// The job.
    pub job_name: String,
    /// Refused: there is one bookmark for each job, that of its last successful run.
    pub run_id: Option<String>,
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Empty {}
