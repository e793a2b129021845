//! Sums, differences and products of decimals. Where the operands' digits leave no room for an overflow, which their types
//! tell, nothing is checked row by row; elsewhere every row is.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Datum, Decimal128Array, PrimitiveArray, new_null_array};
use arrow::compute::{binary, try_binary, try_unary, unary};
use arrow::datatypes::{DataType, Decimal128Type};
use arrow::error::ArrowError;
use boathouse_trino_parser::ast::BinaryOp;

use super::overflow;

/// The most digits that any decimal has.
const DIGITS: u8 = 38;
/// So many digits fit 64 bits.
const NARROW: u8 = 18;

/// `left op right` as a decimal with this precision and scale; the operator is `+`, `-` or `*`, the scale the one that the
/// operator gives.
pub(super) fn compute(
    op: BinaryOp,
    left: &dyn Datum,
    right: &dyn Datum,
    (precision, scale): (u8, u8),
) -> Result<ArrayRef, ArrowError> {
    let ((left, left_scalar), (right, right_scalar)) = (left.get(), right.get());
    let (left, right) = (Operand::new(left, left_scalar)?, Operand::new(right, right_scalar)?);
    let (l, r) = (left.digits(scale), right.digits(scale));
    let ty = DataType::Decimal128(precision, scale as i8);
    let limit = 10_i128.pow(u32::from(precision));
    let values = match op {
        BinaryOp::Multiply if left.precision + right.precision <= DIGITS => {
            match left.precision.max(right.precision) <= NARROW {
                true => infallible(&left, &right, |l, r| i128::from(l as i64) * i128::from(r as i64)),
                false => infallible(&left, &right, |l, r| l.wrapping_mul(r)),
            }
        }
        BinaryOp::Multiply => fallible(&left, &right, |l, r| multiply(l, r, limit)),
        _ if l.max(r) < DIGITS => {
            let (up, down) = (left.factor(scale), right.factor(scale));
            match (op, up, down) {
                (BinaryOp::Add, 1, 1) => infallible(&left, &right, |l, r| l.wrapping_add(r)),
                (BinaryOp::Add, ..) => {
                    infallible(&left, &right, move |l, r| l.wrapping_mul(up).wrapping_add(r.wrapping_mul(down)))
                }
                (_, 1, 1) => infallible(&left, &right, |l, r| l.wrapping_sub(r)),
                _ => infallible(&left, &right, move |l, r| l.wrapping_mul(up).wrapping_sub(r.wrapping_mul(down))),
            }
        }
        _ => {
            let (up, down) = (left.factor(scale), right.factor(scale));
            let sign = if op == BinaryOp::Add { 1 } else { -1 };
            fallible(&left, &right, move |l, r| {
                let sum = l.checked_mul(up).zip(r.checked_mul(down)).and_then(|(l, r)| l.checked_add(sign * r));
                within(sum, limit)
            })
        }
    };
    Ok(match values? {
        Some(values) => Arc::new(values.with_data_type(ty)),
        None => new_null_array(&ty, left.rows().max(right.rows())),
    })
}

/// One side of an operator.
struct Operand<'a> {
    values: &'a Decimal128Array,
    scalar: bool,
    precision: u8,
    scale: u8,
}

impl<'a> Operand<'a> {
    fn new(array: &'a dyn Array, scalar: bool) -> Result<Self, ArrowError> {
        let values = super::decimals(array)?;
        let scale = u8::try_from(values.scale())
            .map_err(|_| ArrowError::ComputeError("a decimal's scale is never negative".into()))?;
        Ok(Self { values, scalar, precision: values.precision(), scale })
    }

    fn rows(&self) -> usize {
        self.values.len()
    }

    /// How many digits the values have at this scale.
    fn digits(&self, scale: u8) -> u8 {
        (self.precision + scale).saturating_sub(self.scale)
    }

    /// What brings the values to this scale, which is not smaller than theirs.
    fn factor(&self, scale: u8) -> i128 {
        10_i128.pow(u32::from(scale.saturating_sub(self.scale)))
    }

    /// A scalar's value; none if it is NULL.
    fn value(&self) -> Option<i128> {
        self.values.is_valid(0).then(|| self.values.value(0))
    }
}

type Values = Result<Option<PrimitiveArray<Decimal128Type>>, ArrowError>;

/// None if all is NULL.
fn infallible(left: &Operand<'_>, right: &Operand<'_>, op: impl Fn(i128, i128) -> i128) -> Values {
    match (left.scalar, right.scalar) {
        (false, true) => Ok(right.value().map(|r| unary(left.values, |l| op(l, r)))),
        (true, false) => Ok(left.value().map(|l| unary(right.values, |r| op(l, r)))),
        _ => binary(left.values, right.values, op).map(Some),
    }
}

fn fallible(left: &Operand<'_>, right: &Operand<'_>, op: impl Fn(i128, i128) -> Result<i128, ArrowError>) -> Values {
    match (left.scalar, right.scalar) {
        (false, true) => right.value().map(|r| try_unary(left.values, |l| op(l, r))).transpose(),
        (true, false) => left.value().map(|l| try_unary(right.values, |r| op(l, r))).transpose(),
        _ => try_binary(left.values, right.values, op).map(Some),
    }
}

#[inline]
fn within(value: Option<i128>, limit: i128) -> Result<i128, ArrowError> {
    value.filter(|value| -limit < *value && *value < limit).ok_or_else(overflow)
}

#[inline]
fn multiply(left: i128, right: i128, limit: i128) -> Result<i128, ArrowError> {
    let product = match (i64::try_from(left), i64::try_from(right)) {
        (Ok(left), Ok(right)) => Some(i128::from(left) * i128::from(right)),
        _ => left.checked_mul(right),
    };
    within(product, limit)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Scalar};
    use proptest::prelude::*;

    use super::*;

    fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> Decimal128Array {
        Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap()
    }

    fn values(array: &ArrayRef) -> Vec<Option<i128>> {
        array.as_primitive::<Decimal128Type>().iter().collect()
    }

    #[test]
    fn scales_meet_before_sums() {
        let (left, right) = (decimals(vec![Some(1), None], 1, 0), decimals(vec![Some(4), Some(5)], 15, 2));
        assert_eq!(values(&compute(BinaryOp::Add, &left, &right, (16, 2)).unwrap()), [Some(104), None]);
        assert_eq!(values(&compute(BinaryOp::Subtract, &left, &right, (16, 2)).unwrap()), [Some(96), None]);
        let one = Scalar::new(decimals(vec![Some(1)], 1, 0));
        assert_eq!(values(&compute(BinaryOp::Subtract, &one, &right, (16, 2)).unwrap()), [Some(96), Some(95)]);
        assert_eq!(values(&compute(BinaryOp::Subtract, &right, &one, (16, 2)).unwrap()), [Some(-96), Some(-95)]);
        let null = Scalar::new(decimals(vec![None], 1, 0));
        assert_eq!(values(&compute(BinaryOp::Multiply, &right, &null, (16, 2)).unwrap()), [None, None]);
    }

    #[test]
    fn too_large_is_an_error() {
        let large = decimals(vec![Some(10_i128.pow(38) - 1)], 38, 0);
        for op in [BinaryOp::Add, BinaryOp::Multiply] {
            let two = decimals(vec![Some(2)], 38, 0);
            let error = compute(op, &large, &two, (38, 0)).unwrap_err();
            assert!(error.to_string().contains("Decimal overflow"), "{error}");
        }
        let nothing = decimals(vec![None], 38, 0);
        assert_eq!(values(&compute(BinaryOp::Multiply, &large, &nothing, (38, 0)).unwrap()), [None]);
        let small = decimals(vec![Some(-10_i128.pow(38) + 1)], 38, 0);
        assert!(compute(BinaryOp::Subtract, &small, &large, (38, 0)).is_err());
    }

    proptest! {
        #[test]
        fn products_agree_however_they_are_computed(l in -999_999_999_i128..1_000_000_000, r in -999_999_999_i128..1_000_000_000) {
            for (lp, rp) in [(9, 9), (19, 19), (30, 30)] {
                let (left, right) = (decimals(vec![Some(l)], lp, 2), decimals(vec![Some(r)], rp, 3));
                let precision = (lp + rp).min(38);
                let product = compute(BinaryOp::Multiply, &left, &right, (precision, 5)).unwrap();
                prop_assert_eq!(values(&product), [Some(l * r)]);
            }
        }
    }
}
