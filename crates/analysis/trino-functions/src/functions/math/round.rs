//! Rounding: halves go away from zero.

use arrow::array::ArrowPrimitiveType;
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};

use super::super::Table;
use super::super::support::{Computed, numbers, primitives};
use super::{unary, unary_real};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

/// How digits are given up.
#[derive(Clone, Copy)]
enum Mode {
    Up,
    Down,
    HalfUp,
    Truncate,
}

pub(super) fn register(table: &mut Table) {
    let (up, down) = ("The number rounded up to an integer.", "The number rounded down to an integer.");
    let (nearest, digits) = ("The nearest integer.", "The number rounded to so many decimals, to tens … if negative.");
    for signature in [
        "ceiling(tinyint) -> tinyint",
        "ceiling(smallint) -> smallint",
        "ceiling(integer) -> integer",
        "ceiling(bigint) -> bigint",
    ] {
        table.kernel(signature, up, |call| call.array(0));
    }
    for signature in [
        "floor(tinyint) -> tinyint",
        "floor(smallint) -> smallint",
        "floor(integer) -> integer",
        "floor(bigint) -> bigint",
    ] {
        table.kernel(signature, down, |call| call.array(0));
    }
    for signature in [
        "round(tinyint) -> tinyint",
        "round(smallint) -> smallint",
        "round(integer) -> integer",
        "round(bigint) -> bigint",
    ] {
        table.kernel(signature, nearest, |call| call.array(0));
    }
    table.kernel("round(tinyint, integer) -> tinyint", digits, round_integer::<Int8Type>);
    table.kernel("round(smallint, integer) -> smallint", digits, round_integer::<Int16Type>);
    table.kernel("round(integer, integer) -> integer", digits, round_integer::<Int32Type>);
    table.kernel("round(bigint, integer) -> bigint", digits, round_integer::<Int64Type>);
    table.kernel("ceiling(decimal(p, s)) -> decimal(p - s + min(s, 1), 0)", up, |call| integral(call, Mode::Up));
    table.kernel("floor(decimal(p, s)) -> decimal(p - s + min(s, 1), 0)", down, |call| integral(call, Mode::Down));
    table.kernel("round(decimal(p, s)) -> decimal(min(38, p - s + min(1, s)), 0)", nearest, |call| {
        integral(call, Mode::HalfUp)
    });
    table.kernel("truncate(decimal(p, s)) -> decimal(max(p - s, 1), 0)", "The number without its fraction.", |call| {
        integral(call, Mode::Truncate)
    });
    table.kernel("round(decimal(p, s), integer) -> decimal(min(38, p + 1), s)", digits, |call| {
        at_digit(call, Mode::HalfUp)
    });
    table.kernel(
        "truncate(decimal(p, s), integer) -> decimal(p, s)",
        "The number with only so many decimals.",
        |call| at_digit(call, Mode::Truncate),
    );
    table.kernel("ceiling(double) -> double", up, |call| unary(call, f64::ceil));
    table.kernel("ceiling(real) -> real", up, |call| unary_real(call, f32::ceil));
    table.alias("ceil", "ceiling");
    table.kernel("floor(double) -> double", down, |call| unary(call, f64::floor));
    table.kernel("floor(real) -> real", down, |call| unary_real(call, f32::floor));
    table.kernel("truncate(double) -> double", "The number without its fraction.", |call| unary(call, f64::trunc));
    table.kernel("truncate(real) -> real", "The number without its fraction.", |call| unary_real(call, f32::trunc));
    table.kernel("round(double) -> double", nearest, |call| unary(call, f64::round));
    table.kernel("round(real) -> real", nearest, |call| unary_real(call, f32::round));
    table.kernel("round(double, integer) -> double", digits, |call| {
        let (values, decimals) = (numbers::<Float64Type>(call, 0)?, numbers::<Int32Type>(call, 1)?);
        primitives::<Float64Type>(call, |row| Ok(Some(round_double(values.value(row), decimals.value(row)))))
    });
    table.kernel("round(real, integer) -> real", digits, |call| {
        let (values, decimals) = (numbers::<Float32Type>(call, 0)?, numbers::<Int32Type>(call, 1)?);
        primitives::<Float32Type>(call, |row| {
            Ok(Some(round_double(values.value(row).into(), decimals.value(row)) as f32))
        })
    });
}

fn round_double(value: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    let scaled = value * factor;
    // Beyond 53 bits there is no fraction left to round.
    if !scaled.is_finite() || scaled.abs() >= 9_007_199_254_740_992.0 {
        return value;
    }
    if factor == 0.0 { 0.0 } else { scaled.round() / factor }
}

fn round_integer<T: ArrowPrimitiveType>(call: &Call<'_>) -> Computed
where
    T::Native: Into<i64> + TryFrom<i64>,
{
    let (values, decimals) = (numbers::<T>(call, 0)?, numbers::<Int32Type>(call, 1)?);
    primitives::<T>(call, |row| {
        let (value, decimals) = (values.value(row), decimals.value(row));
        if decimals >= 0 {
            return Ok(Some(value));
        }
        let wide = i128::from(value.into());
        let rounded = power(decimals.unsigned_abs()).map_or(0, |unit| shorten(wide, unit, Mode::HalfUp) * unit);
        let fits = i64::try_from(rounded).ok().and_then(|rounded| T::Native::try_from(rounded).ok());
        let overflow = || {
            TrinoError::out_of_range(match &call.types[0] {
                Type::Bigint => format!("numerical overflow: {wide}"),
                ty => format!("Out of range for {ty}: {rounded}"),
            })
        };
        fits.map(Some).ok_or_else(overflow)
    })
}

fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// How many whole units there are.
fn shorten(value: i128, unit: i128, mode: Mode) -> i128 {
    let (whole, rest) = (value / unit, value % unit);
    let away = match mode {
        Mode::Truncate => false,
        Mode::Up => rest > 0,
        Mode::Down => rest < 0,
        // Written so that doubling can't overflow.
        Mode::HalfUp => rest.abs() >= unit - rest.abs() && rest != 0,
    };
    if away { whole + value.signum() } else { whole }
}

fn scale(call: &Call<'_>) -> u32 {
    match call.types.first() {
        Some(Type::Decimal(_, scale)) => u32::from(*scale),
        _ => 0,
    }
}

/// A decimal without its fraction.
fn integral(call: &Call<'_>, mode: Mode) -> Computed {
    let values = numbers::<Decimal128Type>(call, 0)?;
    let unit = power(scale(call)).unwrap_or(1);
    primitives::<Decimal128Type>(call, |row| Ok(Some(shorten(values.value(row), unit, mode))))
}

/// A decimal that keeps its scale, with zeros from a digit on.
fn at_digit(call: &Call<'_>, mode: Mode) -> Computed {
    let (values, decimals) = (numbers::<Decimal128Type>(call, 0)?, numbers::<Int32Type>(call, 1)?);
    let scale = i64::from(scale(call));
    let precision = match call.result {
        Type::Decimal(precision, _) => u32::from(*precision),
        _ => 38,
    };
    let limit = power(precision).unwrap_or(i128::MAX);
    primitives::<Decimal128Type>(call, |row| {
        let (value, lost) = (values.value(row), scale - i64::from(decimals.value(row)));
        if lost <= 0 {
            return Ok(Some(value));
        }
        let Some(unit) = u32::try_from(lost).ok().and_then(power) else { return Ok(Some(0)) };
        let rounded = shorten(value, unit, mode).checked_mul(unit).filter(|rounded| rounded.abs() < limit);
        rounded.map(Some).ok_or_else(|| TrinoError::out_of_range("decimal overflow"))
    })
}
