//! Cross-origin rules of buckets, and the headers that follow from them ("Using cross-origin resource sharing").

use boathouse_aws::AwsError;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY};
use serde::{Deserialize, Serialize};

use crate::error::{Result, invalid_request};

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
const MAX_RULES: usize = 100;

/// One rule: who may send what, and what scripts may see of the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CorsRule {
    pub(crate) id: Option<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) expose: Vec<String>,
    pub(crate) max_age: Option<i32>,
}

/// Checks rules as S3 does when they are put.
pub(crate) fn check(rules: &[CorsRule]) -> Result<()> {
    if rules.is_empty() || rules.len() > MAX_RULES {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(AwsError::bad_request("MalformedXML", message));
    }
    for rule in rules {
        if let Some(method) = rule.methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(invalid_request(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        let stars = |text: &&String| text.matches('*').count() > 1;
        if let Some(origin) = rule.origins.iter().find(stars) {
            return Err(invalid_request(format!("AllowedOrigin \"{origin}\" can not have more than one wildcard.")));
        }
        if let Some(header) = rule.headers.iter().find(stars) {
            return Err(invalid_request(format!("AllowedHeader \"{header}\" can not have more than one wildcard.")));
        }
    }
    Ok(())
}

/// The answer's headers to a browser that asks before it sends a request.
///
/// # Errors
/// `AccessForbidden` when no rule allows it.
pub(crate) fn preflight(rules: Option<&[CorsRule]>, request: &HeaderMap) -> Result<HeaderMap> {
    let text = |name: &str| request.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text("origin") else {
        return Err(AwsError::bad_request("BadRequest", "Insufficient information. Origin request header needed."));
    };
    let Some(method) = text("access-control-request-method") else {
        return Err(AwsError::bad_request("BadRequest", "Invalid Access-Control-Request-Method: null"));
    };
    let Some(rules) = rules else {
        return Err(forbidden("CORSResponse: CORS is not enabled for this bucket."));
    };
    let wanted: Vec<&str> = text("access-control-request-headers")
        .map(|names| names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
        .unwrap_or_default();
    let allows_headers = |rule: &&CorsRule| {
        wanted.iter().all(|name| rule.headers.iter().any(|it| matches(&it.to_lowercase(), &name.to_lowercase())))
    };
    let rule = rules.iter().filter(|rule| rule.covers(origin, method)).find(allows_headers);
    let rule = rule.ok_or_else(|| {
        forbidden(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request \
                   method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the \
                   resource's CORS spec.",
        )
    })?;
    let mut headers = rule.answer(origin);
    if !wanted.is_empty() {
        set(&mut headers, "access-control-allow-headers", &wanted.join(", ").to_lowercase());
    }
    if let Some(age) = rule.max_age {
        set(&mut headers, "access-control-max-age", &age.to_string());
    }
    Ok(headers)
}

/// The headers that an ordinary answer gets for its request's origin.
pub(crate) fn decorate(rules: Option<&[CorsRule]>, request: &HeaderMap, method: &str) -> HeaderMap {
    let origin = request.get(ORIGIN).and_then(|value| value.to_str().ok());
    let rule = origin.zip(rules).and_then(|(origin, rules)| {
        rules.iter().find(|rule| rule.covers(origin, method)).map(|rule| rule.answer(origin))
    });
    rule.unwrap_or_default()
}

impl CorsRule {
    fn covers(&self, origin: &str, method: &str) -> bool {
        self.methods.iter().any(|it| it == method) && self.origins.iter().any(|it| matches(it, origin))
    }

    fn answer(&self, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let everybody = self.origins.iter().any(|it| it == "*");
        set(&mut headers, "access-control-allow-origin", if everybody { "*" } else { origin });
        if !everybody {
            set(&mut headers, "access-control-allow-credentials", "true");
        }
        set(&mut headers, "access-control-allow-methods", &self.methods.join(", "));
        if !self.expose.is_empty() {
            set(&mut headers, "access-control-expose-headers", &self.expose.join(", "));
        }
        let vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
        headers.insert(VARY, HeaderValue::from_static(vary));
        headers
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Patterns hold at most one `*`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail),
    }
}

fn forbidden(message: &str) -> AwsError {
    AwsError::new("AccessForbidden", StatusCode::FORBIDDEN, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> CorsRule {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        CorsRule {
            origins: texts(&["https://*.example.com"]),
            methods: texts(&["GET", "PUT"]),
            headers: texts(&["X-Amz-*"]),
            expose: texts(&["ETag"]),
            max_age: Some(60),
            id: None,
        }
    }

    fn ask(origin: &'static str, method: &'static str, headers: &'static str) -> Result<HeaderMap> {
        let mut request = HeaderMap::new();
        request.insert("origin", HeaderValue::from_static(origin));
        request.insert("access-control-request-method", HeaderValue::from_static(method));
        request.insert("access-control-request-headers", HeaderValue::from_static(headers));
        preflight(Some(&[rule()]), &request)
    }

    #[test]
    fn an_allowed_request_is_told_so() {
        let headers = ask("https://app.example.com", "PUT", "x-amz-date, X-Amz-Acl").unwrap();
        assert_eq!(headers["access-control-allow-origin"], "https://app.example.com");
        assert_eq!(headers["access-control-allow-headers"], "x-amz-date, x-amz-acl");
        assert_eq!((headers["access-control-max-age"].as_bytes(), headers.get("etag")), (&b"60"[..], None));
        assert_eq!(headers["access-control-expose-headers"], "ETag");
    }

    #[test]
    fn others_are_forbidden() {
        for (origin, method, headers) in [
            ("https://example.org", "GET", ""),
            ("https://app.example.com", "DELETE", ""),
            ("https://app.example.com", "GET", "authorization"),
        ] {
            assert_eq!(ask(origin, method, headers).unwrap_err().status.as_u16(), 403, "{origin} {method} {headers}");
        }
        assert_eq!(preflight(None, &HeaderMap::new()).unwrap_err().code, "BadRequest");
    }

    #[test]
    fn answers_without_a_matching_rule_stay_plain() {
        let mut request = HeaderMap::new();
        assert!(decorate(Some(&[rule()]), &request, "GET").is_empty());
        request.insert(ORIGIN, HeaderValue::from_static("https://a.example.com"));
        assert!(!decorate(Some(&[rule()]), &request, "GET").is_empty());
        assert!(decorate(None, &request, "GET").is_empty());
    }

    #[test]
    fn rules_are_checked() {
        assert!(check(&[rule()]).is_ok());
        assert_eq!(check(&[]).unwrap_err().code, "MalformedXML");
        let patch = CorsRule { methods: vec!["PATCH".into()], ..rule() };
        assert_eq!(check(&[patch]).unwrap_err().code, "InvalidRequest");
        let stars = CorsRule { origins: vec!["https://*.*".into()], ..rule() };
        assert_eq!(check(&[stars]).unwrap_err().code, "InvalidRequest");
    }
}
