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
    let base = crate::key_of(bucket, "");
    let within = crate::key_of(bucket, &request.prefix);
    let delimiter = request.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let snapshot = index.database.snapshot();
    let mut from = Bound::Unbounded;
    if let Some(after) = request.after.as_deref().filter(|after| *after >= request.prefix.as_str()) {
        let full = crate::key_of(bucket, after);
        from = match rolled_up(after, &request.prefix, delimiter) {
            Some(prefix) if prefix == after => match successor(full) {
                Some(behind) => Bound::Included(behind),
                None => return Ok(Listing::default()),
            },
            _ => Bound::Excluded(full),
        };
    }
    let mut page = Listing::default();
    let mut last: Option<String> = None;
    'seek: loop {
        let start = from.as_ref().map(Vec::as_slice);
        for row in index.scan_at(&snapshot, Table::Current, &within, start) {
            let (raw_key, value) = row?;
            let key =
                std::str::from_utf8(&raw_key[base.len()..]).map_err(|_| Error::Corrupt("key is not UTF-8".into()))?;
            if page.objects.len() + page.common_prefixes.len() == request.max_keys {
                page.next = last;
                return Ok(page);
            }
            if let Some(prefix) = rolled_up(key, &request.prefix, delimiter) {
                let behind = successor(crate::key_of(bucket, prefix));
                page.common_prefixes.push(prefix.to_owned());
                last = Some(prefix.to_owned());
                let Some(behind) = behind else { return Ok(page) };
                from = Bound::Included(behind);
                continue 'seek;
            }
            page.objects.push((key.to_owned(), Record::decode(&value)?.info));
            last = Some(key.to_owned());
        }
        return Ok(page);
    }
}

fn rolled_up<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter?;
    let found = key.strip_prefix(prefix)?.find(delimiter)?;
    Some(&key[..prefix.len() + found + delimiter.len()])
}
