//! TRY_CAST of text to numbers, dates and timestamps: what can't be read is NULL at once, without an error made of it first.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray, StringArray};
use arrow::datatypes::{Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};

use super::text::float;
use crate::time::{parse_date, parse_timestamp, timestamps};
use crate::types::Type;

/// The values; none for types that have no such short way.
pub(super) fn from_text(texts: &StringArray, to: &Type) -> Option<ArrayRef> {
    Some(match to {
        Type::Tinyint => values::<Int8Type>(texts, |text| text.parse().ok()),
        Type::Smallint => values::<Int16Type>(texts, |text| text.parse().ok()),
        Type::Integer => values::<Int32Type>(texts, |text| text.parse().ok()),
        Type::Bigint => values::<Int64Type>(texts, |text| text.parse().ok()),
        Type::Real => values::<Float32Type>(texts, |text| float(text).map(|value| value as f32)),
        Type::Double => values::<Float64Type>(texts, float),
        Type::Date => values::<Date32Type>(texts, |text| parse_date(text.trim())),
        Type::Timestamp(precision) => {
            let local = |text| match parse_timestamp(text) {
                Some((local, None)) => Some(local),
                _ => None,
            };
            // Instants that no timestamp holds take the long way.
            timestamps(*precision, texts.iter().map(|text| text.and_then(local)), None).ok()?
        }
        _ => return None,
    })
}

fn values<T: ArrowPrimitiveType>(texts: &StringArray, read: impl Fn(&str) -> Option<T::Native>) -> ArrayRef {
    Arc::new(texts.iter().map(|text| text.and_then(&read)).collect::<PrimitiveArray<T>>())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use proptest::prelude::*;

    use super::super::cast_array;
    use super::*;

    proptest! {
        /// The short way and the long one say the same.
        #[test]
        fn short_and_long_way_agree(text in "( ?-?[0-9]{1,11}(\\.[0-9]{1,2})?|NaN|2013-0[0-9]-[0-9]{2}( [0-9]{2}:00)?|x?)") {
            let texts: ArrayRef = Arc::new(StringArray::from(vec![text]));
            for to in [Type::Smallint, Type::Integer, Type::Double, Type::Date, Type::Timestamp(3)] {
                let short = from_text(texts.as_string(), &to).unwrap();
                match cast_array(&texts, &Type::VARCHAR, &to) {
                    Ok(long) => prop_assert_eq!(&long, &short),
                    Err(_) => prop_assert!(short.is_null(0)),
                }
            }
        }
    }
}
