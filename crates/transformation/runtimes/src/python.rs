//! Python with packages: environments that are made from PyPI when they are needed first, or one that is given.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::{Interpreter, RuntimeError};

/// An interpreter, or an environment with one, to use as it is.
const GIVEN: &str = "BOATHOUSE_PYTHON";
/// Where environments are made, instead of the user's cache directory.
const PLACE: &str = "BOATHOUSE_RUNTIMES";

/// What code may import beside the standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packages {
    /// boto3 and what it brings.
    Base,
    /// What Glue calls `library-set=analytics`, as far as it is here: awswrangler (with pandas and pyarrow), duckdb, polars.
    Analytics,
}

impl Packages {
    fn folder(self) -> &'static str {
        match self {
            Self::Base => "python-base",
            Self::Analytics => "python-analytics",
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Base => &["boto3"],
            Self::Analytics => &["boto3", "awswrangler", "duckdb", "polars"],
        }
    }
}

/// The Pythons of an installation.
#[derive(Debug)]
pub struct Pythons {
    environments: PathBuf,
    given: Option<PathBuf>,
    /// Those that were looked at; the lock lets one installation go on at a time.
    ready: Mutex<HashMap<Packages, Interpreter>>,
}

impl Pythons {
    /// Pythons in the user's cache directory, or below `fallback` where there is none.
    pub fn new(fallback: &Path) -> Self {
        let variable = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let cache = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
        let environments = variable(PLACE)
            .or_else(|| Some(cache()?.join("boathouse").join("runtimes")))
            .unwrap_or_else(|| fallback.join("runtimes"));
        Self { environments, given: variable(GIVEN), ready: Mutex::default() }
    }

    /// A Python with these packages. `say` is told how an installation goes on.
    ///
    /// # Errors
    /// There is no Python, or PyPI can't be reached: the message says what would help.
    pub async fn ready(&self, packages: Packages, say: impl Fn(String)) -> Result<Interpreter, RuntimeError> {
        let mut ready = self.ready.lock().await;
        if let Some(found) = ready.get(&packages) {
            return Ok(found.clone());
        }
        let program = match &self.given {
            Some(given) if given.is_dir() => given.join("bin").join("python"),
            Some(given) => given.clone(),
            None => self.environment(packages, &say).await?.join("bin").join("python"),
        };
        let found = Interpreter::python(&program).await?;
        let shown = program.display();
        tracing::info!(program = %shown, version = found.version, "Python code runs on this interpreter");
        ready.insert(packages, found.clone());
        Ok(found)
    }

    /// The environment with the packages, which is made beside its place and moved there when it is whole.
    async fn environment(&self, packages: Packages, say: &impl Fn(String)) -> Result<PathBuf, RuntimeError> {
        let environment = self.environments.join(packages.folder());
        if environment.join("bin").join("python").exists() {
            return Ok(environment);
        }
        let failed = |error: std::io::Error| RuntimeError(format!("{} can't be made: {error}", environment.display()));
        let unfinished = environment.with_extension(std::process::id().to_string());
        let _ = tokio::fs::remove_dir_all(&unfinished).await;
        tokio::fs::create_dir_all(&self.environments).await.map_err(failed)?;
        let names = packages.names().join(", ");
        tracing::info!(packages = names, "installing Python packages");
        say(format!("Installing {names} for Python; this happens once"));
        step(Command::new("python3").args(["-m", "venv"]).arg(&unfinished), say).await?;
        let pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
        step(Command::new(unfinished.join("bin").join("python")).args(pip).args(packages.names()), say).await?;
        match tokio::fs::rename(&unfinished, &environment).await {
            // Another server was quicker.
            Err(_) if environment.join("bin").join("python").exists() => {
                let _ = tokio::fs::remove_dir_all(&unfinished).await;
            }
            moved => moved.map_err(failed)?,
        }
        Ok(environment)
    }
}

/// Runs a step of an installation and hands on what it prints.
async fn step(command: &mut Command, say: &impl Fn(String)) -> Result<(), RuntimeError> {
    let shown = command.as_std().get_program().to_string_lossy().into_owned();
    let failed = |reason: String| {
        let help = format!("install Python 3 with venv and let it reach PyPI, or let {GIVEN} name a Python with boto3");
        RuntimeError(format!("the Python environment can't be made: {shown}: {reason}; {help}"))
    };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (_, last, status) = tokio::join!(told(stdout, say), told(stderr, say), child.wait());
    match status.map_err(|error| failed(error.to_string()))? {
        status if status.success() => Ok(()),
        status => Err(failed(if last.is_empty() { status.to_string() } else { last })),
    }
}

/// Hands on a program's lines, and answers the last one.
async fn told(source: Option<impl AsyncRead + Unpin>, say: &impl Fn(String)) -> String {
    let Some(source) = source else { return String::new() };
    let (mut lines, mut last) = (BufReader::new(source).lines(), String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        say(line.clone());
        last = line;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pythons(given: Option<&str>) -> Pythons {
        let given = given.map(PathBuf::from);
        Pythons { environments: PathBuf::from("/dev/null/none"), given, ready: Mutex::default() }
    }

    #[tokio::test]
    async fn a_given_python_is_used_as_it_is() {
        let found = pythons(Some("python3")).ready(Packages::Base, |_| {}).await.unwrap();
        assert!(found.version.starts_with("3."), "{found:?}");
        let missing = pythons(Some("/no/such/python")).ready(Packages::Base, |_| {}).await.unwrap_err();
        assert!(missing.to_string().contains("/no/such/python"), "{missing}");
    }

    #[tokio::test]
    async fn an_environment_that_cant_be_made_says_where() {
        let error = pythons(None).ready(Packages::Base, |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("/dev/null/none"), "{error}");
    }
}
