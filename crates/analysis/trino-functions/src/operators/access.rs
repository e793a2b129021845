//! Signs, `||`, subscripts and fields.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, UInt32Array, make_comparator};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, Operator};

use super::native;
use crate::Typed;
use crate::cast::{coerce, primitive};
use crate::error::TrinoError;
use crate::functions::call_scalar;
use crate::kernel::{Bound, Call, Kernel};
use crate::types::Type;
use crate::types::coercion::can_coerce;
use crate::types::format::write_value;

/// `-value`
///
/// # Errors
/// TYPE_MISMATCH for what has no sign.
pub fn negate((expr, ty): Typed) -> Result<Typed, TrinoError> {
    match ty {
        Type::Real | Type::Double | Type::Decimal(..) => Ok((Expr::Negative(Box::new(expr)), ty)),
        Type::IntervalDayTime | Type::IntervalYearMonth => Ok(super::temporal::negate((expr, ty))),
        _ if ty.is_integer() => Ok((operator("negate", negate_integers, vec![(expr, ty.clone())], &ty), ty)),
        Type::Unknown => Ok((expr, ty)),
        _ => Err(TrinoError::mismatch(format!("Cannot negate {ty}"))),
    }
}

/// `left || right` on texts, arrays and an array's element: the function `concat`.
///
/// # Errors
/// FUNCTION_NOT_FOUND where `concat` takes no such arguments.
pub fn concat(left: Typed, right: Typed) -> Result<Typed, TrinoError> {
    if left.1.is_varchar() && right.1.is_varchar() {
        return Ok((native(left.0, Operator::StringConcat, right.0), Type::VARCHAR));
    }
    call_scalar("concat", vec![left, right])
}

/// `base[index]` on arrays (from 1), maps and rows (from 1, a constant).
///
/// # Errors
/// TYPE_MISMATCH where the index can't be one.
pub fn subscript(base: Typed, index: Typed) -> Result<Typed, TrinoError> {
    let refuse = || TrinoError::mismatch(format!("Cannot use {} for subscript of {}", index.1, base.1));
    match base.1.clone() {
        Type::Array(element) if can_coerce(&index.1, &Type::Bigint) => {
            let index = coerce(index, &Type::Bigint)?;
            Ok((operator("subscript", element_at, vec![base, index], &element), (*element).clone()))
        }
        Type::Map(key, value) if can_coerce(&index.1, &key) => {
            let index = coerce(index, &key)?;
            Ok((operator("subscript", value_of, vec![base, index], &value), (*value).clone()))
        }
        Type::Row(fields) => {
            let Expr::Literal(ScalarValue::Int32(Some(position)), _) = &index.0 else {
                return Err(TrinoError::mismatch("Subscript expression on ROW requires a constant index"));
            };
            let field = usize::try_from(*position).ok().and_then(|position| position.checked_sub(1));
            match field.filter(|field| *field < fields.len()) {
                Some(field) => Ok(nth_field(base.0, field, &fields)),
                None if *position < 1 => {
                    Err(TrinoError::invalid(format!("Invalid subscript index: {position}. ROW indices start at 1")))
                }
                None => Err(TrinoError::invalid(format!(
                    "Subscript index out of bounds: {position}, max value is {}",
                    fields.len()
                ))),
            }
        }
        _ => Err(refuse()),
    }
}

/// `base.field` on a row; names don't regard case.
///
/// # Errors
/// TYPE_MISMATCH for what has no such field.
pub fn dereference(base: Typed, field: &str) -> Result<Typed, TrinoError> {
    let Type::Row(fields) = &base.1 else {
        return Err(TrinoError::mismatch(format!("Expression {} is not of type ROW", base.0)));
    };
    let lower = field.to_lowercase();
    let is_called = |name: &String| name.to_lowercase() == lower;
    let mut found = fields.iter().enumerate().filter(|(_, field)| field.name.as_ref().is_some_and(is_called));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(nth_field(base.0, index, fields)),
        (Some(_), Some(_)) => Err(TrinoError::mismatch(format!("Ambiguous row field reference: {field}"))),
        _ => Err(TrinoError::new(
            crate::error::ErrorCode::ColumnNotFound,
            format!("Column '{field}' cannot be resolved"),
        )),
    }
}

fn nth_field(base: Expr, index: usize, fields: &[crate::types::RowField]) -> Typed {
    let named = fields.iter().filter(|other| other.name == fields[index].name).count() == 1;
    let ty = fields[index].ty.clone();
    match &fields[index].name {
        Some(name) if named => (get_field(base, name.as_str()), ty),
        None => (get_field(base, format!("field{index}")), ty),
        // Fields of one name can only be told apart by their position.
        Some(_) => {
            let position = Expr::Literal(ScalarValue::Int64(Some(index as i64)), None);
            let types = vec![(base, Type::Row(fields.into())), (position, Type::Bigint)];
            (operator("field", field_at, types, &ty), ty)
        }
    }
}

pub(super) fn operator(name: &'static str, kernel: Kernel, args: Vec<Typed>, result: &Type) -> Expr {
    let (args, types) = args.into_iter().unzip();
    Bound::operator(name, kernel, types, result.clone()).call(args)
}

fn negate_integers(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    let overflow = |value: i64| TrinoError::out_of_range(format!("{} negation overflow: {value}", call.result));
    macro_rules! negated {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>();
            let negated = |row| values.value(row).checked_neg().ok_or_else(|| overflow(values.value(row).into()));
            Ok(Arc::new(primitive::<$type>(&array, negated)?))
        }};
    }
    match call.result {
        Type::Tinyint => negated!(Int8Type),
        Type::Smallint => negated!(Int16Type),
        Type::Integer => negated!(Int32Type),
        _ => negated!(Int64Type),
    }
}

fn element_at(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (array, indices) = (call.array(0)?, call.array(1)?);
    let (list, indices) = (array.as_list::<i32>(), indices.as_primitive::<Int64Type>());
    let position = |row: usize| {
        if list.is_null(row) || indices.is_null(row) {
            return Ok(None);
        }
        let (index, length) = (indices.value(row), i64::from(list.value_length(row)));
        let message = match index {
            0 => "SQL array indices start at 1".to_owned(),
            ..0 => format!("Array subscript is negative: {index}"),
            _ if index > length => {
                format!("Array subscript must be less than or equal to array length: {index} > {length}")
            }
            _ => return Ok(Some((i64::from(list.value_offsets()[row]) + index - 1) as u32)),
        };
        Err(TrinoError::invalid(message))
    };
    let positions: UInt32Array = (0..call.rows).map(position).collect::<Result<_, _>>()?;
    Ok(take(list.values(), &positions, None)?)
}

fn value_of(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (array, keys) = (call.array(0)?, call.array(1)?);
    let map = array.as_map();
    let positions = map_positions(map, &keys)?;
    for row in 0..call.rows {
        if positions.is_null(row) && map.is_valid(row) && keys.is_valid(row) {
            let mut key = String::new();
            write_value(&mut key, &keys, row, &call.types[1]);
            return Err(TrinoError::invalid(format!("Key not present in map: {key}")));
        }
    }
    Ok(take(map.values(), &positions, None)?)
}

/// Where each row's key stands among the map's values; NULL if the row's map has no such key.
pub(crate) fn map_positions(map: &MapArray, keys: &ArrayRef) -> Result<UInt32Array, TrinoError> {
    let compare = make_comparator(map.keys(), keys, SortOptions::default())?;
    let position = |row: usize| {
        if map.is_null(row) || keys.is_null(row) {
            return None;
        }
        let entries = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
        entries.into_iter().find(|entry| compare(*entry, row) == Ordering::Equal).map(|entry| entry as u32)
    };
    Ok((0..map.len()).map(position).collect())
}

fn field_at(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let Some(ScalarValue::Int64(Some(position))) = call.constant(1) else {
        return Err(TrinoError::internal("a field's position is a constant"));
    };
    Ok(Arc::clone(call.array(0)?.as_struct().column(*position as usize)))
}
