//! Targets of rules.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::action::Action;
use crate::api::{ListTargetsByRule, PutTargets, RemoveTargets, RetryPolicy, Target};
use crate::dead_letters;
use crate::error::EventsError;
use crate::input::Input;
use crate::store::{EVENTS_PRINCIPAL, Events, TARGETS, bus_name, page, rule_in, valid_name, validation};

/// Targets of a rule.
const MAX_TARGETS: usize = 5;

/// Refuses retry policies beyond AWS's limits.
pub(crate) fn check_retry(policy: Option<RetryPolicy>) -> Result<(), String> {
    let policy = policy.unwrap_or_default();
    if policy.maximum_retry_attempts.is_some_and(|attempts| attempts > 185) {
        return Err("MaximumRetryAttempts must be between 0 and 185".into());
    }
    if policy.maximum_event_age_in_seconds.is_some_and(|age| !(60..=86_400).contains(&age)) {
        return Err("MaximumEventAgeInSeconds must be between 60 and 86400".into());
    }
    Ok(())
}

fn check(ctx: &Ctx, state: &Events, target: &Target) -> Result<(), EventsError> {
    valid_name("targets.member.id", &target.id, 64, "._-").map_err(validation)?;
    if let Some(name) = target.other.iter().find(|(_, value)| !value.is_null()).map(|(name, _)| name) {
        return Err(EventsError::NotImplemented(format!("{name} of targets")));
    }
    check_retry(target.retry_policy).map_err(validation)?;
    let input = target.input.as_deref();
    Input::parse(input, target.input_path.as_deref(), target.input_transformer.as_ref()).map_err(|reason| {
        validation(format!("Parameter Input of target {} is not valid. Reason: {reason}.", target.id))
    })?;
    dead_letters::queue_of(target.dead_letter_config.as_ref()).map_err(validation)?;
    let action = Action::of_target(&target.arn, target.sqs_parameters.as_ref())?;
    if action.needs_role() && target.role_arn.is_none() {
        return Err(validation(format!("RoleArn is required for target {}.", target.arn)));
    }
    if let Some(role) = &target.role_arn {
        state.check_role(ctx, role, EVENTS_PRINCIPAL)?;
    }
    Ok(())
}

pub(crate) async fn put(ctx: Ctx, state: Arc<Events>, input: PutTargets) -> Result<Value, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref()).to_owned();
    if !(1..=100).contains(&input.targets.len()) {
        return Err(validation("Targets must have 1 to 100 members"));
    }
    state.bus(&bus)?;
    state.rule(&bus, &input.rule)?;
    input.targets.iter().try_for_each(|target| check(&ctx, &state, target))?;
    let router = Arc::clone(&state.router);
    state
        .metadata
        .transaction(move |tx| {
            rule_in(tx, &bus, &input.rule)?;
            let rule = Key::new([&bus, &input.rule]);
            for target in &input.targets {
                tx.put_json(TARGETS, &rule.clone().with(&target.id), target)?;
            }
            if tx.scan(TARGETS, &rule, None, MAX_TARGETS + 1)?.len() > MAX_TARGETS {
                return Err(EventsError::LimitExceeded(format!("A rule has at most {MAX_TARGETS} targets.")));
            }
            tx.after_commit(move || router.forget());
            Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
        })
        .await
}

pub(crate) async fn remove(_: Ctx, state: Arc<Events>, input: RemoveTargets) -> Result<Value, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref()).to_owned();
    let router = Arc::clone(&state.router);
    state
        .metadata
        .transaction(move |tx| {
            rule_in(tx, &bus, &input.rule)?;
            let mut failed = Vec::new();
            for id in input.ids {
                if !tx.delete(TARGETS, &Key::new([&bus, &input.rule, &id]))? {
                    let message = format!("Target {id} does not exist on rule {}.", input.rule);
                    let code = "ResourceNotFoundException";
                    failed.push(json!({"TargetId": id, "ErrorCode": code, "ErrorMessage": message}));
                }
            }
            tx.after_commit(move || router.forget());
            Ok(json!({"FailedEntryCount": failed.len(), "FailedEntries": failed}))
        })
        .await
}

pub(crate) async fn list(_: Ctx, state: Arc<Events>, input: ListTargetsByRule) -> Result<Value, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    state.bus(bus)?;
    state.rule(bus, &input.rule)?;
    let targets = state.targets(bus, &input.rule)?.into_iter().map(|target| (target.id.clone(), target)).collect();
    let (targets, next) = page(targets, input.limit, input.next_token.as_deref()).map_err(validation)?;
    let targets: Vec<Target> = targets.into_iter().map(|(_, target)| target).collect();
    Ok(json!({"Targets": targets, "NextToken": next}))
}
