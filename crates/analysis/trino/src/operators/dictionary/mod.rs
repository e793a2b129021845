//! Filters over texts that stand in dictionaries.
//!
//! Where a file keeps few different texts, a filter right above its scan compares each of them once instead of once a row,
//! and moves places in the dictionary instead of texts. What leaves the filter is text again, except for an aggregation that
//! groups by it.

mod answers;
mod groups;

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, DictionaryArray, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::projection::{ProjectionExpr, ProjectionExprs};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::ProjectionExec;

use self::answers::OfDictionaries;
pub(super) use self::groups::GroupDictionaries;
use self::groups::{NumberOf, TextOf};
use super::emptiness::Emptiness;
use super::every::Every;
use super::search::Search;
use crate::error::internal;
use crate::scan::{Dictionaries, dictionary};

/// Lets filters see the dictionaries of the scans below them.
#[derive(Debug)]
pub(super) struct FilterDictionaries;

impl PhysicalOptimizerRule for FilterDictionaries {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(filter) = plan.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(plan)) };
            Ok(match over_dictionaries(filter)? {
                Some(filter) => Transformed::yes(filter),
                None => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "FilterDictionaries"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The filter over a scan that keeps its dictionaries, if it has any.
fn over_dictionaries(filter: &FilterExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let scan = filter.input();
    let Some((config, source)) =
        scan.downcast_ref::<DataSourceExec>().and_then(DataSourceExec::downcast_to_file_source::<ParquetSource>)
    else {
        return Ok(None);
    };
    let kept = kept(config, source);
    if kept.is_empty() {
        return Ok(None);
    }
    let Some(scan) = with_dictionaries(config, &scan.schema(), &kept)? else { return Ok(None) };
    let predicate = on_dictionaries(filter.predicate(), &kept)?;
    let filter = FilterExecBuilder::from(filter).with_input(scan).with_predicate(predicate).build()?;
    as_texts(Arc::new(filter)).map(Some)
}

/// Which columns of a scan's output have dictionaries in all its files.
fn kept(config: &FileScanConfig, source: &ParquetSource) -> BTreeSet<usize> {
    let shared = Dictionaries::shared(config);
    let Some(output) = source.projection() else { return BTreeSet::new() };
    let is_shared = |output: &ProjectionExpr| {
        output.expr.downcast_ref::<Column>().is_some_and(|column| shared.contains(&column.index()))
    };
    output.iter().enumerate().filter(|(_, output)| is_shared(output)).map(|(place, _)| place).collect()
}

fn with_dictionaries(
    config: &FileScanConfig,
    schema: &Schema,
    kept: &BTreeSet<usize>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let keep = |place, column| kept.contains(&place).then(|| Arc::new(AsDictionary(column)) as Arc<dyn PhysicalExpr>);
    let output = ProjectionExprs::new(translated(schema, keep));
    let Some(source) = config.file_source().try_pushdown_projection(&output)? else { return Ok(None) };
    let files = |group: &FileGroup| FileGroup::new(group.iter().map(Dictionaries::kept).collect());
    let groups = config.file_groups.iter().map(files).collect();
    let config = FileScanConfigBuilder::from(config.clone()).with_source(source).with_file_groups(groups).build();
    Ok(Some(DataSourceExec::from_data_source(config)))
}

/// The plan with texts where it has dictionaries.
fn as_texts(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let has_dictionary = |place: usize| *schema.field(place).data_type() == dictionary();
    if !(0..schema.fields().len()).any(has_dictionary) {
        return Ok(plan);
    }
    let output = translated(&schema, |place, column| has_dictionary(place).then(|| as_text(column)));
    Ok(Arc::new(ProjectionExec::try_new(output, plan)?))
}

/// All columns of a schema, each as `translate` has it at its place, or as it is.
fn translated(
    schema: &Schema,
    translate: impl Fn(usize, Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>>,
) -> Vec<ProjectionExpr> {
    let columns = schema.fields().iter().enumerate().map(|(place, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), place));
        ProjectionExpr::new(translate(place, Arc::clone(&column)).unwrap_or(column), field.name().clone())
    });
    columns.collect()
}

fn as_text(expr: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::new(CastExpr::new(expr, DataType::Utf8, None))
}

/// The column of dictionaries whose texts an expression gives.
fn of_dictionary(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Option<Arc<dyn PhysicalExpr>> {
    let from = expr.downcast_ref::<CastExpr>()?.expr();
    let is_it = from.is::<Column>() && from.data_type(schema).is_ok_and(|ty| ty == dictionary());
    is_it.then(|| Arc::clone(from))
}

/// Whether a projection does nothing but turn dictionaries, texts, and numbers of texts into each other.
pub(crate) fn is_translation(projection: &ProjectionExec) -> bool {
    let input = projection.input().schema();
    let translates = |expr: &Arc<dyn PhysicalExpr>| {
        of_dictionary(expr, &input).is_some() || expr.is::<NumberOf>() || expr.is::<TextOf>()
    };
    let mut output = projection.expr().iter().map(|output| &output.expr);
    output.clone().all(|expr| expr.is::<Column>() || translates(expr)) && output.any(translates)
}

/// A condition over texts as one over dictionaries in the `kept` columns: what asks one of them is answered by its
/// dictionary, everything else is given texts.
fn on_dictionaries(expr: &Arc<dyn PhysicalExpr>, kept: &BTreeSet<usize>) -> Result<Arc<dyn PhysicalExpr>> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        let expr = Arc::clone(expr);
        return Ok(if kept.contains(&column.index()) { as_text(expr) } else { expr });
    }
    let asked = collect_columns(expr);
    if let Some(column) = asked.iter().next().filter(|column| asked.len() == 1 && kept.contains(&column.index()))
        && is_condition(expr)
        && !fails(expr)
    {
        return Ok(Arc::new(OnDictionary::new(Arc::clone(expr), column.clone())?));
    }
    let children = expr.children();
    if children.is_empty() {
        return Ok(Arc::clone(expr));
    }
    let children = children.into_iter().map(|child| on_dictionaries(child, kept)).collect::<Result<_>>()?;
    Arc::clone(expr).with_new_children(children)
}

fn is_condition(expr: &Arc<dyn PhysicalExpr>) -> bool {
    !expr.is::<Column>() && !expr.is::<Literal>()
}

/// Whether an expression may fail: then it must not be asked about a text that no row has.
fn fails(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let is_comparison = |op: &Operator| {
        use Operator::{And, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq, Or};
        matches!(op, And | Eq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom | Lt | LtEq | NotEq | Or)
    };
    let is_harmless = expr.downcast_ref::<BinaryExpr>().is_some_and(|binary| is_comparison(binary.op()))
        || expr.is::<Column>()
        || expr.is::<Literal>()
        || expr.is::<InListExpr>()
        || expr.is::<LikeExpr>()
        || expr.is::<Search>()
        || expr.is::<Emptiness>()
        || expr.is::<Every>()
        || expr.is::<NotExpr>()
        || expr.is::<IsNullExpr>()
        || expr.is::<IsNotNullExpr>();
    !is_harmless || expr.children().into_iter().any(fails)
}

/// A column of texts with the dictionary that the file has.
#[derive(Debug, Eq)]
struct AsDictionary(Arc<dyn PhysicalExpr>);

impl PartialEq for AsDictionary {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq(&other.0)
    }
}

impl Hash for AsDictionary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for AsDictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl PhysicalExpr for AsDictionary {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(dictionary())
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.0.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        // Where the file's type is not the table's, the scan has put a cast in between.
        if let Some(cast) = self.0.downcast_ref::<CastExpr>() {
            let read = cast.expr().evaluate(batch)?;
            if read.data_type() == dictionary() {
                return Ok(read);
            }
        }
        self.0.evaluate(batch)?.cast_to(&dictionary(), None)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.0]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self(children.swap_remove(0))))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_sql(f)
    }
}

/// A condition on one column of texts, asked once for each text of its dictionary.
#[derive(Debug)]
pub(crate) struct OnDictionary {
    condition: Arc<dyn PhysicalExpr>,
    column: Column,
    /// The condition over a batch of nothing but texts, and that batch's schema.
    alone: Arc<dyn PhysicalExpr>,
    texts: SchemaRef,
    answers: OfDictionaries<Answers>,
}

/// What the texts of a dictionary are answered: one for each, then one for NULL.
#[derive(Debug)]
struct Answers(BooleanArray);

impl OnDictionary {
    fn new(condition: Arc<dyn PhysicalExpr>, column: Column) -> Result<Self> {
        let alone = Arc::clone(&condition).transform_up(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            Ok(Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<dyn PhysicalExpr>))
        });
        let texts = Arc::new(Schema::new(vec![Field::new(column.name(), DataType::Utf8, true)]));
        Ok(Self { condition, column, alone: alone.data()?, texts, answers: OfDictionaries::default() })
    }

    /// What is asked.
    pub(crate) fn condition(&self) -> &Arc<dyn PhysicalExpr> {
        &self.condition
    }

    fn answers(&self, texts: &ArrayRef) -> Result<Answers> {
        let all = concat(&[texts.as_ref(), new_null_array(&DataType::Utf8, 1).as_ref()])?;
        let batch = RecordBatch::try_new(Arc::clone(&self.texts), vec![all])?;
        let found = self.alone.evaluate(&batch)?.into_array(batch.num_rows())?;
        Ok(Answers(found.as_boolean().clone()))
    }
}

impl Answers {
    /// The answer for each row of a column with this dictionary.
    fn of(&self, column: &DictionaryArray<Int32Type>) -> BooleanArray {
        let (keys, nothing) = (column.keys(), self.0.len() - 1);
        let place = |row: usize| usize::try_from(keys.value(row)).unwrap_or(nothing);
        let known = self.0.values();
        if keys.null_count() == 0 && self.0.nulls().is_none_or(|nulls| nulls.slice(0, nothing).null_count() == 0) {
            let found: Vec<bool> = known.iter().collect();
            return BooleanBuffer::collect_bool(keys.len(), |row| found[place(row)]).into();
        }
        let place = |row: usize| if keys.is_null(row) { nothing } else { place(row) };
        (0..keys.len()).map(place).map(|at| self.0.is_valid(at).then(|| known.value(at))).collect()
    }
}

impl PartialEq for OnDictionary {
    fn eq(&self, other: &Self) -> bool {
        self.condition.eq(&other.condition)
    }
}

impl Eq for OnDictionary {}

impl Hash for OnDictionary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}

impl fmt::Display for OnDictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.condition, f)
    }
}

impl PhysicalExpr for OnDictionary {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let Some(column) = batch.column(self.column.index()).as_dictionary_opt::<Int32Type>() else {
            return Err(internal(format!("column {} has no dictionary", self.column.name())).into());
        };
        let answers = self.answers.get(column.values(), || self.answers(column.values()))?;
        Ok(ColumnarValue::Array(Arc::new(answers.of(column))))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = children.swap_remove(0);
        let columns = collect_columns(&condition);
        let Some(column) = columns.into_iter().next() else { return Ok(condition) };
        Ok(Arc::new(Self::new(condition, column)?))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::physical_expr::expressions::{binary, col, in_list, is_null, lit};

    use super::*;

    fn answered(condition: Arc<dyn PhysicalExpr>, rows: &[Option<&str>]) -> Vec<Option<bool>> {
        let column: DictionaryArray<Int32Type> = rows.iter().copied().collect();
        let schema = Schema::new(vec![Field::new("t", dictionary(), true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)]).unwrap();
        let asked = on_dictionaries(&condition, &BTreeSet::from([0])).unwrap();
        assert!(asked.is::<OnDictionary>());
        let found = [(); 2].map(|()| asked.evaluate(&batch).unwrap().into_array(rows.len()).unwrap());
        assert_eq!(found[0].as_ref(), found[1].as_ref());
        found[0].as_boolean().iter().collect()
    }

    fn texts() -> Schema {
        Schema::new(vec![Field::new("t", DataType::Utf8, true), Field::new("u", DataType::Utf8, true)])
    }

    #[test]
    fn every_text_is_answered_as_by_itself() {
        let schema = texts();
        let t = || col("t", &schema).unwrap();
        let equal = |text: &str| binary(t(), Operator::Eq, lit(text), &schema).unwrap();
        let rows = [Some("a"), None, Some("b"), Some("a")];
        assert_eq!(answered(equal("a"), &rows), [Some(true), None, Some(false), Some(true)]);
        assert_eq!(answered(is_null(t()).unwrap(), &rows), [Some(false), Some(true), Some(false), Some(false)]);
        let listed = in_list(t(), vec![lit("b"), lit("c")], &false, &schema).unwrap();
        assert_eq!(answered(listed, &rows[2..]), [Some(true), Some(false)]);
        let either = binary(equal("a"), Operator::Or, is_null(t()).unwrap(), &schema).unwrap();
        assert_eq!(answered(either, &rows), [Some(true), Some(true), Some(false), Some(true)]);
    }

    #[test]
    fn what_may_fail_or_asks_two_columns_is_given_texts() {
        let schema = texts();
        let (t, u) = (|| col("t", &schema).unwrap(), || col("u", &schema).unwrap());
        let both = binary(t(), Operator::Eq, u(), &schema).unwrap();
        let kept = BTreeSet::from([0]);
        assert_eq!(on_dictionaries(&both, &kept).unwrap().to_string(), "CAST(t@0 AS Utf8) = u@1");
        let number: Arc<dyn PhysicalExpr> = Arc::new(CastExpr::new(t(), DataType::Int64, None));
        let above = binary(number, Operator::Gt, lit(5_i64), &schema).unwrap();
        assert_eq!(on_dictionaries(&above, &kept).unwrap().to_string(), "CAST(CAST(t@0 AS Utf8) AS Int64) > 5");
    }
}
