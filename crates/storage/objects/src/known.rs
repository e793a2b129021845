//! Buckets and their documents in memory, as they were last committed: every call asks for them.
//!
//! A bucket is read when it is first asked for, and forgotten when a commit changes it, before that is answered.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::buckets::BucketInfo;
use crate::documents::text;
use crate::error::Result;
use crate::index::{Index, Table};
use crate::key_of;

/// More buckets than this are not remembered at once.
const MOST: usize = 1024;

/// A bucket with its documents.
pub(crate) struct Known {
    pub(crate) info: Arc<BucketInfo>,
    pub(crate) documents: BTreeMap<String, Arc<str>>,
}

/// The buckets that were asked for.
#[derive(Default)]
pub(crate) struct KnownBuckets(RwLock<State>);

#[derive(Default)]
struct State {
    /// Grows with every commit that changes a bucket: what was read before is not remembered after it.
    changes: u64,
    buckets: HashMap<String, Arc<Known>>,
}

impl KnownBuckets {
    /// A bucket; `None` if there is none of that name, which is not remembered.
    pub(crate) fn find(&self, index: &Index, name: &str) -> Result<Option<Arc<Known>>> {
        let changes = {
            let state = self.0.read();
            if let Some(known) = state.buckets.get(name) {
                return Ok(Some(Arc::clone(known)));
            }
            state.changes
        };
        let Some(known) = read(index, name)?.map(Arc::new) else { return Ok(None) };
        let mut state = self.0.write();
        if state.changes == changes {
            if state.buckets.len() >= MOST {
                state.buckets.clear();
            }
            state.buckets.insert(name.to_owned(), Arc::clone(&known));
        }
        Ok(Some(known))
    }

    /// Forgets all buckets.
    pub(crate) fn clear(&self) {
        let mut state = self.0.write();
        state.changes += 1;
        state.buckets.clear();
    }

    /// Forgets the bucket of a row that was committed, if it is one of a bucket.
    pub(crate) fn forget(&self, table: Table, key: &[u8]) {
        let name = match table {
            Table::Bucket => key,
            Table::Document => key.split(|byte| *byte == 0).next().unwrap_or_default(),
            _ => return,
        };
        let mut state = self.0.write();
        state.changes += 1;
        if let Ok(name) = std::str::from_utf8(name) {
            state.buckets.remove(name);
        }
    }
}

fn read(index: &Index, name: &str) -> Result<Option<Known>> {
    let moment = index.moment()?;
    let Some(row) = moment.get(Table::Bucket, name.as_bytes())? else { return Ok(None) };
    let base = key_of(name, "");
    let rows = moment.scan(Table::Document, &base, Bound::Unbounded);
    let documents = rows.map(|row| {
        let (key, value) = row?;
        Ok((text(key[base.len()..].to_vec())?, text(value.to_vec())?.into()))
    });
    let info = Arc::new(BucketInfo::decode(name.as_bytes(), &row)?);
    Ok(Some(Known { info, documents: documents.collect::<Result<_>>()? }))
}
