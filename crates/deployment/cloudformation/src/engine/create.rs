//! Creating a stack, and taking back what could not be finished.

use std::collections::BTreeSet;

use super::operation::{Halt, Operation};
use super::physical::{Hand, given_name};
use super::{delete, graph, outputs};
use crate::error::StackError;
use crate::resources::{Naming, names};
use crate::status::{ResourceStatus, StackStatus};
use crate::store::{OnFailure, Physical, Resource};

/// What a step of an operation found out.
pub(super) enum Verdict {
    Done,
    /// What failed, as the stack's reason tells it.
    Failed(Vec<String>),
    /// Another operation has begun, so this one is over.
    Overtaken,
}

/// Sorts the failures of a graph's work: the store's end the operation.
pub(super) fn verdict(operation: &Operation, failed: Vec<(String, Halt)>) -> Result<Verdict, StackError> {
    let mut names = Vec::new();
    for (name, halt) in failed {
        match halt {
            Halt::Failed(_) | Halt::Unmade(_) => names.push(name),
            Halt::Store(error) => return Err(error),
        }
    }
    Ok(match (operation.is_current(), names.is_empty()) {
        (false, _) => Verdict::Overtaken,
        (true, true) => Verdict::Done,
        (true, false) => Verdict::Failed(names),
    })
}

/// CREATE_IN_PROGRESS.
pub(super) async fn create(operation: &Operation) -> Result<(), StackError> {
    let work = |logical| create_resource(operation, logical);
    let outcome = graph::run(&operation.plan.dependencies, false, || operation.is_current(), work).await;
    let reason = match verdict(operation, outcome.failed)? {
        Verdict::Overtaken => return Ok(()),
        Verdict::Failed(names) => format!("The following resource(s) failed to create: [{}].", names.join(", ")),
        Verdict::Done => match outputs::publish(operation).await? {
            Ok(outputs) => {
                let done = move |stack: &mut crate::store::Stack| stack.outputs = outputs;
                return operation.turn(StackStatus::CreateComplete, None, done).await;
            }
            Err(reason) => reason,
        },
    };
    let (next, consequence) = match operation.stack.on_failure {
        OnFailure::Rollback => (StackStatus::RollbackInProgress, " Rollback requested by user."),
        OnFailure::Delete => (StackStatus::DeleteInProgress, " Delete requested by user."),
        OnFailure::DoNothing => (StackStatus::CreateFailed, ""),
    };
    operation.turn(next, Some(format!("{reason}{consequence}")), |_| {}).await
}

/// ROLLBACK_IN_PROGRESS: everything that was made goes.
pub(super) async fn roll_back(operation: &Operation) -> Result<(), StackError> {
    outputs::withdraw(operation).await?;
    match delete::everything(operation).await? {
        Verdict::Overtaken => Ok(()),
        Verdict::Done => operation.turn(StackStatus::RollbackComplete, None, |_| {}).await,
        Verdict::Failed(names) => {
            let reason = format!("The following resource(s) failed to delete: [{}].", names.join(", "));
            operation.turn(StackStatus::RollbackFailed, Some(reason), |_| {}).await
        }
    }
}

/// Makes a resource that the stack has not had.
pub(super) async fn create_resource(operation: &Operation, logical: String) -> Result<(), Halt> {
    let mut row = match operation.row(&logical) {
        Some(row) if row.status == ResourceStatus::CreateComplete => return Ok(()),
        Some(row) => row,
        None => {
            let mut row = new_row(operation, &logical);
            operation.tell(&mut row).await?;
            row
        }
    };
    match realize(operation, &mut row, ResourceStatus::CreateInProgress).await {
        Ok(()) => {
            (row.status, row.reason) = (ResourceStatus::CreateComplete, None);
            operation.tell(&mut row).await?;
            Ok(())
        }
        Err(Halt::Failed(reason)) => {
            tracing::info!(stack = operation.stack.id, resource = logical, reason, "resource not created");
            (row.status, row.reason) = (ResourceStatus::CreateFailed, Some(reason.clone()));
            operation.tell(&mut row).await?;
            Err(Halt::Failed(reason))
        }
        Err(store) => Err(store),
    }
}

fn new_row(operation: &Operation, logical: &str) -> Resource {
    Resource {
        logical: logical.to_owned(),
        status: ResourceStatus::CreateInProgress,
        reason: None,
        updated: operation.now(),
        operation: operation.stack.operation,
        current: declared(operation, logical),
        previous: None,
        replaced: false,
    }
}

/// What the plan says of a resource, before anything is known of the real thing.
pub(super) fn declared(operation: &Operation, logical: &str) -> Physical {
    let resource = &operation.plan.resources[logical];
    Physical {
        kind: resource.kind.clone(),
        depends_on: operation.plan.dependencies.get(logical).cloned().unwrap_or_default(),
        deletion_policy: resource.deletion_policy,
        update_replace_policy: resource.update_replace_policy,
        token: uuid::Uuid::new_v4().to_string(),
        ..Physical::default()
    }
}

/// Makes the real thing of `row.current`; every step is kept before the next one, so that a restart goes on from there.
pub(super) async fn realize(operation: &Operation, row: &mut Resource, status: ResourceStatus) -> Result<(), Halt> {
    let known = operation.known(&row.current.kind)?;
    let again = row.current.initiated;
    if !again {
        row.current.properties = operation.properties(&row.logical, known)?;
        let given = given_name(known, &row.current.properties);
        row.current.name = match (&given, &known.kind.naming) {
            (Some(name), _) => name.clone(),
            (None, Naming::Property(_, style) | Naming::Label(_, style) | Naming::Generated(style)) => {
                names::generate(*style, &operation.stack.name, &row.logical, uuid::Uuid::new_v4().as_bytes())
            }
        };
        if given.is_some() && Hand::new(operation, known, &row.current).read().await?.is_some() {
            let (kind, name) = (&row.current.kind, &row.current.name);
            return Err(Halt::Failed(format!("Resource of type '{kind}' with identifier '{name}' already exists.")));
        }
        row.current.initiated = true;
        let mut shown = row.clone();
        shown.current.id = Some(row.current.name.clone());
        (shown.status, shown.reason) = (status, Some("Resource creation Initiated".to_owned()));
        operation.tell(&mut shown).await?;
        (row.status, row.operation) = (status, shown.operation);
    }
    match Hand::new(operation, known, &row.current).make(again).await {
        Ok((id, attributes)) => {
            (row.current.id, row.current.attributes) = (Some(id), attributes);
            Ok(())
        }
        Err(Halt::Unmade(reason)) => {
            row.current.initiated = false;
            Err(Halt::Failed(reason))
        }
        Err(halt) => Err(halt),
    }
}

/// The names that a set of rows must wait for when they go: whoever needs them goes first.
pub(super) fn needs(thing: &Physical) -> BTreeSet<String> {
    thing.depends_on.clone()
}
