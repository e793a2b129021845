//! Which side of a join is hashed: the one with fewer rows.
//!
//! DataFusion compares the sides' sizes in bytes where it has estimates of them, and those of a semi join's result take no
//! account of the rows that it drops. Numbers of rows do, and where a side of very many rows is about to be hashed, a guess at the
//! other's.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// From so many rows on it is worth a guess whether the other side has fewer: to hash them takes gigabytes.
const MANY: usize = 12_000_000;
/// The part of rows that a condition is thought to leave, as DataFusion has it.
const SELECTIVITY: f64 = 0.2;

/// Swaps the sides of joins; runs right after DataFusion has chosen them.
#[derive(Debug)]
pub(super) struct HashFewerRows;

impl PhysicalOptimizerRule for HashFewerRows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let broadcast = config.optimizer.hash_join_single_partition_threshold_rows;
        plan.transform_up(|plan| {
            let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return Ok(Transformed::no(plan)) };
            let known = (rows(join.left().as_ref()), rows(join.right().as_ref()));
            let (Some(left), Some(right)) = (match known {
                (Some(left), _) if left >= MANY => (Some(left), expected(join.right())),
                known => known,
            }) else {
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

/// About how many rows a plan may give, where DataFusion does not say: a join gives as many as its larger side, without those
/// whose partners a condition drops.
fn expected(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        return Some((expected(filter.input())? as f64 * SELECTIVITY) as usize);
    }
    if let Some(join) = inner(plan) {
        let (left, right) = (expected(join.left())?, expected(join.right())?);
        let (all_left, all_right) = (unfiltered(join.left())?, unfiltered(join.right())?);
        let kept = |some: usize, all: usize| some as f64 / all.max(1) as f64;
        let rows = all_left.max(all_right) as f64 * kept(left, all_left) * kept(right, all_right);
        return Some(rows as usize);
    }
    passed(plan).map_or_else(|| rows(plan.as_ref()), expected)
}

/// The same without any condition.
fn unfiltered(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        return unfiltered(filter.input());
    }
    if let Some(join) = inner(plan) {
        return Some(unfiltered(join.left())?.max(unfiltered(join.right())?));
    }
    passed(plan).map_or_else(|| rows(plan.as_ref()), unfiltered)
}

fn inner(plan: &Arc<dyn ExecutionPlan>) -> Option<&HashJoinExec> {
    plan.downcast_ref::<HashJoinExec>().filter(|join| *join.join_type() == JoinType::Inner)
}

/// What a plan gives on row by row.
fn passed(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    plan.downcast_ref::<ProjectionExec>().map(ProjectionExec::input)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::common::NullEquality;
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr::expressions::{binary, col, lit};

    use super::*;

    fn table(rows: i64) -> Arc<dyn ExecutionPlan> {
        let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, false)]));
        let keys = Arc::new(Int64Array::from_iter_values(0..rows));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![keys]).unwrap();
        MemorySourceConfig::try_new_exec(&[vec![batch]], schema, None).unwrap()
    }

    fn joined(left: Arc<dyn ExecutionPlan>, right: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let on = vec![(col("k", &left.schema()).unwrap(), col("k", &right.schema()).unwrap())];
        let (mode, nulls) = (PartitionMode::CollectLeft, NullEquality::NullEqualsNothing);
        let only_right = Some(vec![1]);
        Arc::new(
            HashJoinExec::try_new(left, right, on, None, &JoinType::Inner, only_right, mode, nulls, false).unwrap(),
        )
    }

    #[test]
    fn a_join_gives_what_conditions_on_either_side_leave() {
        let some = table(1_000);
        let condition = binary(col("k", &some.schema()).unwrap(), Operator::Gt, lit(5_i64), &some.schema()).unwrap();
        let filtered: Arc<dyn ExecutionPlan> = Arc::new(FilterExec::try_new(condition, some).unwrap());
        assert_eq!(expected(&filtered), Some(200));
        let once = joined(Arc::clone(&filtered), table(50_000));
        assert_eq!((expected(&once), unfiltered(&once)), (Some(10_000), Some(50_000)));
        let twice = joined(table(20), once);
        assert_eq!((expected(&twice), unfiltered(&twice)), (Some(10_000), Some(50_000)));
    }
}
