//! TestState: one state by itself, with real calls or a mocked result.
//!
//! Mocked results are not compared with the service's model: `mock.fieldValidationMode` other than `NONE` is refused. The
//! AWS default is `STRICT`, so a mock without a mode is taken as it is.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_states::compile::{self, compile_state};
use boathouse_states::definition::{Kind, Resource, State};
use boathouse_states::execution::{Happening, Input, Trial, Verdict};
use boathouse_states::{About, Failure, Limits};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::definitions::{Here, invalid};
use crate::error::SfnError;
use crate::runner::{MAX_EVENTS, MAX_PAYLOAD};
use crate::store::StepFunctions;
use crate::{integrations, machines};

/// TestState's input.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestState {
    definition: String,
    role_arn: Option<String>,
    input: Option<String>,
    inspection_level: Option<String>,
    reveal_secrets: Option<bool>,
    variables: Option<String>,
    state_name: Option<String>,
    mock: Option<Mock>,
    context: Option<String>,
    state_configuration: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mock {
    result: Option<String>,
    error_output: Option<ErrorOutput>,
    field_validation_mode: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct ErrorOutput {
    error: Option<String>,
    cause: Option<String>,
}

/// With a mock nothing is called, so nothing needs to be here.
struct Mocked;

impl compile::Platform for Mocked {
    fn express(&self) -> bool {
        false
    }

    fn refuse(&self, _: &Resource) -> Option<String> {
        None
    }
}

fn validation<T>(message: impl Into<String>) -> Result<T, SfnError> {
    Err(SfnError::Validation(message.into()))
}

fn parsed(text: &str, what: &str) -> Result<Value, SfnError> {
    serde_json::from_str(text).or_else(|_| validation(format!("{what} must be valid JSON")))
}

/// The state that is tested: the definition itself, or the one that `stateName` picks in a machine.
fn state(state: &StepFunctions, input: &TestState) -> Result<State, SfnError> {
    let definition: Value = serde_json::from_str(&input.definition).map_err(|_| {
        SfnError::InvalidDefinition(
            "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: Definition must be a valid JSON object'"
                .into(),
        )
    })?;
    let (name, chosen) = match &input.state_name {
        None => ("StateName".to_owned(), definition.clone()),
        Some(name) => {
            let found = find(&definition, name);
            (name.clone(), found.ok_or_else(|| SfnError::Validation(format!("State not found: {name}")))?)
        }
    };
    let at = if input.state_name.is_some() { format!("/States/{name}") } else { String::new() };
    let here = Here { state, kind: crate::api::MachineType::Standard };
    let platform: &dyn compile::Platform = if input.mock.is_some() { &Mocked } else { &here };
    compile_state(&name, &chosen, platform).map_err(|mut diagnostics| {
        for diagnostic in &mut diagnostics {
            let inner = diagnostic.location.take().unwrap_or_default();
            diagnostic.location = Some(format!("{at}{}", if inner == "/" && !at.is_empty() { "" } else { &inner }));
        }
        SfnError::InvalidDefinition(invalid(&diagnostics))
    })
}

fn find(definition: &Value, name: &str) -> Option<Value> {
    let states = definition.get("States")?.as_object()?;
    if let Some(state) = states.get(name) {
        let mut state = state.clone();
        if let (Some(language), Some(members)) = (definition.get("QueryLanguage"), state.as_object_mut()) {
            members.entry("QueryLanguage").or_insert_with(|| language.clone());
        }
        return Some(state);
    }
    states.values().find_map(|state| {
        let branches = state.get("Branches").and_then(Value::as_array).into_iter().flatten();
        let inner = [state.get("ItemProcessor"), state.get("Iterator")].into_iter().flatten();
        branches.chain(inner).find_map(|graph| find(graph, name))
    })
}

fn check(input: &TestState, state: &State) -> Result<(), SfnError> {
    let kind = state.kind.name();
    let container = matches!(state.kind, Kind::Map(_) | Kind::Parallel { .. });
    let Some(mock) = &input.mock else {
        if container {
            let message = "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]";
            return Err(SfnError::InvalidDefinition(message.into()));
        }
        if matches!(state.kind, Kind::Task(_)) && input.role_arn.is_none() {
            return validation("RoleArn must be specified when testing a Task state");
        }
        return refuse_configuration(input);
    };
    if input.reveal_secrets == Some(true) {
        return validation("TestState does not support RevealSecrets when a mock is specified.");
    }
    if !container && !matches!(state.kind, Kind::Task(_)) {
        return validation(format!("State type '{kind}' is not supported when a mock is specified"));
    }
    if let Some(mode @ ("STRICT" | "PRESENT")) = mock.field_validation_mode.as_deref() {
        return validation(format!(
            "Boathouse does not implement the fieldValidationMode '{mode}' of mocks yet; 'NONE' works"
        ));
    }
    if mock.result.is_some() == mock.error_output.is_some() {
        return validation("A mock must have either a result or an errorOutput");
    }
    refuse_configuration(input)
}

fn refuse_configuration(input: &TestState) -> Result<(), SfnError> {
    let members = input.state_configuration.as_ref().and_then(Value::as_object);
    let mut others = members.into_iter().flat_map(Map::keys).filter(|name| *name != "retrierRetryCount");
    match others.next() {
        None => Ok(()),
        Some(name) if name == "mapIterationFailureCount" && input.mock.is_none() => {
            validation("TestState does not support MapIterationFailureCount when a mock is not specified.")
        }
        Some(name) => validation(format!("Boathouse does not implement stateConfiguration.{name} yet")),
    }
}

/// The members of the context object that may be mocked.
fn context(text: Option<&str>) -> Result<Option<Value>, SfnError> {
    let Some(text) = text else { return Ok(None) };
    let context = parsed(text, "Context")?;
    let refused = |what: &str| validation(format!("Invalid Context object provided: {what}"));
    for (name, value) in context.as_object().into_iter().flatten() {
        let known: &[&str] = match name.as_str() {
            "Execution" => &["Id", "Input", "Name", "RoleArn", "StartTime", "RedriveCount", "RedriveTime"],
            "State" => &["EnteredTime", "Name", "RetryCount"],
            "StateMachine" => &["Id", "Name"],
            "Task" => &["Token"],
            "Map" => return refused("'Map' field is not supported when mocking a Context object"),
            other => return refused(&format!("Field '{other}' is not allowed")),
        };
        if let Some(unknown) =
            value.as_object().into_iter().flat_map(Map::keys).find(|name| !known.contains(&name.as_str()))
        {
            return refused(&format!("Field '{unknown}' is not allowed"));
        }
    }
    Ok(Some(context))
}

fn mocked(mock: &Mock, state: &State) -> Result<Result<Value, Failure>, SfnError> {
    if let Some(output) = &mock.error_output {
        return Ok(Err(Failure { error: output.error.clone(), cause: output.cause.clone() }));
    }
    let result = parsed(mock.result.as_deref().unwrap_or_default(), "Mocked result")?;
    match &state.kind {
        Kind::Map(_) if !result.is_array() => return validation("Mocked result must be an array."),
        Kind::Parallel { .. } if !result.is_array() => return validation("Mocked result must be an array."),
        Kind::Parallel { branches } if result.as_array().is_some_and(|list| list.len() != branches.len()) => {
            return validation("Mocked result must contain the same number of items as number of Parallel branches.");
        }
        _ => {}
    }
    Ok(Ok(result))
}

pub(crate) async fn test(ctx: Ctx, here: Arc<StepFunctions>, input: TestState) -> Result<Value, SfnError> {
    let state = state(&here, &input)?;
    check(&input, &state)?;
    if let Some(role) = &input.role_arn
        && input.mock.is_none()
    {
        machines::check_role(&ctx, &here, role)?;
    }
    let data = crate::executions::check_input(input.input.clone())?;
    let data: Value = serde_json::from_str(&data).unwrap_or(Value::Null);
    let variables = match &input.variables {
        Some(text) => parsed(text, "Variables")?.as_object().cloned().unwrap_or_default().into_iter().collect(),
        None => Vec::new(),
    };
    let mocked = input.mock.as_ref().map(|mock| mocked(mock, &state)).transpose()?;
    let now = ctx.now();
    let about = About {
        id: names_of(&ctx, "execution"),
        name: "test".into(),
        machine_id: names_of(&ctx, "stateMachine"),
        machine_name: "test".into(),
        role: input.role_arn.clone().unwrap_or_default(),
        region: ctx.region().to_owned(),
        started: now,
        limits: Limits { payload: MAX_PAYLOAD, events: MAX_EVENTS, seconds: None },
        redrivable: false,
        history: true,
    };
    let retries = input.state_configuration.as_ref().and_then(|given| given["retrierRetryCount"].as_u64());
    let mut trial = Trial::new(state, about, data, variables, context(input.context.as_deref())?);
    let moment = Input { at: now.timestamp_millis(), seed: rand::random(), what: Happening::Start };
    let call = trial.begin(&moment);
    if let Some(uses) = retries {
        trial.set_retries(uses);
    }
    let mut failure = None;
    match (mocked, call) {
        (Some(result), _) => {
            failure = result.as_ref().err().cloned();
            trial.end(&moment, result);
        }
        (None, Some(call)) => {
            let role = input.role_arn.clone().unwrap_or_default();
            let result = integrations::once(&here, &role, &call).await;
            failure = result.as_ref().err().cloned();
            trial.end(&moment, result);
        }
        (None, None) => {}
    }
    Ok(answer(&trial, failure, moment.at, input.inspection_level.as_deref()))
}

fn names_of(ctx: &Ctx, kind: &str) -> String {
    let resource = if kind == "execution" { "express:test:test" } else { "stateMachine:test" };
    boathouse_aws::Arn::new("states", ctx.region(), resource).to_string()
}

fn answer(trial: &Trial, failure: Option<Failure>, now: i64, level: Option<&str>) -> Value {
    let mut answer = json!({});
    let mut inspection = trial.inspection.clone();
    let failed = |answer: &mut Value, failure: &Failure| {
        for (name, value) in [("error", &failure.error), ("cause", &failure.cause)] {
            if let Some(value) = value {
                answer[name] = value.as_str().into();
            }
        }
    };
    match trial.verdict(now) {
        Verdict::Succeeded { output, next } => {
            answer["status"] = "SUCCEEDED".into();
            answer["output"] = output.to_string().into();
            if let Some(next) = next {
                answer["nextState"] = next.into();
            }
        }
        Verdict::Caught { output, next } => {
            let failure = failure.unwrap_or_default();
            answer["status"] = "CAUGHT_ERROR".into();
            answer["output"] = output.to_string().into();
            answer["nextState"] = next.into();
            failed(&mut answer, &failure);
            if let (_, Some(index)) = trial.handlers(&failure) {
                inspection.insert("errorDetails".into(), json!({"catchIndex": index}));
            }
        }
        Verdict::Retriable(millis) => {
            let failure = failure.unwrap_or_default();
            answer["status"] = "RETRIABLE".into();
            failed(&mut answer, &failure);
            let index = trial.handlers(&failure).0;
            let details = json!({"retryBackoffIntervalSeconds": millis / 1000, "retryIndex": index});
            inspection.insert("errorDetails".into(), details);
        }
        Verdict::Failed(failure) => {
            answer["status"] = "FAILED".into();
            failed(&mut answer, &failure);
            if let (Some(index), _) = trial.handlers(&failure) {
                inspection.insert("errorDetails".into(), json!({"retryIndex": index}));
            }
        }
        Verdict::Waiting => answer["status"] = "SUCCEEDED".into(),
    }
    if matches!(level, Some("DEBUG" | "TRACE")) {
        let shown = inspection.into_iter().map(|(name, value)| match name.as_str() {
            "maxConcurrency" | "errorDetails" => (name, value),
            _ => (name, value.to_string().into()),
        });
        answer["inspectionData"] = Value::Object(shown.collect());
    }
    answer
}
