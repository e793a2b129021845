//! What functions of arrays and maps share: elements by index, and elements made comparable.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::{Float32Type, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};

use super::support::{Computed, list, nulls};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;
use crate::types::format::write_value;

/// The elements of several arguments in one array, so that a result can choose among all of them.
pub(super) struct Pool {
    /// All elements.
    pub(super) values: ArrayRef,
    lists: Vec<List>,
    rows: usize,
}

struct List {
    base: usize,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    stride: usize,
}

impl Pool {
    /// The elements of these arguments, which are all arrays of one type.
    pub(super) fn new(call: &Call<'_>, arguments: Range<usize>) -> Result<Self, TrinoError> {
        let (mut children, mut lists, mut base) = (Vec::new(), Vec::new(), 0);
        for index in arguments {
            let (array, stride) = match call.constant(index) {
                Some(value) => (value.to_array()?, 0),
                None => (call.array(index)?, 1),
            };
            let Some(array) = array.as_list_opt::<i32>() else {
                return Err(TrinoError::internal(format!("an argument came as {}", array.data_type())));
            };
            children.push(Arc::clone(array.values()));
            lists.push(List { base, offsets: array.offsets().clone(), nulls: array.nulls().cloned(), stride });
            base += array.values().len();
        }
        let values = match children.as_slice() {
            [only] => Arc::clone(only),
            _ => concat(&children.iter().map(AsRef::as_ref).collect::<Vec<_>>())?,
        };
        Ok(Self { values, lists, rows: call.rows })
    }

    /// Where an argument's elements of a row are; nowhere if it is NULL.
    pub(super) fn range(&self, list: usize, row: usize) -> Range<usize> {
        let list = &self.lists[list];
        let row = row * list.stride;
        if list.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return 0..0;
        }
        list.base + list.offsets[row] as usize..list.base + list.offsets[row + 1] as usize
    }

    /// For each element of an argument the row that it belongs to, without the rows that are NULL.
    pub(super) fn flat(&self, list: usize) -> Flat {
        let (mut elements, mut rows, mut lengths) = (Vec::new(), Vec::new(), Vec::with_capacity(self.rows));
        for row in 0..self.rows {
            let range = self.range(list, row);
            lengths.push(range.len());
            rows.extend(std::iter::repeat_n(row as u32, range.len()));
            elements.extend(range.map(|index| index as u32));
        }
        Flat { elements: UInt32Array::from(elements), rows: UInt32Array::from(rows), lengths }
    }
}

/// The elements of one argument, row after row.
pub(super) struct Flat {
    /// Where each element is in the pool.
    pub(super) elements: UInt32Array,
    /// The row of each element.
    pub(super) rows: UInt32Array,
    /// How many elements each row has.
    pub(super) lengths: Vec<usize>,
}

/// Builds an array for each row from chosen elements of a pool; NULL where an argument is NULL.
pub(super) fn choose(
    call: &Call<'_>,
    pool: &Pool,
    mut each: impl FnMut(usize, &mut Vec<Option<u32>>) -> Result<(), TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let (mut chosen, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = chosen.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            each(row, &mut chosen)?;
        }
        lengths.push(chosen.len() - before);
    }
    list(take(&pool.values, &UInt32Array::from(chosen), None)?, lengths, nulls)
}

/// One element for each row, or NULL.
pub(super) fn choose_one(
    call: &Call<'_>,
    pool: &Pool,
    mut each: impl FnMut(usize) -> Result<Option<u32>, TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let chosen = (0..call.rows).map(|row| match &nulls {
        Some(nulls) if nulls.is_null(row) => Ok(None),
        _ => each(row),
    });
    Ok(take(&pool.values, &chosen.collect::<Result<UInt32Array, _>>()?, None)?)
}

/// Keys for values: equal keys mean equal values, and the order of keys is that of the values, NULL last.
pub(super) fn keys(values: &ArrayRef, ty: &Type) -> Result<Rows, TrinoError> {
    let values = canonical(values, ty)?;
    let options = arrow::compute::SortOptions { descending: false, nulls_first: false };
    let converter = RowConverter::new(vec![SortField::new_with_options(values.data_type().clone(), options)])?;
    Ok(converter.convert_columns(&[values])?)
}

/// Equal values get the same form: one zero, one NaN, an instant without its zone, a map in the order of its keys.
fn canonical(values: &ArrayRef, ty: &Type) -> Computed {
    Ok(match ty {
        Type::Real => {
            let plain = |x: f32| if x.is_nan() { f32::NAN } else { x + 0.0 };
            Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(plain))
        }
        Type::Double => {
            let plain = |x: f64| if x.is_nan() { f64::NAN } else { x + 0.0 };
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(plain))
        }
        Type::TimestampTz(_) | Type::TimeTz(_) => {
            let fields = values.as_struct();
            let instant = fields.column(0).to_data().into_builder().nulls(fields.nulls().cloned());
            arrow::array::make_array(instant.build()?)
        }
        Type::Array(element) => {
            let lists = values.as_list::<i32>();
            let elements = canonical(lists.values(), element)?;
            let field = arrow::datatypes::Field::new_list_field(elements.data_type().clone(), true);
            Arc::new(ListArray::try_new(Arc::new(field), lists.offsets().clone(), elements, lists.nulls().cloned())?)
        }
        Type::Map(key, value) => canonical_map(values.as_map(), key, value)?,
        Type::Row(fields) if !fields.is_empty() => {
            let row = values.as_struct();
            let columns = row.columns().iter().zip(fields.iter());
            let columns = columns.map(|(column, field)| canonical(column, &field.ty)).collect::<Result<Vec<_>, _>>()?;
            let fields =
                row.fields().iter().zip(&columns).map(|(field, column)| {
                    arrow::datatypes::Field::new(field.name(), column.data_type().clone(), true)
                });
            Arc::new(StructArray::try_new(fields.collect(), columns, row.nulls().cloned())?)
        }
        _ => Arc::clone(values),
    })
}

/// A map as the array of its entries in the order of the keys.
fn canonical_map(map: &MapArray, key: &Type, value: &Type) -> Computed {
    let order = keys(map.keys(), key)?;
    let (mut chosen, mut lengths) = (Vec::new(), Vec::with_capacity(map.len()));
    for row in 0..map.len() {
        let entries = map.value_offsets()[row] as u32..map.value_offsets()[row + 1] as u32;
        let before = chosen.len();
        if map.is_valid(row) {
            chosen.extend(entries);
            chosen[before..].sort_unstable_by_key(|entry| order.row(*entry as usize));
        }
        lengths.push(chosen.len() - before);
    }
    let chosen = UInt32Array::from(chosen);
    let columns = [(map.keys(), key, "key"), (map.values(), value, "value")];
    let columns = columns.map(|(column, ty, name)| -> Result<_, TrinoError> {
        let column = canonical(&take(column, &chosen, None)?, ty)?;
        Ok((Arc::new(arrow::datatypes::Field::new(name, column.data_type().clone(), true)), column))
    });
    let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
    list(Arc::new(StructArray::from(columns)), lengths, map.nulls().cloned())
}

/// Refuses NULL as a map's key, and a key that a map has already.
pub(super) fn check_keys(all: &ArrayRef, ty: &Type, lengths: &[usize], problem: &str) -> Result<(), TrinoError> {
    if all.logical_null_count() > 0 {
        return Err(TrinoError::invalid("map key cannot be null"));
    }
    let (order, mut next) = (keys(all, ty)?, 0);
    for length in lengths {
        let mut seen = HashSet::with_capacity(*length);
        if let Some(twice) = (next..next + length).find(|index| !seen.insert(order.row(*index))) {
            let mut shown = String::new();
            write_value(&mut shown, all, twice, ty);
            return Err(TrinoError::invalid(format!("{problem} ({shown}) are not allowed")));
        }
        next += length;
    }
    Ok(())
}
