//! Executions: start, stop, describe, list, history, redrive.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use boathouse_states::compile::json_problem;
use boathouse_states::execution::Happening;
use boathouse_states::{Execution, Failure};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::api::{GetHistory, ListExecutions, OfExecution, Redrive, StartExecution, StartSyncExecution, StopExecution};
use crate::error::SfnError;
use crate::machines::{self, Target, is_express, with_token};
use crate::runner::{self, MAX_PAYLOAD};
use crate::store::{
    BY_START, DEFINITIONS, EXECUTIONS, HISTORY, MACHINES, OPEN, OPEN_EXPRESS, Standing, Step, StepFunctions,
    StoredExecution, definition_key, key_token, now, page_size, seconds, token_key,
};
use crate::{events, logging, measures, names, wire};

/// Days after which a failed execution can't be redriven.
const REDRIVE_DAYS: i64 = 14;

pub(crate) fn check_input(input: Option<String>) -> Result<String, SfnError> {
    let input = input.unwrap_or_else(|| "{}".into());
    if input.is_empty() {
        return Err(SfnError::InvalidExecutionInput("Invalid execution input.".into()));
    }
    if input.len() > MAX_PAYLOAD {
        let message = format!(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to {MAX_PAYLOAD}"
        );
        return Err(SfnError::Validation(message));
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(&input) {
        Ok(_) => Ok(input),
        Err(error) => Err(SfnError::InvalidExecutionInput(json_problem(&input, &error).message)),
    }
}

fn new_row(ctx: &Ctx, target: Target, arn: &str, name: String, input: String) -> StoredExecution {
    let Target { machine, revision, version_arn, alias_arn } = target;
    StoredExecution {
        arn: String::new(),
        name,
        machine_arn: names::unqualified(arn),
        machine: machine.name,
        version_arn,
        alias_arn,
        kind: machine.kind,
        role: revision.role,
        definition: definition_key(&revision.definition),
        logging: revision.logging,
        machine_updated: machine.updated,
        revision_id: revision.id,
        input,
        started: ctx.now().timestamp_millis(),
        stopped: None,
        standing: Standing::from(&boathouse_states::Status::Running),
        redrives: 0,
        redriven: None,
    }
}

pub(crate) async fn start(ctx: Ctx, state: Arc<StepFunctions>, input: StartExecution) -> Result<Value, SfnError> {
    let name = input.name.unwrap_or_else(|| Uuid::new_v4().to_string());
    names::check(&name)?;
    let target = machines::target(&state, &input.state_machine_arn)?;
    let execution_input = check_input(input.input)?;
    let definition = target.revision.definition.clone();
    let row = new_row(&ctx, target, &input.state_machine_arn, name, execution_input);
    if is_express(row.kind) {
        start_express(&ctx, &state, row, definition).await
    } else {
        start_standard(&ctx, &state, row, definition).await
    }
}

/// What StartExecution answers when there is an execution of that name already.
fn existing(found: &StoredExecution, row: &StoredExecution) -> Result<Value, SfnError> {
    let same = serde_json::from_str::<Value>(&found.input).ok() == serde_json::from_str::<Value>(&row.input).ok();
    if found.is_running() && same {
        return Ok(json!({"executionArn": found.arn, "startDate": seconds(found.started)}));
    }
    Err(SfnError::ExecutionAlreadyExists(found.arn.clone()))
}

async fn start_standard(
    ctx: &Ctx,
    state: &Arc<StepFunctions>,
    mut row: StoredExecution,
    definition: String,
) -> Result<Value, SfnError> {
    row.arn = names::execution_arn(ctx.region(), &row.machine, &row.name);
    if let Some(found) = state.metadata.get_json::<StoredExecution>(EXECUTIONS, &row.key())? {
        return existing(&found, &row);
    }
    let mut execution = runner::prepare(state, &row, &definition)?;
    let (step, commands) = runner::begin(state, &mut execution);
    let ended = runner::settle(&mut row, &execution, step.input.at);
    let answer = json!({"executionArn": row.arn, "startDate": seconds(row.started)});
    let steps = [step];
    if let Some(found) = keep_new(state, &row, definition, &steps, ended).await? {
        return existing(&found, &row);
    }
    measures::started(&state.platform, &row);
    logging::log(state, &row, &steps);
    if !ended {
        runner::launch(state, row, execution, 1, commands, None);
    }
    Ok(answer)
}

/// Keeps a new execution with its first step, or gives the one that has its name.
async fn keep_new(
    state: &StepFunctions,
    row: &StoredExecution,
    definition: String,
    steps: &[Step],
    ended: bool,
) -> Result<Option<StoredExecution>, SfnError> {
    let (row, bytes) = (row.clone(), runner::encode(steps)?);
    let (teller, told) = (state.platform.events.clone(), events::begun(&state.platform, &row));
    state
        .metadata
        .transaction(move |tx| {
            let key = row.key();
            if let Some(found) = tx.get_json(EXECUTIONS, &key)? {
                return Ok(Some(found));
            }
            if !tx.contains(MACHINES, &Key::new([&row.machine]))? {
                return Err(SfnError::StateMachineDoesNotExist(row.machine_arn));
            }
            let definition_key = Key::new([&row.definition]);
            if !tx.contains(DEFINITIONS, &definition_key)? {
                tx.put(DEFINITIONS, &definition_key, definition.as_bytes())?;
            }
            tx.put_json(EXECUTIONS, &key, &row)?;
            tx.put(BY_START, &row.by_start(), b"null")?;
            tx.put(HISTORY, &runner::history_key(&row, 0), &bytes)?;
            if !ended {
                tx.put(OPEN, &key, b"null")?;
            }
            told.into_iter().try_for_each(|event| teller.tell(tx, event))?;
            Ok(None)
        })
        .await
}

/// An asynchronous express execution: durable before it is acknowledged unless it has ended by then.
async fn start_express(
    ctx: &Ctx,
    state: &Arc<StepFunctions>,
    mut row: StoredExecution,
    definition: String,
) -> Result<Value, SfnError> {
    row.arn = names::express_arn(ctx.region(), &row.machine, &row.name, &Uuid::new_v4().to_string());
    let mut execution = runner::prepare(state, &row, &definition)?;
    let (step, commands) = runner::begin(state, &mut execution);
    let ended = runner::settle(&mut row, &execution, step.input.at);
    let answer = json!({"executionArn": row.arn, "startDate": seconds(row.started)});
    if !ended {
        let kept = row.clone();
        state
            .metadata
            .transaction(move |tx| {
                let definition_key = Key::new([&kept.definition]);
                if !tx.contains(DEFINITIONS, &definition_key)? {
                    tx.put(DEFINITIONS, &definition_key, definition.as_bytes())?;
                }
                tx.put_json(OPEN_EXPRESS, &Key::new([&kept.arn]), &kept)?;
                Ok::<_, SfnError>(())
            })
            .await?;
    }
    measures::started(&state.platform, &row);
    logging::log(state, &row, &[step]);
    if !ended {
        runner::launch(state, row, execution, 1, commands, None);
    }
    Ok(answer)
}

/// Runs an express execution at most once and answers with its end.
pub(crate) async fn start_sync(
    ctx: Ctx,
    state: Arc<StepFunctions>,
    input: StartSyncExecution,
) -> Result<Value, SfnError> {
    let name = input.name.unwrap_or_else(|| Uuid::new_v4().to_string());
    names::check(&name)?;
    let target = machines::target(&state, &input.state_machine_arn)?;
    if !is_express(target.machine.kind) {
        return Err(SfnError::StateMachineTypeNotSupported);
    }
    let execution_input = check_input(input.input)?;
    let definition = target.revision.definition.clone();
    let mut row = new_row(&ctx, target, &input.state_machine_arn, name, execution_input);
    row.arn = names::express_arn(ctx.region(), &row.machine, &row.name, &Uuid::new_v4().to_string());
    let mut execution = runner::prepare(&state, &row, &definition)?;
    let (step, commands) = runner::begin(&state, &mut execution);
    let ended = runner::settle(&mut row, &execution, step.input.at);
    measures::started(&state.platform, &row);
    logging::log(&state, &row, &[step]);
    if !ended {
        let (sender, receiver) = oneshot::channel();
        runner::launch(&state, row, execution, 1, commands, Some(sender));
        row = receiver.await.map_err(|_| SfnError::Aws(boathouse_aws::AwsError::internal("the execution was lost")))?;
    }
    Ok(sync_answer(&row, input.included_data.as_deref() != Some("METADATA_ONLY")))
}

fn sync_answer(row: &StoredExecution, included: bool) -> Value {
    let stopped = row.stopped.unwrap_or(row.started);
    // AWS bills in steps of 100 ms.
    let billed = ((stopped - row.started).max(1) + 99) / 100 * 100;
    let mut answer = json!({
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "name": row.name,
        "startDate": seconds(row.started),
        "stopDate": seconds(stopped),
        "status": row.standing.status,
        "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": billed},
    });
    add_data(&mut answer, row, included);
    answer
}

/// Input, output, error and cause, as far as they are there.
fn add_data(answer: &mut Value, row: &StoredExecution, included: bool) {
    if included {
        answer["input"] = row.input.as_str().into();
        answer["inputDetails"] = json!({"included": true});
    }
    if let Some(output) = row.standing.output.as_ref().filter(|_| included) {
        answer["output"] = output.as_str().into();
        answer["outputDetails"] = json!({"included": true});
    }
    for (name, value) in [("error", &row.standing.error), ("cause", &row.standing.cause)] {
        if let Some(value) = value {
            answer[name] = value.as_str().into();
        }
    }
}

pub(crate) async fn stop(ctx: Ctx, state: Arc<StepFunctions>, input: StopExecution) -> Result<Value, SfnError> {
    let row = state.execution(&input.execution_arn)?;
    if row.is_running() {
        let failure = Failure { error: input.error, cause: input.cause };
        runner::tell_durably(&state, &row.arn, Happening::Stop(failure).into()).await;
    }
    let row = state.execution(&input.execution_arn)?;
    Ok(json!({"stopDate": row.stopped.map_or_else(|| now(&ctx), seconds)}))
}

fn redrive_status(row: &StoredExecution, at: i64) -> (&'static str, Option<&'static str>) {
    match row.standing.status.as_str() {
        "RUNNING" => ("NOT_REDRIVABLE", Some("Execution is RUNNING and cannot be redriven")),
        "SUCCEEDED" => ("NOT_REDRIVABLE", Some("Execution is SUCCEEDED and cannot be redriven")),
        _ if row.stopped.is_some_and(|stopped| at - stopped > REDRIVE_DAYS * 86_400_000) => {
            ("NOT_REDRIVABLE", Some("Execution has exceeded the redrivable period"))
        }
        _ => ("REDRIVABLE", None),
    }
}

pub(crate) async fn describe(ctx: Ctx, state: Arc<StepFunctions>, input: OfExecution) -> Result<Value, SfnError> {
    let row = state.execution(&input.execution_arn)?;
    let (redrivable, reason) = redrive_status(&row, ctx.now().timestamp_millis());
    let mut described = json!({
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "name": row.name,
        "status": row.standing.status,
        "startDate": seconds(row.started),
        "redriveCount": row.redrives,
        "redriveStatus": redrivable,
    });
    let optional = [
        ("redriveStatusReason", reason.map(Value::from)),
        ("stopDate", row.stopped.map(|at| seconds(at).into())),
        ("redriveDate", row.redriven.map(|at| seconds(at).into())),
        ("stateMachineVersionArn", row.version_arn.as_deref().map(Value::from)),
        ("stateMachineAliasArn", row.alias_arn.as_deref().map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            described[name] = value;
        }
    }
    add_data(&mut described, &row, input.included_data.as_deref() != Some("METADATA_ONLY"));
    Ok(described)
}

pub(crate) async fn describe_machine(_: Ctx, state: Arc<StepFunctions>, input: OfExecution) -> Result<Value, SfnError> {
    let row = state.execution(&input.execution_arn)?;
    let definition = state.definition(&row.definition)?;
    let mut described = json!({
        "stateMachineArn": row.machine_arn,
        "name": row.machine,
        "definition": definition,
        "roleArn": row.role,
        "updateDate": row.machine_updated,
        "loggingConfiguration": row.logging,
        "tracingConfiguration": {"enabled": false},
    });
    machines::add_reading(&mut described, &definition);
    if let Some(id) = row.revision_id {
        described["revisionId"] = id.into();
    }
    Ok(described)
}

pub(crate) async fn list(_: Ctx, state: Arc<StepFunctions>, input: ListExecutions) -> Result<Value, SfnError> {
    if input.map_run_arn.is_some() {
        return Err(SfnError::NotImplemented("Distributed Map (mapRunArn)".into()));
    }
    let arn = input.state_machine_arn.ok_or_else(|| SfnError::Validation("stateMachineArn is missing".into()))?;
    let (name, qualifier) = match names::parse(&arn)? {
        names::Named::Machine { machine } => (machine, None),
        names::Named::Qualified { machine, .. } => (machine, Some(arn.clone())),
        other => return Err(names::wrong(&other)),
    };
    if is_express(state.machine(&arn, &name)?.kind) {
        return Err(SfnError::StateMachineTypeNotSupported);
    }
    let size = page_size(input.max_results, input.next_token.as_deref())?;
    let mut after = token_key(input.next_token.as_deref())?;
    let wanted = |row: &StoredExecution| {
        input.status_filter.as_ref().is_none_or(|status| row.standing.status == *status)
            && qualifier
                .as_ref()
                .is_none_or(|arn| row.version_arn.as_ref() == Some(arn) || row.alias_arn.as_ref() == Some(arn))
            && match input.redrive_filter.as_deref() {
                Some("REDRIVEN") => row.redrives > 0,
                Some("NOT_REDRIVEN") => row.redrives == 0,
                _ => true,
            }
    };
    let mut found = Vec::new();
    loop {
        let page = state.metadata.page(BY_START, &Key::new([&name]), after.as_ref(), size)?;
        for entry in &page.entries {
            let row: Option<StoredExecution> =
                state.metadata.get_json(EXECUTIONS, &Key::new([&name, &entry.key.last()]))?;
            let Some(row) = row.filter(|row| wanted(row)) else { continue };
            found.push(listed(&row));
            if found.len() == size {
                let more = page.next.is_some() || page.entries.last().is_some_and(|last| last.key != entry.key);
                return Ok(with_token(json!({"executions": found}), more.then(|| key_token(&entry.key))));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(json!({"executions": found})),
        }
    }
}

fn listed(row: &StoredExecution) -> Value {
    let mut listed = json!({
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "name": row.name,
        "status": row.standing.status,
        "startDate": seconds(row.started),
        "redriveCount": row.redrives,
    });
    let optional = [
        ("stopDate", row.stopped.map(|at| seconds(at).into())),
        ("redriveDate", row.redriven.map(|at| seconds(at).into())),
        ("stateMachineVersionArn", row.version_arn.as_deref().map(Value::from)),
        ("stateMachineAliasArn", row.alias_arn.as_deref().map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            listed[name] = value;
        }
    }
    listed
}

pub(crate) async fn history(_: Ctx, state: Arc<StepFunctions>, input: GetHistory) -> Result<Value, SfnError> {
    let row = state.execution(&input.execution_arn)?;
    let size = page_size(input.max_results, input.next_token.as_deref())?;
    let invalid = || SfnError::InvalidToken("Invalid token".into());
    let from: u64 = match &input.next_token {
        Some(token) => token.parse().map_err(|_| invalid())?,
        None => 0,
    };
    let reverse = input.reverse_order.unwrap_or(false);
    let data = input.include_execution_data.unwrap_or(true);
    let mut all = Vec::new();
    for entry in state.metadata.scan(HISTORY, &row.key(), None, usize::MAX >> 1)? {
        all.extend(entry.json::<Vec<Step>>()?.into_iter().flat_map(|step| step.events));
    }
    if reverse {
        all.reverse();
    }
    let end = (from as usize).saturating_add(size).min(all.len());
    let shown: Vec<Value> =
        all.get(from as usize..end).unwrap_or_default().iter().map(|event| wire::event(event, data)).collect();
    let next = (end < all.len()).then(|| end.to_string());
    Ok(with_token(json!({"events": shown}), next))
}

pub(crate) async fn redrive(ctx: Ctx, state: Arc<StepFunctions>, input: Redrive) -> Result<Value, SfnError> {
    let mut row = state.execution(&input.execution_arn)?;
    let at = ctx.now().timestamp_millis();
    if let (_, Some(reason)) = redrive_status(&row, at) {
        return Err(SfnError::ExecutionNotRedrivable(reason.into()));
    }
    let (mut execution, sequence): (Execution, u64) = runner::replay(&state, &row)?;
    let (step, commands) = runner::redrive(&state, &mut execution);
    let ended = runner::settle(&mut row, &execution, at);
    row.redrives += 1;
    row.redriven = Some(at);
    let (kept, bytes) = (row.clone(), runner::encode(&[step])?);
    let (teller, told) = (state.platform.events.clone(), events::begun(&state.platform, &row));
    state
        .metadata
        .transaction(move |tx| {
            let key = kept.key();
            let found: Option<StoredExecution> = tx.get_json(EXECUTIONS, &key)?;
            if found.is_none_or(|found| found.redrives + 1 != kept.redrives || found.is_running()) {
                return Err(SfnError::ExecutionNotRedrivable("Execution is RUNNING and cannot be redriven".into()));
            }
            tx.put_json(EXECUTIONS, &key, &kept)?;
            tx.put(HISTORY, &runner::history_key(&kept, sequence), &bytes)?;
            if !ended {
                tx.put(OPEN, &key, b"null")?;
            }
            told.into_iter().try_for_each(|event| teller.tell(tx, event).map_err(SfnError::from))
        })
        .await?;
    measures::ended(&state.platform, &row);
    if !ended {
        runner::launch(&state, row, execution, sequence + 1, commands, None);
    }
    Ok(json!({"redriveDate": seconds(at)}))
}
