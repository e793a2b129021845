//! The space on the disk: what is kept in reserve, so that the index engine, which gives up when it finds the disk full, never
//! does, and so that deletions still find room.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::StatVfsMountFlags;

use crate::error::{Error, Result};

/// The reserve of a large disk, unless it is set otherwise.
const RESERVE: u64 = 256 << 20;
/// That of a small one: a part of its size.
const RESERVED_PART: u64 = 20;
/// Deletions and other small changes go on until less than this part of the reserve is free.
const LAST_PART: u64 = 4;
const PROBE: &str = "probe";

/// What there is on the disk of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskState {
    /// Bytes that may be written.
    pub free: u64,
    /// Bytes of the whole file system.
    pub total: u64,
    /// Below so many free bytes nothing new is taken.
    pub reserve: u64,
    /// Whether nothing can be written at all.
    pub read_only: bool,
}

impl DiskState {
    /// Why nothing new is taken, if so.
    pub fn refusal(&self) -> Option<Error> {
        self.refusal_below(self.reserve)
    }

    fn refusal_below(&self, least: u64) -> Option<Error> {
        match self {
            Self { read_only: true, .. } => Some(Error::ReadOnly),
            Self { free, .. } if *free < least => Some(Error::Full { free: *free, reserve: self.reserve }),
            _ => None,
        }
    }
}

/// The disk of a store.
pub(crate) struct Space {
    dir: PathBuf,
    handle: File,
    reserve: Option<u64>,
    /// Whether a write was refused as to a disk that is read only.
    refused: AtomicBool,
}

impl Space {
    pub(crate) fn open(dir: &Path, reserve: Option<u64>) -> Result<Self> {
        Ok(Self { dir: dir.to_owned(), handle: File::open(dir)?, reserve, refused: AtomicBool::new(false) })
    }

    /// As [`state`](Self::state), found out by writing: a file system that failed may not say that it became read only.
    pub(crate) fn tried(&self) -> Result<DiskState> {
        self.refused.store(true, Ordering::Relaxed);
        self.state()
    }

    pub(crate) fn state(&self) -> Result<DiskState> {
        let stat = rustix::fs::fstatvfs(&self.handle).map_err(std::io::Error::from)?;
        let total = stat.f_blocks * stat.f_frsize;
        Ok(DiskState {
            free: stat.f_bavail * stat.f_frsize,
            total,
            reserve: self.reserve.unwrap_or_else(|| RESERVE.min(total / RESERVED_PART)),
            read_only: stat.f_flag.contains(StatVfsMountFlags::RDONLY) || self.still_refused(),
        })
    }

    /// Whether something new may be written.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::ReadOnly`].
    pub(crate) fn admit(&self) -> Result<()> {
        self.state()?.refusal().map_or(Ok(()), Err)
    }

    /// Whether a change of the index may be written.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub(crate) fn admit_change(&self) -> Result<()> {
        let state = self.state()?;
        state.refusal_below(state.reserve / LAST_PART).map_or(Ok(()), Err)
    }

    /// Takes note of an error of a write: a file system that failed may not say that it became read only.
    pub(crate) fn note(&self, error: &Error) {
        if matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem) {
            self.refused.store(true, Ordering::Relaxed);
        }
    }

    fn still_refused(&self) -> bool {
        if !self.refused.load(Ordering::Relaxed) {
            return false;
        }
        let probe = self.dir.join(PROBE);
        let written = std::fs::write(&probe, b"?").and_then(|()| std::fs::remove_file(&probe));
        let refused = written.is_err_and(|error| error.kind() == std::io::ErrorKind::ReadOnlyFilesystem);
        self.refused.store(refused, Ordering::Relaxed);
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_decides() {
        let state = DiskState { free: 99, total: 1000, reserve: 100, read_only: false };
        assert!(matches!(state.refusal(), Some(Error::Full { free: 99, reserve: 100 })));
        assert!(state.refusal_below(25).is_none());
        assert!(DiskState { free: 100, ..state }.refusal().is_none());
        assert!(matches!(DiskState { read_only: true, ..state }.refusal(), Some(Error::ReadOnly)));
    }

    #[test]
    fn a_reserve_that_no_disk_has_refuses_what_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::open(dir.path(), Some(u64::MAX)).unwrap();
        assert!(matches!(space.admit(), Err(Error::Full { .. })));
        let usual = Space::open(dir.path(), None).unwrap().state().unwrap();
        assert!(usual.reserve <= RESERVE && usual.total >= usual.free && !usual.read_only);
    }

    #[test]
    fn a_disk_that_refused_is_asked_again() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::open(dir.path(), Some(0)).unwrap();
        space.note(&std::io::Error::from_raw_os_error(rustix::io::Errno::ROFS.raw_os_error()).into());
        assert!(space.refused.load(Ordering::Relaxed));
        assert!(space.admit().is_ok(), "it can be written to again");
        assert!(!space.refused.load(Ordering::Relaxed));
    }
}
