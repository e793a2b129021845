//! Service-linked roles: roles that only a service may assume and nobody else may change.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::{ACCOUNT_ID, Arn, Ctx, ServiceTable};
use boathouse_metadata::Key;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::input;
use super::output;
use super::roles::QUOTA;
use super::table::{Target, add};
use super::users::insert;
use super::{new_id, now};
use crate::entities::{InstanceProfile, Policies, Role, Tags, Timestamp};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::{Entity, Holder, Rows, row, row_name};

/// The path of all such roles, before the service's name.
pub(super) const PATH: &str = "/aws-service-role/";
/// `(task id)` → [`Deletion`].
const DELETIONS: &str = "iam-role-deletions";
/// What roles are called whose service does not just lend its name.
const NAMES: [(&str, &str); 8] = [
    ("autoscaling", "AutoScaling"),
    ("ecs", "ECS"),
    ("elasticmapreduce", "EMRCleanup"),
    ("es", "AmazonElasticsearchService"),
    ("lakeformation", "LakeFormationDataAccess"),
    ("opensearchservice", "AmazonOpenSearchService"),
    ("rds", "RDS"),
    ("ops.apigateway", "APIGateway"),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateLinked {
    #[serde(rename = "AWSServiceName")]
    service: String,
    description: Option<String>,
    custom_suffix: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteLinked {
    role_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeletionTask {
    deletion_task_id: String,
}

/// A deletion that is done. No service here uses such a role, so none can be in the way.
#[derive(Serialize, Deserialize)]
struct Deletion {
    role: String,
    done: Timestamp,
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let new = |_: &Ctx, _: &Identity, input: &CreateLinked| {
        let name = role_name(&input.service, input.custom_suffix.as_deref());
        let arn = Arn::iam(format!("role{PATH}{}/{name}", input.service));
        Ok(Target::new(arn.to_string()).with_key("iam:AWSServiceName", &input.service))
    };
    let table = add(table, state, "CreateServiceLinkedRole", new, create);
    let on_role =
        |_: &Ctx, identity: &Identity, input: &DeleteLinked| Target::holder::<Role>(identity, &input.role_name);
    let table = add(table, state, "DeleteServiceLinkedRole", on_role, delete);
    let on_task = |_: &Ctx, _: &Identity, input: &DeletionTask| {
        let role = input.deletion_task_id.trim_start_matches("task/").rsplit_once('/').map_or("", |(role, _)| role);
        Ok(Target::new(Arn::iam(format!("role/{role}")).to_string()))
    };
    add(table, state, "GetServiceLinkedRoleDeletionStatus", on_task, status)
}

/// `AWSServiceRoleForGlue` for `glue.amazonaws.com`.
fn role_name(service: &str, suffix: Option<&str>) -> String {
    let label = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    let known = NAMES.iter().find(|(name, _)| *name == label).map(|(_, called)| (*called).to_owned());
    let called = known.unwrap_or_else(|| label.split(['.', '-']).map(capitalised).collect());
    match suffix {
        Some(suffix) => format!("AWSServiceRoleFor{called}_{suffix}"),
        None => format!("AWSServiceRoleFor{called}"),
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: CreateLinked) -> Result<Value, IamError> {
    let service = &input.service;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if !service.ends_with(".amazonaws.com") || !service.chars().all(plain) || service.len() > 128 {
        let message = format!("Service role name {service} is not a service: it ends with .amazonaws.com");
        return Err(IamError::InvalidInput(message));
    }
    input::description(input.description.as_deref().unwrap_or_default())?;
    if let Some(suffix) = &input.custom_suffix {
        input::name(suffix, "customSuffix", 64)?;
    }
    let name = role_name(service, input.custom_suffix.as_deref());
    input::name(&name, "roleName", 64)?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": [service]},
    }]});
    let role = Role {
        path: format!("{PATH}{service}/"),
        id: new_id("AROA")?,
        name,
        created: now(&ctx),
        trust: trust.to_string(),
        trusted_ids: BTreeMap::new(),
        description: input.description,
        max_session: 3600,
        tags: Tags::new(),
        policies: Policies::default(),
    };
    let shape = output::role(&role, false);
    let taken =
        format!("Service role name {} has been taken in this account, please try a different suffix.", role.name);
    identity
        .store
        .write(move |tx| {
            insert(tx, &role, taken, QUOTA).map_err(|error| match error {
                IamError::EntityAlreadyExists(taken) => IamError::InvalidInput(taken),
                other => other,
            })
        })
        .await?;
    Ok(json!({"Role": shape}))
}

async fn delete(ctx: Ctx, identity: Arc<Identity>, input: DeleteLinked) -> Result<Value, IamError> {
    let done = now(&ctx);
    let task = identity
        .store
        .write(move |tx| {
            let role: Role = tx.entity(&input.role_name)?;
            if !role.path.starts_with(PATH) {
                let message = format!("Role {} is not a service-linked role; use DeleteRole.", role.name);
                return Err(IamError::InvalidInput(message));
            }
            refuse_profile_member(tx, &role)?;
            tx.delete(Role::SPACE, &row(&role.name))?;
            let id = format!("task{}{}/{}", role.path, role.name, Uuid::new_v4());
            tx.put_json(DELETIONS, &Key::new([&id]), &Deletion { role: role.name, done })?;
            Ok(id)
        })
        .await?;
    Ok(json!({"DeletionTaskId": task}))
}

async fn status(_: Ctx, identity: Arc<Identity>, input: DeletionTask) -> Result<Value, IamError> {
    let id = &input.deletion_task_id;
    let done: Option<Deletion> = identity.store.value(DELETIONS, &Key::new([id]))?;
    done.ok_or_else(|| IamError::NoSuchEntity(format!("The deletion task {id} was not found in {ACCOUNT_ID}.")))?;
    Ok(json!({"Status": "SUCCEEDED"}))
}

/// Refuses to delete a role that an instance profile holds.
pub(super) fn refuse_profile_member(tx: &impl Rows, role: &Role) -> Result<(), IamError> {
    let profiles = tx.every::<InstanceProfile>()?;
    if profiles.iter().any(|profile| profile.role.as_ref() == Some(&row_name(&role.name))) {
        let message = "Cannot delete entity, must remove roles from instance profile first.";
        return Err(IamError::DeleteConflict(message.into()));
    }
    Ok(())
}

/// Refuses to change what is a service's.
pub(super) fn modifiable<H: Holder>(holder: &H) -> Result<(), IamError> {
    if H::SORT == Role::SORT && holder.path().starts_with(PATH) {
        let name = holder.name();
        return Err(IamError::Unmodifiable(format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_called_after_their_service() {
        assert_eq!(role_name("glue.amazonaws.com", None), "AWSServiceRoleForGlue");
        assert_eq!(role_name("lakeformation.amazonaws.com", None), "AWSServiceRoleForLakeFormationDataAccess");
        assert_eq!(role_name("autoscaling.amazonaws.com", Some("x")), "AWSServiceRoleForAutoScaling_x");
        assert_eq!(role_name("email.cognito-idp.amazonaws.com", None), "AWSServiceRoleForEmailCognitoIdp");
    }
}
