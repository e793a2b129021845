//! Functions of an integer's bits, in two's complement.

use arrow::array::ArrowPrimitiveType;
use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};

use super::Table;
use super::support::{Computed, bigints, integers, numbers, primitives};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(crate) fn register(table: &mut Table) {
    table.kernel("bitwise_and(bigint, bigint) -> bigint", "The bits that both have.", |call| both(call, |a, b| a & b));
    table.kernel("bitwise_or(bigint, bigint) -> bigint", "The bits that one of them has.", |call| {
        both(call, |a, b| a | b)
    });
    table.kernel("bitwise_xor(bigint, bigint) -> bigint", "The bits in which they differ.", |call| {
        both(call, |a, b| a ^ b)
    });
    table.kernel("bitwise_not(bigint) -> bigint", "All bits flipped.", |call| {
        let values = bigints(call, 0)?;
        primitives::<Int64Type>(call, |row| Ok(Some(!values.value(row))))
    });
    table.kernel("bit_count(bigint, bigint) -> bigint", "The number of ones among so many bits.", bit_count);
    let text = "The bits moved to the left.";
    table.kernel("bitwise_left_shift(tinyint, integer) -> tinyint", text, shift::<Int8Type, Left>);
    table.kernel("bitwise_left_shift(smallint, integer) -> smallint", text, shift::<Int16Type, Left>);
    table.kernel("bitwise_left_shift(integer, integer) -> integer", text, shift::<Int32Type, Left>);
    table.kernel("bitwise_left_shift(bigint, integer) -> bigint", text, shift::<Int64Type, Left>);
    let text = "The bits moved to the right, zeros coming in.";
    table.kernel("bitwise_right_shift(tinyint, integer) -> tinyint", text, shift::<Int8Type, Right>);
    table.kernel("bitwise_right_shift(smallint, integer) -> smallint", text, shift::<Int16Type, Right>);
    table.kernel("bitwise_right_shift(integer, integer) -> integer", text, shift::<Int32Type, Right>);
    table.kernel("bitwise_right_shift(bigint, integer) -> bigint", text, shift::<Int64Type, Right>);
    let text = "The bits moved to the right, the sign staying.";
    table.kernel("bitwise_right_shift_arithmetic(tinyint, integer) -> tinyint", text, shift::<Int8Type, Arithmetic>);
    table.kernel("bitwise_right_shift_arithmetic(smallint, integer) -> smallint", text, shift::<Int16Type, Arithmetic>);
    table.kernel("bitwise_right_shift_arithmetic(integer, integer) -> integer", text, shift::<Int32Type, Arithmetic>);
    table.kernel("bitwise_right_shift_arithmetic(bigint, integer) -> bigint", text, shift::<Int64Type, Arithmetic>);
}

fn both(call: &Call<'_>, compute: fn(i64, i64) -> i64) -> Computed {
    let (left, right) = (bigints(call, 0)?, bigints(call, 1)?);
    primitives::<Int64Type>(call, |row| Ok(Some(compute(left.value(row), right.value(row)))))
}

fn bit_count(call: &Call<'_>) -> Computed {
    let (values, widths) = (bigints(call, 0)?, bigints(call, 1)?);
    primitives::<Int64Type>(call, |row| {
        let (value, width) = (values.value(row), widths.value(row));
        if !(2..=64).contains(&width) {
            let message = format!("Bits specified in bit_count must be between 2 and 64, got {width}");
            return Err(TrinoError::invalid(message));
        }
        let unused = 64 - width as u32;
        if (value << unused) >> unused != value {
            let message = format!(
                "Number must be representable with the bits specified. {value} cannot be represented with {width} bits"
            );
            return Err(TrinoError::invalid(message));
        }
        Ok(Some(((value as u64) << unused).count_ones().into()))
    })
}

/// A direction to shift in: the value sign-extended to 64 bits, its type's width, and how far (less than 64).
trait Shift {
    fn shift(value: i64, width: u32, distance: u32) -> i64;
    /// What is left once everything is shifted out.
    fn exhausted(_: i64) -> i64 {
        0
    }
}

struct Left;
struct Right;
struct Arithmetic;

impl Shift for Left {
    fn shift(value: i64, _: u32, distance: u32) -> i64 {
        value << distance
    }
}

impl Shift for Right {
    fn shift(value: i64, width: u32, distance: u32) -> i64 {
        ((value as u64 & (u64::MAX >> (64 - width))) >> distance) as i64
    }
}

impl Shift for Arithmetic {
    fn shift(value: i64, _: u32, distance: u32) -> i64 {
        value >> distance
    }

    fn exhausted(value: i64) -> i64 {
        value >> 63
    }
}

fn shift<T: ArrowPrimitiveType, S: Shift>(call: &Call<'_>) -> Computed
where
    T::Native: Into<i64> + Truncate,
{
    let (values, distances) = (numbers::<T>(call, 0)?, integers(call, 1)?);
    let width = 8 * size_of::<T::Native>() as u32;
    primitives::<T>(call, |row| {
        let (value, distance) = (values.value(row).into(), i64::from(distances.value(row)));
        let shifted = match distance {
            // Java takes the distance by its last six bits.
            ..0 => S::shift(value, width, (distance & 63) as u32),
            _ if distance < i64::from(width) => S::shift(value, width, distance as u32),
            _ => S::exhausted(value),
        };
        Ok(Some(T::Native::truncate(shifted)))
    })
}

/// Keeps the lowest bits.
trait Truncate {
    fn truncate(value: i64) -> Self;
}

macro_rules! truncate {
    ($($ty:ty),*) => {
        $(impl Truncate for $ty {
            fn truncate(value: i64) -> Self {
                value as Self
            }
        })*
    };
}

truncate!(i8, i16, i32, i64);

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, type_of};

    #[test]
    fn bits() {
        check(&[
            ("bitwise_and(12, 10)", "8"),
            ("bitwise_or(12, 10)", "14"),
            ("bitwise_xor(12, 10)", "6"),
            ("bitwise_not(0)", "-1"),
            ("bitwise_and(1, NULL)", "NULL"),
            ("bit_count(9, 64)", "2"),
            ("bit_count(-7, 8)", "6"),
            (
                "bit_count(128, 8)",
                "INVALID_FUNCTION_ARGUMENT: Number must be representable with the bits specified. 128 cannot be represented with 8 bits",
            ),
            (
                "bit_count(1, 65)",
                "INVALID_FUNCTION_ARGUMENT: Bits specified in bit_count must be between 2 and 64, got 65",
            ),
        ]);
    }

    #[test]
    fn shifts() {
        check(&[
            ("bitwise_left_shift(CAST(7 AS tinyint), 2)", "28"),
            ("bitwise_left_shift(CAST(127 AS tinyint), 1)", "-2"),
            ("bitwise_left_shift(1, 31)", "-2147483648"),
            ("bitwise_left_shift(1, 64)", "0"),
            ("bitwise_right_shift(CAST(-1 AS tinyint), 4)", "15"),
            ("bitwise_right_shift(-8, 1)", "2147483644"),
            ("bitwise_right_shift(CAST(-1 AS bigint), 63)", "1"),
            ("bitwise_right_shift_arithmetic(-8, 1)", "-4"),
            ("bitwise_right_shift_arithmetic(-8, 99)", "-1"),
            ("bitwise_right_shift_arithmetic(8, 99)", "0"),
            ("bitwise_left_shift(1, -1)", "0"),
            ("bitwise_right_shift(BIGINT '-1', -1)", "1"),
            ("bitwise_right_shift_arithmetic(-8, -62)", "-2"),
        ]);
        assert_eq!(type_of("bitwise_left_shift(1, 2)"), "integer");
    }
}
