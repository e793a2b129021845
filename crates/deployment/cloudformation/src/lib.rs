//! Stacks of resources from one template, made, changed and removed as a whole.
//!
//! AWS counterpart: AWS CloudFormation. A template's resources are made through the platform's own operations, as the caller
//! or as the stack's role; a resource type is one declaration in [`resources`]. An operation on a stack is durable: after a
//! crash it goes on where its rows stand. What is not implemented (macros, rules, resource types, options) is refused by
//! name; notifications, stack policies, drift and rollback triggers are not there yet.
//!
//! | Module | What it does |
//! |---|---|
//! | `api` | wire types of inputs |
//! | `template` | template text, parameters, functions, conditions, dependencies |
//! | `requests` | from a request to a checked definition |
//! | `stacks` | CreateStack, UpdateStack, DeleteStack, termination protection |
//! | `change_sets` | change sets |
//! | `describe` | stacks, events, resources, exports as they are shown |
//! | `templates` | GetTemplate, GetTemplateSummary, ValidateTemplate |
//! | [`engine`] | operations in the background, rollback, recovery |
//! | `resources` | the resource types |
//! | `store`, `status`, [`error`] | rows; states; errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod change_sets;
mod describe;
pub mod engine;
pub mod error;
mod requests;
mod resources;
mod stacks;
mod status;
mod store;
mod template;
mod templates;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{Protocol, ServiceTable};

use crate::api::{
    ChangeSetInput, DeleteStack, ExecuteChangeSet, GetTemplate, ListChangeSets, StackInput, StackPage, StackResource,
    TerminationProtection,
};
use crate::stacks::resource;

pub use error::StackError;
pub use store::Stacks;

/// The operations of CloudFormation.
#[must_use]
pub fn service(state: &Arc<Stacks>) -> ServiceTable {
    let namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/";
    let table = ServiceTable::new("cloudformation", Protocol::AwsQuery { version: "2010-05-15", namespace });
    let given = || Access::On(|ctx, input: &StackInput| resource(ctx, &input.stack_name));
    let paged = || {
        Access::On(|ctx, input: &StackPage| match input.stack_name.as_deref() {
            Some(name) => resource(ctx, name),
            None => vec!["*".to_owned()],
        })
    };
    let named = || {
        Access::On(|ctx, input: &StackResource| match input.stack_name.as_deref() {
            Some(name) => resource(ctx, name),
            None => vec!["*".to_owned()],
        })
    };
    let change_set =
        || Access::On(|ctx, input: &ChangeSetInput| resource(ctx, input.stack_name.as_deref().unwrap_or("*")));
    let table = table
        .operation("CreateStack", given(), state, stacks::create)
        .operation("UpdateStack", given(), state, stacks::update)
        .operation(
            "DeleteStack",
            Access::On(|ctx, input: &DeleteStack| resource(ctx, &input.stack_name)),
            state,
            stacks::delete,
        )
        .operation(
            "UpdateTerminationProtection",
            Access::On(|ctx, input: &TerminationProtection| resource(ctx, &input.stack_name)),
            state,
            stacks::protect,
        )
        .operation("DescribeStacks", paged(), state, describe::stacks)
        .operation("ListStacks", Access::On(any_resource), state, describe::list)
        .operation("DescribeStackEvents", paged(), state, describe::events)
        .operation("DescribeStackResources", named(), state, describe::resources)
        .operation("DescribeStackResource", named(), state, describe::resource)
        .operation("ListStackResources", paged(), state, describe::list_resources)
        .operation("ListExports", Access::On(any_resource), state, describe::exports)
        .operation("ListImports", Access::On(any_resource), state, describe::imports);
    table
        .operation(
            "GetTemplate",
            Access::On(|ctx, input: &GetTemplate| resource(ctx, input.stack_name.as_deref().unwrap_or("*"))),
            state,
            templates::get,
        )
        .operation("GetTemplateSummary", Access::On(any_resource), state, templates::summarize)
        .operation("ValidateTemplate", Access::On(any_resource), state, templates::validate)
        .operation("CreateChangeSet", given(), state, change_sets::create)
        .operation("DescribeChangeSet", change_set(), state, change_sets::describe)
        .operation("DeleteChangeSet", change_set(), state, change_sets::delete)
        .operation(
            "ExecuteChangeSet",
            Access::On(|ctx, input: &ExecuteChangeSet| resource(ctx, input.stack_name.as_deref().unwrap_or("*"))),
            state,
            change_sets::execute,
        )
        .operation(
            "ListChangeSets",
            Access::On(|ctx, input: &ListChangeSets| resource(ctx, &input.stack_name)),
            state,
            change_sets::list,
        )
}
