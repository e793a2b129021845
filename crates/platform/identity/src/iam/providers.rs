//! OpenID Connect providers: whose tokens roles may trust.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx, ServiceTable};
use boathouse_metadata::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{self, Tag};
use super::now;
use super::output::{self, Empty};
use super::table::{Target, add};
use super::users::insert;
use crate::entities::OidcProvider;
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, Rows, row};

const QUOTA: usize = 100;
const CLIENT_IDS: usize = 100;
const THUMBPRINTS: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateProvider {
    url: String,
    #[serde(default, rename = "ClientIDList")]
    client_ids: Vec<String>,
    #[serde(default)]
    thumbprint_list: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct NamedProvider {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}

#[derive(Deserialize)]
struct Listing {}

#[derive(Deserialize)]
struct ClientId {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "ClientID")]
    client_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Thumbprints {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(default)]
    thumbprint_list: Vec<String>,
}

/// The row name that an ARN means.
pub(super) fn name_of(arn: &str) -> &str {
    arn.split_once(":oidc-provider/").map_or(arn, |(_, name)| name)
}

pub(super) fn missing(arn: &str) -> IamError {
    IamError::NoSuchEntity(format!("OpenIDConnect Provider not found for arn {arn}"))
}

/// The target of operations on a provider.
pub(super) fn target(identity: &Identity, arn: &str) -> Result<Target, IamError> {
    let found = identity.store.find::<OidcProvider>(name_of(arn))?.filter(|provider| provider.arn() == arn);
    let target = Target::new(arn.to_owned());
    Ok(found.iter().fold(target, |target, provider| target.with_resource_tags(&provider.tags)))
}

fn on_provider(_: &Ctx, identity: &Identity, input: &NamedProvider) -> Result<Target, IamError> {
    target(identity, &input.arn)
}

fn on_client(_: &Ctx, identity: &Identity, input: &ClientId) -> Result<Target, IamError> {
    target(identity, &input.arn)
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let new = |_: &Ctx, _: &Identity, input: &CreateProvider| {
        let name = input.url.split_once("://").map_or(input.url.as_str(), |(_, name)| name);
        let arn = Arn::iam(format!("oidc-provider/{}", name.trim_end_matches('/')));
        Ok(Target::new(arn.to_string()).with_tags(&input.tags))
    };
    let table = add(table, state, "CreateOpenIDConnectProvider", new, create);
    let table = add(table, state, "GetOpenIDConnectProvider", on_provider, get);
    let any = |_: &Ctx, _: &Identity, _: &Listing| Ok(Target::new(Arn::iam("oidc-provider/*").to_string()));
    let table = add(table, state, "ListOpenIDConnectProviders", any, list);
    let table = add(table, state, "DeleteOpenIDConnectProvider", on_provider, delete);
    let table = add(table, state, "AddClientIDToOpenIDConnectProvider", on_client, add_client);
    let table = add(table, state, "RemoveClientIDFromOpenIDConnectProvider", on_client, remove_client);
    let on_thumbprints = |_: &Ctx, identity: &Identity, input: &Thumbprints| target(identity, &input.arn);
    add(table, state, "UpdateOpenIDConnectProviderThumbprint", on_thumbprints, update_thumbprints)
}

fn check_thumbprints(list: &[String]) -> Result<(), IamError> {
    if list.len() > THUMBPRINTS {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for ThumbprintList: {THUMBPRINTS}")));
    }
    match list.iter().find(|text| text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit())) {
        Some(wrong) => Err(IamError::InvalidInput(format!("Thumbprint {wrong} is not 40 hexadecimal digits"))),
        None => Ok(()),
    }
}

fn check_client_id(text: &str) -> Result<(), IamError> {
    if (1..=255).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(IamError::constraint(text, "clientID", "Member must have length between 1 and 255"))
}

fn within_quota(provider: &OidcProvider) -> Result<(), IamError> {
    if provider.client_ids.len() <= CLIENT_IDS {
        return Ok(());
    }
    let message = format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS}");
    Err(IamError::LimitExceeded(message))
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: CreateProvider) -> Result<Value, IamError> {
    let name = identity.oidc.provider_name(&input.url)?;
    check_thumbprints(&input.thumbprint_list)?;
    input.client_ids.iter().try_for_each(|id| check_client_id(id))?;
    let provider = OidcProvider {
        name,
        url: input.url.trim_end_matches('/').to_owned(),
        client_ids: input.client_ids,
        thumbprints: input.thumbprint_list,
        created: now(&ctx),
        tags: input::tags(input.tags)?,
    };
    within_quota(&provider)?;
    let answer = json!({"OpenIDConnectProviderArn": provider.arn(), "Tags": output::some_tags(&provider.tags)});
    let taken = format!("Provider with url {} already exists.", provider.url);
    identity.store.write(move |tx| insert(tx, &provider, taken, QUOTA)).await?;
    Ok(answer)
}

fn find(identity: &Identity, arn: &str) -> Result<OidcProvider, IamError> {
    let found = identity.store.find::<OidcProvider>(name_of(arn))?;
    found.filter(|provider| provider.arn() == arn).ok_or_else(|| missing(arn))
}

fn find_in(tx: &Transaction<'_>, arn: &str) -> Result<OidcProvider, IamError> {
    let found: Option<OidcProvider> = tx.get_json(OidcProvider::SPACE, &row(name_of(arn)))?;
    found.filter(|provider| provider.arn() == arn).ok_or_else(|| missing(arn))
}

async fn get(_: Ctx, identity: Arc<Identity>, input: NamedProvider) -> Result<Value, IamError> {
    let provider = find(&identity, &input.arn)?;
    Ok(json!({
        "Url": provider.name,
        "ClientIDList": provider.client_ids,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": provider.created,
        "Tags": output::some_tags(&provider.tags),
    }))
}

async fn list(_: Ctx, identity: Arc<Identity>, _: Listing) -> Result<Value, IamError> {
    let providers = identity.store.all::<OidcProvider>()?;
    let arns: Vec<Value> = providers.iter().map(|provider| json!({"Arn": provider.arn()})).collect();
    Ok(json!({"OpenIDConnectProviderList": arns}))
}

async fn delete(_: Ctx, identity: Arc<Identity>, input: NamedProvider) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let provider = find_in(tx, &input.arn)?;
            tx.delete(OidcProvider::SPACE, &row(&provider.name))?;
            Ok(Empty {})
        })
        .await
}

async fn change(
    identity: &Identity,
    arn: String,
    change: impl FnOnce(&mut OidcProvider) + Send + 'static,
) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let mut provider = find_in(tx, &arn)?;
            change(&mut provider);
            within_quota(&provider)?;
            tx.keep(&provider)?;
            Ok(Empty {})
        })
        .await
}

async fn add_client(_: Ctx, identity: Arc<Identity>, input: ClientId) -> Result<Empty, IamError> {
    check_client_id(&input.client_id)?;
    let add = move |provider: &mut OidcProvider| {
        if !provider.client_ids.contains(&input.client_id) {
            provider.client_ids.push(input.client_id);
        }
    };
    change(&identity, input.arn, add).await
}

async fn remove_client(_: Ctx, identity: Arc<Identity>, input: ClientId) -> Result<Empty, IamError> {
    change(&identity, input.arn, move |provider| provider.client_ids.retain(|id| *id != input.client_id)).await
}

async fn update_thumbprints(_: Ctx, identity: Arc<Identity>, input: Thumbprints) -> Result<Empty, IamError> {
    check_thumbprints(&input.thumbprint_list)?;
    change(&identity, input.arn, move |provider| provider.thumbprints = input.thumbprint_list).await
}
