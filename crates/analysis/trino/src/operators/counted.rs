//! Says how many rows a scan gives whose own operator can't.

use std::fmt;
use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan};

/// A scan, and how many rows it gives.
#[derive(Debug, Clone)]
pub(crate) struct CountedExec {
    input: Arc<dyn ExecutionPlan>,
    rows: Precision<usize>,
}

impl CountedExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, rows: Precision<usize>) -> Self {
        Self { input, rows }
    }

    /// The scan.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl DisplayAs for CountedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CountedExec: rows={}", self.rows)
    }
}

impl ExecutionPlan for CountedExec {
    fn name(&self) -> &str {
        "CountedExec"
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    one_input!(without expressions);

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, _: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::Skip]
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let unknown = Statistics::new_unknown(&self.schema());
        let num_rows = if args.partition().is_none() { self.rows } else { Precision::Absent };
        Ok(Arc::new(Statistics { num_rows, ..unknown }))
    }
}
