//! Which targets an event goes to. Compiled rules are kept in memory, and forgotten whenever a rule or target changes.

use std::collections::HashMap;
use std::sync::Arc;

use boathouse_aws::Platform;
use boathouse_metadata::{Key, MetadataError, Transaction};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use crate::action::Action;
use crate::api::Target;
use crate::dead_letters::DeadLetters;
use crate::delivery::{Delivery, Retry, Sender};
use crate::error::EventsError;
use crate::event::{Event, timestamp};
use crate::input::{Input, Surroundings};
use crate::pattern::EventPattern;
use crate::store::{Events, RULES, Rule, rule_arn};

/// The rules with patterns of each bus that was asked for.
#[derive(Default)]
pub(crate) struct Router {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Grows with every change, so that rules read before a change are not kept after it.
    generation: u64,
    buses: HashMap<String, Arc<Vec<Route>>>,
}

/// An enabled rule with a pattern.
pub(crate) struct Route {
    pub(crate) rule: String,
    pattern: EventPattern,
    targets: Vec<Prepared>,
}

/// A target, ready to be delivered to.
struct Prepared {
    role: Option<String>,
    input: Input,
    action: Action,
    retry: Retry,
    arn: String,
    dead_letters: Option<String>,
}

impl Router {
    /// Forgets everything: some rule or target has changed.
    pub(crate) fn forget(&self) {
        let mut known = self.known.lock();
        known.generation += 1;
        known.buses.clear();
    }

    fn routes(&self, state: &Events, bus: &str) -> Result<Arc<Vec<Route>>, EventsError> {
        let generation = {
            let known = self.known.lock();
            if let Some(routes) = known.buses.get(bus) {
                return Ok(Arc::clone(routes));
            }
            known.generation
        };
        let routes = Arc::new(read(state, bus)?);
        let mut known = self.known.lock();
        if known.generation == generation {
            known.buses.insert(bus.to_owned(), Arc::clone(&routes));
        }
        Ok(routes)
    }
}

fn read(state: &Events, bus: &str) -> Result<Vec<Route>, EventsError> {
    let mut routes = Vec::new();
    for entry in state.metadata.scan(RULES, &Key::new([bus]), None, usize::MAX >> 1)? {
        let (name, rule): (String, Rule) = (entry.key.last(), entry.json()?);
        let Some(pattern) = rule.event_pattern.as_ref().filter(|_| rule.enabled) else {
            continue;
        };
        let pattern = EventPattern::parse(pattern)?;
        let targets = prepared(&rule, state.targets(bus, &name)?)?;
        routes.push(Route { rule: name, pattern, targets });
    }
    Ok(routes)
}

fn prepared(rule: &Rule, targets: Vec<Target>) -> Result<Vec<Prepared>, EventsError> {
    let prepare = |target: Target| {
        let (text, path) = (target.input.as_deref(), target.input_path.as_deref());
        let input = Input::parse(text, path, target.input_transformer.as_ref()).map_err(EventsError::Validation)?;
        let role = target.role_arn.or_else(|| rule.role_arn.clone());
        let action = Action::of_target(&target.arn, target.sqs_parameters.as_ref())?;
        let dead_letters = target.dead_letter_config.and_then(|config| config.arn);
        Ok(Prepared { role, input, action, retry: Retry::of(target.retry_policy), arn: target.arn, dead_letters })
    };
    targets.into_iter().map(prepare).collect()
}

/// Where and when events are routed.
#[derive(Clone, Copy)]
pub(crate) struct Here<'a> {
    pub(crate) region: &'a str,
    pub(crate) now: DateTime<Utc>,
}

impl<'a> From<&'a Platform> for Here<'a> {
    fn from(platform: &'a Platform) -> Self {
        Self { region: &platform.region, now: platform.clock.now() }
    }
}

/// The deliveries that an event on a bus causes. `hops` says over how many buses it has come.
pub(crate) fn deliveries(
    state: &Events,
    here: Here<'_>,
    bus: &str,
    event: &Event,
    hops: u32,
) -> Result<Vec<Delivery>, EventsError> {
    let routes = state.router.routes(state, bus)?;
    let matching = routes.iter().filter(|route| route.pattern.matches(&event.value));
    Ok(matching.flat_map(|route| for_rule(here, bus, &route.rule, &route.targets, event, hops)).collect())
}

/// The deliveries of a scheduled rule, read inside the transaction that sets its next time.
pub(crate) fn scheduled_deliveries(
    tx: &Transaction<'_>,
    platform: &Platform,
    bus: &str,
    name: &str,
    rule: &Rule,
    event: &Event,
) -> Result<Vec<Delivery>, EventsError> {
    let rows = tx.scan(crate::store::TARGETS, &Key::new([bus, name]), None, usize::MAX >> 1)?;
    let targets = rows.iter().map(|entry| entry.json()).collect::<Result<Vec<Target>, MetadataError>>()?;
    Ok(for_rule(platform.into(), bus, name, &prepared(rule, targets)?, event, 0))
}

fn for_rule(here: Here<'_>, bus: &str, rule: &str, targets: &[Prepared], event: &Event, hops: u32) -> Vec<Delivery> {
    let (arn, now) = (rule_arn(here.region, bus, rule), timestamp(here.now));
    let around = Surroundings { rule_arn: &arn, rule_name: rule, ingestion_time: &now };
    let deliver = |target: &Prepared| Delivery {
        sender: Sender::Rule,
        source_arn: arn.clone(),
        event_id: event.id.clone(),
        role: target.role.clone(),
        payload: match target.action {
            Action::Bus { .. } => event.json.clone(),
            _ => target.input.apply(&event.value, &event.json, around),
        },
        action: target.action.clone(),
        retry: target.retry,
        hops,
        dead_letters: target.dead_letters.clone().map(|queue| DeadLetters {
            queue,
            target: target.arn.clone(),
            event: Some(event.json.clone()),
            scheduled: None,
        }),
    };
    targets.iter().map(deliver).collect()
}

/// Makes deliveries durable tasks. Nothing is written if there are none.
pub(crate) async fn enqueue(
    state: &Arc<Events>,
    platform: &Platform,
    deliveries: Vec<Delivery>,
) -> Result<(), MetadataError> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let (queue, now) = (state.deliveries.clone(), platform.clock.now());
    state
        .metadata
        .transaction(move |tx| deliveries.iter().try_for_each(|delivery| queue.add(tx, now, delivery).map(drop)))
        .await
}
