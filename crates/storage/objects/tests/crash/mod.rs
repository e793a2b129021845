//! A child process that works on a store, says what was acknowledged, and is killed with `kill -9`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};

/// Names the store's directory to the child.
const DIRECTORY: &str = "BOATHOUSE_OBJECTS_CRASH_DIR";
/// The ignored test that is the child's work.
const TEST: &str = "crash_child";

/// The store's directory, in the child; none in an ordinary run of all ignored tests.
pub(crate) fn directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Says in the child that something was acknowledged. One write call: a line on a pipe is then there whole or not at all
/// when the kill comes.
pub(crate) fn acknowledge(what: &str) {
    std::io::stderr().write_all(format!("ack {what}\n").as_bytes()).unwrap();
}

fn acknowledged(line: std::io::Result<String>) -> Option<String> {
    line.unwrap().strip_prefix("ack ").map(str::to_owned)
}

/// Lets the child work until it has acknowledged `count` things, kills it after `linger`, and answers all that it
/// acknowledged.
pub(crate) fn killed_after(store: &Path, count: usize, linger: std::time::Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--ignored", "--nocapture"])
        .env(DIRECTORY, store)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::<ChildStderr>::new(child.stderr.take().unwrap()).lines();
    let mut said: Vec<String> = lines.by_ref().filter_map(acknowledged).take(count).collect();
    std::thread::sleep(linger);
    child.kill().unwrap();
    child.wait().unwrap();
    said.extend(lines.filter_map(acknowledged));
    said
}
