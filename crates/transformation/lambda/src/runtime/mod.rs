//! Runtimes: which program serves a function, and what it needs to see.
//!
//! Python and Node.js functions run on the interpreters of this machine through Boathouse's own runtime clients
//! (`clients/`), whatever minor version their `Runtime` names: the first of `BOATHOUSE_PYTHON` and `python3`, of
//! `BOATHOUSE_NODE` and `node`. The log says once which one it is. `provided.*` functions bring a `bootstrap` themselves.
//!
//! | Module | What it does |
//! |---|---|
//! | `interpreter` | finds interpreters and what belongs to them |
//! | `environment` | the variables that a function sees |

pub(crate) mod environment;
mod interpreter;

use std::fs;
use std::path::{Path, PathBuf};

use boathouse_sandbox::Mount;
use tokio::sync::OnceCell;

use self::interpreter::Interpreter;
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
    python: OnceCell<Interpreter>,
    node: OnceCell<Interpreter>,
}

impl Runtimes {
    /// Writes the clients below `work`.
    pub(crate) fn open(work: &Path) -> Result<Self, LambdaError> {
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
        Ok(Self { clients, python: OnceCell::new(), node: OnceCell::new() })
    }

    /// How to start a function of this runtime.
    ///
    /// # Errors
    /// `InvalidRuntimeException`: the machine has no interpreter for it.
    pub(crate) async fn start(&self, runtime: &str) -> Result<Start, LambdaError> {
        let client = Mount::read_only(&self.clients, RUNTIME_DIRECTORY);
        if runtime.starts_with("python") {
            let python = self.python.get_or_try_init(interpreter::python).await?;
            let command = vec![python.program(), format!("{RUNTIME_DIRECTORY}/python.py")];
            return Ok(Start { command, mounts: python.mounts(client) });
        }
        if runtime.starts_with("nodejs") {
            let node = self.node.get_or_try_init(interpreter::node).await?;
            let command = vec![node.program(), format!("{RUNTIME_DIRECTORY}/node.mjs")];
            return Ok(Start { command, mounts: node.mounts(client) });
        }
        Ok(Start { command: vec!["/var/task/bootstrap".into()], mounts: Vec::new() })
    }
}
