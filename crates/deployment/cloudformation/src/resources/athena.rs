//! AWS::Athena: work groups, named queries, prepared statements.

use serde_json::{Value, json};

use super::shapes::{removed_tags, when, with};
use super::subject::Subject;
use super::{Naming, Read, ResourceType, by_name, call, calls, plain, ready};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::Athena::WorkGroup",
        schema: "Name!^ Description State RecursiveDeleteOption:b Tags[{Key! Value!}] \
                 WorkGroupConfiguration{EnforceWorkGroupConfiguration:b PublishCloudWatchMetricsEnabled:b \
                 BytesScannedCutoffPerQuery:i RequesterPaysEnabled:b AdditionalConfiguration ExecutionRole \
                 EngineVersion{SelectedEngineVersion EffectiveEngineVersion} \
                 ResultConfiguration{OutputLocation ExpectedBucketOwner \
                 EncryptionConfiguration{EncryptionOption! KmsKey} AclConfiguration{S3AclOption!}}}",
        naming: Naming::Property("Name", plain(128)),
        create: &[
            call!("athena", "CreateWorkGroup", |s| with(
                s.pick(&["Name", "Description", "Tags"]),
                json!({"Configuration": s.get("WorkGroupConfiguration")}),
            )),
            calls!("athena", "UpdateWorkGroup", |s| when(s.text("State") == "DISABLED", || state(s))),
        ],
        update: &[
            call!("athena", "UpdateWorkGroup", |s| with(
                s.pick(&["Description", "State"]),
                json!({"WorkGroup": s.name, "ConfigurationUpdates": configuration_updates(s)}),
            )),
            calls!("athena", "TagResource", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
                json!({"ResourceARN": arn(s), "Tags": s.get("Tags")})
            })),
            calls!("athena", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"ResourceARN": arn(s), "TagKeys": gone}))
            }),
        ],
        delete: &[call!("athena", "DeleteWorkGroup", |s| with(
            s.pick(&["RecursiveDeleteOption"]),
            json!({"WorkGroup": s.name}),
        ))],
        read: Some(Read {
            service: "athena",
            operation: "GetWorkGroup",
            input: |s| json!({"WorkGroup": s.name}),
            state: ready,
        }),
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::Athena::NamedQuery",
        schema: "Name^ Description^ Database!^ QueryString!^ WorkGroup^",
        naming: Naming::Label("Name", plain(128)),
        create: &[call!("athena", "CreateNamedQuery", |s| with(
            s.without(&["Name"]),
            json!({"Name": s.name, "ClientRequestToken": s.token}),
        ))],
        update: &[],
        delete: &[call!("athena", "DeleteNamedQuery", |s| json!({"NamedQueryId": s.physical}))],
        read: None,
        physical: |s| s.answered("/NamedQueryId").as_str().map(str::to_owned),
        attributes: &[("NamedQueryId", |s| s.answered("/NamedQueryId"))],
    },
    ResourceType {
        name: "AWS::Athena::PreparedStatement",
        schema: "StatementName!^ WorkGroup!^ QueryStatement! Description",
        naming: Naming::Property("StatementName", plain(256)),
        create: &[call!("athena", "CreatePreparedStatement", |s| Value::Object(s.properties.clone()))],
        update: &[call!("athena", "UpdatePreparedStatement", |s| Value::Object(s.properties.clone()))],
        delete: &[call!("athena", "DeletePreparedStatement", |s| {
            json!({"StatementName": s.name, "WorkGroup": s.text("WorkGroup")})
        })],
        read: Some(Read {
            service: "athena",
            operation: "GetPreparedStatement",
            input: |s| json!({"StatementName": s.name, "WorkGroup": s.text("WorkGroup")}),
            state: ready,
        }),
        physical: by_name,
        attributes: &[],
    },
];

fn arn(s: &Subject<'_>) -> Value {
    s.arn("athena", format!("workgroup/{}", s.name))
}

fn state(s: &Subject<'_>) -> Value {
    json!({"WorkGroup": s.name, "State": s.text("State")})
}

/// The updates that lead from the old configuration to the new one.
fn configuration_updates(s: &Subject<'_>) -> Value {
    let configuration = s.get("WorkGroupConfiguration");
    let mut updates = configuration.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(result)) = updates.remove("ResultConfiguration") {
        updates.insert("ResultConfigurationUpdates".into(), Value::Object(result));
    } else if s.old.get("WorkGroupConfiguration").is_some_and(|old| old.get("ResultConfiguration").is_some()) {
        updates.insert("ResultConfigurationUpdates".into(), json!({"RemoveOutputLocation": true}));
    }
    let cutoff = "BytesScannedCutoffPerQuery";
    let had_cutoff = s.old.get("WorkGroupConfiguration").is_some_and(|old| old.get(cutoff).is_some());
    if had_cutoff && !updates.contains_key(cutoff) {
        updates.insert("RemoveBytesScannedCutoffPerQuery".into(), json!(true));
    }
    Value::Object(updates)
}
