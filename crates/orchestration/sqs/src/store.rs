//! Queues as rows, and what all operations share: who is asked, who is woken, how times sort.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys};
use boathouse_aws::arn::ACCOUNT_ID;
use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::{Entry, Key, Metadata, Transaction};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::attributes::Attributes;
use crate::error::SqsError;

/// `(queue)` → [`Queue`].
pub(crate) const QUEUES: &str = "sqs-queues";
/// `(queue)` → when it was deleted, in seconds since 1970.
pub(crate) const DELETED: &str = "sqs-deleted";
/// `(shelf)` → nothing: shelves whose messages nobody can reach any more.
pub(crate) const GARBAGE: &str = "sqs-garbage";

/// A queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub(crate) name: String,
    /// Where its messages are. A purge gives the queue an empty shelf.
    pub(crate) shelf: String,
    /// Seconds since 1970, like the other two.
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) purged: Option<i64>,
    pub(crate) attributes: Attributes,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Queue {
    pub(crate) fn arn(&self, region: &str) -> String {
        queue_arn(region, &self.name)
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.attributes.fifo.is_some()
    }
}

/// The queues of an installation.
pub struct Sqs {
    pub(crate) metadata: Metadata,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) bells: Bells,
    pub(crate) rooms: Mutex<HashMap<String, usize>>,
}

/// What wakes those who wait for messages, one bell for each queue that somebody has waited at.
#[derive(Default)]
pub(crate) struct Bells(Mutex<HashMap<String, Arc<Notify>>>);

impl Bells {
    pub(crate) fn of(&self, queue: &str) -> Arc<Notify> {
        Arc::clone(self.0.lock().entry(queue.to_owned()).or_default())
    }

    pub(crate) fn ring(&self, queue: &str) {
        if let Some(bell) = self.0.lock().get(queue) {
            bell.notify_waiters();
        }
    }

    /// Rings for the last time.
    pub(crate) fn remove(&self, queue: &str) {
        if let Some(bell) = self.0.lock().remove(queue) {
            bell.notify_waiters();
        }
    }
}

impl Sqs {
    /// The queues in `metadata`; `authorizer` decides who may what with them.
    pub fn new(metadata: Metadata, authorizer: Arc<dyn Authorizer>) -> Self {
        Self { metadata, authorizer, bells: Bells::default(), rooms: Mutex::default() }
    }

    /// The queue behind a URL, if the caller may do `action` with it.
    pub(crate) fn open(&self, ctx: &Ctx, url: &str, action: &str) -> Result<Queue, SqsError> {
        self.named(ctx, name_in_url(ctx.region(), url)?, action)
    }

    /// The queue of a name, if the caller may do `action` with it.
    pub(crate) fn named(&self, ctx: &Ctx, name: &str, action: &str) -> Result<Queue, SqsError> {
        let queue: Option<Queue> = self.metadata.get_json(QUEUES, &Key::new([name]))?;
        let policy = queue.as_ref().and_then(|queue| queue.attributes.policy.as_deref());
        self.authorize(ctx, action, &queue_arn(ctx.region(), name), policy)?;
        queue.ok_or(SqsError::NoSuchQueue)
    }

    /// Asks for leave, with the queue's policy to be considered. Root can always repair a policy that locks everybody out.
    pub(crate) fn authorize(&self, ctx: &Ctx, action: &str, arn: &str, policy: Option<&str>) -> Result<(), SqsError> {
        let repairs = ["sqs:SetQueueAttributes", "sqs:RemovePermission", "sqs:DeleteQueue"].contains(&action);
        let policy = policy.filter(|_| !(repairs && ctx.principal.is_root()));
        let keys = ConditionKeys::new();
        let request = AccessRequest::new(action, arn, &keys).with_resource_policy(policy);
        Ok(self.authorizer.authorize(ctx, &request)?)
    }

    /// Every queue, by name.
    pub(crate) fn queues(&self) -> Result<Vec<Queue>, SqsError> {
        let rows = self.metadata.scan(QUEUES, &Key::default(), None, usize::MAX >> 1)?;
        Ok(rows.iter().map(Entry::json).collect::<Result<_, _>>()?)
    }

    /// Changes a queue's row.
    pub(crate) async fn change<F>(&self, name: String, change: F) -> Result<(), SqsError>
    where
        F: FnOnce(&Transaction<'_>, &mut Queue) -> Result<(), SqsError> + Send + 'static,
    {
        self.metadata
            .transaction(move |tx| {
                let mut queue = queue_in(tx, &name)?;
                change(tx, &mut queue)?;
                tx.put_json(QUEUES, &Key::new([&name]), &queue)?;
                Ok(())
            })
            .await
    }
}

/// The queue's row inside a transaction.
pub(crate) fn queue_in(tx: &Transaction<'_>, name: &str) -> Result<Queue, SqsError> {
    tx.get_json(QUEUES, &Key::new([name]))?.ok_or(SqsError::NoSuchQueue)
}

/// A shelf that nothing is on.
pub(crate) fn new_shelf() -> String {
    Uuid::new_v4().simple().to_string()
}

pub(crate) fn queue_arn(region: &str, name: &str) -> String {
    Arn::new("sqs", region, name).to_string()
}

/// The name in an ARN, if it is one of a queue here.
pub(crate) fn name_in_arn<'a>(region: &str, arn: &'a str) -> Option<&'a str> {
    arn.strip_prefix("arn:aws:sqs:")?
        .strip_prefix(region)?
        .strip_prefix(':')?
        .strip_prefix(ACCOUNT_ID)?
        .strip_prefix(':')
}

/// Where clients reach the queue: at this server, or before it listens at the address that AWS would give it.
pub(crate) fn queue_url(ctx: &Ctx, name: &str) -> String {
    match ctx.platform.endpoint() {
        Some(endpoint) => format!("{endpoint}/{ACCOUNT_ID}/{name}"),
        None => Arn::new("sqs", ctx.region(), name).queue_url(),
    }
}

/// The name in a queue's URL. Which host it names does not matter, because addresses of a server change, unless it is AWS's
/// of another region.
fn name_in_url<'a>(region: &str, url: &'a str) -> Result<&'a str, SqsError> {
    let invalid = || {
        let message = format!("The address {url} is not valid for this endpoint.");
        SqsError::Aws(boathouse_aws::AwsError::new("InvalidAddress", http::StatusCode::NOT_FOUND, message))
    };
    let (_, rest) = url.split_once("://").ok_or_else(invalid)?;
    let (host, path) = rest.split_once('/').ok_or_else(invalid)?;
    let elsewhere = host.strip_prefix("sqs.").and_then(|host| host.strip_suffix(".amazonaws.com"));
    let (account, name) = path.split_once('/').ok_or_else(invalid)?;
    if account != ACCOUNT_ID || elsewhere.is_some_and(|other| other != region) {
        return Err(SqsError::NoSuchQueue);
    }
    Ok(name)
}

/// A number as text that sorts as the numbers do.
pub(crate) fn ordered(number: i64) -> String {
    format!("{:016x}", number.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_queue_whatever_the_host() {
        let name = |url| name_in_url("us-east-1", url);
        assert_eq!(name("http://127.0.0.1:4566/000000000000/q.fifo").unwrap(), "q.fifo");
        assert_eq!(name("https://sqs.us-east-1.amazonaws.com/000000000000/q").unwrap(), "q");
        for url in ["http://h/111122223333/q", "https://sqs.eu-west-1.amazonaws.com/000000000000/q"] {
            assert!(matches!(name(url), Err(SqsError::NoSuchQueue)), "{url}");
        }
        for url in ["q", "http://h", "http://h/q"] {
            assert!(matches!(name(url), Err(SqsError::Aws(_))), "{url}");
        }
    }

    #[test]
    fn an_arn_names_a_queue_of_this_region_and_account() {
        assert_eq!(name_in_arn("us-east-1", "arn:aws:sqs:us-east-1:000000000000:q"), Some("q"));
        for arn in [
            "arn:aws:sqs:eu-west-1:000000000000:q",
            "arn:aws:sqs:us-east-1:1:q",
            "arn:aws:sns:us-east-1:000000000000:q",
        ] {
            assert_eq!(name_in_arn("us-east-1", arn), None, "{arn}");
        }
    }
}
