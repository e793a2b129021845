//! GetAccountAuthorizationDetails: all users, groups, roles and policies with what they hold.

use std::sync::Arc;

use boathouse_aws::{Ctx, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::instance_profiles;
use super::managed;
use super::output::{self, Paging};
use super::table::{Target, add};
use crate::aws_managed;
use crate::entities::{Group, InstanceProfile, ManagedPolicy, Policies, Role, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::store::row_name;

const LISTS: [(&str, &str); 4] =
    [("User", "UserDetailList"), ("Group", "GroupDetailList"), ("Role", "RoleDetailList"), ("Policy", "Policies")];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    #[serde(default)]
    filter: Vec<String>,
    marker: Option<String>,
    max_items: Option<u32>,
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    add(table, state, "GetAccountAuthorizationDetails", |_, _, _: &Details| Ok(Target::new("*".into())), details)
}

/// One entity: the list that it belongs to, its place in the order, its shape.
type Detail = (&'static str, String, Value);

async fn details(_: Ctx, identity: Arc<Identity>, input: Details) -> Result<Value, IamError> {
    const FILTERS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    if let Some(other) = input.filter.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        let constraint = format!("Member must satisfy enum value set: [{}]", FILTERS.join(", "));
        return Err(IamError::constraint(other, "filter", &constraint));
    }
    let wanted = |sort: &str| input.filter.is_empty() || input.filter.iter().any(|filter| filter == sort);
    let mut all: Vec<Detail> = Vec::new();
    if wanted("User") {
        all.extend(users(&identity)?);
    }
    if wanted("Group") {
        all.extend(groups(&identity)?);
    }
    if wanted("Role") {
        all.extend(roles(&identity)?);
    }
    all.extend(policies(&identity, wanted("LocalManagedPolicy"), wanted("AWSManagedPolicy"))?);
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    let page =
        output::page("All", all, &paging, |(_, order, _)| order.clone(), |(list, _, shape)| json!([list, shape]))?;
    let mut answer = json!({"IsTruncated": page["IsTruncated"], "Marker": page["Marker"]});
    for (sort, list) in LISTS {
        let items = page["All"].as_array().into_iter().flatten().filter(|item| item[0] == sort);
        answer[list] = items.map(|item| item[1].clone()).collect();
    }
    Ok(answer)
}

fn inline(policies: &Policies) -> Value {
    let shape =
        |(name, document): (&String, &String)| json!({"PolicyName": name, "PolicyDocument": output::encoded(document)});
    policies.inline.iter().map(shape).collect()
}

fn attached(policies: &Policies) -> Value {
    policies.attached.iter().map(|arn| json!({"PolicyName": arn.rsplit('/').next(), "PolicyArn": arn})).collect()
}

fn users(identity: &Identity) -> Result<Vec<Detail>, IamError> {
    let detail = |user: User| {
        let mut shape = output::user(&user, false);
        shape["UserPolicyList"] = inline(&user.policies);
        shape["AttachedManagedPolicies"] = attached(&user.policies);
        let groups = user.groups.iter().map(|name| identity.store.get::<Group>(name));
        shape["GroupList"] = groups.map(|group| Ok(json!(group?.name))).collect::<Result<Value, IamError>>()?;
        Ok(("User", format!("1 {}", row_name(&user.name)), shape))
    };
    identity.store.all::<User>()?.into_iter().map(detail).collect()
}

fn groups(identity: &Identity) -> Result<Vec<Detail>, IamError> {
    let detail = |group: Group| {
        let mut shape = output::group(&group);
        shape["GroupPolicyList"] = inline(&group.policies);
        shape["AttachedManagedPolicies"] = attached(&group.policies);
        ("Group", format!("2 {}", row_name(&group.name)), shape)
    };
    Ok(identity.store.all::<Group>()?.into_iter().map(detail).collect())
}

fn roles(identity: &Identity) -> Result<Vec<Detail>, IamError> {
    let profiles = identity.store.all::<InstanceProfile>()?;
    let detail = |role: Role| {
        let mut shape = output::role(&role, false);
        shape["RolePolicyList"] = inline(&role.policies);
        shape["AttachedManagedPolicies"] = attached(&role.policies);
        let own = profiles.iter().filter(|profile| profile.role.as_ref() == Some(&row_name(&role.name)));
        let shapes = own.map(|profile| instance_profiles::shape(identity, profile, false));
        shape["InstanceProfileList"] = shapes.collect::<Result<Value, IamError>>()?;
        Ok(("Role", format!("3 {}", row_name(&role.name)), shape))
    };
    identity.store.all::<Role>()?.into_iter().map(detail).collect()
}

fn policies(identity: &Identity, local: bool, aws: bool) -> Result<Vec<Detail>, IamError> {
    let uses = managed::Uses::read(&identity.store)?;
    let mut details = Vec::new();
    for policy in identity.store.all::<ManagedPolicy>()?.into_iter().filter(|_| local) {
        let mut shape = managed::shape(&policy, &uses, false);
        let version = |(number, version): (&u32, &crate::entities::PolicyVersion)| {
            managed::version_shape(*number, policy.default_version, version.created, Some(&version.document))
        };
        shape["PolicyVersionList"] = policy.versions.iter().rev().map(version).collect();
        details.push(("Policy", format!("4 {}", policy.arn()), shape));
    }
    // Of AWS's policies those that are in use, as on AWS.
    for policy in aws_managed::ALL.iter().filter(|_| aws) {
        if uses.counts(&policy.arn()) == (0, 0) {
            continue;
        }
        let mut shape = managed::aws_shape(policy, &uses, false);
        shape["PolicyVersionList"] = json!([{
            "VersionId": "v1",
            "IsDefaultVersion": true,
            "CreateDate": managed::AWS_CREATED,
            "Document": output::encoded(policy.document),
        }]);
        details.push(("Policy", format!("5 {}", policy.arn()), shape));
    }
    Ok(details)
}
