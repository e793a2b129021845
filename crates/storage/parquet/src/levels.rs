//! Which rows of a page have a value: definition levels of at most one.

use crate::bits::Bits;
use crate::error::{Error, corrupt};
use crate::header::Encoding;
use crate::runs::{Run, Runs};

/// The levels of a page, from a row on.
#[derive(Debug)]
pub(crate) struct Levels {
    bytes: Vec<u8>,
    runs: Runs,
}

impl Levels {
    /// The levels at the beginning of a page of the first version, and how many bytes they take.
    pub(crate) fn split(page: &[u8], rows: usize, encoding: Encoding) -> Result<(Self, usize), Error> {
        match encoding {
            Encoding::Rle => {
                let (length, rest) = page.split_first_chunk::<4>().ok_or_else(cut_off)?;
                let length = u32::from_le_bytes(*length) as usize;
                Ok((Self::runs(rest.get(..length).ok_or_else(cut_off)?), 4 + length))
            }
            Encoding::BitPacked => {
                let length = rows.div_ceil(8);
                let packed = page.get(..length).ok_or_else(cut_off)?;
                // Here alone the first bit of a byte is its highest.
                let bytes: Vec<u8> = packed.iter().map(|byte| byte.reverse_bits()).collect();
                let runs = Runs::packed_bits(&bytes, 0);
                Ok((Self { bytes, runs }, length))
            }
            other => Err(Error::Unsupported(format!("Definition levels written as {other:?} are not read"))),
        }
    }

    /// Levels that stand by themselves.
    pub(crate) fn runs(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), runs: Runs::new(0, 1) }
    }

    /// Passes over rows if all of them have a value and this is one run; says whether it did.
    pub(crate) fn pass_valid(&mut self, rows: usize) -> Result<bool, Error> {
        let valid = self.runs.same(&self.bytes, rows)? == Some(1);
        if valid {
            self.runs.skip(&self.bytes, rows)?;
        }
        Ok(valid)
    }

    /// Puts the levels of the next rows into `bits`; says how many of them have a value.
    pub(crate) fn take(&mut self, rows: usize, bits: &mut Bits) -> Result<usize, Error> {
        bits.clear();
        while bits.len() < rows {
            match self.runs.next(&self.bytes, rows - bits.len())? {
                Run::Same { number, count } => bits.push_same(number != 0, count),
                Run::Packed { start, first, count } => bits.push_packed(&self.bytes, start * 8 + first, count),
            }
        }
        Ok(bits.count_ones())
    }
}

fn cut_off() -> Error {
    corrupt("A page's definition levels are cut off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_both_encodings_are_read() {
        // 20 ones; 8 of 0b0000_0101; 2 zeros.
        let runs = [6, 0, 0, 0, 40, 1, 3, 5, 4, 0, 99];
        let (mut levels, length) = Levels::split(&runs, 30, Encoding::Rle).unwrap();
        assert_eq!(length, 10);
        assert!(levels.pass_valid(15).unwrap());
        assert!(!levels.pass_valid(15).unwrap());
        let mut bits = Bits::default();
        assert_eq!(levels.take(15, &mut bits).unwrap(), 7);
        let rows: Vec<usize> = (0..15).filter(|row| bits.get(*row)).collect();
        assert_eq!(rows, [0, 1, 2, 3, 4, 5, 7]);
        assert!(levels.take(1, &mut bits).is_err());

        let (mut levels, length) = Levels::split(&[0b1010_0000, 0b0100_0000, 7], 10, Encoding::BitPacked).unwrap();
        assert_eq!(length, 2);
        assert_eq!(levels.take(10, &mut bits).unwrap(), 3);
        assert!(bits.get(0) && bits.get(2) && bits.get(9));
        assert!(Levels::split(&[9, 0, 0, 0, 1], 1, Encoding::Rle).is_err());
        assert!(Levels::split(&[1], 9, Encoding::BitPacked).is_err());
        assert!(Levels::split(&[1], 9, Encoding::Plain).is_err());
    }
}
