//! Numbers as runs of the same one and as packed bits. Specification: "Parquet encodings", RLE / bit-packing hybrid.

use crate::bits;
use crate::error::{Error, corrupt};
use crate::unpack::Unpacker;

/// How many numbers of a run are looked at together.
const AT_ONCE: usize = 1024;
/// How many of the same number are given out as such.
const LONG: usize = 64;

/// Some numbers in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    Same {
        number: u32,
        count: usize,
    },
    Packed {
        /// Where the bytes of the whole run begin.
        start: usize,
        /// Its first number that is meant.
        first: usize,
        count: usize,
    },
}

impl Run {
    fn count(self) -> usize {
        match self {
            Self::Same { count, .. } | Self::Packed { count, .. } => count,
        }
    }

    /// Cuts off the first numbers.
    fn take(&mut self, most: usize) -> Self {
        let now = most.min(self.count());
        match self {
            Self::Same { number, count } => {
                *count -= now;
                Self::Same { number: *number, count: now }
            }
            Self::Packed { start, first, count } => {
                let taken = Self::Packed { start: *start, first: *first, count: now };
                *first += now;
                *count -= now;
                taken
            }
        }
    }
}

/// A place in runs. The bytes are lent to each call, and are the same each time.
#[derive(Debug)]
pub(crate) struct Runs {
    /// Where the next run begins.
    at: usize,
    unpacker: Unpacker,
    run: Run,
}

impl Runs {
    /// The runs from a place on until the end of the bytes that are lent.
    pub(crate) fn new(at: usize, width: u32) -> Self {
        Self { at, unpacker: Unpacker::new(width), run: Run::Same { number: 0, count: 0 } }
    }

    /// Single bits from a place on, all packed.
    pub(crate) fn packed_bits(bytes: &[u8], at: usize) -> Self {
        let run = Run::Packed { start: at, first: 0, count: bytes.len().saturating_sub(at) * 8 };
        Self { at: bytes.len(), unpacker: Unpacker::new(1), run }
    }

    /// The next numbers, at most so many and at least one, of one run.
    pub(crate) fn next(&mut self, bytes: &[u8], most: usize) -> Result<Run, Error> {
        while self.run.count() == 0 {
            self.begin(bytes)?;
        }
        Ok(self.run.take(most))
    }

    /// The number of which the next `count` consist, if they are one run.
    pub(crate) fn same(&mut self, bytes: &[u8], count: usize) -> Result<Option<u32>, Error> {
        while self.run.count() == 0 {
            self.begin(bytes)?;
        }
        Ok(match self.run {
            Run::Same { number, count: left } if left >= count => Some(number),
            _ => None,
        })
    }

    fn begin(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let header = self.varint(bytes)?;
        let (count, width) = ((header >> 1) as usize, self.unpacker.width());
        if header & 1 == 0 {
            let taken = width.div_ceil(8);
            if bytes.len() - self.at < taken {
                return Err(cut_off());
            }
            let number = (bits::word(bytes, self.at) & ((1 << (8 * taken)) - 1)) as u32;
            self.at += taken;
            self.run = Run::Same { number, count };
        } else {
            // The last run's bytes may end with its last number instead of its last group.
            let there = bytes.len() - self.at;
            let whole = count * width;
            let count = if whole <= there { count * 8 } else { there * 8 / width };
            self.run = Run::Packed { start: self.at, first: 0, count };
            self.at += whole.min(there);
        }
        Ok(())
    }

    fn varint(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        // Most runs are short.
        if let Some(byte @ 0..0x80) = bytes.get(self.at) {
            self.at += 1;
            return Ok(u32::from(*byte));
        }
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = *bytes.get(self.at).ok_or_else(cut_off)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| corrupt("A run is too long"));
            }
        }
        Err(corrupt("A run is too long"))
    }

    /// Passes over numbers.
    pub(crate) fn skip(&mut self, bytes: &[u8], mut count: usize) -> Result<(), Error> {
        while count > 0 {
            count -= self.next(bytes, count)?.count();
        }
        Ok(())
    }

    /// Gives out the next `count` numbers, or those of them that are wanted (ascending places), some at a time.
    pub(crate) fn numbers(
        &mut self,
        bytes: &[u8],
        count: usize,
        mut wanted: Option<&[u32]>,
        scratch: &mut Scratch,
        mut out: impl FnMut(Numbers<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        scratch.len = 0;
        let mut done = 0;
        while done < count {
            if wanted.is_some_and(<[u32]>::is_empty) {
                self.skip(bytes, count - done)?;
                break;
            }
            let run = self.next_few(bytes, count - done)?;
            let here = wanted.as_mut().map(|wanted| {
                // No two are the same, so no more of them than these can lie in the run.
                let near = &wanted[..wanted.len().min(run.count())];
                let inside = near.partition_point(|place| (*place as usize) < done + run.count());
                let (here, rest) = wanted.split_at(inside);
                *wanted = rest;
                here
            });
            let chosen = here.map_or(run.count(), <[u32]>::len);
            match (run, here) {
                (Run::Same { number, .. }, _) if chosen >= LONG => {
                    scratch.flush(&mut out)?;
                    out(Numbers::Same(number, chosen))?;
                }
                (_, None) => scratch.append(&self.unpacker, bytes, run),
                (_, Some(here)) => scratch.append_wanted(&self.unpacker, bytes, run, here, done),
            }
            if scratch.len >= AT_ONCE {
                scratch.flush(&mut out)?;
            }
            done += run.count();
        }
        scratch.flush(&mut out)
    }

    /// The next numbers of one run, of packed ones not too many.
    fn next_few(&mut self, bytes: &[u8], most: usize) -> Result<Run, Error> {
        while self.run.count() == 0 {
            self.begin(bytes)?;
        }
        Ok(match self.run {
            Run::Same { .. } => self.run.take(most),
            Run::Packed { .. } => self.run.take(most.min(AT_ONCE)),
        })
    }
}

/// Numbers that are given out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Numbers<'a> {
    /// One, so many times.
    Same(u32, usize),
    Each(&'a [u32]),
}

fn cut_off() -> Error {
    corrupt("A page has fewer values than its header says")
}

/// Where numbers are unpacked.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Numbers are given out when there are [`AT_ONCE`]; the last run may bring as many more, and a group of eight too much.
    numbers: Box<[u32]>,
    len: usize,
    /// A run of which only some are wanted.
    run: Box<[u32]>,
}

impl Default for Scratch {
    fn default() -> Self {
        let room = |count| vec![0; count + 8].into_boxed_slice();
        Self { numbers: room(2 * AT_ONCE), len: 0, run: room(AT_ONCE) }
    }
}

impl Scratch {
    fn flush(&mut self, out: &mut impl FnMut(Numbers<'_>) -> Result<(), Error>) -> Result<(), Error> {
        match std::mem::take(&mut self.len) {
            0 => Ok(()),
            len => out(Numbers::Each(&self.numbers[..len])),
        }
    }

    fn append(&mut self, unpacker: &Unpacker, bytes: &[u8], run: Run) {
        let end = self.len + run.count();
        match run {
            Run::Same { number, .. } => self.numbers[self.len..end].fill(number),
            Run::Packed { start, first, count } => {
                unpack(unpacker, &bytes[start..], first, count, &mut self.numbers[self.len..])
            }
        }
        self.len = end;
    }

    /// Appends what lies at the wanted places; the run's first number lies at `begin`.
    fn append_wanted(&mut self, unpacker: &Unpacker, bytes: &[u8], run: Run, wanted: &[u32], begin: usize) {
        let end = self.len + wanted.len();
        let out = &mut self.numbers[self.len..end];
        match run {
            Run::Same { number, .. } => out.fill(number),
            // A single number takes about as long as four of a group.
            Run::Packed { start, first, count } if wanted.len() * 4 < count => {
                for (out, place) in out.iter_mut().zip(wanted) {
                    *out = unpacker.get(&bytes[start..], first + *place as usize - begin);
                }
            }
            Run::Packed { start, first, count } => {
                unpack(unpacker, &bytes[start..], first, count, &mut self.run);
                for (out, place) in out.iter_mut().zip(wanted) {
                    *out = self.run[*place as usize - begin];
                }
            }
        }
        self.len = end;
    }
}

/// Unpacks numbers of a run from one on; behind them there is room for seven more.
fn unpack(unpacker: &Unpacker, packed: &[u8], first: usize, count: usize, out: &mut [u32]) {
    // Groups begin with whole bytes.
    let head = (first.next_multiple_of(8) - first).min(count);
    for (at, out) in out[..head].iter_mut().enumerate() {
        *out = unpacker.get(packed, first + at);
    }
    let rest = (count - head).next_multiple_of(8);
    if rest > 0 {
        let packed = &packed[(first + head) / 8 * unpacker.width()..];
        unpacker.unpack(packed, &mut out[head..head + rest]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs of a width, and the numbers that they mean.
    fn written(pieces: &[(bool, u32, usize)], width: u32) -> (Vec<u8>, Vec<u32>) {
        let (mut bytes, mut numbers) = (Vec::new(), Vec::new());
        let mask = ((1_u64 << width) - 1) as u32;
        let varint = |bytes: &mut Vec<u8>, mut value: usize| {
            while value >= 0x80 {
                bytes.push(value as u8 | 0x80);
                value >>= 7;
            }
            bytes.push(value as u8);
        };
        for (is_packed, number, count) in pieces {
            if !is_packed {
                varint(&mut bytes, count << 1);
                bytes.extend(&(number & mask).to_le_bytes()[..width.div_ceil(8) as usize]);
                numbers.extend(std::iter::repeat_n(number & mask, *count));
                continue;
            }
            varint(&mut bytes, count << 1 | 1);
            let group: Vec<u32> = (0..*count as u32 * 8).map(|at| number.wrapping_mul(at + 1) & mask).collect();
            let mut packed = vec![0; count * width as usize];
            for (at, number) in group.iter().enumerate() {
                for bit in 0..width as usize {
                    let to = at * width as usize + bit;
                    packed[to / 8] |= ((number >> bit & 1) as u8) << (to % 8);
                }
            }
            bytes.extend(packed);
            numbers.extend(group);
        }
        (bytes, numbers)
    }

    fn pieces() -> impl Strategy<Value = Vec<(bool, u32, usize)>> {
        proptest::collection::vec((any::<bool>(), any::<u32>(), 0_usize..200), 0..12)
    }

    proptest! {
        #[test]
        fn numbers_come_back(pieces in pieces(), width in 0_u32..=32, step in 1_usize..3000, every in 1_usize..40) {
            let (bytes, numbers) = written(&pieces, width);
            let (mut runs, mut scratch, mut at) = (Runs::new(0, width), Scratch::default(), 0);
            while at < numbers.len() {
                let now = step.min(numbers.len() - at);
                let wanted: Vec<u32> = (0..now as u32).step_by(every).collect();
                let mut found: Vec<u32> = Vec::new();
                let wanted = (every > 1).then_some(&wanted[..]);
                runs.numbers(&bytes, now, wanted, &mut scratch, |some| {
                    match some {
                        Numbers::Same(number, count) => found.extend(std::iter::repeat_n(number, count)),
                        Numbers::Each(numbers) => found.extend(numbers),
                    }
                    Ok(())
                }).unwrap();
                let expected: Vec<u32> = numbers[at..at + now].iter().copied().step_by(every).collect();
                prop_assert_eq!(found, expected);
                at += now;
                let skipped = (step / 3).min(numbers.len() - at);
                runs.skip(&bytes, skipped).unwrap();
                at += skipped;
            }
            prop_assert!(runs.next(&bytes, 1).is_err());
        }

        #[test]
        fn any_bytes_are_numbers_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60), width in 0_u32..=32) {
            let _ = Runs::new(0, width).numbers(&bytes, 5000, None, &mut Scratch::default(), |_| Ok(()));
            let _ = Runs::new(0, width).numbers(&bytes, 5000, Some(&[3, 9, 4000]), &mut Scratch::default(), |_| Ok(()));
        }
    }
}
