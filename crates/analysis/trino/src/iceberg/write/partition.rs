//! Which partition a row belongs to.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray, UInt32Array};
use arrow::compute::take_record_batch;
use boathouse_iceberg::Datum;
use boathouse_iceberg::metadata::PartitionColumn;
use boathouse_iceberg::schema::{NestedField, Type as IcebergType};
use boathouse_iceberg::transform::Transform;
use boathouse_trino_functions::error::TrinoError;
use datafusion::common::ScalarValue;

use super::super::filter::datum;
use crate::error::{internal, of_datafusion};

/// Finds rows' partitions.
pub(super) struct Partitioner {
    fields: Vec<Source>,
}

/// Where a part of the partitions' values comes from.
struct Source {
    column: PartitionColumn,
    /// The place of the column, and of the fields in it, one inside the other.
    path: Vec<usize>,
}

/// The rows of a partition.
pub(super) struct Part {
    /// Tells the partition from others.
    pub(super) key: Vec<u8>,
    pub(super) values: Vec<Option<Datum>>,
    pub(super) rows: RecordBatch,
}

impl Partitioner {
    pub(super) fn new(columns: &[PartitionColumn], fields: &[NestedField]) -> Result<Self, TrinoError> {
        let source = |column: &PartitionColumn| {
            let path = match column.transform {
                Transform::Void => Vec::new(),
                _ => path(fields, column.source_id)
                    .ok_or_else(|| internal(format!("the source of the partition field {} is missing", column.name)))?,
            };
            Ok(Source { column: column.clone(), path })
        };
        Ok(Self { fields: columns.iter().map(source).collect::<Result<_, TrinoError>>()? })
    }

    /// The rows by partition.
    pub(super) fn split(&mut self, rows: &RecordBatch) -> Result<Vec<Part>, TrinoError> {
        if self.fields.is_empty() {
            return Ok(vec![Part { key: Vec::new(), values: Vec::new(), rows: rows.clone() }]);
        }
        let values = self.fields.iter().map(|source| source.values(rows)).collect::<Result<Vec<_>, _>>()?;
        let mut groups: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
        for row in 0..rows.num_rows() {
            let key = values.iter().fold(Vec::new(), |key, column| keyed(key, column[row].as_ref()));
            groups.entry(key).or_default().push(row as u32);
        }
        let part = |(key, indices): (Vec<u8>, Vec<u32>)| {
            let values = values.iter().map(|column| column[indices[0] as usize].clone()).collect();
            let rows = match indices.len() == rows.num_rows() {
                true => rows.clone(),
                false => take_record_batch(rows, &UInt32Array::from(indices))?,
            };
            Ok(Part { key, values, rows })
        };
        groups.into_iter().map(part).collect()
    }
}

/// The key with another value: its length, and its bytes.
fn keyed(mut key: Vec<u8>, value: Option<&Datum>) -> Vec<u8> {
    match value {
        None => key.extend(u32::MAX.to_le_bytes()),
        Some(value) => {
            let bytes = value.to_bytes();
            key.extend((bytes.len() as u32).to_le_bytes());
            key.extend(bytes);
        }
    }
    key
}

/// The place of a field, and of those around it.
fn path(fields: &[NestedField], id: i32) -> Option<Vec<usize>> {
    fields.iter().enumerate().find_map(|(index, field)| {
        if field.id == id {
            return Some(vec![index]);
        }
        let IcebergType::Struct(inner) = &field.ty else { return None };
        let rest = path(&inner.fields, id)?;
        Some(std::iter::once(index).chain(rest).collect())
    })
}

impl Source {
    /// The partition's values of all rows.
    fn values(&self, rows: &RecordBatch) -> Result<Vec<Option<Datum>>, TrinoError> {
        let Some((first, rest)) = self.path.split_first() else { return Ok(vec![None; rows.num_rows()]) };
        let mut around: Vec<&StructArray> = Vec::new();
        let mut array: &ArrayRef = rows.column(*first);
        for index in rest {
            let inner = array.as_struct();
            around.push(inner);
            array = inner.column(*index);
        }
        let mut previous: Option<(ScalarValue, Option<Datum>)> = None;
        let mut values = Vec::with_capacity(rows.num_rows());
        for row in 0..rows.num_rows() {
            if around.iter().any(|inner| inner.is_null(row)) {
                values.push(None);
                continue;
            }
            let value = ScalarValue::try_from_array(array, row).map_err(of_datafusion)?;
            // Rows beside each other are often of the same partition.
            let known = previous.as_ref().filter(|(known, _)| *known == value).map(|(_, result)| result.clone());
            let result = match known {
                Some(result) => result,
                None => datum(&value, self.column.source).and_then(|value| self.column.transform.apply(&value)),
            };
            previous = Some((value, result.clone()));
            values.push(result);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use boathouse_iceberg::schema::PrimitiveType;

    use super::*;

    #[test]
    fn rows_are_split_by_what_transforms_make_of_them() {
        let fields =
            [NestedField::optional(1, "id", PrimitiveType::Long), NestedField::optional(2, "s", PrimitiveType::String)];
        let column = |source_id, transform, source, ty| PartitionColumn {
            field_id: 1000 + source_id,
            source_id,
            name: String::new(),
            transform,
            source,
            ty,
        };
        let columns = [
            column(1, Transform::Truncate(10), PrimitiveType::Long, PrimitiveType::Long),
            column(2, Transform::Truncate(1), PrimitiveType::String, PrimitiveType::String),
        ];
        let schema = Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new("s", DataType::Utf8, true)]);
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(5), Some(11), None, Some(2)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["ab", "ac", "ab", "b", "xy"]));
        let rows = RecordBatch::try_new(Arc::new(schema), vec![ids, texts]).unwrap();
        let mut parts = Partitioner::new(&columns, &fields).unwrap().split(&rows).unwrap();
        parts.sort_by_key(|part| std::cmp::Reverse(part.rows.num_rows()));
        assert_eq!(parts.iter().map(|part| part.rows.num_rows()).collect::<Vec<_>>(), [2, 1, 1, 1]);
        assert_eq!(parts[0].values, [Some(Datum::Long(0)), Some(Datum::String("a".to_owned()))]);
        assert!(parts.iter().any(|part| part.values[0].is_none()));
        assert!(Partitioner::new(&columns, &fields[..1]).is_err());
    }
}
