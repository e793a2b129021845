//! The policy simulator: what policies would say, without doing anything. Only the condition keys that the request names
//! have values, beside those that follow from the caller and the time.

use std::collections::BTreeSet;
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::{Arn, Ctx, Principal, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::context_keys::documents;
use super::output::{self, Paging};
use super::table::{Target, add};
use crate::entities::{Group, Role, User};
use crate::error::IamError;
use crate::identity::{Identity, role_principal, user_principal};
use crate::policy::{
    Decision, Origin, Policy, PolicyKind, PolicySet, Question, Refusal, RequestKeys, Verdict, asked_keys,
};

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
    resource_owner: Option<String>,
    caller_arn: Option<String>,
    resource_handling_option: Option<String>,
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

/// A policy and what answers call it.
struct Named {
    id: String,
    sort: &'static str,
    policy: Arc<Policy>,
    document: String,
}

impl Named {
    fn parse(id: String, sort: &'static str, document: &str) -> Result<Self, IamError> {
        let policy = Arc::new(Policy::parse(document, PolicyKind::Identity)?);
        Ok(Self { id, sort, policy, document: document.to_owned() })
    }

    fn inputs(documents: &[String], list: &str) -> Result<Vec<Self>, IamError> {
        let named = documents.iter().enumerate();
        named.map(|(index, text)| Self::parse(format!("{list}.{}", index + 1), "none", text)).collect()
    }
}

/// Whose policies are weighed.
struct Subject {
    principal: Principal,
    holder_arn: Option<String>,
    policies: Vec<Named>,
    boundary: Option<Arc<Policy>>,
}

/// The principal that a user's, group's or role's ARN means. A group is asked as a user without a name of its own.
fn principal(identity: &Identity, arn: &str) -> Result<Principal, IamError> {
    let missing = || IamError::NoSuchEntity(format!("{arn} cannot be found."));
    let resource = arn.parse::<Arn>().map_err(|_| missing())?.resource;
    let name = resource.rsplit('/').next().unwrap_or_default();
    match resource.split('/').next() {
        Some("user") => Ok(user_principal(&identity.store.get::<User>(name)?)),
        Some("role") => {
            Ok(role_principal(&identity.store.get::<Role>(name)?, "simulation", None, identity.clock.now()))
        }
        Some("group") => identity.store.get::<Group>(name).map(|_| imagined()),
        _ => Err(missing()),
    }
}

fn imagined() -> Principal {
    Principal::user("simulation", Arn::iam("user/simulation").to_string(), "AIDASIMULATION".into())
}

async fn simulate_principal(_: Ctx, identity: Arc<Identity>, input: Simulation) -> Result<Value, IamError> {
    let arn = input.policy_source_arn.as_deref().unwrap_or_default();
    let principal = principal(&identity, arn)?;
    let grants = identity.grants(&principal).map_err(IamError::Denied)?;
    let mut policies = Named::inputs(&input.policy_input_list, "PolicyInputList")?;
    for held in documents(&identity, arn)? {
        let (sort, holder) = &held.holder;
        let (id, sort) = match (&held.arn, *sort) {
            (Some(_), _) => (held.name.clone(), "managed"),
            (None, "GROUP") => (format!("group_{holder}_{}", held.name), "group"),
            (None, "ROLE") => (format!("role_{holder}_{}", held.name), "role"),
            (None, _) => (format!("user_{holder}_{}", held.name), "user"),
        };
        policies.push(Named::parse(id, sort, &held.document)?);
    }
    let subject = Subject {
        holder_arn: grants.as_deref().map(|grants| grants.arn.clone()),
        boundary: grants.as_deref().and_then(|grants| grants.boundary.clone()),
        principal,
        policies,
    };
    simulate(&identity, &input, subject)
}

async fn simulate_custom(_: Ctx, identity: Arc<Identity>, input: Simulation) -> Result<Value, IamError> {
    let policies = Named::inputs(&input.policy_input_list, "PolicyInputList")?;
    let subject = Subject { principal: imagined(), holder_arn: None, policies, boundary: None };
    simulate(&identity, &input, subject)
}

fn refuse_unknown_options(input: &Simulation) -> Result<(), IamError> {
    if input.resource_handling_option.is_some() {
        return Err(IamError::NotImplemented("ResourceHandlingOption of the policy simulator (EC2 scenarios)"));
    }
    if input.resource_owner.is_some() {
        return Err(IamError::NotImplemented("ResourceOwner of the policy simulator (other accounts)"));
    }
    Ok(())
}

fn simulate(identity: &Identity, input: &Simulation, mut subject: Subject) -> Result<Value, IamError> {
    refuse_unknown_options(input)?;
    if let Some(caller) = &input.caller_arn {
        if !caller.contains(":user/") {
            return Err(IamError::InvalidInput("CallerArn must be the ARN of a user".into()));
        }
        subject.principal = principal(identity, caller)?;
        subject.holder_arn = Some(caller.clone());
    }
    // A boundary in the request takes the place of the principal's own.
    let boundary = Named::inputs(&input.permissions_boundary_policy_input_list, "PermissionsBoundaryPolicyInputList")?;
    let bounding = boundary.into_iter().next_back().map(|named| named.policy).or(subject.boundary.take());
    let resource_policy =
        input.resource_policy.as_deref().map(|text| Policy::parse(text, PolicyKind::Resource)).transpose()?;
    let weighing =
        Weighing { identity, subject: &subject, boundary: bounding.as_deref(), resource: resource_policy.as_ref() };
    let entries = input.context_entries.iter();
    let keys: ConditionKeys =
        entries.map(|entry| (entry.context_key_name.clone(), entry.context_key_values.clone())).collect();
    let every = ["*".to_owned()];
    let resources = if input.resource_arns.is_empty() { &every[..] } else { &input.resource_arns };
    let mut results = Vec::new();
    for action in &input.action_names {
        if !action.contains(':') {
            return Err(IamError::InvalidInput(format!("Invalid Action name: {action}")));
        }
        for resource in resources {
            let result =
                weighing.result(&AccessRequest::new(action, resource, &keys), input.resource_policy.as_deref());
            results.push((format!("{:08}", results.len()), result));
        }
    }
    let paging = Paging { marker: input.marker.clone(), max_items: input.max_items };
    output::page("EvaluationResults", results, &paging, |(order, _)| order.clone(), |(_, result)| result.clone())
}

/// All policies that are weighed in a simulation.
struct Weighing<'a> {
    identity: &'a Identity,
    subject: &'a Subject,
    boundary: Option<&'a Policy>,
    resource: Option<&'a Policy>,
}

impl Weighing<'_> {
    fn question<'a>(&'a self, request: &AccessRequest<'a>) -> Question<'a> {
        let origin = Origin::imagined(self.identity.clock.now());
        let holder_arn = self.subject.holder_arn.as_deref();
        let (principal, asked) = (&self.subject.principal, (request.action, request.resource));
        let keys = RequestKeys { principal, holder_arn, origin, service: request.keys, asked };
        Question { action: request.action.to_ascii_lowercase(), resource: request.resource, keys }
    }

    fn result(&self, request: &AccessRequest<'_>, resource_policy: Option<&str>) -> Value {
        let question = self.question(request);
        let own: Vec<Arc<Policy>> = self.subject.policies.iter().map(|named| Arc::clone(&named.policy)).collect();
        let set = PolicySet { identity: &own, boundary: self.boundary, session: None, resource: self.resource };
        let decision = set.decide(&question);
        let mut result = json!({
            "EvalActionName": request.action,
            "EvalResourceName": request.resource,
            "EvalDecision": decision_name(decision),
            "MatchedStatements": self.matched(&question, decision),
            "MissingContextValues": self.missing(&question, resource_policy),
        });
        if let Some(boundary) = self.boundary {
            let allows = matches!(boundary.verdict(&question), Verdict::Allow(_));
            result["PermissionsBoundaryDecisionDetail"] = json!({"AllowedByPermissionsBoundary": allows});
        }
        result
    }

    /// The policies whose statements brought the decision about.
    fn matched(&self, question: &Question<'_>, decision: Decision) -> Value {
        let speaks = |policy: &Policy| {
            let verdict = (policy.verdict(question), decision);
            matches!(verdict, (Verdict::Deny, Err(Refusal::Explicit(_))) | (Verdict::Allow(_), Ok(())))
        };
        let own = self.subject.policies.iter().filter(|named| speaks(&named.policy));
        let shape = |id: &str, sort: &str| json!({"SourcePolicyId": id, "SourcePolicyType": sort});
        let mut matched: Vec<Value> = own.map(|named| shape(&named.id, named.sort)).collect();
        if self.resource.is_some_and(speaks) {
            matched.push(shape("ResourcePolicy", "resource"));
        }
        matched.into()
    }

    /// The condition keys that policies ask about and that have no value.
    fn missing(&self, question: &Question<'_>, resource_policy: Option<&str>) -> BTreeSet<String> {
        let own = self.subject.policies.iter().map(|named| named.document.as_str());
        let asked = own.chain(resource_policy).flat_map(asked_keys);
        asked.filter(|key| question.keys.values(&key.to_lowercase()).is_none()).collect()
    }
}

fn decision_name(decision: Decision) -> &'static str {
    match decision {
        Ok(()) => "allowed",
        Err(Refusal::Explicit(_)) => "explicitDeny",
        Err(Refusal::Implicit(_)) => "implicitDeny",
    }
}
