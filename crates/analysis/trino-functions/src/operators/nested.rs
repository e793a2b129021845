//! Equality of arrays, maps and rows: unknown where it hangs on a NULL inside, and a map's entries have no order.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, DynComparator, ListArray, MapArray, make_comparator};
use arrow::compute::SortOptions;

use datafusion::logical_expr::Expr;

use crate::Typed;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

/// Whether values of a type hold others.
pub(super) fn is_nested(ty: &Type) -> bool {
    matches!(ty, Type::Array(_) | Type::Map(..) | Type::Row(_))
}

/// The members of two rows that are written as such, side by side.
pub(super) fn members(left: &Typed, right: &Typed) -> Option<Vec<(Typed, Typed)>> {
    let of = |(expr, ty): &Typed| {
        let (Expr::ScalarFunction(call), Type::Row(fields)) = (expr, ty) else { return None };
        let values = call.args.iter().skip(1).step_by(2).cloned();
        let typed: Vec<Typed> = values.zip(fields.iter().map(|field| field.ty.clone())).collect();
        (call.func.name() == "named_struct" && typed.len() == fields.len()).then_some(typed)
    };
    Some(of(left)?.into_iter().zip(of(right)?).collect())
}

pub(super) fn equal(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    compared(call, true)
}

pub(super) fn not_equal(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    compared(call, false)
}

fn compared(call: &Call<'_>, wanted: bool) -> Result<ArrayRef, TrinoError> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let pair = Pair::new(&left, &right, &call.types[0])?;
    let result = |row| pair.equal(row, row).map(|equal| equal == wanted);
    Ok(Arc::new((0..call.rows).map(result).collect::<BooleanArray>()))
}

/// Two columns of one type that are compared.
struct Pair {
    left: ArrayRef,
    right: ArrayRef,
    inner: Inner,
}

enum Inner {
    Scalar(DynComparator),
    Array(Box<Pair>),
    Map(Box<Pair>, Box<Pair>),
    Row(Vec<Pair>),
}

impl Pair {
    fn new(left: &ArrayRef, right: &ArrayRef, ty: &Type) -> Result<Self, TrinoError> {
        let inner = match ty {
            Type::Array(element) => {
                let (left, right) = (left.as_list::<i32>().values(), right.as_list::<i32>().values());
                Inner::Array(Box::new(Self::new(left, right, element)?))
            }
            Type::Map(key, value) => {
                let (left, right) = (left.as_map(), right.as_map());
                let keys = Self::new(left.keys(), right.keys(), key)?;
                Inner::Map(Box::new(keys), Box::new(Self::new(left.values(), right.values(), value)?))
            }
            Type::Row(fields) => {
                let columns = left.as_struct().columns().iter().zip(right.as_struct().columns());
                let pairs = columns.zip(fields.iter()).map(|((left, right), field)| Self::new(left, right, &field.ty));
                Inner::Row(pairs.collect::<Result<_, _>>()?)
            }
            Type::TimestampTz(_) | Type::TimeTz(_) => {
                let (left, right) = (left.as_struct().column(0), right.as_struct().column(0));
                Inner::Scalar(make_comparator(left, right, SortOptions::default())?)
            }
            _ => Inner::Scalar(make_comparator(left, right, SortOptions::default())?),
        };
        Ok(Self { left: Arc::clone(left), right: Arc::clone(right), inner })
    }

    /// Whether the left value of a row equals the right one of another; none if that is unknown.
    fn equal(&self, left: usize, right: usize) -> Option<bool> {
        if self.left.is_null(left) || self.right.is_null(right) {
            return None;
        }
        match &self.inner {
            Inner::Scalar(compare) => Some(compare(left, right) == Ordering::Equal),
            Inner::Array(elements) => {
                let (from, to) = (range_of_list(&self.left, left), range_of_list(&self.right, right));
                if from.len() != to.len() {
                    return Some(false);
                }
                all(from.zip(to).map(|(left, right)| elements.equal(left, right)))
            }
            Inner::Map(keys, values) => {
                let (from, to) = (range_of_map(&self.left, left), range_of_map(&self.right, right));
                if from.len() != to.len() {
                    return Some(false);
                }
                all(from.map(|entry| match to.clone().find(|other| keys.equal(entry, *other) == Some(true)) {
                    Some(other) => values.equal(entry, other),
                    None => Some(false),
                }))
            }
            Inner::Row(fields) => all(fields.iter().map(|field| field.equal(left, right))),
        }
    }
}

fn range_of_list(array: &ArrayRef, row: usize) -> std::ops::Range<usize> {
    let list: &ListArray = array.as_list();
    list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize
}

fn range_of_map(array: &ArrayRef, row: usize) -> std::ops::Range<usize> {
    let map: &MapArray = array.as_map();
    map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize
}

/// One difference decides; without one, one unknown makes all unknown.
fn all(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for result in results {
        match result {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}
