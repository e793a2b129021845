//! Making a data directory of a backup.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::BackupError;
use super::archive;
use super::copy;
use super::manifest::{Entry, FILES, METADATA_ROWS, Manifest, OBJECT_ROWS};

/// Verifies a backup while it is copied beside the data directory, and puts the copy in its place when all of it is there.
pub(super) fn restore(backup: &Path, data_dir: &Path) -> Result<String, BackupError> {
    if !copy::is_free(data_dir)? {
        return Err(BackupError::Occupied(data_dir.to_owned()));
    }
    let manifest = Manifest::read(backup)?;
    let place = std::path::absolute(data_dir).map_err(BackupError::file(data_dir))?;
    let draft = beside(&place, ".restoring");
    match std::fs::remove_dir_all(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(BackupError::file(&draft)(error)),
        _ => {} // what an attempt left that was interrupted
    }
    copy::make_directory(&draft)?;
    for (name, entry) in &manifest.entries {
        put(backup, name, entry, &draft)?;
    }
    let objects = draft.join("objects");
    copy::make_directory(&objects)?;
    let counted = boathouse_objects::restore_rows(&objects, rows(backup, OBJECT_ROWS)?)?;
    expect(backup, OBJECT_ROWS, counted, manifest.object_rows)?;
    let counted = boathouse_metadata::restore_rows(&draft.join("metadata.db"), rows(backup, METADATA_ROWS)?)?;
    expect(backup, METADATA_ROWS, counted, manifest.metadata_rows)?;
    copy::sync_tree(&draft)?;
    std::fs::rename(&draft, &place).map_err(BackupError::file(&place))?;
    if let Some(parent) = place.parent() {
        copy::sync_directory(parent)?;
    }
    Ok(format!("{} is restored from {}", data_dir.display(), manifest.summary(backup)))
}

/// The same of a backup that is one file.
pub(super) fn restore_file(file: &Path, data_dir: &Path) -> Result<String, BackupError> {
    if !copy::is_free(data_dir)? {
        return Err(BackupError::Occupied(data_dir.to_owned()));
    }
    let place = std::path::absolute(data_dir).map_err(BackupError::file(data_dir))?;
    let unpacked = beside(&place, ".unpacked");
    let restored = archive::unpack(file, &unpacked).and_then(|()| restore(&unpacked, data_dir));
    archive::clear(&unpacked)?;
    restored.map(|summary| summary.replacen(&unpacked.display().to_string(), &file.display().to_string(), 1))
}

fn beside(place: &Path, ending: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    place.with_file_name(name)
}

fn put(backup: &Path, name: &str, entry: &Entry, draft: &Path) -> Result<(), BackupError> {
    let source = backup.join(name);
    let Ok(within) = Path::new(name).strip_prefix(FILES) else {
        // Rows, which are read where they are.
        return match entry {
            Entry::File { bytes, sha256, .. } => same(&source, copy::digest(&source)?, (*bytes, sha256)),
            _ => Ok(()),
        };
    };
    let target = draft.join(within);
    if let Some(parent) = target.parent() {
        copy::make_directory(parent)?;
    }
    match entry {
        Entry::Directory => copy::make_directory(&target),
        Entry::Link(to) => symlink(to, &target).map_err(BackupError::file(&target)),
        Entry::File { bytes, sha256, program } => {
            same(&source, copy::copy(&source, &target, u64::MAX, *program)?, (*bytes, sha256))
        }
    }
}

fn same(path: &Path, found: (u64, String), wanted: (u64, &String)) -> Result<(), BackupError> {
    if (found.0, &found.1) == wanted {
        return Ok(());
    }
    Err(BackupError::Damaged(path.to_owned(), "it is not what was written".into()))
}

fn rows(backup: &Path, name: &str) -> Result<File, BackupError> {
    let path = backup.join(name);
    File::open(&path).map_err(BackupError::file(path))
}

fn expect(backup: &Path, name: &str, counted: u64, wanted: u64) -> Result<(), BackupError> {
    if counted == wanted {
        return Ok(());
    }
    Err(BackupError::Damaged(backup.join(name), format!("it has {counted} rows of {wanted}")))
}
