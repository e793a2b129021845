//! The keys of partitions and the order in them, in a logical plan.

use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Sort;
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;

use super::exec::{PartitionedExec, Work};

/// What rows are parted by, and how they are sorted then.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Keys {
    /// The keys of partitions.
    pub(crate) partition_by: Vec<Expr>,
    /// The order in a partition.
    pub(crate) order_by: Vec<Sort>,
}

impl Keys {
    /// All expressions, those of partitions first.
    pub(in crate::operators) fn expressions(&self) -> Vec<Expr> {
        self.partition_by.iter().cloned().chain(self.order_by.iter().map(|sort| sort.expr.clone())).collect()
    }

    /// The same with other expressions in the places of [`expressions`](Self::expressions).
    pub(in crate::operators) fn with(&self, mut exprs: Vec<Expr>) -> Result<Self> {
        if exprs.len() != self.partition_by.len() + self.order_by.len() {
            return internal_err!("as many expressions as there were");
        }
        let order = exprs.split_off(self.partition_by.len());
        let order_by = order.into_iter().zip(&self.order_by).map(|(expr, sort)| Sort { expr, ..sort.clone() });
        Ok(Self { order_by: order_by.collect(), partition_by: exprs })
    }

    /// The operator that does a work on the partitions of an input.
    pub(in crate::operators) fn plan(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        physical: impl Fn(&Expr) -> Result<Arc<dyn PhysicalExpr>>,
        work: Arc<dyn Work>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partition_by = self.partition_by.iter().map(&physical).collect::<Result<_>>()?;
        let sorted = |sort: &Sort| {
            let options = SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first };
            Ok(PhysicalSortExpr::new(physical(&sort.expr)?, options))
        };
        let order_by = self.order_by.iter().map(sorted).collect::<Result<_>>()?;
        Ok(Arc::new(PartitionedExec::new(Arc::clone(input), partition_by, order_by, work)))
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.partition_by.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.order_by.iter().map(ToString::to_string).collect();
        write!(f, "partition_by=[{}], order_by=[{}]", keys.join(", "), order.join(", "))
    }
}
