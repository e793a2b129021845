//! Change sets: what would change, before it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::{ChangeSetInput, Empty, ExecuteChangeSet, ListChangeSets, StackInput, Tag};
use crate::describe::{ShownParameter, shown_parameters};
use crate::error::StackError;
use crate::requests::{check, is_same, plan_of, valid_name};
use crate::resources;
use crate::stacks::{begin_reviewed, begin_update, new_stack, not_updatable, recheck};
use crate::status::StackStatus;
use crate::store::{CHANGE_SETS, Definition, OnFailure, Stack, Stacks, Time, put_stack, put_with_event, stack_in};
use crate::template::Plan;
use crate::template::functions::KNOWN_AFTER_APPLY;

/// A change set's row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) name: String,
    description: Option<String>,
    created: Time,
    /// Whether it makes the stack.
    creates: bool,
    status: String,
    status_reason: Option<String>,
    execution_status: String,
    on_failure: OnFailure,
    pub(crate) definition: Definition,
    changes: Vec<Value>,
    token: Option<String>,
}

/// CreateChangeSet's answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Created {
    id: String,
    stack_id: String,
}

/// DescribeChangeSet's answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Description {
    change_set_name: String,
    change_set_id: String,
    stack_id: String,
    stack_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    parameters: Vec<ShownParameter>,
    creation_time: Time,
    execution_status: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    #[serde(rename = "NotificationARNs")]
    notification_arns: Vec<String>,
    capabilities: Vec<String>,
    tags: Vec<Tag>,
    changes: Vec<Value>,
    include_nested_stacks: bool,
}

/// A change set as ListChangeSets shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    stack_id: String,
    stack_name: String,
    change_set_id: String,
    change_set_name: String,
    execution_status: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    creation_time: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// ListChangeSets' answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summaries {
    summaries: Vec<Summary>,
}

/// The change set of a name (within its stack) or of an ARN, with the stack.
pub(crate) fn find(state: &Stacks, name_or_id: &str, stack: Option<&str>) -> Result<(Stack, ChangeSet), StackError> {
    let missing = || StackError::NoChangeSet(name_or_id.to_owned());
    if name_or_id.starts_with("arn:") {
        let entries = state.metadata.scan(CHANGE_SETS, &Key::default(), None, crate::store::ALL)?;
        for entry in entries {
            let set: ChangeSet = entry.json()?;
            if set.id == name_or_id {
                let uuid = entry.key.parts().into_iter().next().unwrap_or_default();
                return Ok((state.by_uuid(&uuid)?.ok_or_else(missing)?, set));
            }
        }
        return Err(missing());
    }
    let stack = stack.ok_or_else(|| {
        StackError::Validation("StackName must be specified if ChangeSetName is not specified as an ARN.".to_owned())
    })?;
    let stack = state.find(stack)?;
    let set = state.metadata.get_json(CHANGE_SETS, &Key::new([stack.uuid.as_str(), name_or_id]))?;
    Ok((stack, set.ok_or_else(missing)?))
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Stacks>, input: StackInput) -> Result<Created, StackError> {
    let name = input.change_set_name.clone().unwrap_or_default();
    valid_name(&name).map_err(|_| {
        StackError::Validation(format!(
            "1 validation error detected: Value '{name}' at 'changeSetName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        ))
    })?;
    let present = if input.stack_name.starts_with("arn:") {
        Some(state.find(&input.stack_name)?)
    } else {
        valid_name(&input.stack_name)?;
        state.living(&input.stack_name)?
    };
    let (stack, is_new) = host(&ctx, &input, present)?;
    let creates = stack.status == StackStatus::ReviewInProgress;
    let before = (!creates).then_some(&stack.definition);
    let checked = check(&ctx, &state, &input, before, (&stack.name, &stack.id)).await?;
    let changes = changes(&ctx, &state, &stack, &checked.plan)?;
    let nothing = match before {
        Some(old) => is_same((old, &plan_of(&ctx, &stack, old)?), (&checked.definition, &checked.plan)),
        None => false,
    };
    let id = Arn::new("cloudformation", ctx.region(), format!("changeSet/{name}/{}", uuid::Uuid::new_v4())).to_string();
    let no_change =
        "The submitted information didn't contain changes. Submit different information to create a change set.";
    let set = ChangeSet {
        id: id.clone(),
        name: name.clone(),
        description: input.description.clone(),
        created: Time(ctx.now()),
        creates,
        status: if nothing { "FAILED" } else { "CREATE_COMPLETE" }.to_owned(),
        status_reason: nothing.then(|| no_change.to_owned()),
        execution_status: if nothing { "UNAVAILABLE" } else { "AVAILABLE" }.to_owned(),
        on_failure: failure(input.on_stack_failure.as_deref())?,
        definition: checked.definition,
        changes,
        token: input.client_token.clone(),
    };
    let stack_id = stack.id.clone();
    let id = keep(&ctx, &state, stack, is_new, set).await?;
    Ok(Created { id, stack_id })
}

fn failure(given: Option<&str>) -> Result<OnFailure, StackError> {
    match given {
        None | Some("ROLLBACK") => Ok(OnFailure::Rollback),
        Some("DO_NOTHING") => Ok(OnFailure::DoNothing),
        Some("DELETE") => Ok(OnFailure::Delete),
        Some(other) => {
            Err(StackError::Validation(format!("OnStackFailure {other} is not one of DO_NOTHING, ROLLBACK, DELETE")))
        }
    }
}

/// The stack that the change set is for: a new one in review, or one that is there.
fn host(ctx: &Ctx, input: &StackInput, present: Option<Stack>) -> Result<(Stack, bool), StackError> {
    let name = &input.stack_name;
    match (input.change_set_type.as_deref(), present) {
        (Some("CREATE"), None) => Ok((new_stack(ctx, name, &uuid::Uuid::new_v4().to_string()), true)),
        (Some("CREATE"), Some(stack)) if stack.status == StackStatus::ReviewInProgress => Ok((stack, false)),
        (Some("CREATE"), Some(_)) => Err(StackError::Validation(format!(
            "Stack [{name}] already exists and cannot be created again with the changeSet [{}].",
            input.change_set_name.as_deref().unwrap_or_default()
        ))),
        (None | Some("UPDATE"), None) => Err(StackError::Validation(format!("Stack [{name}] does not exist"))),
        (None | Some("UPDATE"), Some(stack)) if stack.status.can_update() => Ok((stack, false)),
        (None | Some("UPDATE"), Some(stack)) => Err(not_updatable(&stack)),
        (Some(other), _) => Err(StackError::NotImplemented(format!("ChangeSetType {other}"))),
    }
}

async fn keep(ctx: &Ctx, state: &Stacks, stack: Stack, is_new: bool, set: ChangeSet) -> Result<String, StackError> {
    let now = Time(ctx.now());
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&stack.uuid, &set.name]);
            if let Some(present) = tx.get_json::<ChangeSet>(CHANGE_SETS, &key)? {
                // The same request once more.
                if present.token.is_some() && present.token == set.token {
                    return Ok(present.id);
                }
                return Err(StackError::ChangeSetExists(set.name));
            }
            if is_new {
                let mut stack = stack;
                put_with_event(tx, &mut stack, now)?;
            }
            tx.put_json(CHANGE_SETS, &key, &set)?;
            Ok(set.id)
        })
        .await
}

/// What the plan would do to the stack.
fn changes(ctx: &Ctx, state: &Stacks, stack: &Stack, plan: &Plan) -> Result<Vec<Value>, StackError> {
    let rows = state.resources(&stack.uuid)?;
    let old = if stack.definition.template.is_empty() { None } else { Some(plan_of(ctx, stack, &stack.definition)?) };
    let mut found = Vec::new();
    let mut replaced: Vec<String> = Vec::new();
    for (logical, resource) in &plan.resources {
        let before = old.as_ref().and_then(|old| Some((old, old.resources.get(logical)?)));
        let Some((old, declared)) = before else {
            found.push(change("Add", logical, &resource.kind, None, None, Vec::new()));
            continue;
        };
        let (was, is) = (old.symbolic(declared), plan.symbolic(resource));
        let physical = rows.get(logical).and_then(|row| row.current.id.clone());
        let same_kind = resource.kind == declared.kind;
        let follows = same_kind && was == is && mentions(&is, &replaced);
        if same_kind && was == is && !follows {
            continue;
        }
        let replacement = replacement(&resource.kind, same_kind, follows, &was, &is);
        if replacement == "True" {
            replaced.push(logical.clone());
        }
        let details = details(&was, &is);
        found.push(change("Modify", logical, &resource.kind, physical, Some(replacement), details));
    }
    for (logical, declared) in old.iter().flat_map(|old| &old.resources) {
        if !plan.resources.contains_key(logical) {
            let physical = rows.get(logical).and_then(|row| row.current.id.clone());
            found.push(change("Remove", logical, &declared.kind, physical, None, Vec::new()));
        }
    }
    Ok(found)
}

/// Whether properties refer to one of these resources, whose values are about to change.
fn mentions(properties: &Value, resources: &[String]) -> bool {
    let text = properties.to_string();
    resources.iter().any(|name| {
        text.contains(&format!("{KNOWN_AFTER_APPLY}[{name}]")) || text.contains(&format!("{KNOWN_AFTER_APPLY}[{name}."))
    })
}

fn replacement(kind: &str, same_kind: bool, follows: bool, was: &Value, is: &Value) -> &'static str {
    let Some(known) = resources::find(kind).filter(|_| same_kind) else { return "True" };
    if follows {
        return "Conditional";
    }
    let empty = Map::new();
    let (was, is) = (was.as_object().unwrap_or(&empty), is.as_object().unwrap_or(&empty));
    let replaces = known.kind.update.is_empty() || known.schema.replaces(was, is);
    if replaces { "True" } else { "False" }
}

fn details(was: &Value, is: &Value) -> Vec<Value> {
    let empty = Map::new();
    let (was, is) = (was.as_object().unwrap_or(&empty), is.as_object().unwrap_or(&empty));
    let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
    names.sort();
    names.dedup();
    let changed = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
    changed
        .map(|name| {
            json!({
                "Target": {"Attribute": "Properties", "Name": name},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            })
        })
        .collect()
}

fn change(
    action: &str,
    logical: &str,
    kind: &str,
    physical: Option<String>,
    replacement: Option<&str>,
    details: Vec<Value>,
) -> Value {
    let scope: Vec<&str> = if action == "Modify" { vec!["Properties"] } else { Vec::new() };
    json!({
        "Type": "Resource",
        "ResourceChange": {
            "Action": action,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "Replacement": replacement,
            "Scope": scope,
            "Details": details,
        },
    })
}

pub(crate) async fn describe(_: Ctx, state: Arc<Stacks>, input: ChangeSetInput) -> Result<Description, StackError> {
    if input.include_property_values == Some(true) {
        return Err(StackError::NotImplemented("IncludePropertyValues".to_owned()));
    }
    let (stack, set) = find(&state, &input.change_set_name, input.stack_name.as_deref())?;
    Ok(Description {
        parameters: shown_parameters(&set.definition),
        change_set_name: set.name,
        change_set_id: set.id,
        stack_id: stack.id,
        stack_name: stack.name,
        description: set.description,
        creation_time: set.created,
        execution_status: set.execution_status,
        status: set.status,
        status_reason: set.status_reason,
        notification_arns: set.definition.notification_arns,
        capabilities: set.definition.capabilities,
        tags: set.definition.tags,
        changes: set.changes,
        include_nested_stacks: false,
    })
}

pub(crate) async fn execute(ctx: Ctx, state: Arc<Stacks>, input: ExecuteChangeSet) -> Result<Empty, StackError> {
    if input.retain_except_on_create == Some(true) {
        return Err(StackError::NotImplemented("RetainExceptOnCreate".to_owned()));
    }
    let (stack, set) = find(&state, &input.change_set_name, input.stack_name.as_deref())?;
    if set.execution_status != "AVAILABLE" {
        let message = format!(
            "ChangeSet [{}] cannot be executed in its current execution status of [{}]",
            set.id, set.execution_status
        );
        return Err(StackError::ChangeSetState(message));
    }
    let checked = recheck(&ctx, &state, &stack, &set.definition).await?;
    match (set.creates, input.disable_rollback) {
        (true, disabled) => {
            let on_failure = if disabled == Some(true) { OnFailure::DoNothing } else { set.on_failure };
            begin_reviewed(&ctx, &state, &stack, checked, (input.client_request_token, on_failure)).await?;
        }
        (false, Some(true)) => {
            return Err(StackError::NotImplemented("DisableRollback of updates".to_owned()));
        }
        (false, _) => {
            begin_update(&ctx, &state, &stack, checked, input.client_request_token).await?;
        }
    }
    finish(&state, &stack, set).await?;
    Ok(Empty {})
}

/// The executed change set stays as the stack's last one; the others don't fit the stack any more.
async fn finish(state: &Stacks, stack: &Stack, mut set: ChangeSet) -> Result<(), StackError> {
    let (name, uuid) = (stack.name.clone(), stack.uuid.clone());
    set.execution_status = "EXECUTE_COMPLETE".to_owned();
    state
        .metadata
        .transaction(move |tx| {
            tx.delete_prefix(CHANGE_SETS, &Key::new([&uuid]))?;
            tx.put_json(CHANGE_SETS, &Key::new([&uuid, &set.name]), &set)?;
            let mut stack = stack_in(tx, &name, &uuid)?;
            stack.change_set = Some(set.id);
            put_stack(tx, &stack)
        })
        .await
}

pub(crate) async fn delete(_: Ctx, state: Arc<Stacks>, input: ChangeSetInput) -> Result<Empty, StackError> {
    let found = find(&state, &input.change_set_name, input.stack_name.as_deref());
    let (stack, set) = match found {
        Err(StackError::NoChangeSet(_)) => return Ok(Empty {}),
        other => other?,
    };
    state
        .metadata
        .transaction(move |tx| {
            tx.delete(CHANGE_SETS, &Key::new([&stack.uuid, &set.name]))?;
            Ok::<_, StackError>(())
        })
        .await?;
    Ok(Empty {})
}

pub(crate) async fn list(_: Ctx, state: Arc<Stacks>, input: ListChangeSets) -> Result<Summaries, StackError> {
    let stack = state.find(&input.stack_name)?;
    let entries = state.metadata.scan(CHANGE_SETS, &Key::new([&stack.uuid]), None, crate::store::ALL)?;
    let mut sets: BTreeMap<Time, Vec<Summary>> = BTreeMap::new();
    for entry in entries {
        let set: ChangeSet = entry.json()?;
        sets.entry(set.created).or_default().push(Summary {
            stack_id: stack.id.clone(),
            stack_name: stack.name.clone(),
            change_set_id: set.id,
            change_set_name: set.name,
            execution_status: set.execution_status,
            status: set.status,
            status_reason: set.status_reason,
            creation_time: set.created,
            description: set.description,
        });
    }
    Ok(Summaries { summaries: sets.into_values().flatten().collect() })
}
