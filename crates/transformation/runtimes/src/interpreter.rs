//! The interpreters of this machine, and the directories that belong to them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::RuntimeError;

/// What sandboxes see anyway.
const SYSTEM: [&str; 5] = ["/usr", "/bin", "/lib", "/lib64", "/sbin"];

/// A program, and where its libraries are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The program, by its absolute path.
    pub program: PathBuf,
    /// What it needs to see beside the system's own directories.
    pub directories: Vec<PathBuf>,
    /// Its version, as it says it.
    pub version: String,
}

impl Interpreter {
    fn new(program: PathBuf, directories: impl IntoIterator<Item = PathBuf>, version: String) -> Self {
        let mut kept: Vec<PathBuf> = Vec::new();
        for directory in directories {
            let known = SYSTEM.iter().any(|system| directory.starts_with(system))
                || kept.iter().any(|kept| directory.starts_with(kept))
                || directory.parent().is_none();
            if !known && directory.exists() {
                kept.push(directory);
            }
        }
        Self { program, directories: kept, version }
    }

    /// Python as `program` starts it: the real program behind shims, its installation, its environment if it has one.
    ///
    /// # Errors
    /// There is no such program, or it is not Python.
    pub async fn python(program: impl AsRef<OsStr>) -> Result<Self, RuntimeError> {
        let script = "import sys; print(sys.version.split()[0]); print(sys.executable); print(sys.prefix); \
                      print(sys.base_prefix); print(sys.base_exec_prefix)";
        let lines = ask(program.as_ref(), &["-I", "-c", script]).await?;
        let [version, program, directories @ ..] = lines.as_slice() else {
            return Err(RuntimeError("it does not answer as Python does".into()));
        };
        Ok(Self::new(program.into(), directories.iter().map(PathBuf::from), version.clone()))
    }

    /// Node.js: `BOATHOUSE_NODE`, or `node`. Its libraries are inside the program.
    ///
    /// # Errors
    /// There is no such program, or it is not Node.js.
    pub async fn node() -> Result<Self, RuntimeError> {
        let program = std::env::var_os("BOATHOUSE_NODE").unwrap_or_else(|| "node".into());
        let lines = ask(&program, &["-p", "process.version + '\\n' + process.execPath"])
            .await
            .map_err(|error| RuntimeError(format!("{error}. Install Node.js, or let BOATHOUSE_NODE name it")))?;
        let [version, program] = lines.as_slice() else {
            return Err(RuntimeError("node does not answer as Node.js does".into()));
        };
        let directory = Path::new(program).parent().map(Path::to_owned);
        Ok(Self::new(program.into(), directory, version.clone()))
    }
}

/// Asks the interpreter about itself: what it prints, line by line.
async fn ask(program: &OsStr, arguments: &[&str]) -> Result<Vec<String>, RuntimeError> {
    let failed = |why: String| RuntimeError(format!("{} can't be used: {why}", program.to_string_lossy()));
    let asked = Command::new(program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = asked.await.map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_outside_of_the_system_are_shown() {
        let home = tempfile::tempdir().unwrap();
        let inside = home.path().join("lib");
        std::fs::create_dir(&inside).unwrap();
        let directories = ["/usr/lib".into(), home.path().to_owned(), inside, "/".into(), "/no/such".into()];
        let found = Interpreter::new("/usr/bin/python3".into(), directories, "3".into());
        assert_eq!(found.directories, [home.path().to_owned()]);
    }

    #[tokio::test]
    async fn interpreters_that_are_not_there_are_named() {
        let error = Interpreter::python("no-such-interpreter").await.unwrap_err();
        assert!(error.to_string().contains("no-such-interpreter"), "{error}");
    }
}
