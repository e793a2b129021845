//! A small AWS client: the demonstration talks to its server over HTTP, signed, as any other client would.

use std::collections::BTreeMap;
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
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::Value;
use tokio::net::TcpStream;

use super::DemoError;

/// How often a state is asked for while something runs.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// The texts of one element of an XML answer, by the names of its children.
pub(super) type Fields = BTreeMap<String, String>;

/// One server and the key to sign with.
pub(super) struct Client {
    pub(super) address: SocketAddr,
    pub(super) region: String,
    pub(super) key: KeyPair,
}

impl Client {
    /// An operation of a JSON service.
    pub(super) async fn json(&self, service: &'static str, operation: &str, input: Value) -> Result<Value, DemoError> {
        let (version, prefix) = match service {
            "athena" => ("1.1", "AmazonAthena"),
            "firehose" => ("1.1", "Firehose_20150804"),
            "states" => ("1.0", "AWSStepFunctions"),
            _ => return Err(DemoError::Client(format!("{service} is no JSON service of the demonstration"))),
        };
        let request = Request::post("/")
            .header(CONTENT_TYPE, format!("application/x-amz-json-{version}"))
            .header("x-amz-target", format!("{prefix}.{operation}"));
        let answer = self.send(service, request, input.to_string().into()).await?;
        serde_json::from_slice(&answer).map_err(|error| DemoError::Client(format!("{service}:{operation}: {error}")))
    }

    /// A call of CloudFormation: a form there, the elements of an XML document back.
    pub(super) async fn cloudformation(&self, action: &str, form: &[(&str, &str)]) -> Result<Vec<Fields>, DemoError> {
        let members: String = form.iter().map(|(name, value)| format!("&{name}={}", encode(value))).collect();
        let request = Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = format!("Action={action}&Version=2010-05-15{members}");
        let answer = self.send("cloudformation", request, form.into()).await?;
        elements(&String::from_utf8_lossy(&answer)).map_err(|error| DemoError::Client(format!("{action}: {error}")))
    }

    /// A bucket (a path without a key) or an object.
    pub(super) async fn put(&self, path: &str, body: Bytes) -> Result<(), DemoError> {
        let request = Request::builder().method(Method::PUT).uri(format!("/{path}"));
        self.send("s3", request, body).await.map(drop)
    }

    /// An object.
    pub(super) async fn get(&self, path: &str) -> Result<Bytes, DemoError> {
        self.send("s3", Request::get(format!("/{path}")), Bytes::new()).await
    }

    /// The first 1,000 keys of a bucket below a prefix.
    pub(super) async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, DemoError> {
        let request = Request::get(format!("/{bucket}?list-type=2&prefix={}", encode(prefix)));
        let answer = self.send("s3", request, Bytes::new()).await?;
        let listed = elements(&String::from_utf8_lossy(&answer));
        let listed = listed.map_err(|error| DemoError::Client(format!("s3 lists {bucket}: {error}")))?;
        Ok(listed.into_iter().filter_map(|mut fields| fields.remove("Key")).collect())
    }

    /// A POST to an API of API Gateway at this server.
    pub(super) async fn api(&self, endpoint: &str, path: &str, body: Bytes) -> Result<Bytes, DemoError> {
        let uri: http::Uri = endpoint.parse().map_err(|error| DemoError::Client(format!("{endpoint}: {error}")))?;
        let below = uri.path().trim_end_matches('/');
        let host = uri.authority().map_or_else(|| self.address.to_string(), ToString::to_string);
        let request = Request::post(format!("{below}{path}")).header(CONTENT_TYPE, "text/csv").header(HOST, host);
        self.send("execute-api", request, body).await
    }

    /// A PUT to a presigned address of this server.
    pub(super) async fn put_presigned(&self, url: &str, body: Bytes) -> Result<(), DemoError> {
        let uri: http::Uri = url.parse().map_err(|error| DemoError::Client(format!("{url}: {error}")))?;
        let target = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let host = uri.authority().map_or_else(|| self.address.to_string(), ToString::to_string);
        let request = Request::put(target).header(HOST, host).body(Full::new(body));
        let request = request.map_err(|error| DemoError::Client(format!("{url}: {error}")))?;
        self.exchange("s3", request).await.map(drop)
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
        let request = request.body(()).map_err(|error| DemoError::Client(format!("{service}: {error}")))?;
        let (mut parts, ()) = request.into_parts();
        if !parts.headers.contains_key(HOST) {
            let host = self.address.to_string().parse().expect("invariant: an address is visible ASCII");
            parts.headers.insert(HOST, host);
        }
        let signer = Signer {
            access_key_id: self.key.access_key_id.clone(),
            secret: self.key.secret.clone(),
            region: self.region.clone(),
            service: service.to_owned(),
        };
        signer.sign(&mut parts, &body, Utc::now());
        self.exchange(service, Request::from_parts(parts, Full::new(body))).await
    }

    async fn exchange(&self, service: &str, request: Request<Full<Bytes>>) -> Result<Bytes, DemoError> {
        let failed = |what: &dyn std::fmt::Display| DemoError::Client(format!("{service}: {what}"));
        let stream = TcpStream::connect(self.address).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        tokio::spawn(connection);
        let answer = sender.send_request(request).await;
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

/// Every element of an XML document that has children with text, in the order of their ends.
fn elements(document: &str) -> Result<Vec<Fields>, quick_xml::Error> {
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut open, mut found, mut text) = (vec![(String::new(), Fields::new())], Vec::new(), String::new());
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                open.push((String::from_utf8_lossy(tag.local_name().as_ref()).into_owned(), Fields::new()));
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.decode()?),
            Event::GeneralRef(entity) => match entity.resolve_char_ref()? {
                Some(character) => text.push(character),
                None => text.push_str(resolve_predefined_entity(&entity.decode()?).unwrap_or_default()),
            },
            Event::End(_) => {
                let Some((name, fields)) = open.pop() else { continue };
                match open.last_mut() {
                    Some((_, outer)) if fields.is_empty() => {
                        outer.insert(name, std::mem::take(&mut text));
                    }
                    _ => found.push(fields),
                }
                text.clear();
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// Percent-encodes a form's value.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
