//! The field ids of files whose decoders don't know them: ORC's are attributes of its types, Avro's stand in its schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use boathouse_orc::proto;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use serde_json::Value;

/// The attribute of ORC's types that holds the id.
pub(crate) const ORC_ID: &str = "iceberg.id";
/// How deep types are looked into: as deep as decoders go.
const DEEPEST: usize = 64;

/// The id of a field, and those of the fields in it: a record's fields, a list's element, a map's key and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Labels {
    id: Option<i32>,
    inner: Vec<Labels>,
}

impl Labels {
    /// Of a type of an ORC file. The types are a tree.
    pub(crate) fn of_orc(types: &[proto::Type], index: usize) -> Self {
        let Some(ty) = types.get(index) else { return Self::default() };
        let id = ty.attributes.iter().find(|attribute| attribute.key() == ORC_ID);
        let id = id.and_then(|attribute| attribute.value().parse().ok());
        Self { id, inner: ty.subtypes.iter().map(|child| Self::of_orc(types, *child as usize)).collect() }
    }

    /// Of the record that a file of Avro is made of.
    pub(crate) fn of_avro(schema: &[u8]) -> Self {
        let schema: Value = serde_json::from_slice(schema).unwrap_or_default();
        Self { id: None, inner: of_type(&schema, 0) }
    }

    /// For each field of a record.
    pub(crate) fn fields(&self) -> &[Self] {
        &self.inner
    }

    /// A field that bears its id, with fields in it that bear theirs.
    pub(crate) fn put_on(&self, field: &Field) -> Field {
        let field = field.clone().with_data_type(self.put_inside(field.data_type()));
        match self.id {
            Some(id) => field.with_metadata(HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())])),
            None => field,
        }
    }

    fn put_inside(&self, ty: &DataType) -> DataType {
        let labelled = |(index, field): (usize, &FieldRef)| match self.inner.get(index) {
            Some(labels) => Arc::new(labels.put_on(field)),
            None => Arc::clone(field),
        };
        match ty {
            DataType::Struct(fields) => DataType::Struct(fields.iter().enumerate().map(labelled).collect()),
            DataType::List(element) => DataType::List(labelled((0, element))),
            DataType::Map(entries, sorted) => {
                let pair = entries.as_ref().clone().with_data_type(self.put_inside(entries.data_type()));
                DataType::Map(Arc::new(pair), *sorted)
            }
            other => other.clone(),
        }
    }
}

/// What is in a type of Avro. Types that are only named have no ids that anybody needs.
fn of_type(schema: &Value, depth: usize) -> Vec<Labels> {
    if depth > DEEPEST {
        return Vec::new();
    }
    let labels = |id: Option<&Value>, ty: Option<&Value>| Labels {
        id: id.and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok()),
        inner: ty.map(|ty| of_type(ty, depth + 1)).unwrap_or_default(),
    };
    match schema {
        Value::Array(options) => {
            let some = options.iter().find(|option| option.as_str() != Some("null"));
            some.map(|some| of_type(some, depth + 1)).unwrap_or_default()
        }
        Value::Object(object) => match object.get("type") {
            Some(Value::String(kind)) => match kind.as_str() {
                "record" => {
                    let fields = object.get("fields").and_then(Value::as_array);
                    let fields = fields.into_iter().flatten();
                    fields.map(|field| labels(field.get("field-id"), field.get("type"))).collect()
                }
                "array" => vec![labels(object.get("element-id"), object.get("items"))],
                "map" => vec![labels(object.get("key-id"), None), labels(object.get("value-id"), object.get("values"))],
                _ => Vec::new(),
            },
            Some(inner) => of_type(inner, depth + 1),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::types::id_of;
    use super::*;

    #[test]
    fn ids_of_avro_reach_what_is_nested() {
        let schema = json!({"type": "record", "name": "table", "fields": [
            {"name": "a", "type": ["null", "int"], "field-id": 1},
            {"name": "l", "field-id": 2, "type": ["null", {"type": "array", "element-id": 3, "items":
                {"type": "record", "name": "r3", "fields": [{"name": "x", "type": "string", "field-id": 4}]}}]},
            {"name": "m", "field-id": 5, "type": {"type": "map", "key-id": 6, "value-id": 7, "values": "long"}},
        ]});
        let labels = Labels::of_avro(schema.to_string().as_bytes());
        let ids: Vec<_> = labels.fields().iter().map(|labels| labels.id).collect();
        assert_eq!(ids, [Some(1), Some(2), Some(5)]);
        let inner = DataType::Struct(vec![Field::new("x", DataType::Utf8, false)].into());
        let list = labels.fields()[1].put_on(&Field::new("l", DataType::new_list(inner, true), true));
        let DataType::List(element) = list.data_type() else { panic!("{list:?}") };
        let DataType::Struct(fields) = element.data_type() else { panic!("{element:?}") };
        assert_eq!((id_of(&list), id_of(element), id_of(&fields[0])), (Some(2), Some(3), Some(4)));
        assert_eq!(labels.fields()[2].inner.iter().map(|labels| labels.id).collect::<Vec<_>>(), [Some(6), Some(7)]);
        assert!(Labels::of_avro(b"nonsense").fields().is_empty());
    }

    #[test]
    fn ids_of_orc_are_attributes() {
        let attribute = |id: i32| proto::StringPair { key: Some(ORC_ID.to_owned()), value: Some(id.to_string()) };
        let of = |id: i32, subtypes: Vec<u32>| proto::Type {
            attributes: vec![attribute(id)],
            subtypes,
            ..proto::Type::default()
        };
        let types = [of(9, vec![1]), of(1, vec![2]), proto::Type::default()];
        let labels = Labels::of_orc(&types, 1);
        assert_eq!((labels.id, labels.inner[0].id), (Some(1), None));
        assert_eq!(Labels::of_orc(&types, 7), Labels::default());
    }
}
