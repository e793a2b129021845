//! How deep a recursive query may go: as deep as in Trino, where each round is planned beforehand.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, SendableRecordBatchStream};
use futures::StreamExt;

/// Trino's `max_recursion_depth`, which Athena leaves as it is.
const MAX_ROUNDS: usize = 10;

/// Counts the rounds of recursive queries.
#[derive(Debug)]
pub(super) struct CountRounds;

impl PhysicalOptimizerRule for CountRounds {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            if !plan.is::<RecursiveQueryExec>() {
                return Ok(Transformed::no(plan));
            }
            let rounds = Arc::<AtomicUsize>::default();
            let counted = plan.children().into_iter().enumerate().map(|(index, input)| {
                let (input, rounds) = (Arc::clone(input), Arc::clone(&rounds));
                Arc::new(RoundExec { input, rounds, begins: index == 0 }) as Arc<dyn ExecutionPlan>
            });
            let counted = counted.collect();
            Ok(Transformed::yes(replace_children_if_necessary(plan, counted)?))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "CountRounds"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// One of the two parts of a recursive query: the rows that it begins with, or what is run again and again.
#[derive(Debug, Clone)]
struct RoundExec {
    input: Arc<dyn ExecutionPlan>,
    /// How many times the second part has been run.
    rounds: Arc<AtomicUsize>,
    begins: bool,
}

impl DisplayAs for RoundExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoundExec")
    }
}

impl ExecutionPlan for RoundExec {
    fn name(&self) -> &str {
        "RoundExec"
    }

    one_input!(without expressions);

    fn execute(&self, index: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(index, context)?;
        if self.begins {
            self.rounds.store(0, Ordering::Relaxed);
            return Ok(input);
        }
        if self.rounds.fetch_add(1, Ordering::Relaxed) < MAX_ROUNDS {
            return Ok(input);
        }
        let refused = |batch: Result<RecordBatch>| match batch {
            Ok(batch) if batch.num_rows() > 0 => {
                let message = format!(
                    "Recursion depth limit exceeded ({MAX_ROUNDS}). Use 'max_recursion_depth' session property to modify the limit."
                );
                Err(TrinoError::new(ErrorCode::NotSupported, message).into())
            }
            batch => batch,
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(input.schema(), input.map(refused))))
    }
}
