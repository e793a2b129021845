//! `boathouse doctor`: what is here, what is missing, and whether the disk is honest about fsync.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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

/// Programs that people use beside the server; none is needed to run it.
const PROGRAMS: [(&str, &str, &str); 3] = [
    ("python3", "--version", "runs the client tests, and boto3 or awswrangler for you"),
    ("aws", "--version", "the AWS command line"),
    ("duckdb", "--version", "reads s3:// by httpfs"),
];

pub(crate) fn run(options: &Options) -> Result<(), ServerError> {
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
    say!("\nPrograms beside it");
    for (program, flag, purpose) in PROGRAMS {
        say!("  {program:<17} {}", version(program, flag).unwrap_or_else(|| format!("missing: {purpose}")));
    }
    Ok(())
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

/// The first line of what the program says about its version, if it is installed.
fn version(program: &str, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).stdin(Stdio::null()).output().ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&text).lines().next().map(str::to_owned)
}
