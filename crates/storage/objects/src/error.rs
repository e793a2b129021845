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

/// What kind of failure of a remote store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteFailure {
    /// It asks for fewer requests.
    Busy,
    /// It doesn't answer, or failed itself.
    Unavailable,
    /// It says no, and will again: the credentials or the configuration are not right.
    Refused,
    /// There is no such object or upload.
    Missing,
    /// The object is not the one that was meant, or is there already.
    Unmatched,
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
    /// There is no such version of an object.
    #[error("version {0} does not exist")]
    NoSuchVersion(String),
    /// No version has an id of this form.
    #[error("{0:?} is no id of a version")]
    InvalidVersion(String),
    /// The version is a delete marker, which has no bytes.
    #[error("version {version} is a delete marker")]
    DeleteMarker {
        /// Its name.
        version: String,
        /// When it was made, in milliseconds since 1970.
        modified_ms: u64,
    },
    /// The client holds the key of the object and did not send it.
    #[error("the object is encrypted with a key of the client")]
    ClientKeyMissing,
    /// The client sent a key that does not open the object.
    #[error("the client's key is not the object's")]
    ClientKeyWrong,
    /// The client sent a key for an object that has none of the client's.
    #[error("the object is not encrypted with a key of the client")]
    ClientKeyUnwanted,
    /// The version is retained or held.
    #[error("the version is locked")]
    Locked,
    /// There is no such upload in parts, or it was completed or aborted.
    #[error("upload {0} does not exist")]
    NoSuchUpload(String),
    /// Part numbers go from 1 to 10,000.
    #[error("part number {0} is not between 1 and 10,000")]
    InvalidPartNumber(u32),
    /// A part that an upload was to be completed with is not there, or with another entity tag or checksum.
    #[error("part {0} is missing or not as announced")]
    InvalidPart(u32),
    /// The parts that an upload was to be completed with are none, or not in ascending order.
    #[error("parts are not in ascending order")]
    InvalidPartOrder,
    /// A part that is not the last one is too small.
    #[error("part {number} has {size} bytes where {minimum} are the least")]
    PartTooSmall {
        /// The part.
        number: u32,
        /// Its size in bytes.
        size: u64,
        /// The least size of a part that is not the last one.
        minimum: u64,
    },
    /// The algorithm has no checksum of this kind for an object in parts.
    #[error("{algorithm:?} has no {kind:?} checksum")]
    UnsupportedChecksum {
        /// The algorithm.
        algorithm: crate::ChecksumAlgorithm,
        /// The kind that it does not have.
        kind: crate::ChecksumKind,
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
    /// Less is free on the disk than is kept in reserve.
    #[error("the disk is full: {free} bytes are free, and {reserve} are kept in reserve")]
    Full {
        /// Free bytes.
        free: u64,
        /// Bytes that stay free.
        reserve: u64,
    },
    /// The disk is read only.
    #[error("the disk is read only")]
    ReadOnly,
    /// The remote store that bodies lie in did not do what it was asked to. Nothing of it is half done.
    #[error("remote store: {what}")]
    Remote {
        /// Whether it helps to try again.
        failure: RemoteFailure,
        /// What it said. Names hosts and keys, no secrets.
        what: String,
    },
    /// The remote store can't be the one of this directory, or is named wrongly.
    #[error("remote store: {0}")]
    RemoteConfiguration(String),
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
            fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => error.into(),
            other => Self::Index(other.to_string()),
        }
    }
}
