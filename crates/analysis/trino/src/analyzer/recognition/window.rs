//! Windows whose frames are reduced to the match of a pattern: measures and functions over them.
//!
//! While a SELECT is analyzed such a call is a window function of DataFusion's, so that grouping, subqueries and errors treat
//! it as any other. Its arguments are all that it takes from a row. When windows are computed it becomes a column of an
//! operator of our own.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, FieldRef};
use boathouse_trino_functions::Typed;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{self, FrameBound, FrameUnit, PatternSearch};
use datafusion::common::{Column, DFSchema, Result as PlanResult};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, PartitionEvaluator, Signature, Volatility, WindowFrame, WindowFunctionDefinition,
    WindowUDF, WindowUDFImpl,
};

use super::calls::nested_window;
use super::scope::Clause;
use super::variables::{Allowed, Variables, label};
use super::{Analyzer, Matched, Scope, planned};
use crate::analyzer::by_row::Columns;
use crate::analyzer::{CallKind, project};
use crate::error::internal;
use crate::operators::{
    Formulas, FrameEnd, FrameFunction, FrameValue, Framing, Goal, Keys, MatchRecognize, Output, Program, Skip, Slot,
};

/// A window that recognises a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::analyzer) struct PatternWindow {
    program: Program,
    names: Vec<String>,
    define: Vec<Option<Formulas>>,
    measures: Formulas,
    skip: Skip,
    seeks: bool,
    end: End,
    /// The columns that conditions and measures look at. A call's last arguments are their values.
    columns: Vec<Column>,
}

/// Where frames end; the distance is an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum End {
    CurrentRow,
    Following,
    Unbounded,
}

/// A call over a window that recognises.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PatternCall {
    signature: Signature,
    window: Arc<PatternWindow>,
    value: CallValue,
    ty: DataType,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum CallValue {
    /// A measure, by its place.
    Measure(usize),
    /// A function over the rows of the match.
    Function(FrameValue),
}

impl WindowUDFImpl for PatternCall {
    fn name(&self) -> &str {
        "pattern_call"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> PlanResult<Box<dyn PartitionEvaluator>> {
        datafusion::common::internal_err!("a window that recognises is an operator of its own")
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> PlanResult<FieldRef> {
        Ok(Arc::new(ArrowField::new(args.name(), self.ty.clone(), true)))
    }
}

/// A window with what its pattern takes from each row.
pub(in crate::analyzer) struct Recognising {
    window: Arc<PatternWindow>,
    /// The frame's end if it is a distance, then the values of the columns.
    args: Vec<Expr>,
    /// The measures' types.
    types: Vec<Type>,
}

impl Recognising {
    fn call(&self, value: CallValue, args: Vec<Expr>, ty: &Type, Keys { partition_by, order_by }: Keys) -> Expr {
        let args: Vec<Expr> = args.into_iter().chain(self.args.iter().cloned()).collect();
        let signature = Signature::any(args.len(), Volatility::Immutable);
        let call = PatternCall { signature, window: Arc::clone(&self.window), value, ty: ty.to_arrow() };
        let fun = WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(call)));
        let window_frame = WindowFrame::new(None);
        let params = WindowFunctionParams {
            args,
            partition_by,
            order_by,
            window_frame,
            filter: None,
            null_treatment: None,
            distinct: false,
        };
        Expr::WindowFunction(Box::new(WindowFunction { fun, params }))
    }

    /// A function over the rows of the match.
    pub(in crate::analyzer) fn function(&self, value: FrameValue, args: Vec<Expr>, ty: &Type, keys: Keys) -> Expr {
        self.call(CallValue::Function(value), args, ty, keys)
    }
}

/// Whether an expression is a call over a window that recognises.
pub(in crate::analyzer) fn is_pattern_call(expr: &Expr) -> bool {
    pattern_call(expr).is_some()
}

fn pattern_call(expr: &Expr) -> Option<(&PatternCall, &WindowFunctionParams)> {
    let Expr::WindowFunction(call) = expr else { return None };
    let WindowFunctionDefinition::WindowUDF(function) = &call.fun else { return None };
    let inner: &dyn Any = function.inner().as_ref();
    let pattern = inner.downcast_ref::<PatternCall>()?;
    Some((pattern, &call.params))
}

impl Analyzer<'_> {
    /// What a window's frame says of a pattern; none if it recognises nothing.
    pub(in crate::analyzer) fn recognising(
        &mut self,
        window: &ast::Window,
        scope: &Scope<'_>,
    ) -> Result<Option<Recognising>, TrinoError> {
        let Some(frame) = &window.frame else { return Ok(None) };
        let Some(recognition) = frame.recognition.as_deref() else { return Ok(None) };
        let Some(pattern) = &recognition.pattern else { return Err(without_pattern(frame, recognition)) };
        let invalid = |code, message: &str| Err(TrinoError::at(frame.pos.0, code, message));
        if recognition.define.is_empty() {
            return invalid(ErrorCode::MissingVariableDefinitions, "Pattern recognition requires DEFINE clause");
        }
        if frame.unit != FrameUnit::Rows {
            return invalid(ErrorCode::InvalidWindowFrame, "Pattern recognition requires ROWS frame type");
        }
        let (FrameBound::CurrentRow, Some(end)) = (&frame.start, &frame.end) else {
            let message = "Pattern recognition requires frame specified as BETWEEN CURRENT ROW AND ...";
            return invalid(ErrorCode::InvalidWindowFrame, message);
        };
        let variables = Variables::new(pattern, &recognition.subsets)?;
        let skip = variables.skip(recognition.skip.as_ref().map_or(&ast::SkipTo::PastLastRow, |(_, skip)| skip))?;
        let fields = scope.fields();
        let around = scope.around();
        let matched = Matched { variables: &variables, fields, around, computed: RefCell::default(), in_window: true };
        let define = self.conditions(&recognition.define, &matched)?;
        let program = variables.program(pattern, Allowed { anchors: false, exclusions: true })?;
        let slots = RefCell::default();
        let measures = recognition.measures.iter();
        let measures = measures.map(|(value, _)| self.in_match(value, &matched, &slots, Clause::Measures));
        let (exprs, types) = measures.collect::<Result<Vec<Typed>, _>>()?.into_iter().unzip();
        let measures = Formulas { slots: slots.into_inner(), exprs };
        let computed = matched.computed.into_inner();
        let mut columns: Vec<Column> = Vec::new();
        for column in define.iter().flatten().chain([&measures]).flat_map(Formulas::columns) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        let value = |column: &Column| match computed.iter().find(|(_, known)| known == column) {
            Some((value, _)) => value.clone(),
            None => Expr::Column(column.clone()),
        };
        let (end, distance) = match end {
            FrameBound::CurrentRow => (End::CurrentRow, None),
            FrameBound::Following(distance) => (End::Following, Some(self.distance(distance, ("ROWS", "end"), scope)?)),
            _ => (End::Unbounded, None),
        };
        let args = distance.into_iter().chain(columns.iter().map(value)).collect();
        let seeks = matches!(recognition.search, Some((_, PatternSearch::Seek)));
        let names = variables.names;
        let window = PatternWindow { program, names, define, measures, skip, seeks, end, columns };
        Ok(Some(Recognising { window: Arc::new(window), args, types }))
    }

    /// `measure OVER window`
    pub(in crate::analyzer) fn window_measure(
        &mut self,
        expr: &ast::Expr,
        name: &ast::Ident,
        over: &ast::Over,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        if let Some(pattern) = scope.matched() {
            return Err(nested_window(expr.pos, pattern));
        }
        let window = self.window_specification(Some(over), expr.pos)?;
        let before = self.calls.len();
        let keys = self.window_keys(&window, scope)?;
        let recognising = self.recognising(&window, scope)?;
        self.refuse_windows_within(before, expr)?;
        let unknown = || {
            let message = format!("Measure {} is not defined in the corresponding window", name.value);
            TrinoError::at(expr.pos, ErrorCode::InvalidWindowMeasure, message)
        };
        let recognising = recognising.ok_or_else(unknown)?;
        let measures = window.frame.iter().filter_map(|frame| frame.recognition.as_ref()).flat_map(|all| &all.measures);
        let wanted = label(name);
        let mut found = measures.enumerate().filter(|(_, (_, measure))| label(measure) == wanted);
        let (index, _) = found.next().ok_or_else(unknown)?;
        if found.next().is_some() {
            let message = format!("Measure {} is defined more than once", name.value);
            return Err(TrinoError::at(expr.pos, ErrorCode::AmbiguousName, message));
        }
        let ty = recognising.types.get(index).ok_or_else(|| internal("a measure has no type"))?;
        self.called(CallKind::Window, expr);
        Ok((recognising.call(CallValue::Measure(index), Vec::new(), ty, keys), ty.clone()))
    }

    /// Computes calls over windows that recognise, each window in an operator of its own. A call comes with its values in
    /// terms of the plan's columns.
    pub(in crate::analyzer) fn compute_patterns(
        &mut self,
        mut plan: LogicalPlan,
        calls: Vec<(Expr, Expr)>,
    ) -> Result<(LogicalPlan, Vec<(Expr, Column)>), TrinoError> {
        let mut named = Vec::new();
        let mut left = calls;
        while let Some((_, first)) = left.first() {
            let first = first.clone();
            let (now, later) = left.into_iter().partition(|(_, call)| is_same_window(&first, call));
            left = later;
            plan = self.compute_pattern(plan, now, &mut named)?;
        }
        Ok((plan, named))
    }

    /// Computes calls over one window.
    fn compute_pattern(
        &mut self,
        plan: LogicalPlan,
        calls: Vec<(Expr, Expr)>,
        named: &mut Vec<(Expr, Column)>,
    ) -> Result<LogicalPlan, TrinoError> {
        let no_call = || internal("a window that recognises has no calls");
        let (_, first) = calls.first().ok_or_else(no_call)?;
        let (pattern, params) = pattern_call(first).ok_or_else(no_call)?;
        let (window, params) = (Arc::clone(&pattern.window), params.clone());
        let kept = plan.schema().columns();
        let mut columns = Columns { exprs: kept.iter().cloned().map(Expr::Column).collect() };
        let (mut measures, mut functions, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for (written, call) in &calls {
            let (pattern, params) = pattern_call(call).ok_or_else(no_call)?;
            let own = params.args.len() - window.taken();
            let output = match &pattern.value {
                CallValue::Measure(index) => {
                    measures.push(*index);
                    Output::Measure(measures.len() - 1)
                }
                CallValue::Function(value) => {
                    let arguments = params.args[..own].iter().map(|arg| columns.of(self, arg)).collect();
                    functions.push(FrameFunction { value: value.clone(), arguments });
                    Output::Function(functions.len() - 1)
                }
            };
            let column = self.fresh_column("window");
            added.push((output, column.clone(), pattern.ty.clone()));
            named.push((written.clone(), column));
        }
        let taken: Vec<Column> =
            params.args[params.args.len() - window.taken()..].iter().map(|arg| columns.of(self, arg)).collect();
        let (end, taken) = match window.end {
            End::CurrentRow => (FrameEnd::CurrentRow, &taken[..]),
            End::Unbounded => (FrameEnd::Unbounded, &taken[..]),
            End::Following => (FrameEnd::Following(taken[0].clone()), &taken[1..]),
        };
        let known = |column: &Column| {
            let place = window.columns.iter().position(|known| known == column);
            place.map_or_else(|| column.clone(), |place| taken[place].clone())
        };
        let measures = only(&window.measures, &measures);
        let input = project(plan, columns.exprs)?;
        let mut outputs: Vec<Output> = kept.iter().cloned().map(Output::Input).collect();
        let mut fields: Vec<_> =
            input.schema().iter().take(kept.len()).map(|(q, f)| (q.cloned(), Arc::clone(f))).collect();
        for (output, column, ty) in added {
            outputs.push(output);
            fields.push((None, Arc::new(ArrowField::new(&column.name, ty, true))));
        }
        let schema = DFSchema::new_with_metadata(fields, Default::default()).map_err(planned)?;
        let node = MatchRecognize {
            input,
            keys: Keys { partition_by: params.partition_by, order_by: params.order_by },
            program: window.program.clone(),
            names: window.names.clone(),
            define: window.define.iter().map(|one| one.as_ref().map(|one| one.renamed(&known))).collect(),
            measures: measures.renamed(&known),
            goal: Goal::Frames(Framing { end, seeks: window.seeks, functions }),
            skip: window.skip.clone(),
            outputs,
            schema: Arc::new(schema),
        };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }
}

impl PatternWindow {
    /// How many of a call's arguments are the window's.
    fn taken(&self) -> usize {
        self.columns.len() + usize::from(self.end == End::Following)
    }
}

/// Whether two calls are over the same window.
fn is_same_window(one: &Expr, other: &Expr) -> bool {
    let (Some((one, own)), Some((other, others))) = (pattern_call(one), pattern_call(other)) else { return false };
    let taken = |params: &WindowFunctionParams| params.args[params.args.len() - one.window.taken()..].to_vec();
    one.window == other.window
        && (&own.partition_by, &own.order_by) == (&others.partition_by, &others.order_by)
        && taken(own) == taken(others)
}

/// Some of the expressions, with what they need.
fn only(formulas: &Formulas, places: &[usize]) -> Formulas {
    let exprs: Vec<Expr> = places.iter().filter_map(|place| formulas.exprs.get(*place).cloned()).collect();
    let needed =
        |slot: &&Slot| exprs.iter().any(|expr| expr.column_refs().iter().any(|column| column.name == slot.name));
    let slots = formulas.slots.iter().filter(needed).cloned().collect();
    Formulas { slots, exprs }
}

/// What may not stand without a pattern.
fn without_pattern(frame: &ast::Frame, recognition: &ast::FramePattern) -> TrinoError {
    let skip = recognition.skip.as_ref().map(|(mark, _)| mark.0);
    let search = recognition.search.map(|(mark, _)| mark.0);
    let seeks = matches!(recognition.search, Some((_, PatternSearch::Seek)));
    let clauses = [
        ((!recognition.measures.is_empty()).then_some(frame.pos.0), "Row pattern measures require"),
        (skip, "AFTER MATCH SKIP clause requires"),
        (search, if seeks { "SEEK modifier requires" } else { "INITIAL modifier requires" }),
        (recognition.subsets.first().map(|(name, _)| name.pos), "Union variable definitions require"),
        (recognition.define.first().map(|(name, _)| name.pos), "Primary pattern variable definitions require"),
    ];
    let found = clauses.into_iter().find_map(|(pos, what)| pos.map(|pos| (pos, what)));
    let (pos, what) = found.unwrap_or((frame.pos.0, "This frame requires"));
    TrinoError::at(pos, ErrorCode::MissingRowPattern, format!("{what} PATTERN clause"))
}
