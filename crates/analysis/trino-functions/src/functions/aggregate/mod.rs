//! Aggregates. DataFusion's own accumulators where they mean the same on explicitly cast arguments; ours where types,
//! overflow or rounding differ.

mod checksum;
mod chunks;
mod distinct;
mod extreme;
mod fold;
mod frequent;
mod geometry;
mod moments;
mod moved;
mod several;
mod sketches;
mod sum;
mod wrapped;

pub(crate) use distinct::distinct;
pub use moved::MovedSum;
pub(crate) use wrapped::named;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DurationMillisecondType, Float32Type, Float64Type, Int64Type, IntervalYearMonthType};
use datafusion::functions_aggregate::{
    array_agg, average, bool_and_or, correlation, count, covariance, min_max, regr, stddev, sum as native_sum, variance,
};
use datafusion::logical_expr::{AggregateUDF, lit, when};

use super::{AggregatePlan, Table};
use crate::Typed;
use crate::error::TrinoError;
use crate::kernel::{Bound, Call};
use crate::types::Type;

type Plan = Result<AggregatePlan, TrinoError>;

pub(crate) fn register(table: &mut Table) {
    counts(table);
    sums(table);
    statistics(table);
    let min = "The least value that isn't NULL.";
    table.aggregate("min(T) -> T where T:orderable", min, |args, _| plain(min_max::min_udaf(), args));
    let max = "The greatest value that isn't NULL.";
    table.aggregate("max(T) -> T where T:orderable", max, |args, _| plain(min_max::max_udaf(), numbers_first(args)));
    extreme::register(table);
    several::register(table);
    checksum::register(table);
    frequent::register(table);
    geometry::register(table);
    moments::register(table);
    sketches::register(table);
    table.aggregate("bool_and(boolean) -> boolean", "Whether all values are true.", |args, _| {
        plain(bool_and_or::bool_and_udaf(), args)
    });
    table.alias("every", "bool_and");
    table.aggregate("bool_or(boolean) -> boolean", "Whether any value is true.", |args, _| {
        plain(bool_and_or::bool_or_udaf(), args)
    });
    table.aggregate("array_agg(T) -> array(T)", "All values, NULLs too, in the given order.", |args, _| {
        let mut plan = plain(array_agg::array_agg_udaf(), args)?;
        plan.ordered = true;
        Ok(plan)
    });
    wrapped::register(table);
    let reduce = "One value from all that aren't NULL, by a function of a state and a value, and one of two states.";
    // The analyzer writes it as `reduce` of `array_agg`.
    table.aggregate("reduce_agg(T, S, function(S, T, S), function(S, S, S)) -> S", reduce, |_, _| {
        Err(TrinoError::internal("reduce_agg is written as reduce"))
    });
}

fn counts(table: &mut Table) {
    let rows = "The number of rows.";
    table.aggregate("count() -> bigint", rows, |_, _| plain(count::count_udaf(), vec![(lit(1_i64), Type::Bigint)]));
    let values = "The number of values that aren't NULL.";
    table.aggregate("count(any) -> bigint", values, |args, _| plain(count::count_udaf(), args));
    table.aggregate("count_if(boolean) -> bigint", "The number of values that are true.", |args, _| {
        let counted = args.into_iter().map(|(expr, _)| Ok((when(expr, lit(1_i64)).end()?, Type::Bigint)));
        plain(count::count_udaf(), counted.collect::<Result<_, TrinoError>>()?)
    });
}

fn sums(table: &mut Table) {
    let sum = "The sum of the values.";
    table.aggregate("sum(double) -> double", sum, |args, _| plain(native_sum::sum_udaf(), args));
    table.aggregate("sum(real) -> real", sum, |args, result| {
        wrapped::retyped(native_sum::sum_udaf(), doubles(args)?, result)
    });
    table.aggregate("sum(bigint) -> bigint", sum, sum::sum);
    for signature in [
        "sum(interval day to second) -> interval day to second",
        "sum(interval year to month) -> interval year to month",
    ] {
        table.aggregate(signature, sum, |args, result| {
            let whole = sum::sum(numbers_of_intervals(args), &Type::Bigint)?;
            Ok(wrapped::interval(whole, result))
        });
    }
    table.aggregate("sum(decimal(p, s)) -> decimal(38, s)", sum, sum::sum);
    let avg = "The average of the values.";
    table.aggregate("avg(bigint) -> double", avg, |args, _| plain(average::avg_udaf(), doubles(args)?));
    table.aggregate("avg(double) -> double", avg, |args, _| plain(average::avg_udaf(), args));
    table.aggregate("avg(real) -> real", avg, |args, result| {
        wrapped::retyped(average::avg_udaf(), doubles(args)?, result)
    });
    for signature in [
        "avg(interval day to second) -> interval day to second",
        "avg(interval year to month) -> interval year to month",
    ] {
        table.aggregate(signature, avg, |args, result| {
            let whole = plain(average::avg_udaf(), doubles(numbers_of_intervals(args))?)?;
            Ok(wrapped::interval(whole, result))
        });
    }
    table.aggregate("avg(decimal(p, s)) -> decimal(p, s)", avg, sum::average);
}

/// Intervals as bigints of their milliseconds or months.
fn numbers_of_intervals(args: Vec<Typed>) -> Vec<Typed> {
    let number = |(expr, ty): Typed| {
        let number = Bound::operator("number_of_interval", number_of_interval, vec![ty], Type::Bigint);
        (number.call(vec![expr]), Type::Bigint)
    };
    args.into_iter().map(number).collect()
}

fn doubles(args: Vec<Typed>) -> Result<Vec<Typed>, TrinoError> {
    args.into_iter().map(|value| crate::cast::cast(value, &Type::Double)).collect()
}

fn statistics(table: &mut Table) {
    table.aggregate("stddev_samp(double) -> double", "The standard deviation of a sample.", |args, _| {
        plain(stddev::stddev_udaf(), args)
    });
    table.alias("stddev", "stddev_samp");
    table.aggregate("stddev_pop(double) -> double", "The standard deviation of the whole population.", |args, _| {
        plain(stddev::stddev_pop_udaf(), args)
    });
    table.aggregate("var_samp(double) -> double", "The variance of a sample.", |args, _| {
        plain(variance::var_samp_udaf(), args)
    });
    table.alias("variance", "var_samp");
    table.aggregate("var_pop(double) -> double", "The variance of the whole population.", |args, _| {
        plain(variance::var_pop_udaf(), args)
    });
    table.aggregate("corr(double, double) -> double", "The correlation of two values.", |args, _| {
        plain(correlation::corr_udaf(), args)
    });
    table.aggregate("covar_samp(double, double) -> double", "The covariance of a sample.", |args, _| {
        plain(covariance::covar_samp_udaf(), args)
    });
    table.aggregate("covar_pop(double, double) -> double", "The covariance of the population.", |args, _| {
        plain(covariance::covar_pop_udaf(), args)
    });
    table.aggregate("regr_slope(double, double) -> double", "The slope of the regression line.", |args, _| {
        plain(regr::regr_slope_udaf(), args)
    });
    let intercept = "Where the regression line cuts the axis.";
    table.aggregate("regr_intercept(double, double) -> double", intercept, |args, _| {
        plain(regr::regr_intercept_udaf(), args)
    });
    reals(table);
}

/// The same of reals: computed with doubles.
fn reals(table: &mut Table) {
    let describe = "The same of reals.";
    macro_rules! of_reals {
        ($($signature:literal => $function:expr),+ $(,)?) => {
            $(table.aggregate($signature, describe, |args, result| wrapped::retyped($function, doubles(args)?, result));)+
        };
    }
    of_reals! {
        "corr(real, real) -> real" => correlation::corr_udaf(),
        "covar_samp(real, real) -> real" => covariance::covar_samp_udaf(),
        "covar_pop(real, real) -> real" => covariance::covar_pop_udaf(),
        "regr_slope(real, real) -> real" => regr::regr_slope_udaf(),
        "regr_intercept(real, real) -> real" => regr::regr_intercept_udaf(),
    }
}

/// An aggregate of DataFusion's as it is.
fn number_of_interval(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    Ok(match call.types[0] {
        Type::IntervalYearMonth => {
            Arc::new(array.as_primitive::<IntervalYearMonthType>().unary::<_, Int64Type>(i64::from))
        }
        _ => Arc::new(array.as_primitive::<DurationMillisecondType>().unary::<_, Int64Type>(|millis| millis)),
    })
}

/// The greatest value is NaN only where there is nothing else, so that NaN takes part as the least number that there is.
fn numbers_first(args: Vec<Typed>) -> Vec<Typed> {
    let floating = |ty: &Type| matches!(ty, Type::Real | Type::Double);
    let first = |(expr, ty): Typed| match floating(&ty) {
        true => Bound::operator("nan_first", nan_first, vec![ty.clone()], ty.clone()).call(vec![expr]),
        false => expr,
    };
    args.into_iter().map(|value| (first(value.clone()), value.1)).collect()
}

fn nan_first(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let array = call.array(0)?;
    Ok(match call.result {
        Type::Real => {
            let least = |value: f32| if value.is_nan() { -f32::NAN } else { value };
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(least))
        }
        _ => {
            let least = |value: f64| if value.is_nan() { -f64::NAN } else { value };
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(least))
        }
    })
}

fn plain(function: Arc<AggregateUDF>, args: Vec<Typed>) -> Plan {
    Ok(AggregatePlan { function, args: args.into_iter().map(|(expr, _)| expr).collect(), ordered: false })
}

#[cfg(test)]
mod more_tests;
#[cfg(test)]
mod tests;
