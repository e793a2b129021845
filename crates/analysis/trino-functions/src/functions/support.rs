//! What kernels share: reading arguments row by row, and building results that are NULL where an argument is.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BinaryBuilder, BooleanArray, BooleanBuilder, ListArray,
    MapArray, PrimitiveArray, PrimitiveBuilder, StringArray, StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type};

use crate::error::TrinoError;
use crate::kernel::Call;

/// What a kernel gives back.
pub(super) type Computed = Result<ArrayRef, TrinoError>;

/// An argument's values; one value stands for all rows if it is constant.
pub(super) struct Arg<A> {
    values: A,
    stride: usize,
}

impl<A: Array> Arg<A> {
    fn at(&self, row: usize) -> usize {
        row * self.stride
    }

    /// Whether the row has no value.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.values.is_null(self.at(row))
    }
}

impl Arg<StringArray> {
    /// The row's text; anything where it is NULL.
    pub(super) fn value(&self, row: usize) -> &str {
        self.values.value(self.at(row))
    }

    /// The row's text, if it has one.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        (!self.is_null(row)).then(|| self.value(row))
    }
}

impl Arg<BinaryArray> {
    /// The row's bytes; anything where it is NULL.
    pub(super) fn value(&self, row: usize) -> &[u8] {
        self.values.value(self.at(row))
    }
}

impl Arg<BooleanArray> {
    /// The row's truth; anything where it is NULL.
    pub(super) fn value(&self, row: usize) -> bool {
        self.values.value(self.at(row))
    }
}

impl<T: ArrowPrimitiveType> Arg<PrimitiveArray<T>> {
    /// The row's value; anything where it is NULL.
    pub(super) fn value(&self, row: usize) -> T::Native {
        self.values.value(self.at(row))
    }
}

/// An argument's array, with one row only if it is constant.
fn stored(call: &Call<'_>, index: usize) -> Result<(ArrayRef, usize), TrinoError> {
    match call.constant(index) {
        Some(value) => Ok((value.to_array()?, 0)),
        None => Ok((call.array(index)?, 1)),
    }
}

/// An argument that is text.
pub(super) fn text(call: &Call<'_>, index: usize) -> Result<Arg<StringArray>, TrinoError> {
    let (array, stride) = stored(call, index)?;
    let values = array.as_string_opt::<i32>().ok_or_else(|| unexpected(&array))?.clone();
    Ok(Arg { values, stride })
}

/// An argument of bytes.
pub(super) fn bytes(call: &Call<'_>, index: usize) -> Result<Arg<BinaryArray>, TrinoError> {
    let (array, stride) = stored(call, index)?;
    let values = array.as_binary_opt::<i32>().ok_or_else(|| unexpected(&array))?.clone();
    Ok(Arg { values, stride })
}

/// An argument that is true or false.
pub(super) fn truth(call: &Call<'_>, index: usize) -> Result<Arg<BooleanArray>, TrinoError> {
    let (array, stride) = stored(call, index)?;
    let values = array.as_boolean_opt().ok_or_else(|| unexpected(&array))?.clone();
    Ok(Arg { values, stride })
}

/// An argument of a primitive Arrow type.
pub(super) fn numbers<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    index: usize,
) -> Result<Arg<PrimitiveArray<T>>, TrinoError> {
    let (array, stride) = stored(call, index)?;
    let values = array.as_primitive_opt::<T>().ok_or_else(|| unexpected(&array))?.clone();
    Ok(Arg { values, stride })
}

/// A `bigint` argument.
pub(super) fn bigints(call: &Call<'_>, index: usize) -> Result<Arg<PrimitiveArray<Int64Type>>, TrinoError> {
    numbers(call, index)
}

/// An `integer` argument.
pub(super) fn integers(call: &Call<'_>, index: usize) -> Result<Arg<PrimitiveArray<Int32Type>>, TrinoError> {
    numbers(call, index)
}

/// A `bigint` argument that may be left out.
pub(super) fn optional_bigints(
    call: &Call<'_>,
    index: usize,
) -> Result<Option<Arg<PrimitiveArray<Int64Type>>>, TrinoError> {
    (index < call.len()).then(|| bigints(call, index)).transpose()
}

fn unexpected(array: &ArrayRef) -> TrinoError {
    TrinoError::internal(format!("an argument came as {}", array.data_type()))
}

/// The rows in which no argument is NULL; all of them if none.
pub(super) fn nulls(call: &Call<'_>) -> Result<Option<NullBuffer>, TrinoError> {
    let mut union = None;
    for index in 0..call.len() {
        match call.constant(index) {
            Some(value) if value.is_null() => return Ok(Some(NullBuffer::new_null(call.rows))),
            Some(_) => {}
            None => union = NullBuffer::union(union.as_ref(), call.array(index)?.logical_nulls().as_ref()),
        }
    }
    Ok(union)
}

fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}

/// Text that stands in an argument already.
pub(super) fn texts<'a>(
    call: &Call<'_>,
    mut each: impl FnMut(usize) -> Result<Option<&'a str>, TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let mut builder = StringBuilder::with_capacity(call.rows, call.rows * 8);
    for row in 0..call.rows {
        match is_null(nulls.as_ref(), row) {
            true => builder.append_null(),
            false => builder.append_option(call.forgive(each(row))?),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Text that is written piece by piece; NULL where nothing comes back.
pub(super) fn write_texts(
    call: &Call<'_>,
    mut each: impl FnMut(usize, &mut Text<'_>) -> Result<Option<()>, TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let mut builder = StringBuilder::with_capacity(call.rows, call.rows * 8);
    for row in 0..call.rows {
        let written = match is_null(nulls.as_ref(), row) {
            true => None,
            false => call.forgive(each(row, &mut Text(&mut builder)))?,
        };
        match written {
            Some(()) => builder.append_value(""),
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// The text of one row under construction.
pub(super) struct Text<'a>(&'a mut StringBuilder);

impl Text<'_> {
    /// Appends text.
    pub(super) fn push_str(&mut self, text: &str) {
        // Writing to memory can't fail.
        let _ = self.0.write_str(text);
    }

    /// Appends a character.
    pub(super) fn push(&mut self, letter: char) {
        let _ = self.0.write_char(letter);
    }
}

impl Extend<char> for Text<'_> {
    fn extend<I: IntoIterator<Item = char>>(&mut self, letters: I) {
        letters.into_iter().for_each(|letter| self.push(letter));
    }
}

/// Bytes for each row.
pub(super) fn binaries<B: AsRef<[u8]>>(
    call: &Call<'_>,
    mut each: impl FnMut(usize) -> Result<B, TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let mut builder = BinaryBuilder::with_capacity(call.rows, call.rows * 8);
    for row in 0..call.rows {
        match is_null(nulls.as_ref(), row) {
            true => builder.append_null(),
            false => builder.append_value(each(row)?),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// A number (or a date, …) for each row.
pub(super) fn primitives<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    mut each: impl FnMut(usize) -> Result<Option<T::Native>, TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let mut builder = PrimitiveBuilder::<T>::with_capacity(call.rows);
    for row in 0..call.rows {
        match is_null(nulls.as_ref(), row) {
            true => builder.append_null(),
            false => builder.append_option(call.forgive(each(row))?),
        }
    }
    Ok(Arc::new(builder.finish().with_data_type(call.result.to_arrow())))
}

/// True or false for each row.
pub(super) fn truths(call: &Call<'_>, mut each: impl FnMut(usize) -> Result<Option<bool>, TrinoError>) -> Computed {
    let nulls = nulls(call)?;
    let mut builder = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        match is_null(nulls.as_ref(), row) {
            true => builder.append_null(),
            false => builder.append_option(call.forgive(each(row))?),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// An array of text for each row, from the pieces that `each` pushes.
pub(super) fn text_arrays<'a>(
    call: &Call<'_>,
    mut each: impl FnMut(usize, &mut dyn FnMut(Option<&'a str>)) -> Result<(), TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let mut values = StringBuilder::new();
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let mut count = 0;
        if !is_null(nulls.as_ref(), row) {
            each(row, &mut |piece| {
                values.append_option(piece);
                count += 1;
            })?;
        }
        lengths.push(count);
    }
    list(Arc::new(values.finish()), lengths, nulls)
}

/// Lists of these lengths over the values.
pub(super) fn list(values: ArrayRef, lengths: Vec<usize>, nulls: Option<NullBuffer>) -> Computed {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, nulls)?))
}

/// Maps with these numbers of entries.
pub(super) fn map(keys: ArrayRef, values: ArrayRef, lengths: Vec<usize>, nulls: Option<NullBuffer>) -> Computed {
    let fields = Fields::from(vec![
        Field::new("key", keys.data_type().clone(), false),
        Field::new("value", values.data_type().clone(), true),
    ]);
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    Ok(Arc::new(MapArray::try_new(field, OffsetBuffer::from_lengths(lengths), entries, nulls, false)?))
}
