//! The catalog's own policy: whom it lets do what with databases and tables, beside everybody's own policies.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys};
use boathouse_aws::service::Access;
use boathouse_aws::sigv4::sha256_hex;
use boathouse_aws::{AwsError, Ctx, ServiceTable};
use boathouse_metadata::{Key, Metadata};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Timestamp;
use crate::error::CatalogError;
use crate::store::{POLICIES, catalog_arn, now};

/// Bytes of a policy.
const LARGEST: usize = 10 << 10;
/// What root can always do, so that a policy that locks everybody out can be taken away.
const REPAIRS: [&str; 3] = ["glue:PutResourcePolicy", "glue:DeleteResourcePolicy", "glue:GetResourcePolicy"];

/// The policy as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Policy {
    text: String,
    created: Timestamp,
    updated: Timestamp,
}

impl Policy {
    fn hash(&self) -> String {
        sha256_hex(self.text.as_bytes())
    }

    fn shape(&self) -> Value {
        json!({
            "PolicyInJson": self.text,
            "PolicyHash": self.hash(),
            "CreateTime": self.created,
            "UpdateTime": self.updated,
        })
    }
}

fn row() -> Key {
    Key::new(["catalog"])
}

/// Judges calls with the catalog's policy beside the others: whoever asks about Glue asks here.
pub struct CatalogJudge {
    authorizer: Arc<dyn Authorizer>,
    metadata: Metadata,
}

impl CatalogJudge {
    /// A judge that hands every question on to `authorizer`, those about Glue with the catalog's policy.
    pub fn new(authorizer: Arc<dyn Authorizer>, metadata: Metadata) -> Self {
        Self { authorizer, metadata }
    }
}

impl Authorizer for CatalogJudge {
    fn authorize(&self, ctx: &Ctx, request: &AccessRequest<'_>) -> Result<(), AwsError> {
        let repairs = ctx.principal.is_root() && REPAIRS.contains(&request.action);
        if !request.action.starts_with("glue:") || request.resource_policy.is_some() || repairs {
            return self.authorizer.authorize(ctx, request);
        }
        let policy: Option<Policy> = self.metadata.get_json(POLICIES, &row()).map_err(CatalogError::from)?;
        let text = policy.as_ref().map(|policy| policy.text.as_str());
        self.authorizer.authorize(ctx, &request.with_resource_policy(text))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPolicy {
    policy_in_json: String,
    resource_arn: Option<String>,
    policy_hash_condition: Option<String>,
    policy_exists_condition: Option<String>,
    enable_hybrid: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: Option<String>,
    policy_hash_condition: Option<String>,
}

#[derive(Deserialize)]
struct Listing {}

/// Adds the operations on the catalog's policy; `judge` reads a policy before it is kept.
pub fn operations(table: ServiceTable, judge: &Arc<CatalogJudge>) -> ServiceTable {
    fn on_catalog<I>(ctx: &Ctx, _: &I) -> Vec<String> {
        vec![catalog_arn(ctx)]
    }
    table
        .operation("PutResourcePolicy", Access::On(on_catalog), judge, put)
        .operation("GetResourcePolicy", Access::On(on_catalog), judge, get)
        .operation("GetResourcePolicies", Access::On(on_catalog), judge, list)
        .operation("DeleteResourcePolicy", Access::On(on_catalog), judge, delete)
}

/// Only the catalog as a whole has a policy.
fn check_resource(ctx: &Ctx, arn: Option<&str>) -> Result<(), CatalogError> {
    match arn {
        Some(arn) if arn != catalog_arn(ctx) => Err(CatalogError::invalid(format!(
            "Only the catalog {} takes a resource policy, not {arn}",
            catalog_arn(ctx)
        ))),
        _ => Ok(()),
    }
}

fn check_hash(present: Option<&Policy>, wanted: Option<&str>) -> Result<(), CatalogError> {
    match wanted {
        Some(hash) if present.map(Policy::hash).as_deref() != Some(hash) => {
            Err(CatalogError::ConditionCheck("Policy hash condition not met.".into()))
        }
        _ => Ok(()),
    }
}

/// Has the policy read as it will be at every call: one that can't be would let nobody in.
fn check_policy(ctx: &Ctx, judge: &CatalogJudge, text: &str) -> Result<(), CatalogError> {
    if text.len() < 2 || text.len() > LARGEST {
        return Err(CatalogError::invalid(format!("A resource policy has 2 to {LARGEST} bytes")));
    }
    let document: Value = serde_json::from_str(text).map_err(|_| CatalogError::invalid("Policy is not valid JSON"))?;
    let statements = document["Statement"].as_array().cloned().unwrap_or_else(|| vec![document["Statement"].clone()]);
    let resources = statements.iter().flat_map(|statement| match &statement["Resource"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    });
    let foreign =
        |resource: &Value| resource.as_str().is_none_or(|arn| arn != "*" && !arn.starts_with("arn:aws:glue:"));
    if let Some(resource) = resources.into_iter().find(foreign) {
        return Err(CatalogError::invalid(format!("The resource {resource} of the policy is not one of Glue's")));
    }
    let (keys, arn) = (ConditionKeys::new(), catalog_arn(ctx));
    let question = AccessRequest::new("glue:GetDatabases", &arn, &keys).with_resource_policy(Some(text));
    match judge.authorizer.authorize(ctx, &question) {
        Err(error) => match error.message.split_once("policy can't be used: ") {
            Some((_, reason)) => Err(CatalogError::invalid(format!("Policy is not valid: {reason}"))),
            None => Ok(()),
        },
        Ok(()) => Ok(()),
    }
}

async fn put(ctx: Ctx, judge: Arc<CatalogJudge>, input: PutPolicy) -> Result<Value, CatalogError> {
    check_resource(&ctx, input.resource_arn.as_deref())?;
    if input.enable_hybrid.as_deref() == Some("TRUE") {
        return Err(CatalogError::NotImplemented(
            "EnableHybrid of PutResourcePolicy (grants by the console to other accounts)",
        ));
    }
    check_policy(&ctx, &judge, &input.policy_in_json)?;
    let now = now(&ctx);
    let hash = judge
        .metadata
        .transaction::<_, CatalogError, _>(move |tx| {
            let present: Option<Policy> = tx.get_json(POLICIES, &row())?;
            check_hash(present.as_ref(), input.policy_hash_condition.as_deref())?;
            match (input.policy_exists_condition.as_deref(), &present) {
                (None | Some("NONE"), _) | (Some("MUST_EXIST"), Some(_)) | (Some("NOT_EXIST"), None) => {}
                (Some("MUST_EXIST" | "NOT_EXIST"), _) => {
                    return Err(CatalogError::ConditionCheck("Policy exists condition not met.".into()));
                }
                (Some(other), _) => {
                    return Err(CatalogError::invalid(format!(
                        "PolicyExistsCondition is MUST_EXIST, NOT_EXIST or NONE, not {other}"
                    )));
                }
            }
            let created = present.map_or(now, |present| present.created);
            let policy = Policy { text: input.policy_in_json, created, updated: now };
            tx.put_json(POLICIES, &row(), &policy)?;
            Ok(policy.hash())
        })
        .await?;
    Ok(json!({"PolicyHash": hash}))
}

fn missing() -> CatalogError {
    CatalogError::NotFound("Policy not found".into())
}

async fn get(ctx: Ctx, judge: Arc<CatalogJudge>, input: OfResource) -> Result<Value, CatalogError> {
    check_resource(&ctx, input.resource_arn.as_deref())?;
    let policy: Option<Policy> = judge.metadata.get_json(POLICIES, &row())?;
    Ok(policy.ok_or_else(missing)?.shape())
}

async fn list(_: Ctx, judge: Arc<CatalogJudge>, _: Listing) -> Result<Value, CatalogError> {
    let policy: Option<Policy> = judge.metadata.get_json(POLICIES, &row())?;
    let shapes: Vec<Value> = policy.iter().map(Policy::shape).collect();
    Ok(json!({"GetResourcePoliciesResponseList": shapes}))
}

async fn delete(ctx: Ctx, judge: Arc<CatalogJudge>, input: OfResource) -> Result<Value, CatalogError> {
    check_resource(&ctx, input.resource_arn.as_deref())?;
    judge
        .metadata
        .transaction::<_, CatalogError, _>(move |tx| {
            let present: Option<Policy> = tx.get_json(POLICIES, &row())?;
            check_hash(present.as_ref(), input.policy_hash_condition.as_deref())?;
            present.ok_or_else(missing)?;
            tx.delete(POLICIES, &row())?;
            Ok(())
        })
        .await?;
    Ok(json!({}))
}
