//! Which bucket a row belongs to, by Hive's first hash function ("Bucketing in Athena").

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;

use crate::engine::Column;

/// How rows are spread over files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    /// The columns that decide, in order.
    pub columns: Vec<String>,
    /// How many buckets there are, at least one.
    pub count: u32,
}

/// The places of the columns that decide.
pub(crate) fn places(buckets: &Buckets, stored: &[Column]) -> Result<Vec<(usize, Type)>, TrinoError> {
    let place = |name: &String| {
        let found = stored.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        let index = found.ok_or_else(|| {
            let message = format!("Bucketing columns [{name}] not present in schema");
            TrinoError::new(ErrorCode::InvalidTableProperty, message)
        })?;
        let ty = stored[index].ty.clone();
        if hashes(&ty) {
            return Ok((index, ty));
        }
        let message = format!("Bucketing by column {name} of type {ty} is not supported");
        Err(TrinoError::new(ErrorCode::NotSupported, message))
    };
    buckets.columns.iter().map(place).collect()
}

fn hashes(ty: &Type) -> bool {
    let is_plain = matches!(
        ty,
        Type::Boolean | Type::Real | Type::Double | Type::Varchar(_) | Type::Char(_) | Type::Varbinary | Type::Date
    );
    is_plain || ty.is_integer()
}

/// A row's bucket.
pub(crate) fn bucket(columns: &[ArrayRef], places: &[(usize, Type)], row: usize, count: u32) -> u32 {
    let hash = places.iter().fold(0_i32, |hash, (place, ty)| {
        hash.wrapping_mul(31).wrapping_add(hash_of(columns[*place].as_ref(), ty, row))
    });
    (hash & i32::MAX) as u32 % count
}

/// NULL is 0.
fn hash_of(array: &dyn Array, ty: &Type, row: usize) -> i32 {
    if array.is_null(row) {
        return 0;
    }
    match ty {
        Type::Boolean => i32::from(array.as_boolean().value(row)),
        Type::Tinyint => array.as_primitive::<Int8Type>().value(row).into(),
        Type::Smallint => array.as_primitive::<Int16Type>().value(row).into(),
        Type::Integer => array.as_primitive::<Int32Type>().value(row),
        Type::Bigint => folded(array.as_primitive::<Int64Type>().value(row)),
        Type::Real => array.as_primitive::<Float32Type>().value(row).to_bits() as i32,
        Type::Double => folded(array.as_primitive::<Float64Type>().value(row).to_bits() as i64),
        Type::Date => array.as_primitive::<Date32Type>().value(row),
        Type::Varbinary => of_bytes(array.as_binary::<i32>().value(row)),
        _ => of_bytes(array.as_string::<i32>().value(row).as_bytes()),
    }
}

fn folded(value: i64) -> i32 {
    (value ^ (value as u64 >> 32) as i64) as i32
}

fn of_bytes(bytes: &[u8]) -> i32 {
    bytes.iter().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(*byte as i8)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn hashes_are_hives() {
        // "abc".hashCode() in Java, and Long.hashCode of two numbers.
        assert_eq!(of_bytes(b"abc"), 96354);
        assert_eq!((folded(5), folded(-1), folded(1 << 32)), (5, 0, 1));
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![Some(7), None])), Arc::new(StringArray::from(vec!["abc", "abc"]))];
        let places = [(0, Type::Bigint), (1, Type::VARCHAR)];
        assert_eq!(bucket(&columns, &places, 0, 1000), (7 * 31 + 96354) % 1000);
        assert_eq!(bucket(&columns, &places, 1, 1000), 96354 % 1000);
    }

    #[test]
    fn columns_must_be_there_and_hash() {
        let stored = [Column { name: "a".to_owned(), ty: Type::Decimal(5, 2) }];
        let of = |name: &str| places(&Buckets { columns: vec![name.to_owned()], count: 2 }, &stored).unwrap_err();
        assert!(of("b").message.contains("[b] not present"));
        assert!(of("A").message.contains("of type decimal(5,2) is not supported"));
    }
}
