//! Evaluates expressions for the tests of functions: enough of an analyzer to write them as SQL.
//!
//! Every expression is evaluated twice: with its literals as constants, and with its literals as columns of two rows (so
//! that lambdas capture columns too). Both must agree.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use boathouse_trino_parser::ast::{self, ExprKind, IntervalField, LogicalOp, TypeKind};
use boathouse_trino_parser::parse_expression;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::context::SessionContext;
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::expr::LambdaVariable;
use datafusion::logical_expr::{Expr, cast, col, lit};

use crate::error::TrinoError;
use crate::types::coercion::common_of;
use crate::types::format::write_value;
use crate::types::{RowField, Type};
use crate::{Argument, BoundLambda, LambdaBinder, Typed, operators, scalar};

/// The value as Athena shows it, `NULL`, or the error with its code.
pub(super) fn eval(text: &str) -> String {
    let constant = evaluate(text, false);
    let columns = evaluate(text, true);
    assert_eq!(constant, columns, "constants and columns disagree: {text}");
    match constant {
        Ok((value, _)) => value,
        Err(error) => error.to_string(),
    }
}

/// The type of an expression.
pub(super) fn type_of(text: &str) -> String {
    evaluate(text, false).map_or_else(|error| error.to_string(), |(_, ty)| ty.to_string())
}

/// Checks expressions against their values.
pub(super) fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(&eval(text), expected, "{text}");
    }
}

fn evaluate(text: &str, as_columns: bool) -> Result<(String, Type), TrinoError> {
    let mut analyzer = Analyzer { as_columns, columns: Vec::new(), scopes: Vec::new(), count: 0 };
    let (expr, ty) = analyzer.expr(&parse_expression(text).unwrap())?;
    analyzer.columns.push(ScalarValue::Boolean(Some(true)));
    let arrays: Vec<ArrayRef> = analyzer.columns.iter().map(|value| value.to_array_of_size(2).unwrap()).collect();
    let field = |(index, array): (usize, &ArrayRef)| Field::new(format!("c{index}"), array.data_type().clone(), true);
    let schema = Arc::new(Schema::new(arrays.iter().enumerate().map(field).collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let schema = DFSchema::try_from(schema).unwrap();
    let physical = SessionContext::new().create_physical_expr(expr, &schema)?;
    let result = physical.evaluate(&batch)?.into_array(2)?;
    assert_eq!(result.data_type(), &ty.to_arrow(), "{text}");
    let show = |row: usize| {
        let mut shown = String::new();
        match arrow::array::Array::is_null(&result, row) {
            true => shown.push_str("NULL"),
            false => write_value(&mut shown, &result, row, &ty),
        }
        shown
    };
    let volatile = text.contains("shuffle");
    assert!(volatile || show(0) == show(1), "rows disagree: {text}");
    Ok((show(0), ty))
}

struct Analyzer {
    as_columns: bool,
    columns: Vec<ScalarValue>,
    scopes: Vec<(String, String, Type)>,
    count: usize,
}

impl Analyzer {
    fn literal(&mut self, value: ScalarValue, ty: Type) -> Typed {
        let value = value.cast_to(&ty.to_arrow()).unwrap();
        if !self.as_columns {
            return (lit(value), ty);
        }
        self.columns.push(value);
        (col(format!("c{}", self.columns.len() - 1)), ty)
    }

    fn expr(&mut self, expr: &ast::Expr) -> Result<Typed, TrinoError> {
        Ok(match &expr.kind {
            ExprKind::Null => (lit(ScalarValue::Null), Type::Unknown),
            ExprKind::Boolean(value) => self.literal(ScalarValue::from(*value), Type::Boolean),
            ExprKind::Integer(value) => {
                let ty = if i32::try_from(*value).is_ok() { Type::Integer } else { Type::Bigint };
                self.literal(ScalarValue::from(*value), ty)
            }
            ExprKind::Double(text) => self.literal(ScalarValue::from(text.parse::<f64>().unwrap()), Type::Double),
            ExprKind::Decimal(text) => {
                let digits = text.trim_start_matches('-').trim_start_matches('0').replace('.', "").len().max(1) as u8;
                let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len()) as u8;
                self.literal(ScalarValue::from(text.as_str()), Type::Decimal(digits.max(scale), scale))
            }
            ExprKind::String(text) => {
                let length = text.chars().count() as u32;
                self.literal(ScalarValue::from(text.as_str()), Type::Varchar(Some(length)))
            }
            ExprKind::Bytes(bytes) => self.literal(ScalarValue::Binary(Some(bytes.clone())), Type::Varbinary),
            ExprKind::TypedLiteral { type_name, value } => {
                let ty = Type::parse_trino(type_name).unwrap();
                self.literal(ScalarValue::from(value.as_str()), ty)
            }
            ExprKind::Interval { negative, value, from, .. } => {
                let number = value.parse::<i64>().unwrap() * if *negative { -1 } else { 1 };
                match from {
                    IntervalField::Year => months(number * 12),
                    IntervalField::Month => months(number),
                    IntervalField::Day => millis(number * 86_400_000),
                    IntervalField::Hour => millis(number * 3_600_000),
                    IntervalField::Minute => millis(number * 60_000),
                    IntervalField::Second => millis(number * 1_000),
                }
            }
            ExprKind::Identifier(name) => {
                let (_, unique, ty) = self.scopes.iter().rev().find(|(known, ..)| *known == name.lower()).unwrap();
                let field = Arc::new(Field::new(unique, ty.to_arrow(), true));
                (Expr::LambdaVariable(LambdaVariable::new(unique.clone(), Some(field))), ty.clone())
            }
            ExprKind::Binary { op: ast::BinaryOp::Concat, left, right } => {
                operators::concat(self.expr(left)?, self.expr(right)?)?
            }
            ExprKind::Binary { op, left, right } => operators::binary(*op, self.expr(left)?, self.expr(right)?)?,
            ExprKind::Unary { expr, .. } => {
                let (expr, ty) = self.expr(expr)?;
                (Expr::Negative(Box::new(expr)), ty)
            }
            ExprKind::Comparison { op, left, right } => {
                operators::comparison(*op, self.expr(left)?, self.expr(right)?)?
            }
            ExprKind::Logical { op, terms } => {
                let mut terms = terms.iter().map(|term| self.expr(term)).collect::<Result<Vec<_>, _>>()?.into_iter();
                let first = terms.next().unwrap();
                terms.fold(first, |(left, ty), (right, _)| match op {
                    LogicalOp::And => (left.and(right), ty),
                    LogicalOp::Or => (left.or(right), ty),
                })
            }
            ExprKind::IsNull { expr, negated } => {
                let (expr, _) = self.expr(expr)?;
                (if *negated { expr.is_not_null() } else { expr.is_null() }, Type::Boolean)
            }
            ExprKind::Cast { expr, target, .. } => {
                let ty = written_type(target);
                (cast(self.expr(expr)?.0, ty.to_arrow()), ty)
            }
            ExprKind::Trim { side, characters, expr } => {
                let name = match side {
                    ast::TrimSide::Both => "trim",
                    ast::TrimSide::Leading => "ltrim",
                    ast::TrimSide::Trailing => "rtrim",
                };
                let mut args = vec![Argument::Value(self.expr(expr)?)];
                if let Some(characters) = characters {
                    args.push(Argument::Value(self.expr(characters)?));
                }
                scalar(name, args, self)?
            }
            ExprKind::Function(call) => {
                let args = call.args.iter().map(|arg| match arg.kind {
                    ExprKind::Lambda { .. } => Ok(Argument::Lambda(arg)),
                    _ => self.expr(arg).map(Argument::Value),
                });
                let args = args.collect::<Result<Vec<_>, _>>()?;
                match call.name.last_lower().as_str() {
                    "if" => {
                        let mut values = args.into_iter().filter_map(|arg| match arg {
                            Argument::Value(value) => Some(value),
                            Argument::Lambda(_) => None,
                        });
                        operators::if_(values.next().unwrap(), values.next().unwrap(), values.next())?
                    }
                    name => scalar(name, args, self)?,
                }
            }
            ExprKind::Array(elements) => {
                let elements = elements.iter().map(|element| self.expr(element)).collect::<Result<Vec<_>, _>>()?;
                let common = common_of(elements.iter().map(|(_, ty)| ty)).unwrap_or(Type::Unknown);
                let ty = Type::array(common.clone());
                if elements.is_empty() {
                    let empty = ScalarValue::List(ScalarValue::new_list_nullable(&[], &DataType::Null));
                    return Ok((lit(empty), ty));
                }
                let elements = elements.into_iter().map(|(element, _)| cast(element, common.to_arrow())).collect();
                (cast(make_array(elements), ty.to_arrow()), ty)
            }
            ExprKind::Row(fields) => {
                let fields = fields.iter().map(|field| self.expr(field)).collect::<Result<Vec<_>, _>>()?;
                let types = fields.iter().map(|(_, ty)| RowField { name: None, ty: ty.clone() });
                let ty = Type::Row(types.collect());
                let args = fields.into_iter().enumerate();
                let args = args.flat_map(|(index, (field, _))| [lit(format!("field{index}")), field]).collect();
                (cast(named_struct(args), ty.to_arrow()), ty)
            }
            ExprKind::Subscript { base, index } => operators::subscript(self.expr(base)?, self.expr(index)?)?,
            other => panic!("tests can't say {other:?}"),
        })
    }
}

fn written_type(ty: &ast::TypeExpr) -> Type {
    match &ty.kind {
        TypeKind::Simple { name, parameters } if parameters.is_empty() => Type::parse_trino(name).unwrap(),
        TypeKind::Simple { name, parameters } => {
            let parameters: Vec<_> = parameters.iter().map(u64::to_string).collect();
            Type::parse_trino(&format!("{name}({})", parameters.join(","))).unwrap()
        }
        TypeKind::Array(element) => Type::array(written_type(element)),
        TypeKind::Map(key, value) => Type::map(written_type(key), written_type(value)),
        other => panic!("tests can't say {other:?}"),
    }
}

fn months(count: i64) -> Typed {
    (lit(ScalarValue::IntervalYearMonth(Some(count as i32))), Type::IntervalYearMonth)
}

fn millis(count: i64) -> Typed {
    (lit(ScalarValue::DurationMillisecond(Some(count))), Type::IntervalDayTime)
}

impl LambdaBinder for Analyzer {
    fn bind(&mut self, lambda: &ast::Expr, types: &[Type]) -> Result<BoundLambda, TrinoError> {
        let ExprKind::Lambda { parameters, body } = &lambda.kind else { panic!("no lambda") };
        assert_eq!(parameters.len(), types.len());
        let depth = self.scopes.len();
        let mut names = Vec::new();
        for (parameter, ty) in parameters.iter().zip(types) {
            self.count += 1;
            names.push(format!("{}_{}", parameter.lower(), self.count));
            self.scopes.push((parameter.lower(), names[names.len() - 1].clone(), ty.clone()));
        }
        let body = self.expr(body);
        self.scopes.truncate(depth);
        let (body, ty) = body?;
        Ok(BoundLambda { parameters: names, body, ty })
    }
}
