//! Server access logs ("Logging requests with server access logging").
//!
//! A line for each request to a bucket that is logged, delivered every few seconds as objects of the target bucket. Delivery
//! is the best effort that AWS promises: a server that is killed loses the lines of its last seconds.
//!
//! | Module | What it does |
//! |---|---|
//! | [`line`] | the format of a line |
//! | [`worker`] | delivers them |

pub(crate) mod line;
pub(crate) mod worker;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use boathouse_aws::http_service::ServiceAnswer;
use serde::{Deserialize, Serialize};

use self::line::Request;
use crate::call::Store;
use crate::documents;

/// Lines of a bucket that wait for delivery at most; further ones are dropped.
const MAX_WAITING: usize = 100_000;

/// Where the log of a bucket goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logging {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    #[serde(default)]
    pub(crate) keys: Keys,
}

/// How the keys of log objects begin behind the prefix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Keys {
    /// With the time, and nobody said so.
    #[default]
    Unsaid,
    /// With the time.
    Simple,
    /// With account, region, bucket and the day of delivery.
    ByDelivery,
    /// With account, region, bucket and the day of the requests.
    ByEvent,
}

/// A line and the day of its request.
#[derive(Debug)]
struct Waiting {
    day: chrono::NaiveDate,
    text: String,
}

/// Lines that wait for delivery, by the bucket that they are about.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Whether any bucket is logged: requests are not held up by a look at that where none is.
    on: AtomicBool,
    lines: Mutex<BTreeMap<String, Vec<Waiting>>>,
}

impl Log {
    /// From now on, buckets are asked whether they are logged.
    pub(crate) fn switch_on(&self) {
        self.on.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    fn add(&self, bucket: &str, lines: Vec<Waiting>) {
        let Ok(mut waiting) = self.lines.lock() else { return };
        let waiting = waiting.entry(bucket.to_owned()).or_default();
        let room = MAX_WAITING.saturating_sub(waiting.len());
        if room < lines.len() {
            tracing::warn!(bucket, dropped = lines.len() - room, "access log lines are dropped");
        }
        waiting.extend(lines.into_iter().take(room));
    }

    fn take(&self) -> BTreeMap<String, Vec<Waiting>> {
        self.lines.lock().map(|mut lines| std::mem::take(&mut *lines)).unwrap_or_default()
    }
}

/// Notes a request, if its bucket is logged.
pub(crate) fn note(store: &Store, request: &Request, answer: &ServiceAnswer) {
    let bucket = request.bucket();
    if bucket.is_empty() || !matches!(store.document::<Logging>(bucket, documents::LOGGING), Ok(Some(_))) {
        return;
    }
    store.log.add(bucket, vec![Waiting { day: request.day(), text: request.line(answer) }]);
}
