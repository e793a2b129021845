//! Bytes, as many for each value.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray};
use arrow::buffer::{Buffer, NullBuffer};

use super::{Values, check, cut_off, split};
use crate::bits::Bits;
use crate::error::{Error, corrupt};

/// Arrays of values of so many bytes.
#[derive(Debug)]
pub(crate) struct FixedBytes {
    size: usize,
    dictionary: Vec<u8>,
    out: Vec<u8>,
}

impl FixedBytes {
    /// Of at least one byte each.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, dictionary: Vec::new(), out: Vec::new() }
    }
}

impl Values for FixedBytes {
    fn dictionary(&mut self, page: &[u8], count: usize) -> Result<(), Error> {
        self.dictionary = split(page, &mut 0, count, self.size)?.to_vec();
        Ok(())
    }

    fn begin(&mut self, rows: usize) {
        self.out = Vec::with_capacity(rows.saturating_mul(self.size));
    }

    fn gather(&mut self, places: &[u32]) -> Result<(), Error> {
        check(places, self.dictionary.len() / self.size)?;
        for place in places {
            let begin = *place as usize * self.size;
            self.out.extend_from_slice(&self.dictionary[begin..begin + self.size]);
        }
        Ok(())
    }

    fn plain(&mut self, page: &[u8], at: &mut usize, count: usize, wanted: Option<&[u32]>) -> Result<(), Error> {
        let bytes = split(page, at, count, self.size)?;
        let Some(wanted) = wanted else {
            self.out.extend_from_slice(bytes);
            return Ok(());
        };
        for place in wanted {
            let begin = *place as usize * self.size;
            self.out.extend_from_slice(bytes.get(begin..begin + self.size).ok_or_else(cut_off)?);
        }
        Ok(())
    }

    fn spread(&mut self, rows: &Bits, valid: usize) {
        let begin = self.out.len() - valid * self.size;
        self.out.resize(begin + rows.len() * self.size, 0);
        let (slots, mut next) = (&mut self.out[begin..], valid);
        for row in (0..rows.len()).rev() {
            let slot = row * self.size..(row + 1) * self.size;
            if rows.get(row) {
                next -= 1;
                slots.copy_within(next * self.size..(next + 1) * self.size, slot.start);
            } else {
                slots[slot].fill(0);
            }
        }
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Error> {
        let values = Buffer::from_vec(std::mem::take(&mut self.out));
        let size = i32::try_from(self.size).map_err(|_| corrupt("Values are too long"))?;
        let array = FixedSizeBinaryArray::try_new(size, values, nulls);
        Ok(Arc::new(array.map_err(|error| corrupt(error.to_string()))?))
    }
}
