//! What can go wrong, as data a front can translate.

use std::sync::Arc;

/// The outcome of every operation of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// A digest that a caller announced and the body did not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// The MD5 of the whole body.
    Md5,
    /// One of the checksum algorithms.
    Checksum(crate::ChecksumAlgorithm),
}

/// An operation that did not happen, and why. Nothing is half done when an error is returned.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no bucket of this name.
    #[error("bucket {0} does not exist")]
    NoSuchBucket(String),
    /// A bucket of this name exists already.
    #[error("bucket {0} exists already")]
    BucketExists(String),
    /// The bucket still holds objects.
    #[error("bucket {0} is not empty")]
    BucketNotEmpty(String),
    /// A bucket name is empty or holds a NUL byte.
    #[error("bucket name is not usable: {0:?}")]
    InvalidBucketName(String),
    /// There is no object under this key.
    #[error("key {0} does not exist")]
    NoSuchKey(String),
    /// There is no such multipart upload of this key.
    #[error("upload {0} does not exist")]
    NoSuchUpload(String),
    /// A part that was named at completion was not uploaded, or is another one.
    #[error("part {0} is not the one that was uploaded")]
    InvalidPart(u32),
    /// The parts that were named at completion are not in ascending order, or there are none.
    #[error("parts are not in ascending order")]
    InvalidPartOrder,
    /// A part other than the last is smaller than 5 MiB.
    #[error("part {number} has only {size} bytes")]
    PartTooSmall {
        /// The part's number.
        number: u32,
        /// Its size in bytes.
        size: u64,
    },
    /// The condition of a write did not hold when the write was to be made.
    #[error("precondition does not hold")]
    PreconditionFailed,
    /// The body is not what the caller announced.
    #[error("body does not match the announced {0:?}")]
    DigestMismatch(Digest),
    /// The body is shorter or longer than announced.
    #[error("body has {actual} bytes where {expected} were announced")]
    IncompleteBody {
        /// The announced length in bytes.
        expected: u64,
        /// The received length in bytes.
        actual: u64,
    },
    /// The stream of the body failed before its end.
    #[error("body broke off: {0}")]
    Body(Arc<std::io::Error>),
    /// The requested bytes lie outside the object.
    #[error("range {start}..{end} lies outside an object of {size} bytes")]
    InvalidRange {
        /// First byte asked for.
        start: u64,
        /// First byte not asked for.
        end: u64,
        /// Size of the object in bytes.
        size: u64,
    },
    /// Stored bytes or a record do not match their checksum: the medium lost or changed them.
    #[error("stored data is corrupt: {0}")]
    Corrupt(String),
    /// The disk failed or is full (see [`std::io::Error::kind`]).
    #[error("disk: {0}")]
    Io(Arc<std::io::Error>),
    /// The index failed.
    #[error("index: {0}")]
    Index(String),
    /// The store is being closed.
    #[error("object store is closed")]
    Closed,
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl From<fjall::Error> for Error {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(error) => error.into(),
            other => Self::Index(other.to_string()),
        }
    }
}
