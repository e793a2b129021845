//! The gateway over TLS: the handshake offers HTTP/2 and HTTP/1.1, and plain text is not answered.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use boathouse_aws::access::{Credential, CredentialError, CredentialStore};
use boathouse_aws::gateway::Gateway;
use boathouse_aws::{Dispatcher, Platform, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

/// A certificate for `localhost` and its key, made for this test.
const PEM: &[u8] = include_bytes!("tls/localhost.pem");
const REQUEST: &[u8] = b"GET /_boathouse/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

struct Nobody;

impl CredentialStore for Nobody {
    fn find(&self, _: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
        Err(CredentialError::Unknown)
    }
}

async fn start() -> std::net::SocketAddr {
    let certificate = CertificateDer::from_pem_slice(PEM).unwrap();
    let key = PrivateKeyDer::from_pem_slice(PEM).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let platform = Platform::new(Dispatcher::default(), Arc::new(SystemClock), "us-east-1");
    let gateway = Arc::new(Gateway::new(platform, Arc::new(Nobody)).with_tls(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(gateway.serve(listener, std::future::pending()));
    address
}

async fn connect(address: std::net::SocketAddr, protocol: &[u8]) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(PEM).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

#[tokio::test]
async fn calls_are_answered_over_tls() {
    let mut stream = connect(start().await, b"http/1.1").await;
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
}

#[tokio::test]
async fn http2_is_offered() {
    let stream = connect(start().await, b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn plain_text_gets_no_answer() {
    let mut stream = TcpStream::connect(start().await).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    // An alert or a closed connection, but nothing of HTTP.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}
