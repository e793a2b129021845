//! The window in a logical plan, and how it gets into the physical one.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::super::partitions::Keys;
use super::windows::Windows;
use super::{Frame, FrameFunction};

/// The rows of an input with what functions make of their frames.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FramedWindow {
    /// Whose rows.
    pub(crate) input: LogicalPlan,
    /// What they are parted and sorted by.
    pub(crate) keys: Keys,
    /// The rows' frames.
    pub(crate) frame: Frame<Column>,
    /// What is computed over them.
    pub(crate) functions: Vec<FrameFunction>,
    /// The columns that come out.
    pub(crate) outputs: Vec<FramedOutput<Column>>,
    /// Their names and types.
    pub(crate) schema: DFSchemaRef,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum FramedOutput<C> {
    /// A column of the input.
    Input(C),
    /// A function, by its place.
    Function(usize),
}

impl FramedWindow {
    /// The columns of the input that are looked at, beside those that come out and the keys.
    fn looked_at(&self) -> impl Iterator<Item = &Column> {
        self.functions.iter().flat_map(|function| &function.arguments).chain(self.frame.columns())
    }

    /// Without the columns that the input hasn't any more.
    fn fitted(mut self) -> Result<Self> {
        let input = self.input.schema();
        let stays = |output: &FramedOutput<Column>| match output {
            FramedOutput::Input(column) => input.has_column(column),
            FramedOutput::Function(_) => true,
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

impl PartialOrd for FramedWindow {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for FramedWindow {
    fn name(&self) -> &str {
        "FramedWindow"
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
        write!(f, "FramedWindow: {}", self.keys)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return internal_err!("FramedWindow has one input") };
        Self { input, keys: self.keys.with(exprs)?, ..self.clone() }.fitted()
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let shown = output_columns.iter().filter_map(|index| match self.outputs.get(*index)? {
            FramedOutput::Input(column) => Some(column),
            FramedOutput::Function(_) => None,
        });
        let schema = self.input.schema();
        let needed = shown.chain(self.looked_at()).map(|column| schema.maybe_index_of_column(column));
        needed.collect::<Option<Vec<_>>>().map(|needed| vec![needed])
    }
}

/// Plans [`FramedWindow`]s.
#[derive(Debug)]
pub(crate) struct FramedPlanner;

#[async_trait]
impl ExtensionPlanner for FramedPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<FramedWindow>(), inputs) else {
            return Ok(None);
        };
        let schema = node.input.schema();
        let physical = |expr: &Expr| planner.create_physical_expr(expr, schema, session, context);
        let output = |output: &FramedOutput<Column>| match output {
            FramedOutput::Input(column) => schema.index_of_column(column).map(FramedOutput::Input),
            FramedOutput::Function(place) => Ok(FramedOutput::Function(*place)),
        };
        let windows = Windows {
            frame: node.frame.map(|column| schema.index_of_column(column))?,
            functions: node.functions.iter().map(|function| function.plan(schema)).collect::<Result<_>>()?,
            outputs: node.outputs.iter().map(output).collect::<Result<_>>()?,
            schema: Arc::clone(node.schema.inner()),
        };
        node.keys.plan(input, physical, Arc::new(windows)).map(Some)
    }
}
