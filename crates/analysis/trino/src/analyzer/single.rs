//! The one value that a correlated subquery may give for each row.

use std::sync::Arc;

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::{Result as PlanResult, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The only element of a list, NULL for an empty one.
pub(super) fn single(list: Expr) -> Expr {
    ScalarUDF::new_from_impl(Single { signature: Signature::any(1, Volatility::Immutable) }).call(vec![list])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Single {
    signature: Signature,
}

impl ScalarUDFImpl for Single {
    fn name(&self) -> &str {
        "single_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        match types {
            [DataType::List(element)] => Ok(element.data_type().clone()),
            other => internal_err!("single_value takes a list, and not {other:?}"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let [list] = args.args.as_slice() else {
            return internal_err!("single_value takes one argument");
        };
        let lists = list.to_array(args.number_rows)?;
        let lists = lists.as_list::<i32>();
        let mut places: Vec<Option<u32>> = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let (start, length) = (lists.value_offsets()[row], lists.value_length(row));
            places.push(match length {
                _ if lists.is_null(row) => None,
                0 => None,
                1 => Some(start as u32),
                _ => {
                    let message = "Scalar sub-query has returned multiple rows";
                    return Err(TrinoError::new(ErrorCode::SubqueryMultipleRows, message).into());
                }
            });
        }
        let values = take(lists.values().as_ref(), &UInt32Array::from(places), None)?;
        match list {
            ColumnarValue::Scalar(_) => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?)),
            ColumnarValue::Array(_) => Ok(ColumnarValue::Array(Arc::clone(&values))),
        }
    }
}
