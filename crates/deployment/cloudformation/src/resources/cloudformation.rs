//! AWS::CloudFormation: nested stacks, wait condition handles.

use serde_json::{Value, json};

use super::shapes::{tag_list, with};
use super::subject::Subject;
use super::{Naming, Read, ResourceType, State, call, plain};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::CloudFormation::Stack",
        schema: "TemplateURL! Parameters<> Tags[{Key! Value!}] TimeoutInMinutes:i NotificationARNs[]",
        naming: Naming::Generated(plain(128)),
        create: &[call!("cloudformation", "CreateStack", |s| stack(s))],
        update: &[call!("cloudformation", "UpdateStack", |s| stack(s))],
        delete: &[call!("cloudformation", "DeleteStack", |s| json!({"StackName": s.name}))],
        read: Some(Read {
            service: "cloudformation",
            operation: "DescribeStacks",
            input: |s| json!({"StackName": s.name}),
            state: |_, answer| {
                let stack = &answer["Stacks"][0];
                match stack["StackStatus"].as_str().unwrap_or_default() {
                    "DELETE_COMPLETE" => State::Absent,
                    "CREATE_COMPLETE" | "UPDATE_COMPLETE" => State::Ready,
                    busy if busy.ends_with("_IN_PROGRESS") => State::Busy,
                    other => {
                        let reason = stack["StackStatusReason"].as_str().unwrap_or_default();
                        State::Failed(format!(
                            "Embedded stack {} was not successful: {other}. {reason}",
                            stack["StackId"]
                        ))
                    }
                }
            },
        }),
        physical: |s| {
            let id = if s.physical.starts_with("arn:") { s.physical.into() } else { s.answered("/StackId") };
            id.as_str().map(str::to_owned)
        },
        attributes: &[],
    },
    ResourceType {
        name: "AWS::CloudFormation::WaitConditionHandle",
        schema: "",
        naming: Naming::Generated(plain(128)),
        create: &[],
        update: &[],
        delete: &[],
        read: None,
        physical: |s| Some(s.name.to_owned()),
        attributes: &[],
    },
];

fn stack(s: &Subject<'_>) -> Value {
    let given = s.get("Parameters");
    let pairs = given.as_object().into_iter().flatten();
    let parameters: Vec<Value> =
        pairs.map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value})).collect();
    // Whoever acknowledged the outer stack's capabilities has acknowledged those of its parts.
    let capabilities = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"];
    with(
        s.pick(&["TemplateURL", "TimeoutInMinutes", "NotificationARNs"]),
        json!({
            "StackName": s.name,
            "Parameters": parameters,
            "Tags": tag_list(&s.properties.get("Tags").cloned().unwrap_or_else(|| json!([]))),
            "Capabilities": capabilities,
        }),
    )
}
