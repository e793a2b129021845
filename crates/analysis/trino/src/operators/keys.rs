//! The whole numbers that a join's build side has as keys, one bit for each number of their range.
//!
//! To ask such a set takes a fraction of the time of a look-up in the join's hash table, of which it is also a small part in
//! size, so that it pays to ask it for each row right above a scan, even where the join itself is next: what stands in the
//! way of the rows is dropped before it is hashed, copied, or (by scans that decode what they are asked for) decoded.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use arrow::array::{Array, AsArray, BooleanArray, PrimitiveArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema, SchemaRef,
};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, RecordBatchStream, SendableRecordBatchStream,
};
use futures::{Stream, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tokio::sync::watch;

/// The words of the largest set that keys may be scattered over at will.
const SMALL: usize = 2 << 20;
/// The words of the largest set at all.
const LARGEST: usize = 8 << 20;
/// How many words a key may take in sets that are larger than small ones.
const WORDS_PER_KEY: usize = 2;

/// After so many rows a set has shown what it is worth.
const SAMPLE: usize = 65_536;
/// A set that keeps more than this part of the rows steps aside; sooner where the join itself comes next.
const WORTH: f64 = 0.8;
const DIRECT_WORTH: f64 = 0.5;

/// Whether keys of this type are gathered.
pub(super) fn is_whole(ty: &DataType) -> bool {
    matches!(ty, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Date32)
}

/// Numbers, as bits.
#[derive(Debug, Default)]
struct Bits {
    /// The number of the first word: its lowest bit stands for 64 times that.
    first: i64,
    words: Vec<u64>,
    /// How many numbers were added, also those that were there already.
    added: usize,
}

impl Bits {
    /// Adds all numbers of an array; false if they are too far apart.
    fn add(&mut self, array: &dyn Array) -> bool {
        match array.data_type() {
            DataType::Int8 => self.add_all(array.as_primitive::<Int8Type>()),
            DataType::Int16 => self.add_all(array.as_primitive::<Int16Type>()),
            DataType::Int32 => self.add_all(array.as_primitive::<Int32Type>()),
            DataType::Int64 => self.add_all(array.as_primitive::<Int64Type>()),
            DataType::Date32 => self.add_all(array.as_primitive::<Date32Type>()),
            _ => false,
        }
    }

    fn add_all<T: ArrowPrimitiveType<Native: Into<i64>>>(&mut self, array: &PrimitiveArray<T>) -> bool {
        let wider = |(least, greatest): (i64, i64), number: T::Native| {
            let number: i64 = number.into();
            (least.min(number), greatest.max(number))
        };
        let none = (i64::MAX, i64::MIN);
        let (least, greatest) = match array.nulls() {
            None => array.values().iter().copied().fold(none, wider),
            Some(_) => array.iter().flatten().fold(none, wider),
        };
        if least > greatest {
            return true;
        }
        self.added += array.len() - array.null_count();
        if !self.reach(least >> 6, greatest >> 6) {
            return false;
        }
        let mut set = |number: i64| self.words[(number >> 6).wrapping_sub(self.first) as usize] |= 1 << (number & 63);
        match array.nulls() {
            None => array.values().iter().for_each(|number| set((*number).into())),
            Some(_) => array.iter().flatten().for_each(|number| set(number.into())),
        }
        true
    }

    /// Makes room for the words from one to another; false if there would be too many.
    fn reach(&mut self, from: i64, to: i64) -> bool {
        if self.words.is_empty() {
            self.first = from;
        }
        let last = self.first + self.words.len() as i64 - 1;
        let (first, end) = (self.first.min(from), last.max(to));
        let most = SMALL.max(self.added.saturating_mul(WORDS_PER_KEY)).min(LARGEST);
        let Some(wanted) = end.checked_sub(first).and_then(|words| usize::try_from(words).ok()).map(|words| words + 1)
        else {
            return false;
        };
        if wanted > most {
            return false;
        }
        if first < self.first {
            // What grows downwards will go on doing so.
            let needed = (self.first - first) as usize;
            let before = needed.max(self.words.len()).min(needed + (most - wanted));
            let mut words = vec![0; before];
            words.extend_from_slice(&self.words);
            self.first -= before as i64;
            self.words = words;
        }
        let reached = (end - self.first + 1) as usize;
        if reached > self.words.len() {
            self.words.resize(reached, 0);
        }
        true
    }

    /// Adds another set; false if the two are too far apart.
    fn join(&mut self, other: Self) -> bool {
        if other.words.is_empty() {
            return true;
        }
        if self.words.is_empty() {
            *self = other;
            return true;
        }
        self.added += other.added;
        if !self.reach(other.first, other.first + other.words.len() as i64 - 1) {
            return false;
        }
        let from = (other.first - self.first) as usize;
        for (word, added) in self.words[from..].iter_mut().zip(other.words) {
            *word |= added;
        }
        true
    }

    /// Which numbers of an array are here; NULL is not.
    fn contain(&self, array: &dyn Array) -> BooleanBuffer {
        match array.data_type() {
            DataType::Int8 => self.contain_all(array.as_primitive::<Int8Type>()),
            DataType::Int16 => self.contain_all(array.as_primitive::<Int16Type>()),
            DataType::Int32 => self.contain_all(array.as_primitive::<Int32Type>()),
            DataType::Int64 => self.contain_all(array.as_primitive::<Int64Type>()),
            DataType::Date32 => self.contain_all(array.as_primitive::<Date32Type>()),
            _ => unreachable!("invariant: both sides of a join have keys of one type"),
        }
    }

    fn contain_all<T: ArrowPrimitiveType<Native: Into<i64>>>(&self, array: &PrimitiveArray<T>) -> BooleanBuffer {
        let (first, words, numbers) = (self.first << 6, self.words.as_slice(), array.values());
        let found = BooleanBuffer::collect_bool(numbers.len(), |row| {
            let number: i64 = numbers[row].into();
            let place = number.wrapping_sub(first) as u64;
            words.get((place >> 6) as usize).is_some_and(|word| word >> (place & 63) & 1 == 1)
        });
        match array.nulls() {
            Some(valid) => &found & valid.inner(),
            None => found,
        }
    }
}

/// The keys of one join.
#[derive(Debug)]
pub(super) struct Keys {
    gathered: Mutex<Gathered>,
    /// None if they are too far apart for bits.
    found: OnceLock<Option<Bits>>,
    is_ready: watch::Sender<bool>,
}

#[derive(Debug)]
struct Gathered {
    bits: Option<Bits>,
    /// How many partitions of the build side haven't ended.
    open: usize,
}

impl Keys {
    /// Those of a build side with so many partitions.
    pub(super) fn of(partitions: usize) -> Arc<Self> {
        let gathered = Gathered { bits: Some(Bits::default()), open: partitions };
        Arc::new(Self { gathered: Mutex::new(gathered), found: OnceLock::new(), is_ready: watch::Sender::new(false) })
    }

    /// Returns when the build side has ended.
    async fn ready(&self) {
        let mut is_ready = self.is_ready.subscribe();
        // The sender lives as long as these keys.
        let _ = is_ready.wait_for(|is_ready| *is_ready).await;
    }

    /// One partition has no more rows.
    fn end(&self, partition: Option<Bits>) {
        let mut gathered = self.gathered.lock();
        gathered.bits = match (gathered.bits.take(), partition) {
            (Some(mut all), Some(bits)) => all.join(bits).then_some(all),
            _ => None,
        };
        gathered.open -= 1;
        if gathered.open == 0 {
            // A plan is executed once.
            let _ = self.found.set(gathered.bits.take());
            self.is_ready.send_replace(true);
        }
    }
}

/// Hands on a build side and gathers its keys.
#[derive(Debug, Clone)]
pub(crate) struct GatherKeysExec {
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<(Arc<dyn PhysicalExpr>, Arc<Keys>)>,
}

impl GatherKeysExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, keys: Vec<(Arc<dyn PhysicalExpr>, Arc<Keys>)>) -> Self {
        Self { input, keys }
    }

    /// What it hands on.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl DisplayAs for GatherKeysExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatherKeysExec:")?;
        self.keys.iter().try_for_each(|(key, _)| write!(f, " {key}"))
    }
}

impl ExecutionPlan for GatherKeysExec {
    fn name(&self) -> &str {
        "GatherKeysExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    one_input!();

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.keys.iter().try_fold(TreeNodeRecursion::Continue, |all, (key, _)| all.visit_sibling(|| visit(key)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let gathering = self.keys.iter().map(|(key, keys)| Gathering {
            key: Arc::clone(key),
            bits: Some(Bits::default()),
            keys: Arc::clone(keys),
        });
        let gathering = Some(gathering.collect());
        Ok(Box::pin(Gather { input: self.input.execute(partition, context)?, gathering }))
    }
}

struct Gathering {
    key: Arc<dyn PhysicalExpr>,
    bits: Option<Bits>,
    keys: Arc<Keys>,
}

impl Gathering {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        if let Some(bits) = &mut self.bits {
            let keys = self.key.evaluate(batch)?.into_array(batch.num_rows())?;
            if !bits.add(&keys) {
                self.bits = None;
            }
        }
        Ok(())
    }
}

struct Gather {
    input: SendableRecordBatchStream,
    /// None after the last row.
    gathering: Option<Vec<Gathering>>,
}

impl Stream for Gather {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = ready!(this.input.poll_next_unpin(context));
        match (&next, &mut this.gathering) {
            (Some(Ok(batch)), Some(gathering)) => {
                for keys in gathering {
                    if let Err(error) = keys.add(batch) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            (None, gathering) => {
                for Gathering { bits, keys, .. } in gathering.take().into_iter().flatten() {
                    keys.end(bits);
                }
            }
            _ => {}
        }
        Poll::Ready(next)
    }
}

impl RecordBatchStream for Gather {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

/// Whether a column's value is among a join's keys: true also where that isn't known.
#[derive(Debug)]
pub(super) struct AmongKeys {
    column: Arc<dyn PhysicalExpr>,
    keys: Arc<Keys>,
    /// What tells where the bits don't: the filter that the join itself hands down.
    otherwise: Option<Arc<dyn PhysicalExpr>>,
    worth: Arc<Worth>,
}

/// What the filter was worth so far, in all places where it is evaluated.
#[derive(Debug)]
struct Worth {
    /// A filter that keeps more than this part of its rows steps aside.
    most: f64,
    seen: AtomicUsize,
    kept: AtomicUsize,
    is_over: AtomicBool,
}

impl AmongKeys {
    /// `is_direct`: the join is the next to look at the rows.
    pub(super) fn new(
        column: Arc<dyn PhysicalExpr>,
        keys: Arc<Keys>,
        otherwise: Option<Arc<dyn PhysicalExpr>>,
        is_direct: bool,
    ) -> Self {
        let most = if is_direct { DIRECT_WORTH } else { WORTH };
        let worth =
            Worth { most, seen: AtomicUsize::new(0), kept: AtomicUsize::new(0), is_over: AtomicBool::new(false) };
        Self { column, keys, otherwise, worth: Arc::new(worth) }
    }
}

impl Worth {
    fn learn(&self, seen: usize, kept: usize) {
        let seen = self.seen.fetch_add(seen, Ordering::Relaxed) + seen;
        let kept = self.kept.fetch_add(kept, Ordering::Relaxed) + kept;
        if seen >= SAMPLE && kept as f64 > self.most * seen as f64 {
            self.is_over.store(true, Ordering::Relaxed);
        }
    }
}

impl fmt::Display for AmongKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmongKeys({})", self.column)
    }
}

impl PartialEq for AmongKeys {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys) && self.column.as_ref() == other.column.as_ref()
    }
}

impl Eq for AmongKeys {}

impl Hash for AmongKeys {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.column.hash(state);
        Arc::as_ptr(&self.keys).hash(state);
    }
}

impl PhysicalExpr for AmongKeys {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let all = || Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))));
        if self.worth.is_over.load(Ordering::Relaxed) {
            return all();
        }
        match (self.keys.found.get(), &self.otherwise) {
            (Some(Some(bits)), _) => {
                let found = bits.contain(&self.column.evaluate(batch)?.into_array(batch.num_rows())?);
                self.worth.learn(found.len(), found.count_set_bits());
                Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(found, None))))
            }
            (Some(None), Some(otherwise)) => otherwise.evaluate(batch),
            _ => all(),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        [&self.column].into_iter().chain(&self.otherwise).collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let mut children = children.into_iter();
        let column = children.next().expect("invariant: as many children as there were");
        let (keys, worth) = (Arc::clone(&self.keys), Arc::clone(&self.worth));
        Ok(Arc::new(Self { column, keys, otherwise: children.next(), worth }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Begins with its input when keys are there that it is filtered by: build sides are read at the same time else, and the
/// rows of one come too early for the keys of another.
#[derive(Debug, Clone)]
pub(crate) struct AwaitKeysExec {
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<Arc<Keys>>,
}

impl AwaitKeysExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, keys: Vec<Arc<Keys>>) -> Self {
        Self { input, keys }
    }

    /// What it begins with.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl DisplayAs for AwaitKeysExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwaitKeysExec: joins={}", self.keys.len())
    }
}

impl ExecutionPlan for AwaitKeysExec {
    fn name(&self) -> &str {
        "AwaitKeysExec"
    }

    one_input!(without expressions);

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (input, keys) = (Arc::clone(&self.input), self.keys.clone());
        let rows = async move {
            for keys in keys {
                keys.ready().await;
            }
            input.execute(partition, context)
        };
        let rows = futures::stream::once(rows).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array};
    use arrow::datatypes::Field;
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::physical_expr::expressions::{col, lit};

    use super::*;

    fn found(bits: &Bits, numbers: Vec<Option<i64>>) -> Vec<bool> {
        bits.contain(&Int64Array::from(numbers)).iter().collect()
    }

    #[test]
    fn bits_hold_what_was_added_and_nothing_else() {
        let mut bits = Bits::default();
        assert_eq!(found(&bits, vec![Some(0), Some(i64::MIN), None]), [false; 3]);
        assert!(bits.add(&Int64Array::from(vec![Some(7), None, Some(-1)])));
        assert!(bits.add(&Int64Array::from(vec![-1000, 100_000])));
        let asked = vec![Some(-1000), Some(-1), Some(0), Some(7), Some(8), Some(100_000), Some(i64::MAX), None];
        assert_eq!(found(&bits, asked), [true, true, false, true, false, true, false, false]);
        let mut other = Bits::default();
        assert!(other.add(&Int64Array::from(vec![i64::from(i32::MIN) / 128])));
        assert!(bits.join(other));
        let asked = vec![Some(-1000), Some(i64::from(i32::MIN) / 128), Some(i64::MIN)];
        assert_eq!(found(&bits, asked), [true, true, false]);
    }

    #[test]
    fn bits_are_found_wherever_their_range_begins() {
        for first in [0, i64::MIN, i64::MAX - 300, -64, -65, 63] {
            let numbers: Vec<i64> = (0..300).step_by(3).map(|step| first + step).collect();
            let mut bits = Bits::default();
            for chunk in numbers.rchunks(7) {
                assert!(bits.add(&Int64Array::from(chunk.to_vec())));
            }
            let all = (0..300).map(|step| Some(first + step)).collect();
            let expected: Vec<bool> = (0..300).map(|step| step % 3 == 0).collect();
            assert_eq!(found(&bits, all), expected, "{first}");
        }
    }

    #[test]
    fn what_is_scattered_is_given_up() {
        assert!(!Bits::default().add(&Int64Array::from(vec![i64::MIN, i64::MAX])));
        let mut bits = Bits::default();
        assert!(bits.add(&Int64Array::from(vec![0, 64 * (SMALL as i64 - 1)])));
        assert!(!bits.add(&Int64Array::from(vec![64 * SMALL as i64])));
        let mut bits = Bits::default();
        assert!(bits.add(&Int64Array::from(vec![0])));
        assert!(!bits.add(&Int64Array::from(vec![-64 * SMALL as i64])));
        assert!(bits.add(&Int64Array::from(vec![-64 * (SMALL as i64 - 1)])));
        let mut other = Bits::default();
        assert!(other.add(&Int64Array::from(vec![64])));
        assert!(!bits.join(other));
    }

    fn filter(keys: &Arc<Keys>, otherwise: Option<Arc<dyn PhysicalExpr>>, is_direct: bool) -> (AmongKeys, Schema) {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        let column = col("a", &schema).unwrap();
        (AmongKeys::new(column, Arc::clone(keys), otherwise, is_direct), schema)
    }

    fn kept(filter: &AmongKeys, schema: &Schema, rows: i64) -> usize {
        let numbers = Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef;
        let batch = RecordBatch::try_new(Arc::new(schema.clone()), vec![numbers]).unwrap();
        filter.evaluate(&batch).unwrap().into_array(batch.num_rows()).unwrap().as_boolean().true_count()
    }

    fn gathered(numbers: impl IntoIterator<Item = i64>) -> Option<Bits> {
        let mut bits = Bits::default();
        bits.add(&Int64Array::from_iter_values(numbers)).then_some(bits)
    }

    #[test]
    fn all_rows_pass_until_all_partitions_have_ended() {
        let keys = Keys::of(2);
        let (filter, schema) = filter(&keys, Some(lit(false)), false);
        keys.end(gathered([5]));
        assert_eq!(kept(&filter, &schema, 10), 10);
        keys.end(gathered([7, 1000]));
        assert_eq!(kept(&filter, &schema, 10), 2);
    }

    #[test]
    fn no_row_passes_without_keys() {
        let keys = Keys::of(1);
        keys.end(gathered([]));
        let (filter, schema) = filter(&keys, None, true);
        assert_eq!(kept(&filter, &schema, 10), 0);
    }

    #[test]
    fn the_join_is_asked_for_what_bits_do_not_hold() {
        let keys = Keys::of(1);
        keys.end(gathered([i64::MIN, 0]));
        let (asking, schema) = filter(&keys, Some(lit(false)), false);
        assert_eq!(kept(&asking, &schema, 10), 0);
        let (alone, schema) = filter(&keys, None, false);
        assert_eq!(kept(&alone, &schema, 10), 10);
    }

    #[test]
    fn bits_that_drop_little_step_aside() {
        let keys = Keys::of(1);
        let rows = SAMPLE as i64;
        keys.end(gathered(0..rows * 6 / 10));
        let kept_of = |is_direct| {
            let (filter, schema) = filter(&keys, None, is_direct);
            (kept(&filter, &schema, rows), kept(&filter, &schema, rows))
        };
        let some = (rows * 6 / 10) as usize;
        assert_eq!(kept_of(true), (some, SAMPLE));
        assert_eq!(kept_of(false), (some, some));
    }

    #[tokio::test]
    async fn who_waits_for_keys_begins_when_they_are_there() {
        let keys = Keys::of(1);
        let column = Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let input = MemorySourceConfig::try_new_exec(&[vec![batch.clone()]], batch.schema(), None).unwrap();
        let waiting = AwaitKeysExec::new(input, vec![Arc::clone(&keys)]);
        let mut rows = waiting.execute(0, Arc::default()).unwrap();
        assert!(futures::poll!(rows.next()).is_pending());
        keys.end(gathered([2]));
        assert_eq!(rows.next().await.unwrap().unwrap(), batch);
        assert!(rows.next().await.is_none());
    }
}
