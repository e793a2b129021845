//! Calls: scalar functions, aggregates, window functions and lambdas.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::coercion::common_super_type;
use boathouse_trino_functions::{
    AggregateCall, Argument, BoundLambda, FunctionKind, LambdaBinder, Typed, aggregate, cast, kind, operators, scalar,
    window,
};
use boathouse_trino_parser::ast::{
    self, ExprKind, FunctionCall, ListaggOverflow, NullTreatment, Over, SortItem, Window,
};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{NullTreatment as PlanNulls, Sort, WindowFunction, WindowFunctionParams};

use super::by_row::{differs_by_row, frame_value, row_call};
use super::expression::{boolean, same_type};
use super::recognition::refuse_mode_and_label;
use super::scope::Scope;
use super::{Analyzer, CallKind, Place, at};
use crate::error::unsupported;
use crate::operators::{FrameValue, Keys};

/// What is said of types without an order.
const NOT_ORDERABLE: &str = " is not orderable";

impl Analyzer<'_> {
    /// A scalar function on values.
    pub(super) fn scalar(&mut self, name: &str, args: Vec<Typed>) -> Result<Typed, TrinoError> {
        scalar(name, args.into_iter().map(Argument::Value).collect(), &mut NoLambdas)
    }

    pub(super) fn function(
        &mut self,
        expr: &ast::Expr,
        call: &FunctionCall,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let name = call.name.last_lower();
        match scope.matched() {
            Some(pattern) => {
                if let Some(value) = self.pattern_call(expr, call, &name, scope, pattern)? {
                    return Ok(value);
                }
            }
            None => refuse_mode_and_label(expr, call)?,
        }
        if name == "reduce_agg" {
            return self.expr(&reduced(expr, call)?, scope);
        }
        if call.over.is_some() {
            return self.window_function(expr, call, &name, scope);
        }
        match kind(&name) {
            Some(FunctionKind::Aggregate) => self.aggregate_function(expr, call, &name, scope),
            Some(FunctionKind::Window) => {
                let message = format!("Window function system.builtin.{name} requires an OVER clause");
                Err(TrinoError::at(expr.pos, ErrorCode::MissingOver, message))
            }
            _ => self.scalar_function(expr, call, &name, scope),
        }
    }

    fn scalar_function(
        &mut self,
        expr: &ast::Expr,
        call: &FunctionCall,
        name: &str,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let misplaced = match call {
            _ if kind(name).is_none() => None,
            FunctionCall { order_by, .. } if !order_by.is_empty() => {
                Some("ORDER BY is only valid for aggregation functions")
            }
            FunctionCall { filter: Some(_), .. } => Some("Filter is only valid for aggregation functions"),
            FunctionCall { distinct: true, .. } => Some("DISTINCT is not supported for non-aggregation functions"),
            _ => None,
        };
        if let Some(message) = misplaced {
            return Err(TrinoError::at(expr.pos, ErrorCode::FunctionNotAggregate, message));
        }
        if let Some(special) = self.special_form(call, name, scope)? {
            return Ok(special);
        }
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            args.push(match arg.kind {
                ExprKind::Lambda { .. } if scope.matched().is_some() => {
                    let message = "Lambda expression in pattern recognition context is not yet supported";
                    return Err(TrinoError::at(arg.pos, ErrorCode::NotSupported, message));
                }
                ExprKind::Lambda { .. } => Argument::Lambda(arg),
                _ => Argument::Value(self.expr(arg, scope)?),
            });
        }
        let unformattable = call.args.iter().zip(&args).find_map(|(written, arg)| match arg {
            Argument::Value((_, ty @ (Type::Array(_) | Type::Map(..) | Type::Row(_) | Type::Varbinary))) => {
                Some((written, ty))
            }
            _ => None,
        });
        if let ("format", Some((written, ty))) = (name, unformattable) {
            let message = format!("Type not supported for formatting: {ty}");
            return Err(TrinoError::at(written.pos, ErrorCode::NotSupported, message));
        }
        if let ("format", Some(Argument::Value((_, ty)))) = (name, args.first())
            && !matches!(ty, Type::Varchar(_) | Type::Unknown)
        {
            let message = format!("Type of first argument to format() must be VARCHAR (actual: {ty})");
            return Err(TrinoError::at(call.args[0].pos, ErrorCode::TypeMismatch, message));
        }
        scalar(name, args, &mut Lambdas { analyzer: self, scope })
    }

    /// The functions that decide themselves what they evaluate.
    fn special_form(
        &mut self,
        call: &FunctionCall,
        name: &str,
        scope: &Scope<'_>,
    ) -> Result<Option<Typed>, TrinoError> {
        let wrong = || {
            let message = format!("Invalid number of arguments for '{name}' function");
            TrinoError::new(ErrorCode::InvalidArguments, message)
        };
        let value = match (name, call.args.as_slice()) {
            ("if", [condition, then]) => {
                let condition = (self.condition(condition, scope, "IF condition")?, Type::Boolean);
                operators::if_(condition, self.expr(then, scope)?, None)?
            }
            ("if", [condition, then, otherwise]) => {
                let condition = (self.condition(condition, scope, "IF condition")?, Type::Boolean);
                operators::if_(condition, self.expr(then, scope)?, Some(self.expr(otherwise, scope)?))?
            }
            ("coalesce", args) => {
                let values = self.exprs(args, scope)?;
                if values.len() > 1 {
                    same_type("All COALESCE operands", values.iter().zip(args.iter().map(|arg| arg.pos)))?;
                }
                operators::coalesce(values)?
            }
            ("nullif", [first, second]) => operators::nullif(self.expr(first, scope)?, self.expr(second, scope)?)?,
            ("try", [value]) => operators::try_(self.expr(value, scope)?),
            ("if" | "nullif" | "try", _) => return Err(wrong()),
            ("map_concat", [_]) => {
                let message = "There must be two or more concatenation arguments to map_concat";
                return Err(TrinoError::new(ErrorCode::InvalidFunctionArgument, message));
            }
            ("format", [] | [_]) => {
                let message = "The 'format' function must have at least two arguments";
                return Err(TrinoError::new(ErrorCode::SyntaxError, message));
            }
            ("now", []) => super::literal::current(&self.session, ast::CurrentItem::Timestamp, None, call.name.pos())?,
            ("current_timezone", []) => (super::literal::string(&self.session.zone).0, Type::VARCHAR),
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    fn aggregate_function(
        &mut self,
        expr: &ast::Expr,
        call: &FunctionCall,
        name: &str,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let before = self.calls.len();
        // It is computed before any filter that it stands in.
        self.place = Place::Value;
        let mut args = self.exprs(&call.args, scope)?;
        args.extend(overflow_arguments(call));
        let filter = self.call_filter(call, scope)?;
        let sorted = if call.within_group.is_empty() { &call.order_by } else { &call.within_group };
        let order_by = self.sort_exprs(sorted, scope).map_err(|error| match error.message.strip_prefix("Type ") {
            Some(rest) if error.code == ErrorCode::TypeMismatch => {
                let ty = rest.split(" is not orderable").next().unwrap_or(rest);
                let message = format!("ORDER BY can only be applied to orderable types (actual: {ty})");
                TrinoError::at(expr.pos, ErrorCode::TypeMismatch, message)
            }
            _ => error,
        })?;
        let absent = |sort: &&Sort| args.iter().all(|arg| operators::comparable(arg.clone()) != sort.expr);
        if let (true, Some(index)) = (call.distinct, order_by.iter().position(|sort| absent(&sort))) {
            let message = "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments";
            return Err(TrinoError::at(sorted[index].expr.pos, ErrorCode::ExpressionNotInDistinct, message));
        }
        if let ("listagg", Some((_, ty)), Some(written)) = (name, args.first(), call.args.first())
            && !matches!(ty, Type::Varchar(_) | Type::Unknown)
        {
            let message = format!("Expected expression of varchar, but '{written}' has {ty} type");
            return Err(TrinoError::at(expr.pos, ErrorCode::TypeMismatch, message));
        }
        self.refuse_nested(before, expr, "aggregation", name)?;
        let value =
            aggregate(AggregateCall { name: name.to_owned(), args, distinct: call.distinct, filter, order_by })?;
        self.called(CallKind::Aggregate, expr);
        Ok(value)
    }

    /// An aggregate's arguments may hold no aggregates or window functions.
    fn refuse_nested(&mut self, before: usize, expr: &ast::Expr, what: &str, name: &str) -> Result<(), TrinoError> {
        let nested: Vec<_> = self.calls.drain(before..).collect();
        let Some(first) = nested.first() else {
            return Ok(());
        };
        let texts: Vec<_> = nested.iter().map(|call| call.text.as_str()).collect();
        let (code, plural) = match first.kind {
            CallKind::Window => (ErrorCode::NestedWindow, "window functions or row pattern measures"),
            _ => (ErrorCode::NestedAggregation, "aggregations"),
        };
        let message = format!("Cannot nest {plural} inside {what} '{name}': [{}]", texts.join(", "));
        Err(TrinoError::at(expr.pos, code, message))
    }

    fn call_filter(&mut self, call: &FunctionCall, scope: &Scope<'_>) -> Result<Option<Expr>, TrinoError> {
        let filter = |filter| {
            let value = self.plain(filter, scope, "FILTER clause")?;
            boolean(value, "Filter expression").map_err(at(filter.pos))
        };
        call.filter.as_ref().map(filter).transpose()
    }

    /// Sort keys; NULLs come last where nothing is said.
    pub(super) fn sort_exprs(&mut self, items: &[SortItem], scope: &Scope<'_>) -> Result<Vec<Sort>, TrinoError> {
        let item = |item: &SortItem| {
            let (expr, ty) = self.expr(&item.expr, scope)?;
            orderable(&ty, item.expr.pos)?;
            // Instants have an order, whatever their zones.
            let expr = operators::comparable((expr, ty));
            Ok(sort(expr, item))
        };
        items.iter().map(item).collect()
    }

    fn window_function(
        &mut self,
        expr: &ast::Expr,
        call: &FunctionCall,
        name: &str,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let before = self.calls.len();
        self.place = Place::Value;
        let mut args = self.exprs(&call.args, scope)?;
        if let (Some(arg), true) =
            (call.args.first(), self.calls[before..].iter().any(|call| call.kind == CallKind::Window))
        {
            let message = "Cannot nest window functions or row pattern measures inside window function arguments";
            return Err(TrinoError::at(arg.pos, ErrorCode::NestedWindow, message));
        }
        let specification = self.window_specification(call.over.as_ref(), expr.pos)?;
        let Keys { partition_by, order_by } = self.window_keys(&specification, scope)?;
        let recognising = self.recognising(&specification, scope)?;
        let framing = self.frame(&specification, recognising.is_some(), scope)?;
        self.call_filter(call, scope)?;
        self.refuse_windows_within(before, expr)?;
        let ignore = call.nulls == Some(NullTreatment::Ignore);
        let refused = match call {
            FunctionCall { distinct: true, .. } => {
                format!("DISTINCT in window function parameters not yet supported: {expr}")
            }
            FunctionCall { filter: Some(_), .. } => "FILTER is not yet supported for window functions".to_owned(),
            FunctionCall { order_by, .. } if !order_by.is_empty() => {
                let message = format!("'{expr}' must be an aggregate expression or appear in GROUP BY clause");
                return Err(TrinoError::at(expr.pos, ErrorCode::ExpressionNotAggregate, message));
            }
            _ => String::new(),
        };
        if !refused.is_empty() {
            return Err(self.of_select(ErrorCode::NotSupported, refused));
        }
        if kind(name) == Some(FunctionKind::Scalar) {
            return Err(self.of_select(ErrorCode::FunctionNotWindow, format!("Not a window function: {name}")));
        }
        if let ("lag" | "lead", Some(frame)) = (name, &specification.frame) {
            let message = format!("Cannot specify window frame for {name} function");
            return Err(TrinoError::at(frame.pos.0, ErrorCode::InvalidWindowFrame, message));
        }
        let default = default_of_each_row(name, &mut args)?;
        let offset = args.get(1).cloned();
        let (fun, args, ty) = window(name, args, ignore)?;
        let by_row = frame_value(name, &fun, ignore);
        if let (Some(recognising), Some(value)) = (recognising, by_row.clone().filter(FrameValue::is_of_frame)) {
            self.called(CallKind::Window, expr);
            return Ok((recognising.function(value, args, &ty, Keys { partition_by, order_by }), ty));
        }
        let differs = by_row.as_ref().is_some_and(|value| differs_by_row(value, &args));
        let frame = match (framing.plain, by_row) {
            (Some(plain), _) if !differs => plain,
            (_, Some(value)) => {
                self.called(CallKind::Window, expr);
                return Ok((row_call(&framing.by_row, value, args, &ty, Keys { partition_by, order_by }), ty));
            }
            (_, None) => return Err(unsupported(format!("Frames that differ from row to row with {name}"))),
        };
        let params = WindowFunctionParams {
            args,
            partition_by,
            order_by,
            window_frame: frame,
            filter: None,
            null_treatment: ignore.then_some(PlanNulls::IgnoreNulls),
            distinct: false,
        };
        self.called(CallKind::Window, expr);
        let value = Expr::WindowFunction(Box::new(WindowFunction { fun, params: params.clone() }));
        let (Some(default), Some(offset)) = (default, offset) else { return Ok((value, ty)) };
        // Where the row that is asked for has a mark, it exists.
        let marked = match ignore {
            true => value.clone(),
            false => {
                let mark = (datafusion::logical_expr::lit(true), Type::Boolean);
                let (fun, args, _) = window(name, vec![mark, offset], false)?;
                Expr::WindowFunction(Box::new(WindowFunction { fun, params: WindowFunctionParams { args, ..params } }))
            }
        };
        let exists = (marked.is_not_null(), Type::Boolean);
        operators::if_(exists, (value, ty), Some(default))
    }

    /// Refuses a window that is wrong, whether it is used or not.
    pub(super) fn check_window(&mut self, window: &Window, scope: &Scope<'_>) -> Result<(), TrinoError> {
        let before = self.calls.len();
        let window = self.window_specification(Some(&Over::Window(window.clone())), window.pos.0)?;
        self.window_keys(&window, scope)?;
        let recognises = self.recognising(&window, scope)?.is_some();
        self.frame(&window, recognises, scope)?;
        self.calls.truncate(before);
        Ok(())
    }

    /// What partitions a window, and its order.
    pub(super) fn window_keys(&mut self, window: &Window, scope: &Scope<'_>) -> Result<Keys, TrinoError> {
        let partition_by = self.exprs(&window.partition_by, scope)?.into_iter().map(|(expr, _)| expr).collect();
        let order_by = self.sort_exprs(&window.order_by, scope).map_err(|error| {
            match error.message.strip_prefix("Type ").and_then(|rest| rest.split_once(NOT_ORDERABLE)) {
                Some((ty, _)) if error.code == ErrorCode::TypeMismatch => {
                    let message =
                        format!("{ty}{NOT_ORDERABLE}, and therefore cannot be used in window function ORDER BY");
                    TrinoError { message, ..error }
                }
                _ => error,
            }
        })?;
        Ok(Keys { partition_by, order_by })
    }

    /// A window's specification may hold no windows.
    pub(super) fn refuse_windows_within(&self, before: usize, expr: &ast::Expr) -> Result<(), TrinoError> {
        let calls = self.calls[before..].iter().filter(|call| call.kind == CallKind::Window);
        let windows: Vec<_> = calls.map(|call| call.text.as_str()).collect();
        if windows.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Cannot nest window functions or row pattern measures inside window specification: [{}]",
            windows.join(", ")
        );
        Err(TrinoError::at(expr.pos, ErrorCode::NestedWindow, message))
    }

    /// The window itself, with what it takes from the window that it names.
    pub(super) fn window_specification(&self, over: Option<&Over>, pos: ast::Pos) -> Result<Window, TrinoError> {
        match over {
            None => Ok(Window {
                pos: ast::Mark(pos),
                base: None,
                partition_by: Vec::new(),
                order_by: Vec::new(),
                frame: None,
            }),
            Some(Over::Named(name)) => self.named_window(name, pos),
            Some(Over::Window(window)) => match &window.base {
                None => Ok(window.clone()),
                Some(base) => {
                    if let Some(partition) = window.partition_by.first() {
                        let message = "WINDOW specification with named WINDOW reference cannot specify PARTITION BY";
                        return Err(TrinoError::at(partition.pos, ErrorCode::InvalidPartitionBy, message));
                    }
                    let name = base;
                    let base = self.named_window(name, pos)?;
                    if let (Some(item), false) = (window.order_by.first(), base.order_by.is_empty()) {
                        let message = "Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY";
                        return Err(TrinoError::at(item.expr.pos, ErrorCode::InvalidOrderBy, message));
                    }
                    if base.frame.is_some() {
                        let message = "Cannot reference named WINDOW containing frame specification";
                        return Err(TrinoError::at(name.pos, ErrorCode::InvalidWindowReference, message));
                    }
                    let order_by = if window.order_by.is_empty() { base.order_by } else { window.order_by.clone() };
                    let (partition_by, frame) = (base.partition_by, window.frame.clone());
                    Ok(Window { pos: window.pos, base: None, partition_by, order_by, frame })
                }
            },
        }
    }

    fn named_window(&self, name: &ast::Ident, pos: ast::Pos) -> Result<Window, TrinoError> {
        let found = self.windows.iter().rev().find(|(known, _)| known == name);
        match found {
            Some((_, window)) => self.window_specification(Some(&Over::Window(window.clone())), pos),
            None => {
                let message = format!("Cannot resolve WINDOW name {}", name.value);
                Err(TrinoError::at(name.pos, ErrorCode::InvalidWindowReference, message))
            }
        }
    }
}

/// Takes the default of LAG and LEAD out of their arguments where it alone differs from row to row, which DataFusion doesn't
/// have, and brings the value to the type that both share.
fn default_of_each_row(name: &str, args: &mut Vec<Typed>) -> Result<Option<Typed>, TrinoError> {
    let differs = matches!(name, "lag" | "lead")
        && args.len() == 3
        && matches!(&args[1].0, Expr::Literal(offset, _) if !offset.is_null())
        && !matches!(args[2].0, Expr::Literal(..));
    let Some(default) = (if differs { args.pop() } else { None }) else { return Ok(None) };
    let Some(common) = common_super_type(&args[0].1, &default.1) else {
        args.push(default);
        return Ok(None);
    };
    args[0] = cast::coerce(args[0].clone(), &common)?;
    cast::coerce(default, &common).map(Some)
}

/// What `LISTAGG(… ON OVERFLOW TRUNCATE …)` adds to its arguments.
fn overflow_arguments(call: &FunctionCall) -> Vec<Typed> {
    let Some(ListaggOverflow::Truncate { filler, with_count }) = &call.overflow else { return Vec::new() };
    let separator = (call.args.len() == 1).then(|| super::literal::string(""));
    let filler = super::literal::string(filler.as_deref().unwrap_or("..."));
    let with_count = (Expr::Literal(ScalarValue::Boolean(Some(*with_count)), None), Type::Boolean);
    separator.into_iter().chain([filler, with_count]).collect()
}

/// `reduce_agg(x, s, f, g)` as `reduce(array_agg(x) FILTER (WHERE x IS NOT NULL), s, f, s -> s)`: one place folds all
/// values, so that states never have to be combined.
fn reduced(expr: &ast::Expr, call: &FunctionCall) -> Result<ast::Expr, TrinoError> {
    let [value, state, step, combine] = call.args.as_slice() else {
        let message = format!("Unexpected parameters for function reduce_agg: {} of 4", call.args.len());
        return Err(TrinoError::at(expr.pos, ErrorCode::FunctionNotFound, message));
    };
    let ExprKind::Lambda { parameters, .. } = &combine.kind else {
        let message = "The last argument of reduce_agg must be a lambda expression";
        return Err(TrinoError::at(combine.pos, ErrorCode::FunctionNotFound, message));
    };
    let Some(parameter) = parameters.first().filter(|_| parameters.len() == 2) else {
        let message = format!("Expected a lambda that takes 2 argument(s) but got {}", parameters.len());
        return Err(TrinoError::at(combine.pos, ErrorCode::InvalidArguments, message));
    };
    let node = |kind: ExprKind| ast::Expr { kind, pos: expr.pos };
    let is_present = |value: ast::Expr| node(ExprKind::IsNull { expr: Box::new(value), negated: true });
    let collected = FunctionCall { name: ast::Name::of("array_agg"), args: vec![value.clone()], ..call.clone() };
    let values = match (&call.over, &call.filter) {
        // A window's values have no FILTER.
        (Some(_), _) => {
            let one = ast::Ident::new("value");
            let itself = node(ExprKind::Identifier(one.clone()));
            let present = ExprKind::Lambda { parameters: vec![one], body: Box::new(is_present(itself)) };
            let args = vec![node(ExprKind::Function(Box::new(collected))), node(present)];
            FunctionCall::new(ast::Name::of("filter"), args)
        }
        (None, Some(filter)) => {
            let terms = vec![filter.clone(), is_present(value.clone())];
            let filter = node(ExprKind::Logical { op: ast::LogicalOp::And, terms });
            FunctionCall { filter: Some(filter), ..collected }
        }
        (None, None) => FunctionCall { filter: Some(is_present(value.clone())), ..collected },
    };
    let state_itself = node(ExprKind::Identifier(parameter.clone()));
    let finish = node(ExprKind::Lambda { parameters: vec![parameter.clone()], body: Box::new(state_itself) });
    let values = node(ExprKind::Function(Box::new(values)));
    let args = vec![values, state.clone(), step.clone(), finish];
    Ok(node(ExprKind::Function(Box::new(FunctionCall::new(ast::Name::of("reduce"), args)))))
}

/// A sort key.
pub(super) fn sort(expr: Expr, item: &SortItem) -> Sort {
    Sort::new(expr, !item.descending, item.nulls_first.unwrap_or(false))
}

/// Refuses types without an order.
pub(super) fn orderable(ty: &Type, pos: ast::Pos) -> Result<(), TrinoError> {
    if ty.is_orderable() {
        return Ok(());
    }
    let message = format!("Type {ty} is not orderable, and therefore cannot be used in ORDER BY");
    Err(TrinoError::at(pos, ErrorCode::TypeMismatch, message))
}

/// Resolves lambdas in the scope around them.
struct Lambdas<'l, 'a, 's> {
    analyzer: &'l mut Analyzer<'a>,
    scope: &'l Scope<'s>,
}

impl LambdaBinder for Lambdas<'_, '_, '_> {
    fn bind(&mut self, lambda: &ast::Expr, types: &[Type]) -> Result<BoundLambda, TrinoError> {
        let ExprKind::Lambda { parameters, body } = &lambda.kind else {
            return Err(unsupported("a lambda was expected"));
        };
        if parameters.len() != types.len() {
            let message =
                format!("Expected a lambda that takes {} argument(s) but got {}", types.len(), parameters.len());
            return Err(TrinoError::at(lambda.pos, ErrorCode::InvalidParameterUsage, message));
        }
        let named: Vec<_> = parameters
            .iter()
            .zip(types)
            .map(|(parameter, ty)| (parameter.lower(), self.analyzer.fresh("parameter"), ty.clone()))
            .collect();
        let scope = Scope::lambda(&named, self.scope);
        let around = std::mem::replace(&mut self.analyzer.in_lambda, true);
        let bound = self.analyzer.plain(body, &scope, "Lambda expression");
        self.analyzer.in_lambda = around;
        let (body, ty) = bound?;
        Ok(BoundLambda { parameters: named.into_iter().map(|(_, internal, _)| internal).collect(), body, ty })
    }
}

/// For functions on values alone.
pub(super) struct NoLambdas;

impl LambdaBinder for NoLambdas {
    fn bind(&mut self, lambda: &ast::Expr, _: &[Type]) -> Result<BoundLambda, TrinoError> {
        let message = "Lambda expression should always be used inside a function";
        Err(TrinoError::at(lambda.pos, ErrorCode::InvalidArguments, message))
    }
}
