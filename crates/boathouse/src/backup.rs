//! `boathouse backup` and `boathouse restore`: the whole data directory at one moment, while the server runs.
//!
//! A backup is a directory: `manifest.json` with the size and the SHA-256 of each file, the rows of both stores (`objects.rows`,
//! `metadata.rows`), and under `files` what is copied as it is. Metadata, index and the files beside them are of the same
//! moment: while both writers stand still, small files are linked aside, and content files are kept from being removed.
//! `manifest.json` is written last: a directory without it is no backup. A backup whose name ends in `.tar` is one file with all
//! of that.

mod archive;
pub(crate) mod control;
mod copy;
mod manifest;
mod restore;
mod take;

use std::path::{Path, PathBuf};

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
    /// The directory to make, or the file if its name ends in `.tar`. It holds the server's secrets, and only its owner can read it.
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
    /// The backup, a directory or a file. A file needs room for its files beside the data directory while they are restored.
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
        let verify = move || if backup.is_file() { archive::verify(&backup) } else { manifest::verify(&backup) };
        let summary = tokio::task::spawn_blocking(verify).await;
        say!("{}: the backup is whole", summary.unwrap_or_else(|_| Err(BackupError::Server("it was stopped".into())))?);
        return Ok(());
    }
    let Some(to) = options.to else { return Ok(()) };
    let order = control::BackupOrder { to: absolute(to)?, since: options.since.map(absolute).transpose()? };
    let data_dir = options.data_dir;
    let work =
        move || if archive::is_meant(&order.to) { in_one_file(&data_dir, order) } else { make(&data_dir, &order) };
    let summary = tokio::task::spawn_blocking(work).await;
    say!("{}", summary.unwrap_or_else(|_| Err(BackupError::Server("it was stopped".into())))?);
    Ok(())
}

/// Makes a backup, or has the server make it that runs on the directory.
fn make(data_dir: &Path, order: &control::BackupOrder) -> Result<String, BackupError> {
    if !data_dir.join("metadata.db").exists() {
        return Err(BackupError::Server(format!("there is nothing in {}", data_dir.display())));
    }
    match data_directory::lock(data_dir) {
        Ok(_lock) => Stores::open(data_dir)?.back_up(order),
        Err(ServerError::InUse(_)) => control::ask(data_dir, &control::Order::Backup(order.clone())),
        Err(error) => Err(BackupError::Server(error.to_string())),
    }
}

fn in_one_file(data_dir: &Path, order: control::BackupOrder) -> Result<String, BackupError> {
    let (file, to) = (&order.to, archive::directory_of(&order.to));
    if file.exists() {
        return Err(BackupError::Occupied(file.clone()));
    }
    if let Some(since) = order.since.as_ref().filter(|since| !since.is_dir()) {
        return Err(BackupError::NoBackup(since.clone(), "only that of a directory can be built on".into()));
    }
    archive::clear(&to)?;
    let made = make(data_dir, &control::BackupOrder { to: to.clone(), ..order.clone() });
    let packed = made.and_then(|summary| archive::pack(&to, file).map(|()| summary));
    match packed {
        Ok(summary) => Ok(summary.replacen(&to.display().to_string(), &file.display().to_string(), 1)),
        Err(error) => archive::clear(&to).and(Err(error)),
    }
}

pub(crate) async fn restore(options: RestoreOptions) -> Result<(), BackupError> {
    let work = move || match options.from.is_file() {
        true => restore::restore_file(&options.from, &options.data_dir),
        false => restore::restore(&options.from, &options.data_dir),
    };
    let summary = tokio::task::spawn_blocking(work).await;
    say!("{}", summary.unwrap_or_else(|_| Err(BackupError::Server("it was stopped".into())))?);
    Ok(())
}

/// The server has another working directory.
fn absolute(path: PathBuf) -> Result<PathBuf, BackupError> {
    std::path::absolute(&path).map_err(BackupError::file(path))
}
