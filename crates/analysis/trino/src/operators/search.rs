//! LIKE with a pattern that begins with `%`, over all texts of a batch at once.
//!
//! Arrow asks one text after the other, with a regular expression where the pattern has several parts. The texts of an
//! array lie behind each other in memory, so one search for the pattern's first part runs through all of them at the speed
//! of memory; only a text in which it is found is looked at for itself.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray, BooleanBufferBuilder, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{LikeExpr, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use memchr::memmem::{Finder, find};

/// Puts [`Search`] into filters.
#[derive(Debug)]
pub(super) struct SearchTexts;

impl PhysicalOptimizerRule for SearchTexts {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(filter) = plan.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(plan)) };
            let searching = Arc::clone(filter.predicate()).transform_up(|expr| {
                Ok(match expr.downcast_ref::<LikeExpr>().and_then(Search::of) {
                    Some(search) => Transformed::yes(Arc::new(search) as Arc<dyn PhysicalExpr>),
                    None => Transformed::no(expr),
                })
            })?;
            if !searching.transformed {
                return Ok(Transformed::no(plan));
            }
            let filter = FilterExecBuilder::from(filter).with_predicate(searching.data).build()?;
            Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "SearchTexts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `value [NOT] LIKE '%first%…'`
#[derive(Debug)]
pub(crate) struct Search {
    value: Arc<dyn PhysicalExpr>,
    pattern: Arc<dyn PhysicalExpr>,
    negated: bool,
    parts: Parts,
}

/// What stands between a pattern's `%`.
#[derive(Debug)]
struct Parts {
    first: Finder<'static>,
    /// What follows in this order, with anything between.
    others: Vec<String>,
    /// What the text ends with, behind all of them.
    end: String,
}

impl Search {
    fn of(like: &LikeExpr) -> Option<Self> {
        let ScalarValue::Utf8(Some(pattern)) = like.pattern().downcast_ref::<Literal>()?.value() else { return None };
        if like.case_insensitive() {
            return None;
        }
        let (value, written) = (Arc::clone(like.expr()), Arc::clone(like.pattern()));
        Some(Self { value, pattern: written, negated: like.negated(), parts: Parts::of(pattern)? })
    }

    /// As DataFusion says it.
    pub(crate) fn like(&self) -> LikeExpr {
        LikeExpr::new(self.negated, false, Arc::clone(&self.value), Arc::clone(&self.pattern))
    }
}

impl Parts {
    /// The parts of a pattern that begins with `%` and has no other special character.
    fn of(pattern: &str) -> Option<Self> {
        let pattern = pattern.strip_prefix('%')?;
        if pattern.contains(['_', '\\']) {
            return None;
        }
        let (parts, end) = pattern.rsplit_once('%')?;
        let mut parts = parts.split('%').filter(|part| !part.is_empty());
        let first = Finder::new(parts.next()?).into_owned();
        Some(Self { first, others: parts.map(str::to_owned).collect(), end: end.to_owned() })
    }

    /// Whether a text goes on as the pattern does, behind where the first part was found.
    fn follow(&self, mut text: &[u8]) -> bool {
        for part in &self.others {
            match find(text, part.as_bytes()) {
                Some(at) => text = &text[at + part.len()..],
                None => return false,
            }
        }
        text.ends_with(self.end.as_bytes())
    }

    /// For each text whether the pattern fits it.
    fn found_in(&self, texts: &StringArray, negated: bool) -> BooleanArray {
        let offsets = texts.value_offsets();
        let place = |row: usize| usize::try_from(offsets[row]).expect("invariant: offsets are not negative");
        let (bytes, length) = (texts.value_data(), self.first.needle().len());
        let mut found = BooleanBufferBuilder::new(texts.len());
        found.append_n(texts.len(), negated);
        let (mut from, last, mut row) = (place(0), place(texts.len()), 0);
        while let Some(hit) = self.first.find(&bytes[from..last]).map(|at| from + at) {
            row = row_of(offsets, row, hit);
            let end = place(row + 1);
            if hit + length > end {
                // The end of a text and the beginning of the next look like it.
                from = hit + 1;
                continue;
            }
            // The earliest place leaves the most for what follows.
            found.set_bit(row, self.follow(&bytes[hit + length..end]) != negated);
            from = end;
        }
        BooleanArray::new(found.finish(), texts.nulls().cloned())
    }
}

/// The row in whose text a byte is; it is `row` or a later one. What is looked for is mostly near.
fn row_of(offsets: &[i32], row: usize, byte: usize) -> usize {
    let byte = i32::try_from(byte).expect("invariant: offsets have 32 bits");
    let mut step = 1;
    while row + step < offsets.len() && offsets[row + step] <= byte {
        step *= 2;
    }
    let end = offsets.len().min(row + step + 1);
    row + offsets[row..end].partition_point(|offset| *offset <= byte) - 1
}

impl PartialEq for Search {
    fn eq(&self, other: &Self) -> bool {
        self.negated == other.negated && self.value.eq(&other.value) && self.pattern.eq(&other.pattern)
    }
}

impl Eq for Search {}

impl Hash for Search {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.negated, &self.value, &self.pattern).hash(state);
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.like(), f)
    }
}

impl PhysicalExpr for Search {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.value.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        match self.value.evaluate(batch)? {
            ColumnarValue::Array(texts) if texts.data_type() == &DataType::Utf8 => {
                Ok(ColumnarValue::Array(Arc::new(self.parts.found_in(texts.as_string(), self.negated))))
            }
            _ => self.like().evaluate(batch),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.value, &self.pattern]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let like = LikeExpr::new(self.negated, false, Arc::clone(&children[0]), Arc::clone(&children[1]));
        Ok(match Self::of(&like) {
            Some(search) => Arc::new(search),
            None => Arc::new(like),
        })
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.like().fmt_sql(f)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::ArrayRef;
    use arrow::datatypes::Field;
    use datafusion::physical_expr::expressions::{col, lit};
    use proptest::prelude::*;

    use super::*;

    fn both(texts: &StringArray, pattern: &str, negated: bool) -> Option<(ArrayRef, ArrayRef)> {
        let schema = Arc::new(Schema::new(vec![Field::new("t", DataType::Utf8, true)]));
        let like = LikeExpr::new(negated, false, col("t", &schema).unwrap(), lit(pattern));
        let batch = RecordBatch::try_new(schema, vec![Arc::new(texts.clone())]).unwrap();
        let evaluate = |expr: &dyn PhysicalExpr| expr.evaluate(&batch).unwrap().into_array(texts.len()).unwrap();
        Some((evaluate(&Search::of(&like)?), evaluate(&like)))
    }

    #[test]
    fn a_part_is_within_one_text() {
        let texts =
            StringArray::from(vec![Some("sp"), Some("ecial"), None, Some("a special request"), Some("special")]);
        let (found, expected) = both(&texts, "%special%", false).unwrap();
        assert_eq!(found.as_boolean(), expected.as_boolean());
        assert_eq!(found.as_boolean().iter().flatten().filter(|hit| *hit).count(), 2);
    }

    #[test]
    fn other_patterns_are_left_alone() {
        let texts = StringArray::from(vec!["a"]);
        for pattern in ["a%", "%", "%%", "%a_b%", r"%\%%", "a", "%a"] {
            assert!(both(&texts, pattern, false).is_none(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn it_says_what_arrow_says(
            texts in proptest::collection::vec(proptest::option::of("[abc]{0,6}"), 0..40),
            pattern in "%[abc]{1,2}(%[abc]{0,2}){1,3}",
            negated: bool,
            from in 0usize..5,
        ) {
            let texts = StringArray::from(texts);
            let from = from.min(texts.len());
            let texts = texts.slice(from, texts.len() - from);
            let (found, expected) = both(&texts, &pattern, negated).unwrap();
            prop_assert_eq!(found.as_boolean(), expected.as_boolean());
        }
    }
}
