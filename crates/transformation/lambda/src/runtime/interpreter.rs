//! The interpreters of this machine, and the directories that belong to them.

use std::path::{Path, PathBuf};

use boathouse_sandbox::Mount;
use tokio::process::Command;

use crate::error::LambdaError;

/// What sandboxes see anyway.
const SYSTEM: [&str; 5] = ["/usr", "/bin", "/lib", "/lib64", "/sbin"];

/// A program, and where its libraries are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    program: PathBuf,
    /// Outside of the system's own directories.
    directories: Vec<PathBuf>,
    version: String,
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

    pub(crate) fn program(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    pub(crate) fn mounts(&self, client: Mount) -> Vec<Mount> {
        self.directories.iter().map(Mount::in_place).chain([client]).collect()
    }
}

/// Asks the interpreter about itself: what it prints, line by line.
async fn ask(variable: &str, name: &str, arguments: &[&str]) -> Result<Vec<String>, LambdaError> {
    let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    let missing = |why: String| {
        LambdaError::InvalidRuntime(format!(
            "No interpreter serves this runtime: {program} {why}. Install {name}, or let {variable} name one."
        ))
    };
    let output = Command::new(&program).args(arguments).output().await.map_err(|error| missing(error.to_string()))?;
    if !output.status.success() {
        return Err(missing(format!("ended with {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Python: the real program behind shims, its installation, and its virtual environment if it has one.
pub(super) async fn python() -> Result<Interpreter, LambdaError> {
    let script = "import sys; print(sys.version.split()[0]); print(sys.executable); print(sys.prefix); \
                  print(sys.base_prefix); print(sys.base_exec_prefix)";
    let lines = ask("BOATHOUSE_PYTHON", "python3", &["-c", script]).await?;
    let [version, program, directories @ ..] = lines.as_slice() else {
        return Err(LambdaError::InvalidRuntime("python3 does not answer as Python does".into()));
    };
    let found = Interpreter::new(program.into(), directories.iter().map(PathBuf::from), version.clone());
    tracing::info!(version, program, "Python functions run on this interpreter");
    Ok(found)
}

/// Node.js: the program itself; its libraries are inside it.
pub(super) async fn node() -> Result<Interpreter, LambdaError> {
    let lines = ask("BOATHOUSE_NODE", "node", &["-p", "process.version + '\\n' + process.execPath"]).await?;
    let [version, program] = lines.as_slice() else {
        return Err(LambdaError::InvalidRuntime("node does not answer as Node.js does".into()));
    };
    let directory = Path::new(program).parent().map(Path::to_owned);
    let found = Interpreter::new(program.into(), directory, version.clone());
    tracing::info!(version, program, "Node.js functions run on this interpreter");
    Ok(found)
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
        let error = ask("BOATHOUSE_NO_SUCH_VARIABLE", "no-such-interpreter", &[]).await.unwrap_err();
        assert!(error.to_string().contains("no-such-interpreter"), "{error}");
    }
}
