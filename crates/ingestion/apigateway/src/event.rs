//! Requests as Lambda functions see them ("Create AWS Lambda proxy integrations for HTTP APIs", "Control access to HTTP
//! APIs with AWS Lambda authorizers").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::{ACCOUNT_ID, Arn, Ctx};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use serde_json::{Map, Value, json};

/// A request on its way to a route.
pub(crate) struct Call<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) parts: &'a Parts,
    pub(crate) body: &'a Bytes,
    pub(crate) api: &'a str,
    pub(crate) stage: &'a str,
    pub(crate) stage_variables: &'a BTreeMap<String, String>,
    /// The path after the API, with the stage if the request names one; as it came.
    pub(crate) raw_path: &'a str,
    /// The path after the stage; as it came.
    pub(crate) path: &'a str,
    pub(crate) route_key: &'a str,
    pub(crate) variables: &'a [(String, String)],
    pub(crate) received: DateTime<Utc>,
}

/// Members with something in them.
fn members(list: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    Value::Object(list.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

fn map<'m>(pairs: impl IntoIterator<Item = (&'m String, &'m String)>) -> Option<Value> {
    let map: Map<String, Value> =
        pairs.into_iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

impl Call<'_> {
    /// Header `name` as text, empty if it is not there.
    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The names and values in the query, decoded.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
    }

    /// The ARN that IAM policies and authorizers name: API, stage, method and path.
    pub(crate) fn route_arn(&self) -> String {
        self.arn(&format!("{}{}", self.parts.method, self.path))
    }

    /// The ARN that functions' policies name: API, stage and the route's own key.
    pub(crate) fn source_arn(&self) -> String {
        match self.route_key.split_once(' ') {
            Some((_, path)) => self.arn(&format!("{}{path}", self.parts.method)),
            None => self.arn(self.route_key),
        }
    }

    fn arn(&self, rest: &str) -> String {
        Arn::new("execute-api", self.ctx.region(), format!("{}/{}/{rest}", self.api, self.stage)).to_string()
    }

    fn source_ip(&self) -> String {
        self.ctx.source_ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default()
    }

    /// The headers by name, in small letters, with those that a gateway adds.
    fn headers(&self) -> BTreeMap<String, Vec<String>> {
        let mut headers = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in &self.parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.as_str().to_owned()).or_default().push(value);
        }
        let scheme = if self.ctx.secure_transport { "https" } else { "http" };
        headers.entry("host".into()).or_insert_with(|| vec![self.host().to_owned()]);
        let port = self.host().rsplit_once(':').map(|(_, port)| port.to_owned());
        let port = port.filter(|port| port.parse::<u16>().is_ok());
        let default_port = if self.ctx.secure_transport { "443" } else { "80" };
        let root =
            format!("Root=1-{:08x}-{}", self.received.timestamp(), &self.ctx.request_id.simple().to_string()[..24]);
        headers.entry("x-forwarded-for".into()).or_default().push(self.source_ip());
        headers.insert("x-forwarded-proto".into(), vec![scheme.into()]);
        headers.insert("x-forwarded-port".into(), vec![port.unwrap_or_else(|| default_port.into())]);
        headers.entry("x-amzn-trace-id".into()).or_insert_with(|| vec![root]);
        headers
    }

    /// The body as text, or as base64 text if it is not text; and whether it is the latter.
    fn text_body(&self) -> (Option<String>, bool) {
        if self.body.is_empty() {
            return (None, false);
        }
        let text = std::str::from_utf8(self.body).ok().filter(|_| self.has_text());
        match text {
            Some(text) => (Some(text.to_owned()), false),
            None => (Some(STANDARD.encode(self.body)), true),
        }
    }

    fn has_text(&self) -> bool {
        if self.parts.headers.contains_key(CONTENT_ENCODING) {
            return false;
        }
        let kind = self.header(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind.is_empty()
            || kind.starts_with("text/")
            || matches!(&*kind, "application/json" | "application/javascript" | "application/xml")
            || kind.ends_with("+json")
            || kind.ends_with("+xml")
    }

    fn context_v2(&self, authorizer: Option<Value>) -> Value {
        let http = json!({
            "method": self.parts.method.as_str(),
            "path": self.raw_path,
            "protocol": format!("{:?}", self.parts.version),
            "sourceIp": self.source_ip(),
            "userAgent": self.header(USER_AGENT),
        });
        members([
            ("accountId", Some(ACCOUNT_ID.into())),
            ("apiId", Some(self.api.into())),
            ("authorizer", authorizer),
            ("domainName", Some(self.domain().into())),
            ("domainPrefix", Some(self.domain().split('.').next().unwrap_or_default().into())),
            ("http", Some(http)),
            ("requestId", Some(self.ctx.request_id.to_string().into())),
            ("routeKey", Some(self.route_key.into())),
            ("stage", Some(self.stage.into())),
            ("time", Some(self.received.format("%d/%b/%Y:%H:%M:%S +0000").to_string().into())),
            ("timeEpoch", Some(self.received.timestamp_millis().into())),
        ])
    }

    /// The host that the client named, in HTTP/1.1 by a header, in HTTP/2 by the URI.
    fn host(&self) -> &str {
        match self.header(HOST) {
            "" => self.parts.uri.authority().map_or("", |authority| authority.as_str()),
            host => host,
        }
    }

    fn domain(&self) -> &str {
        let host = self.host();
        host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name)
    }

    /// What both a function's and an authorizer's event of format 2.0 hold.
    fn shared_v2(&self, authorizer: Option<Value>) -> Vec<(&'static str, Option<Value>)> {
        let cookies: Vec<String> = self
            .parts
            .headers
            .get_all(COOKIE)
            .iter()
            .flat_map(|value| {
                String::from_utf8_lossy(value.as_bytes()).split("; ").map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        let mut headers = self.headers();
        headers.remove("cookie");
        let headers: BTreeMap<String, String> =
            headers.into_iter().map(|(name, values)| (name, values.join(","))).collect();
        let mut query = BTreeMap::<String, String>::new();
        for (name, value) in self.query() {
            query.entry(name).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
        }
        vec![
            ("version", Some("2.0".into())),
            ("routeKey", Some(self.route_key.into())),
            ("rawPath", Some(self.raw_path.into())),
            ("rawQueryString", Some(self.parts.uri.query().unwrap_or_default().into())),
            ("cookies", (!cookies.is_empty()).then(|| cookies.into())),
            ("headers", map(&headers)),
            ("queryStringParameters", map(&query)),
            ("requestContext", Some(self.context_v2(authorizer))),
            ("pathParameters", map(self.variables.iter().map(|(name, value)| (name, value)))),
            ("stageVariables", map(self.stage_variables)),
        ]
    }

    /// The event of payload format 2.0. `authorizer` is what is known of the caller.
    pub(crate) fn v2(&self, authorizer: Option<Value>) -> Value {
        let (body, encoded) = self.text_body();
        let body = [("body", body.map(Value::from)), ("isBase64Encoded", Some(encoded.into()))];
        members(self.shared_v2(authorizer).into_iter().chain(body))
    }

    /// The event of payload format 1.0.
    pub(crate) fn v1(&self, authorizer: Option<Value>) -> Value {
        let (body, encoded) = self.text_body();
        let mut event = self.shared_v1(authorizer);
        event["version"] = "1.0".into();
        event["body"] = body.into();
        event["isBase64Encoded"] = encoded.into();
        event
    }

    fn shared_v1(&self, authorizer: Option<Value>) -> Value {
        let headers = self.headers();
        let last = |values: &Vec<String>| values.last().cloned().unwrap_or_default();
        let single: BTreeMap<String, String> =
            headers.iter().map(|(name, values)| (name.clone(), last(values))).collect();
        let mut query = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in self.query() {
            query.entry(name).or_default().push(value);
        }
        let single_query: BTreeMap<String, String> =
            query.iter().map(|(name, values)| (name.clone(), last(values))).collect();
        let resource = self.route_key.split_once(' ').map_or(self.route_key, |(_, path)| path);
        let identity = json!({
            "accessKey": null, "accountId": null, "caller": null, "cognitoAmr": null,
            "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null, "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null, "principalOrgId": null, "sourceIp": self.source_ip(), "user": null,
            "userAgent": self.header(USER_AGENT), "userArn": null,
        });
        json!({
            "resource": resource,
            "path": self.raw_path,
            "httpMethod": self.parts.method.as_str(),
            "headers": single,
            "multiValueHeaders": headers,
            "queryStringParameters": map(&single_query),
            "multiValueQueryStringParameters": (!query.is_empty()).then_some(query),
            "requestContext": {
                "accountId": ACCOUNT_ID,
                "apiId": self.api,
                "authorizer": authorizer,
                "domainName": self.domain(),
                "domainPrefix": self.domain().split('.').next().unwrap_or_default(),
                "extendedRequestId": self.ctx.request_id,
                "httpMethod": self.parts.method.as_str(),
                "identity": identity,
                "path": self.raw_path,
                "protocol": format!("{:?}", self.parts.version),
                "requestId": self.ctx.request_id,
                "requestTime": self.received.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "requestTimeEpoch": self.received.timestamp_millis(),
                "resourceId": self.route_key,
                "resourcePath": resource,
                "stage": self.stage,
            },
            "pathParameters": map(self.variables.iter().map(|(name, value)| (name, value))),
            "stageVariables": map(self.stage_variables),
        })
    }

    /// The event for an authorizer of format 2.0, which is told the values that identify the caller.
    pub(crate) fn authorizer_v2(&self, identity: &[String]) -> Value {
        let more = [
            ("type", Some("REQUEST".into())),
            ("routeArn", Some(self.route_arn().into())),
            ("identitySource", (!identity.is_empty()).then(|| identity.into())),
        ];
        members(self.shared_v2(None).into_iter().chain(more))
    }

    /// The event for an authorizer of format 1.0.
    pub(crate) fn authorizer_v1(&self, identity: &[String]) -> Value {
        let mut event = self.shared_v1(None);
        event["version"] = "1.0".into();
        event["type"] = "REQUEST".into();
        event["methodArn"] = self.route_arn().into();
        event["identitySource"] = identity.join(",").into();
        event["authorizationToken"] = identity.join(",").into();
        event
    }

    /// The value of an identity source such as `$request.header.authorization`; none if it is not there or empty.
    pub(crate) fn identity(&self, source: &str) -> Option<String> {
        let found = if let Some(name) = source.strip_prefix("$request.header.") {
            Some(self.header(name).to_owned())
        } else if let Some(name) = source.strip_prefix("$request.querystring.") {
            self.query().into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
        } else if let Some(name) = source.strip_prefix("$stageVariables.") {
            self.stage_variables.get(name).cloned()
        } else {
            match source.strip_prefix("$context.")? {
                "routeKey" => Some(self.route_key.to_owned()),
                "stage" => Some(self.stage.to_owned()),
                "httpMethod" => Some(self.parts.method.to_string()),
                "path" => Some(self.raw_path.to_owned()),
                "identity.sourceIp" => Some(self.source_ip()),
                "identity.userAgent" => Some(self.header(USER_AGENT).to_owned()),
                _ => None,
            }
        };
        found.filter(|value| !value.is_empty())
    }
}
