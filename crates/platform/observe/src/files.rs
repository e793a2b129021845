//! Log events on disk: one directory of append-only segments for each stream.
//!
//! A segment is a header and frames; a frame is one accepted batch with its checksum. A batch is acknowledged when its
//! frame is on disk; batches that wait at the same time share one fsync for each stream. After a crash a torn frame at the
//! end of the last segment is cut off: nobody was told that it is kept.
//!
//! | Module | What it does |
//! |---|---|
//! | [`frame`] | the bytes of a batch |
//! | [`segments`] | the segments of one stream, and what is known of them without reading them |
//! | [`committer`] | appends, with group commit; removes; expires |
//! | [`scan`] | events of any streams in the order of time, forward or backward |

pub mod committer;
pub mod frame;
pub mod scan;
pub mod segments;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, mpsc};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use self::committer::Job;
use self::segments::StreamLog;

/// Threads that append. The streams are spread over them.
const COMMITTERS: u64 = 4;

/// Why log files can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FilesError {
    /// The system refuses.
    #[error("{path}: {message}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// A segment that was complete once is not any more.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// The stream has been removed meanwhile.
    #[error("the stream is gone")]
    Gone,
    /// The process ends.
    #[error("the log store is closed")]
    Closed,
}

impl FilesError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, message: error.to_string() }
    }
}

/// The number that names a stream's directory; a stream of the same name made later has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub u64);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for StreamId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// An event that a client hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The text.
    pub message: String,
}

/// All log files of an installation.
pub struct LogFiles {
    root: PathBuf,
    streams: Mutex<HashMap<StreamId, Arc<StreamLog>>>,
    committers: Vec<mpsc::Sender<Job>>,
}

impl LogFiles {
    /// The files below `root`, which is made if needed.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub fn open(root: &Path) -> Result<Self, FilesError> {
        fs::create_dir_all(root).map_err(FilesError::io(root))?;
        let committers = (0..COMMITTERS).map(|_| committer::start(root)).collect::<Result<_, _>>()?;
        Ok(Self { root: root.to_owned(), streams: Mutex::default(), committers })
    }

    /// What is known of a stream. The first time its segments are read and checked.
    ///
    /// # Errors
    /// [`FilesError::Io`], [`FilesError::Damaged`].
    pub fn stream(&self, id: StreamId) -> Result<Arc<StreamLog>, FilesError> {
        if let Some(known) = self.known(id) {
            return Ok(known);
        }
        let opened = Arc::new(StreamLog::open(id, self.root.join(id.to_string()))?);
        // Two may have opened it at once; everybody must go on with the same one.
        Ok(Arc::clone(self.streams.lock().entry(id).or_insert(opened)))
    }

    /// A stream that has been asked for before.
    pub fn known(&self, id: StreamId) -> Option<Arc<StreamLog>> {
        self.streams.lock().get(&id).cloned()
    }

    /// Keeps a batch; answers once it is on disk.
    ///
    /// # Errors
    /// See [`FilesError`].
    pub async fn append(
        &self,
        stream: Arc<StreamLog>,
        ingestion: i64,
        events: Vec<NewEvent>,
    ) -> Result<(), FilesError> {
        let id = stream.id;
        self.job(id, |done| Job::Append { stream, ingestion, events, done }).await
    }

    /// Removes a stream's files.
    ///
    /// # Errors
    /// See [`FilesError`].
    pub async fn remove(&self, id: StreamId) -> Result<(), FilesError> {
        let stream = self.streams.lock().remove(&id);
        self.job(id, |done| Job::Remove { id, stream, done }).await
    }

    /// Removes the segments whose events are all older than `cutoff` (milliseconds since 1970).
    ///
    /// # Errors
    /// See [`FilesError`].
    pub async fn expire(&self, stream: Arc<StreamLog>, cutoff: i64) -> Result<(), FilesError> {
        let id = stream.id;
        self.job(id, |done| Job::Expire { stream, cutoff, done }).await
    }

    /// The streams that have files.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub fn ids(&self) -> Result<Vec<StreamId>, FilesError> {
        let entries = fs::read_dir(&self.root).map_err(FilesError::io(&self.root))?;
        Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }

    async fn job(&self, id: StreamId, job: impl FnOnce(committer::Done) -> Job) -> Result<(), FilesError> {
        let (done, answer) = oneshot::channel();
        let committer = &self.committers[(id.0 % COMMITTERS) as usize];
        committer.send(job(done)).map_err(|_| FilesError::Closed)?;
        answer.await.unwrap_or(Err(FilesError::Closed))
    }
}

/// Makes a directory's entries durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FilesError> {
    fs::File::open(path).and_then(|directory| directory.sync_all()).map_err(FilesError::io(path))
}
