//! Aggregates. DataFusion's own accumulators where they mean the same on explicitly cast arguments; ours where types,
//! overflow or rounding differ.

mod extreme;
mod sum;
mod wrapped;

use std::sync::Arc;

use datafusion::functions_aggregate::{
    approx_distinct, approx_percentile_cont, array_agg, average, bool_and_or, correlation, count, covariance, min_max,
    regr, stddev, sum as native_sum, variance,
};
use datafusion::logical_expr::{AggregateUDF, lit, when};

use super::{AggregatePlan, Table};
use crate::Typed;
use crate::error::TrinoError;
use crate::types::Type;

type Plan = Result<AggregatePlan, TrinoError>;

pub(crate) fn register(table: &mut Table) {
    counts(table);
    sums(table);
    statistics(table);
    let min = "The least value that isn't NULL.";
    table.aggregate("min(T) -> T where T:orderable", min, |args, _| plain(min_max::min_udaf(), args));
    let max = "The greatest value that isn't NULL.";
    table.aggregate("max(T) -> T where T:orderable", max, |args, _| plain(min_max::max_udaf(), args));
    extreme::register(table);
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
    let description = "About how many different values there are.";
    table.aggregate("approx_distinct(T) -> bigint where T:comparable", description, approximate_count);
    table.aggregate("approx_distinct(T, double) -> bigint where T:comparable", description, approximate_count);
}

fn approximate_count(mut args: Vec<Typed>, result: &Type) -> Plan {
    // The wanted standard error only says how coarse it may be.
    args.truncate(1);
    wrapped::retyped(approx_distinct::approx_distinct_udaf(), args, result)
}

fn sums(table: &mut Table) {
    let sum = "The sum of the values.";
    table.aggregate("sum(bigint) -> bigint", sum, sum::sum);
    table.aggregate("sum(decimal(p, s)) -> decimal(38, s)", sum, sum::sum);
    table.aggregate("sum(double) -> double", sum, |args, _| plain(native_sum::sum_udaf(), args));
    table.aggregate("sum(real) -> real", sum, |args, result| {
        wrapped::retyped(native_sum::sum_udaf(), doubles(args)?, result)
    });
    let avg = "The average of the values.";
    table.aggregate("avg(double) -> double", avg, |args, _| plain(average::avg_udaf(), args));
    table.aggregate("avg(bigint) -> double", avg, |args, _| plain(average::avg_udaf(), doubles(args)?));
    table.aggregate("avg(real) -> real", avg, |args, result| {
        wrapped::retyped(average::avg_udaf(), doubles(args)?, result)
    });
    table.aggregate("avg(decimal(p, s)) -> decimal(p, s)", avg, sum::average);
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
    let percentile = "About the value below which this part of the values lies.";
    table.aggregate("approx_percentile(double, double) -> double", percentile, percentile_of);
    table.aggregate("approx_percentile(bigint, double) -> bigint", percentile, percentile_of);
    table.aggregate("approx_percentile(real, double) -> real", percentile, percentile_of);
}

fn percentile_of(args: Vec<Typed>, result: &Type) -> Plan {
    wrapped::rounded(approx_percentile_cont::approx_percentile_cont_udaf(), doubles(args)?, result)
}

/// An aggregate of DataFusion's as it is.
fn plain(function: Arc<AggregateUDF>, args: Vec<Typed>) -> Plan {
    Ok(AggregatePlan { function, args: args.into_iter().map(|(expr, _)| expr).collect(), ordered: false })
}

#[cfg(test)]
mod tests;
