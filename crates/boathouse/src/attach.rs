//! `boathouse attach`: objects that were in the gateway's bucket before, made objects of one of our buckets where they are.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::backup::BackupError;
use crate::backup::control::{self, Order};
use crate::say;

/// What to attach.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The data directory, on which a server with --gateway runs.
    #[arg(long, env = "BOATHOUSE_DATA_DIR", default_value = "boathouse-data")]
    data_dir: PathBuf,
    /// The bucket that the objects are to be in. It must be there.
    #[arg(long)]
    bucket: String,
    /// Only keys that begin so.
    #[arg(long, default_value = "")]
    prefix: String,
}

/// What the server is asked to attach.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attachment {
    /// The bucket.
    pub(crate) bucket: String,
    /// What keys begin with.
    pub(crate) prefix: String,
}

pub(crate) async fn run(options: Options) -> Result<(), BackupError> {
    let Options { data_dir, bucket, prefix } = options;
    let order = Order::Attach(Attachment { bucket, prefix });
    let summary = tokio::task::spawn_blocking(move || control::ask(&data_dir, &order)).await;
    say!("{}", summary.unwrap_or_else(|_| Err(BackupError::Server("it was stopped".into())))?);
    Ok(())
}
