//! The policy simulator: what policies would say, without doing anything. Only the condition keys that the request names
//! have values, beside those that follow from the caller and the time.

use std::collections::BTreeSet;
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_aws::principal::PrincipalKind;
use boathouse_aws::{Arn, Ctx, Principal, ServiceTable};
use serde::Deserialize;
use serde_json::{Value, json};

use super::context_keys::documents;
use super::output::{self, Paging};
use super::table::{Target, add};
use crate::aws_managed;
use crate::entities::{Group, Role, User};
use crate::error::IamError;
use crate::identity::{Identity, role_principal, user_principal};
use crate::policy::{
    Decision, Origin, Policy, PolicyKind, PolicySet, Question, Refusal, RequestKeys, Verdict, asked_keys,
    statement_spans,
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
        Self::of_kind(PolicyKind::Identity, id, sort, document)
    }

    fn of_kind(kind: PolicyKind, id: String, sort: &'static str, document: &str) -> Result<Self, IamError> {
        let policy = Arc::new(Policy::parse(document, kind)?);
        Ok(Self { id, sort, policy, document: document.to_owned() })
    }

    fn managed(arn: &str, document: &str) -> Result<Self, IamError> {
        let sort = if aws_managed::find(arn).is_some() { "aws-managed" } else { "user-managed" };
        Self::parse(arn.rsplit('/').next().unwrap_or_default().to_owned(), sort, document)
    }

    /// The statements that bring a decision about, and where they stand.
    fn deciding(&self, question: &Question<'_>, decision: Decision) -> Vec<Value> {
        let places = self.policy.deciding(question, decision);
        let spans = if places.is_empty() { Vec::new() } else { statement_spans(&self.document) };
        let shape = |place: usize| {
            let mut shape = json!({"SourcePolicyId": self.id, "SourcePolicyType": self.sort});
            if let Some(span) = spans.get(place) {
                shape["StartPosition"] = span.start.json();
                shape["EndPosition"] = span.end.json();
            }
            shape
        };
        places.into_iter().map(shape).collect()
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
    boundary: Option<Named>,
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

/// The permissions boundary of the user or role of an ARN. One that is gone bounds everything, so nothing is simulated.
fn boundary(identity: &Identity, principal: &Principal) -> Result<Option<Named>, IamError> {
    let arn = match &principal.kind {
        PrincipalKind::User { name } => identity.store.find::<User>(name)?.and_then(|user| user.policies.boundary),
        PrincipalKind::AssumedRole { role, .. } => {
            identity.store.find::<Role>(role)?.and_then(|role| role.policies.boundary)
        }
        _ => None,
    };
    let Some(arn) = arn else { return Ok(None) };
    let document = identity.managed_document(&arn)?.ok_or_else(|| IamError::no_such("policy", &arn))?;
    Named::managed(&arn, &document).map(Some)
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
        let sort = match (&held.arn, *sort) {
            (Some(arn), _) => {
                policies.push(Named::managed(arn, &held.document)?);
                continue;
            }
            (None, "GROUP") => "group",
            (None, "ROLE") => "role",
            (None, _) => "user",
        };
        policies.push(Named::parse(format!("{sort}_{holder}_{}", held.name), sort, &held.document)?);
    }
    let holder_arn = grants.as_deref().map(|grants| grants.arn.clone());
    // Whom a group's policies are asked about is nobody, whoever has that name.
    let boundary = if grants.is_some() { boundary(&identity, &principal)? } else { None };
    let subject = Subject { principal, holder_arn, policies, boundary };
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
    let boundary = boundary.into_iter().next_back().or(subject.boundary.take());
    let of_resource = |text| Named::of_kind(PolicyKind::Resource, "ResourcePolicy".into(), "resource", text);
    let resource = input.resource_policy.as_deref().map(of_resource).transpose()?;
    let weighing = Weighing { identity, subject: &subject, boundary, resource };
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
            let result = weighing.result(&AccessRequest::new(action, resource, &keys));
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
    boundary: Option<Named>,
    resource: Option<Named>,
}

impl Weighing<'_> {
    fn question<'a>(&'a self, request: &AccessRequest<'a>) -> Question<'a> {
        let origin = Origin::imagined(self.identity.clock.now());
        let holder_arn = self.subject.holder_arn.as_deref();
        let (principal, asked) = (&self.subject.principal, (request.action, request.resource));
        let keys = RequestKeys { principal, holder_arn, origin, service: request.keys, asked };
        Question { action: request.action.to_ascii_lowercase(), resource: request.resource, keys }
    }

    fn result(&self, request: &AccessRequest<'_>) -> Value {
        let question = self.question(request);
        let own: Vec<Arc<Policy>> = self.subject.policies.iter().map(|named| Arc::clone(&named.policy)).collect();
        let boundary = self.boundary.as_ref().map(|named| &*named.policy);
        let resource = self.resource.as_ref().map(|named| &*named.policy);
        let set = PolicySet { identity: &own, boundary, session: None, resource };
        let decision = set.decide(&question);
        let mut result = json!({
            "EvalActionName": request.action,
            "EvalResourceName": request.resource,
            "EvalDecision": decision_name(decision),
            "MatchedStatements": self.matched(&question, decision),
            "MissingContextValues": self.missing(&question),
        });
        if let Some(boundary) = boundary {
            let allows = matches!(boundary.verdict(&question), Verdict::Allow(_));
            result["PermissionsBoundaryDecisionDetail"] = json!({"AllowedByPermissionsBoundary": allows});
        }
        result
    }

    /// The statements that brought the decision about. A boundary grants nothing, so it appears only where it denies.
    fn matched(&self, question: &Question<'_>, decision: Decision) -> Vec<Value> {
        let boundary = self.boundary.iter().filter(|_| decision.is_err());
        let policies = self.subject.policies.iter().chain(boundary).chain(&self.resource);
        policies.flat_map(|named| named.deciding(question, decision)).collect()
    }

    /// The condition keys that policies ask about and that have no value.
    fn missing(&self, question: &Question<'_>) -> BTreeSet<String> {
        let policies = self.subject.policies.iter().chain(&self.boundary).chain(&self.resource);
        let asked = policies.flat_map(|named| asked_keys(&named.document));
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
