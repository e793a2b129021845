//! Rules.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::{Value, json};

use crate::api::{Empty, ListRuleNamesByTarget, ListRules, PutRule, RuleNamed, Target};
use crate::error::EventsError;
use crate::pattern::EventPattern;
use crate::schedule::Expression;
use crate::store::{
    DEFAULT_BUS, EVENTS_PRINCIPAL, Events, RULES, Rule, TARGETS, bus_in, bus_name, page, rule_arn, rule_in, valid_name,
    validation,
};
use crate::{tags, timers};

/// Rules of a bus.
const MAX_RULES: usize = 300;
/// Characters of a pattern.
const MAX_PATTERN: usize = 4096;

fn check(ctx: &Ctx, state: &Events, input: &PutRule, bus: &str) -> Result<(), EventsError> {
    valid_name("name", &input.name, 64, "._-").map_err(validation)?;
    if input.event_pattern.is_none() && input.schedule_expression.is_none() {
        return Err(validation("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    if let Some(pattern) = &input.event_pattern {
        if pattern.chars().count() > MAX_PATTERN {
            return Err(validation(format!("EventPattern must have at most {MAX_PATTERN} characters")));
        }
        EventPattern::parse(pattern)?;
    }
    if let Some(expression) = &input.schedule_expression {
        if bus != DEFAULT_BUS {
            return Err(validation("ScheduleExpression is supported only on the default event bus."));
        }
        match Expression::parse(expression) {
            Ok(Expression::Cron(_) | Expression::Rate(_)) => {}
            Ok(Expression::At(_)) => return Err(validation("Parameter ScheduleExpression is not valid.")),
            Err(reason) => return Err(validation(format!("Parameter ScheduleExpression is not valid. {reason}"))),
        }
    }
    match input.state.as_deref() {
        None | Some("ENABLED" | "DISABLED") => {}
        Some(other) => return Err(EventsError::NotImplemented(format!("State {other}"))),
    }
    if let Some(role) = &input.role_arn {
        state.check_role(ctx, role, EVENTS_PRINCIPAL)?;
    }
    tags::check(input.tags.as_deref().unwrap_or_default())
}

pub(crate) async fn put(ctx: Ctx, state: Arc<Events>, input: PutRule) -> Result<Value, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref()).to_owned();
    check(&ctx, &state, &input, &bus)?;
    let arn = rule_arn(ctx.region(), &bus, &input.name);
    let (now, owner) = (ctx.now(), Arc::clone(&state));
    state
        .metadata
        .transaction(move |tx| {
            bus_in(tx, &bus)?;
            let key = Key::new([&bus, &input.name]);
            let old: Option<Rule> = tx.get_json(RULES, &key)?;
            if old.is_none() && tx.scan(RULES, &Key::new([&bus]), None, MAX_RULES)?.len() == MAX_RULES {
                return Err(EventsError::LimitExceeded(format!("Event bus {bus} has {MAX_RULES} rules.")));
            }
            let enabled = input.state.as_deref() != Some("DISABLED");
            let unchanged = old
                .as_ref()
                .filter(|old| old.enabled == enabled && old.schedule_expression == input.schedule_expression);
            let rule = Rule {
                enabled,
                since: unchanged.map_or(now, |old| old.since),
                revision: old.as_ref().map_or(0, |old| old.revision) + 1,
                event_pattern: input.event_pattern,
                schedule_expression: input.schedule_expression,
                description: input.description,
                role_arn: input.role_arn,
                // As on AWS, the tags of a rule that exists are changed by TagResource only.
                tags: old.map_or(input.tags.unwrap_or_default(), |old| old.tags),
            };
            keep(tx, &owner, &bus, &input.name, &rule)?;
            Ok(json!({"RuleArn": arn}))
        })
        .await
}

/// Writes a rule, its timer, and lets the router know.
fn keep(tx: &Transaction<'_>, state: &Arc<Events>, bus: &str, name: &str, rule: &Rule) -> Result<(), EventsError> {
    tx.put_json(RULES, &Key::new([bus, name]), rule)?;
    timers::set_rule(tx, &state.timers, name, rule)?;
    let router = Arc::clone(&state.router);
    tx.after_commit(move || router.forget());
    Ok(())
}

async fn set_enabled(ctx: Ctx, state: Arc<Events>, input: RuleNamed, enabled: bool) -> Result<Empty, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref()).to_owned();
    let owner = Arc::clone(&state);
    state
        .metadata
        .transaction(move |tx| {
            let mut rule = rule_in(tx, &bus, &input.name)?;
            if rule.enabled != enabled {
                rule = Rule { enabled, since: ctx.now(), revision: rule.revision + 1, ..rule };
                keep(tx, &owner, &bus, &input.name, &rule)?;
            }
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn enable(ctx: Ctx, state: Arc<Events>, input: RuleNamed) -> Result<Empty, EventsError> {
    set_enabled(ctx, state, input, true).await
}

pub(crate) async fn disable(ctx: Ctx, state: Arc<Events>, input: RuleNamed) -> Result<Empty, EventsError> {
    set_enabled(ctx, state, input, false).await
}

fn shown(ctx: &Ctx, bus: &str, name: &str, rule: &Rule) -> Value {
    let mut shown = json!({
        "Name": name,
        "Arn": rule_arn(ctx.region(), bus, name),
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
        "EventBusName": bus,
    });
    for (member, value) in [
        ("EventPattern", &rule.event_pattern),
        ("ScheduleExpression", &rule.schedule_expression),
        ("Description", &rule.description),
        ("RoleArn", &rule.role_arn),
    ] {
        if let Some(value) = value {
            shown[member] = value.as_str().into();
        }
    }
    shown
}

pub(crate) async fn describe(ctx: Ctx, state: Arc<Events>, input: RuleNamed) -> Result<Value, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    state.bus(bus)?;
    let mut shown = shown(&ctx, bus, &input.name, &state.rule(bus, &input.name)?);
    shown["CreatedBy"] = crate::store::ACCOUNT.into();
    Ok(shown)
}

pub(crate) async fn delete(_: Ctx, state: Arc<Events>, input: RuleNamed) -> Result<Empty, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref()).to_owned();
    let owner = Arc::clone(&state);
    state
        .metadata
        .transaction(move |tx| {
            bus_in(tx, &bus)?;
            let key = Key::new([&bus, &input.name]);
            if !tx.scan(TARGETS, &key, None, 1)?.is_empty() {
                return Err(validation("Rule can't be deleted since it has targets."));
            }
            // As on AWS, it is no error if there is no such rule.
            tx.delete(RULES, &key)?;
            if bus == DEFAULT_BUS {
                owner.timers.remove(tx, &timers::rule_id(&input.name))?;
            }
            tx.after_commit(move || owner.router.forget());
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Events>, input: ListRules) -> Result<Value, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    state.bus(bus)?;
    let rows = state.metadata.scan(RULES, &Key::new([bus]), None, usize::MAX >> 1)?;
    let mut rules = Vec::new();
    for entry in rows {
        let name = entry.key.last();
        if input.name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix)) {
            rules.push((name, entry.json::<Rule>()?));
        }
    }
    let (rules, next) = page(rules, input.limit, input.next_token.as_deref()).map_err(validation)?;
    let shown: Vec<Value> = rules.iter().map(|(name, rule)| shown(&ctx, bus, name, rule)).collect();
    Ok(json!({"Rules": shown, "NextToken": next}))
}

pub(crate) async fn names_by_target(
    _: Ctx,
    state: Arc<Events>,
    input: ListRuleNamesByTarget,
) -> Result<Value, EventsError> {
    let bus = bus_name(input.event_bus_name.as_deref());
    state.bus(bus)?;
    let rows = state.metadata.scan(TARGETS, &Key::new([bus]), None, usize::MAX >> 1)?;
    let mut names = Vec::new();
    for entry in rows {
        let rule = entry.key.parts().into_iter().nth(1).unwrap_or_default();
        if entry.json::<Target>()?.arn == input.target_arn && names.last().is_none_or(|(last, ())| *last != rule) {
            names.push((rule, ()));
        }
    }
    let (names, next) = page(names, input.limit, input.next_token.as_deref()).map_err(validation)?;
    let names: Vec<String> = names.into_iter().map(|(name, ())| name).collect();
    Ok(json!({"RuleNames": names, "NextToken": next}))
}
