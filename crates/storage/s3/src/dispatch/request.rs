//! From an operation's JSON to the request that a client would send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::AwsError;
use bytes::Bytes;
use http::request::{Builder, Parts};
use http::{HeaderName, HeaderValue, Request};
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::operations::{COMMON_HEADERS, Input, Operation, Target};
use super::shape;
use crate::error::{Result, invalid_argument, invalid_bucket_name};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The members of an input, taken one by one, so that what nobody takes can be refused.
struct Members {
    operation: &'static str,
    left: Map<String, Value>,
}

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// A member as it stands in headers and URLs.
    fn text(&mut self, name: &str) -> Result<Option<String>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value {
            Value::String(text) => Ok(Some(text)),
            Value::Number(number) => Ok(Some(number.to_string())),
            Value::Bool(flag) => Ok(Some(flag.to_string())),
            Value::Object(_) | Value::Array(_) | Value::Null => Err(invalid_argument(format!("{name} must be a text"))),
        }
    }

    fn required(&self, name: &str) -> AwsError {
        AwsError::bad_request("ValidationException", format!("{} requires the member {name}", self.operation))
    }

    fn end(self) -> Result<()> {
        match self.left.into_iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(AwsError::not_implemented(format!("the S3 member {}.{name}", self.operation))),
            None => Ok(()),
        }
    }
}

/// The request and its body.
///
/// # Errors
/// `ValidationException` for what is missing, `InvalidArgument` for values of the wrong type, `NotImplemented` for members
/// that S3's front does not know.
pub(super) fn of(operation: &Operation, input: Value) -> Result<(Parts, Bytes)> {
    let Value::Object(left) = input else {
        return Err(AwsError::bad_request("SerializationException", format!("{} takes a structure", operation.name)));
    };
    let mut members = Members { operation: operation.name, left };
    let uri = uri(operation, &mut members)?;
    let mut request = Request::builder().method(operation.method).uri(uri).header("host", "localhost");
    for (name, header) in operation.headers.iter().chain(COMMON_HEADERS) {
        if let Some(value) = members.text(name)? {
            request = with_header(request, name, header, &value)?;
        }
    }
    if operation.metadata {
        request = with_metadata(request, members.take("Metadata"))?;
    }
    let body = body(&operation.input, &mut members)?;
    members.end()?;
    if matches!(operation.input, Input::Document { .. }) {
        request = request.header("content-md5", STANDARD.encode(Md5::digest(&body)));
    }
    let request = request.header("content-length", body.len()).body(());
    let (parts, ()) =
        request.map_err(|_| AwsError::bad_request("InvalidURI", "Couldn't parse the specified URI."))?.into_parts();
    Ok((parts, body))
}

fn uri(operation: &Operation, members: &mut Members) -> Result<String> {
    let mut uri = "/".to_owned();
    if operation.target != Target::Service {
        let bucket = members.text("Bucket")?.ok_or_else(|| members.required("Bucket"))?;
        if bucket.is_empty() || bucket.contains('/') {
            return Err(invalid_bucket_name(&bucket));
        }
        uri.extend(utf8_percent_encode(&bucket, RESERVED));
    }
    if operation.target == Target::Object {
        let key = members.text("Key")?.filter(|key| !key.is_empty()).ok_or_else(|| members.required("Key"))?;
        uri.push('/');
        uri.extend(utf8_percent_encode(&key, IN_PATH));
    }
    let mut query = operation.query.to_owned();
    for (name, parameter) in operation.parameters {
        let Some(value) = members.text(name)? else { continue };
        if !query.is_empty() {
            query.push('&');
        }
        query.extend([parameter, "="]);
        query.extend(utf8_percent_encode(&value, RESERVED));
    }
    if !query.is_empty() {
        uri.extend(["?", &query]);
    }
    Ok(uri)
}

fn with_metadata(mut request: Builder, metadata: Option<Value>) -> Result<Builder> {
    let Some(metadata) = metadata else { return Ok(request) };
    let Value::Object(metadata) = metadata else { return Err(invalid_argument("Metadata must be a map")) };
    for (name, value) in metadata {
        let member = format!("Metadata.{name}");
        let value = value.as_str().ok_or_else(|| invalid_argument(format!("{member} must be a text")))?;
        request = with_header(request, &member, &format!("x-amz-meta-{name}"), value)?;
    }
    Ok(request)
}

fn with_header(request: Builder, member: &str, name: &str, value: &str) -> Result<Builder> {
    let invalid = || invalid_argument(format!("{member} cannot be sent: it holds characters that no header has"));
    let name = HeaderName::try_from(name).map_err(|_| invalid())?;
    Ok(request.header(name, HeaderValue::from_str(value).map_err(|_| invalid())?))
}

fn body(input: &Input, members: &mut Members) -> Result<Bytes> {
    match input {
        Input::Nothing => Ok(Bytes::new()),
        Input::Optional { member, root } => match members.take(member.name) {
            Some(value) => Ok(shape::to_xml(root, member, &value)?.into()),
            None => Ok(Bytes::new()),
        },
        Input::Document { member, root } => {
            let value = members.take(member.name).ok_or_else(|| members.required(member.name))?;
            Ok(shape::to_xml(root, member, &value)?.into())
        }
        Input::Text(name) => match members.take(name) {
            Some(Value::String(text)) => Ok(text.into()),
            // A template may hold a policy as the structure that it is.
            Some(value) => Ok(value.to_string().into()),
            None => Err(members.required(name)),
        },
        Input::Body => Ok(match members.take("Body") {
            Some(Value::String(text)) => text.into(),
            Some(value) => value.to_string().into(),
            None => Bytes::new(),
        }),
    }
}
