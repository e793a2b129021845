//! What a job's definition must be, and what of it is refused because Boathouse has no engine for it.

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{ACCOUNT_ID, Ctx};

use crate::api::{Arguments, Job};
use crate::bookmarks::BookmarkOption;
use crate::error::JobError;
use crate::store::Jobs;
use crate::visual::graph::Graph;

/// The service that jobs' roles must trust.
pub(crate) const SERVICE: &str = "glue.amazonaws.com";
/// Minutes that a run may take if nobody says otherwise, and at most seven days if somebody does.
pub(crate) const DEFAULT_TIMEOUT: u32 = 2880;
const MAX_TIMEOUT: u32 = 10_080;
/// As AWS: "MaxRetries" may be 0 to 10.
const MAX_RETRIES: u32 = 10;

/// What runs a job.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// The nodes of a visual job.
    Visual(Graph),
    /// A Python script.
    PythonShell(PythonShell),
}

/// A Python shell job's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonShell {
    /// `s3://bucket/script.py`
    pub(crate) script: String,
    /// Whether the data libraries are asked for (`library-set=analytics`).
    pub(crate) analytics: bool,
    /// Bytes of memory: 16 GiB for a data processing unit, 1 GiB for the sixteenth of one that is the default.
    pub(crate) memory: u64,
}

/// Checks a definition and says what will run it.
pub(crate) fn definition(job: &Job) -> Result<Work, JobError> {
    let name = job.name.as_deref().unwrap_or_default();
    if !(1..=255).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(JobError::invalid("Name must have 1 to 255 characters and no control characters"));
    }
    required(job.role.as_ref(), "Role")?;
    refused(job)?;
    if job.timeout.is_some_and(|minutes| !(1..=MAX_TIMEOUT).contains(&minutes)) {
        return Err(JobError::invalid(format!("Timeout must be between 1 and {MAX_TIMEOUT} minutes")));
    }
    if job.max_retries.is_some_and(|retries| retries > MAX_RETRIES) {
        return Err(JobError::invalid(format!("MaxRetries must be between 0 and {MAX_RETRIES}")));
    }
    if job.execution_property.as_ref().and_then(|property| property.max_concurrent_runs).is_some_and(|runs| runs == 0) {
        return Err(JobError::invalid("ExecutionProperty.MaxConcurrentRuns must be 1 at least"));
    }
    for given in [&job.default_arguments, &job.non_overridable_arguments].into_iter().flatten() {
        arguments(given)?;
    }
    work(job)
}

fn required<'a>(value: Option<&'a String>, name: &str) -> Result<&'a str, JobError> {
    let present = value.map(String::as_str).filter(|text| !text.is_empty());
    present.ok_or_else(|| JobError::invalid(format!("{name} is missing")))
}

fn refused(job: &Job) -> Result<(), JobError> {
    let connections = job.connections.as_ref().and_then(|connections| connections["Connections"].as_array());
    for (given, name) in [
        (job.job_run_queuing_enabled == Some(true), "JobRunQueuingEnabled"),
        (connections.is_some_and(|names| !names.is_empty()), "Connections of jobs"),
        (job.security_configuration.is_some(), "SecurityConfiguration of jobs"),
        (
            job.notification_property.as_ref().is_some_and(|property| !property["NotifyDelayAfter"].is_null()),
            "NotificationProperty",
        ),
        (job.source_control_details.is_some(), "SourceControlDetails"),
        (job.maintenance_window.is_some(), "MaintenanceWindow"),
    ] {
        if given {
            return Err(JobError::not_implemented(name));
        }
    }
    Ok(())
}

fn work(job: &Job) -> Result<Work, JobError> {
    let command = job.command.as_ref().ok_or_else(|| JobError::invalid("Command is missing"))?;
    let name = required(command.name.as_ref(), "Command.Name")?;
    let nodes = job.code_gen_configuration_nodes.as_ref().filter(|nodes| !nodes.is_empty());
    match (name, nodes) {
        ("glueetl", Some(nodes)) => Ok(Work::Visual(Graph::read(nodes)?)),
        ("pythonshell", None) => python_shell(job, command.script_location.as_ref(), command.python_version.as_deref()),
        ("pythonshell", Some(_)) => Err(JobError::invalid("A Python shell job has no CodeGenConfigurationNodes")),
        ("glueetl", None) => Err(JobError::not_implemented(
            "PySpark scripts (Command glueetl without CodeGenConfigurationNodes): write a visual job or a Python shell job",
        )),
        ("gluestreaming", _) => Err(JobError::not_implemented("streaming jobs (Command gluestreaming)")),
        ("glueray", _) => Err(JobError::not_implemented("Ray jobs (Command glueray)")),
        (other, _) => Err(JobError::invalid(format!(
            "Command.Name must be glueetl, gluestreaming, glueray or pythonshell, not {other}"
        ))),
    }
}

fn python_shell(job: &Job, script: Option<&String>, version: Option<&str>) -> Result<Work, JobError> {
    let script = required(script, "Command.ScriptLocation")?;
    if crate::s3::Place::parse(script).is_none_or(|place| place.key.is_empty()) {
        return Err(JobError::invalid(format!("Command.ScriptLocation must be s3://bucket/key, not {script}")));
    }
    match version {
        None | Some("3" | "3.9") => {}
        Some(other) => {
            return Err(JobError::invalid(format!("PythonVersion must be 3.9 for a Python shell job, not {other}")));
        }
    }
    let memory = match job.max_capacity {
        None => 1 << 30,
        Some(0.0625) => 1 << 30,
        Some(1.0) => 16 << 30,
        Some(other) => {
            return Err(JobError::invalid(format!(
                "MaxCapacity of a Python shell job must be 0.0625 or 1, not {other}"
            )));
        }
    };
    let given = job.default_arguments.iter().chain(&job.non_overridable_arguments).flatten();
    let set = given.rev().find(|(name, _)| *name == "library-set" || *name == "--library-set");
    let analytics = match set.map(|(_, value)| value.as_str()) {
        None | Some("none") => false,
        Some("analytics") => true,
        Some(other) => return Err(JobError::invalid(format!("library-set must be analytics or none, not {other}"))),
    };
    Ok(Work::PythonShell(PythonShell { script: script.to_owned(), analytics, memory }))
}

/// Special arguments that would change what a run does, and do not here.
const UNSUPPORTED: [&str; 12] = [
    "--additional-python-modules",
    "--python-modules-installer-option",
    "--extra-py-files",
    "--extra-jars",
    "--extra-files",
    "--user-jars-first",
    "--conf",
    "--job-bookmark-from",
    "--job-bookmark-to",
    "--encryption-type",
    "--enable-s3-parquet-optimized-committer",
    "--auto-scale-within-microbatch",
];

/// Checks a run's or a job's arguments.
pub(crate) fn arguments(given: &Arguments) -> Result<(), JobError> {
    for (name, value) in given {
        if UNSUPPORTED.contains(&name.as_str()) {
            return Err(JobError::not_implemented(format!("the job argument {name}")));
        }
        if name == BookmarkOption::ARGUMENT {
            BookmarkOption::parse(value)?;
        }
    }
    Ok(())
}

/// Whoever lets a job act as a role must be allowed to pass that role, which must trust Glue.
pub(crate) fn role(ctx: &Ctx, state: &Jobs, role: &str) -> Result<(), JobError> {
    let arn = if role.starts_with("arn:") { role.to_owned() } else { format!("arn:aws:iam::{ACCOUNT_ID}:role/{role}") };
    let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![SERVICE.to_owned()])]);
    state.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", &arn, &keys))?;
    state.roles.assume_for_service(role, SERVICE, "GlueJobRunnerSession").map(drop).map_err(|_| {
        JobError::invalid(format!(
            "Role {role} should be given assume role permissions for Glue Service: it must exist and trust {SERVICE}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(changes: serde_json::Value) -> Result<Work, JobError> {
        let mut job =
            json!({"Name": "j", "Role": "r", "Command": {"Name": "pythonshell", "ScriptLocation": "s3://b/s.py"}});
        job.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        definition(&serde_json::from_value(job).unwrap())
    }

    #[test]
    fn python_shell_jobs_have_a_script_and_memory() {
        let Work::PythonShell(shell) = check(json!({"MaxCapacity": 1.0})).unwrap() else { panic!("a script expected") };
        assert_eq!((shell.script.as_str(), shell.memory, shell.analytics), ("s3://b/s.py", 16 << 30, false));
        assert!(check(json!({"MaxCapacity": 2.0})).is_err());
        assert!(check(json!({"Command": {"Name": "pythonshell", "ScriptLocation": "/tmp/x"}})).is_err());
    }

    #[test]
    fn what_is_missing_is_refused_by_name() {
        for (change, name) in [
            (json!({"Command": {"Name": "glueetl", "ScriptLocation": "s3://b/s.py"}}), "PySpark"),
            (json!({"Command": {"Name": "gluestreaming"}}), "streaming"),
            (json!({"Command": {"Name": "glueray"}}), "Ray"),
            (json!({"Connections": {"Connections": ["c"]}}), "Connections"),
            (json!({"DefaultArguments": {"--extra-jars": "s3://b/x.jar"}}), "--extra-jars"),
            (json!({"DefaultArguments": {"--job-bookmark-option": "sometimes"}}), "job-bookmark-enable"),
            (json!({"Timeout": 0}), "Timeout"),
            (json!({"Role": ""}), "Role"),
        ] {
            let message = check(change.clone()).unwrap_err().to_string();
            assert!(message.contains(name), "{change}: {message}");
        }
    }
}
