//! What was found out about dictionaries, for as long as batches with them come.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray};
use datafusion::common::Result;
use parking_lot::Mutex;

/// How many dictionaries are remembered: as many threads may each read another row group.
const REMEMBERED: usize = 16;

/// Something that is worked out once for each dictionary.
#[derive(Debug)]
pub(super) struct OfDictionaries<T>(Mutex<VecDeque<(ArrayRef, Arc<T>)>>);

impl<T> Default for OfDictionaries<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> OfDictionaries<T> {
    /// What is known of a dictionary with these texts, or else is worked out now.
    pub(super) fn get(&self, texts: &ArrayRef, work_out: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let is_it = |(known, _): &&(ArrayRef, Arc<T>)| is_same(known.as_string(), texts.as_string());
        if let Some((_, found)) = self.0.lock().iter().rev().find(is_it) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(work_out()?);
        let mut remembered = self.0.lock();
        if remembered.len() == REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back((Arc::clone(texts), Arc::clone(&found)));
        Ok(found)
    }
}

/// Whether two arrays are the same piece of memory.
fn is_same(one: &StringArray, other: &StringArray) -> bool {
    one.len() == other.len()
        && std::ptr::eq(one.value_data().as_ptr(), other.value_data().as_ptr())
        && std::ptr::eq(one.value_offsets().as_ptr(), other.value_offsets().as_ptr())
}
