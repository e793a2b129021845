//! Texts of a dictionary that stay places in it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Int32Type;

use super::{Texts, Values, check, spread};
use crate::bits::Bits;
use crate::error::{Error, corrupt};

/// Arrays of places, all with the same dictionary.
#[derive(Debug)]
pub(crate) struct Keys {
    dictionary: ArrayRef,
    out: Vec<i32>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { dictionary: Arc::new(StringArray::from(Vec::<&str>::new())), out: Vec::new() }
    }
}

impl Values for Keys {
    fn dictionary(&mut self, page: &[u8], count: usize) -> Result<(), Error> {
        let mut texts = Texts::new(true);
        texts.begin(count);
        texts.plain(page, &mut 0, count, None)?;
        self.dictionary = texts.finish(None)?;
        Ok(())
    }

    fn begin(&mut self, rows: usize) {
        self.out = Vec::with_capacity(rows);
    }

    fn gather(&mut self, places: &[u32]) -> Result<(), Error> {
        check(places, self.dictionary.len())?;
        self.out.extend(places.iter().map(|place| place.cast_signed()));
        Ok(())
    }

    fn repeat(&mut self, place: u32, times: usize) -> Result<(), Error> {
        check(&[place], self.dictionary.len())?;
        self.out.extend(std::iter::repeat_n(place.cast_signed(), times));
        Ok(())
    }

    fn plain(&mut self, _page: &[u8], _at: &mut usize, _count: usize, wanted: Option<&[u32]>) -> Result<(), Error> {
        match wanted {
            // Passed over: nobody asks what they are.
            Some([]) => Ok(()),
            _ => Err(corrupt("A column of dictionaries has plain values")),
        }
    }

    fn spread(&mut self, rows: &Bits, valid: usize) {
        spread(&mut self.out, rows, valid);
    }

    #[allow(unsafe_code, reason = "keys are checked as they come")]
    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Error> {
        let keys = Int32Array::new(std::mem::take(&mut self.out).into(), nulls);
        let dictionary = Arc::clone(&self.dictionary);
        // SAFETY: `gather` has checked each key that is not null against this dictionary, and its length is an i32.
        Ok(Arc::new(unsafe { DictionaryArray::<Int32Type>::new_unchecked(keys, dictionary) }))
    }
}
