//! Connections to one host, kept open for the next request.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take to be sent and answered, without the bodies.
const ANSWER: Duration = Duration::from_secs(20);
/// Bytes of a request's body for each second that it may take more.
const SLOWEST: u64 = 128 << 10;
/// How long a connection is kept that nobody uses, and how many are.
const IDLE: Duration = Duration::from_secs(10);
const MOST_IDLE: usize = 64;

type Sender = SendRequest<Full<Bytes>>;

/// One host.
pub(crate) struct Host {
    name: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    io: Handle,
    idle: Mutex<Vec<(Sender, Instant)>>,
}

impl Host {
    /// `io` is where connections live.
    pub(crate) fn new(endpoint: &Uri, io: Handle) -> io::Result<Self> {
        let secure = endpoint.scheme_str() == Some("https");
        let name = endpoint.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = endpoint.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = secure.then(tls).transpose()?;
        Ok(Self { name, port, tls, io, idle: Mutex::default() })
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(self: &Arc<Self>, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let mut sender = match self.kept() {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let body = Duration::from_secs(request.body().size_hint().lower() / SLOWEST);
        let exchange = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        let answered = timeout(ANSWER + body, exchange).await.map_err(|_| timed_out("no answer"))?;
        let (head, body) = answered.map_err(io::Error::other)?.into_parts();
        Ok(Answer { head: Response::from_parts(head, ()), body, sender, host: Arc::clone(self) })
    }

    fn kept(&self) -> Option<Sender> {
        let mut idle = self.idle.lock();
        idle.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < IDLE);
        idle.pop().map(|(sender, _)| sender)
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock();
        if idle.len() < MOST_IDLE && !sender.is_closed() {
            idle.push((sender, Instant::now()));
        }
    }

    async fn connect(&self) -> io::Result<Sender> {
        let (name, port, tls) = (self.name.clone(), self.port, self.tls.clone());
        let connecting = self.io.spawn(async move {
            let stream = TcpStream::connect((name.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            match tls {
                None => begin(stream).await,
                Some(tls) => {
                    let name = ServerName::try_from(name).map_err(io::Error::other)?;
                    begin(TlsConnector::from(tls).connect(name, stream).await?).await
                }
            }
        });
        let connected = timeout(CONNECT, connecting).await.map_err(|_| timed_out("no connection"))?;
        connected.map_err(io::Error::other)?
    }
}

fn timed_out(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

async fn begin<S>(stream: S) -> io::Result<Sender>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with its sender; what fails shows where it is used.
    tokio::spawn(connection);
    Ok(sender)
}

/// TLS that trusts the machine's certificate authorities.
fn tls() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(io::Error::other("this machine has no certificate authorities (install ca-certificates)"));
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(Arc::new(builder.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth()))
}

/// The head of an answer, and its body, which is still to come.
pub(crate) struct Answer {
    pub(crate) head: Response<()>,
    body: Incoming,
    sender: Sender,
    host: Arc<Host>,
}

impl Answer {
    /// The body as it comes. When all of it has come, the connection is kept.
    pub(crate) fn pieces(self) -> BoxStream<'static, io::Result<Bytes>> {
        let Self { body, sender, host, .. } = self;
        let steps = stream::try_unfold((body, sender, host), |(mut body, sender, host)| async move {
            loop {
                match body.frame().await {
                    None => {
                        host.keep(sender);
                        return Ok(None);
                    }
                    Some(frame) => {
                        if let Ok(piece) = frame.map_err(io::Error::other)?.into_data() {
                            return Ok(Some((piece, (body, sender, host))));
                        }
                    }
                }
            }
        });
        steps.boxed()
    }

    /// A body that is short; what is longer than `limit` is cut off.
    pub(crate) async fn text(self, limit: usize) -> io::Result<String> {
        let collect = async {
            let (mut pieces, mut bytes) = (self.pieces(), Vec::new());
            while let Some(piece) = pieces.next().await {
                bytes.extend_from_slice(&piece?);
                if bytes.len() > limit {
                    bytes.truncate(limit);
                    break;
                }
            }
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        timeout(ANSWER, collect).await.map_err(|_| timed_out("no end of an answer"))?
    }
}
