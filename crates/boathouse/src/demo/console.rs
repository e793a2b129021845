//! The console's pages. A binary that was built without them can still show them out of a checkout, where Node.js is.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use boathouse_console::files::Files;
use tokio::process::Command;
use tokio::task::JoinHandle;

/// Where a checkout keeps the console, and where below that its pages are built.
const SOURCES: &str = "console";
const BUILT: &str = "dist/site";

/// Where the pages come from.
pub(super) enum Pages {
    /// They are in the binary.
    Embedded,
    /// A checkout, whose pages are built if need be.
    Checkout(PathBuf),
    /// There are none.
    Missing,
}

impl Pages {
    /// The binary's own, or those of the checkout that the demonstration was started in.
    pub(super) fn find() -> Self {
        let sources = PathBuf::from(SOURCES);
        match sources.canonicalize() {
            _ if Files::embedded() => Self::Embedded,
            Ok(sources) if sources.join("package-lock.json").is_file() => Self::Checkout(sources),
            _ => Self::Missing,
        }
    }

    /// The folder to serve, if they are not those in the binary.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Checkout(sources) => Some(sources.join(BUILT)),
            Self::Embedded | Self::Missing => None,
        }
    }

    /// Builds them beside everything else; says what failed.
    pub(super) fn build(&self) -> JoinHandle<Result<(), String>> {
        match self {
            Self::Embedded => tokio::spawn(async { Ok(()) }),
            Self::Missing => tokio::spawn(async { Err("this binary was built without its pages".to_owned()) }),
            Self::Checkout(sources) => tokio::spawn(built(sources.clone())),
        }
    }
}

async fn built(sources: PathBuf) -> Result<(), String> {
    if sources.join(BUILT).join("index.html").is_file() {
        return Ok(());
    }
    npm(&sources, &["ci", "--no-audit", "--no-fund"]).await?;
    npm(&sources, &["run", "build"]).await
}

async fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output =
        command.output().await.map_err(|error| format!("npm, which comes with Node.js, can't be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("npm {}: {}: {last}", arguments.join(" "), output.status))
}
