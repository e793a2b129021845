//! Which partitions of a table a query needs.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::physical_expr::create_physical_expr;

use crate::catalog::{ColumnDefinition, Format, PartitionDefinition, Session, TableDefinition};
use crate::error::of_datafusion;

/// What Hive calls the partition of rows whose key is NULL.
pub(crate) const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A partition to read.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    pub(crate) values: Vec<ScalarValue>,
    pub(crate) location: String,
    pub(crate) format: Format,
}

/// Whether a filter can be answered by the partition keys alone.
pub(crate) fn decides(table: &TableDefinition, filter: &Expr) -> bool {
    let columns = filter.column_refs();
    let is_key = |name: &str| table.partition_keys.iter().any(|key| key.name == name);
    !columns.is_empty() && columns.iter().all(|column| is_key(&column.name)) && !filter.is_volatile()
}

/// The partitions of a table that the filters leave; a table without partition keys is one partition.
pub(crate) async fn select(
    session: &Session,
    table: &TableDefinition,
    filters: &[Expr],
) -> Result<Vec<Partition>, TrinoError> {
    if table.partition_keys.is_empty() {
        let (location, format) = (table.location.clone(), table.format.clone());
        return Ok(vec![Partition { values: Vec::new(), location, format }]);
    }
    let hint = glue_filter(table, filters);
    let listed = session.catalog.partitions(&table.database, &table.name, hint.as_deref()).await?;
    let partitions = listed.into_iter().map(|partition| typed(table, partition)).collect::<Result<Vec<_>, _>>()?;
    match conjunction(filters.iter().cloned()) {
        Some(filter) => prune(table, partitions, &filter),
        None => Ok(partitions),
    }
}

fn typed(table: &TableDefinition, partition: PartitionDefinition) -> Result<Partition, TrinoError> {
    let values = table.partition_keys.iter().zip(&partition.values);
    let values = values.map(|(key, text)| value_of(key, text)).collect::<Result<Vec<_>, _>>()?;
    let format = partition.format.unwrap_or_else(|| table.format.clone());
    Ok(Partition { values, location: partition.location, format })
}

fn value_of(key: &ColumnDefinition, text: &str) -> Result<ScalarValue, TrinoError> {
    let (ty, refuse) = (key.ty.to_arrow(), |error: String| {
        let message = format!("Invalid partition value '{text}' for {} partition key: {}: {error}", key.ty, key.name);
        TrinoError::new(ErrorCode::HiveBadData, message)
    });
    if text == NULL_PARTITION {
        return ScalarValue::try_from(&ty).map_err(|error| refuse(error.to_string()));
    }
    let value = ScalarValue::try_from_string(text.to_owned(), &ty).map_err(|error| refuse(error.to_string()))?;
    if value.is_null() { Err(refuse("it can't be read".to_owned())) } else { Ok(value) }
}

/// Keeps the partitions for which the filter is true.
fn prune(table: &TableDefinition, partitions: Vec<Partition>, filter: &Expr) -> Result<Vec<Partition>, TrinoError> {
    let fields = table.partition_keys.iter().map(|key| Arc::new(Field::new(&key.name, key.ty.to_arrow(), true)));
    let keep = columns(table, &partitions).and_then(|columns| holds(fields.collect(), columns, filter));
    let mut keep = keep.map_err(of_datafusion)?.into_iter();
    Ok(partitions.into_iter().filter(|_| keep.next() == Some(true)).collect())
}

/// In which rows of some columns a filter is true.
pub(super) fn holds(fields: Fields, columns: Vec<ArrayRef>, filter: &Expr) -> datafusion::common::Result<Vec<bool>> {
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    // The scan's filters may still carry the relation's qualifier.
    let filter = datafusion::logical_expr::expr_rewriter::unnormalize_col(filter.clone());
    let filter = create_physical_expr(
        &filter,
        &DFSchema::try_from(schema)?,
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    )?;
    let truths = filter.evaluate(&batch)?.into_array(batch.num_rows())?;
    Ok(truths.as_boolean().iter().map(|truth| truth == Some(true)).collect())
}

/// The partitions' values, a column for each key.
fn columns(table: &TableDefinition, partitions: &[Partition]) -> datafusion::common::Result<Vec<ArrayRef>> {
    let column = |(index, key): (usize, &ColumnDefinition)| {
        if partitions.is_empty() {
            return Ok(arrow::array::new_empty_array(&key.ty.to_arrow()));
        }
        ScalarValue::iter_to_array(partitions.iter().filter_map(|partition| partition.values.get(index).cloned()))
    };
    table.partition_keys.iter().enumerate().map(column).collect()
}

/// How many partitions a table has, and their values.
pub(crate) async fn partition_values(
    session: &Session,
    table: &TableDefinition,
) -> datafusion::common::Result<(usize, Vec<ArrayRef>)> {
    let partitions = select(session, table, &[]).await?;
    Ok((partitions.len(), columns(table, &partitions)?))
}

/// The filters as an expression of Glue's GetPartitions, as far as they can be said there. What can't is left out: the
/// engine tests every partition again.
fn glue_filter(table: &TableDefinition, filters: &[Expr]) -> Option<String> {
    let terms: Vec<String> = filters.iter().filter_map(|filter| glue_term(table, filter)).collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

fn glue_term(table: &TableDefinition, filter: &Expr) -> Option<String> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            match (glue_term(table, left), glue_term(table, right)) {
                (Some(left), Some(right)) => Some(format!("{left} AND {right}")),
                (one, other) => one.or(other),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(format!("({} OR {})", glue_term(table, left)?, glue_term(table, right)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let symbol = match op {
                Operator::Eq => "=",
                Operator::NotEq => "<>",
                Operator::Lt => "<",
                Operator::LtEq => "<=",
                Operator::Gt => ">",
                Operator::GtEq => ">=",
                _ => return None,
            };
            Some(format!("{} {symbol} {}", glue_key(table, left)?, glue_value(right)?))
        }
        Expr::InList(list) if !list.negated => {
            let values = list.list.iter().map(glue_value).collect::<Option<Vec<_>>>()?;
            Some(format!("{} IN ({})", glue_key(table, &list.expr)?, values.join(", ")))
        }
        _ => None,
    }
}

fn glue_key(table: &TableDefinition, expr: &Expr) -> Option<String> {
    let column = expr.try_as_col()?;
    let key = table.partition_keys.iter().find(|key| key.name == column.name)?;
    let comparable = key.ty.is_integer() || matches!(key.ty, Type::Varchar(_) | Type::Date);
    let plain = key.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (comparable && plain).then(|| key.name.clone())
}

fn glue_value(expr: &Expr) -> Option<String> {
    let Expr::Literal(value, _) = expr else {
        return None;
    };
    match value.data_type() {
        _ if value.is_null() => None,
        DataType::Utf8 => value.try_as_str()?.map(|text| format!("'{}'", text.replace('\'', "''"))),
        DataType::Date32 => Some(format!("'{value}'")),
        ty if ty.is_integer() => Some(value.to_string()),
        _ => None,
    }
}
