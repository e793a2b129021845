//! A line of an access log ("Amazon S3 server access log format").

use std::time::Instant;

use boathouse_aws::http_service::ServiceAnswer;
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::protocol::rest_xml;
use boathouse_aws::{ACCOUNT_ID, Ctx};
use chrono::NaiveDate;
use http::request::Parts;
use http::{HeaderMap, Method};
use http_body::Body as _;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::operations::OWNER_ID;

/// Query members that name what a request is about, and how a log calls that.
const RESOURCES: [(&str, &str); 24] = [
    ("acl", "ACL"),
    ("attributes", "OBJECT_ATTRIBUTES"),
    ("cors", "CORS"),
    ("delete", "MULTI_OBJECT_DELETE"),
    ("encryption", "ENCRYPTION"),
    ("inventory", "INVENTORY"),
    ("legal-hold", "OBJECT_LOCK_LEGALHOLD"),
    ("lifecycle", "LIFECYCLE"),
    ("location", "LOCATION"),
    ("logging", "LOGGING_STATUS"),
    ("notification", "NOTIFICATION"),
    ("object-lock", "OBJECT_LOCK"),
    ("ownershipControls", "OWNERSHIP_CONTROLS"),
    ("partNumber", "PART"),
    ("policy", "BUCKETPOLICY"),
    ("policyStatus", "POLICY_STATUS"),
    ("publicAccessBlock", "PUBLIC_ACCESS_BLOCK"),
    ("restore", "RESTORE"),
    ("retention", "OBJECT_LOCK_RETENTION"),
    ("tagging", "TAGGING"),
    ("uploadId", "UPLOAD"),
    ("uploads", "UPLOADS"),
    ("versioning", "VERSIONING"),
    ("versions", "BUCKETVERSIONS"),
];
/// What a log must not hold.
const SECRET: [&str; 3] = ["x-amz-signature", "x-amz-security-token", "signature"];

/// A request that is being answered.
pub(crate) struct Request {
    ctx: Ctx,
    method: Method,
    bucket: String,
    key: String,
    target: String,
    query: String,
    headers: HeaderMap,
    presigned: bool,
    begun: Instant,
}

impl Request {
    /// A request as it came, whose path has its bucket in front. `query` is the one that the client sent.
    pub(crate) fn new(ctx: &Ctx, parts: &Parts, query: Option<&str>) -> Self {
        let mut path = parts.uri.path().splitn(3, '/').skip(1);
        let decode = |text: Option<&str>| percent_decode_str(text.unwrap_or_default()).decode_utf8_lossy().into_owned();
        let (bucket, key) = (decode(path.next()), decode(path.next()));
        let query = query.unwrap_or_default();
        let named = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let shown: Vec<&str> = query.split('&').filter(|pair| !SECRET.contains(&named(pair).as_str())).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        Self {
            ctx: ctx.clone(),
            method: parts.method.clone(),
            bucket,
            key,
            target: format!("{}{mark}{}", parts.uri.path(), shown.join("&")),
            query: query.to_owned(),
            headers: parts.headers.clone(),
            presigned: query.split('&').any(|pair| SECRET.contains(&named(pair).as_str())),
            begun: Instant::now(),
        }
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn day(&self) -> NaiveDate {
        self.ctx.now().date_naive()
    }

    pub(super) fn line(&self, answer: &ServiceAnswer) -> String {
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let quoted = |text: Option<&str>| match text {
            Some(text) => format!("\"{}\"", text.replace('"', "%22")),
            None => "\"-\"".to_owned(),
        };
        let or_dash = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
        let elapsed = self.begun.elapsed().as_millis();
        let (parts, size) = (answer.response.headers(), answer.response.body().size_hint().exact());
        let told = |name: &str| parts.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let sent = told("content-length").or_else(|| size.filter(|size| *size > 0).map(|size| size.to_string()));
        let sent = sent.filter(|_| self.method != Method::HEAD);
        let whole = told("content-range").and_then(|range| range.rsplit_once('/').map(|(_, size)| size.to_owned()));
        let object =
            whole.or_else(|| told("content-length").filter(|_| !self.key.is_empty() && answer.error.is_none()));
        let key = (!self.key.is_empty()).then(|| utf8_percent_encode(&self.key, IN_KEY).to_string());
        let signed = self.presigned || self.headers.contains_key("authorization");
        let fields = [
            OWNER_ID.to_owned(),
            self.bucket.clone(),
            self.ctx.now().format("[%d/%b/%Y:%H:%M:%S +0000]").to_string(),
            or_dash(self.ctx.source_ip.map(|ip| ip.to_canonical().to_string())),
            self.requester(answer),
            self.ctx.request_id.to_string(),
            self.operation(),
            or_dash(key),
            quoted(Some(&format!("{} {} HTTP/1.1", self.method, self.target))),
            answer.response.status().as_u16().to_string(),
            or_dash(answer.error.clone()),
            or_dash(sent),
            or_dash(object),
            elapsed.to_string(),
            elapsed.to_string(),
            quoted(header("referer")),
            quoted(header("user-agent")),
            or_dash(told("x-amz-version-id")),
            rest_xml::host_id(self.ctx.request_id),
            if signed { "SigV4" } else { "-" }.to_owned(),
            "-".to_owned(),
            match (signed, self.presigned) {
                (true, true) => "QueryString",
                (true, false) => "AuthHeader",
                (false, _) => "-",
            }
            .to_owned(),
            or_dash(header("host").map(str::to_owned)),
            "-".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
        ];
        fields.join(" ")
    }

    fn requester(&self, answer: &ServiceAnswer) -> String {
        let found = answer.response.extensions().get::<std::sync::Arc<boathouse_aws::Principal>>();
        let principal = found.unwrap_or(&self.ctx.principal);
        match principal.kind {
            PrincipalKind::Anonymous => "-".to_owned(),
            PrincipalKind::Root => ACCOUNT_ID.to_owned(),
            _ => principal.arn.clone(),
        }
    }

    fn operation(&self) -> String {
        let names = self.query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        let found = names.filter_map(|name| RESOURCES.iter().find(|(it, _)| *it == name)).map(|(_, name)| *name);
        // A part's request has the members of its upload as well.
        let resource = found.min_by_key(|name| *name != "PART");
        let plain = if self.key.is_empty() { "BUCKET" } else { "OBJECT" };
        let copies = self.method == Method::PUT && self.headers.contains_key("x-amz-copy-source");
        let verb = if copies { "COPY" } else { self.method.as_str() };
        match resource {
            Some("TAGGING") if !self.key.is_empty() => format!("REST.{verb}.OBJECT_TAGGING"),
            resource => format!("REST.{verb}.{}", resource.unwrap_or(plain)),
        }
    }
}

/// Keys are coded, as a line has blanks between its fields.
const IN_KEY: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'=');

#[cfg(test)]
mod tests {
    use boathouse_aws::http_service::full;
    use boathouse_aws::{Dispatcher, Platform, Principal, SystemClock};
    use http::Response;

    use super::*;

    fn request(method: &str, uri: &str, query: &str, copies: bool) -> Request {
        let platform = Platform::new(Dispatcher::default(), std::sync::Arc::new(SystemClock), "us-east-1");
        let mut builder = http::Request::builder().method(method).uri(uri).header("user-agent", "a \"b\"");
        if copies {
            builder = builder.header("x-amz-copy-source", "b/k");
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        Request::new(&platform.context(std::sync::Arc::new(Principal::root())), &parts, Some(query))
    }

    #[test]
    fn operations_have_names() {
        let name = |method, uri, query, copies| request(method, uri, query, copies).operation();
        assert_eq!(name("GET", "/b/k", "", false), "REST.GET.OBJECT");
        assert_eq!(name("PUT", "/b/k", "", true), "REST.COPY.OBJECT");
        assert_eq!(name("PUT", "/b/k", "uploadId=1&partNumber=2", false), "REST.PUT.PART");
        assert_eq!(name("GET", "/b", "list-type=2", false), "REST.GET.BUCKET");
        assert_eq!(name("PUT", "/b/k", "tagging", false), "REST.PUT.OBJECT_TAGGING");
        assert_eq!(name("POST", "/b", "delete", false), "REST.POST.MULTI_OBJECT_DELETE");
    }

    #[test]
    fn lines_have_26_fields_and_no_secrets() {
        let request = request("GET", "/b/a%20b", "x-id=1&X-Amz-Signature=abcdef&X-Amz-Security-Token=t", false);
        let response = Response::builder().header("content-length", "5").body(full("hello")).unwrap();
        let line = request.line(&ServiceAnswer { response, operation: "GetObject", error: None });
        assert!(line.contains(" a%20b \"GET /b/a%20b?x-id=1 HTTP/1.1\" 200 - 5 5 "), "{line}");
        assert!(line.contains("\"a %22b%22\"") && !line.contains("abcdef"), "{line}");
        let outside = line.split('"').step_by(2).collect::<String>();
        // The time has a blank; three quoted fields are gone.
        assert_eq!(outside.split_whitespace().count(), 26 + 1 - 3, "{line}");
    }
}
