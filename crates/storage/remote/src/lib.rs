//! Another S3-compatible store as the place where objects' bodies lie: gateway mode.
//!
//! A small client of S3 for what the object engine asks of such a store ([`RemoteStore`]): ranges that stream, whole bodies,
//! uploads in parts, lists. Paths are `endpoint/bucket/key`. A request is tried again where that may help, for half a minute at
//! most, and none waits for ever for an answer.
//!
//! | Module | Holds |
//! |---|---|
//! | `settings` | what the environment says |
//! | `http` | connections, kept open for the next request |
//! | `request` | one request: its signature, its repetition, what its failure means |
//! | `store` | the operations |
//! | `answer` | the elements of an answer's XML |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod http;
mod request;
mod settings;
mod store;

use boathouse_objects::{Error, Remote, RemoteStore, Result};

use crate::settings::Settings;
use crate::store::S3Store;

/// The bucket of `s3://bucket` or `s3://bucket/prefix`. Endpoint (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`), region (`AWS_REGION`,
/// `AWS_DEFAULT_REGION`) and keys (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`) come from the environment.
/// Nothing is asked of the store yet.
///
/// # Errors
/// [`Error::RemoteConfiguration`].
pub fn from_environment(url: &str) -> Result<Remote> {
    let settings = Settings::new(url, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    // Threads of their own: requests neither wait for queries nor end before the collector does.
    let mut io = tokio::runtime::Builder::new_multi_thread();
    let io = io.worker_threads(2).thread_name("remote-store").enable_all().build().map_err(Error::from)?;
    let prefix = settings.prefix.clone();
    let store: Box<dyn RemoteStore> = Box::new(S3Store::new(settings, io.handle().clone())?);
    Ok(Remote::new(store, url, &prefix, io))
}
