//! STS, the Security Token Service: who am I, and temporary credentials.
//!
//! | Module | What it does |
//! |---|---|
//! | `assume` | AssumeRole |
//! | `web_identity` | AssumeRoleWithWebIdentity: roles for those whom an OpenID Connect provider vouches for |
//! | `of_users` | GetSessionToken, GetFederationToken |
//! | `begin` | what beginning a session takes: lengths, passed policies, tags, source identities, credentials |

mod assume;
mod begin;
mod of_users;
mod web_identity;

use std::sync::Arc;

use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx, Protocol, ServiceTable};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::entities::AccessKey;
use crate::error::IamError;
use crate::identity::Identity;

/// The operations of STS.
pub fn sts_service(identity: &Arc<Identity>) -> ServiceTable {
    let protocol = Protocol::AwsQuery { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
    ServiceTable::new("sts", protocol)
        .operation("GetCallerIdentity", Access::Free, identity, get_caller_identity)
        .operation("AssumeRole", Access::InHandler, identity, assume::assume_role)
        .operation("AssumeRoleWithWebIdentity", Access::InHandler, identity, web_identity::assume_role)
        .unsigned("AssumeRoleWithWebIdentity")
        .operation("GetSessionToken", Access::Free, identity, of_users::get_session_token)
        .operation("GetFederationToken", Access::InHandler, identity, of_users::get_federation_token)
        .operation("GetAccessKeyInfo", Access::On(any_resource), identity, get_access_key_info)
        .operation("DecodeAuthorizationMessage", Access::On(any_resource), identity, decode_message)
}

#[derive(Deserialize)]
struct GetCallerIdentity {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity {
    user_id: String,
    account: &'static str,
    arn: String,
}

async fn get_caller_identity(ctx: Ctx, _: Arc<Identity>, _: GetCallerIdentity) -> Result<CallerIdentity, AwsError> {
    let principal = &ctx.principal;
    Ok(CallerIdentity { user_id: principal.user_id.clone(), account: ACCOUNT_ID, arn: principal.arn.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetAccessKeyInfo {
    access_key_id: String,
}

/// Sessions leave no row, so a temporary key is known by its shape alone.
async fn get_access_key_info(_: Ctx, identity: Arc<Identity>, input: GetAccessKeyInfo) -> Result<Value, IamError> {
    let id = input.access_key_id;
    let temporary = id.len() == 20 && id.starts_with("ASIA") && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if temporary || identity.is_root_key(&id) || identity.store.find::<AccessKey>(&id)?.is_some() {
        return Ok(json!({"Account": ACCOUNT_ID}));
    }
    Err(IamError::Validation(format!("The access key {id} is not one of this installation")))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DecodeMessage {
    #[serde(rename = "EncodedMessage")]
    _encoded_message: String,
}

/// Services of AWS that don't tell why they refuse hand out an encoded message instead. All services here tell, so no
/// message that anybody has is one of this installation.
async fn decode_message(_: Ctx, _: Arc<Identity>, _: DecodeMessage) -> Result<Value, IamError> {
    Err(IamError::InvalidAuthorizationMessage)
}
