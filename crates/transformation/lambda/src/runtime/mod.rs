//! Runtimes: which program serves a function, and what it needs to see.
//!
//! Python and Node.js functions run on the interpreters of this machine through Boathouse's own runtime clients
//! (`clients/`), whatever minor version their `Runtime` names; see `boathouse-runtimes` for which one. The log says once
//! which one it is. `provided.*` functions bring a `bootstrap` themselves.
//!
//! | Module | What it does |
//! |---|---|
//! | `environment` | the variables that a function sees |

pub(crate) mod environment;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boathouse_runtimes::{Interpreter, Packages, Pythons, RuntimeError};
use boathouse_sandbox::Mount;
use tokio::sync::OnceCell;

use crate::error::LambdaError;

const PYTHON_CLIENT: &str = include_str!("clients/python.py");
const NODE_CLIENT: &str = include_str!("clients/node.mjs");
/// Where functions see the clients.
const RUNTIME_DIRECTORY: &str = "/var/runtime";

/// How a function is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) command: Vec<String>,
    pub(crate) mounts: Vec<Mount>,
}

/// The interpreters of this machine, looked for when they are first needed.
#[derive(Debug)]
pub(crate) struct Runtimes {
    clients: PathBuf,
    pythons: Arc<Pythons>,
    node: OnceCell<Interpreter>,
}

impl Runtimes {
    /// Writes the clients below `work`.
    pub(crate) fn open(work: &Path, pythons: Arc<Pythons>) -> Result<Self, LambdaError> {
        let clients = work.join("runtime");
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&clients)?;
            for (name, text) in [("python.py", PYTHON_CLIENT), ("node.mjs", NODE_CLIENT)] {
                fs::write(clients.join(name), text)?;
            }
            for (path, mode) in
                [(clients.clone(), 0o755), (clients.join("python.py"), 0o644), (clients.join("node.mjs"), 0o644)]
            {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            }
            Ok(())
        };
        write().map_err(LambdaError::machine("writing the runtime clients"))?;
        let clients = clients.canonicalize().map_err(LambdaError::machine("writing the runtime clients"))?;
        Ok(Self { clients, pythons, node: OnceCell::new() })
    }

    /// How to start a function of this runtime.
    ///
    /// # Errors
    /// `InvalidRuntimeException`: the machine has no interpreter for it.
    pub(crate) async fn start(&self, runtime: &str) -> Result<Start, LambdaError> {
        let unfit = |error: RuntimeError| LambdaError::InvalidRuntime(format!("{runtime}: {error}"));
        if runtime.starts_with("python") {
            let say = |line: String| tracing::debug!(line, "making the Python environment");
            let python = self.pythons.ready(Packages::Base, say).await.map_err(unfit)?;
            return Ok(self.client("python.py", &python));
        }
        if runtime.starts_with("nodejs") {
            let node = self.node.get_or_try_init(Interpreter::node).await.map_err(unfit)?;
            return Ok(self.client("node.mjs", node));
        }
        Ok(Start { command: vec!["/var/task/bootstrap".into()], mounts: Vec::new() })
    }

    /// A client on its interpreter.
    fn client(&self, name: &str, interpreter: &Interpreter) -> Start {
        let command = vec![interpreter.program.to_string_lossy().into_owned(), format!("{RUNTIME_DIRECTORY}/{name}")];
        let client = Mount::read_only(&self.clients, RUNTIME_DIRECTORY);
        let mounts = interpreter.directories.iter().map(Mount::in_place).chain([client]).collect();
        Start { command, mounts }
    }
}
