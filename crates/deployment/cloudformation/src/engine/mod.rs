//! Operations on stacks, in the background. A stack's status is the place where its operation stands: [`drive`] does what
//! the status says, durably writes the next one, and goes on until the operation has ended. After a restart it begins
//! again where the rows stand.
//!
//! | Module | What it does |
//! |---|---|
//! | `graph` | work on things that wait for each other |
//! | `operation` | one operation: its plan, its rows, events |
//! | `physical` | the calls that make, change, read and remove one real thing |
//! | `create`, `update`, `delete` | what each status demands |
//! | `outputs` | outputs, exports, imports |

mod create;
mod delete;
pub(crate) mod graph;
mod operation;
mod outputs;
mod physical;
mod update;

use std::sync::Arc;

use boathouse_aws::Platform;
use boathouse_metadata::Key;

use crate::error::StackError;
use crate::status::StackStatus;
use crate::store::{ALL, STACKS, Stack, Stacks};
use operation::Operation;

/// The service that stacks' roles must trust.
pub(crate) const SERVICE: &str = "cloudformation.amazonaws.com";

/// Takes up the operations that an earlier process did not finish.
///
/// # Errors
/// The store can't be read.
pub fn recover(platform: &Platform, state: &Arc<Stacks>) -> Result<(), StackError> {
    for entry in state.metadata.scan(STACKS, &Key::default(), None, ALL)? {
        let stack: Stack = entry.json()?;
        if stack.status.is_busy() {
            tracing::info!(stack = stack.id, status = %stack.status, "the stack's operation goes on after a restart");
            start(platform, state, &stack.uuid);
        }
    }
    Ok(())
}

/// Sees to it that the stack's operation is worked on.
pub(crate) fn start(platform: &Platform, state: &Arc<Stacks>, uuid: &str) {
    if !state.running.lock().insert(uuid.to_owned()) {
        return; // whoever works on it looks at the status again before it ends
    }
    let (platform, state, uuid) = (platform.clone(), Arc::clone(state), uuid.to_owned());
    tokio::spawn(async move {
        if let Err(error) = drive(&platform, &state, &uuid).await {
            tracing::error!(stack = uuid, %error, "the stack's operation can't go on");
            state.running.lock().remove(&uuid);
        }
    });
}

async fn drive(platform: &Platform, state: &Arc<Stacks>, uuid: &str) -> Result<(), StackError> {
    loop {
        let stack = {
            let mut running = state.running.lock();
            match state.by_uuid(uuid)?.filter(|stack| stack.status.is_busy()) {
                Some(stack) => stack,
                None => {
                    running.remove(uuid);
                    return Ok(());
                }
            }
        };
        step(platform, state, stack).await?;
    }
}

async fn step(platform: &Platform, state: &Arc<Stacks>, stack: Stack) -> Result<(), StackError> {
    let status = stack.status;
    let operation = match Operation::open(platform, state, stack.clone()) {
        Ok(operation) => operation,
        // The template was checked before it was accepted: what can fail here is the role.
        Err(error) => return operation::give_up(platform, state, stack, error.to_string()).await,
    };
    match status {
        StackStatus::CreateInProgress => create::create(&operation).await,
        StackStatus::RollbackInProgress => create::roll_back(&operation).await,
        StackStatus::DeleteInProgress => delete::delete(&operation).await,
        StackStatus::UpdateInProgress => update::update(&operation).await,
        StackStatus::UpdateCompleteCleanupInProgress => update::clean_up(&operation).await,
        StackStatus::UpdateRollbackInProgress => update::roll_back(&operation).await,
        StackStatus::UpdateRollbackCompleteCleanupInProgress => update::clean_up_rollback(&operation).await,
        other => unreachable!("{other} is no status of an operation that is going on"),
    }
}
