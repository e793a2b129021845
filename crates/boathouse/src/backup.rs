//! `boathouse backup` and `boathouse restore`: the whole data directory at one moment, while the server runs.
//!
//! A backup is a directory: `manifest.json` with the size and the SHA-256 of each file, the rows of both stores (`objects.rows`,
//! `metadata.rows`), and under `files` what is copied as it is. Metadata, index and the files beside them are of the same
//! moment: while both writers stand still, small files are linked aside, and content files are kept from being removed.
//! `manifest.json` is written last: a directory without it is no backup.

pub(crate) mod control;
mod copy;
mod manifest;
mod restore;
mod take;

use std::path::PathBuf;

pub(crate) use self::take::Stores;
use crate::data_directory;
use crate::say;
use crate::server::ServerError;

/// How to back up.
#[derive(clap::Args)]
pub(crate) struct BackupOptions {
    /// The data directory. A server may run on it.
    #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
    data_dir: PathBuf,
    /// The directory to make. It holds the server's secrets, and only its owner can read it.
    #[arg(long, required_unless_present = "verify")]
    to: Option<PathBuf>,
    /// An earlier backup on the same disk: what has not changed since is linked instead of copied.
    #[arg(long, requires = "to")]
    since: Option<PathBuf>,
    /// Reads a backup and checks that it is whole, instead of making one.
    #[arg(long, conflicts_with = "to")]
    verify: Option<PathBuf>,
}

/// How to restore.
#[derive(clap::Args)]
pub(crate) struct RestoreOptions {
    /// The backup.
    #[arg(long)]
    from: PathBuf,
    /// The data directory to make. It must not be there, or be empty.
    #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
    data_dir: PathBuf,
}

/// Why there is no backup, or nothing restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// A file or directory can't be used.
    #[error("{path}: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A directory that is to be made is there.
    #[error("{0} is there already, and is not empty")]
    Occupied(PathBuf),
    /// A directory is no backup, or not a whole one.
    #[error("{0} is no backup: {1}")]
    NoBackup(PathBuf, String),
    /// A file of a backup is not as it was written.
    #[error("{0} is damaged: {1}")]
    Damaged(PathBuf, String),
    /// The object store failed.
    #[error("objects: {0}")]
    Objects(#[from] boathouse_objects::Error),
    /// The control-plane store failed.
    #[error(transparent)]
    Metadata(#[from] boathouse_metadata::MetadataError),
    /// The data directory can't be opened.
    #[error("{0}")]
    Server(String),
}

impl BackupError {
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

pub(crate) async fn back_up(options: BackupOptions) -> Result<(), BackupError> {
    if let Some(backup) = options.verify {
        let summary = tokio::task::spawn_blocking(move || manifest::verify(&backup)).await;
        say!("{}: the backup is whole", summary.unwrap_or_else(|_| Err(BackupError::Server("it was stopped".into())))?);
        return Ok(());
    }
    let Some(to) = options.to else { return Ok(()) };
    let order = control::BackupOrder { to: absolute(to)?, since: options.since.map(absolute).transpose()? };
    let data_dir = options.data_dir;
    let work = move || {
        if !data_dir.join("metadata.db").exists() {
            return Err(BackupError::Server(format!("there is nothing in {}", data_dir.display())));
        }
        match data_directory::lock(&data_dir) {
            Ok(_lock) => Stores::open(&data_dir)?.back_up(&order),
            Err(ServerError::InUse(_)) => control::ask(&data_dir, &control::Order::Backup(order)),
            Err(error) => Err(BackupError::Server(error.to_string())),
        }
    };
    let summary = tokio::task::spawn_blocking(work).await;
    say!("{}", summary.unwrap_or_else(|_| Err(BackupError::Server("it was stopped".into())))?);
    Ok(())
}

pub(crate) async fn restore(options: RestoreOptions) -> Result<(), BackupError> {
    let work = move || restore::restore(&options.from, &options.data_dir);
    let summary = tokio::task::spawn_blocking(work).await;
    say!("{}", summary.unwrap_or_else(|_| Err(BackupError::Server("it was stopped".into())))?);
    Ok(())
}

/// The server has another working directory.
fn absolute(path: PathBuf) -> Result<PathBuf, BackupError> {
    std::path::absolute(&path).map_err(BackupError::file(path))
}
