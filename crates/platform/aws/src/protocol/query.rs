//! awsQuery: a form with `Action`, `Version` and dotted members in; XML out ("AWS Query protocol" in Smithy).
//!
//! `Tags.member.1.Key=a` is the list `Tags` with one structure. Scalars are text on the wire; they become numbers and
//! booleans when the input's type asks for them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use http::StatusCode;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::ser::SerializeStruct;
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{AwsError, Fault};
use crate::protocol::xml::{self, escape};
use crate::protocol::{Answer, Dialects};
use crate::service::OperationOutput;

/// How deep members may nest; deeper names are refused, not recursed into.
const MAX_DEPTH: usize = 16;

/// A query request: its operation, API version and members.
#[derive(Debug, Default)]
pub struct QueryInput {
    /// The value of `Action`.
    pub action: String,
    /// The value of `Version`.
    pub version: String,
    members: Node,
}

/// A member: text, or a structure or list of members (lists are told apart by what the input's type asks for).
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl QueryInput {
    /// Parses a form body or a query string.
    ///
    /// # Errors
    /// `MalformedQueryString` for members that nest too deep.
    pub fn parse(form: &[u8]) -> Result<Self, AwsError> {
        let mut input = Self::default();
        for (name, value) in form_urlencoded::parse(form) {
            match &*name {
                "Action" => input.action = value.into_owned(),
                "Version" => input.version = value.into_owned(),
                _ => input.members.insert(&name, value)?,
            }
        }
        Ok(input)
    }

    /// The members as JSON, with numbers and booleans as text.
    pub fn to_json(&self) -> serde_json::Value {
        (&self.members).into()
    }

    /// The members as the operation's input type.
    ///
    /// # Errors
    /// `ValidationError` when a member is missing or of the wrong type.
    pub fn decode<I: DeserializeOwned>(self) -> Result<I, AwsError> {
        I::deserialize(self.members).map_err(|error| AwsError::bad_request("ValidationError", error.to_string()))
    }
}

/// The members as JSON: lists where they are numbered, all values as text.
impl From<&Node> for serde_json::Value {
    fn from(node: &Node) -> Self {
        if node.children.is_empty() {
            return node.text.as_deref().into();
        }
        let list = node.children.get("member").or_else(|| node.children.get("entry")).unwrap_or(node);
        let mut items: Vec<(u32, &Node)> =
            list.children.iter().filter_map(|(name, item)| Some((name.parse().ok()?, item))).collect();
        if items.len() == list.children.len() && !items.is_empty() {
            items.sort_by_key(|(number, _)| *number);
            return items.into_iter().map(|(_, item)| Self::from(item)).collect();
        }
        node.children.iter().map(|(name, child)| (name.clone(), Self::from(child))).collect()
    }
}

impl Node {
    fn insert(&mut self, name: &str, value: Cow<'_, str>) -> Result<(), AwsError> {
        if name.split('.').count() > MAX_DEPTH {
            return Err(AwsError::bad_request("MalformedQueryString", format!("member {name} nests too deep")));
        }
        let leaf = name.split('.').fold(self, |node, part| node.children.entry(part.to_owned()).or_default());
        leaf.text = Some(value.into_owned());
        Ok(())
    }

    fn text(&self) -> Result<&str, QueryError> {
        self.text.as_deref().ok_or_else(|| QueryError::custom("expected a value, found members"))
    }

    /// The items of a list in the order of their numbers: `member.1`, `entry.1` or flattened `1`.
    fn into_items(mut self) -> Vec<Self> {
        let wrapped = self.children.remove("member").or_else(|| self.children.remove("entry"));
        let mut items: Vec<(u32, Self)> = wrapped
            .unwrap_or(self)
            .children
            .into_iter()
            .filter_map(|(name, node)| name.parse().ok().map(|number| (number, node)))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, node)| node).collect()
    }
}

impl Node {
    /// The pairs of a map: `entry.1.key` and `entry.1.value`, without `entry` when flattened (then also `Name`, `Value`).
    fn into_entries(self) -> Result<Vec<(String, Self)>, QueryError> {
        let pair = |mut item: Self| {
            let mut member = |names: [&str; 3]| names.iter().find_map(|name| item.children.remove(*name));
            let (key, value) = (member(["key", "Key", "Name"]), member(["value", "Value", "value"]));
            let missing = || QueryError::custom("expected the key and the value of a map's entry");
            let (key, value) = key.zip(value).ok_or_else(missing)?;
            Ok((key.text()?.to_owned(), value))
        };
        self.into_items().into_iter().map(pair).collect()
    }
}

type QueryError = serde::de::value::Error;

macro_rules! parsed {
    ($($method:ident => $visit:ident: $type:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
            let text = self.text()?;
            let value: $type = text
                .parse()
                .map_err(|_| QueryError::custom(format!("{text:?} is not a valid {}", stringify!($type))))?;
            visitor.$visit(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.text {
            Some(text) if self.children.is_empty() => visitor.visit_string(text),
            _ => visitor.visit_map(MapDeserializer::new(self.children.into_iter())),
        }
    }

    parsed! {
        deserialize_bool => visit_bool: bool,
        deserialize_i32 => visit_i32: i32,
        deserialize_i64 => visit_i64: i64,
        deserialize_u32 => visit_u32: u32,
        deserialize_u64 => visit_u64: u64,
        deserialize_f64 => visit_f64: f64,
        deserialize_u8 => visit_u8: u8,
        deserialize_u16 => visit_u16: u16,
        deserialize_i8 => visit_i8: i8,
        deserialize_i16 => visit_i16: i16,
        deserialize_f32 => visit_f32: f32,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_seq(SeqDeserializer::new(self.into_items().into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let pairs = self.into_entries()?;
        visitor.visit_map(MapDeserializer::new(pairs.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_map(MapDeserializer::new(self.children.into_iter()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        let text = self.text()?.to_owned();
        IntoDeserializer::<QueryError>::into_deserializer(text).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, QueryError> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A map of an output, which awsQuery writes as a list of entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries<T>(pub BTreeMap<String, T>);

impl<T: Serialize> Serialize for Entries<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a, T> {
            key: &'a str,
            value: &'a T,
        }
        let entries: Vec<_> = self.0.iter().map(|(key, value)| Entry { key, value }).collect();
        let mut members = serializer.serialize_struct("Entries", 1)?;
        members.serialize_field(xml::ENTRY, &entries)?;
        members.end()
    }
}

/// The output of a service that speaks JSON first, as the query protocol writes it: times as text, maps as entries.
///
/// # Errors
/// `InternalFailure` when the output can't be written.
pub fn reshaped(dialects: &Dialects, output: &OperationOutput) -> Result<OperationOutput, AwsError> {
    let mut members = serde_json::to_value(&**output)
        .map_err(|error| AwsError::internal(format!("the answer can't be written: {error}")))?;
    reshape(dialects, &mut members);
    Ok(Box::new(members))
}

fn reshape(dialects: &Dialects, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| reshape(dialects, item)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if dialects.times.contains(&name.as_str()) {
                    write_times(member);
                } else if let (true, Value::Object(entries)) = (dialects.maps.contains(&name.as_str()), &mut *member) {
                    let entry = |(key, value): (&String, &Value)| json!({"key": key, "value": value});
                    *member = json!({(xml::ENTRY): entries.iter().map(entry).collect::<Value>()});
                } else {
                    reshape(dialects, member);
                }
            }
        }
        _ => {}
    }
}

/// Makes seconds, or a list of them, text in ISO 8601.
fn write_times(value: &mut Value) {
    if let Value::Array(items) = value {
        return items.iter_mut().for_each(write_times);
    }
    let time = value.as_f64().and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1000.0) as i64));
    if let Some(time) = time {
        *value = time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into();
    }
}

/// The answer of a successful call.
///
/// # Errors
/// `InternalFailure` when the output can't be written as XML.
pub fn success(
    operation: &str,
    namespace: &str,
    output: &OperationOutput,
    request_id: Uuid,
) -> Result<Answer, AwsError> {
    let members =
        xml::members(&**output).map_err(|error| AwsError::internal(format!("the answer can't be written: {error}")))?;
    // Operations whose output is an empty structure have a result all the same; clients of the others don't look for one.
    let body = format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{members}</{operation}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    );
    Ok(answer(StatusCode::OK, body))
}

/// The answer of a failed call.
pub fn failure(namespace: &str, error: &AwsError, request_id: Uuid) -> Answer {
    let fault = match error.fault() {
        Fault::Sender => "Sender",
        Fault::Receiver => "Receiver",
    };
    // IAM and STS say `AccessDenied` where the JSON services say `AccessDeniedException`.
    let code = error.code.strip_suffix("Exception").filter(|code| *code == "AccessDenied");
    let code = error.query_code.or(code).unwrap_or(&error.code);
    let body = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(code),
        escape(&error.message),
    );
    answer(error.status, body)
}

fn answer(status: StatusCode, body: String) -> Answer {
    Answer::new(status, "text/xml", body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tag {
        key: String,
        value: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        role_name: String,
        max_session_duration: Option<u32>,
        only_attached: Option<bool>,
        #[serde(default)]
        tags: Vec<Tag>,
    }

    #[test]
    fn dotted_members_become_lists_and_numbers() {
        let form = b"Action=CreateRole&Version=2010-05-08&RoleName=a%20b&MaxSessionDuration=3600&OnlyAttached=true\
                     &Tags.member.2.Key=y&Tags.member.2.Value=2&Tags.member.1.Key=x&Tags.member.1.Value=1";
        let input = QueryInput::parse(form).unwrap();
        assert_eq!(input.action, "CreateRole");
        let decoded: Input = input.decode().unwrap();
        assert_eq!(decoded.role_name, "a b");
        assert_eq!(decoded.max_session_duration, Some(3600));
        assert_eq!(decoded.only_attached, Some(true));
        assert_eq!(decoded.tags[0], Tag { key: "x".into(), value: "1".into() });
        assert_eq!(decoded.tags[1].key, "y");
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Attributes {
        attributes: BTreeMap<String, u32>,
        #[serde(default)]
        names: Vec<String>,
    }

    #[test]
    fn maps_and_flattened_lists_are_read() {
        let wrapped =
            b"Attributes.entry.1.key=a&Attributes.entry.1.value=1&Attributes.entry.2.key=b&Attributes.entry.2.value=2";
        let flat =
            b"Attributes.1.Name=a&Attributes.1.Value=1&Attributes.2.Name=b&Attributes.2.Value=2&Names.1=x&Names.2=y";
        let expected = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let read = |form: &[u8]| QueryInput::parse(form).unwrap().decode::<Attributes>();
        assert_eq!(read(wrapped).unwrap().attributes, expected);
        assert_eq!(read(flat).unwrap(), Attributes { attributes: expected, names: vec!["x".into(), "y".into()] });
        let half = read(b"Attributes.entry.1.key=a").unwrap_err();
        assert!(half.message.contains("entry"), "{half}");
    }

    #[test]
    fn maps_are_written_as_entries() {
        #[derive(Serialize)]
        struct Summary {
            map: Entries<u32>,
        }
        let output: OperationOutput = Box::new(Summary { map: Entries([("Users".to_owned(), 3)].into()) });
        let answer = success("GetAccountSummary", "urn:x", &output, Uuid::nil()).unwrap();
        let text = std::str::from_utf8(&answer.body).unwrap();
        assert!(text.contains("<map><entry><key>Users</key><value>3</value></entry></map>"), "{text}");
    }

    #[test]
    fn outputs_of_json_services_are_reshaped() {
        let dialects = Dialects { version: "", namespace: "", times: &["Times", "Time"], maps: &["Map"] };
        let output: OperationOutput = Box::new(json!({"A": [{"Time": 1.5, "Map": {"p90": 2.0}}], "Times": [0, 60]}));
        let answer = success("X", "urn:x", &reshaped(&dialects, &output).unwrap(), Uuid::nil()).unwrap();
        let text = std::str::from_utf8(&answer.body).unwrap();
        for part in [
            "<Time>1970-01-01T00:00:01.500Z</Time>",
            "<Map><entry><key>p90</key><value>2.0</value></entry></Map>",
            "<Times><member>1970-01-01T00:00:00Z</member><member>1970-01-01T00:01:00Z</member></Times>",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn missing_and_mistyped_members_are_named() {
        let missing = QueryInput::parse(b"Action=X").unwrap().decode::<Input>().unwrap_err();
        assert_eq!(missing.code, "ValidationError");
        assert!(missing.message.contains("RoleName"), "{missing}");
        let mistyped = QueryInput::parse(b"RoleName=r&MaxSessionDuration=soon").unwrap().decode::<Input>().unwrap_err();
        assert!(mistyped.message.contains("soon"), "{mistyped}");
    }

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        name: &'static str,
        path: Option<&'static str>,
        is_truncated: bool,
        policies: Vec<&'static str>,
    }

    #[test]
    fn outputs_are_xml_with_member_lists() {
        let output: OperationOutput =
            Box::new(Output { name: "a<b", path: None, is_truncated: false, policies: vec!["p", "q"] });
        let answer = success("GetRole", "urn:x", &output, Uuid::nil()).unwrap();
        assert_eq!(
            std::str::from_utf8(&answer.body).unwrap(),
            "<GetRoleResponse xmlns=\"urn:x\"><GetRoleResult><IsTruncated>false</IsTruncated><Name>a&lt;b</Name>\
             <Policies><member>p</member><member>q</member></Policies></GetRoleResult><ResponseMetadata>\
             <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></GetRoleResponse>"
        );
    }

    #[test]
    fn errors_name_the_fault() {
        let answer = failure("urn:x", &AwsError::access_denied("no"), Uuid::nil());
        let text = std::str::from_utf8(&answer.body).unwrap();
        assert!(text.contains("<Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message>"), "{text}");
    }

    proptest! {
        #[test]
        fn no_form_panics(form in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(input) = QueryInput::parse(&form) {
                let _ = input.decode::<Input>();
            }
        }
    }
}
