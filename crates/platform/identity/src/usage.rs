//! When access keys were last used, and when users and roles last asked for leave at which service. Written at most once in
//! a quarter of an hour for each, as AWS reports it no finer, and never in the way of a request.

use std::collections::{BTreeMap, HashMap};

use boathouse_metadata::{Key, Metadata, MetadataError};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::entities::Timestamp;

/// `(access key id)` → [`KeyUse`].
pub(crate) const USES: &str = "iam-key-uses";
/// `(unique id, service)` → [`Visit`].
pub(crate) const VISITS: &str = "iam-visits";
/// How fine the record is.
const STEP: TimeDelta = TimeDelta::minutes(15);

/// The last use of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum KeyUse {
    /// With what was asked for.
    At { time: Timestamp, service: String, region: String },
    /// As rows of earlier releases have it.
    Time(Timestamp),
}

impl KeyUse {
    /// When it was.
    pub(crate) fn time(&self) -> Timestamp {
        match self {
            Self::At { time, .. } | Self::Time(time) => *time,
        }
    }
}

/// The last time that a user or role asked for leave at a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) time: Timestamp,
    pub(crate) region: Option<String>,
}

/// The last uses of keys, users and roles.
pub(crate) struct Usage {
    metadata: Metadata,
    keys: Mutex<HashMap<String, Seen>>,
    visits: Mutex<HashMap<String, HashMap<String, Visit>>>,
}

/// A key's last use, and when it was last written.
struct Seen {
    time: DateTime<Utc>,
    service: String,
    region: String,
    written: DateTime<Utc>,
}

impl Usage {
    /// The uses recorded in this store.
    pub(crate) fn new(metadata: Metadata) -> Self {
        Self { metadata, keys: Mutex::default(), visits: Mutex::default() }
    }

    /// Notes that a key signed a request for a service in a region.
    pub(crate) fn note_key(&self, access_key_id: &str, service: &str, region: &str, now: DateTime<Utc>) {
        let mut keys = self.keys.lock();
        match keys.get_mut(access_key_id) {
            Some(seen) => {
                seen.time = now;
                if seen.service != service || seen.region != region {
                    service.clone_into(&mut seen.service);
                    region.clone_into(&mut seen.region);
                }
                if now - seen.written < STEP {
                    return;
                }
                seen.written = now;
            }
            None => {
                let (service, region) = (service.to_owned(), region.to_owned());
                keys.insert(access_key_id.to_owned(), Seen { time: now, service, region, written: now });
            }
        }
        drop(keys);
        let last = KeyUse::At { time: Timestamp(now), service: service.to_owned(), region: region.to_owned() };
        self.write(USES, Key::new([access_key_id]), last);
    }

    /// Notes that a user or role, by unique id, asked for leave at a service.
    pub(crate) fn note_visit(&self, id: &str, service: &str, region: Option<&str>, now: DateTime<Utc>) {
        if let Some(visit) = self.begin_step(id, service, region, now) {
            self.write(VISITS, Key::new([id, service]), visit);
        }
    }

    /// Remembers a visit and answers it, unless one of the same quarter of an hour is known.
    fn begin_step(&self, id: &str, service: &str, region: Option<&str>, now: DateTime<Utc>) -> Option<Visit> {
        let mut visits = self.visits.lock();
        if visits.get(id).and_then(|of_id| of_id.get(service)).is_some_and(|last| now - last.time.0 < STEP) {
            return None;
        }
        let visit = Visit { time: Timestamp(now), region: region.map(str::to_owned) };
        visits.entry(id.to_owned()).or_default().insert(service.to_owned(), visit.clone());
        Some(visit)
    }

    fn write<T: Serialize + Send + 'static>(&self, space: &'static str, key: Key, value: T) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let metadata = self.metadata.clone();
        runtime.spawn(async move {
            let write = metadata.transaction::<_, MetadataError, _>(move |tx| tx.put_json(space, &key, &value)).await;
            if let Err(error) = write {
                tracing::warn!(%error, space, "a use could not be recorded");
            }
        });
    }

    /// When the key was last used, if it ever was.
    pub(crate) fn last(&self, access_key_id: &str) -> Result<Option<KeyUse>, MetadataError> {
        if let Some(Seen { time, service, region, .. }) = self.keys.lock().get(access_key_id) {
            let (service, region) = (service.clone(), region.clone());
            return Ok(Some(KeyUse::At { time: Timestamp(*time), service, region }));
        }
        self.metadata.get_json(USES, &Key::new([access_key_id]))
    }

    /// The services at which a user or role asked for leave, and when it last did, also where it is not written yet.
    pub(crate) fn visits(&self, id: &str) -> Result<BTreeMap<String, Visit>, MetadataError> {
        let mut all = BTreeMap::new();
        for entry in self.metadata.scan(VISITS, &Key::new([id]), None, usize::MAX)? {
            all.insert(entry.key.parts().get(1).cloned().unwrap_or_default(), entry.json()?);
        }
        all.extend(self.visits.lock().get(id).cloned().unwrap_or_default());
        Ok(all)
    }

    /// Forgets a deleted key.
    pub(crate) fn forget(&self, access_key_id: &str) {
        self.keys.lock().remove(access_key_id);
    }
}
