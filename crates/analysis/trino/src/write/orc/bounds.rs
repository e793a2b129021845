//! Statistics of a column: how many values, whether there are NULLs, the least and the greatest.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit};
use boathouse_orc::proto::{
    BucketStatistics, ColumnStatistics, DateStatistics, DecimalStatistics, DoubleStatistics, IntegerStatistics,
    StringStatistics, TimestampStatistics,
};
use boathouse_trino_functions::types::Type;

/// Texts longer than that have no bounds.
const LONGEST: usize = 1024;

/// What is known of a column's values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    values: u64,
    has_null: bool,
    /// The least and the greatest value. None without any value, and `Unknown` where there is no order.
    bounds: Option<Bounds>,
}

/// The least and the greatest value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bounds {
    /// There is no order.
    Unknown,
    /// Days, milliseconds, numbers.
    Integers(i64, i64),
    /// With their sum.
    Doubles(f64, f64, f64),
    /// No longer than is allowed.
    Texts(String, String),
    /// Without their points.
    Decimals(i128, i128),
    /// How many are true.
    Truths(u64),
}

impl Known {
    /// Of values without NULL, beside which there may have been NULLs.
    pub(super) fn of(values: &ArrayRef, has_null: bool, ty: &Type) -> Self {
        let bounds = (!values.is_empty()).then(|| bounds(values, ty).unwrap_or(Bounds::Unknown));
        Self { values: values.len() as u64, has_null, bounds }
    }

    /// Of so many values of which nothing else is known.
    pub(super) fn counted(values: u64) -> Self {
        Self { values, has_null: false, bounds: (values > 0).then_some(Bounds::Unknown) }
    }

    /// How many values there are that aren't NULL.
    pub(crate) fn values(&self) -> u64 {
        self.values
    }

    /// The least and the greatest value.
    pub(crate) fn bounds(&self) -> Option<&Bounds> {
        self.bounds.as_ref()
    }

    /// Adds what is known of further values.
    pub(super) fn add(&mut self, other: &Self) {
        self.values += other.values;
        self.has_null |= other.has_null;
        self.bounds = match (self.bounds.take(), other.bounds.clone()) {
            (None, bounds) | (bounds, None) => bounds,
            (Some(one), Some(other)) => Some(united(one, other)),
        };
    }

    pub(super) fn to_proto(&self, ty: &Type) -> ColumnStatistics {
        let mut all = ColumnStatistics {
            number_of_values: Some(self.values),
            has_null: Some(self.has_null),
            ..ColumnStatistics::default()
        };
        match (self.bounds.clone(), ty) {
            (Some(Bounds::Integers(least, most)), Type::Date) => {
                let (minimum, maximum) = (i32::try_from(least).ok(), i32::try_from(most).ok());
                all.date_statistics = Some(DateStatistics { minimum, maximum });
            }
            (Some(Bounds::Integers(least, most)), Type::Timestamp(_) | Type::TimestampTz(_)) => {
                let (minimum_utc, maximum_utc) = (Some(least), Some(most));
                all.timestamp_statistics =
                    Some(TimestampStatistics { minimum_utc, maximum_utc, ..TimestampStatistics::default() });
            }
            (Some(Bounds::Integers(least, most)), _) => {
                let (minimum, maximum) = (Some(least), Some(most));
                all.int_statistics = Some(IntegerStatistics { minimum, maximum, sum: None });
            }
            (Some(Bounds::Doubles(least, most, sum)), _) => {
                let (minimum, maximum, sum) = (Some(least), Some(most), Some(sum));
                all.double_statistics = Some(DoubleStatistics { minimum, maximum, sum });
            }
            (Some(Bounds::Texts(least, most)), _) => {
                let (minimum, maximum) = (Some(least), Some(most));
                all.string_statistics = Some(StringStatistics { minimum, maximum, ..StringStatistics::default() });
            }
            (Some(Bounds::Decimals(least, most)), Type::Decimal(_, scale)) => {
                let (minimum, maximum) = (Some(plain(least, *scale)), Some(plain(most, *scale)));
                all.decimal_statistics = Some(DecimalStatistics { minimum, maximum, sum: None });
            }
            (Some(Bounds::Truths(count)), _) => {
                all.bucket_statistics = Some(BucketStatistics { count: vec![count] });
            }
            _ => {}
        }
        all
    }
}

fn united(one: Bounds, other: Bounds) -> Bounds {
    match (one, other) {
        (Bounds::Integers(a, b), Bounds::Integers(c, d)) => Bounds::Integers(a.min(c), b.max(d)),
        (Bounds::Doubles(a, b, one), Bounds::Doubles(c, d, other)) => Bounds::Doubles(a.min(c), b.max(d), one + other),
        (Bounds::Texts(a, b), Bounds::Texts(c, d)) => Bounds::Texts(a.min(c), b.max(d)),
        (Bounds::Decimals(a, b), Bounds::Decimals(c, d)) => Bounds::Decimals(a.min(c), b.max(d)),
        (Bounds::Truths(one), Bounds::Truths(other)) => Bounds::Truths(one + other),
        _ => Bounds::Unknown,
    }
}

/// The bounds of values without NULL.
fn bounds(values: &ArrayRef, ty: &Type) -> Option<Bounds> {
    match ty {
        Type::Boolean => Some(Bounds::Truths(values.as_boolean().true_count() as u64)),
        Type::Tinyint | Type::Smallint | Type::Integer | Type::Bigint => integers(values),
        // Days have 32 bits.
        Type::Date => integers(&compute::cast(values, &DataType::Int32).ok()?),
        Type::Timestamp(_) | Type::TimestampTz(_) => {
            let instants = compute::cast(values, &DataType::Int64).ok()?;
            let per_millisecond = match values.data_type() {
                DataType::Timestamp(TimeUnit::Millisecond, _) => 1,
                DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
                DataType::Timestamp(TimeUnit::Nanosecond, _) => 1_000_000,
                _ => return None,
            };
            match integers(&instants)? {
                Bounds::Integers(least, most) => {
                    Some(Bounds::Integers(least.div_euclid(per_millisecond), most.div_euclid(per_millisecond)))
                }
                other => Some(other),
            }
        }
        Type::Real | Type::Double => {
            let values = compute::cast(values, &DataType::Float64).ok()?;
            let values = values.as_primitive::<Float64Type>().values();
            let sum: f64 = values.iter().sum();
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // No bounds hold a NaN, and then the sum is none either.
            sum.is_finite().then_some(Bounds::Doubles(least, most, sum))
        }
        Type::Decimal(..) => {
            let values = values.as_primitive::<Decimal128Type>();
            Some(Bounds::Decimals(compute::min(values)?, compute::max(values)?))
        }
        Type::Varchar(_) => {
            let values = values.as_string::<i32>();
            let (least, most) = (compute::min_string(values)?, compute::max_string(values)?);
            let is_short = least.len() <= LONGEST && most.len() <= LONGEST;
            is_short.then(|| Bounds::Texts(least.to_owned(), most.to_owned()))
        }
        _ => None,
    }
}

fn integers(values: &ArrayRef) -> Option<Bounds> {
    let values = compute::cast(values, &DataType::Int64).ok()?;
    let values = values.as_primitive::<Int64Type>();
    Some(Bounds::Integers(compute::min(values)?, compute::max(values)?))
}

/// A decimal number with all digits of its scale.
fn plain(value: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int32Array};

    use super::*;

    #[test]
    fn bounds_grow_together() {
        let of = |values: Vec<i32>| Known::of(&(Arc::new(Int32Array::from(values)) as ArrayRef), false, &Type::Integer);
        let mut known = of(vec![3, 5]);
        known.add(&of(Vec::new()));
        known.add(&of(vec![-1]));
        let known = known.to_proto(&Type::Integer);
        assert_eq!(known.number_of_values(), 3);
        let integers = known.int_statistics.unwrap();
        assert_eq!((integers.minimum(), integers.maximum()), (-1, 5));
    }

    #[test]
    fn what_has_no_order_has_no_bounds() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN]));
        assert_eq!(Known::of(&values, false, &Type::Double).bounds, Some(Bounds::Unknown));
    }

    #[test]
    fn decimals_are_written_plainly() {
        assert_eq!(plain(-5, 2), "-0.05");
        assert_eq!(plain(1250, 2), "12.50");
        assert_eq!(plain(-7, 0), "-7");
    }
}
