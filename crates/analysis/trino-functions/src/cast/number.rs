//! Numbers and booleans among each other: rounded half up, out of range is an error.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};

use super::primitive;
use crate::error::{ErrorCode, TrinoError};
use crate::types::Type;
use crate::types::format::{java_double, write_decimal};

/// A decimal number: `unscaled / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Decimal {
    pub(crate) unscaled: i128,
    pub(crate) scale: i32,
}

impl Decimal {
    /// The unscaled value at another scale, rounded half up; none if 128 bits don't hold it.
    pub(crate) fn at_scale(self, scale: i32) -> Option<i128> {
        let power = 10_i128.checked_pow(self.scale.abs_diff(scale));
        if scale >= self.scale {
            return if self.unscaled == 0 { Some(0) } else { self.unscaled.checked_mul(power?) };
        }
        let Some(power) = power else { return Some(0) };
        let (quotient, rest) = (self.unscaled / power, self.unscaled % power);
        let up = rest.unsigned_abs() >= power.unsigned_abs() - rest.unsigned_abs();
        Some(quotient + if up { self.unscaled.signum() } else { 0 })
    }
}

/// A number's text, such as `-1.5`, `.5`, `1e-3`, as a decimal. None for no number, or one of more than 38 digits.
pub(crate) fn parse_number(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Digits that no decimal can hold would overflow 128 bits; those behind the point only matter for rounding.
    let significant = digits.trim_start_matches('0');
    let kept = significant.len().min(38);
    if significant[kept..].len() > fraction.len() {
        return None;
    }
    let dropped = (significant.len() - kept) as i32;
    let value: i128 = if kept == 0 { 0 } else { significant[..kept].parse().ok()? };
    let scale = (fraction.len() as i32).checked_sub(exponent)? - dropped;
    Some(Decimal { unscaled: if mantissa.starts_with('-') { -value } else { value }, scale })
}

/// A number of any type.
#[derive(Clone, Copy)]
enum Number {
    Exact(Decimal),
    Double(f64),
    Real(f32),
}

pub(super) fn convert(array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, TrinoError> {
    if let (Type::Decimal(_, scale), Type::Double) = (from, to) {
        return Ok(Arc::new(doubles(array, *scale)));
    }
    let read = reader(array, from)?;
    let read = read.as_ref();
    let array: ArrayRef = match to {
        Type::Boolean => {
            let values = (0..array.len()).map(|row| array.is_valid(row).then(|| is_true(read(row))));
            Arc::new(values.collect::<BooleanArray>())
        }
        Type::Tinyint => Arc::new(integers::<Int8Type>(array, from, to, read)?),
        Type::Smallint => Arc::new(integers::<Int16Type>(array, from, to, read)?),
        Type::Integer => Arc::new(integers::<Int32Type>(array, from, to, read)?),
        Type::Bigint => Arc::new(integers::<Int64Type>(array, from, to, read)?),
        Type::Real => Arc::new(primitive::<Float32Type>(array, |row| Ok(to_real(read(row))))?),
        Type::Double => Arc::new(primitive::<Float64Type>(array, |row| Ok(to_double(read(row))))?),
        Type::Decimal(precision, scale) => {
            let decimal = |row| to_decimal(read(row), from, *precision, *scale);
            let values = primitive::<Decimal128Type>(array, decimal)?;
            Arc::new(values.with_precision_and_scale(*precision, *scale as i8)?)
        }
        _ => return Err(super::not_castable(from, to)),
    };
    Ok(array)
}

/// The nearest doubles to decimals. A quotient of two numbers that doubles hold exactly is rounded once; other decimals go
/// through their text.
fn doubles(array: &ArrayRef, scale: u8) -> PrimitiveArray<Float64Type> {
    const EXACT: u128 = 1 << 53;
    /// 10^19 is 2^19 times a number of 45 bits.
    const EXACT_SCALE: u8 = 19;
    let exact = if scale <= EXACT_SCALE { EXACT } else { 0 };
    let divisor = 10_u64.pow(scale.min(EXACT_SCALE).into()) as f64;
    array.as_primitive::<Decimal128Type>().unary(|unscaled| match unscaled.unsigned_abs() <= exact {
        true => unscaled as i64 as f64 / divisor,
        false => to_double(Number::Exact(Decimal { unscaled, scale: scale.into() })),
    })
}

fn reader<'a>(array: &'a ArrayRef, ty: &Type) -> Result<Box<dyn Fn(usize) -> Number + 'a>, TrinoError> {
    fn whole<'a, T: ArrowPrimitiveType<Native: Into<i128>>>(
        array: &'a ArrayRef,
        scale: u8,
    ) -> Box<dyn Fn(usize) -> Number + 'a> {
        let values = array.as_primitive::<T>();
        Box::new(move |row| Number::Exact(Decimal { unscaled: values.value(row).into(), scale: scale.into() }))
    }
    Ok(match ty {
        Type::Boolean => {
            let values = array.as_boolean();
            Box::new(|row| Number::Exact(Decimal { unscaled: values.value(row).into(), scale: 0 }))
        }
        Type::Tinyint => whole::<Int8Type>(array, 0),
        Type::Smallint => whole::<Int16Type>(array, 0),
        Type::Integer => whole::<Int32Type>(array, 0),
        Type::Bigint => whole::<Int64Type>(array, 0),
        Type::Decimal(_, scale) => whole::<Decimal128Type>(array, *scale),
        Type::Real => {
            let values = array.as_primitive::<Float32Type>();
            Box::new(|row| Number::Real(values.value(row)))
        }
        Type::Double => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(|row| Number::Double(values.value(row)))
        }
        _ => return Err(TrinoError::internal(format!("{ty} is no number"))),
    })
}

fn integers<T: ArrowPrimitiveType<Native: TryFrom<i128>>>(
    array: &ArrayRef,
    from: &Type,
    to: &Type,
    read: &dyn Fn(usize) -> Number,
) -> Result<PrimitiveArray<T>, TrinoError> {
    primitive::<T>(array, |row| {
        let number = read(row);
        let whole = match number {
            Number::Exact(decimal) => decimal.at_scale(0),
            Number::Double(value) => round(value, from, to)?,
            Number::Real(value) => round(value.into(), from, to)?,
        };
        let value = whole.and_then(|value| T::Native::try_from(value).ok());
        value.ok_or_else(|| match from {
            Type::Decimal(..) => TrinoError::new(
                ErrorCode::InvalidCastArgument,
                format!("Cannot cast '{}' to {}", show(number), shout(to)),
            ),
            Type::Double if to == &Type::Bigint => {
                TrinoError::new(ErrorCode::InvalidCastArgument, format!("Unable to cast {} to bigint", show(number)))
            }
            _ => TrinoError::out_of_range(format!("Out of range for {to}: {}", show(number))),
        })
    })
}

fn round(value: f64, from: &Type, to: &Type) -> Result<Option<i128>, TrinoError> {
    if value.is_nan() && !(from == &Type::Double && to == &Type::Bigint) {
        return Err(TrinoError::new(ErrorCode::InvalidCastArgument, format!("Cannot cast {from} NaN to {to}")));
    }
    // Rounding is half away from zero in both worlds; beyond 63 bits nothing fits anyway.
    Ok((value.abs() < 1e19).then(|| value.round() as i128))
}

fn is_true(number: Number) -> bool {
    match number {
        Number::Exact(decimal) => decimal.unscaled != 0,
        Number::Double(value) => value != 0.0,
        Number::Real(value) => value != 0.0,
    }
}

fn to_double(number: Number) -> f64 {
    match number {
        Number::Exact(Decimal { unscaled, scale: 0 }) => unscaled as f64,
        // Through the text: dividing would round twice.
        Number::Exact(Decimal { unscaled, scale }) => format!("{unscaled}e-{scale}").parse().unwrap_or(f64::NAN),
        Number::Double(value) => value,
        Number::Real(value) => value.into(),
    }
}

fn to_real(number: Number) -> f32 {
    match number {
        Number::Exact(Decimal { unscaled, scale: 0 }) => unscaled as f32,
        Number::Exact(Decimal { unscaled, scale }) => format!("{unscaled}e-{scale}").parse().unwrap_or(f32::NAN),
        Number::Double(value) => value as f32,
        Number::Real(value) => value,
    }
}

fn to_decimal(number: Number, from: &Type, precision: u8, scale: u8) -> Result<i128, TrinoError> {
    let exact = match number {
        Number::Exact(decimal) => Some(decimal),
        Number::Double(value) => parse_number(&format!("{value:e}")),
        Number::Real(value) => parse_number(&format!("{value:e}")),
    };
    let value = exact.and_then(|decimal| decimal.at_scale(scale.into()));
    value.filter(|value| fits(*value, precision)).ok_or_else(|| {
        let kind = match from {
            Type::Decimal(precision, scale) => format!("DECIMAL({precision}, {scale})"),
            _ => shout(from).to_owned(),
        };
        let message = format!("Cannot cast {kind} '{}' to DECIMAL({precision}, {scale})", show(number));
        TrinoError::new(ErrorCode::InvalidCastArgument, message)
    })
}

/// Whether an unscaled value has at most so many digits.
pub(super) fn fits(value: i128, precision: u8) -> bool {
    10_u128.checked_pow(u32::from(precision)).is_none_or(|limit| value.unsigned_abs() < limit)
}

fn show(number: Number) -> String {
    let mut text = String::new();
    match number {
        Number::Exact(Decimal { unscaled, scale }) => write_decimal(&mut text, unscaled, scale as u8),
        Number::Double(value) => text = java_double(value),
        Number::Real(value) => text = java_double(value.into()),
    }
    text
}

/// A type's name in upper case, as cast errors have it.
pub(super) fn shout(ty: &Type) -> &'static str {
    match ty {
        Type::Boolean => "BOOLEAN",
        Type::Tinyint => "TINYINT",
        Type::Smallint => "SMALLINT",
        Type::Integer => "INTEGER",
        Type::Bigint => "BIGINT",
        Type::Real => "REAL",
        Type::Double => "DOUBLE",
        _ => "VARCHAR",
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Decimal128Array;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decimals_become_the_nearest_doubles(digits in -99_999_999_999_999_999_999_i128..=99_999_999_999_999_999_999, few: i32, scale in 0_u8..38) {
            let values = [digits, few.into(), digits / 10_000, 1 << 53, (1 << 53) + 1];
            let array = Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, scale as i8).unwrap();
            let found = doubles(&(Arc::new(array) as ArrayRef), scale);
            for (found, value) in found.values().iter().zip(values) {
                prop_assert_eq!(*found, format!("{value}e-{scale}").parse::<f64>().unwrap());
            }
        }
    }
}
