//! The way of a window of rows through the conditions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{FilterBuilder, FilterPredicate, prep_null_mask_filter};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;

/// After so many rows a condition that may be left out has shown what it is worth.
const SAMPLE: usize = 65_536;
/// Of so many rows it must drop one at least.
const WORTH: usize = 5;

/// What a scan asks its rows.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    expr: Arc<dyn PhysicalExpr>,
    over: Over,
    /// What it was worth so far, if rows that it would drop are dropped later anyway.
    worth: Option<Arc<Worth>>,
}

#[derive(Debug, Default)]
struct Worth {
    seen: AtomicUsize,
    kept: AtomicUsize,
}

impl Condition {
    /// A condition over columns of `schema` that decides about rows.
    pub(crate) fn new(expr: Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Self> {
        Ok(Self { over: Over::new(&expr, schema)?, expr, worth: None })
    }

    /// A condition that need not be asked: it steps aside where it drops too few rows to be worth its time.
    pub(crate) fn optional(expr: Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Self> {
        Ok(Self { worth: Some(Arc::default()), ..Self::new(expr, schema)? })
    }

    /// The condition over the columns that the scan reads.
    pub(crate) fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        &self.expr
    }

    /// Whether it decides which rows there are.
    pub(crate) fn decides(&self) -> bool {
        self.worth.is_none()
    }

    fn is_worthless(&self) -> bool {
        self.worth.as_ref().is_some_and(|worth| {
            let (seen, kept) = (worth.seen.load(Ordering::Relaxed), worth.kept.load(Ordering::Relaxed));
            seen >= SAMPLE && (seen - kept) < seen / WORTH
        })
    }

    fn learn(&self, seen: usize, kept: usize) {
        if let Some(worth) = &self.worth {
            worth.kept.fetch_add(kept, Ordering::Relaxed);
            worth.seen.fetch_add(seen, Ordering::Relaxed);
        }
    }
}

/// An expression over nothing but the columns that it needs.
#[derive(Debug, Clone)]
pub(super) struct Over {
    expr: Arc<dyn PhysicalExpr>,
    /// The columns' places among all.
    pub(super) uses: Vec<usize>,
    schema: SchemaRef,
}

impl Over {
    /// `expr` is over columns of `schema`.
    pub(super) fn new(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Self> {
        let mut uses: Vec<usize> = collect_columns(expr).iter().map(Column::index).collect();
        uses.sort_unstable();
        uses.dedup();
        let moved = Arc::clone(expr).transform_up(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            let place = uses.iter().position(|used| *used == column.index());
            let place = place.expect("invariant: all columns were collected");
            Ok(Transformed::yes(Arc::new(Column::new(column.name(), place)) as Arc<dyn PhysicalExpr>))
        });
        Ok(Self { expr: moved.data()?, schema: Arc::new(schema.project(&uses)?), uses })
    }

    /// The same with the columns that it uses at other places.
    pub(super) fn with_places(self, place: impl Fn(usize) -> usize) -> Self {
        Self { uses: self.uses.into_iter().map(place).collect(), ..self }
    }

    /// Its value for each row of the columns that it uses.
    pub(super) fn evaluate(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef> {
        if self.expr.is::<Column>() {
            return Ok(columns.into_iter().next().expect("invariant: a column uses itself"));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        self.expr.evaluate(&batch)?.into_array(rows)
    }
}

/// Gives columns of a window of rows when they are needed.
pub(super) trait Columns {
    /// The column at a place: of the rows at the `wanted` places of the window, or of all its `rows`.
    fn column(&mut self, place: usize, rows: usize, wanted: Option<&[u32]>) -> Result<ArrayRef>;

    /// Tells that only so many rows are left.
    fn narrow(&mut self, kept: &FilterPredicate) -> Result<()>;
}

/// All columns are there already.
pub(super) struct Nothing;

impl Columns for Nothing {
    fn column(&mut self, _: usize, _: usize, _: Option<&[u32]>) -> Result<ArrayRef> {
        unreachable!("invariant: all columns are there")
    }

    fn narrow(&mut self, _: &FilterPredicate) -> Result<()> {
        Ok(())
    }
}

/// A window of rows and what is known of it.
pub(super) struct Window<'c> {
    /// How many rows are left.
    left: usize,
    /// Their places among the rows of the window; none for all of them.
    wanted: Option<Vec<u32>>,
    /// The columns of the rows that are left, as far as they were needed.
    known: Vec<Option<ArrayRef>>,
    columns: &'c mut dyn Columns,
}

impl<'c> Window<'c> {
    /// A window of so many rows, of which the `wanted` ones count.
    pub(super) fn new(
        rows: usize,
        wanted: Option<Vec<u32>>,
        known: Vec<Option<ArrayRef>>,
        columns: &'c mut dyn Columns,
    ) -> Self {
        Self { left: wanted.as_ref().map_or(rows, Vec::len), wanted, known, columns }
    }

    /// Asks all conditions, and gives the columns at the places `kept` of the rows that are left. None if no row is.
    pub(super) fn sift(
        mut self,
        conditions: &[Condition],
        kept: &[usize],
        schema: &SchemaRef,
    ) -> Result<Option<RecordBatch>> {
        for condition in conditions {
            if self.left == 0 {
                return Ok(None);
            }
            if !condition.is_worthless() {
                self.ask(condition)?;
            }
        }
        if self.left == 0 {
            return Ok(None);
        }
        let columns = kept.iter().map(|place| self.column(*place)).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.left));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?))
    }

    fn ask(&mut self, condition: &Condition) -> Result<()> {
        let columns = condition.over.uses.iter().map(|place| self.column(*place)).collect::<Result<_>>()?;
        let answers = condition.over.evaluate(columns, self.left)?;
        let answers = answers.as_boolean();
        let keep = if answers.null_count() > 0 { prep_null_mask_filter(answers) } else { answers.clone() };
        let (seen, kept) = (self.left, keep.true_count());
        condition.learn(seen, kept);
        if kept < seen { self.narrow(&keep, kept) } else { Ok(()) }
    }

    fn narrow(&mut self, keep: &BooleanArray, kept: usize) -> Result<()> {
        let places = keep.values().set_indices_u32();
        self.wanted = Some(match self.wanted.take() {
            Some(wanted) => places.map(|place| wanted[place as usize]).collect(),
            None => places.collect(),
        });
        self.left = kept;
        let filter = FilterBuilder::new(keep).optimize().build();
        for column in self.known.iter_mut().flatten() {
            *column = filter.filter(column)?;
        }
        self.columns.narrow(&filter)
    }

    fn column(&mut self, place: usize) -> Result<ArrayRef> {
        if let Some(known) = &self.known[place] {
            return Ok(Arc::clone(known));
        }
        let found = self.columns.column(place, self.left, self.wanted.as_deref())?;
        self.known[place] = Some(Arc::clone(&found));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field};
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr::expressions::{binary, col, lit};

    use super::*;

    /// Columns of numbers, and which rows of them were asked for.
    struct Numbers {
        columns: Vec<Vec<Option<i64>>>,
        asked: Vec<(usize, usize)>,
    }

    impl Columns for Numbers {
        fn column(&mut self, place: usize, rows: usize, wanted: Option<&[u32]>) -> Result<ArrayRef> {
            self.asked.push((place, rows));
            let all = &self.columns[place];
            let found: Int64Array = match wanted {
                Some(wanted) => wanted.iter().map(|row| all[*row as usize]).collect(),
                None => all.iter().copied().collect(),
            };
            assert_eq!(found.len(), rows);
            Ok(Arc::new(found))
        }

        fn narrow(&mut self, _: &FilterPredicate) -> Result<()> {
            Ok(())
        }
    }

    fn schema() -> SchemaRef {
        let fields = ["a", "b", "c"].map(|name| Field::new(name, DataType::Int64, true));
        Arc::new(Schema::new(fields.to_vec()))
    }

    fn above(column: &str, least: i64) -> Arc<dyn PhysicalExpr> {
        binary(col(column, &schema()).unwrap(), Operator::Gt, lit(least), &schema()).unwrap()
    }

    fn sifted(numbers: &mut Numbers, wanted: Option<Vec<u32>>, conditions: &[Condition]) -> Option<RecordBatch> {
        let rows = numbers.columns[0].len();
        Window::new(rows, wanted, vec![None; 3], numbers)
            .sift(conditions, &[2, 0], &Arc::new(schema().project(&[2, 0]).unwrap()))
            .unwrap()
    }

    fn numbers() -> Numbers {
        let some = |values: [i64; 5]| values.map(Some).to_vec();
        let columns =
            vec![some([1, 2, 3, 4, 5]), vec![Some(9), None, Some(9), Some(0), Some(9)], some([10, 20, 30, 40, 50])];
        Numbers { columns, asked: Vec::new() }
    }

    fn values(batch: &RecordBatch, column: usize) -> Vec<i64> {
        batch.column(column).as_primitive::<arrow::datatypes::Int64Type>().values().to_vec()
    }

    #[test]
    fn columns_are_read_of_the_rows_that_are_left() {
        let conditions = [above("a", 1), above("b", 5)].map(|expr| Condition::new(expr, &schema()).unwrap());
        let mut numbers = numbers();
        let found = sifted(&mut numbers, None, &conditions).unwrap();
        assert_eq!((values(&found, 0), values(&found, 1)), (vec![30, 50], vec![3, 5]));
        assert_eq!(numbers.asked, [(0, 5), (1, 4), (2, 2)]);
    }

    #[test]
    fn rows_that_do_not_count_stay_away() {
        let conditions = [Condition::new(above("a", 1), &schema()).unwrap()];
        let mut numbers = numbers();
        let found = sifted(&mut numbers, Some(vec![0, 2, 3]), &conditions).unwrap();
        assert_eq!((values(&found, 0), values(&found, 1)), (vec![30, 40], vec![3, 4]));
        assert_eq!(numbers.asked, [(0, 3), (2, 2)]);
    }

    #[test]
    fn nothing_is_read_for_no_row() {
        let conditions = [above("a", 5), above("b", 0)].map(|expr| Condition::new(expr, &schema()).unwrap());
        let mut numbers = numbers();
        assert!(sifted(&mut numbers, None, &conditions).is_none());
        assert_eq!(numbers.asked, [(0, 5)]);
    }

    #[test]
    fn what_drops_too_few_rows_steps_aside() {
        let condition = Condition::optional(above("a", 1), &schema()).unwrap();
        condition.learn(SAMPLE, SAMPLE - SAMPLE / WORTH + 1);
        assert!(condition.is_worthless());
        assert_eq!(sifted(&mut numbers(), None, &[condition]).unwrap().num_rows(), 5);
        let condition = Condition::optional(above("a", 1), &schema()).unwrap();
        condition.learn(SAMPLE, SAMPLE / 2);
        assert_eq!(sifted(&mut numbers(), None, &[condition]).unwrap().num_rows(), 4);
    }
}
