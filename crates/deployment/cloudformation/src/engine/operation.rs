//! One operation on a stack: its plan, whom it acts as, its rows, and the events it tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use boathouse_aws::{Ctx, Platform};
use boathouse_metadata::Key;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use super::SERVICE;
use crate::error::StackError;
use crate::resources::{self, Known};
use crate::status::{ResourceStatus, StackStatus};
use crate::store::{
    Event, Physical, RESOURCES, Resource, Stack, Stacks, Time, put_event, put_stack, put_with_event, stack_in,
};
use crate::template::functions::{Pseudo, References, text_of};
use crate::template::{Plan, Template, TemplateError};

/// Why work on a resource ended early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The resource can't be had; the row and the events say it, too.
    Failed(String),
    /// The same, and nothing has been made of it: nothing is to be taken back.
    Unmade(String),
    /// The store failed, or another operation has taken over.
    Store(StackError),
}

impl Halt {
    /// The same halt, of a resource of which something has been made before.
    pub(crate) fn of_something_made(self) -> Self {
        match self {
            Self::Unmade(reason) => Self::Failed(reason),
            other => other,
        }
    }
}

impl From<StackError> for Halt {
    fn from(error: StackError) -> Self {
        Self::Store(error)
    }
}

impl From<TemplateError> for Halt {
    fn from(error: TemplateError) -> Self {
        Self::Failed(error.0)
    }
}

/// An operation that is going on.
pub(crate) struct Operation {
    pub(crate) state: Arc<Stacks>,
    pub(crate) stack: Stack,
    pub(crate) plan: Plan,
    /// The caller's or the stack's role's.
    pub(crate) ctx: Ctx,
    rows: Mutex<BTreeMap<String, Resource>>,
    /// The exports that expressions have used.
    pub(crate) imported: Mutex<BTreeSet<String>>,
    overtaken: AtomicBool,
}

impl Operation {
    /// Reads what the operation needs.
    ///
    /// # Errors
    /// A role that can't be assumed; a store that can't be read.
    pub(crate) fn open(platform: &Platform, state: &Arc<Stacks>, stack: Stack) -> Result<Self, StackError> {
        let ctx = match &stack.definition.role_arn {
            Some(role) => platform.context(state.roles.assume_for_service(role, SERVICE, "AWSCloudFormation")?),
            None => platform.context(stack.caller.principal()).through("cloudformation"),
        };
        let rolls_back = matches!(
            stack.status,
            StackStatus::UpdateRollbackInProgress | StackStatus::UpdateRollbackCompleteCleanupInProgress
        );
        let definition = stack.previous.as_ref().filter(|_| rolls_back).unwrap_or(&stack.definition);
        let pseudo = Pseudo {
            stack_name: stack.name.clone(),
            stack_id: stack.id.clone(),
            region: platform.region.to_string(),
            notification_arns: definition.notification_arns.clone(),
        };
        let plan = Plan::new(Template::parse(&definition.template)?, &definition.parameters, pseudo)?;
        Ok(Self {
            rows: Mutex::new(state.resources(&stack.uuid)?),
            ctx,
            state: Arc::clone(state),
            stack,
            plan,
            imported: Mutex::default(),
            overtaken: AtomicBool::new(false),
        })
    }

    pub(crate) fn now(&self) -> Time {
        Time(self.ctx.now())
    }

    /// Whether no other operation on the stack has begun.
    pub(crate) fn is_current(&self) -> bool {
        !self.overtaken.load(Ordering::Relaxed)
    }

    pub(crate) fn row(&self, logical: &str) -> Option<Resource> {
        self.rows.lock().get(logical).cloned()
    }

    pub(crate) fn rows(&self) -> BTreeMap<String, Resource> {
        self.rows.lock().clone()
    }

    /// Keeps a resource, and tells an event of its status.
    pub(crate) async fn tell(&self, row: &mut Resource) -> Result<(), StackError> {
        row.updated = self.now();
        row.operation = self.stack.operation;
        let event = self.event(row, row.status, row.reason.clone());
        self.keep(row, Some(event)).await
    }

    /// Keeps a resource without telling anything.
    pub(crate) async fn keep_quietly(&self, row: &Resource) -> Result<(), StackError> {
        self.keep(row, None).await
    }

    /// Tells an event of a real thing that is not the resource's present one.
    pub(crate) async fn tell_of(
        &self,
        row: &Resource,
        thing: &Physical,
        status: ResourceStatus,
        reason: Option<String>,
    ) -> Result<(), StackError> {
        let mut shown = row.clone();
        shown.current = thing.clone();
        let event = self.event(&shown, status, reason);
        self.keep(row, Some(event)).await
    }

    async fn keep(&self, row: &Resource, event: Option<Event>) -> Result<(), StackError> {
        let (name, uuid) = (self.stack.name.clone(), self.stack.uuid.clone());
        let (kept, operation) = (row.clone(), self.stack.operation);
        let current = self
            .state
            .metadata
            .transaction(move |tx| {
                let mut stack = stack_in(tx, &name, &uuid)?;
                tx.put_json(RESOURCES, &Key::new([&uuid, &kept.logical]), &kept)?;
                if let Some(event) = event {
                    put_event(tx, &mut stack, &event)?;
                }
                put_stack(tx, &stack)?;
                Ok::<_, StackError>(stack.operation == operation)
            })
            .await?;
        if !current {
            self.overtaken.store(true, Ordering::Relaxed);
        }
        self.rows.lock().insert(row.logical.clone(), row.clone());
        Ok(())
    }

    /// Forgets a resource.
    pub(crate) async fn forget(&self, logical: &str) -> Result<(), StackError> {
        let key = Key::new([self.stack.uuid.as_str(), logical]);
        self.state
            .metadata
            .transaction(move |tx| {
                tx.delete(RESOURCES, &key)?;
                Ok::<_, StackError>(())
            })
            .await?;
        self.rows.lock().remove(logical);
        Ok(())
    }

    fn event(&self, row: &Resource, status: ResourceStatus, reason: Option<String>) -> Event {
        let properties = &row.current.properties;
        Event {
            stack_id: self.stack.id.clone(),
            event_id: format!("{}-{status}-{}", row.logical, uuid::Uuid::new_v4()),
            stack_name: self.stack.name.clone(),
            logical_resource_id: row.logical.clone(),
            physical_resource_id: Some(row.current.id.clone().unwrap_or_default()),
            resource_type: row.current.kind.clone(),
            timestamp: self.now(),
            resource_status: status.to_string(),
            resource_status_reason: reason,
            resource_properties: (!properties.is_empty()).then(|| Value::Object(properties.clone()).to_string()),
            client_request_token: self.stack.token.clone(),
        }
    }

    /// Ends this part of the operation: the stack goes on to `status`, unless another operation has begun.
    pub(crate) async fn turn(
        &self,
        status: StackStatus,
        reason: Option<String>,
        change: impl FnOnce(&mut Stack) + Send + 'static,
    ) -> Result<(), StackError> {
        tracing::info!(stack = self.stack.id, %status, reason, "stack");
        let now = self.now();
        let (name, uuid, operation) = (self.stack.name.clone(), self.stack.uuid.clone(), self.stack.operation);
        self.state
            .metadata
            .transaction(move |tx| {
                let mut stack = stack_in(tx, &name, &uuid)?;
                if stack.operation != operation {
                    return Ok(());
                }
                stack.status = status;
                stack.reason = reason;
                change(&mut stack);
                put_with_event(tx, &mut stack, now)
            })
            .await
    }

    /// A resource's type.
    pub(crate) fn known(&self, kind: &str) -> Result<&'static Known, Halt> {
        let missing = || Halt::Failed(format!("Boathouse does not implement the resource type {kind} yet"));
        resources::find(kind).ok_or_else(missing)
    }

    /// A resource's properties with everything in them known and of the right type.
    pub(crate) fn properties(&self, logical: &str, known: &Known) -> Result<Map<String, Value>, Halt> {
        let declared = &self.plan.resources[logical];
        let mut given = self.evaluate(&declared.properties)?.unwrap_or_default();
        if let Some(property) = known.schema.property("Tags").filter(|_| !self.tags().is_empty()) {
            inherit_tags(&mut given, self.tags(), property.is_list());
        }
        known.schema.coerce(&given).map_err(|wrong| {
            Halt::Failed(format!("Properties validation failed for resource {logical} with message:\n{wrong}"))
        })
    }

    fn tags(&self) -> &[crate::api::Tag] {
        let rolls_back = self.stack.status == StackStatus::UpdateRollbackInProgress;
        let definition = self.stack.previous.as_ref().filter(|_| rolls_back).unwrap_or(&self.stack.definition);
        &definition.tags
    }

    /// The value of an expression, seen from the resources as they are.
    pub(crate) fn evaluate(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        self.plan.scope(self).evaluate(value)
    }

    /// The text of an expression.
    pub(crate) fn text(&self, value: &Value, what: &str) -> Result<String, TemplateError> {
        let text = self.evaluate(value)?.as_ref().and_then(text_of);
        text.ok_or_else(|| TemplateError(format!("Template format error: {what} must be a string.")))
    }
}

/// A stack's tags are also its resources', those that the resources don't set themselves.
fn inherit_tags(properties: &mut Value, tags: &[crate::api::Tag], as_list: bool) {
    let own = &mut properties["Tags"];
    if own.is_null() {
        *own = if as_list { json!([]) } else { json!({}) };
    }
    for tag in tags {
        match own {
            Value::Object(own) => {
                own.entry(tag.key.clone()).or_insert_with(|| tag.value.clone().into());
            }
            Value::Array(own) if !own.iter().any(|it| it["Key"] == tag.key) => {
                own.push(json!({"Key": tag.key, "Value": tag.value}));
            }
            _ => {}
        }
    }
}

impl References for Operation {
    fn reference(&self, resource: &str) -> Result<Value, TemplateError> {
        let id = self.row(resource).and_then(|row| row.current.id);
        id.map(Value::from)
            .ok_or_else(|| TemplateError(format!("Template error: resource {resource} does not exist yet")))
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, TemplateError> {
        let value = self.row(resource).and_then(|row| row.current.attributes.get(attribute).cloned());
        value.ok_or_else(|| unsupported_attribute(resource, attribute))
    }

    fn export(&self, name: &str) -> Result<Value, TemplateError> {
        let found = self.state.export(name).map_err(|error| TemplateError(error.to_string()))?;
        let export = found.ok_or_else(|| TemplateError(format!("No export named {name} found.")))?;
        self.imported.lock().insert(name.to_owned());
        Ok(export.value.into())
    }
}

pub(crate) fn unsupported_attribute(resource: &str, attribute: &str) -> TemplateError {
    TemplateError(format!(
        "Template error: resource {resource} does not support attribute type {attribute} in Fn::GetAtt"
    ))
}

/// Ends an operation that can't even begin.
pub(crate) async fn give_up(
    platform: &Platform,
    state: &Arc<Stacks>,
    stack: Stack,
    reason: String,
) -> Result<(), StackError> {
    let now = Time(platform.clock.now());
    let failed = match stack.status {
        StackStatus::CreateInProgress => StackStatus::CreateFailed,
        StackStatus::RollbackInProgress => StackStatus::RollbackFailed,
        StackStatus::DeleteInProgress => StackStatus::DeleteFailed,
        StackStatus::UpdateInProgress => StackStatus::UpdateRollbackInProgress,
        _ => StackStatus::UpdateRollbackFailed,
    };
    let (name, uuid, operation) = (stack.name, stack.uuid, stack.operation);
    state
        .metadata
        .transaction(move |tx| {
            let mut stack = stack_in(tx, &name, &uuid)?;
            if stack.operation == operation {
                stack.status = failed;
                stack.reason = Some(reason);
                put_with_event(tx, &mut stack, now)?;
            }
            Ok(())
        })
        .await
}
