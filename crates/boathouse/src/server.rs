//! The whole server, put together: stores, identity, services, the edge.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use boathouse_apigateway::ApiGateway;
use boathouse_apigateway::site::Sites;
use boathouse_aws::gateway::{Gateway, InsideDoor};
use boathouse_aws::{Clock, Dispatcher, Platform};
use boathouse_cloudformation::{StackError, Stacks};
use boathouse_console::{Console, Links};
use boathouse_events::Events;
use boathouse_firehose::{Firehose, FirehoseError};
use boathouse_glue_catalog::policies::CatalogJudge;
use boathouse_glue_crawlers::{CrawlerError, Crawlers};
use boathouse_glue_jobs::{JobError, Jobs};
use boathouse_iceberg_rest::IcebergRest;
use boathouse_identity::credentials::{CredentialsFileError, KeyPair};
use boathouse_identity::{Identity, IdentityError, iam_service, sts_service};
use boathouse_journal::{Journal, JournalError};
use boathouse_lambda::{Lambda, LambdaError};
use boathouse_metadata::{Metadata, MetadataError};
use boathouse_metrics::CloudWatch;
use boathouse_objects::{Objects, ScrubOptions};
use boathouse_observe::Logs;
use boathouse_observe::files::FilesError;
use boathouse_runtimes::Pythons;
use boathouse_sandbox::{Level, Sandbox};
use boathouse_sqs::{Sqs, SqsError};
use boathouse_stepfunctions::{SfnError, StepFunctions};
use boathouse_trail::Trail;
use boathouse_trail::error::TrailError;
use boathouse_trino::engine::{Engine, EngineConfig};

use crate::about::About;
use crate::backup::Stores;
use crate::data_directory;
use crate::usage::Usage;
use crate::vitals::StoreVitals;

/// Queries that run at once; more wait in the queue.
const CONCURRENT_QUERIES: usize = 20;
/// Queries that may wait.
const QUEUED_QUERIES: usize = 200;
/// What all queries together may hold in memory, unless `BOATHOUSE_QUERY_MEMORY` (bytes) says otherwise: at most 4 GiB,
/// and at most half of the machine's memory.
const MAX_QUERY_MEMORY: u64 = 4 << 30;
/// What queries larger than that may put on disk.
const SPILL_LIMIT: u64 = 100 << 30;

/// Bytes that the scrubber reads each second at most.
const SCRUB_RATE: u64 = 8 << 20;
/// Seconds after the beginning of which the scrubber begins anew: a week.
const SCRUB_EVERY: u64 = 7 * 24 * 60 * 60;
/// How long after a start it begins.
const SCRUB_AFTER: Duration = Duration::from_secs(60);

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
    /// The log store can't be opened.
    #[error(transparent)]
    Logs(#[from] FilesError),
    /// The event history can't be opened.
    #[error(transparent)]
    Trail(#[from] TrailError),
    /// The SQL engine can't be made.
    #[error(transparent)]
    Engine(#[from] boathouse_trino_functions::error::TrinoError),
    /// Crawls that were going on can't be taken up.
    #[error(transparent)]
    Crawlers(#[from] CrawlerError),
    /// The journal can't be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Delivery streams can't be set to work again.
    #[error("delivery streams: {0}")]
    Firehose(#[from] FirehoseError),
    /// Executions that were going on can't be taken up.
    #[error(transparent)]
    Executions(#[from] SfnError),
    /// Message move tasks that were going on can't be taken up.
    #[error(transparent)]
    Queues(#[from] SqsError),
    /// Functions can't be taken up.
    #[error(transparent)]
    Lambda(#[from] LambdaError),
    /// Job runs that were going on can't be taken up.
    #[error(transparent)]
    Jobs(#[from] JobError),
    /// `BOATHOUSE_SANDBOX` is none of its values.
    #[error("BOATHOUSE_SANDBOX must be namespace or process, not {0}")]
    SandboxLevel(String),
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    Random,
    /// An environment variable that must be a number is none.
    #[error("{0} must be a number, not {1}")]
    NoNumber(&'static str, String),
    /// What entity tags are made of is none of the ways that there are.
    #[error("BOATHOUSE_ENTITY_TAGS: {0}")]
    NoEntityTags(#[from] boathouse_s3::UnknownEntityTags),
    /// Nobody could ask for a backup.
    #[error("control socket: {0}")]
    Control(String),
    /// Operations on stacks that were going on can't be taken up.
    #[error(transparent)]
    Stacks(#[from] StackError),
    /// The port can't be opened, or signals can't be received.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A server that is ready to listen.
pub(crate) struct Server {
    pub(crate) gateway: Gateway,
    pub(crate) platform: Platform,
    pub(crate) root: KeyPair,
    /// What Python code runs on.
    pub(crate) pythons: Arc<Pythons>,
    /// What a backup is made of.
    pub(crate) stores: Stores,
    /// Who has one of these may sign in at the console as root, once.
    pub(crate) links: Arc<Links>,
    /// What services measure is kept once more when the server ends.
    pub(crate) metrics: Arc<CloudWatch>,
    /// Held as long as the server lives: one process at a time.
    pub(crate) lock: File,
}

/// Opens the data directory and installs every service. `dev` lets the key `test`/`test` in as root;
/// `gateway` is the URL of the bucket that objects' bodies lie in, if not in the directory; `clock` is the time that the
/// platform goes by; `console` a folder with the console's pages, if those in the binary are not wanted.
///
/// # Errors
/// See [`ServerError`].
pub(crate) async fn open(
    data_dir: &Path,
    dev: bool,
    gateway: Option<String>,
    clock: Arc<dyn Clock>,
    console: Option<PathBuf>,
) -> Result<Server, ServerError> {
    let lock = data_directory::lock(data_dir)?;
    // Making a store costs a row of fsyncs: the two are made side by side.
    let (reserve, of_s3) = (number("BOATHOUSE_DISK_RESERVE")?, s3_options()?);
    let objects = std::thread::spawn({
        let (dir, clock) = (data_dir.join("objects"), Arc::clone(&clock));
        let clock = boathouse_objects::Clock::new(move || clock.now().into());
        let gateway = gateway.clone();
        move || {
            let remote = gateway.map(|url| boathouse_remote::from_environment(&url)).transpose()?;
            let options = boathouse_objects::Options { clock, reserve, remote, ..Default::default() };
            Objects::open(&dir, &options)
        }
    });
    let root = KeyPair::load_or_create(&data_dir.join("credentials"))?;
    let mut keys = vec![root.clone()];
    keys.extend(dev.then(KeyPair::test));

    let platform = Platform::new(Dispatcher::default(), clock, "us-east-1");
    let metadata = Metadata::open(&data_dir.join("metadata.db"))?;
    boathouse_glue_catalog::Catalog::ensure_default(
        &metadata,
        platform.clock.now().timestamp_millis() as f64 / 1000.0,
    )?;
    let identity = Identity::open(metadata.clone(), data_dir, keys, Arc::clone(&platform.clock), dev)?;
    let objects = objects.join().unwrap_or(Err(boathouse_objects::Error::Closed))?;
    let vitals = Arc::new(StoreVitals::new(objects.clone()));
    if let Some(options) = scrubbing(gateway.is_some())? {
        objects.scrub(options);
    }
    let stores = Stores::new(data_dir.to_owned(), objects.clone(), metadata.clone());
    let s3 = boathouse_s3::install(objects, Arc::clone(&identity) as _, Arc::clone(&identity) as _, of_s3);

    let trail = Trail::open(&data_dir.join("trail"))?;
    platform.dispatcher.record_calls(Arc::clone(&trail) as _);
    let (sandbox, inside) = (sandbox(data_dir)?, InsideDoor::default());
    let pythons = Arc::new(Pythons::new(data_dir));
    let engine = Arc::new(sql_engine(data_dir)?);
    // Whoever asks about Glue asks with the catalogue's own policy.
    let judge = Arc::new(CatalogJudge::new(Arc::clone(&identity) as _, metadata.clone()));
    let crawlers = Arc::new(Crawlers::new(
        metadata.clone(),
        Arc::clone(&s3.stores),
        Arc::clone(&identity) as _,
        Arc::clone(&judge) as _,
    ));
    let jobs = Arc::new(Jobs::new(boathouse_glue_jobs::Deps {
        metadata: metadata.clone(),
        engine: Arc::clone(&engine),
        stores: Arc::clone(&s3.stores),
        roles: Arc::clone(&identity) as _,
        authorizer: Arc::clone(&judge) as _,
        sandbox: Arc::clone(&sandbox),
        pythons: Arc::clone(&pythons),
        scripts: data_dir.join("work").join("scripts"),
    })?);
    let logs = Arc::new(Logs::open(metadata.clone(), &data_dir.join("logs"), Arc::clone(&identity) as _)?);
    let metrics = Arc::new(CloudWatch::new(metadata.clone(), platform.clone()));
    let events = Arc::new(Events::new(boathouse_events::Deps {
        metadata: metadata.clone(),
        authorizer: Arc::clone(&identity) as _,
        roles: Arc::clone(&identity) as _,
        clock: Arc::clone(&platform.clock),
    }));
    boathouse_events::worker::hear(&platform, &events);
    let queues = Arc::new(Sqs::new(metadata.clone(), Arc::clone(&identity) as _));
    let machines =
        StepFunctions::new(metadata.clone(), Arc::clone(&identity) as _, Arc::clone(&identity) as _, platform.clone());
    let lambda = Lambda::open(boathouse_lambda::Deps {
        metadata: metadata.clone(),
        stores: Arc::clone(&s3.stores),
        roles: Arc::clone(&identity) as _,
        authorizer: Arc::clone(&identity) as _,
        platform: platform.clone(),
        sandbox,
        pythons: Arc::clone(&pythons),
        endpoint: {
            let inside = inside.clone();
            Arc::new(move |stream| inside.answer(stream))
        },
        code: data_dir.join("lambda"),
        work: data_dir.join("work").join("lambda"),
    })?;
    let journal = Journal::open(&data_dir.join("journal"), &boathouse_journal::Options::default())?;
    let firehose = Arc::new(Firehose::new(boathouse_firehose::Deps {
        metadata: metadata.clone(),
        journal,
        stores: Arc::clone(&s3.stores),
        roles: Arc::clone(&identity) as _,
        authorizer: Arc::clone(&identity) as _,
        spool: data_dir.join("work").join("firehose"),
    }));
    let apis = Arc::new(ApiGateway::new(boathouse_apigateway::Deps {
        metadata: metadata.clone(),
        authorizer: Arc::clone(&identity) as _,
        roles: Arc::clone(&identity) as _,
    }));
    let stacks = Arc::new(Stacks::new(
        metadata.clone(),
        Arc::clone(&s3.stores),
        Arc::clone(&identity) as _,
        Arc::clone(&identity) as _,
    ));
    let glue = boathouse_glue_crawlers::operations(boathouse_glue_catalog::service(metadata.clone()), &crawlers);
    let glue = boathouse_glue_jobs::operations(glue, &jobs);
    let glue = boathouse_glue_catalog::policies::operations(glue, &judge);
    let athena = boathouse_athena::service(boathouse_athena::Deps {
        metadata,
        engine,
        stores: Arc::clone(&s3.stores),
        authorizer: Arc::clone(&identity) as _,
        clock: Arc::clone(&platform.clock),
        concurrent_queries: CONCURRENT_QUERIES,
        queued_queries: QUEUED_QUERIES,
    })?;
    let previews = boathouse_glue_jobs::preview::Previews::new(Arc::clone(&jobs));
    let iceberg = IcebergRest::new(Arc::clone(&s3.stores), Arc::clone(&judge) as _);
    let services = vec![
        sts_service(&identity),
        iam_service(&identity),
        s3.table,
        glue,
        athena.table,
        boathouse_observe::service(&logs),
        boathouse_metrics::service(&metrics),
        boathouse_events::events_service(&events),
        boathouse_events::scheduler_service(&events),
        boathouse_firehose::service(&firehose),
        boathouse_apigateway::service(&apis),
        boathouse_lambda::service(&lambda),
        boathouse_stepfunctions::service(&machines),
        boathouse_sqs::service(&queues),
        boathouse_cloudformation::service(&stacks),
        boathouse_trail::service(&trail),
    ];
    platform.dispatcher.install(services, judge);
    // Before anybody can look: what a crash left half-written goes.
    athena.recovery.run(&platform).await?;
    boathouse_trail::spawn(&platform, &trail);
    boathouse_observe::retention::spawn(&platform, &logs);
    boathouse_metrics::retention::spawn(&metrics);
    boathouse_metrics::vended::spawn(&metrics);
    boathouse_events::worker::start(&platform, &events);
    boathouse_sqs::sweeper::spawn(&platform, &queues);
    boathouse_sqs::moves::recover(&platform, &queues)?;
    s3.background.start(&platform);
    boathouse_glue_crawlers::worker::recover(&platform, &crawlers)?;
    boathouse_glue_jobs::worker::recover(&platform, &jobs)?;
    boathouse_lambda::worker::start(&lambda)?;
    boathouse_firehose::worker::recover(&platform, &firehose)?;
    boathouse_stepfunctions::runner::recover(&machines)?;
    boathouse_cloudformation::engine::recover(&platform, &stacks)?;
    let links = Arc::new(Links::new().map_err(|_| ServerError::Random)?);
    let about = About::new(Arc::clone(&identity) as _, Usage::new(data_dir), machine_memory());
    let console = Console::new(console, Arc::clone(&links), Arc::clone(&identity) as _);
    let gateway = Gateway::new(platform.clone(), identity)
        .with_http_service(s3.http)
        .with_site(Arc::new(Sites::new(&apis)))
        .with_site(Arc::new(boathouse_lambda::Downloads::new(&lambda)))
        .with_site(Arc::new(iceberg))
        .with_site(Arc::new(console))
        .with_documents(athena.lineage)
        .with_documents(previews)
        .with_documents(boathouse_events::Rates::new(&events))
        .with_documents(about)
        .with_vitals(vitals)
        .with_inside_door(inside);
    // Whatever was made for the first time has a name from here on.
    File::open(data_dir).and_then(|directory| directory.sync_all())?;
    Ok(Server { gateway, platform, root, pythons, stores, links, metrics, lock })
}

/// The address below `endpoint` at which somebody can sign in at the console, once.
pub(crate) fn sign_in_link(links: &Links, platform: &Platform, endpoint: &str) -> Result<String, ServerError> {
    let token = links.issue(platform.clock.now()).map_err(|_| ServerError::Random)?;
    Ok(boathouse_console::links::address(endpoint, &token))
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

/// How the scrubber goes about it, unless `BOATHOUSE_SCRUB_RATE` (bytes each second) is 0. A pass begins each
/// `BOATHOUSE_SCRUB_EVERY` seconds. What is `remote` may cost money to read: without a rate it is left alone.
fn scrubbing(remote: bool) -> Result<Option<ScrubOptions>, ServerError> {
    let usual = if remote { 0 } else { SCRUB_RATE };
    let bytes_per_second = number("BOATHOUSE_SCRUB_RATE")?.unwrap_or(usual);
    let every = Duration::from_secs(number("BOATHOUSE_SCRUB_EVERY")?.unwrap_or(SCRUB_EVERY));
    let options = ScrubOptions { bytes_per_second, every, after: every.min(SCRUB_AFTER) };
    Ok(Some(options).filter(|_| bytes_per_second > 0))
}

/// A number from the environment, if it is set.
pub(crate) fn number(name: &'static str) -> Result<Option<u64>, ServerError> {
    let Some(text) = std::env::var_os(name) else { return Ok(None) };
    let text = text.to_string_lossy();
    text.parse().map(Some).map_err(|_| ServerError::NoNumber(name, text.into_owned()))
}

fn s3_options() -> Result<boathouse_s3::Options, ServerError> {
    let entity_tags = std::env::var_os("BOATHOUSE_ENTITY_TAGS").map(|word| word.to_string_lossy().parse());
    Ok(boathouse_s3::Options {
        plain_buckets: std::env::var_os("BOATHOUSE_PLAIN_BUCKETS").is_some(),
        entity_tags: entity_tags.transpose()?.unwrap_or_default(),
    })
}

/// Where functions' and jobs' code runs. None of it sees the data directory.
fn sandbox(data_dir: &Path) -> Result<Arc<Sandbox>, ServerError> {
    let level = Level::from_environment().map_err(ServerError::SandboxLevel)?;
    let hidden = vec![data_dir.to_owned()];
    let work = data_dir.join("work").join("sandbox");
    Ok(Sandbox::open(boathouse_sandbox::Options { level, hidden, ..boathouse_sandbox::Options::new(work) })?)
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
