//! Expressions and types of a physical plan as SQL.

use std::sync::Arc;

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NegativeExpr,
    NotExpr, TryCastExpr,
};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr};

use crate::operators::{Emptiness, Every, OnDictionary, Search};

/// An expression; one of a kind that SQL has no words for as DataFusion writes it.
pub(super) fn expression(expr: &Arc<dyn PhysicalExpr>) -> String {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return format!("\"{}\"", column.name());
    }
    if let Some(value) = expr.downcast_ref::<Literal>() {
        return literal(value.value());
    }
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        let (left, right) = (expression(binary.left()), expression(binary.right()));
        return format!("({left} {} {right})", operator(binary.op()));
    }
    if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
        return format!("{}({})", call.name(), list(call.args()));
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        return format!("CAST({} AS {})", expression(cast.expr()), type_name(cast.cast_type()));
    }
    if let Some(cast) = expr.downcast_ref::<TryCastExpr>() {
        return format!("TRY_CAST({} AS {})", expression(cast.expr()), type_name(cast.cast_type()));
    }
    condition(expr).unwrap_or_else(|| expr.to_string())
}

fn condition(expr: &Arc<dyn PhysicalExpr>) -> Option<String> {
    if let Some(negated) = expr.downcast_ref::<NotExpr>() {
        return Some(format!("(NOT {})", expression(negated.arg())));
    }
    if let Some(negative) = expr.downcast_ref::<NegativeExpr>() {
        return Some(format!("-{}", expression(negative.arg())));
    }
    if let Some(null) = expr.downcast_ref::<IsNullExpr>() {
        return Some(format!("({} IS NULL)", expression(null.arg())));
    }
    if let Some(null) = expr.downcast_ref::<IsNotNullExpr>() {
        return Some(format!("({} IS NOT NULL)", expression(null.arg())));
    }
    if let Some(list_of) = expr.downcast_ref::<InListExpr>() {
        let not = if list_of.negated() { "NOT " } else { "" };
        return Some(format!("({} {not}IN ({}))", expression(list_of.expr()), list(list_of.list())));
    }
    if let Some(emptiness) = expr.downcast_ref::<Emptiness>() {
        let comparison: Arc<dyn PhysicalExpr> = Arc::new(emptiness.comparison());
        return Some(expression(&comparison));
    }
    if let Some(every) = expr.downcast_ref::<Every>() {
        let conditions: Vec<_> = every.conditions().iter().map(expression).collect();
        return Some(format!("({})", conditions.join(" AND ")));
    }
    if let Some(asked) = expr.downcast_ref::<OnDictionary>() {
        return Some(expression(asked.condition()));
    }
    if let Some(search) = expr.downcast_ref::<Search>() {
        return Some(like(&search.like()));
    }
    if let Some(expr) = expr.downcast_ref::<LikeExpr>() {
        return Some(like(expr));
    }
    expr.downcast_ref::<CaseExpr>().map(case)
}

fn like(like: &LikeExpr) -> String {
    let not = if like.negated() { "NOT " } else { "" };
    format!("({} {not}LIKE {})", expression(like.expr()), expression(like.pattern()))
}

fn case(case: &CaseExpr) -> String {
    let mut text = "(CASE".to_owned();
    if let Some(operand) = case.expr() {
        text.push_str(&format!(" {}", expression(operand)));
    }
    for (when, then) in case.when_then_expr() {
        text.push_str(&format!(" WHEN {} THEN {}", expression(when), expression(then)));
    }
    if let Some(otherwise) = case.else_expr() {
        text.push_str(&format!(" ELSE {}", expression(otherwise)));
    }
    text.push_str(" END)");
    text
}

/// Several expressions with commas.
pub(super) fn list<'e>(exprs: impl IntoIterator<Item = &'e Arc<dyn PhysicalExpr>>) -> String {
    exprs.into_iter().map(expression).collect::<Vec<_>>().join(", ")
}

/// A column's bare name, or an expression.
pub(super) fn symbol(expr: &Arc<dyn PhysicalExpr>) -> String {
    expr.downcast_ref::<Column>().map_or_else(|| expression(expr), |column| column.name().to_owned())
}

/// `[a, b]`
pub(super) fn symbols<'e>(exprs: impl IntoIterator<Item = &'e Arc<dyn PhysicalExpr>>) -> String {
    format!("[{}]", exprs.into_iter().map(symbol).collect::<Vec<_>>().join(", "))
}

/// `[a ASC NULLS LAST, b DESC NULLS LAST]`
pub(super) fn order<'e>(keys: impl IntoIterator<Item = &'e PhysicalSortExpr>) -> String {
    let key = |key: &PhysicalSortExpr| {
        let direction = if key.options.descending { "DESC" } else { "ASC" };
        let nulls = if key.options.nulls_first { "FIRST" } else { "LAST" };
        format!("{} {direction} NULLS {nulls}", symbol(&key.expr))
    };
    format!("[{}]", keys.into_iter().map(key).collect::<Vec<_>>().join(", "))
}

fn operator(op: &Operator) -> String {
    match op {
        Operator::NotEq => "<>".to_owned(),
        Operator::StringConcat => "||".to_owned(),
        other => other.to_string(),
    }
}

fn literal(value: &ScalarValue) -> String {
    match value {
        value if value.is_null() => "NULL".to_owned(),
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        ScalarValue::Date32(_) => format!("DATE '{value}'"),
        ScalarValue::TimestampSecond(..)
        | ScalarValue::TimestampMillisecond(..)
        | ScalarValue::TimestampMicrosecond(..)
        | ScalarValue::TimestampNanosecond(..) => format!("TIMESTAMP '{value}'"),
        value => value.to_string(),
    }
}

/// Trino's name of an Arrow type. Types that travel as text look like text.
pub(super) fn type_name(ty: &DataType) -> String {
    match ty {
        DataType::Null => "unknown".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "varchar".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "varbinary".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Time32(unit) | DataType::Time64(unit) => format!("time({})", precision(*unit)),
        DataType::Timestamp(unit, None) => format!("timestamp({})", precision(*unit)),
        DataType::Timestamp(unit, Some(_)) => format!("timestamp({}) with time zone", precision(*unit)),
        DataType::Duration(_) => "interval day to second".to_owned(),
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month".to_owned(),
        DataType::List(element) | DataType::LargeList(element) => format!("array({})", type_name(element.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("map({}, {})", type_name(fields[0].data_type()), type_name(fields[1].data_type()))
            }
            other => type_name(other),
        },
        DataType::Struct(fields) => match fields.first() {
            Some(instant) if instant.name() == "instant" && fields.len() == 2 => type_name(instant.data_type()),
            _ => {
                let field = |field: &Arc<arrow::datatypes::Field>| {
                    format!("\"{}\" {}", field.name(), type_name(field.data_type()))
                };
                format!("row({})", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
        },
        other => other.to_string(),
    }
}

fn precision(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::physical_expr::expressions::{binary, cast, col, in_list, lit};

    use super::*;

    #[test]
    fn expressions_are_written_as_sql() {
        let schema = Schema::new(vec![Field::new("a", DataType::Int32, true), Field::new("s", DataType::Utf8, true)]);
        let a = || col("a", &schema).unwrap();
        let compared = binary(a(), Operator::NotEq, lit(7_i32), &schema).unwrap();
        assert_eq!(expression(&compared), "(\"a\" <> 7)");
        let cast = cast(a(), &schema, DataType::Int64).unwrap();
        assert_eq!(expression(&cast), "CAST(\"a\" AS bigint)");
        let within = in_list(col("s", &schema).unwrap(), vec![lit("it's"), lit("b")], &true, &schema).unwrap();
        assert_eq!(expression(&within), "(\"s\" NOT IN ('it''s', 'b'))");
        assert_eq!(literal(&ScalarValue::Date32(Some(0))), "DATE '1970-01-01'");
    }

    #[test]
    fn types_have_trinos_names() {
        let map = boathouse_trino_functions::types::Type::parse_trino("map(varchar, array(decimal(10,2)))").unwrap();
        assert_eq!(type_name(&map.to_arrow()), "map(varchar, array(decimal(10,2)))");
        let zoned = boathouse_trino_functions::types::Type::TimestampTz(3);
        assert_eq!(type_name(&zoned.to_arrow()), "timestamp(3) with time zone");
    }
}
