//! What goes on without requests: the queue of events, event sources, waiting instances, archives that nobody needs.

use std::collections::HashSet;
use std::sync::Arc;

use boathouse_metadata::Key;

use crate::error::LambdaError;
use crate::layers::Layer;
use crate::store::{FUNCTIONS, Function, LAYERS, Lambda, StoredFunction, VERSIONS};
use crate::{event_sources, invoke};

/// Takes up the events that an earlier process did not finish, and clears away archives that no row names.
///
/// # Errors
/// The store can't be read.
pub fn start(state: &Arc<Lambda>) -> Result<(), LambdaError> {
    let functions = rows::<StoredFunction>(state, FUNCTIONS)?;
    state.pool.set_reserved_sum(functions.iter().filter_map(|function| function.reserved).sum());
    let versions = rows::<Function>(state, VERSIONS)?;
    let layers = rows::<Layer>(state, LAYERS)?;
    let every = functions.iter().map(|function| &function.latest).chain(&versions);
    let mut used: HashSet<String> = layers.into_iter().map(|layer| layer.digest).collect();
    for function in every {
        used.insert(function.digest.clone());
        used.extend(function.layers.iter().map(|layer| layer.digest.clone()));
    }
    if let Err(error) = state.code.sweep(&used) {
        tracing::warn!(%error, "archives that nobody needs can't be removed");
    }
    state.pool.sweep();
    invoke::work(state);
    event_sources::start(state)
}

fn rows<T: serde::de::DeserializeOwned>(state: &Lambda, space: &'static str) -> Result<Vec<T>, LambdaError> {
    let rows = state.metadata.scan(space, &Key::default(), None, usize::MAX >> 1)?;
    Ok(rows.iter().map(|row| row.json()).collect::<Result<_, _>>()?)
}
