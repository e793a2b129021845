//! Pages of other origins ("Configure CORS for HTTP APIs in API Gateway").

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderName, HeaderValue, ORIGIN,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use crate::answer::Answer;
use crate::api::Cors;

/// Whether a browser asks before it makes a request.
pub(crate) fn is_preflight(parts: &Parts) -> bool {
    let asks = parts.headers.contains_key(ORIGIN) && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    parts.method == Method::OPTIONS && asks
}

/// The answer to a preflight request that no route takes.
pub(crate) fn preflight(cors: &Cors, parts: &Parts) -> Answer {
    let mut answer = Answer { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: bytes::Bytes::new() };
    add_to(cors, parts, &mut answer.headers);
    answer
}

/// Replaces what the integration says of other origins by what the API says.
pub(crate) fn add_to(cors: &Cors, parts: &Parts, headers: &mut HeaderMap) {
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in own {
        headers.remove(name);
    }
    let Some(origin) = parts.headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else { return };
    let Some(allowed) = allowed_origin(cors, origin) else { return };
    let mut put = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    put(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.allow_credentials == Some(true) {
        put(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    if let Some(exposed) = cors.expose_headers.as_ref().filter(|list| !list.is_empty()) {
        put(ACCESS_CONTROL_EXPOSE_HEADERS, &exposed.join(","));
    }
    if !is_preflight(parts) {
        return;
    }
    if let Some(methods) = cors.allow_methods.as_ref().filter(|list| !list.is_empty()) {
        put(ACCESS_CONTROL_ALLOW_METHODS, &methods.join(","));
    }
    if let Some(allowed) = cors.allow_headers.as_ref().filter(|list| !list.is_empty()) {
        put(ACCESS_CONTROL_ALLOW_HEADERS, &allowed.join(","));
    }
    if let Some(age) = cors.max_age {
        put(ACCESS_CONTROL_MAX_AGE, &age.to_string());
    }
}

/// What to answer to an origin; none if it is not allowed. `https://*` allows every origin of that scheme.
fn allowed_origin<'a>(cors: &'a Cors, origin: &'a str) -> Option<&'a str> {
    cors.allow_origins.iter().flatten().find_map(|allowed| match allowed.strip_suffix('*') {
        Some("") => Some(allowed.as_str()),
        Some(scheme) if scheme.ends_with("://") && origin.starts_with(scheme) => Some(origin),
        _ => (allowed == origin).then_some(origin),
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn cors() -> Cors {
        let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect());
        Cors {
            allow_credentials: Some(true),
            allow_headers: list(&["x-a", "x-b"]),
            allow_methods: list(&["GET", "POST"]),
            allow_origins: list(&["https://example.com", "http://*"]),
            expose_headers: list(&["date"]),
            max_age: Some(60),
        }
    }

    fn parts(method: &str, origin: &str) -> Parts {
        let request = Request::builder().method(method).header("origin", origin);
        request.header("access-control-request-method", "PUT").body(()).unwrap().into_parts().0
    }

    fn shown(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn preflights_are_answered_for_allowed_origins_only() {
        let answer = preflight(&cors(), &parts("OPTIONS", "https://example.com"));
        assert_eq!(
            shown(&answer.headers),
            [
                "access-control-allow-credentials: true",
                "access-control-allow-headers: x-a,x-b",
                "access-control-allow-methods: GET,POST",
                "access-control-allow-origin: https://example.com",
                "access-control-expose-headers: date",
                "access-control-max-age: 60",
            ]
        );
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert!(preflight(&cors(), &parts("OPTIONS", "https://other.com")).headers.is_empty());
        let http = preflight(&cors(), &parts("OPTIONS", "http://localhost:3000"));
        assert_eq!(http.headers["access-control-allow-origin"], "http://localhost:3000");
    }

    #[test]
    fn answers_lose_their_own_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
        headers.insert("x-kept", HeaderValue::from_static("1"));
        add_to(&cors(), &parts("GET", "https://other.com"), &mut headers);
        assert_eq!(shown(&headers), ["x-kept: 1"]);
        add_to(&cors(), &parts("GET", "https://example.com"), &mut headers);
        assert_eq!(headers.len(), 4);
        let anybody = Cors { allow_origins: Some(vec!["*".into()]), ..Cors::default() };
        add_to(&anybody, &parts("GET", "https://other.com"), &mut headers);
        assert_eq!(headers["access-control-allow-origin"], "*");
    }
}
