//! Lifecycle rules ("Managing the lifecycle of objects"): what expires, what moves to another storage class, what is given up.
//!
//! A worker goes through the buckets that have rules when the server starts, when rules are put, and at each midnight (UTC)
//! of the platform's clock, as days count from the midnight that follows. It deletes a little at a time, so that it does
//! not hold up writes, and only what is still as the rules saw it.
//!
//! | Module | What it does |
//! |---|---|
//! | [`plan`] | which keys have to be looked at again, and when |
//! | [`rules`] | rules: checks, from and to the wire, what they say of a version |
//! | [`worker`] | carries them out |

mod plan;
pub(crate) mod rules;
pub(crate) mod worker;

use std::sync::atomic::{AtomicBool, Ordering};

use boathouse_objects::ObjectInfo;
use chrono::DateTime;
use http::HeaderMap;
use tokio::sync::Notify;

use self::rules::Rules;
use crate::call::Store;
use crate::{documents, metadata};

/// Tells the worker that rules were put, and everybody whether there are any: objects are not held up by a look at rules
/// where no bucket has some.
pub(crate) struct Bell {
    put: Notify,
    any: AtomicBool,
}

impl Default for Bell {
    fn default() -> Self {
        Self { put: Notify::new(), any: AtomicBool::new(true) }
    }
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.some();
        self.put.notify_one();
    }

    async fn rung(&self) {
        self.put.notified().await;
    }

    fn some(&self) {
        self.any.store(true, Ordering::SeqCst);
    }

    fn none(&self) {
        self.any.store(false, Ordering::SeqCst);
    }
}

/// Says in an answer's headers when an object expires, if a rule says so.
pub(crate) fn tell(store: &Store, bucket: &str, key: &str, info: &ObjectInfo, headers: &mut HeaderMap) {
    if !store.rules.any.load(Ordering::SeqCst) {
        return;
    }
    let Ok(Some(rules)) = store.document::<Rules>(bucket, documents::LIFECYCLE) else { return };
    let Some((due_ms, id)) = rules.expiry(key, info) else { return };
    let due = i64::try_from(due_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    let date = due.format("%a, %d %b %Y %H:%M:%S GMT");
    metadata::set(headers, "x-amz-expiration", &format!("expiry-date=\"{date}\", rule-id=\"{id}\""));
}
