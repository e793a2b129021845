//! AWS::Glue: databases, tables, crawlers, classifiers, jobs.

use serde_json::{Value, json};

use super::shapes::{removed_tags, when, with};
use super::subject::Subject;
use super::{Naming, Read, ResourceType, Style, by_name, call, calls, plain, ready};

const SQL_NAME: Style = Style { longest: 255, lower: true, separator: '_' };

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::Glue::Database",
        schema: "CatalogId!^ DatabaseName^ DatabaseInput!{Name^ Description LocationUri Parameters:j \
                 CreateTableDefaultPermissions:j}",
        naming: Naming::Property("DatabaseInput.Name", SQL_NAME),
        create: &[call!("glue", "CreateDatabase", |s| json!({"DatabaseInput": named(s, "DatabaseInput")}))],
        update: &[call!(
            "glue",
            "UpdateDatabase",
            |s| json!({"Name": s.name, "DatabaseInput": named(s, "DatabaseInput")})
        )],
        delete: &[call!("glue", "DeleteDatabase", |s| json!({"Name": s.name}))],
        read: Some(Read {
            service: "glue",
            operation: "GetDatabase",
            input: |s| json!({"Name": s.name}),
            state: ready,
        }),
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::Glue::Table",
        schema: "CatalogId!^ DatabaseName!^ TableInput!{Name^ Description Owner Retention:i TableType Parameters:j \
                 PartitionKeys[{Name! Type Comment}] ViewOriginalText ViewExpandedText \
                 StorageDescriptor{Columns[{Name! Type Comment}] Location InputFormat OutputFormat Compressed:b \
                 NumberOfBuckets:i SerdeInfo{Name SerializationLibrary Parameters:j} BucketColumns[] \
                 SortColumns[{Column! SortOrder!:i}] Parameters:j StoredAsSubDirectories:b}}",
        naming: Naming::Property("TableInput.Name", SQL_NAME),
        create: &[call!("glue", "CreateTable", |s| table_input(s))],
        update: &[call!("glue", "UpdateTable", |s| table_input(s))],
        delete: &[call!("glue", "DeleteTable", |s| table(s))],
        read: Some(Read { service: "glue", operation: "GetTable", input: table, state: ready }),
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::Glue::Crawler",
        schema: "Name^ Role! DatabaseName Description TablePrefix Classifiers[] Configuration Tags<> \
                 Targets!{S3Targets[{Path Exclusions[] SampleSize:i ConnectionName EventQueueArn DlqEventQueueArn}]} \
                 Schedule{ScheduleExpression} SchemaChangePolicy{UpdateBehavior DeleteBehavior} \
                 RecrawlPolicy{RecrawlBehavior} CrawlerSecurityConfiguration",
        naming: Naming::Property("Name", plain(255)),
        create: &[call!("glue", "CreateCrawler", |s| crawler(s))],
        update: &[
            call!("glue", "UpdateCrawler", |s| {
                let mut input = crawler(s);
                input.as_object_mut().map(|members| members.remove("Tags"));
                input
            }),
            calls!("glue", "TagResource", |s| tagged(s, "crawler")),
            calls!("glue", "UntagResource", |s| untagged(s, "crawler")),
        ],
        delete: &[call!("glue", "DeleteCrawler", |s| json!({"Name": s.name}))],
        read: Some(Read { service: "glue", operation: "GetCrawler", input: |s| json!({"Name": s.name}), state: ready }),
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::Glue::Classifier",
        schema: "CsvClassifier{Name^ Delimiter QuoteSymbol ContainsHeader Header[] AllowSingleColumn:b \
                 DisableValueTrimming:b ContainsCustomDatatype[] CustomDatatypeConfigured:b}",
        naming: Naming::Property("CsvClassifier.Name", plain(255)),
        create: &[call!("glue", "CreateClassifier", |s| classifier(s))],
        update: &[call!("glue", "UpdateClassifier", |s| classifier(s))],
        delete: &[call!("glue", "DeleteClassifier", |s| json!({"Name": s.name}))],
        read: Some(Read {
            service: "glue",
            operation: "GetClassifier",
            input: |s| json!({"Name": s.name}),
            state: ready,
        }),
        physical: by_name,
        attributes: &[],
    },
    ResourceType {
        name: "AWS::Glue::Job",
        schema: "Name^ Role! Command!{Name ScriptLocation PythonVersion Runtime} Description LogUri DefaultArguments:j \
                 NonOverridableArguments:j Connections{Connections[]} MaxRetries:i AllocatedCapacity:i MaxCapacity:n \
                 Timeout:i ExecutionProperty{MaxConcurrentRuns:i} NotificationProperty{NotifyDelayAfter:i} GlueVersion \
                 NumberOfWorkers:i WorkerType ExecutionClass SecurityConfiguration JobMode JobRunQueuingEnabled:b \
                 MaintenanceWindow Tags<>",
        naming: Naming::Property("Name", plain(255)),
        create: &[call!("glue", "CreateJob", |s| with(s.without(&["Name"]), json!({"Name": s.name})))],
        update: &[
            call!("glue", "UpdateJob", |s| json!({"JobName": s.name, "JobUpdate": s.without(&["Name", "Tags"])})),
            calls!("glue", "TagResource", |s| tagged(s, "job")),
            calls!("glue", "UntagResource", |s| untagged(s, "job")),
        ],
        delete: &[call!("glue", "DeleteJob", |s| json!({"JobName": s.name}))],
        read: Some(Read { service: "glue", operation: "GetJob", input: |s| json!({"JobName": s.name}), state: ready }),
        physical: by_name,
        attributes: &[],
    },
];

/// A nested input with the resource's name in it.
fn named(s: &Subject<'_>, property: &str) -> Value {
    let mut input = s.get(property);
    input["Name"] = s.name.into();
    input
}

fn table_input(s: &Subject<'_>) -> Value {
    json!({"DatabaseName": s.text("DatabaseName"), "TableInput": named(s, "TableInput")})
}

fn table(s: &Subject<'_>) -> Value {
    json!({"DatabaseName": s.text("DatabaseName"), "Name": s.name})
}

fn crawler(s: &Subject<'_>) -> Value {
    let schedule = s.properties.get("Schedule").and_then(|schedule| schedule.get("ScheduleExpression"));
    with(s.without(&["Name", "Schedule"]), json!({"Name": s.name, "Schedule": schedule}))
}

fn classifier(s: &Subject<'_>) -> Value {
    let mut csv = named(s, "CsvClassifier");
    if let Some(members) = csv.as_object_mut() {
        members.remove("ContainsCustomDatatype").map(|types| members.insert("CustomDatatypes".into(), types));
    }
    json!({"CsvClassifier": csv})
}

fn tagged(s: &Subject<'_>, sort: &str) -> Vec<Value> {
    let tags = s.get("Tags");
    let arn = s.arn("glue", format!("{sort}/{}", s.name));
    when(s.changed(&["Tags"]) && tags.is_object(), || json!({"ResourceArn": arn, "TagsToAdd": tags}))
}

fn untagged(s: &Subject<'_>, sort: &str) -> Vec<Value> {
    let gone = removed_tags(s);
    let arn = s.arn("glue", format!("{sort}/{}", s.name));
    when(!gone.is_empty(), || json!({"ResourceArn": arn, "TagsToRemove": gone}))
}
