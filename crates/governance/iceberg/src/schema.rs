//! Schemas: columns that are known by ids, so that their names, places and (within limits) types may change.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A single value.
    Primitive(PrimitiveType),
    /// Named fields.
    Struct(StructType),
    /// Many of a type.
    List(Box<ListType>),
    /// Values by keys.
    Map(Box<MapType>),
}

/// The types of single values, of format version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrimitiveType {
    /// True or false.
    Boolean,
    /// 32 bits with a sign.
    Int,
    /// 64 bits with a sign.
    Long,
    /// IEEE 754, 32 bits.
    Float,
    /// IEEE 754, 64 bits.
    Double,
    /// Fixed-point numbers.
    Decimal {
        /// Digits, at most 38.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// Days since 1970.
    Date,
    /// Microseconds since midnight.
    Time,
    /// Microseconds since 1970, without a zone.
    Timestamp,
    /// Microseconds since 1970 in UTC.
    Timestamptz,
    /// UTF-8.
    String,
    /// 16 bytes.
    Uuid,
    /// So many bytes.
    Fixed(u64),
    /// Any number of bytes.
    Binary,
}

/// A field of a struct, or a column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NestedField {
    /// Its id, unique in the table for ever.
    pub id: i32,
    /// Its present name.
    pub name: String,
    /// Whether it is never NULL.
    pub required: bool,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

/// Named fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StructType {
    /// The fields in order.
    pub fields: Vec<NestedField>,
}

/// Many of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListType {
    /// The elements' id.
    pub element_id: i32,
    /// Whether no element is NULL.
    pub element_required: bool,
    /// The elements' type.
    pub element: Type,
}

/// Values by keys, which are never NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapType {
    /// The keys' id.
    pub key_id: i32,
    /// The keys' type.
    pub key: Type,
    /// The values' id.
    pub value_id: i32,
    /// Whether no value is NULL.
    pub value_required: bool,
    /// The values' type.
    pub value: Type,
}

/// A table's columns at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "struct", tag = "type", rename_all = "kebab-case")]
pub struct Schema {
    /// The schema's number in the table.
    #[serde(default)]
    pub schema_id: i32,
    /// The fields that tell rows apart, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifier_field_ids: Vec<i32>,
    /// The columns in order.
    pub fields: Vec<NestedField>,
}

impl NestedField {
    /// A column that may be NULL.
    pub fn optional(id: i32, name: impl Into<String>, ty: impl Into<Type>) -> Self {
        Self { id, name: name.into(), required: false, ty: ty.into(), doc: None }
    }

    /// A column that is never NULL.
    pub fn required(id: i32, name: impl Into<String>, ty: impl Into<Type>) -> Self {
        Self { required: true, ..Self::optional(id, name, ty) }
    }
}

impl Schema {
    /// A schema of these columns.
    pub fn new(schema_id: i32, fields: Vec<NestedField>) -> Self {
        Self { schema_id, identifier_field_ids: Vec::new(), fields }
    }

    /// The columns as a struct.
    pub fn as_struct(&self) -> StructType {
        StructType { fields: self.fields.clone() }
    }

    /// The field of that id, at any depth; of a list's or map's parts there is none.
    pub fn field(&self, id: i32) -> Option<&NestedField> {
        find(&self.fields, &|field| field.id == id)
    }

    /// The column of that name, in any case.
    pub fn column(&self, name: &str) -> Option<&NestedField> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The field that a dotted name means: `address.city`, in any case. Only structs are looked into.
    pub fn named(&self, name: &str) -> Option<&NestedField> {
        if let Some(column) = self.column(name) {
            return Some(column);
        }
        let (first, rest) = name.split_once('.')?;
        match &self.column(first)?.ty {
            Type::Struct(inner) => {
                let mut fields = &inner.fields;
                let mut parts = rest.split('.').peekable();
                loop {
                    let part = parts.next()?;
                    let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(part))?;
                    match (&field.ty, parts.peek()) {
                        (_, None) => return Some(field),
                        (Type::Struct(inner), Some(_)) => fields = &inner.fields,
                        _ => return None,
                    }
                }
            }
            _ => None,
        }
    }

    /// The type of a field id, at any depth, also of lists' elements and maps' keys and values.
    pub fn type_of(&self, id: i32) -> Option<&Type> {
        let mut found = None;
        visit(&self.fields, &mut |this, ty| {
            if this == id {
                found = Some(ty);
            }
        });
        found
    }

    /// The dotted names of all fields by id; a list's element is `element`, a map's parts are `key` and `value`.
    pub fn names(&self) -> HashMap<i32, String> {
        let mut names = HashMap::new();
        for field in &self.fields {
            name(field.id, field.name.clone(), &field.ty, &mut names);
        }
        names
    }

    /// The highest id in use; 0 without fields.
    pub fn highest_field_id(&self) -> i32 {
        let mut highest = 0;
        visit(&self.fields, &mut |id, _| highest = highest.max(id));
        highest
    }

    /// The same columns with ids from `last + 1` on, in the order of the specification's reference implementation: the columns of a level
    /// first, then what is inside each. Answers the schema and the last id given.
    pub fn with_fresh_ids(&self, last: i32) -> (Self, i32) {
        let mut next = last;
        let renamed = fresh_fields(&self.fields, &mut next);
        let mut ids = BTreeMap::new();
        pair_ids(&self.fields, &renamed, &mut ids);
        let identifier_field_ids =
            self.identifier_field_ids.iter().filter_map(|id| ids.get(id).copied()).collect();
        (Self { fields: renamed, identifier_field_ids, ..self.clone() }, next)
    }

    /// Whether two schemas mean the same, whatever their numbers.
    pub fn same_columns(&self, other: &Self) -> bool {
        self.fields == other.fields && self.identifier_field_ids == other.identifier_field_ids
    }

    pub(crate) fn check(&self) -> Result<()> {
        let mut seen = std::collections::BTreeSet::new();
        let mut twice = None;
        visit(&self.fields, &mut |id, _| {
            if !seen.insert(id) {
                twice = Some(id);
            }
        });
        if let Some(id) = twice {
            return Err(Error::invalid(format!("a schema has the field id {id} twice")));
        }
        for (index, field) in self.fields.iter().enumerate() {
            if self.fields[..index].iter().any(|other| other.name == field.name) {
                return Err(Error::invalid(format!("a schema has the column {} twice", field.name)));
            }
        }
        Ok(())
    }
}

/// A type with ids of its own, beginning after `next`.
pub(crate) fn fresh_type(ty: &Type, next: &mut i32) -> Type {
    match ty {
        Type::Primitive(_) => ty.clone(),
        Type::Struct(inner) => Type::Struct(StructType { fields: fresh_fields(&inner.fields, next) }),
        Type::List(list) => {
            *next += 1;
            let element_id = *next;
            Type::List(Box::new(ListType {
                element_id,
                element_required: list.element_required,
                element: fresh_type(&list.element, next),
            }))
        }
        Type::Map(map) => {
            let (key_id, value_id) = (*next + 1, *next + 2);
            *next += 2;
            let key = fresh_type(&map.key, next);
            let value = fresh_type(&map.value, next);
            Type::Map(Box::new(MapType { key_id, key, value_id, value_required: map.value_required, value }))
        }
    }
}

impl Type {
    /// The same type with ids from `last + 1` on. Answers the last id given too.
    pub fn with_fresh_ids(&self, last: i32) -> (Self, i32) {
        let mut next = last;
        let fresh = fresh_type(self, &mut next);
        (fresh, next)
    }

    /// The primitive type, if it is one.
    pub fn primitive(&self) -> Option<PrimitiveType> {
        match self {
            Self::Primitive(primitive) => Some(*primitive),
            _ => None,
        }
    }
}

impl PrimitiveType {
    /// Whether a column of this type may become one of another ("Schema Evolution": int → long, float → double, more digits).
    pub fn promotes_to(self, to: Self) -> bool {
        use PrimitiveType::{Decimal, Double, Float, Int, Long};
        match (self, to) {
            (Int, Long) | (Float, Double) => true,
            (Decimal { precision: from, scale }, Decimal { precision, scale: other }) => {
                scale == other && from <= precision
            }
            _ => self == to,
        }
    }
}

fn fresh_fields(fields: &[NestedField], next: &mut i32) -> Vec<NestedField> {
    let first = *next;
    *next += i32::try_from(fields.len()).unwrap_or(i32::MAX);
    let with_id = |(id, field): (i32, &NestedField)| {
        let ty = fresh_type(&field.ty, next);
        NestedField { id, ty, ..field.clone() }
    };
    (first + 1..).zip(fields).map(with_id).collect()
}

fn pair_ids(old: &[NestedField], new: &[NestedField], ids: &mut BTreeMap<i32, i32>) {
    for (old, new) in old.iter().zip(new) {
        ids.insert(old.id, new.id);
        if let (Type::Struct(old), Type::Struct(new)) = (&old.ty, &new.ty) {
            pair_ids(&old.fields, &new.fields, ids);
        }
    }
}

fn find<'a>(fields: &'a [NestedField], is_it: &dyn Fn(&NestedField) -> bool) -> Option<&'a NestedField> {
    fields.iter().find_map(|field| if is_it(field) { Some(field) } else { find_in(&field.ty, is_it) })
}

fn find_in<'a>(ty: &'a Type, is_it: &dyn Fn(&NestedField) -> bool) -> Option<&'a NestedField> {
    match ty {
        Type::Primitive(_) => None,
        Type::Struct(inner) => find(&inner.fields, is_it),
        Type::List(list) => find_in(&list.element, is_it),
        Type::Map(map) => find_in(&map.key, is_it).or_else(|| find_in(&map.value, is_it)),
    }
}

/// Every id with its type, at any depth.
fn visit<'a>(fields: &'a [NestedField], see: &mut dyn FnMut(i32, &'a Type)) {
    for field in fields {
        visit_type(field.id, &field.ty, see);
    }
}

fn visit_type<'a>(id: i32, ty: &'a Type, see: &mut dyn FnMut(i32, &'a Type)) {
    see(id, ty);
    match ty {
        Type::Primitive(_) => {}
        Type::Struct(inner) => visit(&inner.fields, see),
        Type::List(list) => visit_type(list.element_id, &list.element, see),
        Type::Map(map) => {
            visit_type(map.key_id, &map.key, see);
            visit_type(map.value_id, &map.value, see);
        }
    }
}

fn name(id: i32, path: String, ty: &Type, names: &mut HashMap<i32, String>) {
    match ty {
        Type::Primitive(_) => {}
        Type::Struct(inner) => {
            for field in &inner.fields {
                name(field.id, format!("{path}.{}", field.name), &field.ty, names);
            }
        }
        Type::List(list) => name(list.element_id, format!("{path}.element"), &list.element, names),
        Type::Map(map) => {
            name(map.key_id, format!("{path}.key"), &map.key, names);
            name(map.value_id, format!("{path}.value"), &map.value, names);
        }
    }
    names.insert(id, path);
}

impl From<PrimitiveType> for Type {
    fn from(primitive: PrimitiveType) -> Self {
        Self::Primitive(primitive)
    }
}

impl From<StructType> for Type {
    fn from(inner: StructType) -> Self {
        Self::Struct(inner)
    }
}

impl From<ListType> for Type {
    fn from(list: ListType) -> Self {
        Self::List(Box::new(list))
    }
}

impl From<MapType> for Type {
    fn from(map: MapType) -> Self {
        Self::Map(Box::new(map))
    }
}

impl fmt::Display for PrimitiveType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision}, {scale})"),
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Timestamptz => "timestamptz",
            Self::String => "string",
            Self::Uuid => "uuid",
            Self::Fixed(length) => return write!(f, "fixed[{length}]"),
            Self::Binary => "binary",
        };
        f.write_str(name)
    }
}

impl std::str::FromStr for PrimitiveType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::Timestamptz,
            "string" => Self::String,
            "uuid" => Self::Uuid,
            "binary" => Self::Binary,
            other => parameterized(other).ok_or_else(|| Error::Unsupported(format!("type {other}")))?,
        })
    }
}

/// `decimal(p, s)` and `fixed[n]`.
fn parameterized(text: &str) -> Option<PrimitiveType> {
    if let Some(length) = text.strip_prefix("fixed[").and_then(|rest| rest.strip_suffix(']')) {
        return Some(PrimitiveType::Fixed(length.trim().parse().ok()?));
    }
    let inner = text.strip_prefix("decimal(")?.strip_suffix(')')?;
    let (precision, scale) = inner.split_once(',')?;
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    (1..=38).contains(&precision).then_some(())?;
    (scale <= precision).then_some(PrimitiveType::Decimal { precision, scale })
}

impl Serialize for Type {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Primitive(primitive) => serializer.collect_str(primitive),
            Self::Struct(inner) => json!({"type": "struct", "fields": inner.fields}).serialize(serializer),
            Self::List(list) => json!({
                "type": "list",
                "element-id": list.element_id,
                "element": list.element,
                "element-required": list.element_required,
            })
            .serialize(serializer),
            Self::Map(map) => json!({
                "type": "map",
                "key-id": map.key_id,
                "key": map.key,
                "value-id": map.value_id,
                "value": map.value,
                "value-required": map.value_required,
            })
            .serialize(serializer),
        }
    }
}

/// The shapes of types that are objects in JSON.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "kebab-case")]
enum Nested {
    Struct { fields: Vec<NestedField> },
    List { element_id: i32, element: Type, element_required: bool },
    Map { key_id: i32, key: Type, value_id: i32, value: Type, value_required: bool },
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let value = Value::deserialize(deserializer)?;
        if let Value::String(text) = &value {
            return text.parse().map(Self::Primitive).map_err(D::Error::custom);
        }
        Ok(match Nested::deserialize(value).map_err(D::Error::custom)? {
            Nested::Struct { fields } => StructType { fields }.into(),
            Nested::List { element_id, element, element_required } => {
                ListType { element_id, element_required, element }.into()
            }
            Nested::Map { key_id, key, value_id, value, value_required } => {
                MapType { key_id, key, value_id, value_required, value }.into()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested() -> Schema {
        let inner = StructType {
            fields: vec![
                NestedField::required(0, "city", PrimitiveType::String),
                NestedField::optional(0, "zip", PrimitiveType::Int),
            ],
        };
        let list = ListType { element_id: 0, element_required: true, element: inner.clone().into() };
        let map = MapType {
            key_id: 0,
            key: PrimitiveType::String.into(),
            value_id: 0,
            value_required: false,
            value: PrimitiveType::Decimal { precision: 9, scale: 2 }.into(),
        };
        let fields = vec![
            NestedField::required(0, "id", PrimitiveType::Long),
            NestedField::optional(0, "home", inner),
            NestedField::optional(0, "all", list),
            NestedField::optional(0, "Costs", map),
        ];
        Schema::new(0, fields).with_fresh_ids(0).0
    }

    #[test]
    fn ids_are_given_level_by_level() {
        let schema = nested();
        assert_eq!(schema.fields.iter().map(|field| field.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(schema.named("home.ZIP").unwrap().id, 6);
        assert_eq!(schema.highest_field_id(), 11);
        let names = schema.names();
        assert_eq!(names[&7], "all.element");
        assert_eq!(names[&8], "all.element.city");
        assert_eq!(names[&11], "Costs.value");
        assert!(schema.check().is_ok());
        assert_eq!(schema.type_of(10), Some(&PrimitiveType::String.into()));
    }

    #[test]
    fn schemas_survive_json() {
        let schema = nested();
        let text = serde_json::to_string(&schema).unwrap();
        assert!(text.starts_with(r#"{"type":"struct","schema-id":0,"fields":[{"id":1,"name":"id","required":true,"type":"long"}"#));
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema);
    }

    #[test]
    fn types_are_written_as_the_specification_does() {
        for text in ["boolean", "decimal(9, 2)", "fixed[16]", "timestamptz", "uuid"] {
            assert_eq!(text.parse::<PrimitiveType>().unwrap().to_string(), text);
        }
        assert_eq!("decimal(9,2)".parse::<PrimitiveType>().unwrap(), PrimitiveType::Decimal { precision: 9, scale: 2 });
        assert!("timestamp_ns".parse::<PrimitiveType>().unwrap_err().to_string().contains("type timestamp_ns"));
        assert!("decimal(39,2)".parse::<PrimitiveType>().is_err());
    }

    #[test]
    fn only_widening_is_a_promotion() {
        use PrimitiveType::*;
        assert!(Int.promotes_to(Long) && Float.promotes_to(Double) && Date.promotes_to(Date));
        assert!(!Long.promotes_to(Int) && !Int.promotes_to(Double) && !String.promotes_to(Binary));
        let decimal = |precision, scale| Decimal { precision, scale };
        assert!(decimal(9, 2).promotes_to(decimal(10, 2)));
        assert!(!decimal(9, 2).promotes_to(decimal(10, 3)));
    }
}
