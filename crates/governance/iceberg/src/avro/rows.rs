//! The schemas of rows in files of Avro ("Appendix A: Avro"): fields bear their ids, maps without texts as keys are arrays of
//! pairs.

use serde_json::{Value as Json, json};

use crate::schema::{NestedField, PrimitiveType, Type};
use crate::value::minimal_bytes;

/// The schema of a file with these columns.
pub fn schema(columns: &[NestedField]) -> Json {
    record("table", columns)
}

/// A name that Avro allows, made as Iceberg makes it.
pub fn name(name: &str) -> String {
    let mut out = String::new();
    for (index, character) in name.chars().enumerate() {
        match character {
            'a'..='z' | 'A'..='Z' | '_' => out.push(character),
            '0'..='9' if index > 0 => out.push(character),
            '0'..='9' => out.extend(['_', character]),
            other => out.push_str(&format!("_x{:X}", u32::from(other))),
        }
    }
    out
}

/// Whether a map is one of Avro's, whose keys are texts.
pub fn has_text_keys(key: &Type) -> bool {
    *key == Type::Primitive(PrimitiveType::String)
}

fn record(called: &str, fields: &[NestedField]) -> Json {
    json!({"type": "record", "name": called, "fields": fields.iter().map(field).collect::<Vec<_>>()})
}

fn field(field: &NestedField) -> Json {
    let called = name(&field.name);
    let ty = option(of_type(&field.ty, field.id), field.required);
    let mut described = json!({"name": called, "type": ty, "field-id": field.id});
    if !field.required {
        described["default"] = Json::Null;
    }
    if called != field.name {
        described["iceberg-field-name"] = json!(field.name);
    }
    described
}

fn option(ty: Json, required: bool) -> Json {
    if required { ty } else { json!(["null", ty]) }
}

/// A type; what has a name in Avro is called by the field's id, so that no name is there twice.
fn of_type(ty: &Type, id: i32) -> Json {
    match ty {
        Type::Primitive(ty) => primitive(*ty, id),
        Type::Struct(inner) => record(&format!("r{id}"), &inner.fields),
        Type::List(list) => {
            let items = option(of_type(&list.element, list.element_id), list.element_required);
            json!({"type": "array", "items": items, "element-id": list.element_id})
        }
        Type::Map(map) if has_text_keys(&map.key) => {
            let values = option(of_type(&map.value, map.value_id), map.value_required);
            json!({"type": "map", "values": values, "key-id": map.key_id, "value-id": map.value_id})
        }
        Type::Map(map) => {
            let mut value = NestedField::optional(map.value_id, "value", map.value.clone());
            value.required = map.value_required;
            let pair = [NestedField::required(map.key_id, "key", map.key.clone()), value];
            let items = record(&format!("k{}_v{}", map.key_id, map.value_id), &pair);
            json!({"type": "array", "items": items, "logicalType": "map"})
        }
    }
}

/// The type of single values.
pub(crate) fn primitive(ty: PrimitiveType, id: i32) -> Json {
    match ty {
        PrimitiveType::Boolean => json!("boolean"),
        PrimitiveType::Int => json!("int"),
        PrimitiveType::Long => json!("long"),
        PrimitiveType::Float => json!("float"),
        PrimitiveType::Double => json!("double"),
        PrimitiveType::String => json!("string"),
        PrimitiveType::Binary => json!("bytes"),
        PrimitiveType::Date => json!({"type": "int", "logicalType": "date"}),
        PrimitiveType::Time => json!({"type": "long", "logicalType": "time-micros"}),
        PrimitiveType::Timestamp => json!({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": false}),
        PrimitiveType::Timestamptz => json!({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": true}),
        PrimitiveType::Uuid => {
            json!({"type": "fixed", "size": 16, "logicalType": "uuid", "name": format!("uuid_{id}")})
        }
        PrimitiveType::Fixed(size) => json!({"type": "fixed", "size": size, "name": format!("fixed_{id}")}),
        PrimitiveType::Decimal { precision, scale } => json!({
            "type": "fixed",
            "size": decimal_size(precision),
            "logicalType": "decimal",
            "precision": precision,
            "scale": scale,
            "name": format!("decimal_{id}"),
        }),
    }
}

/// How many bytes hold every decimal of so many digits.
pub(crate) fn decimal_size(precision: u8) -> usize {
    let largest = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
    minimal_bytes(largest).len()
}

#[cfg(test)]
mod tests {
    use super::super::Schema;
    use super::*;
    use crate::schema::{ListType, MapType};

    #[test]
    fn names_are_made_fit_for_avro() {
        assert_eq!(name("a_1"), "a_1");
        assert_eq!(name("9x"), "_9x");
        assert_eq!(name("a b"), "a_x20b");
    }

    #[test]
    fn decimals_have_the_size_that_the_specification_demands() {
        assert_eq!((decimal_size(9), decimal_size(10), decimal_size(18), decimal_size(38)), (4, 5, 8, 16));
    }

    #[test]
    fn columns_become_fields_with_ids() {
        let list = ListType { element_id: 4, element_required: true, element: PrimitiveType::Uuid.into() };
        let map = MapType {
            key_id: 6,
            key: PrimitiveType::Int.into(),
            value_id: 7,
            value_required: false,
            value: PrimitiveType::Long.into(),
        };
        let described = schema(&[
            NestedField::required(1, "a b", PrimitiveType::Int),
            NestedField::optional(3, "l", list),
            NestedField::optional(5, "m", map),
        ]);
        let fields = described["fields"].as_array().unwrap();
        assert_eq!(fields[0]["type"], "int");
        assert_eq!((&fields[0]["name"], &fields[0]["iceberg-field-name"]), (&json!("a_x20b"), &json!("a b")));
        assert_eq!(fields[1]["type"][1]["element-id"], 4);
        assert_eq!(fields[1]["type"][1]["items"]["name"], "uuid_4");
        let pair = &fields[2]["type"][1];
        assert_eq!(pair["logicalType"], "map");
        assert_eq!(pair["items"]["fields"][1]["type"], json!(["null", "long"]));
        assert_eq!(pair["items"]["fields"][1]["field-id"], 7);
        assert!(Schema::parse(described.to_string().as_bytes()).is_ok());
    }
}
