//! Conditions of Filter nodes.

use boathouse_trino_functions::types::Type;

use super::compile::Columns;
use super::graph::column;
use super::nodes::{Filter, FilterExpression, FilterOperation, FilterValue, FilterValueType, LogicalOperator};
use super::transform::literal;

/// The condition that keeps a row.
pub(super) fn condition(node: &Filter, columns: &Columns) -> Result<String, String> {
    let terms = node.filters.iter().map(|filter| term(filter, columns)).collect::<Result<Vec<_>, _>>()?;
    let operator = match node.logical_operator {
        LogicalOperator::And => " AND ",
        LogicalOperator::Or => " OR ",
    };
    Ok(if terms.is_empty() { "true".to_owned() } else { terms.join(operator) })
}

fn term(filter: &FilterExpression, columns: &Columns) -> Result<String, String> {
    let negated = filter.negated == Some(true);
    let not = if negated { "NOT " } else { "" };
    let first = &filter.values[0];
    if filter.operation == FilterOperation::Isnull {
        let (tested, _) = operand(first, None, columns)?;
        return Ok(format!("({tested} IS {not}NULL)"));
    }
    let ty = filter.values.iter().find(|value| value.ty == FilterValueType::ColumnExtracted);
    let ty = ty.map(|value| columns.find(column(&value.value)?).map(|found| found.ty.clone())).transpose()?;
    let (left, left_type) = operand(first, ty.as_ref(), columns)?;
    if filter.operation == FilterOperation::Regex {
        if left_type != Some(Type::VARCHAR) && !matches!(left_type, Some(Type::Varchar(_))) {
            return Err(format!("REGEX needs a string, and {left} is none"));
        }
        let [pattern] = filter.values[1].value.as_slice() else { return Err("REGEX needs one pattern".to_owned()) };
        // A pattern matches from the start of the text, as in the scripts that Glue Studio writes.
        let pattern = text(&format!("^(?:{pattern})"));
        return Ok(format!("({not}regexp_like({left}, {pattern}))"));
    }
    let (right, _) = operand(&filter.values[1], ty.as_ref(), columns)?;
    Ok(match (filter.operation, negated) {
        // What is NULL is unequal to everything.
        (FilterOperation::Eq, true) => format!("({left} IS DISTINCT FROM {right})"),
        (operation, _) => format!("({not}{left} {} {right})", symbol(operation)),
    })
}

fn symbol(operation: FilterOperation) -> &'static str {
    match operation {
        FilterOperation::Lt => "<",
        FilterOperation::Gt => ">",
        FilterOperation::Lte => "<=",
        FilterOperation::Gte => ">=",
        FilterOperation::Eq | FilterOperation::Regex | FilterOperation::Isnull => "=",
    }
}

/// A column, or a constant of the type of the column that it is compared with.
fn operand(value: &FilterValue, ty: Option<&Type>, columns: &Columns) -> Result<(String, Option<Type>), String> {
    match value.ty {
        FilterValueType::ColumnExtracted => {
            let found = columns.find(column(&value.value)?)?;
            Ok((found.quoted(), Some(found.ty.clone())))
        }
        FilterValueType::Constant => {
            let constant = value.value.first().map(String::as_str).unwrap_or_default();
            Ok((literal(constant, ty.unwrap_or(&Type::VARCHAR))?, None))
        }
    }
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::compile::Column;
    use super::*;

    fn sql(filters: serde_json::Value) -> Result<String, String> {
        let node = json!({"Name": "f", "Inputs": ["s"], "LogicalOperator": "OR", "Filters": filters});
        let columns = vec![Column::new("Delay", Type::Integer), Column::new("who", Type::VARCHAR)];
        condition(&serde_json::from_value(node).unwrap(), &Columns::new(columns).unwrap())
    }

    fn column_of(name: &str) -> serde_json::Value {
        json!({"Type": "COLUMNEXTRACTED", "Value": [name]})
    }

    fn constant(value: &str) -> serde_json::Value {
        json!({"Type": "CONSTANT", "Value": [value]})
    }

    #[test]
    fn constants_take_the_columns_type() {
        let filters = json!([
            {"Operation": "GT", "Values": [column_of("delay"), constant("15")]},
            {"Operation": "EQ", "Negated": true, "Values": [column_of("who"), constant("it's")]},
            {"Operation": "REGEX", "Values": [column_of("who"), constant("A.")]},
            {"Operation": "ISNULL", "Negated": true, "Values": [column_of("who")]},
        ]);
        let expected = "(\"delay\" > CAST('15' AS integer)) OR (\"who\" IS DISTINCT FROM 'it''s') OR \
                        (regexp_like(\"who\", '^(?:A.)')) OR (\"who\" IS NOT NULL)";
        assert_eq!(sql(filters).unwrap(), expected);
    }

    #[test]
    fn unknown_columns_and_unreadable_constants_are_named() {
        let unknown = sql(json!([{"Operation": "LT", "Values": [column_of("dellay"), constant("1")]}])).unwrap_err();
        assert!(unknown.contains("'dellay'") && unknown.contains("Delay, who"), "{unknown}");
        assert!(sql(json!([{"Operation": "REGEX", "Values": [column_of("delay"), constant("1")]}])).is_err());
    }
}
