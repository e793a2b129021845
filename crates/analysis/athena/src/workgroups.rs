//! Workgroups: who shares a results location, limits and a history.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, MetadataError, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Athena;
use crate::error::AthenaError;
use crate::store::*;

/// The workgroup that always exists.
pub(crate) const PRIMARY: &str = "primary";
/// The only engine.
pub(crate) const ENGINE: &str = "Athena engine version 3";
const AUTO: &str = "AUTO";

/// Where results go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResultConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected_bucket_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acl_configuration: Option<Value>,
}

impl ResultConfiguration {
    /// Refuses what would be ignored otherwise.
    pub(crate) fn check(&self) -> Result<(), AthenaError> {
        if let Some(location) = self.output_location.as_deref().filter(|location| !location.is_empty()) {
            check_location(location)?;
        }
        let option = self.encryption_configuration.as_ref().map(|value| &value["EncryptionOption"]);
        if option.is_some_and(|option| option != "SSE_S3") {
            return Err(AthenaError::NotImplemented("EncryptionConfiguration but SSE_S3"));
        }
        if self.expected_bucket_owner.as_deref().is_some_and(|owner| owner != boathouse_aws::ACCOUNT_ID) {
            return Err(AthenaError::invalid("The bucket is not owned by the expected account"));
        }
        Ok(())
    }
}

/// Refuses what is no folder in S3.
pub(crate) fn check_location(location: &str) -> Result<(), AthenaError> {
    let bucket = location.strip_prefix("s3://").and_then(|rest| rest.split('/').next());
    if bucket.is_some_and(|bucket| !bucket.is_empty()) {
        return Ok(());
    }
    Err(AthenaError::invalid(format!("outputLocation is not a valid S3 path: {location}")))
}

/// An engine by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EngineVersion {
    pub(crate) selected_engine_version: String,
    #[serde(default)]
    pub(crate) effective_engine_version: String,
}

impl EngineVersion {
    pub(crate) fn auto() -> Self {
        Self { selected_engine_version: AUTO.into(), effective_engine_version: ENGINE.into() }
    }

    pub(crate) fn all() -> Vec<Self> {
        let named = Self { selected_engine_version: ENGINE.into(), effective_engine_version: ENGINE.into() };
        vec![Self::auto(), named]
    }

    fn checked(self) -> Result<Self, AthenaError> {
        if ![AUTO, ENGINE].contains(&self.selected_engine_version.as_str()) {
            let message = format!("Engine version {} is not supported.", self.selected_engine_version);
            return Err(AthenaError::invalid(message));
        }
        Ok(Self { effective_engine_version: ENGINE.into(), ..self })
    }
}

/// A workgroup's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Configuration {
    #[serde(default)]
    pub(crate) result_configuration: ResultConfiguration,
    #[serde(default = "yes")]
    pub(crate) enforce_work_group_configuration: bool,
    #[serde(default = "yes")]
    pub(crate) publish_cloud_watch_metrics_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_scanned_cutoff_per_query: Option<u64>,
    #[serde(default)]
    pub(crate) requester_pays_enabled: bool,
    #[serde(default = "EngineVersion::auto")]
    pub(crate) engine_version: EngineVersion,
}

fn yes() -> bool {
    true
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            result_configuration: ResultConfiguration::default(),
            enforce_work_group_configuration: true,
            publish_cloud_watch_metrics_enabled: true,
            bytes_scanned_cutoff_per_query: None,
            requester_pays_enabled: false,
            engine_version: EngineVersion::auto(),
        }
    }
}

impl Configuration {
    fn checked(mut self) -> Result<Self, AthenaError> {
        self.result_configuration.check()?;
        self.engine_version = self.engine_version.checked()?;
        match self.bytes_scanned_cutoff_per_query {
            Some(limit) if limit < 10_000_000 => {
                Err(AthenaError::invalid("BytesScannedCutoffPerQuery must be at least 10000000"))
            }
            _ => Ok(self),
        }
    }
}

/// A workgroup.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WorkGroup {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) configuration: Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) creation_time: Timestamp,
}

/// Whether a workgroup takes queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum State {
    Enabled,
    Disabled,
}

impl WorkGroup {
    /// The workgroup that exists before anybody made one.
    fn primary() -> Self {
        let configuration = Configuration { enforce_work_group_configuration: false, ..Configuration::default() };
        Self { name: PRIMARY.into(), state: State::Enabled, configuration, description: None, creation_time: 0.0 }
    }
}

pub(crate) fn missing(name: &str) -> AthenaError {
    AthenaError::Invalid(format!("WorkGroup {name} is not found."))
}

/// The workgroup of this name, for reads outside of a transaction.
pub(crate) fn find(athena: &Athena, name: &str) -> Result<WorkGroup, AthenaError> {
    match athena.metadata.get_json(WORKGROUPS, &Key::new([name]))? {
        Some(found) => Ok(found),
        None if name == PRIMARY => Ok(WorkGroup::primary()),
        None => Err(missing(name)),
    }
}

/// The workgroup of this name inside a transaction.
pub(crate) fn require(tx: &Transaction<'_>, name: &str) -> Result<WorkGroup, AthenaError> {
    match tx.get_json(WORKGROUPS, &Key::new([name]))? {
        Some(found) => Ok(found),
        None if name == PRIMARY => Ok(WorkGroup::primary()),
        None => Err(missing(name)),
    }
}

/// Writes the primary workgroup's row at start, so that listings hold it.
pub(crate) fn ensure_primary(tx: &Transaction<'_>, time: Timestamp) -> Result<(), MetadataError> {
    let key = Key::new([PRIMARY]);
    if !tx.contains(WORKGROUPS, &key)? {
        tx.put_json(WORKGROUPS, &key, &WorkGroup { creation_time: time, ..WorkGroup::primary() })?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Create {
    pub(crate) name: String,
    configuration: Option<Value>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Settings that exist on AWS for other engines or services and would silently not work here.
fn refuse_foreign(configuration: &Value) -> Result<(), AthenaError> {
    let foreign = [
        ("ManagedQueryResultsConfiguration", "ManagedQueryResultsConfiguration"),
        ("ManagedQueryResultsConfigurationUpdates", "ManagedQueryResultsConfigurationUpdates"),
        ("ExecutionRole", "ExecutionRole"),
        ("AdditionalConfiguration", "AdditionalConfiguration"),
        ("CustomerContentEncryptionConfiguration", "CustomerContentEncryptionConfiguration"),
        ("IdentityCenterConfiguration", "IdentityCenterConfiguration"),
        ("QueryResultsS3AccessGrantsConfiguration", "QueryResultsS3AccessGrantsConfiguration"),
        ("MonitoringConfiguration", "MonitoringConfiguration"),
        ("EngineConfiguration", "EngineConfiguration"),
    ];
    // `{"Enabled": false}` asks for nothing.
    let asks = |value: &Value| !value.is_null() && value.get("Enabled") != Some(&Value::Bool(false));
    match foreign.into_iter().find(|(member, _)| configuration.get(*member).is_some_and(asks)) {
        Some((_, name)) => Err(AthenaError::NotImplemented(name)),
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), AthenaError> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if fits && (1..=128).contains(&name.len()) {
        return Ok(());
    }
    Err(AthenaError::invalid(format!("WorkGroup name {name} must match [a-zA-Z0-9._-]{{1,128}}")))
}

pub(crate) async fn create(ctx: Ctx, athena: Arc<Athena>, request: Create) -> Result<Empty, AthenaError> {
    check_name(&request.name)?;
    check_length(request.description.as_deref().unwrap_or_default(), "Description", 0, 1024)?;
    let configuration = match request.configuration {
        Some(value) => {
            refuse_foreign(&value)?;
            serde_json::from_value::<Configuration>(value).map_err(|error| AthenaError::invalid(error.to_string()))?
        }
        None => Configuration::default(),
    };
    let group = WorkGroup {
        name: request.name,
        state: State::Enabled,
        configuration: configuration.checked()?,
        description: request.description,
        creation_time: now(&ctx),
    };
    let arn = workgroup_arn(&ctx, &group.name);
    athena
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&group.name]);
            if group.name == PRIMARY || tx.contains(WORKGROUPS, &key)? {
                return Err(AthenaError::invalid("WorkGroup is already created"));
            }
            tx.put_json(WORKGROUPS, &key, &group)?;
            crate::tags::put(tx, &arn, request.tags)?;
            Ok(Empty {})
        })
        .await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    pub(crate) work_group: String,
    #[serde(default)]
    recursive_delete_option: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOutput {
    work_group: WorkGroup,
}

pub(crate) async fn get(_: Ctx, athena: Arc<Athena>, request: Named) -> Result<GetOutput, AthenaError> {
    Ok(GetOutput { work_group: find(&athena, &request.work_group)? })
}

/// What AWS's lists ask for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct List {
    pub(crate) work_group: Option<String>,
    pub(crate) next_token: Option<String>,
    pub(crate) max_results: Option<usize>,
}

impl List {
    pub(crate) fn group(&self) -> &str {
        self.work_group.as_deref().unwrap_or(PRIMARY)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    name: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    creation_time: Timestamp,
    engine_version: EngineVersion,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    work_groups: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) async fn list(_: Ctx, athena: Arc<Athena>, request: List) -> Result<ListOutput, AthenaError> {
    let token = request.next_token.as_deref();
    let page = page(&athena.metadata, WORKGROUPS, &Key::default(), token, request.max_results, 50)?;
    let summary = |group: WorkGroup| Summary {
        name: group.name,
        state: group.state,
        description: group.description,
        creation_time: group.creation_time,
        engine_version: group.configuration.engine_version,
    };
    let groups = page.entries.iter().map(|entry| entry.json().map(summary)).collect::<Result<_, _>>()?;
    Ok(ListOutput { work_groups: groups, next_token: next_token(&page) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Update {
    pub(crate) work_group: String,
    description: Option<String>,
    configuration_updates: Option<Value>,
    state: Option<State>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Updates {
    enforce_work_group_configuration: Option<bool>,
    result_configuration_updates: Option<ResultUpdates>,
    publish_cloud_watch_metrics_enabled: Option<bool>,
    bytes_scanned_cutoff_per_query: Option<u64>,
    #[serde(default)]
    remove_bytes_scanned_cutoff_per_query: bool,
    requester_pays_enabled: Option<bool>,
    engine_version: Option<EngineVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultUpdates {
    #[serde(flatten)]
    new: ResultConfiguration,
    #[serde(default)]
    remove_output_location: bool,
    #[serde(default)]
    remove_encryption_configuration: bool,
    #[serde(default)]
    remove_expected_bucket_owner: bool,
    #[serde(default)]
    remove_acl_configuration: bool,
}

fn renew<T>(present: &mut Option<T>, new: Option<T>, remove: bool) {
    if remove {
        *present = None;
    }
    if new.is_some() {
        *present = new;
    }
}

impl Updates {
    fn apply(self, to: &mut Configuration) {
        if let Some(updates) = self.result_configuration_updates {
            let (results, new) = (&mut to.result_configuration, updates.new);
            renew(&mut results.output_location, new.output_location, updates.remove_output_location);
            let remove = updates.remove_encryption_configuration;
            renew(&mut results.encryption_configuration, new.encryption_configuration, remove);
            let remove = updates.remove_expected_bucket_owner;
            renew(&mut results.expected_bucket_owner, new.expected_bucket_owner, remove);
            renew(&mut results.acl_configuration, new.acl_configuration, updates.remove_acl_configuration);
        }
        let remove = self.remove_bytes_scanned_cutoff_per_query;
        renew(&mut to.bytes_scanned_cutoff_per_query, self.bytes_scanned_cutoff_per_query, remove);
        let set = |present: &mut bool, new: Option<bool>| *present = new.unwrap_or(*present);
        set(&mut to.enforce_work_group_configuration, self.enforce_work_group_configuration);
        set(&mut to.publish_cloud_watch_metrics_enabled, self.publish_cloud_watch_metrics_enabled);
        set(&mut to.requester_pays_enabled, self.requester_pays_enabled);
        if let Some(version) = self.engine_version {
            to.engine_version = version;
        }
    }
}

pub(crate) async fn update(_: Ctx, athena: Arc<Athena>, request: Update) -> Result<Empty, AthenaError> {
    let updates = match request.configuration_updates {
        Some(value) => {
            refuse_foreign(&value)?;
            Some(serde_json::from_value::<Updates>(value).map_err(|error| AthenaError::invalid(error.to_string()))?)
        }
        None => None,
    };
    athena
        .metadata
        .transaction(move |tx| {
            let mut group = require(tx, &request.work_group)?;
            if let Some(updates) = updates {
                updates.apply(&mut group.configuration);
            }
            group.configuration = group.configuration.checked()?;
            group.state = request.state.unwrap_or(group.state);
            group.description = request.description.or(group.description);
            tx.put_json(WORKGROUPS, &Key::new([&group.name]), &group)?;
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn delete(ctx: Ctx, athena: Arc<Athena>, request: Named) -> Result<Empty, AthenaError> {
    if request.work_group == PRIMARY {
        return Err(AthenaError::invalid("The primary WorkGroup cannot be deleted."));
    }
    let arn = workgroup_arn(&ctx, &request.work_group);
    athena
        .metadata
        .transaction(move |tx| {
            let group = require(tx, &request.work_group)?;
            let key = Key::new([&group.name]);
            let mut used = false;
            for space in [NAMED_QUERIES_OF, PREPARED, EXECUTIONS_OF] {
                used |= !tx.scan(space, &key, None, 1)?.is_empty();
            }
            if used && !request.recursive_delete_option {
                return Err(AthenaError::invalid(format!("WorkGroup {} is not empty", group.name)));
            }
            empty(tx, &key)?;
            tx.delete(TAGS, &Key::new([arn]))?;
            tx.delete(WORKGROUPS, &key)?;
            Ok(Empty {})
        })
        .await
}

/// Removes what a workgroup holds. Its executions leave the list; their rows go when their time is over.
fn empty(tx: &Transaction<'_>, key: &Key) -> Result<(), AthenaError> {
    for entry in tx.scan(NAMED_QUERIES_OF, key, None, usize::MAX)? {
        tx.delete(NAMED_QUERIES, &Key::new([entry.key.last()]))?;
    }
    for space in [NAMED_QUERIES_OF, PREPARED, EXECUTIONS_OF] {
        tx.delete_prefix(space, key)?;
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EngineVersions {
    engine_versions: Vec<EngineVersion>,
}

pub(crate) async fn engine_versions(_: Ctx, _: Arc<Athena>, _: List) -> Result<EngineVersions, AthenaError> {
    Ok(EngineVersions { engine_versions: EngineVersion::all() })
}
/// One page of the ids that a workgroup has in `space`, where they are the keys' last part, and the next page's token.
pub(crate) fn ids(
    athena: &Athena,
    space: &'static str,
    request: &List,
) -> Result<(Vec<String>, Option<String>), AthenaError> {
    let group = find(athena, request.group())?;
    let (token, prefix) = (request.next_token.as_deref(), Key::new([&group.name]));
    let page = page(&athena.metadata, space, &prefix, token, request.max_results, 50)?;
    Ok((page.entries.iter().map(|entry| entry.key.last()).collect(), next_token(&page)))
}
