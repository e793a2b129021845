//! When access keys were last used. Written at most once in a quarter of an hour for each key, as AWS reports it no
//! finer, and never in the way of a request.

use std::collections::HashMap;

use boathouse_metadata::{Key, Metadata, MetadataError};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use crate::entities::Timestamp;

/// `(access key id)` → [`Timestamp`].
pub(crate) const USES: &str = "iam-key-uses";
/// How fine the record is.
const STEP: TimeDelta = TimeDelta::minutes(15);

/// The last uses of keys.
pub(crate) struct Usage {
    metadata: Metadata,
    seen: Mutex<HashMap<String, DateTime<Utc>>>,
}

impl Usage {
    /// The uses recorded in this store.
    pub(crate) fn new(metadata: Metadata) -> Self {
        Self { metadata, seen: Mutex::default() }
    }

    /// Notes that a key was used now.
    pub(crate) fn note(&self, access_key_id: &str, now: DateTime<Utc>) {
        let mut seen = self.seen.lock();
        match seen.get_mut(access_key_id) {
            Some(last) if now - *last < STEP => return,
            Some(last) => *last = now,
            None => drop(seen.insert(access_key_id.to_owned(), now)),
        }
        drop(seen);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (metadata, key) = (self.metadata.clone(), Key::new([access_key_id]));
        runtime.spawn(async move {
            let write =
                metadata.transaction::<_, MetadataError, _>(move |tx| tx.put_json(USES, &key, &Timestamp(now))).await;
            if let Err(error) = write {
                tracing::warn!(%error, "an access key's use could not be recorded");
            }
        });
    }

    /// When the key was last used, if it ever was.
    pub(crate) fn last(&self, access_key_id: &str) -> Result<Option<Timestamp>, MetadataError> {
        if let Some(seen) = self.seen.lock().get(access_key_id) {
            return Ok(Some(Timestamp(*seen)));
        }
        self.metadata.get_json(USES, &Key::new([access_key_id]))
    }

    /// Forgets a deleted key.
    pub(crate) fn forget(&self, access_key_id: &str) {
        self.seen.lock().remove(access_key_id);
    }
}
