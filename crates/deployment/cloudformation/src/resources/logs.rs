//! AWS::Logs: log groups and streams.

use serde_json::{Value, json};

use super::shapes::{removed_tags, tag_map, when};
use super::subject::Subject;
use super::{Naming, Read, ResourceType, State, by_name, call, calls, plain, ready};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::Logs::LogGroup",
        schema: "LogGroupName^ RetentionInDays:i Tags[{Key! Value!}]",
        naming: Naming::Property("LogGroupName", plain(512)),
        create: &[
            call!("logs", "CreateLogGroup", |s| match s.items("Tags") {
                [] => json!({"logGroupName": s.name}),
                _ => json!({"logGroupName": s.name, "tags": tag_map(&s.get("Tags"))}),
            }),
            calls!("logs", "PutRetentionPolicy", |s| retention(s)),
        ],
        update: &[
            calls!("logs", "PutRetentionPolicy", |s| if s.changed(&["RetentionInDays"]) {
                retention(s)
            } else {
                vec![]
            }),
            calls!("logs", "DeleteRetentionPolicy", |s| when(
                s.changed(&["RetentionInDays"]) && !s.properties.contains_key("RetentionInDays"),
                || json!({"logGroupName": s.name}),
            )),
            calls!("logs", "TagResource", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
                json!({"resourceArn": plain_arn(s), "tags": tag_map(&s.get("Tags"))})
            })),
            calls!("logs", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"resourceArn": plain_arn(s), "tagKeys": gone}))
            }),
        ],
        delete: &[call!("logs", "DeleteLogGroup", |s| json!({"logGroupName": s.name}))],
        read: Some(Read {
            service: "logs",
            operation: "DescribeLogGroups",
            input: |s| json!({"logGroupNamePrefix": s.name}),
            state: |s, answer| {
                let groups = answer["logGroups"].as_array();
                let found = groups.into_iter().flatten().any(|group| group["logGroupName"] == s.name);
                if found { State::Ready } else { State::Absent }
            },
        }),
        physical: by_name,
        attributes: &[("Arn", |s| s.arn("logs", format!("log-group:{}:*", s.name)))],
    },
    ResourceType {
        name: "AWS::Logs::LogStream",
        schema: "LogGroupName!^ LogStreamName^",
        naming: Naming::Property("LogStreamName", plain(512)),
        create: &[call!("logs", "CreateLogStream", |s| stream(s))],
        update: &[],
        delete: &[call!("logs", "DeleteLogStream", |s| stream(s))],
        read: Some(Read {
            service: "logs",
            operation: "DescribeLogStreams",
            input: |s| json!({"logGroupName": s.text("LogGroupName"), "logStreamNamePrefix": s.name}),
            state: |s, answer| {
                let streams = answer["logStreams"].as_array();
                let found = streams.into_iter().flatten().any(|stream| stream["logStreamName"] == s.name);
                if found { ready(s, answer) } else { State::Absent }
            },
        }),
        physical: by_name,
        attributes: &[],
    },
];

fn plain_arn(s: &Subject<'_>) -> Value {
    s.arn("logs", format!("log-group:{}", s.name))
}

fn retention(s: &Subject<'_>) -> Vec<Value> {
    let days = s.get("RetentionInDays");
    when(!days.is_null(), || json!({"logGroupName": s.name, "retentionInDays": days}))
}

fn stream(s: &Subject<'_>) -> Value {
    json!({"logGroupName": s.text("LogGroupName"), "logStreamName": s.name})
}
