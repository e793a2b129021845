//! restJson: operations told apart by method and path, JSON both ways ("AWS restJson1 protocol" in Smithy).
//!
//! A [`Route`] says where an operation's members stand: in the path, the query, headers, or alone as the body. All of them
//! become one JSON object, so a handler does not see where a member came from, and other services call the operation
//! with that object through the dispatcher. Bytes are base64 text in it, as in awsJson.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use crate::error::AwsError;
use crate::protocol::Answer;
use crate::service::OperationOutput;

const CONTENT_TYPE: &str = "application/json";

/// The method and path of an operation, and the places of its members.
#[derive(Debug, Clone)]
pub struct Route {
    method: Method,
    segments: Vec<Segment>,
    query: Vec<(&'static str, &'static str, Scalar)>,
    headers: Vec<(&'static str, &'static str)>,
    payload: Option<&'static str>,
    status: StatusCode,
    status_member: Option<&'static str>,
    answer_headers: Vec<(&'static str, &'static str)>,
    answer_payload: Option<&'static str>,
    camel_case: Option<&'static [&'static str]>,
}

/// A piece of a path between slashes. Literals order before labels: the more exact route wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(&'static str),
    Label(&'static str),
    /// Takes all that is left of the path.
    Greedy(&'static str),
}

/// What the text of a query member stands for.
#[derive(Debug, Clone, Copy)]
enum Scalar {
    Text,
    Number,
    Boolean,
    List,
}

impl Route {
    /// A route by GET. `template` is a path such as `/v2/apis/{apiId}`; a last `{Name+}` takes the rest of the path.
    pub fn get(template: &'static str) -> Self {
        Self::new(Method::GET, template)
    }

    /// A route by POST.
    pub fn post(template: &'static str) -> Self {
        Self::new(Method::POST, template)
    }

    /// A route by PUT.
    pub fn put(template: &'static str) -> Self {
        Self::new(Method::PUT, template)
    }

    /// A route by PATCH.
    pub fn patch(template: &'static str) -> Self {
        Self::new(Method::PATCH, template)
    }

    /// A route by DELETE.
    pub fn delete(template: &'static str) -> Self {
        Self::new(Method::DELETE, template)
    }

    fn new(method: Method, template: &'static str) -> Self {
        Self {
            method,
            segments: pieces(template).map(Segment::parse).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            payload: None,
            status: StatusCode::OK,
            status_member: None,
            answer_headers: Vec::new(),
            answer_payload: None,
            camel_case: None,
        }
    }

    /// The query's `name` is the text member `member`.
    #[must_use]
    pub fn query(self, name: &'static str, member: &'static str) -> Self {
        self.in_query(name, member, Scalar::Text)
    }

    /// The query's `name` is the number `member`.
    #[must_use]
    pub fn query_number(self, name: &'static str, member: &'static str) -> Self {
        self.in_query(name, member, Scalar::Number)
    }

    /// The query's `name` is the boolean `member`.
    #[must_use]
    pub fn query_bool(self, name: &'static str, member: &'static str) -> Self {
        self.in_query(name, member, Scalar::Boolean)
    }

    /// The query's `name`, which may be repeated, is the list of texts `member`.
    #[must_use]
    pub fn query_list(self, name: &'static str, member: &'static str) -> Self {
        self.in_query(name, member, Scalar::List)
    }

    fn in_query(mut self, name: &'static str, member: &'static str, scalar: Scalar) -> Self {
        self.query.push((name, member, scalar));
        self
    }

    /// The request's header `name` is the text member `member`.
    #[must_use]
    pub fn header(mut self, name: &'static str, member: &'static str) -> Self {
        self.headers.push((name, member));
        self
    }

    /// The request's body is the bytes of `member` and nothing else.
    #[must_use]
    pub fn payload(mut self, member: &'static str) -> Self {
        self.payload = Some(member);
        self
    }

    /// The status of a success, where it is not 200.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).expect("invariant: routes name real statuses");
        self
    }

    /// The output's number `member` is the answer's status.
    #[must_use]
    pub fn answers_status(mut self, member: &'static str) -> Self {
        self.status_member = Some(member);
        self
    }

    /// The output's text `member` is the answer's header `name`.
    #[must_use]
    pub fn answers_header(mut self, member: &'static str, name: &'static str) -> Self {
        self.answer_headers.push((member, name));
        self
    }

    /// The output's bytes `member` (base64 text) are the answer's body.
    #[must_use]
    pub fn answers_payload(mut self, member: &'static str) -> Self {
        self.answer_payload = Some(member);
        self
    }

    /// On the wire, the bodies' members begin with small letters. `maps` names members (by their own names) that are maps,
    /// whose keys are the user's.
    #[must_use]
    pub fn camel_case(mut self, maps: &'static [&'static str]) -> Self {
        self.camel_case = Some(maps);
        self
    }

    /// How exactly the route fits, the best being the smallest; none if it does not.
    fn fit<'a>(&'a self, method: &Method, path: &str) -> Option<&'a [Segment]> {
        let mut given = pieces(path);
        for segment in &self.segments {
            let piece = given.next()?;
            match segment {
                Segment::Literal(literal) if *literal != piece => return None,
                Segment::Greedy(_) => return (*method == self.method).then_some(&self.segments),
                Segment::Literal(_) | Segment::Label(_) => {}
            }
        }
        (given.next().is_none() && *method == self.method).then_some(&self.segments)
    }

    /// The operation's input: path, query, headers and body as one JSON object.
    ///
    /// # Errors
    /// `SerializationException` for a body that is no JSON object and for numbers and booleans that are none.
    pub fn input(&self, parts: &Parts, body: &Bytes) -> Result<Value, AwsError> {
        let mut members = match self.payload {
            Some(member) => Map::from_iter([(member.to_owned(), Value::from(BASE64.encode(body)))]),
            None => self.renamed(document(body)?, char::to_ascii_uppercase),
        };
        self.read_labels(parts.uri.path(), &mut members);
        self.read_query(parts.uri.query().unwrap_or_default(), &mut members)?;
        for (name, member) in &self.headers {
            if let Some(value) = parts.headers.get(*name).and_then(|value| value.to_str().ok()) {
                members.insert((*member).to_owned(), value.into());
            }
        }
        Ok(Value::Object(members))
    }

    fn read_labels(&self, path: &str, members: &mut Map<String, Value>) {
        let mut given = pieces(path);
        for segment in &self.segments {
            let Some(piece) = given.next() else { return };
            match segment {
                Segment::Literal(_) => {}
                Segment::Label(label) => {
                    members.insert((*label).to_owned(), decoded(piece).into());
                }
                Segment::Greedy(label) => {
                    let rest: Vec<&str> = std::iter::once(piece).chain(given.by_ref()).collect();
                    members.insert((*label).to_owned(), decoded(&rest.join("/")).into());
                }
            }
        }
    }

    fn read_query(&self, query: &str, members: &mut Map<String, Value>) -> Result<(), AwsError> {
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            let Some((_, member, scalar)) = self.query.iter().find(|(wanted, ..)| *wanted == name) else { continue };
            let value = match scalar {
                Scalar::Text => Value::from(&*text),
                Scalar::Number => Value::Number(text.parse::<Number>().map_err(|_| unfit(&name, &text, "a number"))?),
                Scalar::Boolean => text.parse::<bool>().map_err(|_| unfit(&name, &text, "true or false"))?.into(),
                Scalar::List => {
                    let list = members.entry(*member).or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(items) = list {
                        items.push(Value::from(&*text));
                    }
                    continue;
                }
            };
            members.insert((*member).to_owned(), value);
        }
        Ok(())
    }

    /// The members under the names that they have on the other side of the wire, if that has others.
    fn renamed(&self, members: Map<String, Value>, first: fn(&char) -> char) -> Map<String, Value> {
        match self.camel_case {
            Some(maps) => renamed(members, maps, first),
            None => members,
        }
    }

    /// The answer of a successful call.
    ///
    /// # Errors
    /// `InternalFailure` when the output can't be written in the route's shape.
    pub fn success(&self, output: &OperationOutput) -> Result<Answer, AwsError> {
        let unwritable = |what: &str| AwsError::internal(format!("the answer can't be written: {what}"));
        let value = serde_json::to_value(&**output).map_err(|error| unwritable(&error.to_string()))?;
        let mut members = match value {
            Value::Object(members) => members,
            Value::Null => Map::new(),
            _ => return Err(unwritable("an output must be a structure")),
        };
        let status = match self.status_member.and_then(|member| members.remove(member)) {
            Some(number) => number
                .as_u64()
                .and_then(|number| StatusCode::from_u16(u16::try_from(number).ok()?).ok())
                .ok_or_else(|| unwritable("no status"))?,
            None => self.status,
        };
        let mut headers = HeaderMap::new();
        for (member, name) in &self.answer_headers {
            if let Some(Value::String(text)) = members.remove(*member) {
                let value = HeaderValue::try_from(text).map_err(|error| unwritable(&error.to_string()))?;
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let body = match self.answer_payload.and_then(|member| members.remove(member)) {
            Some(Value::String(text)) => BASE64.decode(text).map_err(|error| unwritable(&error.to_string()))?,
            Some(_) => return Err(unwritable("a payload must be base64 text")),
            None if self.answer_payload.is_some() || status == StatusCode::NO_CONTENT => Vec::new(),
            None => Value::Object(self.renamed(members, char::to_ascii_lowercase)).to_string().into_bytes(),
        };
        Ok(Answer { headers, ..Answer::new(status, CONTENT_TYPE, body) })
    }
}

impl Segment {
    fn parse(piece: &'static str) -> Self {
        match piece.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(label) => label.strip_suffix('+').map_or(Self::Label(label), Self::Greedy),
            None => Self::Literal(piece),
        }
    }
}

/// The operation whose route fits a request best.
pub fn find<'a>(routes: &'a [(&'static str, Route)], method: &Method, path: &str) -> Option<&'a (&'static str, Route)> {
    let fitting = routes.iter().filter_map(|entry| Some((entry.1.fit(method, path)?, entry)));
    fitting.min_by_key(|(fit, _)| *fit).map(|(_, entry)| entry)
}

/// The answer of a failed call. The code stands in the header `x-amzn-errortype`, which every failed call gets.
pub fn failure(error: &AwsError) -> Answer {
    let mut members = Map::new();
    members.insert("message".into(), error.message.as_str().into());
    members.insert("Message".into(), error.message.as_str().into());
    members.extend(error.details.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Answer::new(error.status, CONTENT_TYPE, Value::Object(members).to_string())
}

/// The members with their names' first letters changed, at every depth but in the keys of maps.
fn renamed(members: Map<String, Value>, maps: &[&str], first: fn(&char) -> char) -> Map<String, Value> {
    let inside = |value: Value| match value {
        Value::Object(members) => Value::Object(renamed(members, maps, first)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| renamed_item(item, maps, first)).collect()),
        other => other,
    };
    let renamed = members.into_iter().map(|(name, value)| {
        let value = match value {
            Value::Object(entries) if maps.iter().any(|map| map.eq_ignore_ascii_case(&name)) => {
                entries.into_iter().map(|(key, value)| (key, inside(value))).collect()
            }
            other => inside(other),
        };
        let mut letters = name.chars();
        let name = letters.next().map(|letter| first(&letter)).into_iter().chain(letters).collect();
        (name, value)
    });
    renamed.collect()
}

fn renamed_item(item: Value, maps: &[&str], first: fn(&char) -> char) -> Value {
    match item {
        Value::Object(members) => Value::Object(renamed(members, maps, first)),
        other => other,
    }
}

fn pieces(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/')
}

fn decoded(piece: &str) -> String {
    percent_decode_str(piece).decode_utf8_lossy().into_owned()
}

fn document(body: &Bytes) -> Result<Map<String, Value>, AwsError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body).map_err(|error| {
        AwsError::bad_request("SerializationException", format!("the body is no JSON object: {error}"))
    })
}

fn unfit(name: &str, text: &str, wanted: &str) -> AwsError {
    AwsError::bad_request("SerializationException", format!("{name} must be {wanted}, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parts(method: &str, uri: &str) -> Parts {
        Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0
    }

    fn routes() -> Vec<(&'static str, Route)> {
        vec![
            ("GetFunction", Route::get("/functions/{FunctionName}").query("Qualifier", "Qualifier")),
            ("GetSettings", Route::get("/functions/settings/")),
            ("ListTags", Route::get("/tags/{Resource+}").query_list("keys", "Keys")),
            (
                "Invoke",
                Route::post("/functions/{FunctionName}/invocations").payload("Payload").header("X-Type", "Type"),
            ),
            ("List", Route::get("/functions").query_number("MaxItems", "MaxItems").query_bool("All", "All")),
        ]
    }

    fn found(method: &str, path: &str) -> Option<&'static str> {
        find(&routes(), &method.parse().unwrap(), path).map(|(operation, _)| *operation)
    }

    #[test]
    fn the_most_exact_route_wins() {
        assert_eq!(found("GET", "/functions/hello"), Some("GetFunction"));
        assert_eq!(found("GET", "/functions/settings"), Some("GetSettings"));
        assert_eq!(found("GET", "/functions/"), Some("List"));
        assert_eq!(found("GET", "/tags/a/b"), Some("ListTags"));
        assert_eq!(found("POST", "/functions/hello"), None);
        assert_eq!(found("GET", "/functions/hello/more"), None);
    }

    fn input(method: &str, uri: &str, body: &'static [u8]) -> Result<Value, AwsError> {
        let parts = parts(method, uri);
        let routes = routes();
        let (_, route) = find(&routes, &parts.method, parts.uri.path()).unwrap();
        route.input(&parts, &Bytes::from_static(body))
    }

    #[test]
    fn members_come_from_everywhere() {
        let function = input("GET", "/functions/a%3Ab?Qualifier=v%201&unknown=1", b"").unwrap();
        assert_eq!(function, json!({"FunctionName": "a:b", "Qualifier": "v 1"}));
        let tags = input("GET", "/tags/arn:aws/x?keys=a&keys=b", b"{\"More\": 1}").unwrap();
        assert_eq!(tags, json!({"Resource": "arn:aws/x", "Keys": ["a", "b"], "More": 1}));
        let invoke = input("POST", "/functions/f/invocations", b"\xff{").unwrap();
        assert_eq!(invoke, json!({"FunctionName": "f", "Payload": "/3s="}));
        assert_eq!(input("GET", "/functions?MaxItems=5&All=true", b"").unwrap(), json!({"MaxItems": 5, "All": true}));
    }

    #[test]
    fn bad_members_are_named() {
        for (uri, body) in [("/functions?MaxItems=x", &b""[..]), ("/functions?All=1", b""), ("/functions", b"[]")] {
            let error = input("GET", uri, body).unwrap_err();
            assert_eq!((error.code.as_ref(), error.status.as_u16()), ("SerializationException", 400), "{uri}");
        }
    }

    #[test]
    fn answers_have_the_routes_shape() {
        let route = Route::post("/x")
            .answers_status("StatusCode")
            .answers_header("Error", "x-error")
            .answers_payload("Payload");
        let output: OperationOutput = Box::new(json!({"StatusCode": 202, "Error": "Unhandled", "Payload": "aGk="}));
        let answer = route.success(&output).unwrap();
        assert_eq!(
            (answer.status.as_u16(), &*answer.body, &answer.headers["x-error"]),
            (202, &b"hi"[..], &HeaderValue::from_static("Unhandled"))
        );
        let empty = Route::delete("/x").status(204).success(&(Box::new(()) as OperationOutput)).unwrap();
        assert_eq!((empty.status.as_u16(), empty.body.len()), (204, 0));
        let plain = Route::get("/x").success(&(Box::new(json!({"A": 1})) as OperationOutput)).unwrap();
        assert_eq!((plain.status.as_u16(), &*plain.body), (200, &b"{\"A\":1}"[..]));
    }

    #[test]
    fn members_have_small_letters_on_the_wire_and_maps_keep_their_keys() {
        let route = Route::post("/x/{ApiId}").camel_case(&["Tags", "Settings"]);
        let body = br#"{"name": "n", "corsConfiguration": {"maxAge": 1}, "tags": {"aB": "1"}, "items": [{"id": 2}],
                        "settings": {"GET /a": {"rateLimit": 5}}}"#;
        let input = route.input(&parts("POST", "/x/7"), &Bytes::from_static(body)).unwrap();
        let inside = json!({
            "ApiId": "7", "Name": "n", "CorsConfiguration": {"MaxAge": 1}, "Tags": {"aB": "1"}, "Items": [{"Id": 2}],
            "Settings": {"GET /a": {"RateLimit": 5}},
        });
        assert_eq!(input, inside);
        let answer = route.success(&(Box::new(inside) as OperationOutput)).unwrap();
        let outside: Value = serde_json::from_slice(&answer.body).unwrap();
        let mut expected: Value = serde_json::from_slice(body).unwrap();
        expected["apiId"] = "7".into();
        assert_eq!(outside, expected);
    }

    proptest! {
        #[test]
        fn labels_come_back_as_they_were_sent(name in "[^\u{0}]{1,20}") {
            let coded = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC).to_string();
            let parts = parts("GET", &format!("/functions/{coded}"));
            let input = routes()[0].1.input(&parts, &Bytes::new()).unwrap();
            prop_assert_eq!(&input["FunctionName"], &Value::from(name));
        }
    }
}
