//! Choices by value, types' names, and UUIDs.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, make_comparator, new_null_array};
use arrow::compute::SortOptions;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::logical_expr::lit;
use rand::Rng;

use super::Table;
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::Call;
use crate::operators;
use crate::operators::nested::{Pair, is_nested};

pub(crate) fn register(table: &mut Table) {
    table.kernel("greatest(T...) -> T where T:orderable", "The greatest of the values; NULL if one is NULL.", |call| {
        extreme(call, Ordering::Greater)
    });
    table.kernel("least(T...) -> T where T:orderable", "The least of the values; NULL if one is NULL.", |call| {
        extreme(call, Ordering::Less)
    });
    table.expression("typeof(any) -> varchar", "The name of the value's type.", |args, _| {
        Ok(lit(args.first().map(|(_, ty)| ty.to_string()).unwrap_or_default()))
    });
    table.kernel("fail(varchar) -> unknown", "Fails with a message, wherever it is evaluated.", |call| {
        let texts = call.array(0)?;
        match texts.as_string::<i32>().iter().flatten().next() {
            Some(message) => Err(TrinoError::new(ErrorCode::GenericUserError, message)),
            None => Ok(new_null_array(&DataType::Null, call.rows)),
        }
    });
    let coalesce = "The first value that isn't NULL.";
    table.expression("coalesce(T, T...) -> T", coalesce, |args, _| Ok(operators::coalesce(args)?.0));
    let nullif = "The first value, or NULL if both are equal.";
    table.expression("nullif(T, T) -> T where T:comparable", nullif, |mut args, _| {
        let second = args.pop().ok_or_else(|| TrinoError::internal("an argument is missing"))?;
        let first = args.pop().ok_or_else(|| TrinoError::internal("an argument is missing"))?;
        Ok(operators::nullif(first, second)?.0)
    });
    for signature in ["if(boolean, T) -> T", "if(boolean, T, T) -> T"] {
        table.expression(signature, "The second value if the first is true, else the third or NULL.", |args, _| {
            let mut args = args.into_iter();
            match (args.next(), args.next()) {
                (Some(condition), Some(then)) => Ok(operators::if_(condition, then, args.next())?.0),
                _ => Err(TrinoError::internal("an argument is missing")),
            }
        });
    }
    table.expression("try(T) -> T", "The value, or NULL where it can't be computed.", |mut args, _| {
        args.pop().map(|value| operators::try_(value).0).ok_or_else(|| TrinoError::internal("an argument is missing"))
    });
    let uuid = "A random UUID.";
    table
        .kernel("uuid() -> uuid", uuid, |call| {
            let uuids = (0..call.rows).map(|_| Some(uuid::Uuid::from_bytes(random_uuid()).to_string()));
            Ok(Arc::new(uuids.collect::<StringArray>()))
        })
        .volatile();
}

/// Version 4: all bits random except those that say so.
fn random_uuid() -> [u8; 16] {
    let mut bytes: [u8; 16] = rand::rng().random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

/// Whether a row is no number; what is one comes before it, for the greatest and for the least.
fn is_nan(array: &ArrayRef, row: usize) -> bool {
    match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).is_nan(),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).is_nan(),
        _ => false,
    }
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef, TrinoError> {
    let mut best = call.array(0)?;
    for index in 1..call.len() {
        let next = call.array(index)?;
        if best.data_type() == &DataType::Null {
            break;
        }
        let take_next = match call.types.first().filter(|ty| is_nested(ty)) {
            Some(ty) => {
                let pair = Pair::new(&next, &best, ty)?;
                let takes =
                    |row: usize| Ok(best.is_valid(row) && (next.is_null(row) || pair.order(row, row)? == Some(wanted)));
                (0..call.rows).map(takes).collect::<Result<Vec<bool>, TrinoError>>()?
            }
            None => {
                let compare = make_comparator(&next, &best, SortOptions::default())?;
                let takes = |row: usize| {
                    best.is_valid(row)
                        && (next.is_null(row)
                            || is_nan(&best, row)
                            || !is_nan(&next, row) && compare(row, row) == wanted)
                };
                (0..call.rows).map(takes).collect()
            }
        };
        let take_next = BooleanArray::from(take_next);
        best = zip(&take_next, &next, &best)?;
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use crate::testing::{call, evaluate, shown, text, value};

    #[test]
    fn the_greatest_and_the_least() {
        let (one, two) = (value("1", "integer"), value("2.5", "double"));
        assert_eq!(shown("greatest", vec![one.clone(), two.clone()]), "2.5");
        assert_eq!(shown("least", vec![text("b"), text("a"), text("c")]), "a");
        assert_eq!(
            shown("greatest", vec![one, crate::cast::try_cast(text("x"), &crate::types::Type::Integer).unwrap()]),
            "NULL"
        );
        assert!(call("greatest", vec![text("a"), two]).is_err());
    }

    #[test]
    fn types_have_names() {
        assert_eq!(shown("typeof", vec![text("abc")]), "varchar(3)");
        assert_eq!(shown("typeof", vec![value("1", "decimal(5,2)")]), "decimal(5,2)");
    }

    #[test]
    fn choices() {
        let yes = value("true", "boolean");
        assert_eq!(shown("if", vec![yes, text("a"), text("b")]), "a");
        assert_eq!(shown("coalesce", vec![text("a"), text("b")]), "a");
        assert_eq!(shown("nullif", vec![text("a"), text("a")]), "NULL");
    }

    #[test]
    fn uuids_differ() {
        let uuids = (call("uuid", vec![]).unwrap(), call("uuid", vec![]).unwrap());
        assert_ne!(evaluate(&uuids.0).unwrap().to_data(), evaluate(&uuids.1).unwrap().to_data());
    }
}
