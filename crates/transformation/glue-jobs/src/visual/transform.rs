//! The query of one node over its inputs, which stand in it by their names in the whole query.

use boathouse_trino_functions::types::Type;

use super::casts::{cast, type_of};
use super::compile::{Column, Columns};
use super::filter;
use super::graph::{column, columns};
use super::nodes::{
    AggFunction, Aggregate, AggregateOperation, ApplyMapping, DropDuplicates, Join, JoinType, Merge, Node, Union,
    UnionType,
};

/// An input of a node: its name in the query, and its columns.
pub(super) struct Input<'a> {
    pub(super) id: &'a str,
    pub(super) relation: &'a str,
    pub(super) columns: &'a Columns,
}

/// A node's query, and what its columns are called.
pub(super) struct Body {
    pub(super) sql: String,
    pub(super) names: Vec<String>,
}

/// A name as an identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.to_lowercase().replace('"', "\"\""))
}

/// A constant of a column's type, from its text.
pub(super) fn literal(text: &str, ty: &Type) -> Result<String, String> {
    let quoted = format!("'{}'", text.replace('\'', "''"));
    Ok(match ty {
        Type::Varchar(_) | Type::Char(_) => quoted,
        ty if ty.is_integer() && text.trim().parse::<i64>().is_err() => {
            text.trim().parse::<f64>().map_err(|_| format!("'{text}' can't be compared with a column of type {ty}"))?;
            format!("CAST('{}' AS double)", text.trim())
        }
        ty if ty.is_numeric() => format!("CAST('{}' AS {ty})", text.trim().replace('\'', "''")),
        ty => format!("CAST({quoted} AS {ty})"),
    })
}

/// The query of a transform that needs to know nothing but its inputs' columns.
pub(super) fn body(node: &Node, inputs: &[Input<'_>]) -> Result<Body, String> {
    let first = &inputs[0];
    match node {
        Node::ApplyMapping(node) => apply_mapping(node, first),
        Node::SelectFields(node) => {
            let kept = columns(&node.paths)?.into_iter().map(|name| first.columns.find(name));
            Ok(select(kept.collect::<Result<Vec<_>, _>>()?, first))
        }
        Node::DropFields(node) => {
            let dropped = columns(&node.paths)?.into_iter().map(|name| first.columns.find(name));
            let dropped = dropped.collect::<Result<Vec<_>, _>>()?;
            without(&dropped, first)
        }
        Node::RenameField(node) => {
            let (from, to) = (first.columns.find(column(&node.source_path)?)?, column(&node.target_path)?);
            let renamed = |known: &Column| if known == from { to.to_owned() } else { known.name.clone() };
            let names: Vec<String> = first.columns.iter().map(renamed).collect();
            let items = first.columns.iter().zip(&names);
            Ok(items_from(items.map(|(column, name)| (column.quoted(), name.clone())), first.relation))
        }
        Node::Filter(node) => {
            let condition = filter::condition(node, first.columns)?;
            let all = select(first.columns.iter().collect(), first);
            Ok(Body { sql: format!("{} WHERE {condition}", all.sql), ..all })
        }
        Node::Join(node) => join(node, inputs),
        Node::Aggregate(node) => aggregate(node, first),
        Node::DropDuplicates(node) => drop_duplicates(node, first),
        Node::Union(node) => union(node, inputs),
        Node::Merge(node) => merge(node, inputs),
        _ => Err("it is no transform".to_owned()),
    }
}

fn items_from(items: impl Iterator<Item = (String, String)>, relation: &str) -> Body {
    let (mut list, mut names) = (Vec::new(), Vec::new());
    for (value, name) in items {
        list.push(format!("{value} AS {}", quoted(&name)));
        names.push(name);
    }
    Body { sql: format!("SELECT {} FROM {relation}", list.join(", ")), names }
}

fn select(kept: Vec<&Column>, input: &Input<'_>) -> Body {
    items_from(kept.into_iter().map(|column| (column.quoted(), column.name.clone())), input.relation)
}

/// All columns but these.
pub(super) fn without(dropped: &[&Column], input: &Input<'_>) -> Result<Body, String> {
    let kept: Vec<&Column> = input.columns.iter().filter(|column| !dropped.contains(column)).collect();
    if kept.is_empty() { Err("no column is left".to_owned()) } else { Ok(select(kept, input)) }
}

fn apply_mapping(node: &ApplyMapping, input: &Input<'_>) -> Result<Body, String> {
    let mut items = Vec::new();
    for mapping in node.mapping.iter().filter(|mapping| mapping.dropped != Some(true)) {
        let from = input.columns.find(column(mapping.from_path.as_ref().ok_or("a mapping has no FromPath")?)?)?;
        let to = mapping.to_key.clone().ok_or("a mapping has no ToKey")?;
        let ty = type_of(mapping.to_type.as_deref().ok_or("a mapping has no ToType")?)?;
        let value = match &ty {
            Type::Array(_) | Type::Map(..) | Type::Row(_) => from.quoted(),
            ty => cast(&from.quoted(), &from.ty, ty).map_err(|message| format!("column {}: {message}", from.name))?,
        };
        items.push((value, to.trim_matches('`').to_owned()));
    }
    if items.is_empty() {
        return Err("no column is left".to_owned());
    }
    Ok(items_from(items.into_iter(), input.relation))
}

fn join(node: &Join, inputs: &[Input<'_>]) -> Result<Body, String> {
    let (left, right) = (&inputs[0], &inputs[1]);
    let keys_of = |input: &Input<'_>, other: usize| {
        let named = node.columns.iter().find(|side| side.from == input.id);
        let named = named.filter(|_| inputs[0].id != inputs[1].id).unwrap_or(&node.columns[other]);
        columns(&named.keys)?
            .into_iter()
            .map(|name| input.columns.find(name).cloned())
            .collect::<Result<Vec<_>, String>>()
    };
    let (left_keys, right_keys) = (keys_of(left, 0)?, keys_of(right, 1)?);
    let on: Vec<String> = (left_keys.iter().zip(&right_keys))
        .map(|(left, right)| format!("l.{} = r.{}", left.quoted(), right.quoted()))
        .collect();
    let on = on.join(" AND ");
    let mut items: Vec<(String, String)> =
        left.columns.iter().map(|column| (format!("l.{}", column.quoted()), column.name.clone())).collect();
    let kind = match node.join_type {
        JoinType::LeftSemi | JoinType::LeftAnti => {
            let not = if node.join_type == JoinType::LeftAnti { "NOT " } else { "" };
            let kept = items_from(items.into_iter(), &format!("{} AS l", left.relation));
            let exists = format!("{not}EXISTS (SELECT 1 FROM {} AS r WHERE {on})", right.relation);
            return Ok(Body { sql: format!("{} WHERE {exists}", kept.sql), ..kept });
        }
        JoinType::Equijoin => "INNER",
        JoinType::Left => "LEFT",
        JoinType::Right => "RIGHT",
        JoinType::Outer => "FULL",
    };
    for column in right.columns.iter() {
        let taken = left.columns.find(&column.name).is_ok();
        let name = match (taken, node.join_type) {
            (false, _) => column.name.clone(),
            // As Glue's own join does it.
            (true, JoinType::Equijoin) => format!(".{}", column.name),
            (true, _) => {
                return Err(format!(
                    "both inputs have a column '{}': rename it on one side with RenameField or ApplyMapping",
                    column.name
                ));
            }
        };
        items.push((format!("r.{}", column.quoted()), name));
    }
    let from = format!("{} AS l {kind} JOIN {} AS r ON {on}", left.relation, right.relation);
    Ok(items_from(items.into_iter(), &from))
}

fn aggregate(node: &Aggregate, input: &Input<'_>) -> Result<Body, String> {
    let groups = columns(&node.groups)?.into_iter().map(|name| input.columns.find(name));
    let groups = groups.collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<String> = groups.iter().map(|column| column.quoted()).collect();
    let mut items: Vec<(String, String)> = groups.iter().map(|column| (column.quoted(), column.name.clone())).collect();
    for agg in &node.aggs {
        items.push(aggregated(agg, input.columns.find(column(&agg.column)?)?)?);
    }
    let group_by = if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) };
    let body = items_from(items.into_iter(), input.relation);
    Ok(Body { sql: format!("{}{group_by}", body.sql), ..body })
}

/// An aggregate, called as Spark calls it.
fn aggregated(agg: &AggregateOperation, column: &Column) -> Result<(String, String), String> {
    let (value, name) = (column.quoted(), &column.name);
    let numeric = column.ty.is_numeric();
    let plain = |function: &str| (format!("{function}({value})"), format!("{function}({name})"));
    let needs_numbers =
        !matches!(agg.agg_func, AggFunction::Count | AggFunction::CountDistinct | AggFunction::Max | AggFunction::Min);
    if needs_numbers && !numeric {
        return Err(format!("column '{name}' is {} and can't be aggregated with {:?}", column.ty, agg.agg_func));
    }
    Ok(match agg.agg_func {
        AggFunction::Avg => match column.ty {
            // Spark's average has four digits more.
            Type::Decimal(precision, scale) => {
                let ty = Type::Decimal((precision + 4).min(38), (scale + 4).min(38));
                (format!("avg(CAST({value} AS {ty}))"), format!("avg({name})"))
            }
            _ => plain("avg"),
        },
        AggFunction::Count => plain("count"),
        AggFunction::CountDistinct => (format!("count(DISTINCT {value})"), format!("count(DISTINCT {name})")),
        AggFunction::Max => plain("max"),
        AggFunction::Min => plain("min"),
        AggFunction::Sum => plain("sum"),
        AggFunction::SumDistinct => (format!("sum(DISTINCT {value})"), format!("sum(DISTINCT {name})")),
        AggFunction::StddevSamp => plain("stddev_samp"),
        AggFunction::StddevPop => plain("stddev_pop"),
        AggFunction::VarSamp => plain("var_samp"),
        AggFunction::VarPop => plain("var_pop"),
        AggFunction::First | AggFunction::Last | AggFunction::Kurtosis | AggFunction::Skewness => {
            return Err(format!("Boathouse does not implement the aggregate {:?} yet", agg.agg_func));
        }
    })
}

fn drop_duplicates(node: &DropDuplicates, input: &Input<'_>) -> Result<Body, String> {
    let all = select(input.columns.iter().collect(), input);
    let keys = columns(node.columns.as_deref().unwrap_or_default())?;
    if keys.is_empty() {
        return Ok(Body { sql: all.sql.replacen("SELECT", "SELECT DISTINCT", 1), ..all });
    }
    let keys =
        keys.into_iter().map(|name| input.columns.find(name).map(Column::quoted)).collect::<Result<Vec<_>, _>>()?;
    let number = format!("row_number() OVER (PARTITION BY {}) AS \"row of its key\"", keys.join(", "));
    let numbered = format!("(SELECT *, {number} FROM {}) AS numbered", input.relation);
    let kept = select(input.columns.iter().collect(), &Input { relation: &numbered, ..*input });
    Ok(Body { sql: format!("{} WHERE \"row of its key\" = 1", kept.sql), ..kept })
}

fn union(node: &Union, inputs: &[Input<'_>]) -> Result<Body, String> {
    let (left, right) = (&inputs[0], &inputs[1]);
    if left.columns.len() != right.columns.len() {
        return Err(format!(
            "its inputs have {} and {} columns ({}; {})",
            left.columns.len(),
            right.columns.len(),
            left.columns,
            right.columns
        ));
    }
    let operator = match node.union_type {
        UnionType::All => "UNION ALL",
        UnionType::Distinct => "UNION",
    };
    let first = select(left.columns.iter().collect(), left);
    let second = select(right.columns.iter().collect(), right);
    Ok(Body { sql: format!("{} {operator} {}", first.sql, second.sql), names: first.names })
}

/// Rows of the source take the place of rows with the same keys.
fn merge(node: &Merge, inputs: &[Input<'_>]) -> Result<Body, String> {
    let source = usize::from(inputs[0].id != node.source);
    let (primary, staged) = (&inputs[1 - source], &inputs[source]);
    let staged_columns = primary.columns.iter().map(|column| staged.columns.find(&column.name));
    let staged_columns = staged_columns.collect::<Result<Vec<_>, _>>()?;
    if let Some(extra) = staged.columns.iter().find(|column| primary.columns.find(&column.name).is_err()) {
        return Err(format!("column '{}' is in one of its inputs only", extra.name));
    }
    let keys = columns(&node.primary_keys)?.into_iter().map(|name| primary.columns.find(name));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let same: Vec<String> = keys.iter().map(|key| format!("s.{0} = p.{0}", key.quoted())).collect();
    let items = primary.columns.iter().map(|column| (format!("p.{}", column.quoted()), column.name.clone()));
    let kept = items_from(items, &format!("{} AS p", primary.relation));
    let newer = select(staged_columns, staged);
    let sql = format!(
        "{} WHERE NOT EXISTS (SELECT 1 FROM {} AS s WHERE {}) UNION ALL {}",
        kept.sql,
        staged.relation,
        same.join(" AND "),
        newer.sql
    );
    Ok(Body { sql, names: kept.names })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn columns_of(list: &[(&str, Type)]) -> Columns {
        Columns::new(list.iter().map(|(name, ty)| Column::new(*name, ty.clone())).collect()).unwrap()
    }

    fn run(node: Value) -> Result<Body, String> {
        let left = columns_of(&[("Id", Type::Integer), ("x", Type::Double)]);
        let right = columns_of(&[("id", Type::Integer), ("y", Type::VARCHAR)]);
        let inputs =
            [Input { id: "a", relation: "n0", columns: &left }, Input { id: "b", relation: "n1", columns: &right }];
        body(&Node::read("n", &node).unwrap(), &inputs)
    }

    #[test]
    fn joins_name_columns_as_glue_does() {
        let join = |kind: &str| {
            run(json!({"Join": {"Name": "j", "Inputs": ["a", "b"], "JoinType": kind,
                "Columns": [{"From": "b", "Keys": [["id"]]}, {"From": "a", "Keys": [["Id"]]}]}}))
        };
        let equal = join("equijoin").unwrap();
        assert_eq!(equal.names, ["Id", "x", ".id", "y"]);
        assert!(equal.sql.ends_with("FROM n0 AS l INNER JOIN n1 AS r ON l.\"id\" = r.\"id\""), "{}", equal.sql);
        assert!(join("left").err().unwrap().contains("'id'"));
        assert!(join("leftanti").unwrap().sql.contains("WHERE NOT EXISTS"));
    }

    #[test]
    fn every_query_can_be_read() {
        for node in [
            json!({"ApplyMapping": {"Name": "m", "Inputs": ["a"], "Mapping": [
                {"FromPath": ["id"], "FromType": "int", "ToKey": "Key", "ToType": "string"},
                {"FromPath": ["x"], "FromType": "double", "ToKey": "x", "ToType": "int"}]}}),
            json!({"SelectFields": {"Name": "m", "Inputs": ["a"], "Paths": [["X"]]}}),
            json!({"DropFields": {"Name": "m", "Inputs": ["a"], "Paths": [["X"]]}}),
            json!({"RenameField": {"Name": "m", "Inputs": ["a"], "SourcePath": ["x"], "TargetPath": ["a \"b\""]}}),
            json!({"Aggregate": {"Name": "m", "Inputs": ["a"], "Groups": [["id"]], "Aggs": [
                {"Column": ["x"], "AggFunc": "avg"}, {"Column": ["x"], "AggFunc": "countDistinct"}]}}),
            json!({"DropDuplicates": {"Name": "m", "Inputs": ["a"], "Columns": [["id"]]}}),
            json!({"DropDuplicates": {"Name": "m", "Inputs": ["a"]}}),
            json!({"Union": {"Name": "m", "Inputs": ["a", "b"], "UnionType": "DISTINCT"}}),
        ] {
            let body = run(node).unwrap();
            assert!(boathouse_trino_parser::parse_statement(&body.sql).is_ok(), "{}", body.sql);
        }
    }

    #[test]
    fn wrong_columns_are_named() {
        for node in [
            json!({"SelectFields": {"Name": "m", "Inputs": ["a"], "Paths": [["zz"]]}}),
            json!({"DropFields": {"Name": "m", "Inputs": ["a"], "Paths": [["zz"]]}}),
            json!({"DropDuplicates": {"Name": "m", "Inputs": ["a"], "Columns": [["zz"]]}}),
            json!({"Merge": {"Name": "m", "Inputs": ["a", "b"], "Source": "b", "PrimaryKeys": [["zz"]]}}),
        ] {
            let message = run(node).err().unwrap();
            assert!(message.contains("'zz'") || message.contains("'x'"), "{message}");
        }
    }
}
