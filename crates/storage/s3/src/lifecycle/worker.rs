//! Carries lifecycle rules out, and has inventories written at the same midnights.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::{Ctx, Platform, Principal};
use boathouse_objects::{
    ChangeKind, DeleteItem, Error, ListUploads, ListVersions, ObjectInfo, VersionEntry, VersionMark, WriteCondition,
};
use chrono::{DateTime, Utc};

use super::plan::{Look, Plan, Stretch};
use super::rules::{DAY_MS, Rules, Verdict};
use crate::call::Store;
use crate::notifications::{PRINCIPAL, message};
use crate::{documents, inventory, storage_class};

/// Versions read at once.
const PAGE: usize = 1000;
/// Deletions that one commit takes: writes of others come in between.
const BATCH: usize = 100;
/// So many times as long as a page took that had nothing to do the next one waits, that others have the disk and the processor.
const REST: u32 = 3;
/// A page that was quickly read is no burden.
const QUICK: Duration = Duration::from_millis(1);

/// Works as long as the platform lives.
pub(crate) fn start(platform: &Platform, store: &Store) {
    let ctx = platform.context(Arc::new(Principal::service(PRINCIPAL)));
    let store = store.clone();
    tokio::spawn(async move {
        let mut plans = HashMap::new();
        loop {
            run(&ctx, &store, &mut plans).await;
            inventory::run(&ctx, &store).await;
            let midnight = next_midnight(ctx.now());
            tokio::select! {
                () = ctx.platform.clock.sleep_until(midnight) => {}
                () = store.rules.rung() => {}
            }
        }
    });
}

fn next_midnight(now: DateTime<Utc>) -> DateTime<Utc> {
    let day = DAY_MS as i64;
    DateTime::from_timestamp_millis((now.timestamp_millis().div_euclid(day) + 1) * day).unwrap_or(now)
}

async fn run(ctx: &Ctx, store: &Store, plans: &mut HashMap<String, Plan>) {
    let buckets = match store.objects.buckets() {
        Ok(buckets) => buckets,
        Err(error) => return tracing::error!(%error, "the buckets can't be read for their lifecycle rules"),
    };
    // Said before the look at the buckets: rules that are put meanwhile say it again.
    store.rules.none();
    let now_ms = u64::try_from(ctx.now().timestamp_millis()).unwrap_or_default();
    let mut before = std::mem::take(plans);
    for bucket in buckets {
        // A bucket that is gone has no rules.
        let Ok(Some(rules)) = store.document::<Rules>(&bucket.name, documents::LIFECYCLE) else { continue };
        store.rules.some();
        let renames = store.objects.renames();
        let plan = before.remove(&bucket.name).filter(|plan| plan.holds(&bucket, &rules, renames));
        let mut walk = Walk {
            store,
            bucket: &bucket.name,
            plan: plan.or_else(|| Plan::new(&bucket, &rules, renames)),
            rules,
            now_ms,
            origin: message::origin(ctx),
            work: Vec::new(),
            looked: 0,
            done: 0,
        };
        let outcome = walk.run().await;
        if walk.looked + walk.done > 0 {
            let (changes, looked) = (walk.done, walk.looked);
            tracing::info!(bucket = bucket.name, changes, looked, "lifecycle rules were carried out");
        }
        match (outcome, walk.plan) {
            (Ok(()), Some(plan)) => {
                plans.insert(bucket.name, plan);
            }
            (Ok(()), None) => {}
            (Err(error), _) => {
                tracing::error!(%error, bucket = bucket.name, "lifecycle rules could not be carried out to the end");
            }
        }
    }
}

/// One round through a bucket.
struct Walk<'a> {
    store: &'a Store,
    bucket: &'a str,
    plan: Option<Plan>,
    rules: Rules,
    now_ms: u64,
    origin: String,
    work: Vec<DeleteItem>,
    /// How many versions were read.
    looked: usize,
    done: usize,
}

/// What is known of a key from its newer versions.
#[derive(Default)]
struct Seen {
    key: String,
    /// When the version that was read last was written.
    replaced_ms: u64,
    /// How many versions that are not current were read.
    others: u32,
}

impl Walk<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        let prefixes: Vec<String> = self.rules.prefixes().into_iter().map(str::to_owned).collect();
        for prefix in prefixes {
            let due =
                self.plan.as_ref().map_or_else(|| vec![Stretch::default()], |plan| plan.due(&prefix, self.now_ms));
            for stretch in due {
                let mut look = Look::new(stretch.clone(), &self.rules, self.now_ms);
                self.walk(&prefix, stretch, &mut look).await?;
                if let Some(plan) = &mut self.plan {
                    plan.keep(&prefix, look.ended());
                }
            }
        }
        if self.rules.abort_uploads() { self.abort().await } else { Ok(()) }
    }

    /// Looks at all versions of a stretch of the keys that begin so.
    async fn walk(&mut self, prefix: &str, stretch: Stretch, look: &mut Look) -> Result<(), Error> {
        let (mut seen, mut held) = (Seen::default(), None::<VersionEntry>);
        let mut after = stretch.after.map(|key| VersionMark { key, version: None });
        loop {
            let (begun, done) = (tokio::time::Instant::now(), self.done);
            let prefix = prefix.to_owned();
            let request = ListVersions { prefix, after, max_keys: PAGE, ..ListVersions::default() };
            let mut page = self.store.objects.list_versions(self.bucket, request).await?;
            if let Some(until) = &stretch.until
                && page.versions.last().is_some_and(|last| last.key > *until)
            {
                page.versions.retain(|entry| entry.key <= *until);
                page.next = None;
            }
            self.looked += page.versions.len();
            for entry in page.versions {
                // Whether a version is the only one shows at the next.
                if let Some(entry) = held.replace(entry) {
                    let follows = held.as_ref().is_some_and(|next| next.key == entry.key);
                    self.judge(entry, &mut seen, follows, look).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
            let took = begun.elapsed();
            if self.done == done && took > QUICK {
                tokio::time::sleep(took * REST).await;
            }
        }
        if let Some(entry) = held {
            self.judge(entry, &mut seen, false, look).await?;
        }
        self.flush().await
    }

    async fn judge(
        &mut self,
        entry: VersionEntry,
        seen: &mut Seen,
        follows: bool,
        look: &mut Look,
    ) -> Result<(), Error> {
        let VersionEntry { key, info, latest } = entry;
        if seen.key != key {
            *seen = Seen { key: key.clone(), ..Seen::default() };
        }
        let verdict = match (latest, info.delete_marker) {
            (true, true) if !follows && self.rules.lone_marker(&key, &info, self.now_ms) => Verdict::Expire,
            (true, true) => Verdict::Stay,
            (true, false) => self.rules.current(&key, &info, self.now_ms),
            (false, _) => {
                seen.others += 1;
                self.rules.noncurrent(&key, &info, seen.replaced_ms, seen.others - 1, self.now_ms)
            }
        };
        seen.replaced_ms = info.modified_ms;
        look.see(&key, self.rules.next(&key, &info, self.now_ms));
        match verdict {
            Verdict::Stay => Ok(()),
            Verdict::Move(class) => self.move_to(&key, &info, class).await,
            Verdict::Expire => {
                let by_id = info.delete_marker || !latest;
                let version = by_id.then(|| info.version_id().to_owned());
                let unchanged = WriteCondition::Unchanged { etag: info.etag, modified_ms: info.modified_ms };
                let condition = if by_id { WriteCondition::Always } else { unchanged };
                self.work.push(DeleteItem { key, version, condition, bypass_governance: false });
                if self.work.len() < BATCH { Ok(()) } else { self.flush().await }
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let items = std::mem::take(&mut self.work);
        if items.is_empty() {
            return Ok(());
        }
        let origin = Some(self.origin.clone());
        let outcomes = self.store.objects.delete_items(self.bucket, items, ChangeKind::Expire, origin).await?;
        // What was written anew, or is locked, stays.
        self.done += outcomes.iter().filter(|outcome| outcome.as_ref().is_ok_and(|it| it.found)).count();
        Ok(())
    }

    async fn move_to(&mut self, key: &str, info: &ObjectInfo, class: String) -> Result<(), Error> {
        let (etag, modified_ms) = (info.etag.clone(), info.modified_ms);
        let amend = move |now: &mut ObjectInfo| {
            if now.etag != etag || now.modified_ms != modified_ms {
                return Err(Error::PreconditionFailed);
            }
            storage_class::keep(&mut now.metadata.system, &class);
            Ok(())
        };
        let moved = self.store.objects.amend(self.bucket, key, Some(info.version_id()), amend).await;
        match moved {
            Ok(_) => self.done += 1,
            Err(Error::PreconditionFailed | Error::NoSuchVersion(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn abort(&mut self) -> Result<(), Error> {
        let (mut after_key, mut after_upload) = (None, None);
        loop {
            let request = ListUploads { after_key, after_upload, max_uploads: PAGE, ..ListUploads::default() };
            let page = self.store.objects.list_uploads(self.bucket, request).await?;
            for upload in page.uploads {
                if self.rules.abandoned(&upload.key, upload.initiated_ms, self.now_ms) {
                    match self.store.objects.abort_upload(self.bucket, &upload.key, &upload.upload_id).await {
                        Ok(()) => self.done += 1,
                        Err(Error::NoSuchUpload(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            match page.next {
                Some((key, upload)) => (after_key, after_upload) = (Some(key), upload),
                None => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnights() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(next_midnight(at("2026-03-01T00:00:00Z")), at("2026-03-02T00:00:00Z"));
        assert_eq!(next_midnight(at("2026-03-01T23:59:59.999Z")), at("2026-03-02T00:00:00Z"));
    }
}
