//! Versions: what a bucket keeps of objects that are overwritten or deleted.
//!
//! The newest version of a key has its record in `Current` if it is an object, with or without versions: reads and
//! listings of objects meet nothing else. All others are in `Version`, newest first, and so is a delete marker that is the
//! newest one. The version `null` is the one that was written without versioning; `Null` says where it is in `Version`.

mod listing;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::listing::{ListVersions, VersionEntry, VersionMark, VersionPage};
use crate::buckets::{self, BucketInfo};
use crate::error::{Error, Result};
use crate::index::{Change, Table, View};
use crate::locks::BucketLock;
use crate::outbox::{self, Cause, ChangeKind};
use crate::record::{Extent, Location, ObjectInfo, Record};
use crate::references::{self, current, release};
use crate::{Objects, WriteCondition, blocking, key_of};

/// The name of the version that has no id.
pub const NULL_VERSION: &str = "null";
/// An id is a place in the order of versions and a random number, both of eight bytes, in hexadecimal.
const ID_DIGITS: usize = 32;
const NANOS: u64 = 1_000_000;
/// Deletions that one commit takes at most.
const BATCH: usize = 100;

/// What a bucket does with what is overwritten or deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// It is gone. Once versions were kept, there is no way back here.
    #[default]
    Off,
    /// It stays as a version.
    Enabled,
    /// Versions with ids stay; what is written and deleted now is the version `null`.
    Suspended,
}

/// What to delete of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteItem {
    /// The key.
    pub key: String,
    /// The version that is to be gone for good; without one the object is deleted as its bucket's versioning has it.
    pub version: Option<String>,
    /// What must hold of the present object.
    pub condition: WriteCondition,
    /// Whether a version goes although it is retained in governance mode.
    pub bypass_governance: bool,
}

/// What came of a deletion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Whether anything changed but for a new delete marker.
    pub found: bool,
    /// The version that is gone, or that was made: the delete marker.
    pub version: Option<String>,
    /// Whether that is a delete marker.
    pub delete_marker: bool,
}

/// Rows as a reader or a change sees them.
pub(crate) trait Rows {
    fn row(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// The first row whose key begins with the prefix and is `length` bytes long.
    fn first(&self, table: Table, prefix: &[u8], length: usize) -> Result<Option<(Vec<u8>, Vec<u8>)>>;
}

impl Rows for View {
    fn row(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(table, key)
    }

    fn first(&self, table: Table, prefix: &[u8], length: usize) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.first_of(table, prefix, length)
    }
}

impl Rows for Change<'_> {
    fn row(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(table, key)
    }

    fn first(&self, table: Table, prefix: &[u8], length: usize) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.first_of(table, prefix, length)
    }
}

/// A record and where it is.
pub(crate) struct Found {
    pub(crate) table: Table,
    pub(crate) row: Vec<u8>,
    pub(crate) record: Record,
}

/// Where the rows of a key's versions begin.
pub(crate) fn base(bucket: &str, key: &str) -> Vec<u8> {
    [&key_of(bucket, key)[..], &[0]].concat()
}

/// Later versions come first.
pub(crate) fn row_of(bucket: &str, key: &str, order: u64) -> Vec<u8> {
    [&base(bucket, key)[..], &(!order).to_be_bytes()].concat()
}

/// The key in a row without its bucket, and the version's place.
pub(crate) fn parse_row(name: &[u8]) -> Result<(&str, u64)> {
    let parts = name.split_last_chunk::<8>().and_then(|(key, order)| Some((key.strip_suffix(&[0])?, order)));
    let (key, order) = parts.ok_or_else(|| Error::Corrupt("version row".into()))?;
    Ok((crate::listing::text(key)?, !u64::from_be_bytes(*order)))
}

fn new_id(order: u64) -> String {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    format!("{order:016x}{random:016x}")
}

/// The place that an id names; nothing for the version `null`.
pub(crate) fn order_of_id(id: &str) -> Result<Option<u64>> {
    if id == NULL_VERSION {
        return Ok(None);
    }
    let invalid = || Error::InvalidVersion(id.to_owned());
    let digits = id.get(..ID_DIGITS / 2).filter(|_| id.len() == ID_DIGITS).ok_or_else(invalid)?;
    u64::from_str_radix(digits, 16).map(Some).map_err(|_| invalid())
}

impl ObjectInfo {
    /// The name of its version.
    pub fn version_id(&self) -> &str {
        self.version.as_deref().unwrap_or(NULL_VERSION)
    }

    /// Its place among the versions of its key. What was written without versioning has the place of its time.
    pub(crate) fn place(&self) -> u64 {
        if self.order > 0 { self.order } else { self.modified_ms.saturating_mul(NANOS) }
    }

    fn is_version(&self, id: &str) -> bool {
        self.version_id() == id
    }
}

/// The record of a version, or of the current object.
pub(crate) fn find(rows: &impl Rows, bucket: &str, key: &str, version: Option<&str>) -> Result<Option<Found>> {
    let row = key_of(bucket, key);
    let order = version.map(order_of_id).transpose()?;
    if let Some(raw) = rows.row(Table::Current, &row)? {
        let record = Record::decode(&raw)?;
        if version.is_none_or(|id| record.info.is_version(id)) {
            return Ok(Some(Found { table: Table::Current, row, record }));
        }
    }
    let (Some(id), Some(order)) = (version, order) else { return Ok(None) };
    let order = match order {
        Some(order) => Some(order),
        None => null_place(rows, &row)?,
    };
    let Some(order) = order else { return Ok(None) };
    let row = row_of(bucket, key, order);
    let record = rows.row(Table::Version, &row)?.map(|raw| Record::decode(&raw)).transpose()?;
    let record = record.filter(|record| record.info.is_version(id));
    Ok(record.map(|record| Found { table: Table::Version, row, record }))
}

/// The place of the version `null` in `Version`, if it is there.
fn null_place(rows: &impl Rows, row: &[u8]) -> Result<Option<u64>> {
    let raw = rows.row(Table::Null, row)?;
    raw.map(|raw| raw.try_into().map(u64::from_be_bytes).map_err(|_| Error::Corrupt("null version".into()))).transpose()
}

/// The newest version that is not the current object.
fn newest_other(rows: &impl Rows, bucket: &str, key: &str) -> Result<Option<Found>> {
    let base = base(bucket, key);
    let Some((row, raw)) = rows.first(Table::Version, &base, base.len() + 8)? else { return Ok(None) };
    Ok(Some(Found { table: Table::Version, row, record: Record::decode(&raw)? }))
}

/// Puts a record in the place of the present one; tells which version it is.
pub(crate) fn put(
    change: &mut Change<'_>,
    bucket: &BucketInfo,
    key: &str,
    old: Option<Record>,
    mut record: Record,
) -> Result<ObjectInfo> {
    (record.info.version, record.info.order, record.info.delete_marker) = (None, 0, false);
    if let Some(default) = bucket.lock.and_then(|lock| lock.default)
        && record.info.lock.retention.is_none()
    {
        record.info.lock.retention = Some(default.from(record.info.modified_ms));
    }
    match (bucket.versioning, old) {
        (Versioning::Off, None) => {}
        (Versioning::Off, Some(old)) => release(change, &old.location)?,
        (_, old) => make_way(change, bucket, key, old, &mut record.info)?,
    }
    change.insert(Table::Current, &key_of(&bucket.name, key), record.encode());
    Ok(record.info)
}

/// Deletes the present object as the bucket's versioning has it.
fn delete_current(
    change: &mut Change<'_>,
    bucket: &BucketInfo,
    key: &str,
    old: Option<Record>,
    cause: Cause,
) -> Result<Deletion> {
    let found = old.is_some();
    if bucket.versioning == Versioning::Off {
        if let Some(old) = old {
            references::remove(change, &bucket.name, key, &old, cause)?;
        }
        return Ok(Deletion { found, ..Deletion::default() });
    }
    let mut info = ObjectInfo { modified_ms: cause.at_ms, delete_marker: true, ..ObjectInfo::default() };
    make_way(change, bucket, key, old, &mut info)?;
    change.remove(Table::Current, &key_of(&bucket.name, key));
    let marker = Record { info, location: Location::Whole(Extent::Inline(bytes::Bytes::new())) };
    set_aside(change, &bucket.name, key, &marker);
    let kind = match cause.kind {
        ChangeKind::Expire => ChangeKind::ExpireToMarker,
        _ => ChangeKind::DeleteMarker,
    };
    outbox::keep(change, &bucket.name, key, &marker.info, Cause { kind, ..cause })?;
    let version = Some(marker.info.version_id().to_owned());
    Ok(Deletion { found, version, delete_marker: true })
}

/// Gives a new version its name and its place, in front of all others.
fn make_way(
    change: &mut Change<'_>,
    bucket: &BucketInfo,
    key: &str,
    old: Option<Record>,
    new: &mut ObjectInfo,
) -> Result<()> {
    let newest = match &old {
        Some(old) => Some(old.info.place()),
        None => newest_other(change, &bucket.name, key)?.map(|found| found.record.info.place()),
    };
    new.order = change.next_sequence().max(newest.map_or(0, |place| place + 1));
    if bucket.versioning == Versioning::Enabled {
        new.version = Some(new_id(new.order));
        if let Some(old) = old {
            set_aside(change, &bucket.name, key, &old);
        }
        return Ok(());
    }
    match old {
        Some(old) if old.info.version.is_none() => release(change, &old.location),
        old => {
            if let Some(null) = find(change, &bucket.name, key, Some(NULL_VERSION))? {
                take_out(change, &bucket.name, key, &null)?;
            }
            if let Some(old) = old {
                set_aside(change, &bucket.name, key, &old);
            }
            Ok(())
        }
    }
}

/// Puts a record among those that are not current.
fn set_aside(change: &mut Change<'_>, bucket: &str, key: &str, record: &Record) {
    let order = record.info.place();
    change.insert(Table::Version, &row_of(bucket, key, order), record.encode());
    if record.info.version.is_none() {
        change.insert(Table::Null, &key_of(bucket, key), order.to_be_bytes().to_vec());
    }
}

/// Removes a record and its hold on its bytes.
fn take_out(change: &mut Change<'_>, bucket: &str, key: &str, found: &Found) -> Result<()> {
    release(change, &found.record.location)?;
    remove_row(change, bucket, key, found);
    Ok(())
}

fn remove_row(change: &mut Change<'_>, bucket: &str, key: &str, found: &Found) {
    change.remove(found.table, &found.row);
    if found.table == Table::Version && found.record.info.version.is_none() {
        change.remove(Table::Null, &key_of(bucket, key));
    }
}

/// Removes a version for good. If it was the current object, the one before it becomes that.
fn delete_version(
    change: &mut Change<'_>,
    bucket: &BucketInfo,
    item: &DeleteItem,
    version: &str,
    cause: Cause,
) -> Result<Deletion> {
    let (name, key) = (&bucket.name, &item.key);
    let deletion = |found, delete_marker| Deletion { found, version: Some(version.to_owned()), delete_marker };
    let Some(found) = find(change, name, key, Some(version))? else { return Ok(deletion(false, false)) };
    found.record.info.lock.check(cause.at_ms, item.bypass_governance)?;
    take_out(change, name, key, &found)?;
    if current(change, name, key)?.is_none()
        && let Some(next) = newest_other(change, name, key)?
        && !next.record.info.delete_marker
    {
        remove_row(change, name, key, &next);
        change.insert(Table::Current, &key_of(name, key), next.record.encode());
    }
    outbox::keep(change, name, key, &found.record.info, cause)?;
    Ok(deletion(true, found.record.info.delete_marker))
}

/// Deletes what an item names.
pub(crate) fn delete(
    change: &mut Change<'_>,
    bucket: &BucketInfo,
    item: &DeleteItem,
    cause: Cause,
) -> Result<Deletion> {
    let old = current(change, &bucket.name, &item.key)?;
    let checked = references::check(&item.condition, old.as_ref(), &item.key);
    if matches!(checked, Err(Error::NoSuchKey(_))) && newest_other(change, &bucket.name, &item.key)?.is_some() {
        // A delete marker is there; it only does not match.
        return Err(Error::PreconditionFailed);
    }
    checked?;
    match &item.version {
        Some(version) => delete_version(change, bucket, item, version, cause),
        None => delete_current(change, bucket, &item.key, old, cause),
    }
}

impl Objects {
    /// Says what a bucket does with what is overwritten or deleted from now on.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn set_versioning(&self, bucket: &str, versioning: Versioning) -> Result<()> {
        self.amend_bucket(bucket, move |bucket| bucket.versioning = versioning).await
    }

    /// Lets a bucket's versions be locked, and says what it wants for new ones.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn set_lock(&self, bucket: &str, lock: BucketLock) -> Result<()> {
        self.amend_bucket(bucket, move |bucket| bucket.lock = Some(lock)).await
    }

    async fn amend_bucket(&self, bucket: &str, amend: impl FnOnce(&mut BucketInfo) + Send + 'static) -> Result<()> {
        let name = bucket.to_owned();
        let set = move |change: &mut Change<'_>| {
            let mut bucket = BucketInfo::clone(&*buckets::find(change, &name)?);
            amend(&mut bucket);
            change.insert(Table::Bucket, name.as_bytes(), bucket.encode());
            Ok(())
        };
        self.inner.writer.change(set).await
    }

    /// Deletes objects or versions of them. What fails leaves nothing of itself behind; others go on. Keys and versions that
    /// are not there are no error. Many are deleted in several durable batches, so that the writes of others come in between.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`]; of one item [`Error::PreconditionFailed`], [`Error::NoSuchKey`] (conditional on a missing
    /// object), [`Error::InvalidVersion`], [`Error::Locked`].
    pub async fn delete_items(
        &self,
        bucket: &str,
        items: Vec<DeleteItem>,
        kind: ChangeKind,
        origin: Option<String>,
    ) -> Result<Vec<Result<Deletion>>> {
        let (at_ms, mut outcomes) = (self.now_ms(), Vec::with_capacity(items.len()));
        let mut items = items.into_iter().peekable();
        loop {
            let mut some: Vec<DeleteItem> = items.by_ref().take(BATCH).collect();
            let (name, origin) = (bucket.to_owned(), origin.clone());
            let many = some.len() > 1;
            if many {
                some = self.warm(bucket, some).await?;
            }
            let delete_some = move |change: &mut Change<'_>| {
                let bucket = buckets::find(change, &name)?;
                let outcome = |item| delete(change, &bucket, item, Cause { kind, at_ms, origin: origin.clone() });
                Ok(some.iter().map(outcome).collect::<Vec<_>>())
            };
            let writer = &self.inner.writer;
            outcomes.extend(match many {
                true => writer.change_in_bulk(delete_some).await?,
                false => writer.change(delete_some).await?,
            });
            if items.peek().is_none() {
                return Ok(outcomes);
            }
        }
    }

    /// Reads records that are about to be deleted: what comes from the disk does not hold up the writer, whom all wait for.
    async fn warm(&self, bucket: &str, items: Vec<DeleteItem>) -> Result<Vec<DeleteItem>> {
        let (index, bucket) = (self.inner.index.clone(), bucket.to_owned());
        blocking(move || {
            let view = index.view();
            items.iter().try_for_each(|item| view.get(Table::Current, &key_of(&bucket, &item.key)).map(drop))?;
            Ok(items)
        })
        .await
    }

    /// Changes what is stored beside an object's bytes, or beside those of one version.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`], [`Error::NoSuchVersion`], [`Error::DeleteMarker`]; what `amend` answers.
    pub async fn amend(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        amend: impl FnOnce(&mut ObjectInfo) -> Result<()> + Send + 'static,
    ) -> Result<ObjectInfo> {
        let (bucket, key, version) = (bucket.to_owned(), key.to_owned(), version.map(str::to_owned));
        let amend = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let mut found = required(change, &bucket, &key, version.as_deref())?;
            amend(&mut found.record.info)?;
            change.insert(found.table, &found.row, found.record.encode());
            Ok(found.record.info)
        };
        self.inner.writer.change(amend).await
    }

    /// An object without its bytes, or one version of it.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`], [`Error::NoSuchVersion`], [`Error::InvalidVersion`],
    /// [`Error::DeleteMarker`].
    pub fn head_version(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectInfo> {
        let found = required(&self.inner.index.view(), bucket, key, version);
        found.map(|found| found.record.info).or_else(|error| self.bucket(bucket).and(Err(error)))
    }

    /// The delete marker that hides a key.
    ///
    /// # Errors
    /// Of the index only.
    pub fn delete_marker(&self, bucket: &str, key: &str) -> Result<Option<ObjectInfo>> {
        let view = self.inner.index.view();
        if view.get(Table::Current, &key_of(bucket, key))?.is_some() {
            return Ok(None);
        }
        let newest = newest_other(&view, bucket, key)?.map(|found| found.record.info);
        Ok(newest.filter(|info| info.delete_marker))
    }
}

/// A record that must be there, and an object's.
pub(crate) fn required(rows: &impl Rows, bucket: &str, key: &str, version: Option<&str>) -> Result<Found> {
    match (find(rows, bucket, key, version)?, version) {
        (Some(found), _) if found.record.info.delete_marker => {
            let info = &found.record.info;
            Err(Error::DeleteMarker { version: info.version_id().to_owned(), modified_ms: info.modified_ms })
        }
        (Some(found), _) => Ok(found),
        (None, None) => Err(Error::NoSuchKey(key.to_owned())),
        (None, Some(version)) => Err(Error::NoSuchVersion(version.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_their_place() {
        let id = new_id(0x1234);
        assert_eq!((id.len(), order_of_id(&id).unwrap()), (ID_DIGITS, Some(0x1234)));
        assert_eq!(order_of_id(NULL_VERSION).unwrap(), None);
        for wrong in ["", "3", "zz345678901234567890123456789012", "é2345678901234567890123456789012"] {
            assert!(matches!(order_of_id(wrong), Err(Error::InvalidVersion(_))), "{wrong}");
        }
    }

    #[test]
    fn rows_come_apart() {
        let row = row_of("b", "a/é", 77);
        assert_eq!(parse_row(&row[2..]).unwrap(), ("a/é", 77));
        assert!(row_of("b", "a", 8) < row_of("b", "a", 7));
        assert!(parse_row(b"short").is_err());
    }
}
