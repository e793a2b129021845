//! Sums of one column that differ in what is added to each value, as `sum(x)`, `sum(x + 1)`, `sum(x + 2)`: each follows from
//! the sum of the column and the number of its values. An optimizer aggregates [`MovedSum::parts`] once for all of them, and
//! puts [`MovedSum::result`] in their place.
//!
//! An addition that leaves the range of its type is an error, which the column's least and greatest values tell; they are not
//! looked for where the type of the column can't reach so far.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use boathouse_trino_parser::ast::BinaryOp;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, cast, lit};

use super::sum::{is_sum_of_bigints, wide_sum};
use crate::arithmetic::Arithmetic;
use crate::error::TrinoError;
use crate::kernel::{Bound, Call};
use crate::types::Type;

/// A sum of whole numbers, to each of which a constant may have been added.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedSum {
    value: Expr,
    filter: Option<Box<Expr>>,
    step: Step,
    can_overflow: bool,
}

/// What is added to each value, and how the statement says it.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    by: i64,
    form: Form,
    /// The type that the addition is computed in.
    ty: Type,
}

/// How a step is written; the error of an addition shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `value + by`
    ValueFirst,
    /// `by + value`
    ConstantFirst,
    /// `value - by`
    Difference,
}

impl MovedSum {
    /// An aggregate as such a sum, if it is one; the schema is that of the rows that are aggregated.
    pub fn of(aggregate: &Expr, schema: &DFSchema) -> Option<Self> {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = aggregate else { return None };
        if params.distinct || !is_sum_of_bigints(func) {
            return None;
        }
        let [summed] = params.args.as_slice() else { return None };
        let (value, step) = match Step::of(widened(summed)) {
            Some((value, step)) => (value, step),
            None => (summed, Step { by: 0, form: Form::ValueFirst, ty: Type::Bigint }),
        };
        let value = widened(value);
        let (least, greatest) = range(&value.get_type(schema).ok()?)?;
        let can_overflow = step.moved(least).is_none() || step.moved(greatest).is_none();
        Some(Self { value: value.clone(), filter: params.filter.clone(), step, can_overflow })
    }

    /// Whether the other is a sum of the same values in the same rows.
    pub fn is_of_same_values(&self, other: &Self) -> bool {
        self.value == other.value && self.filter == other.filter
    }

    /// Whether the least and the greatest value are needed too.
    pub fn can_overflow(&self) -> bool {
        self.can_overflow
    }

    /// The aggregates that it follows from; the last two only where it can overflow.
    pub fn parts(&self) -> [Expr; 4] {
        let bigint = cast(self.value.clone(), DataType::Int64);
        let call = |func: Arc<AggregateUDF>, arg: Expr| {
            let params = AggregateFunctionParams {
                args: vec![arg],
                distinct: false,
                filter: self.filter.clone(),
                order_by: Vec::new(),
                null_treatment: None,
            };
            Expr::AggregateFunction(AggregateFunction { func, params })
        };
        [
            call(wide_sum(), bigint.clone()),
            call(count_udaf(), self.value.clone()),
            call(min_udaf(), bigint.clone()),
            call(max_udaf(), bigint),
        ]
    }

    /// The sum, from its parts.
    pub fn result(&self, parts: [Expr; 4]) -> Expr {
        let wide = Type::Decimal(38, 0);
        let [sum, count, least, greatest] = parts;
        let constant = lit(self.step.by);
        let (mut args, mut types) = (vec![sum, count, constant], vec![wide, Type::Bigint, Type::Bigint]);
        if self.can_overflow {
            args.extend([least, greatest]);
            // The type of the addition travels as that of the values.
            types.extend([self.step.ty.clone(), self.step.ty.clone()]);
        }
        let (name, kernel): (_, crate::kernel::Kernel) = match self.step.form {
            Form::ValueFirst => ("moved_sum", |call| moved(call, Form::ValueFirst)),
            Form::ConstantFirst => ("sum_moved_from", |call| moved(call, Form::ConstantFirst)),
            Form::Difference => ("sum_moved_back", |call| moved(call, Form::Difference)),
        };
        Bound::operator(name, kernel, types, Type::Bigint).call(args)
    }
}

impl Step {
    /// The value and what is added to it.
    fn of(expr: &Expr) -> Option<(&Expr, Self)> {
        let (op, ty, [left, right]) = Arithmetic::of(expr)? else { return None };
        range(&ty.to_arrow())?;
        let (value, by, form) = match (op, whole(left), whole(right)) {
            (BinaryOp::Add, None, Some(by)) => (left, by, Form::ValueFirst),
            (BinaryOp::Add, Some(by), None) => (right, by, Form::ConstantFirst),
            (BinaryOp::Subtract, None, Some(by)) => (left, by, Form::Difference),
            _ => return None,
        };
        Some((value, Self { by, form, ty: ty.clone() }))
    }

    /// What becomes of a value, if it stays within the type.
    fn moved(&self, value: i64) -> Option<i64> {
        moved_value(value, self.by, self.form, &self.ty)
    }
}

fn moved_value(value: i64, by: i64, form: Form, ty: &Type) -> Option<i64> {
    let moved = match form {
        Form::Difference => value.checked_sub(by),
        _ => value.checked_add(by),
    };
    let (least, greatest) = range(&ty.to_arrow())?;
    moved.filter(|moved| (least..=greatest).contains(moved))
}

/// What is cast to a larger type of whole numbers; the analyzer makes no other casts of this kind.
fn widened(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(cast) if range(cast.field.data_type()).is_some() => widened(&cast.expr),
        other => other,
    }
}

/// The least and the greatest value of a type of whole numbers.
fn range(ty: &DataType) -> Option<(i64, i64)> {
    match ty {
        DataType::Int8 => Some((i8::MIN.into(), i8::MAX.into())),
        DataType::Int16 => Some((i16::MIN.into(), i16::MAX.into())),
        DataType::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
        DataType::Int64 => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

/// The value of a literal that is a whole number.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int8(value), _) => value.map(i64::from),
        Expr::Literal(ScalarValue::Int16(value), _) => value.map(i64::from),
        Expr::Literal(ScalarValue::Int32(value), _) => value.map(i64::from),
        Expr::Literal(ScalarValue::Int64(value), _) => *value,
        _ => None,
    }
}

/// `sum + count * by` for each group; no values give NULL.
fn moved(call: &Call<'_>, form: Form) -> Result<ArrayRef, TrinoError> {
    let (sums, counts, steps) = (call.array(0)?, call.array(1)?, call.array(2)?);
    let (sums, counts) = (sums.as_primitive::<Decimal128Type>(), counts.as_primitive::<Int64Type>());
    let steps = steps.as_primitive::<Int64Type>();
    if call.len() > 3 {
        check(call, steps, form)?;
    }
    let sum = |row: usize| -> Result<Option<i64>, TrinoError> {
        if sums.is_null(row) || counts.value(row) == 0 {
            return Ok(None);
        }
        let step = i128::from(counts.value(row)) * i128::from(steps.value(row));
        let step = if form == Form::Difference { -step } else { step };
        let sum = sums.value(row) + step;
        let overflow = |_| TrinoError::out_of_range(format!("bigint addition overflow: {sum}"));
        i64::try_from(sum).map(Some).map_err(overflow)
    };
    Ok(Arc::new((0..call.rows).map(sum).collect::<Result<Int64Array, _>>()?))
}

/// Whether all additions stay within their type: those to the least and the greatest value do.
fn check(call: &Call<'_>, steps: &Int64Array, form: Form) -> Result<(), TrinoError> {
    let ty = &call.types[3];
    for extreme in [call.array(3)?, call.array(4)?] {
        let extreme = extreme.as_primitive::<Int64Type>();
        for row in (0..call.rows).filter(|row| extreme.is_valid(*row)) {
            let (value, by) = (extreme.value(row), steps.value(row));
            if moved_value(value, by, form, ty).is_none() {
                let (noun, operands) = match form {
                    Form::ValueFirst => ("addition", format!("{value} + {by}")),
                    Form::ConstantFirst => ("addition", format!("{by} + {value}")),
                    Form::Difference => ("subtraction", format!("{value} - {by}")),
                };
                return Err(TrinoError::out_of_range(format!("{ty} {noun} overflow: {operands}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::col;
    use datafusion::prelude::SessionContext;

    use super::super::tests::as_type;
    use super::*;
    use crate::{AggregateCall, Typed, aggregate, operators};

    fn schema(ty: DataType) -> DFSchema {
        let field = arrow::datatypes::Field::new("x", ty, true);
        DFSchema::try_from(arrow::datatypes::Schema::new(vec![field])).unwrap()
    }

    fn sum(value: Typed) -> Expr {
        let call = AggregateCall {
            name: "sum".into(),
            args: vec![value],
            distinct: false,
            filter: None,
            order_by: Vec::new(),
        };
        aggregate(call).unwrap().0
    }

    fn number(value: i64, ty: &Type) -> Typed {
        as_type((lit(value), Type::Bigint), &ty.to_string())
    }

    fn x(ty: &Type) -> Typed {
        (col("x"), ty.clone())
    }

    /// The sum itself, and from its parts.
    fn both(values: ArrayRef, aggregate: &Expr) -> [Result<String, String>; 2] {
        let batch = arrow::array::RecordBatch::try_from_iter([("x", values)]).unwrap();
        let moved = MovedSum::of(aggregate, &schema(batch.schema().field(0).data_type().clone())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let frame = || SessionContext::new().read_batch(batch.clone()).unwrap();
        let names = ["a", "b", "c", "d"];
        let parts = moved.parts().into_iter().zip(names).map(|(part, name)| part.alias(name)).collect();
        let composed = frame().aggregate(vec![], parts).unwrap();
        let composed = composed.select(vec![moved.result(names.map(col))]).unwrap();
        let plain = frame().aggregate(vec![], vec![aggregate.clone()]).unwrap();
        [plain, composed].map(|frame| {
            let batches = runtime.block_on(frame.collect()).map_err(|error| TrinoError::from(error).to_string())?;
            let value = ScalarValue::try_from_array(batches[0].column(0), 0).unwrap();
            Ok(format!("{value}: {}", value.data_type()))
        })
    }

    fn add(op: BinaryOp, left: Typed, right: Typed) -> Expr {
        sum(operators::binary(op, left, right).unwrap())
    }

    #[test]
    fn sums_follow_from_one() {
        let small = || -> ArrayRef { Arc::new(arrow::array::Int16Array::from(vec![Some(7), None, Some(-3)])) };
        let (ty, integer) = (Type::Smallint, Type::Integer);
        for (aggregate, expected) in [
            (sum(x(&ty)), "4: Int64"),
            (add(BinaryOp::Add, x(&ty), number(5, &integer)), "14: Int64"),
            (add(BinaryOp::Add, number(5, &integer), x(&ty)), "14: Int64"),
            (add(BinaryOp::Subtract, x(&ty), number(5, &integer)), "-6: Int64"),
        ] {
            let expected = Ok(expected.to_owned());
            assert_eq!(both(small(), &aggregate), [expected.clone(), expected], "{aggregate}");
        }
        let none: ArrayRef = Arc::new(arrow::array::Int16Array::from(vec![None, None]));
        let nothing = Ok("NULL: Int64".to_owned());
        assert_eq!(both(none, &sum(x(&ty))), [nothing.clone(), nothing]);
    }

    #[test]
    fn what_overflows_is_the_same_error() {
        let integers = || -> ArrayRef { Arc::new(arrow::array::Int32Array::from(vec![i32::MAX, 1, i32::MIN])) };
        let ty = Type::Integer;
        for (aggregate, expected) in [
            (add(BinaryOp::Add, x(&ty), number(1, &ty)), "integer addition overflow: 2147483647 + 1"),
            (add(BinaryOp::Add, number(1, &ty), x(&ty)), "integer addition overflow: 1 + 2147483647"),
            (add(BinaryOp::Subtract, x(&ty), number(1, &ty)), "integer subtraction overflow: -2147483648 - 1"),
        ] {
            let expected = Err(format!("NUMERIC_VALUE_OUT_OF_RANGE: {expected}"));
            assert_eq!(both(integers(), &aggregate), [expected.clone(), expected], "{aggregate}");
        }
        let bigints = || -> ArrayRef { Arc::new(Int64Array::from(vec![i64::MAX - 1, i64::MAX - 2])) };
        let expected = "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: ";
        let one = add(BinaryOp::Add, x(&Type::Bigint), number(1, &Type::Bigint));
        assert!(both(bigints(), &one).into_iter().all(|found| found.unwrap_err().starts_with(expected)));
        // The sum of the column alone would not fit.
        let less = add(BinaryOp::Subtract, x(&Type::Bigint), number(i64::MAX - 1, &Type::Bigint));
        let expected = Ok("-1: Int64".to_owned());
        assert_eq!(both(bigints(), &less), [expected.clone(), expected]);
    }

    #[test]
    fn types_that_reach_far_enough_need_no_extremes() {
        let (small, integer) = (Type::Smallint, Type::Integer);
        let of = |aggregate: &Expr, ty: &Type| MovedSum::of(aggregate, &schema(ty.to_arrow()));
        let safe = of(&add(BinaryOp::Add, x(&small), number(89, &integer)), &small).unwrap();
        let plain = of(&sum(x(&small)), &small).unwrap();
        assert!(!safe.can_overflow() && !plain.can_overflow() && safe.is_of_same_values(&plain));
        assert!(of(&add(BinaryOp::Add, x(&integer), number(89, &integer)), &integer).unwrap().can_overflow());
        assert!(of(&add(BinaryOp::Multiply, x(&small), number(2, &integer)), &small).unwrap().value != col("x"));
        assert!(of(&sum(as_type(x(&small), "decimal(10,2)")), &small).is_none());
        assert!(of(&sum(as_type(x(&small), "double")), &small).is_none());
    }
}
