//! Filters as conditions on columns, by which files are left out. What can't be said so holds for every row.

use boathouse_iceberg::Datum;
use boathouse_iceberg::predicate::{Comparison, Predicate};
use boathouse_iceberg::schema::{NestedField, PrimitiveType};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// What all filters together demand of the columns.
pub(crate) fn predicate(filters: &[Expr], fields: &[NestedField]) -> Predicate {
    filters.iter().fold(Predicate::True, |all, filter| all.and(condition(filter, fields)))
}

fn condition(expr: &Expr, fields: &[NestedField]) -> Predicate {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            condition(left, fields).and(condition(right, fields))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            match (condition(left, fields), condition(right, fields)) {
                (Predicate::True, _) | (_, Predicate::True) => Predicate::True,
                (left, right) => Predicate::Or(vec![left, right]),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => comparison(left, *op, right, fields).unwrap_or_default(),
        Expr::IsNull(inner) => column(inner, fields).map_or(Predicate::True, |field| Predicate::IsNull(field.id)),
        Expr::IsNotNull(inner) => column(inner, fields).map_or(Predicate::True, |field| Predicate::NotNull(field.id)),
        Expr::Column(_) => is(expr, true, fields).unwrap_or_default(),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::Column(_) => is(inner, false, fields).unwrap_or_default(),
            Expr::IsNull(inner) => condition(&Expr::IsNotNull(inner.clone()), fields),
            Expr::IsNotNull(inner) => condition(&Expr::IsNull(inner.clone()), fields),
            _ => Predicate::True,
        },
        Expr::InList(InList { expr, list, negated: false }) => members(expr, list, fields).unwrap_or_default(),
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let bound = |op, value| comparison(expr, op, value, fields).unwrap_or_default();
            bound(Operator::GtEq, low).and(bound(Operator::LtEq, high))
        }
        _ => Predicate::True,
    }
}

fn column<'a>(expr: &Expr, fields: &'a [NestedField]) -> Option<&'a NestedField> {
    // Timestamps with time zone are compared by their instants, which are all that files have of them.
    let (expr, is_instant) = match expr {
        Expr::ScalarFunction(call) => match call.args.as_slice() {
            [value, Expr::Literal(part, _)] if call.func.name() == "get_field" && is_text(part, "instant") => {
                (value, true)
            }
            _ => return None,
        },
        other => (other, false),
    };
    let name = &expr.try_as_col()?.name;
    let field = fields.iter().find(|field| field.name.to_lowercase() == *name)?;
    (!is_instant || field.ty.primitive() == Some(PrimitiveType::Timestamptz)).then_some(field)
}

fn is_text(value: &ScalarValue, text: &str) -> bool {
    value.try_as_str().flatten() == Some(text)
}

/// The constant of a column's type.
fn constant(expr: &Expr, field: &NestedField) -> Option<Datum> {
    let Expr::Literal(value, _) = expr else { return None };
    datum(value, field.ty.primitive()?).filter(|value| !value.is_nan())
}

fn comparison(left: &Expr, op: Operator, right: &Expr, fields: &[NestedField]) -> Option<Predicate> {
    let (field, value, turned) = match column(left, fields) {
        Some(field) => (field, constant(right, field)?, false),
        None => {
            let field = column(right, fields)?;
            (field, constant(left, field)?, true)
        }
    };
    let op = match (op, turned) {
        (Operator::Eq, _) => Comparison::Equal,
        (Operator::NotEq, _) => Comparison::NotEqual,
        (Operator::Lt, false) | (Operator::Gt, true) => Comparison::Less,
        (Operator::LtEq, false) | (Operator::GtEq, true) => Comparison::LessOrEqual,
        (Operator::Gt, false) | (Operator::Lt, true) => Comparison::Greater,
        (Operator::GtEq, false) | (Operator::LtEq, true) => Comparison::GreaterOrEqual,
        _ => return None,
    };
    Some(Predicate::Compare { field: field.id, op, value })
}

/// A boolean column that is true, or false.
fn is(expr: &Expr, value: bool, fields: &[NestedField]) -> Option<Predicate> {
    let field = column(expr, fields)?;
    (field.ty.primitive()? == PrimitiveType::Boolean).then_some(())?;
    Some(Predicate::Compare { field: field.id, op: Comparison::Equal, value: Datum::Boolean(value) })
}

fn members(expr: &Expr, list: &[Expr], fields: &[NestedField]) -> Option<Predicate> {
    let field = column(expr, fields)?;
    // NULL in the list makes nothing true.
    let values = list.iter().filter(|item| !matches!(item, Expr::Literal(value, _) if value.is_null()));
    let values = values.map(|item| constant(item, field)).collect::<Option<Vec<_>>>()?;
    Some(Predicate::In { field: field.id, values })
}

/// A value of an Arrow type as one of Iceberg's; none if it is NULL, or of another type.
pub(crate) fn datum(value: &ScalarValue, ty: PrimitiveType) -> Option<Datum> {
    Some(match (ty, value) {
        (PrimitiveType::Boolean, ScalarValue::Boolean(value)) => Datum::Boolean((*value)?),
        (PrimitiveType::Int, ScalarValue::Int32(value)) => Datum::Int((*value)?),
        (PrimitiveType::Long, ScalarValue::Int64(value)) => Datum::Long((*value)?),
        (PrimitiveType::Float, ScalarValue::Float32(value)) => Datum::Float((*value)?),
        (PrimitiveType::Double, ScalarValue::Float64(value)) => Datum::Double((*value)?),
        (PrimitiveType::Decimal { scale, .. }, ScalarValue::Decimal128(value, _, own)) if *own == scale as i8 => {
            Datum::Decimal { unscaled: (*value)?, scale }
        }
        (PrimitiveType::Date, ScalarValue::Date32(value)) => Datum::Date((*value)?),
        (PrimitiveType::Time, ScalarValue::Time64Microsecond(value)) => Datum::Time((*value)?),
        (PrimitiveType::Timestamp, ScalarValue::TimestampMicrosecond(value, None)) => Datum::Timestamp((*value)?),
        (PrimitiveType::Timestamptz, ScalarValue::TimestampMicrosecond(value, Some(_))) => {
            Datum::Timestamptz((*value)?)
        }
        (PrimitiveType::String, ScalarValue::Utf8(value)) => Datum::String(value.clone()?),
        (PrimitiveType::Uuid, ScalarValue::Utf8(value)) => {
            Datum::Uuid(*uuid::Uuid::parse_str(value.as_ref()?).ok()?.as_bytes())
        }
        (PrimitiveType::Uuid, ScalarValue::FixedSizeBinary(16, value)) => {
            Datum::Uuid(value.as_deref()?.try_into().ok()?)
        }
        (PrimitiveType::Fixed(_), ScalarValue::Binary(value) | ScalarValue::FixedSizeBinary(_, value)) => {
            Datum::Fixed(value.clone()?)
        }
        (PrimitiveType::Binary, ScalarValue::Binary(value)) => Datum::Binary(value.clone()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn fields() -> Vec<NestedField> {
        vec![
            NestedField::optional(1, "Id", PrimitiveType::Long),
            NestedField::optional(2, "ok", PrimitiveType::Boolean),
            NestedField::optional(3, "name", PrimitiveType::String),
            NestedField::optional(4, "at", PrimitiveType::Timestamptz),
        ]
    }

    fn of(filter: Expr) -> Predicate {
        predicate(&[filter], &fields())
    }

    fn compare(op: Comparison, value: i64) -> Predicate {
        Predicate::Compare { field: 1, op, value: Datum::Long(value) }
    }

    #[test]
    fn comparisons_go_by_field_id() {
        assert_eq!(of(col("id").gt(lit(5_i64))), compare(Comparison::Greater, 5));
        assert_eq!(of(lit(5_i64).gt(col("id"))), compare(Comparison::Less, 5));
        assert_eq!(of(col("ok")), Predicate::Compare { field: 2, op: Comparison::Equal, value: Datum::Boolean(true) });
        assert_eq!(of(col("name").is_null()), Predicate::IsNull(3));
        let values = vec![Datum::Long(1), Datum::Long(2)];
        assert_eq!(of(col("id").in_list(vec![lit(1_i64), lit(2_i64)], false)), Predicate::In { field: 1, values });
        let between = compare(Comparison::GreaterOrEqual, 1).and(compare(Comparison::LessOrEqual, 2));
        assert_eq!(of(col("id").between(lit(1_i64), lit(2_i64))), between);
    }

    #[test]
    fn instants_are_those_of_timestamps_with_time_zone() {
        let instant = |column: &str| datafusion::functions::core::expr_fn::get_field(col(column), "instant");
        let value = ScalarValue::TimestampMicrosecond(Some(7), Some("UTC".into()));
        let value = || Expr::Literal(value.clone(), None);
        let compared = Predicate::Compare { field: 4, op: Comparison::GreaterOrEqual, value: Datum::Timestamptz(7) };
        assert_eq!(of(instant("at").gt_eq(value())), compared);
        assert_eq!(of(instant("id").gt_eq(value())), Predicate::True);
        assert_eq!(of(col("at").is_null()), Predicate::IsNull(4));
    }

    #[test]
    fn what_cannot_be_said_holds_always() {
        assert_eq!(of(col("id").eq(col("id"))), Predicate::True);
        assert_eq!(of(col("id").eq(lit(5_i32))), Predicate::True);
        assert_eq!(of(col("id").eq(lit(5_i64)).or(col("other").eq(lit(1_i64)))), Predicate::True);
        assert_eq!(of(col("id").eq(lit(5_i64)).and(col("other").eq(lit(1_i64)))), compare(Comparison::Equal, 5));
        assert_eq!(of(col("id").in_list(vec![lit(1_i64)], true)), Predicate::True);
    }
}
