//! Step Functions: state machines, executions that survive a crash, tasks through every service of the platform.
//!
//! AWS counterpart: "AWS Step Functions". The language is `boathouse-states`; here is what is around it: what is kept, what
//! drives executions, and what carries out their tasks.
//!
//! Standard executions run exactly once: each step is in the log before its commands are carried out, and after a crash the
//! log is replayed. A call that was under way is made again with the same idempotency key: Athena, Glue and Step Functions,
//! and whatever else makes something without a name of its own, do the work once. A Lambda function whose answer a crash
//! cut off is called again with the same request id; other operations without a key of their own, such as PutEvents or
//! PutRecord, may be done twice. Asynchronous express executions run at least once, synchronous ones at most once.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types |
//! | `machines`, `versions`, `executions`, `activities`, `tokens`, `tags` | the operations |
//! | `trials` | TestState |
//! | `definitions` | compiling for this installation, ValidateStateMachineDefinition |
//! | [`runner`], `retention` | drives executions; recovery; forgets old ones |
//! | `integrations`, `jobs` | tasks; the jobs that `.sync` tasks wait for |
//! | `events`, `logging`, `measures`, `wire` | status changes, CloudWatch Logs and metrics, history on the wire |
//! | `store`, `names`, [`error`] | rows and shared helpers; names and ARNs; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod activities;
pub mod api;
mod definitions;
pub mod error;
mod events;
mod executions;
mod integrations;
mod jobs;
mod logging;
mod machines;
mod measures;
mod names;
mod retention;
pub mod runner;
mod store;
mod tags;
mod tokens;
mod trials;
mod versions;
mod wire;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Ctx, Protocol, ServiceTable};

use crate::api::{
    CreateActivity, CreateStateMachine, GetActivityTask, GetHistory, ListExecutions, ListOfMachine, ListTags,
    OfActivity, OfAlias, OfExecution, OfMachine, OfVersion, PublishVersion, Redrive, StartExecution,
    StartSyncExecution, StopExecution, TagResource, UntagResource, UpdateAlias, UpdateStateMachine,
};

pub use error::SfnError;
pub use store::StepFunctions;

/// The table of the service `states`.
#[must_use]
pub fn service(state: &Arc<StepFunctions>) -> ServiceTable {
    let table = ServiceTable::new("states", Protocol::AwsJson { version: "1.0", target_prefix: "AWSStepFunctions" });
    let keeper = Arc::clone(state);
    let table = table.with_tags(move |arn| tags::of(&keeper, arn));
    let table = machine_operations(table, state);
    let table = execution_operations(table, state);
    other_operations(table, state)
}

fn machine_operations(table: ServiceTable, state: &Arc<StepFunctions>) -> ServiceTable {
    let of_machine = || Access::On(|_: &Ctx, input: &OfMachine| vec![input.state_machine_arn.clone()]);
    let of_alias = || Access::On(|_: &Ctx, input: &OfAlias| vec![input.state_machine_alias_arn.clone()]);
    let of_list = || Access::On(|_: &Ctx, input: &ListOfMachine| vec![input.state_machine_arn.clone()]);
    let created = |ctx: &Ctx, input: &CreateStateMachine| vec![names::machine_arn(ctx, &input.name)];
    table
        .operation("CreateStateMachine", Access::On(created), state, machines::create)
        .operation(
            "UpdateStateMachine",
            Access::On(|_, input: &UpdateStateMachine| vec![input.state_machine_arn.clone()]),
            state,
            machines::update,
        )
        .operation("DescribeStateMachine", of_machine(), state, machines::describe)
        .operation("DeleteStateMachine", of_machine(), state, machines::delete)
        .operation("ListStateMachines", Access::On(any_resource), state, machines::list)
        .operation("ValidateStateMachineDefinition", Access::On(any_resource), state, definitions::validate)
        .operation("TestState", Access::On(any_resource), state, trials::test)
        .operation(
            "PublishStateMachineVersion",
            Access::On(|_, input: &PublishVersion| vec![input.state_machine_arn.clone()]),
            state,
            versions::publish_version,
        )
        .operation("ListStateMachineVersions", of_list(), state, versions::list_versions)
        .operation(
            "DeleteStateMachineVersion",
            Access::On(|_, input: &OfVersion| vec![input.state_machine_version_arn.clone()]),
            state,
            versions::delete_version,
        )
        .operation("CreateStateMachineAlias", Access::On(any_resource), state, versions::create_alias)
        .operation(
            "UpdateStateMachineAlias",
            Access::On(|_, input: &UpdateAlias| vec![input.state_machine_alias_arn.clone()]),
            state,
            versions::update_alias,
        )
        .operation("DescribeStateMachineAlias", of_alias(), state, versions::describe_alias)
        .operation("DeleteStateMachineAlias", of_alias(), state, versions::delete_alias)
        .operation("ListStateMachineAliases", of_list(), state, versions::list_aliases)
}

fn execution_operations(table: ServiceTable, state: &Arc<StepFunctions>) -> ServiceTable {
    let of_execution = || Access::On(|_: &Ctx, input: &OfExecution| vec![input.execution_arn.clone()]);
    table
        .operation(
            "StartExecution",
            Access::On(|_, input: &StartExecution| vec![input.state_machine_arn.clone()]),
            state,
            executions::start,
        )
        .operation(
            "StartSyncExecution",
            Access::On(|_, input: &StartSyncExecution| vec![input.state_machine_arn.clone()]),
            state,
            executions::start_sync,
        )
        .operation(
            "StopExecution",
            Access::On(|_, input: &StopExecution| vec![input.execution_arn.clone()]),
            state,
            executions::stop,
        )
        .operation("DescribeExecution", of_execution(), state, executions::describe)
        .operation("DescribeStateMachineForExecution", of_execution(), state, executions::describe_machine)
        .operation(
            "ListExecutions",
            Access::On(|_, input: &ListExecutions| vec![input.state_machine_arn.clone().unwrap_or_else(|| "*".into())]),
            state,
            executions::list,
        )
        .operation(
            "GetExecutionHistory",
            Access::On(|_, input: &GetHistory| vec![input.execution_arn.clone()]),
            state,
            executions::history,
        )
        .operation(
            "RedriveExecution",
            Access::On(|_, input: &Redrive| vec![input.execution_arn.clone()]),
            state,
            executions::redrive,
        )
}

fn other_operations(table: ServiceTable, state: &Arc<StepFunctions>) -> ServiceTable {
    let of_activity = || Access::On(|_: &Ctx, input: &OfActivity| vec![input.activity_arn.clone()]);
    let created = |ctx: &Ctx, input: &CreateActivity| vec![names::activity_arn(ctx, &input.name)];
    table
        .operation("CreateActivity", Access::On(created), state, activities::create)
        .operation("DescribeActivity", of_activity(), state, activities::describe)
        .operation("DeleteActivity", of_activity(), state, activities::delete)
        .operation("ListActivities", Access::On(any_resource), state, activities::list)
        .operation(
            "GetActivityTask",
            Access::On(|_, input: &GetActivityTask| vec![input.activity_arn.clone()]),
            state,
            activities::get_task,
        )
        .operation("SendTaskSuccess", Access::On(any_resource), state, tokens::success)
        .operation("SendTaskFailure", Access::On(any_resource), state, tokens::failure)
        .operation("SendTaskHeartbeat", Access::On(any_resource), state, tokens::heartbeat)
        .operation(
            "TagResource",
            Access::On(|_, input: &TagResource| vec![input.resource_arn.clone()]),
            state,
            tags::tag,
        )
        .operation(
            "UntagResource",
            Access::On(|_, input: &UntagResource| vec![input.resource_arn.clone()]),
            state,
            tags::untag,
        )
        .operation(
            "ListTagsForResource",
            Access::On(|_, input: &ListTags| vec![input.resource_arn.clone()]),
            state,
            tags::list,
        )
}
