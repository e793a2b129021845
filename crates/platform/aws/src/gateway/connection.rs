//! Connections: accept, TLS, HTTP/1.1 and HTTP/2, timeouts, an orderly end.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ProtocolVersion, ServerConfig};

use super::stall::Stalling;
use super::{Gateway, Peer};

/// How long a client may take to send its request's headers, and to begin its next request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a silent HTTP/2 client is asked whether it lives, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long calls may go on after the server was asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

impl Gateway {
    /// Serves connections over TLS, for clients of HTTP/2 and HTTP/1.1.
    #[must_use]
    pub fn with_tls(mut self, mut config: ServerConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        self.tls = Some(TlsAcceptor::from(Arc::new(config)));
        self
    }

    /// Serves connections until `shutdown` is ready, then lets running calls end within ten seconds.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        self.inside.open(&self);
        let graceful = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            match accepted {
                Ok((stream, peer)) => match self.places.take() {
                    Some(place) => {
                        let connection = self.clone().connection(stream, peer, graceful.watcher());
                        tokio::spawn(async move {
                            connection.await;
                            drop(place);
                        });
                    }
                    None => self.places.refuse(stream, self.tls.is_some()),
                },
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await; // out of file handles: let some close
                }
            }
        }
        self.stopping.send_replace(true);
        if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!("connections were cut off at shutdown");
        }
    }

    /// Serves one connection from inside, such as a sandbox's: without TLS, until its client closes it.
    pub(super) async fn serve_inside(self: Arc<Self>, stream: TcpStream) {
        match stream.peer_addr() {
            Ok(peer) => self.http(Stalling::new(stream), plain(peer.ip()), GracefulShutdown::new().watcher()).await,
            Err(error) => tracing::debug!(%error, "a connection from inside ended"),
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "set_nodelay failed");
        }
        let Some(tls) = self.tls.clone() else {
            return self.http(Stalling::new(stream), plain(peer.ip()), watcher).await;
        };
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(Stalling::new(stream))).await {
            Ok(Ok(stream)) => {
                let tls_version = stream.get_ref().1.protocol_version().and_then(version_name);
                self.http(stream, Peer { ip: peer.ip(), tls_version }, watcher).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, %peer, "TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "TLS handshake timed out"),
        }
    }

    async fn http<S>(self: Arc<Self>, stream: S, peer: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING_INTERVAL).keep_alive_timeout(PING_INTERVAL);
        let service = hyper::service::service_fn(move |request| {
            let gateway = Arc::clone(&self);
            async move { Ok::<_, Infallible>(gateway.respond(request, peer).await) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "connection ended");
        }
    }
}

/// A peer without TLS.
fn plain(ip: IpAddr) -> Peer {
    Peer { ip, tls_version: None }
}

/// A version as the condition key `s3:TlsVersion` has it.
fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("1.2"),
        ProtocolVersion::TLSv1_3 => Some("1.3"),
        _ => None,
    }
}
