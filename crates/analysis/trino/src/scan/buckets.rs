//! Files of bucketed tables that a query with constants for the bucketing columns needs ("Bucketing in Athena").

use std::collections::BTreeSet;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::Expr;

use super::DataFile;
use super::projected::fixed;
use crate::catalog::TableDefinition;
use crate::engine::Column;
use crate::write::{self, Buckets};

/// How many combinations of constants are hashed.
const MOST: usize = 10_000;

/// The files in which the filters may find rows. A file whose name names no bucket is read.
pub(super) fn chosen(table: &TableDefinition, files: Vec<DataFile>, filters: &[Expr]) -> PlanResult<Vec<DataFile>> {
    let Some(wanted) = wanted(table, filters)? else { return Ok(files) };
    let is_wanted = |file: &DataFile| {
        let name = file.meta.location.filename().unwrap_or_default();
        bucket_of(name).is_none_or(|bucket| wanted.contains(&bucket))
    };
    Ok(files.into_iter().filter(is_wanted).collect())
}

/// The buckets of the constants that the filters demand of all columns that decide.
fn wanted(table: &TableDefinition, filters: &[Expr]) -> PlanResult<Option<BTreeSet<u32>>> {
    let Some(buckets) = table.buckets.as_ref().filter(|_| is_by_hives_first_hash(table)) else { return Ok(None) };
    let Some(places) = places(table, buckets) else { return Ok(None) };
    let mut rows: Vec<Vec<ScalarValue>> = vec![Vec::new()];
    for (index, ty) in &places {
        let name = &table.columns[*index].name;
        let Some(values) = filters.iter().find_map(|filter| fixed(filter, name)) else { return Ok(None) };
        if !values.iter().all(|value| is_hashed_as(value, ty)) || rows.len().saturating_mul(values.len()) > MOST {
            return Ok(None);
        }
        let longer = |row: &Vec<ScalarValue>| {
            let row = row.clone();
            let with = move |value: &ScalarValue| row.iter().cloned().chain([value.clone()]).collect::<Vec<_>>();
            values.iter().map(with).collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let column = |index: usize| ScalarValue::iter_to_array(rows.iter().map(|row| row[index].clone()));
    let columns: Vec<ArrayRef> = (0..places.len()).map(column).collect::<PlanResult<_>>()?;
    let places: Vec<(usize, Type)> = places.into_iter().enumerate().map(|(at, (_, ty))| (at, ty)).collect();
    let bucket = |row| write::bucket(&columns, &places, row, buckets.count);
    Ok(Some((0..rows.len()).map(bucket).collect()))
}

/// Whether rows were spread as Hive's first version does, and Athena: neither by its second one nor by Spark's.
fn is_by_hives_first_hash(table: &TableDefinition) -> bool {
    let property = |name: &str| table.parameters.get(name).map(String::as_str);
    matches!(property("bucketing_version"), None | Some("1"))
        && property("bucketing_format").is_none_or(|format| format.eq_ignore_ascii_case("hive"))
        && property("spark.sql.sources.provider").is_none()
}

/// The columns that decide; none if one is missing, or of a type that has no hash.
fn places(table: &TableDefinition, buckets: &Buckets) -> Option<Vec<(usize, Type)>> {
    let stored = table.columns.iter().map(|column| Column { name: column.name.clone(), ty: column.ty.clone() });
    let found: Result<_, TrinoError> = write::places(buckets, &stored.collect::<Vec<_>>());
    found.ok()
}

/// Whether a constant is hashed as the column's equal values are. The two zeros are equal and have two hashes.
fn is_hashed_as(value: &ScalarValue, ty: &Type) -> bool {
    let is_zero = match value {
        ScalarValue::Float32(Some(value)) => *value == 0.0,
        ScalarValue::Float64(Some(value)) => *value == 0.0,
        _ => false,
    };
    let fits = value.data_type() == ty.to_arrow() && !matches!(value.data_type(), DataType::Null);
    fits && !value.is_null() && !is_zero
}

/// The bucket that a file's name says: `000003_0…` as Hive writes it, `…bucket-00003…` as Presto did.
fn bucket_of(name: &str) -> Option<u32> {
    if let Some((_, rest)) = name.split_once("_bucket-") {
        return digits(rest).map(|(bucket, _)| bucket);
    }
    let (bucket, rest) = digits(name)?;
    let attempt = rest.strip_prefix('_')?;
    (name.starts_with('0') && attempt.starts_with(|c: char| c.is_ascii_digit())).then_some(bucket)
}

/// A number of at least five digits, and what follows it.
fn digits(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().ok().filter(|_| end >= 5)?;
    Some((number, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_their_buckets() {
        assert_eq!(bucket_of("000003_0_20240506_070809_abc"), Some(3));
        assert_eq!(bucket_of("000012_0"), Some(12));
        assert_eq!(bucket_of("20180102_030405_00641_x1y2z_bucket-00234.gz"), Some(234));
        for name in ["20240506_070809_00001_abcde", "part-00000", "1_0", "000003.parquet", "data"] {
            assert_eq!(bucket_of(name), None, "{name}");
        }
    }
}
