//! The schema that a file was written with.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::invalid;
use crate::error::{Error, Result};

/// A type of Avro. Logical types don't matter here.
#[derive(Debug, Clone)]
pub(crate) enum Schema {
    Null,
    Boolean,
    /// int, long, and an enum's place.
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Array(Box<Schema>),
    Map(Box<Schema>),
    Union(Vec<Schema>),
    Record(Arc<Vec<Field>>),
}

/// A field of a record.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) id: Option<i32>,
    pub(crate) schema: Schema,
}

impl Schema {
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        let json: Json = serde_json::from_slice(json).map_err(invalid)?;
        Names::default().schema(&json)
    }
}

/// The types that have names.
#[derive(Default)]
struct Names(HashMap<String, Schema>);

impl Names {
    fn schema(&mut self, json: &Json) -> Result<Schema> {
        match json {
            Json::String(name) => self.named(name),
            Json::Array(options) => {
                Ok(Schema::Union(options.iter().map(|option| self.schema(option)).collect::<Result<_>>()?))
            }
            Json::Object(object) => {
                let part = |name: &str| object.get(name).ok_or_else(|| invalid(format!("its schema lacks {name}")));
                let kind = part("type")?;
                let Json::String(kind) = kind else { return self.schema(kind) };
                let schema = match kind.as_str() {
                    "array" => return Ok(Schema::Array(Box::new(self.schema(part("items")?)?))),
                    "map" => return Ok(Schema::Map(Box::new(self.schema(part("values")?)?))),
                    "enum" => Schema::Long,
                    "fixed" => {
                        let size = part("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                        Schema::Fixed(size.ok_or_else(|| invalid("a size is no number"))?)
                    }
                    "record" => {
                        let fields = part("fields")?.as_array().ok_or_else(|| invalid("fields are no list"))?;
                        Schema::Record(Arc::new(fields.iter().map(|field| self.field(field)).collect::<Result<_>>()?))
                    }
                    other => return self.named(other),
                };
                if let Some(name) = object.get("name").and_then(Json::as_str) {
                    self.0.insert(name.to_owned(), schema.clone());
                }
                Ok(schema)
            }
            _ => Err(invalid("its schema is none")),
        }
    }

    fn field(&mut self, json: &Json) -> Result<Field> {
        let name = json.get("name").and_then(Json::as_str).ok_or_else(|| invalid("a field has no name"))?.to_owned();
        let id = json.get("field-id").and_then(Json::as_i64).and_then(|id| i32::try_from(id).ok());
        let schema = self.schema(json.get("type").ok_or_else(|| invalid(format!("the field {name} has no type")))?)?;
        Ok(Field { name, id, schema })
    }

    fn named(&self, name: &str) -> Result<Schema> {
        Ok(match name {
            "null" => Schema::Null,
            "boolean" => Schema::Boolean,
            "int" | "long" => Schema::Long,
            "float" => Schema::Float,
            "double" => Schema::Double,
            "bytes" => Schema::Bytes,
            "string" => Schema::String,
            other => {
                let bare = other.rsplit('.').next().unwrap_or(other);
                let known = self.0.get(other).or_else(|| self.0.get(bare));
                known.cloned().ok_or_else(|| Error::Unsupported(format!("Avro type {other}")))?
            }
        })
    }
}
