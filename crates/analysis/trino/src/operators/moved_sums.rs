//! `sum(x), sum(x + 1), sum(x + 2)`: the column is summed and counted once, and each of the sums follows.

use boathouse_trino_functions::MovedSum;
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::group_keys::column_of;

/// Puts a projection above aggregations that compute such sums.
#[derive(Debug)]
pub(super) struct SumOnce;

impl OptimizerRule for SumOnce {
    fn name(&self) -> &'static str {
        "sum_once"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let families = Family::all(aggregate, config);
        if families.is_empty() {
            return Ok(Transformed::no(plan));
        }
        let keys = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
        let mut outputs: Vec<Expr> = (0..aggregate.schema.fields().len())
            .map(|index| Expr::Column(column_of(&aggregate.schema, index)))
            .collect();
        let mut aggregates = Vec::new();
        for (index, expr) in aggregate.aggr_expr.iter().enumerate() {
            let member = families.iter().find_map(|family| family.result(index));
            match member {
                Some(result) => {
                    let (qualifier, field) = aggregate.schema.qualified_field(keys + index);
                    outputs[keys + index] = result.alias_qualified(qualifier.cloned(), field.name());
                }
                None => aggregates.push(expr.clone()),
            }
        }
        aggregates.extend(families.iter().flat_map(Family::aggregates));
        let input = aggregate.input.clone();
        let once = Aggregate::try_new(input, aggregate.group_expr.clone(), aggregates)?;
        let plan = LogicalPlanBuilder::from(LogicalPlan::Aggregate(once)).project(outputs)?.build()?;
        Ok(Transformed::yes(plan))
    }
}

/// Sums of the same values in the same rows.
struct Family {
    /// Each with its place among the aggregates.
    members: Vec<(usize, MovedSum)>,
    /// What the parts are called.
    names: [String; 4],
}

impl Family {
    /// Those of an aggregation for which it is worth while.
    fn all(aggregate: &Aggregate, config: &dyn OptimizerConfig) -> Vec<Self> {
        let mut groups: Vec<Vec<(usize, MovedSum)>> = Vec::new();
        for (index, expr) in aggregate.aggr_expr.iter().enumerate() {
            let Some(sum) = MovedSum::of(expr, aggregate.input.schema()) else { continue };
            match groups.iter_mut().find(|members| members[0].1.is_of_same_values(&sum)) {
                Some(members) => members.push((index, sum)),
                None => groups.push(vec![(index, sum)]),
            }
        }
        groups.retain(|members| members.len() > if can_overflow(members) { 4 } else { 2 });
        let family = |members| {
            let name = |part: &str| config.alias_generator().next(&format!("__{part}"));
            Self { members, names: ["sum", "count", "least", "greatest"].map(name) }
        };
        groups.into_iter().map(family).collect()
    }

    /// What all of them follow from.
    fn aggregates(&self) -> impl Iterator<Item = Expr> {
        let wanted = if can_overflow(&self.members) { 4 } else { 2 };
        let parts = self.members[0].1.parts().into_iter().zip(&self.names).take(wanted);
        parts.map(|(part, name)| part.alias(name))
    }

    /// The sum at a place among the aggregates, if it is one of these.
    fn result(&self, index: usize) -> Option<Expr> {
        let (_, sum) = self.members.iter().find(|(place, _)| *place == index)?;
        Some(sum.result(self.names.clone().map(|name| Expr::Column(datafusion::common::Column::from_name(name)))))
    }
}

fn can_overflow(members: &[(usize, MovedSum)]) -> bool {
    members.iter().any(|(_, sum)| sum.can_overflow())
}
