//! `boathouse demo`: real files land, a crawler catalogues them, SQL cleans, joins and aggregates them.
//!
//! | Module | What it does |
//! |---|---|
//! | `client` | signed calls to the server over HTTP |
//! | `pipeline` | the steps, and the SQL of each |
//! | `screen` | progress bars and result tables |

mod client;
mod pipeline;
mod screen;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::client::Client;
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
    /// A crawl or a query failed.
    #[error("{what} failed: {reason}")]
    Failed {
        /// Which crawl or query.
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
    let server = server::open(&data_dir, false)?;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listener.local_addr()?;
    server.platform.reachable_at(server::endpoint("http", address));
    let client = Client { address, region: server.platform.region.to_string(), key: server.root.clone() };
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(Arc::new(server.gateway).serve(listener, async move {
        // An error says that the demonstration is gone, which is as good a reason to stop.
        let _ = stopped.await;
    }));
    let outcome = pipeline::run(&client).await;
    if outcome.is_ok() {
        screen::connection(address, &data_dir, options.keep, temporary.is_none());
    }
    if options.keep && outcome.is_ok() {
        tokio::signal::ctrl_c().await?;
    }
    drop(stop);
    serving.await.map_err(std::io::Error::other)?;
    drop(server.lock);
    outcome
}
