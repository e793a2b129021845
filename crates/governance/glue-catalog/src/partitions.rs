//! Partitions, one by one and in batches.

use std::sync::Arc;

use boathouse_aws::{ACCOUNT_ID, Ctx};
use boathouse_metadata::{Key, Transaction};

use crate::api::*;
use crate::error::{CatalogError, ErrorDetail};
use crate::expression::Expression;
use crate::statistics;
use crate::store::{Catalog, PARTITIONS, at_most, from_token, name, now, page_size, refuse, require_table, to_token};

/// Rows read from the store at a time while an expression filters them.
const SCAN_ROWS: usize = 2000;

fn key(table: &Table, values: &[String]) -> Key {
    let start = Key::new([&table.database_name, &table.input.name]);
    values.iter().fold(start, |key, value| key.with(value))
}

/// A table's partition values must be as many as its keys.
fn check_values(table: &Table, values: &[String]) -> Result<(), CatalogError> {
    let keys = table.partition_keys().len();
    if values.len() == keys && keys > 0 {
        return Ok(());
    }
    let message = format!(
        "The number of partition keys do not match the number of partition values: table {} has {keys}, given {}",
        table.input.name,
        values.len()
    );
    Err(CatalogError::InvalidInput(message))
}

fn insert(tx: &Transaction<'_>, table: &Table, input: PartitionInput, time: Timestamp) -> Result<(), CatalogError> {
    check_values(table, &input.values)?;
    let key = key(table, &input.values);
    if tx.contains(PARTITIONS, &key)? {
        return Err(CatalogError::AlreadyExists("Partition already exists.".into()));
    }
    let partition = Partition {
        input,
        database_name: table.database_name.clone(),
        table_name: table.input.name.clone(),
        creation_time: time,
        catalog_id: ACCOUNT_ID.into(),
    };
    tx.put_json(PARTITIONS, &key, &partition)?;
    Ok(())
}

fn replace(tx: &Transaction<'_>, table: &Table, old: &[String], mut input: PartitionInput) -> Result<(), CatalogError> {
    if input.values.is_empty() {
        input.values = old.to_vec();
    }
    check_values(table, &input.values)?;
    let old_key = key(table, old);
    let present: Partition = tx.get_json(PARTITIONS, &old_key)?.ok_or_else(CatalogError::no_partition)?;
    let new_key = key(table, &input.values);
    if new_key != old_key {
        if tx.contains(PARTITIONS, &new_key)? {
            return Err(CatalogError::AlreadyExists("Partition already exists.".into()));
        }
        tx.delete(PARTITIONS, &old_key)?;
        statistics::remove_partition(tx, table, old)?;
    }
    tx.put_json(PARTITIONS, &new_key, &Partition { input, ..present })?;
    Ok(())
}

fn remove(tx: &Transaction<'_>, table: &Table, values: &[String]) -> Result<(), CatalogError> {
    statistics::remove_partition(tx, table, values)?;
    if tx.delete(PARTITIONS, &key(table, values))? { Ok(()) } else { Err(CatalogError::no_partition()) }
}

/// One entry's mistake goes into the batch's answer; a failing store fails the batch.
fn collect<K, E>(
    errors: &mut Vec<E>,
    entry: K,
    outcome: Result<(), CatalogError>,
    error: impl FnOnce(K, ErrorDetail) -> E,
) -> Result<(), CatalogError> {
    match outcome {
        Err(CatalogError::Store(cause)) => Err(cause.into()),
        Err(mistake) => {
            errors.push(error(entry, ErrorDetail::from(&mistake)));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn partition_error(partition_values: Vec<String>, error_detail: ErrorDetail) -> PartitionError {
    PartitionError { partition_values, error_detail }
}

pub(crate) async fn create(ctx: Ctx, catalog: Arc<Catalog>, request: CreatePartition) -> Result<Empty, CatalogError> {
    let (database, table, time) = (name(&request.database_name)?, name(&request.table_name)?, now(&ctx));
    catalog
        .write(move |tx| {
            let table = require_table(tx, &database, &table)?;
            insert(tx, &table, request.partition_input, time).map(|()| Empty {})
        })
        .await
}

pub(crate) async fn get(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: NamedPartition,
) -> Result<GetPartitionOutput, CatalogError> {
    let table = catalog.table(&name(&request.database_name)?, &name(&request.table_name)?)?;
    let found = catalog.metadata.get_json(PARTITIONS, &key(&table, &request.partition_values))?;
    Ok(GetPartitionOutput { partition: found.ok_or_else(CatalogError::no_partition)? })
}

pub(crate) async fn list(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: GetPartitions,
) -> Result<GetPartitionsOutput, CatalogError> {
    refuse(request.query_as_of_time.as_ref(), "QueryAsOfTime")?;
    let table = catalog.table(&name(&request.database_name)?, &name(&request.table_name)?)?;
    let limit = page_size(request.max_results, 1000)?;
    let text = request.expression.as_deref().unwrap_or_default().trim();
    let expression = if text.is_empty() { None } else { Some(Expression::parse(text, table.partition_keys())?) };
    let segment = request.segment.as_ref().map(check_segment).transpose()?;
    let prefix = key(&table, &[]);
    let mut after = from_token(request.next_token.as_deref())?;
    let mut partitions = Vec::new();
    loop {
        let rows = SCAN_ROWS.min(if expression.is_none() && segment.is_none() { limit } else { SCAN_ROWS });
        let page = catalog.metadata.page(PARTITIONS, &prefix, after.as_ref(), rows)?;
        for entry in &page.entries {
            let parts = entry.key.parts();
            let values = parts.get(2..).unwrap_or_default();
            let mine = segment.is_none_or(|segment| in_segment(values, segment));
            if !mine || expression.as_ref().is_some_and(|expression| !expression.matches(values)) {
                continue;
            }
            if partitions.len() == limit {
                return Ok(GetPartitionsOutput { partitions, next_token: after.as_ref().map(to_token) });
            }
            let mut partition: Partition = entry.json()?;
            if request.exclude_column_schema
                && let Some(storage) = &mut partition.input.storage_descriptor
            {
                storage.columns = None;
            }
            partitions.push(partition);
            after = Some(entry.key.clone());
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(GetPartitionsOutput { partitions, next_token: None }),
        }
    }
}

fn check_segment(segment: &Segment) -> Result<(u64, u64), CatalogError> {
    let (number, total) = (segment.segment_number, segment.total_segments);
    if (1..=10).contains(&total) && number < total {
        return Ok((number, total));
    }
    Err(CatalogError::invalid("TotalSegments must be 1 to 10, SegmentNumber below it"))
}

/// Spreads partitions over segments by a hash that is the same in every process (FNV-1a).
fn in_segment(values: &[String], (number, total): (u64, u64)) -> bool {
    let bytes = values.iter().flat_map(|value| value.bytes().chain([0]));
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 32) % total == number
}

pub(crate) async fn update(_: Ctx, catalog: Arc<Catalog>, request: UpdatePartition) -> Result<Empty, CatalogError> {
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog
        .write(move |tx| {
            let table = require_table(tx, &database, &table)?;
            replace(tx, &table, &request.partition_value_list, request.partition_input).map(|()| Empty {})
        })
        .await
}

pub(crate) async fn delete(_: Ctx, catalog: Arc<Catalog>, request: NamedPartition) -> Result<Empty, CatalogError> {
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog
        .write(move |tx| {
            let table = require_table(tx, &database, &table)?;
            remove(tx, &table, &request.partition_values).map(|()| Empty {})
        })
        .await
}

pub(crate) async fn batch_create(
    ctx: Ctx,
    catalog: Arc<Catalog>,
    request: BatchCreatePartition,
) -> Result<PartitionErrors, CatalogError> {
    at_most(&request.partition_input_list, 100, "PartitionInputList")?;
    let (database, table, time) = (name(&request.database_name)?, name(&request.table_name)?, now(&ctx));
    catalog
        .write(move |tx| {
            let table = require_table(tx, &database, &table)?;
            let mut errors = Vec::new();
            for input in request.partition_input_list {
                let values = input.values.clone();
                collect(&mut errors, values, insert(tx, &table, input, time), partition_error)?;
            }
            Ok(PartitionErrors { errors })
        })
        .await
}

pub(crate) async fn batch_get(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: BatchGetPartition,
) -> Result<BatchGetPartitionOutput, CatalogError> {
    at_most(&request.partitions_to_get, 1000, "PartitionsToGet")?;
    let table = catalog.table(&name(&request.database_name)?, &name(&request.table_name)?)?;
    let mut partitions = Vec::new();
    for wanted in &request.partitions_to_get {
        check_values(&table, &wanted.values)?;
        partitions.extend(catalog.metadata.get_json(PARTITIONS, &key(&table, &wanted.values))?);
    }
    Ok(BatchGetPartitionOutput { partitions, unprocessed_keys: Vec::new() })
}

pub(crate) async fn batch_update(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: BatchUpdatePartition,
) -> Result<PartitionUpdateErrors, CatalogError> {
    at_most(&request.entries, 100, "Entries")?;
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog
        .write(move |tx| {
            let table = require_table(tx, &database, &table)?;
            let mut errors = Vec::new();
            for entry in request.entries {
                let outcome = replace(tx, &table, &entry.partition_value_list, entry.partition_input);
                collect(&mut errors, entry.partition_value_list, outcome, |partition_value_list, error_detail| {
                    PartitionUpdateError { partition_value_list, error_detail }
                })?;
            }
            Ok(PartitionUpdateErrors { errors })
        })
        .await
}

pub(crate) async fn batch_delete(
    _: Ctx,
    catalog: Arc<Catalog>,
    request: BatchDeletePartition,
) -> Result<PartitionErrors, CatalogError> {
    at_most(&request.partitions_to_delete, 25, "PartitionsToDelete")?;
    let (database, table) = (name(&request.database_name)?, name(&request.table_name)?);
    catalog
        .write(move |tx| {
            let table = require_table(tx, &database, &table)?;
            let mut errors = Vec::new();
            for wanted in request.partitions_to_delete {
                let outcome = remove(tx, &table, &wanted.values);
                collect(&mut errors, wanted.values, outcome, partition_error)?;
            }
            Ok(PartitionErrors { errors })
        })
        .await
}
