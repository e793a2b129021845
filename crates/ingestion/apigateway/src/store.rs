//! Where APIs live, and what all operations share.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys, ServiceRoles};
use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::{Key, Metadata, Transaction};
use chrono::SecondsFormat;
use rand::Rng as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::{Api, Authorizer as ApiAuthorizer, Cors, Deployment, Integration, Items, Route, Stage};
use crate::deployments;
use crate::error::GatewayError;
use crate::runtime::Runtime;

/// `(api)` → anything: its version changes with everything in the API.
pub(crate) const EPOCHS: &str = "apigateway-epochs";
/// Entries of a page that was not asked for in size.
const PAGE: usize = 100;

/// Something of an API that has a row of its own.
pub(crate) trait Resource: Serialize + DeserializeOwned + Clone + Send + 'static {
    /// The space of `(api, id)` → the resource.
    const SPACE: &'static str;
    /// What messages call it.
    const KIND: &'static str;
    /// Members that an update can't change.
    const FIXED: &'static [&'static str];

    fn id(&self) -> &str;
}

macro_rules! resources {
    ($($type:ty: $space:literal, $kind:literal, $id:ident, [$($fixed:literal),*];)*) => {
        $(impl Resource for $type {
            const SPACE: &'static str = $space;
            const KIND: &'static str = $kind;
            const FIXED: &'static [&'static str] = &["ApiId", "ApiGatewayManaged", $($fixed),*];

            fn id(&self) -> &str {
                &self.$id
            }
        })*
    };
}
resources! {
    Route: "apigateway-routes", "Route", route_id, ["RouteId"];
    Integration: "apigateway-integrations", "Integration", integration_id, ["IntegrationId"];
    ApiAuthorizer: "apigateway-authorizers", "Authorizer", authorizer_id, ["AuthorizerId"];
    Stage: "apigateway-stages", "Stage", stage_name, ["StageName", "CreatedDate", "Tags"];
}

impl Resource for Api {
    const SPACE: &'static str = "apigateway-apis";
    const KIND: &'static str = "API";
    const FIXED: &'static [&'static str] =
        &["ApiId", "ApiEndpoint", "CreatedDate", "ProtocolType", "Tags", "ApiGatewayManaged"];

    fn id(&self) -> &str {
        &self.api_id
    }
}

/// A deployment with what it deploys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployed {
    pub(crate) deployment: Deployment,
    pub(crate) snapshot: Snapshot,
}

impl Resource for Deployed {
    const SPACE: &'static str = "apigateway-deployments";
    const KIND: &'static str = "Deployment";
    const FIXED: &'static [&'static str] = &[];

    fn id(&self) -> &str {
        &self.deployment.deployment_id
    }
}

/// An API as it was at one time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) cors: Option<Cors>,
    pub(crate) routes: Vec<Route>,
    pub(crate) integrations: BTreeMap<String, Integration>,
    pub(crate) authorizers: BTreeMap<String, ApiAuthorizer>,
}

/// What an installation's APIs need.
pub struct Deps {
    /// The rows.
    pub metadata: Metadata,
    /// Who may manage and who may call APIs.
    pub authorizer: Arc<dyn Authorizer>,
    /// The roles that integrations act as.
    pub roles: Arc<dyn ServiceRoles>,
}

/// The APIs of an installation.
pub struct ApiGateway {
    pub(crate) deps: Deps,
    pub(crate) runtime: Runtime,
}

impl ApiGateway {
    /// The APIs in these stores.
    pub fn new(deps: Deps) -> Self {
        Self { deps, runtime: Runtime::default() }
    }

    /// Asks for leave to manage `path`, such as `/apis/abc/routes`, by the HTTP method that stands for the action.
    pub(crate) fn allow(&self, ctx: &Ctx, method: &str, path: &str) -> Result<(), GatewayError> {
        let arn = Arn { account: String::new(), ..Arn::new("apigateway", ctx.region(), path) }.to_string();
        let action = format!("apigateway:{method}");
        self.deps.authorizer.authorize(ctx, &AccessRequest::new(&action, &arn, &ConditionKeys::new()))?;
        Ok(())
    }

    /// Whoever lets the gateway act as a role must be allowed to pass that role.
    pub(crate) fn may_pass(&self, ctx: &Ctx, role: &str) -> Result<(), GatewayError> {
        let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![crate::SERVICE.to_owned()])]);
        self.deps.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", role, &keys))?;
        Ok(())
    }

    pub(crate) fn get<R: Resource>(&self, api: &str, id: &str) -> Result<R, GatewayError> {
        self.api(api)?;
        self.deps.metadata.get_json(R::SPACE, &Key::new([api, id]))?.ok_or_else(|| missing::<R>(id))
    }

    pub(crate) fn api(&self, id: &str) -> Result<Api, GatewayError> {
        self.deps.metadata.get_json(Api::SPACE, &Key::new([id]))?.ok_or_else(|| missing::<Api>(id))
    }

    /// One page of the rows below `prefix`.
    pub(crate) fn page<R: DeserializeOwned>(
        &self,
        space: &'static str,
        prefix: &Key,
        size: Option<&str>,
        token: Option<String>,
    ) -> Result<Items<R>, GatewayError> {
        let size = match size {
            None => PAGE,
            Some(text) => text.parse().ok().filter(|size| (1..=500).contains(size)).ok_or_else(|| {
                GatewayError::bad(format!("MaxResults must be a number between 1 and 500, not {text}"))
            })?,
        };
        let after: Option<Vec<String>> = token
            .map(|token| {
                serde_json::from_str(&token).map_err(|_| GatewayError::bad("NextToken is not one of this list"))
            })
            .transpose()?;
        let page = self.deps.metadata.page(space, prefix, after.map(Key::new).as_ref(), size)?;
        let items = page.entries.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?;
        Ok(Items { items, next_token: page.next.map(|key| Value::from(key.parts()).to_string()) })
    }

    /// Changes something of an API, and deploys it to the stages that want that.
    pub(crate) async fn change<T, F>(&self, ctx: &Ctx, api: &str, change: F) -> Result<T, GatewayError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>, &Api) -> Result<T, GatewayError> + Send + 'static,
    {
        let (api, now) = (api.to_owned(), timestamp(ctx));
        self.deps
            .metadata
            .transaction(move |tx| {
                let found = api_in(tx, &api)?;
                let outcome = change(tx, &found)?;
                if tx.contains(Api::SPACE, &Key::new([&api]))? {
                    deployments::deploy_automatically(tx, &api, &now)?;
                    tx.put(EPOCHS, &Key::new([&api]), b"{}")?;
                } else {
                    tx.delete(EPOCHS, &Key::new([&api]))?;
                }
                Ok(outcome)
            })
            .await
    }
}

pub(crate) fn missing<R: Resource>(id: &str) -> GatewayError {
    GatewayError::NotFound(format!("Invalid {} identifier specified {id}", R::KIND))
}

pub(crate) fn api_in(tx: &Transaction<'_>, id: &str) -> Result<Api, GatewayError> {
    tx.get_json(Api::SPACE, &Key::new([id]))?.ok_or_else(|| missing::<Api>(id))
}

pub(crate) fn get_in<R: Resource>(tx: &Transaction<'_>, api: &str, id: &str) -> Result<R, GatewayError> {
    tx.get_json(R::SPACE, &Key::new([api, id]))?.ok_or_else(|| missing::<R>(id))
}

pub(crate) fn put_in<R: Resource>(tx: &Transaction<'_>, api: &str, resource: &R) -> Result<(), GatewayError> {
    tx.put_json(R::SPACE, &Key::new([api, resource.id()]), resource)?;
    Ok(())
}

pub(crate) fn all_in<R: Resource>(tx: &Transaction<'_>, api: &str) -> Result<Vec<R>, GatewayError> {
    let entries = tx.scan(R::SPACE, &Key::new([api]), None, usize::MAX >> 1)?;
    Ok(entries.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?)
}

/// Takes a text member out of an input.
pub(crate) fn take(input: &mut Map<String, Value>, member: &str) -> Result<String, GatewayError> {
    match input.remove(member) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(GatewayError::bad(format!("{member} is a required parameter"))),
    }
}

/// An input as the resource that it describes. Members that only the service sets are left out.
pub(crate) fn described<R: DeserializeOwned>(mut input: Map<String, Value>, fixed: &[&str]) -> Result<R, GatewayError> {
    input.retain(|member, value| !value.is_null() && !fixed.contains(&&**member));
    serde_json::from_value(Value::Object(input)).map_err(|error| GatewayError::bad(format!("Invalid input: {error}")))
}

/// The resource with those members replaced that the input has. An empty text removes a member.
pub(crate) fn patched<R: Resource>(resource: &R, input: Map<String, Value>) -> Result<R, GatewayError> {
    let Value::Object(mut members) = serde_json::to_value(resource).map_err(boathouse_metadata::MetadataError::from)?
    else {
        return Err(GatewayError::bad("Invalid input"));
    };
    for (member, value) in input {
        match value {
            Value::Null => {}
            _ if R::FIXED.contains(&&*member) => {}
            Value::String(text) if text.is_empty() => drop(members.remove(&member)),
            value => drop(members.insert(member, value)),
        }
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| GatewayError::bad(format!("Invalid input: {error}")))
}

/// Refuses what is asked for and not there.
pub(crate) fn refuse(asked: &[(bool, &str)]) -> Result<(), GatewayError> {
    match asked.iter().find(|(asked, _)| *asked) {
        Some((_, name)) => Err(GatewayError::NotImplemented((*name).to_owned())),
        None => Ok(()),
    }
}

/// Whether an option is asked for: something other than nothing.
pub(crate) fn asked(value: &Option<Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Object(members)) => !members.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

const ID_LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

pub(crate) fn new_id(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| ID_LETTERS[rng.random_range(0..36)] as char).collect()
}

/// The id of what a call makes: always the same for a call with a token, at most 32 letters.
pub(crate) fn id_for(ctx: &Ctx, length: usize) -> String {
    let Some(token) = &ctx.token else { return new_id(length) };
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    digest.as_ref().iter().take(length).map(|byte| ID_LETTERS[usize::from(byte % 36)] as char).collect()
}

/// What an earlier call with the same token has made.
pub(crate) fn made_before<R: Resource>(tx: &Transaction<'_>, ctx: &Ctx, key: &Key) -> Result<Option<R>, GatewayError> {
    if ctx.token.is_none() {
        return Ok(None);
    }
    Ok(tx.get_json(R::SPACE, key)?)
}

pub(crate) fn timestamp(ctx: &Ctx) -> String {
    ctx.now().to_rfc3339_opts(SecondsFormat::Secs, true)
}
