//! Python shell jobs: a script from S3, in the sandbox, as the job's role.
//!
//! AWS counterpart: "Configuring job properties for Python shell jobs in AWS Glue". The script sees itself, its interpreter's
//! packages, and of the network this server only; it finds the server's address and its role's credentials in the
//! environment, so that boto3 works as it is. The credentials hold as long as the run may take, if the role allows
//! sessions of that length, and for an hour otherwise.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use boathouse_aws::{ACCOUNT_ID, AwsError, Principal};
use boathouse_runtimes::{Interpreter, Packages};
use boathouse_sandbox::{Grant, Limits, Mount, Outcome, Spec};
use object_store::ObjectStoreExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::check::{self, PythonShell};
use crate::failure::Failure;
use crate::logs::{Log, Stream};
use crate::s3::{Buckets, Place};
use crate::worker::Attempt;

/// Where the script and our own package are in the sandbox.
const DIRECTORY: &str = "/job";
/// Seconds of a role's session: at least, at most, and always allowed.
const SESSION: (u64, u64, u64) = (900, 43_200, 3600);
/// Processes and threads of a script together.
const PROCESSES: u32 = 4096;
/// Files of a script's `/tmp`, which are kept in memory: AWS gives 20 GB of disk.
const SCRATCH: u64 = 1 << 30;
/// The part of a line of standard error that an ErrorMessage repeats.
const MAX_REASON: usize = 1000;

/// The package `awsglue`, which scripts import.
const AWSGLUE: [(&str, &str); 2] = [
    ("__init__.py", include_str!("../../../../../python/awsglue/__init__.py")),
    ("utils.py", include_str!("../../../../../python/awsglue/utils.py")),
];

/// Runs a script to its end.
pub(crate) async fn run(attempt: &Attempt<'_>, shell: &PythonShell) -> Result<(), Failure> {
    let script = fetch(attempt, &shell.script).await?;
    let python = interpreter(attempt, shell).await?;
    let directory = tempfile::tempdir_in(&attempt.state.scripts).map_err(|error| broken("directory", &error))?;
    lay_out(directory.path(), &script).map_err(|error| broken("script", &error))?;
    let mut spec = Spec::new([python.program.to_string_lossy().into_owned(), format!("{DIRECTORY}/script.py")]);
    let arguments = attempt.run.arguments();
    let passed = arguments.into_iter().filter(|(name, _)| name.starts_with("--") && name != "--library-set");
    spec.command.extend(passed.flat_map(|(name, value)| [name, value]));
    spec.mounts = vec![Mount::read_only(directory.path(), DIRECTORY)];
    spec.mounts.extend(python.directories.iter().map(Mount::in_place));
    spec.limits = Limits { memory: shell.memory, processes: PROCESSES, scratch: SCRATCH, ..Limits::default() };
    let (endpoint, grant) = endpoint(attempt)?;
    spec.grants = vec![grant];
    spec.environment = environment(attempt, endpoint).await?;
    execute(attempt, spec).await
}

/// The Python with the job's packages; an installation shows in the run's log.
async fn interpreter(attempt: &Attempt<'_>, shell: &PythonShell) -> Result<Interpreter, Failure> {
    let packages = if shell.analytics { Packages::Analytics } else { Packages::Base };
    let (told, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let ready = async move {
        // The log is gone only together with the run.
        attempt.state.pythons.ready(packages, move |line| drop(told.send(line))).await
    };
    let log = async {
        while let Some(line) = lines.recv().await {
            attempt.log.say(line).await;
        }
    };
    let (ready, ()) = tokio::join!(ready, log);
    ready.map_err(|error| Failure::new(error.to_string()))
}

fn broken(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("Internal service error : the script's {what} can't be made: {error}"))
}

async fn fetch(attempt: &Attempt<'_>, location: &str) -> Result<bytes::Bytes, Failure> {
    let place = Place::parse(location).ok_or_else(|| Failure::new(format!("{location} is not an S3 path")))?;
    let store = Buckets::new(attempt.ctx.clone(), attempt.state.stores.clone()).open(&place.bucket)?;
    let failed = |failure: Failure| failure.at(&format!("the script {location} can't be read"));
    let object = store.get(&place.path()?).await.map_err(|error| failed(error.into()))?;
    object.bytes().await.map_err(|error| failed(error.into()))
}

/// Writes what the sandbox shows: its user is another one, so everybody may read it.
fn lay_out(directory: &Path, script: &[u8]) -> std::io::Result<()> {
    let package = directory.join("lib").join("awsglue");
    std::fs::create_dir_all(&package)?;
    for (name, text) in AWSGLUE {
        readable(&package.join(name), text.as_bytes())?;
    }
    readable(&directory.join("script.py"), script)?;
    for folder in [directory, &directory.join("lib"), &package] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn readable(path: &Path, content: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, content)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

/// The server as the script reaches it: at the same address, through the sandbox.
fn endpoint(attempt: &Attempt<'_>) -> Result<(String, Grant), Failure> {
    let endpoint = attempt.ctx.platform.endpoint();
    let endpoint = endpoint.ok_or_else(|| Failure::new("Internal service error : the server does not listen yet"))?;
    let unreachable = || Failure::new(format!("Internal service error : {endpoint} is no address for a script"));
    let (scheme, address) = endpoint.split_once("://").ok_or_else(unreachable)?;
    let target: SocketAddr = address.trim_end_matches('/').parse().map_err(|_| unreachable())?;
    let inside = SocketAddr::from(([127, 0, 0, 1], target.port()));
    Ok((format!("{scheme}://{inside}"), Grant::forward(inside, target)))
}

async fn environment(attempt: &Attempt<'_>, endpoint: String) -> Result<Vec<(String, String)>, Failure> {
    let credentials = credentials(attempt).await?;
    let text = |member: &str| credentials[member].as_str().unwrap_or_default().to_owned();
    let region = attempt.ctx.region().to_owned();
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", text("SessionToken")),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("PYTHONPATH", format!("{DIRECTORY}/lib")),
        ("PYTHONUNBUFFERED", "1".to_owned()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("HOME", "/tmp".to_owned()),
        ("TMPDIR", "/tmp".to_owned()),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

/// Temporary credentials of the job's role.
async fn credentials(attempt: &Attempt<'_>) -> Result<Value, Failure> {
    let role = attempt.run.job.role.as_deref().unwrap_or_default();
    let role =
        if role.starts_with("arn:") { role.to_owned() } else { format!("arn:aws:iam::{ACCOUNT_ID}:role/{role}") };
    let ctx = attempt.ctx.as_principal(Principal::service(check::SERVICE).into());
    let assume = async |seconds: u64| -> Result<Value, AwsError> {
        let input = json!({"RoleArn": role, "RoleSessionName": "GlueJobRunnerSession", "DurationSeconds": seconds});
        Ok(ctx.call("sts", "AssumeRole", input).await?["Credentials"].take())
    };
    let (least, most, always) = SESSION;
    let wanted = attempt.time_left().as_secs().saturating_add(60).clamp(least, most);
    match assume(wanted).await {
        Err(error) if wanted > always && error.code.starts_with("Validation") => Ok(assume(always).await?),
        outcome => Ok(outcome?),
    }
}

async fn execute(attempt: &Attempt<'_>, spec: Spec) -> Result<(), Failure> {
    let memory = spec.limits.memory;
    let started = attempt.state.sandbox.spawn(spec).await;
    let mut running = started.map_err(|error| Failure::new(format!("the script can't be started: {error}")))?;
    let (stdout, stderr) = (running.stdout.take(), running.stderr.take());
    let output = lines(stdout, Stream::Output, &attempt.log);
    let errors = lines(stderr, Stream::Error, &attempt.log);
    let (_, last, outcome) = tokio::join!(output, errors, running.wait());
    let reason = match outcome {
        Outcome::Exited(0) => return Ok(()),
        Outcome::Exited(code) => format!("Command failed with exit code {code}"),
        Outcome::Signaled(signal) => format!("Command was ended by signal {signal}"),
        Outcome::OutOfMemory => format!("Command ran out of memory: it may have {} MiB (MaxCapacity)", memory >> 20),
        Outcome::TimedOut | Outcome::Killed => "Command was ended".to_owned(),
    };
    Err(Failure::new(if last.is_empty() { reason } else { format!("{reason}: {last}") }))
}

/// Hands lines to the log until there are no more, and answers the last one.
async fn lines(source: Option<impl AsyncRead + Unpin>, stream: Stream, log: &Log) -> String {
    let Some(source) = source else { return String::new() };
    let mut reader = BufReader::new(source);
    let (mut line, mut last) = (Vec::new(), String::new());
    loop {
        line.clear();
        match read_line(&mut reader, &mut line).await {
            Ok(0) => return last,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if !text.is_empty() {
                    last = text.chars().take(MAX_REASON).collect();
                    log.write(stream, text).await;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "a script's output ended early");
                return last;
            }
        }
    }
}

/// A line, or as much of it as a log's line holds: a script that writes no line ends must not fill the memory.
async fn read_line(reader: &mut (impl AsyncBufReadExt + Unpin), line: &mut Vec<u8>) -> std::io::Result<usize> {
    use tokio::io::AsyncReadExt;
    const MOST: u64 = 200_000;
    let mut limited = reader.take(MOST);
    limited.read_until(b'\n', line).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_the_package_can_be_read_by_everybody() {
        let directory = tempfile::tempdir().unwrap();
        lay_out(directory.path(), b"print(1)").unwrap();
        let mode = |path: &str| std::fs::metadata(directory.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("script.py"), mode("lib/awsglue"), mode("lib/awsglue/utils.py")), (0o644, 0o755, 0o644));
    }
}
