//! What a data file's footer says of its columns, as manifests keep it.

use std::collections::BTreeMap;

use boathouse_iceberg::Datum;
use boathouse_iceberg::manifest::{DataFile, lower_bound, upper_bound};
use boathouse_iceberg::schema::{PrimitiveType, Schema, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use crate::write::orc::{Bounds, Measured};

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
            let Some(ty) = schema.type_of(id).and_then(Type::primitive) else { continue };
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

/// The same of a file of ORC, for columns of single values.
pub(super) fn measure_orc(file: &mut DataFile, measured: &Measured, schema: &Schema) {
    file.split_offsets.extend(measured.stripes.iter().map(|offset| *offset as i64));
    for (field, (known, size)) in schema.fields.iter().zip(&measured.columns).take(MEASURED) {
        let Some(ty) = field.ty.primitive() else { continue };
        file.column_sizes.insert(field.id, *size as i64);
        file.value_counts.insert(field.id, file.record_count);
        file.null_value_counts.insert(field.id, file.record_count - known.values() as i64);
        let Some((low, high)) = known.bounds().and_then(|bounds| of_orc(bounds, ty)) else { continue };
        file.lower_bounds.insert(field.id, lower_bound(&low));
        if let Some(bytes) = upper_bound(&high) {
            file.upper_bounds.insert(field.id, bytes);
        }
    }
}

/// ORC's bounds: timestamps are whole milliseconds there.
fn of_orc(bounds: &Bounds, ty: PrimitiveType) -> Option<(Datum, Datum)> {
    let int = |value: &i64| i32::try_from(*value).ok();
    let instants =
        |least: &i64, most: &i64| Some((least.checked_mul(1000)?, most.checked_mul(1000)?.checked_add(999)?));
    // The format tells the two zeros apart, and conditions don't.
    let low = |value: f64| if value == 0.0 { -0.0 } else { value };
    let high = |value: f64| if value == 0.0 { 0.0 } else { value };
    Some(match (bounds, ty) {
        (Bounds::Integers(least, most), PrimitiveType::Int) => (Datum::Int(int(least)?), Datum::Int(int(most)?)),
        (Bounds::Integers(least, most), PrimitiveType::Date) => (Datum::Date(int(least)?), Datum::Date(int(most)?)),
        (Bounds::Integers(least, most), PrimitiveType::Long) => (Datum::Long(*least), Datum::Long(*most)),
        (Bounds::Integers(least, most), PrimitiveType::Time) => (Datum::Time(*least), Datum::Time(*most)),
        (Bounds::Integers(least, most), PrimitiveType::Timestamp) => {
            let (least, most) = instants(least, most)?;
            (Datum::Timestamp(least), Datum::Timestamp(most))
        }
        (Bounds::Integers(least, most), PrimitiveType::Timestamptz) => {
            let (least, most) = instants(least, most)?;
            (Datum::Timestamptz(least), Datum::Timestamptz(most))
        }
        (Bounds::Doubles(least, most, _), PrimitiveType::Float) => {
            (Datum::Float(low(*least) as f32), Datum::Float(high(*most) as f32))
        }
        (Bounds::Doubles(least, most, _), PrimitiveType::Double) => {
            (Datum::Double(low(*least)), Datum::Double(high(*most)))
        }
        (Bounds::Texts(least, most), PrimitiveType::String) => {
            (Datum::String(least.clone()), Datum::String(most.clone()))
        }
        (Bounds::Decimals(least, most), PrimitiveType::Decimal { scale, .. }) => {
            (Datum::Decimal { unscaled: *least, scale }, Datum::Decimal { unscaled: *most, scale })
        }
        _ => return None,
    })
}

fn begin(column: &ColumnChunkMetaData) -> i64 {
    column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset())
}

/// Takes a row group's bounds into those of the file; whether it has any.
fn widen(found: &mut (Option<Datum>, Option<Datum>, bool), statistics: Option<&Statistics>, ty: PrimitiveType) -> bool {
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
