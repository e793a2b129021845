//! JSON values as the path language sees them; members keep their order.

use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::types::format::java_double;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Null,
    Boolean(bool),
    Whole(i64),
    Double(f64),
    Text(String),
    Array(Vec<Item>),
    Object(Vec<(String, Item)>),
}

impl Item {
    /// The value that a text spells.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// What `type()` says.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Whole(_) | Self::Double(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Appends it as JSON.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            // Writing to memory can't fail.
            Self::Whole(value) => drop(write!(out, "{value}")),
            Self::Double(value) => out.push_str(&java_double(*value)),
            Self::Text(text) => write_text(out, text),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, item)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    write_text(out, name);
                    out.push(':');
                    item.write(out);
                }
                out.push('}');
            }
        }
    }

    /// It as JSON.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// Appends a text in quotes.
pub(super) fn write_text(out: &mut String, text: &str) {
    // Writing to memory can't fail.
    let _ = write!(out, "{}", serde_json::Value::from(text));
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Items)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Item;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item, E> {
        Ok(i64::try_from(value).map_or(Item::Double(value as f64), Item::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Item, E> {
        Ok(Item::Double(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Item, E> {
        Ok(Item::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element()? {
            items.push(item);
        }
        Ok(Item::Array(items))
    }

    /// The last of equal names wins, at the place of the first.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Item, A::Error> {
        let mut items: Vec<(String, Item)> = Vec::new();
        while let Some((name, item)) = members.next_entry::<String, Item>()? {
            match items.iter_mut().find(|(known, _)| *known == name) {
                Some((_, kept)) => *kept = item,
                None => items.push((name, item)),
            }
        }
        Ok(Item::Object(items))
    }
}
