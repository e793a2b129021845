//! Window functions: DataFusion's, with their unsigned numbers as Trino's bigints.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_window::{cume_dist, lead_lag, nth_value, ntile, rank, row_number};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{
    Expr, PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition, WindowUDF, WindowUDFImpl, lit,
};

use super::Table;
use crate::Typed;
use crate::error::TrinoError;
use crate::kernel::any_arguments;
use crate::types::Type;

type Plan = std::result::Result<(WindowFunctionDefinition, Vec<Expr>), TrinoError>;

pub(crate) fn register(table: &mut Table) {
    table.window("row_number() -> bigint", "The row's number in its partition.", |args, _| {
        numbered(row_number::row_number_udwf(), args)
    });
    table.window("rank() -> bigint", "The row's rank, with gaps after peers.", |args, _| {
        numbered(rank::rank_udwf(), args)
    });
    table.window("dense_rank() -> bigint", "The row's rank, without gaps.", |args, _| {
        numbered(rank::dense_rank_udwf(), args)
    });
    table.window("ntile(bigint) -> bigint", "The row's bucket of so many equal ones.", |args, _| {
        at_least(1, &args, 0, "Buckets must be greater than 0")?;
        numbered(ntile::ntile_udwf(), args)
    });
    table.window("percent_rank() -> double", "The row's rank as a part of one.", |args, _| {
        plain(rank::percent_rank_udwf(), args)
    });
    table.window("cume_dist() -> double", "The part of the rows up to this row's peers.", |args, _| {
        plain(cume_dist::cume_dist_udwf(), args)
    });
    table.window("first_value(T) -> T", "The frame's first value.", |args, _| {
        plain(nth_value::first_value_udwf(), args)
    });
    table.window("last_value(T) -> T", "The frame's last value.", |args, _| plain(nth_value::last_value_udwf(), args));
    table.window("nth_value(T, bigint) -> T", "The frame's n-th value.", |args, _| {
        at_least(1, &args, 1, "Offset must be at least 1")?;
        plain(nth_value::nth_value_udwf(), args)
    });
    for signature in ["lag(T) -> T", "lag(T, bigint) -> T", "lag(T, bigint, T) -> T"] {
        table.window(signature, "The value of a row before.", |args, _| plain(lead_lag::lag_udwf(), shifted(args)?));
    }
    for signature in ["lead(T) -> T", "lead(T, bigint) -> T", "lead(T, bigint, T) -> T"] {
        table.window(signature, "The value of a row after.", |args, _| plain(lead_lag::lead_udwf(), shifted(args)?));
    }
}

/// Without an offset it is the next row.
fn shifted(mut args: Vec<Typed>) -> Result<Vec<Typed>, TrinoError> {
    if args.len() == 1 {
        args.push((lit(1_i64), Type::Bigint));
    }
    at_least(0, &args, 1, "Offset must be at least 0")?;
    Ok(args)
}

/// Refuses a constant that is too small.
fn at_least(least: i64, args: &[Typed], index: usize, message: &str) -> Result<(), TrinoError> {
    match args.get(index) {
        Some((Expr::Literal(ScalarValue::Int64(Some(value)), _), _)) if *value < least => {
            Err(TrinoError::invalid(message))
        }
        _ => Ok(()),
    }
}

fn plain(function: Arc<WindowUDF>, args: Vec<Typed>) -> Plan {
    let args = args.into_iter().map(|(expr, _)| expr).collect();
    Ok((WindowFunctionDefinition::WindowUDF(function), args))
}

fn numbered(inner: Arc<WindowUDF>, args: Vec<Typed>) -> Plan {
    let signature = any_arguments(args.len(), Volatility::Immutable);
    plain(Arc::new(WindowUDF::new_from_impl(Numbered { inner, signature })), args)
}

/// A function whose unsigned numbers become bigints.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Numbered {
    inner: Arc<WindowUDF>,
    signature: Signature,
}

impl WindowUDFImpl for Numbered {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Signed(self.inner.partition_evaluator_factory(args)?)))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, false)))
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.inner.sort_options()
    }
}

#[derive(Debug)]
struct Signed(Box<dyn PartitionEvaluator>);

impl PartitionEvaluator for Signed {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.0.memoize(state)
    }

    fn get_range(&self, index: usize, rows: usize) -> Result<Range<usize>> {
        self.0.get_range(index, rows)
    }

    fn is_causal(&self) -> bool {
        self.0.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        Ok(cast(&self.0.evaluate_all(values, rows)?, &DataType::Int64)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.0.evaluate(values, range)?.cast_to(&DataType::Int64)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        Ok(cast(&self.0.evaluate_all_with_rank(rows, ranks)?, &DataType::Int64)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.0.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.0.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.0.include_rank()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, RecordBatch};
    use datafusion::logical_expr::expr::WindowFunction;
    use datafusion::logical_expr::{ExprFunctionExt, WindowFrame, WindowFrameBound, WindowFrameUnits, col};
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::types::format::write_value;
    use crate::window;

    fn over(name: &str, args: Vec<Typed>) -> String {
        over_frame(name, args, WindowFrame::new(Some(false)))
    }

    fn over_frame(name: &str, args: Vec<Typed>, frame: WindowFrame) -> String {
        let values: ArrayRef = Arc::new(Int64Array::from(vec![30, 10, 10, 20]));
        let input = RecordBatch::try_from_iter([("n", values)]).unwrap();
        let (function, args, ty) = window(name, args, false).unwrap();
        let call = Expr::WindowFunction(Box::new(WindowFunction::new(function, args)));
        let call = call.order_by(vec![col("n").sort(true, false)]).window_frame(frame).build().unwrap();
        let rows = SessionContext::new().read_batch(input).unwrap();
        let rows = rows.window(vec![call.alias("w")]).unwrap().sort(vec![col("n").sort(true, false)]).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let result = runtime.block_on(rows.select_columns(&["w"]).unwrap().collect()).unwrap();
        let batch = arrow::compute::concat_batches(&result[0].schema(), &result).unwrap();
        let array = batch.column(0);
        assert_eq!(array.data_type(), &ty.to_arrow(), "{name}");
        let texts = (0..array.len()).map(|row| {
            let mut text = String::new();
            write_value(&mut text, array, row, &ty);
            text
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn windows_have_trinos_types() {
        let n = || (col("n"), Type::Bigint);
        assert_eq!(over("row_number", vec![]), "1 2 3 4");
        assert_eq!(over("rank", vec![]), "1 1 3 4");
        assert_eq!(over("dense_rank", vec![]), "1 1 2 3");
        assert_eq!(over("ntile", vec![(lit(2_i64), Type::Bigint)]), "1 1 2 2");
        assert_eq!(over("cume_dist", vec![]), "0.5 0.5 0.75 1.0");
        assert_eq!(over("lag", vec![n()]), "null 10 10 20");
        assert_eq!(over("lead", vec![n(), (lit(2_i32), Type::Integer), (lit(0_i32), Type::Integer)]), "20 30 0 0");
        assert_eq!(over("first_value", vec![n()]), "10 10 10 10");
        assert_eq!(over("sum", vec![n()]), "20 20 40 70");
        assert_eq!(over("max_by", vec![n(), n()]), "10 10 20 30");
    }

    #[test]
    fn frames_that_move_are_computed_anew() {
        let frame = WindowFrame::new_bounds(
            WindowFrameUnits::Rows,
            WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))),
            WindowFrameBound::CurrentRow,
        );
        let n = || (col("n"), Type::Bigint);
        assert_eq!(over_frame("array_agg", vec![n()], frame.clone()), "[10] [10, 10] [10, 20] [20, 30]");
        assert_eq!(over_frame("min_by", vec![n(), n()], frame.clone()), "10 10 10 20");
        assert_eq!(over_frame("sum", vec![n()], frame), "10 20 30 50");
    }

    #[test]
    fn only_some_ignore_nulls() {
        assert!(window("lag", vec![(col("n"), Type::Bigint)], true).is_ok());
        let error = window("rank", vec![], true).unwrap_err();
        assert_eq!(
            error.to_string(),
            "NULL_TREATMENT_NOT_ALLOWED: Cannot specify null treatment clause for rank function"
        );
        assert!(window("length", vec![], false).is_err());
    }
}
