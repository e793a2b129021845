//! A JSON document is read once for all that is asked about it.
//!
//! Where the expressions of an operator take several paths out of one column, a projection below answers all of them in one
//! reading, and the expressions find the answers in its columns. Nothing of that can fail, so it may be done for rows in
//! which a CASE would not have asked.

use std::sync::Arc;

use boathouse_trino_functions::json::{JsonQuestion, answer, answers};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Gathers what is asked about documents.
#[derive(Debug)]
pub(super) struct ReadJsonOnce;

impl OptimizerRule for ReadJsonOnce {
    fn name(&self) -> &'static str {
        "read_json_once"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::Aggregate(_)) {
            return Ok(Transformed::no(plan));
        }
        let documents = Document::all(&plan, config)?;
        if documents.is_empty() {
            return Ok(Transformed::no(plan));
        }
        let [input] = plan.inputs()[..] else { return Ok(Transformed::no(plan)) };
        let input = Arc::new(answered(input.clone(), &documents)?);
        let schema = Arc::clone(plan.schema());
        let exprs = plan.expressions().into_iter().map(|expr| Ok(replaced(expr, &documents)?.data));
        let plan = plan.with_new_exprs(exprs.collect::<Result<_>>()?, vec![Arc::unwrap_or_clone(input)])?;
        if plan.schema() == &schema {
            return Ok(Transformed::yes(plan));
        }
        // The same columns under the same names.
        let own = plan.schema().columns();
        let columns = schema.iter().zip(own).map(|((qualifier, field), column)| {
            let as_before = Column::new(qualifier.cloned(), field.name());
            if column == as_before {
                return Expr::Column(column);
            }
            Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
        });
        let columns: Vec<Expr> = columns.collect();
        Ok(Transformed::yes(LogicalPlanBuilder::from(plan).project(columns)?.build()?))
    }
}

/// A column of documents, and what is asked about them.
struct Document {
    column: Column,
    questions: Vec<JsonQuestion>,
    /// The name of the column of all answers; those of the single answers follow from it.
    name: String,
}

impl Document {
    /// The documents that an operator's expressions ask several things about.
    fn all(plan: &LogicalPlan, config: &dyn OptimizerConfig) -> Result<Vec<Self>> {
        let mut documents: Vec<Self> = Vec::new();
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                let Some((Expr::Column(column), question)) = JsonQuestion::of(expr) else {
                    return Ok(TreeNodeRecursion::Continue);
                };
                let known = documents.iter_mut().find(|document| document.column == *column);
                match known {
                    Some(document) if document.questions.contains(&question) => {}
                    Some(document) => document.questions.push(question),
                    None => {
                        let (column, name) = (column.clone(), config.alias_generator().next("__json"));
                        documents.push(Self { column, questions: vec![question], name });
                    }
                }
                Ok(TreeNodeRecursion::Jump)
            })
        })?;
        documents.retain(Self::is_worth_it);
        Ok(documents)
    }

    /// Several questions, or one that is answered without writing the document anew.
    fn is_worth_it(&self) -> bool {
        self.questions.len() > 1 || matches!(self.questions[..], [JsonQuestion::Parses(_)])
    }

    fn answer(&self, index: usize) -> Column {
        Column::from_name(format!("{}_{index}", self.name))
    }
}

/// The input with the answers as further columns: read in one projection, taken apart in the next.
fn answered(input: LogicalPlan, documents: &[Document]) -> Result<LogicalPlan> {
    let own: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    let all = documents.iter().map(|document| {
        answers(Expr::Column(document.column.clone()), document.questions.clone()).alias(&document.name)
    });
    let read = LogicalPlanBuilder::from(input).project(own.iter().cloned().chain(all))?;
    let single = documents.iter().flat_map(|document| {
        let all = Expr::Column(Column::from_name(&document.name));
        let each = move |index| answer(all.clone(), &document.questions, index).alias(document.answer(index).name);
        (0..document.questions.len()).map(each)
    });
    read.project(own.iter().cloned().chain(single))?.build()
}

fn replaced(expr: Expr, documents: &[Document]) -> Result<Transformed<Expr>> {
    expr.transform_down(|expr| {
        let Some((Expr::Column(column), question)) = JsonQuestion::of(&expr) else { return Ok(Transformed::no(expr)) };
        let found = documents.iter().find(|document| document.column == *column).and_then(|document| {
            let index = document.questions.iter().position(|asked| *asked == question)?;
            Some(Expr::Column(document.answer(index)))
        });
        Ok(match found {
            Some(answer) => Transformed::new(answer, true, TreeNodeRecursion::Jump),
            None => Transformed::no(expr),
        })
    })
}
