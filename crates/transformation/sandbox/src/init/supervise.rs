//! Waiting: for the command, for the tree's first process, for the server.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait, waitpid};

use crate::channel::Channel;
use crate::spec::Report;

/// Returns when the server is gone, or the process behind `handle` is.
pub(super) fn watch_server(channel: &Channel, handle: &OwnedFd) {
    loop {
        let (socket, process) = (channel.as_fd(), handle.as_fd());
        // No event is asked of the socket, so only its end shows; its messages are the tree's.
        let mut watched =
            [PollFd::from_borrowed_fd(socket, PollFlags::empty()), PollFd::from_borrowed_fd(process, PollFlags::IN)];
        match poll(&mut watched, None) {
            Err(Errno::INTR) => {}
            Err(_) => return,
            Ok(_) if watched.iter().all(|one| one.revents().is_empty()) => {}
            Ok(_) => return,
        }
    }
}

/// Waits for the end of one child.
pub(super) fn reap(child: Pid) {
    while matches!(waitpid(Some(child), WaitOptions::empty()), Err(Errno::INTR)) {}
}

/// Waits for the command's end and clears away whatever else ends until then.
pub(super) fn reap_until(command: Pid) -> Report {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == command => return report(status),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return Report::Failed { message: "the command can't be waited for".into() },
        }
    }
}

fn report(status: WaitStatus) -> Report {
    match (status.exit_status(), status.terminating_signal()) {
        (_, Some(signal)) => Report::Signaled { signal },
        (code, None) => Report::Exited { code: code.unwrap_or_default() },
    }
}
