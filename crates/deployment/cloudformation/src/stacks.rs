//! CreateStack, UpdateStack, DeleteStack, UpdateTerminationProtection.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;
use serde::Serialize;

use crate::api::{DeleteStack, Empty, StackInput, TerminationProtection};
use crate::engine;
use crate::error::StackError;
use crate::requests::{self, Checked, check, check_role, is_same, plan_of, valid_name};
use crate::status::StackStatus;
use crate::store::{
    ALL, CHANGE_SETS, Caller, Definition, OnFailure, STACKS, Stack, Stacks, Time, put_stack, put_with_event, stack_in,
};

/// Which stack an operation is about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StackId {
    pub(crate) stack_id: String,
}

/// A stack that is about to be made.
pub(crate) fn new_stack(ctx: &Ctx, name: &str, uuid: &str) -> Stack {
    Stack {
        id: stack_arn(ctx, name, uuid),
        name: name.to_owned(),
        uuid: uuid.to_owned(),
        status: StackStatus::ReviewInProgress,
        reason: Some("User Initiated".to_owned()),
        description: None,
        definition: Definition::default(),
        previous: None,
        outputs: Vec::new(),
        created: Time(ctx.now()),
        updated: None,
        deleted: None,
        on_failure: OnFailure::Rollback,
        termination_protection: false,
        caller: Caller::from(&*ctx.principal),
        operation: 0,
        token: None,
        retain: Vec::new(),
        events: 0,
        change_set: None,
    }
}

pub(crate) fn stack_arn(ctx: &Ctx, name: &str, uuid: &str) -> String {
    Arn::new("cloudformation", ctx.region(), format!("stack/{name}/{uuid}")).to_string()
}

/// What IAM is asked about: the stack of a name or of an ARN.
pub(crate) fn resource(ctx: &Ctx, name_or_id: &str) -> Vec<String> {
    if name_or_id.starts_with("arn:") {
        return vec![name_or_id.to_owned()];
    }
    vec![stack_arn(ctx, name_or_id, "*")]
}

/// What becomes of the stack if it can't be made.
pub(crate) fn on_failure(input: &StackInput) -> Result<OnFailure, StackError> {
    let invalid = |message: &str| Err(StackError::Validation(message.to_owned()));
    match (input.on_failure.as_deref(), input.disable_rollback) {
        (Some(_), Some(_)) => invalid("You cannot specify both OnFailure and DisableRollback"),
        (Some("DO_NOTHING"), _) | (None, Some(true)) => Ok(OnFailure::DoNothing),
        (Some("ROLLBACK"), _) | (None, _) => Ok(OnFailure::Rollback),
        (Some("DELETE"), _) => Ok(OnFailure::Delete),
        (Some(other), _) => Err(StackError::Validation(format!(
            "1 validation error detected: Value '{other}' at 'onFailure' failed to satisfy constraint: Member must satisfy \
             enum value set: [DO_NOTHING, ROLLBACK, DELETE]"
        ))),
    }
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Stacks>, input: StackInput) -> Result<StackId, StackError> {
    valid_name(&input.stack_name)?;
    let uuid = uuid::Uuid::new_v4().to_string();
    let mut stack = new_stack(&ctx, &input.stack_name, &uuid);
    stack.on_failure = on_failure(&input)?;
    stack.termination_protection = input.enable_termination_protection.unwrap_or(false);
    let checked = check(&ctx, &state, &input, None, (&stack.name, &stack.id)).await?;
    stack.token.clone_from(&input.client_request_token);
    let id = begin_creation(&ctx, &state, stack, checked).await?;
    Ok(StackId { stack_id: id })
}

/// Keeps the stack, durably, and sets its creation going. A stack that waits for a review keeps its id.
async fn begin_creation(ctx: &Ctx, state: &Arc<Stacks>, stack: Stack, checked: Checked) -> Result<String, StackError> {
    let now = Time(ctx.now());
    let (kept, started) = state
        .metadata
        .transaction(move |tx| {
            for entry in tx.scan(STACKS, &Key::new([&stack.name]), None, ALL)? {
                let present: Stack = entry.json()?;
                if present.status == StackStatus::DeleteComplete {
                    continue;
                }
                // The same request once more.
                if stack.token.is_some() && present.token == stack.token && present.operation == 1 {
                    return Ok((present, false));
                }
                return Err(StackError::AlreadyExists(stack.name));
            }
            let mut stack = stack;
            begin(&mut stack, StackStatus::CreateInProgress);
            stack.definition = checked.definition;
            stack.description = checked.description;
            put_with_event(tx, &mut stack, now)?;
            Ok((stack, true))
        })
        .await?;
    if started {
        engine::start(&ctx.platform, state, &kept.uuid);
    }
    Ok(kept.id)
}

/// A new operation on the stack.
pub(crate) fn begin(stack: &mut Stack, status: StackStatus) {
    stack.operation += 1;
    stack.status = status;
    stack.reason = Some("User Initiated".to_owned());
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Stacks>, input: StackInput) -> Result<StackId, StackError> {
    let stack = state.find(&input.stack_name)?;
    if input.disable_rollback == Some(true) {
        return Err(StackError::NotImplemented("DisableRollback of UpdateStack".to_owned()));
    }
    if stack.token.is_some() && stack.token == input.client_request_token && stack.operation > 1 {
        return Ok(StackId { stack_id: stack.id });
    }
    if !stack.status.can_update() {
        return Err(not_updatable(&stack));
    }
    let checked = check(&ctx, &state, &input, Some(&stack.definition), (&stack.name, &stack.id)).await?;
    let old = plan_of(&ctx, &stack, &stack.definition)?;
    if is_same((&stack.definition, &old), (&checked.definition, &checked.plan)) {
        return Err(StackError::Validation("No updates are to be performed.".to_owned()));
    }
    let id = begin_update(&ctx, &state, &stack, checked, input.client_request_token).await?;
    Ok(StackId { stack_id: id })
}

pub(crate) fn not_updatable(stack: &Stack) -> StackError {
    StackError::Validation(format!("Stack:{} is in {} state and can not be updated.", stack.id, stack.status))
}

/// Keeps the update, durably, and sets it going.
pub(crate) async fn begin_update(
    ctx: &Ctx,
    state: &Arc<Stacks>,
    stack: &Stack,
    checked: Checked,
    token: Option<String>,
) -> Result<String, StackError> {
    let (now, caller) = (Time(ctx.now()), Caller::from(&*ctx.principal));
    let (name, uuid, expected) = (stack.name.clone(), stack.uuid.clone(), stack.operation);
    let kept = state
        .metadata
        .transaction(move |tx| {
            let mut stack = stack_in(tx, &name, &uuid)?;
            if stack.operation != expected || !stack.status.can_update() {
                return Err(not_updatable(&stack));
            }
            begin(&mut stack, StackStatus::UpdateInProgress);
            // They were made for what the stack was.
            tx.delete_prefix(CHANGE_SETS, &Key::new([&uuid]))?;
            stack.previous = Some(std::mem::replace(&mut stack.definition, checked.definition));
            stack.description = checked.description;
            (stack.caller, stack.token, stack.updated) = (caller, token, Some(now));
            put_with_event(tx, &mut stack, now)?;
            Ok(stack)
        })
        .await?;
    engine::start(&ctx.platform, state, &kept.uuid);
    Ok(kept.id)
}

/// Makes the stack that a change set describes, which so far waits for its review.
pub(crate) async fn begin_reviewed(
    ctx: &Ctx,
    state: &Arc<Stacks>,
    stack: &Stack,
    checked: Checked,
    (token, on_failure): (Option<String>, OnFailure),
) -> Result<(), StackError> {
    let (now, caller) = (Time(ctx.now()), Caller::from(&*ctx.principal));
    let (name, uuid) = (stack.name.clone(), stack.uuid.clone());
    let kept = state
        .metadata
        .transaction(move |tx| {
            let mut stack = stack_in(tx, &name, &uuid)?;
            if stack.status != StackStatus::ReviewInProgress {
                return Err(not_updatable(&stack));
            }
            begin(&mut stack, StackStatus::CreateInProgress);
            (stack.definition, stack.description) = (checked.definition, checked.description);
            (stack.caller, stack.token, stack.on_failure) = (caller, token, on_failure);
            put_with_event(tx, &mut stack, now)?;
            Ok(stack)
        })
        .await?;
    engine::start(&ctx.platform, state, &kept.uuid);
    Ok(())
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Stacks>, input: DeleteStack) -> Result<Empty, StackError> {
    if input.deletion_mode.as_deref().is_some_and(|mode| mode != "STANDARD") {
        return Err(StackError::NotImplemented("DeletionMode FORCE_DELETE_STACK".to_owned()));
    }
    let stack = match state.find(&input.stack_name) {
        Ok(stack) if stack.status == StackStatus::DeleteComplete => return Ok(Empty {}),
        Ok(stack) => stack,
        // As on AWS, what is not there is deleted.
        Err(StackError::Validation(_)) if !input.stack_name.starts_with("arn:") => return Ok(Empty {}),
        Err(error) => return Err(error),
    };
    if !input.retain_resources.is_empty() && stack.status != StackStatus::DeleteFailed {
        let message = format!(
            "Invalid operation on stack [{}]. RetainResources can be specified only for stacks in the DELETE_FAILED state.",
            stack.id
        );
        return Err(StackError::Validation(message));
    }
    if let Some(role) = &input.role_arn {
        check_role(&ctx, &state, role)?;
    }
    let now = Time(ctx.now());
    let caller = Caller::from(&*ctx.principal);
    let (name, uuid) = (stack.name, stack.uuid);
    let going = state
        .metadata
        .transaction(move |tx| {
            let mut stack = stack_in(tx, &name, &uuid)?;
            if stack.termination_protection {
                let message = format!("Stack [{name}] cannot be deleted while TerminationProtection is enabled");
                return Err(StackError::Validation(message));
            }
            let updates = stack.status.is_busy() && stack.status.to_string().starts_with("UPDATE");
            match stack.status {
                StackStatus::DeleteInProgress | StackStatus::DeleteComplete => return Ok(stack),
                status if updates => {
                    let message = format!("Stack [{name}] cannot be deleted while in status {status}");
                    return Err(StackError::Validation(message));
                }
                _ => {}
            }
            begin(&mut stack, StackStatus::DeleteInProgress);
            (stack.caller, stack.token, stack.retain) = (caller, input.client_request_token, input.retain_resources);
            if input.role_arn.is_some() {
                stack.definition.role_arn = input.role_arn;
            }
            if stack.definition.template.is_empty() {
                // It was never more than a review.
                stack.status = StackStatus::DeleteComplete;
                stack.deleted = Some(now);
            }
            put_with_event(tx, &mut stack, now)?;
            Ok(stack)
        })
        .await?;
    engine::start(&ctx.platform, &state, &going.uuid);
    Ok(Empty {})
}

pub(crate) async fn protect(ctx: Ctx, state: Arc<Stacks>, input: TerminationProtection) -> Result<StackId, StackError> {
    let stack = state.find(&input.stack_name)?;
    tracing::info!(
        stack = stack.id,
        by = ctx.principal.arn,
        on = input.enable_termination_protection,
        "termination protection"
    );
    let id = stack.id.clone();
    state
        .metadata
        .transaction(move |tx| {
            let mut stack = stack_in(tx, &stack.name, &stack.uuid)?;
            stack.termination_protection = input.enable_termination_protection;
            put_stack(tx, &stack)
        })
        .await?;
    Ok(StackId { stack_id: id })
}

/// The definition of a change set, checked as if it were a request.
pub(crate) async fn recheck(
    ctx: &Ctx,
    state: &Stacks,
    stack: &Stack,
    definition: &Definition,
) -> Result<Checked, StackError> {
    let input = StackInput {
        use_previous_template: Some(true),
        parameters: definition
            .parameters
            .iter()
            .map(|(key, value)| crate::api::Parameter {
                parameter_key: key.clone(),
                parameter_value: Some(value.clone()),
                ..crate::api::Parameter::default()
            })
            .collect(),
        capabilities: definition.capabilities.clone(),
        role_arn: definition.role_arn.clone(),
        tags: Some(definition.tags.clone()),
        ..StackInput::default()
    };
    requests::check(ctx, state, &input, Some(definition), (&stack.name, &stack.id)).await
}
