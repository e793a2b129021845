//! Deleting a stack: what others need goes last.

use std::collections::BTreeMap;

use super::create::{Verdict, needs, verdict};
use super::operation::{Halt, Operation};
use super::physical::Hand;
use super::{graph, outputs};
use crate::error::StackError;
use crate::status::{ResourceStatus, StackStatus};
use crate::store::{Physical, Resource};
use crate::template::declaration::RemovalPolicy;

/// DELETE_IN_PROGRESS.
pub(super) async fn delete(operation: &Operation) -> Result<(), StackError> {
    if let Some(reason) = outputs::in_use(operation)? {
        return operation.turn(StackStatus::DeleteFailed, Some(reason), |_| {}).await;
    }
    match everything(operation).await? {
        Verdict::Overtaken => Ok(()),
        Verdict::Failed(names) => {
            let reason = format!("The following resource(s) failed to delete: [{}].", names.join(", "));
            operation.turn(StackStatus::DeleteFailed, Some(reason), |_| {}).await
        }
        Verdict::Done => {
            outputs::withdraw(operation).await?;
            let now = operation.now();
            operation.turn(StackStatus::DeleteComplete, None, move |stack| stack.deleted = Some(now)).await
        }
    }
}

/// Removes all resources. One that can't be removed keeps what it needs.
pub(super) async fn everything(operation: &Operation) -> Result<Verdict, StackError> {
    let rows = operation.rows();
    let waits = rows.iter().map(|(name, row)| (name.clone(), needs(&row.current))).collect();
    let order = graph::reversed(&waits);
    let work = |logical| remove_resource(operation, logical);
    let outcome = graph::run(&order, true, || operation.is_current(), work).await;
    verdict(operation, outcome.failed)
}

async fn remove_resource(operation: &Operation, logical: String) -> Result<(), Halt> {
    let Some(mut row) = operation.row(&logical) else { return Ok(()) };
    if row.status == ResourceStatus::DeleteComplete {
        return Ok(());
    }
    // What an update that never ended left beside the present thing.
    if let Some(previous) = row.previous.clone().filter(|_| row.replaced) {
        // The row names it until it is gone: a restart in between takes it up again.
        remove_thing(operation, &row, &previous).await?;
    }
    (row.previous, row.replaced) = (None, false);
    let creation = operation.stack.status == StackStatus::RollbackInProgress;
    let kept = match row.current.deletion_policy {
        RemovalPolicy::Delete => false,
        RemovalPolicy::Retain => true,
        RemovalPolicy::RetainExceptOnCreate => !creation,
    };
    if kept || operation.stack.retain.contains(&logical) {
        (row.status, row.reason) = (ResourceStatus::DeleteSkipped, None);
        operation.tell(&mut row).await?;
        return Ok(());
    }
    if !row.current.initiated {
        (row.status, row.reason) = (ResourceStatus::DeleteComplete, None);
        operation.tell(&mut row).await?;
        return Ok(());
    }
    (row.status, row.reason) = (ResourceStatus::DeleteInProgress, None);
    operation.tell(&mut row).await?;
    let known = operation.known(&row.current.kind)?;
    match Hand::new(operation, known, &row.current).remove().await {
        Ok(()) => {
            row.status = ResourceStatus::DeleteComplete;
            operation.tell(&mut row).await?;
            Ok(())
        }
        Err(Halt::Failed(reason)) => {
            (row.status, row.reason) = (ResourceStatus::DeleteFailed, Some(reason.clone()));
            operation.tell(&mut row).await?;
            Err(Halt::Failed(reason))
        }
        Err(store) => Err(store),
    }
}

/// Removes a real thing that is no longer a resource's present one.
pub(super) async fn remove_thing(operation: &Operation, row: &Resource, thing: &Physical) -> Result<(), Halt> {
    if !thing.initiated {
        return Ok(());
    }
    operation.tell_of(row, thing, ResourceStatus::DeleteInProgress, None).await?;
    let known = operation.known(&thing.kind)?;
    match Hand::new(operation, known, thing).remove().await {
        Ok(()) => Ok(operation.tell_of(row, thing, ResourceStatus::DeleteComplete, None).await?),
        Err(Halt::Failed(reason)) => {
            operation.tell_of(row, thing, ResourceStatus::DeleteFailed, Some(reason.clone())).await?;
            Err(Halt::Failed(reason))
        }
        Err(store) => Err(store),
    }
}

/// The order in which rows go when only some of them do.
pub(super) fn order(rows: &BTreeMap<String, Resource>) -> BTreeMap<String, std::collections::BTreeSet<String>> {
    let waits = rows.iter().map(|(name, row)| {
        let thing = row.previous.as_ref().filter(|_| row.replaced).unwrap_or(&row.current);
        (name.clone(), needs(thing))
    });
    graph::reversed(&waits.collect())
}
