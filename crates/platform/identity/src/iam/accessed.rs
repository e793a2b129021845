//! Which services an entity may use and when it last did: GenerateServiceLastAccessedDetails,
//! GetServiceLastAccessedDetails, ListPoliciesGrantingServiceAccess.

use std::collections::BTreeSet;
use std::sync::Arc;

use boathouse_aws::{Ctx, ServiceTable};
use boathouse_metadata::Key;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::context_keys::{HeldPolicy, documents};
use super::now;
use super::output::{self, Paging};
use super::table::{Target, add};
use crate::entities::{Group, Role, Timestamp, User};
use crate::error::IamError;
use crate::identity::Identity;
use crate::policy::{Policy, PolicyKind};
use crate::store::{Holder, row_name};

/// `(job id)` → [`Report`].
const REPORTS: &str = "iam-access-reports";
/// What services are called in reports.
const TITLES: [(&str, &str); 15] = [
    ("apigateway", "Amazon API Gateway Management V2"),
    ("athena", "Amazon Athena"),
    ("cloudformation", "AWS CloudFormation"),
    ("cloudtrail", "AWS CloudTrail"),
    ("cloudwatch", "Amazon CloudWatch"),
    ("events", "Amazon EventBridge"),
    ("firehose", "Amazon Data Firehose"),
    ("glue", "AWS Glue"),
    ("iam", "AWS Identity and Access Management"),
    ("lambda", "AWS Lambda"),
    ("logs", "Amazon CloudWatch Logs"),
    ("s3", "Amazon S3"),
    ("scheduler", "Amazon EventBridge Scheduler"),
    ("sqs", "Amazon SQS"),
    ("states", "AWS Step Functions"),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Generate {
    arn: String,
    granularity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    job_id: String,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Granting {
    arn: String,
    service_namespaces: Vec<String>,
    marker: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Report {
    made: Timestamp,
    services: Vec<Value>,
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let on_arn = |_: &Ctx, _: &Identity, input: &Generate| Ok(Target::new(input.arn.clone()));
    let table = add(table, state, "GenerateServiceLastAccessedDetails", on_arn, generate);
    let any = |_: &Ctx, _: &Identity, _: &Get| Ok(Target::new("*".into()));
    let table = add(table, state, "GetServiceLastAccessedDetails", any, get);
    let on_granted = |_: &Ctx, _: &Identity, input: &Granting| Ok(Target::new(input.arn.clone()));
    add(table, state, "ListPoliciesGrantingServiceAccess", on_granted, granting)
}

/// The policies that allow any action of a service.
fn granting_policies<'a>(held: &'a [HeldPolicy], service: &str) -> Result<Vec<&'a HeldPolicy>, IamError> {
    let mut granting = Vec::new();
    for policy in held {
        if Policy::parse(&policy.document, PolicyKind::Identity)?.allows_something_of(service) {
            granting.push(policy);
        }
    }
    Ok(granting)
}

/// Users and roles, by ARN and unique id, whose use counts for an entity: itself, a group's members, a policy's holders.
fn counted(identity: &Identity, arn: &str) -> Result<Vec<(String, String)>, IamError> {
    let (users, roles) = (identity.store.all::<User>()?, identity.store.all::<Role>()?);
    let is_policy = arn.contains(":policy/");
    let mut groups = BTreeSet::new();
    for group in identity.store.all::<Group>()? {
        if group.arn() == arn || (is_policy && group.policies().attached.contains(arn)) {
            groups.insert(row_name(&group.name));
        }
    }
    let holds = |own: String, attached: &BTreeSet<String>| own == arn || (is_policy && attached.contains(arn));
    let users = users.into_iter().filter(|user| {
        holds(user.arn(), &user.policies.attached) || user.groups.iter().any(|group| groups.contains(group))
    });
    let roles = roles.into_iter().filter(|role| holds(role.arn(), &role.policies.attached));
    Ok(users.map(|user| (user.arn(), user.id)).chain(roles.map(|role| (role.arn(), role.id))).collect())
}

/// The policies that are asked: an entity's, or the policy itself.
fn asked(identity: &Identity, arn: &str) -> Result<Vec<HeldPolicy>, IamError> {
    if !arn.contains(":policy/") {
        return documents(identity, arn);
    }
    let document = identity.managed_document(arn)?;
    let document = document.ok_or_else(|| IamError::NoSuchEntity(format!("Policy {arn} was not found.")))?;
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(vec![HeldPolicy { name, arn: Some(arn.to_owned()), holder: ("POLICY", String::new()), document }])
}

async fn generate(ctx: Ctx, identity: Arc<Identity>, input: Generate) -> Result<Value, IamError> {
    match input.granularity.as_deref() {
        None | Some("SERVICE_LEVEL") => {}
        Some("ACTION_LEVEL") => {
            return Err(IamError::NotImplemented("ACTION_LEVEL of GenerateServiceLastAccessedDetails"));
        }
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [SERVICE_LEVEL, ACTION_LEVEL]";
            return Err(IamError::constraint(other, "granularity", constraint));
        }
    }
    let held = asked(&identity, &input.arn)?;
    let counted = counted(&identity, &input.arn)?;
    let mut services: Vec<&'static str> = ctx.platform.dispatcher.services().map(|table| table.name).collect();
    services.sort_unstable();
    let mut shapes = Vec::new();
    for service in services.into_iter().filter(|service| *service != "sts") {
        if !granting_policies(&held, service)?.is_empty() {
            shapes.push(accessed(&identity, service, &counted)?);
        }
    }
    let (id, report) = (Uuid::new_v4().to_string(), Report { made: now(&ctx), services: shapes });
    let key = Key::new([&id]);
    let put = move |tx: &boathouse_metadata::Transaction<'_>| {
        tx.put_json(REPORTS, &key, &report)?;
        Ok(())
    };
    identity.store.write(put).await?;
    Ok(json!({"JobId": id}))
}

/// When any of the entities last asked for leave at the service.
fn accessed(identity: &Identity, service: &str, counted: &[(String, String)]) -> Result<Value, IamError> {
    let mut last: Option<(Timestamp, String, Option<String>)> = None;
    let mut total = 0;
    for (arn, id) in counted {
        let Some(visit) = identity.usage.visits(id)?.remove(service) else { continue };
        total += 1;
        if last.as_ref().is_none_or(|(time, ..)| *time < visit.time) {
            last = Some((visit.time, arn.clone(), visit.region));
        }
    }
    let title = TITLES.iter().find(|(name, _)| *name == service).map_or(service, |(_, title)| title);
    let mut shape = json!({"ServiceName": title, "ServiceNamespace": service, "TotalAuthenticatedEntities": total});
    if let Some((time, arn, region)) = last {
        shape["LastAuthenticated"] = json!(time);
        shape["LastAuthenticatedEntity"] = arn.into();
        shape["LastAuthenticatedRegion"] = region.into();
    }
    Ok(shape)
}

async fn get(_: Ctx, identity: Arc<Identity>, input: Get) -> Result<Value, IamError> {
    let report: Option<Report> = identity.store.value(REPORTS, &Key::new([&input.job_id]))?;
    let missing = || IamError::NoSuchEntity(format!("The job {} cannot be found.", input.job_id));
    let report = report.ok_or_else(missing)?;
    let paging = Paging { marker: input.marker, max_items: input.max_items };
    let name = |shape: &Value| shape["ServiceNamespace"].as_str().unwrap_or_default().to_owned();
    let mut answer = output::page("ServicesLastAccessed", report.services, &paging, name, Value::clone)?;
    answer["JobStatus"] = "COMPLETED".into();
    answer["JobType"] = "SERVICE_LEVEL".into();
    answer["JobCreationDate"] = json!(report.made);
    answer["JobCompletionDate"] = json!(report.made);
    Ok(answer)
}

async fn granting(_: Ctx, identity: Arc<Identity>, input: Granting) -> Result<Value, IamError> {
    if input.marker.is_some() {
        return Err(IamError::Validation("Invalid Marker: all policies are on the first page".into()));
    }
    let held = documents(&identity, &input.arn)?;
    let mut list = Vec::new();
    for service in &input.service_namespaces {
        let policies = granting_policies(&held, service)?;
        let shapes: Vec<Value> = policies.into_iter().map(granting_shape).collect();
        list.push(json!({"ServiceNamespace": service, "Policies": shapes}));
    }
    Ok(json!({"PoliciesGrantingServiceAccess": list, "IsTruncated": false}))
}

fn granting_shape(policy: &HeldPolicy) -> Value {
    let (sort, holder) = &policy.holder;
    let mut shape = json!({
        "PolicyName": policy.name,
        "PolicyType": if policy.arn.is_some() { "MANAGED" } else { "INLINE" },
    });
    match &policy.arn {
        Some(arn) => shape["PolicyArn"] = arn.as_str().into(),
        None => {
            shape["EntityType"] = (*sort).into();
            shape["EntityName"] = holder.as_str().into();
        }
    }
    shape
}

/// When and where a role last asked for leave, as GetRole tells it.
pub(super) fn role_last_used(identity: &Identity, role: &Role) -> Result<Value, IamError> {
    let visits = identity.usage.visits(&role.id)?;
    let last = visits.into_values().max_by_key(|visit| visit.time);
    Ok(match last {
        Some(visit) => json!({"LastUsedDate": visit.time, "Region": visit.region}),
        None => json!({}),
    })
}
