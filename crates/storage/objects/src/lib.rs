//! The durable object engine: buckets of named byte strings, in one directory of one machine.
//!
//! The engine under Amazon S3's counterpart; it knows nothing of HTTP, XML or IAM.
//! An object is acknowledged after its bytes and its index record are on disk. The record is the switch: before it is committed
//! nothing of an object is visible, afterwards all of it is. All changes go through one writer, so reads, listings and
//! conditional writes are linearizable.
//!
//! | Module | Holds |
//! |---|---|
//! | `objects` | PUT, GET, HEAD, DELETE, COPY, tags |
//! | `buckets` | buckets |
//! | `multipart` | uploads in parts |
//! | `listing` | the skip-scan |
//! | `reader` | an open object and its body |
//! | `record` | the index record and its codec |
//! | `index` | tables, the writer, group commit |
//! | `blobs` | content files with block checksums |
//! | `hashing` | digests and expectations |
//! | `store` | a bucket as the `object_store` trait |
//! | `error` | what can go wrong |
//!
//! Not here yet: packs for objects between 4 KiB and 1 MiB (each is a file of its own) and versions. The intent row of a write that failed without a crash
//! stays in the index until the next start.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod blobs;
mod buckets;
mod error;
mod hashing;
mod index;
mod listing;
mod multipart;
mod objects;
mod reader;
mod record;
mod store;

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, mpsc};

use uuid::Uuid;

pub use crate::buckets::BucketInfo;
pub use crate::error::{Digest, Error, Result};
pub use crate::hashing::{Checksum, ChecksumAlgorithm, Expectations};
pub use crate::listing::{ListRequest, Listing};
pub use crate::multipart::{ChecksumKind, CompletePart, PartInfo, UploadInfo, UploadPage, UploadRequest};
pub use crate::objects::{CopyRequest, PutRequest, WriteCondition};
pub use crate::reader::OpenObject;
pub use crate::record::{Metadata, ObjectInfo};
pub use crate::store::BucketStore;

use crate::blobs::Blobs;
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
}

/// A handle on the store; clones are cheap and share everything. The last one closes the store.
#[derive(Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

struct Inner {
    // Dropped in this order: the collector ends when the writer has.
    writer: Writer,
    _collector: Collector,
    index: Index,
    blobs: Arc<Blobs>,
}

/// Waited for, so that a closed store holds no lock any more.
struct Collector(Option<std::thread::JoinHandle<()>>);

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic was already reported by the panic hook.
            let _ = thread.join();
        }
    }
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
        recover(&index, &blobs)?;
        let (garbage, queue) = mpsc::channel::<Vec<Vec<u8>>>();
        let collector = (index.clone(), Arc::clone(&blobs));
        let collector = std::thread::Builder::new().name("objects-collector".into()).spawn(move || {
            let (index, blobs) = collector;
            for id in queue.iter().flatten() {
                if let Err(error) = collect(&index, &blobs, Table::Garbage, &id) {
                    tracing::warn!(%error, "unreferenced blob stays until the next start");
                }
            }
        })?;
        // The collector ends with the writer, the only sender.
        let committed = move |ids| drop(garbage.send(ids));
        let writer = Writer::start(index.clone(), options.durability, committed)?;
        Ok(Self { inner: Arc::new(Inner { writer, _collector: Collector(Some(collector)), index, blobs }) })
    }
}

/// Rows of both tables name blobs that no record references: a crash came before the record, or before the file was removed.
fn recover(index: &Index, blobs: &Blobs) -> Result<()> {
    for table in [Table::Intent, Table::Garbage] {
        for row in index.scan(table, &[], Bound::Unbounded) {
            collect(index, blobs, table, &row?.0)?;
        }
    }
    Ok(())
}

fn collect(index: &Index, blobs: &Blobs, table: Table, key: &[u8]) -> Result<()> {
    let id = Uuid::from_slice(key).map_err(|_| Error::Corrupt("blob id".into()))?;
    if blobs.discard(id)? {
        // Not synced: a row that comes back after a crash names a file that is gone, which is no error.
        index.forget(table, key)?;
    }
    Ok(())
}

/// Names cannot hold NUL, so no bucket's range of keys reaches into another's.
fn key_of(bucket: &str, key: &str) -> Vec<u8> {
    [bucket.as_bytes(), &[0], key.as_bytes()].concat()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Closed)?
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
