//! Geometries as arguments and as results of kernels.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{AsArray, BinaryArray, BinaryBuilder, Int64Builder, ListArray};
use geo::Geometry;

use super::super::support::{Arg, Computed, bytes, list, nulls};
use super::wkb;
use crate::error::TrinoError;
use crate::kernel::Call;

/// A geometry from the bytes that a value is.
pub(super) fn decoded(bytes: &[u8]) -> Result<Geometry, TrinoError> {
    wkb::from_bytes(bytes).ok_or_else(|| TrinoError::internal("a geometry's bytes can't be read"))
}

/// How many geometries are kept that have been read.
const MOST_KNOWN: usize = 16;
/// The bytes of a point, which is read faster than it is found again.
const POINT: usize = 21;

/// An argument's geometries. The last ones read are kept: a join meets the same ones again and again.
pub(super) struct Geometries {
    values: Arg<BinaryArray>,
    /// Each with a row that it stands in.
    known: RefCell<VecDeque<(usize, Rc<Geometry>)>>,
}

impl Geometries {
    /// The row's geometry, which isn't NULL.
    pub(super) fn at(&self, row: usize) -> Result<Rc<Geometry>, TrinoError> {
        let bytes = self.values.value(row);
        if bytes.len() <= POINT {
            return decoded(bytes).map(Rc::new);
        }
        let mut known = self.known.borrow_mut();
        if let Some((_, geometry)) = known.iter().find(|(known, _)| self.values.value(*known) == bytes) {
            return Ok(Rc::clone(geometry));
        }
        let geometry = Rc::new(decoded(bytes)?);
        known.truncate(MOST_KNOWN - 1);
        known.push_front((row, Rc::clone(&geometry)));
        Ok(geometry)
    }
}

/// An argument that is a geometry.
pub(super) fn geometries(call: &Call<'_>, index: usize) -> Result<Geometries, TrinoError> {
    Ok(Geometries { values: bytes(call, index)?, known: RefCell::default() })
}

/// An argument that is an array of geometries, some of which may be NULL.
pub(super) struct Arrays(ListArray);

impl Arrays {
    /// The row's geometries.
    pub(super) fn at(&self, row: usize) -> Result<Vec<Option<Geometry>>, TrinoError> {
        let values = self.0.value(row);
        values.as_binary::<i32>().iter().map(|bytes| bytes.map(decoded).transpose()).collect()
    }
}

/// An argument that is an array of geometries.
pub(super) fn arrays(call: &Call<'_>, index: usize) -> Result<Arrays, TrinoError> {
    Ok(Arrays(call.array(index)?.as_list::<i32>().clone()))
}

/// A geometry for each row.
pub(super) fn shapes(call: &Call<'_>, mut each: impl FnMut(usize) -> Result<Option<Geometry>, TrinoError>) -> Computed {
    let nulls = nulls(call)?;
    let mut builder = BinaryBuilder::with_capacity(call.rows, call.rows * 32);
    for row in 0..call.rows {
        let shape = match nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            true => None,
            false => call.forgive(each(row))?,
        };
        builder.append_option(shape.map(|shape| wkb::to_bytes(&shape)));
    }
    Ok(Arc::new(builder.finish()))
}

/// An array of geometries for each row.
pub(super) fn shape_arrays(
    call: &Call<'_>,
    each: impl FnMut(usize) -> Result<Option<Vec<Geometry>>, TrinoError>,
) -> Computed {
    let mut values = BinaryBuilder::new();
    let (lengths, valid) = lengths(call, each, |shape| values.append_value(wkb::to_bytes(&shape)))?;
    list(Arc::new(values.finish()), lengths, Some(valid.into()))
}

/// An array of numbers for each row.
pub(super) fn number_arrays(
    call: &Call<'_>,
    each: impl FnMut(usize) -> Result<Option<Vec<i64>>, TrinoError>,
) -> Computed {
    let mut values = Int64Builder::new();
    let (lengths, valid) = lengths(call, each, |number| values.append_value(number))?;
    list(Arc::new(values.finish()), lengths, Some(valid.into()))
}

/// How many values each row has, and whether it has an array at all.
fn lengths<T>(
    call: &Call<'_>,
    mut each: impl FnMut(usize) -> Result<Option<Vec<T>>, TrinoError>,
    append: impl FnMut(T),
) -> Result<(Vec<usize>, Vec<bool>), TrinoError> {
    let nulls = nulls(call)?;
    let mut append = append;
    let (mut lengths, mut valid) = (Vec::with_capacity(call.rows), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let values = match nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            true => None,
            false => call.forgive(each(row))?,
        };
        valid.push(values.is_some());
        lengths.push(values.as_ref().map_or(0, Vec::len));
        values.into_iter().flatten().for_each(&mut append);
    }
    Ok((lengths, valid))
}
