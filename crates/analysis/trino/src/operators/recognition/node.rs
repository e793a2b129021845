//! MATCH_RECOGNIZE in a logical plan, and how it gets into the physical one.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use arrow::compute::SortOptions;

use super::exec::MatchRecognizeExec;
use super::formula::{Computed, Formulas};
use super::program::Program;
use super::search::{OutputColumn, Recognised};
use super::{Rows, Skip};

/// Rows of the input in which a pattern is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MatchRecognize {
    /// Whose rows. It has the columns that are needed, and no others.
    pub(crate) input: LogicalPlan,
    /// The keys of partitions.
    pub(crate) partition_by: Vec<Expr>,
    /// The order in a partition.
    pub(crate) order_by: Vec<Sort>,
    /// The pattern.
    pub(crate) program: Program,
    /// The names of the labels.
    pub(crate) names: Vec<String>,
    /// The condition of each label; none if every row fits.
    pub(crate) define: Vec<Option<Formulas>>,
    /// The measures.
    pub(crate) measures: Formulas,
    /// Which rows come out.
    pub(crate) rows: Rows,
    /// Where the search goes on after a match.
    pub(crate) skip: Skip,
    /// The columns that come out.
    pub(crate) outputs: Vec<Output>,
    /// Their names and types.
    pub(crate) schema: DFSchemaRef,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Output {
    /// A column of the input.
    Input(Column),
    /// A measure, by its place.
    Measure(usize),
}

impl PartialOrd for MatchRecognize {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for MatchRecognize {
    fn name(&self) -> &str {
        "MatchRecognize"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.partition_by.iter().cloned().chain(self.order_by.iter().map(|sort| sort.expr.clone())).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.partition_by.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.order_by.iter().map(ToString::to_string).collect();
        write!(f, "MatchRecognize: partition_by=[{}], order_by=[{}]", keys.join(", "), order.join(", "))
    }

    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), exprs.len() == self.partition_by.len() + self.order_by.len()) else {
            return internal_err!("MatchRecognize has one input and its own expressions");
        };
        let order = exprs.split_off(self.partition_by.len());
        let order_by = order.into_iter().zip(&self.order_by).map(|(expr, sort)| Sort { expr, ..sort.clone() });
        Ok(Self { input, partition_by: exprs, order_by: order_by.collect(), ..self.clone() })
    }
}

/// Plans queries, those with MATCH_RECOGNIZE included.
#[derive(Debug)]
pub(crate) struct MatchRecognizePlanner;

#[async_trait]
impl QueryPlanner for MatchRecognizePlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Self)]);
        planner.create_physical_plan(plan, session).await
    }
}

#[async_trait]
impl ExtensionPlanner for MatchRecognizePlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<MatchRecognize>(), inputs) else {
            return Ok(None);
        };
        let schema = node.input.schema();
        let physical = |expr: &Expr, schema: &DFSchema| planner.create_physical_expr(expr, schema, session, context);
        let plan = |formulas: &Formulas| formulas.plan(schema, &physical);
        let partition_by = node.partition_by.iter().map(|key| physical(key, schema)).collect::<Result<_>>()?;
        let mut order_by = Vec::with_capacity(node.order_by.len());
        for sort in &node.order_by {
            let options = SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first };
            order_by.push(PhysicalSortExpr::new(physical(&sort.expr, schema)?, options));
        }
        let define: Vec<Option<Computed>> =
            node.define.iter().map(|condition| condition.as_ref().map(&plan).transpose()).collect::<Result<_>>()?;
        let output = |output: &Output| match output {
            Output::Input(column) => schema.index_of_column(column).map(OutputColumn::Input),
            Output::Measure(measure) => Ok(OutputColumn::Measure(*measure)),
        };
        let recognised = Recognised {
            program: node.program.clone(),
            names: node.names.clone(),
            define,
            measures: plan(&node.measures)?,
            rows: node.rows,
            skip: node.skip.clone(),
            outputs: node.outputs.iter().map(output).collect::<Result<_>>()?,
            schema: Arc::clone(node.schema.inner()),
        };
        let exec = MatchRecognizeExec::new(Arc::clone(input), partition_by, order_by, Arc::new(recognised));
        Ok(Some(Arc::new(exec)))
    }
}
