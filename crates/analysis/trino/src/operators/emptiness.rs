//! `text = ''` and `text <> ''`, which lengths answer.
//!
//! Arrow compares bytes, of which there are none: for each text that is empty it calls a function of the C library, and on
//! processors with masked loads that takes many times what a comparison should, as there is no memory where the constant's
//! bytes would be.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};

/// Puts [`Emptiness`] into filters.
#[derive(Debug)]
pub(super) struct CompareLengths;

impl PhysicalOptimizerRule for CompareLengths {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(filter) = plan.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(plan)) };
            let schema = filter.input().schema();
            let compared = Arc::clone(filter.predicate()).transform_up(|expr| {
                let binary = expr.downcast_ref::<BinaryExpr>();
                Ok(match binary.and_then(|binary| Emptiness::of(binary, &schema)) {
                    Some(emptiness) => Transformed::yes(Arc::new(emptiness) as Arc<dyn PhysicalExpr>),
                    None => Transformed::no(expr),
                })
            })?;
            if !compared.transformed {
                return Ok(Transformed::no(plan));
            }
            let filter = FilterExecBuilder::from(filter).with_predicate(compared.data).build()?;
            Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "CompareLengths"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `text = ''`, or `text <> ''`
#[derive(Debug)]
pub(crate) struct Emptiness {
    text: Arc<dyn PhysicalExpr>,
    nothing: Arc<dyn PhysicalExpr>,
    negated: bool,
}

impl Emptiness {
    fn of(binary: &BinaryExpr, schema: &Schema) -> Option<Self> {
        let negated = match binary.op() {
            Operator::Eq => false,
            Operator::NotEq => true,
            _ => return None,
        };
        let (text, nothing) = match is_nothing(binary.right()) {
            true => (binary.left(), binary.right()),
            false => (binary.right(), binary.left()),
        };
        let is_known = is_nothing(nothing) && is_text(&text.data_type(schema).ok()?);
        is_known.then(|| Self { text: Arc::clone(text), nothing: Arc::clone(nothing), negated })
    }

    /// What is compared with nothing.
    pub(super) fn text(&self) -> &Arc<dyn PhysicalExpr> {
        &self.text
    }

    /// As DataFusion says it.
    pub(crate) fn comparison(&self) -> BinaryExpr {
        let op = if self.negated { Operator::NotEq } else { Operator::Eq };
        BinaryExpr::new(Arc::clone(&self.text), op, Arc::clone(&self.nothing))
    }

    fn compared(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        if let Some(dictionary) = texts.as_any_dictionary_opt() {
            return Ok(take(&self.compared(dictionary.values())?, dictionary.keys(), None)?);
        }
        let Some(strings) = texts.as_string_opt::<i32>() else {
            return internal_err!("{} is no text", texts.data_type());
        };
        let offsets = strings.value_offsets();
        let truth = |row: usize| (offsets[row] == offsets[row + 1]) != self.negated;
        let truths = BooleanBuffer::collect_bool(strings.len(), truth);
        Ok(Arc::new(BooleanArray::new(truths, strings.nulls().cloned())))
    }
}

fn is_nothing(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let value = expr.downcast_ref::<Literal>().map(Literal::value);
    matches!(value, Some(ScalarValue::Utf8(Some(text))) if text.is_empty())
        || matches!(value, Some(ScalarValue::Dictionary(_, text)) if text.as_ref() == &ScalarValue::Utf8(Some(String::new())))
}

fn is_text(ty: &DataType) -> bool {
    match ty {
        DataType::Dictionary(_, values) => values.as_ref() == &DataType::Utf8,
        ty => ty == &DataType::Utf8,
    }
}

impl PartialEq for Emptiness {
    fn eq(&self, other: &Self) -> bool {
        self.negated == other.negated && self.text.eq(&other.text) && self.nothing.eq(&other.nothing)
    }
}

impl Eq for Emptiness {}

impl Hash for Emptiness {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.negated, &self.text, &self.nothing).hash(state);
    }
}

impl fmt::Display for Emptiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.comparison(), f)
    }
}

impl PhysicalExpr for Emptiness {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.text.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        match self.text.evaluate(batch)? {
            ColumnarValue::Array(texts) => Ok(ColumnarValue::Array(self.compared(&texts)?)),
            ColumnarValue::Scalar(text) => {
                let truth = self.compared(&text.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&truth, 0)?))
            }
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.text, &self.nothing]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let (nothing, text) = (children.swap_remove(1), children.swap_remove(0));
        Ok(Arc::new(Self { text, nothing, negated: self.negated }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.comparison().fmt_sql(f)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, StringArray};
    use arrow::datatypes::{Field, Int32Type};
    use datafusion::physical_expr::expressions::{col, lit};

    use super::*;

    fn truths(texts: ArrayRef, op: Operator, turned: bool) -> (Vec<Option<bool>>, Vec<Option<bool>>) {
        let schema = Arc::new(Schema::new(vec![Field::new("t", texts.data_type().clone(), true)]));
        let (text, nothing) = (col("t", &schema).unwrap(), lit(""));
        let (left, right) = if turned { (nothing, text) } else { (text, nothing) };
        let comparison = BinaryExpr::new(left, op, right);
        let emptiness = Emptiness::of(&comparison, &schema).unwrap();
        let batch = RecordBatch::try_new(schema, vec![texts]).unwrap();
        let evaluate = |expr: &dyn PhysicalExpr| {
            let array = expr.evaluate(&batch).unwrap().into_array(batch.num_rows()).unwrap();
            array.as_boolean().iter().collect()
        };
        (evaluate(&emptiness), evaluate(&comparison))
    }

    #[test]
    fn lengths_say_what_bytes_say() {
        let texts = vec![Some("a"), Some(""), None, Some("bc"), Some("")];
        let plain: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        for texts in [Arc::clone(&plain), plain.slice(1, 3), plain.slice(2, 0)] {
            for (op, turned) in [(Operator::Eq, false), (Operator::NotEq, true)] {
                let (found, expected) = truths(Arc::clone(&texts), op, turned);
                assert_eq!(found, expected);
            }
        }
        let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
        let (found, _) = truths(Arc::new(dictionary), Operator::NotEq, false);
        assert_eq!(found, [Some(true), Some(false), None, Some(true), Some(false)]);
    }

    #[test]
    fn other_comparisons_are_left_alone() {
        let schema = Schema::new(vec![Field::new("t", DataType::Utf8, true), Field::new("n", DataType::Int64, true)]);
        let of = |name, op, value: Arc<dyn PhysicalExpr>| {
            Emptiness::of(&BinaryExpr::new(col(name, &schema).unwrap(), op, value), &schema)
        };
        assert!(of("t", Operator::Eq, lit("a")).is_none());
        assert!(of("t", Operator::Gt, lit("")).is_none());
        assert!(of("n", Operator::Eq, lit(5_i64)).is_none());
        assert_eq!(of("t", Operator::Eq, lit("")).unwrap().to_string(), "t@0 = ");
    }
}
