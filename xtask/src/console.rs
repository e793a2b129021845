//! The console's pages: their build, and their tests in a browser.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use crate::run;

const SOURCES: &str = "console";
/// Says what the pages were built from.
const STAMP: &str = "console/dist/site/stamp";
const CHROMIUM: &str = "/usr/bin/chromium";

/// What tests of the console need: the built pages and, if there is one, a browser.
pub(crate) struct Pages {
    browser: bool,
}

/// Builds the pages if their sources have changed since; otherwise nothing is touched, and no crate is compiled again.
pub(crate) fn build() -> Result<(), String> {
    if !has("npm") {
        return Err("the console's pages are built with Node.js 20.19 or later and npm, which are not there".into());
    }
    let digest = digest().map_err(|error| format!("{SOURCES}: {error}"))?;
    if fs::read_to_string(STAMP).is_ok_and(|stamp| stamp == digest) {
        return Ok(());
    }
    npm(&["ci"])?;
    npm(&["run", "build"])?;
    fs::write(STAMP, digest).map_err(|error| format!("{STAMP}: {error}"))
}

/// Builds the pages for the tests, and sees to a browser. Without Node.js there is nothing to test, which is said loudly.
pub(crate) fn prepare() -> Result<Option<Pages>, String> {
    if !has("npm") {
        eprintln!("SKIPPED: the console's tests. They need Node.js 20.19 or later with npm.");
        return Ok(None);
    }
    build()?;
    Ok(Some(Pages { browser: browser() }))
}

impl Pages {
    /// The pages' types, their unit tests, and the pages in a browser against the real binary.
    pub(crate) fn test(&self, binary: &Path) -> Result<(), String> {
        npm(&["run", "check"])?;
        npm(&["test"])?;
        if !self.browser {
            eprintln!("SKIPPED: the console in a browser. That needs Chromium: apt-get install chromium");
            return Ok(());
        }
        let mut command = Command::new("npm");
        command.args(["run", "e2e"]).current_dir(SOURCES);
        run(command.env("BOATHOUSE_BINARY", binary).env("BOATHOUSE_CONSOLE", "embedded"))
    }
}

/// Whether there is Chromium; Debian's is installed where that can be done.
fn browser() -> bool {
    let named = std::env::var_os("BOATHOUSE_CHROMIUM").map_or_else(|| PathBuf::from(CHROMIUM), PathBuf::from);
    if named.exists() {
        return true;
    }
    // Whoever may not install packages is told so by apt-get, and by the tests.
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--no-install-recommends", "chromium"]).env("DEBIAN_FRONTEND", "noninteractive");
    let _ = install.status();
    named.exists()
}

fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn npm(arguments: &[&str]) -> Result<(), String> {
    run(Command::new("npm").args(arguments).current_dir(SOURCES))
}

/// A digest of everything that the pages are built from.
fn digest() -> io::Result<String> {
    let mut files = Vec::new();
    collect(Path::new(SOURCES), &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if !["node_modules", "dist", "e2e"].iter().any(|left_out| name == *left_out) {
                collect(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}
