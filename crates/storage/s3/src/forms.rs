//! PostObject: uploads by browser forms ("POST Object" and "Browser-based uploads using POST").
//!
//! The form's fields are read, its signature and policy checked, and then its file takes the way of a PutObject whose
//! headers are the fields: authorisation, limits, checksums and refusals are those of any PUT.

pub(crate) mod multipart;
pub(crate) mod policy;

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::context::{Signed, Wire};
use boathouse_aws::http_service::{RequestBody, ResponseBody, Trailers, full};
use boathouse_aws::sigv4::{Dialect, FormClaim};
use boathouse_aws::{AwsError, Ctx};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;
use quick_xml::events::Event;

use self::multipart::{Fields, Reader};
use self::policy::Policy;
use crate::adapter::Adapter;
use crate::call::Call;
use crate::error::{Result, invalid_argument};
use crate::{host, metadata, xml};

/// The name of the operation in logs and metrics.
pub(crate) const OPERATION: &str = "PostObject";

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const IN_PATH: &AsciiSet = &RESERVED.remove(b'/');
/// Headers of the request that its PutObject keeps.
const KEPT: [&str; 3] = ["host", "origin", "x-amz-expected-bucket-owner"];
/// Fields that are headers of a PutObject by the same name, beside those that begin with `x-amz-`.
const HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
];
/// Fields of the signature.
const SIGNING: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"];
/// The longest key, in bytes.
const MAX_KEY: usize = 1024;

/// Whether a request is a form that is sent to a bucket.
pub(crate) fn is_form(parts: &Parts) -> bool {
    let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form =
        content_type.split(';').next().is_some_and(|it| it.trim().eq_ignore_ascii_case("multipart/form-data"));
    parts.method == Method::POST && is_form && parts.uri.query().is_none()
}

/// A form whose fields are read and believed.
struct Form {
    bucket: String,
    key: String,
    fields: Fields,
    host: String,
}

impl Adapter {
    /// Takes a form. The context that comes back is that of whoever signed it.
    pub(crate) async fn form(
        &self,
        ctx: Ctx,
        parts: Parts,
        body: RequestBody,
    ) -> (Ctx, Result<Response<ResponseBody>>) {
        let (form, file, principal) = match self.admit(&ctx, &parts, body).await {
            Ok(admitted) => admitted,
            Err(error) => return (ctx, Err(error)),
        };
        let ctx = principal.map_or(ctx.clone(), |principal| {
            let signed = Some(Signed { version: "AWS4-HMAC-SHA256", place: "POST", age_ms: None });
            let wire = Arc::new(Wire { signed, ..Wire::clone(&ctx.wire) });
            Ctx { wire, service: ctx.service, ..ctx.as_principal(principal) }
        });
        let outcome = self.upload(&ctx, &parts, form, file).await;
        (ctx, outcome)
    }

    async fn admit(
        &self,
        ctx: &Ctx,
        parts: &Parts,
        body: RequestBody,
    ) -> Result<(Form, RequestBody, Option<Arc<boathouse_aws::Principal>>)> {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let bucket = parts.uri.path().trim_matches('/').to_owned();
        if bucket.is_empty() || bucket.contains('/') {
            let message = "The specified method is not allowed against this resource.";
            return Err(AwsError::new("MethodNotAllowed", StatusCode::METHOD_NOT_ALLOWED, message));
        }
        let boundary = multipart::boundary(text("content-type"));
        let boundary = boundary.ok_or_else(|| invalid_argument("The form's Content-Type names no boundary"))?;
        let mut reader = Reader::new(body, boundary);
        let fields = reader.fields().await?;
        let key = fields.get("key").filter(|key| !key.is_empty()).ok_or_else(|| {
            let message = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of \
                           the fields.";
            invalid_argument(message).with_detail("ArgumentName", "key")
        })?;
        let key = key.replace("${filename}", &fields.filename);
        if key.len() > MAX_KEY {
            return Err(AwsError::bad_request("KeyTooLongError", "Your key is too long"));
        }
        let claim = FormClaim::of(|name| fields.get(name), ctx.region()).map_err(|it| it.into_aws(Dialect::S3))?;
        let (principal, length) = match claim {
            None => (None, 0..=u64::MAX),
            Some(claim) => {
                let signed = fields.get("policy").ok_or_else(|| {
                    invalid_argument(
                        "Bucket POST must contain a field named 'policy'.  If it is specified, please check the order \
                         of the fields.",
                    )
                })?;
                let principal = claim.verify(signed, self.credentials()).map_err(|it| it.into_aws(Dialect::S3))?;
                let policy = Policy::parse(signed)?;
                policy.check(&bucket, &key, &fields, ctx.now())?;
                (Some(principal), policy.length)
            }
        };
        let form = Form { bucket, key, fields, host: text("host").to_owned() };
        Ok((form, reader.file(length), principal))
    }

    async fn upload(&self, ctx: &Ctx, parts: &Parts, form: Form, file: RequestBody) -> Result<Response<ResponseBody>> {
        let mut put = form.as_put(parts)?;
        let call = Arc::new(Call::new(ctx.clone(), &mut put, Trailers::default(), Some(file)).posted());
        let stored = self.run(&call, put, None).await?;
        let mut answer = form.answer(ctx, stored.headers())?;
        for (name, value) in stored.headers() {
            if name == "etag" || name.as_str().starts_with("x-amz-") {
                answer.headers_mut().insert(name.clone(), value.clone());
            }
        }
        Ok(answer)
    }
}

impl Form {
    /// The PutObject that the form stands for.
    fn as_put(&self, parts: &Parts) -> Result<Parts> {
        let mut headers = HeaderMap::new();
        for name in KEPT {
            if let Some(value) = parts.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        for (name, value) in self.fields.iter() {
            let header = match name {
                "acl" => "x-amz-acl",
                other if HEADERS.contains(&other) => other,
                other if other.starts_with("x-amz-") && !SIGNING.contains(&other) => other,
                _ => continue,
            };
            let invalid = || invalid_argument(format!("The field {name} can't be a header"));
            let header = HeaderName::try_from(header).map_err(|_| invalid())?;
            headers.insert(header, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?);
        }
        if let Some(tagging) = self.fields.get("tagging") {
            metadata::set(&mut headers, "x-amz-tagging", &tags(tagging)?);
        }
        let uri = Uri::try_from(format!("/{}/{}", self.bucket, utf8_percent_encode(&self.key, IN_PATH)));
        let uri = uri.map_err(|_| AwsError::bad_request("InvalidURI", "Couldn't parse the specified URI."))?;
        let mut request = Request::new(());
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request.into_parts().0)
    }

    /// What the browser is told: where it is to go, or with which status it asked to be answered.
    fn answer(&self, ctx: &Ctx, stored: &HeaderMap) -> Result<Response<ResponseBody>> {
        let etag = stored.get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let location = self.location(ctx);
        let redirect = self.fields.get("success_action_redirect").or(self.fields.get("redirect"));
        let redirect = redirect.and_then(|url| redirected(url, &self.bucket, &self.key, etag));
        let (status, location, body) = match (redirect, self.fields.get("success_action_status")) {
            (Some(url), _) => (StatusCode::SEE_OTHER, url, String::new()),
            (None, Some("200")) => (StatusCode::OK, location, String::new()),
            (None, Some("201")) => (StatusCode::CREATED, location.clone(), self.document(&location, etag)),
            (None, _) => (StatusCode::NO_CONTENT, location, String::new()),
        };
        let mut response = Response::new(full(""));
        if !body.is_empty() {
            response.headers_mut().insert("content-type", HeaderValue::from_static("application/xml"));
            *response.body_mut() = full(body);
        }
        *response.status_mut() = status;
        metadata::set(response.headers_mut(), "location", &location);
        Ok(response)
    }

    fn location(&self, ctx: &Ctx) -> String {
        let scheme = if ctx.secure_transport { "https" } else { "http" };
        let key = utf8_percent_encode(&self.key, RESERVED);
        match host::bucket(&self.host, ctx.region()) {
            Some(_) => format!("{scheme}://{}/{key}", self.host),
            None => format!("{scheme}://{}/{}/{key}", self.host, self.bucket),
        }
    }

    fn document(&self, location: &str, etag: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket><Key>{}\
             </Key><ETag>{}</ETag></PostResponse>",
            escape(location),
            escape(self.bucket.as_str()),
            escape(self.key.as_str()),
            escape(etag),
        )
    }
}

/// The address that the browser goes to, with what was stored in its query; none if it is no web address.
fn redirected(url: &str, bucket: &str, key: &str, etag: &str) -> Option<String> {
    let parsed = Uri::try_from(url).ok()?;
    if !matches!(parsed.scheme_str(), Some("http" | "https")) {
        return None;
    }
    let joint = if parsed.query().is_some() { '&' } else { '?' };
    let encode = |text| utf8_percent_encode(text, RESERVED);
    Some(format!("{url}{joint}bucket={}&key={}&etag={}", encode(bucket), encode(key), encode(etag)))
}

/// The tags of a `Tagging` document, coded as the header has them.
pub(crate) fn tags(document: &str) -> Result<String> {
    let malformed = || {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        AwsError::bad_request("MalformedXML", message)
    };
    let document = xml::plain(Bytes::copy_from_slice(document.as_bytes()))?;
    let document = std::str::from_utf8(&document).map_err(|_| malformed())?;
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut path, mut tags) = (Vec::new(), Vec::<BTreeMap<String, String>>::new());
    loop {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(start) => {
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                if path.join("/") == "Tagging/TagSet/Tag" {
                    tags.push(BTreeMap::new());
                }
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => {
                let text = text.decode().map_err(|_| malformed())?.into_owned();
                append(&path, &mut tags, &text);
            }
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(|_| malformed())? {
                    Some(letter) => letter.to_string(),
                    None => {
                        let name = reference.decode().map_err(|_| malformed())?;
                        let known = quick_xml::escape::resolve_predefined_entity(&name);
                        known.ok_or_else(malformed)?.to_owned()
                    }
                };
                append(&path, &mut tags, &resolved);
            }
            Event::DocType(_) => return Err(malformed()),
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err(malformed()),
            _ => {}
        }
    }
    let encode = |text: Option<&String>| utf8_percent_encode(text.map_or("", String::as_str), RESERVED).to_string();
    let pairs = tags.iter().map(|tag| format!("{}={}", encode(tag.get("Key")), encode(tag.get("Value"))));
    Ok(pairs.collect::<Vec<_>>().join("&"))
}

fn append(path: &[String], tags: &mut [BTreeMap<String, String>], text: &str) {
    if let ([tagging, set, tag, member], Some(last)) = (path, tags.last_mut())
        && (tagging == "Tagging" && set == "TagSet" && tag == "Tag")
    {
        last.entry(member.clone()).or_default().push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_web_addresses() {
        let url = redirected("https://example.com/done?a=1", "raw", "in/a b", "\"e\"").unwrap();
        assert_eq!(url, "https://example.com/done?a=1&bucket=raw&key=in%2Fa%20b&etag=%22e%22");
        assert_eq!(redirected("javascript:alert(1)", "raw", "k", ""), None);
        assert_eq!(redirected("/done", "raw", "k", ""), None);
    }

    #[test]
    fn tags_are_those_of_a_header() {
        let document = "<Tagging><TagSet><Tag><Key>a b</Key><Value>1&amp;2</Value></Tag></TagSet></Tagging>";
        assert_eq!(tags(document).unwrap(), "a%20b=1%262");
        let section = "<Tagging><TagSet><Tag><Key><![CDATA[a]]></Key><Value>&#49;</Value></Tag></TagSet></Tagging>";
        assert_eq!(tags(section).unwrap(), "a=1");
        assert_eq!(tags("<Tagging><TagSet>").unwrap_err().code, "MalformedXML");
        assert_eq!(tags("<Tagging><TagSet/></Tagging>").unwrap(), "");
    }
}
