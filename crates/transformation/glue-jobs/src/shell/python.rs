//! Python for scripts: an environment that Boathouse makes from PyPI when the first script needs it, or one that is there.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::logs::Log;

/// An interpreter, or an environment with one, to use instead of an own one.
const GIVEN: &str = "BOATHOUSE_PYTHON_SHELL";
/// Directories of the machine that every sandbox shows.
const SHOWN: [&str; 5] = ["/usr", "/lib", "/lib64", "/bin", "/sbin"];

/// The packages that every script has, and those of `library-set=analytics`.
const BASE: [&str; 1] = ["boto3"];
const ANALYTICS: [&str; 4] = ["boto3", "awswrangler", "duckdb", "polars"];

/// A Python that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    pub(crate) interpreter: PathBuf,
    /// What it needs beside the system's own directories.
    pub(crate) directories: Vec<PathBuf>,
}

/// The Pythons of an installation.
#[derive(Debug)]
pub(crate) struct Pythons {
    environments: PathBuf,
    scripts: PathBuf,
    given: Option<PathBuf>,
    /// One installation at a time.
    making: Mutex<()>,
}

impl Pythons {
    /// Pythons below the data directory.
    ///
    /// # Errors
    /// The directories can't be made.
    pub(crate) fn new(data_dir: &Path) -> std::io::Result<Self> {
        let data_dir = std::path::absolute(data_dir)?;
        let (environments, scripts) =
            (data_dir.join("runtimes").join("python-shell"), data_dir.join("work").join("scripts"));
        // Scripts of an earlier process belong to nobody.
        match std::fs::remove_dir_all(&scripts) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&scripts)?,
        }
        let given = std::env::var_os(GIVEN).filter(|path| !path.is_empty()).map(std::path::absolute).transpose()?;
        Ok(Self { environments, scripts, given, making: Mutex::default() })
    }

    /// Where scripts lie while they run.
    pub(crate) fn scripts(&self) -> &Path {
        &self.scripts
    }

    /// A Python with the packages that are asked for. Makes one if there is none yet, and says so in the run's log.
    pub(crate) async fn ready(&self, analytics: bool, log: &Log) -> Result<Python, Failure> {
        if let Some(given) = &self.given {
            let interpreter = if given.is_dir() { given.join("bin").join("python") } else { given.clone() };
            return look_at(interpreter).await;
        }
        let (name, packages) = if analytics { ("analytics", &ANALYTICS[..]) } else { ("base", &BASE[..]) };
        let environment = self.environments.join(name);
        let _one = self.making.lock().await;
        if !environment.join("bin").join("python").exists() {
            self.make(&environment, packages, log).await?;
        }
        look_at(environment.join("bin").join("python")).await
    }

    /// Makes an environment beside its place and moves it there when it is whole.
    async fn make(&self, environment: &Path, packages: &[&str], log: &Log) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(format!("Python for scripts can't be made: {error}"));
        let unfinished = environment.with_extension("unfinished");
        let _ = tokio::fs::remove_dir_all(&unfinished).await;
        tokio::fs::create_dir_all(&self.environments).await.map_err(failed)?;
        let installed = packages.join(", ");
        tracing::info!(packages = installed, "installing Python packages for scripts");
        log.say(format!("Installing {installed} for Python shell jobs; this happens once")).await;
        let python = unfinished.join("bin").join("python");
        step(Command::new("python3").args(["-m", "venv"]).arg(&unfinished), log).await?;
        let pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
        step(Command::new(&python).args(pip).args(packages), log).await?;
        tokio::fs::rename(&unfinished, environment).await.map_err(failed)
    }
}

/// Runs a step of an installation; its output goes to the run's log.
async fn step(command: &mut Command, log: &Log) -> Result<(), Failure> {
    let help = format!("{GIVEN} may name an interpreter that has what scripts need");
    let shown = command.as_std().get_program().to_string_lossy().into_owned();
    let failed = |reason: String| Failure::new(format!("Python for scripts can't be made: {shown}: {reason}; {help}"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (_, last, status) = tokio::join!(told(stdout, log), told(stderr, log), child.wait());
    match status.map_err(|error| failed(error.to_string()))? {
        status if status.success() => Ok(()),
        status => Err(failed(if last.is_empty() { status.to_string() } else { last })),
    }
}

async fn told(source: Option<impl tokio::io::AsyncRead + Unpin>, log: &Log) -> String {
    let Some(source) = source else { return String::new() };
    let (mut lines, mut last) = (BufReader::new(source).lines(), String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        log.say(line.clone()).await;
        last = line;
    }
    last
}

/// Finds out what the interpreter needs to be shown.
async fn look_at(interpreter: PathBuf) -> Result<Python, Failure> {
    let failed =
        |reason: String| Failure::new(format!("Python for scripts can't be used: {}: {reason}", interpreter.display()));
    let question = "import sys; print(sys.prefix); print(sys.base_prefix)";
    let asked =
        Command::new(&interpreter).args(["-I", "-c", question]).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = asked.await.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut directories: Vec<PathBuf> = text.lines().map(PathBuf::from).filter(|path| is_own(path)).collect();
    directories.dedup();
    Ok(Python { interpreter, directories })
}

fn is_own(path: &Path) -> bool {
    path.is_absolute() && path != Path::new("/") && !SHOWN.iter().any(|shown| path.starts_with(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_systems_python_needs_nothing_else() {
        let python = look_at("/usr/bin/python3".into()).await.unwrap();
        assert_eq!(python.directories, Vec::<PathBuf>::new());
        let message = look_at("/nowhere/python".into()).await.unwrap_err().to_string();
        assert!(message.contains("/nowhere/python"), "{message}");
    }
}
