//! Joins that multiply rows must neither hold their thread for ever nor outlive the query that was stopped.
//!
//! DataFusion's tasks give way where a scan hands on a batch, and only there can they be aborted. A join of every row with
//! every row computes for hours between two batches of its inputs. So whatever comes out of a join gives way after some
//! milliseconds; and where pairs are formed before they are filtered, so that nothing may come out, the probe side's batches
//! are cut into slices small enough for the join to be done with each in milliseconds.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{JoinType, Result};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, RecordBatchStream, SendableRecordBatchStream,
};
use futures::{Stream, StreamExt, ready};

/// How long a task computes before it gives way.
const TURN: Duration = Duration::from_millis(10);
/// How many rows the first slice of a stream has.
const FIRST_SLICE: usize = 64;

/// Puts [`PaceExec`]s around joins.
#[derive(Debug)]
pub(super) struct PaceJoins;

impl PhysicalOptimizerRule for PaceJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        pace(plan)
    }

    fn name(&self) -> &'static str {
        "PaceJoins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn pace(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let mut children: Vec<_> =
        plan.children().into_iter().map(|child| pace(Arc::clone(child))).collect::<Result<_>>()?;
    if hides_pairs(plan.as_ref())
        && let Some(probed) = children.last_mut()
    {
        *probed = Arc::new(PaceExec { input: Arc::clone(probed), slices: true });
    }
    let plan = replace_children_if_necessary(plan, children)?;
    let multiplies = plan.is::<CrossJoinExec>()
        || plan.is::<NestedLoopJoinExec>()
        || plan.is::<HashJoinExec>()
        || plan.is::<SortMergeJoinExec>()
        || plan.is::<UnnestExec>();
    Ok(if multiplies { Arc::new(PaceExec { input: plan, slices: false }) } else { plan })
}

/// Whether a join forms pairs of rows of which few may come out.
fn hides_pairs(plan: &dyn ExecutionPlan) -> bool {
    match plan.downcast_ref::<HashJoinExec>() {
        Some(join) => join.filter().is_some() || *join.join_type() != JoinType::Inner,
        None => plan.is::<NestedLoopJoinExec>(),
    }
}

/// Hands on its input's batches and gives way in between.
#[derive(Debug, Clone)]
struct PaceExec {
    input: Arc<dyn ExecutionPlan>,
    slices: bool,
}

impl DisplayAs for PaceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.slices { "PaceExec: slices" } else { "PaceExec" })
    }
}

impl ExecutionPlan for PaceExec {
    fn name(&self) -> &str {
        "PaceExec"
    }

    one_input!(without expressions);

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        Ok(match self.slices {
            true => Box::pin(Sliced { input, rest: None, rows: FIRST_SLICE, handed: None }),
            false => Box::pin(Paced { input, turn: None }),
        })
    }
}

/// Comes back at once, after all others who wait.
fn give_way<T>(context: &Context<'_>) -> Poll<T> {
    context.waker().wake_by_ref();
    Poll::Pending
}

struct Paced {
    input: SendableRecordBatchStream,
    /// When the present turn began.
    turn: Option<Instant>,
}

impl Stream for Paced {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.turn.get_or_insert_with(Instant::now).elapsed() > TURN {
            self.turn = None;
            return give_way(context);
        }
        let polled = self.input.poll_next_unpin(context);
        if polled.is_pending() {
            self.turn = None;
        }
        polled
    }
}

impl RecordBatchStream for Paced {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

struct Sliced {
    input: SendableRecordBatchStream,
    rest: Option<RecordBatch>,
    /// How many rows the next slice has.
    rows: usize,
    /// When the last slice was handed on, and whether it had all those rows.
    handed: Option<(Instant, bool)>,
}

impl Sliced {
    /// What the join did since it was handed a slice tells how many rows it manages in one turn.
    fn adapt(&mut self) -> Duration {
        let Some((handed, full)) = self.handed.take() else { return Duration::ZERO };
        let taken = handed.elapsed();
        if taken > TURN {
            let fitting = self.rows as f64 * TURN.as_secs_f64() / taken.as_secs_f64();
            self.rows = (fitting as usize).max(self.rows / 8).max(1);
        } else if full && taken < TURN / 4 {
            self.rows = self.rows.saturating_mul(2);
        }
        taken
    }

    fn slice(&mut self, batch: RecordBatch) -> RecordBatch {
        let rows = self.rows.min(batch.num_rows());
        if rows < batch.num_rows() {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        self.handed = Some((Instant::now(), rows == self.rows));
        batch.slice(0, rows)
    }
}

impl Stream for Sliced {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.adapt() > TURN / 4 {
            return give_way(context);
        }
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match ready!(self.input.poll_next_unpin(context)) {
                Some(Ok(batch)) => batch,
                end => return Poll::Ready(end),
            },
        };
        Poll::Ready(Some(Ok(self.slice(batch))))
    }
}

impl RecordBatchStream for Sliced {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
