//! `boathouse serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::gateway::Limits;
use boathouse_aws::{Clock, ShiftedClock, SystemClock};
use chrono::TimeDelta;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tracing_subscriber::EnvFilter;

use crate::backup::control;
use crate::say;
use crate::server::{self, ServerError};

/// How to serve.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, env = "BOATHOUSE_LISTEN", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,
    /// Where the server keeps everything.
    #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
    data_dir: PathBuf,
    /// Keeps objects' bodies in this bucket of another S3-compatible store instead of the data directory: `s3://bucket` or
    /// `s3://bucket/prefix`. Endpoint, region and credentials are AWS's environment variables.
    #[arg(long, env = "BOATHOUSE_GATEWAY", value_name = "URL")]
    gateway: Option<String>,
    /// Accepts the key `test` with the secret `test` as root. Only on a loopback address.
    #[arg(long)]
    dev: bool,
    /// A file with the seconds by which the platform's clock is ahead of the machine's. It is looked at again and again, and
    /// time never runs backwards. For tests that can't wait for tomorrow.
    #[arg(long, hide = true, requires = "dev")]
    clock_ahead: Option<PathBuf>,
    /// How many connections are served at the same time; more are refused (503). At most three quarters of the files that
    /// the process may open.
    #[arg(long, env = "BOATHOUSE_MAX_CONNECTIONS", default_value_t = Limits::default().connections)]
    max_connections: usize,
    /// For how many seconds a client is waited for that sends next to nothing (under 8 KiB) of an object's body.
    #[arg(long, env = "BOATHOUSE_BODY_TIMEOUT", default_value_t = Limits::default().patience.as_secs())]
    body_timeout: u64,
    /// A file with the certificate chain in PEM: serves HTTPS.
    #[arg(long, env = "BOATHOUSE_TLS_CERTIFICATE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// A file with the certificate's private key in PEM.
    #[arg(long, env = "BOATHOUSE_TLS_KEY", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// A folder with the console's pages instead of those in the binary, for who works on them.
    #[arg(long, env = "BOATHOUSE_CONSOLE_DIR")]
    console_dir: Option<PathBuf>,
}

pub(crate) async fn run(options: Options) -> Result<(), ServerError> {
    if options.dev && !options.listen.ip().is_loopback() {
        return Err(ServerError::DevIsLoopbackOnly(options.listen));
    }
    let filter = EnvFilter::try_from_env("BOATHOUSE_LOG").unwrap_or_else(|_| EnvFilter::new("info,s3s=off"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();

    let tls = match (&options.tls_certificate, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(tls_config(certificate, key)?),
        _ => None,
    };
    let limits = limits(&options);
    let clock = clock(options.clock_ahead)?;
    let server = server::open(&options.data_dir, options.dev, options.gateway, clock, options.console_dir).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let gateway = server.gateway.with_limits(limits);
    let gateway = match tls {
        Some(config) => gateway.with_tls(config),
        None => gateway,
    };
    let listener = TcpListener::bind(options.listen).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let address = listener.local_addr()?;
    let endpoint = server::endpoint(scheme, address);
    let link = server::sign_in_link(&server.links, &server.platform, &endpoint)?;
    server.platform.reachable_at(endpoint);
    control::listen(&options.data_dir, server.stores).map_err(|error| ServerError::Control(error.to_string()))?;
    announce(scheme, address, &options.data_dir, &link);
    let stopped = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Arc::new(gateway).serve(listener, stopped).await;
    boathouse_metrics::vended::keep(&server.metrics).await;
    drop(server.lock);
    Ok(())
}

/// What clients may take. Descriptors are left for files, functions and what the server calls itself.
fn limits(options: &Options) -> Limits {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let most = files.map_or(usize::MAX, |files| usize::try_from(files / 4 * 3).unwrap_or(usize::MAX));
    let connections = options.max_connections.clamp(1, most.max(1));
    if connections < options.max_connections {
        tracing::warn!(connections, "fewer connections are served than wanted: the process may open too few files");
    }
    Limits { connections, patience: Duration::from_secs(options.body_timeout.max(1)) }
}

/// How often the file of a clock that tests set forward is looked at.
const CLOCK_LOOKS: Duration = Duration::from_millis(20);

/// The machine's clock, or one that is as far ahead as a file says.
fn clock(ahead: Option<PathBuf>) -> std::io::Result<Arc<dyn Clock>> {
    let Some(file) = ahead else { return Ok(Arc::new(SystemClock)) };
    let seconds = move || -> std::io::Result<TimeDelta> {
        let seconds = std::fs::read_to_string(&file)?.trim().parse().map_err(std::io::Error::other)?;
        Ok(TimeDelta::seconds(seconds))
    };
    let clock = Arc::new(ShiftedClock::default());
    let mut present = seconds()?;
    clock.advance(present);
    let moved = Arc::clone(&clock);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(CLOCK_LOOKS).await;
            // A file that is being written is read again.
            if let Ok(wanted) = seconds()
                && wanted > present
            {
                moved.advance(wanted - present);
                present = wanted;
            }
        }
    });
    Ok(clock)
}

fn tls_config(certificate: &Path, key: &Path) -> Result<ServerConfig, ServerError> {
    let unreadable =
        |path: &Path, error: &dyn std::fmt::Display| ServerError::Tls(format!("{}: {error}", path.display()));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| ServerError::Tls(error.to_string()))
}

fn announce(scheme: &str, address: SocketAddr, data_dir: &Path, link: &str) {
    say!("listening on {scheme}://{address}");
    say!("eval \"$(boathouse credentials --data-dir {})\"", data_dir.display());
    say!("export AWS_ENDPOINT_URL={scheme}://{address} AWS_DEFAULT_REGION=us-east-1");
    say!("console, for 15 minutes and once: {link}");
}
