//! The memory pool of all queries, and what a partial aggregation may take of it.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

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
pub(crate) struct SmallPartialTables(pub(crate) Arc<dyn MemoryPool>);

impl fmt::Display for SmallPartialTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl MemoryPool for SmallPartialTables {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.0.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.0.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.0.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.0.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let name = reservation.consumer().name();
        if reservation.size() + additional > PARTIAL_TABLE_BYTES && name.starts_with(PARTIAL_AGGREGATION) {
            return Err(resources_datafusion_err!("{name} keeps its table within {PARTIAL_TABLE_BYTES} bytes"));
        }
        self.0.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.0.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.0.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::UnboundedMemoryPool;

    use super::*;

    #[test]
    fn only_partial_aggregations_are_held_small() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SmallPartialTables(Arc::new(UnboundedMemoryPool::default())));
        let partial = MemoryConsumer::new("PartialHashAggregateStream[1]").register(&pool);
        partial.try_grow(PARTIAL_TABLE_BYTES).unwrap();
        assert!(partial.try_grow(1).unwrap_err().to_string().contains("PartialHashAggregateStream[1]"));
        let last = MemoryConsumer::new("FinalHashAggregateStream[1]").register(&pool);
        last.try_grow(PARTIAL_TABLE_BYTES + 1).unwrap();
        assert_eq!(pool.reserved(), 2 * PARTIAL_TABLE_BYTES + 1);
        drop(partial);
        assert_eq!(pool.reserved(), PARTIAL_TABLE_BYTES + 1);
    }
}
