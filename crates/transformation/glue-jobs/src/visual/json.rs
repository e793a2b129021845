//! What columns JSON files have: every key of every object, of a type that holds all its values.
//!
//! Glue's frames find a field of several types out row by row; here such a field is a string with each value's JSON text,
//! which ApplyMapping can cast. Lines that are no JSON object are left out and counted, as Glue's frames leave them out.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use boathouse_trino_functions::types::{RowField, Type};
use flate2::write::MultiGzDecoder;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::failure::Failure;

/// What is known of a field's type so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Inferred {
    #[default]
    Null,
    Boolean,
    Int,
    Long,
    Double,
    Text,
    Array(Box<Inferred>),
    Object(BTreeMap<String, Inferred>),
}

impl Inferred {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) => match number.as_i64() {
                Some(number) if i32::try_from(number).is_ok() => Self::Int,
                Some(_) => Self::Long,
                None => Self::Double,
            },
            Value::String(_) => Self::Text,
            Value::Array(items) => Self::Array(Box::new(items.iter().map(Self::of).fold(Self::Null, Self::and))),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.clone(), Self::of(value))).collect())
            }
        }
    }

    /// The type that holds values of both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, other) | (other, Self::Null) => other,
            (one, other) if one == other => one,
            (Self::Int, Self::Long) | (Self::Long, Self::Int) => Self::Long,
            (Self::Int | Self::Long | Self::Double, Self::Int | Self::Long | Self::Double) => Self::Double,
            (Self::Array(one), Self::Array(other)) => Self::Array(Box::new(one.and(*other))),
            (Self::Object(mut one), Self::Object(other)) => {
                for (name, ty) in other {
                    let known = one.remove(&name).unwrap_or_default();
                    one.insert(name, known.and(ty));
                }
                Self::Object(one)
            }
            _ => Self::Text,
        }
    }

    fn ty(&self) -> Type {
        match self {
            Self::Boolean => Type::Boolean,
            Self::Int => Type::Integer,
            Self::Long => Type::Bigint,
            Self::Double => Type::Double,
            Self::Null | Self::Text => Type::VARCHAR,
            Self::Array(element) => Type::array(element.ty()),
            Self::Object(members) if members.is_empty() => Type::VARCHAR,
            Self::Object(members) => {
                let field = |(name, ty): (&String, &Self)| RowField { name: Some(name.to_lowercase()), ty: ty.ty() };
                Type::Row(members.iter().map(field).collect())
            }
        }
    }
}

/// The fields of objects, in the order in which they were met.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    names: Vec<String>,
    types: BTreeMap<String, Inferred>,
}

impl Fields {
    fn read(&mut self, line: &[u8]) {
        let Ok(Value::Object(members)) = serde_json::from_slice(line) else { return };
        for (name, value) in &members {
            let found = Inferred::of(value);
            match self.types.get_mut(name) {
                Some(known) if *known == found || found == Inferred::Null => {}
                Some(known) => *known = std::mem::take(known).and(found),
                None => {
                    self.names.push(name.clone());
                    self.types.insert(name.clone(), found);
                }
            }
        }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        for name in other.names {
            let found = other.types.get(&name).cloned().unwrap_or_default();
            match self.types.get_mut(&name) {
                Some(known) => *known = std::mem::take(known).and(found),
                None => {
                    self.names.push(name.clone());
                    self.types.insert(name, found);
                }
            }
        }
        self
    }

    /// Names and types.
    pub(super) fn columns(&self) -> Vec<(String, Type)> {
        self.names.iter().map(|name| (name.clone(), self.types[name].ty())).collect()
    }
}

/// The fields of a file's objects. The whole file is read: a field may be in its last line only.
pub(super) async fn fields(store: &Arc<dyn ObjectStore>, object: &ObjectMeta) -> Result<Fields, Failure> {
    let zipped = object.location.filename().is_some_and(|name| name.ends_with(".gz"));
    let mut body = store.get(&object.location).await?.into_stream();
    let (mut fields, mut rest, mut decoder) = (Fields::default(), Vec::new(), MultiGzDecoder::new(Vec::new()));
    let failed = |error| Failure::new(format!("{}: corrupt gzip data: {error}", object.location));
    while let Some(chunk) = body.try_next().await? {
        if zipped {
            decoder.write_all(&chunk).map_err(failed)?;
            rest.append(decoder.get_mut());
        } else {
            rest.extend_from_slice(&chunk);
        }
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
        rest[..end].split(|byte| *byte == b'\n').for_each(|line| fields.read(line));
        rest.drain(..=end);
    }
    if zipped {
        decoder.try_finish().map_err(failed)?;
        rest.append(decoder.get_mut());
    }
    rest.split(|byte| *byte == b'\n').for_each(|line| fields.read(line));
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn types_hold_all_values() {
        let mut fields = Fields::default();
        for line in [
            r#"{"Id": 1, "delay": 2, "tags": ["a"], "at": {"x": 1}}"#,
            "not json",
            r#"{"Id": 5000000000, "delay": 2.5, "odd": 1, "at": {"x": null, "y": true}}"#,
            r#"{"Id": null, "odd": "NA", "tags": []}"#,
        ] {
            fields.read(line.as_bytes());
        }
        let columns: BTreeMap<String, String> =
            fields.columns().into_iter().map(|(name, ty)| (name, ty.to_string())).collect();
        assert_eq!(columns["Id"], "bigint");
        assert_eq!(columns["delay"], "double");
        assert_eq!(columns["odd"], "varchar");
        assert_eq!(columns["tags"], "array(varchar)");
        assert_eq!(columns["at"].to_lowercase(), "row(x integer, y boolean)");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i16>().prop_map(Value::from),
            Just(json!(1.5)),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_order_of_values_changes_no_type(one in value(), other in value()) {
            let (one, other) = (Inferred::of(&one), Inferred::of(&other));
            prop_assert_eq!(one.clone().and(other.clone()), other.and(one));
        }
    }
}
