//! Small JSON documents from the web, within bounds of size and time. No redirects are followed.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::trust;

/// How long a document may take, from name to last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a document.
const LARGEST: usize = 256 << 10;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The URL is not one that is asked.
    #[error("{0} is not an https URL")]
    Url(String),
    /// The server can't be reached or breaks off.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server answers something else.
    #[error("{url} answers {status}")]
    Refused {
        /// Where.
        url: String,
        /// With what.
        status: StatusCode,
    },
    /// The answer is not the JSON that it should be.
    #[error("{0} holds no readable document")]
    Document(String),
}

/// Whether a URL is asked: `https`, or with `loopback_http` also `http` on a loopback address.
pub(super) fn check_url(url: &str, loopback_http: bool) -> Result<Uri, FetchError> {
    let wrong = || FetchError::Url(url.chars().take(300).collect());
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    match uri.scheme_str() {
        Some("https") if !has_user => Ok(uri),
        Some("http") if loopback_http && is_loopback(host) && !has_user => Ok(uri),
        _ => Err(wrong()),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The document at `url`, of a server that the machine's authorities vouch for or one of these thumbprints.
pub(super) async fn json<T: DeserializeOwned>(
    url: &str,
    loopback_http: bool,
    thumbprints: &[String],
) -> Result<T, FetchError> {
    let uri = check_url(url, loopback_http)?;
    let fetched = tokio::time::timeout(TIMEOUT, get(&uri, thumbprints)).await;
    let (status, body) = fetched.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if status != StatusCode::OK {
        return Err(FetchError::Refused { url: url.to_owned(), status });
    }
    serde_json::from_slice(&body).map_err(|_| FetchError::Document(url.to_owned()))
}

async fn get(uri: &Uri, thumbprints: &[String]) -> io::Result<(StatusCode, Bytes)> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    if !secure {
        return exchange(uri, stream).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    exchange(uri, TlsConnector::from(trust::tls(thumbprints)?).connect(name, stream).await?).await
}

async fn exchange<S>(uri: &Uri, stream: S) -> io::Result<(StatusCode, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let driver = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let request = Request::get(path)
        .header(HOST, authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, "boathouse")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(io::Error::other)?.to_bytes();
    driver.abort();
    Ok((status, body))
}
