//! What the tests of functions share: expressions are evaluated as DataFusion would, and shown as Athena shows them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Schema;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::prelude::SessionContext;

use crate::Typed;
use crate::error::TrinoError;
use crate::types::Type;
use crate::types::format::write_value;

/// Evaluates a constant expression.
pub(crate) fn evaluate(value: &Typed) -> Result<ArrayRef, DataFusionError> {
    let physical = SessionContext::new().create_physical_expr(value.0.clone(), &DFSchema::empty())?;
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one_row)?;
    let array = physical.evaluate(&batch)?.into_array(1)?;
    assert_eq!(array.data_type(), &value.1.to_arrow(), "the value's type is the promised one");
    Ok(array)
}

/// The value as Athena shows it; `NULL` for NULL.
pub(crate) fn show(value: Typed) -> String {
    let array = evaluate(&value).unwrap();
    if array.is_null(0) {
        return "NULL".to_owned();
    }
    let mut text = String::new();
    write_value(&mut text, &array, 0, &value.1);
    text
}

/// The error that evaluating the value gives.
pub(crate) fn error(value: Typed) -> String {
    TrinoError::from(evaluate(&value).unwrap_err()).to_string()
}

/// A call of a scalar function without lambdas.
pub(crate) fn call(name: &str, args: Vec<Typed>) -> Result<Typed, TrinoError> {
    crate::functions::call_scalar(name, args)
}

/// What a call gives, as Athena shows it.
pub(crate) fn shown(name: &str, args: Vec<Typed>) -> String {
    show(call(name, args).unwrap())
}

/// A `varchar(n)` literal.
pub(crate) fn text(value: &str) -> Typed {
    (datafusion::logical_expr::lit(value), Type::Varchar(Some(value.chars().count() as u32)))
}

/// `CAST(text AS type)`.
pub(crate) fn value(value: &str, ty: &str) -> Typed {
    crate::cast::cast(text(value), &Type::parse_trino(ty).unwrap()).unwrap()
}
