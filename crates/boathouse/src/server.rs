//! The whole server, put together: stores, identity, services, the edge.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boathouse_aws::gateway::Gateway;
use boathouse_aws::{Dispatcher, Platform, SystemClock};
use boathouse_glue_crawlers::{CrawlerError, Crawlers};
use boathouse_identity::credentials::{CredentialsFileError, KeyPair};
use boathouse_identity::{Identity, IdentityError, iam_service, sts_service};
use boathouse_metadata::{Metadata, MetadataError};
use boathouse_objects::Objects;
use boathouse_stepfunctions::{SfnError, StepFunctions};
use boathouse_trino::engine::{Engine, EngineConfig};

use crate::data_directory;

/// Queries that run at once; more wait in the queue.
const CONCURRENT_QUERIES: usize = 20;
/// Queries that may wait.
const QUEUED_QUERIES: usize = 200;
/// What all queries together may hold in memory, unless `BOATHOUSE_QUERY_MEMORY` (bytes) says otherwise: at most 4 GiB,
/// and at most half of the machine's memory.
const MAX_QUERY_MEMORY: u64 = 4 << 30;
/// What queries larger than that may put on disk.
const SPILL_LIMIT: u64 = 100 << 30;

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// `--dev` on an address that others can reach.
    #[error("--dev lets everybody in as root, so it needs a loopback address, not {0}")]
    DevIsLoopbackOnly(SocketAddr),
    /// Another process has the directory.
    #[error("the data directory {0} is in use by another process")]
    InUse(PathBuf),
    /// A file or directory can't be used.
    #[error("{path}: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificate or its key can't be used.
    #[error("TLS: {0}")]
    Tls(String),
    /// The root key pair can't be had.
    #[error(transparent)]
    Credentials(#[from] CredentialsFileError),
    /// The identity store can't be opened.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The control-plane store can't be opened.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The object store can't be opened.
    #[error(transparent)]
    Objects(#[from] boathouse_objects::Error),
    /// The SQL engine can't be made.
    #[error(transparent)]
    Engine(#[from] boathouse_trino_functions::error::TrinoError),
    /// Crawls that were going on can't be taken up.
    #[error(transparent)]
    Crawlers(#[from] CrawlerError),
    /// Executions that were going on can't be taken up.
    #[error(transparent)]
    Executions(#[from] SfnError),
    /// The port can't be opened, or signals can't be received.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A server that is ready to listen.
pub(crate) struct Server {
    pub(crate) gateway: Gateway,
    pub(crate) platform: Platform,
    pub(crate) root: KeyPair,
    /// Held as long as the server lives: one process at a time.
    pub(crate) lock: File,
}

/// Opens the data directory and installs every service. `dev` lets the key `test`/`test` in as root.
///
/// # Errors
/// See [`ServerError`].
pub(crate) fn open(data_dir: &Path, dev: bool) -> Result<Server, ServerError> {
    let lock = data_directory::lock(data_dir)?;
    // Making a store costs a row of fsyncs: the two are made side by side.
    let objects = std::thread::spawn({
        let dir = data_dir.join("objects");
        move || Objects::open(&dir, &boathouse_objects::Options::default())
    });
    let root = KeyPair::load_or_create(&data_dir.join("credentials"))?;
    let mut keys = vec![root.clone()];
    keys.extend(dev.then(KeyPair::test));

    let platform = Platform::new(Dispatcher::default(), Arc::new(SystemClock), "us-east-1");
    let metadata = Metadata::open(&data_dir.join("metadata.db"))?;
    let identity = Identity::open(metadata.clone(), data_dir, keys, Arc::clone(&platform.clock))?;
    let objects = objects.join().unwrap_or(Err(boathouse_objects::Error::Closed))?;
    let s3 = boathouse_s3::install(objects, Arc::clone(&identity) as _);

    let crawlers = Arc::new(Crawlers::new(
        metadata.clone(),
        Arc::clone(&s3.stores),
        Arc::clone(&identity) as _,
        Arc::clone(&identity) as _,
    ));
    let glue = boathouse_glue_crawlers::operations(boathouse_glue_catalog::service(metadata.clone()), &crawlers);
    let machines = StepFunctions::new(
        metadata.clone(),
        Arc::clone(&identity) as _,
        Arc::clone(&identity) as _,
        platform.clone(),
    );
    let states = boathouse_stepfunctions::service(&machines);
    let athena = boathouse_athena::service(boathouse_athena::Deps {
        metadata,
        engine: Arc::new(sql_engine(data_dir)?),
        stores: Arc::clone(&s3.stores),
        authorizer: Arc::clone(&identity) as _,
        clock: Arc::clone(&platform.clock),
        concurrent_queries: CONCURRENT_QUERIES,
        queued_queries: QUEUED_QUERIES,
    })?;
    let services = vec![sts_service(&identity), iam_service(&identity), s3.table, glue, athena, states];
    platform.dispatcher.install(services, Arc::clone(&identity) as _);
    boathouse_glue_crawlers::worker::recover(&platform, &crawlers)?;
    boathouse_stepfunctions::runner::recover(&machines)?;
    s3.notifications.start(&platform);
    let gateway = Gateway::new(platform.clone(), identity).with_http_service(s3.http);
    Ok(Server { gateway, platform, root, lock })
}

/// The URL that clients on this machine reach a server at that listens on `address`.
pub(crate) fn endpoint(scheme: &str, address: SocketAddr) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(host, address.port()))
}

fn sql_engine(data_dir: &Path) -> Result<Engine, ServerError> {
    let spill_directory = data_dir.join("work").join("spill");
    // What an earlier process left there belongs to nobody.
    match std::fs::remove_dir_all(&spill_directory) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(ServerError::File { path: spill_directory, source });
        }
        _ => {}
    }
    data_directory::create(&spill_directory)?;
    let asked = std::env::var("BOATHOUSE_QUERY_MEMORY").ok().and_then(|bytes| bytes.parse().ok());
    let memory = asked.unwrap_or_else(|| MAX_QUERY_MEMORY.min(machine_memory() / 2));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Engine::new(EngineConfig {
        memory_limit: usize::try_from(memory).unwrap_or(usize::MAX),
        spill_directory,
        spill_limit: SPILL_LIMIT,
        threads,
    })?)
}

/// Bytes of memory that the machine has.
fn machine_memory() -> u64 {
    let info = rustix::system::sysinfo();
    (info.totalram as u64).saturating_mul(u64::from(info.mem_unit))
}
