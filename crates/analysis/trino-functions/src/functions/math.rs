//! Functions of numbers.

mod bucket;
mod distribution;
mod round;

use std::sync::Arc;

use arrow::array::{ArrowPrimitiveType, AsArray, BooleanArray, Float32Array, Float64Array};
use arrow::datatypes::{
    ArrowNativeTypeOp, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use boathouse_trino_parser::ast::BinaryOp;
use datafusion::logical_expr::{Expr, lit};
use rand::Rng;

use super::Table;
use super::support::{Computed, bigints, numbers, primitives, text, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;
use crate::{Typed, operators};

pub(crate) fn register(table: &mut Table) {
    signs(table);
    bucket::register(table);
    distribution::register(table);
    round::register(table);
    let modulus = "The remainder of a division, with the sign of the first.";
    for signature in [
        "mod(tinyint, tinyint) -> tinyint",
        "mod(smallint, smallint) -> smallint",
        "mod(integer, integer) -> integer",
        "mod(bigint, bigint) -> bigint",
        "mod(decimal(p, s), decimal(q, t)) -> decimal(min(q - t, p - s) + max(s, t), max(s, t))",
        "mod(real, real) -> real",
        "mod(double, double) -> double",
    ] {
        table.expression(signature, modulus, remainder);
    }
    table.kernel("power(double, double) -> double", "One number to the power of another.", |call| {
        binary(call, f64::powf)
    });
    table.alias("pow", "power");
    table.kernel("log(double, double) -> double", "The logarithm to a base: log(base, x).", |call| {
        binary(call, |base, x| x.ln() / base.ln())
    });
    table.kernel("atan2(double, double) -> double", "The arc tangent of y / x.", |call| binary(call, f64::atan2));
    table.kernel("sqrt(double) -> double", "The square root.", |call| unary(call, f64::sqrt));
    table.kernel("cbrt(double) -> double", "The cube root.", |call| unary(call, f64::cbrt));
    table.kernel("exp(double) -> double", "e to the power of the number.", |call| unary(call, f64::exp));
    table.kernel("ln(double) -> double", "The natural logarithm.", |call| unary(call, f64::ln));
    table.kernel("log2(double) -> double", "The logarithm to base 2.", |call| unary(call, f64::log2));
    table.kernel("log10(double) -> double", "The logarithm to base 10.", |call| unary(call, f64::log10));
    table.kernel("degrees(double) -> double", "Radians as degrees.", |call| unary(call, f64::to_degrees));
    table.kernel("radians(double) -> double", "Degrees as radians.", |call| unary(call, f64::to_radians));
    table.kernel("sin(double) -> double", "The sine.", |call| unary(call, f64::sin));
    table.kernel("cos(double) -> double", "The cosine.", |call| unary(call, f64::cos));
    table.kernel("tan(double) -> double", "The tangent.", |call| unary(call, f64::tan));
    table.kernel("asin(double) -> double", "The arc sine.", |call| unary(call, f64::asin));
    table.kernel("acos(double) -> double", "The arc cosine.", |call| unary(call, f64::acos));
    table.kernel("atan(double) -> double", "The arc tangent.", |call| unary(call, f64::atan));
    table.kernel("sinh(double) -> double", "The hyperbolic sine.", |call| unary(call, f64::sinh));
    table.kernel("cosh(double) -> double", "The hyperbolic cosine.", |call| unary(call, f64::cosh));
    table.kernel("tanh(double) -> double", "The hyperbolic tangent.", |call| unary(call, f64::tanh));
    table.native("pi() -> double", "The constant pi.", |_| lit(std::f64::consts::PI));
    table.native("e() -> double", "Euler's number.", |_| lit(std::f64::consts::E));
    table.native("infinity() -> double", "Positive infinity.", |_| lit(f64::INFINITY));
    table.native("nan() -> double", "What is not a number.", |_| lit(f64::NAN));
    for signature in ["is_nan(double) -> boolean", "is_nan(real) -> boolean"] {
        let nan = "Whether it is not a number.";
        table.kernel(signature, nan, |call| is(call, f64::is_nan, f32::is_nan)).never_fails();
    }
    table.kernel("is_finite(double) -> boolean", "Whether it is finite.", |call| {
        is(call, f64::is_finite, f32::is_finite)
    });
    table.kernel("is_infinite(double) -> boolean", "Whether it is infinite.", |call| {
        is(call, f64::is_infinite, f32::is_infinite)
    });
    table.kernel("to_base(bigint, bigint) -> varchar(64)", "The number's digits in a base.", to_base);
    table.kernel("from_base(varchar, bigint) -> bigint", "The number from digits in a base.", from_base);
    table.kernel("random() -> double", "A random number from 0 up to 1.", random).volatile();
    for signature in [
        "random(tinyint) -> tinyint",
        "random(smallint) -> smallint",
        "random(integer) -> integer",
        "random(bigint) -> bigint",
        "random(tinyint, tinyint) -> tinyint",
        "random(smallint, smallint) -> smallint",
        "random(integer, integer) -> integer",
        "random(bigint, bigint) -> bigint",
    ] {
        table
            .kernel(signature, "A random integer from the first bound (0 if left out) up to the last.", random_integer)
            .volatile();
    }
    table.alias("rand", "random");
}

fn signs(table: &mut Table) {
    let text = "The number without its sign.";
    table.kernel("abs(tinyint) -> tinyint", text, abs_integer::<Int8Type>);
    table.kernel("abs(smallint) -> smallint", text, abs_integer::<Int16Type>);
    table.kernel("abs(integer) -> integer", text, abs_integer::<Int32Type>);
    table.kernel("abs(bigint) -> bigint", text, abs_integer::<Int64Type>);
    table.kernel("abs(decimal(p, s)) -> decimal(p, s)", text, |call| {
        let values = numbers::<Decimal128Type>(call, 0)?;
        primitives::<Decimal128Type>(call, |row| Ok(Some(values.value(row).abs())))
    });
    table.kernel("abs(real) -> real", text, |call| unary_real(call, f32::abs));
    table.kernel("abs(double) -> double", text, |call| unary(call, f64::abs));
    let text = "-1, 0 or 1: the number's sign.";
    table.kernel("sign(tinyint) -> tinyint", text, sign_integer::<Int8Type>);
    table.kernel("sign(smallint) -> smallint", text, sign_integer::<Int16Type>);
    table.kernel("sign(integer) -> integer", text, sign_integer::<Int32Type>);
    table.kernel("sign(bigint) -> bigint", text, sign_integer::<Int64Type>);
    table.kernel("sign(decimal(p, s)) -> decimal(1, 0)", text, sign_integer::<Decimal128Type>);
    table.kernel("sign(real) -> real", text, |call| unary_real(call, |x| if x == 0.0 { x } else { x.signum() }));
    table.kernel("sign(double) -> double", text, |call| unary(call, |x| if x == 0.0 { x } else { x.signum() }));
}

fn abs_integer<T: ArrowPrimitiveType>(call: &Call<'_>) -> Computed
where
    T::Native: ArrowNativeTypeOp + std::fmt::Display,
{
    let values = numbers::<T>(call, 0)?;
    primitives::<T>(call, |row| {
        let value = values.value(row);
        if !value.is_lt(T::Native::ZERO) {
            return Ok(Some(value));
        }
        let overflow =
            |_| TrinoError::out_of_range(format!("Value {value} is out of range for abs({})", call.types[0]));
        value.neg_checked().map(Some).map_err(overflow)
    })
}

fn sign_integer<T: ArrowPrimitiveType>(call: &Call<'_>) -> Computed
where
    T::Native: ArrowNativeTypeOp,
{
    let values = numbers::<T>(call, 0)?;
    let (zero, one) = (T::Native::ZERO, T::Native::ONE);
    primitives::<T>(call, |row| {
        let value = values.value(row);
        Ok(Some(match value.compare(zero) {
            std::cmp::Ordering::Less => one.neg_wrapping(),
            std::cmp::Ordering::Equal => zero,
            std::cmp::Ordering::Greater => one,
        }))
    })
}

fn remainder(args: Vec<Typed>, _: &Type) -> Result<Expr, TrinoError> {
    match <[Typed; 2]>::try_from(args) {
        Ok([left, right]) => operators::binary(BinaryOp::Modulus, left, right).map(|(expr, _)| expr),
        Err(_) => Err(TrinoError::internal("mod takes two arguments")),
    }
}

fn unary(call: &Call<'_>, compute: fn(f64) -> f64) -> Computed {
    let values: Float64Array = call.array(0)?.as_primitive::<Float64Type>().unary(compute);
    Ok(Arc::new(values))
}

fn unary_real(call: &Call<'_>, compute: fn(f32) -> f32) -> Computed {
    let values: Float32Array = call.array(0)?.as_primitive::<Float32Type>().unary(compute);
    Ok(Arc::new(values))
}

fn binary(call: &Call<'_>, compute: fn(f64, f64) -> f64) -> Computed {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
    let values: Float64Array = arrow::compute::binary(left, right, compute)?;
    Ok(Arc::new(values))
}

fn is(call: &Call<'_>, double: fn(f64) -> bool, real: fn(f32) -> bool) -> Computed {
    let array = call.array(0)?;
    Ok(Arc::new(match array.as_primitive_opt::<Float32Type>() {
        Some(values) => BooleanArray::from_unary(values, real),
        None => BooleanArray::from_unary(array.as_primitive::<Float64Type>(), double),
    }))
}

fn radix(base: i64) -> Result<u32, TrinoError> {
    match u32::try_from(base) {
        Ok(base @ 2..=36) => Ok(base),
        _ => Err(TrinoError::invalid("Radix must be between 2 and 36")),
    }
}

fn to_base(call: &Call<'_>) -> Computed {
    let (values, bases) = (bigints(call, 0)?, bigints(call, 1)?);
    write_texts(call, |row, out| {
        let (value, base) = (values.value(row), radix(bases.value(row))?);
        let mut rest = value.unsigned_abs();
        let mut digits = Vec::with_capacity(64);
        while rest > 0 || digits.is_empty() {
            digits.extend(char::from_digit((rest % u64::from(base)) as u32, base));
            rest /= u64::from(base);
        }
        if value < 0 {
            out.push('-');
        }
        out.extend(digits.into_iter().rev());
        Ok(Some(()))
    })
}

fn from_base(call: &Call<'_>) -> Computed {
    let (values, bases) = (text(call, 0)?, bigints(call, 1)?);
    primitives::<Int64Type>(call, |row| {
        let (digits, base) = (values.value(row), radix(bases.value(row))?);
        let wrong = |_| TrinoError::invalid(format!("Not a valid base-{base} number: {digits}"));
        i64::from_str_radix(digits, base).map(Some).map_err(wrong)
    })
}

fn random(call: &Call<'_>) -> Computed {
    let mut generator = rand::rng();
    Ok(Arc::new(Float64Array::from_iter_values((0..call.rows).map(|_| generator.random::<f64>()))))
}

fn random_integer(call: &Call<'_>) -> Computed {
    match call.types[0] {
        Type::Tinyint => random_of::<Int8Type>(call),
        Type::Smallint => random_of::<Int16Type>(call),
        Type::Integer => random_of::<Int32Type>(call),
        _ => random_of::<Int64Type>(call),
    }
}

fn random_of<T: ArrowPrimitiveType>(call: &Call<'_>) -> Computed
where
    T::Native: ArrowNativeTypeOp + rand::distr::uniform::SampleUniform + PartialOrd,
{
    let first = numbers::<T>(call, 0)?;
    let second = (call.len() > 1).then(|| numbers::<T>(call, 1)).transpose()?;
    let mut generator = rand::rng();
    primitives::<T>(call, |row| {
        let (from, to) = match &second {
            Some(second) => (first.value(row), second.value(row)),
            None => (T::Native::ZERO, first.value(row)),
        };
        match (from < to, second.is_some()) {
            (true, _) => Ok(Some(generator.random_range(from..to))),
            (false, true) => Err(TrinoError::invalid("start value must be less than stop value")),
            (false, false) => Err(TrinoError::invalid("bound must be positive")),
        }
    })
}

#[cfg(test)]
mod tests;
