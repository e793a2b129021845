//! The project's tasks: `cargo xtask test`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;

/// What contributors run.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Runs every test: the crates' own, and those by real clients against the real binary.
    Test,
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Test => test(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), String> {
    run(Command::new(env!("CARGO")).args(["test", "--release", "--workspace"]))?;
    run(Command::new(env!("CARGO")).args(["build", "--release", "--package", "boathouse"]))?;
    let target = target_directory()?;
    let python = client_environment(&target)?;
    run(Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"])
        .env("BOATHOUSE_BINARY", target.join("release/boathouse")))
}

/// The directory that holds this very program's profile directory.
fn target_directory() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    program.ancestors().nth(2).map(Path::to_owned).ok_or_else(|| "the target directory can't be found".into())
}

/// A virtual environment with the clients, made once beside the build.
fn client_environment(target: &Path) -> Result<PathBuf, String> {
    let directory = target.join("clients");
    let python = directory.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args([OsStr::new("-m"), OsStr::new("venv"), directory.as_os_str()]))?;
    }
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement", "tests/requirements.txt"]))?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?} can't be started: {error}")),
    }
}
