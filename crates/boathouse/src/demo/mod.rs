//! `boathouse demo`: the reference architecture of `examples/serverless-data-platform`, deployed, fed and run for a day.
//!
//! | Module | What it does |
//! |---|---|
//! | `client` | signed calls to the server over HTTP |
//! | `deploy` | the job scripts and the CloudFormation stack |
//! | `records` | the departures as a stream would carry them, broken and repeated ones among them |
//! | `feed` | the stream and the uploads, until they have landed |
//! | `night` | the clock goes to the scheduled hour; the workflow runs |
//! | `ask` | the work group's saved queries |
//! | `clock` | the time of a data directory that has seen tomorrow |
//! | `console` | the console's pages, where the binary has none |
//! | `screen` | progress bars and result tables |

mod ask;
mod client;
mod clock;
mod console;
mod deploy;
mod feed;
mod night;
mod records;
mod screen;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use boathouse_runtimes::{Packages, Pythons};
use indicatif::ProgressBar;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::client::Client;
use self::clock::DemoClock;
use self::screen::Steps;
use crate::server::{self, ServerError};

/// How to demonstrate.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to keep the data; a temporary directory without.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Keeps the server running afterwards, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// The port to serve on; a free one without.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A folder with the console's pages instead of those in the binary, for who works on them.
    #[arg(long, env = "BOATHOUSE_CONSOLE_DIR")]
    console_dir: Option<PathBuf>,
}

/// Why the demonstration ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The server can't be started.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The data directory or the bundled data can't be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A call failed.
    #[error("{0}")]
    Client(String),
    /// Something that the demonstration set going did not end well.
    #[error("{what} failed: {reason}")]
    Failed {
        /// Which stack, execution or query.
        what: String,
        /// What the service said.
        reason: String,
    },
}

pub(crate) async fn run(options: Options) -> Result<(), DemoError> {
    let temporary = options.data_dir.is_none().then(tempfile::tempdir).transpose()?;
    let data_dir = match (&options.data_dir, &temporary) {
        (Some(given), _) => given.clone(),
        (None, Some(temporary)) => temporary.path().join("data"),
        (None, None) => return Err(std::io::Error::other("no directory to work in").into()),
    };
    let clock = DemoClock::open(&data_dir)?;
    let pages = console::Pages::find(options.console_dir);
    let server = server::open(&data_dir, false, None, clock.shared(), pages.folder()).await?;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], options.port))).await?;
    let address = listener.local_addr()?;
    server.platform.reachable_at(server::endpoint("http", address));
    let client = Client { address, region: server.platform.region.to_string(), key: server.root.clone() };
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(Arc::new(server.gateway).serve(listener, async move {
        // An error says that the demonstration is gone, which is as good a reason to stop.
        let _ = stopped.await;
    }));
    let building = options.keep.then(|| pages.build());
    let outcome = demonstrate(&client, &clock, &server.pythons).await;
    if let Ok(addresses) = &outcome {
        screen::connection(address, &data_dir, addresses, options.keep, temporary.is_none());
        if let Some(building) = building {
            let link = server::sign_in_link(&server.links, &server.platform, &server::endpoint("http", address))?;
            screen::console(&building.await.unwrap_or_else(|error| Err(error.to_string())), &link);
        }
        if options.keep {
            tokio::signal::ctrl_c().await?;
        }
    }
    drop(stop);
    serving.await.map_err(std::io::Error::other)?;
    drop(server.lock);
    outcome.map(drop)
}

/// Makes sure of the Python that functions and jobs run on: the first time it is made from PyPI.
async fn python(pythons: &Pythons, progress: &ProgressBar) -> Result<((), String), DemoError> {
    let ready = pythons.ready(Packages::Base, |line| progress.set_message(format!("python: {line}"))).await;
    let python = ready.map_err(|error| DemoError::Failed { what: "Python".into(), reason: error.to_string() })?;
    Ok(((), format!("functions and jobs run on Python {}", python.version)))
}

/// Runs all steps, and answers the addresses to look at.
async fn demonstrate(
    client: &Client,
    clock: &DemoClock,
    pythons: &Pythons,
) -> Result<Vec<(String, String)>, DemoError> {
    let mut steps = Steps::new(7);
    let progress = steps.progress();
    steps.step("python", python(pythons, &progress)).await?;
    let stack = steps.step("deploy", deploy::deploy(client)).await?;
    steps.step("stream", feed::stream(client, &stack)).await?;
    steps.step("upload", feed::upload(client, &stack)).await?;
    steps.step("land", feed::land(client, &stack)).await?;
    let states = steps.step("work", night::work(client, &stack, clock, &progress)).await?;
    let results = steps.step("ask", ask::saved_queries(client, &stack)).await?;
    steps.finish();
    screen::table("What the workflow did", &["state", "times", "took"], &states);
    for result in &results {
        screen::table(&result.title, &result.names, &result.rows);
    }
    Ok(stack.addresses(client.address))
}
