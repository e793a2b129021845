//! A small AWS client: the demonstration talks to its server over HTTP, signed, as any other client would.

use std::net::SocketAddr;
use std::time::Duration;

use boathouse_aws::sigv4::Signer;
use boathouse_identity::credentials::KeyPair;
use bytes::Bytes;
use chrono::Utc;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::DemoError;

/// How often a state is asked for while something runs.
const POLL: Duration = Duration::from_millis(20);

/// One server and the key to sign with.
pub(super) struct Client {
    pub(super) address: SocketAddr,
    pub(super) region: String,
    pub(super) key: KeyPair,
}

impl Client {
    /// An operation of a JSON service.
    pub(super) async fn json(&self, service: &'static str, operation: &str, input: Value) -> Result<Value, DemoError> {
        let prefix = if service == "glue" { "AWSGlue" } else { "AmazonAthena" };
        let request = Request::post("/")
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{prefix}.{operation}"));
        let answer = self.send(service, request, input.to_string().into()).await?;
        serde_json::from_slice(&answer).map_err(|error| DemoError::Client(format!("{service}:{operation}: {error}")))
    }

    /// A call of IAM, as a form.
    pub(super) async fn iam(&self, form: &[(&str, &str)]) -> Result<(), DemoError> {
        let form: String = form.iter().map(|(name, value)| format!("{name}={}&", encode(value))).collect();
        let request = Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send("iam", request, format!("{form}Version=2010-05-08").into()).await.map(drop)
    }

    /// A bucket (a path without a key) or an object.
    pub(super) async fn put(&self, path: &str, body: Bytes) -> Result<(), DemoError> {
        let request = Request::builder().method(Method::PUT).uri(format!("/{path}"));
        self.send("s3", request, body).await.map(drop)
    }

    /// Asks until `done` finds what it waits for in the answer.
    pub(super) async fn wait<T>(
        &self,
        service: &'static str,
        operation: &str,
        input: &Value,
        done: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, DemoError> {
        loop {
            if let Some(found) = done(&self.json(service, operation, input.clone()).await?) {
                return Ok(found);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn send(&self, service: &str, request: http::request::Builder, body: Bytes) -> Result<Bytes, DemoError> {
        let failed = |what: &dyn std::fmt::Display| DemoError::Client(format!("{service}: {what}"));
        let request = request.header(HOST, self.address.to_string()).body(()).map_err(|error| failed(&error))?;
        let (mut parts, ()) = request.into_parts();
        let signer = Signer {
            access_key_id: self.key.access_key_id.clone(),
            secret: self.key.secret.clone(),
            region: self.region.clone(),
            service: service.to_owned(),
        };
        signer.sign(&mut parts, &body, Utc::now());
        let stream = TcpStream::connect(self.address).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        tokio::spawn(connection);
        let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await;
        let answer = answer.map_err(|error| failed(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| failed(&error))?.to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(failed(&format!("{status}: {}", String::from_utf8_lossy(&body))))
        }
    }
}

/// Percent-encodes a form's value.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
