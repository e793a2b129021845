//! AND over conditions that are all cheap.
//!
//! DataFusion's AND evaluates its right side for the rows that the left one leaves, where those are few, and puts the
//! results back in their places. To compare a column of numbers as a whole takes less time than that.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::{and, and_kleene};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

/// True where all conditions are.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Every(Vec<Arc<dyn PhysicalExpr>>);

impl Every {
    /// `conditions` can't fail, and there is at least one.
    pub(super) fn new(conditions: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        assert!(!conditions.is_empty(), "invariant: something is asked");
        Self(conditions)
    }

    /// All of them.
    pub(crate) fn conditions(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.0
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, condition) in self.0.iter().enumerate() {
            write!(f, "{}{condition}", if index == 0 { "" } else { " AND " })?;
        }
        Ok(())
    }
}

impl PhysicalExpr for Every {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.0.iter().try_fold(false, |found, condition| Ok(found || condition.nullable(schema)?))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let mut all: Option<BooleanArray> = None;
        for condition in &self.0 {
            let next = condition.evaluate(batch)?.into_array(batch.num_rows())?;
            let next = next.as_boolean();
            all = Some(match all {
                None => next.clone(),
                Some(all) if all.nulls().is_none() && next.nulls().is_none() => and(&all, next)?,
                Some(all) => and_kleene(&all, next)?,
            });
        }
        let all = all.expect("invariant: something is asked");
        Ok(ColumnarValue::Array(Arc::new(all)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.0.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self::new(children)))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::datatypes::Field;
    use datafusion::common::ScalarValue;
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr::expressions::{binary, col, lit};

    use super::*;

    #[test]
    fn unknown_and_false_is_false() {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
        let a = Int64Array::from(vec![Some(1), Some(5), Some(9), None]);
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(a)]).unwrap();
        let compare = |op, value: Option<i64>| {
            binary(col("a", &schema).unwrap(), op, lit(ScalarValue::Int64(value)), &schema).unwrap()
        };
        let evaluate = |conditions| {
            let found = Every::new(conditions).evaluate(&batch).unwrap().into_array(4).unwrap();
            found.as_boolean().iter().collect::<Vec<_>>()
        };
        let (above, below) = (|| compare(Operator::Gt, Some(1)), || compare(Operator::Lt, Some(9)));
        assert_eq!(evaluate(vec![above(), below()]), [Some(false), Some(true), Some(false), None]);
        let unknown = compare(Operator::Lt, None);
        assert_eq!(evaluate(vec![unknown, above()]), [Some(false), None, None, None]);
        assert_eq!(Every::new(vec![above(), below()]).to_string(), "a@0 > 1 AND a@0 < 9");
    }
}
