//! The partitions of a table with partition projection: each key's values are narrowed by the query's filters before they
//! are combined, so that wide ranges cost nothing when a query asks for few of them.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::partitions::{Partition, prune, value_of};
use crate::catalog::{ColumnDefinition, TableDefinition};
use crate::projection::{Kind, Projection, Value};

/// How many partitions a query may project, and how many values a key may keep.
const MOST: usize = 1_000_000;
/// How many values are tested at once.
const CHUNK: usize = 8192;

/// The partitions that the filters leave.
pub(super) fn select(
    table: &TableDefinition,
    projection: &Projection,
    filters: &[Expr],
) -> Result<Vec<Partition>, TrinoError> {
    let keys = table.partition_keys.iter().zip(&projection.keys);
    let mut combined: Vec<Vec<(String, ScalarValue)>> = vec![Vec::new()];
    for (key, kind) in keys {
        let values = values(table, key, kind, filters)?;
        if combined.len().saturating_mul(values.len()) > MOST {
            return Err(too_many(table));
        }
        let longer = |partition: &Vec<(String, ScalarValue)>| {
            let partition = partition.clone();
            values.clone().into_iter().map(move |value| {
                let mut longer = partition.clone();
                longer.push(value);
                longer
            })
        };
        combined = combined.iter().flat_map(longer).collect();
    }
    let partition = |values: Vec<(String, ScalarValue)>| {
        let texts: Vec<&str> = values.iter().map(|(text, _)| text.as_str()).collect();
        let location = projection.location(table, &texts);
        let values = values.into_iter().map(|(_, value)| value).collect();
        Partition { values, location, format: table.format.clone() }
    };
    let partitions = combined.into_iter().map(partition).collect();
    match conjunction(filters.iter().cloned()) {
        Some(filter) => prune(&table.partition_keys, partitions, &filter),
        None => Ok(partitions),
    }
}

/// A key's values that the filters on this key alone leave.
fn values(
    table: &TableDefinition,
    key: &ColumnDefinition,
    kind: &Kind,
    filters: &[Expr],
) -> Result<Vec<(String, ScalarValue)>, TrinoError> {
    let own = filters.iter().filter(|filter| filter.column_refs().iter().all(|column| column.name == key.name));
    let own: Vec<Expr> = own.cloned().collect();
    let fixed = own.iter().find_map(|filter| fixed(filter, &key.name));
    if *kind == Kind::Injected {
        require_equality(key, filters)?;
    }
    let narrowed = narrowed(kind, key, &own);
    // Texts and whole numbers look in the location as they do in the query; others are found among all values.
    let direct = matches!(key.ty, Type::Varchar(_)) || key.ty.is_integer() || *kind == Kind::Injected;
    let candidates: Box<dyn Iterator<Item = Value> + Send> = match (fixed.filter(|_| direct), narrowed.values()) {
        (Some(values), _) => {
            let mut texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.dedup();
            Box::new(texts.into_iter().filter_map(|text| kind.value(&text)))
        }
        (None, Some(all)) => all,
        (None, None) => return Err(needs_equality(key)),
    };
    let filter = conjunction(own);
    let mut candidates = candidates.peekable();
    let mut kept = Vec::new();
    while candidates.peek().is_some() {
        let chunk: Vec<Value> = candidates.by_ref().take(CHUNK).collect();
        kept.extend(test(key, chunk, filter.as_ref())?);
        if kept.len() > MOST {
            return Err(too_many(table));
        }
    }
    Ok(kept)
}

/// Those of some values for which the filter is true, as text and as the key's type.
fn test(
    key: &ColumnDefinition,
    values: Vec<Value>,
    filter: Option<&Expr>,
) -> Result<Vec<(String, ScalarValue)>, TrinoError> {
    // The text travels as the location through the test.
    let partition = |value: Value| {
        let values = vec![typed(key, &value)?];
        Ok(Partition { values, location: value.text, format: crate::catalog::Format::Parquet })
    };
    let partitions = values.into_iter().map(partition).collect::<Result<Vec<_>, TrinoError>>()?;
    let kept = match filter {
        Some(filter) => prune(std::slice::from_ref(key), partitions, filter)?,
        None => partitions,
    };
    let pair = |partition: Partition| Some((partition.location, partition.values.into_iter().next()?));
    Ok(kept.into_iter().filter_map(pair).collect())
}

fn typed(key: &ColumnDefinition, value: &Value) -> Result<ScalarValue, TrinoError> {
    match (value.time, &key.ty) {
        (Some(time), Type::Date) => value_of(key, &time.date().to_string()),
        (Some(time), Type::Timestamp(_)) => value_of(key, &time.to_string()),
        _ => value_of(key, &value.text),
    }
}

/// The literals that a filter compares a key with, if it is true for no other values.
pub(super) fn fixed(filter: &Expr, key: &str) -> Option<Vec<ScalarValue>> {
    let is_key = |expr: &Expr| expr.try_as_col().is_some_and(|column| column.name == key);
    let literal = |expr: &Expr| match expr {
        Expr::Literal(value, _) if !value.is_null() => Some(value.clone()),
        _ => None,
    };
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_key(left) => Some(vec![literal(right)?]),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_key(right) => Some(vec![literal(left)?]),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            fixed(left, key).or_else(|| fixed(right, key))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut both = fixed(left, key)?;
            both.extend(fixed(right, key)?);
            Some(both)
        }
        Expr::InList(list) if !list.negated && is_key(&list.expr) => list.list.iter().map(literal).collect(),
        _ => None,
    }
}

/// A range of numbers without those that comparisons leave out.
fn narrowed(kind: &Kind, key: &ColumnDefinition, filters: &[Expr]) -> Kind {
    let Kind::Integer(integers) = kind else { return kind.clone() };
    if !key.ty.is_integer() {
        return kind.clone();
    }
    let (mut least, mut most): (Option<i64>, Option<i64>) = (None, None);
    for (op, number) in filters.iter().flat_map(|filter| bounds(filter, &key.name)) {
        match op {
            Operator::Gt | Operator::GtEq => least = Some(least.map_or(number, |least| least.max(number))),
            _ => most = Some(most.map_or(number, |most| most.min(number))),
        }
    }
    Kind::Integer(integers.narrowed(least, most).into_owned())
}

/// The comparisons of a key with numbers that a filter demands.
fn bounds(filter: &Expr, key: &str) -> Vec<(Operator, i64)> {
    let is_key = |expr: &Expr| expr.try_as_col().is_some_and(|column| column.name == key);
    let number = |expr: &Expr| match expr {
        Expr::Literal(value, _) => value.to_string().parse().ok(),
        _ => None,
    };
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            let mut both = bounds(left, key);
            both.extend(bounds(right, key));
            both
        }
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq),
            right,
        }) if is_key(left) => number(right).map(|number| (*op, number)).into_iter().collect(),
        Expr::Between(between) if !between.negated && is_key(&between.expr) => {
            let low = number(&between.low).map(|number| (Operator::GtEq, number));
            low.into_iter().chain(number(&between.high).map(|number| (Operator::LtEq, number))).collect()
        }
        _ => Vec::new(),
    }
}

/// An injected key has no values but those that the query names.
fn require_equality(key: &ColumnDefinition, filters: &[Expr]) -> Result<(), TrinoError> {
    let mut about = filters.iter().filter(|filter| filter.column_refs().iter().any(|column| column.name == key.name));
    let mut is_fixed = false;
    let all = about.all(|filter| {
        is_fixed = true;
        fixed(filter, &key.name).is_some()
    });
    if all && is_fixed { Ok(()) } else { Err(needs_equality(key)) }
}

fn needs_equality(key: &ColumnDefinition) -> TrinoError {
    let message = format!(
        "For the injected projected partition column {}, the WHERE clause must contain only static equality conditions, \
         and at least one such condition must be present.",
        key.name
    );
    TrinoError::new(ErrorCode::ConstraintViolation, message)
}

fn too_many(table: &TableDefinition) -> TrinoError {
    let message = format!("The query projects more than {MOST} partitions of table {}.{}", table.database, table.name);
    TrinoError::new(ErrorCode::HiveExceededPartitionLimit, message)
}
