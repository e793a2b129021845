//! Trino's types, operators and functions, over Arrow and DataFusion's expressions.
//!
//! AWS counterpart: the function library of Athena engine version 3, which is Trino's.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`types`] | the types, their coercions, their names in Trino and Hive, their values as text |
//! | [`cast`] | CAST, TRY_CAST and implicit coercion |
//! | [`operators`] | `+ - * / %`, signs, comparisons: result types and expressions |
//! | [`arithmetic`] | the checked kernels behind them, as one scalar function |
//! | `functions` | every function by name, one file for each kind |
//! | [`sql_json`] | JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY |
//! | `signature`, `resolve` | signatures as text, and which overload a call means |
//! | `kernel` | our own functions inside DataFusion |
//! | [`date_pattern`] | Java's patterns of dates, for what is written outside of SQL |
//! | `time` | dates, times and zones as numbers |
//! | [`error`] | errors with Trino's names |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod arithmetic;
pub mod cast;
pub mod date_pattern;
pub mod error;
mod functions;
mod kernel;
pub mod operators;
mod resolve;
mod signature;
pub mod sql_json;
#[cfg(test)]
mod testing;
mod time;
pub mod types;

pub use functions::aggregate::MovedSum;
pub use functions::json;

use boathouse_trino_parser::ast;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, Sort};
use datafusion::logical_expr::{Expr, WindowFunctionDefinition};

use crate::error::{ErrorCode, TrinoError};
use crate::functions::aggregate::{distinct, named};
use crate::functions::sliding::sliding;
use crate::functions::{Implementation, TABLE};
use crate::kernel::Bound;
use crate::resolve::{Resolution, resolve};
use crate::types::Type;

/// An expression with its type.
pub type Typed = (Expr, Type);

/// An argument of a function.
#[derive(Debug)]
pub enum Argument<'a> {
    /// A value.
    Value(Typed),
    /// A lambda, an [`ast::ExprKind::Lambda`], whose parameters' types the function decides.
    Lambda(&'a ast::Expr),
}

/// Resolves lambdas: the analyzer's part, which knows the names in scope.
pub trait LambdaBinder {
    /// The lambda's body with these types for its parameters, which the body addresses by [`Expr::LambdaVariable`].
    ///
    /// # Errors
    /// What is wrong with the body, or INVALID_ARGUMENTS for another number of parameters.
    fn bind(&mut self, lambda: &ast::Expr, parameters: &[Type]) -> Result<BoundLambda, TrinoError>;
}

/// A lambda after the analysis.
#[derive(Debug)]
pub struct BoundLambda {
    /// The names of the parameters, each used nowhere else in the statement.
    pub parameters: Vec<String>,
    /// The body.
    pub body: Expr,
    /// The body's type.
    pub ty: Type,
}

/// The sorts of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// A value for each row.
    Scalar,
    /// A value for each group; every aggregate is a window function too.
    Aggregate,
    /// A value for each row from its window; only with OVER.
    Window,
}

/// A call of an aggregate.
#[derive(Debug)]
pub struct AggregateCall {
    /// The function's name.
    pub name: String,
    /// The arguments; none for `count(*)`.
    pub args: Vec<Typed>,
    /// Whether DISTINCT was there.
    pub distinct: bool,
    /// FILTER (WHERE …)
    pub filter: Option<Expr>,
    /// ORDER BY among the arguments, or WITHIN GROUP.
    pub order_by: Vec<Sort>,
}

/// A function for the documentation and SHOW FUNCTIONS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDoc {
    /// The name.
    pub name: String,
    /// Its sort.
    pub kind: FunctionKind,
    /// The signatures of its overloads.
    pub signatures: Vec<&'static str>,
    /// What it does.
    pub description: &'static str,
}

/// What sort of function a name is; none if there is no such function.
pub fn kind(name: &str) -> Option<FunctionKind> {
    TABLE.overloads(name).first().map(|entry| entry.kind())
}

/// A call of a scalar function.
///
/// # Errors
/// FUNCTION_NOT_FOUND for an unknown name or arguments that no overload takes; what the binder says about a lambda.
pub fn scalar(name: &str, args: Vec<Argument<'_>>, binder: &mut dyn LambdaBinder) -> Result<Typed, TrinoError> {
    let resolution = resolve(name, &[FunctionKind::Scalar], args, binder)?;
    let Resolution { entry, args, lambdas, result } = resolution;
    let expr = match &entry.implementation {
        Implementation::Native(native) => native(args.into_iter().map(|(expr, _)| expr).collect()),
        Implementation::Expression(build) => build(args, &result)?,
        Implementation::Kernel(kernel) => {
            let (args, types) = args.into_iter().unzip();
            let bound = Bound {
                name: name.to_lowercase(),
                signature: entry.signature.text,
                kernel: *kernel,
                types,
                lambdas,
                result: result.clone(),
                volatility: entry.volatility,
                failure: entry.failure,
                tolerant: false,
            };
            bound.call(args)
        }
        Implementation::Aggregate(_) | Implementation::Window(_) => {
            return Err(TrinoError::internal(format!("{name} is no scalar function")));
        }
    };
    Ok((expr, result))
}

/// A call of an aggregate, as an [`Expr::AggregateFunction`].
///
/// # Errors
/// FUNCTION_NOT_FOUND for an unknown name or arguments that no overload takes.
pub fn aggregate(call: AggregateCall) -> Result<Typed, TrinoError> {
    let args = call.args.into_iter().map(Argument::Value).collect();
    let resolution = resolve(&call.name, &[FunctionKind::Aggregate], args, &mut NoLambdas)?;
    let Implementation::Aggregate(build) = &resolution.entry.implementation else {
        return Err(TrinoError::internal(format!("{} is no aggregate", call.name)));
    };
    let plan = build(resolution.args, &resolution.result)?;
    let params = AggregateFunctionParams {
        args: plan.args,
        distinct: call.distinct,
        filter: call.filter.map(Box::new),
        order_by: if plan.ordered { call.order_by } else { Vec::new() },
        null_treatment: None,
    };
    let func = named(plan.function, &call.name);
    let func = if call.distinct { distinct(func) } else { func };
    Ok((Expr::AggregateFunction(AggregateFunction { func, params }), resolution.result))
}

/// A call of a window function or of an aggregate as one: the function, its arguments and the result's type.
///
/// # Errors
/// FUNCTION_NOT_FOUND for an unknown name or arguments that no overload takes; NULL_TREATMENT_NOT_ALLOWED for IGNORE
/// NULLS on a function that has none.
pub fn window(
    name: &str,
    args: Vec<Typed>,
    ignore_nulls: bool,
) -> Result<(WindowFunctionDefinition, Vec<Expr>, Type), TrinoError> {
    let args = args.into_iter().map(Argument::Value).collect();
    let resolution = resolve(name, &[FunctionKind::Window, FunctionKind::Aggregate], args, &mut NoLambdas)?;
    let nulls_can_be_ignored = matches!(name, "lag" | "lead" | "first_value" | "last_value" | "nth_value");
    if ignore_nulls && !nulls_can_be_ignored {
        let message = format!("Cannot specify null treatment clause for {name} function");
        return Err(TrinoError::new(ErrorCode::NullTreatmentNotAllowed, message));
    }
    match &resolution.entry.implementation {
        Implementation::Window(build) => {
            let (function, args) = build(resolution.args, &resolution.result)?;
            Ok((function, args, resolution.result))
        }
        Implementation::Aggregate(build) => {
            let plan = build(resolution.args, &resolution.result)?;
            let function = WindowFunctionDefinition::AggregateUDF(sliding(named(plan.function, name)));
            Ok((function, plan.args, resolution.result))
        }
        _ => Err(TrinoError::internal(format!("{name} is no window function"))),
    }
}

/// All functions, in the order of their names.
pub fn catalogue() -> impl Iterator<Item = FunctionDoc> {
    TABLE.iter().filter_map(|(name, entries)| {
        let first = entries.first()?;
        Some(FunctionDoc {
            name: name.to_owned(),
            kind: first.kind(),
            signatures: entries.iter().map(|entry| entry.signature.text).collect(),
            description: first.description,
        })
    })
}

/// For functions that take no lambdas.
struct NoLambdas;

impl LambdaBinder for NoLambdas {
    fn bind(&mut self, lambda: &ast::Expr, _: &[Type]) -> Result<BoundLambda, TrinoError> {
        let message = "Lambda expression should always be used inside a function";
        Err(TrinoError::at(lambda.pos, ErrorCode::InvalidArguments, message))
    }
}
