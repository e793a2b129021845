//! The rows: functions, versions, aliases, policies, layers, configurations of asynchronous invocations.

use std::path::PathBuf;
use std::sync::Arc;

use boathouse_aws::access::{Authorizer, ServiceRoles};
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{Ctx, Platform};
use boathouse_metadata::{Key, Metadata, Transaction};
use boathouse_runtimes::Pythons;
use boathouse_sandbox::Sandbox;
use boathouse_tasks::Queue;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::api::{EphemeralStorage, LoggingConfig, Page, Texts};
use crate::code::{CodeStore, Links};
use crate::error::LambdaError;
use crate::event_sources::Pollers;
use crate::instance::Pool;
use crate::invoke::Job;
use crate::names::{FunctionRef, LATEST, function_arn, is_version};
use crate::runtime::Runtimes;

pub(crate) const FUNCTIONS: &str = "lambda-functions";
pub(crate) const VERSIONS: &str = "lambda-versions";
pub(crate) const ALIASES: &str = "lambda-aliases";
pub(crate) const POLICIES: &str = "lambda-policies";
pub(crate) const EVENT_CONFIGS: &str = "lambda-event-invoke-configs";
pub(crate) const LAYERS: &str = "lambda-layers";
pub(crate) const LAYER_NUMBERS: &str = "lambda-layer-numbers";
pub(crate) const JOBS: &str = "lambda-invocations";

/// Entries of a list that asks for no number.
const PAGE: usize = 50;
/// Entries of a list at most.
const LARGEST_PAGE: usize = 10_000;

/// A layer that a function uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerUse {
    pub(crate) arn: String,
    pub(crate) size: u64,
    pub(crate) unpacked: u64,
    /// Of the archive, in hex.
    pub(crate) digest: String,
}

/// A function's configuration: that of `$LATEST`, or of a published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) runtime: String,
    /// The role's ARN.
    pub(crate) role: String,
    pub(crate) handler: String,
    pub(crate) description: String,
    /// Seconds.
    pub(crate) timeout: u64,
    /// MB.
    pub(crate) memory: u64,
    pub(crate) environment: Texts,
    pub(crate) layers: Vec<LayerUse>,
    pub(crate) ephemeral_storage: EphemeralStorage,
    pub(crate) logging: LoggingConfig,
    /// The ARN of the queue for events that it failed to process.
    #[serde(default)]
    pub(crate) dead_letters: Option<String>,
    pub(crate) architecture: String,
    /// Of the archive, in hex.
    pub(crate) digest: String,
    pub(crate) code_size: u64,
    pub(crate) unpacked: u64,
    pub(crate) last_modified: DateTime<Utc>,
    pub(crate) revision: String,
}

impl Function {
    /// The group that the function's logs go to.
    pub(crate) fn log_group(&self) -> String {
        self.logging.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", self.name))
    }

    /// The ARN of this version; of `$LATEST`, without a qualifier.
    pub(crate) fn arn(&self, region: &str) -> String {
        let qualifier = (self.version != LATEST).then_some(self.version.as_str());
        function_arn(region, &self.name, qualifier)
    }
}

/// A function's row: what is not of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredFunction {
    pub(crate) latest: Function,
    /// The number of the last published version.
    pub(crate) published: u64,
    pub(crate) tags: Texts,
    /// Invocations that may run at once, kept for this function alone.
    pub(crate) reserved: Option<u64>,
}

/// A name for a version, or for two of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    /// Another version and the share of invocations that go there.
    pub(crate) second: Option<(String, f64)>,
    pub(crate) revision: String,
}

/// What the server says about itself.
pub struct Deps {
    /// The control plane's rows.
    pub metadata: Metadata,
    /// Buckets that hold code.
    pub stores: Arc<dyn ObjectStores>,
    /// Roles that functions run as.
    pub roles: Arc<dyn ServiceRoles>,
    /// Who may pass a role or invoke a function.
    pub authorizer: Arc<dyn Authorizer>,
    /// Clock, region and the way to other services.
    pub platform: Platform,
    /// Starts functions.
    pub sandbox: Arc<Sandbox>,
    /// What Python functions run on.
    pub pythons: Arc<Pythons>,
    /// Answers what functions ask of the platform's own APIs.
    pub endpoint: Arc<boathouse_sandbox::spec::Answer>,
    /// Where archives are kept: part of what must not be lost.
    pub code: PathBuf,
    /// Where they are unpacked: made anew when lost.
    pub work: PathBuf,
}

/// The functions of an installation.
pub struct Lambda {
    pub(crate) metadata: Metadata,
    pub(crate) stores: Arc<dyn ObjectStores>,
    pub(crate) roles: Arc<dyn ServiceRoles>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) platform: Platform,
    pub(crate) code: CodeStore,
    pub(crate) links: Links,
    pub(crate) pool: Arc<Pool>,
    pub(crate) jobs: Queue<Job>,
    pub(crate) pollers: Pollers,
}

impl Lambda {
    /// Opens the code store and looks for interpreters.
    ///
    /// # Errors
    /// A directory can't be used.
    pub fn open(deps: Deps) -> Result<Arc<Self>, LambdaError> {
        let code = CodeStore::open(&deps.code, &deps.work)?;
        let jobs = Queue::new(deps.metadata.clone(), Arc::clone(&deps.platform.clock), JOBS);
        let runtimes = Runtimes::open(&deps.work, deps.pythons)?;
        let roles = Arc::clone(&deps.roles);
        let pool = Pool::open(deps.platform.clone(), deps.sandbox, deps.endpoint, roles, runtimes);
        Ok(Arc::new(Self {
            metadata: deps.metadata,
            stores: deps.stores,
            roles: deps.roles,
            authorizer: deps.authorizer,
            platform: deps.platform,
            code,
            links: Links::new()?,
            pool,
            jobs,
            pollers: Pollers::default(),
        }))
    }

    /// Where an archive can be downloaded for a while.
    pub(crate) fn location(&self, digest: &str) -> String {
        let endpoint = self.platform.endpoint().unwrap_or("http://localhost:4566");
        self.links.address(endpoint, digest, self.platform.clock.now())
    }

    /// The row of a function.
    pub(crate) fn function(&self, region: &str, name: &str) -> Result<StoredFunction, LambdaError> {
        self.metadata.get_json(FUNCTIONS, &Key::new([name]))?.ok_or_else(|| missing(region, name, None))
    }

    /// The version that a qualifier means now: aliases are looked up, and choose among their versions by `chance` (0 to 1).
    pub(crate) fn resolve(&self, region: &str, wanted: &FunctionRef, chance: f64) -> Result<Function, LambdaError> {
        let stored = self.function(region, &wanted.name)?;
        let qualifier = wanted.qualifier.as_deref().unwrap_or(LATEST);
        if qualifier == LATEST {
            return Ok(stored.latest);
        }
        let missing = || missing(region, &wanted.name, Some(qualifier));
        let version = if is_version(qualifier) {
            qualifier.to_owned()
        } else {
            let key = Key::new([wanted.name.as_str(), qualifier]);
            let alias: Alias = self.metadata.get_json(ALIASES, &key)?.ok_or_else(missing)?;
            match alias.second {
                Some((second, share)) if chance < share => second,
                _ => alias.version,
            }
        };
        if version == LATEST {
            return Ok(stored.latest);
        }
        self.metadata.get_json(VERSIONS, &version_key(&wanted.name, &version))?.ok_or_else(missing)
    }
}

/// That there is no such function, version or alias.
pub(crate) fn missing(region: &str, name: &str, qualifier: Option<&str>) -> LambdaError {
    LambdaError::NotFound(format!("Function not found: {}", function_arn(region, name, qualifier)))
}

/// The row key of a published version; numbers order as numbers.
pub(crate) fn version_key(name: &str, version: &str) -> Key {
    Key::new([name.to_owned(), format!("{version:0>12}")])
}

/// A function's row inside a transaction.
pub(crate) fn stored(tx: &Transaction<'_>, region: &str, name: &str) -> Result<StoredFunction, LambdaError> {
    tx.get_json(FUNCTIONS, &Key::new([name]))?.ok_or_else(|| missing(region, name, None))
}

/// One page of a space's rows below `prefix`, and the marker of the next.
pub(crate) fn page<T: DeserializeOwned>(
    state: &Lambda,
    space: &'static str,
    prefix: &Key,
    page: &Page,
) -> Result<(Vec<T>, Option<String>), LambdaError> {
    let size = page.max_items.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        let constraint = format!("Member must have value between 1 and {LARGEST_PAGE}");
        return Err(LambdaError::constraint(size, "maxItems", &constraint));
    }
    let malformed = || LambdaError::InvalidParameter("The Marker is not one of this operation.".into());
    let after: Option<Vec<String>> =
        page.marker.as_deref().map(|token| serde_json::from_str(token).map_err(|_| malformed())).transpose()?;
    let found = state.metadata.page(space, prefix, after.map(Key::new).as_ref(), size.min(PAGE))?;
    let entries = found.entries.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?;
    Ok((entries, found.next.map(|key| serde_json::Value::from(key.parts()).to_string())))
}

/// A new revision id.
pub(crate) fn new_revision() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A time as Lambda writes it: `2024-05-01T12:00:00.000+0000`.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true).replace('Z', "+0000")
}

/// Fails unless the expected revision, if any, is the present one.
pub(crate) fn check_revision(expected: Option<&str>, present: &str) -> Result<(), LambdaError> {
    if expected.is_some_and(|expected| expected != present) { Err(LambdaError::Precondition) } else { Ok(()) }
}

/// Whoever lets a function act as a role must be allowed to pass that role, which must trust Lambda.
pub(crate) fn check_role(ctx: &Ctx, state: &Lambda, role: &str) -> Result<(), LambdaError> {
    use boathouse_aws::access::{AccessRequest, ConditionKeys};
    let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![crate::SERVICE.to_owned()])]);
    state.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", role, &keys))?;
    state.roles.assume_for_service(role, crate::SERVICE, "validation").map(drop).map_err(|_| {
        LambdaError::InvalidParameter("The role defined for the function cannot be assumed by Lambda.".into())
    })
}
