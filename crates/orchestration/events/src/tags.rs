//! Tags of buses and rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{Empty, Tag, TagResource, TaggedResource, UntagResource};
use crate::error::EventsError;
use crate::store::{BUSES, DEFAULT_BUS, Events, RULES, bus_in, rule_in, validation};

/// Tags of a resource.
const MAX_TAGS: usize = 50;

/// AWS's rules for tags.
pub(crate) fn check(tags: &[Tag]) -> Result<(), EventsError> {
    if tags.len() > MAX_TAGS {
        return Err(validation(format!("a resource has at most {MAX_TAGS} tags")));
    }
    for Tag { key, value } in tags {
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        if !(1..=128).contains(&key_length) || value_length > 256 || key.starts_with("aws:") {
            let rule = "keys have 1 to 128 characters and don't begin with aws:, values have at most 256 characters";
            return Err(validation(format!("the tag {key:?} breaks a rule: {rule}")));
        }
    }
    Ok(())
}

/// Adds tags, in place of those of the same keys.
pub(crate) fn add(tags: &mut Vec<Tag>, more: Vec<Tag>) -> Result<(), EventsError> {
    tags.retain(|tag| !more.iter().any(|new| new.key == tag.key));
    tags.extend(more);
    check(tags)
}

enum Resource {
    Bus(String),
    Rule(String, String),
}

fn resource(arn: &str) -> Result<Resource, EventsError> {
    let unknown = || EventsError::NotFound(format!("The resource {arn} does not exist."));
    let (_, path) = arn.split_once(":events:").and_then(|(_, rest)| rest.rsplit_once(':')).ok_or_else(unknown)?;
    match path.split_once('/') {
        Some(("event-bus", name)) => Ok(Resource::Bus(name.to_owned())),
        Some(("rule", name)) => {
            let (bus, rule) = name.rsplit_once('/').unwrap_or((DEFAULT_BUS, name));
            Ok(Resource::Rule(bus.to_owned(), rule.to_owned()))
        }
        _ => Err(unknown()),
    }
}

async fn change(
    state: &Events,
    arn: &str,
    change: impl FnOnce(&mut Vec<Tag>) -> Result<(), EventsError> + Send + 'static,
) -> Result<Empty, EventsError> {
    let resource = resource(arn)?;
    state
        .metadata
        .transaction(move |tx| {
            match resource {
                Resource::Bus(name) => {
                    let mut bus = bus_in(tx, &name)?;
                    change(&mut bus.tags)?;
                    tx.put_json(BUSES, &Key::new([name]), &bus)?;
                }
                Resource::Rule(bus, name) => {
                    let mut rule = rule_in(tx, &bus, &name)?;
                    change(&mut rule.tags)?;
                    tx.put_json(RULES, &Key::new([bus, name]), &rule)?;
                }
            }
            Ok(Empty {})
        })
        .await
}

/// The tags of the bus or the rule that an ARN names.
pub(crate) fn of(state: &Events, arn: &str) -> BTreeMap<String, String> {
    let tags = match resource(arn) {
        Ok(Resource::Bus(name)) => state.bus(&name).map(|bus| bus.tags),
        Ok(Resource::Rule(bus, name)) => state.rule(&bus, &name).map(|rule| rule.tags),
        Err(error) => Err(error),
    };
    by_key(tags.unwrap_or_default())
}

/// Tags as policies ask about them.
pub(crate) fn by_key(tags: Vec<Tag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

pub(crate) async fn tag(_: Ctx, state: Arc<Events>, input: TagResource) -> Result<Empty, EventsError> {
    change(&state, &input.resource_arn, |tags| add(tags, input.tags)).await
}

pub(crate) async fn untag(_: Ctx, state: Arc<Events>, input: UntagResource) -> Result<Empty, EventsError> {
    let remove = move |tags: &mut Vec<Tag>| {
        tags.retain(|tag| !input.tag_keys.contains(&tag.key));
        Ok(())
    };
    change(&state, &input.resource_arn, remove).await
}

pub(crate) async fn list(_: Ctx, state: Arc<Events>, input: TaggedResource) -> Result<Value, EventsError> {
    let tags = match resource(&input.resource_arn)? {
        Resource::Bus(name) => state.bus(&name)?.tags,
        Resource::Rule(bus, name) => state.rule(&bus, &name)?.tags,
    };
    Ok(json!({"Tags": tags}))
}
