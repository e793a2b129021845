//! Expressions: every node becomes an expression of DataFusion with its Trino type.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::RowField;
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::coercion::{common_of, common_super_type};
use boathouse_trino_functions::{Typed, cast, operators};
use boathouse_trino_parser::ast::{self, BinaryOp, ExprKind, LogicalOp, TrimSide, UnaryOp};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, lit};

use super::scope::Scope;
use super::{Analyzer, CallKind, Place, at, literal};
use crate::error::unsupported;

impl Analyzer<'_> {
    /// An expression in a scope.
    pub(super) fn expr(&mut self, expr: &ast::Expr, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        let around = self.place;
        if around == Place::Condition && !is_condition(expr) {
            self.place = Place::InFilter;
        }
        let value = self.kind(expr, scope).map_err(at(expr.pos));
        self.place = around;
        value
    }

    /// An expression that must be a boolean.
    pub(super) fn condition(&mut self, expr: &ast::Expr, scope: &Scope<'_>, what: &str) -> Result<Expr, TrinoError> {
        let value = self.expr(expr, scope)?;
        boolean(value, what).map_err(at(expr.pos))
    }

    fn kind(&mut self, expr: &ast::Expr, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        match &expr.kind {
            ExprKind::Null => Ok((lit(ScalarValue::Null), Type::Unknown)),
            ExprKind::Boolean(value) => Ok((lit(*value), Type::Boolean)),
            ExprKind::Integer(number) => Ok(literal::integer(*number)),
            ExprKind::Decimal(text) => literal::decimal(text, expr.pos),
            ExprKind::Double(text) => Ok((lit(text.parse::<f64>().unwrap_or(f64::NAN)), Type::Double)),
            ExprKind::String(text) => Ok(literal::string(text)),
            ExprKind::Bytes(bytes) => Ok((lit(ScalarValue::Binary(Some(bytes.clone()))), Type::Varbinary)),
            ExprKind::TypedLiteral { type_name, value } => literal::typed(type_name, value, expr.pos),
            ExprKind::Interval { negative, value, from, to } => {
                literal::interval(*negative, value, *from, *to, expr.pos)
            }
            ExprKind::Parameter(index) => self.parameter(*index, expr.pos),
            ExprKind::Identifier(_) => match expr.as_name() {
                Some(name) => scope.resolve(&name),
                None => Err(unsupported("a name without a text")),
            },
            ExprKind::Dereference { base, field } => self.dereference(expr, base, field, scope),
            ExprKind::Current { item, precision } => literal::current(&self.session, *item, *precision, expr.pos),
            _ => self.operation(expr, scope),
        }
    }

    fn operation(&mut self, expr: &ast::Expr, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        match &expr.kind {
            ExprKind::Unary { op: UnaryOp::Plus, expr } => self.expr(expr, scope),
            ExprKind::Unary { op: UnaryOp::Minus, expr } => operators::negate(self.expr(expr, scope)?),
            ExprKind::Binary { op: BinaryOp::Concat, left, right } => {
                operators::concat(self.expr(left, scope)?, self.expr(right, scope)?)
            }
            ExprKind::Binary { op, left, right } => {
                operators::binary(*op, self.expr(left, scope)?, self.expr(right, scope)?)
            }
            ExprKind::Comparison { op, left, right } => {
                operators::comparison(*op, self.expr(left, scope)?, self.expr(right, scope)?)
            }
            ExprKind::Logical { op, terms } => self.logical(*op, terms, scope),
            ExprKind::Not(inner) => match &inner.kind {
                ExprKind::InSubquery { expr, query, negated } if scope.matched().is_none() => {
                    self.in_subquery(expr, query, !negated, scope)
                }
                _ => {
                    let value = self.condition(inner, scope, "Value of logical NOT expression")?;
                    Ok((Expr::Not(Box::new(value)), Type::Boolean))
                }
            },
            ExprKind::IsNull { expr, negated } => {
                let (value, _) = self.expr(expr, scope)?;
                Ok((if *negated { value.is_not_null() } else { value.is_null() }, Type::Boolean))
            }
            ExprKind::IsDistinctFrom { left, right, negated } => {
                operators::is_distinct_from(self.expr(left, scope)?, self.expr(right, scope)?, *negated)
            }
            ExprKind::Between { expr, low, high, negated } => {
                operators::between(self.expr(expr, scope)?, self.expr(low, scope)?, self.expr(high, scope)?, *negated)
            }
            ExprKind::InList { expr, list, negated } => {
                let items = self.exprs(list, scope)?;
                let value = self.expr(expr, scope)?;
                let all = std::iter::once((&value, expr.pos)).chain(items.iter().zip(list.iter().map(|item| item.pos)));
                same_type("IN value and list items", all)?;
                operators::in_list(value, items, *negated)
            }
            ExprKind::Like { expr, pattern, escape, negated } => {
                let escape = escape.as_ref().map(|escape| self.expr(escape, scope)).transpose()?;
                let (value, wanted) = (self.expr(expr, scope)?, self.expr(pattern, scope)?);
                operators::like(value, wanted, escape, *negated).map_err(|error| match error.code {
                    ErrorCode::TypeMismatch if error.message.starts_with("Pattern") => at(pattern.pos)(error),
                    ErrorCode::TypeMismatch => at(expr.pos)(error),
                    _ => error,
                })
            }
            ExprKind::Cast { expr, target, safe } => {
                let target = literal::written_type(target).map_err(|error| match error.code {
                    // A type that there isn't is the cast's mistake.
                    ErrorCode::TypeNotFound => TrinoError::new(ErrorCode::TypeMismatch, error.message),
                    _ => error,
                })?;
                let value = self.expr(expr, scope)?;
                cast::cast_on(value, &target, *safe, literal::today(&self.session))
            }
            ExprKind::Case { operand, branches, otherwise } => {
                let operand = operand.as_ref().map(|operand| self.expr(operand, scope)).transpose()?;
                let mut cases = Vec::with_capacity(branches.len());
                for branch in branches {
                    let condition = self.expr(&branch.condition, scope)?;
                    case_condition(operand.as_ref(), &condition, branch.condition.pos)?;
                    cases.push((condition, self.expr(&branch.result, scope)?));
                }
                let last = otherwise.as_ref().map(|otherwise| self.expr(otherwise, scope)).transpose()?;
                let results = cases.iter().zip(branches).map(|((_, result), branch)| (result, branch.result.pos));
                let last_result = last.iter().zip(otherwise).map(|(result, written)| (result, written.pos));
                same_type("All CASE results", results.chain(last_result))?;
                operators::case(operand, cases, last)
            }
            ExprKind::Extract { field, expr } => {
                let value = self.expr(expr, scope)?;
                operators::extract(&field.value, value).map_err(|error| match error.code {
                    ErrorCode::TypeMismatch => at(expr.pos)(error),
                    _ => error,
                })
            }
            ExprKind::AtTimeZone { expr, zone } => {
                operators::at_time_zone(self.expr(expr, scope)?, self.expr(zone, scope)?, literal::today(&self.session))
            }
            ExprKind::Subscript { base, index } => {
                let (value, position) = (self.expr(base, scope)?, self.expr(index, scope)?);
                operators::subscript(value, position).map_err(|error| match error.code {
                    ErrorCode::InvalidFunctionArgument => at(index.pos)(error),
                    _ => error,
                })
            }
            ExprKind::Row(values) => Ok(row(self.exprs(values, scope)?)),
            ExprKind::Array(written) => {
                let values = self.exprs(written, scope)?;
                same_type("All ARRAY elements", values.iter().zip(written.iter().map(|value| value.pos)))?;
                array(values)
            }
            _ => self.special(expr, scope),
        }
    }

    fn special(&mut self, expr: &ast::Expr, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        match &expr.kind {
            ExprKind::Trim { side, characters, expr } => {
                let name = match side {
                    TrimSide::Both => "trim",
                    TrimSide::Leading => "ltrim",
                    TrimSide::Trailing => "rtrim",
                };
                let mut args = vec![self.expr(expr, scope)?];
                if let Some(characters) = characters {
                    args.push(self.expr(characters, scope)?);
                }
                self.scalar(name, args)
            }
            ExprKind::Function(call) => self.function(expr, call, scope),
            ExprKind::Lambda { .. } => {
                let message = "Lambda expression should always be used inside a function";
                Err(TrinoError::new(ErrorCode::TypeMismatch, message))
            }
            ExprKind::Grouping(args) => {
                let args = self.exprs(args, scope)?.into_iter().map(|(expr, _)| expr).collect();
                self.called(CallKind::Grouping, expr);
                let grouping = datafusion::functions_aggregate::grouping::grouping_udaf();
                Ok((grouping.call(args), super::grouping::GROUPING))
            }
            ExprKind::Json(call) => self.json_call(call, scope),
            ExprKind::Measure { name, over } => self.window_measure(expr, name, over, scope),
            _ => self.with_subquery(expr, scope),
        }
    }

    fn with_subquery(&mut self, expr: &ast::Expr, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        if let Some(pattern) = scope.matched() {
            return self.pattern_subquery(expr, scope, pattern);
        }
        match &expr.kind {
            ExprKind::Subquery(query) => self.scalar_subquery(query, scope),
            ExprKind::Exists(query) => self.exists(query, scope),
            ExprKind::InSubquery { expr, query, negated } => self.in_subquery(expr, query, *negated, scope),
            ExprKind::Quantified { op, quantifier, left, query } => {
                self.quantified(*op, *quantifier, left, query, scope)
            }
            _ => Err(unsupported("This expression is not supported")),
        }
    }

    /// Several expressions.
    pub(super) fn exprs(&mut self, exprs: &[ast::Expr], scope: &Scope<'_>) -> Result<Vec<Typed>, TrinoError> {
        exprs.iter().map(|expr| self.expr(expr, scope)).collect()
    }

    fn parameter(&mut self, index: usize, pos: ast::Pos) -> Result<Typed, TrinoError> {
        let Some(value) = self.session.parameters.get(index).cloned() else {
            let count = self.session.parameters.len();
            let message = format!("Incorrect number of parameters: expected {} but found {count}", index + 1);
            return Err(TrinoError::at(pos, ErrorCode::InvalidParameterUsage, message));
        };
        self.expr(&value, &Scope::query(&[], None))
    }

    fn dereference(
        &mut self,
        whole: &ast::Expr,
        base: &ast::Expr,
        field: &ast::Ident,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        match whole.as_name() {
            Some(name) => scope.resolve(&name),
            None => operators::dereference(self.expr(base, scope)?, &field.value),
        }
    }

    fn logical(&mut self, op: LogicalOp, terms: &[ast::Expr], scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        let terms = terms.iter().map(|term| self.condition(term, scope, "Logical expression term"));
        let terms = terms.collect::<Result<Vec<Expr>, TrinoError>>()?;
        let guarded = terms.iter().enumerate().map(|(index, term)| match index.checked_sub(1) {
            // The term before is the one that people write as a guard.
            Some(before) => operators::unless(&terms[before], op == LogicalOp::Or, term.clone()),
            None => term.clone(),
        });
        Ok((joined(op, guarded.collect()), Type::Boolean))
    }
}

/// Whether an expression that filters rows may leave that to its parts: those of AND each filter by themselves.
fn is_condition(expr: &ast::Expr) -> bool {
    let asks = |expr: &ast::Expr| {
        matches!(expr.kind, ExprKind::InSubquery { .. } | ExprKind::Exists(_) | ExprKind::Quantified { .. })
    };
    match &expr.kind {
        ExprKind::Logical { op, .. } => *op == LogicalOp::And,
        ExprKind::Not(inner) => matches!(inner.kind, ExprKind::InSubquery { .. } | ExprKind::Exists(_)),
        _ => asks(expr),
    }
}

/// Terms in a row from which on they become a tree of little depth: planning takes time with the square of the depth.
const LONG_ROW: usize = 64;

/// All terms as one expression.
fn joined(op: LogicalOp, mut terms: Vec<Expr>) -> Expr {
    let join = |left: Expr, right: Expr| match op {
        LogicalOp::And => left.and(right),
        LogicalOp::Or => left.or(right),
    };
    while terms.len() > LONG_ROW {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        terms = pairs;
    }
    terms.into_iter().reduce(join).unwrap_or_else(|| lit(op == LogicalOp::And))
}

/// Refuses values that have no common type, at the first that goes with none of those before.
pub(super) fn same_type<'t>(what: &str, values: impl Iterator<Item = (&'t Typed, ast::Pos)>) -> Result<(), TrinoError> {
    let mut types: Vec<(&Type, ast::Pos)> = Vec::new();
    for ((_, ty), pos) in values {
        if types.iter().all(|(known, _)| *known != ty) {
            types.push((ty, pos));
        }
    }
    let mut common = Type::Unknown;
    for (ty, pos) in &types {
        common = common_super_type(&common, ty).ok_or_else(|| {
            let all: Vec<_> = types.iter().map(|(ty, _)| ty.to_string()).collect();
            let message = format!(
                "{what} must be the same type or coercible to a common type. Cannot find common type between {common} and \
                 {ty}, all types (without duplicates): [{}]",
                all.join(", ")
            );
            TrinoError::at(*pos, ErrorCode::TypeMismatch, message)
        })?;
    }
    Ok(())
}

/// What follows WHEN: a boolean, or what goes with the operand.
fn case_condition(operand: Option<&Typed>, condition: &Typed, pos: ast::Pos) -> Result<(), TrinoError> {
    let message = match operand {
        Some((_, ty)) if common_super_type(ty, &condition.1).is_none() => {
            format!("CASE operand type does not match WHEN clause operand type: {ty} vs {}", condition.1)
        }
        None if !matches!(condition.1, Type::Boolean | Type::Unknown) => {
            format!("CASE WHEN clause must evaluate to a boolean (actual: {})", condition.1)
        }
        _ => return Ok(()),
    };
    Err(TrinoError::at(pos, ErrorCode::TypeMismatch, message))
}

/// A boolean, or an error that says what should have been one.
pub(super) fn boolean((expr, ty): Typed, what: &str) -> Result<Expr, TrinoError> {
    match ty {
        Type::Boolean => Ok(expr),
        Type::Unknown => Ok(lit(ScalarValue::Boolean(None))),
        ty => {
            // Clauses have other words for it than expressions.
            let message = match what.ends_with("clause") {
                true => format!("{what} must evaluate to a boolean: actual type {ty}"),
                false => format!("{what} must evaluate to a boolean (actual: {ty})"),
            };
            Err(TrinoError::new(ErrorCode::TypeMismatch, message))
        }
    }
}

/// `ROW(a, b)`: fields without names.
pub(super) fn row(values: Vec<Typed>) -> Typed {
    let fields: Vec<RowField> = values.iter().map(|(_, ty)| RowField { name: None, ty: ty.clone() }).collect();
    let named = values.into_iter().enumerate();
    let args = named.flat_map(|(index, (expr, _))| [lit(format!("field{index}")), expr]).collect();
    (named_struct(args), Type::Row(fields.into()))
}

/// `ARRAY[a, b]`
fn array(values: Vec<Typed>) -> Result<Typed, TrinoError> {
    if values.is_empty() {
        let ty = Type::array(Type::Unknown);
        let empty = ScalarValue::List(ScalarValue::new_list_nullable(&[], &Type::Unknown.to_arrow()));
        return Ok((lit(empty), ty));
    }
    let element = common_of(values.iter().map(|(_, ty)| ty)).ok_or_else(|| unsupported("elements of several types"))?;
    let values = values.into_iter().map(|value| Ok(cast::coerce(value, &element)?.0));
    let values = values.collect::<Result<Vec<_>, TrinoError>>()?;
    Ok((make_array(values), Type::array(element)))
}
