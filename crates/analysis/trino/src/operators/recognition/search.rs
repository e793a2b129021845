//! Looks through partitions for matches, and makes rows of what is found.

use std::ops::Range;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow::compute::{nullif, take};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use tokio::sync::mpsc::Sender;

use super::super::partitions::{Part, Work};
use super::aggregate::{Running, over_nothing};
use super::conditions::Asked;
use super::formula::{Aggregate, Computed, Gathered, Source, SourceKind, field_type};
use super::matcher::{Matcher, Outcome};
use super::navigation::{Navigation, is_one_of};
use super::program::{Label, Program};
use super::windows::{Framed, search_frames};
use super::{Rows, Skip};

/// How many steps the matcher takes before the clock is looked at.
pub(super) const STEPS: usize = 1000;
/// How long a task computes before it gives way.
pub(super) const TURN: Duration = Duration::from_millis(10);

/// All that is known of a recognition before it runs.
#[derive(Debug)]
pub(super) struct Recognised {
    pub(super) program: Program,
    /// The names of the labels.
    pub(super) names: Vec<String>,
    /// The condition of each label.
    pub(super) define: Vec<Option<Computed>>,
    pub(super) measures: Computed,
    pub(super) sought: Sought,
    pub(super) skip: Skip,
    pub(super) outputs: Vec<OutputColumn>,
    pub(super) schema: SchemaRef,
}

/// What matches are looked for.
#[derive(Debug)]
pub(super) enum Sought {
    Matches(Rows),
    Frames(Framed),
}

/// A column of the result.
#[derive(Debug, Clone, Copy)]
pub(super) enum OutputColumn {
    Input(usize),
    Measure(usize),
    Function(usize),
}

#[async_trait]
impl Work for Recognised {
    fn name(&self) -> &'static str {
        "MatchRecognizeExec"
    }

    fn is_window(&self) -> bool {
        matches!(self.sought, Sought::Frames(_))
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn run(&self, part: Part<'_>) -> Result<()> {
        match &self.sought {
            Sought::Matches(rows) => search(self, *rows, part).await,
            Sought::Frames(framed) => search_frames(self, framed, part).await,
        }
    }
}

/// Looks through whole partitions.
async fn search(recognised: &Recognised, rows: Rows, part: Part<'_>) -> Result<()> {
    let Part { rows: input, partitions, batch_size, memory, to, .. } = part;
    let held = memory.size();
    let mut asked = Asked::new(&recognised.define, input, &recognised.names, partitions);
    let mut found = Found::new(recognised, rows, input, batch_size, to);
    let mut turn = Instant::now();
    for partition in partitions {
        (asked.partition, asked.number) = (partition.clone(), 1);
        let mut matcher = Matcher::new(&recognised.program, partition.clone());
        let (mut next, mut matched) = (partition.start, partition.start);
        while next < partition.end {
            let row = next;
            next += 1;
            matcher.begin(row);
            let outcome = loop {
                if turn.elapsed() > TURN {
                    memory.try_resize(held + asked.size() + matcher.size())?;
                    tokio::task::yield_now().await;
                    turn = Instant::now();
                }
                match matcher.advance(&mut asked, STEPS)? {
                    Outcome::Paused => {}
                    outcome => break outcome,
                }
            };
            let is_match = outcome == Outcome::Matched;
            if is_match && !matcher.labels.is_empty() {
                let one = Match { start: row, labels: &matcher.labels, number: asked.number, partition };
                found.matched(&one, &matcher.exclusions).await?;
                matched = matched.max(row + matcher.labels.len());
                next = recognised.skip.next(row, &matcher.labels)?;
            } else if is_match && rows.empty() {
                found.empty(row, asked.number)?;
            } else if !is_match && rows == Rows::AllWithUnmatched && row >= matched {
                found.unmatched(row)?;
            }
            asked.number += i64::from(is_match);
            found.send_full().await?;
        }
    }
    found.send().await?;
    memory.try_resize(held)
}

/// A match with rows.
pub(super) struct Match<'m> {
    pub(super) start: usize,
    pub(super) labels: &'m [Label],
    pub(super) number: i64,
    /// The rows that may be looked at.
    pub(super) partition: &'m Range<usize>,
}

impl Match<'_> {
    /// The row of the input that a navigation finds.
    fn row(&self, navigation: &Navigation, place: Option<usize>) -> Option<usize> {
        navigation.away(self.start + place?, self.partition)
    }

    /// The label of a row of the input.
    fn label(&self, row: usize) -> Option<Label> {
        self.labels.get(row.checked_sub(self.start)?).copied()
    }
}

impl Skip {
    /// The next row whose frame is looked at, after one whose match begins at `start`.
    pub(super) fn next_frame(&self, row: usize, start: usize, labels: &[Label]) -> Result<usize> {
        if *self == Self::Next { Ok(row + 1) } else { self.next(start, labels) }
    }

    /// Where the search goes on.
    fn next(&self, start: usize, labels: &[Label]) -> Result<usize> {
        let failed = |why: &str| {
            let message = format!("AFTER MATCH SKIP failed: {why}");
            DataFusionError::from(TrinoError::new(ErrorCode::GenericUserError, message))
        };
        match self {
            Self::PastLast => Ok(start + labels.len()),
            Self::Next => Ok(start + 1),
            Self::To { labels: to, first } => {
                let navigation =
                    Navigation { labels: to.clone(), first: *first, running: false, ..Navigation::default() };
                match navigation.find(labels, labels.len()) {
                    None => Err(failed("pattern variable is not present in match")),
                    Some(0) => Err(failed("cannot skip to first row of match")),
                    Some(place) => Ok(start + place),
                }
            }
        }
    }
}

/// Rows of the result, until there are enough of them for a batch.
struct Found<'a> {
    recognised: &'a Recognised,
    shown: Rows,
    input: &'a RecordBatch,
    batch_size: usize,
    to: &'a Sender<Result<RecordBatch>>,
    /// The rows whose columns come out.
    rows: Vec<u64>,
    /// What the measures are computed from.
    gathered: Vec<Gathered>,
    /// Which rows belong to no match and so have no measures.
    unmatched: Vec<bool>,
}

impl<'a> Found<'a> {
    fn new(
        recognised: &'a Recognised,
        shown: Rows,
        input: &'a RecordBatch,
        batch_size: usize,
        to: &'a Sender<Result<RecordBatch>>,
    ) -> Self {
        let gathered = recognised.measures.slots.iter().map(Gathered::of).collect();
        Self { recognised, shown, input, batch_size, to, rows: Vec::new(), gathered, unmatched: Vec::new() }
    }

    async fn matched(&mut self, one: &Match<'_>, exclusions: &[usize]) -> Result<()> {
        let mut asking = Vec::with_capacity(self.gathered.len());
        for source in &self.recognised.measures.slots {
            asking.push(Asking::new(source, self.recognised, self.input, one, self.shown != Rows::One)?);
        }
        if self.shown == Rows::One {
            return self.row(one, one.labels.len() - 1, &mut asking);
        }
        for place in 0..one.labels.len() {
            // Rows up to an odd number of borders are excluded.
            if exclusions.partition_point(|border| *border <= place) % 2 == 0 {
                self.row(one, place, &mut asking)?;
                self.send_full().await?;
            }
        }
        Ok(())
    }

    fn row(&mut self, one: &Match<'_>, place: usize, asking: &mut [Asking<'_>]) -> Result<()> {
        self.rows.push((one.start + place) as u64);
        self.unmatched.push(false);
        for (gathered, asking) in self.gathered.iter_mut().zip(asking) {
            asking.at(one, place + 1, gathered)?;
        }
        Ok(())
    }

    /// A match without rows, at a row.
    fn empty(&mut self, row: usize, number: i64) -> Result<()> {
        self.without_match(row, Some(number), over_nothing)
    }

    fn unmatched(&mut self, row: usize) -> Result<()> {
        let null = |aggregate: &Aggregate| ScalarValue::try_from(aggregate.function.field().data_type());
        self.without_match(row, None, null)?;
        if let Some(last) = self.unmatched.last_mut() {
            *last = true;
        }
        Ok(())
    }

    fn without_match(
        &mut self,
        row: usize,
        number: Option<i64>,
        value: impl Fn(&Aggregate) -> Result<ScalarValue>,
    ) -> Result<()> {
        self.rows.push(row as u64);
        self.unmatched.push(false);
        without_rows(&mut self.gathered, &self.recognised.measures.slots, number, value)
    }

    async fn send_full(&mut self) -> Result<()> {
        if self.rows.len() >= self.batch_size { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let batch = self.batch()?;
        self.to.send(Ok(batch)).await.map_err(gone)
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let measures = &self.recognised.measures;
        let rows = UInt64Array::from(std::mem::take(&mut self.rows));
        let mut slots = Vec::with_capacity(measures.slots.len());
        for (index, (gathered, source)) in self.gathered.iter_mut().zip(&measures.slots).enumerate() {
            let ty = field_type(&measures.schema, index);
            slots.push(gathered.take(source, ty, self.input, &self.recognised.names)?);
        }
        let mut values = measures.values(slots, rows.len())?;
        let unmatched = std::mem::take(&mut self.unmatched);
        if unmatched.contains(&true) {
            let unmatched = BooleanArray::from(unmatched);
            values = values.iter().map(|values| nullif(values.as_ref(), &unmatched)).collect::<Result<_, _>>()?;
        }
        let column = |output: &OutputColumn| -> Result<ArrayRef> {
            match output {
                OutputColumn::Input(column) => Ok(take(self.input.column(*column), &rows, None)?),
                OutputColumn::Measure(measure) => Ok(values[*measure].clone()),
                OutputColumn::Function(_) => datafusion::common::internal_err!("functions are those of frames"),
            }
        };
        let columns = self.recognised.outputs.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(self.recognised.schema.clone(), columns, &options)?)
    }
}

/// Whoever reads the rows has gone.
pub(super) fn gone<T>(_: T) -> DataFusionError {
    DataFusionError::Execution("the rows of a pattern's matches are not wanted any more".to_owned())
}

/// What measures are computed from where a match has no rows.
pub(super) fn nothing(gathered: &mut [Gathered], slots: &[Source]) -> Result<()> {
    without_rows(gathered, slots, Some(1), over_nothing)
}

fn without_rows(
    gathered: &mut [Gathered],
    slots: &[Source],
    number: Option<i64>,
    value: impl Fn(&Aggregate) -> Result<ScalarValue>,
) -> Result<()> {
    for (gathered, source) in gathered.iter_mut().zip(slots) {
        match (gathered, &source.kind) {
            (Gathered::Rows(rows), _) => rows.push(None),
            (Gathered::Labels(labels), _) => labels.push(None),
            (Gathered::Numbers(numbers), _) => numbers.push(number),
            (Gathered::Values(values), SourceKind::Aggregate(aggregate)) => values.push(value(aggregate)?),
            (Gathered::Values(_), _) => {}
        }
    }
    Ok(())
}

/// A slot, asked by row after row of a match.
pub(super) struct Asking<'a> {
    source: &'a Source,
    /// Where rows with its labels are, if many will ask.
    places: Option<Vec<usize>>,
    running: Option<Running<'a>>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        source: &'a Source,
        recognised: &'a Recognised,
        input: &RecordBatch,
        one: &Match<'_>,
        many: bool,
    ) -> Result<Self> {
        let running = match &source.kind {
            SourceKind::Aggregate(aggregate) => {
                let names = &recognised.names;
                Some(Running::new(aggregate, input, one.start, one.labels, one.number, names)?)
            }
            _ => None,
        };
        let labels = &source.navigation.labels;
        let places = (many && !labels.is_empty())
            .then(|| (0..one.labels.len()).filter(|place| is_one_of(labels, one.labels[*place])).collect::<Vec<_>>());
        Ok(Self { source, places, running })
    }

    /// Gathers the value for a row of which the first `upto` rows of the match are up to it.
    pub(super) fn at(&mut self, one: &Match<'_>, upto: usize, gathered: &mut Gathered) -> Result<()> {
        let navigation = &self.source.navigation;
        let place = match &self.places {
            Some(places) => navigation.find_among(places, upto),
            None => navigation.find(one.labels, upto),
        };
        match gathered {
            Gathered::Rows(rows) => rows.push(one.row(navigation, place).map(|row| row as u64)),
            Gathered::Labels(labels) => labels.push(one.row(navigation, place).and_then(|row| one.label(row))),
            Gathered::Numbers(numbers) => numbers.push(Some(one.number)),
            Gathered::Values(values) => {
                if let Some(running) = &mut self.running {
                    values.push(running.at(upto)?);
                }
            }
        }
        Ok(())
    }
}
