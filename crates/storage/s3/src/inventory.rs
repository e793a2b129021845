//! Inventories ("Cataloging and analyzing your data with S3 Inventory"): lists of a bucket's objects, written each day or week.
//!
//! Reports are CSV, compressed, with a manifest, its checksum and the file by which Hive finds them. They are due at the
//! midnight (UTC) of the platform's clock, weekly ones on Sundays; which one was written last is kept, so that a server that
//! was down at midnight writes it when it starts.
//!
//! | Module | What it does |
//! |---|---|
//! | [`configuration`] | what is listed, and where to: checks, from and to the wire |
//! | [`report`] | writes a report |

pub(crate) mod configuration;
pub(crate) mod report;

use boathouse_aws::Ctx;

use self::configuration::Inventory;
use crate::call::Store;
use crate::error::{Result, from_engine, internal};

/// What the names of inventories' documents begin with.
const PREFIX: &str = "inventory/";
/// What the names of the documents begin with that say which report was written last.
const DONE: &str = "inventory-done/";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(crate) fn document(id: &str) -> String {
    format!("{PREFIX}{id}")
}

pub(crate) fn done(id: &str) -> String {
    format!("{DONE}{id}")
}

/// All inventories of a bucket, by id.
pub(crate) fn all(store: &Store, bucket: &str) -> Result<Vec<Inventory>> {
    let documents = store.objects.documents(bucket).map_err(from_engine)?;
    let found = documents.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
    found.map(|(_, text)| serde_json::from_str(&text).map_err(|error| internal(&error))).collect()
}

/// Writes all reports that are due.
pub(crate) async fn run(ctx: &Ctx, store: &Store) {
    let Ok(buckets) = store.objects.buckets() else { return };
    let midnight = ctx.now().timestamp_millis().div_euclid(DAY_MS) * DAY_MS;
    for bucket in buckets {
        let inventories = all(store, &bucket.name).unwrap_or_default();
        for inventory in inventories {
            if let Err(error) = write_if_due(ctx, store, &bucket.name, &inventory, midnight).await {
                let id = inventory.id;
                tracing::error!(%error, bucket = bucket.name, id, "an inventory could not be written");
            }
        }
    }
}

async fn write_if_due(ctx: &Ctx, store: &Store, bucket: &str, inventory: &Inventory, midnight: i64) -> Result<()> {
    let last: Option<i64> = store.document(bucket, &done(&inventory.id))?;
    let due = inventory.due_at(midnight);
    if !inventory.enabled || last.unwrap_or(inventory.since_ms) >= due {
        return Ok(());
    }
    report::write(ctx, store, bucket, inventory).await?;
    store.put_document(bucket, &done(&inventory.id), &due).await
}
