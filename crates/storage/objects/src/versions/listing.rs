//! All versions of a bucket's keys: current objects and the others, merged by key, the newest first.

use std::iter::Peekable;
use std::ops::Bound;

use super::{base, order_of_id, parse_row, row_of};
use crate::error::{Error, Result};
use crate::index::{Index, Row, Table, successor};
use crate::listing::{SkipScan, text};
use crate::record::{ObjectInfo, Record};
use crate::{Objects, blocking, key_of};

/// Which versions to list.
#[derive(Debug, Clone, Default)]
pub struct ListVersions {
    /// Only keys that begin so.
    pub prefix: String,
    /// Keys that hold this text behind the prefix are rolled up to one common prefix. Not empty.
    pub delimiter: Option<String>,
    /// Only what lies behind this.
    pub after: Option<VersionMark>,
    /// Versions and common prefixes together at most.
    pub max_keys: usize,
}

/// Where a page ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionMark {
    /// A key, or a common prefix.
    pub key: String,
    /// The last version of the key; without one all of the key's versions are passed over.
    pub version: Option<String>,
}

/// A version, or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionEntry {
    /// Its key.
    pub key: String,
    /// The version.
    pub info: ObjectInfo,
    /// Whether it is the newest one.
    pub latest: bool,
}

/// One page, by key and then from the newest to the oldest version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions and delete markers.
    pub versions: Vec<VersionEntry>,
    /// The common prefixes, each once.
    pub common_prefixes: Vec<String>,
    /// The `after` of the next page, if there is one.
    pub next: Option<VersionMark>,
}

impl Objects {
    /// One page of a bucket's versions.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::InvalidVersion`].
    pub async fn list_versions(&self, bucket: &str, request: ListVersions) -> Result<VersionPage> {
        self.bucket(bucket)?;
        let (index, bucket) = (self.inner.index.clone(), bucket.to_owned());
        blocking(move || list(&index, &bucket, &request)).await
    }
}

fn list(index: &Index, bucket: &str, request: &ListVersions) -> Result<VersionPage> {
    let scan = SkipScan::new(Table::Current, bucket, &request.prefix, request.delimiter.as_deref());
    let mut page = VersionPage::default();
    let Some(mut start) = start(index, &scan, bucket, request.after.as_ref())? else { return Ok(page) };
    let moment = index.moment()?;
    let within = key_of(bucket, &request.prefix);
    let skipped = key_of(bucket, "").len();
    // The newest version of a key that an earlier page ended in was on that page.
    let mut seen = request.after.as_ref().filter(|after| after.version.is_some()).map(|after| after.key.clone());
    let mut last = None;
    'seek: loop {
        let rows =
            |table, from: &Bound<Vec<u8>>| moment.scan(table, &within, from.as_ref().map(Vec::as_slice)).peekable();
        let (currents, others) = (rows(Table::Current, &start.currents), rows(Table::Version, &start.others));
        let mut merged = Merged { currents, others, skipped };
        while let Some((key, value)) = merged.next()? {
            if page.versions.len() + page.common_prefixes.len() == request.max_keys {
                page.next = last;
                return Ok(page);
            }
            if let Some(prefix) = scan.rolled_up(&key) {
                page.common_prefixes.push(prefix.to_owned());
                last = Some(VersionMark { key: prefix.to_owned(), version: None });
                let Some(behind) = successor(key_of(bucket, prefix)) else { return Ok(page) };
                start = Start { currents: Bound::Included(behind.clone()), others: Bound::Included(behind) };
                continue 'seek;
            }
            let info = Record::decode(&value)?.info;
            let latest = seen.as_ref() != Some(&key);
            seen = Some(key.clone());
            last = Some(VersionMark { key: key.clone(), version: Some(info.version_id().to_owned()) });
            page.versions.push(VersionEntry { key, info, latest });
        }
        return Ok(page);
    }
}

/// Where a page begins in both tables.
struct Start {
    currents: Bound<Vec<u8>>,
    others: Bound<Vec<u8>>,
}

/// `None` if there can be nothing.
fn start(index: &Index, scan: &SkipScan<'_>, bucket: &str, after: Option<&VersionMark>) -> Result<Option<Start>> {
    let Some(after) = after else {
        return Ok(Some(Start { currents: Bound::Unbounded, others: Bound::Unbounded }));
    };
    let key = &after.key;
    let Some(currents) = scan.behind(key) else { return Ok(None) };
    let others = match (&currents, &after.version) {
        (Bound::Excluded(_), None) => match successor(base(bucket, key)) {
            Some(behind) => Bound::Included(behind),
            None => return Ok(None),
        },
        (Bound::Excluded(row), Some(id)) => {
            let place = match order_of_id(id)? {
                Some(place) => Some(place),
                None => null_place(index, row)?,
            };
            // A version `null` that is the current object stands before all others.
            place
                .map_or_else(|| Bound::Included(base(bucket, key)), |place| Bound::Excluded(row_of(bucket, key, place)))
        }
        (bound, _) => (*bound).clone(),
    };
    Ok(Some(Start { currents, others }))
}

fn null_place(index: &Index, row: &[u8]) -> Result<Option<u64>> {
    super::null_place(&index.view(), row)
}

/// The rows of both tables in the order of their keys, a current object before others of its key.
struct Merged<I: Iterator<Item = Row>> {
    currents: Peekable<I>,
    others: Peekable<I>,
    /// How long the bucket's part of a row is.
    skipped: usize,
}

impl<I: Iterator<Item = Row>> Merged<I> {
    fn next(&mut self) -> Result<Option<(String, fjall::Slice)>> {
        let current = peeked(&mut self.currents, self.skipped, text)?;
        let other = peeked(&mut self.others, self.skipped, |name| Ok(parse_row(name)?.0))?;
        let (key, rows) = match (current, other) {
            (Some(current), Some(other)) if other < current => (other, &mut self.others),
            (Some(current), _) => (current, &mut self.currents),
            (None, Some(other)) => (other, &mut self.others),
            (None, None) => return Ok(None),
        };
        let row = rows.next().ok_or_else(|| Error::Corrupt("a row that was seen is gone".into()))?;
        Ok(Some((key, row?.1)))
    }
}

fn peeked<I: Iterator<Item = Row>>(
    rows: &mut Peekable<I>,
    skipped: usize,
    key: impl Fn(&[u8]) -> Result<&str>,
) -> Result<Option<String>> {
    match rows.peek() {
        Some(Ok((row, _))) => key(&row[skipped..]).map(|key| Some(key.to_owned())),
        Some(Err(error)) => Err(error.clone()),
        None => Ok(None),
    }
}
