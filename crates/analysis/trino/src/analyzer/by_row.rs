//! Calls over windows that an operator of ours computes, as their frames or arguments differ from row to row.
//!
//! While a SELECT is analyzed such a call is a window function of DataFusion's, so that grouping, subqueries and errors treat
//! it as any other. Its last arguments are what its frame takes from a row. When windows are computed it becomes a column of
//! the operator.

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use datafusion::common::{Column, DFSchema, Result as PlanResult};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, PartitionEvaluator, Signature, Volatility, WindowFrame, WindowFunctionDefinition,
    WindowUDF, WindowUDFImpl,
};

use super::{Analyzer, planned, project};
use crate::error::internal;
use crate::operators::{Frame, FrameFunction, FrameValue, FramedOutput, FramedWindow, Keys, Placed};

/// A call. The frame is in terms of the arguments behind the function's own.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RowCall {
    signature: Signature,
    frame: Frame<usize>,
    own: usize,
    value: FrameValue,
    ty: DataType,
}

impl WindowUDFImpl for RowCall {
    fn name(&self) -> &str {
        "row_call"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> PlanResult<Box<dyn PartitionEvaluator>> {
        datafusion::common::internal_err!("a window by row is an operator of its own")
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> PlanResult<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), self.ty.clone(), true)))
    }
}

/// What a function makes of a frame or of a row's place; none if the operator doesn't know it.
pub(super) fn frame_value(name: &str, function: &WindowFunctionDefinition, ignore_nulls: bool) -> Option<FrameValue> {
    Some(match (name, function) {
        (_, WindowFunctionDefinition::AggregateUDF(function)) => FrameValue::Aggregate(Arc::clone(function)),
        ("first_value", _) => FrameValue::First { ignore_nulls },
        ("last_value", _) => FrameValue::Last { ignore_nulls },
        ("nth_value", _) => FrameValue::Nth { ignore_nulls },
        ("lag", _) => FrameValue::Shifted { back: true, ignore_nulls },
        ("lead", _) => FrameValue::Shifted { back: false, ignore_nulls },
        ("row_number", _) => FrameValue::Placed(Placed::Row),
        ("rank", _) => FrameValue::Placed(Placed::Rank),
        ("dense_rank", _) => FrameValue::Placed(Placed::Group),
        ("percent_rank", _) => FrameValue::Placed(Placed::PartOfRanks),
        ("cume_dist", _) => FrameValue::Placed(Placed::PartOfRows),
        ("ntile", _) => FrameValue::Placed(Placed::Bucket),
        _ => return None,
    })
}

/// Whether a function has arguments that DataFusion takes only if they are the same for all rows.
pub(super) fn differs_by_row(value: &FrameValue, args: &[Expr]) -> bool {
    let is_constant = |arg: &Expr| matches!(arg, Expr::Literal(value, _) if !value.is_null());
    match (value, args) {
        (FrameValue::Nth { .. }, [_, offset]) => !is_constant(offset),
        (FrameValue::Placed(Placed::Bucket), [buckets]) => !is_constant(buckets),
        (FrameValue::Shifted { .. }, [_, distance, default @ ..]) => {
            !is_constant(distance) || default.iter().any(|default| !matches!(default, Expr::Literal(..)))
        }
        _ => false,
    }
}

/// A call as a window function.
pub(super) fn row_call(
    frame: &Frame<Expr>,
    value: FrameValue,
    mut args: Vec<Expr>,
    ty: &Type,
    Keys { partition_by, order_by }: Keys,
) -> Expr {
    let own = args.len();
    let placed = frame.map(|taken| {
        args.push(taken.clone());
        Ok::<_, Infallible>(args.len() - own - 1)
    });
    let frame = placed.unwrap_or_else(|never| match never {});
    let signature = Signature::any(args.len(), Volatility::Immutable);
    let call = RowCall { signature, frame, own, value, ty: ty.to_arrow() };
    let fun = WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(call)));
    let params = WindowFunctionParams {
        args,
        partition_by,
        order_by,
        window_frame: WindowFrame::new(None),
        filter: None,
        null_treatment: None,
        distinct: false,
    };
    Expr::WindowFunction(Box::new(WindowFunction { fun, params }))
}

/// Whether an expression is such a call.
pub(super) fn is_row_call(expr: &Expr) -> bool {
    found(expr).is_some()
}

fn found(expr: &Expr) -> Option<(&RowCall, &WindowFunctionParams)> {
    let Expr::WindowFunction(call) = expr else { return None };
    let WindowFunctionDefinition::WindowUDF(function) = &call.fun else { return None };
    let inner: &dyn Any = function.inner().as_ref();
    Some((inner.downcast_ref::<RowCall>()?, &call.params))
}

/// Whether two calls are over the same window.
fn is_same_window(one: &Expr, other: &Expr) -> bool {
    let (Some((one, own)), Some((other, others))) = (found(one), found(other)) else { return false };
    one.frame == other.frame
        && own.args[one.own..] == others.args[other.own..]
        && (&own.partition_by, &own.order_by) == (&others.partition_by, &others.order_by)
}

impl Analyzer<'_> {
    /// Computes calls, those over one window in one operator. A call comes with its values in terms of the plan's columns.
    pub(super) fn compute_by_row(
        &mut self,
        mut plan: LogicalPlan,
        calls: Vec<(Expr, Expr)>,
        named: &mut Vec<(Expr, Column)>,
    ) -> Result<LogicalPlan, TrinoError> {
        let mut left = calls;
        while let Some((_, first)) = left.first() {
            let first = first.clone();
            let (now, later) = left.into_iter().partition(|(_, call)| is_same_window(&first, call));
            left = later;
            plan = self.compute_window_by_row(plan, &first, now, named)?;
        }
        Ok(plan)
    }

    fn compute_window_by_row(
        &mut self,
        plan: LogicalPlan,
        first: &Expr,
        calls: Vec<(Expr, Expr)>,
        named: &mut Vec<(Expr, Column)>,
    ) -> Result<LogicalPlan, TrinoError> {
        let no_call = || internal("a window by row has no calls");
        let (window, params) = found(first).ok_or_else(no_call)?;
        let kept = plan.schema().columns();
        let mut columns = Columns { exprs: kept.iter().cloned().map(Expr::Column).collect() };
        let mut functions = Vec::with_capacity(calls.len());
        let mut added = Vec::with_capacity(calls.len());
        for (written, call) in &calls {
            let (call, params) = found(call).ok_or_else(no_call)?;
            let arguments = params.args[..call.own].iter().map(|arg| columns.of(self, arg)).collect();
            functions.push(FrameFunction { value: call.value.clone(), arguments });
            let column = self.fresh_column("window");
            added.push(Field::new(&column.name, call.ty.clone(), true));
            named.push((written.clone(), column));
        }
        let taken: Vec<Column> = params.args[window.own..].iter().map(|arg| columns.of(self, arg)).collect();
        let frame = window.frame.map(|place| taken.get(*place).cloned().ok_or_else(no_call))?;
        let input = project(plan, columns.exprs)?;
        let mut fields: Vec<_> =
            input.schema().iter().take(kept.len()).map(|(q, f)| (q.cloned(), Arc::clone(f))).collect();
        fields.extend(added.into_iter().map(|field| (None, Arc::new(field))));
        let schema = DFSchema::new_with_metadata(fields, Default::default()).map_err(planned)?;
        let outputs = kept.into_iter().map(FramedOutput::Input);
        let node = FramedWindow {
            input,
            keys: Keys { partition_by: params.partition_by.clone(), order_by: params.order_by.clone() },
            frame,
            outputs: outputs.chain((0..functions.len()).map(FramedOutput::Function)).collect(),
            functions,
            schema: Arc::new(schema),
        };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }
}

/// The columns that an operator of ours gets.
pub(super) struct Columns {
    pub(super) exprs: Vec<Expr>,
}

impl Columns {
    /// The column with a value.
    pub(super) fn of(&mut self, analyzer: &mut Analyzer<'_>, value: &Expr) -> Column {
        if let Expr::Column(column) = value {
            return column.clone();
        }
        let known = self.exprs.iter().find_map(|known| match known {
            Expr::Alias(alias) if *alias.expr == *value => Some(Column::new_unqualified(&alias.name)),
            _ => None,
        });
        known.unwrap_or_else(|| {
            let column = analyzer.fresh_column("taken");
            self.exprs.push(value.clone().alias(&column.name));
            column
        })
    }
}
