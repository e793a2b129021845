//! Cheap conditions first: a filter evaluates what stands to the right of AND only for the rows that the left leaves, where
//! those are few. Numbers and dates compare in a fraction of the time that texts take.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::utils::conjunction;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};

use super::emptiness::Emptiness;
use super::every::Every;

/// Up to this cost a condition is evaluated for all rows.
const CHEAP: u32 = 3;

/// Sorts the conditions of filters.
#[derive(Debug)]
pub(super) struct OrderConditions;

impl PhysicalOptimizerRule for OrderConditions {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(filter) = plan.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(plan)) };
            match sorted(filter.predicate(), &filter.input().schema()) {
                Some(predicate) => {
                    let filter = FilterExecBuilder::from(filter).with_predicate(predicate).build()?;
                    Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
                }
                None => Ok(Transformed::no(plan)),
            }
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "OrderConditions"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The conditions in the order of their costs, the cheap ones as one. None if they stand so already, or if one of them could
/// fail: then rows that an earlier one drops may be what keeps it from failing.
fn sorted(predicate: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Option<Arc<dyn PhysicalExpr>> {
    let conditions = split_conjunction(predicate).into_iter();
    let mut conditions: Vec<(u32, &Arc<dyn PhysicalExpr>)> =
        conditions.map(|condition| Some((cost(condition, schema)?, condition))).collect::<Option<_>>()?;
    let in_order = conditions.is_sorted_by_key(|(cost, _)| *cost);
    conditions.sort_by_key(|(cost, _)| *cost);
    let cheap = conditions.partition_point(|(cost, _)| *cost <= CHEAP);
    if in_order && cheap < 2 {
        return None;
    }
    let mut conditions: Vec<_> = conditions.into_iter().map(|(_, condition)| Arc::clone(condition)).collect();
    if cheap > 1 {
        let every: Arc<dyn PhysicalExpr> = Arc::new(Every::new(conditions.drain(..cheap).collect()));
        conditions.insert(0, every);
    }
    Some(conjunction(conditions))
}

/// About what a condition costs, a comparison of numbers with a constant being the unit; none for what could fail.
fn cost(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Option<u32> {
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        let sides = cost(binary.left(), schema)? + cost(binary.right(), schema)?;
        return match binary.op() {
            Operator::And | Operator::Or => Some(sides),
            Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                let ty = binary.left().data_type(schema).ok()?;
                // Two columns say less about each other than a constant says about one.
                let columns = u32::from(!binary.right().is::<Literal>());
                Some(sides + if is_fixed(&ty) { 1 + 2 * columns } else { 10 })
            }
            _ => None,
        };
    }
    if let Some(list) = expr.downcast_ref::<InListExpr>() {
        let ty = list.expr().data_type(schema).ok()?;
        return Some(cost(list.expr(), schema)? + if is_fixed(&ty) { 5 } else { 15 });
    }
    if let Some(like) = expr.downcast_ref::<LikeExpr>() {
        return Some(cost(like.expr(), schema)? + cost(like.pattern(), schema)? + 40);
    }
    if let Some(not) = expr.downcast_ref::<NotExpr>() {
        return cost(not.arg(), schema);
    }
    if let Some(emptiness) = expr.downcast_ref::<Emptiness>() {
        return Some(cost(emptiness.text(), schema)? + 1);
    }
    if expr.is::<Every>() {
        return Some(0); // sorted already
    }
    if expr.is::<Column>() || expr.is::<Literal>() {
        return Some(0);
    }
    (expr.is::<IsNullExpr>() || expr.is::<IsNotNullExpr>()).then_some(1)
}

fn is_fixed(ty: &DataType) -> bool {
    ty.is_primitive() || matches!(ty, DataType::Boolean)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::physical_expr::expressions::{binary, col, lit};

    use super::*;

    #[test]
    fn numbers_come_before_texts() {
        let schema = Schema::new(vec![Field::new("t", DataType::Utf8, true), Field::new("n", DataType::Int64, true)]);
        let (t, n) = (|| col("t", &schema).unwrap(), || col("n", &schema).unwrap());
        let compare = |left, op, right| binary(left, op, right, &schema).unwrap();
        let text = || compare(t(), Operator::Eq, lit("a"));
        let number = || compare(n(), Operator::Lt, lit(5_i64));
        let found = sorted(&compare(text(), Operator::And, number()), &schema).unwrap();
        assert_eq!(found.to_string(), "n@1 < 5 AND t@0 = a");
        assert!(sorted(&compare(number(), Operator::And, text()), &schema).is_none());
        let both = compare(compare(number(), Operator::And, text()), Operator::And, number());
        let found = sorted(&both, &schema).unwrap();
        assert_eq!(found.to_string(), "n@1 < 5 AND n@1 < 5 AND t@0 = a");
        let is_one = |condition: &Arc<dyn PhysicalExpr>| condition.is::<Every>();
        assert!(is_one(split_conjunction(&found)[0]));
        assert!(sorted(&found, &schema).is_none());
        let failing = compare(compare(lit(1_i64), Operator::Divide, n()), Operator::Lt, lit(5_i64));
        assert!(sorted(&compare(text(), Operator::And, failing), &schema).is_none());
    }
}
