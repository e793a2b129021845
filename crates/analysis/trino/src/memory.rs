//! The memory pool of all queries, and what a partial aggregation may take of it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use parking_lot::Mutex;

/// How many bytes the table of one partial aggregation may take.
///
/// Such a table may hand on its groups at any time, since the final aggregation merges what it gets. One that stays in the
/// processor's cache takes each row in a fraction of the time that one in memory needs, and where rows of a group stand
/// close together (they nearly always do: by time, by key) it hands on hardly more groups.
const PARTIAL_TABLE_BYTES: usize = 4 << 20;

/// What DataFusion calls those who ask memory for a partial aggregation's table.
const PARTIAL_AGGREGATION: &str = "PartialHashAggregateStream";

/// A pool that holds tables of partial aggregations small. All else is as in the pool within.
#[derive(Debug)]
pub(crate) struct SmallPartialTables {
    within: Arc<dyn MemoryPool>,
    /// By the consumer's id.
    tables: Mutex<HashMap<usize, Table>>,
}

/// What a partial aggregation's table may take.
#[derive(Debug)]
struct Table {
    bytes: usize,
    /// Whether it was refused more just now, and has handed on its groups.
    has_handed_on: bool,
}

impl SmallPartialTables {
    pub(crate) fn new(within: Arc<dyn MemoryPool>) -> Self {
        Self { within, tables: Mutex::default() }
    }

    /// Whether a table may grow. One that is still too large without its groups (distinct values are kept in sets that stay
    /// allocated) may take what it needs, and twice that later.
    fn may_grow(&self, id: usize, wanted: usize) -> bool {
        let mut tables = self.tables.lock();
        let table = tables.entry(id).or_insert(Table { bytes: PARTIAL_TABLE_BYTES, has_handed_on: false });
        let is_small = wanted <= table.bytes;
        if !is_small && table.has_handed_on {
            table.bytes = 2 * wanted;
        }
        let may = is_small || table.has_handed_on;
        table.has_handed_on = !may;
        may
    }
}

impl fmt::Display for SmallPartialTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.within.fmt(f)
    }
}

impl MemoryPool for SmallPartialTables {
    fn name(&self) -> &str {
        self.within.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.within.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.tables.lock().remove(&consumer.id());
        self.within.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.within.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        if let Some(table) = self.tables.lock().get_mut(&reservation.consumer().id()) {
            table.has_handed_on = false;
        }
        self.within.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let (name, id) = (reservation.consumer().name(), reservation.consumer().id());
        if name.starts_with(PARTIAL_AGGREGATION) && !self.may_grow(id, reservation.size() + additional) {
            return Err(resources_datafusion_err!("{name} keeps its table within {PARTIAL_TABLE_BYTES} bytes"));
        }
        self.within.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.within.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.within.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::UnboundedMemoryPool;

    use super::*;

    #[test]
    fn only_partial_aggregations_are_held_small() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SmallPartialTables::new(Arc::new(UnboundedMemoryPool::default())));
        let partial = MemoryConsumer::new("PartialHashAggregateStream[1]").register(&pool);
        partial.try_grow(PARTIAL_TABLE_BYTES).unwrap();
        assert!(partial.try_grow(1).unwrap_err().to_string().contains("PartialHashAggregateStream[1]"));
        let last = MemoryConsumer::new("FinalHashAggregateStream[1]").register(&pool);
        last.try_grow(PARTIAL_TABLE_BYTES + 1).unwrap();
        assert_eq!(pool.reserved(), 2 * PARTIAL_TABLE_BYTES + 1);
        drop(partial);
        assert_eq!(pool.reserved(), PARTIAL_TABLE_BYTES + 1);
    }

    #[test]
    fn what_stays_large_without_groups_is_granted() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SmallPartialTables::new(Arc::new(UnboundedMemoryPool::default())));
        let partial = MemoryConsumer::new("PartialHashAggregateStream[0]").register(&pool);
        let large = 3 * PARTIAL_TABLE_BYTES;
        partial.try_resize(large).unwrap_err();
        partial.try_resize(large).unwrap();
        partial.try_resize(2 * large).unwrap();
        partial.try_resize(2 * large + 1).unwrap_err();
        partial.try_resize(large).unwrap();
        partial.try_resize(2 * large + 1).unwrap_err();
    }
}
