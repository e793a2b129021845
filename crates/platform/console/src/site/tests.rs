use boathouse_aws::{Dispatcher, ManualClock, Platform};
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use http_body_util::BodyExt;

use super::*;

struct Door;

impl SignIn for Door {
    fn sign_in(&self, ctx: &Ctx) -> Result<SessionCredentials, AwsError> {
        Ok(SessionCredentials {
            access_key_id: "ASIA1".into(),
            secret: boathouse_aws::access::Secret::new("secret"),
            session_token: ctx.principal.arn.clone(),
            expires: ctx.now() + TimeDelta::hours(1),
        })
    }
}

struct Room {
    console: Console,
    links: Arc<Links>,
    platform: Platform,
    now: DateTime<Utc>,
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        std::fs::write(folder.path().join("index.html"), "<meta name=nonce content=__NONCE__>").unwrap();
        std::fs::write(folder.path().join("assets/a.js"), "1").unwrap();
        std::fs::write(folder.path().join("icon.svg"), "<svg/>").unwrap();
        let links = Arc::new(Links::new().unwrap());
        let console = Console::new(Some(folder.path().to_owned()), Arc::clone(&links), Arc::new(Door));
        let now = DateTime::from_timestamp(1_772_323_200, 0).unwrap();
        let platform = Platform::new(Dispatcher::default(), Arc::new(ManualClock::new(now)), "us-east-1");
        Self { console, links, platform, now, folder }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        signer: Result<Principal, AwsError>,
        body: &str,
    ) -> (Parts2, String) {
        let (parts, ()) = Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
        assert!(self.console.owns(&parts), "{path}");
        let signer = signer.map(Arc::new);
        let principal = signer.clone().unwrap_or_else(|_| Arc::new(Principal::anonymous()));
        let ctx = self.platform.context(principal);
        let body = Bytes::from(body.to_owned());
        let answer = self.console.call(SiteRequest { ctx, parts, body, signer }).await;
        let (parts, body) = answer.response.into_parts();
        (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (Parts2, String) {
        self.ask(Method::GET, path, Ok(Principal::anonymous()), "").await
    }

    async fn session(&self, signer: Result<Principal, AwsError>, body: &str) -> (StatusCode, Value) {
        let (parts, body) = self.ask(Method::POST, "/_console/api/session", signer, body).await;
        assert_eq!(parts.headers[CACHE_CONTROL], "no-store");
        (parts.status, serde_json::from_str(&body).unwrap())
    }
}

type Parts2 = http::response::Parts;

#[tokio::test]
async fn every_address_is_the_page_but_files() {
    let room = Room::new();
    let mut nonces = Vec::new();
    for path in ["/_console", "/_console/", "/_console/storage/b?prefix=a/", "/_console/index.html"] {
        let (parts, body) = room.get(path).await;
        assert_eq!(
            (parts.status, &parts.headers[CACHE_CONTROL]),
            (StatusCode::OK, &HeaderValue::from_static("no-store"))
        );
        let nonce = body.split("content=").nth(1).unwrap().trim_end_matches('>').to_owned();
        let policy = parts.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains(&format!("'nonce-{nonce}'")) && !policy.contains("__NONCE__"), "{policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
        assert!(!nonces.contains(&nonce));
        nonces.push(nonce);
    }
    let (parts, body) = room.get("/_console/assets/a.js").await;
    assert_eq!(body, "1");
    assert_eq!(parts.headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(parts.headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
    let (parts, _) = room.get("/_console/icon.svg").await;
    assert_eq!(
        (&parts.headers[CACHE_CONTROL], &parts.headers[CONTENT_TYPE]),
        (&"no-cache".parse().unwrap(), &"image/svg+xml".parse().unwrap())
    );
    assert_eq!(room.get("/_console/assets/old.js").await.0.status, StatusCode::NOT_FOUND);
    let (parts, body) = room.ask(Method::HEAD, "/_console/", Ok(Principal::anonymous()), "").await;
    assert_eq!((parts.status, body.as_str()), (StatusCode::OK, ""));
    drop(room.folder);
}

#[test]
fn other_paths_are_others() {
    let room = Room::new();
    for path in ["/", "/_consoles", "/b/_console", "/_boathouse/health"] {
        let (parts, ()) = Request::get(path).body(()).unwrap().into_parts();
        assert!(!room.console.owns(&parts), "{path}");
    }
}

#[tokio::test]
async fn who_signs_gets_a_session() {
    let room = Room::new();
    let (status, session) = room.session(Ok(Principal::root()), "{}").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(session["Arn"], "arn:aws:iam::000000000000:root");
    assert_eq!(session["ExpiresInSeconds"], 3600);
    assert_eq!(session["Now"], room.now.timestamp_millis());
    let (status, refused) = room.session(Ok(Principal::anonymous()), "").await;
    assert_eq!(
        (status, refused["__type"].as_str()),
        (StatusCode::FORBIDDEN, Some("MissingAuthenticationTokenException"))
    );
    let wrong = AwsError::new("InvalidSignatureException", StatusCode::FORBIDDEN, "no");
    let (status, refused) = room.session(Err(wrong), "").await;
    assert_eq!((status, refused["__type"].as_str()), (StatusCode::FORBIDDEN, Some("InvalidSignatureException")));
}

#[tokio::test]
async fn who_has_a_link_gets_roots_session_once() {
    let room = Room::new();
    let token = room.links.issue(room.now).unwrap();
    let body = json!({"LinkToken": token}).to_string();
    let (status, session) = room.session(Ok(Principal::anonymous()), &body).await;
    assert_eq!((status, session["SessionToken"].as_str()), (StatusCode::OK, Some("arn:aws:iam::000000000000:root")));
    let (status, refused) = room.session(Ok(Principal::anonymous()), &body).await;
    assert_eq!((status, refused["__type"].as_str()), (StatusCode::FORBIDDEN, Some("InvalidLinkException")));
    for broken in ["[", r#"{"Other": 1}"#, r#"{"LinkToken": 1}"#] {
        assert_eq!(room.session(Ok(Principal::root()), broken).await.0, StatusCode::BAD_REQUEST, "{broken}");
    }
}

#[tokio::test]
async fn nothing_else_is_done() {
    let room = Room::new();
    for (method, path) in
        [(Method::GET, "/_console/api/session"), (Method::POST, "/_console/"), (Method::DELETE, "/_console/x")]
    {
        let (parts, _) = room.ask(method, path, Ok(Principal::anonymous()), "").await;
        assert_eq!(parts.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[test]
fn brotli_is_for_those_who_take_it() {
    let takes = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        takes_brotli(&headers)
    };
    assert!(takes("gzip, deflate, br, zstd") && takes("BR;q=0.5"));
    assert!(!takes("gzip, deflate") && !takes("br;q=0") && !takes("brotli"));
}
