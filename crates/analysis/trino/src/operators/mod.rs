//! Our own operators among DataFusion's, and the rules that put them into a plan.
//!
//! | Module | What it does |
//! |---|---|
//! | `build_side` | hashes the side of a join that has fewer rows |
//! | `counted` | says how many rows a scan gives |
//! | `dictionary` | answers conditions on texts once for each text of a dictionary, and groups by numbers of texts |
//! | `emptiness` | compares texts with the empty one by their lengths |
//! | `every` | evaluates cheap conditions as one |
//! | `filter_order` | evaluates cheap conditions first |
//! | `frames` | computes windows whose frames DataFusion hasn't got |
//! | `group_keys` | groups by fewer columns: without constants, and without what follows from others |
//! | `grouping_sets` | aggregates by all keys first where there are several grouping sets |
//! | `join_filter` | drops, right above a scan, the rows that a join further up will not match |
//! | `json_once` | reads a JSON document once for all paths that are taken out of it |
//! | `key_targets` | finds the scans that the keys of a join may filter |
//! | `keys` | gathers the keys of joins as bits, which answer for single rows |
//! | `late` | reads wide columns of the first rows of an order after all others |
//! | `moved_sums` | computes sums that differ in what is added to each value from one |
//! | `pace` | makes joins that multiply rows give way to others, and stoppable |
//! | `partitions` | works on sorted rows a whole partition at a time |
//! | `read_columns` | lets scans answer the filters above them |
//! | `recall` | remembers the rows that a statement reads twice |
//! | `recognition` | MATCH_RECOGNIZE |
//! | `rounds` | stops recursive queries where Trino does |
//! | `row_groups` | aggregates one row group after the other where their keys don't overlap |
//! | `row_number` | counts sorted rows without a state for each partition |
//! | `same` | says whether two plans give the same rows |
//! | `search` | looks through all texts of a batch at once for what LIKE asks |
//! | `shared` | computes once what several places need |

/// What every operator has in common that passes on the rows of one other, its field `input`, in their order; with
/// `without expressions`, also what those have that evaluate none and leave the rows where they are.
macro_rules! one_input {
    (without expressions) => {
        fn properties(&self) -> &std::sync::Arc<datafusion::physical_plan::PlanProperties> {
            self.input.properties()
        }

        fn apply_expressions(
            &self,
            _: &mut dyn FnMut(
                &std::sync::Arc<dyn datafusion::physical_expr::PhysicalExpr>,
            ) -> datafusion::common::Result<datafusion::common::tree_node::TreeNodeRecursion>,
        ) -> datafusion::common::Result<datafusion::common::tree_node::TreeNodeRecursion> {
            Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
        }

        one_input!();
    };
    () => {
        fn maintains_input_order(&self) -> Vec<bool> {
            vec![true]
        }

        fn children(&self) -> Vec<&std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            vec![&self.input]
        }

        fn replace_children(
            self: std::sync::Arc<Self>,
            mut children: Vec<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>>,
            _: datafusion::physical_plan::ReplaceChildrenOptions,
        ) -> datafusion::common::Result<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            Ok(std::sync::Arc::new(Self { input: children.swap_remove(0), ..self.as_ref().clone() }))
        }

        fn with_new_children(
            self: std::sync::Arc<Self>,
            children: Vec<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>>,
        ) -> datafusion::common::Result<std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>> {
            use datafusion::physical_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
            self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
        }
    };
}

mod build_side;
mod counted;
mod dictionary;
mod emptiness;
mod every;
mod filter_order;
mod frames;
mod group_keys;
mod grouping_sets;
mod join_filter;
mod json_once;
mod key_targets;
mod keys;
mod late;
mod moved_sums;
mod pace;
mod partitions;
mod read_columns;
mod recall;
mod recognition;
mod rounds;
mod row_groups;
mod row_number;
mod same;
mod search;
mod shared;

pub(crate) use counted::CountedExec;
pub(crate) use dictionary::{OnDictionary, is_translation};
pub(crate) use emptiness::Emptiness;
pub(crate) use every::Every;
pub(crate) use frames::{Bound, Frame, FrameFunction, FrameValue, FramedOutput, FramedWindow, Limit, Placed, Unit};
pub(crate) use keys::{AwaitKeysExec, GatherKeysExec};
pub(crate) use partitions::{Keys, PartitionedExec};
pub(crate) use recall::RememberExec;
pub(crate) use recognition::{
    Aggregation, Formulas, FrameEnd, Framing, Goal, Label, MatchRecognize, MatchRecognizePlanner, Navigation, Output,
    Pattern, Program, Rows, Skip, Slot, Value,
};
pub(crate) use row_groups::AggregateRowGroupsExec;
pub(crate) use row_number::CountRows;
pub(crate) use search::Search;

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

/// DataFusion's rules for logical plans and ours among them.
pub(crate) fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = Vec::new();
    for rule in Optimizer::new().rules {
        // Filters stand where they will stay.
        if rule.name() == "eliminate_group_by_constant" {
            rules.push(Arc::new(group_keys::GroupByLess));
            rules.push(Arc::new(moved_sums::SumOnce));
        }
        // Filters stand where they will stay, and nothing has been torn apart yet.
        if rule.name() == "common_sub_expression_eliminate" {
            rules.push(Arc::new(json_once::ReadJsonOnce));
        }
        rules.push(rule);
    }
    rules
}

/// DataFusion's rules for physical plans and ours among them.
pub(crate) fn rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = Vec::new();
    for rule in PhysicalOptimizer::new().rules {
        let chooses_sides = rule.name() == "join_selection";
        // Partitions and orders are settled; what scans are told about an order, and about its first rows, comes after.
        if rule.name() == "PushdownSort" {
            rules.push(Arc::new(late::FetchLate));
        }
        if rule.name() == FilterPushdown::new_post_optimization().name() {
            rules.push(Arc::new(shared::ShareAggregations));
        }
        rules.push(rule);
        if chooses_sides {
            rules.push(Arc::new(build_side::HashFewerRows));
        }
    }
    rules.push(Arc::new(grouping_sets::GroupSetsLate));
    rules.push(Arc::new(emptiness::CompareLengths));
    rules.push(Arc::new(filter_order::OrderConditions));
    rules.push(Arc::new(search::SearchTexts));
    rules.push(Arc::new(row_groups::AggregateRowGroups));
    rules.push(Arc::new(join_filter::PlaceJoinFilters));
    rules.push(Arc::new(dictionary::FilterDictionaries));
    rules.push(Arc::new(dictionary::GroupDictionaries));
    // Whoever wants to see a filter or a scan by itself comes before.
    rules.push(Arc::new(read_columns::ReadColumns));
    rules.push(Arc::new(pace::PaceJoins));
    rules.push(Arc::new(rounds::CountRounds));
    rules
}
