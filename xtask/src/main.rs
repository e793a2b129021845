//! The project's tasks: `cargo xtask test`.

use std::process::{Command, ExitCode};

use clap::Parser;

/// What contributors run.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Runs every test of the workspace.
    Test,
}

fn main() -> ExitCode {
    match Task::parse() {
        Task::Test => cargo(&["test", "--release", "--workspace"]),
    }
}

fn cargo(arguments: &[&str]) -> ExitCode {
    match Command::new(env!("CARGO")).args(arguments).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo can't be started: {error}");
            ExitCode::FAILURE
        }
    }
}
