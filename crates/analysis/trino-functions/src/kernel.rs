//! Our own functions inside DataFusion: one scalar function and one function with lambdas, both around a plain kernel.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result as PlanResult, ScalarValue};
use datafusion::logical_expr::expr::HigherOrderFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, ValueOrLambda, Volatility,
};

use crate::cast::{is_nullable, nulls_for_errors};
use crate::error::{ErrorCode, TrinoError};
use crate::types::Type;

/// Computes a function for all rows of a batch at once.
pub(crate) type Kernel = fn(&Call<'_>) -> Result<ArrayRef, TrinoError>;

/// What a kernel is given.
pub(crate) struct Call<'a> {
    args: &'a [Argument],
    /// The arguments' types; a lambda's is its body's.
    pub(crate) types: &'a [Type],
    /// The type of the result.
    pub(crate) result: &'a Type,
    /// How many values are wanted.
    pub(crate) rows: usize,
    /// Whether a row that can't be computed may be NULL: who heeds it saves the search for the rows that fail.
    pub(crate) tolerant: bool,
}

type Argument = ValueOrLambda<ColumnarValue, LambdaArgument>;

impl Call<'_> {
    /// How many arguments there are.
    pub(crate) fn len(&self) -> usize {
        self.args.len()
    }

    /// An argument with one value for each row.
    pub(crate) fn array(&self, index: usize) -> Result<ArrayRef, TrinoError> {
        match self.args.get(index) {
            Some(ValueOrLambda::Value(ColumnarValue::Array(array))) => Ok(Arc::clone(array)),
            Some(ValueOrLambda::Value(ColumnarValue::Scalar(value))) => Ok(value.to_array_of_size(self.rows)?),
            _ => Err(TrinoError::internal(format!("argument {index} is no value"))),
        }
    }

    /// An argument's value if it is the same for all rows: what can be prepared once, such as a pattern.
    pub(crate) fn constant(&self, index: usize) -> Option<&ScalarValue> {
        match self.args.get(index) {
            Some(ValueOrLambda::Value(ColumnarValue::Scalar(value))) => Some(value),
            _ => None,
        }
    }

    /// A row's value, or NULL instead of its error where that is wanted.
    pub(crate) fn forgive<T>(&self, value: Result<Option<T>, TrinoError>) -> Result<Option<T>, TrinoError> {
        match value {
            Err(error) if self.tolerant && is_nullable(error.code) => Ok(None),
            other => other,
        }
    }

    /// The lambda given as an argument.
    pub(crate) fn lambda(&self, index: usize) -> Result<Lambda<'_>, TrinoError> {
        match self.args.get(index) {
            Some(ValueOrLambda::Lambda(lambda)) => Ok(Lambda(lambda)),
            _ => Err(TrinoError::internal(format!("argument {index} is no lambda"))),
        }
    }
}

/// A lambda that a kernel was given.
pub(crate) struct Lambda<'a>(&'a LambdaArgument);

impl Lambda<'_> {
    /// The lambda's values where its parameters have these values. Columns of the query that it mentions are taken from
    /// the batch's row `rows[i]` for the i-th value.
    pub(crate) fn evaluate(&self, parameters: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef, TrinoError> {
        let values: Vec<_> = parameters.iter().map(|array| || Ok(Arc::clone(array))).collect();
        let mut values: Vec<&dyn Fn() -> PlanResult<ArrayRef>> =
            values.iter().map(|value| value as &dyn Fn() -> PlanResult<ArrayRef>).collect();
        // Without parameters the number of rows comes from a column that nobody reads.
        let count = || -> PlanResult<ArrayRef> { Ok(Arc::new(rows.clone())) };
        if values.is_empty() {
            values.push(&count);
        }
        let captured = |columns: &[ArrayRef]| columns.iter().map(|column| Ok(take(column, rows, None)?)).collect();
        Ok(self.0.evaluate(&values, captured)?.into_array(rows.len())?)
    }

    /// The values of a lambda without parameters in some rows of the batch that follow each other.
    pub(crate) fn evaluate_slice(&self, offset: usize, length: usize) -> Result<ArrayRef, TrinoError> {
        // The number of rows comes from a column that nobody reads.
        let count = || -> PlanResult<ArrayRef> { Ok(new_null_array(&DataType::Null, length)) };
        let captured = |columns: &[ArrayRef]| Ok(columns.iter().map(|column| column.slice(offset, length)).collect());
        Ok(self.0.evaluate(&[&count], captured)?.into_array(length)?)
    }
}

/// What is known about a function's errors.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure {
    /// Nothing.
    Unknown,
    /// An error is one row's own, and where an argument is NULL, so is the result.
    OfRows,
    /// There is none, with arguments for which this holds.
    Never(fn(&[Expr]) -> bool),
}

/// A kernel with what it was resolved to. Two are equal if they mean the same function on the same types.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// The function's name.
    pub(crate) name: String,
    /// Tells overloads apart.
    pub(crate) signature: &'static str,
    /// What computes it.
    pub(crate) kernel: Kernel,
    /// The arguments' types; a lambda's is its body's.
    pub(crate) types: Vec<Type>,
    /// The types of each lambda's parameters.
    pub(crate) lambdas: Vec<Vec<Type>>,
    /// The result's type.
    pub(crate) result: Type,
    /// Whether the same arguments always give the same result.
    pub(crate) volatility: Volatility,
    /// How it fails.
    pub(crate) failure: Failure,
    /// Whether rows that can't be computed are NULL, as inside TRY.
    pub(crate) tolerant: bool,
}

impl Bound {
    /// An operator of one signature, which is its name.
    pub(crate) fn operator(name: &'static str, kernel: Kernel, types: Vec<Type>, result: Type) -> Self {
        Self {
            name: name.to_owned(),
            signature: name,
            kernel,
            types,
            lambdas: Vec::new(),
            result,
            volatility: Volatility::Immutable,
            failure: Failure::Unknown,
            tolerant: false,
        }
    }

    /// The function that an expression calls, if it is one of ours, and the arguments.
    pub(crate) fn of(expr: &Expr) -> Option<(&Self, &[Expr])> {
        let Expr::ScalarFunction(call) = expr else { return None };
        Some((&call.func.inner().downcast_ref::<Scalar>()?.bound, &call.args))
    }

    /// The call as an expression; lambdas stand among the arguments as [`Expr::Lambda`].
    pub(crate) fn call(self, args: Vec<Expr>) -> Expr {
        if self.lambdas.is_empty() {
            let signature = any_arguments(args.len(), self.volatility);
            return ScalarUDF::new_from_impl(Scalar { bound: self, signature }).call(args);
        }
        let signature = HigherOrderSignature::variadic_any(self.volatility);
        let function = HigherOrderUDF::new_from_impl(HigherOrder { bound: self, signature });
        Expr::HigherOrderFunction(HigherOrderFunction::new(Arc::new(function), args))
    }

    fn run(&self, args: &[Argument], rows: usize) -> Result<ArrayRef, TrinoError> {
        let Self { types, result, tolerant, .. } = self;
        (self.kernel)(&Call { args, types, result, rows, tolerant: *tolerant })
    }

    fn compute(&self, args: &[Argument], number_rows: usize) -> PlanResult<ColumnarValue> {
        let constant = self.volatility != Volatility::Volatile
            && args.iter().all(|arg| matches!(arg, ValueOrLambda::Value(ColumnarValue::Scalar(_))));
        let rows = if constant { 1 } else { number_rows };
        let computed = match self.tolerant {
            true => {
                nulls_for_errors(rows, &self.result, &|offset, length| self.run(&slices(args, offset, length), length))
            }
            false => self.run(args, rows),
        }?;
        if computed.data_type() != &self.result.to_arrow() || computed.len() != rows {
            let (got, len, wanted) = (computed.data_type(), computed.len(), &self.result);
            let message = format!("{} gave {len} values of {got} instead of {rows} of {wanted}", self.name);
            return Err(TrinoError::internal(message).into());
        }
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&computed, 0)?),
            false => ColumnarValue::Array(computed),
        })
    }
}

/// Some rows of arguments that are no lambdas.
fn slices(args: &[Argument], offset: usize, length: usize) -> Vec<Argument> {
    let slice = |arg: &Argument| match arg {
        ValueOrLambda::Value(ColumnarValue::Array(array)) => {
            ValueOrLambda::Value(ColumnarValue::Array(array.slice(offset, length)))
        }
        other => other.clone(),
    };
    args.iter().map(slice).collect()
}

/// The analyzer has checked the arguments already; DataFusion only wants to know whether there are any.
pub(crate) fn any_arguments(count: usize, volatility: Volatility) -> Signature {
    if count == 0 { Signature::nullary(volatility) } else { Signature::any(count, volatility) }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.signature, &self.types, &self.lambdas, &self.result, self.tolerant)
            == (&other.name, other.signature, &other.types, &other.lambdas, &other.result, other.tolerant)
    }
}

impl Eq for Bound {}

impl Hash for Bound {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, self.signature, &self.types, &self.result, self.tolerant).hash(state);
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Scalar {
    bound: Bound,
    signature: Signature,
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        &self.bound.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(self.bound.result.to_arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let rows = args.number_rows;
        let args: Vec<_> = args.args.into_iter().map(ValueOrLambda::Value).collect();
        self.bound.compute(&args, rows)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct HigherOrder {
    bound: Bound,
    signature: HigherOrderSignature,
}

impl HigherOrderUDFImpl for HigherOrder {
    fn name(&self) -> &str {
        &self.bound.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _: usize,
        _: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> PlanResult<LambdaParametersProgress> {
        let field = |ty: &Type| Arc::new(Field::new("", ty.to_arrow(), true));
        let parameters = self.bound.lambdas.iter().map(|types| types.iter().map(field).collect());
        Ok(LambdaParametersProgress::Complete(parameters.collect()))
    }

    fn return_field_from_args(&self, _: HigherOrderReturnFieldArgs<'_>) -> PlanResult<FieldRef> {
        Ok(Arc::new(Field::new("", self.bound.result.to_arrow(), true)))
    }

    /// Nothing of a lambda may be computed before its function asks for it: TRY depends on that.
    fn short_circuits(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> PlanResult<ColumnarValue> {
        self.bound.compute(&args.args, args.number_rows)
    }
}

impl From<DataFusionError> for TrinoError {
    /// Our own errors come back out unharmed; any other is an internal one.
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::External(inner) => match inner.downcast_ref::<Self>() {
                Some(ours) => ours.clone(),
                None => Self::internal(error.to_string()),
            },
            DataFusionError::ArrowError(inner, _) => Self::of_arrow(inner),
            DataFusionError::ResourcesExhausted(message) => Self::new(ErrorCode::ExceededMemoryLimit, message),
            _ => Self::internal(error.to_string()),
        }
    }
}
