//! The list of what a backup holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupError;
use super::copy;

pub(super) const NAME: &str = "manifest.json";
pub(super) const SUM: &str = "manifest.json.sha256";
/// The folder of what is copied as it is.
pub(super) const FILES: &str = "files";
pub(super) const OBJECT_ROWS: &str = "objects.rows";
pub(super) const METADATA_ROWS: &str = "metadata.rows";
/// The list of what stays in the remote store.
pub(super) const REMOTE_FILES: &str = "objects.remote";
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// Of the program that wrote it.
    version: String,
    /// When: RFC 3339.
    pub(super) taken: String,
    /// Rows of the object store's index.
    pub(super) object_rows: u64,
    /// Rows of the control plane.
    pub(super) metadata_rows: u64,
    /// What is not in the backup, because it stays in a remote store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) remote: Option<InRemote>,
    /// By their paths in the backup.
    pub(super) entries: BTreeMap<String, Entry>,
}

/// What stays in a remote store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InRemote {
    pub(super) url: String,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entry {
    /// Bytes.
    File {
        bytes: u64,
        sha256: String,
        /// Whether its owner may execute it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        program: bool,
    },
    /// A symbolic link to this.
    Link(PathBuf),
    /// A directory, which may be empty.
    Directory,
}

impl Manifest {
    pub(super) fn new(taken: String) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let (object_rows, metadata_rows, entries) = (0, 0, BTreeMap::new());
        Self { format: FORMAT, version, taken, object_rows, metadata_rows, remote: None, entries }
    }

    pub(super) fn bytes(&self) -> u64 {
        let bytes = |entry: &Entry| if let Entry::File { bytes, .. } = entry { *bytes } else { 0 };
        self.entries.values().map(bytes).sum()
    }

    /// Completes a backup.
    pub(super) fn write(&self, backup: &Path) -> Result<(), BackupError> {
        let text = serde_json::to_vec_pretty(self).expect("invariant: texts and numbers serialise");
        for (name, bytes) in [(SUM, copy::sha256(&text).as_bytes()), (NAME, &text[..])] {
            copy::write_durably(&backup.join(name), bytes)?;
        }
        copy::sync_directory(backup)
    }

    pub(super) fn read(backup: &Path) -> Result<Self, BackupError> {
        let read = |name: &str| {
            let no = |error| BackupError::NoBackup(backup.to_owned(), format!("{name}: {error}"));
            std::fs::read(backup.join(name)).map_err(no)
        };
        Self::parse(backup, &read(NAME)?, &read(SUM)?)
    }

    /// Reads the manifest of a backup and checks it by its checksum.
    pub(super) fn parse(backup: &Path, text: &[u8], sum: &[u8]) -> Result<Self, BackupError> {
        let no = |why: String| BackupError::NoBackup(backup.to_owned(), why);
        if sum.trim_ascii() != copy::sha256(text).as_bytes() {
            return Err(BackupError::Damaged(backup.join(NAME), format!("its checksum is not that of {SUM}")));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|error| no(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(no(format!("it has format {}, and this program knows {FORMAT}", manifest.format)));
        }
        let inside =
            |path: &String| Path::new(path).components().all(|it| matches!(it, std::path::Component::Normal(_)));
        match manifest.entries.keys().find(|path| !inside(path)) {
            Some(path) => Err(no(format!("it names {path}, which lies outside"))),
            None => Ok(manifest),
        }
    }
}

/// Reads a whole backup; answers what it holds.
pub(super) fn verify(backup: &Path) -> Result<String, BackupError> {
    let manifest = Manifest::read(backup)?;
    for (name, entry) in &manifest.entries {
        let path = backup.join(name);
        if let Entry::File { bytes, sha256, .. } = entry {
            let found = copy::digest(&path)?;
            if found != (*bytes, sha256.clone()) {
                return Err(BackupError::Damaged(path, "it is not what was written".into()));
            }
        }
    }
    Ok(manifest.summary(backup))
}

impl Manifest {
    pub(super) fn summary(&self, backup: &Path) -> String {
        let Self { object_rows, metadata_rows, taken, .. } = self;
        let (files, bytes) = (self.entries.len(), self.bytes());
        let place = backup.display();
        let remote = self.remote.as_ref().map(|InRemote { url, files, bytes }| {
            format!("; {files} files of {bytes} bytes stay in {url} and were not looked into")
        });
        let remote = remote.unwrap_or_default();
        format!("{place}: {files} files, {bytes} bytes, {object_rows} and {metadata_rows} rows, as of {taken}{remote}")
    }
}
