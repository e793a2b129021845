//! Listing as a skip-scan: after each common prefix the scan seeks to its successor, whatever lies below it.

use std::ops::Bound;

use crate::error::{Error, Result};
use crate::index::{Index, Table, successor};
use crate::record::{ObjectInfo, Record};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// Only keys that begin so.
    pub prefix: String,
    /// Keys that hold this text behind the prefix are rolled up to one common prefix. Not empty.
    pub delimiter: Option<String>,
    /// Only keys behind this one; a common prefix that an earlier page ended with is skipped whole.
    pub after: Option<String>,
    /// Objects and common prefixes together at most.
    pub max_keys: usize,
}

/// One page, in the byte order of UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects.
    pub objects: Vec<(String, ObjectInfo)>,
    /// The common prefixes, each once.
    pub common_prefixes: Vec<String>,
    /// The `after` of the next page, if there is one.
    pub next: Option<String>,
}

pub(crate) fn list(index: &Index, bucket: &str, request: &ListRequest) -> Result<Listing> {
    let scan = SkipScan::new(Table::Current, bucket, &request.prefix, request.delimiter.as_deref());
    let from = match request.after.as_deref() {
        None => Bound::Unbounded,
        Some(after) => match scan.behind(after) {
            Some(from) => from,
            None => return Ok(Listing::default()),
        },
    };
    let mut page = Listing::default();
    let mut last = None;
    let more = scan.run(index, from, request.max_keys, |found| {
        last = Some(match found {
            Found::Prefix(prefix) => {
                page.common_prefixes.push(prefix.to_owned());
                prefix.to_owned()
            }
            Found::Row { name, value } => {
                let key = text(name)?.to_owned();
                page.objects.push((key.clone(), Record::decode(value)?.info));
                key
            }
        });
        Ok(())
    })?;
    page.next = last.filter(|_| more);
    Ok(page)
}

pub(crate) fn text(key: &[u8]) -> Result<&str> {
    std::str::from_utf8(key).map_err(|_| Error::Corrupt("key is not UTF-8".into()))
}

/// A scan of the rows of a bucket that goes from one common prefix to the next.
pub(crate) struct SkipScan<'a> {
    table: Table,
    bucket: &'a str,
    prefix: &'a str,
    delimiter: Option<&'a str>,
}

pub(crate) enum Found<'a> {
    Prefix(&'a str),
    /// `name` is the key of the row without the bucket.
    Row {
        name: &'a [u8],
        value: &'a [u8],
    },
}

impl<'a> SkipScan<'a> {
    pub(crate) fn new(table: Table, bucket: &'a str, prefix: &'a str, delimiter: Option<&'a str>) -> Self {
        let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
        Self { table, bucket, prefix, delimiter }
    }

    /// Where a page begins that follows a name; `None` if there can be nothing.
    pub(crate) fn behind(&self, after: &str) -> Option<Bound<Vec<u8>>> {
        if after < self.prefix {
            return Some(Bound::Unbounded);
        }
        let full = crate::key_of(self.bucket, after);
        match self.rolled_up(after) {
            Some(prefix) if prefix == after => successor(full).map(Bound::Included),
            _ => Some(Bound::Excluded(full)),
        }
    }

    /// Reports at most `max` rows and common prefixes; returns whether there are more.
    pub(crate) fn run(
        &self,
        index: &Index,
        mut from: Bound<Vec<u8>>,
        max: usize,
        mut report: impl FnMut(Found<'_>) -> Result<()>,
    ) -> Result<bool> {
        let base = crate::key_of(self.bucket, "").len();
        let within = crate::key_of(self.bucket, self.prefix);
        let moment = index.moment()?;
        let mut count = 0;
        'seek: loop {
            let start = from.as_ref().map(Vec::as_slice);
            for row in moment.scan(self.table, &within, start) {
                let (key, value) = row?;
                if count == max {
                    return Ok(true);
                }
                count += 1;
                let name = &key[base..];
                let rolled_up = if self.delimiter.is_some() { self.rolled_up(self.key(name)?) } else { None };
                if let Some(prefix) = rolled_up {
                    report(Found::Prefix(prefix))?;
                    let Some(behind) = successor(crate::key_of(self.bucket, prefix)) else { return Ok(false) };
                    from = Bound::Included(behind);
                    continue 'seek;
                }
                report(Found::Row { name, value: &value })?;
            }
            return Ok(false);
        }
    }

    fn key<'n>(&self, name: &'n [u8]) -> Result<&'n str> {
        match self.table {
            Table::Upload => crate::uploads::key_of_row(name),
            _ => text(name),
        }
    }

    pub(crate) fn rolled_up<'n>(&self, key: &'n str) -> Option<&'n str> {
        let delimiter = self.delimiter?;
        let found = key.strip_prefix(self.prefix)?.find(delimiter)?;
        Some(&key[..self.prefix.len() + found + delimiter.len()])
    }
}
