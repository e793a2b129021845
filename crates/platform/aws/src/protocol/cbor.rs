//! Smithy RPC v2 CBOR: a POST to `/service/{Service}/operation/{Operation}`, CBOR both ways ("Smithy RPC v2 CBOR protocol").
//!
//! Inputs become JSON values, as handlers know them: a timestamp (tag 1) is its number of seconds, bytes are base64 text, and
//! numbers that JSON has not are the texts `NaN`, `Infinity` and `-Infinity`, as in awsJson.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ciborium_io::{Read, Write};
use ciborium_ll::{Decoder, Encoder, Header, simple};
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use serde_json::{Map, Number, Value, json};

use crate::error::AwsError;
use crate::protocol::{Answer, Dialects};
use crate::service::OperationOutput;

/// The header by which requests and answers say that they speak so.
pub const HEADER: HeaderName = HeaderName::from_static("smithy-protocol");
/// What stands in it.
pub const NAME: &str = "rpc-v2-cbor";
const CONTENT_TYPE: &str = "application/cbor";
/// The tag of a time in seconds since 1970.
const TIME: u64 = 1;
/// How deep a body may nest.
const MAX_DEPTH: usize = 64;
/// Bytes of a text that are looked at together.
const BUFFER: usize = 256;

/// Splits `/service/GraniteServiceVersion20100801/operation/ListMetrics` into service and operation.
pub fn split_path(path: &str) -> Option<(&str, &str)> {
    let (service, operation) = path.split_once("/service/")?.1.split_once("/operation/")?;
    let named = |name: &str| !name.is_empty() && !name.contains('/');
    (named(service) && named(operation)).then_some((service, operation))
}

/// The members of a request.
///
/// # Errors
/// `SerializationException` for what is no CBOR, or no structure.
pub fn input(body: &[u8]) -> Result<Value, AwsError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let refused = |what: String| AwsError::bad_request("SerializationException", format!("the body {what}"));
    let mut rest = body;
    let mut reader = Reader { decoder: Decoder::from(&mut rest), depth: 0 };
    let document = reader.item().map_err(refused)?;
    if !rest.is_empty() {
        return Err(refused("has more than one CBOR item".into()));
    }
    match document {
        Value::Object(_) => Ok(document),
        _ => Err(refused("is not a CBOR map".into())),
    }
}

/// Reads items as JSON. Errors say what the body has, or is.
struct Reader<R: Read> {
    decoder: Decoder<R>,
    depth: usize,
}

impl<R: Read> Reader<R> {
    fn header(&mut self) -> Result<Header, String> {
        self.decoder.pull().map_err(broken)
    }

    fn item(&mut self) -> Result<Value, String> {
        let header = self.header()?;
        self.value(header)
    }

    /// The item that begins with a header.
    fn value(&mut self, header: Header) -> Result<Value, String> {
        if self.depth == MAX_DEPTH {
            return Err(format!("nests deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let value = match header {
            Header::Positive(number) => number.into(),
            Header::Negative(number) => negative(number)?,
            Header::Float(number) => Number::from_f64(number).map_or_else(|| special(number).into(), Value::Number),
            Header::Simple(simple::FALSE) => false.into(),
            Header::Simple(simple::TRUE) => true.into(),
            Header::Simple(simple::NULL | simple::UNDEFINED) => Value::Null,
            Header::Bytes(length) => BASE64.encode(self.bytes(length)?).into(),
            Header::Text(length) => self.text(length)?.into(),
            Header::Array(length) => {
                let mut items = Vec::new();
                self.items(length, |reader, header| {
                    items.push(reader.value(header)?);
                    Ok(())
                })?;
                Value::Array(items)
            }
            Header::Map(length) => {
                let mut members = Map::new();
                self.items(length, |reader, header| {
                    let Header::Text(length) = header else { return Err("has a key that is no text".into()) };
                    let name = reader.text(length)?;
                    members.insert(name, reader.item()?);
                    Ok(())
                })?;
                Value::Object(members)
            }
            Header::Tag(TIME) => self.item()?,
            Header::Tag(_) | Header::Simple(_) | Header::Break => {
                return Err("has a CBOR item that no operation takes".into());
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Hands over the headers of so many items, or of those up to a break.
    fn items(
        &mut self,
        length: Option<usize>,
        mut each: impl FnMut(&mut Self, Header) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut left = length;
        while left != Some(0) {
            let header = self.header()?;
            if header == Header::Break && left.is_none() {
                break;
            }
            each(self, header)?;
            left = left.map(|left| left - 1);
        }
        Ok(())
    }

    fn text(&mut self, length: Option<usize>) -> Result<String, String> {
        let (mut text, mut buffer) = (String::new(), [0; BUFFER]);
        let mut segments = self.decoder.text(length);
        while let Some(mut segment) = segments.pull().map_err(broken)? {
            while let Some(part) = segment.pull(&mut buffer).map_err(broken)? {
                text.push_str(part);
            }
        }
        Ok(text)
    }

    fn bytes(&mut self, length: Option<usize>) -> Result<Vec<u8>, String> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; BUFFER]);
        let mut segments = self.decoder.bytes(length);
        while let Some(mut segment) = segments.pull().map_err(broken)? {
            while let Some(part) = segment.pull(&mut buffer).map_err(broken)? {
                bytes.extend_from_slice(part);
            }
        }
        Ok(bytes)
    }
}

fn broken<E>(error: ciborium_ll::Error<E>) -> String {
    match error {
        ciborium_ll::Error::Io(_) => "ends early".into(),
        ciborium_ll::Error::Syntax(at) => format!("is no CBOR at byte {at}"),
    }
}

/// CBOR keeps -1 - `number`.
fn negative(number: u64) -> Result<Value, String> {
    let number = i64::try_from(-1 - i128::from(number));
    number.map(Value::from).map_err(|_| "has a number of more than 64 bits".into())
}

fn special(number: f64) -> &'static str {
    match number {
        number if number.is_nan() => "NaN",
        number if number > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// The answer of a successful call.
///
/// # Errors
/// `InternalFailure` when the output can't be written as CBOR.
pub fn success(dialects: &Dialects, output: &OperationOutput) -> Result<Answer, AwsError> {
    let unwritable = |error| AwsError::internal(format!("the answer can't be written: {error}"));
    let members = match serde_json::to_value(&**output).map_err(unwritable)? {
        Value::Null => Value::Object(Map::new()),
        members => members,
    };
    Ok(answer(StatusCode::OK, &members, dialects.times))
}

/// The answer of a failed call.
pub fn failure(error: &AwsError) -> Answer {
    answer(error.status, &json!({"__type": error.code, "message": error.message}), &[])
}

fn answer(status: StatusCode, members: &Value, times: &[&str]) -> Answer {
    let mut body = Vec::new();
    write(members, false, times, &mut Encoder::from(&mut body)).expect("invariant: writing to a vector succeeds");
    let mut answer = Answer::new(status, CONTENT_TYPE, body);
    answer.headers.insert(HEADER, HeaderValue::from_static(NAME));
    answer
}

/// Writes a value; `time` says whether its numbers are times, `times` which members are.
fn write<W: Write>(value: &Value, time: bool, times: &[&str], out: &mut Encoder<W>) -> Result<(), W::Error> {
    match value {
        Value::Null => out.push(Header::Simple(simple::NULL)),
        Value::Bool(flag) => out.push(Header::Simple(if *flag { simple::TRUE } else { simple::FALSE })),
        Value::Number(number) => {
            if time {
                out.push(Header::Tag(TIME))?;
            }
            out.push(numeral(number))
        }
        Value::String(text) => out.text(text, text.len()),
        Value::Array(items) => {
            out.push(Header::Array(Some(items.len())))?;
            items.iter().try_for_each(|item| write(item, time, times, out))
        }
        Value::Object(members) => {
            let mut kept = members.iter().filter(|(_, member)| !member.is_null());
            out.push(Header::Map(Some(kept.clone().count())))?;
            kept.try_for_each(|(name, member)| {
                out.text(name, name.len())?;
                write(member, times.contains(&name.as_str()), times, out)
            })
        }
    }
}

fn numeral(number: &Number) -> Header {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => Header::Positive(number),
        (None, Some(number)) => Header::Negative((-1 - number) as u64),
        _ => Header::Float(number.as_f64().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIALECTS: Dialects = Dialects { version: "", namespace: "", times: &["Timestamp", "Timestamps"], maps: &[] };

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex.replace(' ', "")).unwrap()
    }

    #[test]
    fn paths_name_service_and_operation() {
        assert_eq!(split_path("/service/Granite/operation/ListMetrics"), Some(("Granite", "ListMetrics")));
        for other in ["/", "/service//operation/x", "/service/a/operation/", "/service/a/b/operation/c"] {
            assert_eq!(split_path(other), None, "{other}");
        }
    }

    #[test]
    fn inputs_become_json() {
        // {"t": 1(1.5), "v": Infinity, "b": h'6162', "l": [-7, 2^64 - 1, true, null]}
        let definite = "a4 6174 c1f93e00 6176 f97c00 6162 426162 616c 84 26 1bffffffffffffffff f5 f6";
        // The same where lengths are not said before.
        let open = "bf 6174 c1f93e00 7f6176ff f97c00 6162 5f41614162ff 616c 9f 26 1bffffffffffffffff f5 f6 ff ff";
        let expected = json!({"t": 1.5, "v": "Infinity", "b": "YWI=", "l": [-7, u64::MAX, true, null]});
        for body in [definite, open] {
            assert_eq!(input(&bytes(body)).unwrap(), expected);
        }
        assert_eq!(input(b"").unwrap(), json!({}));
    }

    #[test]
    fn what_is_no_structure_is_refused() {
        let cases = [
            ("two items", bytes("a0a0")),
            ("a number as a key", bytes("a10102")),
            ("a number too small", bytes("a161613bffffffffffffffff")),
            ("too deep", vec![0x81; 10_000]),
            ("an array that never comes", bytes("9b7fffffffffffffff")),
            ("a text that never comes", bytes("7b7fffffffffffffff")),
            ("a number", bytes("01")),
            ("a break", bytes("ff")),
            ("a break in the middle", bytes("82 01 ff")),
            ("another tag", bytes("a16161c24101")),
            ("no UTF-8", bytes("a161ff01")),
        ];
        for (what, body) in cases {
            assert_eq!(input(&body).unwrap_err().code, "SerializationException", "{what}");
        }
    }

    #[test]
    fn outputs_tag_their_times() {
        let output: OperationOutput = Box::new(json!({"Timestamps": [1, 2.5], "Sum": 3.5, "None": null, "Label": "a"}));
        let answer = success(&DIALECTS, &output).unwrap();
        // {"Label": "a", "Sum": 3.5, "Timestamps": [1(1), 1(2.5)]}
        let expected = "a3 654c6162656c 6161 6353756d f94300 6a54696d657374616d7073 82 c101 c1f94100";
        assert_eq!(hex::encode(&answer.body), expected.replace(' ', ""));
        let refused = failure(&AwsError::bad_request("InvalidParameterValueException", "no"));
        assert_eq!(input(&refused.body).unwrap(), json!({"__type": "InvalidParameterValueException", "message": "no"}));
        assert_eq!(refused.headers[HEADER], NAME);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Bool(true)),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300f64).prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(".{0,8}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(members in proptest::collection::btree_map(".{0,8}", any_value(), 0..6)) {
            let members = Value::Object(members.into_iter().collect());
            let output: OperationOutput = Box::new(members.clone());
            prop_assert_eq!(input(&success(&DIALECTS, &output).unwrap().body).unwrap(), members);
        }

        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = input(&body);
        }
    }
}
