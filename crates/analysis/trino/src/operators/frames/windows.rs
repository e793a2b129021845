//! Whole partitions in, the same rows with what is made of their frames out.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_expr::PhysicalSortExpr;
use tokio::sync::mpsc::Sender;

use super::super::partitions::{Part, Work, alike};
use super::bounds::{Bounds, Partition};
use super::{Evaluation, Frame, FramedOutput, Function, Place};

/// How long the operator computes before others have their turn.
const TURN: Duration = Duration::from_millis(10);

/// What is computed of the rows of partitions.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) frame: Frame<usize>,
    pub(super) functions: Vec<Function>,
    pub(super) outputs: Vec<FramedOutput<usize>>,
    pub(super) schema: SchemaRef,
}

#[async_trait]
impl Work for Windows {
    fn name(&self) -> &'static str {
        "FramedWindowExec"
    }

    fn is_window(&self) -> bool {
        true
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn run(&self, part: Part<'_>) -> Result<()> {
        let mut rows = Rows::new(self, part.rows, part.order_by, part.batch_size)?;
        for partition in part.partitions {
            rows.compute(partition.clone(), part.memory, part.to).await?;
        }
        rows.pass_on(part.to).await
    }
}

/// Rows one after the other, until there are enough of them for a batch.
struct Rows<'a> {
    windows: &'a Windows,
    input: &'a RecordBatch,
    /// The values of the order's keys.
    keys: Vec<ArrayRef>,
    bounds: Bounds<'a>,
    evaluations: Vec<Evaluation<'a>>,
    /// The rows that are computed and not passed on.
    computed: Range<usize>,
    batch_size: usize,
    /// When the task gave way last.
    turn: Instant,
}

impl<'a> Rows<'a> {
    fn new(
        windows: &'a Windows,
        input: &'a RecordBatch,
        order_by: &[PhysicalSortExpr],
        batch_size: usize,
    ) -> Result<Self> {
        let order = order_by.first().map_or_else(SortOptions::default, |sort| sort.options);
        let keys = order_by.iter().map(|sort| sort.expr.evaluate(input)?.into_array(input.num_rows()));
        Ok(Self {
            windows,
            input,
            keys: keys.collect::<Result<_>>()?,
            bounds: Bounds::new(&windows.frame, input, order)?,
            evaluations: windows.functions.iter().map(|function| Evaluation::new(function, input)).collect(),
            computed: 0..0,
            batch_size,
            turn: Instant::now(),
        })
    }

    async fn compute(
        &mut self,
        rows: Range<usize>,
        memory: &MemoryReservation,
        to: &Sender<Result<RecordBatch>>,
    ) -> Result<()> {
        let groups = alike(&self.keys, rows.clone())?;
        let known = groups.capacity() * size_of::<Range<usize>>();
        memory.try_grow(known)?;
        let partition = Partition { rows, groups };
        for (group, peers) in partition.groups.iter().enumerate() {
            for row in peers.clone() {
                let frame = self.bounds.of(row, group, &partition)?;
                let place = Place { row, frame, partition: partition.rows.clone(), peers: peers.clone(), group };
                for evaluation in &mut self.evaluations {
                    evaluation.add(&place)?;
                }
                self.computed.end = row + 1;
                if self.computed.len() >= self.batch_size {
                    self.pass_on(to).await?;
                }
                if self.turn.elapsed() > TURN {
                    tokio::task::yield_now().await;
                    self.turn = Instant::now();
                }
            }
        }
        memory.shrink(known);
        Ok(())
    }

    /// Passes on the rows that are computed.
    async fn pass_on(&mut self, to: &Sender<Result<RecordBatch>>) -> Result<()> {
        if self.computed.is_empty() {
            return Ok(());
        }
        let (first, rows) = (self.computed.start, self.computed.len());
        let values = self.evaluations.iter_mut().map(Evaluation::take).collect::<Result<Vec<_>>>()?;
        let column = |output: &FramedOutput<usize>| match output {
            FramedOutput::Input(column) => self.input.column(*column).slice(first, rows),
            FramedOutput::Function(place) => Arc::clone(&values[*place]),
        };
        let columns = self.windows.outputs.iter().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.windows.schema), columns, &options)?;
        self.computed.start = self.computed.end;
        to.send(Ok(batch)).await.map_err(|_| DataFusionError::Execution("nobody reads the rows any more".to_owned()))
    }
}
