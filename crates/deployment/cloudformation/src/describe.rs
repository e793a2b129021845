//! Reading stacks: DescribeStacks, ListStacks, events, resources, exports and imports.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde::Serialize;
use serde_json::Value;

use crate::api::{ListExports, ListImports, ListStacks, StackPage, StackResource, Tag};
use crate::error::StackError;
use crate::status::StackStatus;
use crate::store::{
    ALL, EVENTS, EXPORTS, Event, Export, OnFailure, Output, Resource, STACKS, Stack, Stacks, Time, uuid_of,
};
use crate::template::Template;

/// Entries of a page.
const PAGE: usize = 100;

/// Declares shapes of answers: AWS's member names, absent members left out.
macro_rules! shape {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Serialize)]
            #[serde(rename_all = "PascalCase")]
            pub(crate) struct $name { $($(#[$attr])* pub(crate) $field: $kind),* }
        )*
    };
}

shape! {
    /// A parameter as a stack shows it.
    ShownParameter { parameter_key: String, parameter_value: String }

    /// Boathouse looks for no drift.
    Drift { stack_drift_status: &'static str }

    /// See [`Drift`].
    ResourceDrift { stack_resource_drift_status: &'static str }

    /// A stack as DescribeStacks shows it.
    ShownStack {
        stack_id: String,
        stack_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        change_set_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        parameters: Vec<ShownParameter>,
        creation_time: Time,
        #[serde(skip_serializing_if = "Option::is_none")]
        deletion_time: Option<Time>,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_updated_time: Option<Time>,
        stack_status: StackStatus,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack_status_reason: Option<String>,
        disable_rollback: bool,
        #[serde(rename = "NotificationARNs")]
        notification_arns: Vec<String>,
        capabilities: Vec<String>,
        outputs: Vec<Output>,
        #[serde(rename = "RoleARN", skip_serializing_if = "Option::is_none")]
        role_arn: Option<String>,
        tags: Vec<Tag>,
        enable_termination_protection: bool,
        drift_information: Drift,
    }

    /// DescribeStacks' answer.
    ShownStacks {
        stacks: Vec<ShownStack>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }

    /// A stack as ListStacks shows it.
    Summary {
        stack_id: String,
        stack_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        template_description: Option<String>,
        creation_time: Time,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_updated_time: Option<Time>,
        #[serde(skip_serializing_if = "Option::is_none")]
        deletion_time: Option<Time>,
        stack_status: StackStatus,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack_status_reason: Option<String>,
        drift_information: Drift,
    }

    /// ListStacks' answer.
    Summaries {
        stack_summaries: Vec<Summary>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }

    /// DescribeStackEvents' answer.
    Events {
        stack_events: Vec<Event>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }

    /// A resource as DescribeStackResources shows it.
    ShownResource {
        stack_name: String,
        stack_id: String,
        logical_resource_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        physical_resource_id: Option<String>,
        resource_type: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        timestamp: Option<Time>,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_updated_timestamp: Option<Time>,
        resource_status: crate::status::ResourceStatus,
        #[serde(skip_serializing_if = "Option::is_none")]
        resource_status_reason: Option<String>,
        drift_information: ResourceDrift,
    }

    /// DescribeStackResources' answer.
    ShownResources { stack_resources: Vec<ShownResource> }

    /// DescribeStackResource's answer.
    Detail { stack_resource_detail: ShownResource }

    /// ListStackResources' answer.
    ResourceSummaries {
        stack_resource_summaries: Vec<ShownResource>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }

    /// ListExports' answer.
    Exports {
        exports: Vec<Export>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }

    /// ListImports' answer.
    Imports {
        imports: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }
}

const NO_DRIFT: Drift = Drift { stack_drift_status: "NOT_CHECKED" };

/// The key after which a page begins.
fn after(token: Option<String>) -> Result<Option<Key>, StackError> {
    let malformed = |_| StackError::Validation("NextToken is not one of this operation".to_owned());
    let parts: Option<Vec<String>> = token.map(|token| serde_json::from_str(&token).map_err(malformed)).transpose()?;
    Ok(parts.map(Key::new))
}

fn token(next: Option<Key>) -> Option<String> {
    next.map(|key| Value::from(key.parts()).to_string())
}

/// A parameter's value, unless it must not be shown. Parameters that were not given show their default.
pub(crate) fn shown_parameters(definition: &crate::store::Definition) -> Vec<ShownParameter> {
    let Ok(template) = Template::parse(&definition.template) else { return Vec::new() };
    let declared = template.parameters.iter();
    declared
        .map(|(key, parameter)| {
            let value = definition.parameters.get(key).or(parameter.default.as_ref()).cloned().unwrap_or_default();
            let value = if parameter.no_echo { "****".to_owned() } else { value };
            ShownParameter { parameter_key: key.clone(), parameter_value: value }
        })
        .collect()
}

fn shown(stack: Stack) -> ShownStack {
    ShownStack {
        parameters: shown_parameters(&stack.definition),
        stack_id: stack.id,
        stack_name: stack.name,
        change_set_id: stack.change_set,
        description: stack.description,
        creation_time: stack.created,
        deletion_time: stack.deleted,
        last_updated_time: stack.updated,
        stack_status: stack.status,
        stack_status_reason: stack.reason,
        disable_rollback: stack.on_failure == OnFailure::DoNothing,
        notification_arns: stack.definition.notification_arns,
        capabilities: stack.definition.capabilities,
        outputs: stack.outputs,
        role_arn: stack.definition.role_arn,
        tags: stack.definition.tags,
        enable_termination_protection: stack.termination_protection,
        drift_information: NO_DRIFT,
    }
}

pub(crate) async fn stacks(_: Ctx, state: Arc<Stacks>, input: StackPage) -> Result<ShownStacks, StackError> {
    if let Some(name) = input.stack_name.as_deref().filter(|name| !name.is_empty()) {
        return Ok(ShownStacks { stacks: vec![shown(state.find(name)?)], next_token: None });
    }
    let page = state.metadata.page(STACKS, &Key::default(), after(input.next_token)?.as_ref(), PAGE)?;
    let mut stacks = Vec::new();
    for entry in &page.entries {
        let stack: Stack = entry.json()?;
        if stack.status != StackStatus::DeleteComplete {
            stacks.push(shown(stack));
        }
    }
    Ok(ShownStacks { stacks, next_token: token(page.next) })
}

pub(crate) async fn list(_: Ctx, state: Arc<Stacks>, input: ListStacks) -> Result<Summaries, StackError> {
    let page = state.metadata.page(STACKS, &Key::default(), after(input.next_token)?.as_ref(), PAGE)?;
    let mut found = Vec::new();
    for entry in &page.entries {
        let stack: Stack = entry.json()?;
        let wanted = &input.stack_status_filter;
        if wanted.is_empty() || wanted.contains(&stack.status.to_string()) {
            found.push(Summary {
                stack_id: stack.id,
                stack_name: stack.name,
                template_description: stack.description,
                creation_time: stack.created,
                last_updated_time: stack.updated,
                deletion_time: stack.deleted,
                stack_status: stack.status,
                stack_status_reason: stack.reason,
                drift_information: NO_DRIFT,
            });
        }
    }
    Ok(Summaries { stack_summaries: found, next_token: token(page.next) })
}

/// The stack that an operation must name.
fn named(state: &Stacks, name: Option<&str>) -> Result<Stack, StackError> {
    let missing = || {
        StackError::Validation(
            "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null"
                .to_owned(),
        )
    };
    state.find(name.ok_or_else(missing)?).map_err(|error| match (error, name) {
        (StackError::Validation(_), Some(name)) if uuid_of(name).is_none() => {
            StackError::Validation(format!("Stack [{name}] does not exist"))
        }
        (other, _) => other,
    })
}

pub(crate) async fn events(_: Ctx, state: Arc<Stacks>, input: StackPage) -> Result<Events, StackError> {
    let stack = named(&state, input.stack_name.as_deref())?;
    let page = state.metadata.page(EVENTS, &Key::new([&stack.uuid]), after(input.next_token)?.as_ref(), PAGE)?;
    let stack_events = page.entries.iter().map(boathouse_metadata::Entry::json).collect::<Result<_, _>>()?;
    Ok(Events { stack_events, next_token: token(page.next) })
}

fn shown_resource(stack: &Stack, row: Resource, summary: bool) -> ShownResource {
    ShownResource {
        stack_name: stack.name.clone(),
        stack_id: stack.id.clone(),
        logical_resource_id: row.logical,
        physical_resource_id: row.current.id.or_else(|| Some(row.current.name).filter(|name| !name.is_empty())),
        resource_type: row.current.kind,
        timestamp: (!summary).then_some(row.updated),
        last_updated_timestamp: summary.then_some(row.updated),
        resource_status: row.status,
        resource_status_reason: row.reason,
        drift_information: ResourceDrift { stack_resource_drift_status: "NOT_CHECKED" },
    }
}

pub(crate) async fn resources(_: Ctx, state: Arc<Stacks>, input: StackResource) -> Result<ShownResources, StackError> {
    let stack = match (&input.stack_name, &input.physical_resource_id) {
        (Some(_), Some(_)) => {
            return Err(StackError::Validation("You cannot specify both StackName and PhysicalResourceId".to_owned()));
        }
        (name @ Some(_), None) => named(&state, name.as_deref())?,
        (None, Some(physical)) => owner(&state, physical)?,
        (None, None) => {
            let message = "Either StackName or PhysicalResourceId must be specified";
            return Err(StackError::Validation(message.to_owned()));
        }
    };
    let rows = state.resources(&stack.uuid)?.into_values();
    let wanted = rows.filter(|row| input.logical_resource_id.as_ref().is_none_or(|logical| row.logical == *logical));
    Ok(ShownResources { stack_resources: wanted.map(|row| shown_resource(&stack, row, false)).collect() })
}

/// The stack that has a physical resource.
fn owner(state: &Stacks, physical: &str) -> Result<Stack, StackError> {
    for entry in state.metadata.scan(STACKS, &Key::default(), None, ALL)? {
        let stack: Stack = entry.json()?;
        if stack.status == StackStatus::DeleteComplete {
            continue;
        }
        if state.resources(&stack.uuid)?.values().any(|row| row.current.id.as_deref() == Some(physical)) {
            return Ok(stack);
        }
    }
    Err(StackError::Validation(format!("Stack for {physical} does not exist")))
}

pub(crate) async fn resource(_: Ctx, state: Arc<Stacks>, input: StackResource) -> Result<Detail, StackError> {
    let stack = named(&state, input.stack_name.as_deref())?;
    let logical = input.logical_resource_id.unwrap_or_default();
    let row = state.resources(&stack.uuid)?.remove(&logical);
    let missing = || StackError::Validation(format!("Resource {logical} does not exist for stack {}", stack.name));
    Ok(Detail { stack_resource_detail: shown_resource(&stack, row.ok_or_else(missing)?, true) })
}

pub(crate) async fn list_resources(
    _: Ctx,
    state: Arc<Stacks>,
    input: StackPage,
) -> Result<ResourceSummaries, StackError> {
    let stack = named(&state, input.stack_name.as_deref())?;
    let space = crate::store::RESOURCES;
    let page = state.metadata.page(space, &Key::new([&stack.uuid]), after(input.next_token)?.as_ref(), PAGE)?;
    let mut found = Vec::new();
    for entry in &page.entries {
        found.push(shown_resource(&stack, entry.json()?, true));
    }
    Ok(ResourceSummaries { stack_resource_summaries: found, next_token: token(page.next) })
}

pub(crate) async fn exports(_: Ctx, state: Arc<Stacks>, input: ListExports) -> Result<Exports, StackError> {
    let page = state.metadata.page(EXPORTS, &Key::default(), after(input.next_token)?.as_ref(), PAGE)?;
    let exports = page.entries.iter().map(boathouse_metadata::Entry::json).collect::<Result<_, _>>()?;
    Ok(Exports { exports, next_token: token(page.next) })
}

pub(crate) async fn imports(_: Ctx, state: Arc<Stacks>, input: ListImports) -> Result<Imports, StackError> {
    let imports = state.importers(&input.export_name)?;
    if imports.is_empty() {
        return Err(StackError::Validation(format!("Export '{}' is not imported by any stack.", input.export_name)));
    }
    Ok(Imports { imports, next_token: None })
}
