//! Statistics of columns, which engines gather and read: of a table, or of each of its partitions.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::Value;

use crate::api::*;
use crate::error::{CatalogError, ErrorDetail};
use crate::store::{COLUMN_STATISTICS, Catalog, PARTITIONS, at_most, name, require_table};

/// Each type's member of figures, and those figures that it must have.
const TYPES: [(&str, &str, &[&str]); 7] = [
    ("BOOLEAN", "BooleanColumnStatisticsData", &["NumberOfTrues", "NumberOfFalses", "NumberOfNulls"]),
    ("DATE", "DateColumnStatisticsData", &["NumberOfNulls", "NumberOfDistinctValues"]),
    ("DECIMAL", "DecimalColumnStatisticsData", &["NumberOfNulls", "NumberOfDistinctValues"]),
    ("DOUBLE", "DoubleColumnStatisticsData", &["NumberOfNulls", "NumberOfDistinctValues"]),
    ("LONG", "LongColumnStatisticsData", &["NumberOfNulls", "NumberOfDistinctValues"]),
    (
        "STRING",
        "StringColumnStatisticsData",
        &["MaximumLength", "AverageLength", "NumberOfNulls", "NumberOfDistinctValues"],
    ),
    ("BINARY", "BinaryColumnStatisticsData", &["MaximumLength", "AverageLength", "NumberOfNulls"]),
];

/// Where the statistics of a table or partition begin.
fn prefix(database: &str, table: &str, partition: Option<&[String]>) -> Key {
    let key = Key::new([database, table]);
    match partition {
        None => key.with("table"),
        Some(values) => values.iter().fold(key.with("partition"), |key, value| key.with(value)),
    }
}

/// Forgets the statistics of a partition.
pub(crate) fn remove_partition(tx: &Transaction<'_>, table: &Table, values: &[String]) -> Result<(), CatalogError> {
    tx.delete_prefix(COLUMN_STATISTICS, &prefix(&table.database_name, &table.input.name, Some(values)))?;
    Ok(())
}

fn no_column(column: &str) -> CatalogError {
    CatalogError::NotFound(format!("Column {column} not found."))
}

fn no_statistics(column: &str) -> CatalogError {
    CatalogError::NotFound(format!("Column statistics of {column} not found."))
}

fn check(table: &Table, statistics: &ColumnStatistics) -> Result<(), CatalogError> {
    let storage = table.input.storage_descriptor.as_ref();
    let columns = storage.and_then(|storage| storage.columns.as_deref()).unwrap_or_default();
    let wanted = &statistics.column_name;
    if !columns.iter().chain(table.partition_keys()).any(|column| column.name.eq_ignore_ascii_case(wanted)) {
        return Err(no_column(wanted));
    }
    let data = &statistics.statistics_data;
    let kind = data["Type"].as_str().unwrap_or_default();
    let Some((_, member, figures)) = TYPES.iter().find(|(name, ..)| *name == kind) else {
        return Err(CatalogError::invalid(format!("StatisticsData of {wanted} has the unknown Type {kind:?}")));
    };
    for figure in *figures {
        if data[member][figure].as_f64().is_none_or(|value| value < 0.0) {
            let message = format!("StatisticsData of {wanted} needs {member}.{figure}, a number from 0 on");
            return Err(CatalogError::invalid(message));
        }
    }
    Ok(())
}

/// The statistics without members that are null, which some clients send.
fn tidy(mut statistics: ColumnStatistics) -> ColumnStatistics {
    statistics.column_name = statistics.column_name.to_lowercase();
    if let Some(members) = statistics.statistics_data.as_object_mut() {
        members.retain(|_, value| !value.is_null());
        for figures in members.values_mut().filter_map(Value::as_object_mut) {
            figures.retain(|_, value| !value.is_null());
        }
    }
    statistics
}

/// The table that a request names; its partition must be there too.
fn require(tx: &Transaction<'_>, database: &str, table: &str, of: Option<&[String]>) -> Result<Table, CatalogError> {
    let table = require_table(tx, database, table)?;
    if let Some(values) = of {
        let start = Key::new([&table.database_name, &table.input.name]);
        let key = values.iter().fold(start, |key, value| key.with(value));
        if !tx.contains(PARTITIONS, &key)? {
            return Err(CatalogError::no_partition());
        }
    }
    Ok(table)
}

pub(crate) async fn update<S: Scope>(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: StatisticsRequest<S, NewStatistics>,
) -> Result<ColumnStatisticsErrors, CatalogError> {
    at_most(&request.what.column_statistics_list, 25, "ColumnStatisticsList")?;
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog
        .write(move |tx| {
            let partition = request.scope.partition();
            let found = require(tx, &database, &table, partition)?;
            let prefix = prefix(&database, &table, partition);
            let mut errors = Vec::new();
            for column_statistics in request.what.column_statistics_list {
                match check(&found, &column_statistics) {
                    Ok(()) => {
                        let statistics = tidy(column_statistics);
                        tx.put_json(COLUMN_STATISTICS, &prefix.clone().with(&statistics.column_name), &statistics)?;
                    }
                    Err(error) => {
                        errors.push(ColumnStatisticsError { column_statistics, error: ErrorDetail::from(&error) })
                    }
                }
            }
            Ok(ColumnStatisticsErrors { errors })
        })
        .await
}

pub(crate) async fn get<S: Scope>(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: StatisticsRequest<S, WantedColumns>,
) -> Result<FoundStatistics, CatalogError> {
    at_most(&request.what.column_names, 100, "ColumnNames")?;
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog.table(&database, &table)?;
    let prefix = prefix(&database, &table, request.scope.partition());
    let mut found = FoundStatistics { column_statistics_list: Vec::new(), errors: Vec::new() };
    for column_name in request.what.column_names {
        let key = prefix.clone().with(&column_name.to_lowercase());
        match catalog.metadata.get_json(COLUMN_STATISTICS, &key)? {
            Some(statistics) => found.column_statistics_list.push(statistics),
            None => {
                let error = ErrorDetail::from(&no_statistics(&column_name));
                found.errors.push(ColumnError { column_name, error });
            }
        }
    }
    Ok(found)
}

pub(crate) async fn delete<S: Scope>(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: StatisticsRequest<S, OneColumn>,
) -> Result<Empty, CatalogError> {
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog
        .write(move |tx| {
            let partition = request.scope.partition();
            require(tx, &database, &table, partition)?;
            let column = request.what.column_name.to_lowercase();
            // That there were none is no error: Trino deletes the statistics of every column of a table that it has just made.
            tx.delete(COLUMN_STATISTICS, &prefix(&database, &table, partition).with(&column))?;
            Ok(Empty {})
        })
        .await
}
