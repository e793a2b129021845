//! Choices by value, types' names, and random values.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, make_comparator};
use arrow::compute::SortOptions;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::lit;
use rand::Rng;

use super::Table;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::operators;

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
    let random = "A random number: from 0 below 1, from 0 below n, or from m below n.";
    table
        .kernel("random() -> double", random, |call| {
            let mut source = rand::rng();
            Ok(Arc::new(Float64Array::from_iter_values((0..call.rows).map(|_| source.random::<f64>()))))
        })
        .volatile();
    table.kernel("random(bigint) -> bigint", random, random_below).volatile();
    table.kernel("random(bigint, bigint) -> bigint", random, random_below).volatile();
    table.alias("rand", "random");
}

/// Version 4: all bits random except those that say so.
fn random_uuid() -> [u8; 16] {
    let mut bytes: [u8; 16] = rand::rng().random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

fn random_below(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let stops = call.array(call.len() - 1)?;
    let starts = if call.len() > 1 { Some(call.array(0)?) } else { None };
    let mut source = rand::rng();
    let mut value = |row: usize| {
        if stops.is_null(row) || starts.as_ref().is_some_and(|starts| starts.is_null(row)) {
            return Ok(None);
        }
        let stop = stops.as_primitive::<Int64Type>().value(row);
        match starts.as_ref().map(|starts| starts.as_primitive::<Int64Type>().value(row)) {
            None if stop <= 0 => Err(TrinoError::invalid("bound must be positive")),
            Some(start) if start >= stop => Err(TrinoError::invalid("start value must be less than stop value")),
            start => Ok(Some(source.random_range(start.unwrap_or(0)..stop))),
        }
    };
    Ok(Arc::new((0..call.rows).map(&mut value).collect::<Result<Int64Array, TrinoError>>()?))
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef, TrinoError> {
    let mut best = call.array(0)?;
    for index in 1..call.len() {
        let next = call.array(index)?;
        if best.data_type() == &DataType::Null {
            break;
        }
        let compare = make_comparator(&next, &best, SortOptions::default())?;
        let take_next: BooleanArray = (0..call.rows)
            .map(|row| Some(best.is_valid(row) && (next.is_null(row) || compare(row, row) == wanted)))
            .collect();
        drop(compare);
        best = zip(&take_next, &next, &best)?;
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use crate::testing::{call, error, evaluate, shown, text, value};

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
    fn random_values_stay_in_their_range() {
        let number: f64 = shown("random", vec![]).parse().unwrap();
        assert!((0.0..1.0).contains(&number));
        assert_eq!(shown("rand", vec![value("5", "integer"), value("6", "integer")]), "5");
        assert_eq!(
            error(call("random", vec![value("0", "integer")]).unwrap()),
            "INVALID_FUNCTION_ARGUMENT: bound must be positive"
        );
        let uuids = (call("uuid", vec![]).unwrap(), call("uuid", vec![]).unwrap());
        assert_ne!(evaluate(&uuids.0).unwrap().to_data(), evaluate(&uuids.1).unwrap().to_data());
    }
}
