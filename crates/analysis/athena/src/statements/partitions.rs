//! ALTER TABLE … PARTITION: partitions added, dropped, renamed, moved.

use std::cmp::Ordering;

use boathouse_trino_parser::ast::{ComparisonOp, NewPartition, PartitionFilter, PartitionValue};

use super::{Job, Lines, Target, semantic};
use crate::catalog::entities::{Partition, Table};
use crate::executions::failure::Failure;
use crate::files::Place;

/// The values of a PARTITION clause in the order of the table's keys; the clause must name them all.
pub(super) fn values(table: &Table, clause: &[PartitionValue]) -> Result<Vec<String>, Failure> {
    let keys = &table.partition_keys;
    if let Some(odd) =
        clause.iter().find(|part| !keys.iter().any(|key| key.name.eq_ignore_ascii_case(&part.column.value)))
    {
        let spec: Vec<String> = clause.iter().map(|part| format!("{}={}", part.column.lower(), part.value)).collect();
        let message = format!(
            "[Error 10098]: Non-Partition column appears in the partition specification: {} ({{{}}})",
            odd.column.lower(),
            spec.join(", ")
        );
        return Err(semantic(message));
    }
    let value = |key: &crate::catalog::entities::Column| {
        let part = clause.iter().find(|part| part.column.value.eq_ignore_ascii_case(&key.name));
        part.map(|part| part.value.clone())
            .ok_or_else(|| semantic(format_args!("partition spec doesn't contain all partition columns: {}", key.name)))
    };
    keys.iter().map(value).collect()
}

/// The folder of a partition without a LOCATION.
fn default_location(table: &Table, values: &[String]) -> Result<String, Failure> {
    let folder = Place::parse(table.storage_descriptor.location())?;
    Ok(folder.below(&Partition::name(&table.partition_keys, values)).folder())
}

pub(super) async fn add(
    job: &Job<'_>,
    target: &Target,
    table: &Table,
    if_not_exists: bool,
    added: &[NewPartition],
) -> Result<Lines, Failure> {
    let mut partitions = Vec::with_capacity(added.len());
    for new in added {
        let values = values(table, &new.values)?;
        let location = match &new.location {
            Some(location) => {
                Place::parse(location)?;
                location.clone()
            }
            None => default_location(table, &values)?,
        };
        if !if_not_exists && job.glue.partition(&target.database, &target.table, &values).await?.is_some() {
            return Err(already_exists());
        }
        partitions.push(Partition::of(table, values, location));
    }
    let present = job.glue.create_partitions(&target.database, &target.table, &partitions).await?;
    if present.is_empty() || if_not_exists { Ok(Lines::default()) } else { Err(already_exists()) }
}

fn already_exists() -> Failure {
    Failure::ddl("AlreadyExistsException(message:Partition already exists.)")
}

pub(super) async fn drop(
    job: &Job<'_>,
    target: &Target,
    table: &Table,
    if_exists: bool,
    clauses: &[Vec<PartitionFilter>],
) -> Result<Lines, Failure> {
    let all = job.glue.partitions(&target.database, &target.table, None).await?;
    let mut dropped: Vec<Vec<String>> = Vec::new();
    for clause in clauses {
        let before = dropped.len();
        for partition in &all {
            if fits(table, clause, &partition.values)? && !dropped.contains(&partition.values) {
                dropped.push(partition.values.clone());
            }
        }
        if dropped.len() == before && !if_exists {
            let spec: Vec<String> = clause
                .iter()
                .map(|filter| format!("{} {} {}", filter.column.lower(), symbol(filter.op), filter.value))
                .collect();
            return Err(semantic(format_args!("[Error 10006]: Partition not found ({})", spec.join(" AND "))));
        }
    }
    job.glue.delete_partitions(&target.database, &target.table, &dropped).await?;
    Ok(Lines::default())
}

fn symbol(op: ComparisonOp) -> &'static str {
    match op {
        ComparisonOp::Equal => "=",
        ComparisonOp::NotEqual => "!=",
        ComparisonOp::Less => "<",
        ComparisonOp::LessOrEqual => "<=",
        ComparisonOp::Greater => ">",
        ComparisonOp::GreaterOrEqual => ">=",
    }
}

/// Whether a partition fits all of a clause's comparisons.
fn fits(table: &Table, clause: &[PartitionFilter], values: &[String]) -> Result<bool, Failure> {
    for filter in clause {
        let index = table.partition_keys.iter().position(|key| key.name.eq_ignore_ascii_case(&filter.column.value));
        let Some(index) = index else {
            let name = filter.column.lower();
            return Err(semantic(format_args!("[Error 10002]: Invalid column reference '{name}'")));
        };
        let value = values.get(index).map(String::as_str).unwrap_or_default();
        let order = compare(&table.partition_keys[index].ty, value, &filter.value);
        let holds = match filter.op {
            ComparisonOp::Equal => order == Ordering::Equal,
            ComparisonOp::NotEqual => order != Ordering::Equal,
            ComparisonOp::Less => order == Ordering::Less,
            ComparisonOp::LessOrEqual => order != Ordering::Greater,
            ComparisonOp::Greater => order == Ordering::Greater,
            ComparisonOp::GreaterOrEqual => order != Ordering::Less,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Numbers compare as numbers where the key's type says so; all else, dates too, as text.
fn compare(ty: &str, left: &str, right: &str) -> Ordering {
    let numeric = ["tinyint", "smallint", "int", "bigint"].contains(&ty);
    match (left.parse::<i64>(), right.parse::<i64>()) {
        (Ok(left), Ok(right)) if numeric => left.cmp(&right),
        _ => left.cmp(right),
    }
}

async fn require(job: &Job<'_>, target: &Target, table: &Table, values: &[String]) -> Result<Partition, Failure> {
    let found = job.glue.partition(&target.database, &target.table, values).await?;
    let name = Partition::name(&table.partition_keys, values);
    found.ok_or_else(|| semantic(format_args!("[Error 10006]: Partition not found {{{name}}}")))
}

pub(super) async fn rename(
    job: &Job<'_>,
    target: &Target,
    table: &Table,
    from: &[PartitionValue],
    to: &[PartitionValue],
) -> Result<Lines, Failure> {
    let (from, to) = (values(table, from)?, values(table, to)?);
    let present = require(job, target, table, &from).await?;
    let renamed = Partition { values: to, ..present };
    job.glue.update_partition(&target.database, &target.table, &from, renamed).await?;
    Ok(Lines::default())
}

/// Changes one partition's row.
pub(super) async fn change(
    job: &Job<'_>,
    target: &Target,
    table: &Table,
    clause: &[PartitionValue],
    edit: impl FnOnce(&mut Partition) -> Result<(), Failure>,
) -> Result<Lines, Failure> {
    let values = values(table, clause)?;
    let mut partition = require(job, target, table, &values).await?;
    edit(&mut partition)?;
    job.glue.update_partition(&target.database, &target.table, &values, partition).await?;
    Ok(Lines::default())
}

#[cfg(test)]
mod tests {
    use boathouse_trino_parser::ast::Ident;

    use super::*;
    use crate::catalog::entities::Column;

    fn table() -> Table {
        let keys = vec![Column::new("year", "int", None), Column::new("code", "string", None)];
        Table { partition_keys: keys, ..Table::default() }
    }

    fn part(column: &str, value: &str) -> PartitionValue {
        PartitionValue { column: Ident::new(column), value: value.to_owned() }
    }

    #[test]
    fn values_come_in_the_order_of_the_keys() {
        assert_eq!(values(&table(), &[part("CODE", "x"), part("year", "9")]).unwrap(), ["9", "x"]);
        assert!(values(&table(), &[part("year", "9")]).is_err());
        assert!(values(&table(), &[part("year", "9"), part("month", "1")]).is_err());
    }

    #[test]
    fn numbers_compare_as_numbers() {
        let filter =
            |column: &str, op, value: &str| PartitionFilter { column: Ident::new(column), op, value: value.to_owned() };
        let year = ["9".to_owned(), "a".to_owned()];
        assert!(fits(&table(), &[filter("year", ComparisonOp::Less, "10")], &year).unwrap());
        assert!(
            !fits(
                &table(),
                &[filter("year", ComparisonOp::Less, "10"), filter("code", ComparisonOp::Greater, "b")],
                &year
            )
            .unwrap()
        );
        assert!(fits(&table(), &[filter("month", ComparisonOp::Equal, "1")], &year).is_err());
    }
}
