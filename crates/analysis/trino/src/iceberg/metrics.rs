//! What a data file's footer says of its columns, as manifests keep it.

use std::collections::BTreeMap;

use boathouse_iceberg::Datum;
use boathouse_iceberg::manifest::{DataFile, lower_bound, upper_bound};
use boathouse_iceberg::schema::{PrimitiveType, Schema};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

/// How many columns' bounds and counts are kept, as in Iceberg's own writers (`write.metadata.metrics.max-inferred-column-defaults`).
const MEASURED: usize = 100;

/// Puts sizes, counts and bounds of a file's columns into its description.
pub(super) fn measure(file: &mut DataFile, metadata: &ParquetMetaData, schema: &Schema) {
    let mut bounds: BTreeMap<i32, (Option<Datum>, Option<Datum>, bool)> = BTreeMap::new();
    for group in metadata.row_groups() {
        file.split_offsets.extend(group.columns().first().map(begin));
        for column in group.columns() {
            let info = column.column_descr().self_type().get_basic_info();
            if !info.has_id() {
                continue;
            }
            let id = info.id();
            *file.column_sizes.entry(id).or_default() += column.compressed_size();
            // Lists count their elements; only what stands once in each row has counts and bounds.
            let repeated = column.column_descr().max_rep_level() > 0;
            let place = schema.fields.iter().position(|field| field.id == id);
            if repeated || place.is_some_and(|place| place >= MEASURED) {
                continue;
            }
            *file.value_counts.entry(id).or_default() += column.num_values();
            let statistics = column.statistics();
            if let Some(nulls) = statistics.and_then(Statistics::null_count_opt) {
                *file.null_value_counts.entry(id).or_default() += nulls as i64;
            }
            let Some(ty) = schema.type_of(id).and_then(boathouse_iceberg::schema::Type::primitive) else { continue };
            let all_null = statistics.and_then(Statistics::null_count_opt) == Some(column.num_values() as u64);
            let found = bounds.entry(id).or_insert((None, None, true));
            if !all_null {
                found.2 &= widen(found, statistics, ty);
            }
        }
    }
    file.split_offsets.sort_unstable();
    for (id, (low, high, known)) in bounds {
        if let Some(low) = low.filter(|_| known) {
            file.lower_bounds.insert(id, lower_bound(&low));
        }
        if let Some(bytes) = high.filter(|_| known).as_ref().and_then(upper_bound) {
            file.upper_bounds.insert(id, bytes);
        }
    }
}

fn begin(column: &ColumnChunkMetaData) -> i64 {
    column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset())
}

/// Takes a row group's bounds into those of the file; whether it has any.
fn widen(
    found: &mut (Option<Datum>, Option<Datum>, bool),
    statistics: Option<&Statistics>,
    ty: PrimitiveType,
) -> bool {
    let Some((low, high)) = statistics.and_then(|statistics| range(statistics, ty)) else { return false };
    let smaller = |a: &Datum, b: &Datum| a.compare(b) == Some(std::cmp::Ordering::Less);
    if found.0.as_ref().is_none_or(|known| smaller(&low, known)) {
        found.0 = Some(low);
    }
    if found.1.as_ref().is_none_or(|known| smaller(known, &high)) {
        found.1 = Some(high);
    }
    true
}

/// The bounds of a row group, if there are any for this type.
fn range(statistics: &Statistics, ty: PrimitiveType) -> Option<(Datum, Datum)> {
    let of_int = |value: i32| match ty {
        PrimitiveType::Int => Some(Datum::Int(value)),
        PrimitiveType::Date => Some(Datum::Date(value)),
        PrimitiveType::Decimal { scale, .. } => Some(Datum::Decimal { unscaled: value.into(), scale }),
        _ => None,
    };
    let of_long = |value: i64| match ty {
        PrimitiveType::Long => Some(Datum::Long(value)),
        PrimitiveType::Time => Some(Datum::Time(value)),
        PrimitiveType::Timestamp => Some(Datum::Timestamp(value)),
        PrimitiveType::Timestamptz => Some(Datum::Timestamptz(value)),
        PrimitiveType::Decimal { scale, .. } => Some(Datum::Decimal { unscaled: value.into(), scale }),
        _ => None,
    };
    Some(match statistics {
        Statistics::Boolean(values) => (Datum::Boolean(*values.min_opt()?), Datum::Boolean(*values.max_opt()?)),
        Statistics::Int32(values) => (of_int(*values.min_opt()?)?, of_int(*values.max_opt()?)?),
        Statistics::Int64(values) => (of_long(*values.min_opt()?)?, of_long(*values.max_opt()?)?),
        Statistics::Float(values) => (Datum::Float(*values.min_opt()?), Datum::Float(*values.max_opt()?)),
        Statistics::Double(values) => (Datum::Double(*values.min_opt()?), Datum::Double(*values.max_opt()?)),
        Statistics::ByteArray(values) => bytes(statistics, values.min_opt()?.data(), values.max_opt()?.data(), ty)?,
        Statistics::FixedLenByteArray(values) => {
            bytes(statistics, values.min_opt()?.data(), values.max_opt()?.data(), ty)?
        }
        Statistics::Int96(_) => return None,
    })
}

fn bytes(statistics: &Statistics, low: &[u8], high: &[u8], ty: PrimitiveType) -> Option<(Datum, Datum)> {
    // Bounds that the writer has cut are bounds still; for fixed lengths they must be whole.
    let whole = statistics.min_is_exact() && statistics.max_is_exact();
    match ty {
        PrimitiveType::String | PrimitiveType::Binary => {}
        _ if whole => {}
        _ => return None,
    }
    Some((Datum::from_bytes(low, ty)?, Datum::from_bytes(high, ty)?))
}
