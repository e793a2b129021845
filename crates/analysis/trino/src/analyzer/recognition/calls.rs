//! Calls in MEASURES and DEFINE: navigation, CLASSIFIER, MATCH_NUMBER, aggregates.

use std::cell::RefCell;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::{FunctionKind, Typed, kind, window};
use boathouse_trino_parser::ast::{self, ExprKind, FunctionCall, ProcessingMode};
use datafusion::logical_expr::WindowFunctionDefinition;

use super::scope::{Clause, Inside, PatternScope};
use crate::analyzer::Analyzer;
use crate::analyzer::scope::Scope;
use crate::error::{internal, unsupported};
use crate::operators::{Aggregation, Formulas, Label, Navigation, Value};

impl Analyzer<'_> {
    /// A call that means something of its own in MATCH_RECOGNIZE; none if it is like any other.
    pub(in crate::analyzer) fn pattern_call(
        &mut self,
        expr: &ast::Expr,
        call: &FunctionCall,
        name: &str,
        scope: &Scope<'_>,
        pattern: &PatternScope<'_>,
    ) -> Result<Option<Typed>, TrinoError> {
        let upper = name.to_uppercase();
        if pattern.clause == Clause::Define && call.mode == Some(ProcessingMode::Final) {
            let message = "FINAL semantics is not supported in DEFINE clause";
            return Err(TrinoError::at(expr.pos, ErrorCode::InvalidProcessingMode, message));
        }
        if let "classifier" | "match_number" | "first" | "last" | "prev" | "next" = name {
            refuse_clauses(expr, call, &upper)?;
        }
        match name {
            "match_number" if pattern.in_window() => {
                let message = "MATCH_NUMBER function is not supported in window";
                Err(TrinoError::at(expr.pos, ErrorCode::InvalidPatternRecognitionFunction, message))
            }
            "match_number" if call.args.is_empty() => {
                Ok(Some(pattern.slot(Value::MatchNumber, Type::Bigint, Vec::new())))
            }
            "match_number" => {
                Err(invalid(expr.pos, "MATCH_NUMBER pattern recognition function takes no arguments".to_owned()))
            }
            "classifier" => classifier(expr, call, pattern).map(Some),
            "first" | "last" | "prev" | "next" => self.navigation(expr, call, &upper, scope, pattern).map(Some),
            _ if name == "reduce_agg" => Err(unsupported("reduce_agg is not supported in MATCH_RECOGNIZE")),
            _ if kind(name) == Some(FunctionKind::Aggregate) => {
                self.pattern_aggregate(expr, call, name, scope, pattern).map(Some)
            }
            _ => {
                refuse_mode_and_label(expr, call)?;
                if call.over.is_some() {
                    return Err(nested_window(expr.pos, pattern));
                }
                Ok(None)
            }
        }
    }

    fn navigation(
        &mut self,
        expr: &ast::Expr,
        call: &FunctionCall,
        name: &str,
        scope: &Scope<'_>,
        pattern: &PatternScope<'_>,
    ) -> Result<Typed, TrinoError> {
        let (argument, offset) = match call.args.as_slice() {
            [argument] => (argument, None),
            [argument, offset] => (argument, Some(offset_of(expr, offset, name)?)),
            _ => {
                let message = format!("{name} pattern recognition function requires 1 or 2 arguments");
                return Err(invalid(expr.pos, message));
            }
        };
        let physical = matches!(name, "PREV" | "NEXT");
        if physical && let Some(mode) = call.mode {
            let message = format!("{} semantics is not supported with {name} pattern recognition function", word(mode));
            return Err(TrinoError::at(expr.pos, ErrorCode::InvalidProcessingMode, message));
        }
        refuse_nesting(expr, name, physical, pattern)?;
        let mut navigation = pattern.navigation.clone();
        if physical {
            let distance = i64::from(offset.unwrap_or(1));
            navigation.physical = if name == "PREV" { -distance } else { distance };
        } else {
            navigation.first = name == "FIRST";
            navigation.running = call.mode != Some(ProcessingMode::Final);
            navigation.logical = offset.unwrap_or(0) as usize;
        }
        let inner = pattern.within(pattern.slots, navigation, Inside::Navigation(name, argument));
        let value = self.expr(argument, &Scope::pattern(&inner, Some(scope)))?;
        if inner.only_variable(name, expr.pos)?.is_none() {
            let message = format!(
                "Pattern navigation function '{name}' must contain at least one column reference or CLASSIFIER()"
            );
            return Err(TrinoError::at(expr.pos, ErrorCode::InvalidArguments, message));
        }
        pattern.used.borrow_mut().append(&mut inner.used.borrow_mut());
        Ok(value)
    }

    fn pattern_aggregate(
        &mut self,
        expr: &ast::Expr,
        call: &FunctionCall,
        name: &str,
        scope: &Scope<'_>,
        pattern: &PatternScope<'_>,
    ) -> Result<Typed, TrinoError> {
        if let Inside::Navigation(outer, _) | Inside::Aggregate(outer) = pattern.inside {
            let message = format!("Cannot nest {name} aggregate function inside {outer} function");
            return Err(TrinoError::at(expr.pos, ErrorCode::NestedAggregation, message));
        }
        if call.over.is_some() {
            return Err(nested_window(expr.pos, pattern));
        }
        let refused = [
            (call.filter.is_some(), ErrorCode::NotSupported, "FILTER"),
            (!call.order_by.is_empty() || !call.within_group.is_empty(), ErrorCode::NotSupported, "ORDER BY"),
            (call.distinct, ErrorCode::NotSupported, "DISTINCT"),
        ];
        for (is_there, code, clause) in refused {
            if is_there {
                let message =
                    format!("Cannot use {clause} with {name} aggregate function in pattern recognition context");
                return Err(TrinoError::at(expr.pos, code, message));
            }
        }
        let slots = RefCell::default();
        let inner = pattern.within(&slots, Navigation::default(), Inside::Aggregate(name));
        let args = self.exprs(&call.args, &Scope::pattern(&inner, Some(scope)))?;
        let labels = aggregated_labels(expr, call, name, &inner)?;
        let (function, exprs, ty) = window(name, args, false)?;
        let WindowFunctionDefinition::AggregateUDF(function) = function else {
            return Err(internal(format!("{name} is no aggregate")));
        };
        drop(inner);
        let running = call.mode != Some(ProcessingMode::Final);
        let arguments = Formulas { slots: slots.into_inner(), exprs };
        let aggregation = Aggregation { function, arguments, labels, running };
        Ok(pattern.slot(Value::Aggregate(Box::new(aggregation)), ty, Vec::new()))
    }
}

/// `CLASSIFIER()`, `CLASSIFIER(A)`
fn classifier(expr: &ast::Expr, call: &FunctionCall, pattern: &PatternScope<'_>) -> Result<Typed, TrinoError> {
    let (labels, used) = match call.args.as_slice() {
        [] => (Vec::new(), None),
        [argument] => {
            let ExprKind::Identifier(variable) = &argument.kind else {
                let message = format!(
                    "CLASSIFIER function argument should be primary pattern variable or subset name. Actual: {argument}"
                );
                return Err(TrinoError::at(argument.pos, ErrorCode::TypeMismatch, message));
            };
            (variable_labels(variable, pattern)?, Some(super::variables::label(variable)))
        }
        _ => {
            let message = "CLASSIFIER pattern recognition function takes no arguments or 1 argument";
            return Err(invalid(expr.pos, message.to_owned()));
        }
    };
    pattern.used.borrow_mut().push(used);
    Ok(pattern.slot(Value::Classifier, Type::VARCHAR, labels))
}

fn variable_labels(variable: &ast::Ident, pattern: &PatternScope<'_>) -> Result<Vec<Label>, TrinoError> {
    pattern.matched.variables.labels(variable).ok_or_else(|| {
        let message = format!("{} is not a primary pattern variable or subset name", variable.value);
        invalid(variable.pos, message)
    })
}

/// The labels of the rows that an aggregate takes in.
fn aggregated_labels(
    expr: &ast::Expr,
    call: &FunctionCall,
    name: &str,
    inner: &PatternScope<'_>,
) -> Result<Vec<Label>, TrinoError> {
    if let Some(label) = &call.label {
        if name != "count" {
            return Err(invalid(label.pos, ONLY_COUNT.to_owned()));
        }
        return variable_labels(label, inner);
    }
    match inner.only_variable(name, expr.pos)?.flatten() {
        Some(variable) => variable_labels(&ast::Ident { quoted: true, ..ast::Ident::new(variable) }, inner),
        None => Ok(Vec::new()),
    }
}

const ONLY_COUNT: &str = "label.* syntax is only supported as the only argument of row pattern count function";

/// Refuses what only stands in MATCH_RECOGNIZE, or only with other functions there.
pub(in crate::analyzer) fn refuse_mode_and_label(expr: &ast::Expr, call: &FunctionCall) -> Result<(), TrinoError> {
    if let Some(label) = &call.label {
        return Err(invalid(label.pos, ONLY_COUNT.to_owned()));
    }
    match call.mode {
        None => Ok(()),
        Some(mode) => {
            let message = format!(
                "{} semantics is supported only for FIRST(), LAST() and aggregation functions in row pattern recognition. Actual: {}",
                word(mode),
                call.name
            );
            Err(TrinoError::at(expr.pos, ErrorCode::InvalidProcessingMode, message))
        }
    }
}

fn refuse_clauses(expr: &ast::Expr, call: &FunctionCall, name: &str) -> Result<(), TrinoError> {
    let clauses = [
        (call.over.is_some(), "OVER"),
        (call.filter.is_some(), "FILTER"),
        (!call.order_by.is_empty(), "ORDER BY"),
        (call.distinct, "DISTINCT"),
    ];
    if let Some((_, clause)) = clauses.into_iter().find(|(is_there, _)| *is_there) {
        let message = format!("Cannot use {clause} with {name} pattern recognition function");
        return Err(TrinoError::at(expr.pos, ErrorCode::InvalidPatternRecognitionFunction, message));
    }
    let navigates = matches!(name, "FIRST" | "LAST" | "PREV" | "NEXT");
    if call.star || call.label.is_some() {
        return Err(invalid(expr.pos, ONLY_COUNT.to_owned()));
    }
    match call.mode {
        Some(mode) if !navigates => {
            let message = format!("{} semantics is not supported with {name} pattern recognition function", word(mode));
            Err(TrinoError::at(expr.pos, ErrorCode::InvalidProcessingMode, message))
        }
        _ => Ok(()),
    }
}

fn refuse_nesting(expr: &ast::Expr, name: &str, physical: bool, pattern: &PatternScope<'_>) -> Result<(), TrinoError> {
    let message = match pattern.inside {
        Inside::Nothing => return Ok(()),
        Inside::Aggregate(outer) => format!("Cannot nest {name} pattern navigation function inside {outer} function"),
        Inside::Navigation(outer, _) if physical || matches!(outer, "FIRST" | "LAST") => {
            format!("Cannot nest {name} pattern navigation function inside {outer} pattern navigation function")
        }
        Inside::Navigation(_, argument) if std::ptr::eq(argument, expr) => return Ok(()),
        Inside::Navigation(..) => "Immediate nesting is required for pattern navigation functions".to_owned(),
    };
    Err(TrinoError::at(expr.pos, ErrorCode::InvalidNavigationNesting, message))
}

/// How many rows a navigation goes.
fn offset_of(expr: &ast::Expr, offset: &ast::Expr, name: &str) -> Result<u32, TrinoError> {
    let ExprKind::Integer(number) = offset.kind else {
        let message =
            format!("{name} pattern recognition navigation function requires a number as the second argument");
        return Err(invalid(expr.pos, message));
    };
    let message = if number < 0 {
        format!(
            "{name} pattern recognition navigation function requires a non-negative number as the second argument (actual: {number})"
        )
    } else if number > i64::from(i32::MAX) {
        format!(
            "The second argument of {name} pattern recognition navigation function must not exceed {} (actual: {number})",
            i32::MAX
        )
    } else {
        return Ok(number as u32);
    };
    Err(TrinoError::at(expr.pos, ErrorCode::NumericValueOutOfRange, message))
}

/// What is said of OVER inside of a pattern's expressions.
pub(in crate::analyzer) fn nested_window(pos: ast::Pos, pattern: &PatternScope<'_>) -> TrinoError {
    let place = if pattern.in_window() { "window specification" } else { "pattern recognition expressions" };
    let message = format!("Cannot nest window functions or row pattern measures inside {place}");
    TrinoError::at(pos, ErrorCode::NestedWindow, message)
}

fn invalid(pos: ast::Pos, message: String) -> TrinoError {
    TrinoError::at(pos, ErrorCode::InvalidFunctionArgument, message)
}

fn word(mode: ProcessingMode) -> &'static str {
    match mode {
        ProcessingMode::Running => "RUNNING",
        ProcessingMode::Final => "FINAL",
    }
}
