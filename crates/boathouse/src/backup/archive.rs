//! A backup as one file: a tar archive of its directory, `manifest.json` first.
//!
//! The directory is made first, beside the file, and each of its files goes when it is in the archive: so a backup needs no more
//! room than it has, and that of its largest file.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::BackupError;
use super::copy;
use super::manifest::{Entry, Manifest, NAME, SUM};

const EXTENSION: &str = "tar";
const PIECE: usize = 1 << 20;

/// Whether a backup of that name is one file.
pub(super) fn is_meant(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION)
}

/// Where the directory of an archive is, for as long as there is one.
pub(super) fn directory_of(archive: &Path) -> PathBuf {
    let mut name = archive.file_name().unwrap_or_default().to_owned();
    name.push(".files");
    archive.with_file_name(name)
}

/// Removes what an attempt left that was interrupted.
pub(super) fn clear(directory: &Path) -> Result<(), BackupError> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(BackupError::file(directory)(error)),
        _ => Ok(()),
    }
}

/// Makes an archive of the backup in a directory, which is gone afterwards.
pub(super) fn pack(directory: &Path, archive: &Path) -> Result<(), BackupError> {
    let manifest = Manifest::read(directory)?;
    let draft = directory.join("archive");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
    let file = file.map_err(BackupError::file(&draft))?;
    let mut tar = tar::Builder::new(BufWriter::with_capacity(PIECE, file));
    tar.follow_symlinks(false);
    let names = [SUM, NAME].into_iter().chain(manifest.entries.keys().map(String::as_str));
    for name in names {
        let path = directory.join(name);
        tar.append_path_with_name(&path, name).map_err(BackupError::file(&path))?;
        if !path.is_dir() || path.is_symlink() {
            std::fs::remove_file(&path).map_err(BackupError::file(&path))?;
        }
    }
    let file = tar.into_inner().and_then(|writer| writer.into_inner().map_err(std::io::Error::other));
    file.and_then(|file| file.sync_all()).map_err(BackupError::file(&draft))?;
    std::fs::rename(&draft, archive).map_err(BackupError::file(archive))?;
    clear(directory)?;
    copy::sync_directory(archive.parent().unwrap_or(Path::new("/")))
}

fn open(archive: &Path) -> Result<tar::Archive<BufReader<File>>, BackupError> {
    let file = File::open(archive).map_err(BackupError::file(archive))?;
    Ok(tar::Archive::new(BufReader::with_capacity(PIECE, file)))
}

fn no_archive(archive: &Path) -> impl Fn(std::io::Error) -> BackupError {
    let archive = archive.to_owned();
    move |error| BackupError::NoBackup(archive.clone(), format!("it can't be read as an archive: {error}"))
}

/// Makes the directory of an archive. What lies in it is verified by whoever restores it.
pub(super) fn unpack(archive: &Path, directory: &Path) -> Result<(), BackupError> {
    clear(directory)?;
    copy::make_directory(directory)?;
    // Names that lead outside are passed over: the manifest then misses them.
    open(archive)?.unpack(directory).map_err(no_archive(archive))
}

/// Reads a whole archive; answers what it holds.
pub(super) fn verify(archive: &Path) -> Result<String, BackupError> {
    let failed = no_archive(archive);
    let (mut texts, mut found) = (BTreeMap::new(), BTreeMap::new());
    for entry in open(archive)?.entries().map_err(&failed)? {
        let mut entry = entry.map_err(&failed)?;
        let name = entry.path().map_err(&failed)?.to_string_lossy().into_owned();
        if name == NAME || name == SUM {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).map_err(&failed)?;
            texts.insert(name, text);
        } else if entry.header().entry_type().is_file() {
            found.insert(name, copy::digest_of(&mut entry, archive)?);
        }
    }
    let missing = |name: &str| BackupError::NoBackup(archive.to_owned(), format!("it has no {name}"));
    let text = texts.remove(NAME).ok_or_else(|| missing(NAME))?;
    let manifest = Manifest::parse(archive, &text, &texts.remove(SUM).ok_or_else(|| missing(SUM))?)?;
    for (name, entry) in &manifest.entries {
        if let Entry::File { bytes, sha256, .. } = entry
            && found.get(name) != Some(&(*bytes, sha256.clone()))
        {
            return Err(BackupError::Damaged(archive.join(name), "it is not what was written".into()));
        }
    }
    Ok(manifest.summary(archive))
}
