//! A plan's node, as all formats show it.

use std::time::Duration;

use crate::engine::Column;

/// A node.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// Trino's name of the operator, or DataFusion's if Trino has no such operator.
    pub(super) name: String,
    /// What stands in brackets behind the name: keys, conditions, counts.
    pub(super) descriptor: Vec<(&'static str, String)>,
    /// The columns and their types.
    pub(super) outputs: Vec<(String, String)>,
    /// Lines below: how columns are computed, what a scan reads.
    pub(super) details: Vec<String>,
    /// What is known beforehand of the rows; none where nothing is ever known.
    pub(super) estimate: Option<Estimate>,
    /// What happened, if it ran.
    pub(super) ran: Option<Ran>,
    /// How rows reach other threads, if that is what this node does.
    pub(super) exchange: Option<Exchange>,
    /// Where the rows come from.
    pub(super) children: Vec<Node>,
}

/// Rows and bytes as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Estimate {
    pub(super) rows: Option<usize>,
    pub(super) bytes: Option<usize>,
}

/// What an operator did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ran {
    pub(super) cpu: Duration,
    pub(super) rows: usize,
    pub(super) bytes: usize,
    /// The rows that came in, and their number for each thread.
    pub(super) input_rows: Option<usize>,
    /// The bytes that were read from objects.
    pub(super) physical_input: Option<usize>,
    /// The bytes that went to disk.
    pub(super) spilled: usize,
    /// All that the operator counted, for VERBOSE.
    pub(super) counted: Vec<String>,
}

/// How an exchange deals rows out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exchange {
    /// All to one thread.
    Single,
    /// All to one thread, which keeps the order.
    Merge,
    /// By the hash of these columns.
    Hash(Vec<String>),
    /// In turn.
    RoundRobin,
    /// In a way that Trino has no name for.
    Other(String),
}

impl Exchange {
    /// Trino's name of the partitioning.
    pub(super) fn partitioning(&self) -> &str {
        match self {
            Self::Single | Self::Merge => "SINGLE",
            Self::Hash(_) => "HASH",
            Self::RoundRobin => "ROUND_ROBIN",
            Self::Other(name) => name,
        }
    }
}

impl Node {
    pub(super) fn new(name: impl Into<String>, children: Vec<Self>) -> Self {
        Self { name: name.into(), children, ..Self::default() }
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.descriptor.push((key, value.into()));
        self
    }

    /// The node that hands the result's columns out.
    pub(super) fn output(columns: &[Column], plan: Self) -> Self {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let symbols = plan.outputs.iter().map(|(symbol, _)| symbol.clone());
        let outputs = symbols.zip(columns).map(|(symbol, column)| (symbol, column.ty.to_string())).collect();
        let renamed = plan.outputs.iter().zip(&names).filter(|((symbol, _), name)| symbol != *name);
        let details = renamed.map(|((symbol, _), name)| format!("{name} := {symbol}")).collect();
        let estimate = plan.estimate;
        Self {
            name: "Output".to_owned(),
            descriptor: vec![("columnNames", format!("[{}]", names.join(", ")))],
            outputs,
            details,
            estimate,
            children: vec![plan],
            ..Self::default()
        }
    }

    /// The nodes that write the rows to a table and hand out how many there were.
    pub(super) fn written(target: &str, plan: Self) -> Self {
        let rows = vec![("rows".to_owned(), "bigint".to_owned())];
        let one = Some(Estimate { rows: Some(1), bytes: None });
        let writer = Self { outputs: rows.clone(), estimate: one, ..Self::new("TableWriter", vec![plan]) };
        let output = Self { outputs: rows, estimate: one, ..Self::new("Output", vec![writer.with("target", target)]) };
        output.with("columnNames", "[rows]")
    }

    /// The name with what stands in brackets: `Limit[count = 10]`.
    pub(super) fn title(&self) -> String {
        let shown: Vec<String> = self.descriptor.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        format!("{}[{}]", self.name, shown.join(", "))
    }

    /// The columns with their types: `[a:integer, b:varchar]`.
    pub(super) fn layout(&self) -> String {
        let columns: Vec<String> = self.outputs.iter().map(|(symbol, ty)| format!("{symbol}:{ty}")).collect();
        format!("[{}]", columns.join(", "))
    }

    /// The columns' names: `a, b`.
    pub(super) fn symbols(&self) -> String {
        let symbols: Vec<&str> = self.outputs.iter().map(|(symbol, _)| symbol.as_str()).collect();
        symbols.join(", ")
    }

    /// The node and all below it.
    pub(super) fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n Self)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }
}
