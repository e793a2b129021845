//! DataFusion's operators as Trino's. One that Trino has not got keeps its own name.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::Schema;
use boathouse_trino_functions::types::format::write_value;
use datafusion::common::{JoinType, ScalarValue};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, Partitioning, WindowExpr};

use super::Explain;
use super::expression::{expression, list, order, symbol, symbols, type_name};
use super::node::{Estimate, Exchange, Node, Ran};
use crate::operators::{
    AggregateRowGroupsExec, AwaitKeysExec, CountedExec, GatherKeysExec, PartitionedExec, RememberExec, is_translation,
};
use crate::scan::{ColumnSource, Noted, Scanned};

/// A plan as nodes.
pub(super) fn node(plan: &Arc<dyn ExecutionPlan>, noted: &Noted, what: Explain) -> Node {
    Translation { noted, what, statistics: StatisticsContext::new() }.node(plan)
}

struct Translation<'t> {
    noted: &'t Noted,
    what: Explain,
    statistics: StatisticsContext,
}

impl Translation<'_> {
    fn node(&self, plan: &Arc<dyn ExecutionPlan>) -> Node {
        if let Some(passed) = plan.downcast_ref::<CooperativeExec>() {
            return self.node(passed.input());
        }
        if let Some(passed) = plan.downcast_ref::<GatherKeysExec>() {
            return self.node(passed.input());
        }
        if let Some(passed) = plan.downcast_ref::<AwaitKeysExec>() {
            return self.node(passed.input());
        }
        if let Some(passed) = plan.downcast_ref::<RememberExec>() {
            return self.node(passed.input());
        }
        if let Some(passed) = plan.downcast_ref::<CountedExec>() {
            return self.node(passed.input());
        }
        if let Some(passed) = plan.downcast_ref::<ProjectionExec>().filter(|projection| is_translation(projection)) {
            return self.node(passed.input());
        }
        let children: Vec<Node> = plan.children().into_iter().map(|child| self.node(child)).collect();
        let node = self.named(plan, children);
        self.completed(node, plan)
    }

    fn named(&self, plan: &Arc<dyn ExecutionPlan>, mut children: Vec<Node>) -> Node {
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            return filtered(filter, children);
        }
        if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            return projected(projection, children);
        }
        if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            return hash_join(join, children);
        }
        if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
            let condition = join.filter().map(|filter| expression(filter.expression()));
            children.reverse(); // the side that is held comes last, as in Trino
            return match (join_name(join.join_type(), true), condition) {
                (Some("InnerJoin"), None) => Node::new("CrossJoin", children),
                (Some(name), condition) => with_filter(Node::new(name, children), condition),
                (None, condition) => with_filter(
                    Node::new(plan.name(), children).with("joinType", join.join_type().to_string()),
                    condition,
                ),
            };
        }
        if plan.is::<CrossJoinExec>() {
            children.reverse();
            return Node::new("CrossJoin", children);
        }
        if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            return aggregated(aggregate, children);
        }
        if let Some(aggregate) = plan.downcast_ref::<AggregateRowGroupsExec>() {
            return aggregated_once(aggregate, children);
        }
        if let Some(window) = plan.downcast_ref::<WindowAggExec>() {
            return windowed(window.window_expr(), children);
        }
        if let Some(window) = plan.downcast_ref::<BoundedWindowAggExec>() {
            return windowed(window.window_expr(), children);
        }
        if let Some(parted) = plan.downcast_ref::<PartitionedExec>() {
            let name = if parted.is_window() { "Window" } else { "PatternRecognition" };
            return over(name, parted.partition_by(), parted.order_by(), children);
        }
        ordered(plan, &mut children)
            .or_else(|| exchanged(plan, &mut children))
            .or_else(|| self.source(plan))
            .unwrap_or_else(|| other(plan, children))
    }

    /// A leaf: a table or rows that the statement itself has.
    fn source(&self, plan: &Arc<dyn ExecutionPlan>) -> Option<Node> {
        if plan.is::<EmptyExec>() || plan.is::<PlaceholderRowExec>() {
            return Some(Node::new("Values", Vec::new()));
        }
        if let Some(stream) = plan.downcast_ref::<StreamingTableExec>() {
            let scanned = self.noted.find(stream.partition_schema())?;
            return Some(scan(&scanned, &plan.schema(), None));
        }
        let source = plan.downcast_ref::<DataSourceExec>()?;
        if source.data_source().is::<MemorySourceConfig>() {
            return Some(Node::new("Values", Vec::new()));
        }
        if let Some((config, columns)) = source.downcast_to_file_source::<ColumnSource>() {
            return self.filtered_scan(config, columns);
        }
        let (config, parquet) = source.downcast_to_file_source::<ParquetSource>()?;
        let scanned = self.noted.find(config.file_schema())?;
        Some(scan(&scanned, &plan.schema(), parquet.filter().as_ref()))
    }

    /// A scan with the filter that became part of it.
    fn filtered_scan(&self, config: &FileScanConfig, source: &ColumnSource) -> Option<Node> {
        let scanned = self.noted.find(config.file_schema())?;
        let node = scan(&scanned, source.read().ok()?.as_ref(), source.filter().as_ref());
        let asked = source.conditions().iter().filter(|condition| condition.decides());
        let asked = asked
            .map(|condition| Arc::clone(condition.expr()))
            .reduce(|one, other| Arc::new(BinaryExpr::new(one, Operator::And, other)));
        Some(match asked {
            Some(predicate) => {
                Node { name: "ScanFilter".to_owned(), ..node }.with("filterPredicate", expression(&predicate))
            }
            None => node,
        })
    }

    /// The columns, the estimate and what happened.
    fn completed(&self, mut node: Node, plan: &Arc<dyn ExecutionPlan>) -> Node {
        let schema = plan.schema();
        let output = |field: &Arc<arrow::datatypes::Field>| (field.name().clone(), type_name(field.data_type()));
        node.outputs = schema.fields().iter().map(output).collect();
        let estimate = self.statistics.compute(plan.as_ref(), &StatisticsArgs::new()).map(|statistics| Estimate {
            rows: statistics.num_rows.get_value().copied(),
            bytes: statistics.total_byte_size.get_value().copied(),
        });
        node.estimate = estimate.ok();
        if self.what.runs() {
            node.ran = Some(self.ran(plan, node.ran.take(), &node.children));
        }
        node
    }

    /// What an operator did, together with one that was merged into it.
    fn ran(&self, plan: &Arc<dyn ExecutionPlan>, merged: Option<Ran>, children: &[Node]) -> Ran {
        let metrics = plan.metrics().unwrap_or_default();
        let number = |name: &str| metrics.sum_by_name(name).map(|value| value.as_usize());
        let fed =
            children.iter().filter_map(|child| child.ran.as_ref()).map(|ran| ran.rows).reduce(usize::saturating_add);
        let merged = merged.unwrap_or_default();
        let counted = match self.what {
            Explain::AnalyzeVerbose => counted(&metrics),
            _ => Vec::new(),
        };
        Ran {
            cpu: merged.cpu + computed(&metrics),
            rows: metrics.output_rows().unwrap_or(merged.rows),
            bytes: number("output_bytes").unwrap_or(merged.bytes),
            input_rows: merged.input_rows.or(fed),
            physical_input: merged.physical_input.or_else(|| number("bytes_scanned")),
            spilled: merged.spilled + metrics.spilled_bytes().unwrap_or(0),
            counted: [merged.counted, counted].concat(),
        }
    }
}

/// The time that an operator computed. Parquet's decoding is no part of what a scan calls its computing.
fn computed(metrics: &MetricsSet) -> Duration {
    let decoding = metrics.sum_by_name("time_elapsed_processing").map_or(0, |time| time.as_usize());
    Duration::from_nanos((metrics.elapsed_compute().unwrap_or(0) + decoding) as u64)
}

fn counted(metrics: &MetricsSet) -> Vec<String> {
    let all = metrics.aggregate_by_name().sorted_for_display().timestamps_removed();
    all.iter().map(|metric| format!("'{}' = {}", metric.value().name(), metric.value())).collect()
}

/// An operator under its own name.
fn other(plan: &Arc<dyn ExecutionPlan>, children: Vec<Node>) -> Node {
    if let Some(keys) = crate::first_rows::keys_of(plan) {
        return Node::new("RowNumber", children).with("partitionBy", symbols(keys)).with("limit", "1");
    }
    if plan.is::<UnionExec>() {
        return Node::new("Union", children);
    }
    if plan.is::<UnnestExec>() {
        return Node::new("Unnest", children);
    }
    Node::new(plan.name(), children)
}

/// Takes the place of its only child if that is a scan, or a scan with a filter where `filters` may be merged too.
fn merged(mut children: Vec<Node>, names: &[(&str, &'static str)]) -> Result<Node, Vec<Node>> {
    let name = match children.as_slice() {
        [child] => names.iter().find(|(known, _)| *known == child.name).map(|(_, name)| *name),
        _ => None,
    };
    match (name, children.pop()) {
        (Some(name), Some(child)) => {
            let ran = child.ran.map(|ran| Ran { input_rows: ran.input_rows.or(Some(ran.rows)), ..ran });
            Ok(Node { name: name.to_owned(), ran, ..child })
        }
        (_, child) => Err(children.into_iter().chain(child).collect()),
    }
}

fn filtered(filter: &FilterExec, children: Vec<Node>) -> Node {
    let node = merged(children, &[("TableScan", "ScanFilter")]);
    let node = node.unwrap_or_else(|children| Node::new("Filter", children));
    node.with("filterPredicate", expression(filter.predicate()))
}

fn projected(projection: &ProjectionExec, children: Vec<Node>) -> Node {
    let names = [("TableScan", "ScanProject"), ("ScanFilter", "ScanFilterProject"), ("Filter", "FilterProject")];
    let node = merged(children, &names);
    let mut node = node.unwrap_or_else(|children| Node::new("Project", children));
    for output in projection.expr() {
        if output.expr.downcast_ref::<Column>().is_none_or(|column| column.name() != output.alias) {
            node.details.push(format!("{} := {}", output.alias, expression(&output.expr)));
        }
    }
    node
}

/// A join's name in Trino; `swapped` if the sides are shown the other way round.
fn join_name(join_type: &JoinType, swapped: bool) -> Option<&'static str> {
    Some(match (join_type, swapped) {
        (JoinType::Inner, _) => "InnerJoin",
        (JoinType::Full, _) => "FullJoin",
        (JoinType::Left, false) | (JoinType::Right, true) => "LeftJoin",
        (JoinType::Right, false) | (JoinType::Left, true) => "RightJoin",
        (JoinType::LeftSemi | JoinType::RightSemi | JoinType::LeftMark | JoinType::RightMark, _) => "SemiJoin",
        (JoinType::LeftAnti | JoinType::RightAnti, _) => return None,
    })
}

fn with_filter(node: Node, condition: Option<String>) -> Node {
    match condition {
        Some(condition) => node.with("filter", condition),
        None => node,
    }
}

/// Trino holds the side that it writes last; DataFusion the one that it writes first.
fn hash_join(join: &HashJoinExec, mut children: Vec<Node>) -> Node {
    let semi = matches!(join.join_type(), JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark);
    if !semi {
        children.reverse(); // of a semi-join the filtering side comes last, whichever is held
    }
    let pair = |(left, right): &(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)| match semi {
        true => format!("({} = {})", expression(left), expression(right)),
        false => format!("({} = {})", expression(right), expression(left)),
    };
    let criteria = join.on().iter().map(pair).collect::<Vec<_>>().join(" AND ");
    let distribution = if *join.partition_mode() == PartitionMode::Partitioned { "PARTITIONED" } else { "REPLICATED" };
    let condition = join.filter().map(|filter| expression(filter.expression()));
    let mut node = match join_name(join.join_type(), !semi) {
        Some(name) => Node::new(name, children),
        None => Node::new("HashJoinExec", children).with("joinType", join.join_type().to_string()),
    };
    node = with_filter(node.with("criteria", criteria), condition);
    node.details.push(format!("Distribution: {distribution}"));
    node
}

fn aggregated(aggregate: &AggregateExec, children: Vec<Node>) -> Node {
    let step = match aggregate.mode() {
        AggregateMode::Partial => Some("PARTIAL"),
        AggregateMode::Final | AggregateMode::FinalPartitioned => Some("FINAL"),
        _ => None,
    };
    let mut node = Node::new("Aggregate", children);
    if let Some(step) = step {
        node = node.with("type", step);
    }
    let groups = aggregate.group_expr();
    if !groups.expr().is_empty() {
        let keys: Vec<String> = groups.expr().iter().map(|(_, name)| name.clone()).collect();
        node = node.with("keys", format!("[{}]", keys.join(", ")));
    }
    if groups.has_grouping_set() {
        node = node.with("groupingSets", groups.groups().len().to_string());
    }
    let calls = aggregate.aggr_expr().iter().zip(aggregate.filter_expr());
    node.details.extend(calls.map(|(call, filter)| computed_as(call, filter.as_ref())));
    node
}

/// An aggregation whose groups are complete where they are made.
fn aggregated_once(aggregate: &AggregateRowGroupsExec, children: Vec<Node>) -> Node {
    let mut node = Node::new("Aggregate", children).with("type", "SINGLE");
    node = node.with("keys", format!("[{}]", aggregate.schema().field(0).name()));
    node.details.extend(aggregate.calls().map(|(call, filter)| computed_as(call, filter)));
    node
}

fn computed_as(call: &AggregateFunctionExpr, filter: Option<&Arc<dyn PhysicalExpr>>) -> String {
    let distinct = if call.is_distinct() { "DISTINCT " } else { "" };
    let line = format!("{} := {}({distinct}{})", call.name(), call.fun().name(), list(&call.expressions()));
    match filter {
        Some(filter) => format!("{line} FILTER (WHERE {})", expression(filter)),
        None => line,
    }
}

fn windowed(windows: &[Arc<dyn WindowExpr>], children: Vec<Node>) -> Node {
    let mut node = match windows.first() {
        Some(first) => over("Window", first.partition_by(), first.order_by(), children),
        None => Node::new("Window", children),
    };
    node.details = windows.iter().map(|window| format!("{} {}", window.name(), window.get_window_frame())).collect();
    node
}

/// What works on partitions and an order in them.
fn over(
    name: &str,
    partition_by: &[Arc<dyn PhysicalExpr>],
    order_by: &[PhysicalSortExpr],
    children: Vec<Node>,
) -> Node {
    let mut node = Node::new(name, children);
    if !partition_by.is_empty() {
        node = node.with("partitionBy", symbols(partition_by));
    }
    if !order_by.is_empty() {
        node = node.with("orderBy", order(order_by));
    }
    node
}

/// What sorts or cuts off.
fn ordered(plan: &Arc<dyn ExecutionPlan>, children: &mut Vec<Node>) -> Option<Node> {
    let mut taken = || std::mem::take(children);
    if let Some(sort) = plan.downcast_ref::<SortExec>() {
        let partial = sort.preserve_partitioning();
        let node = match (sort.fetch(), partial) {
            (Some(count), false) => Node::new("TopN", taken()).with("count", count.to_string()),
            (Some(count), true) => Node::new("TopNPartial", taken()).with("count", count.to_string()),
            (None, false) => Node::new("Sort", taken()),
            (None, true) => Node::new("PartialSort", taken()),
        };
        return Some(node.with("orderBy", order(sort.expr())));
    }
    if let Some(limit) = plan.downcast_ref::<LocalLimitExec>() {
        return Some(Node::new("LimitPartial", taken()).with("count", limit.fetch().to_string()));
    }
    let limit = plan.downcast_ref::<GlobalLimitExec>()?;
    let (skip, fetch) = (limit.skip(), limit.fetch());
    let mut below = taken();
    if skip > 0 {
        let offset = Node::new("Offset", below).with("count", skip.to_string());
        let Some(count) = fetch else { return Some(offset) };
        let rest =
            offset.children.first().map_or_else(Default::default, |child| (child.outputs.clone(), child.estimate));
        below = vec![Node { outputs: rest.0, ..offset }];
        return Some(Node::new("Limit", below).with("count", count.to_string()));
    }
    let node = Node::new("Limit", below);
    Some(match fetch {
        Some(count) => node.with("count", count.to_string()),
        None => node,
    })
}

/// What hands rows to other threads.
fn exchanged(plan: &Arc<dyn ExecutionPlan>, children: &mut Vec<Node>) -> Option<Node> {
    let local = |children: &mut Vec<Node>, exchange: Exchange| {
        let node = Node::new("LocalExchange", std::mem::take(children)).with("partitioning", exchange.partitioning());
        let node = match &exchange {
            Exchange::Hash(columns) => node.with("arguments", format!("[{}]", columns.join(", "))),
            _ => node,
        };
        Node { exchange: Some(exchange), ..node }
    };
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        let node = Node::new("LocalMerge", std::mem::take(children)).with("orderBy", order(merge.expr()));
        let node = match merge.fetch() {
            Some(count) => node.with("count", count.to_string()),
            None => node,
        };
        return Some(Node { exchange: Some(Exchange::Merge), ..node });
    }
    if plan.is::<CoalescePartitionsExec>() {
        return Some(local(children, Exchange::Single));
    }
    let dealt = plan.downcast_ref::<RepartitionExec>()?;
    let exchange = match dealt.partitioning() {
        Partitioning::Hash(exprs, _) => Exchange::Hash(exprs.iter().map(symbol).collect()),
        Partitioning::RoundRobinBatch(_) => Exchange::RoundRobin,
        other => Exchange::Other(other.to_string()),
    };
    Some(local(children, exchange))
}

/// A table's scan: which columns, which partitions, which condition prunes row groups and pages.
fn scan(scanned: &Scanned, columns: &Schema, condition: Option<&Arc<dyn PhysicalExpr>>) -> Node {
    let table = &scanned.table;
    let mut node =
        Node::new("TableScan", Vec::new()).with("table", format!("awsdatacatalog:{}:{}", table.database, table.name));
    if let Some(condition) = condition {
        node = node.with("constraint", expression(condition));
    }
    node.details.push(format!("LAYOUT: {}.{}", table.database, table.name));
    for field in columns.fields() {
        let name = field.name();
        let key = table.partition_keys.iter().position(|key| key.name == *name);
        let kind = match key {
            Some(_) => "PARTITION_KEY",
            None if name.starts_with('$') => "SYNTHESIZED",
            None => "REGULAR",
        };
        let declared = table.all_columns().find(|column| column.name == *name).map(|column| column.ty.to_string());
        let ty = declared.unwrap_or_else(|| type_name(field.data_type()));
        node.details.push(format!("{name} := {name}:{ty}:{kind}"));
    }
    // Keys that the query's columns do not need any more decide about partitions all the same.
    for (index, key) in table.partition_keys.iter().enumerate() {
        let mut values: Vec<String> = Vec::new();
        for partition in &scanned.partitions {
            let text = partition.get(index).map_or_else(String::new, |value| shown(value, &key.ty));
            if !values.contains(&text) {
                values.push(text);
            }
        }
        values.sort();
        node.details.push(format!("{}:{}:PARTITION_KEY :: [{}]", key.name, key.ty, in_brackets(&values)));
    }
    node.details.push(format!("Files: {}", super::text::bytes(scanned.bytes as usize)));
    node
}

/// Values as Trino lists them, cut off where there are many.
fn in_brackets(values: &[String]) -> String {
    const MOST: usize = 20;
    let mut shown: Vec<String> = values.iter().take(MOST).map(|value| format!("[{value}]")).collect();
    if values.len() > MOST {
        shown.push(format!("... {} more", values.len() - MOST));
    }
    shown.join(", ")
}

fn shown(value: &ScalarValue, ty: &boathouse_trino_functions::types::Type) -> String {
    let mut text = String::new();
    match value.to_array() {
        Ok(array) if !value.is_null() => write_value(&mut text, array.as_ref(), 0, ty),
        _ => text.push_str("NULL"),
    }
    text
}
