//! Finding elements.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float32Type, Float64Type, Int64Type};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use super::super::Table;
use super::super::elements::{Pool, choose, choose_one, keys};
use super::super::support::{Computed, optional_bigints, primitives, truths};
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::Call;
use crate::operators::nested::{Pair, is_nested};
use crate::types::Type;

pub(super) fn register(table: &mut Table) {
    table.kernel("contains(array(T), T) -> boolean where T:comparable", "Whether the value is an element.", contains);
    table.kernel(
        "contains_sequence(array(T), array(T)) -> boolean where T:comparable",
        "Whether one array's elements follow each other in the other.",
        contains_sequence,
    );
    table.kernel(
        "arrays_overlap(array(E), array(E)) -> boolean where E:comparable",
        "Whether the arrays have an element in common.",
        arrays_overlap,
    );
    let text = "Where the value occurs, the n-th time if asked for; 0 if nowhere.";
    table.kernel("array_position(array(T), T) -> bigint where T:comparable", text, array_position);
    table.kernel("array_position(array(T), T, bigint) -> bigint where T:comparable", text, array_position);
    table.kernel(
        "array_remove(array(E), E) -> array(E) where E:comparable",
        "The array without the elements equal to a value.",
        array_remove,
    );
    table.kernel("array_min(array(T)) -> T where T:orderable", "The smallest element; NULL if one is NULL.", |call| {
        extreme(call, false)
    });
    table.kernel("array_max(array(T)) -> T where T:orderable", "The largest element; NULL if one is NULL.", |call| {
        extreme(call, true)
    });
}

/// The type of the elements of the first argument.
pub(super) fn element_type<'a>(call: &Call<'a>) -> Result<&'a Type, TrinoError> {
    match call.types.first() {
        Some(Type::Array(element)) => Ok(element),
        _ => Err(TrinoError::internal("the first argument is no array")),
    }
}

/// Refuses what hangs on a NULL inside of an element: whether elements that hold others equal a value, each that comes
/// before the answer is known.
fn refuse_unknown(call: &Call<'_>, pool: &Pool, name: &str, ends: bool) -> Result<(), TrinoError> {
    let ty = element_type(call)?;
    if !is_nested(ty) {
        return Ok(());
    }
    let wanted = call.array(1)?;
    let pair = Pair::new(&pool.values, &wanted, ty)?;
    for row in (0..call.rows).filter(|row| wanted.is_valid(*row)) {
        for index in pool.range(0, row).filter(|index| pool.values.is_valid(*index)) {
            match pair.equal(index, row) {
                Some(true) if ends => break,
                Some(_) => {}
                None => {
                    let message = format!("{name} does not support arrays with elements that are null or contain null");
                    return Err(TrinoError::new(ErrorCode::NotSupported, message));
                }
            }
        }
    }
    Ok(())
}

fn contains(call: &Call<'_>) -> Computed {
    let (pool, ty) = (Pool::new(call, 0..1)?, element_type(call)?);
    refuse_unknown(call, &pool, "contains", true)?;
    let (elements, wanted) = (keys(&pool.values, ty)?, keys(&call.array(1)?, ty)?);
    truths(call, |row| {
        let wanted = wanted.row(row);
        let range = pool.range(0, row);
        let found = range.clone().any(|index| elements.row(index) == wanted);
        Ok(if !found && range.into_iter().any(|index| pool.values.is_null(index)) { None } else { Some(found) })
    })
}

fn contains_sequence(call: &Call<'_>) -> Computed {
    let (pool, ty) = (Pool::new(call, 0..2)?, element_type(call)?);
    let elements = keys(&pool.values, ty)?;
    truths(call, |row| {
        let (all, wanted) = (pool.range(0, row), pool.range(1, row));
        let starts = (all.len() + 1).saturating_sub(wanted.len());
        let matches = |start: usize| {
            let mut pairs = wanted.clone().enumerate();
            pairs.all(|(at, index)| elements.row(all.start + start + at) == elements.row(index))
        };
        Ok(Some(wanted.is_empty() || (0..starts).any(matches)))
    })
}

fn arrays_overlap(call: &Call<'_>) -> Computed {
    let (pool, ty) = (Pool::new(call, 0..2)?, element_type(call)?);
    let elements = keys(&pool.values, ty)?;
    truths(call, |row| {
        let (left, right) = (pool.range(0, row), pool.range(1, row));
        if left.is_empty() || right.is_empty() {
            return Ok(Some(false));
        }
        let valid = |index: &usize| pool.values.is_valid(*index);
        let known: HashSet<_> = left.clone().filter(valid).map(|index| elements.row(index)).collect();
        if right.clone().filter(valid).any(|index| known.contains(&elements.row(index))) {
            return Ok(Some(true));
        }
        Ok(if left.chain(right).all(|index| valid(&index)) { Some(false) } else { None })
    })
}

fn array_position(call: &Call<'_>) -> Computed {
    let (pool, ty) = (Pool::new(call, 0..1)?, element_type(call)?);
    let (elements, wanted) = (keys(&pool.values, ty)?, keys(&call.array(1)?, ty)?);
    refuse_unknown(call, &pool, "array_position", true)?;
    let instances = optional_bigints(call, 2)?;
    primitives::<Int64Type>(call, |row| {
        let instance = instances.as_ref().map_or(1, |instances| instances.value(row));
        let nth = match usize::try_from(instance.unsigned_abs()) {
            Ok(0) => return Err(TrinoError::invalid("array_position cannot take a 0-valued instance argument.")),
            Ok(nth) => nth - 1,
            Err(_) => return Ok(Some(0)),
        };
        let (range, wanted) = (pool.range(0, row), wanted.row(row));
        let mut found = range.clone().filter(|index| elements.row(*index) == wanted);
        let found = if instance > 0 { found.nth(nth) } else { found.nth_back(nth) };
        Ok(Some(found.map_or(0, |index| (index - range.start) as i64 + 1)))
    })
}

fn array_remove(call: &Call<'_>) -> Computed {
    let (pool, ty) = (Pool::new(call, 0..1)?, element_type(call)?);
    let (elements, unwanted) = (keys(&pool.values, ty)?, keys(&call.array(1)?, ty)?);
    refuse_unknown(call, &pool, "array_remove", false)?;
    choose(call, &pool, |row, chosen| {
        let unwanted = unwanted.row(row);
        let kept = pool.range(0, row).filter(|index| elements.row(*index) != unwanted);
        chosen.extend(kept.map(|index| Some(index as u32)));
        Ok(())
    })
}

fn extreme_of_nested(call: &Call<'_>, pool: &Pool, wanted: Ordering) -> Computed {
    let pair = Pair::new(&pool.values, &pool.values, element_type(call)?)?;
    choose_one(call, pool, |row| {
        let mut best: Option<usize> = None;
        for index in pool.range(0, row) {
            if pool.values.is_null(index) {
                return Ok(None);
            }
            let takes = match best {
                Some(best) => pair.order(index, best)? == Some(wanted),
                None => true,
            };
            if takes {
                best = Some(index);
            }
        }
        Ok(best.map(|index| index as u32))
    })
}

/// NaN loses against every other number.
fn extreme(call: &Call<'_>, largest: bool) -> Computed {
    let (pool, ty) = (Pool::new(call, 0..1)?, element_type(call)?);
    if is_nested(ty) {
        return extreme_of_nested(call, &pool, if largest { Ordering::Greater } else { Ordering::Less });
    }
    let values: ArrayRef = match ty {
        Type::Double if largest => {
            let low = |x: f64| if x.is_nan() { -f64::NAN } else { x + 0.0 };
            Arc::new(pool.values.as_primitive::<Float64Type>().unary::<_, Float64Type>(low))
        }
        Type::Real if largest => {
            let low = |x: f32| if x.is_nan() { -f32::NAN } else { x + 0.0 };
            Arc::new(pool.values.as_primitive::<Float32Type>().unary::<_, Float32Type>(low))
        }
        _ => Arc::clone(&pool.values),
    };
    // What has its NaNs in place already must not be made canonical again.
    let elements = if largest && matches!(ty, Type::Double | Type::Real) {
        keys(&values, &Type::Unknown)?
    } else {
        keys(&values, ty)?
    };
    choose_one(call, &pool, |row| {
        let mut best: Option<usize> = None;
        for index in pool.range(0, row) {
            if pool.values.is_null(index) {
                return Ok(None);
            }
            let better = |best: usize| match largest {
                true => elements.row(index) > elements.row(best),
                false => elements.row(index) < elements.row(best),
            };
            if best.is_none_or(better) {
                best = Some(index);
            }
        }
        Ok(best.map(|index| index as u32))
    })
}
