//! What to run, and what it may use.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

const MIB: u64 = 1 << 20;

/// How thick the walls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// Namespaces, an own root, an own network. The default.
    Namespace,
    /// Resource limits, seccomp and landlock only: files are guarded by landlock, other processes can be seen, and the
    /// network is the machine's, with outgoing connections limited to granted ports where landlock can do that.
    Process,
}

impl Level {
    /// The level that `BOATHOUSE_SANDBOX` asks for: `namespace` (the default) or `process`.
    ///
    /// # Errors
    /// The value, if it is neither.
    pub fn from_environment() -> Result<Self, String> {
        match std::env::var("BOATHOUSE_SANDBOX").as_deref() {
            Err(_) | Ok("" | "namespace") => Ok(Self::Namespace),
            Ok("process") => Ok(Self::Process),
            Ok(other) => Err(other.to_owned()),
        }
    }
}

/// A file or directory of the machine that the tree may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is on the machine.
    pub source: PathBuf,
    /// Where the tree sees it: an absolute path.
    pub target: PathBuf,
}

impl Mount {
    /// Shows `source` as `target`, read-only.
    pub fn read_only(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), target: target.into() }
    }

    /// Shows a directory where it really is, read-only.
    pub fn in_place(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { source: path.clone(), target: path }
    }
}

/// What the tree may use at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Bytes of memory of its own, files in `/tmp` aside. It is killed soon after it has more ([`crate::Outcome::OutOfMemory`]),
    /// and never gets more than this and `scratch` together.
    pub memory: u64,
    /// Processes and threads together.
    pub processes: u32,
    /// Its share of the processors when they are contended, in processors: 1769 MB are one on Lambda. No hard limit.
    pub processor_share: f64,
    /// How long it may run; forever without.
    pub wall: Option<Duration>,
    /// Bytes of files in `/tmp`. They are kept in memory.
    pub scratch: u64,
    /// Files that each process may have open.
    pub open_files: u64,
}

impl Default for Limits {
    /// 128 MiB of memory, 512 MiB of scratch space, 1024 processes, 1024 open files: as Lambda.
    fn default() -> Self {
        Self {
            memory: 128 * MIB,
            processes: 1024,
            processor_share: 1.0,
            wall: None,
            scratch: 512 * MIB,
            open_files: 1024,
        }
    }
}

/// Answers one connection that the tree opened.
pub type Answer = dyn Fn(TcpStream) + Send + Sync;

/// A port of the tree's own loopback device that the server answers.
#[derive(Clone)]
pub struct Grant {
    /// Where the tree connects to, such as `127.0.0.1:9001`. The port must be above 1023.
    pub address: SocketAddr,
    /// What happens with each connection; called on the server's runtime, must not block.
    pub answer: Arc<Answer>,
}

impl Grant {
    /// A port and what answers it.
    pub fn new(address: impl Into<SocketAddr>, answer: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self { address: address.into(), answer: Arc::new(answer) }
    }

    /// Every connection to `address` goes on to `target` of the machine, byte by byte.
    pub fn forward(address: impl Into<SocketAddr>, target: SocketAddr) -> Self {
        Self::new(address, move |mut inner: TcpStream| {
            tokio::spawn(async move {
                let forwarded = async {
                    let mut outer = TcpStream::connect(target).await?;
                    outer.set_nodelay(true)?;
                    inner.set_nodelay(true)?;
                    tokio::io::copy_bidirectional(&mut inner, &mut outer).await
                };
                if let Err(error) = forwarded.await {
                    tracing::debug!(%error, %target, "a forwarded connection ended");
                }
            });
        })
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Grant").field(&self.address).finish()
    }
}

/// A tree to run.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The program, by its absolute path inside, and its arguments.
    pub command: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// The working directory inside.
    pub directory: PathBuf,
    /// What it may read besides the system's own directories. Later ones may lie inside earlier ones.
    pub mounts: Vec<Mount>,
    /// What it may use at most.
    pub limits: Limits,
    /// Whom it may connect to.
    pub grants: Vec<Grant>,
    /// Whether standard error goes into the same stream as standard output, in the order of writing.
    pub merge_output: bool,
}

impl Spec {
    /// A command with default limits, no grants and an empty environment, in `/tmp`.
    pub fn new<A: Into<String>>(command: impl IntoIterator<Item = A>) -> Self {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            directory: "/tmp".into(),
            mounts: Vec::new(),
            limits: Limits::default(),
            grants: Vec::new(),
            merge_output: false,
        }
    }
}

/// Who the tree's processes are, on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Identity {
    /// The server is root, so the tree gets a number that nobody else has.
    Own(u32),
    /// The server's own user, who has nothing to give away.
    Server {
        /// Its user id.
        uid: u32,
        /// Its group id.
        gid: u32,
    },
}

/// What `sandbox-init` is told: the specification, and facts about the machine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) level: Level,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: PathBuf,
    pub(crate) mounts: Vec<Mount>,
    /// Directories of the machine that stay empty wherever they would show.
    pub(crate) hidden: Vec<PathBuf>,
    pub(crate) listen: Vec<SocketAddr>,
    /// An empty directory of the machine for the new root to be put together on.
    pub(crate) staging: PathBuf,
    /// The scratch directory at the level `process`.
    pub(crate) scratch_directory: PathBuf,
    pub(crate) identity: Identity,
    pub(crate) merge_output: bool,
    pub(crate) scratch: u64,
    pub(crate) processes: u32,
    pub(crate) open_files: u64,
}

/// What `sandbox-init` says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The tree's first process exists, under this number of the machine; its handle comes along.
    Forked { pid: i32 },
    /// The sandbox stands; the listeners come along in their order.
    Ready,
    /// The command has been executed.
    Started,
    /// It could not be.
    Failed { message: String },
    /// The command has ended by itself with this exit code.
    Exited { code: i32 },
    /// The command was ended by this signal.
    Signaled { signal: i32 },
}
