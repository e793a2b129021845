//! The checksums of large content files that were read of late, so that a read of a range is one request.

use std::collections::HashMap;

use bytes::Bytes;
use uuid::Uuid;

/// How many bytes of checksums a generation holds: those of a quarter of a terabyte of content.
const GENERATION: usize = 16 << 20;

/// The tables of checksums, in two generations: what is not used while one fills up is forgotten with the next.
#[derive(Default)]
pub(super) struct Sums {
    young: HashMap<Uuid, Bytes>,
    bytes: usize,
    old: HashMap<Uuid, Bytes>,
}

impl Sums {
    pub(super) fn get(&mut self, id: Uuid) -> Option<Bytes> {
        if let Some(table) = self.young.get(&id) {
            return Some(table.clone());
        }
        let table = self.old.remove(&id)?;
        self.keep(id, table.clone());
        Some(table)
    }

    pub(super) fn keep(&mut self, id: Uuid, table: Bytes) {
        if self.bytes + table.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += table.len();
        self.young.insert(id, table);
    }

    pub(super) fn forget(&mut self, id: Uuid) {
        self.old.remove(&id);
        if let Some(table) = self.young.remove(&id) {
            self.bytes -= table.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let mut sums = Sums::default();
        let table = Bytes::from(vec![1; GENERATION / 4]);
        for id in 1..=20 {
            sums.keep(Uuid::from_u128(id), table.clone());
            assert!(sums.get(Uuid::from_u128(1)).is_some(), "it is used all the time");
        }
        assert!(sums.get(Uuid::from_u128(2)).is_none());
        assert!(sums.get(Uuid::from_u128(20)).is_some());
        assert!(sums.bytes <= GENERATION && sums.young.len() + sums.old.len() <= 9);
        sums.forget(Uuid::from_u128(1));
        assert!(sums.get(Uuid::from_u128(1)).is_none());
    }
}
