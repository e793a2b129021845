//! HyperLogLog: exact while there are few values, then the longest run of zeros seen by each of 4096 registers.

use std::collections::BTreeSet;

use super::{Reader, Summary, Writer};

/// The bits of a hash that choose the register: a standard error of 1.6 %, as in Trino.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;
/// The longest run that a register can hold.
const LONGEST: usize = 64 - BITS as usize;
/// How many hashes are kept as they are.
const FEW: usize = 512;

/// About how many different values there were.
#[derive(Debug, Clone)]
pub(in crate::functions) enum HyperLogLog {
    /// The hashes themselves.
    Few(BTreeSet<u64>),
    /// One more than the longest run of zeros for each register; 0 for none.
    Many(Box<[u8; REGISTERS]>),
}

impl Default for HyperLogLog {
    fn default() -> Self {
        Self::Few(BTreeSet::new())
    }
}

impl HyperLogLog {
    /// Adds the hash of a value.
    pub(in crate::functions) fn add(&mut self, hash: u64) {
        match self {
            Self::Few(hashes) => {
                hashes.insert(hash);
                if hashes.len() > FEW {
                    self.spread();
                }
            }
            Self::Many(registers) => register(registers, hash),
        }
    }

    fn spread(&mut self) {
        if let Self::Few(hashes) = self {
            let mut registers = Box::new([0; REGISTERS]);
            hashes.iter().for_each(|hash| register(&mut registers, *hash));
            *self = Self::Many(registers);
        }
    }

    /// About how many different values were added.
    pub(in crate::functions) fn cardinality(&self) -> i64 {
        match self {
            Self::Few(hashes) => hashes.len() as i64,
            Self::Many(registers) => estimate(registers).round() as i64,
        }
    }
}

fn register(registers: &mut [u8; REGISTERS], hash: u64) {
    let index = (hash >> (64 - BITS)) as usize;
    let run = ((hash << BITS).leading_zeros() as usize).min(LONGEST) as u8 + 1;
    registers[index] = registers[index].max(run);
}

/// Ertl's estimator, which needs no tables of corrections.
fn estimate(registers: &[u8; REGISTERS]) -> f64 {
    let mut counts = [0_f64; LONGEST + 2];
    registers.iter().for_each(|run| counts[usize::from(*run)] += 1.0);
    let m = REGISTERS as f64;
    let mut z = m * tau(1.0 - counts[LONGEST + 1] / m);
    for run in (1..=LONGEST).rev() {
        z = 0.5 * (z + counts[run]);
    }
    z += m * sigma(counts[0] / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

impl Summary for HyperLogLog {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Few(hashes) => {
                out.byte(1);
                out.word(hashes.len() as u64);
                hashes.iter().for_each(|hash| out.word(*hash));
            }
            Self::Many(registers) => {
                out.byte(2);
                out.0.extend_from_slice(registers.as_slice());
            }
        }
    }

    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        match bytes.byte()? {
            1 => {
                let count = bytes.count(8)?;
                (0..count).map(|_| bytes.word()).collect::<Option<_>>().map(Self::Few)
            }
            2 => {
                let registers: [u8; REGISTERS] = bytes.take(REGISTERS)?.try_into().ok()?;
                let valid = registers.iter().all(|run| usize::from(*run) <= LONGEST + 1);
                valid.then(|| Self::Many(Box::new(registers)))
            }
            _ => None,
        }
    }

    fn merge(&mut self, other: &Self) {
        match other {
            Self::Few(hashes) => hashes.iter().for_each(|hash| self.add(*hash)),
            Self::Many(theirs) => {
                self.spread();
                if let Self::Many(ours) = self {
                    ours.iter_mut().zip(theirs.iter()).for_each(|(our, their)| *our = (*our).max(*their));
                }
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Few(hashes) => hashes.len() * 16,
            Self::Many(_) => REGISTERS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::hashing::murmur3;
    use super::*;

    fn of(numbers: std::ops::Range<u64>) -> HyperLogLog {
        let mut all = HyperLogLog::default();
        numbers.for_each(|number| all.add(murmur3(&number.to_le_bytes())[0]));
        all
    }

    #[test]
    fn estimates_are_close() {
        assert_eq!(of(0..500).cardinality(), 500);
        for count in [1_000, 20_000, 300_000] {
            let error = of(0..count).cardinality() as f64 / count as f64 - 1.0;
            assert!(error.abs() < 0.05, "{count}: {error}");
        }
    }

    #[test]
    fn merging_is_as_if_all_had_been_added_to_one() {
        for (left, right) in [(0..400, 300..500), (0..5_000, 4_000..4_100), (0..100, 50..9_000)] {
            let mut merged = HyperLogLog::from_bytes(&of(left.clone()).to_bytes()).unwrap();
            merged.merge(&of(right.clone()));
            assert_eq!(merged.cardinality(), of(left.start..left.end.max(right.end)).cardinality());
        }
        assert!(HyperLogLog::from_bytes(&[1, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
    }
}
