//! A running tree, and its end.

use std::net::TcpListener as StdListener;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Signal, pidfd_send_signal};
use tokio::net::TcpListener;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::cgroup::Group;
use crate::channel::AsyncChannel;
use crate::processes;
use crate::sandbox::SandboxError;
use crate::spec::{Answer, Grant, Limits, Report, Spec};

/// How often the memory of a tree is looked at.
const SAMPLING: Duration = Duration::from_millis(50);

/// How a tree ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The command ended by itself with this code.
    Exited(i32),
    /// The command was ended by this signal, which was not ours.
    Signaled(i32),
    /// The tree had more memory than it may.
    OutOfMemory,
    /// The tree ran for as long as it may.
    TimedOut,
    /// [`Running::kill`], or [`Running`] was dropped.
    Killed,
}

/// The way to the init process.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) channel: AsyncChannel,
    pub(crate) child: Child,
}

impl Link {
    /// The next report of the set-up.
    pub(crate) async fn expect(&self) -> Result<(Report, Vec<OwnedFd>), SandboxError> {
        self.channel.receive().await?.ok_or_else(|| SandboxError::Setup("sandbox-init ended during the set-up".into()))
    }
}

/// What the set-up has made.
pub(crate) struct Tree {
    pub(crate) link: Link,
    /// The tree's first process: with it, all others end.
    pub(crate) handle: OwnedFd,
    pub(crate) pid: i32,
    pub(crate) group: Group,
    pub(crate) listeners: Vec<OwnedFd>,
    pub(crate) scratch_directory: Option<PathBuf>,
}

/// What the supervising task and the handle share.
#[derive(Debug)]
struct Shared {
    handle: OwnedFd,
    pid: i32,
    group: Mutex<Option<Group>>,
    cause: Mutex<Option<Outcome>>,
    peak: AtomicU64,
    /// Whether the tree works, so that its memory is worth a look.
    active: watch::Sender<bool>,
}

impl Shared {
    /// Ends the tree; the first cause counts.
    fn end(&self, cause: Outcome) {
        self.cause.lock().get_or_insert(cause);
        // A process that is gone already needs no signal.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    fn own_memory(&self) -> u64 {
        let by_group = self.group.lock().as_ref().and_then(Group::own_memory);
        let own = by_group.unwrap_or_else(|| processes::own_memory(self.pid));
        self.peak.fetch_max(own, Ordering::Relaxed);
        own
    }
}

/// A tree that runs. Dropping it kills the tree.
#[derive(Debug)]
pub struct Running {
    /// What the tree writes to standard output; it ends when the tree does.
    pub stdout: Option<pipe::Receiver>,
    /// What it writes to standard error; none if the specification merges them.
    pub stderr: Option<pipe::Receiver>,
    shared: Arc<Shared>,
    ended: watch::Receiver<Option<Outcome>>,
}

impl Running {
    pub(crate) fn new(tree: Tree, spec: Spec, stdout: pipe::Receiver, stderr: Option<pipe::Receiver>) -> Self {
        let shared = Arc::new(Shared {
            handle: tree.handle,
            pid: tree.pid,
            group: Mutex::new(Some(tree.group)),
            cause: Mutex::new(None),
            peak: AtomicU64::new(0),
            active: watch::Sender::new(true),
        });
        let (tell, ended) = watch::channel(None);
        let answering = answer(tree.listeners, spec.grants);
        let supervised = Arc::clone(&shared);
        let mut link = tree.link;
        tokio::spawn(async move {
            let report = supervise(&link, &supervised, &spec.limits).await;
            drop(answering);
            let _ = link.child.wait().await; // the whole tree is gone with it
            let group = supervised.group.lock().take();
            let outcome = outcome(report, group.as_ref(), supervised.cause.lock().take());
            drop(group);
            if let Some(directory) = tree.scratch_directory {
                let _ = tokio::fs::remove_dir_all(directory).await;
            }
            let _ = tell.send(Some(outcome)); // nobody may be interested any more
        });
        Self { stdout: Some(stdout), stderr, shared, ended }
    }

    /// Kills every process of the tree. [`Running::wait`] says when they are gone.
    pub fn kill(&self) {
        self.shared.end(Outcome::Killed);
    }

    /// Waits until the whole tree is gone. May be called again.
    pub async fn wait(&mut self) -> Outcome {
        match self.ended.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Outcome::Killed),
            Err(_) => Outcome::Killed, // the runtime is shutting down
        }
    }

    /// How the tree ended; none while it runs.
    pub fn outcome(&self) -> Option<Outcome> {
        self.ended.borrow().clone()
    }

    /// The most memory that the tree has been seen with, in bytes: its own, or the command's with the files it uses, if that
    /// is more.
    pub fn peak_memory(&self) -> u64 {
        self.shared.own_memory();
        let peak = processes::peak(self.shared.pid).unwrap_or_default();
        self.shared.peak.fetch_max(peak, Ordering::Relaxed).max(peak)
    }

    /// Says whether the tree waits for work: then its memory is not looked at, so that it costs nothing.
    pub fn set_idle(&self, idle: bool) {
        self.shared.active.send_replace(!idle);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Serves the tree's connections until the answer is dropped.
fn answer(listeners: Vec<OwnedFd>, grants: Vec<Grant>) -> JoinSet<()> {
    let mut serving = JoinSet::new();
    for (listener, grant) in listeners.into_iter().zip(grants) {
        let listener = StdListener::from(listener);
        let ready = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
        match ready {
            Ok(listener) => drop(serving.spawn(accept(listener, grant.answer))),
            Err(error) => tracing::error!(%error, address = %grant.address, "a granted port can't be served"),
        }
    }
    serving
}

async fn accept(listener: TcpListener, answer: Arc<Answer>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                answer(stream);
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed in a sandbox");
                tokio::time::sleep(SAMPLING).await; // out of file handles: let some close
            }
        }
    }
}

/// Watches limits until the tree is gone; answers what the init process said about the command's end, if it could.
async fn supervise(link: &Link, shared: &Shared, limits: &Limits) -> Option<Report> {
    let mut sampling = tokio::time::interval_at(Instant::now() + SAMPLING, SAMPLING);
    sampling.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut report = None;
    let wall = async {
        match limits.wall {
            Some(wall) => tokio::time::sleep(wall).await,
            None => std::future::pending().await,
        }
    };
    let mut wall = std::pin::pin!(wall);
    let mut over_time = false;
    let mut activity = shared.active.subscribe();
    loop {
        let active = *activity.borrow_and_update();
        tokio::select! {
            next = link.channel.receive::<Report>() => match next {
                Ok(Some((next, _))) => report = Some(next),
                Ok(None) | Err(_) => return report,
            },
            _ = sampling.tick(), if active => {
                if shared.own_memory() > limits.memory {
                    shared.end(Outcome::OutOfMemory);
                }
            }
            Ok(()) = activity.changed() => {}
            () = &mut wall, if !over_time => {
                over_time = true;
                shared.end(Outcome::TimedOut);
            }
        }
    }
}

fn outcome(report: Option<Report>, group: Option<&Group>, cause: Option<Outcome>) -> Outcome {
    const KILLED: i32 = 9;
    match (report, cause) {
        // It was killed or dropped after its own end.
        (Some(Report::Exited { code }), None | Some(Outcome::Killed)) => Outcome::Exited(code),
        (_, Some(cause)) => cause,
        (Some(Report::Signaled { signal: KILLED }) | None, None) if group.is_some_and(Group::out_of_memory) => {
            Outcome::OutOfMemory
        }
        (Some(Report::Signaled { signal }), None) => Outcome::Signaled(signal),
        _ => Outcome::Signaled(KILLED),
    }
}
