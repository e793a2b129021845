//! EXPLAIN: a plan as it will run, or has run, in Trino's words.
//!
//! It follows "Using EXPLAIN and EXPLAIN ANALYZE in Athena" and Trino's own text. What is shown is DataFusion's plan and
//! nothing else: an operator that Trino has too bears Trino's name, any other one its own. Rows and bytes are what footers
//! tell, or `?`; times are measured.
//!
//! | Module | What it does |
//! |---|---|
//! | `node` | a plan's node, as all formats show it |
//! | `translate` | DataFusion's operators → nodes |
//! | `expression` | expressions and types as SQL |
//! | `fragments` | the plan cut where rows go from threads to other threads |
//! | `text`, `json`, `graphviz` | the formats |

mod expression;
mod fragments;
mod graphviz;
mod json;
mod node;
mod text;
mod translate;

use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;

use crate::engine::Column;
use crate::scan::Noted;
use node::Node;

/// What EXPLAIN shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Explain {
    /// The plan as one tree.
    #[default]
    Logical,
    /// The plan in fragments.
    Distributed,
    /// The plan in fragments after it ran, with what each operator did.
    Analyze,
    /// The same with all that the operators counted.
    AnalyzeVerbose,
}

impl Explain {
    /// Whether the query runs.
    pub fn runs(self) -> bool {
        matches!(self, Self::Analyze | Self::AnalyzeVerbose)
    }
}

/// How EXPLAIN shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExplainFormat {
    /// A drawn tree.
    #[default]
    Text,
    /// A graph in the DOT language.
    Graphviz,
    /// JSON.
    Json,
}

/// How long the steps of a query took that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Times {
    pub(crate) analysis: Duration,
    pub(crate) planning: Duration,
    pub(crate) execution: Duration,
}

/// A plan as text.
pub(crate) fn shown(
    plan: &Arc<dyn ExecutionPlan>,
    noted: &Noted,
    columns: &[Column],
    (what, format): (Explain, ExplainFormat),
    writes: Option<&str>,
    times: Times,
) -> String {
    let plan = translate::node(plan, noted, what);
    let root = match writes {
        Some(target) => Node::written(target, plan),
        None => Node::output(columns, plan),
    };
    match (what, format) {
        (Explain::Logical, ExplainFormat::Text) => text::tree(&root),
        (Explain::Logical, ExplainFormat::Json) => json::tree(&root),
        (Explain::Logical, ExplainFormat::Graphviz) => graphviz::graph("logical_plan", &[fragments::whole(root)]),
        (_, ExplainFormat::Graphviz) => graphviz::graph("distributed_plan", &fragments::cut(root)),
        (Explain::Distributed, ExplainFormat::Text) => text::fragments(&fragments::cut(root)),
        (Explain::Distributed, ExplainFormat::Json) => json::fragments(&fragments::cut(root)),
        (_, ExplainFormat::Text) => text::analyzed(&fragments::cut(root), times),
        (_, ExplainFormat::Json) => json::analyzed(&fragments::cut(root)),
    }
}
