//! The recognition of patterns in a logical plan, and how it gets into the physical one.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::super::frames::FramedPlanner;
use super::super::partitions::Keys;
use super::formula::{Computed, Formulas};
use super::program::Program;
use super::search::{OutputColumn, Recognised, Sought};
use super::windows::Framed;
use super::{FrameEnd, Framing, Goal, Skip};

/// Rows of the input in which a pattern is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MatchRecognize {
    /// Whose rows. It has the columns that are needed, and no others.
    pub(crate) input: LogicalPlan,
    /// What they are parted and sorted by.
    pub(crate) keys: Keys,
    /// The pattern.
    pub(crate) program: Program,
    /// The names of the labels.
    pub(crate) names: Vec<String>,
    /// The condition of each label; none if every row fits.
    pub(crate) define: Vec<Option<Formulas>>,
    /// The measures.
    pub(crate) measures: Formulas,
    /// What matches are looked for.
    pub(crate) goal: Goal,
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
    /// A function over the rows of a frame's match, by its place.
    Function(usize),
}

impl MatchRecognize {
    /// The columns of the input that are looked at, beside those that come out and the keys.
    fn looked_at(&self) -> Vec<&Column> {
        let formulas = self.define.iter().flatten().chain([&self.measures]).flat_map(Formulas::columns);
        let framing = match &self.goal {
            Goal::Matches(_) => Vec::new(),
            Goal::Frames(framing) => framing.columns(),
        };
        formulas.chain(framing).collect()
    }

    /// Without the columns that the input hasn't any more.
    fn fitted(mut self) -> Result<Self> {
        let input = self.input.schema();
        let stays = |output: &Output| match output {
            Output::Input(column) => input.has_column(column),
            Output::Measure(_) | Output::Function(_) => true,
        };
        let kept: Vec<bool> = self.outputs.iter().map(stays).collect();
        let fields = self.schema.iter().zip(&kept).filter(|(_, kept)| **kept);
        let fields = fields.map(|((relation, field), _)| (relation.cloned(), Arc::clone(field))).collect();
        self.schema = Arc::new(DFSchema::new_with_metadata(fields, self.schema.metadata().clone())?);
        let mut kept = kept.into_iter();
        self.outputs.retain(|_| kept.next().unwrap_or(true));
        Ok(self)
    }
}

impl Framing {
    fn columns(&self) -> Vec<&Column> {
        let end = match &self.end {
            FrameEnd::Following(column) => Some(column),
            FrameEnd::CurrentRow | FrameEnd::Unbounded => None,
        };
        self.functions.iter().flat_map(|function| &function.arguments).chain(end).collect()
    }

    fn plan(&self, input: &DFSchema) -> Result<Framed> {
        let end = match &self.end {
            FrameEnd::Following(column) => Some(input.index_of_column(column)?),
            FrameEnd::CurrentRow | FrameEnd::Unbounded => None,
        };
        let functions = self.functions.iter().map(|function| function.plan(input)).collect::<Result<_>>()?;
        Ok(Framed { only_row: self.end == FrameEnd::CurrentRow, end, seeks: self.seeks, functions })
    }
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
        self.keys.expressions()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MatchRecognize: {}", self.keys)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return internal_err!("MatchRecognize has one input") };
        Self { input, keys: self.keys.with(exprs)?, ..self.clone() }.fitted()
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let Goal::Frames(_) = self.goal else { return None };
        let shown = output_columns.iter().filter_map(|index| match self.outputs.get(*index)? {
            Output::Input(column) => Some(column),
            Output::Measure(_) | Output::Function(_) => None,
        });
        let schema = self.input.schema();
        let needed = shown.chain(self.looked_at()).map(|column| schema.maybe_index_of_column(column));
        needed.collect::<Option<Vec<_>>>().map(|needed| vec![needed])
    }
}

/// Plans queries, those with operators of our own in their logical plans included.
#[derive(Debug)]
pub(crate) struct MatchRecognizePlanner;

#[async_trait]
impl QueryPlanner for MatchRecognizePlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Self), Arc::new(FramedPlanner)]);
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
        let define: Vec<Option<Computed>> =
            node.define.iter().map(|condition| condition.as_ref().map(&plan).transpose()).collect::<Result<_>>()?;
        let output = |output: &Output| match output {
            Output::Input(column) => schema.index_of_column(column).map(OutputColumn::Input),
            Output::Measure(measure) => Ok(OutputColumn::Measure(*measure)),
            Output::Function(function) => Ok(OutputColumn::Function(*function)),
        };
        let sought = match &node.goal {
            Goal::Matches(rows) => Sought::Matches(*rows),
            Goal::Frames(framing) => Sought::Frames(framing.plan(schema)?),
        };
        let recognised = Recognised {
            program: node.program.clone(),
            names: node.names.clone(),
            define,
            measures: plan(&node.measures)?,
            sought,
            skip: node.skip.clone(),
            outputs: node.outputs.iter().map(output).collect::<Result<_>>()?,
            schema: Arc::clone(node.schema.inner()),
        };
        node.keys.plan(input, |expr| physical(expr, schema), Arc::new(recognised)).map(Some)
    }
}
