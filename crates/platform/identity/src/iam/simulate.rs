//! The policy simulator: what policies would say, without doing anything.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{Arn, Ctx, Principal, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::output::{self, Paging};
use super::table::{Target, add};
use crate::entities::{Role, User};
use crate::error::IamError;
use crate::identity::{Identity, role_principal, user_principal};
use crate::policy::{Origin, Policy, PolicyKind, PolicySet, Question, Refusal, RequestKeys};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simulation {
    policy_source_arn: Option<String>,
    #[serde(default)]
    policy_input_list: Vec<String>,
    #[serde(default)]
    permissions_boundary_policy_input_list: Vec<String>,
    action_names: Vec<String>,
    #[serde(default)]
    resource_arns: Vec<String>,
    resource_policy: Option<String>,
    #[serde(default)]
    context_entries: Vec<ContextEntry>,
    marker: Option<String>,
    max_items: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextEntry {
    context_key_name: String,
    #[serde(default)]
    context_key_values: Vec<String>,
}

pub(super) fn operations(table: ServiceTable, state: &Arc<Identity>) -> ServiceTable {
    let of_principal = |_: &Ctx, _: &Identity, input: &Simulation| {
        Ok(Target::new(input.policy_source_arn.clone().unwrap_or_else(|| "*".to_owned())))
    };
    let table = add(table, state, "SimulatePrincipalPolicy", of_principal, simulate_principal);
    add(table, state, "SimulateCustomPolicy", |_, _, _: &Simulation| Ok(Target::new("*".into())), simulate_custom)
}

fn parsed(documents: &[String]) -> Result<Vec<Arc<Policy>>, IamError> {
    let parse = |document: &String| Ok(Arc::new(Policy::parse(document, PolicyKind::Identity)?));
    documents.iter().map(parse).collect()
}

/// The principal that a user's or role's ARN means.
fn source(identity: &Identity, arn: &str) -> Result<Principal, IamError> {
    let missing = || IamError::NoSuchEntity(format!("{arn} cannot be found."));
    let resource = arn.parse::<Arn>().map_err(|_| missing())?.resource;
    let name = resource.rsplit('/').next().unwrap_or_default();
    if resource.starts_with("user/") {
        return Ok(user_principal(&identity.store.get::<User>(name)?));
    }
    if resource.starts_with("role/") {
        return Ok(role_principal(&identity.store.get::<Role>(name)?, "simulation", None));
    }
    if resource.starts_with("group/") {
        return Err(IamError::NotImplemented("the simulation of groups"));
    }
    Err(missing())
}

async fn simulate_principal(ctx: Ctx, identity: Arc<Identity>, input: Simulation) -> Result<Value, IamError> {
    let arn = input.policy_source_arn.as_deref().unwrap_or_default();
    let principal = source(&identity, arn)?;
    let grants = identity.grants(&principal).map_err(IamError::Denied)?;
    let mut policies = parsed(&input.policy_input_list)?;
    policies.extend(grants.iter().flat_map(|grants| grants.policies.iter().cloned()));
    let boundary = grants.as_deref().and_then(|grants| grants.boundary.clone());
    let role_arn = grants.as_deref().map(|grants| grants.arn.as_str());
    simulate(&ctx, &input, &principal, role_arn, &policies, boundary)
}

async fn simulate_custom(ctx: Ctx, _: Arc<Identity>, input: Simulation) -> Result<Value, IamError> {
    let principal = Principal::user("simulation", Arn::iam("user/simulation").to_string(), "AIDASIMULATION".into());
    let policies = parsed(&input.policy_input_list)?;
    simulate(&ctx, &input, &principal, None, &policies, None)
}

fn simulate(
    ctx: &Ctx,
    input: &Simulation,
    principal: &Principal,
    role_arn: Option<&str>,
    identity: &[Arc<Policy>],
    boundary: Option<Arc<Policy>>,
) -> Result<Value, IamError> {
    // A boundary in the request takes the place of the principal's own.
    let boundary = parsed(&input.permissions_boundary_policy_input_list)?.pop().or(boundary);
    let resource_policy =
        input.resource_policy.as_deref().map(|text| Policy::parse(text, PolicyKind::Resource)).transpose()?;
    let policies =
        PolicySet { identity, boundary: boundary.as_deref(), session: None, resource: resource_policy.as_ref() };
    let keys: ConditionKeys = input
        .context_entries
        .iter()
        .map(|entry| (entry.context_key_name.clone(), entry.context_key_values.clone()))
        .collect();
    let every = ["*".to_owned()];
    let resources = if input.resource_arns.is_empty() { &every[..] } else { &input.resource_arns };
    let mut results = Vec::new();
    for action in &input.action_names {
        for resource in resources {
            let request = AccessRequest::new(action, resource, &keys);
            let decision = decision(&policies, ctx, principal, role_arn, &request);
            let result = json!({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision,
            });
            results.push((format!("{:08}", results.len()), result));
        }
    }
    let paging = Paging { marker: input.marker.clone(), max_items: input.max_items };
    output::page("EvaluationResults", results, &paging, |(order, _)| order.clone(), |(_, result)| result.clone())
}

fn decision(
    policies: &PolicySet<'_>,
    ctx: &Ctx,
    principal: &Principal,
    role_arn: Option<&str>,
    request: &AccessRequest<'_>,
) -> &'static str {
    let keys = RequestKeys { principal, role_arn, origin: Origin::of(ctx), service: request.keys };
    let question = Question { action: request.action.to_ascii_lowercase(), resource: request.resource, keys };
    match policies.decide(&question) {
        Ok(()) => "allowed",
        Err(Refusal::Explicit(_)) => "explicitDeny",
        Err(Refusal::Implicit(_)) => "implicitDeny",
    }
}
