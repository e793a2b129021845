//! Content files in a bucket of another store instead of in a folder: gateway mode.
//!
//! What lies in that bucket under `blobs/` are content files, byte for byte as they would be in the folder, encrypted before they
//! leave where that is wanted. Everything else (index, small bodies, keys) stays in the store's directory. What others wrote to that
//! bucket can be attached: it is read where it is.

mod attach;
mod claim;
mod flow;
mod store;
mod sums;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use futures::stream::StreamExt as _;
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

pub use self::attach::AttachReport;
pub use self::claim::remote_of;
pub(crate) use self::claim::{Claim, FILE as CLAIM_FILE};
pub(crate) use self::flow::{Body, Flow};
pub use self::store::{RemoteBytes, RemoteObject, RemoteStore};
use self::sums::Sums;
pub(crate) use self::upload::Upload;
use crate::error::{Error, RemoteFailure, Result};

/// Parts of all uploads that are on their way at the same time.
const PARTS_UNDER_WAY: usize = 32;
/// Files that are removed at the same time.
const REMOVALS: usize = 16;

/// A bucket of another store, or what lies in it below a prefix. Clones share everything.
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    store: Box<dyn RemoteStore>,
    url: String,
    /// Empty, or with a slash at its end.
    prefix: String,
    /// Where those wait who are no tasks.
    io: Option<Runtime>,
    sums: Mutex<Sums>,
    parts: Semaphore,
    closing: AtomicBool,
    closed: Notify,
    /// Why the last request failed, if it did.
    trouble: Mutex<Option<String>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(io) = self.io.take() {
            io.shutdown_background();
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.inner.url).finish()
    }
}

impl Remote {
    /// What lies in a store below a prefix (no slash at its ends). The URL is for people; `io` is where the store works.
    pub fn new(store: Box<dyn RemoteStore>, url: &str, prefix: &str, io: Runtime) -> Self {
        let inner = Inner {
            store,
            url: url.trim_end_matches('/').to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            io: Some(io),
            sums: Mutex::default(),
            parts: Semaphore::new(PARTS_UNDER_WAY),
            closing: AtomicBool::new(false),
            closed: Notify::new(),
            trouble: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// Why the last request failed, if it did.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.inner.trouble.lock().clone()
    }

    /// What a content file is called there.
    pub(crate) fn name(&self, id: Uuid) -> String {
        format!("{}{}", self.folder(), id.simple())
    }

    fn folder(&self) -> String {
        format!("{}blobs/", self.inner.prefix)
    }

    /// Waits for a request on a thread that may block, and is none of the asynchronous ones.
    pub(crate) fn wait<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(io) = &self.inner.io else { return Err(Error::Closed) };
        io.handle().block_on(async {
            tokio::select! {
                done = request => done,
                () = self.inner.closed.notified() => Err(Error::Closed),
            }
        })
    }

    /// From here on nothing is removed any more: whoever closes the store doesn't wait for it.
    pub(crate) fn close(&self) {
        self.inner.closing.store(true, Ordering::Relaxed);
        self.inner.closed.notify_one();
    }

    /// The content files that are there, with their sizes.
    pub(crate) async fn all(&self) -> Result<HashMap<Uuid, u64>> {
        let (folder, mut files, mut after) = (self.folder(), HashMap::new(), String::new());
        loop {
            let page = self.outcome(self.inner.store.list(&folder, &after).await)?;
            let Some(last) = page.last() else { return Ok(files) };
            after.clone_from(&last.key);
            for file in page {
                if let Some(id) = file.key.strip_prefix(&folder).and_then(|name| Uuid::try_parse(name).ok()) {
                    files.insert(id, file.size);
                }
            }
        }
    }

    /// How many bytes a content file has.
    pub(crate) async fn size(&self, id: Uuid) -> Result<u64> {
        self.read_outcome(self.inner.store.size(&self.name(id)).await)
    }

    /// A range of a body as it comes, if it has the entity tag.
    async fn open(&self, key: &str, if_match: Option<&str>, range: Range<u64>) -> Result<RemoteBytes> {
        let got = self.inner.store.get(key, Some(range), if_match).await;
        let (pieces, remote) = (self.read_outcome(got)?, self.clone());
        Ok(pieces.map(move |piece| remote.outcome(piece)).boxed())
    }

    /// A range of a content file.
    async fn read(&self, id: Uuid, range: Range<u64>) -> Result<Bytes> {
        let length = (range.end - range.start) as usize;
        let bytes = collect(self.open(&self.name(id), None, range).await?).await?;
        if bytes.len() == length { Ok(bytes) } else { Err(too_short()) }
    }

    /// Removes files and uploads that nobody needs any more; those that could not be stay in the list.
    pub(crate) async fn remove_all(&self, doomed: &Mutex<Vec<Doomed>>) -> Result<()> {
        let all = std::mem::take(&mut *doomed.lock());
        let removals = futures::stream::iter(all).map(|doomed| async {
            let outcome = self.remove(&doomed).await;
            (doomed, outcome)
        });
        let mut removals = removals.buffer_unordered(REMOVALS);
        let mut first = Ok(());
        while let Some((file, outcome)) = removals.next().await {
            if let Err(error) = outcome {
                doomed.lock().push(file);
                first = first.and(Err(error));
            }
        }
        first
    }

    async fn remove(&self, doomed: &Doomed) -> Result<()> {
        if self.inner.closing.load(Ordering::Relaxed) {
            return Err(Error::Closed);
        }
        let name = self.name(doomed.id);
        let gone = |outcome: Result<()>| match outcome {
            Err(Error::Remote { failure: RemoteFailure::Missing, .. }) => Ok(()),
            outcome => self.outcome(outcome),
        };
        if let Some(upload) = &doomed.upload {
            gone(self.inner.store.abort(&name, upload).await)?;
        }
        gone(self.inner.store.delete(&name).await)?;
        self.inner.sums.lock().forget(doomed.id);
        Ok(())
    }

    /// The outcome of a read: what is not there, or not the same, was lost.
    fn read_outcome<T>(&self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Err(Error::Remote { failure: RemoteFailure::Missing, what }) => {
                Err(Error::Corrupt(format!("a body is missing in the remote store: {what}")))
            }
            Err(Error::Remote { failure: RemoteFailure::Unmatched, what }) => {
                Err(Error::Corrupt(format!("a body was changed in the remote store since it was attached: {what}")))
            }
            outcome => self.outcome(outcome),
        }
    }

    fn outcome<T>(&self, outcome: Result<T>) -> Result<T> {
        let trouble = match &outcome {
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, remote = %self.inner.url, "a request to the remote store failed");
                Some(error.to_string())
            }
        };
        *self.inner.trouble.lock() = trouble;
        outcome
    }
}

/// All that comes.
async fn collect(mut pieces: RemoteBytes) -> Result<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes.freeze())
}

/// A content file that is to be removed, and the upload that it was to come from, if it is known.
pub(crate) struct Doomed {
    pub(crate) id: Uuid,
    pub(crate) upload: Option<String>,
}

pub(crate) fn too_short() -> Error {
    Error::Corrupt("a body in the remote store is shorter than its record says".into())
}
