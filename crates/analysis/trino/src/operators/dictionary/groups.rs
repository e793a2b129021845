//! Grouping by texts that stand in dictionaries.
//!
//! An aggregation right above a scan compares numbers that stand for the texts, and turns the numbers of its groups back
//! into texts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type, Schema};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;
use parking_lot::Mutex;

use super::answers::OfDictionaries;
use super::{is_translation, of_dictionary, translated};
use crate::error::internal;

/// Lets aggregations group by numbers instead of texts.
#[derive(Debug)]
pub(in super::super) struct GroupDictionaries;

impl PhysicalOptimizerRule for GroupDictionaries {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(aggregate) = plan.downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(plan)) };
            Ok(match by_numbers(aggregate)? {
                Some(aggregate) => Transformed::yes(aggregate),
                None => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "GroupDictionaries"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The numbers of texts, by the columns that hold them.
type Numbered = BTreeMap<usize, Arc<Numbers>>;

fn by_numbers(aggregate: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    use AggregateMode::{Partial, Single, SinglePartitioned};
    let keys = aggregate.group_expr();
    let takes_rows = matches!(aggregate.mode(), Partial | Single | SinglePartitioned);
    if !takes_rows || !keys.is_single() || aggregate.limit_options().is_some() {
        return Ok(None);
    }
    let Some((input, numbered)) = numbered(aggregate.input(), &only_keys(aggregate))? else { return Ok(None) };
    let schema = input.schema();
    let grouped = AggregateExec::try_new(
        *aggregate.mode(),
        keys.clone(),
        aggregate.aggr_expr().to_vec(),
        aggregate.filter_expr().to_vec(),
        input,
        schema,
    )?;
    let key = |place: usize| keys.expr().get(place).and_then(|(key, _)| key.downcast_ref::<Column>());
    let output = translated(&grouped.schema(), |place, column| {
        let numbers = key(place).and_then(|key| numbered.get(&key.index()))?;
        Some(Arc::new(TextOf { number: column, numbers: Arc::clone(numbers) }))
    });
    Ok(Some(Arc::new(ProjectionExec::try_new(output, Arc::new(grouped))?)))
}

/// The columns of an aggregation's input that are keys and nothing else.
fn only_keys(aggregate: &AggregateExec) -> BTreeSet<usize> {
    let keys = aggregate.group_expr().expr().iter().map(|(key, _)| key);
    let (columns, others): (Vec<_>, Vec<_>) = keys.cloned().partition(|key| key.is::<Column>());
    let arguments = aggregate.aggr_expr().iter().flat_map(|aggregate| {
        let all = aggregate.all_expressions();
        all.args.into_iter().chain(all.order_by_exprs)
    });
    let filters = aggregate.filter_expr().iter().flatten().cloned();
    let used: BTreeSet<usize> =
        others.into_iter().chain(arguments).chain(filters).flat_map(|expr| asked(&expr)).collect();
    columns.iter().flat_map(asked).filter(|column| !used.contains(column)).collect()
}

fn asked(expr: &Arc<dyn PhysicalExpr>) -> BTreeSet<usize> {
    collect_columns(expr).iter().map(Column::index).collect()
}

/// The plan with numbers in those of the wanted columns that come out of dictionaries, if there are any.
fn numbered(
    plan: &Arc<dyn ExecutionPlan>,
    wanted: &BTreeSet<usize>,
) -> Result<Option<(Arc<dyn ExecutionPlan>, Numbered)>> {
    let Some(projection) = plan.downcast_ref::<ProjectionExec>().filter(|_| !wanted.is_empty()) else {
        return Ok(None);
    };
    let input = projection.input();
    if is_translation(projection) {
        let (mut found, mut output) = (Numbered::new(), projection.expr().to_vec());
        for place in wanted {
            let ProjectionExpr { expr, .. } = &mut output[*place];
            if let Some(column) = of_dictionary(expr, &input.schema()) {
                let numbers = Arc::new(Numbers::default());
                *expr = Arc::new(NumberOf { text: column, numbers: Arc::clone(&numbers) });
                found.insert(*place, numbers);
            }
        }
        let plan = || ProjectionExec::try_new(output, Arc::clone(input));
        return (!found.is_empty()).then(|| Ok((Arc::new(plan()?) as _, found))).transpose();
    }
    let outputs = || projection.expr().iter().map(|output| &output.expr).enumerate();
    let times = |column: usize| outputs().filter(|(_, expr)| asked(expr).contains(&column)).count();
    let passed: BTreeMap<usize, usize> = outputs()
        .filter(|(place, _)| wanted.contains(place))
        .filter_map(|(place, expr)| Some((expr.downcast_ref::<Column>()?.index(), place)))
        .filter(|(column, _)| times(*column) == 1)
        .collect();
    let Some((input, below)) = numbered(input, &passed.keys().copied().collect())? else { return Ok(None) };
    let plan = ProjectionExec::try_new(projection.expr().to_vec(), input)?;
    Ok(Some((Arc::new(plan), below.into_iter().map(|(column, numbers)| (passed[&column], numbers)).collect())))
}

/// The numbers that texts were given.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    given: Mutex<Given>,
    dictionaries: OfDictionaries<Vec<i32>>,
}

#[derive(Debug, Default)]
struct Given {
    numbers: HashMap<Arc<str>, i32>,
    texts: Vec<Arc<str>>,
}

impl Given {
    fn number(&mut self, text: &str) -> Result<i32> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let number = i32::try_from(self.texts.len()).map_err(|_| internal("too many texts for one column"))?;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        Ok(number)
    }
}

impl Numbers {
    /// For each row the number of its text.
    fn of(&self, column: &DictionaryArray<Int32Type>) -> Result<Int32Array> {
        let numbers = self.dictionaries.get(column.values(), || {
            let mut given = self.given.lock();
            column.values().as_string::<i32>().iter().map(|text| given.number(text.unwrap_or_default())).collect()
        })?;
        let number = |key: i32| usize::try_from(key).ok().and_then(|key| numbers.get(key)).copied().unwrap_or_default();
        Ok(match column.values().null_count() {
            0 => column.keys().unary(number),
            _ => (0..column.len())
                .map(|row| column.key(row).filter(|key| column.values().is_valid(*key)))
                .map(|key| Some(number(key? as i32)))
                .collect(),
        })
    }

    /// For each number its text.
    fn texts(&self, numbers: &Int32Array) -> Result<ArrayRef> {
        let texts = StringArray::from_iter_values(&self.given.lock().texts);
        Ok(take(&texts, numbers, None)?)
    }
}

/// The number of a text that stands in a dictionary.
#[derive(Debug)]
pub(super) struct NumberOf {
    text: Arc<dyn PhysicalExpr>,
    numbers: Arc<Numbers>,
}

/// The text of a number.
#[derive(Debug)]
pub(super) struct TextOf {
    number: Arc<dyn PhysicalExpr>,
    numbers: Arc<Numbers>,
}

/// What both have in common: they are the same if they are about the same numbers.
macro_rules! translation {
    ($name:ident, $from:ident, $to:expr, $evaluate:expr) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.$from.eq(&other.$from) && Arc::ptr_eq(&self.numbers, &other.numbers)
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.$from.hash(state);
                Arc::as_ptr(&self.numbers).hash(state);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.$from, f)
            }
        }

        impl PhysicalExpr for $name {
            fn data_type(&self, _: &Schema) -> Result<DataType> {
                Ok($to)
            }

            fn nullable(&self, schema: &Schema) -> Result<bool> {
                self.$from.nullable(schema)
            }

            fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
                let from = self.$from.evaluate(batch)?.into_array(batch.num_rows())?;
                let to: ArrayRef = $evaluate(&self.numbers, &from)?;
                Ok(ColumnarValue::Array(to))
            }

            fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
                vec![&self.$from]
            }

            fn with_new_children(
                self: Arc<Self>,
                mut children: Vec<Arc<dyn PhysicalExpr>>,
            ) -> Result<Arc<dyn PhysicalExpr>> {
                Ok(Arc::new(Self { $from: children.swap_remove(0), numbers: Arc::clone(&self.numbers) }))
            }

            fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.$from.fmt_sql(f)
            }
        }
    };
}

translation!(NumberOf, text, DataType::Int32, |numbers: &Numbers, texts: &ArrayRef| {
    Ok::<_, datafusion::common::DataFusionError>(Arc::new(numbers.of(texts.as_dictionary())?) as ArrayRef)
});
translation!(TextOf, number, DataType::Utf8, |numbers: &Numbers, found: &ArrayRef| numbers.texts(found.as_primitive()));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_in_all_dictionaries() {
        let numbers = Numbers::default();
        let (one, other): (DictionaryArray<Int32Type>, DictionaryArray<Int32Type>) = (
            [Some("a"), Some("b"), None, Some("a")].into_iter().collect(),
            [Some("c"), Some("b"), Some("c")].into_iter().collect(),
        );
        let found = [numbers.of(&one).unwrap(), numbers.of(&other).unwrap(), numbers.of(&one).unwrap()];
        assert_eq!(found[0], Int32Array::from(vec![Some(0), Some(1), None, Some(0)]));
        assert_eq!(found[1], Int32Array::from(vec![2, 1, 2]));
        assert_eq!(found[2], found[0]);
        let texts = numbers.texts(&Int32Array::from(vec![Some(2), None, Some(0)])).unwrap();
        assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("c"), None, Some("a")]);
    }
}
