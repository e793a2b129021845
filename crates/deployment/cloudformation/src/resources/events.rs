//! AWS::Events and AWS::Scheduler: buses, rules, schedules and their groups.

use serde_json::{Value, json};

use super::shapes::{document, removed_tags, when, with};
use super::subject::Subject;
use super::{Naming, Read, ResourceType, by_name, call, calls, plain, ready};

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::Events::Rule",
        schema: "Name^ EventBusName^ Description EventPattern:j ScheduleExpression State RoleArn Targets:j \
                 Tags[{Key! Value!}]",
        naming: Naming::Property("Name", plain(64)),
        create: &[call!("events", "PutRule", |s| rule(s)), calls!("events", "PutTargets", |s| targets(s))],
        update: &[
            call!("events", "PutRule", |s| {
                let mut input = rule(s);
                input.as_object_mut().map(|members| members.remove("Tags"));
                input
            }),
            calls!("events", "RemoveTargets", |s| {
                let kept = target_ids(s.items("Targets"));
                let gone: Vec<Value> =
                    target_ids(s.old_items("Targets")).into_iter().filter(|id| !kept.contains(id)).collect();
                when(!gone.is_empty(), || with_bus(s, json!({"Rule": s.name, "Ids": gone})))
            }),
            calls!("events", "PutTargets", |s| if s.changed(&["Targets"]) { targets(s) } else { vec![] }),
            calls!("events", "TagResource", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
                json!({"ResourceARN": rule_arn(s), "Tags": s.get("Tags")})
            })),
            calls!("events", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"ResourceARN": rule_arn(s), "TagKeys": gone}))
            }),
        ],
        delete: &[
            calls!("events", "RemoveTargets", |s| {
                let ids = target_ids(s.items("Targets"));
                when(!ids.is_empty(), || with_bus(s, json!({"Rule": s.name, "Ids": ids})))
            }),
            call!("events", "DeleteRule", |s| with_bus(s, json!({"Name": s.name}))),
        ],
        read: Some(Read {
            service: "events",
            operation: "DescribeRule",
            input: |s| with_bus(s, json!({"Name": s.name})),
            state: ready,
        }),
        physical: |s| match s.text("EventBusName") {
            "" | "default" => by_name(s),
            bus => Some(format!("{}|{}", bus.rsplit('/').next().unwrap_or(bus), s.name)),
        },
        attributes: &[("Arn", rule_arn)],
    },
    ResourceType {
        name: "AWS::Events::EventBus",
        schema: "Name!^ EventSourceName^ Description KmsKeyIdentifier Policy:j DeadLetterConfig{Arn} Tags[{Key! Value!}]",
        naming: Naming::Property("Name", plain(256)),
        create: &[call!("events", "CreateEventBus", |s| Value::Object(s.properties.clone()))],
        update: &[],
        delete: &[call!("events", "DeleteEventBus", |s| json!({"Name": s.name}))],
        read: Some(Read {
            service: "events",
            operation: "DescribeEventBus",
            input: |s| json!({"Name": s.name}),
            state: ready,
        }),
        physical: by_name,
        attributes: &[("Arn", |s| s.arn("events", format!("event-bus/{}", s.name))), ("Name", |s| s.name.into())],
    },
    ResourceType {
        name: "AWS::Scheduler::Schedule",
        schema: "Name^ GroupName^ Description State ScheduleExpression! ScheduleExpressionTimezone StartDate EndDate KmsKeyArn \
                 FlexibleTimeWindow!{Mode! MaximumWindowInMinutes:i} \
                 Target!{Arn! RoleArn! Input DeadLetterConfig{Arn} \
                 RetryPolicy{MaximumEventAgeInSeconds:i MaximumRetryAttempts:i} EventBridgeParameters{DetailType! Source!} \
                 KinesisParameters{PartitionKey!} SqsParameters{MessageGroupId} EcsParameters:j \
                 SageMakerPipelineParameters:j}",
        naming: Naming::Property("Name", plain(64)),
        create: &[call!("scheduler", "CreateSchedule", |s| with(
            s.without(&["Name"]),
            json!({"Name": s.name, "ClientToken": s.token}),
        ))],
        update: &[call!("scheduler", "UpdateSchedule", |s| with(s.without(&["Name"]), json!({"Name": s.name})))],
        delete: &[call!("scheduler", "DeleteSchedule", |s| schedule(s))],
        read: Some(Read { service: "scheduler", operation: "GetSchedule", input: schedule, state: ready }),
        physical: by_name,
        attributes: &[("Arn", |s| {
            let group = s.properties.get("GroupName").and_then(Value::as_str).unwrap_or("default");
            s.arn("scheduler", format!("schedule/{group}/{}", s.name))
        })],
    },
    ResourceType {
        name: "AWS::Scheduler::ScheduleGroup",
        schema: "Name^ Tags[{Key! Value!}]",
        naming: Naming::Property("Name", plain(64)),
        create: &[call!("scheduler", "CreateScheduleGroup", |s| with(s.pick(&["Tags"]), json!({"Name": s.name})))],
        update: &[
            calls!("scheduler", "TagResource", |s| when(s.changed(&["Tags"]) && !s.items("Tags").is_empty(), || {
                json!({"ResourceArn": group_arn(s), "Tags": s.get("Tags")})
            })),
            calls!("scheduler", "UntagResource", |s| {
                let gone = removed_tags(s);
                when(!gone.is_empty(), || json!({"ResourceArn": group_arn(s), "TagKeys": gone}))
            }),
        ],
        delete: &[call!("scheduler", "DeleteScheduleGroup", |s| json!({"Name": s.name}))],
        read: Some(Read {
            service: "scheduler",
            operation: "GetScheduleGroup",
            input: |s| json!({"Name": s.name}),
            state: |_, answer| match answer["State"].as_str() {
                Some("DELETING") => super::State::Busy,
                _ => super::State::Ready,
            },
        }),
        physical: by_name,
        attributes: &[("Arn", group_arn)],
    },
];

fn with_bus(s: &Subject<'_>, input: Value) -> Value {
    with(s.pick(&["EventBusName"]), input)
}

fn rule(s: &Subject<'_>) -> Value {
    with(
        s.without(&["Name", "EventPattern", "Targets"]),
        json!({"Name": s.name, "EventPattern": document(&s.get("EventPattern"))}),
    )
}

fn targets(s: &Subject<'_>) -> Vec<Value> {
    when(!s.items("Targets").is_empty(), || with_bus(s, json!({"Rule": s.name, "Targets": s.get("Targets")})))
}

fn target_ids(targets: &[Value]) -> Vec<Value> {
    targets.iter().map(|target| target["Id"].clone()).collect()
}

fn rule_arn(s: &Subject<'_>) -> Value {
    match s.text("EventBusName") {
        "" | "default" => s.arn("events", format!("rule/{}", s.name)),
        bus => s.arn("events", format!("rule/{}/{}", bus.rsplit('/').next().unwrap_or(bus), s.name)),
    }
}

fn schedule(s: &Subject<'_>) -> Value {
    with(s.pick(&["GroupName"]), json!({"Name": s.name}))
}

fn group_arn(s: &Subject<'_>) -> Value {
    s.arn("scheduler", format!("schedule-group/{}", s.name))
}
