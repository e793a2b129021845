//! Equality and order of arrays, maps and rows. Equality is unknown where it hangs on a NULL inside, the order is refused
//! there, and a map's entries have no order.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DynComparator, Float64Array, ListArray, MapArray, make_comparator,
};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;

use crate::Typed;
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::Call;
use crate::types::Type;

/// Whether values of a type hold others.
pub(crate) fn is_nested(ty: &Type) -> bool {
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

pub(super) fn less(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    ordered(call, Ordering::is_lt)
}

pub(super) fn less_or_equal(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    ordered(call, Ordering::is_le)
}

pub(super) fn greater(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    ordered(call, Ordering::is_gt)
}

pub(super) fn greater_or_equal(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    ordered(call, Ordering::is_ge)
}

fn ordered(call: &Call<'_>, fits: fn(Ordering) -> bool) -> Result<ArrayRef, TrinoError> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let pair = Pair::new(&left, &right, &call.types[0])?;
    let result = |row| Ok(pair.order(row, row)?.map(fits));
    Ok(Arc::new((0..call.rows).map(result).collect::<Result<BooleanArray, TrinoError>>()?))
}

fn compared(call: &Call<'_>, wanted: bool) -> Result<ArrayRef, TrinoError> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let pair = Pair::new(&left, &right, &call.types[0])?;
    let result = |row| pair.equal(row, row).map(|equal| equal == wanted);
    Ok(Arc::new((0..call.rows).map(result).collect::<BooleanArray>()))
}

/// Two columns of one type that are compared.
pub(crate) struct Pair {
    left: ArrayRef,
    right: ArrayRef,
    inner: Inner,
}

enum Inner {
    /// Of the type of NULL.
    Unknown,
    Scalar(DynComparator),
    /// NaN equals nothing and comes last, and zero has no sign.
    Number(Float64Array, Float64Array),
    Array(Box<Pair>),
    Map(Box<Pair>, Box<Pair>),
    Row(Vec<Pair>),
}

impl Pair {
    pub(crate) fn new(left: &ArrayRef, right: &ArrayRef, ty: &Type) -> Result<Self, TrinoError> {
        let inner = match ty {
            Type::Unknown => Inner::Unknown,
            Type::Real | Type::Double => {
                let number = |side: &ArrayRef| cast(side, &DataType::Float64).map(|side| side.as_primitive().clone());
                Inner::Number(number(left)?, number(right)?)
            }
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
    pub(crate) fn equal(&self, left: usize, right: usize) -> Option<bool> {
        if self.left.is_null(left) || self.right.is_null(right) {
            return None;
        }
        match &self.inner {
            Inner::Unknown => None,
            Inner::Scalar(compare) => Some(compare(left, right) == Ordering::Equal),
            Inner::Number(from, to) => Some(from.value(left) == to.value(right)),
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

    /// Where the left value of a row comes in the order, seen from the right one of another; none if one of them is NULL.
    ///
    /// # Errors
    /// NOT_SUPPORTED where the order hangs on a NULL inside.
    pub(crate) fn order(&self, left: usize, right: usize) -> Result<Option<Ordering>, TrinoError> {
        if self.left.is_null(left) || self.right.is_null(right) {
            return Ok(None);
        }
        let unknown = |message: &str| TrinoError::new(ErrorCode::NotSupported, message);
        Ok(Some(match &self.inner {
            Inner::Unknown => return Ok(None),
            Inner::Scalar(compare) => compare(left, right),
            Inner::Number(from, to) => match (from.value(left), to.value(right)) {
                (left, right) if left == right => Ordering::Equal,
                (left, right) => left.total_cmp(&right),
            },
            Inner::Map(..) => return Err(TrinoError::internal("maps have no order")),
            Inner::Array(elements) => {
                let (from, to) = (range_of_list(&self.left, left), range_of_list(&self.right, right));
                let longer = from.len().cmp(&to.len());
                for (left, right) in from.zip(to) {
                    let order = elements.order(left, right)?;
                    match order
                        .ok_or_else(|| unknown("ARRAY comparison not supported for arrays with null elements"))?
                    {
                        Ordering::Equal => {}
                        decided => return Ok(Some(decided)),
                    }
                }
                longer
            }
            Inner::Row(fields) => {
                for field in fields {
                    let order = field.order(left, right)?;
                    match order.ok_or_else(|| unknown("ROW comparison not supported for fields with null elements"))? {
                        Ordering::Equal => {}
                        decided => return Ok(Some(decided)),
                    }
                }
                Ordering::Equal
            }
        }))
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

#[cfg(test)]
mod tests {
    use arrow::datatypes::Int32Type;

    use super::*;

    fn lists(values: &[&[Option<i32>]]) -> ArrayRef {
        let values = values.iter().map(|list| Some(list.to_vec()));
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(values))
    }

    #[test]
    fn what_hangs_on_a_null_is_unknown_or_refused() {
        let left = lists(&[&[Some(1), None], &[Some(1), None], &[Some(1)], &[Some(2), None]]);
        let right = lists(&[&[Some(1), Some(2)], &[Some(2), None], &[Some(1), None], &[Some(1), Some(2)]]);
        let pair = Pair::new(&left, &right, &Type::array(Type::Integer)).unwrap();
        let equal: Vec<_> = (0..4).map(|row| pair.equal(row, row)).collect();
        assert_eq!(equal, [None, Some(false), Some(false), Some(false)]);
        let error = pair.order(0, 0).unwrap_err();
        assert_eq!(error.message, "ARRAY comparison not supported for arrays with null elements");
        let order: Vec<_> = (1..4).map(|row| pair.order(row, row).unwrap()).collect();
        assert_eq!(order, [Some(Ordering::Less), Some(Ordering::Less), Some(Ordering::Greater)]);
    }
}
