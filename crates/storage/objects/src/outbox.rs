//! The outbox: changes of objects in watched buckets, kept until somebody has told them.
//!
//! A bucket with the document [`WATCH`] is watched. Its changes are committed in the batch that makes them, so none is
//! lost and none is told that did not happen. Whoever tells them acknowledges afterwards: a crash in between makes it
//! tell them twice.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::Objects;
use crate::documents;
use crate::error::{Error, Result};
use crate::index::{Change, Index, Table};
use crate::record::ObjectInfo;
use crate::versions::NULL_VERSION;

/// The name of the document that makes a bucket a watched one. What it says is the front's business.
pub const WATCH: &str = "notification";

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// It was written whole.
    Put,
    /// It was written whole, by a browser's form.
    Post,
    /// It was copied or moved there.
    Copy,
    /// It was made of the parts of an upload.
    CompleteUpload,
    /// It was removed.
    Delete,
    /// It was hidden by a delete marker.
    DeleteMarker,
    /// It was removed because its time was over.
    Expire,
    /// It was hidden by a delete marker because its time was over.
    ExpireToMarker,
}

/// A change that has not been told yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectChange {
    /// Greater than that of every change before.
    #[serde(skip)]
    pub sequence: u64,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// What happened.
    pub kind: ChangeKind,
    /// When: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The object's size in bytes; of a removed one what it was.
    pub size: u64,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// What the caller wanted to be kept with the change, such as who asked for it.
    pub origin: Option<String>,
    /// The version that was written or removed; none in a bucket without versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The change that a write is, for the outbox.
pub(crate) struct Cause {
    pub(crate) kind: ChangeKind,
    pub(crate) at_ms: u64,
    pub(crate) origin: Option<String>,
}

/// Keeps a change, if its bucket is watched.
pub(crate) fn keep(change: &mut Change<'_>, bucket: &str, key: &str, info: &ObjectInfo, cause: Cause) -> Result<()> {
    if !documents::present(change, bucket, WATCH)? {
        return Ok(());
    }
    let sequence = change.next_sequence();
    let Cause { kind, at_ms, origin } = cause;
    let (bucket, key, size, etag) = (bucket.to_owned(), key.to_owned(), info.size, info.etag.clone());
    let version = info.version.clone().or_else(|| (info.order > 0).then(|| NULL_VERSION.to_owned()));
    let row = ObjectChange { sequence, bucket, key, kind, at_ms, size, etag, origin, version };
    let value = serde_json::to_vec(&row).expect("invariant: a struct of texts and numbers serialises");
    change.insert(Table::Outbox, &sequence.to_be_bytes(), value);
    Ok(())
}

/// The number that no later change may fall behind: the last one kept, or the time where nothing is kept any more.
pub(crate) fn last_sequence(index: &Index) -> Result<u64> {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX / 2);
    let mut last = 0;
    for row in index.scan(Table::Outbox, &[], Bound::Unbounded) {
        last = sequence_of(&row?.0)?;
    }
    Ok(last.max(now))
}

fn sequence_of(key: &[u8]) -> Result<u64> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| Error::Corrupt("outbox row".into()))
}

impl Objects {
    /// The first changes after `after` that nobody has told, at most `limit`, in order.
    ///
    /// # Errors
    /// Of the index only.
    pub fn untold_changes(&self, after: u64, limit: usize) -> Result<Vec<ObjectChange>> {
        let start = after.to_be_bytes();
        let rows = self.inner.index.scan(Table::Outbox, &[], Bound::Excluded(&start)).take(limit);
        rows.map(|row| {
            let (key, value) = row?;
            let change: ObjectChange =
                serde_json::from_slice(&value).map_err(|error| Error::Corrupt(format!("outbox row: {error}")))?;
            Ok(ObjectChange { sequence: sequence_of(&key)?, ..change })
        })
        .collect()
    }

    /// Forgets changes that have been told; durable when it returns.
    ///
    /// # Errors
    /// Of the index only.
    pub async fn told(&self, sequences: Vec<u64>) -> Result<()> {
        let forget = move |change: &mut Change<'_>| {
            sequences.iter().for_each(|sequence| change.remove(Table::Outbox, &sequence.to_be_bytes()));
            Ok(())
        };
        self.inner.writer.change(forget).await
    }

    /// Waits until changes were kept since the last call. One waits at a time.
    pub async fn changes_kept(&self) {
        self.inner.changes_kept.notified().await;
    }
}
