//! The machine's abilities, found out once, and the start of trees.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::unix::pipe;
use tokio::process::Command;

use crate::cgroup::Hierarchy;
use crate::channel::{AsyncChannel, Channel};
use crate::init::SUBCOMMAND;
use crate::running::{Link, Running, Tree};
use crate::spec::{Identity, Level, Plan, Report, Spec};

/// How long the set-up may take. It takes milliseconds, but a machine may be busy.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30);
/// Where the numbers begin that a root server gives its trees, and how many there are: far above every real user's, and
/// outside the ranges that container managers take.
const FIRST_ID: u32 = 1_900_000_000;
const IDS: u32 = 1_000_000;

/// Why a tree does not run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The specification makes no sense; says which part.
    #[error("{0}")]
    InvalidSpec(String),
    /// The init process can't be started or spoken to.
    #[error("the sandbox can't be started: {0}")]
    Start(#[from] io::Error),
    /// A step of the set-up failed, or the command can't be executed; says which.
    #[error("{0}")]
    Setup(String),
    /// The set-up took too long.
    #[error("the sandbox was not set up within {} s", SETUP_TIMEOUT.as_secs())]
    Timeout,
}

/// What a server says about itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// How thick the walls are.
    pub level: Level,
    /// A directory of the server's own for empty mount points and, at the level `process`, scratch space.
    pub work: PathBuf,
    /// Directories that no tree may see, such as the data directory; what is mounted from inside them by name is still seen.
    pub hidden: Vec<PathBuf>,
    /// The program to start as `sandbox-init`; the running one without.
    pub init: Option<PathBuf>,
}

impl Options {
    /// The default level, with the running program.
    pub fn new(work: impl Into<PathBuf>) -> Self {
        Self { level: Level::Namespace, work: work.into(), hidden: Vec::new(), init: None }
    }
}

/// An init process that waits for its plan.
#[derive(Debug)]
struct Starter {
    link: Link,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
}

impl Starter {
    /// Must be called inside the runtime.
    fn start(init: &Path) -> io::Result<Self> {
        let (ours, theirs) = Channel::pair()?;
        let ((out_reader, out_writer), (err_reader, err_writer)) = (io::pipe()?, io::pipe()?);
        let mut command = Command::new(init);
        command.arg(SUBCOMMAND).env_clear().current_dir("/");
        command.stdin(Stdio::from(theirs.into_fd())).stdout(out_writer).stderr(err_writer);
        let child = command.spawn()?;
        drop(command); // it holds our copies of the other ends
        Ok(Self {
            link: Link { channel: AsyncChannel::new(ours)?, child },
            stdout: pipe::Receiver::from_owned_fd(out_reader.into())?,
            stderr: pipe::Receiver::from_owned_fd(err_reader.into())?,
        })
    }
}

/// Starts trees. One for a server.
#[derive(Debug)]
pub struct Sandbox {
    level: Level,
    init: PathBuf,
    staging: PathBuf,
    scratch: PathBuf,
    hidden: Vec<PathBuf>,
    hierarchy: Hierarchy,
    /// The first number for trees and how many there are; none if the server is not root.
    ids: Option<(u32, u32)>,
    next: AtomicU32,
    /// Executing a large binary takes milliseconds, so the next init process is started ahead of time.
    spare: Arc<Mutex<Option<Starter>>>,
}

impl Sandbox {
    /// Looks at the machine, warns of limits that it can't set, and clears away what servers that died left.
    ///
    /// # Errors
    /// The work directory can't be used.
    pub fn open(options: Options) -> io::Result<Arc<Self>> {
        let Options { level, work, hidden, init } = options;
        let (staging, scratch) = (work.join("root"), work.join("scratch"));
        let _ = std::fs::remove_dir_all(&scratch);
        for directory in [&staging, &scratch] {
            std::fs::create_dir_all(directory)?;
        }
        if level == Level::Process {
            tracing::warn!(
                "BOATHOUSE_SANDBOX=process: functions and jobs see this machine's processes and network, and their limits are weak"
            );
        }
        let hierarchy = Hierarchy::discover();
        let missing = hierarchy.missing();
        if !missing.is_empty() {
            tracing::warn!(
                ?missing,
                "no writable cgroups: these limits are kept by weaker means, or (processor share) not at all"
            );
        }
        let hidden = hidden.into_iter().filter_map(|path| path.canonicalize().ok()).collect();
        Ok(Arc::new(Self {
            level,
            // What runs now, even if the file has been replaced meanwhile.
            init: init.unwrap_or_else(|| "/proc/self/exe".into()),
            staging: staging.canonicalize()?,
            scratch: scratch.canonicalize()?,
            hidden,
            hierarchy,
            ids: rustix::process::geteuid().is_root().then(own_ids),
            next: AtomicU32::new(0),
            spare: Arc::default(),
        }))
    }

    /// How thick the walls are.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The limits that no cgroup keeps on this machine, in words.
    pub fn missing_limits(&self) -> Vec<&'static str> {
        self.hierarchy.missing()
    }

    /// Starts a tree; answers when its command has been executed.
    ///
    /// # Errors
    /// See [`SandboxError`]. Nothing is left running then.
    pub async fn spawn(&self, spec: Spec) -> Result<Running, SandboxError> {
        check(&spec)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut spare = self.spare.lock().take();
        // It may have been killed by somebody while it waited.
        if spare.as_mut().is_some_and(|starter| !matches!(starter.link.child.try_wait(), Ok(None))) {
            spare = None;
        }
        let Starter { link, stdout, stderr } = spare.map_or_else(|| Starter::start(&self.init), Ok)?;
        let plan = self.plan(&spec, number)?;
        let started = tokio::time::timeout(SETUP_TIMEOUT, self.set_up(link, &plan, &spec, number)).await;
        self.prepare_spare();
        let tree = started.unwrap_or(Err(SandboxError::Timeout))?;
        let stderr = (!spec.merge_output).then_some(stderr);
        Ok(Running::new(tree, spec, stdout, stderr))
    }

    /// Starts the next init process in the background.
    fn prepare_spare(&self) {
        let (spare, init) = (Arc::clone(&self.spare), self.init.clone());
        tokio::spawn(async move {
            if spare.lock().is_some() {
                return;
            }
            match Starter::start(&init) {
                Ok(starter) => *spare.lock() = Some(starter),
                Err(error) => tracing::debug!(%error, "no init process ahead of time"),
            }
        });
    }

    fn plan(&self, spec: &Spec, number: u32) -> io::Result<Plan> {
        let identity = match self.ids {
            Some((first, count)) => Identity::Own(first + number % count),
            None => {
                Identity::Server { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
            }
        };
        let scratch_directory = self.scratch.join(number.to_string());
        if self.level == Level::Process {
            std::fs::create_dir(&scratch_directory)?;
        }
        Ok(Plan {
            level: self.level,
            command: spec.command.clone(),
            environment: spec.environment.clone(),
            directory: spec.directory.clone(),
            mounts: spec.mounts.clone(),
            hidden: self.hidden.clone(),
            listen: spec.grants.iter().map(|grant| grant.address).collect(),
            staging: self.staging.clone(),
            scratch_directory,
            identity,
            merge_output: spec.merge_output,
            scratch: spec.limits.scratch,
            processes: spec.limits.processes,
            open_files: spec.limits.open_files,
        })
    }

    /// Talks the init process through the set-up. When this fails, the link is dropped, and with it whatever there is.
    async fn set_up(&self, link: Link, plan: &Plan, spec: &Spec, number: u32) -> Result<Tree, SandboxError> {
        link.channel.send(plan)?;
        let (report, handles) = link.expect().await?;
        let (Report::Forked { pid }, Some(handle)) = (&report, handles.into_iter().next()) else {
            return Err(unexpected(&report));
        };
        let group = self.hierarchy.create(&number.to_string(), &spec.limits)?;
        group.add(*pid)?;
        link.channel.send(&())?;
        let (report, listeners) = link.expect().await?;
        if report != Report::Ready {
            return Err(unexpected(&report));
        }
        let (report, _) = link.expect().await?;
        if report != Report::Started {
            return Err(unexpected(&report));
        }
        let scratch_directory = (self.level == Level::Process).then(|| plan.scratch_directory.clone());
        Ok(Tree { link, handle, pid: *pid, group, listeners, scratch_directory })
    }
}

fn unexpected(report: &Report) -> SandboxError {
    match report {
        Report::Failed { message } => SandboxError::Setup(message.clone()),
        other => SandboxError::Setup(format!("sandbox-init answered {other:?} out of turn")),
    }
}

fn check(spec: &Spec) -> Result<(), SandboxError> {
    let invalid = |message: String| Err(SandboxError::InvalidSpec(message));
    let absolute = |path: &Path| path.is_absolute() && !path.components().any(|part| part.as_os_str() == "..");
    if spec.command.first().is_none_or(|program| !absolute(Path::new(program))) {
        return invalid("the command needs an absolute path".into());
    }
    if let Some(mount) = spec.mounts.iter().find(|mount| !absolute(&mount.target) || !absolute(&mount.source)) {
        return invalid(format!("the mount {} needs absolute paths", mount.target.display()));
    }
    if let Some(grant) = spec.grants.iter().find(|grant| !grant.address.ip().is_loopback()) {
        return invalid(format!("{} is not a loopback address", grant.address));
    }
    let texts = spec.command.iter().chain(spec.environment.iter().flat_map(|(name, value)| [name, value]));
    if texts.into_iter().any(|text| text.contains('\0')) {
        return invalid("command and environment can't hold NUL characters".into());
    }
    Ok(())
}

/// The numbers that this root may give away: in a container, fewer than on the machine itself.
fn own_ids() -> (u32, u32) {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    ids_of(&map)
}

fn ids_of(map: &str) -> (u32, u32) {
    let last = map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().ok());
        let (first, _, count) = (numbers.next()??, numbers.next()??, numbers.next()??);
        Some(first + count)
    });
    let end = last.max().unwrap_or(1).min(u64::from(u32::MAX));
    if end >= u64::from(FIRST_ID) + u64::from(IDS) {
        return (FIRST_ID, IDS);
    }
    let count = (end / 4).clamp(1, u64::from(IDS));
    let as_id = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    (as_id(end.saturating_sub(count)), as_id(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_of_containers_give_fewer_numbers() {
        assert_eq!(ids_of("         0          0 4294967295\n"), (FIRST_ID, IDS));
        assert_eq!(ids_of("0 100000 65536\n"), (49152, 16384));
        assert_eq!(ids_of("0 1000 1\n"), (0, 1));
    }

    #[test]
    fn senseless_specifications_are_refused() {
        assert!(check(&Spec::new(["python3"])).is_err());
        assert!(check(&Spec::new(["/bin/a\0b"])).is_err());
        let mut spec = Spec::new(["/bin/true"]);
        spec.mounts.push(crate::Mount::read_only("/srv", "/var/../etc"));
        assert!(check(&spec).is_err());
        let mut spec = Spec::new(["/bin/true"]);
        spec.grants.push(crate::Grant::new(([10, 0, 0, 1], 9001), drop));
        assert!(check(&spec).is_err());
    }
}
