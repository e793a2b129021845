//! Answers as Lambda functions give them ("Create AWS Lambda proxy integrations for HTTP APIs").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::http_service::{ResponseBody, full};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// One of the gateway's own answers, such as `{"message":"Not Found"}`.
    pub(crate) fn message(status: StatusCode, message: &str) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self { status, headers, body: json!({"message": message}).to_string().into() }
    }

    pub(crate) fn internal() -> Self {
        Self::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }

    pub(crate) fn into_response(self) -> Response<ResponseBody> {
        let mut response = Response::new(full(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// What the function returned is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the function's answer is malformed: {0}")]
pub(crate) struct Malformed(String);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proxied {
    status_code: Value,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

/// Reads what a function returned to an event of format 2.0: an answer with a `statusCode`, or anything else as the body.
pub(crate) fn v2(payload: &[u8]) -> Result<Answer, Malformed> {
    let value: Value = serde_json::from_slice(payload).map_err(|error| Malformed(error.to_string()))?;
    if value.get("statusCode").is_some() {
        let proxied: Proxied = serde_json::from_value(value).map_err(|error| Malformed(error.to_string()))?;
        return proxied.answer(false);
    }
    let body = match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    Ok(Answer { status: StatusCode::OK, headers, body: body.into() })
}

/// Reads what a function returned to an event of format 1.0, which must have a `statusCode`.
pub(crate) fn v1(payload: &[u8]) -> Result<Answer, Malformed> {
    let proxied: Proxied = serde_json::from_slice(payload).map_err(|error| Malformed(error.to_string()))?;
    proxied.answer(true)
}

impl Proxied {
    fn answer(self, many_values: bool) -> Result<Answer, Malformed> {
        let code = match &self.status_code {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let status = code.and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
        let status = status.ok_or_else(|| Malformed(format!("{} is no status", self.status_code)))?;
        let mut headers = HeaderMap::new();
        let single = self.headers.unwrap_or_default().into_iter().map(|(name, value)| (name, vec![value]));
        let multiple = self.multi_value_headers.filter(|_| many_values).unwrap_or_default();
        for (name, values) in single.chain(multiple) {
            let name: HeaderName = name.parse().map_err(|_| Malformed(format!("{name} is no header")))?;
            headers.remove(&name); // many values replace the one
            for value in values {
                headers.append(name.clone(), header_value(&value)?);
            }
        }
        for cookie in self.cookies.filter(|_| !many_values).unwrap_or_default() {
            headers.append(SET_COOKIE, header_value(&Value::String(cookie))?);
        }
        // The length is that of the body, whatever the function says.
        for name in ["content-length", "transfer-encoding", "connection"] {
            headers.remove(name);
        }
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain;charset=UTF-8"));
        let text = match self.body {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(_) => return Err(Malformed("the body is no text".into())),
        };
        let body = match self.is_base64_encoded {
            Some(true) => STANDARD.decode(text).map_err(|_| Malformed("the body is not base64".into()))?,
            _ => text.into_bytes(),
        };
        Ok(Answer { status, headers, body: body.into() })
    }
}

fn header_value(value: &Value) -> Result<HeaderValue, Malformed> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => return Err(Malformed(format!("{value} is no header's value"))),
    };
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Malformed(format!("{text:?} is no header's value")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(answer: &Answer, name: &str) -> Vec<String> {
        answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn values_without_a_status_are_bodies_in_format_2() {
        for (payload, body) in [("\"Hello\"", "Hello"), ("{\"a\": 1}", "{\"a\":1}"), ("null", "null"), ("[1]", "[1]")] {
            let answer = v2(payload.as_bytes()).unwrap();
            assert_eq!((answer.status, &*answer.body), (StatusCode::OK, body.as_bytes()));
            assert_eq!(header(&answer, "content-type"), ["application/json"]);
            assert!(v1(payload.as_bytes()).is_err());
        }
    }

    #[test]
    fn answers_have_status_headers_cookies_and_bytes() {
        let payload = json!({
            "statusCode": 201, "headers": {"X-Number": 5, "Content-Length": 99}, "cookies": ["a=1", "b=2"],
            "body": "aGk=", "isBase64Encoded": true, "multiValueHeaders": {"x-many": ["1", "2"]},
        });
        let answer = v2(payload.to_string().as_bytes()).unwrap();
        assert_eq!((answer.status.as_u16(), &*answer.body), (201, &b"hi"[..]));
        assert_eq!(header(&answer, "set-cookie"), ["a=1", "b=2"]);
        assert_eq!(header(&answer, "x-number"), ["5"]);
        assert_eq!(header(&answer, "content-type"), ["text/plain;charset=UTF-8"]);
        assert!(header(&answer, "content-length").is_empty() && header(&answer, "x-many").is_empty());
        let answer = v1(payload.to_string().as_bytes()).unwrap();
        assert_eq!(header(&answer, "x-many"), ["1", "2"]);
        assert!(header(&answer, "set-cookie").is_empty());
    }

    #[test]
    fn malformed_answers_are_told() {
        for payload in [
            "not json",
            "{\"statusCode\": \"abc\"}",
            "{\"statusCode\": 99}",
            "{\"statusCode\": 200, \"body\": {\"a\": 1}}",
            "{\"statusCode\": 200, \"body\": \"%\", \"isBase64Encoded\": true}",
            "{\"statusCode\": 200, \"headers\": {\"a b\": \"c\"}}",
            "{\"statusCode\": 200, \"headers\": {\"a\": \"b\\r\\nc\"}}",
        ] {
            assert!(v2(payload.as_bytes()).is_err(), "{payload}");
        }
    }
}
