//! Updating a stack: in place where a type can, with a new real thing where it can't, and back if something fails.

use std::mem;

use serde_json::{Map, Value};

use super::create::{Verdict, create_resource, declared, realize, verdict};
use super::operation::{Halt, Operation};
use super::physical::{Hand, given_name};
use super::{delete, graph, outputs};
use crate::error::StackError;
use crate::resources::{Known, Naming};
use crate::status::{ResourceStatus, StackStatus};
use crate::store::{Physical, Resource};
use crate::template::declaration::RemovalPolicy;

/// UPDATE_IN_PROGRESS.
pub(super) async fn update(operation: &Operation) -> Result<(), StackError> {
    let work = |logical| update_resource(operation, logical);
    let outcome = graph::run(&operation.plan.dependencies, false, || operation.is_current(), work).await;
    let reason = match verdict(operation, outcome.failed)? {
        Verdict::Overtaken => return Ok(()),
        Verdict::Failed(names) => format!("The following resource(s) failed to update: [{}].", names.join(", ")),
        Verdict::Done => match outputs::publish(operation).await? {
            Ok(outputs) => {
                let done = move |stack: &mut crate::store::Stack| stack.outputs = outputs;
                return operation.turn(StackStatus::UpdateCompleteCleanupInProgress, None, done).await;
            }
            Err(reason) => reason,
        },
    };
    // The way back is an operation of its own: that tells what has been brought back from what has not.
    let back = |stack: &mut crate::store::Stack| stack.operation += 1;
    operation.turn(StackStatus::UpdateRollbackInProgress, Some(reason), back).await
}

/// UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: what the new template lacks, and what has been replaced, goes.
pub(super) async fn clean_up(operation: &Operation) -> Result<(), StackError> {
    let Some(failed) = sweep(operation).await? else { return Ok(()) };
    let now = operation.now();
    let done = move |stack: &mut crate::store::Stack| {
        stack.previous = None;
        stack.updated = Some(now);
    };
    operation.turn(StackStatus::UpdateComplete, failed, done).await
}

/// UPDATE_ROLLBACK_IN_PROGRESS: everything becomes what it was.
pub(super) async fn roll_back(operation: &Operation) -> Result<(), StackError> {
    let work = |logical| restore(operation, logical);
    let outcome = graph::run(&operation.plan.dependencies, false, || operation.is_current(), work).await;
    match verdict(operation, outcome.failed)? {
        Verdict::Overtaken => Ok(()),
        Verdict::Done => operation.turn(StackStatus::UpdateRollbackCompleteCleanupInProgress, None, |_| {}).await,
        Verdict::Failed(names) => {
            let reason = format!("The following resource(s) failed to update: [{}].", names.join(", "));
            operation.turn(StackStatus::UpdateRollbackFailed, Some(reason), |_| {}).await
        }
    }
}

/// UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: what the failed update made goes.
pub(super) async fn clean_up_rollback(operation: &Operation) -> Result<(), StackError> {
    let Some(failed) = sweep(operation).await? else { return Ok(()) };
    let now = operation.now();
    let done = move |stack: &mut crate::store::Stack| {
        if let Some(previous) = stack.previous.take() {
            stack.definition = previous;
        }
        stack.updated = Some(now);
    };
    operation.turn(StackStatus::UpdateRollbackComplete, failed, done).await
}

/// Brings one resource to what the new template says.
async fn update_resource(operation: &Operation, logical: String) -> Result<(), Halt> {
    let Some(mut row) = operation.row(&logical) else { return create_resource(operation, logical).await };
    let begun = row.operation == operation.stack.operation;
    match (begun, row.status) {
        (true, ResourceStatus::UpdateComplete) => return Ok(()),
        (true, ResourceStatus::UpdateInProgress) => {}
        (true, _) if row.previous.is_none() => return create_resource(operation, logical).await,
        _ => match begin(operation, &mut row).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(halt) => return fail(operation, row, halt).await,
        },
    }
    match bring_over(operation, &mut row).await {
        Ok(()) => {
            (row.status, row.reason) = (ResourceStatus::UpdateComplete, None);
            operation.tell(&mut row).await?;
            Ok(())
        }
        Err(halt) => fail(operation, row, halt).await,
    }
}

async fn fail(operation: &Operation, mut row: Resource, halt: Halt) -> Result<(), Halt> {
    if let Halt::Failed(reason) = &halt {
        (row.status, row.reason) = (ResourceStatus::UpdateFailed, Some(reason.clone()));
        operation.tell(&mut row).await?;
    }
    Err(halt)
}

/// Decides what has to be done and keeps the decision. Answers whether anything has.
async fn begin(operation: &Operation, row: &mut Resource) -> Result<bool, Halt> {
    let mut wanted = declared(operation, &row.logical);
    let known = operation.known(&wanted.kind)?;
    wanted.properties = operation.properties(&row.logical, known)?;
    let same_kind = wanted.kind == row.current.kind;
    if same_kind && wanted.properties == row.current.properties {
        if wanted.deletion_policy != row.current.deletion_policy || wanted.depends_on != row.current.depends_on {
            row.current.deletion_policy = wanted.deletion_policy;
            row.current.update_replace_policy = wanted.update_replace_policy;
            row.current.depends_on = wanted.depends_on;
            operation.keep_quietly(row).await?;
        }
        return Ok(false);
    }
    let replaces = !same_kind || is_replacement(known, &row.current.properties, &wanted.properties);
    if replaces && same_kind && matches!(known.kind.naming, Naming::Property(..)) {
        let name = given_name(known, &wanted.properties);
        if name.is_some_and(|name| name == row.current.name) {
            let name = &row.current.name;
            return Err(Halt::Failed(format!(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {name} and \
                 update the stack again."
            )));
        }
    }
    if !replaces {
        let kept = row.current.clone();
        (wanted.name, wanted.id) = (kept.name.clone(), kept.id.clone());
        (wanted.attributes, wanted.initiated, wanted.token) = (kept.attributes.clone(), true, kept.token.clone());
    }
    row.previous = Some(mem::replace(&mut row.current, wanted));
    row.replaced = replaces;
    let why = "Requested update requires the creation of a new physical resource; hence creating one.";
    (row.status, row.reason) = (ResourceStatus::UpdateInProgress, replaces.then(|| why.to_owned()));
    operation.tell(row).await?;
    Ok(true)
}

/// Whether the change can't be made to the thing as it is.
pub(crate) fn is_replacement(known: &Known, old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    known.kind.update.is_empty() || known.schema.replaces(old, new)
}

/// Does what has been decided.
async fn bring_over(operation: &Operation, row: &mut Resource) -> Result<(), Halt> {
    if row.replaced {
        return realize(operation, row, ResourceStatus::UpdateInProgress).await;
    }
    let known = operation.known(&row.current.kind)?;
    let old = row.previous.as_ref().map(|previous| previous.properties.clone()).unwrap_or_default();
    let hand = Hand { operation, known, thing: &row.current, old: &old };
    let attributes = hand.change().await?;
    row.current.attributes = attributes;
    Ok(())
}

/// Makes one resource what it was before the update.
async fn restore(operation: &Operation, logical: String) -> Result<(), Halt> {
    let Some(mut row) = operation.row(&logical) else { return Ok(()) };
    let touched = row.operation + 1 == operation.stack.operation;
    if !touched {
        return Ok(()); // the update had not come to it, or it has been brought back before a restart
    }
    let Some(previous) = row.previous.clone() else {
        if row.status == ResourceStatus::UpdateFailed {
            (row.status, row.reason) = (ResourceStatus::UpdateComplete, None);
            operation.tell(&mut row).await?;
        }
        return Ok(());
    };
    row.reason = None;
    if row.replaced {
        // The new thing goes later, when nothing refers to it any more.
        row.previous = Some(mem::replace(&mut row.current, previous));
    } else {
        let known = operation.known(&previous.kind)?;
        let changed = mem::replace(&mut row.current, previous);
        let hand = Hand { operation, known, thing: &row.current, old: &changed.properties };
        if let Err(halt) = hand.change().await {
            row.previous = Some(mem::replace(&mut row.current, changed));
            return fail(operation, row, halt).await;
        }
        row.previous = None;
    }
    row.status = ResourceStatus::UpdateComplete;
    operation.tell(&mut row).await?;
    Ok(())
}

/// Removes what is no longer wanted. Answers what could not be removed, as a reason; none if another operation has begun.
async fn sweep(operation: &Operation) -> Result<Option<Option<String>>, StackError> {
    let order = delete::order(&operation.rows());
    let outcome =
        graph::run(&order, true, || operation.is_current(), |logical| sweep_resource(operation, logical)).await;
    Ok(match verdict(operation, outcome.failed)? {
        Verdict::Overtaken => None,
        Verdict::Done => Some(None),
        Verdict::Failed(names) => {
            Some(Some(format!("The following resource(s) could not be deleted: [{}].", names.join(", "))))
        }
    })
}

async fn sweep_resource(operation: &Operation, logical: String) -> Result<(), Halt> {
    let Some(mut row) = operation.row(&logical) else { return Ok(()) };
    if let Some(old) = row.previous.clone().filter(|_| row.replaced) {
        // The row names the old thing until it is gone: a restart in between takes it up again.
        let gone = remove_or_keep(operation, &row, &old, old.update_replace_policy).await;
        if let Err(Halt::Store(_)) = gone {
            return gone;
        }
        (row.previous, row.replaced) = (None, false);
        operation.keep_quietly(&row).await?;
        gone?;
    } else if row.previous.take().is_some() {
        operation.keep_quietly(&row).await?;
    }
    if operation.plan.resources.contains_key(&logical) {
        return Ok(());
    }
    let rolls_back = operation.stack.status == StackStatus::UpdateRollbackCompleteCleanupInProgress;
    let policy = match row.current.deletion_policy {
        RemovalPolicy::RetainExceptOnCreate if rolls_back => RemovalPolicy::Delete,
        policy => policy,
    };
    let gone = remove_or_keep(operation, &row, &row.current, policy).await;
    operation.forget(&logical).await?;
    gone
}

async fn remove_or_keep(
    operation: &Operation,
    row: &Resource,
    thing: &Physical,
    policy: RemovalPolicy,
) -> Result<(), Halt> {
    if policy == RemovalPolicy::Delete {
        return delete::remove_thing(operation, row, thing).await;
    }
    Ok(operation.tell_of(row, thing, ResourceStatus::DeleteSkipped, None).await?)
}
