//! Event buses and their policies.

use std::sync::Arc;

use boathouse_aws::{Arn, Ctx};
use boathouse_metadata::Key;
use serde_json::{Map, Value, json};

use crate::api::{BusNamed, CreateEventBus, Empty, ListEventBuses, PutPermission, RemovePermission, UpdateEventBus};
use crate::error::EventsError;
use crate::store::{
    BUSES, Bus, DEFAULT_BUS, Events, RULES, bus_arn, bus_in, bus_name, page, seconds, valid_name, validation,
};
use crate::tags;

/// Buses of an installation.
const MAX_BUSES: usize = 100;
/// Characters of a bus's policy.
const MAX_POLICY: usize = 10_240;

fn check_options(
    kms: Option<&String>,
    dead_letters: Option<&Value>,
    log: Option<&Value>,
    description: Option<&String>,
) -> Result<(), EventsError> {
    let wanted = |config: Option<&Value>, member: &str| config.is_some_and(|config| config.get(member).is_some());
    let logs = log.is_some_and(|log| log["Level"].as_str().is_some_and(|level| level != "OFF"));
    for (given, name) in [
        (kms.is_some_and(|key| !key.is_empty()), "KmsKeyIdentifier"),
        (
            wanted(dead_letters, "Arn"),
            "DeadLetterConfig of buses (it is for events that a KMS key can't decrypt, and there is no KMS)",
        ),
        (logs, "LogConfig"),
    ] {
        if given {
            return Err(EventsError::NotImplemented(name.into()));
        }
    }
    if description.is_some_and(|text| text.chars().count() > 512) {
        return Err(validation("Description must have at most 512 characters"));
    }
    Ok(())
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Events>, input: CreateEventBus) -> Result<Value, EventsError> {
    valid_name("name", &input.name, 256, "._-").map_err(validation)?;
    if input.event_source_name.is_some() {
        return Err(EventsError::NotImplemented("partner event sources".into()));
    }
    check_options(
        input.kms_key_identifier.as_ref(),
        input.dead_letter_config.as_ref(),
        input.log_config.as_ref(),
        input.description.as_ref(),
    )?;
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let now = Some(ctx.now());
    let bus = Bus { description: input.description, created: now, modified: now, policy: None, tags };
    let arn = bus_arn(ctx.region(), &input.name);
    let answer = json!({"EventBusArn": arn, "Description": bus.description});
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&input.name]);
            if input.name == DEFAULT_BUS || tx.contains(BUSES, &key)? {
                return Err(EventsError::AlreadyExists(format!("Event bus {} already exists.", input.name)));
            }
            if tx.scan(BUSES, &Key::default(), None, MAX_BUSES + 1)?.len() > MAX_BUSES {
                return Err(EventsError::LimitExceeded(format!("There are {MAX_BUSES} event buses.")));
            }
            tx.put_json(BUSES, &key, &bus)?;
            Ok(answer)
        })
        .await
}

/// Changes a bus.
async fn change(
    ctx: &Ctx,
    state: &Events,
    name: &str,
    change: impl FnOnce(&mut Bus) -> Result<(), EventsError> + Send + 'static,
) -> Result<Bus, EventsError> {
    let (name, now) = (name.to_owned(), ctx.now());
    state
        .metadata
        .transaction(move |tx| {
            let mut bus = bus_in(tx, &name)?;
            change(&mut bus)?;
            bus.modified = Some(now);
            tx.put_json(BUSES, &Key::new([name]), &bus)?;
            Ok(bus)
        })
        .await
}

pub(crate) async fn update(ctx: Ctx, state: Arc<Events>, input: UpdateEventBus) -> Result<Value, EventsError> {
    check_options(
        input.kms_key_identifier.as_ref(),
        input.dead_letter_config.as_ref(),
        input.log_config.as_ref(),
        input.description.as_ref(),
    )?;
    let name = bus_name(input.name.as_deref());
    let description = input.description.clone();
    let bus = change(&ctx, &state, name, |bus| {
        bus.description = description.or(bus.description.take());
        Ok(())
    })
    .await?;
    Ok(json!({"Arn": bus_arn(ctx.region(), name), "Name": name, "Description": bus.description}))
}

fn shown(ctx: &Ctx, name: &str, bus: &Bus) -> Value {
    let mut shown = json!({"Name": name, "Arn": bus_arn(ctx.region(), name)});
    for (member, value) in [
        ("Description", bus.description.clone().map(Value::from)),
        ("Policy", bus.policy.clone().map(Value::from)),
        ("CreationTime", bus.created.map(seconds).map(Value::from)),
        ("LastModifiedTime", bus.modified.map(seconds).map(Value::from)),
    ] {
        if let Some(value) = value {
            shown[member] = value;
        }
    }
    shown
}

pub(crate) async fn describe(ctx: Ctx, state: Arc<Events>, input: BusNamed) -> Result<Value, EventsError> {
    let name = bus_name(input.name.as_deref());
    Ok(shown(&ctx, name, &state.bus(name)?))
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Events>, input: ListEventBuses) -> Result<Value, EventsError> {
    let rows = state.metadata.scan(BUSES, &Key::default(), None, usize::MAX >> 1)?;
    let mut buses: Vec<(String, Bus)> =
        rows.iter().map(|entry| Ok((entry.key.last(), entry.json()?))).collect::<Result<_, EventsError>>()?;
    if !buses.iter().any(|(name, _)| name == DEFAULT_BUS) {
        buses.push((DEFAULT_BUS.to_owned(), Bus::default()));
        buses.sort_by(|a, b| a.0.cmp(&b.0));
    }
    buses.retain(|(name, _)| input.name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix)));
    let (buses, next) = page(buses, input.limit, input.next_token.as_deref()).map_err(validation)?;
    let shown: Vec<Value> = buses.iter().map(|(name, bus)| shown(&ctx, name, bus)).collect();
    Ok(json!({"EventBuses": shown, "NextToken": next}))
}

pub(crate) async fn delete(_: Ctx, state: Arc<Events>, input: BusNamed) -> Result<Empty, EventsError> {
    let name = bus_name(input.name.as_deref()).to_owned();
    if name == DEFAULT_BUS {
        return Err(validation("Cannot delete event bus default."));
    }
    let router = Arc::clone(&state.router);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&name]);
            if !tx.scan(RULES, &key, None, 1)?.is_empty() {
                return Err(validation(format!("Event bus {name} can't be deleted since it has rules.")));
            }
            // As on AWS, it is no error if there is no such bus.
            tx.delete(BUSES, &key)?;
            tx.after_commit(move || router.forget());
            Ok(Empty {})
        })
        .await
}

/// The policy's statements.
fn statements(bus: &Bus) -> Vec<Value> {
    let policy: Option<Value> = bus.policy.as_deref().and_then(|text| serde_json::from_str(text).ok());
    match policy.and_then(|mut policy| policy.get_mut("Statement").map(Value::take)) {
        Some(Value::Array(statements)) => statements,
        Some(single) => vec![single],
        None => Vec::new(),
    }
}

fn set_statements(bus: &mut Bus, statements: Vec<Value>) -> Result<(), EventsError> {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    if policy.len() > MAX_POLICY {
        return Err(validation(format!("The policy is longer than {MAX_POLICY} characters")));
    }
    bus.policy = Some(policy).filter(|_| !statements.is_empty());
    Ok(())
}

pub(crate) async fn put_permission(ctx: Ctx, state: Arc<Events>, input: PutPermission) -> Result<Empty, EventsError> {
    let name = bus_name(input.event_bus_name.as_deref()).to_owned();
    if let Some(policy) = input.policy {
        let parsed: Option<Map<String, Value>> = serde_json::from_str(&policy).ok();
        if parsed.is_none_or(|policy| !policy.contains_key("Statement")) {
            return Err(validation("Policy is not a policy document in JSON"));
        }
        let set = move |bus: &mut Bus| {
            bus.policy = Some(policy);
            let statements = statements(bus);
            set_statements(bus, statements)
        };
        change(&ctx, &state, &name, set).await?;
        return Ok(Empty {});
    }
    let need = |member: Option<String>, name: &str| member.ok_or_else(|| validation(format!("{name} is required")));
    let (id, action) = (need(input.statement_id, "StatementId")?, need(input.action, "Action")?);
    let principal = match need(input.principal, "Principal")?.as_str() {
        "*" => json!("*"),
        account => json!({"AWS": Arn { account: account.into(), ..Arn::iam("root") }.to_string()}),
    };
    let arn = bus_arn(ctx.region(), &name);
    let mut statement =
        json!({"Sid": id, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn});
    if let Some(condition) = input.condition {
        statement["Condition"] = json!({condition.r#type: {condition.key: condition.value}});
    }
    let set = move |bus: &mut Bus| {
        let mut all = statements(bus);
        all.retain(|other| other["Sid"] != statement["Sid"]);
        all.push(statement);
        set_statements(bus, all)
    };
    change(&ctx, &state, &name, set).await?;
    Ok(Empty {})
}

pub(crate) async fn remove_permission(
    ctx: Ctx,
    state: Arc<Events>,
    input: RemovePermission,
) -> Result<Empty, EventsError> {
    let name = bus_name(input.event_bus_name.as_deref()).to_owned();
    let everything = input.remove_all_permissions == Some(true);
    let set = move |bus: &mut Bus| {
        let mut all = statements(bus);
        let before = all.len();
        all.retain(|statement| !everything && statement["Sid"].as_str() != input.statement_id.as_deref());
        if all.len() == before && !everything {
            return Err(EventsError::NotFound("Statement with the provided id does not exist.".into()));
        }
        set_statements(bus, all)
    };
    change(&ctx, &state, &name, set).await?;
    Ok(Empty {})
}
