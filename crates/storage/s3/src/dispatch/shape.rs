//! Members of S3's documents, and how they read in JSON and in XML.

use boathouse_aws::AwsError;
use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;
use serde_json::{Map, Value};

use crate::error::{Result, internal, invalid_argument};

/// A member of a structure: its name in JSON, and what it is in XML.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    kind: Kind,
    place: Place,
}

/// What a value is.
#[derive(Debug)]
enum Kind {
    Text,
    Number,
    Flag,
    Structure(&'static [Member]),
}

/// Where values lie in XML.
#[derive(Debug)]
enum Place {
    /// In one element of the member's name.
    One,
    /// In one element of this name.
    In(&'static str),
    /// A list: each in an element of this name, beside the other members.
    Flat(&'static str),
    /// A list: each in an element of this name, all in one of the member's name.
    Within(&'static str),
}

pub(super) const fn text(name: &'static str) -> Member {
    Member { name, kind: Kind::Text, place: Place::One }
}

pub(super) const fn number(name: &'static str) -> Member {
    Member { name, kind: Kind::Number, place: Place::One }
}

pub(super) const fn flag(name: &'static str) -> Member {
    Member { name, kind: Kind::Flag, place: Place::One }
}

pub(super) const fn structure(name: &'static str, members: &'static [Member]) -> Member {
    Member { name, kind: Kind::Structure(members), place: Place::One }
}

impl Member {
    /// The same member, where XML has another name for it.
    pub(super) const fn within(self, element: &'static str) -> Self {
        Self { place: Place::In(element), ..self }
    }
}

pub(super) const fn texts(name: &'static str, element: &'static str) -> Member {
    Member { name, kind: Kind::Text, place: Place::Flat(element) }
}

pub(super) const fn flat(name: &'static str, element: &'static str, members: &'static [Member]) -> Member {
    Member { name, kind: Kind::Structure(members), place: Place::Flat(element) }
}

pub(super) const fn list(name: &'static str, element: &'static str, members: &'static [Member]) -> Member {
    Member { name, kind: Kind::Structure(members), place: Place::Within(element) }
}

/// Texts, each in an element of this name, all in one of the member's name.
pub(super) const fn texts_within(name: &'static str, element: &'static str) -> Member {
    Member { name, kind: Kind::Text, place: Place::Within(element) }
}

/// The document of a JSON structure, with this root element.
///
/// # Errors
/// `InvalidArgument` for values of the wrong type, `NotImplemented` for members that S3's front does not know.
pub(super) fn to_xml(root: &str, member: &Member, value: &Value) -> Result<String> {
    let mut out = String::new();
    write(root, &member.kind, member.name, value, &mut out)?;
    Ok(out)
}

fn write(element: &str, kind: &Kind, path: &str, value: &Value, out: &mut String) -> Result<()> {
    out.extend(["<", element, ">"]);
    match (kind, value) {
        (Kind::Structure(members), Value::Object(object)) => write_members(members, path, object, out)?,
        (Kind::Text, Value::String(text)) => out.push_str(&escape(text.as_str())),
        (Kind::Number, Value::Number(number)) => out.push_str(&number.to_string()),
        (Kind::Flag, Value::Bool(flag)) => out.push_str(if *flag { "true" } else { "false" }),
        // CloudFormation and JSONPath hand numbers and flags on as text as well.
        (Kind::Number | Kind::Flag, Value::String(text)) => out.push_str(&escape(text.as_str())),
        _ => return Err(invalid_argument(format!("{path} is not of the type that S3 expects"))),
    }
    out.extend(["</", element, ">"]);
    Ok(())
}

fn write_members(members: &[Member], path: &str, object: &Map<String, Value>, out: &mut String) -> Result<()> {
    if let Some(unknown) = object.keys().find(|name| !members.iter().any(|member| member.name == *name)) {
        return Err(AwsError::not_implemented(format!("the S3 member {path}.{unknown}")));
    }
    for member in members {
        let path = format!("{path}.{}", member.name);
        let Some(value) = object.get(member.name).filter(|value| !value.is_null()) else { continue };
        let items = |value: &Value| {
            let items = value.as_array().cloned();
            items.ok_or_else(|| invalid_argument(format!("{path} must be a list")))
        };
        match member.place {
            Place::One => write(member.name, &member.kind, &path, value, out)?,
            Place::In(element) => write(element, &member.kind, &path, value, out)?,
            Place::Flat(element) => {
                for item in items(value)? {
                    write(element, &member.kind, &path, &item, out)?;
                }
            }
            Place::Within(element) => {
                out.extend(["<", member.name, ">"]);
                for item in items(value)? {
                    write(element, &member.kind, &path, &item, out)?;
                }
                out.extend(["</", member.name, ">"]);
            }
        }
    }
    Ok(())
}

/// An element of a document.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    pub(super) text: String,
    children: Vec<Self>,
}

impl Element {
    /// The root element of a document that S3's own codec wrote.
    pub(super) fn parse(document: &[u8]) -> Result<Self> {
        let mut reader = Reader::from_reader(document);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| internal(&error))? {
                Event::Start(start) => open.push(Self::named(start.name().as_ref())),
                Event::Empty(start) => top(&mut open)?.children.push(Self::named(start.name().as_ref())),
                Event::Text(text) => top(&mut open)?.text.push_str(&text.decode().map_err(|error| internal(&error))?),
                Event::GeneralRef(reference) => {
                    let character = resolved(&reference)?;
                    top(&mut open)?.text.push_str(&character);
                }
                Event::End(_) => {
                    let closed = open.pop().unwrap_or_default();
                    top(&mut open)?.children.push(closed);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(open.pop().and_then(|mut document| document.children.pop()).unwrap_or_default())
    }

    fn named(name: &[u8]) -> Self {
        Self { name: String::from_utf8_lossy(name).into_owned(), ..Self::default() }
    }

    /// The JSON of this element's members. Empty lists and absent members are left out, as SDKs leave them.
    pub(super) fn to_json(&self, members: &[Member]) -> Result<Map<String, Value>> {
        let mut object = Map::new();
        for member in members {
            let value = match member.place {
                Place::One => self.child(member.name).map(|child| child.value(&member.kind)).transpose()?,
                Place::In(element) => self.child(element).map(|child| child.value(&member.kind)).transpose()?,
                Place::Flat(element) => self.items(element, &member.kind)?,
                Place::Within(element) => match self.child(member.name) {
                    Some(list) => Some(list.items(element, &member.kind)?.unwrap_or_else(|| Value::Array(Vec::new()))),
                    None => None,
                },
            };
            if let Some(value) = value {
                object.insert(member.name.to_owned(), value);
            }
        }
        Ok(object)
    }

    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn items(&self, element: &str, kind: &Kind) -> Result<Option<Value>> {
        let items = self.children.iter().filter(|child| child.name == element).map(|child| child.value(kind));
        let items: Vec<Value> = items.collect::<Result<_>>()?;
        Ok((!items.is_empty()).then_some(Value::Array(items)))
    }

    fn value(&self, kind: &Kind) -> Result<Value> {
        Ok(match kind {
            Kind::Text => Value::String(self.text.clone()),
            Kind::Number => Value::from(self.text.parse::<i64>().map_err(|error| internal(&error))?),
            Kind::Flag => Value::Bool(self.text == "true"),
            Kind::Structure(members) => Value::Object(self.to_json(members)?),
        })
    }
}

fn top(open: &mut [Element]) -> Result<&mut Element> {
    open.last_mut().ok_or_else(|| internal(&"an answer's XML is not balanced"))
}

fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> Result<String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| internal(&error))? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|error| internal(&error))?;
    resolve_predefined_entity(&name).map(str::to_owned).ok_or_else(|| internal(&format!("the entity {name}")))
}
