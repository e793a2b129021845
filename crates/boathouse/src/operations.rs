//! `boathouse operations`: what is implemented, for the coverage table.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::{ServiceTable, SystemClock};

use crate::say;
use crate::server::{self, ServerError};

/// Prints `{service: [operation…]}` as JSON, read from the tables that a server would answer with.
pub(crate) async fn run() -> Result<(), ServerError> {
    let directory = tempfile::tempdir()?;
    let server = server::open(directory.path(), false, None, Arc::new(SystemClock), None).await?;
    let names = |table: &ServiceTable| (table.name, table.operation_names().collect());
    let mut services: BTreeMap<&str, Vec<&str>> = server.platform.dispatcher.services().map(names).collect();
    let mut s3 = boathouse_s3::OPERATIONS.to_vec();
    s3.sort_unstable();
    services.insert("s3", s3);
    say!("{}", serde_json::json!(services));
    Ok(())
}
