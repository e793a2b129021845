//! Bits in a row: which rows have a value.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// Up to 57 bits from a bit on, the first lowest; bits behind the end are zero.
#[inline]
pub(crate) fn load(bytes: &[u8], bit: usize) -> u64 {
    word(bytes, bit / 8) >> (bit % 8)
}

/// Eight bytes from a place on; bytes behind the end are zero.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => {
            let mut padded = [0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(padded)
        }
    }
}

/// Bits that grow at their end.
#[derive(Debug, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// 64 bits each; behind the last bit there are zeros.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn count_ones(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 == 1
    }

    /// Appends the lowest `count` (at most 64) bits of a word, whose others are zero.
    #[inline]
    pub(crate) fn push(&mut self, word: u64, count: usize) {
        let used = self.len % 64;
        match self.words.last_mut() {
            Some(last) if used > 0 => {
                *last |= word << used;
                if used + count > 64 {
                    self.words.push(word >> (64 - used));
                }
            }
            _ if count > 0 => self.words.push(word),
            _ => {}
        }
        self.len += count;
    }

    /// Appends the same bit several times.
    pub(crate) fn push_same(&mut self, bit: bool, mut count: usize) {
        let word = if bit { u64::MAX } else { 0 };
        while count > 0 {
            let now = count.min(64);
            self.push(word & lowest(now), now);
            count -= now;
        }
    }

    /// Appends bits of bytes, the lowest of a byte first.
    pub(crate) fn push_packed(&mut self, bytes: &[u8], mut from: usize, mut count: usize) {
        while count > 0 {
            let now = count.min(56);
            self.push(load(bytes, from) & lowest(now), now);
            from += now;
            count -= now;
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        let mut left = other.len;
        for word in &other.words {
            self.push(*word, left.min(64));
            left = left.saturating_sub(64);
        }
    }

    /// How many ones there are before each word.
    pub(crate) fn ranks(&self, ranks: &mut Vec<u32>) {
        ranks.clear();
        let mut count = 0;
        ranks.extend(self.words.iter().map(|word| {
            let before = count;
            count += word.count_ones();
            before
        }));
    }

    /// How many ones there are before a bit, by what [`ranks`](Self::ranks) says.
    #[inline]
    pub(crate) fn rank(&self, ranks: &[u32], at: usize) -> u32 {
        ranks[at / 64] + (self.words[at / 64] & lowest(at % 64)).count_ones()
    }

    pub(crate) fn into_nulls(self) -> NullBuffer {
        NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.len))
    }
}

#[inline]
fn lowest(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// Which rows of an array have a value, as long as all have one without keeping anything.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    valid: usize,
    bits: Option<Bits>,
}

impl Validity {
    pub(crate) fn push_valid(&mut self, count: usize) {
        match &mut self.bits {
            Some(bits) => bits.push_same(true, count),
            None => self.valid += count,
        }
    }

    pub(crate) fn extend(&mut self, rows: &Bits) {
        let valid = self.valid;
        let bits = self.bits.get_or_insert_with(|| {
            let mut bits = Bits::default();
            bits.push_same(true, valid);
            bits
        });
        bits.extend(rows);
    }

    pub(crate) fn finish(self) -> Option<NullBuffer> {
        self.bits.map(Bits::into_nulls)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_are_what_was_pushed(pieces in proptest::collection::vec((any::<u64>(), 0_usize..200, 0_usize..8, 0..3), 0..20)) {
            let (mut bits, mut expected) = (Bits::default(), Vec::new());
            for (word, count, from, way) in pieces {
                match way {
                    0 => {
                        bits.push_same(word & 1 == 1, count);
                        expected.extend(std::iter::repeat_n(word & 1 == 1, count));
                    }
                    1 => {
                        let bytes: Vec<u8> = word.to_le_bytes().into_iter().cycle().take(30).collect();
                        bits.push_packed(&bytes, from, count);
                        expected.extend((from..from + count).map(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1));
                    }
                    _ => {
                        let mut other = Bits::default();
                        other.push_same(word & 1 == 1, count);
                        other.push(word & 3, 3);
                        bits.extend(&other);
                        expected.extend(std::iter::repeat_n(word & 1 == 1, count));
                        expected.extend([word & 1 == 1, word & 2 == 2, false]);
                    }
                }
            }
            prop_assert_eq!(bits.len(), expected.len());
            let mut ranks = Vec::new();
            bits.ranks(&mut ranks);
            for (at, bit) in expected.iter().enumerate() {
                prop_assert_eq!(bits.get(at), *bit);
                prop_assert_eq!(bits.rank(&ranks, at) as usize, expected[..at].iter().filter(|bit| **bit).count());
            }
            prop_assert_eq!(bits.count_ones(), expected.iter().filter(|bit| **bit).count());
            let nulls = bits.into_nulls();
            prop_assert_eq!(nulls.iter().collect::<Vec<_>>(), expected);
        }
    }
}
