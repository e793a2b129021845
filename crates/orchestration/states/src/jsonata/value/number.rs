//! Integers that have more digits than a double keeps.

use super::Val;
use crate::jsonata::syntax::Operator;

/// Integers from here on are kept as integers: texts show only 15 digits of a double.
pub(in crate::jsonata) const EXACT: u64 = 1_000_000_000_000_000;
/// Doubles below it are the integers that they seem to be.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl Val {
    pub(in crate::jsonata) fn integer(value: i64) -> Self {
        if value.unsigned_abs() < EXACT { Self::Number(value as f64) } else { Self::Integer(value) }
    }

    /// The integer that a number surely is.
    fn exact(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Number(value) if value.fract() == 0.0 && value.abs() < WHOLE => Some(*value as i64),
            _ => None,
        }
    }
}

/// Arithmetic: integers stay integers as far as 64 bits reach, anything else is what doubles make of it. `None` unless
/// both are numbers.
#[inline]
pub(in crate::jsonata) fn calculate(operator: Operator, a: &Val, b: &Val) -> Option<Val> {
    if let (Val::Number(x), Val::Number(y)) = (a, b) {
        let value = double(operator, *x, *y);
        if value.abs() < EXACT as f64 {
            return Some(Val::Number(value));
        }
    }
    let value = double(operator, a.number()?, b.number()?);
    Some(exactly(operator, a, b).unwrap_or(Val::Number(value)))
}

#[inline]
fn double(operator: Operator, x: f64, y: f64) -> f64 {
    match operator {
        Operator::Add => x + y,
        Operator::Subtract => x - y,
        Operator::Multiply => x * y,
        Operator::Divide => x / y,
        _ => x % y,
    }
}

fn exactly(operator: Operator, a: &Val, b: &Val) -> Option<Val> {
    let (a, b) = (a.exact()?, b.exact()?);
    let value = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Remainder => a.checked_rem(b),
        _ => None,
    };
    value.map(Val::integer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_are_calculated_with_as_integers(a in any::<i64>(), b in any::<i64>(), shift in 0..64u32) {
            let (a, b) = (a >> shift, b);
            let (x, y) = (Val::integer(a), Val::integer(b));
            let cases = [
                (Operator::Add, a.checked_add(b), a as f64 + b as f64),
                (Operator::Subtract, a.checked_sub(b), a as f64 - b as f64),
                (Operator::Multiply, a.checked_mul(b), a as f64 * b as f64),
                (Operator::Remainder, a.checked_rem(b), a as f64 % b as f64),
                (Operator::Divide, None, a as f64 / b as f64),
            ];
            for (operator, exact, double) in cases {
                let expected = exact.map_or(Val::Number(double), Val::integer);
                let found = calculate(operator, &x, &y).unwrap();
                prop_assert!(found.identical(&expected) || double.is_nan(), "{a} {} {b}: {found:?}", operator.symbol());
            }
        }
    }
}
