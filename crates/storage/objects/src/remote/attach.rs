//! Objects that others wrote to the remote store's bucket, taken into a bucket of ours where they are: no body is copied.

use super::claim::FILE;
use super::{Remote, RemoteObject};
use crate::Objects;
use crate::error::{Error, Result};
use crate::index::Change;
use crate::objects::WriteCondition;
use crate::outbox::{Cause, ChangeKind};
use crate::record::{Attached, Location, ObjectInfo, Record};
use crate::references::{current, replace};

/// What came of an attachment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttachReport {
    /// Objects that are new.
    pub added: u64,
    /// Objects that were attached before and have other bytes now.
    pub changed: u64,
    /// Objects that are as they were.
    pub unchanged: u64,
    /// Keys that have an object of our own already, which stays.
    pub kept: u64,
}

impl Objects {
    /// Makes the objects of the remote store's bucket whose keys begin with `prefix` objects of `bucket`, under the same keys and
    /// without copying them. Done again, it finds what is new or changed. What is deleted here stays there.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::RemoteConfiguration`] without a remote store, [`Error::Remote`]. What was attached by
    /// then stays.
    pub async fn attach(&self, bucket: &str, prefix: &str) -> Result<AttachReport> {
        let none = || Error::RemoteConfiguration("bodies lie in this directory: there is nothing to attach".into());
        let remote = self.inner.blobs.remote().ok_or_else(none)?;
        self.bucket(bucket)?;
        let (mut report, mut after) = (AttachReport::default(), String::new());
        loop {
            let page = remote.outcome(remote.inner.store.list(prefix, &after).await)?;
            let Some(last) = page.last() else { return Ok(report) };
            after.clone_from(&last.key);
            let (bucket, at_ms) = (bucket.to_owned(), self.now_ms());
            let others: Vec<RemoteObject> = page.into_iter().filter(|object| !remote.is_own(&object.key)).collect();
            let attach = move |change: &mut Change<'_>| {
                let mut done = report;
                others.iter().try_for_each(|object| one(change, &bucket, object, at_ms, &mut done))?;
                Ok(done)
            };
            report = self.inner.writer.change(attach).await?;
        }
    }
}

impl Remote {
    /// Whether it is what the store itself wrote.
    fn is_own(&self, key: &str) -> bool {
        key.starts_with(&self.folder()) || key.strip_prefix(&self.inner.prefix) == Some(FILE)
    }
}

fn one(
    change: &mut Change<'_>,
    bucket: &str,
    object: &RemoteObject,
    at_ms: u64,
    report: &mut AttachReport,
) -> Result<()> {
    let key = &object.key;
    let there = Attached { key: key.clone(), etag: object.etag.clone() };
    match current(change, bucket, key)?.map(|record| record.location) {
        None => report.added += 1,
        Some(Location::Attached(before)) if before == there => {
            report.unchanged += 1;
            return Ok(());
        }
        Some(Location::Attached(_)) => report.changed += 1,
        Some(_) => {
            report.kept += 1;
            return Ok(());
        }
    }
    let info = ObjectInfo {
        size: object.size,
        etag: object.etag.as_deref().unwrap_or_default().trim_matches('"').to_owned(),
        modified_ms: object.modified_ms,
        ..ObjectInfo::default()
    };
    let record = Record { info, location: Location::Attached(there) };
    let cause = Cause { kind: ChangeKind::Put, at_ms, origin: None };
    replace(change, bucket, key, &WriteCondition::Always, record, cause).map(drop)
}
