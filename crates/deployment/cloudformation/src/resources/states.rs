//! AWS::StepFunctions: state machines, versions, aliases, activities.

use serde_json::{Value, json};

use super::shapes::{camel, removed_tags, tag_list, when, with};
use super::subject::Subject;
use super::{Call, Naming, Read, ResourceType, State, call, calls, plain, ready};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::StepFunctions::StateMachine",
        schema: "StateMachineName^ StateMachineType^ RoleArn! Definition:j DefinitionString DefinitionSubstitutions:j \
                 LoggingConfiguration{Level IncludeExecutionData:b \
                 Destinations[{CloudWatchLogsLogGroup{LogGroupArn}}]} TracingConfiguration{Enabled:b} \
                 EncryptionConfiguration:j Tags[{Key! Value!}]",
        naming: Naming::Property("StateMachineName", plain(80)),
        create: &[Call { service: "states", operation: "CreateStateMachine", inputs: create }],
        update: &[
            Call { service: "states", operation: "UpdateStateMachine", inputs: update },
            calls!("states", "TagResource", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
                json!({"resourceArn": s.physical, "tags": camel(tag_list(&s.get("Tags")))})
            })),
            calls!("states", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"resourceArn": s.physical, "tagKeys": gone}))
            }),
        ],
        delete: &[call!("states", "DeleteStateMachine", |s| json!({"stateMachineArn": machine_arn(s)}))],
        read: Some(Read {
            service: "states",
            operation: "DescribeStateMachine",
            input: |s| json!({"stateMachineArn": machine_arn(s)}),
            state: |_, answer| if answer["status"] == "DELETING" { State::Busy } else { State::Ready },
        }),
        physical: |s| Some(machine_arn(s)),
        attributes: &[("Arn", |s| machine_arn(s).into()), ("Name", |s| s.name.into())],
    },
    ResourceType {
        name: "AWS::StepFunctions::StateMachineVersion",
        schema: "StateMachineArn!^ StateMachineRevisionId^ Description^",
        naming: Naming::Generated(plain(80)),
        create: &[call!("states", "PublishStateMachineVersion", |s| {
            let names = ["StateMachineArn", "Description"];
            let revision = s.properties.get("StateMachineRevisionId").filter(|it| *it != "INITIAL");
            with(
                camel(Value::Object(s.pick(&names))).as_object().cloned().unwrap_or_default(),
                json!({"revisionId": revision}),
            )
        })],
        update: &[],
        delete: &[call!("states", "DeleteStateMachineVersion", |s| json!({"stateMachineVersionArn": s.physical}))],
        read: None,
        physical: |s| s.answered("/stateMachineVersionArn").as_str().map(str::to_owned),
        attributes: &[("Arn", |s| s.answered("/stateMachineVersionArn"))],
    },
    ResourceType {
        name: "AWS::StepFunctions::StateMachineAlias",
        schema: "Name^ Description RoutingConfiguration[{StateMachineVersionArn! Weight!:i}]",
        naming: Naming::Property("Name", plain(80)),
        create: &[call!("states", "CreateStateMachineAlias", |s| with(
            camel(Value::Object(s.without(&["Name"]))).as_object().cloned().unwrap_or_default(),
            json!({"name": s.name}),
        ))],
        update: &[call!("states", "UpdateStateMachineAlias", |s| with(
            camel(Value::Object(s.without(&["Name"]))).as_object().cloned().unwrap_or_default(),
            json!({"stateMachineAliasArn": s.physical}),
        ))],
        delete: &[call!("states", "DeleteStateMachineAlias", |s| json!({"stateMachineAliasArn": s.physical}))],
        read: None,
        physical: |s| s.answered("/stateMachineAliasArn").as_str().map(str::to_owned),
        attributes: &[("Arn", |s| s.answered("/stateMachineAliasArn"))],
    },
    ResourceType {
        name: "AWS::StepFunctions::Activity",
        schema: "Name!^ Tags[{Key! Value!}]",
        naming: Naming::Property("Name", plain(80)),
        create: &[call!("states", "CreateActivity", |s| json!({"name": s.name, "tags": camel(tag_list(&tags(s)))}))],
        update: &[],
        delete: &[call!("states", "DeleteActivity", |s| json!({"activityArn": activity_arn(s)}))],
        read: Some(Read {
            service: "states",
            operation: "DescribeActivity",
            input: |s| json!({"activityArn": activity_arn(s)}),
            state: ready,
        }),
        physical: |s| activity_arn(s).as_str().map(str::to_owned),
        attributes: &[("Arn", activity_arn), ("Name", |s| s.name.into())],
    },
];

fn machine_arn(s: &Subject<'_>) -> String {
    let arn = s.arn("states", format!("stateMachine:{}", s.name));
    arn.as_str().unwrap_or_default().to_owned()
}

fn activity_arn(s: &Subject<'_>) -> Value {
    s.arn("states", format!("activity:{}", s.name))
}

fn tags(s: &Subject<'_>) -> Value {
    s.properties.get("Tags").cloned().unwrap_or_else(|| json!([]))
}

/// The definition's text with its substitutions made.
fn definition(s: &Subject<'_>) -> Result<String, String> {
    let text = match (s.properties.get("Definition"), s.properties.get("DefinitionString")) {
        (Some(object), None) => object.to_string(),
        (None, Some(text)) => text.as_str().unwrap_or_default().to_owned(),
        _ => return Err("one of Definition and DefinitionString must be given".to_owned()),
    };
    let substitutions = s.get("DefinitionSubstitutions");
    let pairs = substitutions.as_object().into_iter().flatten();
    Ok(pairs.fold(text, |text, (name, value)| {
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // Within a text of the definition, the value has to be written as JSON writes it.
        let escaped = Value::from(plain.as_str()).to_string();
        text.replace(&format!("${{{name}}}"), &escaped[1..escaped.len() - 1])
    }))
}

fn create(s: &Subject<'_>) -> Result<Vec<Value>, String> {
    let mut input = json!({"name": s.name, "definition": definition(s)?, "roleArn": s.get("RoleArn")});
    input["type"] = s.properties.get("StateMachineType").cloned().unwrap_or_else(|| "STANDARD".into());
    for (property, member) in SETTINGS {
        if let Some(value) = s.properties.get(property) {
            input[member] = camel(value.clone());
        }
    }
    if !s.items("Tags").is_empty() {
        input["tags"] = camel(tags(s));
    }
    Ok(vec![input])
}

const SETTINGS: [(&str, &str); 3] = [
    ("LoggingConfiguration", "loggingConfiguration"),
    ("TracingConfiguration", "tracingConfiguration"),
    ("EncryptionConfiguration", "encryptionConfiguration"),
];

fn update(s: &Subject<'_>) -> Result<Vec<Value>, String> {
    let names = [
        "Definition",
        "DefinitionString",
        "DefinitionSubstitutions",
        "RoleArn",
        "LoggingConfiguration",
        "TracingConfiguration",
        "EncryptionConfiguration",
    ];
    if !s.changed(&names) {
        return Ok(Vec::new());
    }
    let mut input =
        json!({"stateMachineArn": machine_arn(s), "definition": definition(s)?, "roleArn": s.get("RoleArn")});
    for (property, member) in SETTINGS {
        match s.properties.get(property) {
            Some(value) => input[member] = camel(value.clone()),
            None if s.old.contains_key(property) && member == "loggingConfiguration" => {
                input[member] = json!({"level": "OFF", "includeExecutionData": false, "destinations": []});
            }
            None => {}
        }
    }
    Ok(vec![input])
}
