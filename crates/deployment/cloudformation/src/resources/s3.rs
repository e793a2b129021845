//! AWS::S3: buckets and their policies.

use serde_json::{Map, Value, json};

use super::shapes::{document, when};
use super::subject::Subject;
use super::{Call, Naming, Read, ResourceType, Style, by_name, call, calls, ready};

const BUCKET: Style = Style { longest: 63, lower: true, separator: '-' };

pub(crate) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::S3::Bucket",
        schema: "BucketName^ Tags[{Key! Value!}] VersioningConfiguration{Status!} \
                 PublicAccessBlockConfiguration{BlockPublicAcls:b BlockPublicPolicy:b IgnorePublicAcls:b \
                 RestrictPublicBuckets:b} \
                 CorsConfiguration{CorsRules![{Id AllowedHeaders[] AllowedMethods![] AllowedOrigins![] ExposedHeaders[] \
                 MaxAge:i}]} \
                 OwnershipControls{Rules![{ObjectOwnership}]} \
                 BucketEncryption{ServerSideEncryptionConfiguration![{ServerSideEncryptionByDefault{SSEAlgorithm! \
                 KMSMasterKeyID} BucketKeyEnabled:b}]} \
                 NotificationConfiguration{EventBridgeConfiguration{EventBridgeEnabled:b} \
                 LambdaConfigurations[{Event! Function! Filter{S3Key!{Rules![{Name! Value!}]}}}] \
                 QueueConfigurations[{Event! Queue! Filter{S3Key!{Rules![{Name! Value!}]}}}]}",
        naming: Naming::Property("BucketName", BUCKET),
        create: &[
            call!("s3", "CreateBucket", |s| json!({"Bucket": s.name})),
            setting("PutBucketTagging", |s| given(s, "Tags", |tags| json!({"Tagging": {"TagSet": tags}}))),
            setting("PutBucketVersioning", |s| {
                given(s, "VersioningConfiguration", |it| json!({"VersioningConfiguration": it}))
            }),
            setting("PutPublicAccessBlock", |s| {
                given(s, "PublicAccessBlockConfiguration", |it| json!({"PublicAccessBlockConfiguration": it}))
            }),
            setting("PutBucketCors", |s| given(s, "CorsConfiguration", cors)),
            setting("PutBucketOwnershipControls", |s| {
                given(s, "OwnershipControls", |it| json!({"OwnershipControls": it}))
            }),
            setting("PutBucketEncryption", |s| given(s, "BucketEncryption", encryption)),
            setting("PutBucketNotificationConfiguration", |s| {
                given(s, "NotificationConfiguration", |it| json!({"NotificationConfiguration": notifications(it)}))
            }),
        ],
        update: &[
            setting("PutBucketTagging", |s| changed(s, "Tags", |tags| json!({"Tagging": {"TagSet": tags}}))),
            setting("DeleteBucketTagging", |s| gone(s, "Tags")),
            setting("PutBucketVersioning", |s| {
                changed(s, "VersioningConfiguration", |it| json!({"VersioningConfiguration": it}))
            }),
            setting("PutPublicAccessBlock", |s| {
                changed(s, "PublicAccessBlockConfiguration", |it| json!({"PublicAccessBlockConfiguration": it}))
            }),
            setting("DeletePublicAccessBlock", |s| gone(s, "PublicAccessBlockConfiguration")),
            setting("PutBucketCors", |s| changed(s, "CorsConfiguration", cors)),
            setting("DeleteBucketCors", |s| gone(s, "CorsConfiguration")),
            setting("PutBucketOwnershipControls", |s| {
                changed(s, "OwnershipControls", |it| json!({"OwnershipControls": it}))
            }),
            setting("DeleteBucketOwnershipControls", |s| gone(s, "OwnershipControls")),
            setting("PutBucketEncryption", |s| changed(s, "BucketEncryption", encryption)),
            setting("DeleteBucketEncryption", |s| gone(s, "BucketEncryption")),
            setting("PutBucketNotificationConfiguration", |s| {
                Ok(when(s.changed(&["NotificationConfiguration"]), || {
                    let wanted = s.properties.get("NotificationConfiguration").cloned().unwrap_or_else(|| json!({}));
                    json!({"Bucket": s.name, "NotificationConfiguration": notifications(&wanted)})
                }))
            }),
        ],
        delete: &[call!("s3", "DeleteBucket", |s| json!({"Bucket": s.name}))],
        read: Some(Read { service: "s3", operation: "HeadBucket", input: |s| json!({"Bucket": s.name}), state: ready }),
        physical: by_name,
        attributes: &[
            ("Arn", |s| format!("arn:aws:s3:::{}", s.name).into()),
            ("DomainName", |s| format!("{}.s3.amazonaws.com", s.name).into()),
            ("RegionalDomainName", |s| format!("{}.s3.{}.amazonaws.com", s.name, s.region).into()),
        ],
    },
    ResourceType {
        name: "AWS::S3::BucketPolicy",
        schema: "Bucket!^ PolicyDocument!:j",
        naming: Naming::Property("Bucket", BUCKET),
        create: &[call!("s3", "PutBucketPolicy", |s| policy(s))],
        update: &[call!("s3", "PutBucketPolicy", |s| policy(s))],
        delete: &[calls!("s3", "DeleteBucketPolicy", |s| vec![json!({"Bucket": s.text("Bucket")})])],
        read: None,
        physical: by_name,
        attributes: &[],
    },
];

/// A call that sets or unsets one part of a bucket's configuration.
const fn setting(operation: &'static str, inputs: fn(&Subject<'_>) -> Result<Vec<Value>, String>) -> Call {
    Call { service: "s3", operation, inputs }
}

fn given(s: &Subject<'_>, property: &str, shape: impl Fn(&Value) -> Value) -> Result<Vec<Value>, String> {
    let Some(value) = s.properties.get(property) else { return Ok(Vec::new()) };
    let mut input = Map::from_iter([("Bucket".to_owned(), Value::from(s.name))]);
    if let Value::Object(members) = shape(value) {
        input.extend(members);
    }
    Ok(vec![Value::Object(input)])
}

fn changed(s: &Subject<'_>, property: &str, shape: impl Fn(&Value) -> Value) -> Result<Vec<Value>, String> {
    if s.changed(&[property]) { given(s, property, shape) } else { Ok(Vec::new()) }
}

fn gone(s: &Subject<'_>, property: &str) -> Result<Vec<Value>, String> {
    let gone = s.old.contains_key(property) && !s.properties.contains_key(property);
    Ok(when(gone, || json!({"Bucket": s.name})))
}

fn policy(s: &Subject<'_>) -> Value {
    json!({"Bucket": s.text("Bucket"), "Policy": document(&s.get("PolicyDocument"))})
}

/// The operation's names are not the template's.
fn cors(configuration: &Value) -> Value {
    let rule = |rule: &Value| {
        let names = [
            ("Id", "ID"),
            ("AllowedHeaders", "AllowedHeaders"),
            ("AllowedMethods", "AllowedMethods"),
            ("AllowedOrigins", "AllowedOrigins"),
            ("ExposedHeaders", "ExposeHeaders"),
            ("MaxAge", "MaxAgeSeconds"),
        ];
        let members = names.iter().filter_map(|(ours, theirs)| Some(((*theirs).to_owned(), rule.get(*ours)?.clone())));
        Value::Object(members.collect())
    };
    let rules: Vec<Value> = configuration["CorsRules"].as_array().into_iter().flatten().map(rule).collect();
    json!({"CORSConfiguration": {"CORSRules": rules}})
}

fn encryption(configuration: &Value) -> Value {
    let rule = |rule: &Value| {
        let mut wanted = json!({"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]});
        if let Some(enabled) = rule.get("BucketKeyEnabled") {
            wanted["BucketKeyEnabled"] = enabled.clone();
        }
        wanted
    };
    let rules = configuration["ServerSideEncryptionConfiguration"].as_array();
    let rules: Vec<Value> = rules.into_iter().flatten().map(rule).collect();
    json!({"ServerSideEncryptionConfiguration": {"Rules": rules}})
}

fn notifications(configuration: &Value) -> Value {
    let mut wanted = Map::new();
    if configuration["EventBridgeConfiguration"]["EventBridgeEnabled"] != json!(false)
        && configuration.get("EventBridgeConfiguration").is_some()
    {
        wanted.insert("EventBridgeConfiguration".into(), json!({}));
    }
    let target = |it: &Value, ours: &str, theirs: &str| {
        let mut target = json!({theirs: it[ours], "Events": [it["Event"]]});
        if let Some(rules) = it.pointer("/Filter/S3Key/Rules") {
            target["Filter"] = json!({"Key": {"FilterRules": rules}});
        }
        target
    };
    for (property, member, ours, theirs) in [
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
    ] {
        if let Some(targets) = configuration[property].as_array() {
            wanted.insert(member.into(), targets.iter().map(|it| target(it, ours, theirs)).collect());
        }
    }
    Value::Object(wanted)
}
