//! State machines: create, update, describe, list, delete.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::access::{AccessRequest, ConditionKeys};
use boathouse_metadata::{Key, Transaction};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{
    CreateStateMachine, Empty, ListAll, LoggingConfiguration, MachineType, OfMachine, Tag, Tags, UpdateStateMachine,
};
use crate::error::SfnError;
use crate::names::{self, Named, machine_arn};
use crate::store::{
    ALIASES, BY_START, EXECUTIONS, HISTORY, MACHINES, Revision, StepFunctions, StoredMachine, StoredVersion, VERSIONS,
    now, page,
};
use crate::{definitions, runner, versions};

/// The service principal that executions act by.
pub(crate) const SERVICE: &str = "states.amazonaws.com";
/// Tags of one resource at most.
pub(crate) const MAX_TAGS: usize = 50;

/// Whoever lets a machine act as a role must be allowed to pass it, and the role must trust Step Functions.
pub(crate) fn check_role(ctx: &Ctx, state: &StepFunctions, role: &str) -> Result<(), SfnError> {
    if !role.starts_with("arn:") {
        return Err(SfnError::InvalidArn(format!("Invalid Role Arn: '{role}'")));
    }
    let keys = ConditionKeys::from([("iam:PassedToService".to_owned(), vec![SERVICE.to_owned()])]);
    state.authorizer.authorize(ctx, &AccessRequest::new("iam:PassRole", role, &keys))?;
    state.roles.assume_for_service(role, SERVICE, "AWSStepFunctions").map(drop).map_err(|_| {
        SfnError::Aws(boathouse_aws::AwsError::access_denied(
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the \
             provided role.",
        ))
    })
}

/// Refuses what AWS has and Boathouse has not.
fn check_options(
    state: &StepFunctions,
    tracing: Option<&Value>,
    encryption: Option<&Value>,
    logging: Option<&LoggingConfiguration>,
) -> Result<(), SfnError> {
    if tracing.is_some_and(|tracing| tracing["enabled"] == true) {
        return Err(SfnError::InvalidTracingConfiguration(
            "Boathouse does not implement X-Ray tracing (tracingConfiguration.enabled) yet".into(),
        ));
    }
    if encryption.is_some_and(|encryption| encryption["type"] == "CUSTOMER_MANAGED_KMS_KEY") {
        return Err(SfnError::InvalidEncryptionConfiguration(
            "Boathouse does not implement customer managed keys (encryptionConfiguration) yet".into(),
        ));
    }
    logging.map_or(Ok(()), |logging| crate::logging::check(state, logging))
}

pub(crate) fn tags_of(tags: Vec<Tag>) -> Result<Tags, SfnError> {
    let tags: Tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if tags.len() > MAX_TAGS {
        return Err(SfnError::TooManyTags(format!("A resource has at most {MAX_TAGS} tags")));
    }
    Ok(tags)
}

pub(crate) async fn create(ctx: Ctx, state: Arc<StepFunctions>, input: CreateStateMachine) -> Result<Value, SfnError> {
    names::check(&input.name)?;
    let kind = input.r#type.unwrap_or_default();
    definitions::compile(&state, &input.definition, kind)?;
    let logging = input.logging_configuration;
    check_options(
        &state,
        input.tracing_configuration.as_ref(),
        input.encryption_configuration.as_ref(),
        logging.as_ref(),
    )?;
    check_role(&ctx, &state, &input.role_arn)?;
    let publish = input.publish.unwrap_or(false);
    if input.version_description.is_some() && !publish {
        return Err(SfnError::Validation("Version description can only be set when publish is true".into()));
    }
    let time = now(&ctx);
    let machine = StoredMachine {
        name: input.name,
        kind,
        revision: Revision {
            definition: input.definition,
            role: input.role_arn,
            logging: logging.unwrap_or_default(),
            id: None,
        },
        created: time,
        updated: time,
        next_version: 1,
        tags: tags_of(input.tags.unwrap_or_default())?,
    };
    let arn = machine_arn(&ctx, &machine.name);
    let (described, description) = (arn.clone(), input.version_description);
    let (created, version) = state
        .metadata
        .transaction(move |tx| create_in(tx, machine, &arn, publish.then_some(description), time))
        .await?;
    let mut output = json!({"stateMachineArn": described, "creationDate": created});
    if let Some(version) = version {
        output["stateMachineVersionArn"] = format!("{described}:{version}").into();
    }
    Ok(output)
}

/// Creates the machine, or finds that it was created just so before.
fn create_in(
    tx: &Transaction<'_>,
    mut machine: StoredMachine,
    arn: &str,
    publish: Option<Option<String>>,
    time: f64,
) -> Result<(f64, Option<u64>), SfnError> {
    let key = Key::new([&machine.name]);
    if let Some(found) = tx.get_json::<StoredMachine>(MACHINES, &key)? {
        // AWS compares name, definition, type, logging; the role and tags of the first call stay.
        let same = found.kind == machine.kind
            && found.revision.definition == machine.revision.definition
            && found.revision.logging == machine.revision.logging
            && found.revision.role == machine.revision.role;
        if !same {
            return Err(SfnError::StateMachineAlreadyExists(arn.to_owned()));
        }
        let version = match publish {
            Some(_) => versions::newest(tx, &machine.name)?.map(|version| version.number),
            None => None,
        };
        return Ok((found.created, version));
    }
    let version = match publish {
        Some(description) => Some(versions::publish(tx, &mut machine, description, time)?),
        None => None,
    };
    tx.put_json(MACHINES, &key, &machine)?;
    Ok((machine.created, version))
}

pub(crate) async fn update(ctx: Ctx, state: Arc<StepFunctions>, input: UpdateStateMachine) -> Result<Value, SfnError> {
    let arn = input.state_machine_arn;
    let name = names::machine(&arn)?;
    let machine = state.machine(&arn, &name)?;
    let nothing = input.definition.is_none()
        && input.role_arn.is_none()
        && input.logging_configuration.is_none()
        && input.tracing_configuration.is_none()
        && input.encryption_configuration.is_none();
    if nothing {
        return Err(SfnError::MissingRequiredParameter(
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified".into(),
        ));
    }
    if let Some(definition) = &input.definition {
        definitions::compile(&state, definition, machine.kind)?;
    }
    let logging = input.logging_configuration;
    check_options(
        &state,
        input.tracing_configuration.as_ref(),
        input.encryption_configuration.as_ref(),
        logging.as_ref(),
    )?;
    if let Some(role) = &input.role_arn {
        check_role(&ctx, &state, role)?;
    }
    let (time, described) = (now(&ctx), arn.clone());
    let (definition, role, publish) = (input.definition, input.role_arn, input.publish.unwrap_or(false));
    let description = input.version_description;
    let revision_id = Uuid::new_v4().to_string();
    let (id, version) = state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&name]);
            let found: Option<StoredMachine> = tx.get_json(MACHINES, &key)?;
            let mut machine = found.ok_or(SfnError::StateMachineDoesNotExist(arn))?;
            let old = machine.revision.clone();
            machine.revision = Revision {
                definition: definition.unwrap_or_else(|| old.definition.clone()),
                role: role.unwrap_or_else(|| old.role.clone()),
                logging: logging.unwrap_or_else(|| old.logging.clone()),
                id: old.id.clone(),
            };
            if machine.revision != old {
                machine.revision.id = Some(revision_id);
            }
            machine.updated = time;
            let version = match publish {
                true => Some(versions::publish(tx, &mut machine, description, time)?),
                false => None,
            };
            tx.put_json(MACHINES, &key, &machine)?;
            Ok::<_, SfnError>((machine.revision.id, version))
        })
        .await?;
    let mut output = json!({"updateDate": time});
    if let Some(id) = id {
        output["revisionId"] = id.into();
    }
    if let Some(version) = version {
        output["stateMachineVersionArn"] = format!("{described}:{version}").into();
    }
    Ok(output)
}

/// A revision of a machine as DescribeStateMachine shows it.
pub(crate) fn describe_revision(machine: &StoredMachine, revision: &Revision, arn: &str, created: f64) -> Value {
    let mut described = json!({
        "stateMachineArn": arn,
        "name": machine.name,
        "status": "ACTIVE",
        "definition": revision.definition,
        "roleArn": revision.role,
        "type": machine.kind,
        "creationDate": created,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": {"enabled": false},
    });
    add_reading(&mut described, &revision.definition);
    if let Some(id) = &revision.id {
        described["revisionId"] = id.as_str().into();
    }
    described
}

/// What both descriptions of a definition say beside it.
pub(crate) fn add_reading(described: &mut Value, definition: &str) {
    described["encryptionConfiguration"] = json!({"type": "AWS_OWNED_KEY"});
    let references = boathouse_states::references::variable_references(definition);
    if !references.is_empty() {
        described["variableReferences"] = json!(references);
    }
}

pub(crate) async fn describe(_: Ctx, state: Arc<StepFunctions>, input: OfMachine) -> Result<Value, SfnError> {
    let arn = input.state_machine_arn;
    match names::parse(&arn)? {
        Named::Machine { machine } => {
            let machine = state.machine(&arn, &machine)?;
            Ok(describe_revision(&machine, &machine.revision, &arn, machine.created))
        }
        Named::Qualified { machine, qualifier } => {
            let machine = state.machine(&arn, &machine)?;
            let (version, shown) = versions::resolve(&state, &arn, &machine.name, &qualifier)?;
            let mut described = describe_revision(&machine, &version.revision, &shown, version.created);
            if let Some(description) = &version.description {
                described["description"] = description.as_str().into();
            }
            Ok(described)
        }
        other => Err(names::wrong(&other)),
    }
}

pub(crate) async fn list(ctx: Ctx, state: Arc<StepFunctions>, input: ListAll) -> Result<Value, SfnError> {
    let (found, next): (Vec<StoredMachine>, _) =
        page(&state, MACHINES, &Key::default(), input.max_results, input.next_token.as_deref())?;
    let machines: Vec<Value> = found
        .iter()
        .map(|machine| {
            json!({
                "stateMachineArn": machine_arn(&ctx, &machine.name),
                "name": machine.name,
                "type": machine.kind,
                "creationDate": machine.created,
            })
        })
        .collect();
    Ok(with_token(json!({"stateMachines": machines}), next))
}

pub(crate) fn with_token(mut output: Value, token: Option<String>) -> Value {
    if let Some(token) = token {
        output["nextToken"] = token.into();
    }
    output
}

/// Deletes the machine with its versions, aliases, executions and histories. What runs is stopped first.
pub(crate) async fn delete(_: Ctx, state: Arc<StepFunctions>, input: OfMachine) -> Result<Empty, SfnError> {
    let name = names::machine(&input.state_machine_arn)?;
    let removed = name.clone();
    state
        .metadata
        .transaction(move |tx| {
            tx.delete(MACHINES, &Key::new([&removed]))?;
            for space in [VERSIONS, ALIASES] {
                tx.delete_prefix(space, &Key::new([&removed]))?;
            }
            Ok::<_, SfnError>(())
        })
        .await?;
    runner::stop_all(&state, &name).await;
    state
        .metadata
        .transaction(move |tx| {
            for space in [EXECUTIONS, BY_START, HISTORY] {
                tx.delete_prefix(space, &Key::new([&name]))?;
            }
            Ok(Empty {})
        })
        .await
}

/// The revision that an execution of `arn` runs: the machine's, a version's, or one of an alias by its weights.
pub(crate) struct Target {
    pub(crate) machine: StoredMachine,
    pub(crate) revision: Revision,
    pub(crate) version_arn: Option<String>,
    pub(crate) alias_arn: Option<String>,
}

pub(crate) fn target(state: &StepFunctions, arn: &str) -> Result<Target, SfnError> {
    match names::parse(arn)? {
        Named::Machine { machine } => {
            let machine = state.machine(arn, &machine)?;
            let revision = machine.revision.clone();
            Ok(Target { machine, revision, version_arn: None, alias_arn: None })
        }
        Named::Qualified { machine, qualifier } => {
            let machine = state.machine(arn, &machine)?;
            let (StoredVersion { revision, .. }, version_arn) =
                versions::resolve(state, arn, &machine.name, &qualifier)?;
            let alias = qualifier.parse::<u64>().is_err();
            Ok(Target { machine, revision, version_arn: Some(version_arn), alias_arn: alias.then(|| arn.to_owned()) })
        }
        other => Err(names::wrong(&other)),
    }
}

/// Whether the machine is express.
pub(crate) fn is_express(kind: MachineType) -> bool {
    kind == MachineType::Express
}
