//! Where buses, rules and targets live, and what all operations share.

use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys, ServiceRoles};
use boathouse_aws::{ACCOUNT_ID, Arn};
use boathouse_aws::{AwsError, Clock, Ctx};
use boathouse_metadata::{Key, Metadata, Transaction};
use boathouse_tasks::Queue;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::api::{Tag, Target};
use crate::delivery::Delivery;
use crate::error::EventsError;
use crate::router::Router;
use crate::timers::Timer;

/// `(bus)` → [`Bus`]. The default bus has no row until something of it is changed.
pub(crate) const BUSES: &str = "events-buses";
/// `(bus, rule)` → [`Rule`].
pub(crate) const RULES: &str = "events-rules";
/// `(bus, rule, target)` → [`Target`].
pub(crate) const TARGETS: &str = "events-targets";
/// Durable tasks.
const DELIVERIES: &str = "events-deliveries";
/// Durable timers.
const TIMERS: &str = "events-timers";

/// The bus that always exists.
pub(crate) const DEFAULT_BUS: &str = "default";
/// The service principal of rules.
pub(crate) const EVENTS_PRINCIPAL: &str = "events.amazonaws.com";
/// Entries of a page.
const PAGE: usize = 100;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bus {
    pub(crate) description: Option<String>,
    pub(crate) created: Option<DateTime<Utc>>,
    pub(crate) modified: Option<DateTime<Utc>>,
    /// The resource policy, as JSON text.
    pub(crate) policy: Option<String>,
    pub(crate) tags: Vec<Tag>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) event_pattern: Option<String>,
    pub(crate) schedule_expression: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) tags: Vec<Tag>,
    /// When it was created or last enabled: where a rate begins.
    pub(crate) since: DateTime<Utc>,
    /// Which timer is this rule's own: changes whenever the schedule does.
    pub(crate) revision: u64,
}

/// What the services need.
pub struct Deps {
    /// Where rules, schedules and tasks are kept.
    pub metadata: Metadata,
    /// Who decides.
    pub authorizer: Arc<dyn Authorizer>,
    /// How targets are called as their roles.
    pub roles: Arc<dyn ServiceRoles>,
    /// The platform's clock.
    pub clock: Arc<dyn Clock>,
}

/// The buses and schedules of an installation.
pub struct Events {
    pub(crate) metadata: Metadata,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) roles: Arc<dyn ServiceRoles>,
    pub(crate) deliveries: Queue<Delivery>,
    pub(crate) timers: Queue<Timer>,
    pub(crate) router: Arc<Router>,
}

impl Events {
    /// Buses and schedules in a store. Nothing is delivered before [`crate::worker::start`].
    pub fn new(deps: Deps) -> Self {
        let Deps { metadata, authorizer, roles, clock } = deps;
        let deliveries = Queue::new(metadata.clone(), Arc::clone(&clock), DELIVERIES);
        let timers = Queue::new(metadata.clone(), clock, TIMERS);
        Self { metadata, authorizer, roles, deliveries, timers, router: Arc::default() }
    }

    /// The bus of this name.
    pub(crate) fn bus(&self, name: &str) -> Result<Bus, EventsError> {
        match self.metadata.get_json(BUSES, &Key::new([name]))? {
            Some(bus) => Ok(bus),
            None if name == DEFAULT_BUS => Ok(Bus::default()),
            None => Err(no_bus(name)),
        }
    }

    pub(crate) fn rule(&self, bus: &str, name: &str) -> Result<Rule, EventsError> {
        self.metadata.get_json(RULES, &Key::new([bus, name]))?.ok_or_else(|| no_rule(bus, name))
    }

    /// The targets of a rule, by id.
    pub(crate) fn targets(&self, bus: &str, rule: &str) -> Result<Vec<Target>, EventsError> {
        let rows = self.metadata.scan(TARGETS, &Key::new([bus, rule]), None, usize::MAX >> 1)?;
        Ok(rows.iter().map(|entry| entry.json()).collect::<Result<_, _>>()?)
    }

    /// Whoever lets a service act as a role must be allowed to pass that role, which must trust the service.
    pub(crate) fn check_role(&self, ctx: &Ctx, role: &str, service: &str) -> Result<(), AwsError> {
        let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![service.to_owned()])]);
        self.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", role, &keys))?;
        self.roles.assume_for_service(role, service, "check").map(drop)
    }
}

/// A bus inside a transaction.
pub(crate) fn bus_in(tx: &Transaction<'_>, name: &str) -> Result<Bus, EventsError> {
    match tx.get_json(BUSES, &Key::new([name]))? {
        Some(bus) => Ok(bus),
        None if name == DEFAULT_BUS => Ok(Bus::default()),
        None => Err(no_bus(name)),
    }
}

pub(crate) fn rule_in(tx: &Transaction<'_>, bus: &str, name: &str) -> Result<Rule, EventsError> {
    bus_in(tx, bus)?;
    tx.get_json(RULES, &Key::new([bus, name]))?.ok_or_else(|| no_rule(bus, name))
}

pub(crate) fn no_bus(name: &str) -> EventsError {
    EventsError::NotFound(format!("Event bus {name} does not exist."))
}

pub(crate) fn no_rule(bus: &str, name: &str) -> EventsError {
    EventsError::NotFound(format!("Rule {name} does not exist on EventBus {bus}."))
}

pub(crate) fn validation(message: impl Into<String>) -> EventsError {
    EventsError::Validation(message.into())
}

/// The name of a bus that was given by name or ARN, or not at all.
pub(crate) fn bus_name(given: Option<&str>) -> &str {
    let given = given.unwrap_or(DEFAULT_BUS);
    given.split_once(":event-bus/").map_or(given, |(_, name)| name)
}

pub(crate) fn bus_arn(region: &str, name: &str) -> String {
    Arn::new("events", region, format!("event-bus/{name}")).to_string()
}

pub(crate) fn rule_arn(region: &str, bus: &str, name: &str) -> String {
    let path = if bus == DEFAULT_BUS { String::new() } else { format!("{bus}/") };
    Arn::new("events", region, format!("rule/{path}{name}")).to_string()
}

/// The account's number as events carry it.
pub(crate) const ACCOUNT: &str = ACCOUNT_ID;

/// Refuses a name that is empty, too long, or has other characters than letters, digits and these.
pub(crate) fn valid_name(member: &str, name: &str, longest: usize, others: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if (1..=longest).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must have 1 to \
         {longest} letters, digits and characters of {others}"
    ))
}

/// Named things, and the token of the next page.
type NamedPage<T> = (Vec<(String, T)>, Option<String>);

/// One page of a sorted list of names, and the token of the next.
pub(crate) fn page<T>(
    all: Vec<(String, T)>,
    limit: Option<usize>,
    token: Option<&str>,
) -> Result<NamedPage<T>, String> {
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(format!("Limit must be between 1 and {PAGE}"));
    }
    // The last name shown is the token.
    let mut found: Vec<(String, T)> =
        all.into_iter().filter(|(name, _)| token.is_none_or(|token| name.as_str() > token)).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(name, _)| name.clone());
    Ok((found, next))
}

/// Seconds since 1970.
pub(crate) fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}
