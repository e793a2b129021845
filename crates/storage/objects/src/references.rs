//! Which records hold on to which bytes: every change of a record goes through here, so that bytes end with their last record.

use uuid::Uuid;

use crate::buckets;
use crate::error::{Error, Result};
use crate::index::{Change, Table};
use crate::key_of;
use crate::manifest;
use crate::objects::WriteCondition;
use crate::outbox::{self, Cause};
use crate::packs;
use crate::record::{Extent, Location, ObjectInfo, Record};
use crate::versions;

pub(crate) fn current(change: &Change<'_>, bucket: &str, key: &str) -> Result<Option<Record>> {
    change.get(Table::Current, &key_of(bucket, key))?.map(|raw| Record::decode(&raw)).transpose()
}

/// Puts a record in the place of the present one, if the condition holds of that; tells which version it became.
pub(crate) fn replace(
    change: &mut Change<'_>,
    bucket: &str,
    key: &str,
    condition: &WriteCondition,
    record: Record,
    cause: Cause,
) -> Result<ObjectInfo> {
    let bucket = buckets::find(change, bucket)?;
    let old = current(change, &bucket.name, key)?;
    check(condition, old.as_ref(), key)?;
    let info = versions::put(change, &bucket, key, old, record)?;
    outbox::keep(change, &bucket.name, key, &info, cause)?;
    Ok(info)
}

/// Removes a record.
pub(crate) fn remove(change: &mut Change<'_>, bucket: &str, key: &str, record: &Record, cause: Cause) -> Result<()> {
    release(change, &record.location)?;
    change.remove(Table::Current, &key_of(bucket, key));
    outbox::keep(change, bucket, key, &record.info, cause)
}

pub(crate) fn check(condition: &WriteCondition, old: Option<&Record>, key: &str) -> Result<()> {
    match (condition, old) {
        (WriteCondition::Always, _) | (WriteCondition::Absent, None) => Ok(()),
        (WriteCondition::Matches(etag), Some(old)) if *etag == old.info.etag => Ok(()),
        (WriteCondition::Present, Some(_)) => Ok(()),
        (WriteCondition::Unchanged { etag, modified_ms }, Some(old))
            if *etag == old.info.etag && *modified_ms == old.info.modified_ms =>
        {
            Ok(())
        }
        (WriteCondition::Matches(_) | WriteCondition::Present, None) => Err(Error::NoSuchKey(key.to_owned())),
        _ => Err(Error::PreconditionFailed),
    }
}

/// Adds a reference of one more record.
pub(crate) fn share(change: &mut Change<'_>, location: &Location) -> Result<()> {
    if let Some(id) = location.id() {
        let count = count(change, id)? + 1;
        change.insert(Table::Shared, id.as_bytes(), count.to_be_bytes().to_vec());
    }
    Ok(())
}

/// Removes the reference of one record, and the bytes with the last one.
pub(crate) fn release(change: &mut Change<'_>, location: &Location) -> Result<()> {
    let Some(id) = location.id() else { return Ok(()) };
    match count(change, id)? {
        1 => free(change, location),
        2 => {
            change.remove(Table::Shared, id.as_bytes());
            Ok(())
        }
        count => {
            change.insert(Table::Shared, id.as_bytes(), (count - 1).to_be_bytes().to_vec());
            Ok(())
        }
    }
}

fn count(change: &Change<'_>, id: Uuid) -> Result<u64> {
    let Some(raw) = change.get(Table::Shared, id.as_bytes())? else { return Ok(1) };
    let count = raw.try_into().map_err(|_| Error::Corrupt("reference count".into()))?;
    Ok(u64::from_be_bytes(count))
}

fn free(change: &mut Change<'_>, location: &Location) -> Result<()> {
    match location {
        Location::Whole(extent) => free_extent(change, extent),
        // It is not the store's own.
        Location::Attached(_) => Ok(()),
        Location::Parts(id) => {
            let raw = change.get(Table::Manifest, id.as_bytes())?.ok_or_else(manifest::missing)?;
            change.remove(Table::Manifest, id.as_bytes());
            manifest::decode(&raw)?.iter().try_for_each(|part| free_extent(change, &part.extent))
        }
    }
}

/// Frees bytes that only the caller's row referenced.
pub(crate) fn free_extent(change: &mut Change<'_>, extent: &Extent) -> Result<()> {
    match extent {
        Extent::Inline(_) => Ok(()),
        Extent::Blob(id) => {
            change.insert(Table::Garbage, id.as_bytes(), Vec::new());
            Ok(())
        }
        Extent::Packed(id) => packs::vacate(change, *id),
    }
}
