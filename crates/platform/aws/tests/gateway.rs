//! Requests over a real socket: restJson operations and sites, signed, unsigned and wrongly signed.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, Credential, CredentialError, CredentialStore, Secret};
use boathouse_aws::gateway::Gateway;
use boathouse_aws::http_service::{ServiceAnswer, full};
use boathouse_aws::service::Access;
use boathouse_aws::sigv4::Signer;
use boathouse_aws::site::{Site, SiteRequest};
use boathouse_aws::{AwsError, Ctx, Dispatcher, Platform, Principal, Protocol, Route, ServiceTable, SystemClock};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lend {
    title: String,
    days: Option<u32>,
    reader: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Loan {
    text: String,
}

async fn lend(_: Ctx, _: Arc<()>, input: Lend) -> Result<Loan, AwsError> {
    match input.days {
        Some(days) => Ok(Loan { text: format!("{} to {} for {days}", input.title, input.reader) }),
        None => Err(AwsError::bad_request("TooVagueException", "for how long?")),
    }
}

struct Everybody;

impl Authorizer for Everybody {
    fn authorize(&self, _: &Ctx, _: &AccessRequest<'_>) -> Result<(), AwsError> {
        Ok(())
    }
}

struct OneKey;

impl CredentialStore for OneKey {
    fn find(&self, _: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
        Ok(Credential { secret: Secret::new("secret"), principal: Arc::new(Principal::root()) })
    }
}

/// Answers who signed and what was sent.
struct Guestbook;

impl Site for Guestbook {
    fn name(&self) -> &'static str {
        "guestbook"
    }

    fn owns(&self, parts: &Parts) -> bool {
        parts.uri.path().starts_with("/guests/")
    }

    fn call(&self, request: SiteRequest) -> BoxFuture<'_, ServiceAnswer> {
        let signer = match &request.signer {
            Ok(principal) if principal.is_anonymous() => "nobody",
            Ok(_) => "somebody",
            Err(error) => &error.code,
        };
        let text = format!("{signer} says {}", String::from_utf8_lossy(&request.body));
        let response = Response::new(full(text));
        async { ServiceAnswer { response, operation: "Sign", error: None } }.boxed()
    }

    fn unreadable(&self, error: &AwsError) -> ServiceAnswer {
        let mut response = Response::new(full(error.message.clone()));
        *response.status_mut() = error.status;
        ServiceAnswer { response, operation: "Sign", error: Some(error.code.to_string()) }
    }
}

async fn start() -> SocketAddr {
    let dispatcher = Dispatcher::default();
    let library = ServiceTable::new("library", Protocol::RestJson)
        .operation("Lend", Access::Free, &Arc::new(()), lend)
        .route("Lend", Route::post("/books/{Title}/loans").query_number("days", "Days").status(201));
    dispatcher.install(vec![library], Arc::new(Everybody));
    let platform = Platform::new(dispatcher, Arc::new(SystemClock), "us-east-1");
    let gateway = Gateway::new(platform, Arc::new(OneKey)).with_site(Arc::new(Guestbook));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Arc::new(gateway).serve(listener, std::future::pending()));
    address
}

fn signer(service: &str, secret: &str) -> Option<Signer> {
    let (access_key_id, region) = ("AKIA".into(), "us-east-1".into());
    Some(Signer { access_key_id, secret: Secret::new(secret), region, service: service.into() })
}

async fn post(path: &str, headers: &[(&str, &str)], body: &str, signer: Option<Signer>) -> String {
    let address = start().await;
    let mut request = Request::post(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    if let Some(signer) = signer {
        signer.sign(&mut parts, body.as_bytes(), chrono::Utc::now());
    }
    let mut text = format!("POST {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in &parts.headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_rest_call_reaches_its_operation() {
    let path = "/books/A%20Tale/loans?days=7";
    let answer = post(path, &[], r#"{"Reader": "ada"}"#, signer("library", "secret")).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.ends_with(r#"{"Text":"A Tale to ada for 7"}"#), "{answer}");
}

#[tokio::test]
async fn a_failed_rest_call_names_its_error() {
    let refused = [
        ("/books/A/loans", r#"{"Reader": "ada"}"#, "secret", "400", "TooVagueException"),
        ("/books/A/loans", "{", "secret", "400", "SerializationException"),
        ("/books/A/theft", "{}", "secret", "404", "UnknownOperationException"),
        ("/books/A/loans", "{}", "guessed", "403", "InvalidSignatureException"),
    ];
    for (path, body, secret, status, code) in refused {
        let answer = post(path, &[], body, signer("library", secret)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.contains(&format!("x-amzn-errortype: {code}")), "{answer}");
        assert!(answer.contains(r#""message":"#), "{answer}");
    }
}

#[tokio::test]
async fn a_site_hears_who_signed() {
    let cases = [
        (None, &[][..], "nobody says hi"),
        (None, &[("authorization", "Bearer x.y.z")][..], "nobody says hi"),
        (signer("guestbook", "secret"), &[][..], "somebody says hi"),
        (signer("guestbook", "guessed"), &[][..], "InvalidSignatureException says hi"),
        (signer("library", "secret"), &[][..], "IncompleteSignatureException says hi"),
    ];
    for (signer, headers, said) in cases {
        let answer = post("/guests/1", headers, "hi", signer).await;
        assert!(answer.ends_with(said), "{answer}");
    }
}

#[tokio::test]
async fn a_site_is_spared_large_bodies() {
    let answer = post("/guests/1", &[], &"x".repeat(boathouse_aws::site::MAX_BODY + 1), None).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{}", &answer[..60]);
}
