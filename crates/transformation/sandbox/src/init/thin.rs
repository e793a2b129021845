//! The level without namespaces: this process watches server and command, and kills what the command left.
//!
//! Paths inside are translated to the machine's: where command and environment name a mount's target, they get its source.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, setsid, wait};
use rustix::thread::set_no_new_privs;

use super::{InitError, Step, confine, network, supervise, system};
use crate::channel::Channel;
use crate::spec::{Plan, Report};

/// What every program of the machine needs to read.
const READABLE: [&str; 9] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/proc/self", "/sys/devices/system/cpu"];

pub(super) fn run(plan: &Plan, channel: &Channel) -> Result<(), InitError> {
    system::adopt_orphans().step("adopting orphans")?;
    let own = pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).step("opening the handle")?;
    let forked = Report::Forked { pid: rustix::process::getpid().as_raw_pid() };
    channel.send(&forked, &[own.as_fd()]).step("reporting")?;
    super::wait_for_go(channel)?;
    // The machine's ports may be taken: any free one will do, and the environment is told which.
    let anywhere: Vec<SocketAddr> = plan.listen.iter().map(|address| SocketAddr::new(address.ip(), 0)).collect();
    let listeners = network::listen(&anywhere)?;
    let mut translated = Translation::of(plan);
    for (wanted, listener) in plan.listen.iter().zip(&listeners) {
        let real = listener.local_addr().step("listening")?;
        translated.pairs.push((wanted.to_string(), real.to_string()));
    }
    let plan = translated.plan(plan);
    let descriptors: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
    channel.send(&Report::Ready, &descriptors).step("reporting")?;
    drop(listeners);
    let (failure_reader, failure_writer) = system::pipe().step("making a pipe")?;
    let Some(command) = system::fork().step("forking")? else {
        drop(failure_reader);
        let Err(error) = execute(&plan);
        system::report_and_exit(&failure_writer, &error.to_string());
    };
    drop(failure_writer);
    match system::read_all(&failure_reader) {
        Ok(message) if message.is_empty() => channel.send(&Report::Started, &[]).step("reporting")?,
        Ok(message) => channel.send(&Report::Failed { message }, &[]).step("reporting")?,
        Err(error) => return Err(error).step("waiting for the command's start"),
    }
    let handle = pidfd_open(command, PidfdFlags::empty()).step("opening the command's handle")?;
    supervise::watch_server(channel, &handle);
    let _ = kill_process(command, Signal::KILL); // a command that has ended already is a zombie and keeps its status
    let report = supervise::reap_until(command);
    end_descendants();
    let _ = channel.send(&report, &[]);
    Ok(())
}

fn execute(plan: &Plan) -> Result<std::convert::Infallible, InitError> {
    system::die_with_parent().step("tying the command to its watcher")?;
    system::close_on_exec_from(3).step("closing descriptors")?;
    setsid().step("making a session")?;
    confine::limit_resources(plan)?;
    confine::drop_capabilities()?;
    set_no_new_privs(true).step("forbidding new privileges")?;
    let sources = plan.mounts.iter().filter_map(|mount| mount.source.to_str());
    let readable: Vec<&str> = READABLE.into_iter().chain(sources).collect();
    let scratch = plan.scratch_directory.to_str().unwrap_or("/nonexistent");
    confine::guard_files(&readable, &[scratch, "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"])?;
    confine::install_filters()?;
    confine::run(plan)
}

/// Kills and clears away until nothing is left: orphans come to this process.
fn end_descendants() {
    loop {
        let children = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
        for pid in pids {
            let _ = kill_process(pid, Signal::KILL);
        }
        if wait(WaitOptions::empty()).is_err() {
            return;
        }
    }
}

/// Texts of the inside and what they are called outside, longest first.
struct Translation {
    pairs: Vec<(String, String)>,
}

impl Translation {
    fn of(plan: &Plan) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut pairs: Vec<_> = plan.mounts.iter().map(|mount| (text(&mount.target), text(&mount.source))).collect();
        pairs.push(("/tmp".to_owned(), text(&plan.scratch_directory)));
        pairs.retain(|(inside, outside)| inside != outside);
        pairs.sort_by_key(|(inside, _)| std::cmp::Reverse(inside.len()));
        Self { pairs }
    }

    /// The text with every name of the inside at the beginning of a path, or anywhere if it is an address, replaced.
    fn text(&self, text: &str) -> String {
        let parts = text.split(':').collect::<Vec<_>>();
        let paths = parts.iter().map(|part| self.path(part)).collect::<Vec<_>>().join(":");
        let addresses = self.pairs.iter().filter(|(inside, _)| !inside.starts_with('/'));
        addresses.fold(paths, |text, (inside, outside)| text.replace(inside, outside))
    }

    fn path(&self, path: &str) -> String {
        for (inside, outside) in self.pairs.iter().filter(|(inside, _)| inside.starts_with('/')) {
            match path.strip_prefix(inside.as_str()) {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => return format!("{outside}{rest}"),
                _ => {}
            }
        }
        path.to_owned()
    }

    fn plan(&self, plan: &Plan) -> Plan {
        let environment = plan.environment.iter().map(|(name, value)| (name.clone(), self.text(value)));
        Plan {
            command: plan.command.iter().map(|argument| self.text(argument)).collect(),
            environment: environment.collect(),
            directory: self.path(&plan.directory.to_string_lossy()).into(),
            mounts: plan.mounts.clone(),
            hidden: plan.hidden.clone(),
            listen: plan.listen.clone(),
            staging: plan.staging.clone(),
            scratch_directory: plan.scratch_directory.clone(),
            ..*plan
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_inside_are_translated() {
        let pairs = [("/var/task", "/data/code"), ("127.0.0.1:9001", "127.0.0.1:40001"), ("/tmp", "/data/scratch")];
        let translation = Translation { pairs: pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec() };
        for (text, expected) in [
            ("/var/task/bin:/usr/bin", "/data/code/bin:/usr/bin"),
            ("/var/tasks", "/var/tasks"),
            ("/tmp", "/data/scratch"),
            ("http://127.0.0.1:9001/x", "http://127.0.0.1:40001/x"),
        ] {
            assert_eq!(translation.text(text), expected, "{text}");
        }
    }
}
