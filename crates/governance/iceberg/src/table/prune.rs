//! Leaving out manifests and files by what is known of their values.

use crate::manifest::{DataFile, FieldSummary, ManifestFile};
use crate::metadata::PartitionColumn;
use crate::predicate::{Comparison, Predicate, Range};
use crate::schema::Schema;
use crate::transform::Transform;
use crate::value::Datum;

/// Whether a file of the manifest may be in a partition with rows that fulfil the condition.
pub(super) fn manifest_may_match(manifest: &ManifestFile, columns: &[PartitionColumn], filter: &Predicate) -> bool {
    if manifest.partitions.len() != columns.len() {
        return true;
    }
    let range = |index: usize| {
        let FieldSummary { contains_null, contains_nan, lower_bound, upper_bound } = &manifest.partitions[index];
        let read = |bytes: &Option<Vec<u8>>| Datum::from_bytes(bytes.as_ref()?, columns[index].ty);
        let values = lower_bound.is_some() || upper_bound.is_some() || *contains_nan != Some(false);
        Range { lower: read(lower_bound), upper: read(upper_bound), nulls: *contains_null, values }
    };
    partitions_may_match(columns, filter, &range)
}

/// Whether the file's partition may have rows that fulfil the condition.
pub(super) fn partition_may_match(file: &DataFile, columns: &[PartitionColumn], filter: &Predicate) -> bool {
    let range = |index: usize| {
        let value = file.partition.get(index).cloned().flatten();
        Range { nulls: value.is_none(), values: value.is_some(), lower: value.clone(), upper: value }
    };
    partitions_may_match(columns, filter, &range)
}

fn partitions_may_match(columns: &[PartitionColumn], filter: &Predicate, range: &dyn Fn(usize) -> Range) -> bool {
    filter.may_hold(&|field, condition| {
        let parts = columns.iter().enumerate().filter(|(_, column)| column.source_id == field);
        parts.into_iter().all(|(index, column)| match projected(column.transform, condition) {
            Some(condition) => range(index).may_hold(&condition),
            None => true,
        })
    })
}

/// Whether the bounds of the file's columns leave room for rows that fulfil the condition.
pub(super) fn columns_may_match(file: &DataFile, schema: &Schema, filter: &Predicate) -> bool {
    filter.may_hold(&|field, condition| {
        let Some(ty) = schema.type_of(field).and_then(crate::schema::Type::primitive) else { return true };
        let nulls = file.null_value_counts.get(&field);
        let values = match (file.value_counts.get(&field), nulls) {
            (Some(all), Some(nulls)) => all > nulls,
            _ => true,
        };
        let (lower, upper) = (file.lower_bound(field, ty), file.upper_bound(field, ty));
        Range { lower, upper, nulls: nulls.is_none_or(|nulls| *nulls > 0), values }.may_hold(condition)
    })
}

/// What a condition on a column demands of the transform's results, at least; none if that is nothing.
fn projected(transform: Transform, condition: &Predicate) -> Option<Predicate> {
    match (transform, condition) {
        (Transform::Void, _) => None,
        (Transform::Identity, _) | (_, Predicate::IsNull(_) | Predicate::NotNull(_)) => Some(condition.clone()),
        (_, Predicate::In { field, values }) => {
            let values = values.iter().map(|value| transform.apply(value)).collect::<Option<Vec<_>>>()?;
            Some(Predicate::In { field: *field, values })
        }
        (_, Predicate::Compare { field, op, value }) => {
            let (op, value) = match op {
                Comparison::Equal => (Comparison::Equal, value.clone()),
                Comparison::NotEqual => return None,
                _ if !transform.keeps_order() => return None,
                Comparison::LessOrEqual => (Comparison::LessOrEqual, value.clone()),
                Comparison::GreaterOrEqual => (Comparison::GreaterOrEqual, value.clone()),
                Comparison::Less => (Comparison::LessOrEqual, next_to(value, -1)),
                Comparison::Greater => (Comparison::GreaterOrEqual, next_to(value, 1)),
            };
            Some(Predicate::Compare { field: *field, op, value: transform.apply(&value)? })
        }
        _ => None,
    }
}

/// The value beside one, where values can be counted; else the value itself.
fn next_to(value: &Datum, step: i8) -> Datum {
    let int = |value: i32| value.saturating_add(step.into());
    let long = |value: i64| value.saturating_add(step.into());
    match value {
        Datum::Int(value) => Datum::Int(int(*value)),
        Datum::Date(value) => Datum::Date(int(*value)),
        Datum::Long(value) => Datum::Long(long(*value)),
        Datum::Timestamp(value) => Datum::Timestamp(long(*value)),
        Datum::Timestamptz(value) => Datum::Timestamptz(long(*value)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::PrimitiveType;

    const DAY: i64 = 86_400_000_000;

    fn columns(transform: Transform, source: PrimitiveType) -> Vec<PartitionColumn> {
        let ty = transform.result_type(source).unwrap();
        vec![PartitionColumn { field_id: 1000, source_id: 1, name: "p".to_owned(), transform, source, ty }]
    }

    fn may(transform: Transform, partition: Option<Datum>, op: Comparison, value: Datum) -> bool {
        let source = if let Datum::Long(_) = value { PrimitiveType::Long } else { PrimitiveType::Timestamp };
        let file = DataFile { partition: vec![partition], ..DataFile::default() };
        partition_may_match(&file, &columns(transform, source), &Predicate::Compare { field: 1, op, value })
    }

    #[test]
    fn days_outside_a_filter_are_left_out() {
        let day = |day| Some(Datum::Date(day));
        let at = |micros| Datum::Timestamp(micros);
        assert!(may(Transform::Day, day(3), Comparison::Less, at(3 * DAY + 1)));
        assert!(!may(Transform::Day, day(3), Comparison::Less, at(3 * DAY)));
        assert!(!may(Transform::Day, day(3), Comparison::Greater, at(4 * DAY - 1)));
        assert!(may(Transform::Day, day(3), Comparison::GreaterOrEqual, at(4 * DAY - 1)));
        assert!(!may(Transform::Day, None, Comparison::Less, at(DAY)));
    }

    #[test]
    fn buckets_are_chosen_by_equality_alone() {
        let bucket = Transform::Bucket(16).apply(&Datum::Long(7));
        let other = Transform::Bucket(16).apply(&Datum::Long(8));
        assert_ne!(bucket, other);
        assert!(may(Transform::Bucket(16), bucket, Comparison::Equal, Datum::Long(7)));
        assert!(!may(Transform::Bucket(16), other.clone(), Comparison::Equal, Datum::Long(7)));
        assert!(may(Transform::Bucket(16), other, Comparison::Less, Datum::Long(7)));
    }

    #[test]
    fn bounds_leave_out_manifests_and_files() {
        let summary = FieldSummary {
            contains_null: false,
            contains_nan: Some(false),
            lower_bound: Some(Datum::Long(5).to_bytes()),
            upper_bound: Some(Datum::Long(9).to_bytes()),
        };
        let manifest = ManifestFile { partitions: vec![summary], ..ManifestFile::default() };
        let columns = columns(Transform::Identity, PrimitiveType::Long);
        let is = |value| Predicate::Compare { field: 1, op: Comparison::Equal, value: Datum::Long(value) };
        assert!(manifest_may_match(&manifest, &columns, &is(7)));
        assert!(!manifest_may_match(&manifest, &columns, &is(4)));
        assert!(!manifest_may_match(&manifest, &columns, &Predicate::IsNull(1)));

        let schema = Schema::new(0, vec![crate::schema::NestedField::optional(1, "a", PrimitiveType::Long)]);
        let file = DataFile {
            lower_bounds: [(1, 5_i32.to_le_bytes().to_vec())].into(),
            null_value_counts: [(1, 0)].into(),
            ..DataFile::default()
        };
        assert!(columns_may_match(&file, &schema, &is(7)));
        assert!(!columns_may_match(&file, &schema, &is(4)));
        assert!(!columns_may_match(&file, &schema, &Predicate::IsNull(1)));
        assert!(columns_may_match(&DataFile::default(), &schema, &Predicate::IsNull(1)));
    }
}
