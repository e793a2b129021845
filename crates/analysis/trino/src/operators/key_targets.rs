//! Which scans the keys of a join's build side may filter.
//!
//! A join drops the rows of its other side that have other keys. Wherever these keys come from on that side, through joins,
//! aggregations and exchanges, rows with other keys may go as well; and where a join on the way makes two columns equal, both
//! are such places. DataFusion hands all keys of a join down together, and only along one way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::common::{JoinType, NullEquality};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource as _, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::keys::{Keys, is_whole};
use super::recall::Memory;
use super::row_groups::AggregateRowGroupsExec;
use super::same::same_files;

type Plan = Arc<dyn ExecutionPlan>;

/// A filter for the rows of a scan, or of a scan below its static filter.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The place of the column that is looked up.
    pub(super) column: usize,
    pub(super) keys: Arc<Keys>,
    /// Whether the join is the next to look at the rows.
    pub(super) is_direct: bool,
    /// Which join it is, by the filter that it hands down.
    pub(super) join: Option<u64>,
    /// Whether the join has no other keys.
    pub(super) is_only_key: bool,
}

/// A key of a build side, and where its numbers are gathered.
pub(super) type Gathered = (Arc<dyn PhysicalExpr>, Arc<Keys>);

/// The joins of a plan whose keys filter anything, and what they filter.
#[derive(Debug, Default)]
pub(super) struct Targets {
    gathered: HashMap<usize, Vec<Gathered>>,
    filtered: HashMap<usize, Vec<Target>>,
    /// The filters handed down by joins whose build side is a table as it is.
    useless: HashSet<u64>,
    scans: HashMap<usize, Plan>,
    /// By join and the place of the key.
    keys: HashMap<(usize, usize), Arc<Keys>>,
    remembered: HashMap<usize, Arc<Memory>>,
    recalled: HashMap<usize, (Arc<Memory>, Vec<usize>)>,
}

/// A plan is known by where it is; one that is in several places by none.
fn place_of(plan: &Plan) -> usize {
    Arc::as_ptr(plan).cast::<()>() as usize
}

/// What a join hands its filter down by.
pub(super) fn id_of(join: &HashJoinExec) -> Option<u64> {
    join.dynamic_expressions_produced().iter().find_map(|own| own.expression_id())
}

impl Targets {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut found = Self::default();
        let mut places = HashMap::new();
        count(plan, &mut places);
        found.search(plan, &places);
        found.recall(plan, &places);
        found
    }

    /// What the rows of a plan are to be remembered in.
    pub(super) fn remembered(&self, plan: &Plan) -> Option<Arc<Memory>> {
        self.remembered.get(&place_of(plan)).cloned()
    }

    /// Where the rows of a plan may be known from, and which of the columns there are its.
    pub(super) fn recalled(&self, plan: &Plan) -> Option<(Arc<Memory>, Vec<usize>)> {
        self.recalled.get(&place_of(plan)).cloned()
    }

    /// What is to be gathered of a join's build side.
    pub(super) fn gathered(&self, join: &Plan) -> Option<&[Gathered]> {
        self.gathered.get(&place_of(join)).map(Vec::as_slice)
    }

    /// What filters a plan's rows.
    pub(super) fn filtered(&self, plan: &Plan) -> &[Target] {
        self.filtered.get(&place_of(plan)).map_or(&[], Vec::as_slice)
    }

    /// Whether a filter that a join hands down would drop hardly any row.
    pub(super) fn is_useless(&self, id: u64) -> bool {
        self.useless.contains(&id)
    }

    fn search(&mut self, plan: &Plan, places: &HashMap<usize, usize>) {
        // What repeats itself has other keys each time.
        if plan.is::<RecursiveQueryExec>() {
            return;
        }
        if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            self.keys_of(plan, join, places);
        }
        for child in plan.children() {
            self.search(child, places);
        }
    }

    fn keys_of(&mut self, plan: &Plan, join: &HashJoinExec, places: &HashMap<usize, usize>) {
        let (_, may_drop) = join.join_type().on_lr_is_preserved();
        if !may_drop || !compares(join) {
            return;
        }
        if self.is_whole_table(join.left()) {
            self.useless.extend(id_of(join));
            return;
        }
        let schema = join.left().schema();
        let partitions = join.left().output_partitioning().partition_count();
        for (index, (left, right)) in join.on().iter().enumerate() {
            let Some(column) = right.downcast_ref::<Column>() else { continue };
            if !left.data_type(&schema).is_ok_and(|ty| is_whole(&ty)) {
                continue;
            }
            let mut search = Search { places, found: Vec::new(), proof: None };
            search.descend(join.right(), column.index(), true);
            if search.found.is_empty() {
                continue;
            }
            let keys = Keys::of(partitions);
            self.keys.insert((place_of(plan), index), Arc::clone(&keys));
            for (scan, column, is_direct) in search.found {
                let place = place_of(&scan);
                self.scans.insert(place, scan);
                let target = Target {
                    column,
                    keys: Arc::clone(&keys),
                    is_direct,
                    join: id_of(join),
                    is_only_key: join.on().len() == 1,
                };
                self.filtered.entry(place).or_default().push(target);
            }
            self.gathered.entry(place_of(plan)).or_default().push((Arc::clone(left), keys));
        }
    }
}

impl Targets {
    /// Finds scans that have read all rows before that a later scan needs.
    fn recall(&mut self, plan: &Plan, places: &HashMap<usize, usize>) {
        if plan.is::<RecursiveQueryExec>() {
            return;
        }
        if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            for (index, (left, _)) in join.on().iter().enumerate() {
                let keys = self.keys.get(&(place_of(plan), index)).cloned();
                if let Some((keys, left)) = keys.zip(left.downcast_ref::<Column>()) {
                    self.recall_by(join, left.index(), &keys, places);
                }
            }
        }
        for child in plan.children() {
            self.recall(child, places);
        }
    }

    /// `keys` are those of a join's key, which is this column of its build side.
    fn recall_by(&mut self, join: &HashJoinExec, column: usize, keys: &Arc<Keys>, places: &HashMap<usize, usize>) {
        let later: Vec<(Plan, usize)> = self
            .filtered
            .iter()
            .filter(|(place, _)| !self.recalled.contains_key(place))
            .flat_map(|(place, targets)| targets.iter().map(|target| (*place, target)))
            .filter(|(_, target)| !target.is_direct && Arc::ptr_eq(&target.keys, keys))
            .map(|(place, target)| (Arc::clone(&self.scans[&place]), target.column))
            .collect();
        if later.is_empty() {
            return;
        }
        let proof = Some(Proof { keys: &self.keys, of_all: Vec::new() });
        let mut search = Search { places, found: Vec::new(), proof };
        search.descend(join.left(), column, false);
        let of_all = search.proof.map(|proof| proof.of_all).unwrap_or_default();
        let earlier: Vec<_> =
            search.found.into_iter().filter(|(scan, of, _)| self.has_all(scan, *of, &of_all)).collect();
        for (scan, of) in later {
            let known =
                earlier.iter().find_map(|(known, column, _)| Some((known, columns_in(known, *column, &scan, of)?)));
            let Some((known, columns)) = known else { continue };
            let partitions = known.output_partitioning().partition_count();
            let memory = self.remembered.entry(place_of(known)).or_insert_with(|| Memory::of(partitions));
            self.recalled.insert(place_of(&scan), (Arc::clone(memory), columns));
        }
    }

    /// Whether a scan gives all rows with values in a column that all of these sets have.
    fn has_all(&self, scan: &Plan, column: usize, of_all: &[Arc<Keys>]) -> bool {
        let targets = self.filtered(scan);
        let is_one = |target: &Target| {
            target.column == column && target.is_only_key && of_all.iter().any(|keys| Arc::ptr_eq(keys, &target.keys))
        };
        let ids: Vec<u64> = targets.iter().filter_map(|target| target.join).collect();
        !targets.is_empty()
            && targets.iter().all(is_one)
            && handed_down(scan).is_some_and(|all| all.iter().all(|id| ids.contains(id)))
    }

    /// Whether a build side is a table as it is: the other side's rows nearly all have their partners there. What further up
    /// filters such a table is known already.
    fn is_whole_table(&self, plan: &Plan) -> bool {
        let passes = plan.is::<CoalescePartitionsExec>()
            || plan.is::<RepartitionExec>()
            || plan.is::<ProjectionExec>()
            || plan.is::<CooperativeExec>();
        match plan.children().as_slice() {
            [] => is_scan(plan) && self.filtered(plan).is_empty(),
            [input] => passes && self.is_whole_table(input),
            _ => false,
        }
    }
}

/// Whether NULL is no key of a join that any other row may have.
fn compares(join: &HashJoinExec) -> bool {
    join.null_equality() == NullEquality::NullEqualsNothing && !join.null_aware
}

fn count(plan: &Plan, places: &mut HashMap<usize, usize>) {
    *places.entry(place_of(plan)).or_default() += 1;
    plan.children().into_iter().for_each(|child| count(child, places));
}

struct Search<'p> {
    places: &'p HashMap<usize, usize>,
    /// Plans with the column to be filtered, and whether nothing but joins of its rows is on the way there.
    found: Vec<(Plan, usize, bool)>,
    proof: Option<Proof<'p>>,
}

/// Only ways are gone on which no value is lost, and the sets of keys are noted that have all of them.
struct Proof<'p> {
    keys: &'p HashMap<(usize, usize), Arc<Keys>>,
    of_all: Vec<Arc<Keys>>,
}

impl Search<'_> {
    /// Goes where the values of a plan's column come from. Rows without any of the keys in it may be dropped anywhere there.
    fn descend(&mut self, plan: &Plan, column: usize, is_direct: bool) {
        if is_scan(plan) || plan.downcast_ref::<FilterExec>().is_some_and(|filter| is_scan(filter.input())) {
            let place = place_of(plan);
            let is_known = self.found.iter().any(|(known, of, _)| (place_of(known), *of) == (place, column));
            if self.places.get(&place) == Some(&1) && !is_known {
                self.found.push((Arc::clone(plan), column, is_direct));
            }
        } else if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            let column = filter.projection().as_ref().map_or(Some(column), |kept| kept.get(column).copied());
            if let Some(column) = column.filter(|_| filter.fetch().is_none()) {
                self.descend(filter.input(), column, is_direct);
            }
        } else if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            let output = projection.expr().get(column).and_then(|output| output.expr.downcast_ref::<Column>());
            if let Some(output) = output {
                self.descend(projection.input(), output.index(), is_direct);
            }
        } else if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            self.through(plan, join, column, is_direct);
        } else if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            let keys = aggregate.group_expr();
            let key = keys.expr().get(column).and_then(|(key, _)| key.downcast_ref::<Column>());
            if let Some(key) = key.filter(|_| keys.is_single() && aggregate.limit_options().is_none()) {
                self.descend(aggregate.input(), key.index(), false);
            }
        } else if let Some(aggregate) = plan.downcast_ref::<AggregateRowGroupsExec>() {
            if let Some(key) = aggregate.key().downcast_ref::<Column>().filter(|_| column == 0) {
                self.descend(aggregate.input(), key.index(), false);
            }
        } else if let Some(passed) = plan.downcast_ref::<CooperativeExec>() {
            self.descend(passed.input(), column, is_direct);
        } else if plan.is::<RepartitionExec>()
            || plan.is::<CoalescePartitionsExec>()
            || plan.is::<UnionExec>() && self.proof.is_none()
        {
            for input in plan.children().into_iter().filter(|_| plan.fetch().is_none()) {
                self.descend(input, column, false);
            }
        }
    }

    fn through(&mut self, plan: &Plan, join: &HashJoinExec, column: usize, is_direct: bool) {
        use JoinType::{Inner, Left, LeftAnti, LeftSemi, Right, RightAnti, RightSemi};
        let column = join.projection.as_ref().map_or(Some(column), |kept| kept.get(column).copied());
        let Some(column) = column.filter(|_| join.fetch().is_none()) else { return };
        let lefts = join.left().schema().fields().len();
        let (is_left, column) = match join.join_type() {
            Inner | Left if column < lefts => (true, column),
            Inner | Right if column >= lefts => (false, column - lefts),
            LeftSemi | LeftAnti => (true, column),
            RightSemi | RightAnti => (false, column),
            _ => return,
        };
        let (own, other) = if is_left { (join.left(), join.right()) } else { (join.right(), join.left()) };
        self.descend(own, column, is_direct && !is_left);
        let has_partners = matches!(join.join_type(), Inner | LeftSemi | RightSemi);
        if !compares(join) || self.proof.is_some() && !has_partners {
            return;
        }
        let of_column = |key: &Arc<dyn PhysicalExpr>| key.downcast_ref::<Column>().map(Column::index);
        for (index, (left, right)) in join.on().iter().enumerate() {
            let (of_own, of_other) = if is_left { (left, right) } else { (right, left) };
            if of_column(of_own) != Some(column) {
                continue;
            }
            if let Some(proof) = &mut self.proof {
                proof.of_all.extend(proof.keys.get(&(place_of(plan), index)).cloned());
            }
            if let Some(equal) = of_column(of_other) {
                self.descend(other, equal, false);
            }
        }
    }
}

/// What filters the rows of a scan itself, if these are joins and others that hand down what they know.
fn handed_down(plan: &Plan) -> Option<Vec<u64>> {
    let (_, source) = parquet(plan)?;
    let Some(predicate) = source.filter() else { return Some(Vec::new()) };
    let id = |filter: &Arc<dyn PhysicalExpr>| filter.downcast_ref::<DynamicFilterPhysicalExpr>()?.expression_id();
    split_conjunction(&predicate).into_iter().map(id).collect()
}

/// Where a scan finds its columns in another one of the same files, if it reads no others there, and a column of the one
/// is a column of the other.
fn columns_in(known: &Plan, column: usize, scan: &Plan, of: usize) -> Option<Vec<usize>> {
    handed_down(scan)?;
    let ((known_files, known), (files, scan)) = (parquet(known)?, parquet(scan)?);
    if !same_files((known_files, known), (files, scan)) {
        return None;
    }
    let outputs = |source: &ParquetSource| {
        let outputs = source.projection()?.iter().map(|output| Some(output.expr.downcast_ref::<Column>()?.index()));
        outputs.collect::<Option<Vec<usize>>>()
    };
    let (known, scan) = (outputs(known)?, outputs(scan)?);
    if known.get(column)? != scan.get(of)? {
        return None;
    }
    scan.iter().map(|column| known.iter().position(|known| known == column)).collect()
}

fn parquet(plan: &Plan) -> Option<(&FileScanConfig, &ParquetSource)> {
    plan.downcast_ref::<DataSourceExec>()?.downcast_to_file_source::<ParquetSource>()
}

fn is_scan(plan: &Plan) -> bool {
    plan.downcast_ref::<DataSourceExec>()
        .is_some_and(|scan| scan.fetch().is_none() && scan.downcast_to_file_source::<ParquetSource>().is_some())
}
