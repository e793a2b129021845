//! Which side of a join is hashed: the one with fewer rows.
//!
//! DataFusion compares the sides' sizes in bytes where it has estimates of them, and those of a semi join's result take no
//! account of the rows that it drops. Numbers of rows do.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// Swaps the sides of joins; runs right after DataFusion has chosen them.
#[derive(Debug)]
pub(super) struct HashFewerRows;

impl PhysicalOptimizerRule for HashFewerRows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let broadcast = config.optimizer.hash_join_single_partition_threshold_rows;
        plan.transform_up(|plan| {
            let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return Ok(Transformed::no(plan)) };
            let (Some(left), Some(right)) = (rows(join.left().as_ref()), rows(join.right().as_ref())) else {
                return Ok(Transformed::no(plan));
            };
            if left <= right || join.null_aware || !join.join_type().supports_swap() {
                return Ok(Transformed::no(plan));
            }
            let mode = if right <= broadcast { PartitionMode::CollectLeft } else { PartitionMode::Partitioned };
            Ok(Transformed::yes(join.swap_inputs(mode)?))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "HashFewerRows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// About how many rows a plan gives.
fn rows(plan: &dyn ExecutionPlan) -> Option<usize> {
    let statistics = StatisticsContext::new().compute(plan, &StatisticsArgs::new()).ok()?;
    statistics.num_rows.get_value().copied()
}
