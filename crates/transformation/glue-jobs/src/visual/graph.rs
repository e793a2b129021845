//! The nodes of a job as a graph: which feeds which, and what no job can be.

use std::collections::{BTreeMap, BTreeSet};

use boathouse_trino_functions::types::Type;
use serde_json::Value;

use super::casts::type_of;
use super::nodes::{
    AggFunction, FieldPath, FilterExpression, FilterOperation, FilterValueType, JoinType, Mapping, Node, QuoteChar,
};
use super::{spark_sql, target};
use crate::error::JobError;
use crate::s3::Place;

/// A job's nodes by their ids, checked. Every input of a node is there, and no node feeds itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: BTreeMap<String, Node>,
    /// The ids, inputs before those they feed.
    order: Vec<String>,
}

impl Graph {
    /// Reads `CodeGenConfigurationNodes`.
    ///
    /// # Errors
    /// What is not implemented, by name, and what makes no job.
    pub fn read(nodes: &BTreeMap<String, Value>) -> Result<Self, JobError> {
        let read = nodes.iter().map(|(id, node)| Ok((id.clone(), Node::read(id, node)?)));
        let nodes: BTreeMap<String, Node> = read.collect::<Result<_, JobError>>()?;
        for (id, node) in &nodes {
            inputs(&nodes, id, node)?;
            options(node).map_err(|message| JobError::invalid(format!("{}: {message}", title(id, node))))?;
        }
        if !nodes.values().any(Node::is_target) {
            return Err(JobError::invalid("A visual job needs a target"));
        }
        let order = order(&nodes)?;
        Ok(Self { nodes, order })
    }

    /// The ids in an order in which every node comes after its inputs.
    pub fn order(&self) -> &[String] {
        &self.order
    }

    /// The ids of the targets.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str).filter(|id| self.node(id).is_target())
    }

    pub(crate) fn node(&self, id: &str) -> &Node {
        self.nodes.get(id).expect("invariant: ids come from the graph itself")
    }

    /// How messages call a node.
    pub(crate) fn title(&self, id: &str) -> String {
        title(id, self.node(id))
    }

    /// The graph of what a node needs, and the node itself; nothing if there is no such node.
    pub(crate) fn up_to(&self, id: &str) -> Option<Self> {
        self.nodes.get(id)?;
        let order: Vec<String> = self.needed(id).into_iter().map(str::to_owned).collect();
        let nodes = self.nodes.iter().filter(|(id, _)| order.contains(id));
        Some(Self { nodes: nodes.map(|(id, node)| (id.clone(), node.clone())).collect(), order })
    }

    /// The node and all that it needs, inputs first.
    pub(crate) fn needed(&self, id: &str) -> Vec<&str> {
        let mut needed = BTreeSet::from([id]);
        for other in self.order.iter().rev() {
            if needed.contains(other.as_str()) {
                needed.extend(self.node(other).inputs().iter().map(String::as_str));
            }
        }
        self.order.iter().map(String::as_str).filter(|other| needed.contains(other)).collect()
    }
}

fn title(id: &str, node: &Node) -> String {
    format!("node '{}' ({id})", node.name())
}

fn inputs(nodes: &BTreeMap<String, Node>, id: &str, node: &Node) -> Result<(), JobError> {
    let (least, most) = node.arity();
    let refuse = |message: String| Err(JobError::invalid(format!("{}: {message}", title(id, node))));
    let count = node.inputs().len();
    if !(least..=most).contains(&count) {
        return refuse(format!("it has {count} inputs and needs {least}"));
    }
    for input in node.inputs() {
        match nodes.get(input) {
            None => return refuse(format!("its input {input} is not one of the job's nodes")),
            Some(target) if target.is_target() => return refuse(format!("its input {input} is a target")),
            Some(_) => {}
        }
    }
    Ok(())
}

fn order(nodes: &BTreeMap<String, Node>) -> Result<Vec<String>, JobError> {
    let (mut order, mut done) = (Vec::new(), BTreeSet::new());
    while order.len() < nodes.len() {
        let ready =
            nodes.iter().find(|(id, node)| !done.contains(*id) && node.inputs().iter().all(|i| done.contains(i)));
        let Some((id, _)) = ready else {
            let left: Vec<&str> = nodes.keys().filter(|id| !done.contains(*id)).map(String::as_str).collect();
            return Err(JobError::invalid(format!("The nodes feed each other in a circle: {}", left.join(", "))));
        };
        done.insert(id.clone());
        order.push(id.clone());
    }
    Ok(order)
}

/// The column that a path means; fields of columns are not supported.
pub(crate) fn column(path: &FieldPath) -> Result<&str, String> {
    match path.as_slice() {
        [name] if !name.is_empty() => Ok(name.trim_matches('`')),
        [] => Err("a field's path is empty".to_owned()),
        _ => Err(format!("Boathouse does not implement fields of columns ({}) yet", path.join("."))),
    }
}

pub(crate) fn columns(paths: &[FieldPath]) -> Result<Vec<&str>, String> {
    paths.iter().map(column).collect()
}

fn unimplemented(what: &str) -> Result<(), String> {
    Err(format!("Boathouse does not implement {what} yet"))
}

fn place(path: &str) -> Result<(), String> {
    Place::parse(path).map(drop).ok_or_else(|| format!("{path} is not an S3 path (s3://bucket/prefix/)"))
}

fn compression(kind: Option<&str>) -> Result<(), String> {
    match kind {
        None | Some("gzip" | "none" | "") => Ok(()),
        Some(other) => unimplemented(&format!("CompressionType {other}")),
    }
}

/// What can be said about a node's options before it runs.
fn options(node: &Node) -> Result<(), String> {
    match node {
        Node::S3CsvSource(node) => {
            node.paths.iter().try_for_each(|path| place(path))?;
            compression(node.compression_type.as_deref())?;
            if node.quote_char == QuoteChar::Quillemet {
                return unimplemented("QuoteChar quillemet");
            }
            match (&node.escaper, node.multiline) {
                (_, Some(true)) => unimplemented("Multiline CSV files"),
                (Some(escaper), _) if escaper.len() > 1 => Err("Escaper must be one ASCII character".to_owned()),
                _ => Ok(()),
            }
        }
        Node::S3JsonSource(node) => {
            node.paths.iter().try_for_each(|path| place(path))?;
            compression(node.compression_type.as_deref())?;
            match (&node.json_path, node.multiline) {
                (Some(path), _) if !path.is_empty() => unimplemented("JsonPath"),
                (_, Some(true)) => unimplemented("Multiline JSON files"),
                _ => Ok(()),
            }
        }
        Node::S3ParquetSource(node) => node.paths.iter().try_for_each(|path| place(path)),
        Node::ApplyMapping(node) => node.mapping.iter().try_for_each(mapping),
        Node::SelectFields(node) => columns(&node.paths).map(drop),
        Node::DropFields(node) => columns(&node.paths).map(drop),
        Node::RenameField(node) => column(&node.source_path).and(column(&node.target_path)).map(drop),
        Node::Filter(node) => node.filters.iter().try_for_each(condition),
        Node::Join(node) => join(node),
        Node::SparkSql(node) => {
            if let Some(input) = node.inputs.iter().find(|input| !node.sql_aliases.iter().any(|a| a.from == **input)) {
                return Err(format!("its input {input} has no alias"));
            }
            spark_sql::read(&node.sql_query).map(drop)
        }
        Node::Aggregate(node) => {
            columns(&node.groups)?;
            if node.aggs.is_empty() {
                return Err("it aggregates nothing".to_owned());
            }
            node.aggs.iter().try_for_each(|agg| {
                column(&agg.column)?;
                match agg.agg_func {
                    AggFunction::First | AggFunction::Last => {
                        unimplemented("the aggregates first and last, which depend on the order of rows")
                    }
                    AggFunction::Kurtosis | AggFunction::Skewness => {
                        unimplemented("the aggregates kurtosis and skewness")
                    }
                    _ => Ok(()),
                }
            })
        }
        Node::DropDuplicates(node) => columns(node.columns.as_deref().unwrap_or_default()).map(drop),
        Node::Merge(node) => {
            if !node.inputs.contains(&node.source) {
                return Err(format!("its Source {} is not one of its inputs", node.source));
            }
            if node.primary_keys.is_empty() {
                return Err("it has no PrimaryKeys".to_owned());
            }
            columns(&node.primary_keys).map(drop)
        }
        Node::S3DirectTarget(_) | Node::S3GlueParquetTarget(_) | Node::S3CatalogTarget(_) => target::check(node),
        Node::CatalogSource(_) | Node::DropNullFields(_) | Node::Union(_) => Ok(()),
    }
}

fn mapping(mapping: &Mapping) -> Result<(), String> {
    if mapping.children.as_ref().is_some_and(|children| !children.is_empty()) {
        return unimplemented("Children of mappings");
    }
    if mapping.dropped == Some(true) {
        return Ok(());
    }
    column(mapping.from_path.as_ref().ok_or("a mapping has no FromPath")?)?;
    mapping.to_key.as_ref().filter(|key| !key.is_empty()).ok_or("a mapping has no ToKey")?;
    let ty = mapping.to_type.as_deref().ok_or("a mapping has no ToType")?;
    match type_of(ty)? {
        Type::Array(_) | Type::Map(..) | Type::Row(_) => {
            let same = mapping.from_type.as_deref() == Some(ty);
            if same { Ok(()) } else { unimplemented(&format!("casts to {ty}")) }
        }
        _ => Ok(()),
    }
}

fn condition(condition: &FilterExpression) -> Result<(), String> {
    let expected = if condition.operation == FilterOperation::Isnull { 1 } else { 2 };
    let values = &condition.values;
    if values.len() != expected && !(expected == 1 && values.len() == 2) {
        return Err(format!("a condition with {:?} needs {expected} values", condition.operation));
    }
    for value in values {
        match value.ty {
            FilterValueType::ColumnExtracted => column(&value.value).map(drop)?,
            FilterValueType::Constant if value.value.len() != 1 && condition.operation != FilterOperation::Isnull => {
                return Err("a constant must be one value".to_owned());
            }
            FilterValueType::Constant => {}
        }
    }
    if !values.iter().any(|value| value.ty == FilterValueType::ColumnExtracted) {
        return Err("a condition compares no column".to_owned());
    }
    Ok(())
}

fn join(node: &super::nodes::Join) -> Result<(), String> {
    let [left, right] = node.columns.as_slice() else {
        return Err("Columns must have two members".to_owned());
    };
    for side in [left, right] {
        if !node.inputs.contains(&side.from) {
            return Err(format!("Columns names {}, which is not one of its inputs", side.from));
        }
        columns(&side.keys)?;
    }
    if left.from == right.from && node.inputs[0] != node.inputs[1] {
        return Err("Columns must name both inputs".to_owned());
    }
    if left.keys.len() != right.keys.len() || left.keys.is_empty() {
        return Err(format!("{} keys on one side and {} on the other", left.keys.len(), right.keys.len()));
    }
    match node.join_type {
        JoinType::Equijoin
        | JoinType::Left
        | JoinType::Right
        | JoinType::Outer
        | JoinType::LeftSemi
        | JoinType::LeftAnti => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(nodes: Value) -> Result<Graph, JobError> {
        Graph::read(&serde_json::from_value(nodes).unwrap())
    }

    fn source() -> Value {
        json!({"S3ParquetSource": {"Name": "s", "Paths": ["s3://b/in/"]}})
    }

    fn target(input: &str) -> Value {
        json!({"S3GlueParquetTarget": {"Name": "t", "Inputs": [input], "Path": "s3://b/out/"}})
    }

    fn with(node: Value) -> Result<Graph, JobError> {
        read(json!({"s": source(), "x": node, "t": target("x")}))
    }

    #[test]
    fn nodes_come_after_their_inputs() {
        let select = json!({"SelectFields": {"Name": "x", "Inputs": ["s"], "Paths": [["a"]]}});
        let graph = with(select).unwrap();
        assert_eq!(graph.order(), ["s", "x", "t"]);
        assert_eq!(graph.targets().collect::<Vec<_>>(), ["t"]);
        assert_eq!(graph.needed("x"), ["s", "x"]);
        assert_eq!(graph.up_to("x").unwrap().order(), ["s", "x"]);
        assert_eq!(graph.up_to("y"), None);
    }

    #[test]
    fn what_makes_no_job_is_refused() {
        let select = |input: &str| json!({"SelectFields": {"Name": "x", "Inputs": [input], "Paths": [["a"]]}});
        for (nodes, reason) in [
            (json!({"s": source()}), "needs a target"),
            (json!({"s": source(), "t": target("u")}), "u is not one of the job's nodes"),
            (json!({"t": target("s"), "s": source(), "u": target("t")}), "is a target"),
            (json!({"a": select("b"), "b": select("a"), "t": target("a")}), "circle"),
            (json!({"a": select("a"), "t": target("a")}), "circle"),
        ] {
            let message = read(nodes).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn options_are_checked_with_the_nodes_name() {
        for (node, reason) in [
            (
                json!({"SelectFields": {"Name": "pick", "Inputs": ["s"], "Paths": [["a", "b"]]}}),
                "fields of columns (a.b)",
            ),
            (
                json!({"Join": {"Name": "pick", "Inputs": ["s", "s"], "JoinType": "left", "Columns": [
                {"From": "s", "Keys": [["a"]]}, {"From": "s", "Keys": []}]}}),
                "1 keys on one side",
            ),
            (
                json!({"Aggregate": {"Name": "pick", "Inputs": ["s"], "Groups": [], "Aggs": [
                {"Column": ["a"], "AggFunc": "first"}]}}),
                "first and last",
            ),
            (
                json!({"ApplyMapping": {"Name": "pick", "Inputs": ["s"], "Mapping": [
                {"FromPath": ["a"], "FromType": "string", "ToKey": "a", "ToType": "wibble"}]}}),
                "wibble",
            ),
            (
                json!({"SparkSQL": {"Name": "pick", "Inputs": ["s"], "SqlQuery": "SELEC 1", "SqlAliases": [
                {"From": "s", "Alias": "t"}]}}),
                "line 1",
            ),
            (
                json!({"SparkSQL": {"Name": "pick", "Inputs": ["s"], "SqlQuery": "SELECT 1", "SqlAliases": []}}),
                "no alias",
            ),
            (
                json!({"Filter": {"Name": "pick", "Inputs": ["s"], "LogicalOperator": "AND", "Filters": [
                {"Operation": "EQ", "Values": [{"Type": "CONSTANT", "Value": ["1"]}]}]}}),
                "needs 2 values",
            ),
            (
                json!({"Merge": {"Name": "pick", "Inputs": ["s", "s"], "Source": "z", "PrimaryKeys": [["a"]]}}),
                "Source z",
            ),
        ] {
            let message = with(node).unwrap_err().to_string();
            assert!(message.contains(reason) && message.contains("node 'pick' (x)"), "{message}");
        }
    }
}
