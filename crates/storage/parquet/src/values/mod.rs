//! Values of one column on their way from pages into an array.

mod fixed;
mod keys;
mod numbers;
mod texts;

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;

use crate::bits::Bits;
use crate::error::{Error, corrupt};
use crate::unpack;

pub(crate) use fixed::FixedBytes;
pub(crate) use keys::Keys;
pub(crate) use numbers::{Booleans, Numbers, convert};
pub(crate) use texts::Texts;

/// Takes a column's values and makes arrays of them.
pub(crate) trait Values: Send + std::fmt::Debug {
    /// Takes the dictionary, so many plain values.
    fn dictionary(&mut self, page: &[u8], count: usize) -> Result<(), Error>;

    /// Begins an array of so many rows.
    fn begin(&mut self, rows: usize);

    /// Appends values of the dictionary. Fails if one of them is not there.
    fn gather(&mut self, places: &[u32]) -> Result<(), Error>;

    /// Appends a value of the dictionary several times. Fails if it is not there.
    fn repeat(&mut self, place: u32, mut times: usize) -> Result<(), Error> {
        let places = [place; 64];
        while times > 0 {
            let now = times.min(places.len());
            self.gather(&places[..now])?;
            times -= now;
        }
        Ok(())
    }

    /// Appends the next `count` plain values of a page, or those of them that are wanted (ascending places below `count`).
    /// `at` is where they begin, and then where the next ones do.
    fn plain(&mut self, page: &[u8], at: &mut usize, count: usize, wanted: Option<&[u32]>) -> Result<(), Error>;

    /// Moves the last `valid` values to the rows that have one.
    fn spread(&mut self, rows: &Bits, valid: usize);

    /// The array.
    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Error>;
}

fn cut_off() -> Error {
    corrupt("A page has fewer values than its header says")
}

/// Whether all places are in a dictionary of so many values.
fn check(places: &[u32], count: usize) -> Result<(), Error> {
    match unpack::largest(places) as usize {
        _ if places.is_empty() => Ok(()),
        largest if largest < count => Ok(()),
        largest => Err(corrupt(format!("A dictionary of {count} values has none at {largest}"))),
    }
}

/// Appends values of a dictionary.
#[allow(unsafe_code, reason = "places are checked together")]
fn pick<T: Copy>(dictionary: &[T], places: &[u32], out: &mut Vec<T>) -> Result<(), Error> {
    check(places, dictionary.len())?;
    // SAFETY: the largest place has been looked at.
    out.extend(places.iter().map(|place| unsafe { *dictionary.get_unchecked(*place as usize) }));
    Ok(())
}

/// Moves the last `valid` values to the rows that have one; any value stands in the others.
fn spread<T: Copy + Default>(out: &mut Vec<T>, rows: &Bits, valid: usize) {
    let begin = out.len() - valid;
    out.resize(begin + rows.len(), T::default());
    let (slots, mut next) = (&mut out[begin..], valid);
    for (at, word) in rows.words().iter().enumerate().rev() {
        let first = at * 64;
        let count = (rows.len() - first).min(64);
        if next == first + count {
            // All rows before have a value, which is in its place.
            break;
        }
        if *word == u64::MAX {
            next -= 64;
            slots.copy_within(next..next + 64, first);
            continue;
        }
        for bit in (0..count).rev() {
            next -= (word >> bit & 1) as usize;
            slots[first + bit] = slots[next];
        }
    }
}

/// The plain values of a page of which each takes `size` bytes: the next `count`. Moves `at` behind them.
fn split<'a>(page: &'a [u8], at: &mut usize, count: usize, size: usize) -> Result<&'a [u8], Error> {
    let end = count.checked_mul(size).and_then(|length| at.checked_add(length)).ok_or_else(cut_off)?;
    let bytes = page.get(*at..end).ok_or_else(cut_off)?;
    *at = end;
    Ok(bytes)
}

/// The next plain value that says its length itself. Moves `at` behind it.
#[inline]
fn next<'a>(page: &'a [u8], at: &mut usize) -> Result<&'a [u8], Error> {
    let (length, rest) = page.get(*at..).and_then(<[u8]>::split_first_chunk::<4>).ok_or_else(cut_off)?;
    let length = u32::from_le_bytes(*length) as usize;
    let value = rest.get(..length).ok_or_else(cut_off)?;
    *at += 4 + length;
    Ok(value)
}

/// Calls `each` with the next `count` plain values that say their lengths themselves, or those of them that are wanted.
#[inline(always)]
fn walk(
    page: &[u8],
    at: &mut usize,
    count: usize,
    wanted: Option<&[u32]>,
    mut each: impl FnMut(&[u8], usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut place = *at;
    let Some(wanted) = wanted else {
        for _ in 0..count {
            let value = next(page, &mut place)?;
            each(value, place - value.len())?;
        }
        *at = place;
        return Ok(());
    };
    let mut done = 0;
    for row in wanted {
        for _ in done..*row {
            next(page, &mut place)?;
        }
        let value = next(page, &mut place)?;
        each(value, place - value.len())?;
        done = row + 1;
    }
    for _ in done as usize..count {
        next(page, &mut place)?;
    }
    *at = place;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spread_over_their_rows() {
        for pattern in 0..1_u64 << 7 {
            let mut rows = Bits::default();
            rows.push(pattern, 7);
            let valid = pattern.count_ones() as usize;
            let mut out = vec![99];
            out.extend(1..=valid);
            spread(&mut out, &rows, valid);
            let mut next = 0;
            assert_eq!((out.len(), out[0]), (1 + 7, 99));
            for row in (0..7).filter(|row| pattern >> row & 1 == 1) {
                next += 1;
                assert_eq!(out[1 + row], next);
            }
        }
    }

    #[test]
    fn places_outside_of_a_dictionary_are_refused() {
        let mut out = Vec::new();
        pick(&[5, 6], &[1, 0, 1], &mut out).unwrap();
        assert_eq!(out, [6, 5, 6]);
        assert!(pick(&[5, 6], &[1, 0, 2], &mut out).is_err());
        assert!(pick::<u8>(&[], &[0], &mut vec![]).is_err());
        assert!(pick::<u8>(&[], &[], &mut vec![]).is_ok());
    }
}
