//! `boathouse doctor`: what is here, what is missing, whether the disk is honest about fsync, and whether user code can be
//! kept apart.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use boathouse_sandbox::{Level, Outcome, Sandbox, Spec};

use crate::data_directory;
use crate::say;
use crate::server::ServerError;

/// What to look at.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The data directory whose disk is looked at.
    #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
    data_dir: PathBuf,
}

/// Appends of a block with fdatasync that are timed.
const SYNCS: usize = 64;
/// No disk that keeps data through a power cut answers faster, unless its cache has a battery.
const IMPLAUSIBLE: Duration = Duration::from_micros(20);
/// Open files below which a busy server may run out.
const FILES: u64 = 4096;

/// Programs beside the server, which starts without any of them: their names, how they say that they are there, what for.
const PROGRAMS: [(&str, &[&str], &str); 5] = [
    ("python3", &["python3", "--version"], "Python functions and jobs run on it, as do the client tests"),
    (
        "Python's venv",
        &["python3", "-c", "import ensurepip, venv; print('installed')"],
        "makes the environment of Python functions and jobs (in Debian, python3-venv)",
    ),
    ("node", &["node", "--version"], "Node.js functions run on it"),
    ("aws", &["aws", "--version"], "the AWS command line"),
    ("duckdb", &["duckdb", "--version"], "reads s3:// by httpfs"),
];

pub(crate) async fn run(options: &Options) -> Result<(), ServerError> {
    say!("boathouse {}", env!("CARGO_PKG_VERSION"));
    say!("\nMachine");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    say!("  cores             {cores}");
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let enough = files.is_none_or(|files| files >= FILES);
    let shown = files.map_or("unlimited".to_owned(), |files| files.to_string());
    say!("  open files        {shown}{}", if enough { "" } else { ": few for a busy server; raise it with ulimit -n" });
    say!("\nDisk of {}", options.data_dir.display());
    disk(&options.data_dir)?;
    say!("\nUser code");
    say!("  sandbox           {}", sandboxed(&options.data_dir).await);
    say!("\nPrograms beside it");
    for (name, command, purpose) in PROGRAMS {
        say!("  {name:<17} {}", first_line(command).unwrap_or_else(|| format!("missing: {purpose}")));
    }
    Ok(())
}

/// How the code of functions and jobs runs here: tried with a command that does nothing.
async fn sandboxed(data_dir: &Path) -> String {
    let work = data_dir.join("work").join(format!("doctor-{}", std::process::id()));
    let tried = async {
        let level = Level::from_environment()
            .map_err(|other| format!("BOATHOUSE_SANDBOX={other} is neither namespace nor process"))?;
        let options = boathouse_sandbox::Options { level, ..boathouse_sandbox::Options::new(&work) };
        let sandbox = Sandbox::open(options).map_err(|error| error.to_string())?;
        let mut running = sandbox
            .spawn(Spec::new(["/bin/sh", "-c", "exit 0"]))
            .await
            .map_err(|error| format!("{error}. Are user namespaces allowed?"))?;
        match running.wait().await {
            Outcome::Exited(0) => Ok((level, sandbox.missing_limits())),
            other => Err(format!("a command that does nothing ended with {other:?}")),
        }
    };
    let verdict = match tried.await {
        Ok((Level::Process, _)) => "process: BOATHOUSE_SANDBOX says so; code sees this machine's network".to_owned(),
        Ok((Level::Namespace, missing)) if missing.is_empty() => "namespaces, and limits by cgroups".to_owned(),
        Ok((Level::Namespace, missing)) => {
            format!("namespaces; no writable cgroup for {}: kept by weaker means, or not at all", missing.join(", "))
        }
        Err(error) => format!("does not work: {error}"),
    };
    // Best effort: an empty directory at worst.
    let _ = std::fs::remove_dir_all(&work);
    verdict
}

fn disk(data_dir: &Path) -> Result<(), ServerError> {
    data_directory::create(data_dir)?;
    let failed = |source| ServerError::File { path: data_dir.to_owned(), source };
    let space = rustix::fs::statvfs(data_dir).map_err(|error| failed(error.into()))?;
    say!("  free              {:.1} GB", (space.f_bavail * space.f_frsize) as f64 / 1e9);
    let mut times = sync_times(data_dir).map_err(failed)?;
    times.sort();
    let median = times[times.len() / 2];
    say!("  fdatasync         {:.2} ms for 4 KiB (median of {SYNCS})", median.as_secs_f64() * 1000.0);
    let verdict = if median < IMPLAUSIBLE {
        "no: it answers before a disk can have written. A memory file system, or a cache that lies: a power cut may lose data"
    } else {
        "yes, as far as its timing shows"
    };
    say!("  honest            {verdict}");
    Ok(())
}

fn sync_times(directory: &Path) -> std::io::Result<Vec<Duration>> {
    let path = directory.join(format!("doctor-{}", std::process::id()));
    let outcome = File::create_new(&path).and_then(|mut file| {
        let timed = |_| {
            let started = Instant::now();
            file.write_all(&[0x5a; 4096])?;
            file.sync_data()?;
            Ok(started.elapsed())
        };
        (0..SYNCS).map(timed).collect()
    });
    std::fs::remove_file(&path)?;
    outcome
}

/// The first line of what a command says, if it succeeds.
fn first_line(command: &[&str]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let line = String::from_utf8_lossy(&text).lines().next().map(str::to_owned);
    line.filter(|_| output.status.success())
}
