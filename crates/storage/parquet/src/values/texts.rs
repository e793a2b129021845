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
    dictionary: Dictionary,
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

/// The values of a dictionary.
#[derive(Debug, Default)]
struct Dictionary {
    /// All of them, and [`LONG`] bytes behind the last.
    bytes: Vec<u8>,
    /// Where each begins, and how long it is.
    spans: Vec<(u32, u32)>,
    longest: usize,
}

impl Dictionary {
    fn of(values: Piled) -> Self {
        let mut bytes = values.bytes;
        bytes.resize(bytes.len() + LONG, 0);
        let pairs = values.ends.windows(2).map(|ends| (ends[0].cast_unsigned(), (ends[1] - ends[0]).cast_unsigned()));
        let spans: Vec<_> = pairs.collect();
        let longest = spans.iter().map(|(_, length)| *length as usize).max().unwrap_or_default();
        Self { bytes, spans, longest }
    }

    fn average(&self) -> usize {
        self.bytes.len().saturating_sub(LONG) / self.spans.len().max(1)
    }

    /// Appends values.
    fn gather(&self, places: &[u32], out: &mut Piled) -> Result<(), Error> {
        match self.longest {
            0..=16 => self.gather_by::<16>(places, out),
            17..=32 => self.gather_by::<32>(places, out),
            33..=LONG => self.gather_by::<LONG>(places, out),
            _ => {
                check(places, self.spans.len())?;
                for place in places {
                    let (begin, length) = self.spans[*place as usize];
                    append::<LONG>(&mut out.bytes, &self.bytes, begin as usize, length as usize);
                    out.end();
                }
                Ok(())
            }
        }
    }

    /// Appends values of which none is longer than `N`, itself at most [`LONG`].
    #[allow(unsafe_code, reason = "copies of whole registers, whose places are checked together")]
    fn gather_by<const N: usize>(&self, places: &[u32], out: &mut Piled) -> Result<(), Error> {
        const { assert!(N <= LONG) };
        check(places, self.spans.len())?;
        assert!(self.longest <= N, "the caller has looked");
        // SAFETY: all places are inside. Spans are inside of the bytes, behind which there are `LONG` more.
        // Room is made for the sum of the lengths and `N` more; each copy writes `N` bytes from the sum so far on.
        unsafe {
            let span = |place: &u32| *self.spans.get_unchecked(*place as usize);
            let total: usize = places.iter().map(|place| span(place).1 as usize).sum();
            out.bytes.reserve(total + N);
            out.ends.reserve(places.len());
            let (from, to) = (self.bytes.as_ptr(), out.bytes.as_mut_ptr());
            let (ends, count) = (out.ends.as_mut_ptr(), out.ends.len());
            let mut end = out.bytes.len();
            for (at, place) in places.iter().enumerate() {
                let (begin, length) = span(place);
                let value = from.add(begin as usize).cast::<MaybeUninit<[u8; N]>>().read_unaligned();
                to.add(end).cast::<MaybeUninit<[u8; N]>>().write_unaligned(value);
                end += length as usize;
                ends.add(count + at).write(end as i32);
            }
            out.bytes.set_len(end);
            out.ends.set_len(count + places.len());
        }
        Ok(())
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
        Self { is_text, dictionary: Dictionary::default(), out: Piled::default(), rows: 0 }
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
        self.dictionary = Dictionary::of(own.out);
        Ok(())
    }

    fn begin(&mut self, rows: usize) {
        self.rows = rows;
        self.out.ends = Vec::with_capacity(rows + 1);
        self.out.ends.push(0);
        self.out.bytes = Vec::new();
    }

    fn gather(&mut self, places: &[u32]) -> Result<(), Error> {
        let rows = self.rows.saturating_sub(self.out.len()).max(places.len());
        self.out.bytes.reserve(expected(self.dictionary.average(), rows).min(MOST_AHEAD));
        self.dictionary.gather(places, &mut self.out)?;
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
