//! Where machines, executions and histories live, and what all operations share.

use std::collections::HashMap;
use std::sync::Arc;

use boathouse_aws::access::{Authorizer, ServiceRoles};
use boathouse_aws::{Ctx, Platform};
use boathouse_metadata::{Key, Metadata};
use boathouse_states::definition::Machine;
use boathouse_states::execution::Input;
use boathouse_states::{HistoryEvent, Status};
use parking_lot::Mutex;
use ring::digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::activities::Queues;
use crate::api::{LoggingConfiguration, MachineType, Tags, Timestamp};
use crate::error::SfnError;
use crate::jobs::Watches;
use crate::names;
use crate::runner::Running;

/// `(machine)` → [`StoredMachine`].
pub(crate) const MACHINES: &str = "sfn-machines";
/// `(machine, version as ten digits)` → [`StoredVersion`].
pub(crate) const VERSIONS: &str = "sfn-versions";
/// `(machine, alias)` → [`StoredAlias`].
pub(crate) const ALIASES: &str = "sfn-aliases";
/// `(SHA-256 of the text)` → the text: executions name the definition that they run.
pub(crate) const DEFINITIONS: &str = "sfn-definitions";
/// `(machine, execution)` → [`StoredExecution`].
pub(crate) const EXECUTIONS: &str = "sfn-executions";
/// `(machine, what is left of time at the start, execution)` → nothing: newest first.
pub(crate) const BY_START: &str = "sfn-executions-by-start";
/// `(machine, execution, ten digits)` → [`Step`]s: the log.
pub(crate) const HISTORY: &str = "sfn-history";
/// `(machine, execution)` → nothing: what goes on.
pub(crate) const OPEN: &str = "sfn-open";
/// `(execution's ARN)` → [`StoredExecution`]: asynchronous express executions that go on.
pub(crate) const OPEN_EXPRESS: &str = "sfn-open-express";
/// `(activity)` → [`StoredActivity`].
pub(crate) const ACTIVITIES: &str = "sfn-activities";

/// The most entries of a page.
const MAX_PAGE: i64 = 1000;
/// Entries of a page that was not asked for in size.
const PAGE: i64 = 100;
/// The longest page token.
const MAX_TOKEN: usize = 1024;
/// Compiled machines that are kept.
const COMPILED: usize = 512;

/// What a revision of a machine consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Revision {
    pub(crate) definition: String,
    pub(crate) role: String,
    pub(crate) logging: LoggingConfiguration,
    /// AWS shows none before the first update.
    pub(crate) id: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredMachine {
    pub(crate) name: String,
    pub(crate) kind: MachineType,
    pub(crate) revision: Revision,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The number that the next version gets.
    pub(crate) next_version: u64,
    pub(crate) tags: Tags,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredVersion {
    pub(crate) number: u64,
    pub(crate) revision: Revision,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredAlias {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) routes: Vec<crate::api::Route>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredActivity {
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

/// How an execution stands, as rows keep it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) status: String,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
}

impl From<&Status> for Standing {
    fn from(status: &Status) -> Self {
        let of = |status: &str, failure: &boathouse_states::Failure| Self {
            status: status.to_owned(),
            output: None,
            error: failure.error.clone(),
            cause: failure.cause.clone(),
        };
        match status {
            Status::Running => of("RUNNING", &boathouse_states::Failure::default()),
            Status::Succeeded(output) => Self {
                output: Some(output.as_str().to_owned()),
                ..of("SUCCEEDED", &boathouse_states::Failure::default())
            },
            Status::Failed(failure) => of("FAILED", failure),
            Status::TimedOut(failure) => of("TIMED_OUT", failure),
            Status::Aborted(failure) => of("ABORTED", failure),
        }
    }
}

/// An execution as rows keep it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredExecution {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) machine: String,
    pub(crate) machine_arn: String,
    pub(crate) version_arn: Option<String>,
    pub(crate) alias_arn: Option<String>,
    pub(crate) kind: MachineType,
    pub(crate) role: String,
    /// The key in [`DEFINITIONS`].
    pub(crate) definition: String,
    pub(crate) logging: LoggingConfiguration,
    pub(crate) machine_updated: Timestamp,
    pub(crate) revision_id: Option<String>,
    pub(crate) input: String,
    /// Milliseconds since 1970.
    pub(crate) started: i64,
    pub(crate) stopped: Option<i64>,
    pub(crate) standing: Standing,
    pub(crate) redrives: u32,
    pub(crate) redriven: Option<i64>,
}

impl StoredExecution {
    /// What stands for an execution in a test of one state.
    pub(crate) fn of_test(role: &str) -> Self {
        Self {
            arn: uuid::Uuid::new_v4().to_string(),
            name: "TestState".into(),
            machine: String::new(),
            machine_arn: String::new(),
            version_arn: None,
            alias_arn: None,
            kind: MachineType::Standard,
            role: role.to_owned(),
            definition: String::new(),
            logging: LoggingConfiguration::default(),
            machine_updated: 0.0,
            revision_id: None,
            input: String::new(),
            started: 0,
            stopped: None,
            standing: Standing::from(&Status::Running),
            redrives: 0,
            redriven: None,
        }
    }

    pub(crate) fn key(&self) -> Key {
        Key::new([&self.machine, &self.name])
    }

    pub(crate) fn is_running(&self) -> bool {
        self.standing.status == "RUNNING"
    }

    /// The key in [`BY_START`].
    pub(crate) fn by_start(&self) -> Key {
        let left = u64::MAX - self.started.unsigned_abs();
        Key::new([&self.machine, &format!("{left:016x}"), &self.name])
    }
}

/// One step of an execution: what came in, and the events that it made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) input: Input,
    pub(crate) events: Vec<HistoryEvent>,
}

/// The state machines of an installation.
pub struct StepFunctions {
    pub(crate) metadata: Metadata,
    pub(crate) roles: Arc<dyn ServiceRoles>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) platform: Platform,
    /// The executions that go on, by ARN.
    pub(crate) running: Running,
    pub(crate) queues: Queues,
    pub(crate) watches: Watches,
    compiled: Mutex<HashMap<(String, MachineType), Arc<Machine>>>,
}

impl StepFunctions {
    /// The state machines in this store. Executions act as the roles that `roles` knows; `authorizer` decides who may pass
    /// a role to a machine.
    pub fn new(
        metadata: Metadata,
        roles: Arc<dyn ServiceRoles>,
        authorizer: Arc<dyn Authorizer>,
        platform: Platform,
    ) -> Arc<Self> {
        Arc::new(Self {
            metadata,
            roles,
            authorizer,
            platform,
            running: Running::default(),
            queues: Queues::default(),
            watches: Watches::default(),
            compiled: Mutex::default(),
        })
    }

    pub(crate) fn machine(&self, arn: &str, name: &str) -> Result<StoredMachine, SfnError> {
        let found = self.metadata.get_json(MACHINES, &Key::new([name]))?;
        found.ok_or_else(|| SfnError::StateMachineDoesNotExist(arn.to_owned()))
    }

    pub(crate) fn execution(&self, arn: &str) -> Result<StoredExecution, SfnError> {
        let (machine, execution) = names::execution(arn)?;
        let found = self.metadata.get_json(EXECUTIONS, &Key::new([machine, execution]))?;
        found.ok_or_else(|| SfnError::ExecutionDoesNotExist(arn.to_owned()))
    }

    /// The text of the definition that an execution runs.
    pub(crate) fn definition(&self, key: &str) -> Result<String, SfnError> {
        let row = self.metadata.get(DEFINITIONS, &Key::new([key]))?;
        let text = row.and_then(|row| String::from_utf8(row.value).ok());
        text.ok_or_else(|| SfnError::Aws(boathouse_aws::AwsError::internal("the execution's definition is lost")))
    }

    /// The compiled machine of a definition that has been validated before.
    pub(crate) fn compiled(&self, key: &str, text: &str, kind: MachineType) -> Result<Arc<Machine>, SfnError> {
        let cached = self.compiled.lock().get(&(key.to_owned(), kind)).cloned();
        if let Some(machine) = cached {
            return Ok(machine);
        }
        let machine = Arc::new(crate::definitions::compile(self, text, kind)?);
        let mut compiled = self.compiled.lock();
        if compiled.len() >= COMPILED {
            compiled.clear();
        }
        compiled.insert((key.to_owned(), kind), Arc::clone(&machine));
        Ok(machine)
    }
}

pub(crate) fn definition_key(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

pub(crate) fn now(ctx: &Ctx) -> Timestamp {
    seconds(ctx.now().timestamp_millis())
}

pub(crate) fn seconds(millis: i64) -> Timestamp {
    millis as f64 / 1000.0
}

/// The size of a page, and the refusal of sizes and tokens that are too large.
pub(crate) fn page_size(size: Option<i64>, token: Option<&str>) -> Result<usize, SfnError> {
    let violation = |value: &str, at: &str, rule: &str| {
        let message = format!(
            "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: Member must have {rule}"
        );
        SfnError::Validation(message)
    };
    if let Some(token) = token.filter(|token| token.len() > MAX_TOKEN) {
        return Err(violation(token, "nextToken", "length less than or equal to 1024"));
    }
    match size.unwrap_or(0) {
        0 => Ok(PAGE as usize),
        size if size < 0 => Err(violation(&size.to_string(), "maxResults", "value greater than or equal to 0")),
        size if size > MAX_PAGE => Err(violation(&size.to_string(), "maxResults", "value less than or equal to 1000")),
        size => Ok(size as usize),
    }
}

pub(crate) fn token_key(token: Option<&str>) -> Result<Option<Key>, SfnError> {
    let invalid = || SfnError::InvalidToken("Invalid token".into());
    let Some(token) = token else { return Ok(None) };
    let bytes = hex::decode(token).map_err(|_| invalid())?;
    let parts: Vec<String> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    Ok(Some(Key::new(parts)))
}

pub(crate) fn key_token(key: &Key) -> String {
    hex::encode(Value::from(key.parts()).to_string())
}

/// One page of rows below `prefix`, and the token of the next.
pub(crate) fn page<T: DeserializeOwned>(
    state: &StepFunctions,
    space: &'static str,
    prefix: &Key,
    size: Option<i64>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), SfnError> {
    let size = page_size(size, token)?;
    let page = state.metadata.page(space, prefix, token_key(token)?.as_ref(), size)?;
    let found = page.entries.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?;
    Ok((found, page.next.map(|key| key_token(&key))))
}
