//! Delivers access logs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::access::ConditionKeys;
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx, Platform, Principal};
use boathouse_objects::{Expectations, Metadata, PutRequest};
use bytes::Bytes;
use chrono::NaiveDate;
use uuid::Uuid;

use super::{Keys, Logging, Waiting};
use crate::acl::LOG_DELIVERY;
use crate::call::Store;
use crate::documents;
use crate::error::from_engine;
use crate::notifications::message::{bucket_arn, origin};

/// How long lines wait.
const PAUSE: Duration = Duration::from_secs(2);

/// Works as long as the platform lives.
pub(crate) fn start(platform: &Platform, store: &Store) {
    let ctx = platform.context(Arc::new(Principal::service(LOG_DELIVERY)));
    let store = store.clone();
    let logged = |name: &str| matches!(store.document::<Logging>(name, documents::LOGGING), Ok(Some(_)));
    if store.objects.buckets().unwrap_or_default().iter().any(|bucket| logged(&bucket.name)) {
        store.log.switch_on();
    }
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAUSE).await;
            for (bucket, lines) in store.log.take() {
                if let Err(error) = deliver(&ctx, &store, &bucket, &lines).await {
                    tracing::warn!(%error, bucket, lines = lines.len(), "an access log can't be delivered and is dropped");
                }
            }
        }
    });
}

async fn deliver(ctx: &Ctx, store: &Store, bucket: &str, lines: &[Waiting]) -> Result<(), AwsError> {
    // A bucket that is gone, or is not logged any more, has no log.
    let Ok(Some(logging)) = store.document::<Logging>(bucket, documents::LOGGING) else { return Ok(()) };
    let ctx = ctx.because_of(&bucket_arn(bucket));
    let mut by_day: BTreeMap<NaiveDate, Vec<&str>> = BTreeMap::new();
    let today = ctx.now().date_naive();
    for line in lines {
        let day = if logging.keys == Keys::ByEvent { line.day } else { today };
        by_day.entry(day).or_default().push(&line.text);
    }
    for (day, lines) in by_day {
        let key = key(&ctx, &logging, bucket, day);
        store.allow_if(&ctx, "s3:PutObject", &logging.bucket, Some(&key), &ConditionKeys::new())?;
        let text = lines.join("\n") + "\n";
        let mut metadata = Metadata::default();
        metadata.headers.insert("content-type".to_owned(), "text/plain".to_owned());
        let bucket = logging.bucket.clone();
        let request = PutRequest { bucket, key, metadata, origin: Some(origin(&ctx)), ..PutRequest::default() };
        let body = futures::stream::iter([Ok(Bytes::from(text))]);
        store.objects.put(request, body, Expectations::default).await.map_err(from_engine)?;
    }
    Ok(())
}

fn key(ctx: &Ctx, logging: &Logging, bucket: &str, day: NaiveDate) -> String {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let name = format!("{}-{high:016X}", ctx.now().format("%Y-%m-%d-%H-%M-%S"));
    let prefix = &logging.prefix;
    match logging.keys {
        Keys::Unsaid | Keys::Simple => format!("{prefix}{name}"),
        Keys::ByDelivery | Keys::ByEvent => {
            format!("{prefix}{ACCOUNT_ID}/{}/{bucket}/{}/{name}", ctx.region(), day.format("%Y/%m/%d"))
        }
    }
}
