//! `boathouse serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use boathouse_aws::gateway::Gateway;
use boathouse_aws::{Dispatcher, Platform, SystemClock};
use boathouse_identity::RootOnly;
use boathouse_identity::credentials::{CredentialsFileError, KeyPair, RootKeys};
use boathouse_metadata::{Metadata, MetadataError};
use boathouse_objects::Objects;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::data_directory;

/// How to serve.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, env = "BOATHOUSE_LISTEN", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,
    /// Where the server keeps everything.
    #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
    data_dir: PathBuf,
    /// Accepts the key `test` with the secret `test` as root. Only on a loopback address.
    #[arg(long)]
    dev: bool,
}

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// `--dev` on an address that others can reach.
    #[error("--dev lets everybody in as root, so it needs a loopback address, not {0}")]
    DevIsLoopbackOnly(SocketAddr),
    /// Another process has the directory.
    #[error("the data directory {0} is in use by another process")]
    InUse(PathBuf),
    /// The directory can't be used.
    #[error("{path}: {source}")]
    DataDirectory {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The root key pair can't be had.
    #[error(transparent)]
    Credentials(#[from] CredentialsFileError),
    /// The control-plane store can't be opened.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The object store can't be opened.
    #[error(transparent)]
    Objects(#[from] boathouse_objects::Error),
    /// The port can't be opened, or signals can't be received.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

pub(crate) async fn run(options: Options) -> Result<(), ServeError> {
    if options.dev && !options.listen.ip().is_loopback() {
        return Err(ServeError::DevIsLoopbackOnly(options.listen));
    }
    let filter = EnvFilter::try_from_env("BOATHOUSE_LOG").unwrap_or_else(|_| EnvFilter::new("info,s3s=off"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();

    let _lock = data_directory::lock(&options.data_dir)?;
    let mut keys = vec![KeyPair::load_or_create(&options.data_dir.join("credentials"))?];
    keys.extend(options.dev.then(KeyPair::test));

    let platform =
        Platform { dispatcher: Dispatcher::default(), clock: Arc::new(SystemClock), region: "us-east-1".into() };
    let metadata = Metadata::open(&options.data_dir.join("metadata.db"))?;
    let objects = Objects::open(&options.data_dir.join("objects"), &boathouse_objects::Options::default())?;
    let s3 = boathouse_s3::install(objects, Arc::new(RootOnly));
    let services = vec![boathouse_identity::sts::service(), boathouse_glue_catalog::service(metadata)];
    platform.dispatcher.install(services, Arc::new(RootOnly));
    let gateway = Gateway::new(platform, Arc::new(RootKeys::new(keys))).with_http_service(s3.http);
    let gateway = Arc::new(gateway);

    let listener = TcpListener::bind(options.listen).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    announce(listener.local_addr()?, &options);
    let stopped = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    gateway.serve(listener, stopped).await;
    Ok(())
}

#[allow(clippy::print_stdout, reason = "for people, and for programs that started us on a free port")]
fn announce(address: SocketAddr, options: &Options) {
    println!("listening on http://{address}");
    println!("eval \"$(boathouse credentials --data-dir {})\"", options.data_dir.display());
    println!("export AWS_ENDPOINT_URL=http://{address} AWS_DEFAULT_REGION=us-east-1");
}
