//! The durable object engine: buckets of named byte strings, in one directory of one machine.
//!
//! The engine under Amazon S3's counterpart; it knows nothing of HTTP, XML or IAM.
//! An object is acknowledged after its bytes and its index record are on disk. The record is the switch: before it is committed
//! nothing of an object is visible, afterwards all of it is. All changes go through one writer, so reads, listings and
//! conditional writes are linearizable.
//!
//! | Module | Holds |
//! |---|---|
//! | `objects` | PUT, HEAD, DELETE, COPY, tags |
//! | `ingest` | from a stream to durable bytes |
//! | `references` | which records hold on to which bytes |
//! | `store` | a bucket as an `object_store`, for engines in the same process |
//! | `collector` | removal of what nothing references |
//! | `manifest` | the part list of an object |
//! | `buckets` | buckets |
//! | `documents` | configuration texts of buckets |
//! | `uploads` | uploads in parts |
//! | `listing` | the skip-scan |
//! | `reader` | GET: an open object and its body |
//! | `record` | the index record and its codec |
//! | `index` | tables, the writer, group commit |
//! | `blobs` | content files with block checksums |
//! | `clock` | where times come from |
//! | `hashing` | digests and expectations |
//! | `error` | what can go wrong |
//!
//! Not here yet: packs for objects between 4 KiB and 1 MiB (each is a file of its own) and versions.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod blobs;
mod buckets;
mod clock;
mod collector;
mod documents;
mod error;
mod hashing;
mod index;
mod ingest;
mod listing;
mod manifest;
mod objects;
mod reader;
mod record;
mod references;
mod store;
mod uploads;

use std::path::Path;
use std::sync::Arc;

pub use crate::buckets::{BucketInfo, NewBucket};
pub use crate::clock::Clock;
pub use crate::error::{Digest, Error, Result};
pub use crate::hashing::{Checksum, ChecksumAlgorithm, ChecksumKind, Expectations};
pub use crate::listing::{ListRequest, Listing};
pub use crate::manifest::PartInfo;
pub use crate::objects::{CopyRequest, PutRequest, WriteCondition};
pub use crate::reader::OpenObject;
pub use crate::record::{Metadata, ObjectInfo};
pub use crate::store::BucketStore;
pub use crate::uploads::{
    CompleteUpload, CompletedPart, ListUploads, NewUpload, PartPage, UploadInfo, UploadPage, UploadPart,
};

use crate::blobs::Blobs;
use crate::collector::{Collector, Errands};
use crate::index::{Index, Table, Writer};

/// What an acknowledgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// On disk: survives a power cut.
    #[default]
    Strict,
    /// Handed to the operating system: survives the end of the process only. For throwaway tests.
    None,
}

/// How to open a store.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What an acknowledgement means.
    pub durability: Durability,
    /// Where the times of buckets and objects come from.
    pub clock: Clock,
}

/// A handle on the store; clones are cheap and share everything. The last one closes the store.
#[derive(Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

struct Inner {
    // Dropped in this order: the collector ends with the writer and the last errands.
    writer: Writer,
    errands: Errands,
    _collector: Collector,
    index: Index,
    blobs: Arc<Blobs>,
    clock: Clock,
}

impl Objects {
    /// Opens or creates the store in a directory, and removes what unfinished writes left there.
    ///
    /// # Errors
    /// [`Error::Index`] if another process holds the store or it cannot be read, [`Error::Io`]. Blocks the thread.
    pub fn open(dir: &Path, options: &Options) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let blobs = Arc::new(Blobs::open(dir.join("blobs"), options.durability)?);
        let index = Index::open(&dir.join("index"))?;
        if options.durability == Durability::Strict {
            std::fs::File::open(dir)?.sync_all()?;
        }
        collector::recover(&index, &blobs)?;
        let (collector, errands) = Collector::start(index.clone(), Arc::clone(&blobs))?;
        let writer = Writer::start(index.clone(), options.durability, errands.clone())?;
        let clock = options.clock.clone();
        Ok(Self { inner: Arc::new(Inner { writer, errands, _collector: collector, index, blobs, clock }) })
    }

    fn now_ms(&self) -> u64 {
        self.inner.clock.now_ms()
    }
}

/// Names cannot hold NUL, so no bucket's range of keys reaches into another's.
fn key_of(bucket: &str, key: &str) -> Vec<u8> {
    [bucket.as_bytes(), &[0], key.as_bytes()].concat()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Closed)?
}
