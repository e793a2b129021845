//! What the engine reads of each of its files when it is opened, asked of the disk for all of them at once: one after the other
//! would wait for the disk once for each.

use std::fs::File;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use rustix::fs::Advice;

/// The end of a file of rows, where it says what is where.
const END: u64 = 8 << 10;

/// Asks for the ends of the files of rows below a directory. That they come sooner is all that this is for: what fails here
/// shows when they are read.
pub(super) fn read_ahead(directory: &Path) {
    for keyspace in entries(&directory.join("keyspaces")) {
        for path in entries(&keyspace.join("tables")) {
            let Ok(file) = File::open(&path) else { continue };
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            let _ = rustix::fs::fadvise(&file, length.saturating_sub(END), NonZeroU64::new(END), Advice::WillNeed);
        }
    }
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path()))
}
