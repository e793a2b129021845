//! Managed policies and their versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::{Arn, Ctx, ServiceTable};
use boathouse_metadata::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{self, Tag};
use super::output::{self, Empty, Paging};
use super::table::{Target, add};
use super::users::insert;
use super::{customer_policy, new_id, now};
use crate::aws_managed::{self, AwsPolicy};
use crate::entities::{Group, ManagedPolicy, Policies, PolicyVersion, Role, Timestamp, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::policy::{Policy, PolicyKind};
use crate::store::{Entity, Holder, Rows, Store, row};

const QUOTA: usize = 1500;
const VERSIONS: usize = 5;
/// Characters of a managed policy, white space aside.
const SIZE_QUOTA: usize = 6144;
/// When AWS's own policies are said to have been made.
pub(super) const AWS_CREATED: &str = "2015-02-06T18:39:46Z";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreatePolicy {
    policy_name: String,
    path: Option<String>,
    policy_document: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyArn {
    policy_arn: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListEntities {
    policy_arn: String,
    entity_filter: Option<String>,
    path_prefix: Option<String>,
    policy_usage_filter: Option<String>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListPolicies {
    scope: Option<String>,
    #[serde(default)]
    only_attached: bool,
    path_prefix: Option<String>,
    policy_usage_filter: Option<String>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateVersion {
    policy_arn: String,
    policy_document: String,
    #[serde(default)]
    set_as_default: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedVersion {
    policy_arn: String,
    version_id: String,
}

/// The target of operations on a policy: its ARN, with its tags where it has some.
pub(super) fn target(identity: &Identity, arn: &str) -> Result<Target, IamError> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = identity.store.find::<ManagedPolicy>(name)?.filter(|policy| policy.arn() == arn);
    let target = Target::new(arn.to_owned());
    Ok(found.iter().fold(target, |target, policy| target.with_resource_tags(&policy.tags)))
}

fn on_arn(_: &Ctx, identity: &Identity, input: &PolicyArn) -> Result<Target, IamError> {
    target(identity, &input.policy_arn)
}

fn on_version(_: &Ctx, identity: &Identity, input: &NamedVersion) -> Result<Target, IamError> {
    target(identity, &input.policy_arn)
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let new = |_: &Ctx, _: &Identity, input: &CreatePolicy| {
        let path = input.path.as_deref().unwrap_or("/");
        Ok(Target::new(Arn::iam(format!("policy{path}{}", input.policy_name)).to_string()).with_tags(&input.tags))
    };
    let table = add(table, state, "CreatePolicy", new, create);
    let table = add(table, state, "GetPolicy", on_arn, get);
    let any = |_: &Ctx, _: &Identity, _: &ListPolicies| Ok(Target::new(Arn::iam("policy/").to_string()));
    let table = add(table, state, "ListPolicies", any, list);
    let table = add(table, state, "DeletePolicy", on_arn, delete);
    let held = |_: &Ctx, identity: &Identity, input: &ListEntities| target(identity, &input.policy_arn);
    let table = add(table, state, "ListEntitiesForPolicy", held, entities);
    let next = |_: &Ctx, identity: &Identity, input: &CreateVersion| target(identity, &input.policy_arn);
    let table = add(table, state, "CreatePolicyVersion", next, create_version);
    let table = add(table, state, "GetPolicyVersion", on_version, get_version);
    let table = add(table, state, "ListPolicyVersions", on_arn, list_versions);
    let table = add(table, state, "SetDefaultPolicyVersion", on_version, set_default);
    add(table, state, "DeletePolicyVersion", on_version, delete_version)
}

/// That there is no policy of this ARN.
pub(super) fn no_policy(arn: &str) -> IamError {
    IamError::NoSuchEntity(format!("Policy {arn} was not found."))
}

fn no_version(arn: &str, version: &str) -> IamError {
    IamError::NoSuchEntity(format!("Policy {arn} version {version} does not exist or is not attachable."))
}

/// The customer's policy of an ARN, to change; AWS's can't be.
fn own_policy(tx: &Transaction<'_>, arn: &str) -> Result<ManagedPolicy, IamError> {
    if aws_managed::find(arn).is_some() {
        return Err(IamError::Validation(format!("Cannot perform the operation on the AWS managed policy {arn}.")));
    }
    customer_policy(tx, arn)?.ok_or_else(|| no_policy(arn))
}

fn check_document(document: &str) -> Result<(), IamError> {
    Policy::parse(document, PolicyKind::Identity)?;
    if input::policy_size(document) <= SIZE_QUOTA {
        return Ok(());
    }
    Err(IamError::LimitExceeded(format!("Cannot exceed quota for PolicySize: {SIZE_QUOTA}")))
}

/// How often each policy is attached, and how often it is a boundary.
#[derive(Default)]
pub(super) struct Uses {
    attached: BTreeMap<String, u32>,
    bounding: BTreeMap<String, u32>,
}

impl Uses {
    fn add<H: Holder>(&mut self, holders: &[H]) {
        for held in holders.iter().map(Holder::policies) {
            for arn in &held.attached {
                *self.attached.entry(arn.clone()).or_default() += 1;
            }
            if let Some(arn) = &held.boundary {
                *self.bounding.entry(arn.clone()).or_default() += 1;
            }
        }
    }

    /// What users, groups and roles hold.
    pub(super) fn read(store: &Store) -> Result<Self, IamError> {
        let mut uses = Self::default();
        uses.add(&store.all::<User>()?);
        uses.add(&store.all::<Group>()?);
        uses.add(&store.all::<Role>()?);
        Ok(uses)
    }

    /// How often a policy is attached, and how often it is a boundary.
    pub(super) fn counts(&self, arn: &str) -> (u32, u32) {
        let count = |of: &BTreeMap<String, u32>| of.get(arn).copied().unwrap_or_default();
        (count(&self.attached), count(&self.bounding))
    }
}

fn version_id(number: u32) -> String {
    format!("v{number}")
}

/// A customer's policy; listings leave out what is long.
pub(super) fn shape(policy: &ManagedPolicy, uses: &Uses, listed: bool) -> Value {
    let arn = policy.arn();
    let (attached, bounding) = uses.counts(&arn);
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": arn,
        "Path": policy.path,
        "DefaultVersionId": version_id(policy.default_version),
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": true,
        "Description": if listed { None } else { policy.description.as_ref() },
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
        "Tags": if listed || policy.tags.is_empty() { Value::Null } else { output::tags(&policy.tags) },
    })
}

/// A policy of AWS's; listings leave out what is long.
pub(super) fn aws_shape(policy: &AwsPolicy, uses: &Uses, listed: bool) -> Value {
    let arn = policy.arn();
    let (attached, bounding) = uses.counts(&arn);
    json!({
        "PolicyName": policy.name(),
        "PolicyId": policy.id(),
        "Arn": arn,
        "Path": policy.path(),
        "DefaultVersionId": "v1",
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": true,
        "Description": if listed { None } else { Some(policy.description) },
        "CreateDate": AWS_CREATED,
        "UpdateDate": AWS_CREATED,
    })
}

async fn create(ctx: Ctx, identity: Arc<Identity>, input: CreatePolicy) -> Result<Value, IamError> {
    input::name(&input.policy_name, "policyName", 128)?;
    input::description(input.description.as_deref().unwrap_or_default())?;
    check_document(&input.policy_document)?;
    let created = now(&ctx);
    let policy = ManagedPolicy {
        path: input::path(input.path)?,
        id: new_id("ANPA")?,
        name: input.policy_name,
        created,
        updated: created,
        description: input.description,
        tags: input::tags(input.tags)?,
        versions: BTreeMap::from([(1, PolicyVersion { document: input.policy_document, created })]),
        default_version: 1,
        next_version: 2,
    };
    let answer = shape(&policy, &Uses::default(), false);
    let taken = format!("A policy called {} already exists. Duplicate names are not allowed.", policy.name);
    identity.store.write(move |tx| insert(tx, &policy, taken, QUOTA)).await?;
    Ok(json!({"Policy": answer}))
}

fn find(identity: &Identity, arn: &str) -> Result<ManagedPolicy, IamError> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = identity.store.find::<ManagedPolicy>(name)?.filter(|policy| policy.arn() == arn);
    found.ok_or_else(|| no_policy(arn))
}

async fn get(_: Ctx, identity: Arc<Identity>, input: PolicyArn) -> Result<Value, IamError> {
    let uses = Uses::read(&identity.store)?;
    let policy = match aws_managed::find(&input.policy_arn) {
        Some(policy) => aws_shape(policy, &uses, false),
        None => shape(&find(&identity, &input.policy_arn)?, &uses, false),
    };
    Ok(json!({"Policy": policy}))
}

async fn list(_: Ctx, identity: Arc<Identity>, input: ListPolicies) -> Result<Value, IamError> {
    let (local, aws) = match input.scope.as_deref() {
        None | Some("All") => (true, true),
        Some("Local") => (true, false),
        Some("AWS") => (false, true),
        Some(other) => {
            return Err(IamError::constraint(other, "scope", "Member must satisfy enum value set: [All, AWS, Local]"));
        }
    };
    let usage = Usage::parse(input.policy_usage_filter.as_deref())?;
    let uses = Uses::read(&identity.store)?;
    let mut shapes = Vec::new();
    if local {
        shapes.extend(identity.store.all::<ManagedPolicy>()?.iter().map(|policy| shape(policy, &uses, true)));
    }
    if aws {
        shapes.extend(aws_managed::ALL.iter().map(|policy| aws_shape(policy, &uses, true)));
    }
    let prefix = input.path_prefix.unwrap_or_else(|| "/".into());
    shapes.retain(|policy| {
        policy["Path"].as_str().is_some_and(|path| path.starts_with(&prefix))
            && (!input.only_attached || policy["AttachmentCount"] != 0)
            && usage.is_among(policy)
    });
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    output::page("Policies", shapes, &paging, |policy| policy["Arn"].to_string(), Value::clone)
}

/// As what a policy is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Usage {
    Permissions,
    Boundary,
    Any,
}

impl Usage {
    fn parse(filter: Option<&str>) -> Result<Self, IamError> {
        match filter {
            None => Ok(Self::Any),
            Some("PermissionsPolicy") => Ok(Self::Permissions),
            Some("PermissionsBoundary") => Ok(Self::Boundary),
            Some(other) => {
                let constraint = "Member must satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]";
                Err(IamError::constraint(other, "policyUsageFilter", constraint))
            }
        }
    }

    /// Whether a policy, by its shape, is held so; what nobody holds is listed only by those who don't ask.
    fn is_among(self, policy: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Permissions => policy["AttachmentCount"] != 0,
            Self::Boundary => policy["PermissionsBoundaryUsageCount"] != 0,
        }
    }

    fn is_of(self, held: &Policies, arn: &str) -> bool {
        (self != Self::Boundary && held.attached.contains(arn))
            || (self != Self::Permissions && held.boundary.as_deref() == Some(arn))
    }
}

fn holders<H: Holder>(all: Vec<H>, arn: &str, usage: Usage) -> Vec<H> {
    all.into_iter().filter(|holder| usage.is_of(holder.policies(), arn)).collect()
}

async fn delete(_: Ctx, identity: Arc<Identity>, input: PolicyArn) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let policy = own_policy(tx, &input.policy_arn)?;
            let arn = &input.policy_arn;
            let used = !holders(tx.every::<User>()?, arn, Usage::Any).is_empty()
                || !holders(tx.every::<Group>()?, arn, Usage::Any).is_empty()
                || !holders(tx.every::<Role>()?, arn, Usage::Any).is_empty();
            if used {
                return Err(IamError::DeleteConflict("Cannot delete a policy attached to entities.".into()));
            }
            if policy.versions.len() > 1 {
                return Err(IamError::DeleteConflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                     versions. The default version is deleted with the policy."
                        .into(),
                ));
            }
            tx.delete(ManagedPolicy::SPACE, &row(&policy.name))?;
            Ok(Empty {})
        })
        .await
}

/// What entities are called in filters, with the list that shows them and how it calls their ids.
const SORTS: [(&str, &str, &str); 3] =
    [("User", "PolicyUsers", "UserId"), ("Group", "PolicyGroups", "GroupId"), ("Role", "PolicyRoles", "RoleId")];

/// Entities that hold a policy, each with its list and what it is sorted by.
type Listed = Vec<(&'static str, Value, String)>;

impl ListEntities {
    fn check(&self) -> Result<(), IamError> {
        match self.entity_filter.as_deref() {
            None | Some("User" | "Role" | "Group") => Ok(()),
            Some(other) => {
                let constraint =
                    "Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]";
                Err(IamError::constraint(other, "entityFilter", constraint))
            }
        }
    }

    fn add<H: Holder>(
        &self,
        all: Vec<H>,
        usage: Usage,
        (sort, list, id): (&str, &'static str, &str),
        into: &mut Listed,
    ) {
        if self.entity_filter.as_deref().is_some_and(|wanted| wanted != sort) {
            return;
        }
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        for holder in holders(all, &self.policy_arn, usage) {
            if holder.path().starts_with(prefix) {
                let shape = json!({H::MEMBER: holder.name(), id: holder.id()});
                into.push((list, shape, format!("{list} {}", holder.name())));
            }
        }
    }
}

async fn entities(_: Ctx, identity: Arc<Identity>, input: ListEntities) -> Result<Value, IamError> {
    input.check()?;
    let usage = Usage::parse(input.policy_usage_filter.as_deref())?;
    if aws_managed::find(&input.policy_arn).is_none() {
        find(&identity, &input.policy_arn)?;
    }
    let (mut all, [users, groups, roles]) = (Vec::new(), SORTS);
    input.add(identity.store.all::<User>()?, usage, users, &mut all);
    input.add(identity.store.all::<Group>()?, usage, groups, &mut all);
    input.add(identity.store.all::<Role>()?, usage, roles, &mut all);
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    let page = output::page("All", all, &paging, |(.., key)| key.clone(), |(list, shape, _)| json!([list, shape]))?;
    let mut answer = json!({"IsTruncated": page["IsTruncated"], "Marker": page["Marker"]});
    for (_, list, _) in SORTS {
        let items = page["All"].as_array().into_iter().flatten();
        answer[list] = items.filter(|item| item[0] == list).map(|item| item[1].clone()).collect();
    }
    Ok(answer)
}

/// A version of a policy.
pub(super) fn version_shape(number: u32, default: u32, created: Timestamp, document: Option<&str>) -> Value {
    json!({
        "Document": document.map(output::encoded),
        "VersionId": version_id(number),
        "IsDefaultVersion": number == default,
        "CreateDate": created,
    })
}

async fn create_version(ctx: Ctx, identity: Arc<Identity>, input: CreateVersion) -> Result<Value, IamError> {
    check_document(&input.policy_document)?;
    let created = now(&ctx);
    let (number, default) = identity
        .store
        .write(move |tx| {
            let mut policy = own_policy(tx, &input.policy_arn)?;
            if policy.versions.len() >= VERSIONS {
                return Err(IamError::LimitExceeded(format!(
                    "A managed policy can have up to {VERSIONS} versions. Before you create a new version, you must \
                     delete an existing version."
                )));
            }
            let number = policy.next_version;
            policy.next_version += 1;
            policy.updated = created;
            policy.versions.insert(number, PolicyVersion { document: input.policy_document, created });
            if input.set_as_default {
                policy.default_version = number;
            }
            tx.keep(&policy)?;
            Ok((number, policy.default_version))
        })
        .await?;
    Ok(json!({"PolicyVersion": version_shape(number, default, created, None)}))
}

fn number_of(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.parse().ok()
}

async fn get_version(_: Ctx, identity: Arc<Identity>, input: NamedVersion) -> Result<Value, IamError> {
    let NamedVersion { policy_arn, version_id } = input;
    if let Some(policy) = aws_managed::find(&policy_arn) {
        if version_id != "v1" {
            return Err(no_version(&policy_arn, &version_id));
        }
        let document = output::encoded(policy.document);
        return Ok(json!({"PolicyVersion": {
            "Document": document, "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": AWS_CREATED,
        }}));
    }
    let policy = find(&identity, &policy_arn)?;
    let found = number_of(&version_id).and_then(|number| Some((number, policy.versions.get(&number)?)));
    let (number, version) = found.ok_or_else(|| no_version(&policy_arn, &version_id))?;
    let shape = version_shape(number, policy.default_version, version.created, Some(&version.document));
    Ok(json!({"PolicyVersion": shape}))
}

async fn list_versions(_: Ctx, identity: Arc<Identity>, input: PolicyArn) -> Result<Value, IamError> {
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    if aws_managed::find(&input.policy_arn).is_some() {
        let only = json!({"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": AWS_CREATED});
        return output::page("Versions", vec![only], &paging, |_| "v1".to_owned(), Value::clone);
    }
    let policy = find(&identity, &input.policy_arn)?;
    let versions: Vec<_> = policy.versions.iter().collect();
    // The newest comes first.
    let order = |(number, _): &(&u32, &PolicyVersion)| format!("{:010}", u32::MAX - **number);
    output::page("Versions", versions, &paging, order, |(number, version)| {
        version_shape(**number, policy.default_version, version.created, None)
    })
}

async fn change_version(
    identity: &Identity,
    input: NamedVersion,
    change: impl FnOnce(&mut ManagedPolicy, u32) -> Result<(), IamError> + Send + 'static,
) -> Result<Empty, IamError> {
    identity
        .store
        .write(move |tx| {
            let mut policy = own_policy(tx, &input.policy_arn)?;
            let number = number_of(&input.version_id).filter(|number| policy.versions.contains_key(number));
            change(&mut policy, number.ok_or_else(|| no_version(&input.policy_arn, &input.version_id))?)?;
            tx.keep(&policy)?;
            Ok(Empty {})
        })
        .await
}

async fn set_default(ctx: Ctx, identity: Arc<Identity>, input: NamedVersion) -> Result<Empty, IamError> {
    let updated = now(&ctx);
    let change = move |policy: &mut ManagedPolicy, number| {
        policy.default_version = number;
        policy.updated = updated;
        Ok(())
    };
    change_version(&identity, input, change).await
}

async fn delete_version(_: Ctx, identity: Arc<Identity>, input: NamedVersion) -> Result<Empty, IamError> {
    let change = |policy: &mut ManagedPolicy, number| {
        if policy.default_version == number {
            return Err(IamError::DeleteConflict("Cannot delete the default version of a policy.".into()));
        }
        policy.versions.remove(&number);
        Ok(())
    };
    change_version(&identity, input, change).await
}
