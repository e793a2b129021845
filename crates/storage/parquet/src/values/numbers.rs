//! Values of a size that arrays have as well: numbers, dates, decimals, booleans.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayData, ArrayRef, BooleanArray, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{ArrowNativeType, DataType};

use super::{Values, check, cut_off, pick, split, spread, walk};
use crate::bits::Bits;
use crate::error::{Error, corrupt};

/// How plain values become an array's.
pub(crate) trait Convert: Send + Debug {
    /// A value of the array.
    type Native: ArrowNativeType;

    /// Appends the next values: see [`Values::plain`].
    fn plain(
        &self,
        page: &[u8],
        at: &mut usize,
        count: usize,
        wanted: Option<&[u32]>,
        out: &mut Vec<Self::Native>,
    ) -> Result<(), Error>;
}

/// Arrays of native values.
#[derive(Debug)]
pub(crate) struct Numbers<C: Convert> {
    convert: C,
    data_type: DataType,
    dictionary: Vec<C::Native>,
    out: Vec<C::Native>,
}

impl<C: Convert> Numbers<C> {
    pub(crate) fn new(convert: C, data_type: &DataType) -> Self {
        Self { convert, data_type: data_type.clone(), dictionary: Vec::new(), out: Vec::new() }
    }
}

impl<C: Convert> Values for Numbers<C> {
    fn dictionary(&mut self, page: &[u8], count: usize) -> Result<(), Error> {
        self.dictionary.clear();
        self.convert.plain(page, &mut 0, count, None, &mut self.dictionary)
    }

    fn begin(&mut self, rows: usize) {
        self.out = Vec::with_capacity(rows);
    }

    fn gather(&mut self, places: &[u32]) -> Result<(), Error> {
        pick(&self.dictionary, places, &mut self.out)
    }

    fn repeat(&mut self, place: u32, times: usize) -> Result<(), Error> {
        check(&[place], self.dictionary.len())?;
        self.out.extend(std::iter::repeat_n(self.dictionary[place as usize], times));
        Ok(())
    }

    fn plain(&mut self, page: &[u8], at: &mut usize, count: usize, wanted: Option<&[u32]>) -> Result<(), Error> {
        self.convert.plain(page, at, count, wanted, &mut self.out)
    }

    fn spread(&mut self, rows: &Bits, valid: usize) {
        spread(&mut self.out, rows, valid);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Error> {
        let out = std::mem::take(&mut self.out);
        let data = ArrayData::builder(self.data_type.clone()).len(out.len()).add_buffer(Buffer::from_vec(out));
        data.nulls(nulls).build().map(make_array).map_err(|error| corrupt(error.to_string()))
    }
}

/// The conversions.
pub(crate) mod convert {
    use arrow::datatypes::TimeUnit;

    use super::{Convert, Error, corrupt, cut_off, split, walk};

    macro_rules! conversions {
        ($($name:ident: $from:ty => $to:ty;)*) => {$(
            #[doc = concat!("Of `", stringify!($from), "` into `", stringify!($to), "`, with the lowest bits.")]
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Convert for $name {
                type Native = $to;

                fn plain(
                    &self,
                    page: &[u8],
                    at: &mut usize,
                    count: usize,
                    wanted: Option<&[u32]>,
                    out: &mut Vec<$to>,
                ) -> Result<(), Error> {
                    const SIZE: usize = size_of::<$from>();
                    let values = split(page, at, count, SIZE)?.as_chunks::<SIZE>().0;
                    let value = |raw: &[u8; SIZE]| <$from>::from_le_bytes(*raw) as $to;
                    match wanted {
                        None => out.extend(values.iter().map(value)),
                        Some(wanted) if wanted.last().is_none_or(|last| (*last as usize) < values.len()) => {
                            out.extend(wanted.iter().map(|place| value(&values[*place as usize])));
                        }
                        Some(_) => return Err(cut_off()),
                    }
                    Ok(())
                }
            }
        )*};
    }

    conversions! {
        Int32: i32 => i32;
        Int32AsInt8: i32 => i8;
        Int32AsInt16: i32 => i16;
        Int32AsUInt8: i32 => u8;
        Int32AsUInt16: i32 => u16;
        Int32AsUInt32: i32 => u32;
        Int32AsDecimal: i32 => i128;
        Int64: i64 => i64;
        Int64AsUInt64: i64 => u64;
        Int64AsDecimal: i64 => i128;
        Float: f32 => f32;
        Double: f64 => f64;
    }

    /// The oldest times: nanoseconds of a day, then the day, counted from 4713 BC, in 12 bytes. Later ones than the unit has
    /// wrap around.
    #[derive(Debug)]
    pub(crate) struct Int96(pub(crate) TimeUnit);

    impl Int96 {
        const SIZE: usize = 12;
        /// The day that 1970 began with.
        const EPOCH: i64 = 2_440_588;

        fn value(&self, raw: &[u8; Self::SIZE]) -> i64 {
            let [low, middle, day] = [0, 4, 8].map(|at| [raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]);
            let nanos = i64::from(u32::from_le_bytes(middle)) << 32 | i64::from(u32::from_le_bytes(low));
            let days = i64::from(i32::from_le_bytes(day)) - Self::EPOCH;
            let per_second: i64 = match self.0 {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            };
            days.wrapping_mul(86_400 * per_second).wrapping_add(nanos / (1_000_000_000 / per_second))
        }
    }

    impl Convert for Int96 {
        type Native = i64;

        fn plain(
            &self,
            page: &[u8],
            at: &mut usize,
            count: usize,
            wanted: Option<&[u32]>,
            out: &mut Vec<i64>,
        ) -> Result<(), Error> {
            let values = split(page, at, count, Self::SIZE)?.as_chunks::<{ Self::SIZE }>().0;
            match wanted {
                None => out.extend(values.iter().map(|raw| self.value(raw))),
                Some(wanted) => {
                    for place in wanted {
                        out.push(self.value(values.get(*place as usize).ok_or_else(cut_off)?));
                    }
                }
            }
            Ok(())
        }
    }

    /// Decimals as bytes, the highest first, all of the same length.
    #[derive(Debug)]
    pub(crate) struct FixedDecimal(pub(crate) usize);

    impl Convert for FixedDecimal {
        type Native = i128;

        fn plain(
            &self,
            page: &[u8],
            at: &mut usize,
            count: usize,
            wanted: Option<&[u32]>,
            out: &mut Vec<i128>,
        ) -> Result<(), Error> {
            let bytes = split(page, at, count, self.0)?;
            match wanted {
                None => out.extend(bytes.chunks_exact(self.0).map(big_endian)),
                Some(wanted) => {
                    for place in wanted {
                        let begin = *place as usize * self.0;
                        out.push(big_endian(bytes.get(begin..begin + self.0).ok_or_else(cut_off)?));
                    }
                }
            }
            Ok(())
        }
    }

    /// Decimals as bytes, the highest first, of any lengths.
    #[derive(Debug)]
    pub(crate) struct Decimal;

    impl Convert for Decimal {
        type Native = i128;

        fn plain(
            &self,
            page: &[u8],
            at: &mut usize,
            count: usize,
            wanted: Option<&[u32]>,
            out: &mut Vec<i128>,
        ) -> Result<(), Error> {
            walk(page, at, count, wanted, |value, _| match value.len() {
                0..=16 => {
                    out.push(big_endian(value));
                    Ok(())
                }
                length => Err(corrupt(format!("A decimal has {length} bytes"))),
            })
        }
    }

    /// The number of at most 16 bytes, the highest first.
    fn big_endian(bytes: &[u8]) -> i128 {
        let is_negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
        let mut whole = [if is_negative { 0xff } else { 0 }; 16];
        whole[16 - bytes.len()..].copy_from_slice(bytes);
        i128::from_be_bytes(whole)
    }
}

/// Booleans, one byte each until the array is made.
#[derive(Debug, Default)]
pub(crate) struct Booleans {
    out: Vec<u8>,
}

impl Values for Booleans {
    fn dictionary(&mut self, _page: &[u8], _count: usize) -> Result<(), Error> {
        Err(corrupt("Booleans have a dictionary"))
    }

    fn begin(&mut self, rows: usize) {
        self.out.clear();
        self.out.reserve(rows);
    }

    fn gather(&mut self, places: &[u32]) -> Result<(), Error> {
        self.out.extend(places.iter().map(|bit| *bit as u8));
        Ok(())
    }

    fn plain(&mut self, _page: &[u8], _at: &mut usize, _count: usize, _wanted: Option<&[u32]>) -> Result<(), Error> {
        Err(corrupt("Booleans are written as bits"))
    }

    fn spread(&mut self, rows: &Bits, valid: usize) {
        spread(&mut self.out, rows, valid);
    }

    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, Error> {
        let values = BooleanBuffer::collect_bool(self.out.len(), |row| self.out[row] != 0);
        Ok(Arc::new(BooleanArray::new(values, nulls)))
    }
}
