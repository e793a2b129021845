//! IAM: the operations on users, groups, roles, policies and keys.
//!
//! | Module | What it does |
//! |---|---|
//! | `users`, `keys`, `groups`, `roles`, `managed` | one file for each sort of entity |
//! | `held` | inline policies, attached policies and boundaries of users, groups and roles |
//! | `tags` | tags of users, roles and policies |
//! | `simulate`, `context_keys` | SimulatePrincipalPolicy, SimulateCustomPolicy; which condition keys policies ask about |
//! | `instance_profiles`, `service_linked`, `providers` | roles for machines and services; OpenID Connect providers |
//! | `account`, `details` | alias, password policy, summary, credential report; everything at once |
//! | `accessed` | which services entities may use, and when they last did |
//! | `table` | operations that ask for leave on their entity's ARN |
//! | `input`, `output` | rules for values; shapes of answers |

mod accessed;
mod account;
mod context_keys;
mod details;
mod groups;
mod held;
pub(crate) mod input;
mod instance_profiles;
mod keys;
mod managed;
mod output;
mod providers;
mod roles;
mod service_linked;
mod simulate;
mod table;
mod tags;
mod users;

use std::sync::Arc;

use boathouse_aws::{Ctx, Protocol, ServiceTable};
use boathouse_metadata::Transaction;

use crate::aws_managed;
use crate::credentials::unique_id;
use crate::entities::{ManagedPolicy, Timestamp};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, row};

use self::service_linked::modifiable;

/// Letters of an id after its prefix.
const ID_LENGTH: usize = 17;
/// Letters of an access key id after its prefix.
const KEY_ID_LENGTH: usize = 16;

/// The operations of IAM.
pub fn iam_service(identity: &Arc<Identity>) -> ServiceTable {
    let protocol = Protocol::AwsQuery { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };
    let table = ServiceTable::new("iam", protocol);
    let rooms = [
        users::operations,
        keys::operations,
        groups::operations,
        roles::operations,
        managed::operations,
        held::operations,
        tags::operations,
        simulate::operations,
        instance_profiles::operations,
        providers::operations,
        service_linked::operations,
        account::operations,
        details::operations,
        context_keys::operations,
        accessed::operations,
    ];
    rooms.into_iter().fold(table, |table, operations| operations(table, identity))
}

fn now(ctx: &Ctx) -> Timestamp {
    Timestamp(ctx.now())
}

/// A new unique id with the prefix of its sort.
fn new_id(prefix: &str) -> Result<String, IamError> {
    random_id(prefix, ID_LENGTH)
}

/// A new access key id.
pub(crate) fn new_key_id(prefix: &str) -> Result<String, IamError> {
    random_id(prefix, KEY_ID_LENGTH)
}

fn random_id(prefix: &str, length: usize) -> Result<String, IamError> {
    unique_id(prefix, length).map_err(|_| IamError::Sealing("the source of random numbers failed"))
}

/// The customer managed policy of an ARN.
fn customer_policy(tx: &Transaction<'_>, arn: &str) -> Result<Option<ManagedPolicy>, IamError> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found: Option<ManagedPolicy> = tx.get_json(ManagedPolicy::SPACE, &row(name))?;
    Ok(found.filter(|policy| policy.arn() == arn))
}

/// Refuses the ARN of a managed policy that is not there.
fn require_policy(tx: &Transaction<'_>, arn: &str) -> Result<(), IamError> {
    if aws_managed::find(arn).is_some() || customer_policy(tx, arn)?.is_some() {
        return Ok(());
    }
    Err(IamError::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable.")))
}

/// Refuses a boundary that is not there.
fn check_boundary(identity: &Identity, arn: Option<&str>) -> Result<(), IamError> {
    let Some(arn) = arn else { return Ok(()) };
    match identity.managed_document(arn)? {
        Some(_) => Ok(()),
        None => Err(IamError::NoSuchEntity(format!("Scope ARN: {arn} does not exist or is not attachable."))),
    }
}
