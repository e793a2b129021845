//! Crawls in the background: start, end, stop, and again after a restart.

use std::sync::Arc;

use boathouse_aws::events::PlatformEvent;
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx, Platform, Principal};
use boathouse_metadata::{Key, Transaction};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::api::{Crawl, CrawlStatus, Crawler, CrawlerState, LastCrawlInfo, Timestamp};
use crate::catalog::Changes;
use crate::crawl::{self, Outcome};
use crate::error::CrawlerError;
use crate::store::{CRAWLERS, CRAWLS, Crawlers, StoredCrawler, missing, now};

/// The service that crawlers' roles must trust.
pub(crate) const SERVICE: &str = "glue.amazonaws.com";
/// Remarks that a crawl's message holds.
const MAX_REMARKS: usize = 10;

/// Marks the crawler as running, durably, and sets the crawl going.
pub(crate) async fn start(ctx: &Ctx, state: &Arc<Crawlers>, name: &str) -> Result<(), CrawlerError> {
    let (owned, time, id) = (name.to_owned(), now(ctx), run_id(ctx));
    let started = json!({"state": "Started", "message": "Crawler Started", "startTime": clock_time(ctx.now())});
    let (teller, told) = (ctx.platform.events.clone(), event(ctx.now(), name, started));
    state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &owned)?;
            match stored.crawler.state {
                CrawlerState::Running => return Err(CrawlerError::Running(owned)),
                CrawlerState::Stopping => return Err(CrawlerError::Stopping(owned)),
                CrawlerState::Ready => stored.crawler.state = CrawlerState::Running,
            }
            let crawl = Crawl { crawl_id: id.clone(), state: "RUNNING".into(), start_time: time, ..Crawl::default() };
            tx.put_json(CRAWLS, &Key::new([&owned, &id]), &crawl)?;
            stored.run = Some((id, time));
            tx.put_json(CRAWLERS, &Key::new([owned]), &stored)?;
            Ok(teller.tell(tx, told)?)
        })
        .await?;
    spawn(ctx.platform.clone(), Arc::clone(state), name.to_owned());
    Ok(())
}

/// Asks a running crawl to end.
pub(crate) async fn stop(state: &Crawlers, name: &str) -> Result<(), CrawlerError> {
    let owned = name.to_owned();
    state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &owned)?;
            match stored.crawler.state {
                CrawlerState::Ready => return Err(CrawlerError::NotRunning(owned)),
                CrawlerState::Stopping => return Err(CrawlerError::Stopping(owned)),
                CrawlerState::Running => stored.crawler.state = CrawlerState::Stopping,
            }
            tx.put_json(CRAWLERS, &Key::new([owned]), &stored)?;
            Ok(())
        })
        .await?;
    if let Some(running) = state.running.lock().get(name) {
        running.notify_one();
    }
    Ok(())
}

/// Takes up the crawls that an earlier process did not finish: a crawl can be done twice without harm.
///
/// # Errors
/// The store can't be read.
pub fn recover(platform: &Platform, state: &Arc<Crawlers>) -> Result<(), CrawlerError> {
    for entry in state.metadata.scan(CRAWLERS, &Key::default(), None, usize::MAX >> 1)? {
        let stored: StoredCrawler = entry.json()?;
        if stored.crawler.state != CrawlerState::Ready {
            tracing::info!(crawler = stored.crawler.name, "the crawl goes on after a restart");
            spawn(platform.clone(), Arc::clone(state), stored.crawler.name);
        }
    }
    Ok(())
}

fn spawn(platform: Platform, state: Arc<Crawlers>, name: String) {
    let stopped = Arc::new(Notify::new());
    state.running.lock().insert(name.clone(), Arc::clone(&stopped));
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = work(&platform, &state, &name) => ended,
            () = stopped.notified() => Ok(None),
        };
        state.running.lock().remove(&name);
        if let Err(error) = finish(&platform, &state, &name, ended).await {
            tracing::error!(crawler = name, %error, "the crawl's end can't be kept");
        }
    });
}

async fn work(platform: &Platform, state: &Crawlers, name: &str) -> Result<Option<Outcome>, CrawlerError> {
    let crawler = state.crawler(name)?.crawler;
    if crawler.state == CrawlerState::Stopping {
        return Ok(None); // stopped just before a restart
    }
    let role: Arc<Principal> = state.roles.assume_for_service(&crawler.role, SERVICE, "AWS-Crawler")?;
    let ctx = platform.context(role);
    let classifiers = crawler.classifiers.iter().map(|name| state.classifier(name)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(crawl::run(&ctx, &*state.stores, &crawler, &classifiers).await?))
}

/// Keeps how the crawl ended: in the crawler, its totals and its history.
async fn finish(
    platform: &Platform,
    state: &Crawlers,
    name: &str,
    ended: Result<Option<Outcome>, CrawlerError>,
) -> Result<(), CrawlerError> {
    let now = platform.clock.now();
    let end_time = now.timestamp_millis() as f64 / 1000.0;
    let (status, outcome, message) = match ended {
        Ok(Some(outcome)) => {
            let message = remarks(&outcome);
            (CrawlStatus::Succeeded, outcome, message)
        }
        Ok(None) => (CrawlStatus::Cancelled, Outcome::default(), None),
        Err(error) => (CrawlStatus::Failed, Outcome::default(), Some(AwsError::from(error).message)),
    };
    tracing::info!(crawler = name, ?status, changes = ?outcome.changes, message, "crawl ended");
    let (owned, teller) = (name.to_owned(), platform.events.clone());
    state
        .metadata
        .transaction(move |tx| {
            let mut stored = stored(tx, &owned)?;
            let (id, start_time) = stored.run.take().unwrap_or_default();
            let seconds = (end_time - start_time).max(0.0);
            let end = End { status, changes: outcome.changes, message: message.clone(), seconds };
            stored.tables_created += outcome.changes.tables_created;
            stored.tables_updated += outcome.changes.tables_updated;
            stored.tables_deleted += outcome.changes.tables_deleted;
            stored.crawler.state = CrawlerState::Ready;
            stored.crawler.crawl_elapsed_time = ((end_time - start_time) * 1000.0).max(0.0) as u64;
            let error_message = message.clone();
            let message_prefix = Some(id.clone());
            stored.crawler.last_crawl = Some(LastCrawlInfo { status, error_message, start_time, message_prefix });
            tx.put_json(CRAWLERS, &Key::new([&owned]), &stored)?;
            let crawl = Crawl {
                crawl_id: id.clone(),
                state: if status == CrawlStatus::Succeeded {
                    "COMPLETED".into()
                } else {
                    format!("{status:?}").to_uppercase()
                },
                start_time,
                end_time: Some(end_time),
                summary: Some(summary(&outcome)),
                error_message: message,
                ..Crawl::default()
            };
            tx.put_json(CRAWLS, &Key::new([&owned, &id]), &crawl)?;
            Ok(teller.tell(tx, event(now, &owned, end.detail(now)))?)
        })
        .await
}

/// How a crawl ended, as its event says it.
struct End {
    status: CrawlStatus,
    changes: Changes,
    message: Option<String>,
    seconds: f64,
}

impl End {
    /// "AWS Glue events: Glue Crawler State Change". A stopped crawl is one that did not succeed. All values are texts.
    fn detail(&self, time: DateTime<Utc>) -> Value {
        let c = &self.changes;
        let mut detail = json!({
            "completionDate": clock_time(time),
            "runningTime (sec)": format!("{:.0}", self.seconds),
            "tablesCreated": c.tables_created.to_string(),
            "tablesUpdated": c.tables_updated.to_string(),
            "tablesDeleted": c.tables_deleted.to_string(),
            "partitionsCreated": c.partitions_created.to_string(),
            "partitionsUpdated": c.partitions_updated.to_string(),
            "partitionsDeleted": c.partitions_deleted.to_string(),
        });
        if self.status == CrawlStatus::Succeeded {
            detail["state"] = "Succeeded".into();
            detail["message"] = "Crawler Succeeded".into();
            detail["warningMessage"] = self.message.as_deref().unwrap_or("N/A").into();
        } else {
            detail["state"] = "Failed".into();
            detail["message"] = "Crawler Failed".into();
            detail["errorMessage"] = self.message.as_deref().unwrap_or("the crawl was stopped").into();
        }
        detail
    }
}

fn event(time: DateTime<Utc>, crawler: &str, mut detail: Value) -> PlatformEvent {
    detail["accountId"] = ACCOUNT_ID.into();
    detail["crawlerName"] = crawler.into();
    PlatformEvent::new(time, "aws.glue", "Glue Crawler State Change", detail)
}

fn clock_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn stored(tx: &Transaction<'_>, name: &str) -> Result<StoredCrawler, CrawlerError> {
    tx.get_json(CRAWLERS, &Key::new([name]))?.ok_or_else(|| missing(name))
}

fn remarks(outcome: &Outcome) -> Option<String> {
    let shown: Vec<&str> = outcome.remarks.iter().take(MAX_REMARKS).map(String::as_str).collect();
    let more = outcome.remarks.len().saturating_sub(MAX_REMARKS);
    let tail = if more > 0 { format!(" And {more} more.") } else { String::new() };
    (!shown.is_empty()).then(|| format!("{}{tail}", shown.join(" ")))
}

/// The history's summary, in the shape of AWS's.
fn summary(outcome: &Outcome) -> String {
    let c = &outcome.changes;
    let details = |created, updated, deleted| json!({"ADD": created, "UPDATE": updated, "DELETE": deleted});
    json!({
        "TABLE": details(c.tables_created, c.tables_updated, c.tables_deleted),
        "PARTITION": details(c.partitions_created, c.partitions_updated, c.partitions_deleted),
    })
    .to_string()
}

/// Run ids order newest first: what is left of the clock's range, then a random part.
fn run_id(ctx: &Ctx) -> String {
    let left = u64::MAX - ctx.now().timestamp_micros().unsigned_abs();
    format!("{left:016x}-{}", uuid::Uuid::new_v4())
}

pub(crate) fn elapsed(crawler: &mut Crawler, run: Option<&(String, Timestamp)>, now: Timestamp) {
    if let Some((_, started)) = run {
        crawler.crawl_elapsed_time = ((now - started) * 1000.0).max(0.0) as u64;
    }
}
