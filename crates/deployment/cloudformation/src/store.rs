//! The rows: stacks, their resources and events, change sets, exports and who imports them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use boathouse_aws::access::{Authorizer, ServiceRoles};
use boathouse_aws::principal::{PrincipalKind, Session};
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{Arn, Principal};
use boathouse_metadata::{Key, Metadata, Transaction};
use chrono::{DateTime, SecondsFormat, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::api::Tag;
use crate::error::StackError;
use crate::status::{ResourceStatus, StackStatus};
use crate::template::declaration::RemovalPolicy;

/// `(name, uuid)` → [`Stack`].
pub(crate) const STACKS: &str = "cfn-stacks";
/// `(uuid)` → the stack's name.
const NAMES: &str = "cfn-stack-names";
/// `(uuid, logical id)` → [`Resource`].
pub(crate) const RESOURCES: &str = "cfn-resources";
/// `(uuid, number, newest first)` → [`Event`].
pub(crate) const EVENTS: &str = "cfn-events";
/// `(uuid, name)` → [`crate::change_sets::ChangeSet`].
pub(crate) const CHANGE_SETS: &str = "cfn-change-sets";
/// `(export's name)` → [`Export`].
pub(crate) const EXPORTS: &str = "cfn-exports";
/// `(export's name, uuid)` → the importing stack's name.
pub(crate) const IMPORTS: &str = "cfn-imports";
/// More rows than a stack can have.
pub(crate) const ALL: usize = usize::MAX >> 1;

/// A time as CloudFormation writes it: to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// What a stack is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) template: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) notification_arns: Vec<String>,
}

/// What becomes of a stack that can't be created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OnFailure {
    #[serde(rename = "DO_NOTHING")]
    DoNothing,
    #[default]
    #[serde(rename = "ROLLBACK")]
    Rollback,
    #[serde(rename = "DELETE")]
    Delete,
}

/// A stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stack {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) status: StackStatus,
    pub(crate) reason: Option<String>,
    pub(crate) description: Option<String>,
    /// What it is, or is to become.
    pub(crate) definition: Definition,
    /// What it was before the update that is going on.
    pub(crate) previous: Option<Definition>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) created: Time,
    pub(crate) updated: Option<Time>,
    pub(crate) deleted: Option<Time>,
    pub(crate) on_failure: OnFailure,
    pub(crate) termination_protection: bool,
    /// Who asked for the operation that is going on.
    pub(crate) caller: Caller,
    /// Tells operations on the stack apart.
    pub(crate) operation: u64,
    pub(crate) token: Option<String>,
    /// Resources that a deletion leaves alone.
    pub(crate) retain: Vec<String>,
    /// How many events there have been.
    pub(crate) events: u64,
    pub(crate) change_set: Option<String>,
}

/// An output with its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(crate) output_key: String,
    pub(crate) output_value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) export_name: Option<String>,
}

/// A resource of a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub(crate) logical: String,
    pub(crate) status: ResourceStatus,
    pub(crate) reason: Option<String>,
    pub(crate) updated: Time,
    /// The last operation that touched it.
    pub(crate) operation: u64,
    /// The real thing as it is, or is to become.
    pub(crate) current: Physical,
    /// The real thing as it was before the update that is going on.
    pub(crate) previous: Option<Physical>,
    /// Whether the update that is going on put a new real thing in the old one's place.
    pub(crate) replaced: bool,
}

/// A real thing behind a resource.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Physical {
    pub(crate) kind: String,
    /// Empty until it is decided.
    pub(crate) name: String,
    /// The physical id; none until it is known.
    pub(crate) id: Option<String>,
    pub(crate) properties: Map<String, Value>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) depends_on: BTreeSet<String>,
    pub(crate) deletion_policy: RemovalPolicy,
    pub(crate) update_replace_policy: RemovalPolicy,
    /// Whether the calls that make it may have been made.
    pub(crate) initiated: bool,
    /// Makes the calls that make it idempotent.
    pub(crate) token: String,
}

/// Something that happened to a stack or a resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Event {
    pub(crate) stack_id: String,
    pub(crate) event_id: String,
    pub(crate) stack_name: String,
    pub(crate) logical_resource_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) physical_resource_id: Option<String>,
    pub(crate) resource_type: String,
    pub(crate) timestamp: Time,
    pub(crate) resource_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource_status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource_properties: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_request_token: Option<String>,
}

/// An exported output.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Export {
    pub(crate) exporting_stack_id: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A principal that outlives the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Caller {
    kind: CallerKind,
    arn: String,
    user_id: String,
    tags: BTreeMap<String, String>,
    #[serde(default)]
    session: Option<Session>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum CallerKind {
    Root,
    User { name: String },
    AssumedRole { role: String, session: String, session_policy: Option<String> },
    FederatedUser { name: String, user: Option<(String, String)>, policy: Option<String> },
    Service { name: String },
    Anonymous,
}

impl From<&Principal> for Caller {
    fn from(principal: &Principal) -> Self {
        let kind = match &principal.kind {
            PrincipalKind::Root => CallerKind::Root,
            PrincipalKind::Anonymous => CallerKind::Anonymous,
            PrincipalKind::User { name } => CallerKind::User { name: name.to_string() },
            PrincipalKind::Service { name } => CallerKind::Service { name: name.to_string() },
            PrincipalKind::AssumedRole { role, session, session_policy } => CallerKind::AssumedRole {
                role: role.to_string(),
                session: session.to_string(),
                session_policy: session_policy.as_ref().map(ToString::to_string),
            },
            PrincipalKind::FederatedUser { name, user, policy } => CallerKind::FederatedUser {
                name: name.to_string(),
                user: user.as_ref().map(|(name, id)| (name.to_string(), id.to_string())),
                policy: policy.as_ref().map(ToString::to_string),
            },
        };
        let (arn, user_id) = (principal.arn.clone(), principal.user_id.clone());
        Self { kind, arn, user_id, tags: principal.tags.clone(), session: principal.session.as_deref().cloned() }
    }
}

impl Caller {
    pub(crate) fn principal(&self) -> Arc<Principal> {
        let kind = match &self.kind {
            CallerKind::Root => PrincipalKind::Root,
            CallerKind::Anonymous => PrincipalKind::Anonymous,
            CallerKind::User { name } => PrincipalKind::User { name: name.as_str().into() },
            CallerKind::Service { name } => PrincipalKind::Service { name: name.as_str().into() },
            CallerKind::AssumedRole { role, session, session_policy } => PrincipalKind::AssumedRole {
                role: role.as_str().into(),
                session: session.as_str().into(),
                session_policy: session_policy.as_deref().map(Arc::from),
            },
            CallerKind::FederatedUser { name, user, policy } => PrincipalKind::FederatedUser {
                name: name.as_str().into(),
                user: user.as_ref().map(|(name, id)| (name.as_str().into(), id.as_str().into())),
                policy: policy.as_deref().map(Arc::from),
            },
        };
        let (arn, user_id) = (self.arn.clone(), self.user_id.clone());
        let session = self.session.clone().map(Arc::new);
        Arc::new(Principal { kind, arn, user_id, tags: self.tags.clone(), session })
    }
}

/// The stacks of an installation.
pub struct Stacks {
    pub(crate) metadata: Metadata,
    pub(crate) stores: Arc<dyn ObjectStores>,
    pub(crate) roles: Arc<dyn ServiceRoles>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    /// The stacks, by uuid, whose operation this process works on.
    pub(crate) running: Mutex<HashSet<String>>,
}

impl Stacks {
    /// The stacks in this store. Templates are read through `stores`; `roles` and `authorizer` decide as whom a stack's
    /// resources are made.
    pub fn new(
        metadata: Metadata,
        stores: Arc<dyn ObjectStores>,
        roles: Arc<dyn ServiceRoles>,
        authorizer: Arc<dyn Authorizer>,
    ) -> Self {
        Self { metadata, stores, roles, authorizer, running: Mutex::default() }
    }

    /// The stack of a name (if it has not been deleted) or of an id (deleted or not).
    pub(crate) fn find(&self, name_or_id: &str) -> Result<Stack, StackError> {
        let found = match uuid_of(name_or_id) {
            Some(uuid) => self.by_uuid(uuid)?,
            None => self.living(name_or_id)?,
        };
        found.ok_or_else(|| StackError::missing(name_or_id))
    }

    /// The stack of a name that has not been deleted.
    pub(crate) fn living(&self, name: &str) -> Result<Option<Stack>, StackError> {
        for entry in self.metadata.scan(STACKS, &Key::new([name]), None, ALL)? {
            let stack: Stack = entry.json()?;
            if stack.status != StackStatus::DeleteComplete {
                return Ok(Some(stack));
            }
        }
        Ok(None)
    }

    pub(crate) fn by_uuid(&self, uuid: &str) -> Result<Option<Stack>, StackError> {
        let name: Option<String> = self.metadata.get_json(NAMES, &Key::new([uuid]))?;
        let Some(name) = name else { return Ok(None) };
        Ok(self.metadata.get_json(STACKS, &Key::new([name.as_str(), uuid]))?)
    }

    pub(crate) fn resources(&self, uuid: &str) -> Result<BTreeMap<String, Resource>, StackError> {
        let entries = self.metadata.scan(RESOURCES, &Key::new([uuid]), None, ALL)?;
        let rows = entries.iter().map(|entry| {
            let row: Resource = entry.json()?;
            Ok::<_, StackError>((row.logical.clone(), row))
        });
        rows.collect()
    }

    pub(crate) fn export(&self, name: &str) -> Result<Option<Export>, StackError> {
        Ok(self.metadata.get_json(EXPORTS, &Key::new([name]))?)
    }

    /// The names of the stacks that import an export.
    pub(crate) fn importers(&self, export: &str) -> Result<Vec<String>, StackError> {
        let entries = self.metadata.scan(IMPORTS, &Key::new([export]), None, ALL)?;
        Ok(entries.iter().map(boathouse_metadata::Entry::json).collect::<Result<_, _>>()?)
    }
}

/// The uuid at the end of a stack's ARN; none for names.
pub(crate) fn uuid_of(name_or_id: &str) -> Option<&str> {
    let arn: Arn = name_or_id.parse().ok()?;
    let known = arn.service == "cloudformation" && arn.resource.starts_with("stack/");
    known.then(|| name_or_id.rsplit('/').next()).flatten()
}

/// The stack's row within a transaction.
pub(crate) fn stack_in(tx: &Transaction<'_>, name: &str, uuid: &str) -> Result<Stack, StackError> {
    tx.get_json(STACKS, &Key::new([name, uuid]))?.ok_or_else(|| StackError::missing(name))
}

pub(crate) fn put_stack(tx: &Transaction<'_>, stack: &Stack) -> Result<(), StackError> {
    tx.put_json(STACKS, &Key::new([&stack.name, &stack.uuid]), stack)?;
    tx.put_json(NAMES, &Key::new([&stack.uuid]), &stack.name)?;
    Ok(())
}

/// Tells an event of the stack itself and keeps the stack.
pub(crate) fn put_with_event(tx: &Transaction<'_>, stack: &mut Stack, now: Time) -> Result<(), StackError> {
    let event = Event {
        stack_id: stack.id.clone(),
        event_id: uuid::Uuid::new_v4().to_string(),
        stack_name: stack.name.clone(),
        logical_resource_id: stack.name.clone(),
        physical_resource_id: Some(stack.id.clone()),
        resource_type: "AWS::CloudFormation::Stack".to_owned(),
        timestamp: now,
        resource_status: stack.status.to_string(),
        resource_status_reason: stack.reason.clone(),
        resource_properties: None,
        client_request_token: stack.token.clone(),
    };
    put_event(tx, stack, &event)?;
    put_stack(tx, stack)
}

/// Keeps an event; the stack's count of them grows.
pub(crate) fn put_event(tx: &Transaction<'_>, stack: &mut Stack, event: &Event) -> Result<(), StackError> {
    stack.events += 1;
    let newest_first = format!("{:020}", u64::MAX - stack.events);
    tx.put_json(EVENTS, &Key::new([&stack.uuid, &newest_first]), event)?;
    Ok(())
}
