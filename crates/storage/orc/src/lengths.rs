//! How many elements all lists of a stripe have. Decoders make room for them before they see that the elements aren't there.

use crate::error::{OrcError, corrupt};

/// The widths in bits that the headers of runs stand for.
const WIDTHS: [u32; 32] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 28, 30, 32, 40, 48, 56,
    64,
];

/// The sum of the lengths that a stream holds, in the first or second version of the run-length encoding.
///
/// # Errors
/// The stream is cut off, or a length is negative.
pub fn total(stream: &[u8], second: bool) -> Result<u64, OrcError> {
    let (mut input, mut total) = (Input(stream), 0_u128);
    while !input.0.is_empty() {
        let run = if second { input.second_run()? } else { input.first_run()? };
        total = total.saturating_add(u128::try_from(run).map_err(|_| corrupt("A length is negative"))?);
    }
    Ok(u64::try_from(total).unwrap_or(u64::MAX))
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn bytes(&mut self, count: usize) -> Result<&[u8], OrcError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| corrupt("Lengths are cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, OrcError> {
        Ok(self.bytes(1)?[0])
    }

    fn varint(&mut self) -> Result<i128, OrcError> {
        let (mut value, mut shift) = (0_i128, 0);
        loop {
            let byte = self.byte()?;
            value |= i128::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            if shift > 63 {
                return Err(corrupt("A length is too long"));
            }
        }
    }

    /// So many numbers of that many bits, summed up from the given one on.
    fn packed(&mut self, count: usize, width: u32, add: &mut dyn FnMut(i128)) -> Result<(), OrcError> {
        let bytes = self.bytes((count * width as usize).div_ceil(8))?;
        let bit = |place: usize| i128::from(bytes[place / 8] >> (7 - place % 8) & 1);
        for index in 0..count {
            let start = index * width as usize;
            add((start..start + width as usize).fold(0, |value, place| value << 1 | bit(place)));
        }
        Ok(())
    }

    fn first_run(&mut self) -> Result<i128, OrcError> {
        let control = self.byte()?;
        if control < 128 {
            let (count, step) = (i128::from(control) + 3, i128::from(self.byte()? as i8));
            return Ok(count * self.varint()? + step * (count * (count - 1) / 2));
        }
        (0..256 - u32::from(control)).try_fold(0, |sum, _| Ok(sum + self.varint()?))
    }

    fn second_run(&mut self) -> Result<i128, OrcError> {
        let first = self.byte()?;
        if first >> 6 == 0 {
            let (width, count) = (usize::from(first >> 3 & 7) + 1, i128::from(first & 7) + 3);
            return Ok(count * self.bytes(width)?.iter().fold(0, |value, byte| value << 8 | i128::from(*byte)));
        }
        let code = usize::from(first >> 1 & 31);
        let count = (usize::from(first & 1) << 8 | usize::from(self.byte()?)) + 1;
        match first >> 6 {
            1 => {
                let mut sum = 0;
                self.packed(count, WIDTHS[code], &mut |value| sum += value)?;
                Ok(sum)
            }
            2 => self.patched(count, WIDTHS[code]),
            _ => self.steps(count, if code == 0 { 0 } else { WIDTHS[code] }),
        }
    }

    fn patched(&mut self, count: usize, width: u32) -> Result<i128, OrcError> {
        let (third, fourth) = (self.byte()?, self.byte()?);
        let (base, patch) = (usize::from(third >> 5) + 1, WIDTHS[usize::from(third & 31)]);
        let (gap, patches) = (u32::from(fourth >> 5) + 1, usize::from(fourth & 31));
        let raw = self.bytes(base)?.iter().fold(0_i128, |value, byte| value << 8 | i128::from(*byte));
        let sign = 1_i128 << (base * 8 - 1);
        let base = if raw & sign == 0 { raw } else { -(raw & (sign - 1)) };
        let mut sum = base * count as i128;
        self.packed(count, width, &mut |value| sum += value)?;
        let entry = WIDTHS.into_iter().find(|width| *width >= patch + gap).unwrap_or(64);
        let mask = (1_i128 << patch) - 1;
        // Where a patch goes does not matter to the sum.
        self.packed(patches, entry, &mut |value| sum = sum.saturating_add((value & mask) << width.min(63)))?;
        Ok(sum)
    }

    fn steps(&mut self, count: usize, width: u32) -> Result<i128, OrcError> {
        let (mut value, step) = (self.varint()?, self.varint()?);
        let step = (step >> 1) ^ -(step & 1);
        if width == 0 {
            let count = count as i128;
            return Ok(count * value + step * (count * (count - 1) / 2));
        }
        let mut sum = value + value + step;
        value += step;
        self.packed(count.saturating_sub(2), width, &mut |delta| {
            value += if step < 0 { -delta } else { delta };
            sum += value;
        })?;
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_of_the_specification_are_summed() {
        assert_eq!(total(&[0x61, 0x00, 0x07], false).unwrap(), 700);
        assert_eq!(total(&[0xfb, 0x02, 0x03, 0x06, 0x07, 0x0b], false).unwrap(), 29);
        assert_eq!(total(&[0x0a, 0x27, 0x10], true).unwrap(), 50_000);
        let direct = [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef];
        assert_eq!(total(&direct, true).unwrap(), 23_713 + 43_806 + 57_005 + 48_879);
        let primes = [0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46];
        assert_eq!(total(&primes, true).unwrap(), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29].iter().sum::<u64>());
        let patched = [
            0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46, 0x50, 0x5a, 0x64, 0x6e,
            0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
        ];
        let values = [2030, 2000, 2020, 1_000_000].into_iter().chain((2040..=2190).step_by(10));
        assert_eq!(total(&patched, true).unwrap(), values.sum::<u64>());
        assert!(total(&[0x5e, 0x03, 0x5c], true).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_sum_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = (total(&bytes, true), total(&bytes, false));
        }
    }
}
