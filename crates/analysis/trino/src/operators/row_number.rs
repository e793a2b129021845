//! `row_number()` over sorted rows: counting on from row to row.
//!
//! DataFusion's operator keeps a state for each partition, which costs more than the sort below it where partitions have few
//! rows each, as when duplicates are looked for. Sorted rows need no more than the comparison of neighbours.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, UInt64Array, make_comparator};
use arrow::compute::{SortOptions, partition, take};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::window::{StandardWindowExpr, WindowExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PlanProperties, RecordBatchStream,
    SendableRecordBatchStream,
};
use futures::{Stream, StreamExt, ready};

/// Puts [`RowNumberExec`]s in the place of windows that do nothing but count.
#[derive(Debug)]
pub(crate) struct CountRows;

impl PhysicalOptimizerRule for CountRows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let window = plan.downcast_ref::<BoundedWindowAggExec>();
            Ok(match window.and_then(RowNumberExec::of) {
                Some(counting) => Transformed::yes(Arc::new(counting) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "CountRows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Adds columns of row numbers; they count from 1 where one of the keys changes. It takes the window's place when the plan
/// below it has been sorted and divided as the window wanted.
#[derive(Debug, Clone)]
struct RowNumberExec {
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl RowNumberExec {
    /// A window as counting, if each of its functions is `row_number()` and its rows are sorted by the keys.
    fn of(window: &BoundedWindowAggExec) -> Option<Self> {
        let counts = !window.window_expr().is_empty() && window.window_expr().iter().all(is_row_number);
        if !counts || !matches!(window.input_order_mode, InputOrderMode::Sorted) {
            return None;
        }
        Some(Self {
            input: Arc::clone(window.input()),
            keys: window.window_expr().first()?.partition_by().to_vec(),
            schema: window.schema(),
            properties: Arc::clone(window.properties()),
        })
    }
}

fn is_row_number(expr: &Arc<dyn WindowExpr>) -> bool {
    let standard = expr.as_any().downcast_ref::<StandardWindowExpr>();
    let function = standard.and_then(|expr| expr.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>());
    let counted = expr.field().is_ok_and(|field| field.data_type() == &DataType::Int64);
    counted && function.is_some_and(|function| function.fun().name() == "row_number")
}

impl DisplayAs for RowNumberExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        write!(f, "RowNumberExec: keys=[{}]", keys.join(", "))
    }
}

impl ExecutionPlan for RowNumberExec {
    fn name(&self) -> &str {
        "RowNumberExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    one_input!();

    fn apply_expressions(
        &self,
        each: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for key in &self.keys {
            if each(key)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, index: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(index, context)?;
        let (keys, schema) = (self.keys.clone(), Arc::clone(&self.schema));
        Ok(Box::pin(Counting { input, keys, schema, last: None }))
    }
}

struct Counting {
    input: SendableRecordBatchStream,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
    /// The last row's keys, and its number.
    last: Option<(Vec<ArrayRef>, i64)>,
}

impl Counting {
    fn counted(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let evaluate = |key: &Arc<dyn PhysicalExpr>| key.evaluate(batch)?.into_array(rows);
        let keys: Vec<ArrayRef> = self.keys.iter().map(evaluate).collect::<Result<_>>()?;
        let ranges = match keys.is_empty() {
            true => std::iter::once(0..rows).collect(),
            false => partition(&keys)?.ranges(),
        };
        let mut number = match &self.last {
            Some((last, number)) if is_same(last, &keys)? => *number,
            _ => 0,
        };
        let mut numbers = Vec::with_capacity(rows);
        for range in ranges {
            numbers.extend((number + 1..).take(range.len()));
            number = 0;
        }
        if let Some(number) = numbers.last() {
            // Copied, so that one row does not keep its batch in memory.
            let row = UInt64Array::from(vec![rows as u64 - 1]);
            let own = keys.iter().map(|key| Ok(take(key, &row, None)?)).collect::<Result<_>>()?;
            self.last = Some((own, *number));
        }
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers));
        let added = self.schema.fields().len() - batch.num_columns();
        let columns = batch.columns().iter().cloned().chain(std::iter::repeat_n(numbers, added)).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// Whether the only row of some keys equals the first row of others; NULLs are equal.
pub(super) fn is_same(last: &[ArrayRef], keys: &[ArrayRef]) -> Result<bool> {
    if last.len() != keys.len() {
        return internal_err!("the keys of two batches differ in number");
    }
    for (last, key) in last.iter().zip(keys) {
        if key.is_empty() || make_comparator(last, key, SortOptions::default())?(0, 0).is_ne() {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Stream for Counting {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.input.poll_next_unpin(context)) {
            Some(Ok(batch)) => Some(self.counted(&batch)),
            end => end,
        })
    }
}

impl RecordBatchStream for Counting {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
