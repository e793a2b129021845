//! Texts and bytes of any lengths.

use std::mem::MaybeUninit;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::{Values, check, walk};
use crate::bits::Bits;
use crate::error::{Error, corrupt};

/// Short values are copied as so many bytes at once, if there is room for them.
const LONG: usize = 64;
/// So many where values are very short.
const SHORT: usize = 16;

/// How much room is made at most before it is needed.
const MOST_AHEAD: usize = 16 << 20;

/// Arrays of texts, or of bytes.
#[derive(Debug)]
pub(crate) struct Texts {
    is_text: bool,
    dictionary: Piled,
    out: Piled,
    /// How many rows are meant.
    rows: usize,
}

/// Values one behind the other.
#[derive(Debug)]
struct Piled {
    bytes: Vec<u8>,
    /// Where each ends, behind a zero.
    ends: Vec<i32>,
}

impl Default for Piled {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: vec![0] }
    }
}

impl Piled {
    fn len(&self) -> usize {
        self.ends.len() - 1
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len() as i32);
    }

    /// Whether the ends fit their type.
    fn check_size(&self) -> Result<(), Error> {
        match self.bytes.len() <= i32::MAX as usize {
            true => Ok(()),
            false => Err(Error::Unsupported("A column's texts take more than 2 GiB in one batch".to_owned())),
        }
    }

    /// Whether the values from one on are texts.
    fn check_texts(&self, first: usize) -> Result<(), Error> {
        let begin = self.ends[first] as usize;
        let bytes = &self.bytes[begin..];
        if bytes.is_ascii() {
            return Ok(());
        }
        // Together they are a text of which each is a whole piece.
        let together = std::str::from_utf8(bytes).ok();
        match together
            .is_some_and(|all| self.ends[first..].iter().all(|end| all.is_char_boundary(*end as usize - begin)))
        {
            true => Ok(()),
            false => Err(corrupt("A text is not in UTF-8")),
        }
    }
}

/// Appends a piece of bytes, with `N` of them at once if it is no longer and there is room on both sides.
#[inline(always)]
#[allow(unsafe_code, reason = "a copy of a whole register")]
fn append<const N: usize>(out: &mut Vec<u8>, from: &[u8], begin: usize, length: usize) {
    if length <= N && from.len() >= N && begin <= from.len() - N && out.capacity() - out.len() >= N {
        // SAFETY: `N` bytes lie from `begin` on, and there is room for as many; `length` is no more than these.
        unsafe {
            let to = out.as_mut_ptr().add(out.len()).cast::<MaybeUninit<[u8; N]>>();
            to.write_unaligned(from.as_ptr().add(begin).cast::<MaybeUninit<[u8; N]>>().read_unaligned());
            out.set_len(out.len() + length);
        }
    } else {
        out.extend_from_slice(&from[begin..begin + length]);
    }
}

impl Texts {
    /// Of texts, which are checked to be UTF-8, or of bytes.
    pub(crate) fn new(is_text: bool) -> Self {
        Self { is_text, dictionary: Piled::default(), out: Piled::default(), rows: 0 }
    }

    fn gather_by<const N: usize>(&mut self, places: &[u32]) {
        let Self { dictionary, out, .. } = self;
        for place in places {
            let (begin, end) = (dictionary.ends[*place as usize], dictionary.ends[*place as usize + 1]);
            append::<N>(&mut out.bytes, &dictionary.bytes, begin as usize, (end - begin) as usize);
            out.end();
        }
    }

    fn plain_by<const N: usize>(
        &mut self,
        page: &[u8],
        at: &mut usize,
        count: usize,
        wanted: Option<&[u32]>,
    ) -> Result<(), Error> {
        let out = &mut self.out;
        walk(page, at, count, wanted, |value, begin| {
            append::<N>(&mut out.bytes, page, begin, value.len());
            out.end();
            Ok(())
        })
    }
}

impl Values for Texts {
    fn dictionary(&mut self, page: &[u8], count: usize) -> Result<(), Error> {
        let mut own = Self::new(self.is_text);
        own.begin(count.min(page.len()));
        own.plain(page, &mut 0, count, None)?;
        self.dictionary = own.out;
        // Room behind the last, so that it is copied as the others are; no value ends there.
        self.dictionary.bytes.resize(self.dictionary.bytes.len() + LONG, 0);
        Ok(())
    }

    fn begin(&mut self, rows: usize) {
        self.rows = rows;
        self.out.ends = Vec::with_capacity(rows + 1);
        self.out.ends.push(0);
        self.out.bytes = Vec::new();
    }

    fn gather(&mut self, places: &[u32]) -> Result<(), Error> {
        check(places, self.dictionary.len())?;
        let average = (self.dictionary.bytes.len() - LONG) / self.dictionary.len().max(1);
        let rows = self.rows.saturating_sub(self.out.len()).max(places.len());
        self.out.bytes.reserve(expected(average, rows).min(MOST_AHEAD));
        if average <= SHORT * 3 / 4 {
            self.gather_by::<SHORT>(places);
        } else {
            self.gather_by::<LONG>(places);
        }
        self.out.check_size()
    }

    fn plain(&mut self, page: &[u8], at: &mut usize, count: usize, wanted: Option<&[u32]>) -> Result<(), Error> {
        let (first, chosen) = (self.out.len(), wanted.map_or(count, <[u32]>::len));
        let average = average(page.get(*at..).unwrap_or_default());
        self.out.bytes.reserve(expected(average, chosen).min(page.len() + LONG));
        if average <= SHORT * 3 / 4 {
            self.plain_by::<SHORT>(page, at, count, wanted)?;
        } else {
            self.plain_by::<LONG>(page, at, count, wanted)?;
        }
        self.out.check_size()?;
        if self.is_text { self.out.check_texts(first) } else { Ok(()) }
    }

    fn spread(&mut self, rows: &Bits, valid: usize) {
        let ends = &mut self.out.ends;
        let begin = ends.len() - 1 - valid;
        ends.resize(begin + 1 + rows.len(), 0);
        let (slots, mut next) = (&mut ends[begin..], valid);
        // A row without a value ends where the last value before it does.
        for row in (0..rows.len()).rev() {
            slots[row + 1] = slots[next];
            next -= usize::from(rows.get(row));
        }
    }

    #[allow(unsafe_code, reason = "ends are made in order, and texts are checked as they come")]
    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Error> {
        let bytes = Buffer::from_vec(std::mem::take(&mut self.out.bytes));
        let ends = ScalarBuffer::from(std::mem::replace(&mut self.out.ends, vec![0]));
        // SAFETY: the first is zero, each is where the bytes ended at some time, and `check_size` says that this fits.
        let ends = unsafe { OffsetBuffer::new_unchecked(ends) };
        if !self.is_text {
            let array = BinaryArray::try_new(ends, bytes, nulls).map_err(|error| corrupt(error.to_string()))?;
            return Ok(Arc::new(array));
        }
        if nulls.as_ref().is_some_and(|nulls| nulls.len() != ends.len() - 1) {
            return Err(corrupt("A column has other rows than values"));
        }
        // SAFETY: `check_texts` has seen all values, of pages and of the dictionary; there are as many nulls as values.
        Ok(Arc::new(unsafe { StringArray::new_unchecked(ends, bytes, nulls) }))
    }
}

/// How long the first values of a page are.
fn average(page: &[u8]) -> usize {
    const LOOKED_AT: usize = 16;
    let (mut at, mut count) = (0, 0);
    while count < LOOKED_AT && super::next(page, &mut at).is_ok() {
        count += 1;
    }
    at.saturating_sub(4 * count) / count.max(1)
}

/// How much room to make for so many values.
fn expected(average: usize, count: usize) -> usize {
    count.saturating_mul(average + average / 8) + LONG
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(values: &[&[u8]]) -> Vec<u8> {
        values.iter().flat_map(|value| [&(value.len() as u32).to_le_bytes()[..], value].concat()).collect()
    }

    #[test]
    fn texts_are_checked_each_by_itself() {
        let read = |values: &[&[u8]]| Texts::new(true).plain(&page(values), &mut 0, values.len(), None);
        read(&["aä".as_bytes(), b"", "€".as_bytes()]).unwrap();
        // Two halves of a letter.
        assert!(read(&[b"a\xc3", b"\xa4"]).is_err());
        assert!(read(&[b"a\xff"]).is_err());
        Texts::new(false).plain(&page(&[b"a\xc3", b"\xff"]), &mut 0, 2, None).unwrap();
        // Nobody asks for the broken one.
        Texts::new(true).plain(&page(&[b"\xc3", b"a"]), &mut 0, 2, Some(&[1])).unwrap();
    }

    #[test]
    fn texts_of_all_lengths_are_copied() {
        let long: Vec<String> = (0..200).map(|length| "é".repeat(length)).collect();
        let values: Vec<&[u8]> = long.iter().map(String::as_bytes).collect();
        for order in [values.clone(), values.iter().rev().copied().collect()] {
            let page = page(&order);
            let (mut plain, mut dictionary) = (Texts::new(true), Texts::new(true));
            plain.begin(200);
            plain.plain(&page, &mut 0, 200, None).unwrap();
            dictionary.dictionary(&page, 200).unwrap();
            dictionary.begin(200);
            dictionary.gather(&(0..200).collect::<Vec<_>>()).unwrap();
            let expected = StringArray::from_iter_values(order.iter().map(|value| std::str::from_utf8(value).unwrap()));
            assert_eq!(plain.finish(None).unwrap().as_ref(), &expected);
            assert_eq!(dictionary.finish(None).unwrap().as_ref(), &expected);
            assert!(dictionary.gather(&[200]).is_err());
        }
    }
}
