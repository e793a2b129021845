//! Where delivery streams live, and what all operations share.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::{Authorizer, ServiceRoles};
use boathouse_aws::stores::ObjectStores;
use boathouse_journal::{Journal, ShardId};
use boathouse_metadata::{Key, Metadata, Transaction};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::api::{DirectPutSource, S3Settings, Timestamp};
use crate::destination::Destination;
use crate::error::FirehoseError;
use crate::report::Trouble;

/// `(name)` → [`Stream`].
pub(crate) const STREAMS: &str = "firehose-streams";
/// `(stream's id)` → [`Progress`].
pub(crate) const PROGRESS: &str = "firehose-progress";

/// A delivery stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) name: String,
    /// The stream in the journal. A stream that is deleted and made again has another one.
    pub(crate) id: Uuid,
    /// Begins with 1 and grows with every change of the destination.
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) source: Option<DirectPutSource>,
    /// Whether the destination was given as an extended one.
    pub(crate) extended: bool,
    /// With all defaults.
    pub(crate) settings: S3Settings,
    pub(crate) tags: BTreeMap<String, Option<String>>,
}

/// How far a stream's delivery is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Everything below is delivered.
    pub(crate) delivered: u64,
    /// The object that is on its way: decided, and perhaps written already.
    pub(crate) intent: Option<Intent>,
}

/// Which records make the next object, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) first: u64,
    /// The sequence number after the last record.
    pub(crate) end: u64,
    /// When the oldest record arrived, in milliseconds since 1970.
    pub(crate) arrival_ms: u64,
    /// The version of the stream that the names come from.
    pub(crate) version: u64,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Where records go that can't be processed.
    pub(crate) error_key: String,
    /// Set once the processed records are on disk: what they became must not change any more.
    pub(crate) spooled: bool,
}

/// A stream at work.
pub(crate) struct Live {
    pub(crate) name: String,
    pub(crate) shard: ShardId,
    pub(crate) destination: RwLock<Arc<Destination>>,
    /// Wakes the worker: the destination has changed, or the stream is deleted.
    pub(crate) changed: Notify,
    pub(crate) trouble: Mutex<Option<Trouble>>,
}

/// What an installation's delivery streams need.
pub struct Deps {
    /// The rows.
    pub metadata: Metadata,
    /// The records.
    pub journal: Journal,
    /// The buckets to deliver to.
    pub stores: Arc<dyn ObjectStores>,
    /// The roles to deliver as.
    pub roles: Arc<dyn ServiceRoles>,
    /// Who may pass a role to a stream.
    pub authorizer: Arc<dyn Authorizer>,
    /// A directory for transformed records until they are delivered; made when it is needed.
    pub spool: PathBuf,
}

/// The delivery streams of an installation.
pub struct Firehose {
    pub(crate) deps: Deps,
    pub(crate) live: RwLock<HashMap<String, Arc<Live>>>,
}

impl Firehose {
    /// The delivery streams in these stores. [`crate::worker::recover`] sets them to work.
    pub fn new(deps: Deps) -> Self {
        Self { deps, live: RwLock::default() }
    }

    /// A stream that records can be put to.
    pub(crate) fn live(&self, name: &str) -> Result<Arc<Live>, FirehoseError> {
        self.live.read().get(name).cloned().ok_or_else(|| FirehoseError::NotFound(name.to_owned()))
    }

    pub(crate) fn stream(&self, name: &str) -> Result<Stream, FirehoseError> {
        let row = self.deps.metadata.get_json(STREAMS, &Key::new([name]))?;
        row.ok_or_else(|| FirehoseError::NotFound(name.to_owned()))
    }

    pub(crate) fn progress(&self, stream: Uuid) -> Result<Progress, FirehoseError> {
        Ok(self.deps.metadata.get_json(PROGRESS, &progress_key(stream))?.unwrap_or_default())
    }

    /// Keeps how far a stream is, unless it is gone.
    pub(crate) async fn keep_progress(&self, stream: Uuid, progress: Progress) -> Result<(), FirehoseError> {
        let key = progress_key(stream);
        self.deps
            .metadata
            .transaction(move |tx| {
                if tx.contains(PROGRESS, &key)? {
                    tx.put_json(PROGRESS, &key, &progress)?;
                }
                Ok(())
            })
            .await
    }
}

pub(crate) fn progress_key(stream: Uuid) -> Key {
    Key::new([stream.simple().to_string()])
}

pub(crate) fn stream_in(tx: &Transaction<'_>, name: &str) -> Result<Stream, FirehoseError> {
    tx.get_json(STREAMS, &Key::new([name]))?.ok_or_else(|| FirehoseError::NotFound(name.to_owned()))
}

pub(crate) fn shard(stream: Uuid) -> ShardId {
    ShardId { stream, shard: 0 }
}

pub(crate) fn now(ctx: &Ctx) -> Timestamp {
    ctx.now().timestamp_millis() as f64 / 1000.0
}
