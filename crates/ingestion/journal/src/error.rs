//! What can go wrong.

use std::path::PathBuf;
use std::sync::Arc;

use crate::ShardId;

/// Why the journal could not do its work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A file can't be made, read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: Arc<std::io::Error>,
    },
    /// More is waiting for the disk than may wait. Nothing was appended; a later try may succeed.
    #[error("too many bytes wait to be written")]
    Busy,
    /// An earlier write failed in a way that leaves the file's content unknown. Nothing is accepted until a restart has
    /// looked at what is there.
    #[error("the journal has stopped after a failed write: {0}")]
    Stopped(String),
    /// The journal is closed.
    #[error("the journal is closed")]
    Closed,
    /// The shard was not attached, or is forgotten.
    #[error("shard {} of stream {} is not attached", .0.shard, .0.stream)]
    UnknownShard(ShardId),
    /// A record's key or data is larger than a frame holds.
    #[error("a record may have {} bytes of key and {} bytes of data", crate::frame::MAX_KEY, crate::frame::MAX_DATA)]
    TooLarge,
    /// What was written is not what is read: the disk has damaged it.
    #[error("{path} is damaged at byte {offset}")]
    Damaged {
        /// The segment's file.
        path: PathBuf,
        /// Where the damaged frame starts.
        offset: u64,
    },
}

impl JournalError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source: Arc::new(source) }
    }
}
