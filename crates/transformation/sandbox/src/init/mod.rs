//! Inside the re-executed process: it has one thread, so it may enter namespaces and fork.
//!
//! ```text
//! server ── sandbox-init (outside: watches the server's socket)
//!             └─ first process of the new process namespace (sets up, then reaps)
//!                  └─ the command (confined, then executed)
//! ```
//!
//! | Module | What it does |
//! |---|---|
//! | `mounts` | the new root |
//! | `network` | the loopback device and its listeners |
//! | `confine` | identity, capabilities, resource limits, landlock, seccomp, execution |
//! | `filter` | the seccomp filter |
//! | `supervise` | waits for the command, the tree and the server |
//! | `thin` | the level without namespaces |
//! | `system` | the system calls that no library offers in safe dress |

mod confine;
mod filter;
mod mounts;
mod network;
mod supervise;
mod system;
mod thin;

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

use rustix::fs::Mode;
use rustix::process::{PidfdFlags, Signal, getpid, pidfd_open};
use rustix::thread::UnshareFlags;

use crate::channel::Channel;
use crate::spec::{Identity, Level, Plan, Report};

/// The hidden subcommand of the binary.
pub const SUBCOMMAND: &str = "sandbox-init";
/// User and group of the tree as it sees them itself.
const INNER_UID: u32 = 993;
const INNER_GID: u32 = 990;

/// What could not be done, and why.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub(crate) struct InitError {
    what: String,
    source: io::Error,
}

/// Names the step that failed.
pub(crate) trait Step<T> {
    fn step(self, what: impl Into<String>) -> Result<T, InitError>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, what: impl Into<String>) -> Result<T, InitError> {
        self.map_err(|error| InitError { what: what.into(), source: error.into() })
    }
}

/// Sets a sandbox up if this process was started for that; none otherwise. The binary's `main` calls it before it does
/// anything else, in particular before it starts threads.
pub fn dispatch() -> Option<ExitCode> {
    let asked = std::env::args_os().nth(1).is_some_and(|argument| argument == SUBCOMMAND);
    asked.then(run)
}

fn run() -> ExitCode {
    let channel = match system::take_standard_input() {
        Ok(fd) => Channel::from_fd(fd),
        Err(_) => return ExitCode::FAILURE, // started by hand
    };
    let plan = match channel.receive::<Plan>() {
        Ok(Some((plan, _))) => plan,
        _ => return ExitCode::FAILURE,
    };
    if plan.merge_output && system::merge_output().is_err() {
        return ExitCode::FAILURE;
    }
    // What is made on the way must be readable for the tree, whose user is another one.
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let outcome = match plan.level {
        Level::Namespace => outside(&plan, &channel),
        Level::Process => thin::run(&plan, &channel),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A server that is gone needs no report.
            let _ = channel.send(&Report::Failed { message: error.to_string() }, &[]);
            ExitCode::FAILURE
        }
    }
}

/// Enters the namespaces and becomes the watcher of the tree's first process.
fn outside(plan: &Plan, channel: &Channel) -> Result<(), InitError> {
    let mut flags =
        UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS | UnshareFlags::NEWPID;
    if let Identity::Server { uid, gid } = plan.identity {
        flags |= UnshareFlags::NEWUSER;
        let help = "entering namespaces (does the kernel let unprivileged users make them? See \
                    user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)";
        system::unshare(flags).step(help)?;
        map_identity(uid, gid)?;
    } else {
        system::unshare(flags).step("entering namespaces")?;
    }
    let Some(child) = system::fork().step("forking")? else {
        let ended = inside(plan, channel);
        if let Err(error) = ended {
            let _ = channel.send(&Report::Failed { message: error.to_string() }, &[]);
        }
        std::process::exit(0);
    };
    let handle = pidfd_open(child, PidfdFlags::empty()).step("opening the tree's handle")?;
    let forked = Report::Forked { pid: child.as_raw_pid() };
    if channel.send(&forked, &[handle.as_fd()]).is_ok() {
        supervise::watch_server(channel, &handle);
    }
    let _ = rustix::process::pidfd_send_signal(&handle, Signal::KILL);
    supervise::reap(child);
    Ok(())
}

/// Says who the one user of a new user namespace is outside.
fn map_identity(uid: u32, gid: u32) -> Result<(), InitError> {
    std::fs::write("/proc/self/setgroups", "deny").step("giving up supplementary groups")?;
    std::fs::write("/proc/self/uid_map", format!("{INNER_UID} {uid} 1")).step("mapping the user")?;
    std::fs::write("/proc/self/gid_map", format!("{INNER_GID} {gid} 1")).step("mapping the group")?;
    Ok(())
}

/// The first process of the new namespace: when it ends, the kernel kills all others in it.
fn inside(plan: &Plan, channel: &Channel) -> Result<(), InitError> {
    system::die_with_parent().step("tying the tree to its watcher")?;
    wait_for_go(channel)?;
    // The cgroup was entered just now: its path is nobody's business inside. Old kernels can't, which shows a path only.
    let _ = system::unshare(UnshareFlags::NEWCGROUP);
    let _ = rustix::system::sethostname(b"sandbox");
    network::raise_loopback().step("raising the loopback device")?;
    let listeners = network::listen(&plan.listen)?;
    mounts::enter(plan)?;
    let descriptors: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
    channel.send(&Report::Ready, &descriptors).step("reporting")?;
    drop(listeners);
    start_and_reap(plan, channel)
}

/// Starts the command and answers for it until it has ended.
fn start_and_reap(plan: &Plan, channel: &Channel) -> Result<(), InitError> {
    let (failure_reader, failure_writer) = system::pipe().step("making a pipe")?;
    let Some(command) = system::fork().step("forking")? else {
        drop(failure_reader);
        let error = confine::execute(plan);
        system::report_and_exit(&failure_writer, &error.to_string());
    };
    drop(failure_writer);
    let _ = system::forbid_inspection();
    match system::read_all(&failure_reader) {
        Ok(message) if message.is_empty() => channel.send(&Report::Started, &[]).step("reporting")?,
        Ok(message) => channel.send(&Report::Failed { message }, &[]).step("reporting")?,
        Err(error) => return Err(error).step("waiting for the command's start"),
    }
    let report = supervise::reap_until(command);
    channel.send(&report, &[]).step("reporting")
}

/// The server says so once it has put the process into its cgroup.
fn wait_for_go(channel: &Channel) -> Result<(), InitError> {
    match channel.receive::<()>().step("waiting for the server")? {
        Some(_) => Ok(()),
        None => Err(io::Error::from(io::ErrorKind::BrokenPipe)).step(format!("server gone ({:?})", getpid())),
    }
}
