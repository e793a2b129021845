//! Randomness that comes with an event: the same seed gives the same numbers, so a replay repeats them.

use std::cell::Cell;

use uuid::Uuid;

/// A SplitMix64 sequence. Not for secrets: seeds are, and they come from outside.
#[derive(Debug)]
pub struct Rng(Cell<u64>);

impl Rng {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, 1.
    pub fn fraction(&self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The integer between `start` and `end` (included, excluded) that a fresh sequence of `seed` picks.
pub(crate) fn seeded_range(seed: u64, start: i64, end: i64) -> i64 {
    within(&Rng::new(seed), start, end)
}

/// An integer from `start` up to, not including, `end`.
pub(crate) fn within(rng: &Rng, start: i64, end: i64) -> i64 {
    let span = (i128::from(end) - i128::from(start)).max(1);
    (i128::from(start) + i128::from(rng.next()) % span) as i64
}
