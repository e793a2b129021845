//! Amazon S3's counterpart: its REST API over the object engine.
//!
//! The gateway has verified a request's signature when it comes here. The crate `s3s` reads and writes the protocol's
//! XML and headers behind [`adapter`]; objects' bytes pass beside it. Every operation asks IAM, with the bucket's policy.
//!
//! | Module | What it does |
//! |---|---|
//! | `adapter` | the way in and out: virtual hosts, presigned members, errors, CORS |
//! | `forms` | PostObject: uploads by browser forms |
//! | `front` | the table of operations |
//! | `operations` | their handlers |
//! | `dispatch` | the same operations for other services, by the dispatcher |
//! | `call` | one call's context; authorisation |
//! | `documents` | a bucket's configuration |
//! | `entity_tags` | what entity tags are made of |
//! | `logging`, `inventory` | access logs and lists of objects, as objects |
//! | `lifecycle` | what expires and what moves to other storage classes |
//! | `notifications` | what buckets tell to functions and to EventBridge |
//! | `acl`, `policy`, `cors`, `tags`, `metadata`, `checksums`, `conditions`, `host`, `token` | rules of their subjects |
//! | `actions`, `condition_keys` | actions and condition keys of policies |
//! | `storage_class` | the classes of objects |
//! | `stores` | buckets for engines in the same process |
//! | `xml` | letters that XML has no room for |
//! | `view` | what of an object a read shows |
//! | [`outside`] | all that reads bytes of strangers, for fuzzing |
//! | `refusals` | what is not implemented, by name |
//! | `error` | errors in S3's words |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod acl;
mod actions;
mod adapter;
mod call;
mod checksums;
mod condition_keys;
mod conditions;
mod cors;
mod dispatch;
mod documents;
mod entity_tags;
mod error;
mod forms;
mod front;
mod host;
mod inventory;
mod lifecycle;
mod logging;
mod metadata;
mod notifications;
mod operations;
pub mod outside;
mod policy;
mod refusals;
mod storage_class;
mod stores;
mod tags;
mod token;
mod view;
mod xml;

use std::sync::Arc;

use boathouse_aws::access::{Authorizer, CredentialStore};
use boathouse_aws::http_service::HttpService;
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{Platform, ServiceTable};
use boathouse_objects::Objects;

pub use crate::entity_tags::{EntityTags, UnknownEntityTags};
pub use crate::front::OPERATIONS;

/// What can be settled for the whole of S3.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Leaves what is put into new buckets unencrypted, unlike AWS.
    pub plain_buckets: bool,
    /// What entity tags are made of.
    pub entity_tags: EntityTags,
}

/// S3, ready to be wired.
pub struct S3 {
    /// For the gateway.
    pub http: Arc<dyn HttpService>,
    /// For engines and services of the same process.
    pub stores: Arc<dyn ObjectStores>,
    /// For the dispatcher: what other services of this process can call.
    pub table: ServiceTable,
    /// The names of the operations that are implemented on the wire.
    pub operations: &'static [&'static str],
    /// What S3 does by itself; to be started when the dispatcher is complete.
    pub background: Background,
}

/// What S3 does without being asked.
pub struct Background(call::Store);

impl Background {
    /// Tells from now on what happens in buckets that have a notification configuration, beginning with what an earlier
    /// process had not told yet, carries lifecycle rules out,
    /// writes inventories and delivers access logs.
    pub fn start(&self, platform: &Platform) {
        notifications::worker::start(platform, &self.0);
        lifecycle::worker::start(platform, &self.0);
        logging::worker::start(platform, &self.0);
    }
}

/// S3 over `objects`; `authorizer` is asked before every operation, and `credentials` know who signs forms.
pub fn install(
    objects: Objects,
    authorizer: Arc<dyn Authorizer>,
    credentials: Arc<dyn CredentialStore>,
    options: Options,
) -> S3 {
    let Options { plain_buckets, entity_tags } = options;
    let store = call::Store {
        objects,
        authorizer,
        encrypts: !plain_buckets,
        entity_tags,
        rules: Arc::default(),
        log: Arc::default(),
    };
    let stores = Arc::new(stores::Stores(store.clone()));
    let http = Arc::new(adapter::Adapter::new(store.clone(), credentials));
    let table = dispatch::table(&http);
    S3 { http, stores, table, operations: OPERATIONS, background: Background(store) }
}
