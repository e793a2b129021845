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
//! | `outbox` | changes in watched buckets, until somebody has told them |
//! | `remote` | content files in another store |
//! | `references` | which records hold on to which bytes |
//! | `store` | a bucket as an `object_store`, for engines in the same process |
//! | `collector` | removal of what nothing references |
//! | `manifest` | the part list of an object |
//! | `buckets` | buckets |
//! | `documents` | configuration texts of buckets |
//! | `known` | both in memory |
//! | `uploads` | uploads in parts |
//! | `versions` | what is kept of overwritten and deleted objects |
//! | `locks` | until when a version can't be deleted |
//! | `listing` | the skip-scan |
//! | `reader` | GET: an open object and its body |
//! | `ahead` | long bodies, read before they are asked for |
//! | `record` | the index record and its codec |
//! | `index` | tables, the writer, group commit |
//! | `sealing` | encryption at rest |
//! | `blobs` | content files with block checksums |
//! | `buffers` | memory that files are read into, used again |
//! | `files` | the door that every write goes through; in tests a disk that fails |
//! | `space` | the reserve on the disk |
//! | `packs` | append-only files of many small objects |
//! | `compaction` | packs that are mostly garbage |
//! | `scrub` | the scrubber: rereads everything in idle time |
//! | `backup` | all rows at one moment, and the files that they name |
//! | `clock` | where times come from |
//! | `hashing` | digests and expectations |
//! | `hashers` | the threads that compute them |
//! | `lanes` | MD5, of many bodies at once |
//! | `error` | what can go wrong |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod ahead;
mod backup;
mod blobs;
mod buckets;
mod buffers;
mod clock;
mod collector;
mod compaction;
mod documents;
mod error;
mod files;
mod hashers;
mod hashing;
mod index;
mod ingest;
mod known;
mod lanes;
mod listing;
mod locks;
mod manifest;
mod objects;
mod outbox;
mod packs;
mod reader;
mod record;
mod references;
mod remote;
mod scrub;
mod sealing;
mod space;
mod store;
mod uploads;
mod versions;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{Notify, Semaphore};

pub use crate::backup::{Frozen, RemoteFile, StoredFile, Written, restore_rows};
pub use crate::buckets::{BucketInfo, NewBucket};
pub use crate::clock::Clock;
pub use crate::error::{Digest, Error, RemoteFailure, Result};
pub use crate::hashing::{Checksum, ChecksumAlgorithm, ChecksumKind, Expectations};
pub use crate::listing::{ListRequest, Listing};
pub use crate::locks::{BucketLock, DefaultRetention, Lock, LockMode, Retention};
pub use crate::manifest::PartInfo;
pub use crate::objects::{CopyRequest, DeleteRequest, ENCRYPT, PutRequest, WriteCondition};
pub use crate::outbox::{ChangeKind, ObjectChange, WATCH};
pub use crate::reader::OpenObject;
pub use crate::record::{Metadata, ObjectInfo};
pub use crate::remote::{AttachReport, Remote, RemoteBytes, RemoteObject, RemoteStore, remote_of};
pub use crate::scrub::{Damage, ScrubOptions, ScrubReport};
pub use crate::sealing::{ClientKey, Encryption, KeyHolder, Seal};
pub use crate::space::DiskState;
pub use crate::store::{BucketStore, key_of_path, path_of_key};
pub use crate::uploads::{
    CompleteUpload, CompletedPart, ListUploads, NewUpload, PartPage, UploadInfo, UploadPage, UploadPart,
};
pub use crate::versions::{
    DeleteItem, Deletion, ListVersions, NULL_VERSION, VersionEntry, VersionMark, VersionPage, Versioning,
};

use crate::blobs::Blobs;
use crate::collector::{Collector, Errands};
use crate::compaction::Compactor;
use crate::files::Files;
use crate::hashers::Hashers;
use crate::index::{Index, Walker, Writer};
use crate::packs::Packs;
use crate::remote::Claim;
use crate::sealing::Keys;
use crate::space::Space;

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
#[derive(Debug, Clone)]
pub struct Options {
    /// What an acknowledgement means.
    pub durability: Durability,
    /// Where the times of buckets and objects come from.
    pub clock: Clock,
    /// The size from which on a pack of small objects gets no more of them.
    pub pack_bytes: u64,
    /// Below so many free bytes on the disk nothing new is taken; without a number the smaller one of 256 MiB and a twentieth
    /// of the disk. Deletions go on down to a quarter of it.
    pub reserve: Option<u64>,
    /// Where bodies lie that are not small enough for the index, if not in the directory (gateway mode).
    pub remote: Option<Remote>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            clock: Clock::default(),
            pack_bytes: 64 << 20,
            reserve: None,
            remote: None,
        }
    }
}

/// A handle on the store; clones are cheap and share everything. The last one closes the store.
#[derive(Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

struct Inner {
    // Dropped in this order: the collector ends with all who send it errands.
    _wind_up: WindUp,
    packs: Arc<Packs>,
    writer: Arc<Writer>,
    errands: Errands,
    _collector: Collector,
    _walker: Walker,
    index: Index,
    blobs: Arc<Blobs>,
    space: Arc<Space>,
    keys: Keys,
    scrubbed: scrub::Counts,
    hashers: Hashers,
    changes_kept: Arc<Notify>,
    readers_ahead: Arc<Semaphore>,
    renames: AtomicU64,
    clock: Clock,
}

/// Takes the writer and the packs back from the collector.
struct WindUp(Errands, Option<Remote>);

impl Drop for WindUp {
    fn drop(&mut self) {
        if let Some(remote) = &self.1 {
            remote.close();
        }
        self.0.wind_up();
    }
}

impl Objects {
    /// Opens or creates the store in a directory, and removes what unfinished writes left there.
    ///
    /// # Errors
    /// [`Error::Index`] if another process holds the store or it cannot be read, [`Error::Io`]. Blocks the thread.
    pub fn open(dir: &Path, options: &Options) -> Result<Self> {
        Self::open_with(dir, options, &Files::default())
    }

    fn open_with(dir: &Path, options: &Options, files: &Files) -> Result<Self> {
        if !dir.exists() {
            files.make_dir(dir)?;
            let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if options.durability == Durability::Strict {
                files.sync_dir(parent)?;
            }
        }
        Claim::settle(dir, options.remote.as_ref(), files, options.durability)?;
        let folder =
            |name, remote| Blobs::open(dir.join(name), files.clone(), options.durability, remote).map(Arc::new);
        let (blobs, packs) = (folder("blobs", options.remote.clone())?, folder("packs", None)?);
        let space = Arc::new(Space::open(dir, options.reserve)?);
        let index = Index::open(&dir.join("index"), files.clone(), options.durability)?;
        let keys = Keys::open(dir, files.clone(), options.durability)?;
        if options.durability == Durability::Strict {
            files.sync_dir(dir)?;
        }
        let hashers = Hashers::start()?;
        if options.remote.is_none() {
            collector::recover(&index, &blobs)?;
        }
        let (collector, errands) = Collector::start(index.clone(), Arc::clone(&blobs))?;
        if options.remote.is_some() {
            collector::recover_later(&index, &errands)?;
        }
        let changes_kept = Arc::new(Notify::new());
        let told = Arc::clone(&changes_kept);
        let writer = Arc::new(Writer::start(index.clone(), Arc::clone(&space), errands.clone(), told)?);
        let packs = Arc::new(Packs::open(packs, options, &index, errands.clone())?);
        let (with_writer, with_packs) = (Arc::clone(&writer), Arc::clone(&packs));
        errands.equip(Compactor { index: index.clone(), writer: with_writer, packs: with_packs });
        match uploads::recover(&index, &writer) {
            Err(error @ (Error::Full { .. } | Error::Io(_))) => {
                tracing::warn!(%error, "uploads of an earlier process stay until the next start");
            }
            recovered => recovered?,
        }
        let walker = Walker::start(index.clone())?;
        let clock = options.clock.clone();
        Ok(Self {
            inner: Arc::new(Inner {
                _wind_up: WindUp(errands.clone(), options.remote.clone()),
                packs,
                writer,
                errands,
                _collector: collector,
                _walker: walker,
                index,
                blobs,
                space,
                keys,
                scrubbed: scrub::Counts::default(),
                hashers,
                changes_kept,
                readers_ahead: ahead::permits(),
                renames: AtomicU64::new(0),
                clock,
            }),
        })
    }

    /// What there is on the store's disk, and whether anything new is taken. Writes a file to find out.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn disk(&self) -> Result<DiskState> {
        self.inner.space.tried()
    }

    /// The URL of the remote store that bodies lie in, if there is one, and why the last request to it failed, if it did.
    pub fn remote(&self) -> Option<(&str, Option<String>)> {
        self.inner.blobs.remote().map(|remote| (remote.url(), remote.trouble()))
    }

    /// In how many files readers met damage since the store was opened.
    pub fn damaged_files(&self) -> usize {
        self.inner.blobs.damaged() + self.inner.packs.files.damaged()
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
