//! The schemas of manifests and manifest lists, with the specification's field ids.

use serde_json::{Value as Json, json};

use crate::avro::{Output, Value, rows};
use crate::metadata::PartitionColumn;
use crate::schema::PrimitiveType;
use crate::value::{Datum, unscaled};

fn required(id: i32, name: &str, ty: Json) -> Json {
    json!({"name": name, "type": ty, "field-id": id})
}

fn optional(id: i32, name: &str, ty: Json) -> Json {
    json!({"name": name, "type": ["null", ty], "default": null, "field-id": id})
}

/// A map by field id: an array of pairs.
fn map(key: i32, value: i32, ty: &str) -> Json {
    let fields = [required(key, "key", json!("int")), required(value, "value", json!(ty))];
    let pair = json!({"type": "record", "name": format!("k{key}_v{value}"), "fields": fields});
    json!({"type": "array", "items": pair, "logicalType": "map"})
}

fn array(element: i32, ty: Json) -> Json {
    json!({"type": "array", "items": ty, "element-id": element})
}

/// The schema of a manifest's entries.
pub(super) fn entry_schema(partition: &[PartitionColumn]) -> Json {
    let partition: Vec<Json> = partition.iter().map(partition_field).collect();
    let partition = json!({"type": "record", "name": "r102", "fields": partition});
    let file = [
        required(134, "content", json!("int")),
        required(100, "file_path", json!("string")),
        required(101, "file_format", json!("string")),
        required(102, "partition", partition),
        required(103, "record_count", json!("long")),
        required(104, "file_size_in_bytes", json!("long")),
        optional(108, "column_sizes", map(117, 118, "long")),
        optional(109, "value_counts", map(119, 120, "long")),
        optional(110, "null_value_counts", map(121, 122, "long")),
        optional(137, "nan_value_counts", map(138, 139, "long")),
        optional(125, "lower_bounds", map(126, 127, "bytes")),
        optional(128, "upper_bounds", map(129, 130, "bytes")),
        optional(131, "key_metadata", json!("bytes")),
        optional(132, "split_offsets", array(133, json!("long"))),
        optional(135, "equality_ids", array(136, json!("int"))),
        optional(140, "sort_order_id", json!("int")),
        optional(143, "referenced_data_file", json!("string")),
    ];
    let file = json!({"type": "record", "name": "r2", "fields": file});
    let entry = [
        required(0, "status", json!("int")),
        optional(1, "snapshot_id", json!("long")),
        optional(3, "sequence_number", json!("long")),
        optional(4, "file_sequence_number", json!("long")),
        required(2, "data_file", file),
    ];
    json!({"type": "record", "name": "manifest_entry", "fields": entry})
}

/// The schema of a manifest list.
pub(super) fn list_schema() -> Json {
    let summary = [
        required(509, "contains_null", json!("boolean")),
        optional(518, "contains_nan", json!("boolean")),
        optional(510, "lower_bound", json!("bytes")),
        optional(511, "upper_bound", json!("bytes")),
    ];
    let summary = json!({"type": "record", "name": "r508", "fields": summary});
    let file = [
        required(500, "manifest_path", json!("string")),
        required(501, "manifest_length", json!("long")),
        required(502, "partition_spec_id", json!("int")),
        required(517, "content", json!("int")),
        required(515, "sequence_number", json!("long")),
        required(516, "min_sequence_number", json!("long")),
        required(503, "added_snapshot_id", json!("long")),
        required(504, "added_files_count", json!("int")),
        required(505, "existing_files_count", json!("int")),
        required(506, "deleted_files_count", json!("int")),
        required(512, "added_rows_count", json!("long")),
        required(513, "existing_rows_count", json!("long")),
        required(514, "deleted_rows_count", json!("long")),
        optional(507, "partitions", array(508, summary)),
        optional(519, "key_metadata", json!("bytes")),
    ];
    json!({"type": "record", "name": "manifest_file", "fields": file})
}

fn partition_field(column: &PartitionColumn) -> Json {
    let name = rows::name(&column.name);
    let mut field = optional(column.field_id, &name, rows::primitive(column.ty, column.field_id));
    if name != column.name {
        field["iceberg-field-name"] = json!(column.name);
    }
    field
}

/// Writes a partition's value.
pub(super) fn write_value(out: &mut Output, value: &Datum, ty: PrimitiveType) {
    match value {
        Datum::Boolean(value) => out.boolean(*value),
        Datum::Int(value) | Datum::Date(value) => out.long((*value).into()),
        Datum::Long(value) | Datum::Time(value) | Datum::Timestamp(value) | Datum::Timestamptz(value) => {
            out.long(*value)
        }
        Datum::Float(value) => out.0.extend_from_slice(&value.to_le_bytes()),
        Datum::Double(value) => out.0.extend_from_slice(&value.to_le_bytes()),
        Datum::Decimal { unscaled, .. } => {
            let size =
                if let PrimitiveType::Decimal { precision, .. } = ty { rows::decimal_size(precision) } else { 16 };
            out.0.extend_from_slice(&unscaled.to_be_bytes()[16 - size..]);
        }
        Datum::String(text) => out.string(text),
        Datum::Uuid(bytes) => out.0.extend_from_slice(bytes),
        Datum::Fixed(bytes) => out.0.extend_from_slice(bytes),
        Datum::Binary(bytes) => out.bytes(bytes),
    }
}

/// A partition's value as it was read.
pub(super) fn read_value(value: &Value, ty: PrimitiveType) -> Option<Datum> {
    Some(match (ty, value) {
        (PrimitiveType::Boolean, Value::Boolean(value)) => Datum::Boolean(*value),
        (PrimitiveType::Int, value) => Datum::Int(value.int()?),
        (PrimitiveType::Date, value) => Datum::Date(value.int()?),
        (PrimitiveType::Long, value) => Datum::Long(value.long()?),
        (PrimitiveType::Time, value) => Datum::Time(value.long()?),
        (PrimitiveType::Timestamp, value) => Datum::Timestamp(value.long()?),
        (PrimitiveType::Timestamptz, value) => Datum::Timestamptz(value.long()?),
        (PrimitiveType::Float, Value::Float(value)) => Datum::Float(*value),
        (PrimitiveType::Double, Value::Double(value)) => Datum::Double(*value),
        (PrimitiveType::Double, Value::Float(value)) => Datum::Double((*value).into()),
        (PrimitiveType::String, value) => Datum::String(value.text()?.to_owned()),
        (PrimitiveType::Decimal { scale, .. }, value) => Datum::Decimal { unscaled: unscaled(value.bytes()?)?, scale },
        (PrimitiveType::Uuid, value) => Datum::Uuid(value.bytes()?.try_into().ok()?),
        (PrimitiveType::Fixed(_), value) => Datum::Fixed(value.bytes()?.to_vec()),
        (PrimitiveType::Binary, value) => Datum::Binary(value.bytes()?.to_vec()),
        _ => return None,
    })
}
