//! Tasks that services carry out: through the dispatcher, as the execution's role.
//!
//! | Module | What it does |
//! |---|---|
//! | [`catalog`] | which operation a `Resource` means, and what is refused |
//! | `shapes` | parameters and results between the language's names and the services' |
//! | `errors` | error names and causes in AWS's words |

pub(crate) mod catalog;
mod errors;
mod shapes;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use boathouse_aws::{AwsError, Ctx};
use boathouse_states::definition::{Pattern, Resource};
use boathouse_states::execution::Happening;
use boathouse_states::{Call, Failure};
use ring::digest;
use serde_json::{Value, json};

use crate::jobs::{Job, Watch};
use crate::machines::SERVICE;
use crate::runner::Message;
use crate::store::{StepFunctions, StoredExecution};

use catalog::Operation;

/// Has a task's work done; its end comes back to the execution as a message.
pub(crate) fn start(state: &Arc<StepFunctions>, row: &StoredExecution, call: Arc<Call>) {
    if let Resource::Activity { arn } = &*call.resource {
        return state.queues.put(arn, &row.arn, Arc::clone(&call));
    }
    let (state, row) = (Arc::clone(state), row.clone());
    tokio::spawn(async move {
        let what = match carry_out(&state, &row, &call).await {
            Ok(what) => what,
            Err(failure) => Happening::Failed { task: call.task, failure },
        };
        let submitted = match &what {
            Happening::Submitted { output, .. } => Some(output.clone()),
            _ => None,
        };
        let message = Message { call: Some(Arc::clone(&call)), ..Message::from(what) };
        let told = state.running.tell(&row.arn, message).is_ok();
        match submitted {
            Some(output) if told => follow(&state, &row, call, &output),
            // The execution ended meanwhile: its job must not go on.
            Some(output) => cancel(&state, &row, call, output),
            None => {}
        }
    });
}

/// The context of the task's calls: the role's, or that of `Credentials`.
pub(crate) fn context(state: &StepFunctions, row: &StoredExecution, call: &Call) -> Result<Ctx, Failure> {
    let session: String =
        row.name.chars().filter(|c| c.is_ascii_alphanumeric() || "+=,.@-_".contains(*c)).take(64).collect();
    let role = call.credentials.as_deref().unwrap_or(&row.role);
    let principal = state.roles.assume_for_service(role, SERVICE, &session).map_err(|error| {
        Failure::new("States.Permissions", format!("The role {role} can't be assumed: {}", error.message))
    })?;
    Ok(state.platform.context(principal))
}

/// The same for the same task of the same execution, whenever it is asked for: what makes a repeated call one piece of work.
fn idempotency_key(row: &StoredExecution, call: &Call) -> String {
    let text = format!("{}\n{}\n{}", row.arn, row.started, call.task);
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hex::encode(hash)
}

async fn carry_out(state: &StepFunctions, row: &StoredExecution, call: &Call) -> Result<Happening, Failure> {
    let key = idempotency_key(row, call);
    // Where an operation has no member for the key, the platform's services know the task by the call's token.
    let ctx = context(state, row, call)?.once(&key);
    let task = call.task;
    let (operation, pattern) = match &*call.resource {
        Resource::Lambda { arn } => {
            let parameters = json!({"FunctionName": arn, "Payload": call.parameters.value()});
            let output = invoke(&ctx, &parameters).await?;
            return Ok(Happening::Succeeded { task, output: output["Payload"].clone() });
        }
        Resource::Activity { .. } => return Err(Failure::new("States.Runtime", "an activity is not called")),
        resource @ Resource::Integration { pattern, .. } => (
            catalog::operation(resource)
                .ok_or_else(|| Failure::new("States.Runtime", "the integration does not exist"))?,
            *pattern,
        ),
    };
    let output = match operation.special {
        catalog::Special::LambdaInvoke => invoke(&ctx, call.parameters.value()).await?,
        _ => plain(&ctx, row, call, &operation, &key).await?,
    };
    Ok(match pattern {
        Pattern::RequestResponse => Happening::Succeeded { task, output },
        _ => Happening::Submitted { task, output },
    })
}

/// Carries a task out for nobody's execution, as TestState does. A job that it starts is not waited for.
pub(crate) async fn once(state: &StepFunctions, role: &str, call: &Call) -> Result<Value, Failure> {
    match carry_out(state, &StoredExecution::of_test(role), call).await? {
        Happening::Succeeded { output, .. } | Happening::Submitted { output, .. } => Ok(output),
        Happening::Failed { failure, .. } => Err(failure),
        _ => Ok(Value::Null),
    }
}

/// `lambda:Invoke` with the payload as JSON on both sides.
async fn invoke(ctx: &Ctx, parameters: &Value) -> Result<Value, Failure> {
    let mut input = parameters.clone();
    if let Some(payload) = parameters.get("Payload") {
        input["Payload"] = BASE64_STANDARD.encode(payload.to_string()).into();
    }
    let output = ctx.call("lambda", "Invoke", input).await.map_err(|error| errors::optimized("Lambda", &error, ctx))?;
    let payload = output["Payload"].as_str().and_then(|payload| BASE64_STANDARD.decode(payload).ok());
    let payload = payload.filter(|payload| !payload.is_empty());
    let value: Option<Value> = payload
        .as_ref()
        .map(|payload| serde_json::from_slice(payload).unwrap_or_else(|_| String::from_utf8_lossy(payload).into()));
    if output.get("FunctionError").is_some_and(|error| !error.is_null()) {
        let value = value.unwrap_or_default();
        let error = value["errorType"].as_str().unwrap_or("Lambda.Unknown");
        return Err(Failure::new(error, value.to_string()));
    }
    let mut result = json!({
        "ExecutedVersion": output.get("ExecutedVersion").filter(|version| version.is_string()).cloned().unwrap_or_else(|| "$LATEST".into()),
        "StatusCode": output["StatusCode"],
    });
    if let Some(log) = output.get("LogResult").filter(|log| log.is_string()) {
        result["LogResult"] = log.clone();
    }
    // An asynchronous invoke has no payload.
    result["Payload"] = value.unwrap_or(Value::Null);
    shapes::add_metadata(&mut result, ctx);
    Ok(result)
}

async fn plain(
    ctx: &Ctx,
    row: &StoredExecution,
    call: &Call,
    operation: &Operation,
    key: &str,
) -> Result<Value, Failure> {
    let mut input = shapes::input(operation, call.parameters.value());
    match (operation.service.as_str(), operation.operation.as_str()) {
        ("states", "StartExecution") if input.get("name").is_none() => {
            input["name"] =
                format!("{}-{}-{}-{}-{}", &key[..8], &key[8..12], &key[12..16], &key[16..20], &key[20..32]).into();
        }
        ("athena", "StartQueryExecution") if input.get("ClientRequestToken").is_none() => {
            input["ClientRequestToken"] = key.into();
        }
        ("events", "PutEvents") => shapes::add_resources(&mut input, &row.arn, &row.machine_arn),
        _ => {}
    }
    let output = ctx.call(&operation.service, &operation.operation, input).await;
    let output = output.map_err(|error| errors::of(operation, &error, ctx))?;
    if operation.special == catalog::Special::PutEvents && output["FailedEntryCount"].as_i64().unwrap_or(0) > 0 {
        return Err(Failure::new("EventBridge.FailedEntry", output.to_string()));
    }
    let mut output = shapes::output(operation, output);
    if operation.optimized {
        shapes::add_metadata(&mut output, ctx);
    }
    Ok(output)
}

/// The job that a submitted `.sync` task stands for.
fn job_of(call: &Call, output: &Value) -> Option<Job> {
    let Resource::Integration { service, action, pattern: Pattern::Sync | Pattern::Sync2 } = &*call.resource else {
        return None;
    };
    let text = |name: &str| output[name].as_str().map(str::to_owned);
    match (service.as_str(), action.as_str()) {
        ("glue", "startJobRun") => {
            let name = call.parameters.value()["JobName"].as_str()?.to_owned();
            Some(Job::Glue { name, run: text("JobRunId")? })
        }
        ("athena", "startQueryExecution") => Some(Job::Athena { query: text("QueryExecutionId")? }),
        ("states", "startExecution") => Some(Job::Execution { arn: text("ExecutionArn")? }),
        _ => None,
    }
}

/// Waits for the job of a submitted task to end.
pub(crate) fn follow(state: &Arc<StepFunctions>, row: &StoredExecution, call: Arc<Call>, output: &Value) {
    if let Some(job) = job_of(&call, output) {
        crate::jobs::watch(state, Watch { row: row.clone(), call, job });
    }
}

/// Stops the job of a task that is not wanted any more.
pub(crate) fn cancel(state: &Arc<StepFunctions>, row: &StoredExecution, call: Arc<Call>, output: Value) {
    let Some(job) = job_of(&call, &output) else { return };
    let Ok(ctx) = context(state, row, &call) else { return };
    tokio::spawn(async move {
        let (service, operation, input) = match &job {
            Job::Glue { name, run } => ("glue", "BatchStopJobRun", json!({"JobName": name, "JobRunIds": [run]})),
            Job::Athena { query } => ("athena", "StopQueryExecution", json!({"QueryExecutionId": query})),
            Job::Execution { arn } => ("states", "StopExecution", json!({"executionArn": arn})),
        };
        if let Err(error) = ctx.call(service, operation, input).await {
            tracing::warn!(?job, %error, "the job of a task that ended can't be stopped");
        }
    });
}

/// Reads a job; what to tell the execution once it has ended.
pub(crate) async fn read_job(state: &StepFunctions, watch: &Watch) -> Result<Option<Happening>, AwsError> {
    let task = watch.call.task;
    let ctx = match context(state, &watch.row, &watch.call) {
        Ok(ctx) => ctx,
        Err(failure) => return Ok(Some(Happening::Failed { task, failure })),
    };
    match &watch.job {
        Job::Glue { name, run } => {
            let output = ctx.call("glue", "GetJobRun", json!({"JobName": name, "RunId": run})).await?;
            Ok(shapes::glue_ended(task, &output["JobRun"]))
        }
        Job::Athena { query } => {
            let output = ctx.call("athena", "GetQueryExecution", json!({"QueryExecutionId": query})).await?;
            Ok(shapes::athena_ended(task, &output))
        }
        Job::Execution { arn } => {
            let output = ctx.call("states", "DescribeExecution", json!({"executionArn": arn})).await?;
            let parsed = matches!(&*watch.call.resource, Resource::Integration { pattern: Pattern::Sync2, .. });
            Ok(shapes::execution_ended(task, &output, parsed))
        }
    }
}
