//! Casts, explicit and implicit.
//!
//! | Module | What it holds |
//! |---|---|
//! | `number` | numbers and booleans among each other |
//! | `text` | from text and to text |
//! | `instant` | dates, times and timestamps among each other |
//! | `json` | from `json` and to `json` |
//! | `tried` | the short way of TRY_CAST from text |

mod instant;
mod json;
mod number;
mod text;
mod tried;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, MapArray, PrimitiveArray, StructArray, new_null_array,
};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, cast as arrow_cast, lit};

use crate::Typed;
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::{Bound, Call, Failure, Kernel};
use crate::types::Type;
use crate::types::coercion::{as_decimal, can_coerce};

/// The name and the signature of casts.
const CAST: &str = "cast";

/// `CAST(value AS to)`. Literals are converted at once, unless that fails: the error belongs to the row's evaluation.
///
/// # Errors
/// TYPE_MISMATCH where Trino has no such cast.
pub fn cast(value: Typed, to: &Type) -> Result<Typed, TrinoError> {
    convert(value, to, false, None)
}

/// `TRY_CAST(value AS to)`: NULL where the cast fails.
///
/// # Errors
/// TYPE_MISMATCH where Trino has no such cast.
pub fn try_cast(value: Typed, to: &Type) -> Result<Typed, TrinoError> {
    convert(value, to, true, None)
}

/// A CAST (or TRY_CAST) as a statement has it, run on this day (since 1970): that is the day of a time as a timestamp.
///
/// # Errors
/// TYPE_MISMATCH where Trino has no such cast.
pub fn cast_on(value: Typed, to: &Type, safe: bool, today: i32) -> Result<Typed, TrinoError> {
    convert(value, to, safe, Some(today))
}

/// The value where `to` is asked for, without a CAST in the statement.
///
/// # Errors
/// TYPE_MISMATCH where only a CAST could convert it.
pub fn coerce(value: Typed, to: &Type) -> Result<Typed, TrinoError> {
    if !can_coerce(&value.1, to) {
        return Err(TrinoError::mismatch(format!("Cannot coerce {} to {to}", value.1)));
    }
    cast(value, to)
}

fn convert((expr, from): Typed, to: &Type, safe: bool, today: Option<i32>) -> Result<Typed, TrinoError> {
    if let (Type::Map(key, value), Type::Json) = (&from, to)
        && !castable(&from, to)
        && castable(key, &Type::VARCHAR)
        && castable(value, to)
    {
        return Err(TrinoError::new(ErrorCode::InvalidCastArgument, format!("Cannot cast {from} to JSON")));
    }
    if !castable(&from, to) {
        return Err(TrinoError::mismatch(format!("Cannot cast {from} to {to}")));
    }
    if keeps_bits(&from, to) {
        return Ok((expr, to.clone()));
    }
    if instant::needs_today(&from, to) {
        let today = today.ok_or_else(|| TrinoError::internal("a time without its day"))?;
        let today = lit(ScalarValue::Date32(Some(today)));
        let kernel: Kernel = |call| instant::on_day(&call.array(0)?, &call.array(1)?, &call.types[0], call.result);
        let operator = Bound::operator("cast_of_time", kernel, vec![from, Type::Date], to.clone());
        return Ok((operator.call(vec![expr, today]), to.clone()));
    }
    if let Expr::Literal(value, _) = &expr
        && let Ok(converted) =
            value.to_array().map_err(TrinoError::from).and_then(|array| cast_array(&array, &from, to))
    {
        return Ok((Expr::Literal(ScalarValue::try_from_array(&converted, 0)?, None), to.clone()));
    }
    if widens(&from, to) {
        return Ok((arrow_cast(expr, to.to_arrow()), to.clone()));
    }
    Ok((checked(expr, from, to, safe), to.clone()))
}

/// The cast that looks at every value.
fn checked(expr: Expr, from: Type, to: &Type, safe: bool) -> Expr {
    let (name, kernel): (_, Kernel) = if safe { ("try_cast", try_cast_kernel) } else { (CAST, cast_kernel) };
    let failure = if safe { Failure::Never(|_| true) } else { Failure::OfRows };
    Bound { failure, ..Bound::operator(name, kernel, vec![from], to.clone()) }.call(vec![expr])
}

/// A cast as TRY wants it: TRY_CAST of the same value; none for another function.
pub(crate) fn tried(bound: &Bound, args: &[Expr]) -> Option<Expr> {
    let (value, from) = args.first().zip(bound.types.first()).filter(|_| bound.signature == CAST)?;
    Some(checked(value.clone(), from.clone(), &bound.result, true))
}

fn cast_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    cast_array(&call.array(0)?, &call.types[0], call.result)
}

fn try_cast_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    if matches!(call.types[0], Type::Varchar(_))
        && let Some(values) = tried::from_text(array.as_string(), call.result)
    {
        return Ok(values);
    }
    nulls_for_errors(array.len(), call.result, &|offset, length| {
        cast_array(&array.slice(offset, length), &call.types[0], call.result)
    })
}

/// Evaluates rows together; where that fails, halves of them, so that in the end only failing rows are NULL.
pub(crate) fn nulls_for_errors(
    rows: usize,
    ty: &Type,
    evaluate: &dyn Fn(usize, usize) -> Result<ArrayRef, TrinoError>,
) -> Result<ArrayRef, TrinoError> {
    let mut parts = Vec::new();
    halve(0, rows, ty, evaluate, &mut parts)?;
    if let [only] = parts.as_slice() {
        return Ok(Arc::clone(only));
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(concat(&parts)?)
}

fn halve(
    offset: usize,
    rows: usize,
    ty: &Type,
    evaluate: &dyn Fn(usize, usize) -> Result<ArrayRef, TrinoError>,
    parts: &mut Vec<ArrayRef>,
) -> Result<(), TrinoError> {
    match evaluate(offset, rows) {
        Ok(array) => parts.push(array),
        Err(error) if !is_nullable(error.code) => return Err(error),
        Err(_) if rows <= 1 => parts.push(new_null_array(&ty.to_arrow(), rows)),
        Err(_) => {
            let half = rows / 2;
            halve(offset, half, ty, evaluate, parts)?;
            halve(offset + half, rows - half, ty, evaluate, parts)?;
        }
    }
    Ok(())
}

/// The errors that TRY and TRY_CAST turn into NULL.
pub(crate) fn is_nullable(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DivisionByZero
            | ErrorCode::InvalidCastArgument
            | ErrorCode::InvalidFunctionArgument
            | ErrorCode::NumericValueOutOfRange
    )
}

/// The values as another type; the first that can't be converted is the error.
pub(crate) fn cast_array(array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, TrinoError> {
    if keeps_bits(from, to) {
        return Ok(Arc::clone(array));
    }
    match (from, to) {
        (Type::Unknown, _) => Ok(new_null_array(&to.to_arrow(), array.len())),
        (Type::Json, _) if !matches!(to, Type::Json) => json::from_json(array, to),
        (_, Type::Json) => json::to_json(array, from),
        (Type::Array(from), Type::Array(element)) => {
            let list = array.as_list::<i32>();
            let values = cast_array(list.values(), from, element)?;
            let DataType::List(field) = to.to_arrow() else { return Err(not_castable(from, to)) };
            Ok(Arc::new(ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?))
        }
        (Type::Map(from_key, from_value), Type::Map(key, value)) => {
            let map = array.as_map();
            let keys = cast_array(map.keys(), from_key, key)?;
            let values = cast_array(map.values(), from_value, value)?;
            if !keeps_bits(from_key, key) {
                different(map, &keys)?;
            }
            let DataType::Map(field, _) = to.to_arrow() else { return Err(not_castable(from, to)) };
            let DataType::Struct(fields) = field.data_type() else { return Err(not_castable(from, to)) };
            let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
            Ok(Arc::new(MapArray::try_new(field, map.offsets().clone(), entries, map.nulls().cloned(), false)?))
        }
        (Type::Row(from), Type::Row(fields)) => {
            let row = array.as_struct();
            let columns: Vec<_> = (row.columns().iter().zip(from.iter().zip(fields.iter())))
                .map(|(column, (from, to))| cast_array(column, &from.ty, &to.ty))
                .collect::<Result<_, _>>()?;
            let DataType::Struct(fields) = to.to_arrow() else { return Err(not_castable(&Type::Unknown, to)) };
            Ok(Arc::new(StructArray::try_new(fields, columns, row.nulls().cloned())?))
        }
        (_, Type::Varchar(_) | Type::Char(_)) => text::to_text(array, from, to),
        (Type::Varchar(_) | Type::Char(_), _) => text::from_text(array, from, to),
        (Type::Uuid, Type::Varbinary) | (Type::Varbinary, Type::Uuid) => text::uuid_bytes(array, to),
        (Type::Varbinary, Type::IpAddress) => text::address_of_bytes(array),
        _ if is_number(from) && is_number(to) => number::convert(array, from, to),
        _ => instant::convert(array, from, to),
    }
}

/// Refuses keys that a cast has made equal.
fn different(map: &MapArray, keys: &ArrayRef) -> Result<(), TrinoError> {
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    let rows = converter.convert_columns(&[Arc::clone(keys)])?;
    for bounds in map.value_offsets().windows(2) {
        let mut seen = HashSet::new();
        if !(bounds[0]..bounds[1]).all(|entry| seen.insert(rows.row(entry as usize))) {
            return Err(TrinoError::new(ErrorCode::InvalidCastArgument, "duplicate keys"));
        }
    }
    Ok(())
}

/// One value for each value that isn't NULL.
pub(crate) fn primitive<T: ArrowPrimitiveType>(
    source: &dyn Array,
    mut value: impl FnMut(usize) -> Result<T::Native, TrinoError>,
) -> Result<PrimitiveArray<T>, TrinoError> {
    (0..source.len()).map(|row| if source.is_null(row) { Ok(None) } else { value(row).map(Some) }).collect()
}

/// Whether the Arrow values are the same, so that only the type's name changes.
fn keeps_bits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Varchar(from), Type::Varchar(to)) => to.is_none() || from.is_some_and(|from| Some(from) <= *to),
        (Type::Char(from), Type::Char(to)) => from <= to,
        (Type::Uuid, Type::Varchar(None)) => true,
        (Type::Sketch(_) | Type::IpAddress, Type::Varbinary) | (Type::Varbinary, Type::Sketch(_)) => true,
        (Type::Timestamp(from_precision), Type::Timestamp(to_precision))
        | (Type::TimestampTz(from_precision), Type::TimestampTz(to_precision))
        | (Type::Time(from_precision), Type::Time(to_precision))
        | (Type::TimeTz(from_precision), Type::TimeTz(to_precision)) => {
            from_precision <= to_precision && from.to_arrow() == to.to_arrow()
        }
        (Type::Array(from), Type::Array(to)) => keeps_bits(from, to),
        (Type::Map(fk, fv), Type::Map(tk, tv)) => keeps_bits(fk, tk) && keeps_bits(fv, tv),
        (Type::Row(_), Type::Row(_)) => from == to,
        _ => from == to,
    }
}

/// Whether Arrow's cast says the same and can't fail, so that DataFusion may reason about it.
fn widens(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Decimal(precision, scale)) => as_decimal(from)
            .is_some_and(|(from, from_scale)| from_scale <= *scale && from - from_scale <= precision - scale),
        (Type::Tinyint, Type::Smallint | Type::Integer | Type::Bigint)
        | (Type::Smallint, Type::Integer | Type::Bigint)
        | (Type::Integer, Type::Bigint)
        | (Type::Date, Type::Timestamp(0..=6)) => true,
        (_, Type::Double) => from.is_integer() || from == &Type::Real,
        (_, Type::Real) => from.is_integer(),
        (Type::Timestamp(from), Type::Timestamp(to)) => from <= to && *to <= 6,
        _ => false,
    }
}

fn is_number(ty: &Type) -> bool {
    ty.is_numeric() || ty == &Type::Boolean
}

/// Whether Trino has the cast.
pub(crate) fn castable(from: &Type, to: &Type) -> bool {
    use Type::{
        Array, Char, Date, IntervalDayTime, IntervalYearMonth, IpAddress, Json, Map, Row, Time, TimeTz, Timestamp,
        TimestampTz, Unknown, Uuid, Varbinary, Varchar,
    };
    match (from, to) {
        _ if from == to => true,
        (Unknown, _) => true,
        (Array(from), Array(to)) => castable(from, to),
        (Map(from_key, from_value), Map(key, value)) => castable(from_key, key) && castable(from_value, value),
        (Row(from), Row(to)) => {
            from.len() == to.len() && from.iter().zip(to.iter()).all(|(from, to)| castable(&from.ty, &to.ty))
        }
        (_, Json) => json::is_jsonable(from),
        (Json, _) => json::is_from_json(to),
        _ if is_number(from) && is_number(to) => true,
        (Varchar(_) | Char(_), Varchar(_) | Char(_)) => true,
        (Varchar(_), Date | Time(_) | TimeTz(_) | Timestamp(_) | TimestampTz(_)) => true,
        (Varchar(_), Uuid | IpAddress | Varbinary | Type::KdbTree) => true,
        (Varchar(_), _) if is_number(to) => true,
        (Uuid | IpAddress, Varchar(length)) => length.is_none(),
        (_, Varchar(_)) => {
            is_number(from)
                || matches!(from, Date | Time(_) | TimeTz(_) | Timestamp(_) | TimestampTz(_))
                || matches!(from, IntervalDayTime | IntervalYearMonth)
        }
        (Date, Timestamp(_) | TimestampTz(_)) => true,
        (Time(_) | TimeTz(_), Time(_) | TimeTz(_) | Timestamp(_) | TimestampTz(_)) => true,
        (Timestamp(_) | TimestampTz(_), Date | Time(_) | TimeTz(_) | Timestamp(_) | TimestampTz(_)) => true,
        (Uuid | IpAddress, Varbinary) | (Varbinary, Uuid | IpAddress) => true,
        (Type::Sketch(_), Varbinary) | (Varbinary, Type::Sketch(_)) => true,
        _ => false,
    }
}

fn not_castable(from: &Type, to: &Type) -> TrinoError {
    TrinoError::mismatch(format!("Cannot cast {from} to {to}"))
}

#[cfg(test)]
mod tests;
