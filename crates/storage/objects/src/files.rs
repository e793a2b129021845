//! The one door through which the store changes files: whatever is made, written, synced, renamed or removed goes through here,
//! and so does each commit of the index. In tests somebody stands in it who counts, cuts the power or lets the disk fail
//! (`faults`); otherwise it is nothing but the system's calls.

#[cfg(test)]
mod audit;
#[cfg(test)]
pub(crate) mod faults;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod workload;

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What changes files.
#[derive(Clone, Default)]
pub(crate) struct Files {
    #[cfg(test)]
    faults: Option<std::sync::Arc<faults::Faults>>,
}

/// What is being done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code))]
pub(crate) enum Step {
    MakeDirectory,
    Create,
    Open,
    Write,
    Sync,
    SyncDirectory,
    Rename,
    Remove,
    Commit,
}

impl Files {
    #[cfg(test)]
    fn run<T>(&self, step: Step, path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.faults {
            Some(faults) => faults.run(step, path, work),
            None => work(),
        }
    }

    #[cfg(not(test))]
    #[inline]
    #[allow(clippy::unused_self)]
    fn run<T>(&self, _step: Step, _path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        work()
    }

    /// Makes a directory if it is not there. Its parent has yet to be synced.
    pub(crate) fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Step::MakeDirectory, path, || std::fs::create_dir_all(path))
    }

    /// A file that must not be there yet.
    pub(crate) fn create_new(&self, path: &Path) -> io::Result<Output> {
        let file = self.run(Step::Create, path, || OpenOptions::new().write(true).create_new(true).open(path))?;
        Ok(self.output(file, path))
    }

    /// A file that only its owner may read, in the place of one that may be there.
    pub(crate) fn create_private(&self, path: &Path) -> io::Result<Output> {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let file = self.run(Step::Create, path, || options.open(path))?;
        Ok(self.output(file, path))
    }

    /// A file that is there, to go on behind `offset`.
    pub(crate) fn continue_at(&self, path: &Path, offset: u64) -> io::Result<Output> {
        let file = self.run(Step::Open, path, || {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        })?;
        Ok(self.output(file, path))
    }

    fn output(&self, file: File, path: &Path) -> Output {
        Output { file, path: path.to_owned(), files: self.clone() }
    }

    /// Durable only when the directory is synced.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(test)]
        if let Some(faults) = &self.faults {
            return faults.rename(from, to);
        }
        std::fs::rename(from, to)
    }

    /// Removes a file that may be gone already. Durable only when the directory is synced.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(Step::Remove, path, || match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    /// Makes names in a directory durable: new ones, changed ones and those that are gone.
    pub(crate) fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.run(Step::SyncDirectory, path, || File::open(path)?.sync_all())
    }

    /// A commit of the index, whose files are its engine's business.
    pub(crate) fn commit<T>(&self, path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.run(Step::Commit, path, work)
    }
}

/// A file that is being written.
pub(crate) struct Output {
    file: File,
    path: PathBuf,
    files: Files,
}

impl Output {
    /// Makes what was written durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.files.run(Step::Sync, &self.path, || self.file.sync_data())
    }

    /// The same file, to be synced elsewhere.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, path: self.path.clone(), files: self.files.clone() })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(test)]
        if let Some(faults) = &self.files.faults {
            return faults.write(&mut self.file, &self.path, bytes);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
