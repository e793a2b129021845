//! Task tokens: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_states::execution::Happening;
use boathouse_states::{Failure, read_token};

use crate::api::{Empty, SendTaskFailure, SendTaskHeartbeat, SendTaskSuccess};
use crate::error::SfnError;
use crate::runner::{MAX_PAYLOAD, Message, tell_durably};
use crate::store::StepFunctions;

async fn send(state: &StepFunctions, token: String, what: impl FnOnce(u64) -> Happening) -> Result<Empty, SfnError> {
    let invalid = || SfnError::InvalidToken("Invalid token".into());
    let parts = read_token(&token).ok_or_else(invalid)?;
    let row = state.execution(&parts.execution).map_err(|_| invalid())?;
    let message = Message { token: Some(token), ..Message::from(what(parts.task)) };
    if row.is_running() && tell_durably(state, &row.arn, message).await {
        return Ok(Empty {});
    }
    Err(SfnError::TaskTimedOut)
}

pub(crate) async fn success(_: Ctx, state: Arc<StepFunctions>, input: SendTaskSuccess) -> Result<Empty, SfnError> {
    if input.output.len() > MAX_PAYLOAD {
        return Err(SfnError::InvalidOutput(format!("The output is larger than {MAX_PAYLOAD} bytes")));
    }
    let output = serde_json::from_str(&input.output).map_err(|error| {
        SfnError::InvalidOutput(boathouse_states::compile::json_problem(&input.output, &error).message)
    })?;
    send(&state, input.task_token, |task| Happening::Succeeded { task, output }).await
}

pub(crate) async fn failure(_: Ctx, state: Arc<StepFunctions>, input: SendTaskFailure) -> Result<Empty, SfnError> {
    let failure = Failure { error: input.error, cause: input.cause };
    send(&state, input.task_token, |task| Happening::Failed { task, failure }).await
}

pub(crate) async fn heartbeat(_: Ctx, state: Arc<StepFunctions>, input: SendTaskHeartbeat) -> Result<Empty, SfnError> {
    send(&state, input.task_token, |task| Happening::Heartbeat { task }).await
}
