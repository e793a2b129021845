//! Versions and aliases of machines.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde_json::{Value, json};

use crate::api::{CreateAlias, Empty, ListOfMachine, OfAlias, OfVersion, PublishVersion, Route, UpdateAlias};
use crate::error::SfnError;
use crate::machines::with_token;
use crate::names::{self, Named};
use crate::store::{
    ALIASES, MACHINES, StepFunctions, StoredAlias, StoredMachine, StoredVersion, VERSIONS, key_token, now, page,
    page_size, token_key,
};

/// Versions of a machine at most.
const MAX_VERSIONS: usize = 1000;

fn version_key(machine: &str, number: u64) -> Key {
    Key::new([machine, &format!("{number:010}")])
}

/// The newest version of a machine.
pub(crate) fn newest(tx: &Transaction<'_>, machine: &str) -> Result<Option<StoredVersion>, SfnError> {
    let rows = tx.scan(VERSIONS, &Key::new([machine]), None, MAX_VERSIONS + 1)?;
    Ok(rows.last().map(|row| row.json()).transpose()?)
}

/// Publishes the machine's revision, unless the newest version is just that.
pub(crate) fn publish(
    tx: &Transaction<'_>,
    machine: &mut StoredMachine,
    description: Option<String>,
    time: f64,
) -> Result<u64, SfnError> {
    if let Some(version) = newest(tx, &machine.name)?.filter(|version| version.revision == machine.revision) {
        return Ok(version.number);
    }
    let number = machine.next_version;
    machine.next_version += 1;
    let version = StoredVersion { number, revision: machine.revision.clone(), created: time, description };
    tx.put_json(VERSIONS, &version_key(&machine.name, number), &version)?;
    Ok(number)
}

pub(crate) async fn publish_version(
    ctx: Ctx,
    state: Arc<StepFunctions>,
    input: PublishVersion,
) -> Result<Value, SfnError> {
    let arn = input.state_machine_arn;
    let name = names::machine(&arn)?;
    let (time, described) = (now(&ctx), arn.clone());
    let version = state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&name]);
            let found: Option<StoredMachine> = tx.get_json(MACHINES, &key)?;
            let mut machine = found.ok_or(SfnError::StateMachineDoesNotExist(arn.clone()))?;
            if let Some(id) = input.revision_id.filter(|id| Some(id) != machine.revision.id.as_ref()) {
                let message = format!("Failed to publish the State Machine version for revision {id}. The current State Machine revision is {}.", machine.revision.id.as_deref().unwrap_or("INITIAL"));
                return Err(SfnError::Conflict(message));
            }
            let number = publish(tx, &mut machine, input.description, time)?;
            tx.put_json(MACHINES, &key, &machine)?;
            let version: Option<StoredVersion> = tx.get_json(VERSIONS, &version_key(&machine.name, number))?;
            version.ok_or(SfnError::StateMachineDoesNotExist(arn))
        })
        .await?;
    Ok(json!({"stateMachineVersionArn": format!("{described}:{}", version.number), "creationDate": version.created}))
}

pub(crate) async fn list_versions(_: Ctx, state: Arc<StepFunctions>, input: ListOfMachine) -> Result<Value, SfnError> {
    let arn = input.state_machine_arn;
    let name = names::machine(&arn)?;
    let size = page_size(input.max_results, input.next_token.as_deref())?;
    let rows = state.metadata.scan(VERSIONS, &Key::new([&name]), None, MAX_VERSIONS + 1)?;
    let before = token_key(input.next_token.as_deref())?;
    // Newest first, which is against the order of the keys.
    let mut versions: Vec<_> =
        rows.into_iter().rev().filter(|row| before.as_ref().is_none_or(|before| row.key < *before)).collect();
    let more = versions.len() > size;
    versions.truncate(size);
    let next = versions.last().filter(|_| more).map(|row| key_token(&row.key));
    let shown = versions.iter().map(|row| {
        let version: StoredVersion = row.json()?;
        Ok(json!({"stateMachineVersionArn": format!("{arn}:{}", version.number), "creationDate": version.created}))
    });
    let shown = shown.collect::<Result<Vec<Value>, SfnError>>()?;
    Ok(with_token(json!({"stateMachineVersions": shown}), next))
}

pub(crate) async fn delete_version(_: Ctx, state: Arc<StepFunctions>, input: OfVersion) -> Result<Empty, SfnError> {
    let arn = input.state_machine_version_arn;
    let (machine, qualifier) = names::qualified(&arn)?;
    let number: u64 = qualifier.parse().map_err(|_| SfnError::InvalidArn(arn.clone()))?;
    state
        .metadata
        .transaction(move |tx| {
            let used: Vec<String> = tx
                .scan(ALIASES, &Key::new([&machine]), None, MAX_VERSIONS)?
                .iter()
                .map(|row| row.json::<StoredAlias>())
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .filter(|alias| alias.routes.iter().any(|route| route.state_machine_version_arn == arn))
                .map(|alias| alias.name)
                .collect();
            if !used.is_empty() {
                let message = format!(
                    "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [{}]",
                    used.join(", ")
                );
                return Err(SfnError::Conflict(message));
            }
            tx.delete(VERSIONS, &version_key(&machine, number))?;
            Ok(Empty {})
        })
        .await
}

/// The version that a number or an alias stands for, and its ARN. An alias chooses by its weights.
pub(crate) fn resolve(
    state: &StepFunctions,
    arn: &str,
    machine: &str,
    qualifier: &str,
) -> Result<(StoredVersion, String), SfnError> {
    let missing = || SfnError::StateMachineDoesNotExist(arn.to_owned());
    let (number, version_arn) = match qualifier.parse::<u64>() {
        Ok(number) => (number, arn.to_owned()),
        Err(_) => {
            let alias: Option<StoredAlias> = state.metadata.get_json(ALIASES, &Key::new([machine, qualifier]))?;
            let version_arn = chosen(&alias.ok_or_else(missing)?.routes, rand::random::<u32>() % 100);
            let (_, number) = names::qualified(&version_arn)?;
            (number.parse().map_err(|_| missing())?, version_arn)
        }
    };
    let version = state.metadata.get_json(VERSIONS, &version_key(machine, number))?;
    Ok((version.ok_or_else(missing)?, version_arn))
}

/// The route that `point`, from 0 to 99, falls on.
fn chosen(routes: &[Route], point: u32) -> String {
    let mut left = point;
    for route in routes {
        if left < route.weight {
            return route.state_machine_version_arn.clone();
        }
        left -= route.weight;
    }
    routes.last().map(|route| route.state_machine_version_arn.clone()).unwrap_or_default()
}

/// One or two versions of one machine, whose weights make 100.
fn check_routes(state: &StepFunctions, routes: &[Route]) -> Result<String, SfnError> {
    if routes.is_empty() || routes.len() > 2 {
        return Err(SfnError::Validation("routingConfiguration must have 1 or 2 versions".into()));
    }
    let mut machines = Vec::new();
    for route in routes {
        let arn = &route.state_machine_version_arn;
        let (machine, number) = match names::parse(arn)? {
            Named::Qualified { machine, qualifier } => (machine, qualifier),
            _ => {
                return Err(SfnError::Validation(format!(
                    "The routing configuration contains an ARN that is not a version: {arn}"
                )));
            }
        };
        let number: u64 = number.parse().map_err(|_| SfnError::InvalidArn(arn.clone()))?;
        if state.metadata.get(VERSIONS, &version_key(&machine, number))?.is_none() {
            return Err(SfnError::StateMachineDoesNotExist(arn.clone()));
        }
        machines.push(machine);
    }
    if let [first, second] = routes
        && (first.state_machine_version_arn == second.state_machine_version_arn || machines[0] != machines[1])
    {
        return Err(SfnError::Validation(
            "Routing configuration must have two different versions of one state machine".into(),
        ));
    }
    let sum: u32 = routes.iter().map(|route| route.weight).sum();
    if sum != 100 {
        return Err(SfnError::Validation(format!(
            "Sum of routing configuration weights must equal 100. Received: {sum}"
        )));
    }
    Ok(machines.remove(0))
}

fn alias_arn(ctx: &Ctx, machine: &str, alias: &str) -> String {
    format!("{}:{alias}", names::machine_arn(ctx, machine))
}

pub(crate) async fn create_alias(ctx: Ctx, state: Arc<StepFunctions>, input: CreateAlias) -> Result<Value, SfnError> {
    let only_digits = input.name.chars().all(|c| c.is_ascii_digit());
    if only_digits || names::check(&input.name).is_err() {
        return Err(SfnError::InvalidName(input.name));
    }
    let machine = check_routes(&state, &input.routing_configuration)?;
    let time = now(&ctx);
    let arn = alias_arn(&ctx, &machine, &input.name);
    let alias = StoredAlias {
        name: input.name,
        description: input.description,
        routes: input.routing_configuration,
        created: time,
        updated: time,
    };
    let described = arn.clone();
    let created = state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&machine, &alias.name]);
            if let Some(found) = tx.get_json::<StoredAlias>(ALIASES, &key)? {
                let same = found.routes == alias.routes && found.description == alias.description;
                let message = "Failed to create alias because an alias with the same name and a different routing configuration already exists.";
                return if same { Ok(found.created) } else { Err(SfnError::Conflict(message.into())) };
            }
            if !tx.contains(MACHINES, &Key::new([&machine]))? {
                return Err(SfnError::StateMachineDoesNotExist(arn));
            }
            tx.put_json(ALIASES, &key, &alias)?;
            Ok(alias.created)
        })
        .await?;
    Ok(json!({"stateMachineAliasArn": described, "creationDate": created}))
}

pub(crate) async fn update_alias(ctx: Ctx, state: Arc<StepFunctions>, input: UpdateAlias) -> Result<Value, SfnError> {
    let arn = input.state_machine_alias_arn;
    let (machine, name) = names::qualified(&arn)?;
    if input.description.is_none() && input.routing_configuration.is_none() {
        return Err(SfnError::Validation("Either description or routingConfiguration must be given".into()));
    }
    if let Some(routes) = &input.routing_configuration {
        check_routes(&state, routes)?;
    }
    let time = now(&ctx);
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&machine, &name]);
            let found: Option<StoredAlias> = tx.get_json(ALIASES, &key)?;
            let mut alias = found.ok_or(SfnError::ResourceNotFound(arn))?;
            alias.description = input.description.or(alias.description);
            alias.routes = input.routing_configuration.unwrap_or(alias.routes);
            alias.updated = time;
            tx.put_json(ALIASES, &key, &alias)?;
            Ok(json!({"updateDate": time}))
        })
        .await
}

pub(crate) async fn describe_alias(_: Ctx, state: Arc<StepFunctions>, input: OfAlias) -> Result<Value, SfnError> {
    let arn = input.state_machine_alias_arn;
    let (machine, name) = names::qualified(&arn)?;
    let alias: Option<StoredAlias> = state.metadata.get_json(ALIASES, &Key::new([machine, name]))?;
    let alias = alias.ok_or_else(|| SfnError::ResourceNotFound(arn.clone()))?;
    let mut described = json!({
        "stateMachineAliasArn": arn,
        "name": alias.name,
        "routingConfiguration": alias.routes,
        "creationDate": alias.created,
        "updateDate": alias.updated,
    });
    if let Some(description) = alias.description {
        described["description"] = description.into();
    }
    Ok(described)
}

pub(crate) async fn delete_alias(_: Ctx, state: Arc<StepFunctions>, input: OfAlias) -> Result<Empty, SfnError> {
    let (machine, name) = names::qualified(&input.state_machine_alias_arn)?;
    state
        .metadata
        .transaction(move |tx| {
            if !tx.delete(ALIASES, &Key::new([machine, name]))? {
                return Err(SfnError::ResourceNotFound(input.state_machine_alias_arn));
            }
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn list_aliases(ctx: Ctx, state: Arc<StepFunctions>, input: ListOfMachine) -> Result<Value, SfnError> {
    let arn = input.state_machine_arn;
    let (name, version) = match names::parse(&arn)? {
        Named::Machine { machine } => (machine, None),
        Named::Qualified { machine, .. } => (machine, Some(arn.clone())),
        other => return Err(names::wrong(&other)),
    };
    state.machine(&arn, &name)?;
    let (found, next): (Vec<StoredAlias>, _) =
        page(&state, ALIASES, &Key::new([&name]), input.max_results, input.next_token.as_deref())?;
    let routed = |alias: &&StoredAlias| {
        version.as_ref().is_none_or(|arn| alias.routes.iter().any(|route| route.state_machine_version_arn == *arn))
    };
    let shown: Vec<Value> = found
        .iter()
        .filter(routed)
        .map(
            |alias| json!({"stateMachineAliasArn": alias_arn(&ctx, &name, &alias.name), "creationDate": alias.created}),
        )
        .collect();
    Ok(with_token(json!({"stateMachineAliases": shown}), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_choose_the_version() {
        let route = |arn: &str, weight| Route { state_machine_version_arn: arn.into(), weight };
        let routes = [route("a", 30), route("b", 70)];
        assert_eq!(
            (chosen(&routes, 0), chosen(&routes, 29), chosen(&routes, 30)),
            ("a".into(), "a".into(), "b".into())
        );
    }
}
