//! How `boathouse backup` and `boathouse attach` ask the server that has the data directory: by a socket in it, which only its
//! owner reaches. One line of JSON goes there, one comes back.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{BackupError, Stores};
use crate::attach::Attachment;

const SOCKET: &str = "control.sock";

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// A backup.
    Backup(BackupOrder),
    /// An attachment.
    Attach(Attachment),
}

/// What backup is to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BackupOrder {
    /// The directory to make.
    pub(crate) to: PathBuf,
    /// An earlier backup.
    pub(crate) since: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Done(String),
    Failed(String),
}

/// Calls `with` with a path of the socket that is short enough for one, however long that of the directory is.
fn at<T>(data_dir: &Path, with: impl FnOnce(&Path) -> std::io::Result<T>) -> Result<T, BackupError> {
    let directory = std::fs::File::open(data_dir).map_err(BackupError::file(data_dir))?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(SOCKET);
    with(&path).map_err(BackupError::file(data_dir.join(SOCKET)))
}

/// Answers orders until the process ends. The caller has the directory's lock.
pub(crate) fn listen(data_dir: &Path, stores: Stores) -> Result<(), BackupError> {
    let listener = at(data_dir, |path| {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {} // that of a process which is gone
        }
        UnixListener::bind(path)
    })?;
    let serve = move || {
        for stream in listener.incoming() {
            let outcome = stream.and_then(|stream| answer(&stores, &stream));
            if let Err(error) = outcome {
                tracing::warn!(%error, "an order could not be answered");
            }
        }
    };
    std::thread::Builder::new().name("control".into()).spawn(serve).map_err(BackupError::file(data_dir))?;
    Ok(())
}

fn answer(stores: &Stores, mut stream: &UnixStream) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let answer = match serde_json::from_str::<Order>(&line) {
        Err(error) => Answer::Failed(format!("the order can't be read: {error}")),
        Ok(order) => match carry_out(stores, &order) {
            Ok(summary) => Answer::Done(summary),
            Err(error) => Answer::Failed(error.to_string()),
        },
    };
    let line = serde_json::to_string(&answer).map_err(std::io::Error::other)?;
    stream.write_all(format!("{line}\n").as_bytes())
}

fn carry_out(stores: &Stores, order: &Order) -> Result<String, BackupError> {
    match order {
        Order::Backup(copy) => {
            tracing::info!(target: "audit", to = %copy.to.display(), "Backup");
            stores.back_up(copy)
        }
        Order::Attach(Attachment { bucket, prefix }) => {
            tracing::info!(target: "audit", %bucket, %prefix, "Attach");
            stores.attach(bucket, prefix)
        }
    }
}

/// Has the server that runs on the directory do something; answers what came of it.
pub(crate) fn ask(data_dir: &Path, order: &Order) -> Result<String, BackupError> {
    let stream = at(data_dir, |path| UnixStream::connect(path))?;
    let exchange = || -> std::io::Result<Answer> {
        let line = serde_json::to_string(order).map_err(std::io::Error::other)?;
        (&stream).write_all(format!("{line}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer)?;
        serde_json::from_str(&answer).map_err(|_| std::io::Error::other("the server went away before it answered"))
    };
    match exchange().map_err(BackupError::file(data_dir.join(SOCKET)))? {
        Answer::Done(summary) => Ok(summary),
        Answer::Failed(why) => Err(BackupError::Server(why)),
    }
}
